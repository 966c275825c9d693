package drop

import "slices"

// answerDrop answers an operator's command with the drop's current state. Its version is the one that the batch will
// commit.
func (a *application) answerDrop(refusal *Error) Result {
	if refusal != nil {
		return Result{Err: refusal}
	}
	d := a.Drop
	d.Sizes, d.Accesses = slices.Clone(a.Sizes), CloneAccesses(a.Accesses)
	if a.changed {
		d.Version++
	}
	return Result{Drop: &d, Recent: a.Recent}
}

// Restock adds units to a size. A negative Add removes unsold units.
type Restock struct {
	Add  int64
	Size string
}

// Operation returns "restock".
func (Restock) Operation() string { return "restock" }

// Asked returns the text of the call: how many units of which size.
func (c Restock) Asked(ID) Asked {
	b := appendNumber(nil, "drop.Restock{Add:", c.Add)
	b = appendText(b, ", Size:", c.Size)
	return Asked(append(b, '}'))
}

func (Restock) need(n *Need) { n.Recent = true }

func (c Restock) apply(a *application) Result { return a.answerDrop(c.move(a)) }

func (c Restock) move(a *application) *Error {
	size, _, refusal := a.sizeNamed(c.Size)
	if refusal != nil {
		return refusal
	}
	if a.lining() {
		return &Error{Code: CodeFixed, Field: "add", Rule: "is fixed from the close of the draw until it is over"}
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
	a.move(size, Restocked, c.Add, 0)
	a.handOver(size)
	return nil
}

// Pause stops reserving. Buyers can still purchase their live reservations.
type Pause struct{}

// Operation returns "pause".
func (Pause) Operation() string { return "pause" }

// Asked returns the text of the call, which names the drop.
func (Pause) Asked(id ID) Asked { return askedNumber(int64(id)) }

func (Pause) need(n *Need) { n.Recent = true }

func (Pause) apply(a *application) Result { return a.setPaused(true) }

// Resume ends a pause.
type Resume struct{}

// Operation returns "resume".
func (Resume) Operation() string { return "resume" }

// Asked returns the text of the call, which names the drop.
func (Resume) Asked(id ID) Asked { return askedNumber(int64(id)) }

func (Resume) need(n *Need) { n.Recent = true }

func (Resume) apply(a *application) Result { return a.setPaused(false) }

func (a *application) setPaused(paused bool) Result {
	set(&a.Paused, &paused, &a.changed)
	for i := range a.Sizes { // units that came free in the pause
		a.handOver(i)
	}
	return a.answerDrop(nil)
}
