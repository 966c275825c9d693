package importer

import (
	"cmp"
	"slices"
	"sort"

	"sneakerdrop/internal/drop"
)

// nearMillis is how far apart the original's writes for one purchase may be. It stores the purchase and then marks
// the reservation. A job expires reservations every 5 seconds, and until it does one can still be purchased. Clocks
// may also differ by this much.
const nearMillis = 10_000

// match finds the reservation that each purchase paid for.
//
// The original writes the purchase and then marks the reservation as completed, which sets its updatedAt. Of several
// purchases of one reservation, the last one before that time completed it. The others are duplicates.
//
// Whoever paid keeps the pair. A purchase that completed nothing may have paid for another reservation of the same
// buyer: one that had expired, was cancelled, or was still active when the server died. But if the buyer had a
// completed reservation at that time, the purchase is a duplicate of that one, and takes no live hold.
func (o *orders) match() {
	open := o.matchNamed()
	users := make(map[drop.UserID][]*bought)
	for _, p := range open {
		users[p.user] = append(users[p.user], p)
	}
	for user, purchases := range users {
		matchCompleted(o.unpaid[kind{user, drop.Completed}], purchases)
	}
	twins := o.twins()
	for _, p := range open { // oldest first
		if p.pays == nil {
			o.matchOpen(p, twins[p.user])
		}
	}
	for _, h := range o.all {
		if h.status == drop.Completed && h.paid == nil {
			o.books.report.addf(NoPurchase, "%d", h.id)
			pay(h, &bought{user: h.user, at: min(max(h.updated, h.created), o.books.now)})
		}
	}
}

func pay(h *held, p *bought) { h.paid, p.pays = p, h }

// matchNamed matches the purchases that name their reservation, and returns the others.
func (o *orders) matchNamed() (rest []*bought) {
	named := make(map[*held][]*bought)
	var order []*held
	for _, p := range o.purchases {
		var h *held
		if p.reservation != nil {
			h = o.byID[*p.reservation]
		}
		if h == nil || h.user != p.user {
			rest = append(rest, p)
			continue
		}
		if named[h] == nil {
			order = append(order, h)
		}
		named[h] = append(named[h], p)
	}
	for _, h := range order {
		purchases := named[h]
		matchCompleted([]*held{h}, purchases)
		if h.paid == nil {
			pay(h, purchases[0])
		}
		o.complete(h)
		for _, p := range purchases {
			if p != h.paid {
				o.double(p, h)
			}
		}
	}
	return rest
}

// matchCompleted gives each reservation of one buyer the purchase that completed it, which is the last one in a time
// span. The span first ends with the reservation's last change, and grows for reservations that found none. In each
// span as many as possible find one.
func matchCompleted(reservations []*held, purchases []*bought) {
	byCreation := slices.Clone(reservations)
	slices.SortStableFunc(byCreation, func(a, b *held) int { return inOrder(b.created, a.created, b.id, a.id) }) // newest first
	for _, span := range []func(h *held) (from, to drop.Time){
		func(h *held) (from, to drop.Time) { return max(h.created, h.updated-nearMillis), h.updated },
		func(h *held) (from, to drop.Time) { return max(h.created, h.updated), h.updated + nearMillis },
		func(h *held) (from, to drop.Time) { return h.created, h.updated },
		func(h *held) (from, to drop.Time) { return h.created, drop.Time(drop.MaxSafeInteger) },
		func(h *held) (from, to drop.Time) { return h.created - nearMillis, drop.Time(drop.MaxSafeInteger) },
	} {
		free := slices.DeleteFunc(slices.Clone(purchases), func(p *bought) bool { return p.pays != nil })
		slices.SortStableFunc(free, func(a, b *bought) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(b.id, a.id)) })
		before := newChain(len(free))
		for _, h := range byCreation {
			if h.paid != nil {
				continue
			}
			from, to := span(h)
			last := before.find(sort.Search(len(free), func(i int) bool { return free[i].at > to }))
			if last > 0 && free[last-1].at >= from {
				pay(h, free[last-1])
				before.use(last)
			}
		}
	}
}

// chain finds the last free place at or before a given one. Places count from 1; 0 means none.
type chain []int

func newChain(n int) chain {
	c := make(chain, n+1)
	for i := range c {
		c[i] = i
	}
	return c
}

func (c chain) find(i int) int {
	for c[i] != i {
		c[i] = c[c[i]]
		i = c[i]
	}
	return i
}

func (c chain) use(i int) { c[i] = i - 1 }

// twins are one buyer's completed reservations that have found their purchase. Another purchase while one of them was
// alive is a duplicate.
type twins struct {
	byCreation []*held
	updated    []drop.Time // for each reservation, the latest change of those up to it
	byPayment  []*held
}

func (o *orders) twins() map[drop.UserID]*twins {
	all := make(map[drop.UserID]*twins)
	for k, hs := range o.unpaid {
		if k.status != drop.Completed {
			continue
		}
		t := &twins{}
		var updated drop.Time
		for _, h := range hs { // oldest first
			if h.paid == nil {
				continue
			}
			updated = max(updated, h.updated)
			t.byCreation, t.updated = append(t.byCreation, h), append(t.updated, updated)
		}
		t.byPayment = slices.Clone(t.byCreation)
		slices.SortStableFunc(t.byPayment, func(a, b *held) int { return inOrder(a.paid.at, b.paid.at, a.id, b.id) })
		all[k.user] = t
	}
	return all
}

// of returns the reservation that a purchase at that moment may duplicate: of those that qualify, the one paid
// nearest to it. It returns nil if there is none.
func (t *twins) of(at drop.Time) *held {
	if t == nil {
		return nil
	}
	n := sort.Search(len(t.byCreation), func(i int) bool { return t.byCreation[i].created > at })
	if n == 0 || t.updated[n-1] < at-nearMillis {
		return nil
	}
	after := sort.Search(len(t.byPayment), func(i int) bool { return t.byPayment[i].paid.at >= at })
	if after == 0 {
		return t.byPayment[0]
	}
	if before := t.byPayment[after-1]; after == len(t.byPayment) || at-before.paid.at <= t.byPayment[after].paid.at-at {
		return before
	}
	return t.byPayment[after]
}

// last returns the reservation that was paid last, or nil if there is none.
func (t *twins) last() *held {
	if t == nil || len(t.byPayment) == 0 {
		return nil
	}
	return t.byPayment[len(t.byPayment)-1]
}

// matchOpen finds what a purchase paid for that completed no reservation.
func (o *orders) matchOpen(p *bought, t *twins) {
	twin := t.of(p.at)
	if twin == nil && o.made[p.user] != nil && o.made[p.user].updated >= p.at-nearMillis {
		twin = o.made[p.user]
	}
	for _, status := range []drop.Status{drop.Expired, drop.Active, drop.Cancelled} {
		if h := o.candidate(p, status); h != nil && o.mayPay(p, h, twin) {
			pay(h, p)
			o.complete(h)
			return
		}
	}
	if twin == nil && p.user != noUser {
		twin = cmp.Or(o.made[p.user], t.last()) // no pair is promised twice: the report tells the shop to look
	}
	if twin != nil {
		o.double(p, twin)
		return
	}
	o.books.report.addf(NoReservation, "%d", p.id)
	h := &held{user: p.user, status: drop.Completed, created: p.at, expires: p.at + holdMillis, updated: p.at}
	o.all = append(o.all, h)
	pay(h, p)
	o.made[p.user] = h
}

// candidate returns the buyer's oldest unpaid reservation with that status that was alive at the purchase. Purchases
// come oldest first.
func (o *orders) candidate(p *bought, status drop.Status) *held {
	k := kind{user: p.user, status: status}
	hs := o.unpaid[k]
	for len(hs) > 0 && (hs[0].paid != nil || max(hs[0].created, hs[0].expires)+nearMillis < p.at) {
		hs = hs[1:]
	}
	o.unpaid[k] = hs
	if len(hs) == 0 || hs[0].created > p.at {
		return nil
	}
	return hs[0]
}

// mayPay reports whether a purchase counts as payment for a reservation that was not completed. twin is the completed
// reservation that the purchase may duplicate.
func (o *orders) mayPay(p *bought, h, twin *held) bool {
	nobody := p.user == noUser // noUser stands for many people, whose orders say nothing about each other
	switch {
	case nobody && h.status == drop.Active && h.expires > o.books.now:
		return false
	case twin == nil:
		return true
	case h.status != drop.Expired:
		return false
	default:
		const late = 1000 // just before the job that expired it
		return !nobody || p.at >= h.expires-late
	}
}

// complete turns a paid reservation into a completed one.
func (o *orders) complete(h *held) {
	if h.status == drop.Completed {
		return
	}
	o.books.report.addf(notCompleted[h.status], "%d", h.paid.id)
	h.status = drop.Completed
}

func (o *orders) double(p *bought, of *held) {
	p.pays = of
	o.books.report.addf(SoldTwice, "%d", p.id)
}
