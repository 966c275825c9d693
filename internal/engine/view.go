package engine

import (
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// View is a drop at one committed version. It is immutable and may be shared freely.
type View struct {
	Drop drop.Drop
	// Recent has the newest purchases, newest first.
	Recent []drop.Recent

	purchased uint32 // the number of the drop's newest purchase
	listed    uint32 // the newest purchase that Recent was made with; if it is less than purchased, Recent must be loaded again

	encodeOnce sync.Once
	encoded    []byte
}

func viewOf(s store.Snapshot) *View { return NewView(s.Drop, s.Recent, s.Purchased, s.Purchased) }

// NewView returns a drop as another replica has seen it. purchased is the number of its newest purchase, and listed
// the newest that recent was made with.
func NewView(d drop.Drop, recent []drop.Recent, purchased, listed uint32) *View {
	return &View{Drop: d, Recent: recent, purchased: purchased, listed: listed}
}

// Purchased returns the number of the drop's newest purchase, and of the newest one that Recent was made with.
func (v *View) Purchased() (newest, listed uint32) { return v.purchased, v.listed }

// stale reports that another replica sold since Recent was made.
func (v *View) stale() bool { return v.listed != v.purchased }

// with combines two views of one drop: the newer state and the newer list of purchases.
func (v *View) with(other *View) *View {
	if other.Drop.Version < v.Drop.Version {
		if other.listed <= v.listed || other.listed > v.purchased {
			return v
		}
		return NewView(v.Drop, other.Recent, v.purchased, other.listed)
	}
	switch {
	case other.Drop.Version == v.Drop.Version && (!v.stale() || other.stale() && other.listed <= v.listed):
		return v
	case other.listed < v.listed && v.listed <= other.purchased:
		return NewView(other.Drop, v.Recent, other.purchased, v.listed)
	default:
		return other
	}
}

// replace updates the drop's view with v. It returns the current view, and whether that is news.
func (l *lane) replace(v *View) (current *View, news bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.view.Load()
	after := before.with(v)
	if after == before {
		return before, false
	}
	l.view.Store(after)
	l.engine.generation.Add(1)
	return after, true
}

// viewAfter makes the view of a drop after a batch. recent says whether the batch loaded the newest purchases;
// otherwise they come from the view before.
func viewAfter(s *drop.State, recent bool, before *View) *View {
	if recent {
		return NewView(s.Drop, s.Recent, s.Purchased, s.Purchased)
	}
	return NewView(s.Drop, before.Recent, s.Purchased, before.listed)
}

// Encoded returns the result of encode for this view. It calls encode once for each view.
func (v *View) Encoded(encode func(*View) []byte) []byte {
	v.encodeOnce.Do(func() { v.encoded = encode(v) })
	return v.encoded
}
