package drop

import "cmp"

// Edit changes the settings whose fields are not nil.
type Edit struct {
	Name         *string
	Price        *Money
	StartTime    *Time
	ImageURL     *string
	LimitPerUser *int
	// MaxExpiredHolds: see Settings.
	MaxExpiredHolds *int
	// Waitlist, OfferFor, MaxWaiting and OffersCount: see Settings.
	Waitlist    *bool
	OfferFor    *int
	MaxWaiting  *int
	OffersCount *bool
	Hidden      *bool
	Archived    *bool
}

// Operation returns "edit".
func (Edit) Operation() string { return "edit" }

func (c Edit) need(n *Need) {
	n.Limits = n.Limits || c.limits()
	n.Recent = true
}

func (c Edit) apply(a *application) Result { return a.answerDrop(c.change(a)) }

// limits reports whether the edit may set a rule about how much one user may hold.
func (c *Edit) limits() bool { return c.LimitPerUser != nil || c.MaxExpiredHolds != nil }

// change changes all the fields or, on a refusal, none.
func (c Edit) change(a *application) *Error {
	if c.Name != nil && *c.Name != a.Name { // a name may stay if it was stored before names were normalized
		name, refusal := normalName(*c.Name)
		if refusal != nil {
			return refusal
		}
		c.Name = &name
	}
	if refusal := a.checkEdit(c); refusal != nil {
		return refusal
	}
	set(&a.Name, c.Name, &a.changed)
	set(&a.Price, c.Price, &a.changed)
	set(&a.StartTime, c.StartTime, &a.changed)
	set(&a.ImageURL, c.ImageURL, &a.changed)
	set(&a.LimitPerUser, c.LimitPerUser, &a.changed)
	set(&a.MaxExpiredHolds, c.MaxExpiredHolds, &a.changed)
	set(&a.Waitlist, c.Waitlist, &a.changed)
	set(&a.OfferFor, c.OfferFor, &a.changed)
	set(&a.MaxWaiting, c.MaxWaiting, &a.changed)
	set(&a.OffersCount, c.OffersCount, &a.changed)
	set(&a.Hidden, c.Hidden, &a.changed)
	set(&a.Archived, c.Archived, &a.changed)
	a.endAccesses()                                                 // one may end at the start
	if (!a.Waitlist && !a.HasDraw() || a.Archived) && !a.lining() { // what a draw gives stays
		a.closeLines()
	}
	return nil
}

func set[T comparable](field, to *T, changed *bool) {
	if to != nil && *field != *to {
		*field = *to
		*changed = true
	}
}

// checkEdit checks the settings that become fixed: the start once the drop has started, and start and price once a
// unit is held or was ever sold. All purchases of a drop have one price, also if all their units were taken back.
func (a *application) checkEdit(c Edit) *Error {
	stock := a.Stock()
	for i := range a.Sizes {
		stock.Held -= a.KeptOf(i)
	}
	taken := stock.Held+stock.Sold > 0 || a.Purchased > 0
	switch {
	case c.Price != nil && *c.Price != a.Price && taken:
		return &Error{Code: CodeFixed, Field: "price", Rule: "is fixed once a unit is held or sold"}
	case c.StartTime != nil && *c.StartTime != a.StartTime && taken:
		return &Error{Code: CodeFixed, Field: "start_time", Rule: "is fixed once a unit is held or sold"}
	case c.StartTime != nil && a.HasDraw() && *c.StartTime < a.Draw.Closes:
		return Invalid("start_time", "must not be before draw.closes")
	case c.StartTime != nil && *c.StartTime != a.StartTime && a.now >= a.StartTime:
		return &Error{Code: CodeFixed, Field: "start_time", Rule: "is fixed once the drop has started"}
	}
	return c.check()
}

func (c *Edit) check() *Error {
	return cmp.Or(
		checked(c.Price, checkPrice), checked(c.StartTime, checkStart),
		checked(c.ImageURL, checkImageURL), checked(c.LimitPerUser, checkLimit),
		checked(c.MaxExpiredHolds, checkExpired), checked(c.OfferFor, checkOfferFor), checked(c.MaxWaiting, checkMaxWaiting),
	)
}

func checked[T any](v *T, rule func(T) *Error) *Error {
	if v == nil {
		return nil
	}
	return rule(*v)
}
