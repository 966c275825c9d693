package audit_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
)

// Drop 9 has a waitlist with all that can become of an entry:
//
//	reservations 1, 2, 3 cancelled, offers 4, 7 declined, 5 completed (purchase 1), 6 expired
//	entries of 9:  2 skipped, 3 offered 5, 5 left, 6 offered 7, 8 waits
//	       of 10:  1 closed, 4 offered 4, 7 offered 6
//	ledger at 0 ms:  1 created 9 ×2        2 created 10 ×1
//	      at 10 ms:  3 reserved 9 ×2       4 reserved 10 ×1
//	      at 30 ms:  5 cancelled 10 ×1     6 offered 10 ×1
//	      at 40 ms:  7 cancelled 9 ×1      8 offered 9 ×1
//	      at 50 ms:  9 purchased 9 ×1
//	      at 60 ms: 10 declined 10 ×1     11 offered 10 ×1
//	      at 80 ms: 12 cancelled 9 ×1     13 kept 9 ×1
//	      at 85 ms: 14 freed 9 ×1         15 offered 9 ×1
//	      at 95 ms: 16 declined 9 ×1      17 kept 9 ×1
//	      at 20 s:  18 expired 10 ×1
//
// Size 9 then has 2 = 0 + 1 + 1, size 10 has 1 = 1 + 0 + 0.
func nine(t *testing.T) store.Filled {
	h := newHistory(t, 9, drop.Spec{
		Name: "Nine", Price: 12_000, StartTime: began, LimitPerUser: 1, Waitlist: true, OfferFor: 10, MaxWaiting: 100,
		Sizes: []drop.SizeSpec{{Label: "9", Stock: 2}, {Label: "10", Stock: 1}},
	})
	cancel := func(n uint32) drop.Command { return drop.Cancel{Reservation: drop.NewReservationID(9, n)} }
	hold := func(user drop.UserID, size string) drop.Command {
		return drop.Reserve{User: user, Size: size, Hold: time.Minute}
	}
	h.batch(t, 10, hold(1, "9"), hold(2, "9"), hold(3, "10"))
	h.batch(t, 12, drop.Join{User: 9, Size: "10"})
	h.batch(t, 15, drop.Edit{Waitlist: new(false)}, drop.Edit{Waitlist: new(true)})
	h.batch(t, 20, drop.Join{User: 4, Size: "9"}, drop.Join{User: 5, Size: "9"}, drop.Join{User: 4, Size: "10"}, drop.Join{User: 6, Size: "9"},
		drop.Join{User: 7, Size: "9"}, drop.Join{User: 8, Size: "10"})
	h.batch(t, 30, cancel(3))
	h.batch(t, 40, cancel(1)) // the limit skips user 4, who has an offer of 10
	h.batch(t, 50, drop.Leave{Entry: drop.NewEntryID(9, 5)}, drop.MakePurchase{Reservation: drop.NewReservationID(9, 5)})
	h.batch(t, 60, cancel(4))
	h.batch(t, 70, drop.Pause{})
	h.batch(t, 80, cancel(2))
	h.batch(t, 85, drop.Resume{})
	h.batch(t, 90, drop.Pause{}, drop.Join{User: 9, Size: "9"})
	h.batch(t, 95, cancel(7))
	h.batch(t, 20_000, cancel(6)) // it expires
	return store.Filled{State: h.state, Changes: h.changes}
}

// waitlistDamages are like damages, of drop 9.
var waitlistDamages = []damage{
	{
		"waiting", "UPDATE sizes SET waiting = 2 WHERE drop_id = 9 AND label = '9'",
		`the counter "waiting" of size "9" is 2, but 1 entries wait`,
	},
	{"nobody waits", "UPDATE sizes SET waiting = 0 WHERE drop_id = 9 AND label = '9'", `1 units of size "9" are kept for 0 entries that wait`},
	{"pending", "UPDATE sizes SET pending = 0 WHERE drop_id = 9 AND label = '9'", `the counter "pending" of size "9" is 0, but the ledger gives 1`},
	{"pending below zero", "UPDATE sizes SET pending = -1 WHERE drop_id = 9 AND label = '9'", `-1 units of size "9" are kept for 1 entries that wait`},
	{
		"on sale", "UPDATE sizes SET waiting = 1 WHERE drop_id = 9 AND label = '10'",
		`1 units of size "10" are on sale, while 1 entries wait and 0 units are kept for them`,
	},
	{
		"closed beyond", "UPDATE drops SET line_closed = 9 WHERE id = 9",
		`its row says that lines were closed after entry number 9, but that the newest is number 8`,
	},
	{
		"closed later", "UPDATE drops SET line_closed = 8 WHERE id = 9",
		`the counter "waiting" of size "9" is 1, but 0 entries wait`,
	},
	{
		"never closed", "UPDATE drops SET line_closed = 0 WHERE id = 9",
		`waitlist entry 38654705668 was offered at ` + t0 + `030Z, while entry 38654705665 waited before it of size "10"`,
	},
	{
		"next entry", "UPDATE drops SET waited = 9 WHERE id = 9",
		`waitlist entry 9 is missing: the drop's row says that the newest is number 9`,
	},
	{
		"next entry too low", "UPDATE drops SET waited = 7 WHERE id = 9",
		`waitlist entry 8 exists, but the drop's row says that the newest is number 7`,
	},

	{"entry lost", "DELETE FROM waitlist WHERE id = {r} + 5", `waitlist entry 5 is missing`},
	{"entries lost", "DELETE FROM waitlist WHERE id BETWEEN {r} + 2 AND {r} + 5", `waitlist entries 2 to 5 are missing`},
	{"last entry lost", "DELETE FROM waitlist WHERE id = {r} + 8", `waitlist entry 8 is missing: the drop's row says that the newest is number 8`},
	{"entry twice", "INSERT INTO waitlist SELECT * FROM waitlist WHERE id = {r} + 5", `waitlist entry 5 appears twice`},
	{
		"a buyer twice", `INSERT INTO waitlist SELECT drop_id, id + 1, user_id, line, size, status, created_at, ended_at, offer, why
			FROM waitlist WHERE id = {r} + 8; UPDATE drops SET waited = 9 WHERE id = 9; UPDATE sizes SET waiting = 2 WHERE drop_id = 9 AND label = '9'`,
		`user 9 waits twice of size "9": waitlist entries 38654705672 and 38654705673`,
	},
	{"unknown line", "UPDATE waitlist SET line = 2 WHERE id = {r} + 8", `waitlist entry 38654705672 is in line 2, but the drop has 2 sizes`},
	{"other line", "UPDATE waitlist SET line = 1 WHERE id = {r} + 8", `waitlist entry 38654705672 has size "9", but is in the line of size "10"`},
	{"other size", "UPDATE waitlist SET size = '10' WHERE id = {r} + 8", `waitlist entry 38654705672 has size "10", but is in the line of size "9"`},
	{
		"other line and size", "UPDATE waitlist SET line = 1, size = '10' WHERE id = {r} + 8",
		`the counter "waiting" of size "9" is 1, but 0 entries wait`,
	},
	{"unknown status", "UPDATE waitlist SET status = 9 WHERE id = {r} + 5", `waitlist entry 38654705669 has the unknown status 9`},
	{
		"waits with an end", "UPDATE waitlist SET status = 1 WHERE id = {r} + 5",
		`waitlist entry 38654705669 waits, but left the line at ` + t0 + `050Z`,
	},
	{
		"waits again", "UPDATE waitlist SET status = 1, ended_at = NULL WHERE id = {r} + 5",
		`waitlist entry 38654705670 was offered at ` + t0 + `085Z, while entry 38654705669 waited before it of size "9"`,
	},
	{
		"left without an end", "UPDATE waitlist SET status = 3 WHERE id = {r} + 8",
		`waitlist entry 38654705672 (left) left the line at 1970-01-01T00:00:00.000Z, but joined it at ` + t0 + `090Z`,
	},
	{
		"changed late", "UPDATE waitlist SET ended_at = {t} + 20001 WHERE id = {r} + 5",
		`waitlist entry 38654705669 was changed at 2026-01-01T00:00:20.001Z, after the drop's last batch (2026-01-01T00:00:20.000Z)`,
	},
	{
		"out of turn", "UPDATE waitlist SET ended_at = {t} + 90 WHERE id = {r} + 5",
		`waitlist entry 38654705670 was offered at ` + t0 + `085Z, while entry 38654705669 waited before it of size "9"`,
	},
	{"offered nothing", "UPDATE waitlist SET status = 2 WHERE id = {r} + 5", `waitlist entry 38654705669 is offered, but its reservation is 0`},
	{"left with an offer", "UPDATE waitlist SET status = 3 WHERE id = {r} + 6", `waitlist entry 38654705670 is left, but its reservation is 38654705671`},
	{"skipped for nothing", "UPDATE waitlist SET why = NULL WHERE id = {r} + 2", `waitlist entry 38654705666 is skipped, but the rule that it broke is ""`},
	{
		"left for a rule", "UPDATE waitlist SET why = 'limit_reached' WHERE id = {r} + 5",
		`waitlist entry 38654705669 is left, but the rule that it broke is "limit_reached"`,
	},
	{
		"other buyer", "UPDATE waitlist SET user_id = 99 WHERE id = {r} + 3",
		`waitlist entry 38654705667 is user 99's, but reservation 38654705669, which was offered, is user 5's`,
	},
	{
		"offered another size", "UPDATE waitlist SET user_id = 4, offer = {r} + 4, ended_at = {t} + 30 WHERE id = {r} + 3; " +
			"UPDATE waitlist SET ended_at = {t} + 30 WHERE id = {r} + 2",
		`waitlist entry 38654705667 has size "9", but reservation 38654705668, which was offered, has size "10"`,
	},
	{
		"offered twice", "UPDATE waitlist SET offer = {r} + 4 WHERE id = {r} + 7",
		`waitlist entry 38654705671 was offered reservation 38654705668, like entry 38654705668`,
	},
	{
		"offered no offer", "UPDATE waitlist SET offer = {r} + 1 WHERE id = {r} + 7",
		`waitlist entry 38654705671 was offered reservation 38654705665, but there is no offer with that number`,
	},
	{
		"offered later", "UPDATE waitlist SET ended_at = {t} + 41 WHERE id = {r} + 3",
		`waitlist entry 38654705667 was offered reservation 38654705669 at ` + t0 + `041Z, but that was made at ` + t0 + `040Z`,
	},
	{
		"offer of nobody", "UPDATE waitlist SET status = 3, offer = NULL WHERE id = {r} + 7",
		`reservation 38654705670 is an offer, but no waitlist entry has it`,
	},

	{
		"reservation: no offer", "UPDATE reservations SET offer = NULL WHERE id = {r} + 5",
		`reservation 38654705669 (completed) was reserved at ` + t0 + `040Z, but the ledger has no such movement then`,
	},
	{
		"reservation: an offer", "UPDATE reservations SET offer = 1 WHERE id = {r} + 1",
		`reservation 38654705665 (cancelled) was offered at ` + t0 + `010Z, but the ledger has no such movement then`,
	},
	{
		"ledger: not declined", "UPDATE ledger SET reason = 'reservation_cancelled' WHERE drop_id = 9 AND seq = 10",
		`reservation 38654705668 (cancelled) was declined at ` + t0 + `060Z, but the ledger has no such movement then`,
	},
	{
		"ledger: not expired as an offer", "UPDATE ledger SET reason = 'reservation_expired' WHERE drop_id = 9 AND seq = 18",
		`reservation 38654705670 (expired) was expired as an offer at 2026-01-01T00:00:20.000Z, but the ledger has no such movement then`,
	},
	{
		"ledger: not kept", "UPDATE ledger SET reason = 'reserved' WHERE drop_id = 9 AND seq = 13",
		`the counter "pending" of size "9" is 1, but the ledger gives 0`,
	},
	{
		"ledger: not freed", "UPDATE ledger SET reason = 'reservation_cancelled' WHERE drop_id = 9 AND seq = 14",
		`the counter "pending" of size "9" is 1, but the ledger gives 2`,
	},
}

func TestRun_FindsEveryDamageToAWaitlist(t *testing.T) { findsEach(t, 9, waitlistDamages) }

// If any entry is lost, appears twice or differs in a field that matters, the audit reports a difference.
func TestDrop_EveryEntryCounts(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		for name, change := range alterations(map[string]func(*drop.Entry){
			"line": func(e *drop.Entry) { e.Line = 1 - e.Line }, "size": func(e *drop.Entry) { e.Size = "8" },
			"status": func(e *drop.Entry) { e.Status = e.Status%4 + 1 }, "end": func(e *drop.Entry) { e.EndedAt += 30_000 },
			"joined": func(e *drop.Entry) { e.CreatedAt += 30_000 }, "offer": func(e *drop.Entry) { e.Offer++ },
			"why": func(e *drop.Entry) { e.Why = map[bool]drop.Code{true: "x"}[e.Why == ""] },
		}) {
			for n := range uint32(8) {
				id := drop.NewEntryID(9, n+1)
				r, err := audit.Drop(t.Context(), &altered{Store: d, entryWaits: only(change, func(e drop.Entry) bool { return e.ID == id })}, 9)
				if err != nil || r.Differences == 0 {
					t.Errorf("entry %d, %s: no difference (%v)", n+1, name, err)
				}
			}
		}
	})
}

// The report counts who waits, and the units that are kept for them.
func TestDrop_CountsTheWaitlist(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		r, err := audit.Drop(t.Context(), d, 9)
		if err != nil || r.Differences != 0 || r.Entries != 8 || r.Waiting != 1 || r.Kept != 1 || r.Held != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// offers are the newest offers that nobody has taken or declined.
type offers struct {
	mu  sync.Mutex
	all []drop.ReservationID
}

func (o *offers) put(ev engine.Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range ev.Made {
		if r.Offer {
			o.all = append(o.all, r.ID)
		}
	}
}

func (o *offers) take() (id drop.ReservationID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n := len(o.all); n > 0 {
		id, o.all = o.all[n-1], o.all[:n-1]
	}
	return id
}

// An audit reads one moment, also while buyers wait, leave, and take and decline offers, and an operator restocks and
// pauses.
func TestDrop_StaysCleanWhileBuyersWait(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		var open offers
		e := engine.New(d, engine.Config{Hold: 50 * time.Millisecond, Publish: open.put})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		v, err := e.Create(t.Context(), drop.Spec{
			Name: "Rush", Price: 1, Waitlist: true, Sizes: []drop.SizeSpec{{Label: "9", Stock: 10}, {Label: "10", Stock: 10}},
		}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		id := v.Drop.ID
		stop := make(chan struct{})
		var buyers sync.WaitGroup
		for i := range 24 {
			buyers.Go(func() { wait(t.Context(), e, id, drop.UserID(i+1), &open, stop) })
		}
		var last audit.DropReport
		for began := time.Now(); time.Since(began) < time.Second || (last.Purchases < 5 || last.Entries < 50) && time.Since(began) < await.Patience; {
			r, err := audit.Drop(t.Context(), d, id)
			if err != nil || r.Differences > 0 {
				t.Errorf("after %d entries: %v, %s", r.Entries, err, r.Sentences)
				break
			}
			last = r
		}
		close(stop)
		buyers.Wait()
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if last.Purchases < 5 || last.Entries < 50 {
			t.Errorf("hardly anybody waited: %+v", last)
		}
		if r, err := audit.Drop(t.Context(), d, id); err != nil || r.Differences > 0 {
			t.Errorf("at the end: %v, %s", err, r.Sentences)
		}
	})
}

// wait reserves or joins the line, and deals with any open offer. The first buyer is the operator too.
func wait(ctx context.Context, e *engine.Engine, id drop.ID, user drop.UserID, open *offers, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		size := []string{"9", "10"}[rand.IntN(2)]
		p, err := e.Join(ctx, id, user, size, engine.Retry{})
		switch {
		case user == 1 && n%8 == 0:
			_, _ = e.Restock(ctx, id, drop.Restock{Add: int64(rand.IntN(3)), Size: size}, engine.Retry{})
		case user == 1 && n%8 == 3:
			_, _ = e.Pause(ctx, id, engine.Retry{})
		case user == 1 && n%8 == 5:
			_, _ = e.Resume(ctx, id, engine.Retry{})
		case err == nil && rand.IntN(5) == 0:
			_, _ = e.Leave(ctx, p.ID, 0, engine.Retry{})
		case rand.IntN(3) == 0:
			_, _ = e.Reserve(ctx, id, user, size, engine.Retry{})
		}
		if r := open.take(); r != 0 && rand.IntN(6) == 0 {
			_, _ = e.Purchase(ctx, r, 0, engine.Retry{})
		} else if r != 0 {
			_, _ = e.Cancel(ctx, r, 0, engine.Retry{})
		}
	}
}
