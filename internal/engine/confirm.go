package engine

import "sneakerdrop/internal/drop"

// A batch that changes nothing may answer yes all the same, because of what an earlier one has written: the kept
// answer under a key, the purchase of a reservation that is completed. That earlier commit may be one that nobody has
// confirmed. With synchronous replication a commit whose wait for the standbys was broken off, by a cancel, a
// timeout, a restart, can be seen, and is gone after a failover. So the first such batch on a state that this process
// has not seen confirmed makes a small write and commits it.

// saysYes reports whether a caller is to be told that something is done.
func (b *batch) saysYes() bool {
	for i := range b.results {
		if _, tick := b.cmds[i].(drop.Expire); !tick && b.results[i].Err == nil {
			return true
		}
	}
	return false
}

// lasts is the batch up to which the store's state lasts once this one has succeeded, as far as is known.
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
