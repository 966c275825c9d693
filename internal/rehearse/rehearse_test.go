package rehearse

import (
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

func at(s float64) time.Time { return time.UnixMilli(1_800_000_000_000 + int64(s*1000)) }

func TestSellOut_IsUntilNothingWasLeftInAnySize(t *testing.T) {
	nine, ten := "9", "10"
	entries := []entry{
		{At: at(0), Reason: drop.Created, Size: &nine, Units: 1, Available: 1},
		{At: at(0), Reason: drop.Created, Size: &ten, Units: 1, Available: 1},
		{At: at(10), Reason: drop.Reserved, Size: &nine, Units: 1, Available: 0},
		{At: at(10.25), Reason: drop.Reserved, Size: &ten, Units: 1, Available: 0},
		{At: at(70), Reason: drop.ReservationExpired, Size: &ten, Units: 1, Available: 1},
	}
	if got := sellOut(entries); got != 250 {
		t.Errorf("sold out after %d ms, want 250", got)
	}
	if got := sellOut(entries[:3]); got != 0 {
		t.Errorf("sold out after %d ms with one left", got)
	}
}

func TestReturns_CompareHoldsWithTheLedger(t *testing.T) {
	p := &play{client: &client{Config: &Config{MaxHold: time.Minute}}}
	unpaid := []hold{{ends: at(10), length: time.Second}, {ends: at(11), length: time.Second}, {ends: at(12), length: time.Second}}
	entries := []entry{{At: at(10.02), Reason: drop.ReservationExpired, Units: 1}, {At: at(12.06), Reason: drop.ReservationExpired, Units: 2}}
	r := &Result{}
	if got := p.returns(r, entries, unpaid); got.Count != 3 || got.P50 < 59 || got.P50 > 61 || got.Max < 1059 || got.Max > 1061 || len(r.Faults) > 0 {
		t.Errorf("%+v, faults %q", got, r.Faults)
	}
	if p.returns(r, entries[:1], unpaid); len(r.Faults) != 1 {
		t.Errorf("two holds that never came back: faults %q", r.Faults)
	}
}

// Where buyers pay, the result says what was not rehearsed.
func TestResult_SaysThatPaymentsAreNotPlayed(t *testing.T) {
	for _, pays := range []bool{true, false} {
		var text strings.Builder
		if _, err := (&Result{Payments: pays}).WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String(), "payments    not played") != pays {
			t.Errorf("payments %t:\n%s", pays, text.String())
		}
	}
}

// Each kind of problem is detected.
func TestJudge_SeesWhatIsWrong(t *testing.T) {
	good := func() (*Result, *notes, map[drop.PurchaseID]drop.ReservationID) {
		n := &notes{}
		n.bought(1, 11)
		return &Result{Units: 2, Sold: 1}, n, map[drop.PurchaseID]drop.ReservationID{11: 1}
	}
	for name, spoil := range map[string]func(*Result, *notes, map[drop.PurchaseID]drop.ReservationID){
		"":                        func(*Result, *notes, map[drop.PurchaseID]drop.ReservationID) {},
		"lost purchase":           func(_ *Result, n *notes, _ map[drop.PurchaseID]drop.ReservationID) { n.bought(2, 12) },
		"another's purchase":      func(_ *Result, _ *notes, p map[drop.PurchaseID]drop.ReservationID) { p[11] = 2 },
		"sold twice":              func(r *Result, _ *notes, p map[drop.PurchaseID]drop.ReservationID) { p[12] = 1; r.Sold = 2 },
		"sold more than there is": func(r *Result, _ *notes, _ map[drop.PurchaseID]drop.ReservationID) { r.Units = 0 },
		"counters":                func(r *Result, _ *notes, _ map[drop.PurchaseID]drop.ReservationID) { r.Sold = 2 },
		"no answer":               func(_ *Result, n *notes, _ map[drop.PurchaseID]drop.ReservationID) { n.errors = 1 },
		"a fault of the server": func(_ *Result, n *notes, _ map[drop.PurchaseID]drop.ReservationID) {
			n.note(answer{status: 500, code: "internal"})
		},
		"could not pay": func(_ *Result, n *notes, _ map[drop.PurchaseID]drop.ReservationID) {
			n.couldNotPay("reservation_expired")
		},
		"watchers": func(_ *Result, n *notes, _ map[drop.PurchaseID]drop.ReservationID) { n.lostWatcher() },
		"slow":     func(r *Result, _ *notes, _ map[drop.PurchaseID]drop.ReservationID) { r.Reserve.P99 = 1001 },
		"late":     func(r *Result, _ *notes, _ map[drop.PurchaseID]drop.ReservationID) { r.Return.P99 = 1001 },
	} {
		r, n, purchases := good()
		spoil(r, n, purchases)
		if r.judge(n, time.Second, purchases, 0); (len(r.Faults) == 0) != (name == "") {
			t.Errorf("%q: faults %q", name, r.Faults)
		}
	}
	r, n, purchases := good()
	purchases[12] = 3
	if r.judge(n, time.Second, purchases, 1); len(r.Faults) > 0 {
		t.Errorf("one of two units came back: faults %q", r.Faults)
	}
	if r.judge(n, time.Second, purchases, 2); len(r.Faults) != 1 {
		t.Errorf("two of two units came back and one counts as sold: faults %q", r.Faults)
	}
	n = &notes{}
	if !n.took(hold{id: 1}) || n.took(hold{id: 1, buyer: 2}) {
		t.Error("a reservation that two buyers were given is not seen")
	}
}
