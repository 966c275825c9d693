package drop

import "sneakerdrop/internal/text"

// RefuseReserve returns why nobody can get a unit of that size at the time now, or nil. It covers every rule that
// does not need the buyer's own rows. The state machine calls it, and so does the gate, which answers from a view.
// It returns nil if what the buyer shows may let the buyer in: only a batch knows.
func (d *Drop) RefuseReserve(size string, with *Passes, now Time) *Error {
	i, _, refusal := d.sizeNamed(size)
	if refusal != nil {
		return refusal
	}
	refusal = d.refuse(i, now)
	switch {
	case refusal == nil || d.Archived || d.Paused:
		return refusal
	case with.coded(), with != nil && len(with.Listed) > 0 && d.anyServes(i, now, true):
		return nil
	case refusal.Code == CodeNotStarted && d.anyServes(i, now, false):
		return codeRequired(d.opensAt(), now)
	}
	return refusal
}

// RefuseSize returns why that size can never be reserved, or nil. The sizes of a drop never change.
func (d *Drop) RefuseSize(size string) *Error {
	_, _, refusal := d.sizeNamed(size)
	return refusal
}

// notStarted is the refusal of what begins at a later time.
func notStarted(at, now Time) *Error {
	return &Error{Code: CodeNotStarted, StartsAt: at, StartsIn: at.Sub(now)}
}

func (d *Drop) refuse(size int, now Time) *Error {
	switch {
	case d.Archived:
		return Refuse(CodeArchived)
	case d.DrawPending():
		return d.refuseDraw(now)
	case now < d.StartTime:
		return notStarted(d.StartTime, now)
	case d.Paused:
		return Refuse(CodePaused)
	case d.Sizes[size].Stock.Available > 0:
		return nil
	case d.Sizes[size].Waiting > 0:
		return &Error{Code: CodeWaitlist, Waiting: d.Sizes[size].Waiting}
	default:
		return Refuse(CodeOutOfStock)
	}
}

// sizeNamed finds the size that a buyer or operator named. called is what their answer shows: the drop's own label
// or, in a drop without sizes, the note in its normal form. A drop stored before labels had a normal form may have a
// label in another spelling. That spelling is tried first.
func (d *Drop) sizeNamed(label string) (i int, called string, refusal *Error) {
	if label == "" {
		if d.Sized() {
			return 0, "", &Error{Code: CodeSizeRequired, Field: "size", Rule: "must name one of the drop's sizes"}
		}
		return 0, "", nil
	}
	if i := d.sizeIndex(label); i >= 0 && d.Sized() {
		return i, label, nil
	}
	normal, refusal := normalText("size", label, MaxSizeLabel, text.Name)
	if refusal != nil {
		return 0, "", refusal
	}
	if !d.Sized() {
		return 0, normal, nil
	}
	for i := range d.Sizes {
		if other, _ := text.Name(d.Sizes[i].Label); other == normal {
			return i, d.Sizes[i].Label, nil
		}
	}
	return 0, "", &Error{Code: CodeSizeNotFound, Field: "size", Rule: "must name one of the drop's sizes"}
}

// sizeIndex returns the index of the stock that counts units of that size, or −1. A drop without sizes has a single
// stock, whatever the note says.
func (d *Drop) sizeIndex(label string) int {
	if !d.Sized() {
		return 0
	}
	for i := range d.Sizes {
		if d.Sizes[i].Label == label {
			return i
		}
	}
	return -1
}
