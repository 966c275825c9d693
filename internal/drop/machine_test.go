package drop_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

// These are the refusals of a reserve, in order. Each setup makes the wanted refusal come before any other that
// applies.
func TestReserve_RefusalsAndTheirOrder(t *testing.T) {
	pause := func(b *book) { b.do(opened, drop.Pause{}) }
	start := func(at drop.Time) func(*book) { return func(b *book) { b.drop.StartTime = at } }
	archive := func(b *book) { b.drop.Archived = true }
	none := func(b *book) { b.do(opened, drop.Restock{Add: -1, Size: b.drop.Sizes[0].Label}) }
	used := func(b *book) { b.do(opened, drop.Reserve{User: 1, Size: b.drop.Sizes[0].Label, Hold: time.Hour}) }
	last := func(b *book) { b.reserved = math.MaxUint32 }
	soon := drop.Error{Code: drop.CodeNotStarted, StartsAt: opened + 1500, StartsIn: 1500 * time.Millisecond}
	required := drop.Error{Code: drop.CodeSizeRequired, Field: "size", Rule: "must name one of the drop's sizes"}
	unknown := drop.Error{Code: drop.CodeSizeNotFound, Field: "size", Rule: "must name one of the drop's sizes"}

	for _, test := range []struct {
		name  string
		spec  drop.Spec
		setup []func(*book)
		size  string
		want  drop.Error
	}{
		{"no size", sized(1, "9", "10"), nil, "", required},
		{"no size, of one size", sized(1, "9"), nil, "", required},
		{"another size", sized(1, "9", "10"), nil, "9.0", unknown},
		{"size before archived", sized(1, "9"), []func(*book){archive, start(opened + 1500), pause}, "8", unknown},
		{"no size before not started", sized(1, "9"), []func(*book){start(opened + 1500)}, "", required},
		{"archived before not started", plain(1), []func(*book){archive, start(opened + 1500)}, "", drop.Error{Code: drop.CodeArchived}},
		{"not started", plain(1), []func(*book){start(opened + 1500)}, "", soon},
		{"not started before paused", plain(1), []func(*book){start(opened + 1500), pause}, "", soon},
		{"paused", plain(1), []func(*book){pause}, "", drop.Error{Code: drop.CodePaused}},
		{"paused before out of stock", plain(1), []func(*book){none, pause}, "", drop.Error{Code: drop.CodePaused}},
		{"out of stock", plain(1), []func(*book){none}, "", drop.Error{Code: drop.CodeOutOfStock}},
		{"out of stock in that size", sized(1, "9", "10"), []func(*book){none}, "9", drop.Error{Code: drop.CodeOutOfStock}},
		{"out of stock before the limit", limited(plain(2), 2), []func(*book){used, used}, "", drop.Error{Code: drop.CodeOutOfStock}},
		{"over the limit", limited(plain(5), 2), []func(*book){used, used}, "", drop.Error{Code: drop.CodeLimitReached, Limit: 2, Used: 2}},
		{"the limit counts all sizes", limited(sized(5, "9", "10"), 2), []func(*book){used, used}, "10", drop.Error{Code: drop.CodeLimitReached, Limit: 2, Used: 2}},
		{"the limit before the last number", limited(plain(5), 2), []func(*book){used, used, last}, "", drop.Error{Code: drop.CodeLimitReached, Limit: 2, Used: 2}},
		{"all numbers given", plain(5), []func(*book){last}, "", drop.Error{Code: drop.CodeExhausted}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(test.spec)
			for _, setup := range test.setup {
				setup(b)
			}
			before := b.clone()
			r := b.do(opened, drop.Reserve{User: 1, Size: test.size, Hold: time.Minute})
			if r.Err == nil || *r.Err != test.want {
				t.Errorf("got %+v, want %+v", r, test.want)
			}
			if !reflect.DeepEqual(before, b) {
				t.Error("the refusal changed the drop")
			}
		})
	}
}

func TestReserve_MakesAHold(t *testing.T) {
	b := newBook(plain(5))
	r := b.do(opened+5, drop.Reserve{User: 4, Size: "a note", Hold: 90 * time.Second})
	want := drop.Reservation{
		ID: 7<<32 | 1, UserID: 4, Size: "a note", Status: drop.Active, CreatedAt: opened + 5, ExpiresAt: opened + 90_005,
	}
	if r.Err != nil || r.Reservation != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if s := b.drop.Stock(); s != (drop.Stock{Total: 5, Available: 4, Held: 1}) {
		t.Errorf("stock %+v", s)
	}
}

func TestReserve_StartsAtTheStartTime(t *testing.T) {
	for offset, want := range map[drop.Time]drop.Code{-1: drop.CodeNotStarted, 0: "", 1: ""} {
		b := newBook(plain(5))
		b.drop.StartTime = opened - offset
		if got := codeOf(b.do(opened, drop.Reserve{User: 1, Hold: time.Minute})); got != want {
			t.Errorf("%d ms from the start: %q, want %q", offset, got, want)
		}
	}
}

func codeOf(r drop.Result) drop.Code {
	if r.Err == nil {
		return ""
	}
	return r.Err.Code
}

func TestReserve_AgainUnderLimitOneReturnsTheHold(t *testing.T) {
	for name, then := range map[string]drop.Command{
		"as it was": drop.Expire{}, "paused": drop.Pause{}, "sold out": drop.Restock{Add: -1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(limited(plain(2), 1))
			held := b.reserve(t, opened, 1, "first")
			b.do(opened+1, then)
			before := b.clone()
			if r := b.do(opened+minute-1, drop.Reserve{User: 1, Size: "again", Hold: time.Minute}); r.Err != nil || r.Reservation != held {
				t.Errorf("got %+v, want %+v", r, held)
			}
			if !reflect.DeepEqual(before, b) {
				t.Error("reserving again changed the drop")
			}
		})
	}
	t.Run("but not once it is dead", func(t *testing.T) {
		b := newBook(limited(plain(1), 1))
		b.reserve(t, opened, 1, "")
		if r := b.reserve(t, opened+minute, 1, ""); r.ID != 7<<32|2 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("but not once it is bought", func(t *testing.T) {
		b := newBook(limited(plain(2), 1))
		b.buy(t, opened, b.reserve(t, opened, 1, "").ID)
		r := b.do(opened, drop.Reserve{User: 1, Hold: time.Minute})
		if r.Err == nil || *r.Err != (drop.Error{Code: drop.CodeLimitReached, Limit: 1, Used: 1}) {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("and not under limit two", func(t *testing.T) {
		b := newBook(limited(plain(2), 2))
		if a, b := b.reserve(t, opened, 1, ""), b.reserve(t, opened, 1, ""); a.ID == b.ID {
			t.Error("the same hold twice")
		}
	})
	t.Run("within one batch", func(t *testing.T) {
		b := newBook(limited(plain(2), 1))
		r := drop.Reserve{User: 1, Hold: time.Minute}
		if got, _ := b.apply(opened, r, r); !reflect.DeepEqual(got[0], got[1]) || got[0].Err != nil {
			t.Errorf("got %+v", got)
		}
	})
}

func TestReserve_LimitSetInTheSameBatchHolds(t *testing.T) {
	b := newBook(plain(9))
	held := b.reserve(t, opened, 1, "")
	one, two := 1, 2
	got, _ := b.apply(opened, drop.Edit{LimitPerUser: &two}, drop.Reserve{User: 1, Hold: time.Minute},
		drop.Reserve{User: 1, Hold: time.Minute}, drop.Edit{LimitPerUser: &one}, drop.Reserve{User: 2, Hold: time.Minute},
		drop.Reserve{User: 2, Hold: time.Minute})
	if got[1].Err != nil || got[1].Reservation.ID == held.ID {
		t.Errorf("the second unit of two: %+v", got[1])
	}
	if got[2].Err == nil || *got[2].Err != (drop.Error{Code: drop.CodeLimitReached, Limit: 2, Used: 2}) {
		t.Errorf("the third unit of two: %+v", got[2])
	}
	if got[4].Err != nil || !reflect.DeepEqual(got[5], got[4]) {
		t.Errorf("again under limit 1: %+v, %+v", got[4], got[5])
	}
}

func TestHold_IsDeadAtItsEndToTheMillisecond(t *testing.T) {
	for _, test := range []struct {
		offset    drop.Time
		buy       drop.Code
		cancelled drop.Status
	}{
		{-1, "", drop.Cancelled},
		{0, drop.CodeReservationExpired, drop.Expired},
		{1, drop.CodeReservationExpired, drop.Expired},
	} {
		b := newBook(plain(1))
		held := b.reserve(t, opened, 1, "")
		now := held.ExpiresAt + test.offset
		if r := b.clone().do(now, drop.MakePurchase{Reservation: held.ID}); codeOf(r) != test.buy {
			t.Errorf("%d ms from its end a purchase gives %q, want %q", test.offset, codeOf(r), test.buy)
		}
		if r := b.clone().do(now, drop.Cancel{Reservation: held.ID}); r.Err != nil || r.Reservation.Status != test.cancelled || r.Reservation.EndedAt != now {
			t.Errorf("%d ms from its end a cancel gives %+v, want %s", test.offset, r, test.cancelled)
		}
		again := drop.Code("")
		if test.offset < 0 {
			again = drop.CodeOutOfStock
		}
		if r := b.clone().do(now, drop.Reserve{User: 2, Hold: time.Minute}); codeOf(r) != again {
			t.Errorf("%d ms from its end another reserve gives %q, want %q", test.offset, codeOf(r), again)
		}
		if live := held.LiveAt(now); live != (test.offset < 0) {
			t.Errorf("%d ms from its end LiveAt says %t", test.offset, live)
		}
	}
}

// A store's clock may be behind the drop's last batch. A hold past its end is over even if nothing loaded it as due.
func TestHold_IsDeadThoughNotLoadedAsDue(t *testing.T) {
	b := newBook(limited(plain(2), 1))
	held := b.reserve(t, opened, 1, "")
	s := b.load(drop.NeedOf([]drop.Command{drop.MakePurchase{Reservation: held.ID}, drop.Reserve{User: 1}}), opened)
	got, c := drop.Apply(s, held.ExpiresAt, drop.BatchID{1}, []drop.Command{
		drop.Reserve{User: 1, Hold: time.Minute}, drop.MakePurchase{Reservation: held.ID},
	})
	if got[0].Err != nil || got[0].Reservation.ID == held.ID {
		t.Errorf("reserving again: %+v", got[0])
	}
	if codeOf(got[1]) != drop.CodeReservationExpired {
		t.Errorf("a purchase: %+v", got[1])
	}
	if len(c.Ended) != 1 || c.Ended[0].Status != drop.Expired {
		t.Errorf("ended %+v", c.Ended)
	}
}

func TestMakePurchase(t *testing.T) {
	b := newBook(sized(2, "9", "10"))
	held := b.reserve(t, opened, 4, "10")
	price := b.drop.Price
	b.do(opened, drop.Pause{}) // live reservations can still be purchased
	bought := b.buy(t, opened+3, held.ID)
	want := drop.Purchase{ID: 7<<32 | 1, ReservationID: held.ID, UserID: 4, Size: "10", Price: price, CreatedAt: opened + 3}
	if bought != want {
		t.Errorf("got %+v, want %+v", bought, want)
	}
	if b.drop.Sizes[1].Stock != (drop.Stock{Total: 2, Available: 1, Sold: 1}) {
		t.Errorf("stock %+v", b.drop.Sizes[1].Stock)
	}
	before := b.clone()
	for range 3 { // also long after the end of the hold
		if again := b.buy(t, opened+100*minute, held.ID); again != bought {
			t.Errorf("again %+v, want %+v", again, bought)
		}
	}
	if !reflect.DeepEqual(before, b) {
		t.Error("buying again changed the drop")
	}
}

func TestMakePurchase_Refusals(t *testing.T) {
	b := newBook(plain(9))
	cancelled, expired := b.reserve(t, opened, 1, ""), b.reserve(t, opened, 1, "")
	b.do(opened, drop.Cancel{Reservation: cancelled.ID})
	b.do(opened+minute, drop.Expire{})
	damaged := b.reserve(t, opened+minute, 1, "")
	b.buy(t, opened+minute, damaged.ID)
	delete(b.purchases, damaged.ID)
	for id, want := range map[drop.ReservationID]drop.Code{
		cancelled.ID: drop.CodeReservationCancelled, expired.ID: drop.CodeReservationExpired, damaged.ID: drop.CodeDamaged,
		damaged.ID + 1: drop.CodeReservationNotFound, 0: drop.CodeReservationNotFound, -1: drop.CodeReservationNotFound,
	} {
		if got := codeOf(b.do(opened+minute, drop.MakePurchase{Reservation: id})); got != want {
			t.Errorf("purchase of %d: %q, want %q", id, got, want)
		}
	}
}

func TestMakePurchase_OnceInABatch(t *testing.T) {
	b := newBook(plain(9))
	buy := drop.MakePurchase{Reservation: b.reserve(t, opened, 1, "").ID}
	got, c := b.apply(opened, buy, buy, buy)
	if got[0].Err != nil || !reflect.DeepEqual(got[1], got[0]) || !reflect.DeepEqual(got[2], got[0]) || len(c.Purchases) != 1 {
		t.Errorf("got %+v and %d purchases", got, len(c.Purchases))
	}
}

func TestMakePurchase_RecentNamesTheNewestThree(t *testing.T) {
	b := newBook(plain(9))
	var cmds []drop.Command
	for user := range drop.UserID(4) {
		cmds = append(cmds, drop.MakePurchase{Reservation: b.reserve(t, opened, user+1, "").ID})
	}
	s := b.load(drop.NeedOf(cmds), opened)
	old := []drop.Recent{{ID: 7<<32 | 99, Username: "Zoe"}, {}, {}}
	s.Recent = old
	drop.Apply(s, opened, drop.BatchID{1}, cmds[:1])
	want := []drop.Recent{{ID: 7<<32 | 1, Username: "Ann", CreatedAt: opened}, {ID: 7<<32 | 99, Username: "Zoe"}, {}}
	if !reflect.DeepEqual(s.Recent, want) {
		t.Errorf("got %+v, want %+v", s.Recent, want)
	}
	if old[0].Username != "Zoe" || len(old) != 3 {
		t.Errorf("the slice loaded was written to: %+v", old)
	}
	drop.Apply(s, opened, drop.BatchID{2}, cmds[1:])
	if len(s.Recent) != drop.RecentLimit || s.Recent[0] != (drop.Recent{ID: 7<<32 | 4, Username: drop.UnknownUsername, CreatedAt: opened}) {
		t.Errorf("got %+v", s.Recent)
	}
}

func TestCancel(t *testing.T) {
	b := newBook(sized(1, "9", "10"))
	held := b.reserve(t, opened, 1, "10")
	want := held
	want.Status, want.EndedAt = drop.Cancelled, opened+3
	if r := b.do(opened+3, drop.Cancel{Reservation: held.ID}); r.Err != nil || r.Reservation != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if s := b.drop.Sizes[1].Stock; s != (drop.Stock{Total: 1, Available: 1}) {
		t.Errorf("stock %+v", s)
	}
	before := b.clone()
	if r := b.do(opened+100*minute, drop.Cancel{Reservation: held.ID}); r.Err != nil || r.Reservation != want {
		t.Errorf("again %+v, want %+v", r, want)
	}
	if !reflect.DeepEqual(before, b) {
		t.Error("cancelling again changed the drop")
	}

	expired := b.reserve(t, opened+100*minute, 1, "9")
	if r := b.do(opened+101*minute, drop.Cancel{Reservation: expired.ID}); r.Err != nil || r.Reservation.Status != drop.Expired {
		t.Errorf("of an expired one: %+v", r)
	}
	bought := b.reserve(t, opened+101*minute, 1, "9")
	b.buy(t, opened+101*minute, bought.ID)
	for id, want := range map[drop.ReservationID]drop.Code{
		bought.ID: drop.CodeAlreadyPurchased, bought.ID + 1: drop.CodeReservationNotFound, 0: drop.CodeReservationNotFound,
	} {
		if got := codeOf(b.do(opened+101*minute, drop.Cancel{Reservation: id})); got != want {
			t.Errorf("cancel of %d: %q, want %q", id, got, want)
		}
	}
}

func TestApply_ExpiresNoMoreThanWereLoadedAndLosesNone(t *testing.T) {
	const n = drop.MaxExpirePerBatch + 20
	b := newBook(plain(n))
	for range n {
		b.reserve(t, opened, 1, "")
	}
	now := opened + minute
	last := drop.NewReservationID(7, n)
	r, c := b.apply(now, drop.MakePurchase{Reservation: last})
	if codeOf(r[0]) != drop.CodeReservationExpired || len(c.Ended) != drop.MaxExpirePerBatch+1 {
		t.Errorf("the batch ended %d holds and answered %+v", len(c.Ended), r[0])
	}
	b.apply(now, drop.Expire{})
	if s := b.drop.Stock(); s != (drop.Stock{Total: n, Available: n}) {
		t.Errorf("stock %+v", s)
	}
	if _, c := b.apply(now, drop.Expire{}); c != nil {
		t.Errorf("a third batch still changes %+v", c)
	}
}

func TestApply_UnitComesBackWithinTheBatch(t *testing.T) {
	b := newBook(plain(1))
	held := b.reserve(t, opened, 1, "")
	reserve := drop.Reserve{User: 2, Hold: time.Minute}
	got, c := b.apply(opened+1, reserve, drop.Cancel{Reservation: held.ID}, reserve, reserve)
	for i, want := range []drop.Code{drop.CodeOutOfStock, "", "", drop.CodeOutOfStock} {
		if codeOf(got[i]) != want {
			t.Errorf("command %d: %q, want %q", i, codeOf(got[i]), want)
		}
	}
	// Releases come before takes, so that no entry is negative.
	want := []drop.LedgerEntry{
		{Seq: 3, Batch: drop.BatchID{2}, At: opened + 1, Reason: drop.ReservationCancelled, Units: 1, Available: 1, Version: 3, Numbers: drop.NumbersOf(1)},
		{Seq: 4, Batch: drop.BatchID{2}, At: opened + 1, Reason: drop.Reserved, Units: 1, Available: 0, Version: 3, Numbers: drop.NumbersOf(2)},
	}
	if !reflect.DeepEqual(c.Ledger, want) {
		t.Errorf("got %+v, want %+v", c.Ledger, want)
	}
}

func TestApply_TimeNeverStepsBack(t *testing.T) {
	b := newBook(plain(3))
	b.reserve(t, opened+1000, 1, "")
	if r := b.reserve(t, opened+400, 2, ""); r.CreatedAt != opened+1000 || r.ExpiresAt != opened+1000+minute {
		t.Errorf("got %+v", r)
	}
}

func TestReserve_UnitsBoughtInTheSameBatchCount(t *testing.T) {
	b := newBook(limited(plain(9), 2))
	held := b.reserve(t, opened, 1, "")
	reserve := drop.Reserve{User: 1, Hold: time.Minute}
	got, _ := b.apply(opened, reserve, drop.MakePurchase{Reservation: held.ID}, reserve,
		drop.Cancel{Reservation: held.ID + 1}, reserve, reserve)
	for i, want := range []drop.Code{"", "", drop.CodeLimitReached, "", "", drop.CodeLimitReached} {
		if codeOf(got[i]) != want {
			t.Errorf("command %d: %q, want %q", i, codeOf(got[i]), want)
		}
	}
}

// One hold is loaded three times: as due, by its number and by its user. It ends only once.
func TestApply_RowLoadedThriceIsOne(t *testing.T) {
	b := newBook(limited(plain(9), 1))
	held := b.reserve(t, opened, 1, "")
	cmds := []drop.Command{
		drop.Cancel{Reservation: held.ID}, drop.Cancel{Reservation: held.ID}, drop.Reserve{User: 1, Hold: time.Minute},
	}
	s := b.load(drop.NeedOf(cmds), held.ExpiresAt)
	got, c := drop.Apply(s, held.ExpiresAt-1, drop.BatchID{1}, cmds)
	if len(c.Ended) != 1 || !reflect.DeepEqual(got[1], got[0]) || got[2].Err != nil || got[2].Reservation.ID == held.ID {
		t.Errorf("ended %+v, answered %+v", c.Ended, got)
	}
	if s.Stock() != (drop.Stock{Total: 9, Available: 8, Held: 1}) {
		t.Errorf("stock %+v", s.Stock())
	}
}

func TestMakePurchase_MadeInTheSameBatch(t *testing.T) {
	b := newBook(plain(1))
	cmds := []drop.Command{
		drop.Reserve{User: 9, Hold: time.Minute}, drop.MakePurchase{Reservation: 7<<32 | 1}, drop.Cancel{Reservation: 7<<32 | 1},
	}
	s := b.load(drop.NeedOf(cmds), opened)
	got, c := drop.Apply(s, opened, drop.BatchID{1}, cmds)
	if got[1].Err != nil || codeOf(got[2]) != drop.CodeAlreadyPurchased {
		t.Errorf("answered %+v", got)
	}
	if len(c.Ended) != 0 || len(c.Made) != 1 || c.Made[0].Status != drop.Completed || c.Made[0].EndedAt != opened {
		t.Errorf("made %+v, ended %+v", c.Made, c.Ended)
	}
	if want := []drop.Recent{{ID: 7<<32 | 1, Username: drop.UnknownUsername, CreatedAt: opened}}; !reflect.DeepEqual(s.Recent, want) {
		t.Errorf("recent %+v", s.Recent)
	}
}
