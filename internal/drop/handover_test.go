package drop_test

import (
	"testing"

	"sneakerdrop/internal/drop"
)

// A batch offers units to the entries that it has loaded. Without any other command, the next batch offers the rest.
func TestApply_UnitsThatALineKeepsAreOfferedByTheNextBatch(t *testing.T) {
	spec := plain(0)
	spec.Waitlist, spec.OfferFor, spec.MaxWaiting = true, drop.DefaultOfferFor, drop.DefaultMaxWaiting
	b := newBook(spec)
	b.most = 2
	for user := range drop.UserID(5) {
		if r := b.do(opened, drop.Join{User: user + 1}); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	b.do(opened, drop.Restock{Add: 4})
	for offered := uint32(2); b.drop.HandsOver(); offered += 2 {
		if b.reserved != offered || b.drop.Sizes[0].Stock.Available != 0 {
			t.Fatalf("%d units offered, want %d, and none on sale: %+v", b.reserved, offered, b.drop)
		}
		if _, changes := b.apply(opened, drop.Expire{}); changes == nil {
			t.Fatalf("nobody is offered what the line keeps: %+v", b.drop)
		}
	}
	if s := b.drop.Sizes[0]; b.reserved != 4 || s.Waiting != 1 || s.Pending != 0 {
		t.Errorf("%d units offered, want 4: %+v", b.reserved, s)
	}
	b.do(opened, drop.Pause{})
	b.do(opened, drop.Restock{Add: 1})
	if b.drop.HandsOver() || b.drop.Sizes[0].Pending != 1 {
		t.Errorf("a paused drop offers units: %+v", b.drop)
	}
	if b.do(opened, drop.Resume{}); b.reserved != 5 || b.drop.Waiting() != 0 {
		t.Errorf("after the pause %d units were offered, want 5: %+v", b.reserved, b.drop)
	}
}
