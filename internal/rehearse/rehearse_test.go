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
	if got := sellOut(entries, time.Time{}); got != 250 {
		t.Errorf("sold out after %d ms, want 250", got)
	}
	if got := sellOut(entries[:3], time.Time{}); got != 0 {
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

// Where buyers pay, or a draw decides who may buy, the result says what was not rehearsed.
func TestResult_SaysWhatIsNotPlayed(t *testing.T) {
	for _, played := range []Result{{}, {Payments: true}, {Draw: true}, {Payments: true, Draw: true}} {
		var text strings.Builder
		if _, err := played.WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		payments, draw := strings.Contains(text.String(), "payments    not played"), strings.Contains(text.String(), "draw        not played")
		if payments != played.Payments || draw != played.Draw {
			t.Errorf("payments %t, draw %t:\n%s", played.Payments, played.Draw, text.String())
		}
	}
}

// What early access takes before the start does not begin the sell-out.
func TestSellOut_BeginsAtTheStart(t *testing.T) {
	entries := []entry{
		{At: at(0), Reason: drop.Created, Units: 2, Available: 2},
		{At: at(1), Reason: drop.AccessKept, Units: 1, Available: 1},
		{At: at(2), Reason: drop.Reserved, Units: 1, Available: 1},
		{At: at(10.25), Reason: drop.Reserved, Units: 1, Available: 0},
	}
	if got := sellOut(entries, at(10)); got != 250 {
		t.Errorf("sold out after %d ms, want 250", got)
	}
}

// Each kind of problem with early access is detected.
func TestJudgeEarly_SeesWhatIsWrong(t *testing.T) {
	type records struct {
		notes     *notes
		all       []access
		purchases map[drop.PurchaseID]drop.ReservationID
	}
	good := func() *records {
		n := &notes{}
		for range 3 {
			n.note(answer{status: 409, code: "code_invalid"})
		}
		first, second := &code{text: "A", uses: 1}, &code{text: "B", uses: 2}
		n.tookBy(first, 1)
		n.tookBy(first, 2) // after the first hold had ended
		n.tookBy(second, 3)
		n.tookBy(second, 4)
		return &records{n, []access{
			{Access: 1, Uses: 1, Passes: 2, Used: 1, Units: 2},
			{Access: 2, Uses: 2, Passes: 1, Used: 2, Units: 2, Sizes: []string{"9"}},
			{Access: 3, Uses: 1, Passes: 5, Used: 1},
		}, map[drop.PurchaseID]drop.ReservationID{11: 2, 12: 3, 13: 4, 14: 9}}
	}
	for name, spoil := range map[string]func(*records){
		"":                       func(*records) {},
		"one code, two units":    func(r *records) { r.purchases[15] = 1 },
		"more uses than codes":   func(r *records) { r.all[2].Used = 6 },
		"uses not counted":       func(r *records) { r.all[0].Used, r.all[2].Used = 0, 0 },
		"still kept":             func(r *records) { r.all[0].Kept = 1 },
		"more sold than is kept": func(r *records) { r.all[0].Units, r.all[1].Units = 1, 1; r.all[0].Passes, r.all[0].Used = 9, 9 },
	} {
		given := good()
		spoil(given)
		r := &Result{}
		r.judgeEarly(given.notes, given.all, given.purchases, 3)
		if (len(r.Faults) == 0) != (name == "") {
			t.Errorf("%q: faults %q", name, r.Faults)
		}
		if want := (EarlyAccess{Codes: 8, Used: 4, Refused: 3, Kept: 8, Sold: 3, Returned: 5}); name == "" && *r.Early != want {
			t.Errorf("%+v, want %+v", *r.Early, want)
		}
	}
}

// Members have codes, each as often as it can be used. Two others try a code that is not theirs.
func TestShows_GivesEachCodeToAsManyAsCanUseIt(t *testing.T) {
	p := &play{codes: []code{{text: "A"}, {text: "A"}, {text: "B"}}}
	got := make(map[string]int)
	for number := range int64(100) {
		if with := p.shows(number); with != nil {
			got[with.text]++
		}
	}
	if got["A"] != 2+intruders || got["B"] != 1 {
		t.Errorf("%v", got)
	}
	if (&play{}).shows(0) != nil || (&play{}).shows(1) != nil {
		t.Error("a code without early access")
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

// Each kind of problem with the waitlist is detected.
func TestJudgeLine_SeesWhatIsWrong(t *testing.T) {
	type records struct {
		notes     *notes
		all       []waited
		ledger    []entry
		purchases map[drop.PurchaseID]drop.ReservationID
	}
	size := "9"
	good := func() *records {
		n := &notes{}
		for id := range drop.EntryID(4) {
			n.joined(id + 1)
		}
		n.offered(1, hold{id: 11})
		return &records{n, []waited{
			{ID: 1, Size: size, Status: "offered", CreatedAt: at(1), EndedAt: at(5), ReservationID: 11},
			{ID: 2, Size: size, Status: "left", CreatedAt: at(1), EndedAt: at(3)},
			{ID: 3, Size: size, Status: "offered", CreatedAt: at(2), EndedAt: at(6), ReservationID: 12},
			{ID: 4, Size: size, Status: "offered", CreatedAt: at(2), EndedAt: at(6), ReservationID: 13},
			{ID: 5, Size: size, Status: "waiting", CreatedAt: at(2)},
			{ID: 6, Size: "10", Status: "skipped", CreatedAt: at(2), EndedAt: at(7)},
		}, []entry{
			{At: at(1), Reason: drop.Reserved, Size: &size, Units: 1},
			{At: at(9), Reason: drop.Reserved, Size: new("10"), Units: 1},
			{At: at(7), Reason: drop.OfferDeclined, Size: &size, Units: 1},
			{At: at(8), Reason: drop.OfferExpired, Size: &size, Units: 1},
		}, map[drop.PurchaseID]drop.ReservationID{21: 11, 22: 19}}
	}
	for name, spoil := range map[string]func(*records){
		"":                            func(*records) {},
		"lost entry":                  func(r *records) { r.notes.joined(7) },
		"another's offer":             func(r *records) { r.notes.offered(3, hold{id: 13}) },
		"an offer without an end":     func(r *records) { delete(r.purchases, 21) },
		"one that ended twice":        func(r *records) { r.ledger[2].Units = 2 },
		"one that came first waits":   func(r *records) { r.all[1].Status, r.all[1].EndedAt = "waiting", time.Time{} },
		"served after a later one":    func(r *records) { r.all[2].EndedAt = at(6.001) },
		"reserved while others wait":  func(r *records) { r.ledger[0].At = at(2) },
		"reserved just after one was": func(r *records) { r.ledger[1].At = at(6.999) },
	} {
		given := good()
		spoil(given)
		r := &Result{}
		r.judgeLine(&given.notes.line, given.all, given.ledger, given.purchases)
		if (len(r.Faults) == 0) != (name == "") {
			t.Errorf("%q: faults %q", name, r.Faults)
		}
		if want := (Waitlist{Joined: 6, Left: 1, Skipped: 1, Offered: 3, Bought: 1, Declined: 1, Expired: 1}); name == "" && *r.Waitlist != want {
			t.Errorf("%+v, want %+v", *r.Waitlist, want)
		}
	}
	n := &notes{}
	n.took(hold{id: 1})
	if _, first := n.offered(1, hold{id: 1}); first {
		t.Error("a reservation that was offered to a second buyer is not seen")
	}
}

// Nobody misses an offer by asking too rarely, and a long line asks rarely.
func TestPatience_IsShorterThanAnOffer(t *testing.T) {
	for _, c := range []struct {
		offerFor        int
		position        int64
		shortest, limit time.Duration
	}{
		{offerFor: 600, position: front, shortest: frontAsks, limit: frontAsks + frontMay},
		{offerFor: 600, position: front + 1, shortest: asks, limit: asks + may},
		{offerFor: 12, position: 1, shortest: 4 * time.Second, limit: 4 * time.Second},
	} {
		b := newBuyer(&play{client: &client{Config: &Config{Seed: 1}}, original: figure{OfferFor: c.offerFor}}, 1)
		for range 100 {
			if got := b.patience(c.position); got < c.shortest || got > c.limit {
				t.Errorf("offers of %d s, position %d: asks after %s", c.offerFor, c.position, got)
			}
		}
	}
}
