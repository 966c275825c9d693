package drop

import (
	"cmp"
	"fmt"
	"slices"

	"sneakerdrop/internal/text"
)

// AddAccess makes an access, or adds passes to one. It is an operator's command.
type AddAccess struct {
	// To is the number of the access to add passes to; 0: it is a new one.
	To int
	// Terms are those of a new one: its name, kind, sizes, times, uses and units.
	Terms Access
	// Passes are what HashCode, HashBuyer and HashEmail return, from 1 to MaxNewPasses. A code must be new to the drop.
	// A buyer who is on the list stays there.
	Passes []Hash
	// Made: the server makes the codes, so that a retry brings other ones.
	Made bool
}

// Operation returns "add_access".
func (AddAccess) Operation() string { return "add_access" }

// Asked returns the text of the call: which access, and which passes unless the server makes them.
func (c AddAccess) Asked(ID) Asked {
	b := appendNumber(nil, "access{To:", int64(c.To))
	b = appendText(b, ", Terms:", EncodeAccesses([]Access{c.Terms}))
	b = appendNumber(b, ", Passes:", int64(len(c.Passes)))
	if !c.Made {
		for i := range c.Passes {
			b = appendText(b, ", ", c.Passes[i].String())
		}
	}
	return Asked(append(b, '}'))
}

func (c AddAccess) need(n *Need) {
	n.Recent = true
	n.Limits = n.Limits || c.Terms.PerBuyer > 0
	for _, hash := range c.Passes {
		n.Passes = append(n.Passes, c.hash(hash))
	}
}

// hash returns how a pass is stored. A buyer can be on several lists, of which a new one has nobody yet.
func (c *AddAccess) hash(of Hash) Hash {
	if c.To == 0 || !c.Terms.List {
		return of
	}
	return OnList(c.To, of)
}

func (c AddAccess) apply(a *application) Result { return a.answerDrop(c.add(a)) }

func (c AddAccess) add(a *application) *Error {
	if a.Archived {
		return Refuse(CodeArchived)
	}
	if len(c.Passes) == 0 || len(c.Passes) > MaxNewPasses {
		return Invalid(c.field(), fmt.Sprintf("must have 1 to %d entries", MaxNewPasses))
	}
	number := c.To
	if number == 0 {
		number = len(a.Accesses) + 1
	}
	var fresh []Hash
	seen := make(map[Hash]bool, len(c.Passes))
	for i, hash := range c.Passes {
		if c.Terms.List {
			hash = OnList(number, hash)
		}
		switch {
		case !seen[hash] && a.passes[hash] == nil:
			seen[hash] = true
			fresh = append(fresh, hash)
		case !c.Terms.List:
			return Invalid(fmt.Sprintf("%s[%d]", c.field(), i), "must not repeat a code of the drop")
		}
	}
	if c.To == 0 {
		if refusal := c.begin(a); refusal != nil {
			return refusal
		}
	}
	x := a.Access(number)
	switch {
	case x == nil:
		return Refuse(CodeAccessNotFound)
	case x.List != c.Terms.List:
		return Invalid("access", "must be a list to add buyers, and have codes to add codes")
	case int(x.Passes)+len(fresh) > MaxPasses:
		return Invalid(c.field(), fmt.Sprintf("must leave the access at most %d entries", MaxPasses))
	case a.now >= a.End(x):
		return &Error{Code: CodeFixed, Field: "access", Rule: "is over, so make a new one"}
	}
	x.Emails = x.Emails || c.Terms.Emails
	for _, hash := range fresh {
		x.Passes++
		p := Pass{ID: NewPassID(a.ID, uint32(number), x.Passes), Hash: hash}
		a.LoadPass(p)
		a.changes.Passes = append(a.changes.Passes, p)
	}
	a.changed, a.changes.Accesses = true, true
	return nil
}

func (c *AddAccess) field() string {
	if c.Terms.List {
		return "list"
	}
	return "codes"
}

// begin makes a new access without passes, or says which rule it breaks.
func (c *AddAccess) begin(a *application) *Error {
	x := c.Terms.clone()
	x.Kept, x.Passes, x.Used = nil, 0, 0
	if x.Name != "" {
		name, refusal := normalText("name", x.Name, MaxAccessName, text.Title)
		if refusal != nil {
			return refusal
		}
		x.Name = name
	}
	x.Starts = cmp.Or(x.Starts, a.now)
	slices.Sort(x.Sizes)
	if x.Sizes = slices.Compact(x.Sizes); len(x.Sizes) == 0 {
		x.Sizes = nil
	}
	if refusal := a.checkAccess(&x); refusal != nil {
		return refusal
	}
	a.Accesses = append(a.Accesses, x)
	if x.Units == 0 {
		return nil
	}
	made := &a.Accesses[len(a.Accesses)-1]
	for size := range a.Sizes {
		if made.Covers(size) {
			a.keepForAccess(made, size, made.Units)
		}
	}
	return nil
}

func (a *application) checkAccess(x *Access) *Error {
	switch {
	case len(a.Accesses) >= MaxAccesses:
		return &Error{Code: CodeLimitReached, Limit: MaxAccesses, Used: len(a.Accesses)}
	case x.Starts < minStart || x.Starts > maxStart:
		return Invalid("starts", "must lie in the years 1970 to 9999")
	case x.Ends == 0 && a.now >= a.StartTime:
		return Invalid("ends", "is required once the drop has started")
	case a.End(x) <= a.now:
		return Invalid("ends", "must be later than now")
	case a.End(x) <= x.Starts || x.Ends > maxStart:
		return Invalid("ends", "must be after starts")
	case x.Uses < 1 || x.Uses > MaxUses:
		return Invalid("uses", fmt.Sprintf("must be from 1 to %d", MaxUses))
	case x.PerBuyer < 0 || x.PerBuyer > MaxLimitPerUser:
		return Invalid("per_buyer", fmt.Sprintf("must be from 1 to %d, or 0 for any number", MaxLimitPerUser))
	case x.Units < 0 || x.Units > MaxStock:
		return Invalid("units", fmt.Sprintf("must be from 1 to %d, or 0 for none", MaxStock))
	case x.Units > 0 && a.lining():
		return &Error{Code: CodeFixed, Field: "units", Rule: "is fixed from the close of the draw until it is over"}
	}
	for _, size := range x.Sizes {
		if size < 0 || size >= len(a.Sizes) {
			return &Error{Code: CodeSizeNotFound, Field: "sizes", Rule: "must name sizes of the drop"}
		}
	}
	for size := range a.Sizes {
		if have := a.Sizes[size].Stock.Available; x.Covers(size) && x.Units > have {
			return &Error{Code: CodeStockInUse, Available: have}
		}
	}
	return nil
}

// EndAccess ends an access now. What is kept for it goes back. It is an operator's command. One that is over stays so.
type EndAccess struct{ Access int }

// Operation returns "end_access".
func (EndAccess) Operation() string { return "end_access" }

// Asked returns the text of the call, which names the access.
func (c EndAccess) Asked(ID) Asked { return askedNumber(int64(c.Access)) }

func (EndAccess) need(n *Need) { n.Recent = true }

func (c EndAccess) apply(a *application) Result {
	x := a.Access(c.Access)
	if x == nil {
		return a.answerDrop(Refuse(CodeAccessNotFound))
	}
	if a.now < a.End(x) {
		x.Ends = a.now
		x.Starts = min(x.Starts, a.now)
		a.changed, a.changes.Accesses = true, true
		a.endAccesses()
	}
	return a.answerDrop(nil)
}
