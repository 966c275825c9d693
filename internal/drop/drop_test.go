package drop_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

func TestTime(t *testing.T) {
	for moment, want := range map[drop.Time]string{
		0:       "1970-01-01T00:00:00.000Z",
		1:       "1970-01-01T00:00:00.001Z",
		999:     "1970-01-01T00:00:00.999Z",
		1000:    "1970-01-01T00:00:01.000Z",
		opened:  "2026-03-01T12:00:00.000Z",
		-1:      "1969-12-31T23:59:59.999Z",
		maxTime: "9999-12-31T23:59:59.999Z",
	} {
		if got := moment.String(); got != want {
			t.Errorf("Time(%d): %q, want %q", int64(moment), got, want)
		}
		if got := string(moment.AppendFormat([]byte("at "))); got != "at "+want {
			t.Errorf("AppendFormat: %q", got)
		}
		if back := drop.TimeOf(moment.Time()); back != moment {
			t.Errorf("Time(%d) comes back as %d", int64(moment), int64(back))
		}
	}
	zone := time.FixedZone("", 2*3600)
	if got := drop.TimeOf(time.Date(2026, 3, 1, 14, 0, 0, 999_999, zone)); got != opened {
		t.Errorf("cut to %s, want %s", got, opened)
	}
	if got := opened.Add(1500*time.Microsecond) - opened; got != 1 {
		t.Errorf("1.5 ms add %d", got)
	}
	if got := (opened + 1500).Sub(opened); got != 1500*time.Millisecond {
		t.Errorf("Sub: %s", got)
	}
}

const maxTime drop.Time = 253_402_300_799_999

func TestIDs(t *testing.T) {
	if id := drop.NewReservationID(drop.MaxID, math.MaxUint32); id != drop.MaxSafeInteger {
		t.Errorf("the largest reservation is %d, want 2^53 − 1", id)
	}
	if id := drop.NewPurchaseID(drop.MaxID, math.MaxUint32); id != drop.MaxSafeInteger {
		t.Errorf("the largest purchase is %d, want 2^53 − 1", id)
	}
	rapid.Check(t, func(t *rapid.T) {
		d := drop.ID(rapid.Int64Range(1, int64(drop.MaxID)).Draw(t, "drop"))
		n := rapid.Uint32().Draw(t, "n")
		id := drop.NewReservationID(d, n)
		if id.Drop() != d || uint32(id) != n || id <= 0 || id > drop.MaxSafeInteger {
			t.Fatalf("%d of drop %d is %d, of drop %d", n, d, id, id.Drop())
		}
	})
	if d := drop.ReservationID(-1).Drop(); d > 0 {
		t.Errorf("−1 is of drop %d", d)
	}
}

func TestStock_Balanced(t *testing.T) {
	for stock, want := range map[drop.Stock]bool{
		{}: true, {Total: 6, Available: 1, Held: 2, Sold: 3}: true, {Total: 7, Available: 1, Held: 2, Sold: 3}: false,
		{Available: -1, Held: 1}: false, {Held: -1, Sold: 1}: false, {Sold: -1, Available: 1}: false,
	} {
		if stock.Balanced() != want {
			t.Errorf("%+v: balanced %t", stock, !want)
		}
	}
}

func TestStock_Post(t *testing.T) {
	start := drop.Stock{Total: 30, Available: 10, Held: 10, Sold: 10}
	for reason, want := range map[drop.Reason]drop.Stock{
		drop.Created:              {Total: 32, Available: 12, Held: 10, Sold: 10},
		drop.Restocked:            {Total: 32, Available: 12, Held: 10, Sold: 10},
		drop.Reserved:             {Total: 30, Available: 8, Held: 12, Sold: 10},
		drop.ReservationExpired:   {Total: 30, Available: 12, Held: 8, Sold: 10},
		drop.ReservationCancelled: {Total: 30, Available: 12, Held: 8, Sold: 10},
		drop.Purchased:            {Total: 30, Available: 10, Held: 8, Sold: 12},
	} {
		s := start
		if err := s.Post(reason, 2); err != nil || s != want {
			t.Errorf("%s: %+v, %v; want %+v", reason, s, err, want)
		}
	}
	s := start
	if err := s.Post("stolen", 2); err == nil || s != start {
		t.Errorf("an unknown reason: %+v, %v", s, err)
	}
}

// These words are stored, or sent to clients.
func TestStableWords(t *testing.T) {
	for status, want := range map[drop.Status]string{
		1: "active", 2: "completed", 3: "expired", 4: "cancelled", 0: "Status(0)",
	} {
		if status.String() != want {
			t.Errorf("status %d: %q, want %q", int8(status), status, want)
		}
	}
	for reason, want := range map[drop.Reason]string{
		drop.Created: "created", drop.Restocked: "restocked", drop.Reserved: "reserved", drop.Purchased: "purchased",
		drop.ReservationExpired: "reservation_expired", drop.ReservationCancelled: "reservation_cancelled",
	} {
		if string(reason) != want {
			t.Errorf("reason %q, want %q", reason, want)
		}
	}
}

func TestError(t *testing.T) {
	err := fmt.Errorf("reserve: %w", &drop.Error{Code: drop.CodeLimitReached, Limit: 2, Used: 2})
	if !errors.Is(err, drop.Refuse(drop.CodeLimitReached)) || errors.Is(err, drop.Refuse(drop.CodePaused)) {
		t.Error("errors.Is does not compare codes")
	}
	if drop.CodeOf(err) != drop.CodeLimitReached || drop.CodeOf(errors.New("x")) != "" || drop.CodeOf(nil) != "" {
		t.Error("CodeOf")
	}
	if got := drop.Invalid("name", "must not be empty").Error(); got != "invalid: name must not be empty" {
		t.Errorf("got %q", got)
	}
	if got := drop.Refuse(drop.CodePaused).Error(); got != "paused" {
		t.Errorf("got %q", got)
	}
}

func TestDrop_Sums(t *testing.T) {
	d := drop.Drop{Sizes: []drop.Size{
		{Label: "9", Stock: drop.Stock{Total: 6, Available: 1, Held: 2, Sold: 3}},
		{Label: "8", Stock: drop.Stock{Total: 60, Available: 10, Held: 20, Sold: 30}},
	}}
	if got := d.Stock(); got != (drop.Stock{Total: 66, Available: 11, Held: 22, Sold: 33}) {
		t.Errorf("got %+v", got)
	}
	for want, sizes := range map[bool][]drop.Size{true: d.Sizes[:1], false: {{}}} {
		if d := (drop.Drop{Sizes: sizes}); d.Sized() != want {
			t.Errorf("%+v: sized %t", sizes, !want)
		}
	}
}
