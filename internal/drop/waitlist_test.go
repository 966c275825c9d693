package drop_test

import (
	"reflect"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

// waited is a drop with a waitlist whose one unit is held for a minute.
func waited(t *testing.T) (*book, drop.Reservation) {
	t.Helper()
	spec := plain(1)
	spec.Waitlist = true
	b := newBook(spec)
	return b, b.reserve(t, opened, 1, "")
}

func (b *book) join(t *testing.T, now drop.Time, user drop.UserID) drop.Entry {
	t.Helper()
	r := b.do(now, drop.Join{User: user})
	if r.Err != nil || r.Entry == nil {
		t.Fatalf("join: %+v", r)
	}
	return *r.Entry
}

// The ledger tells the whole story of a unit that goes from hand to hand, and it never counts as available in between.
func TestWaitlist_InTheLedger(t *testing.T) {
	b, held := waited(t)
	for user := drop.UserID(2); user <= 4; user++ {
		b.join(t, opened+1, user)
	}
	began := len(b.ledger)
	b.do(opened+2, drop.Cancel{Reservation: held.ID})
	second := drop.NewReservationID(7, 2)
	b.do(opened+3, drop.Cancel{Reservation: second})
	b.do(opened+3+600_000, drop.Expire{})
	b.buy(t, opened+3+600_001, drop.NewReservationID(7, 4))
	type line struct {
		reason    drop.Reason
		units     int64
		available int64
		number    uint32
	}
	var got []line
	for _, e := range b.ledger[began:] {
		for n := range e.Numbers.All() {
			got = append(got, line{e.Reason, e.Units, e.Available, n})
		}
	}
	want := []line{
		{drop.ReservationCancelled, 1, 1, 1},
		{drop.WaitlistOffered, 1, 0, 2},
		{drop.OfferDeclined, 1, 1, 2},
		{drop.WaitlistOffered, 1, 0, 3},
		{drop.OfferExpired, 1, 1, 3},
		{drop.WaitlistOffered, 1, 0, 4},
		{drop.Purchased, 1, 0, 1},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the ledger has\n%+v, want\n%+v", got, want)
	}
}

// What comes free in a pause is kept for the line, and offered when the pause ends.
func TestWaitlist_InAPause(t *testing.T) {
	b, held := waited(t)
	b.join(t, opened+1, 2)
	b.do(opened+2, drop.Pause{})
	b.do(opened+3, drop.Cancel{Reservation: held.ID})
	if s := b.drop.Sizes[0]; s.Pending != 1 || s.Stock != (drop.Stock{Total: 1, Held: 1}) || b.drop.HandsOver() {
		t.Errorf("in the pause: %+v", s)
	}
	if r := b.do(opened+4, drop.Restock{Add: -1}); r.Err == nil {
		t.Errorf("the unit was removed: %+v", r)
	}
	b.do(opened+5, drop.Resume{})
	if r := b.reservations[drop.NewReservationID(7, 2)]; !r.Offer || r.UserID != 2 || r.ExpiresAt != opened+5+600_000 {
		t.Errorf("after the pause: %+v in %+v", r, b.drop.Sizes[0])
	}
}

// A batch that leaves units for the next one says that there is more to do.
func TestWaitlist_UnitsLeftAreForTheNextBatch(t *testing.T) {
	b, _ := waited(t)
	b.most = 1
	b.join(t, opened+1, 2)
	b.join(t, opened+1, 3)
	if b.drop.HandsOver() {
		t.Errorf("there is nothing to offer: %+v", b.drop)
	}
	b.do(opened+2, drop.Restock{Add: 2})
	if !b.drop.HandsOver() || b.drop.Sizes[0].Pending != 1 {
		t.Errorf("the batch left %+v", b.drop.Sizes[0])
	}
	if b.do(opened+3, drop.Expire{}); b.drop.HandsOver() || b.drop.Sizes[0].Pending != 0 || b.drop.Sizes[0].Waiting != 0 {
		t.Errorf("the next batch left %+v", b.drop.Sizes[0])
	}
}

func TestWaitlist_Refusals(t *testing.T) {
	b, _ := waited(t)
	e := b.join(t, opened, 2)
	if again := b.join(t, opened+5, 2); again != e {
		t.Errorf("joined again: %+v", again)
	}
	b.drop.MaxWaiting = 2
	b.join(t, opened, 3)
	early := newBook(plain(1))
	early.drop.Waitlist, early.drop.StartTime = true, opened+minute
	archived, _ := waited(t)
	archived.drop.Archived = true
	for name, c := range map[string]struct {
		book *book
		cmd  drop.Command
		want drop.Error
	}{
		"others wait":          {b, drop.Reserve{User: 9, Hold: time.Minute}, drop.Error{Code: drop.CodeWaitlist, Waiting: 2}},
		"it is full":           {b, drop.Join{User: 9}, drop.Error{Code: drop.CodeWaitlistFull, Waiting: 2}},
		"there is none":        {newBook(plain(1)), drop.Join{User: 9}, drop.Error{Code: drop.CodeNoWaitlist}},
		"it has not started":   {early, drop.Join{User: 9}, drop.Error{Code: drop.CodeNotStarted, StartsAt: opened + minute, StartsIn: time.Minute}},
		"it is archived":       {archived, drop.Join{User: 9}, drop.Error{Code: drop.CodeArchived}},
		"another's entry":      {b, drop.Leave{Entry: e.ID, Owner: 3}, drop.Error{Code: drop.CodeEntryNotFound}},
		"no such entry":        {b, drop.Leave{Entry: e.ID + 50}, drop.Error{Code: drop.CodeEntryNotFound}},
		"another drop's entry": {b, drop.Leave{Entry: drop.NewEntryID(8, 1)}, drop.Error{Code: drop.CodeEntryNotFound}},
	} {
		if r := c.book.do(opened, c.cmd); r.Err == nil || *r.Err != c.want {
			t.Errorf("%s: %+v", name, r.Err)
		}
	}
	b.drop.MaxWaiting = 0 // of a drop from elsewhere
	b.join(t, opened, 9)
}

// Late money takes no unit from those who wait.
func TestWaitlist_LateMoneyWaitsItsTurn(t *testing.T) {
	b, held := waited(t)
	b.do(opened, drop.StartPayment{Reservation: held.ID, Payment: 1, Within: time.Millisecond, Hold: time.Minute})
	b.join(t, opened, 2)
	b.join(t, opened, 3)
	r := b.do(opened+2*minute, drop.ClaimUnit{Reservation: held.ID, User: 1, Payment: 1, Within: time.Hour})
	if r.Err == nil || r.Err.Code != drop.CodeOutOfStock {
		t.Errorf("%+v", r)
	}
}
