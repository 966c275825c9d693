package engine

import (
	"errors"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// omitted is what a batch does not have loaded, because it is seldom needed: what users hold where the drop was last
// seen without a rule about it, and what is kept under keys where all were new of late. If it is needed after all,
// nothing is written, and the batch is run again with it.
type omitted struct {
	users  []drop.UserID // left out
	keys   bool          // left out
	missed bool          // the attempt came to nothing for that
	ruled  bool          // load what users hold
	lookUp bool          // load what is kept under keys
}

// leaveOut takes from need what is not to be loaded. bare: the drop was last seen without a rule about users.
func (o *omitted) leaveOut(need *drop.Need, bare bool) {
	o.missed = false
	if o.users = nil; bare && !o.ruled && !need.Limits {
		o.users, need.Users = need.Users, nil
	}
	if o.keys = !o.lookUp; o.keys {
		need.Keys = nil
	}
}

// misses notes what has to be loaded after all, and reports whether there is any.
func (o *omitted) misses(users, keys bool) bool {
	o.ruled, o.lookUp = o.ruled || users, o.lookUp || keys
	o.missed = users || keys
	return o.missed
}

func (o *omitted) needsUsers(s *drop.State) bool { return len(o.users) > 0 && s.Limited() }

// needsKeys reports whether a call under a key was not a success of its own. Then the key may have been used before:
// what is kept goes before a refusal.
func (o *omitted) needsKeys(cmds []drop.Command, changes *drop.Changes) bool {
	return o.keys && repeated(cmds, changes)
}

// usedKey reports whether a batch failed because a key that it did not look up was used before.
func (o *omitted) usedKey(err error) bool { return o.keys && errors.Is(err, store.ErrKeyUsed) }

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
