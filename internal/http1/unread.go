package http1

import (
	"container/list"
	"sync"
	"sync/atomic"
	"unsafe"
)

// maxUnread bounds what answers hold in memory while their readers are waited for, over all connections.
const maxUnread = 128 << 20

// unread is what answers hold while their readers are waited for. Over its bound the connection ends that has made no
// progress for the longest time, until the rest fits. Bytes that several answers share, as that of a list, are
// counted once.
type unread struct {
	most int64

	mu    sync.Mutex
	held  int64
	parts map[part]int // by how many answers a part is held
	order list.List    // of *stall: who has made no progress for the longest time is first

	cut     atomic.Int64 // connections that were ended over the bound
	stalled atomic.Int64 // and those that took nothing within the time to write
}

// part is bytes by where they lie, not by what they are.
type part struct {
	first *byte
	n     int
}

func partOf(p []byte) part { return part{unsafe.SliceData(p), len(p)} } //nolint:gosec // where the bytes begin, compared and never followed

// stall is one answer that is waited for.
type stall struct {
	parts [][]byte
	more  int64
	end   func()
	at    *list.Element // nil: it counts no more
}

// hold counts parts, which must not change, and more bytes until release. end may be called before that, once; it
// must not wait.
func (u *unread) hold(end func(), more int64, parts ...[]byte) *stall {
	s := &stall{parts: parts, more: more, end: end}
	u.mu.Lock()
	u.held += more
	for _, p := range parts {
		if len(p) == 0 {
			continue
		}
		k := partOf(p)
		if u.parts[k]++; u.parts[k] == 1 {
			u.held += int64(len(p))
		}
	}
	s.at = u.order.PushBack(s)
	gone := u.takeOutExcess()
	u.mu.Unlock()
	for _, o := range gone {
		u.cut.Add(1)
		o.end()
	}
	return s
}

// takeOutExcess takes out who is to go. It needs u.mu.
func (u *unread) takeOutExcess() (gone []*stall) {
	for u.held > u.most && u.order.Len() > 0 {
		s := u.order.Front().Value.(*stall)
		u.forget(s)
		gone = append(gone, s)
	}
	return gone
}

// progress says that the reader has taken something.
func (u *unread) progress(s *stall) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s.at != nil {
		u.order.MoveToBack(s.at)
	}
}

func (u *unread) release(s *stall) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.forget(s)
}

// forget needs u.mu.
func (u *unread) forget(s *stall) {
	if s.at == nil {
		return
	}
	u.order.Remove(s.at)
	s.at = nil
	u.held -= s.more
	for _, p := range s.parts {
		if len(p) == 0 {
			continue
		}
		k := partOf(p)
		if u.parts[k]--; u.parts[k] == 0 {
			delete(u.parts, k)
			u.held -= int64(len(p))
		}
	}
}

// bytes is how much is held now.
func (u *unread) bytes() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.held
}
