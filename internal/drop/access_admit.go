package drop

import (
	"cmp"
	"iter"
)

// codeRequired is the refusal of a buyer who comes before the start without a pass.
func codeRequired(starts, now Time) *Error {
	return &Error{Code: CodeCodeRequired, StartsAt: starts, StartsIn: starts.Sub(now)}
}

// MayAdmit reports whether the passes of an access can let somebody in at about that time, if there is a unit.
func (d *Drop) MayAdmit(x *Access, now Time) bool {
	const about = 2000 // ms, for a clock that is not the store's
	return now < d.End(x) && now+about >= x.Starts && (x.Units > 0 || !d.public(now))
}

// serves reports whether an access has a unit of a size for who shows a pass.
func (d *Drop) serves(x *Access, size int) bool {
	if x.Units > 0 {
		return x.kept(size) > 0
	}
	return !d.DrawPending() && d.Sizes[size].Stock.Available > 0
}

// anyServes reports whether a pass would bring a unit. With lists it looks at lists only.
func (d *Drop) anyServes(size int, now Time, lists bool) bool {
	for i := range d.Accesses {
		if x := &d.Accesses[i]; d.open(x, now) && x.Covers(size) && d.serves(x, size) && (x.List || !lists) {
			return true
		}
	}
	return false
}

// public reports whether buyers need no pass.
func (d *Drop) public(now Time) bool { return now >= d.StartTime && !d.DrawPending() }

// admit decides whether a buyer may have a unit. It returns the pass that lets the buyer in, or nil if everybody may
// have one. used is the buyer's, nil if nobody counts the buyer's units.
func (a *application) admit(size int, with *Passes, used *usage) (*Pass, *Error) {
	refusal := a.refuse(size, a.now)
	if len(a.Accesses) == 0 && !with.coded() || a.Archived || a.Paused {
		return nil, refusal
	}
	public := a.public(a.now)
	var good bool
	var limit *Error
	for p, x := range a.good(with, size) {
		good = true
		switch {
		case x.PerBuyer > 0 && used.by(x, &a.Drop, a.now) >= x.PerBuyer:
			limit = cmp.Or(limit, &Error{Code: CodeLimitReached, Limit: x.PerBuyer, Used: x.PerBuyer})
		case (x.Units > 0 || !public) && a.serves(x, size):
			return p, nil
		}
	}
	switch {
	case refusal == nil:
		return nil, nil
	case with.coded() && !good:
		return nil, Refuse(CodeCodeInvalid)
	case limit != nil:
		return nil, limit
	case !public && good && !a.DrawPending():
		return nil, Refuse(CodeOutOfStock)
	case refusal.Code == CodeNotStarted && !good && a.anyServes(size, a.now, false):
		return nil, codeRequired(a.opensAt(), a.now)
	}
	return nil, refusal
}

// admitEntry decides whether a buyer may enter the draw. It returns the pass that lets the buyer in early, or 0. A
// buyer who is in the draw needs none.
func (a *application) admitEntry(ranking Ranking, c Enter) (PassID, *Error) {
	refusal := a.RefuseEnter(a.now)
	if refusal == nil || refusal.Code != CodeNotStarted || a.Paused {
		return 0, refusal
	}
	for _, e := range a.entriesOf(c.User) {
		if e.In() || e.Removed != "" {
			return 0, nil
		}
	}
	sizes := ranking.Places()
	for p := range a.good(c.With, sizes...) {
		return p.ID, nil
	}
	if c.With.coded() {
		return 0, Refuse(CodeCodeInvalid)
	}
	for i := range a.Accesses {
		if x := &a.Accesses[i]; a.open(x, a.now) && x.CoversAll(sizes) {
			return 0, codeRequired(a.Draw.Opens, a.now)
		}
	}
	return 0, refusal
}

// enterBy counts an entry that a pass let in; 0: none did.
func (a *application) enterBy(pass PassID) {
	if pass != 0 {
		a.use(pass, 1)
	}
}

// good yields the passes that are good now for all those sizes, the code's first.
func (a *application) good(with *Passes, sizes ...int) iter.Seq2[*Pass, *Access] {
	return func(yield func(*Pass, *Access) bool) {
		if with == nil {
			return
		}
		for _, hash := range append([]Hash{with.Code}, with.Listed...) {
			p := a.passes[hash]
			if p == nil {
				continue
			}
			x := a.accessOf(p.ID)
			if x == nil || !a.open(x, a.now) || p.Used >= x.Uses || !x.CoversAll(sizes) {
				continue
			}
			if !yield(p, x) {
				return
			}
		}
	}
}

// by returns how many units a buyer holds and has bought with passes of an access. A nil usage has none.
func (u *usage) by(x *Access, d *Drop, now Time) (n int) {
	if u == nil {
		return 0
	}
	for _, id := range u.passes {
		if d.accessOf(id) == x {
			n++
		}
	}
	for _, r := range u.holds {
		if r.LiveAt(now) && d.accessOf(r.Pass) == x {
			n++
		}
	}
	return n
}

// opensAt returns when buyers need no pass.
func (d *Drop) opensAt() Time {
	if d.DrawPending() {
		return d.Draw.Opens
	}
	return d.StartTime
}

// use counts a use of a pass, which need not be loaded, or with −1 the end of one.
func (a *application) use(id PassID, more int) {
	a.changed, a.changes.Accesses = true, true
	if x := a.accessOf(id); x != nil {
		x.Used += int64(more)
	}
	if p := a.passesByID[id]; p != nil {
		p.Used += more
	}
	place, again := a.uses[id]
	if !again {
		if a.uses == nil {
			a.uses = make(map[PassID]int)
		}
		place = len(a.changes.Uses)
		a.uses[id] = place
		a.changes.Uses = append(a.changes.Uses, Use{Pass: id})
	}
	a.changes.Uses[place].More += more
}

// Use is by how much the number of a pass's uses changes. More may be 0 or negative.
type Use struct {
	Pass PassID
	More int
}

// holdBy counts a hold that a pass let in. A kept unit is no longer kept.
func (a *application) holdBy(r *Reservation, p *Pass, size int) {
	r.Pass = p.ID
	a.use(p.ID, 1)
	if x := a.accessOf(p.ID); x.Units > 0 {
		a.keepForAccess(x, size, -1)
	}
}

// unhold ends the use of a pass by a hold that ended without a sale. Its unit is kept again while the access lasts.
func (a *application) unhold(r *Reservation, size int) {
	a.use(r.Pass, -1)
	if x := a.accessOf(r.Pass); x != nil && x.Units > 0 && a.now < a.End(x) {
		a.keepForAccess(x, size, 1)
	}
}
