package engine

import "sneakerdrop/internal/drop"

// A batch that changes nothing may still report a success that an earlier batch has written: the answer kept under a
// key, or the purchase of a completed reservation. Nobody may have confirmed that earlier commit. With synchronous
// replication, a cancel, a timeout or a restart can interrupt a commit's wait for the standbys. Such a commit is
// visible, but a failover may lose it. So the first such batch on a state that this process has not seen confirmed
// makes a small write and commits it.

// saysYes reports whether the batch tells any caller that something is done.
func (b *batch) saysYes() bool {
	for i := range b.results {
		if _, tick := b.cmds[i].(drop.Expire); !tick && b.results[i].Err == nil {
			return true
		}
	}
	return false
}

// lasts returns the newest batch whose state is known to survive once this batch has succeeded.
func (b *batch) lasts() drop.BatchID {
	switch {
	case b.changes != nil:
		return b.id
	case b.confirms:
		return b.before
	default:
		return b.lane.lasting
	}
}
