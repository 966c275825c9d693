package events_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/copier"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// shop is a store with its engine and feed.
type shop struct {
	*testing.T

	store    store.Store
	database string
	engine   *engine.Engine
	feed     *events.Feed
	pays     bool // trade begins payments, refunds some, and takes sold units back
	payments atomic.Int64
}

// hold is how long reservations last. Nothing depends on what is done within it.
const hold = 40 * time.Millisecond

func open(t *testing.T, name string) *shop {
	t.Helper()
	s, database := stores.OpenDatabase(t, name)
	return openStore(t, s, database)
}

func openStore(t *testing.T, s store.Store, database string) *shop {
	t.Helper()
	e := engine.New(s, engine.Config{Hold: hold, Log: slog.New(slog.DiscardHandler)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &shop{T: t, store: s, database: database, engine: e, feed: events.New(s, e, "EUR", slog.New(slog.DiscardHandler))}
}

func onEach(t *testing.T, test func(*shop)) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) { test(open(t, name)) })
	}
}

func (s *shop) create(spec drop.Spec) drop.ID {
	s.Helper()
	v, err := s.engine.Create(s.Context(), spec, engine.Retry{})
	if err != nil {
		s.Fatal(err)
	}
	return v.Drop.ID
}

func plain(n int64) drop.Spec {
	return drop.Spec{Name: "Comet", Price: 11_999, StartTime: 1, TotalStock: &n}
}

func sized(n int64, labels ...string) drop.Spec {
	spec := drop.Spec{Name: "Zenith", Price: 9_900, StartTime: 1, LimitPerUser: 3}
	for _, label := range labels {
		spec.Sizes = append(spec.Sizes, drop.SizeSpec{Label: label, Stock: n})
	}
	return spec
}

// sell makes n purchases of a drop, however slow the machine is: it tries again if a hold ends before its purchase.
func (s *shop) sell(id drop.ID, n int) {
	s.Helper()
	size := s.engine.Known(id).Drop.Sizes[0].Label
	buyer := drop.UserID(1000)
	await.Until(s, fmt.Sprintf("%d purchases of drop %d are made", n, id), func() bool {
		buyer++
		held, err := s.engine.Reserve(s.Context(), id, buyer, size, engine.Retry{})
		if err == nil {
			_, err = s.engine.Purchase(s.Context(), held.ID, 0, engine.Retry{})
		}
		switch {
		case err == nil:
			n--
		case drop.CodeOf(err) == "":
			s.Error(err)
		}
		return n <= 0
	})
}

// trade sells, cancels, restocks and edits at random, from several goroutines, and then waits until no hold is left.
func (s *shop) trade(seed uint64, rounds int, ids ...drop.ID) {
	s.Helper()
	done := make(chan struct{})
	const traders = 4
	for i := range traders {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		go func() {
			defer func() { done <- struct{}{} }()
			var held []drop.ReservationID
			var bought []drop.PurchaseID
			for range rounds {
				id := ids[r.IntN(len(ids))]
				v := s.engine.Known(id)
				size := v.Drop.Sizes[r.IntN(len(v.Drop.Sizes))].Label
				var err error
				switch n := r.IntN(20); {
				case s.pays && n%5 == 4 && len(held) > 0:
					if id := held[r.IntN(len(held))]; n < 10 {
						s.begin(id)
					} else {
						s.pay(id, "", drop.Money(r.IntN(3)))
					}
				case s.pays && n%5 == 3 && len(bought) > 0:
					_, err = s.engine.Return(s.Context(), drop.ReturnPurchase{Purchase: bought[r.IntN(len(bought))], Restock: r.IntN(3) > 0}, engine.Retry{})
				case n < 10:
					var got drop.Reservation
					if got, err = s.engine.Reserve(s.Context(), id, drop.UserID(r.IntN(50)+1), size, engine.Retry{}); err == nil {
						held = append(held, got.ID)
					}
				case n < 15 && len(held) > 0:
					var got drop.Purchase
					if got, err = s.engine.Purchase(s.Context(), held[r.IntN(len(held))], 0, engine.Retry{}); err == nil {
						bought = append(bought, got.ID)
					}
				case n < 17 && len(held) > 0:
					_, err = s.engine.Cancel(s.Context(), held[r.IntN(len(held))], 0, engine.Retry{})
				case n == 17:
					_, err = s.engine.Restock(s.Context(), id, drop.Restock{Add: int64(r.IntN(5) - 2), Size: size}, engine.Retry{})
				case n == 18:
					_, err = s.engine.Edit(s.Context(), id, drop.Edit{LimitPerUser: new(r.IntN(9) + 1)})
				default:
					_, err = s.engine.Edit(s.Context(), id, drop.Edit{Hidden: new(r.IntN(2) == 0)})
				}
				if err != nil && drop.CodeOf(err) == "" {
					s.Error(err)
				}
			}
		}()
	}
	for range traders {
		<-done
	}
	await.Until(s, "holds are left", func() bool {
		for _, id := range ids {
			if s.engine.Known(id).Drop.Stock().Held > 0 {
				return false
			}
		}
		return true
	})
}

// begin begins to pay for a reservation, as another server would. Its hold becomes no longer.
func (s *shop) begin(id drop.ReservationID) {
	cmds := []drop.Command{drop.StartPayment{Reservation: id, Payment: 1 + drop.PaymentID(rand.IntN(3)), Within: time.Millisecond, Hold: hold}}
	batch := drop.BatchID{1}
	for i := range 8 {
		batch[i+1] = byte(rand.Uint32())
	}
	err := s.store.RunBatch(s.Context(), &storetest.Batch{Drop: id.Drop(), Need: drop.NeedOf(cmds), Decider: func(state *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(state, now, batch, cmds)
		return changes
	}})
	if err != nil {
		s.Error(err)
	}
}

// pay sells a reserved unit for money, if it is still held, and refunds some of it.
func (s *shop) pay(id drop.ReservationID, receipt string, refunded drop.Money) {
	number := drop.PaymentID(1_000 + s.payments.Add(1))
	r, begun, err := s.engine.StartPayment(s.Context(), drop.StartPayment{Reservation: id, Payment: number, Within: time.Millisecond, Hold: hold, Row: &drop.Payment{
		Provider: "test", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2,
	}})
	if err == nil && begun == nil {
		return // another payment has begun
	}
	if err == nil {
		r, err = s.engine.ClaimUnit(s.Context(), drop.ClaimUnit{Reservation: id, User: r.UserID, Payment: number, Within: time.Minute})
	}
	var paid *drop.Payment
	if err == nil {
		_, paid, err = s.engine.CompletePayment(s.Context(), drop.CompletePayment{Reservation: r.Claim, Payment: number, Number: "n", Receipt: receipt})
	}
	if err == nil && refunded != 0 {
		_, err = s.engine.BookRefund(s.Context(), drop.BookRefund{Purchase: paid.Purchase, Payment: number, Refunded: refunded})
	}
	if err != nil && drop.CodeOf(err) == "" {
		s.Error(err)
	}
}

// all reads everything that the filter takes, page by page, and passes each cursor on as text.
func (s *shop) all(w events.Filter, limit int) (found []events.Event) {
	s.Helper()
	text := ""
	for {
		c, err := events.ParseCursor(text)
		if err != nil {
			s.Fatal(err)
		}
		page, next, more, err := s.feed.Read(s.Context(), c, w, limit)
		if err != nil {
			s.Fatal(err)
		}
		if len(page) > limit {
			s.Fatalf("%d events, asked for at most %d", len(page), limit)
		}
		found = append(found, page...)
		if len(page) == 0 && !more {
			if pending, err := s.feed.Pending(s.Context(), next, w); err != nil || len(pending) > 0 {
				s.Fatalf("drops %v are pending after the last page, %v", pending, err)
			}
			return found
		}
		text = next.String()
	}
}

// byDrop sorts events into their drops and encodes them.
func byDrop(all []events.Event) map[drop.ID][]string {
	of := make(map[drop.ID][]string)
	for i := range all {
		of[all[i].Drop] = append(of[all[i].Drop], string(all[i].JSON()))
	}
	return of
}

type sent struct {
	ID      string
	Type    events.Type
	At      string
	DropID  drop.ID
	Seq     int64
	Version int64
	Data    struct {
		ReservationID drop.ReservationID
		PurchaseID    drop.PurchaseID
		UserID        drop.UserID
		Offer         bool
		Size          *string
		TotalStock    int64 `json:"total_stock"`
		Add           int64
		Available     *int64 `json:"available_stock"`
		Changed       []string
		Returned      string
		Payment       *events.PaymentData
	}
}

// check compares the events of a drop with its rows.
func (s *shop) check(id drop.ID, lines []string, versions bool) {
	s.Helper()
	reservations, purchases := make(map[drop.ReservationID]drop.Reservation), make(map[drop.PurchaseID]drop.Purchase)
	var head *drop.State
	if err := s.store.ReadBooks(s.Context(), id, store.Books{
		Head:        func(d *drop.State) error { head = d; return nil },
		Entry:       func(drop.LedgerEntry) error { return nil },
		Reservation: func(r drop.Reservation) error { reservations[r.ID] = r; return nil },
		Purchase:    func(p drop.Purchase) error { purchases[p.ID] = p; return nil },
	}); err != nil {
		s.Fatal(err)
	}
	ends := map[bool]map[drop.Status]events.Type{
		false: {drop.Expired: events.HoldExpired, drop.Cancelled: events.HoldCancelled, drop.Completed: events.PurchaseCompleted},
		true:  {drop.Expired: events.WaitlistOfferExpired, drop.Cancelled: events.WaitlistOfferDeclined, drop.Completed: events.PurchaseCompleted},
	}
	begun, ended := make(map[drop.ReservationID]bool), make(map[drop.ReservationID]events.Type)
	returned, refunded := make(map[drop.PurchaseID]bool), make(map[drop.ReservationID]bool)
	paid := make(map[drop.ReservationID]drop.Payment)
	rows, err := s.store.PaymentsFor(s.Context(), slices.Sorted(maps.Keys(reservations)))
	if err != nil {
		s.Fatal(err)
	}
	for _, p := range rows {
		paid[p.Unit] = p
	}
	available, sellOut, version := int64(0), false, int64(0)
	for i, line := range lines {
		var e sent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.Fatal(err)
		}
		fault := func(format string, args ...any) {
			s.Errorf("drop %d, event %d: %s\n%s", id, i+1, fmt.Sprintf(format, args...), line)
		}
		if e.Seq != int64(i+1) || e.ID != fmt.Sprintf("%d-%d", id, i+1) || e.DropID != id {
			fault("want seq %d", i+1)
		}
		if e.Version < version || versions && e.Version == 0 {
			fault("its version is less than %d", version)
		}
		version = e.Version
		d := &e.Data
		switch e.Type {
		case events.DropCreated:
			if available += d.TotalStock; i != 0 {
				fault("created twice")
			}
		case events.DropUpdated:
			available += d.Add
			if len(d.Changed) == 0 {
				fault("it does not say what changed")
			}
		case events.HoldCreated, events.WaitlistOffered:
			available--
			r := reservations[d.ReservationID]
			if begun[d.ReservationID] || r.UserID != d.UserID || r.Offer != d.Offer || r.Offer != (e.Type == events.WaitlistOffered) {
				fault("a second time, or with another user than %+v", r)
			}
			begun[d.ReservationID] = true
		case events.HoldExpired, events.HoldCancelled, events.WaitlistOfferExpired, events.WaitlistOfferDeclined, events.PurchaseCompleted:
			if e.Type != events.PurchaseCompleted {
				available++
			}
			if !begun[d.ReservationID] || ended[d.ReservationID] != "" {
				fault("the hold has not begun, or has ended before")
			}
			ended[d.ReservationID] = e.Type
			if p := purchases[d.PurchaseID]; e.Type == events.PurchaseCompleted && (p.ReservationID != d.ReservationID || p.UserID != d.UserID) {
				fault("the purchase is %+v", p)
			} else if e.Type == events.PurchaseCompleted {
				want, has := paid[p.ReservationID]
				if got := d.Payment; (got != nil) != has || has && (got.Amount != "119.99" && got.Amount != "99" || got.Refunded != json.Number(want.Refunded.String()) || got.Status != "captured") {
					fault("the payment is %+v", want)
				}
			}
		case events.PurchaseReturned:
			p := purchases[d.PurchaseID]
			if returned[p.ID] || ended[p.ReservationID] != events.PurchaseCompleted || d.ReservationID != p.ReservationID || d.Returned != p.Return.String() {
				fault("a second time, or the purchase is %+v", p)
			}
			returned[p.ID] = true
			if p.Return == drop.BackOnSale {
				available++
			}
		case events.PurchaseRefunded:
			p := purchases[d.PurchaseID]
			if refunded[p.ReservationID] || ended[p.ReservationID] != events.PurchaseCompleted || d.Payment == nil || d.Payment.Refunded == "0" {
				fault("a second time, or the purchase is %+v", p)
			}
			refunded[p.ReservationID] = true
		case events.DropSoldOut, events.DropBackInStock:
			if (available == 0) != (e.Type == events.DropSoldOut) || *d.Available != available || sellOut == (available == 0) {
				fault("%d units were on sale", available)
			}
			sellOut = available == 0
		default:
			fault("unknown type")
		}
	}
	if stock := head.Stock(); available != stock.Available || sellOut != (stock.Available == 0) {
		s.Errorf("drop %d: %d on sale after all events and sold out %t, stored %+v", id, available, sellOut, stock)
	}
	if versions && version != head.Version {
		s.Errorf("drop %d: the newest event has version %d, the drop %d", id, version, head.Version)
	}
	for _, p := range purchases {
		if returned[p.ID] != (p.Return != drop.NotReturned) {
			s.Errorf("purchase %d is %s, the events say returned %t", p.ID, p.Return, returned[p.ID])
		}
	}
	for unit, p := range paid {
		if refunded[unit] != (p.Booked != 0) {
			s.Errorf("%s of payment %d are refunded, the events say refunded %t", p.Booked, p.ID, refunded[unit])
		}
	}
	for _, r := range reservations {
		if !begun[r.ID] || ended[r.ID] != ends[r.Offer][r.Status] {
			s.Errorf("reservation %d is %s, the events say begun %t and %q", r.ID, r.Status, begun[r.ID], ended[r.ID])
		}
	}
}

// Every reservation, purchase, restock and edit is one event, in an order that is possible, however it is read.
func TestFeed_IsWhatHappened(t *testing.T) {
	onEach(t, func(s *shop) {
		seed := rand.Uint64()
		s.Logf("seed %d", seed)
		ids := []drop.ID{s.create(plain(30)), s.create(sized(9, "9", "10", "ü 8½")), s.create(plain(3))}
		s.sell(ids[1], 1)
		s.pays = true
		s.trade(seed, 150, ids...)
		all := s.all(events.Filter{}, 1000)
		want := byDrop(all)
		for _, id := range ids {
			if len(want[id]) < 5 {
				s.Errorf("only %d events of drop %d", len(want[id]), id)
			}
			s.check(id, want[id], true)
		}
		for _, limit := range []int{1, 7, 100} {
			if got := byDrop(s.all(events.Filter{}, limit)); fmt.Sprint(got) != fmt.Sprint(want) {
				s.Errorf("%d at a time differ", limit)
			}
		}
		bought := events.Filter{Types: []events.Type{events.PurchaseCompleted}, Drops: ids[1:2]}
		var some []string
		for i := range all {
			if all[i].Drop == ids[1] && all[i].Type == events.PurchaseCompleted {
				some = append(some, string(all[i].JSON()))
			}
		}
		if got := byDrop(s.all(bought, 5)); !slices.Equal(got[ids[1]], some) || len(got) != 1 {
			s.Errorf("purchases of one drop:\n%v\nwant\n%v", got, some)
		}
	})
}

// asked counts the reads of payments.
type asked struct {
	store.Store

	any, units int
}

func (a *asked) NewestPayments(ctx context.Context, before drop.PaymentID, limit int) ([]drop.Payment, error) {
	a.any++
	return a.Store.NewestPayments(ctx, before, limit)
}

func (a *asked) PaymentsFor(ctx context.Context, units []drop.ReservationID) ([]drop.Payment, error) {
	a.units++
	return a.Store.PaymentsFor(ctx, units)
}

// Events of a purchase say what was paid for it here, and what is refunded when they are read. A refund is a new event,
// and leaves the others where they are.
func TestFeed_PurchasesHaveTheirPayments(t *testing.T) {
	onEach(t, func(s *shop) {
		source := &asked{Store: s.store}
		s.feed = events.New(source, s.engine, "EUR", slog.New(slog.DiscardHandler))
		id := s.create(plain(300))
		s.sell(id, 2)
		sales := events.Filter{Types: []events.Type{events.PurchaseCompleted, events.PurchaseReturned, events.PurchaseRefunded}}
		if lines := byDrop(s.all(sales, 1000))[id]; len(lines) != 2 || strings.Contains(lines[0], "payment") || source.units != 0 || source.any != 1 {
			s.Errorf("without payments: %v, %+v", lines, source)
		}
		var paid []drop.Purchase
		await.Until(s, "pairs are sold for money", func() bool {
			r, err := s.engine.Reserve(s.Context(), id, 7, "", engine.Retry{})
			if err != nil {
				s.Fatal(err)
			}
			s.pay(r.ID, []string{"R-1", ""}[min(len(paid), 1)], 0)
			sold, err := s.store.PurchasesOf(s.Context(), []drop.ReservationID{r.ID})
			if err != nil {
				s.Fatal(err)
			}
			paid = append(paid, sold...)
			return len(paid) == 2
		})
		*source = asked{Store: s.store}
		before := s.all(sales, 1000)
		if len(before) != 4 || source.units != 1 || source.any != 1 {
			s.Fatalf("%d events, %+v", len(before), source)
		}
		for i, want := range []string{
			"", "", `"payment":{"number":"R-1","amount":119.99,"currency":"EUR","status":"captured","refunded":0}`,
			`"payment":{"number":"n","amount":119.99,"currency":"EUR","status":"captured","refunded":0}`,
		} {
			if line := string(before[i].JSON()); !strings.Contains(line, want) || (want == "") == strings.Contains(line, "payment") {
				s.Errorf("event %d: %s, want %s", i+1, line, want)
			}
		}
		rows, err := s.store.PaymentsFor(s.Context(), []drop.ReservationID{paid[0].ReservationID})
		if err == nil {
			_, err = s.engine.BookRefund(s.Context(), drop.BookRefund{Purchase: paid[0].ID, Payment: rows[0].ID, Refunded: 2_050})
		}
		if err != nil {
			s.Fatal(err)
		}
		after := s.all(sales, 1000)
		if source.units != 2 || source.any != 1 {
			s.Errorf("two pages were read with %+v", source)
		}
		for i := range before {
			if after[i].ID() != before[i].ID() || after[i].After != before[i].After || after[i].Type != before[i].Type {
				s.Errorf("event %s is now %s", before[i].JSON(), after[i].JSON())
			}
		}
		refund := string(after[4].JSON())
		if len(after) != 5 || after[4].Type != events.PurchaseRefunded || !strings.Contains(refund, `"number":"R-1"`) || !strings.Contains(refund, `"refunded":20.5}`) {
			s.Errorf("the refund: %s", refund)
		}
		if line := string(after[2].JSON()); !strings.Contains(line, `"refunded":20.5}`) {
			s.Errorf("the purchase after the refund: %s", line)
		}
	})
}

// Programs of before did not record versions, numbers and revisions. Their sales are events all the same, with the
// same numbers each time.
func TestFeed_OfOlderPrograms(t *testing.T) {
	for _, name := range []string{"postgres", "sqlite"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, name)
			ids := []drop.ID{s.create(plain(20)), s.create(sized(6, "9", "10"))}
			s.trade(1, 80, ids...)
			stores.Exec(t, s.database, `UPDATE ledger SET version = NULL, numbers = NULL; DELETE FROM revisions`)
			old := byDrop(s.all(events.Filter{}, 50))
			for _, id := range ids {
				s.check(id, old[id], false)
			}
			s.pays = true
			s.trade(2, 80, ids...)
			mixed := byDrop(s.all(events.Filter{}, 1000))
			for _, id := range ids {
				s.check(id, mixed[id], false)
				if n := len(old[id]); !slices.Equal(mixed[id][:n], old[id]) {
					s.Errorf("drop %d: the events of before changed", id)
				}
			}
		})
	}
}

// A reader that begins now gets what comes, and nothing of before.
func TestFeed_FromNowOn(t *testing.T) {
	onEach(t, func(s *shop) {
		ids := []drop.ID{s.create(plain(20)), s.create(plain(20))}
		s.trade(3, 40, ids...)
		before := byDrop(s.all(events.Filter{}, 1000))
		c, err := s.feed.Now(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		if pending, err := s.feed.Pending(s.Context(), c, events.Filter{}); err != nil || len(pending) > 0 {
			s.Fatalf("pending %v, %v", pending, err)
		}
		s.trade(4, 40, ids...)
		made := s.create(plain(1))
		found, _, _, err := s.feed.Read(s.Context(), c, events.Filter{}, 1000)
		if err != nil {
			s.Fatal(err)
		}
		got, all := byDrop(found), byDrop(s.all(events.Filter{}, 1000))
		for _, id := range append(ids, made) {
			if want := all[id][len(before[id]):]; !slices.Equal(got[id], want) || len(want) == 0 {
				s.Errorf("drop %d: got %d events, want the last %d", id, len(got[id]), len(want))
			}
		}
	})
}

// counted counts the ledger entries that are read.
type counted struct {
	store.Store

	entries int
}

func (c *counted) Facts(ctx context.Context, id drop.ID, after drop.Seq, version int64, limit int) (store.Facts, error) {
	f, err := c.Store.Facts(ctx, id, after, version, limit)
	c.entries += len(f.Entries)
	return f, err
}

// Whoever looks for a place at a drop's end reads only what is new since somebody was there.
func TestFeed_LooksOnlyBehindTheLastEnd(t *testing.T) {
	s := open(t, "memory")
	id := s.create(plain(40))
	s.trade(5, 60, id)
	source := &counted{Store: s.store}
	feed := events.New(source, s.engine, "EUR", slog.New(slog.DiscardHandler))
	all := s.all(events.Filter{}, 1000)
	reads := func(most int, what string, read func() error) {
		t.Helper()
		source.entries = 0
		if err := read(); err != nil {
			t.Fatal(err)
		}
		if source.entries > most {
			t.Errorf("%s reads %d entries, want at most %d", what, source.entries, most)
		}
	}
	end := all[len(all)-1]
	for range 2 {
		found, err := feed.End(t.Context(), id)
		if err != nil || found != end.After {
			t.Fatalf("%+v, %v, want %+v", found, err, end.After)
		}
	}
	reads(1, "the end", func() error { _, err := feed.End(t.Context(), id); return err })
	reads(1, "the place now", func() error { _, err := feed.Now(t.Context()); return err })
	reads(1, "a place behind the newest event", func() error {
		_, err := feed.Position(t.Context(), events.Cursor{Settled: end.At, From: drop.MaxID + 1}, id)
		return err
	})
	// The places are the same as without a known end.
	for _, e := range all {
		c := events.Cursor{Settled: e.At - 1, From: drop.MaxID + 1}
		fresh := events.New(s.store, s.engine, "EUR", slog.New(slog.DiscardHandler))
		want, err := fresh.Position(t.Context(), c, id)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := feed.Position(t.Context(), c, id); err != nil || got != want {
			t.Fatalf("before event %d: %+v, %v, want %+v", e.Seq, got, err, want)
		}
	}
	s.trade(6, 10, id)
	all = s.all(events.Filter{}, 1000)
	if found, err := feed.End(t.Context(), id); err != nil || found != all[len(all)-1].After {
		t.Errorf("after more: %+v, %v, want %+v", found, err, all[len(all)-1].After)
	}
}

// What a failover has lost after it had been read comes again, from the drop's first event on.
func TestFeed_AfterALostTail(t *testing.T) {
	s := open(t, "sqlite")
	id := s.create(plain(20))
	s.trade(5, 30, id)
	page, err := s.feed.Drop(s.Context(), id, events.Position{}, events.Filter{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	n := len(page.Events)
	for what, at := range map[string]events.Position{
		"another batch": {Seq: page.End.Seq, Version: page.End.Version, Event: page.End.Event, Available: page.End.Available, Mark: page.End.Mark + 1},
		"beyond":        {Seq: page.End.Seq + 5, Version: page.End.Version + 5, Event: page.End.Event + 9, Mark: page.End.Mark},
	} {
		again, err := s.feed.Drop(t.Context(), id, at, events.Filter{}, 1000)
		if err != nil || len(again.Events) != n || again.End != page.End {
			t.Errorf("%s: %d events, want %d, %v", what, len(again.Events), n, err)
		}
	}
	if same, err := s.feed.Drop(t.Context(), id, page.End, events.Filter{}, 1000); err != nil || len(same.Events) != 0 {
		t.Errorf("at the end: %d events, %v", len(same.Events), err)
	}
}

// Of movements that wait together the newest of each kind is left. Purchases are never left out.
func TestFeed_NewestMovements(t *testing.T) {
	s := open(t, "memory")
	id := s.create(plain(10))
	s.trade(6, 60, id)
	all, err := s.feed.Drop(t.Context(), id, events.Position{}, events.Filter{}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	few, err := s.feed.Drop(t.Context(), id, events.Position{}, events.Filter{Newest: true}, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	count := func(list []events.Event) (n map[events.Type]int, skipped int) {
		n = make(map[events.Type]int)
		for i := range list {
			n[list[i].Type]++
			skipped += list[i].Skipped
		}
		return n, skipped
	}
	have, _ := count(all.Events)
	got, skipped := count(few.Events)
	for kind, n := range have {
		want := n
		if kind.Movement() {
			want = 1
		}
		if kind != events.DropSoldOut && kind != events.DropBackInStock && got[kind] != want {
			t.Errorf("%d events of %s, want %d of %d", got[kind], kind, want, n)
		}
	}
	if n := got[events.DropSoldOut] + got[events.DropBackInStock]; n != 1 {
		t.Errorf("%d events say whether it is sold out", n)
	}
	if skipped != len(all.Events)-len(few.Events) || few.End != all.End {
		t.Errorf("%d skipped of %d, %d left, ends at %+v and %+v", skipped, len(all.Events), len(few.Events), few.End, all.End)
	}
	last := few.Events[len(few.Events)-1]
	if !bytes.Contains(last.Message(), []byte(`"timestamp":`)) || len(last.Message()) > 20_000 {
		t.Errorf("message %s", last.Message())
	}
}

// A reader of the feed dies 100 times while a shop sells: it loses what it had not stored, and goes on where it had.
// It sees each purchase, in the order of its drop.
func TestFeed_ReaderDies100Times(t *testing.T) {
	onEach(t, func(s *shop) {
		seed := rand.Uint64()
		s.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		ids := []drop.ID{s.create(plain(2000)), s.create(sized(500, "9", "10"))}
		over := make(chan struct{})
		go func() {
			defer close(over)
			for i := range uint64(4) {
				s.trade(seed+i, 100, ids...)
				s.sell(ids[0], 15)
			}
		}()
		w := events.Filter{Types: []events.Type{events.PurchaseCompleted}}
		stored := "" // the cursor that outlives the reader
		seen := make(map[string]bool)
		newest := make(map[drop.ID]int64)
		read := func(ctx context.Context) (n int) {
			c, err := events.ParseCursor(stored)
			if err != nil {
				s.Fatal(err)
			}
			generation := s.feed.Generation()
			found, next, more, err := s.feed.Read(ctx, c, w, 1+r.IntN(20))
			if err != nil {
				s.Fatal(err)
			}
			dies := r.IntN(len(found) + 2) // at this event; behind the last one it has stored
			for i := range found[:min(dies, len(found))] {
				e := &found[i]
				if !seen[e.ID()] && e.Seq <= newest[e.Drop] {
					s.Errorf("event %s comes after %d", e.ID(), newest[e.Drop])
				}
				seen[e.ID()], newest[e.Drop] = true, max(newest[e.Drop], e.Seq)
			}
			if dies >= len(found) {
				stored = next.String()
			}
			if len(found) == 0 && !more {
				short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
				defer cancel()
				s.feed.Wait(short, generation)
			}
			return len(found)
		}
		for range 100 {
			read(s.Context())
		}
		<-over
		for n := 1; n > 0; {
			n = 0
			for range 5 { // a reader that dies at once reads nothing
				n = max(n, read(s.Context()))
			}
		}
		total := 0
		for _, id := range ids {
			sales, err := s.store.Purchases(s.Context(), id, 0, 10_000)
			if err != nil {
				s.Fatal(err)
			}
			total += len(sales)
		}
		if len(seen) != total || total < 50 {
			s.Errorf("the reader saw %d purchases of %d", len(seen), total)
		}
	})
}

// A cursor goes on in a copy of the shop on another engine, with the same events under the same numbers.
func TestFeed_CursorGoesOnInACopy(t *testing.T) {
	from := open(t, "sqlite")
	ids := []drop.ID{from.create(plain(20)), from.create(sized(6, "9", "10"))}
	from.trade(8, 60, ids...)
	want := byDrop(from.all(events.Filter{}, 1000))
	first, cursor, _, err := from.feed.Read(t.Context(), events.Cursor{}, events.Filter{}, 40)
	if err != nil {
		t.Fatal(err)
	}
	second, database := stores.OpenDatabase(t, "postgres")
	if _, err := copier.Run(t.Context(), from.store, second, nil); err != nil {
		t.Fatal(err)
	}
	to := openStore(t, second, database)
	to.trade(9, 20, ids...)
	c, err := events.ParseCursor(cursor.String())
	if err != nil {
		t.Fatal(err)
	}
	rest, _, _, err := to.feed.Read(t.Context(), c, events.Filter{}, 1000)
	if err != nil {
		t.Fatal(err)
	}
	got := byDrop(append(first, rest...))
	for _, id := range ids {
		if n := len(want[id]); len(got[id]) <= n || !slices.Equal(got[id][:n], want[id]) {
			t.Errorf("drop %d: %d events, want more than %d that begin with those of before", id, len(got[id]), n)
		}
		to.check(id, got[id], true)
	}
}
