package drop

// Early is what everybody may know of early access to a drop. The zero value means that there is none.
type Early struct {
	// Starts is when the first access starts, and Ends when the last one ends.
	Starts, Ends Time
	// Codes: some of it is by codes, and else all of it is by lists.
	Codes bool
}

// Early returns what everybody may know of early access to the drop.
func (d *Drop) Early() (e Early) {
	for i := range d.Accesses {
		x := &d.Accesses[i]
		if i == 0 || x.Starts < e.Starts {
			e.Starts = x.Starts
		}
		e.Ends = max(e.Ends, d.End(x))
		e.Codes = e.Codes || !x.List
	}
	return e
}

// Places returns the indexes of the sizes with those labels, or which of them the drop does not have.
func (d *Drop) Places(field string, labels []string) ([]int, *Error) {
	places := make([]int, len(labels))
	for i, label := range labels {
		place, _, refusal := d.sizeNamed(label)
		if refusal == nil && !d.Sized() {
			refusal = &Error{Code: CodeSizeNotFound, Rule: "must name sizes of the drop"}
		}
		if refusal != nil {
			refusal.Field = field
			return nil, refusal
		}
		places[i] = place
	}
	return places, nil
}
