package engine

import (
	"errors"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// repeatsFor is for how many batches with keys a lane looks them up after one had a key that was used before, or a refusal.
const repeatsFor = 64

// unasked is what a batch does not have loaded, because it is seldom needed: what users hold where the drop was last seen without a rule about
// it, and what is kept under keys where all were new of late. If it is needed after all, nothing is written, and the batch is run again
// with it.
type unasked struct {
	users  []drop.UserID // left out
	keys   bool          // left out
	missed bool          // the attempt came to nothing for that
	ruled  bool          // load what users hold
	lookUp bool          // load what is kept under keys
}

// leaveOut takes from need what is not to be loaded. bare: the drop was last seen without a rule about users.
func (u *unasked) leaveOut(need *drop.Need, bare bool) {
	u.missed = false
	if u.users = nil; bare && !u.ruled && !need.Limits {
		u.users, need.Users = need.Users, nil
	}
	if u.keys = !u.lookUp; u.keys {
		need.Keys = nil
	}
}

// misses notes what has to be loaded after all, and reports whether there is any.
func (u *unasked) misses(users, keys bool) bool {
	u.ruled, u.lookUp = u.ruled || users, u.lookUp || keys
	u.missed = users || keys
	return u.missed
}

func (u *unasked) needsUsers(s *drop.State) bool { return len(u.users) > 0 && s.Limited() }

// needsKeys reports whether a call under a key was not a success of its own. Then the key may have been used before: what is kept goes
// before a refusal.
func (u *unasked) needsKeys(cmds []drop.Command, changes *drop.Changes) bool {
	return u.keys && repeated(cmds, changes)
}

// usedKey reports whether a batch failed because a key that it did not look up was used before.
func (u *unasked) usedKey(err error) bool { return u.keys && errors.Is(err, store.ErrKeyUsed) }

// repeated reports whether fewer answers are to be kept than there are keys.
func repeated(cmds []drop.Command, changes *drop.Changes) bool {
	given, kept := 0, 0
	for _, cmd := range cmds {
		if _, ok := cmd.(drop.Keyed); ok {
			given++
		}
	}
	if changes != nil {
		kept = len(changes.Kept)
	}
	return kept < given
}

// repeats counts the batches for which a lane looks keys up.
type repeats int

// learn takes what a batch has shown of its keys.
func (r *repeats) learn(b *batch) {
	switch {
	case b.lookUp && repeated(b.cmds, b.changes):
		*r = repeatsFor
	case *r > 0 && b.changes != nil && len(b.changes.Kept) > 0:
		*r--
	}
}
