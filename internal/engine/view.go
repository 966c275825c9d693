package engine

import (
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// View is a drop as of one committed version. It is immutable: share it freely.
type View struct {
	Drop drop.Drop
	// Recent has the newest purchases, newest first.
	Recent []drop.Recent

	purchased uint32 // the newest purchase that Recent was made with
	stale     bool   // another replica sold since: Recent is to be loaded anew

	encodeOnce sync.Once
	encoded    []byte
}

func viewOf(s store.Snapshot) *View {
	return &View{Drop: s.Drop, Recent: s.Recent, purchased: s.Purchased}
}

// viewAfter makes the view of a drop that a batch has just decided. recent tells whether the batch loaded the newest
// purchases; else they are those of the view before.
func viewAfter(s *drop.State, recent bool, before *View) *View {
	v := &View{Drop: s.Drop, Recent: s.Recent, purchased: s.Purchased}
	if !recent {
		v.Recent, v.purchased = before.Recent, before.purchased
		v.stale = s.Purchased != before.purchased
	}
	return v
}

// Encoded returns what encode made of this view; it is called once for each view.
func (v *View) Encoded(encode func(*View) []byte) []byte {
	v.encodeOnce.Do(func() { v.encoded = encode(v) })
	return v.encoded
}
