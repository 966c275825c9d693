package engine

import (
	"time"

	"sneakerdrop/internal/drop"
)

const (
	// openFrom is how many reserves of the kind that is admitted a batch has for another to begin behind its COMMIT
	// even if nothing waits: more will have come by then.
	openFrom = 8
	// MaxBackdated bounds by how much the time of a batch may be before a call that is admitted came.
	MaxBackdated = 50 * time.Millisecond
)

// admit adds to a batch what has come since it was begun. It is called when the batch is decided: it has waited for
// the drop's lock, which is what takes time, and has it now. Only reserves can be admitted, and only where no rule
// asks what their users hold: they need nothing that was not loaded. The first call that does ends it, so that none
// is overtaken. Their holds begin at the batch's time, which may be a moment before they came.
func (b *batch) admit(s *drop.State) {
	b.late = len(b.calls)
	l := b.lane
	if b.alone || s.Limited() || b.needs.Limits || time.Since(b.asked) > MaxBackdated || b.next != nil { // those of next came before
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

// admissible returns the reserve that a command is, if it needs nothing that was not loaded.
func (b *batch) admissible(cmd drop.Command) (r drop.Reserve, ok bool) {
	if k, keyed := cmd.(drop.Keyed); keyed && b.keys {
		cmd = k.Command
	}
	r, ok = cmd.(drop.Reserve)
	return r, ok
}

// manyPlain reports whether the next batch would admit calls, if they are like those of this one.
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

// dismiss gives those back to the queue, to be the first there, that were admitted and refused. The batch's time may
// be from before they came: a drop may have started since, or a hold ended.
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
