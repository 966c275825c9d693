package drawing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/testing/stores"
)

func TestDraw_GoesFromEntriesToOffers(t *testing.T) {
	for name, c := range map[string]struct {
		units   []int64
		entries int
		sizes   func(int) []string
	}{
		"one size":             {[]int64{5}, 40, noSize},
		"ranked sizes":         {[]int64{5, 3, 0}, 40, ranked},
		"more units":           {[]int64{50, 20, 30}, 40, ranked},
		"nobody came":          {[]int64{5}, 0, noSize},
		"nothing to win":       {[]int64{0}, 10, noSize},
		"more than one batch":  {[]int64{700, 20, 3}, 1500, ranked},
		"exactly one batch":    {[]int64{5}, drop.MaxLinedUp, noSize},
		"one more than a page": {[]int64{5}, drop.MaxLinedUp + 1, noSize},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStore()
				v := serve(t, s, drawing.Options{})
				id := create(t, s, terms(localNow(), c.units...))
				time.Sleep(opensIn + time.Second)
				v.enter(t, id, c.entries, c.sizes)
				if c.entries > 5 {
					if _, err := v.Withdraw(t.Context(), id, 2, engine.Retry{}); err != nil {
						t.Fatal(err)
					}
					if _, err := v.RemoveEntry(t.Context(), drop.NewEntryID(id, 4), "a second account", engine.Retry{}); err != nil {
						t.Fatal(err)
					}
				}
				r := v.check(t, s, id)
				record, err := draw.Parse([]byte(r.text))
				if err != nil || record.Drop.Name != "Comet" || record.Seed != theSeed || record.Beacon != nil || len(record.Stock) != len(c.units) {
					t.Fatalf("%+v, %v", record, err)
				}
				if c.entries > 5 && (!record.Entries[1].Withdrawn || record.Entries[3].Removed != "a second account") {
					t.Errorf("%+v and %+v", record.Entries[1], record.Entries[3])
				}
			})
		})
	}
}

// What is kept for early access is not drawn for. What is left of it goes to the next in line.
func TestDraw_LeavesOutWhatIsKeptForEarlyAccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		v := serve(t, s, drawing.Options{})
		id := create(t, s, terms(localNow(), 6))
		for _, a := range []drop.AddAccess{
			{Terms: drop.Access{Units: 3, Uses: 3, Ends: localNow().Add(closesIn + time.Hour)}, Passes: []drop.Hash{drop.HashCode(id, "KEPT-1")}},
			{Terms: drop.Access{List: true, Uses: 1}, Passes: []drop.Hash{drop.HashBuyer(1)}},
		} {
			if _, err := v.AddAccess(t.Context(), id, a, engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		v.enter(t, id, 1, noSize) // before the draw opens
		bought, err := v.ReserveEarly(t.Context(), id, 90, "", "KEPT-1", engine.Retry{})
		if err == nil {
			_, err = v.Purchase(t.Context(), bought.ID, 0, engine.Retry{})
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(closesIn - time.Second)
		for user := drop.UserID(2); user <= 9; user++ {
			if _, err := v.Enter(t.Context(), id, user, nil, engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		held, err := v.ReserveEarly(t.Context(), id, 91, "", "KEPT-1", engine.Retry{}) // while the draw is open
		if err != nil {
			t.Fatal(err)
		}
		record, err := draw.Parse([]byte(v.check(t, s, id).text))
		if err != nil || len(record.Stock) != 1 || record.Stock[0].Units != 3 || len(record.Winners) != 3 {
			t.Fatalf("%+v, %v", record, err)
		}
		if _, err := v.Cancel(t.Context(), held.ID, 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		if d := v.drop(t, id); d.KeptOf(0) != 2 {
			t.Errorf("%d units are kept", d.KeptOf(0))
		}
		clean := func() {
			t.Helper()
			if r, err := audit.Drop(t.Context(), s, id); err != nil || r.Differences != 0 || r.Passes != 2 {
				t.Errorf("the audit: %+v, %v", r, err)
			}
		}
		clean()
		time.Sleep(closesIn + time.Hour) // the access is over, and nobody paid
		line, err := v.Line(t.Context(), id, 0, 10)
		if err != nil || len(line) != 9 || v.drop(t, id).KeptOf(0) != 0 {
			t.Fatalf("%+v, %v", line, err)
		}
		for i := range line[:5] {
			if line[i].Status != drop.Offered {
				t.Errorf("place %d: %+v", i+1, line[i])
			}
		}
		clean()
	})
}

func TestDraw_IsTheSameOnSQLite(t *testing.T) {
	t.Parallel()
	s := stores.Open(t, "sqlite")
	fill(t, s, 1, 50, []int64{3, 2}, func(user int) drop.Ranking { return []drop.Ranking{"0,1", "1", "1,0"}[user%3] })
	old, _, err := s.Draw(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	to := old
	to.Secrets.Seed = nil // the shop keeps it
	if done, err := s.ReplaceDraw(t.Context(), 1, &old, &to); !done || err != nil {
		t.Fatal(done, err)
	}
	v := serve(t, s, drawing.Options{})
	v.until(t, 1, drop.Drawing)
	v.text(t, 1, false)
	if err := v.desk.Reveal(t.Context(), 1, drawing.Reveal{Seed: &theSeed}); err != nil {
		t.Fatal(err)
	}
	v.check(t, s, 1)
}

// Each number of calls is the server's last: it dies before that call, or when nobody has heard of its effect yet.
func TestDraw_GoesOnAfterACrashAnywhere(t *testing.T) {
	var undisturbed result
	var calls int64
	crash := func(t *testing.T, n int64, after bool) (r result) {
		synctest.Test(t, func(t *testing.T) {
			f := &failing{Store: newStore(), n: n, after: after}
			first := serve(t, f, drawing.Options{})
			id := create(t, f, terms(localNow(), 70, 20, 3))
			time.Sleep(opensIn + time.Second)
			first.enter(t, id, 2100, ranked)
			if n == 0 {
				f.n = 1 << 62
			}
			f.on.Store(true)
			if n == 0 {
				first.until(t, id, drop.Drawn)
				calls = f.calls.Load()
				f.on.Store(false)
			} else {
				time.Sleep(closesIn + 20*time.Second)
			}
			first.stop()
			r = serve(t, f.Store, drawing.Options{}).check(t, f.Store, id)
		})
		return r
	}
	undisturbed = crash(t, 0, false)
	if calls < 11 || len(undisturbed.line) <= 2*drop.MaxLinedUp {
		t.Fatalf("only %d calls for %d places", calls, len(undisturbed.line))
	}
	for n := int64(1); n <= calls; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %t", n, after), func(t *testing.T) {
				if r := crash(t, n, after); r.text != undisturbed.text || fmt.Sprint(r.line) != fmt.Sprint(undisturbed.line) {
					t.Errorf("it is another draw:\n%.300s\n%.300s", r.text, undisturbed.text)
				}
			})
		}
	}
}

func TestDraw_ThreeServersMakeOne(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			s := newStore()
			servers := []*server{serve(t, s, drawing.Options{}), serve(t, s, drawing.Options{}), serve(t, s, drawing.Options{})}
			id := create(t, s, terms(localNow(), 70, 20, 3))
			time.Sleep(opensIn + 2*time.Second)
			servers[0].enter(t, id, 2100, ranked)
			want := servers[0].check(t, s, id)
			for _, v := range servers[1:] {
				if got := v.check(t, s, id); got.text != want.text {
					t.Error("another server has another draw")
				}
			}
		})
	}
}

func TestPublic_SaysWhatIsFixedWhenItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		v := serve(t, s, drawing.Options{})
		spec := terms(localNow(), 1)
		spec.Secrets = &drop.DrawSecrets{Key: theKey} // the shop keeps the seed
		id := create(t, s, spec)
		time.Sleep(opensIn / 2)
		opens, closes := spec.Draw.Opens, spec.Draw.Closes
		fixed := fmt.Sprintf(`"opens":"%s","closes":"%s","pay_within":600,"commitment":"%s","beacon":null`,
			draw.Time(opens), draw.Time(closes), spec.Draw.Commitment)
		says := func(want string) string {
			t.Helper()
			text := string(v.text(t, id, false))
			if !strings.HasPrefix(text, want) || !json.Valid([]byte(text)) || !strings.HasSuffix(text, "}\n") {
				t.Errorf("public: %s, want %s", text, want)
			}
			return text
		}
		begin := fmt.Sprintf(`{"version":"sneakerdrop draw 1","drop":{"id":%d,"name":"Comet"},"phase":`, id)
		soon := says(begin + `"soon",` + fixed + "}\n")
		time.Sleep(opensIn)
		open := says(begin + `"open",` + fixed + "}\n")
		v.enter(t, id, 3, noSize)
		time.Sleep(closesIn + 2*time.Second)
		closed := says(begin + `"closed",` + fixed + `,"count":3,"root":"`)
		noSecrets(t, soon+open+closed)
		first, err := s.DrawEntries(t.Context(), id, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, drawn, err := v.desk.Outcome(t.Context(), &first[0]); drawn || err != nil {
			t.Errorf("an outcome before the draw: %v", err)
		}
		name := "Another name"
		if _, err := v.Edit(t.Context(), id, drop.Edit{Name: &name}); err != nil {
			t.Fatal(err)
		}
		if got := says(begin); got != closed {
			t.Errorf("a new name changed what was published: %s", got)
		}
		if err := v.desk.Reveal(t.Context(), id, drawing.Reveal{Seed: &theSeed}); err != nil {
			t.Fatal(err)
		}
		r := v.check(t, s, id)
		var p struct{ Root, Seal string }
		if err := json.Unmarshal([]byte(closed), &p); err != nil || !strings.Contains(r.text, p.Root) || !strings.Contains(r.text, p.Seal) {
			t.Errorf("the record has another root or seal than %s: %v", closed, err)
		}
	})
}

func TestReveal_TakesOnlyWhatFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		v := serve(t, s, drawing.Options{})
		spec := terms(localNow(), 1)
		spec.Secrets = &drop.DrawSecrets{Key: theKey}
		id := create(t, s, spec)
		units := int64(1)
		plain := create(t, s, drop.Spec{Name: "Plain", Price: 1, StartTime: 1, TotalStock: &units})
		time.Sleep(2 * time.Second)
		reveal := func(id drop.ID, r drawing.Reveal, want drop.Error) {
			t.Helper()
			err := v.desk.Reveal(t.Context(), id, r)
			if got, ok := errors.AsType[*drop.Error](err); !ok || got.Code != want.Code || got.Field != want.Field || (got.Rule == "") != (want.Field == "") {
				t.Errorf("%v, want %v", err, &want)
			}
		}
		right := drawing.Reveal{Seed: &theSeed}
		reveal(id, right, drop.Error{Code: drop.CodeDrawOpen})
		reveal(plain, right, drop.Error{Code: drop.CodeNoDraw})
		reveal(id+9, right, drop.Error{Code: drop.CodeDropNotFound})
		time.Sleep(closesIn + 3*time.Second)
		reveal(id, drawing.Reveal{}, drop.Error{Code: drop.CodeInvalid, Field: "seed"})
		reveal(id, drawing.Reveal{Seed: &draw.Seed{9}}, drop.Error{Code: drop.CodeInvalid, Field: "seed"})
		reveal(id, drawing.Reveal{Signature: draw.Hex{1}}, drop.Error{Code: drop.CodeInvalid, Field: "beacon"})
		if d := v.drop(t, id); d.DrawState.Phase != drop.Drawing || d.DrawState.Lined != 0 {
			t.Fatalf("without its seed: %+v", d.DrawState)
		}
		if n := strings.Count(v.logs.String(), "waits until the shop reveals the seed"); n != 1 {
			t.Errorf("it said %d times that it waits: %s", n, v.logs)
		}
		for range 2 {
			if err := v.desk.Reveal(t.Context(), id, right); err != nil {
				t.Error(err)
			}
			v.check(t, s, id)
		}
	})
}

func TestDraw_RestsWhileItsDropIsArchived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		v := serve(t, s, drawing.Options{})
		id := create(t, s, terms(localNow(), 1))
		time.Sleep(opensIn + time.Second)
		v.enter(t, id, 3, noSize)
		archive := func(is bool) {
			t.Helper()
			if _, err := v.Edit(t.Context(), id, drop.Edit{Archived: &is}); err != nil {
				t.Fatal(err)
			}
		}
		archive(true)
		time.Sleep(2 * closesIn)
		if got := v.drop(t, id).DrawState; got.Phase != drop.Entering {
			t.Errorf("the draw of an archived drop: %+v", got)
		}
		archive(false)
		v.check(t, s, id)
	})
}

// A draw whose entries are not those that were published is never done, and others go on.
func TestDraw_RefusesWhatChangedAfterTheClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		v := serve(t, s, drawing.Options{})
		spec := terms(localNow(), 1)
		spec.Secrets = &drop.DrawSecrets{Key: theKey}
		id := create(t, s, spec)
		other := create(t, s, terms(localNow().Add(closesIn), 1))
		time.Sleep(opensIn + time.Second)
		v.enter(t, id, 3, noSize)
		time.Sleep(closesIn + time.Second)
		old, _, err := s.Draw(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		to := old
		to.Closed, to.Secrets.Seed = strings.Replace(old.Closed, `"units":1`, `"units":2`, 1), theSeed[:]
		if done, err := s.ReplaceDraw(t.Context(), id, &old, &to); !done || err != nil {
			t.Fatal(done, err)
		}
		v.check(t, s, other)
		if d := v.drop(t, id); d.DrawState.Phase != drop.Drawing || d.DrawState.Lined != 0 {
			t.Errorf("it was drawn: %+v", d.DrawState)
		}
		if said := v.logs.String(); !strings.Contains(said, "does not fit what was published at the close") {
			t.Error(said)
		}
	})
}

func TestReceipt_IsTheSameEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStore()
		v := serve(t, s, drawing.Options{})
		id := create(t, s, terms(localNow(), 1, 1, 1))
		time.Sleep(opensIn + time.Second)
		e, err := v.Enter(t.Context(), id, 77, []string{"11", "9"}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		var first []byte
		for _, desk := range []*drawing.Desk{v.desk, v.desk, drawing.New(v.Engine, drawing.Options{})} {
			receipts, err := desk.Receipts(t.Context(), e.ID.Drop())
			if err != nil {
				t.Fatal(err)
			}
			r, err := receipts.Of(&e)
			if err != nil {
				t.Fatal(err)
			}
			text, err := r.Encode()
			if first == nil {
				first = text
			}
			if err != nil || !bytes.Equal(text, first) || r.Buyer != 77 || r.Entry != 1 || r.Drop != int64(id) || strings.Join(r.Sizes, " ") != "11 9" {
				t.Errorf("%s, %v", text, err)
			}
		}
		// HMAC-SHA-256 under 32 bytes 5e of the number 1 in 8 bytes, by openssl.
		if want := `"salt":"` + saltOfOne + `"`; !bytes.Contains(first, []byte(want)) {
			t.Errorf("%s, want %s", first, want)
		}
	})
}

const saltOfOne = "372d2f9422b083d313e9afc4a09e1a21"
