package audit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/storetest"
)

// altered passes on a store's rows, except those that a test changes. Each function returns the replacements of a
// row.
type altered struct {
	store.Store
	entry       func(drop.LedgerEntry) []drop.LedgerEntry
	reservation func(drop.Reservation) []drop.Reservation
	purchase    func(drop.Purchase) []drop.Purchase
	payment     func(drop.Payment) []drop.Payment
	entryWaits  func(drop.Entry) []drop.Entry
	drawEntry   func(drop.DrawEntry) []drop.DrawEntry
	pass        func(drop.Pass) []drop.Pass
	// kept and rows, if there, are what is stored of the draw, and its entries.
	kept *store.Draw
	rows []drop.DrawEntry
}

func (a *altered) ReadBooks(ctx context.Context, id drop.ID, b store.Books) error {
	b.Entry = through(a.entry, b.Entry)
	b.Reservation = through(a.reservation, b.Reservation)
	b.Purchase = through(a.purchase, b.Purchase)
	b.DrawEntry = through(a.drawEntry, b.DrawEntry)
	b.Pass = through(a.pass, b.Pass)
	b.Waits = through(a.entryWaits, b.Waits)
	if a.kept != nil {
		waits, begun := b.Waits, false
		b.Waits = func(e drop.Entry) error {
			if !begun {
				begun = true
				if err := errors.Join(b.Draw(*a.kept), each(a.rows, b.DrawEntry)); err != nil {
					return err
				}
			}
			return waits(e)
		}
	}
	return a.Store.ReadBooks(ctx, id, b)
}

func (a *altered) PaymentsOfDrop(ctx context.Context, id drop.ID, each func(drop.Payment) error) error {
	return a.Store.PaymentsOfDrop(ctx, id, through(a.payment, each))
}

func each[T any](rows []T, to func(T) error) error {
	for _, r := range rows {
		if err := to(r); err != nil {
			return err
		}
	}
	return nil
}

func through[T any](alter func(T) []T, to func(T) error) func(T) error {
	if alter == nil {
		return to
	}
	return func(v T) error {
		for _, v := range alter(v) {
			if err := to(v); err != nil {
				return err
			}
		}
		return nil
	}
}

// alterations of one row of each kind.
func alterations[T any](fields map[string]func(*T)) map[string]func(T) []T {
	all := map[string]func(T) []T{
		"gone":  func(T) []T { return nil },
		"twice": func(v T) []T { return []T{v, v} },
	}
	for name, change := range fields {
		all[name] = func(v T) []T { change(&v); return []T{v} }
	}
	return all
}

// If any row is lost, appears twice or differs in a field that matters, the audit reports a difference.
func TestDrop_EveryRowCounts(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		check := func(kind, name string, n int64, a *altered) {
			r, err := audit.Drop(t.Context(), a, 7)
			if err != nil || r.Differences == 0 {
				t.Errorf("%s %d %s: no difference (%v)", kind, n, name, err)
			}
		}
		for name, change := range alterations(map[string]func(*drop.LedgerEntry){
			"at": func(e *drop.LedgerEntry) { e.At++ }, "size": func(e *drop.LedgerEntry) { e.Size = "8" },
			"reason": func(e *drop.LedgerEntry) { e.Reason = "x" }, "units": func(e *drop.LedgerEntry) { e.Units++ },
			"available": func(e *drop.LedgerEntry) { e.Available-- },
		}) {
			for n := drop.Seq(1); n <= 12; n++ {
				check("entry", name, int64(n), &altered{Store: d, entry: only(change, func(e drop.LedgerEntry) bool { return e.Seq == n })})
			}
		}
		for name, change := range alterations(map[string]func(*drop.Reservation){
			"size": func(r *drop.Reservation) { r.Size = "8" }, "status": func(r *drop.Reservation) { r.Status = r.Status%4 + 1 },
			"created": func(r *drop.Reservation) { r.CreatedAt++ }, "ended": func(r *drop.Reservation) { r.EndedAt++ },
		}) {
			for n := range uint32(6) {
				id := drop.NewReservationID(7, n+1)
				check("reservation", name, int64(n+1), &altered{Store: d, reservation: only(change, func(r drop.Reservation) bool { return r.ID == id })})
			}
		}
		for name, change := range alterations(map[string]func(*drop.Purchase){
			"reservation": func(p *drop.Purchase) { p.ReservationID++ }, "user": func(p *drop.Purchase) { p.UserID++ },
			"size": func(p *drop.Purchase) { p.Size = "8" }, "price": func(p *drop.Purchase) { p.Price++ },
			"created": func(p *drop.Purchase) { p.CreatedAt++ },
		}) {
			for n := range uint32(3) {
				id := drop.NewPurchaseID(7, n+1)
				check("purchase", name, int64(n+1), &altered{Store: d, purchase: only(change, func(p drop.Purchase) bool { return p.ID == id })})
			}
		}
	})
}

func only[T any](change func(T) []T, fits func(T) bool) func(T) []T {
	return func(v T) []T {
		if fits(v) {
			return change(v)
		}
		return []T{v}
	}
}

// Whatever the state machine does, the records match.
func TestRun_RandomHistoriesAreClean(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rnd := rand.New(rand.NewPCG(seed, 0))
		fill(t, d)
		var begun []drop.Reservation // with a payment
		for range 300 {
			id := []drop.ID{3, 7, 8, 9, 10}[rnd.IntN(5)]
			cmds := make([]drop.Command, 1+rnd.IntN(8))
			for i := range cmds {
				cmds[i] = command(rnd, id, begun)
			}
			var batch drop.BatchID
			for i := range batch {
				batch[i] = byte(rnd.Uint32())
			}
			err := d.RunBatch(t.Context(), &storetest.Batch{Drop: id, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
				results, changes := drop.Apply(s, now, batch, cmds)
				for i, r := range results {
					if _, ok := cmds[i].(drop.StartPayment); ok && r.Err == nil {
						begun = append(begun, r.Reservation)
					}
				}
				return changes
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		report, err := audit.Run(t.Context(), d, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range report.Drops {
			if r.Differences > 0 || r.LedgerEntries < 15 && r.ID <= 10 { // those beyond are only read
				t.Errorf("drop %d: %d entries, %d differences: %s", r.ID, r.LedgerEntries, r.Differences, r.Sentences)
			}
		}
	})
}

// command draws a command. Only begun payments are claimed, as the shop does.
func command(rnd *rand.Rand, id drop.ID, begun []drop.Reservation) drop.Command {
	size := []string{"9", "10"}[rnd.IntN(2)]
	if id == 3 {
		size = ""
	}
	reservation := drop.NewReservationID(id, uint32(1+rnd.IntN(60)))
	payment := drop.PaymentID(int64(reservation)*3 + int64(rnd.IntN(3)))
	var paid []drop.Reservation
	for _, r := range begun {
		if r.ID.Drop() == id {
			paid = append(paid, r)
		}
	}
	if id == 9 {
		switch rnd.IntN(16) {
		case 0, 1, 2, 3:
			return drop.Join{User: drop.UserID(1 + rnd.IntN(30)), Size: size}
		case 4:
			return drop.Edit{Waitlist: new(rnd.IntN(3) > 0)}
		}
	}
	switch n := rnd.IntN(17); {
	case n == 16:
		return drop.Leave{Entry: drop.NewEntryID(id, uint32(1+rnd.IntN(40)))}
	case n == 0:
		return drop.Restock{Add: int64(rnd.IntN(9) - 3), Size: size}
	case n <= 2:
		return drop.Cancel{Reservation: reservation}
	case n <= 4:
		return drop.MakePurchase{Reservation: reservation}
	case n == 5:
		return drop.Pause{}
	case n == 6:
		return drop.Resume{}
	case n <= 8:
		return drop.StartPayment{Reservation: reservation, Payment: payment, Within: 20 * time.Millisecond, Hold: 40 * time.Millisecond, Row: &drop.Payment{
			Provider: "test", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2,
		}}
	case n == 9:
		return drop.ReturnPurchase{Purchase: drop.NewPurchaseID(id, uint32(1+rnd.IntN(20))), Restock: rnd.IntN(2) == 0}
	case n <= 11 && len(paid) > 0:
		r := paid[rnd.IntN(len(paid))]
		return drop.ClaimUnit{Reservation: r.ID, User: r.UserID, Payment: r.Payment, Within: 20 * time.Millisecond}
	case n == 12 && len(paid) > 0:
		r := paid[rnd.IntN(len(paid))]
		return drop.CompletePayment{Reservation: r.ID, Payment: r.Payment}
	case n == 13:
		return drop.ReleaseClaim{Reservation: reservation, Payment: payment}
	default:
		return drop.Reserve{User: drop.UserID(1 + rnd.IntN(5)), Size: size, Hold: time.Duration(1+rnd.IntN(40)) * time.Millisecond}
	}
}

// An audit reads one moment, however much is sold meanwhile.
func TestDrop_StaysCleanWhileBuyersHammer(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		e := engine.New(d, engine.Config{Hold: 50 * time.Millisecond})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		units := int64(1000)
		v, err := e.Create(t.Context(), drop.Spec{Name: "Rush", Price: 1, TotalStock: &units}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		id := v.Drop.ID
		stop := make(chan struct{})
		var buyers sync.WaitGroup
		for i := range 50 {
			buyers.Go(func() { hammer(t.Context(), e, id, drop.UserID(i+1), stop) })
		}
		var last audit.DropReport
		for began := time.Now(); time.Since(began) < time.Second || last.Purchases < 20 && time.Since(began) < await.Patience; {
			r, err := audit.Drop(t.Context(), d, id)
			if err != nil {
				t.Error(err)
				break
			}
			if r.Differences > 0 {
				t.Errorf("after %d reservations: %s", r.Reservations, r.Sentences)
				break
			}
			last = r
		}
		close(stop)
		buyers.Wait()
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if last.Purchases < 20 {
			t.Errorf("hardly anything was sold: %+v", last)
		}
		if r, err := audit.Drop(t.Context(), d, id); err != nil || r.Differences > 0 {
			t.Errorf("at the end: %v, %s", err, r.Sentences)
		}
	})
}

func hammer(ctx context.Context, e *engine.Engine, id drop.ID, user drop.UserID, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		r, err := e.Reserve(ctx, id, user, "", engine.Retry{})
		if err != nil {
			continue // sold out: holds will be released
		}
		switch n % 4 {
		case 0:
			_, _ = e.Purchase(ctx, r.ID, 0, engine.Retry{})
		case 1:
			_, _ = e.Cancel(ctx, r.ID, 0, engine.Retry{})
		}
	}
}

// Payments are read after everything else, and match it also while buyers pay, late payments claim other units, and
// operators refund.
func TestDrop_StaysCleanWhileBuyersPay(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		e := engine.New(d, engine.Config{Hold: 50 * time.Millisecond})
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = e.Stop(context.WithoutCancel(t.Context())) }()
		units := int64(10_000)
		v, err := e.Create(t.Context(), drop.Spec{Name: "Rush", Price: 100, TotalStock: &units}, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		id := v.Drop.ID
		stop := make(chan struct{})
		var buyers sync.WaitGroup
		for i := range 16 {
			buyers.Go(func() { pay(t.Context(), e, id, drop.UserID(i+1), stop) })
		}
		var last audit.DropReport
		for began := time.Now(); time.Since(began) < time.Second || len(last.Money) == 0 || last.Money[0].Refunded == 0; {
			r, err := audit.Drop(t.Context(), d, id)
			if err != nil || r.Differences > 0 {
				t.Errorf("after %d reservations: %v, %s", r.Reservations, err, r.Sentences)
				break
			}
			if last = r; time.Since(began) > await.Patience {
				t.Errorf("hardly anything was sold: %+v", last)
				break
			}
		}
		close(stop)
		buyers.Wait()
		if r, err := audit.Drop(t.Context(), d, id); err != nil || r.Differences > 0 || r.Money[0].Captured != audit.Amount(10_000*r.Purchases) {
			t.Errorf("at the end: %v, %+v", err, r)
		}
	})
}

// pay begins payments and buys with most of them, some late. Of every fourth purchase some money is refunded.
func pay(ctx context.Context, e *engine.Engine, id drop.ID, user drop.UserID, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		r, err := e.Reserve(ctx, id, user, "", engine.Retry{})
		if err != nil {
			continue
		}
		number := drop.PaymentID(int64(user)<<32 + int64(n) + 1)
		within := []time.Duration{time.Millisecond, time.Second}[n%2]
		_, _, err = e.StartPayment(ctx, drop.StartPayment{Reservation: r.ID, Payment: number, Within: within, Row: &drop.Payment{
			Provider: "test", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2,
		}})
		if err != nil || n%8 == 0 {
			continue
		}
		if n%2 == 0 {
			time.Sleep(60 * time.Millisecond) // the hold ends
		}
		r, err = e.ClaimUnit(ctx, drop.ClaimUnit{Reservation: r.ID, User: user, Payment: number, Within: time.Minute})
		if err != nil {
			continue
		}
		_, paid, err := e.CompletePayment(ctx, drop.CompletePayment{Reservation: r.Claim, Payment: number})
		if err == nil && n%4 == 1 {
			_, _ = e.BookRefund(ctx, drop.BookRefund{Purchase: paid.Purchase, Payment: number, Refunded: 50})
		}
	}
}

func TestDrop_UnknownDropAndDatabaseError(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		if _, err := audit.Drop(t.Context(), d, 9); drop.CodeOf(err) != drop.CodeDropNotFound {
			t.Errorf("drop 9: %v", err)
		}
		fill(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if r, err := audit.Run(ctx, d, nil); err == nil {
			t.Errorf("an audit that could not read reports %s", fmt.Sprint(r))
		}
	})
}
