package engine

import (
	"time"

	"sneakerdrop/internal/drop"
)

const (
	// openFrom decides when an empty batch may begin behind a COMMIT. The batch before it must have at least this
	// many admissible reserves, which suggests that more will arrive soon.
	openFrom = 8
	// MaxBackdated is the most by which a batch's time may precede the arrival of an admitted call.
	MaxBackdated = 50 * time.Millisecond
)

// admit adds calls that arrived after the batch began. The store calls it through Decide, right after the wait for
// the drop's lock, which takes most of a batch's time.
//
// Only reserves can be admitted, and only if no rule needs their users' holds, because those are not loaded. The
// first call that needs more ends the admission, so that no call overtakes it. The admitted holds start at the
// batch's time, which may be a moment before the calls arrived.
func (b *batch) admit(s *drop.State) {
	b.late = len(b.calls)
	l := b.lane
	if b.alone || s.Limited() || b.needs.Limits || time.Since(b.asked) > MaxBackdated || b.next != nil { // the calls in next came earlier
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 && len(b.calls) < l.engine.MaxBatch {
		c := l.queue[0]
		cmd, ok := b.admissible(c.cmd)
		if !ok {
			return
		}
		l.queue = l.queue[1:]
		b.calls, b.cmds, b.users = append(b.calls, c), append(b.cmds, c.cmd), append(b.users, cmd.User)
	}
}

// admissible returns the reserve in a command, if the batch has everything loaded that it needs.
func (b *batch) admissible(cmd drop.Command) (r drop.Reserve, ok bool) {
	if k, keyed := cmd.(drop.Keyed); keyed && b.keys {
		cmd = k.Command
	}
	r, ok = cmd.(drop.Reserve)
	return r, ok
}

// manyPlain reports whether the next batch would admit calls, assuming that they resemble this one's.
func (b *batch) manyPlain() bool {
	if b.view.Drop.Limited() {
		return false
	}
	plain := 0
	for _, cmd := range b.cmds {
		if _, ok := b.admissible(cmd); ok {
			plain++
		}
	}
	return plain >= openFrom
}

// dismiss returns admitted calls that were refused to the front of the queue. The batch's time may precede their
// arrival, and since then the drop may have started or a hold may have ended.
func (b *batch) dismiss() {
	kept := b.late
	var refused []*call
	for i := b.late; i < len(b.calls); i++ {
		if b.results[i].Err != nil {
			refused = append(refused, b.calls[i])
			continue
		}
		b.calls[kept], b.cmds[kept], b.results[kept] = b.calls[i], b.cmds[i], b.results[i]
		kept++
	}
	b.calls, b.cmds, b.results = b.calls[:kept], b.cmds[:kept], b.results[:kept]
	if refused == nil {
		return
	}
	b.lane.mu.Lock()
	defer b.lane.mu.Unlock()
	b.lane.queue = append(refused, b.lane.queue...)
}
