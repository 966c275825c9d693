package drop

import (
	"cmp"
	"slices"
)

// operate answers an operator's command with the drop as it is now. Its version is the one that the batch will commit.
func (a *application) operate(refusal *Error) Result {
	if refusal != nil {
		return Result{Err: refusal}
	}
	d := a.Drop
	d.Sizes = slices.Clone(a.Sizes)
	if a.changed {
		d.Version++
	}
	return Result{Drop: &d, Recent: a.Recent}
}

func (a *application) restock(c Restock) *Error {
	size, _, refusal := a.sizeNamed(c.Size)
	if refusal != nil {
		return refusal
	}
	if c.Add == 0 {
		return Invalid("add", "must not be 0")
	}
	stock := a.Sizes[size].Stock
	if c.Add < 0 && stock.Available+c.Add < 0 {
		return &Error{Code: CodeStockInUse, Available: stock.Available}
	}
	if c.Add > MaxStock || a.Stock().Total+c.Add > MaxStock {
		return Invalid("add", "must leave the drop at most 10000000 units")
	}
	a.move(size, Restocked, c.Add)
	return nil
}

func (a *application) setPaused(paused bool) {
	if a.Paused != paused {
		a.Paused = paused
		a.changed = true
	}
}

// edit changes all fields or none.
func (a *application) edit(c Edit) *Error {
	if c.Name != nil && *c.Name != a.Name { // one of before names had a normal form may stay
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
	set(&a.Hidden, c.Hidden, &a.changed)
	set(&a.Archived, c.Archived, &a.changed)
	return nil
}

func set[T comparable](field, to *T, changed *bool) {
	if to != nil && *field != *to {
		*field = *to
		*changed = true
	}
}

// checkEdit says what may change when: the start until the drop has started, start and price until a unit is held or sold.
func (a *application) checkEdit(c Edit) *Error {
	stock := a.Stock()
	taken := stock.Held+stock.Sold > 0
	switch {
	case c.Price != nil && *c.Price != a.Price && taken:
		return &Error{Code: CodeFixed, Field: "price", Rule: "is fixed once a unit is held or sold"}
	case c.StartTime != nil && *c.StartTime != a.StartTime && taken:
		return &Error{Code: CodeFixed, Field: "start_time", Rule: "is fixed once a unit is held or sold"}
	case c.StartTime != nil && *c.StartTime != a.StartTime && a.now >= a.StartTime:
		return &Error{Code: CodeFixed, Field: "start_time", Rule: "is fixed once the drop has started"}
	}
	return c.check()
}

func (c *Edit) check() *Error {
	return cmp.Or(
		checked(c.Price, checkPrice), checked(c.StartTime, checkStart),
		checked(c.ImageURL, checkImageURL), checked(c.LimitPerUser, checkLimit),
		checked(c.MaxExpiredHolds, checkExpired),
	)
}

func checked[T any](v *T, rule func(T) *Error) *Error {
	if v == nil {
		return nil
	}
	return rule(*v)
}
