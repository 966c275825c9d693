package http1

import (
	"container/list"
	"sync"
	"sync/atomic"
	"unsafe"
)

// maxUnread limits the memory that answers hold while they wait for their readers, over all connections.
const maxUnread = 128 << 20

// unread is what answers hold while they wait for their readers. Above its limit, the connection ends that has made
// no progress for the longest time, until the rest fits. Bytes that several answers share, such as the list's, count
// once.
type unread struct {
	most int64

	mu    sync.Mutex
	held  int64
	parts map[part]int // by how many answers hold each part
	order list.List    // of *stall: the one without progress for the longest time is first

	cut     atomic.Int64 // connections ended above the limit
	stalled atomic.Int64 // connections that read nothing within the write timeout
}

// part identifies bytes by their location, not their content.
type part struct {
	first *byte
	n     int
}

func partOf(p []byte) part { return part{unsafe.SliceData(p), len(p)} } //nolint:gosec // where the bytes begin, compared and never followed

// stall is one answer that waits for its reader.
type stall struct {
	parts [][]byte
	more  int64
	end   func()
	at    *list.Element // nil if it no longer counts
}

// hold counts parts, which must not change, and more bytes until release. Before that it may call end, once; end must
// not wait.
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

// takeOutExcess removes those that must go. It needs u.mu.
func (u *unread) takeOutExcess() (gone []*stall) {
	for u.held > u.most && u.order.Len() > 0 {
		s := u.order.Front().Value.(*stall)
		u.forget(s)
		gone = append(gone, s)
	}
	return gone
}

// progress records that the reader has taken something.
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

// bytes returns how much is held now.
func (u *unread) bytes() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.held
}
