package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/importer"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// steps replays what the original does for several calls at once, one database call after another.
type steps struct {
	*origin

	t *testing.T
}

func (s steps) reserves(user any) int {
	s.t.Helper()
	id, err := s.reserve(s.t.Context(), 1, user, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s steps) checks(reservation int) {
	s.t.Helper()
	if err := s.check(s.t.Context(), reservation); err != nil {
		s.t.Fatal(err)
	}
}

func (s steps) records(reservation int) int {
	s.t.Helper()
	time.Sleep(2 * time.Millisecond) // times have milliseconds
	id, err := s.record(s.t.Context(), reservation)
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func (s steps) marks(reservation int) {
	s.t.Helper()
	time.Sleep(2 * time.Millisecond)
	if err := s.mark(s.t.Context(), reservation); err != nil {
		s.t.Fatal(err)
	}
}

// buys lets the given number of clicks pass the check before the first of them finishes. It returns their purchases.
func (s steps) buys(reservation, clicks int) (purchases []int) {
	s.t.Helper()
	for range clicks {
		s.checks(reservation)
	}
	for range clicks {
		purchases = append(purchases, s.records(reservation))
	}
	for range clicks {
		s.marks(reservation)
	}
	return purchases
}

// imported is the result of an import.
type imported struct {
	books

	report *importer.Report
	shown  string
}

// times returns the times of purchases in the source, by their numbers.
func (s steps) times() map[int]drop.Time {
	s.t.Helper()
	rows, err := s.pool.Query(s.t.Context(), `SELECT id, floor(extract(epoch FROM "createdAt") * 1000)::bigint FROM "Purchases"`)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	all := make(map[int]drop.Time)
	for rows.Next() {
		var id int
		var at drop.Time
		if err := rows.Scan(&id, &at); err != nil {
			s.t.Fatal(err)
		}
		all[id] = at
	}
	if rows.Err() != nil {
		s.t.Fatal(rows.Err())
	}
	return all
}

// imports checks that exactly those purchases are kept, each at its own time, and that the audit finds nothing.
func (s steps) imports(kept ...int) imported {
	s.t.Helper()
	to := memory.New(stores.Now)
	report, err := importer.Run(s.t.Context(), s.url, to, usd)
	if err != nil {
		s.t.Fatal(err)
	}
	checkClean(s.t, to)
	got := imported{readBooks(s.t, to), report, show(report)}
	at := s.times()
	var want, have []drop.Time
	for _, id := range kept {
		want = append(want, at[id])
	}
	for _, p := range got.Purchases {
		have = append(have, p.CreatedAt)
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(have, want) {
		s.t.Errorf("purchases at %v, want those of %v at %v\n%s", have, kept, want, got.shown)
	}
	return got
}

func (got *imported) reports(t *testing.T, lines ...string) {
	t.Helper()
	for _, want := range lines {
		if !strings.Contains(got.shown, want) {
			t.Errorf("the report does not say %q:\n%s", want, got.shown)
		}
	}
	total := 0
	for repair, f := range got.report.Repairs {
		if repair != importer.StockWrong && repair != importer.NoUser {
			total += f.Count
		}
	}
	if total != len(lines) {
		t.Errorf("the report says more than %q:\n%s", lines, got.shown)
	}
}

func newSteps(t *testing.T) steps {
	t.Helper()
	return steps{newOrigin(t, tables, shop), t}
}

// A buyer clicks twice and both purchases go through. Later the same buyer reserves and buys another unit. The
// duplicate belongs to the first reservation.
func TestRun_DoubleOfAnEarlierReservationTakesNoLaterOne(t *testing.T) {
	s := newSteps(t)
	first := s.buys(s.reserves(1), 2)
	second := s.buys(s.reserves(1), 1)
	got := s.imports(first[1], second[0])
	got.reports(t, fmt.Sprintf("1 × %s: %d\n", importer.SoldTwice, first[0]))
	for i, r := range got.Reservations {
		if r.Status != drop.Completed || r.EndedAt != got.Purchases[i].CreatedAt || got.Purchases[i].ReservationID != r.ID {
			t.Errorf("reservation %+v, purchase %+v", r, got.Purchases[i])
		}
	}
}

// The reverse order, several duplicates, and two reservations that are alive at once.
func TestRun_DoublesAreOfTheReservationThatTheyPaid(t *testing.T) {
	s := newSteps(t)
	early, late := s.reserves(1), s.reserves(1)
	second := s.buys(late, 3)
	first := s.buys(early, 2)
	got := s.imports(second[2], first[1])
	got.reports(t, fmt.Sprintf("3 × %s: %d, %d, %d\n", importer.SoldTwice, second[0], second[1], first[0]), "", "")
}

// The original accepts buyers that it never stored, and stores them as nobody. A duplicate must not take another
// buyer's live hold.
func TestRun_DoubleTakesNoLiveHold(t *testing.T) {
	for name, user := range map[string]any{"of a buyer that was never stored": nil, "of the same buyer": 1} {
		t.Run(name, func(t *testing.T) {
			s := newSteps(t)
			held := s.reserves(user)
			bought := s.buys(s.reserves(user), 2)
			got := s.imports(bought[1])
			got.reports(t, fmt.Sprintf("1 × %s: %d\n", importer.SoldTwice, bought[0]))
			if r := got.Reservations[0]; r.Status != drop.Active || got.State[0].Stock().Held != 1 {
				t.Errorf("the hold %d became %+v", held, r)
			}
		})
	}
}

func TestRun_BuyerThatWasNeverStoredIsUnknown(t *testing.T) {
	s := newSteps(t)
	bought := s.buys(s.reserves(nil), 1)
	got := s.imports(bought[0])
	got.reports(t)
	if strings.Contains(strings.ToLower(got.shown), "deleted user") || !strings.Contains(got.shown, "2 × "+string(importer.NoUser)+": reservation 1, purchase 1") {
		t.Errorf("the report is\n%s", got.shown)
	}
	to := memory.New(stores.Now)
	if _, err := importer.Run(t.Context(), s.url, to, usd); err != nil {
		t.Fatal(err)
	}
	if u, err := to.User(t.Context(), got.Purchases[0].UserID); err != nil || u.Username != drop.UnknownUsername || u.ID != drop.FirstAllocatedUser {
		t.Errorf("%+v, %v", u, err)
	}
	sales, err := to.Purchases(t.Context(), 1, 0, 10)
	if err != nil || len(sales) != 1 || sales[0].Username != drop.UnknownUsername {
		t.Errorf("%+v, %v", sales, err)
	}
}

// The server died between the purchase and the mark, so the buyer has paid. A purchase by nobody must not take what
// may belong to another.
func TestRun_PurchaseThatWasNeverMarked(t *testing.T) {
	s := newSteps(t)
	r := s.reserves(1)
	s.checks(r)
	p := s.records(r)
	got := s.imports(p)
	got.reports(t, fmt.Sprintf("1 × %s: %d\n", importer.NeverMarked, p))

	s = newSteps(t)
	r = s.reserves(nil)
	s.checks(r)
	p = s.records(r)
	got = s.imports(p)
	got.reports(t, fmt.Sprintf("1 × %s: %d", importer.NoReservation, p))
	if got.Reservations[0].Status != drop.Active {
		t.Errorf("the hold became %+v", got.Reservations[0])
	}
}

// The job expires a reservation while it is being purchased, and the purchase marks it last.
func TestRun_PurchaseThatTheJobOvertook(t *testing.T) {
	for name, user := range map[string]any{"of a buyer that was never stored": nil, "of a user": 1} {
		t.Run(name, func(t *testing.T) {
			s := newSteps(t)
			bought := s.buys(s.reserves(user), 1)
			r, err := s.reserve(t.Context(), 1, user, 60*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			s.checks(r)
			p := s.records(r)
			for s.number(t, `SELECT count(*) FROM "Reservations" WHERE status = 'expired'`) == 0 {
				time.Sleep(5 * time.Millisecond)
				if err := s.expire(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			got := s.imports(bought[0], p)
			got.reports(t, fmt.Sprintf("1 × %s: %d\n", importer.LatePurchase, p))
		})
	}
}

// A purchase without a reservation comes long after another. If it has a user it is listed, but no second pair is
// promised. Without a user it may belong to somebody else.
func TestRun_PurchaseWithoutReservationLongAfterAnother(t *testing.T) {
	s := newSteps(t)
	s.exec(t, reservation(1, 1, "completed", 0)+purchase(1, 1, 30)+purchase(2, 1, 3000)+stock(4))
	got := s.imports(1)
	got.reports(t, "1 × "+string(importer.SoldTwice)+": 2\n")
	s.exec(t, `UPDATE "Reservations" SET "userId" = NULL; UPDATE "Purchases" SET "userId" = NULL`)
	got = s.imports(1, 2)
	got.reports(t, "1 × "+string(importer.NoReservation)+": 2\n")
}

// Purchases at the same moment, and a clock that was behind when the purchase was written.
func TestRun_TimesThatAreEqualOrOutOfOrder(t *testing.T) {
	s := newSteps(t)
	s.exec(t, reservation(1, 1, "completed", 0)+purchase(1, 1, 30)+purchase(2, 1, 30)+
		reservation(2, 2, "completed", 0)+purchase(3, 2, -2)+stock(3))
	got := s.imports(1, 3)
	got.reports(t, "1 × "+string(importer.SoldTwice)+": 2\n", "1 × "+string(importer.MadeLate)+": 2")
}

// Drops that sold more units than they had keep their live holds.
func TestRun_OversoldDropKeepsItsLiveHolds(t *testing.T) {
	s := newSteps(t)
	bought := s.buys(s.reserves(1), 2)
	s.reserves(2)
	s.reserves(nil)
	s.exec(t, `UPDATE "Drops" SET total_stock = 1, available_stock = 0`)
	got := s.imports(bought[1])
	got.reports(t, fmt.Sprintf("1 × %s: %d\n", importer.SoldTwice, bought[0]), "1 × "+string(importer.Oversold)+": 1 (by 2, from 1 to 3)")
	if n := got.State[0].Stock(); n != (drop.Stock{Total: 3, Held: 2, Sold: 1}) {
		t.Errorf("stock %+v", n)
	}
}
