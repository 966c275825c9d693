package engine

import (
	"errors"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// omitted is what a batch does not load because it is rarely needed. That is the users' holds, if the drop had no
// rule about them when last seen, and the kept answers, if all recent keys were new. If the batch needs them after
// all, it writes nothing and runs again with them loaded.
type omitted struct {
	users  []drop.UserID // the users whose holds are not loaded
	keys   bool          // the kept answers are not loaded
	missed bool          // the attempt had no effect because something was missing
	ruled  bool          // load the users' holds
	lookUp bool          // load the kept answers
}

// leaveOut removes from need what the batch does not load. bare says that the drop had no rule about users when last
// seen.
func (o *omitted) leaveOut(need *drop.Need, bare bool) {
	o.missed = false
	if o.users = nil; bare && !o.ruled && !need.Limits {
		o.users, need.Users = need.Users, nil
	}
	if o.keys = !o.lookUp; o.keys {
		need.Keys = nil
	}
}

// misses records what has to be loaded after all, and reports whether there is anything.
func (o *omitted) misses(users, keys bool) bool {
	o.ruled, o.lookUp = o.ruled || users, o.lookUp || keys
	o.missed = users || keys
	return o.missed
}

func (o *omitted) needsUsers(s *drop.State) bool { return len(o.users) > 0 && s.Limited() }

// needsKeys reports whether a call with a key did not succeed on its own. Its key may have been used before, and a
// kept answer takes precedence over a refusal.
func (o *omitted) needsKeys(cmds []drop.Command, changes *drop.Changes) bool {
	return o.keys && repeated(cmds, changes)
}

// usedKey reports whether a batch failed because of a used key that it had not looked up.
func (o *omitted) usedKey(err error) bool { return o.keys && errors.Is(err, store.ErrKeyUsed) }

// repeated reports whether there are fewer answers to keep than keys.
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
