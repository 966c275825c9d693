package drop

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// Access is early access to a drop. While it is open, a buyer with one of its passes can reserve before the drop
// starts, or enter its draw before that opens. Units can be kept for it.
type Access struct {
	// Name is what operators call it, or empty.
	Name string
	// List: its passes are buyers on a list, and else codes. Emails: some of them are known by their emails.
	List, Emails bool
	// Sizes are the sizes that it is good for, by their indexes in Drop.Sizes, in ascending order; nil: all.
	Sizes []int
	// Starts and Ends bound the time in which its passes are good. Ends 0: until the drop starts.
	Starts, Ends Time
	// Uses is how often each pass can be used. A use counts while it is a hold, a sale or an entry in the draw.
	Uses int
	// PerBuyer is how many units a buyer can hold and buy with its passes; 0: any number.
	PerBuyer int
	// Units is how many units of each of its sizes were kept for it; 0: none, its buyers take what is on sale.
	Units int64
	// Kept is how many are kept now, by index of Drop.Sizes. They are among Stock.Held. nil if none are kept.
	Kept []int64
	// Passes is the number of its newest pass, and Used how often they are used in all.
	Passes uint32
	Used   int64
}

// Limits of early access.
const (
	MaxAccesses    = 50        // of one drop, also those that are over
	MaxPasses      = 200_000   // of one access
	MaxNewPasses   = 10_000    // in one call
	MaxUses        = 1_000_000 // of one pass
	MaxAccessName  = 100       // characters
	MinCode        = 6         // letters and digits
	MaxCode        = 64
	MaxPassesShown = 2 * MaxAccesses
)

// End returns when an access is over.
func (d *Drop) End(x *Access) Time { return cmp.Or(x.Ends, d.StartTime) }

// open reports whether the passes of an access are good at that time.
func (d *Drop) open(x *Access, now Time) bool { return x.Starts <= now && now < d.End(x) }

// Covers reports whether an access is good for a size, by its index in Drop.Sizes.
func (x *Access) Covers(size int) bool { return x.Sizes == nil || slices.Contains(x.Sizes, size) }

// CoversAll reports whether an access is good for all those sizes.
func (x *Access) CoversAll(sizes []int) bool {
	return !slices.ContainsFunc(sizes, func(size int) bool { return !x.Covers(size) })
}

// keeps reports whether units are kept for an access.
func (d *Drop) keeps(x *Access) bool {
	for size := range d.Sizes {
		if x.kept(size) > 0 {
			return true
		}
	}
	return false
}

// kept returns how many units of a size are kept for an access.
func (x *Access) kept(size int) int64 {
	if size >= len(x.Kept) {
		return 0
	}
	return x.Kept[size]
}

// KeptOf returns how many units of a size are kept for early access.
func (d *Drop) KeptOf(size int) (n int64) {
	for i := range d.Accesses {
		n += d.Accesses[i].kept(size)
	}
	return n
}

// KeptUntil returns the moment at which the next units that are kept for an access go back, or 0. While a draw gives
// places in line, nothing goes back.
func (d *Drop) KeptUntil() (until Time) {
	if d.lining() {
		return 0
	}
	for i := range d.Accesses {
		if x := &d.Accesses[i]; d.keeps(x) && (until == 0 || d.End(x) < until) {
			until = d.End(x)
		}
	}
	return until
}

// accessOf returns the access of a pass, or nil.
func (d *Drop) accessOf(id PassID) *Access {
	return d.Access(id.Access())
}

// Access returns the access with that number, or nil.
func (d *Drop) Access(number int) *Access {
	if number < 1 || number > len(d.Accesses) {
		return nil
	}
	return &d.Accesses[number-1]
}

// clone returns a copy that shares nothing.
func (x Access) clone() Access {
	x.Sizes, x.Kept = slices.Clone(x.Sizes), slices.Clone(x.Kept)
	return x
}

// CloneAccesses returns copies that share nothing with the accesses.
func CloneAccesses(all []Access) []Access {
	if all == nil {
		return nil
	}
	copied := make([]Access, len(all))
	for i := range all {
		copied[i] = all[i].clone()
	}
	return copied
}

// keepForAccess keeps units for an access, or with a negative number no longer.
func (a *application) keepForAccess(x *Access, size int, more int64) {
	a.lineMoved(size)
	a.changes.Accesses = true
	for size >= len(x.Kept) {
		x.Kept = append(x.Kept, 0)
	}
	x.Kept[size] += more
	a.Sizes[size].Stock.keep(more)
	a.linesMoved[size].kept += more
}

// endAccesses frees what is kept for accesses that are over, for those who wait first.
func (a *application) endAccesses() {
	if a.lining() {
		return
	}
	for i := range a.Accesses {
		x := &a.Accesses[i]
		if a.now < a.End(x) {
			continue
		}
		for size := range a.Sizes {
			if n := x.kept(size); n > 0 {
				a.keepForAccess(x, size, -n)
				a.handOver(size)
			}
		}
	}
}

// storedAccess is the stored form of an Access.
type storedAccess struct {
	Name     string  `json:"name,omitempty"`
	List     bool    `json:"list,omitempty"`
	Emails   bool    `json:"emails,omitempty"`
	Sizes    []int   `json:"sizes,omitempty"`
	Starts   Time    `json:"starts"`
	Ends     Time    `json:"ends,omitempty"`
	Uses     int     `json:"uses"`
	PerBuyer int     `json:"per_buyer,omitempty"`
	Units    int64   `json:"units,omitempty"`
	Kept     []int64 `json:"kept,omitempty"`
	Passes   uint32  `json:"passes"`
	Used     int64   `json:"used,omitempty"`
}

// EncodeAccesses returns the stored form of a drop's accesses; empty for none.
func EncodeAccesses(all []Access) string {
	if len(all) == 0 {
		return ""
	}
	stored := make([]storedAccess, len(all))
	for i := range all {
		stored[i] = storedAccess(all[i])
	}
	b, err := json.Marshal(stored)
	if err != nil {
		panic(err) // cannot happen: numbers and plain text
	}
	return string(b)
}

// DamagedAccess stands for early access that cannot be read. It has been over since 1970: it lets nobody in, and takes
// no new passes.
func DamagedAccess() Access { return Access{Ends: 1, Uses: 1} }

// Damaged reports whether the access is DamagedAccess, which no command makes.
func (x *Access) Damaged() bool { return x.Starts == 0 && x.Ends == DamagedAccess().Ends }

// DecodeAccesses reads what EncodeAccesses wrote. An error means that it is damaged.
func DecodeAccesses(s string) ([]Access, error) {
	if s == "" {
		return nil, nil
	}
	var stored []storedAccess
	if err := json.Unmarshal([]byte(s), &stored); err != nil {
		return nil, fmt.Errorf("decode accesses: %w", err)
	}
	if len(stored) > MaxAccesses {
		return nil, fmt.Errorf("decode accesses: %d are too many", len(stored))
	}
	all := make([]Access, len(stored))
	for i, k := range stored {
		all[i] = Access(k)
	}
	return all, nil
}
