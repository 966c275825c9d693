package engine

import "sync/atomic"

// turns bounds how many lanes have a batch in the store at once; nil: any number. Of many hot drops most wait, each in its turn, and
// meanwhile their queues grow: a few large batches cost the store less than many small ones that stand in each other's way.
type turns struct {
	taken   chan struct{} // in the order in which they were asked for
	waiting atomic.Int64
}

func newTurns(most int) *turns {
	if most == 0 {
		return nil
	}
	return &turns{taken: make(chan struct{}, most)}
}

func (t *turns) begin() {
	if t == nil {
		return
	}
	select {
	case t.taken <- struct{}{}:
		return
	default:
	}
	t.waiting.Add(1)
	t.taken <- struct{}{}
	t.waiting.Add(-1)
}

func (t *turns) end() {
	if t != nil {
		<-t.taken
	}
}

// awaited reports whether a lane waits for its turn.
func (t *turns) awaited() bool { return t != nil && t.waiting.Load() > 0 }
