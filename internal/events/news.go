package events

import (
	"context"
	"sync"
	"time"
)

// pollEvery is how often the generation of all drops is compared, while somebody waits for news: often while drops
// change, up to pollIdle apart while none does. Lanes do not have to tell anybody, so that selling costs nothing more.
const (
	pollEvery = 20 * time.Millisecond
	pollIdle  = 100 * time.Millisecond
)

// news tells those who wait that some drop has changed.
type news struct {
	drops Drops

	mu      sync.Mutex
	waiting int
	polling bool
	every   time.Duration // until the next look
	changed chan struct{} // closed at the next change
	last    uint64        // the generation that changed waits to end
	queued  float64       // how many commands wait in lanes, as a moving average over about busyOver looks
}

// busyFrom is how many commands wait in lanes, on average, when selling needs the whole machine. With a crowd of 256 it
// is about 100, at 2,000 purchases a second below 10. The number at one moment says little: just after a batch has
// begun, it is near 0 in any rush.
const (
	busyFrom = 16
	busyOver = 8
)

// Busy reports whether selling needs the whole machine now. Whoever can wait should. It is known only while somebody
// is in Wait, or was just now.
func (f *Feed) Busy() bool {
	f.news.mu.Lock()
	defer f.news.mu.Unlock()
	return f.news.queued >= busyFrom
}

// Generation returns the generation to pass to Wait: whatever happens after this call ends that wait.
func (f *Feed) Generation() uint64 { return f.drops.Generation() }

// Wait waits until the drops' generation differs from seen, or until ctx ends.
func (f *Feed) Wait(ctx context.Context, seen uint64) {
	n := &f.news
	for n.drops.Generation() == seen {
		changed := n.join(seen)
		select {
		case <-changed:
		case <-ctx.Done():
		}
		n.leave()
		if ctx.Err() != nil {
			return
		}
	}
}

// join returns a channel that is closed once the generation is not the one that was seen.
func (n *news) join(seen uint64) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.waiting++
	if n.changed != nil && n.last != seen {
		close(n.changed)
		n.changed = nil
	}
	if n.changed == nil {
		n.changed, n.last = make(chan struct{}), seen
	}
	if !n.polling {
		n.polling, n.every = true, pollEvery
		time.AfterFunc(n.every, n.poll)
	}
	return n.changed
}

func (n *news) leave() {
	n.mu.Lock()
	n.waiting--
	n.mu.Unlock()
}

// poll looks for a change, and again as long as somebody waits.
func (n *news) poll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queued += (float64(n.drops.Queued()) - n.queued) / busyOver
	n.every = min(n.every+n.every/2, pollIdle)
	if n.changed != nil && (n.drops.Generation() != n.last || n.waiting == 0) {
		close(n.changed)
		n.changed, n.every = nil, pollEvery
	}
	if n.polling = n.waiting > 0; n.polling {
		time.AfterFunc(n.every, n.poll)
	}
}
