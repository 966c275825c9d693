package audit_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// damagedRows makes the rows of one drop from bytes, in any state.
type damagedRows struct{ rest []byte }

func (d *damagedRows) n(below int) int {
	if len(d.rest) == 0 {
		return 0
	}
	n := int(d.rest[0]) % below
	d.rest = d.rest[1:]
	return n
}

func (d *damagedRows) number() int64 {
	return []int64{0, 1, 2, 3, 4, -1, 1 << 32, 1<<63 - 1, -1 << 63, 7, 60_000, 100}[d.n(12)]
}

// claim is mostly nothing.
func (d *damagedRows) claim() drop.ReservationID {
	return []drop.ReservationID{0, 0, 0, drop.NewReservationID(1, 1), drop.NewReservationID(1, 3), drop.NewReservationID(1, 9), drop.ReservationID(d.number())}[d.n(7)]
}

// kept is what is stored of a draw: mostly a right record of drop 1, with three entries for two sizes.
func (d *damagedRows) kept() store.Draw {
	kept := keptOfOne()
	kept.Secrets.Key = kept.Secrets.Key[:32-d.n(2)]
	kept.Secrets.Seed = kept.Secrets.Seed[:32-31*d.n(2)]
	switch d.n(5) {
	case 0:
		kept.Record = nil
	case 1:
		kept.Record = bytes.Clone(kept.Record)
		kept.Record[d.n(len(kept.Record))]++
	case 2:
		kept.Closed = []string{"", "{}", "[]", `{"stock":[{"size":"9","units":-1}]}`}[d.n(4)]
	}
	kept.Beacon = []string{"", "", "", "{}"}[d.n(4)]
	return kept
}

// early are accesses with any terms.
func (d *damagedRows) early() (all []drop.Access) {
	for range d.n(4) {
		all = append(all, drop.Access{
			Sizes: [][]int{nil, {0}, {1, 0}, {-1, 9}}[d.n(4)], Starts: drop.Time(d.number()), Ends: drop.Time(d.number()), Uses: int(d.number()),
			PerBuyer: int(d.number()), Units: d.number(), Kept: [][]int64{nil, {1}, {d.number(), d.number()}, {1, 2, 3, -4}}[d.n(4)],
			Passes: uint32(d.number()), Used: d.number(),
		})
	}
	return all
}

// pass is mostly none.
func (d *damagedRows) pass() drop.PassID {
	return []drop.PassID{0, 0, drop.NewPassID(1, 1, 1), drop.NewPassID(1, 1, 2), drop.NewPassID(1, 2, 1), drop.PassID(d.number())}[d.n(6)]
}

func (d *damagedRows) label() string { return []string{"", "9", "9.5", "\x00"}[d.n(4)] }

func (d *damagedRows) Pulse(context.Context) (store.Pulse, error) {
	return store.Pulse{Drops: []store.DropPulse{{ID: 1}}}, nil
}

// ReadBooks keeps only what a store promises, the order of the numbers.
func (d *damagedRows) ReadBooks(_ context.Context, _ drop.ID, b store.Books) error {
	s := &drop.State{
		Drop: drop.Drop{ID: 1, Version: d.number()}, LastAt: drop.Time(d.number()), Seq: drop.Seq(d.number()), Reserved: uint32(d.number()), Purchased: uint32(d.number()),
		Waited: uint32(d.number()), LineClosed: uint32(d.number()),
		Batch: drop.BatchID{byte(d.n(3))},
	}
	if d.n(2) == 1 {
		s.Draw = drop.Draw{Opens: drop.Time(d.number()), Closes: drop.Time(d.number()), PayWithin: 60, Commitment: drop.Hash(draw.Commit(tenSeed))}
		s.DrawState = drop.DrawState{Phase: drop.DrawPhase(d.n(4)), Entered: uint32(d.number()), Lined: uint32(d.n(4))}
	}
	s.StartTime, s.Accesses = drop.Time(d.number()), d.early()
	for range d.n(3) {
		s.Sizes = append(s.Sizes, drop.Size{Label: d.label(), Stock: drop.Stock{Total: d.number(), Available: d.number(), Held: d.number(), Sold: d.number()}, Waiting: d.number(), Pending: d.number()})
	}
	if err := b.Head(s); err != nil {
		return err
	}
	reasons := []drop.Reason{
		drop.Created, drop.Restocked, drop.Reserved, drop.Purchased, drop.ReservationExpired, drop.ReservationCancelled, "", "x",
		drop.PaymentStarted, drop.Returned, drop.WrittenOff, drop.MoneyRefunded,
		drop.WaitlistOffered, drop.OfferExpired, drop.OfferDeclined, drop.WaitlistKept, drop.WaitlistFreed, drop.AccessKept, drop.AccessFreed,
	}
	seq := drop.Seq(0)
	for range d.n(8) {
		seq += drop.Seq(d.n(3))
		if err := b.Entry(drop.LedgerEntry{
			Seq: seq, Batch: drop.BatchID{byte(d.n(3))}, At: drop.Time(d.number()), Size: d.label(), Reason: reasons[d.n(len(reasons))], Units: d.number(), Available: d.number(),
			Numbers: []drop.Numbers{"", "", drop.NumbersOf(1, 2), drop.NumbersOf(2, 9), "\x00"}[d.n(5)],
		}); err != nil {
			return err
		}
	}
	n := uint32(0)
	for range d.n(6) {
		n += uint32(d.n(3))
		if err := b.Reservation(drop.Reservation{
			ID: drop.NewReservationID(drop.ID(d.n(2)), n), UserID: drop.UserID(d.number()), Size: d.label(), Status: drop.Status(d.n(6)),
			CreatedAt: drop.Time(d.number()), ExpiresAt: drop.Time(d.number()), EndedAt: drop.Time(d.number()),
			Payment: drop.PaymentID(d.n(3)), Claim: d.claim(), Offer: d.n(3) == 0, Pass: d.pass(),
		}); err != nil {
			return err
		}
	}
	n = 0
	for range d.n(6) {
		n += uint32(d.n(3))
		if err := b.Purchase(drop.Purchase{
			ID: drop.NewPurchaseID(1, n), ReservationID: drop.NewReservationID(1, uint32(d.n(6))), UserID: drop.UserID(d.number()), Size: d.label(),
			Price: drop.Money(d.number()), CreatedAt: drop.Time(d.number()),
			Return: drop.Return(d.n(4)), ReturnedAt: drop.Time(d.number()),
		}); err != nil {
			return err
		}
	}
	for range d.n(3) {
		if err := b.Draw(d.kept()); err != nil {
			return err
		}
	}
	n = 0
	for range d.n(6) {
		n += uint32(d.n(3))
		if err := b.DrawEntry(drop.DrawEntry{
			ID: drop.NewEntryID(1, n), UserID: drop.UserID(d.n(4)), Sizes: []drop.Ranking{"0", "1,0", "", "0,0", "x", "7"}[d.n(6)],
			CreatedAt: drop.Time(d.number()), WithdrawnAt: drop.Time(d.number() * int64(d.n(2))), Removed: d.label(), Pass: d.pass(),
		}); err != nil {
			return err
		}
	}
	for range d.n(6) {
		if err := b.Pass(drop.Pass{ID: d.pass(), Hash: drop.Hash{byte(d.n(3))}, Used: int(d.number())}); err != nil {
			return err
		}
	}
	n = 0
	for range d.n(6) {
		n += uint32(d.n(3))
		if err := b.Waits(drop.Entry{
			ID: drop.NewEntryID(1, n), UserID: drop.UserID(d.n(3)), Line: d.n(4) - 1, Size: d.label(), Status: drop.EntryStatus(d.n(6)),
			CreatedAt: drop.Time(d.number()), EndedAt: drop.Time(d.number()), Offer: d.claim(), Why: drop.Code(d.label()),
		}); err != nil {
			return err
		}
	}
	return nil
}

// PaymentsOfDrop has any payments, in any order.
func (d *damagedRows) PaymentsOfDrop(_ context.Context, _ drop.ID, each func(drop.Payment) error) error {
	states := []string{drop.PaymentOpen, drop.PaymentClaimed, drop.PaymentCaptured, drop.PaymentCaptured, drop.PaymentVoided, drop.PaymentRefunded, "x"}
	for range d.n(4) {
		if err := each(drop.Payment{
			ID: drop.PaymentID(d.n(4)), Reservation: drop.NewReservationID(drop.ID(d.n(3)), uint32(d.n(6))), User: drop.UserID(d.number()),
			State: states[d.n(len(states))], Unsettled: d.n(2) == 0, Amount: drop.Money(d.number()), Refunded: drop.Money(d.number()),
			Currency: d.label(), Unit: d.claim(), Purchase: drop.PurchaseID(d.n(2)) * drop.NewPurchaseID(1, uint32(d.n(6))), CreatedAt: drop.Time(d.number()),
		}); err != nil {
			return err
		}
	}
	return nil
}

var keptOfOne = sync.OnceValue(func() store.Draw {
	s := &drop.State{Drop: drop.Drop{ID: 1, Settings: drop.Settings{Name: "One"}}}
	s.Draw = drop.Draw{Closes: 60_000, Commitment: drop.Hash(draw.Commit(tenSeed))}
	d, err := keptOf(s, []drop.DrawEntry{
		{ID: drop.NewEntryID(1, 1), UserID: 1, Sizes: "1,0"}, {ID: drop.NewEntryID(1, 2), UserID: 2, Sizes: "0"}, {ID: drop.NewEntryID(1, 3), UserID: 3, Sizes: "0"},
	}, []draw.Stock{{Size: "", Units: 1}, {Size: "9", Units: 1}})
	if err != nil {
		panic(err)
	}
	return d
})

// FuzzAudit: an audit can read rows with any damage. It counts the differences and describes a limited number of
// them.
func FuzzAudit(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 1, 1, 0, 0, 1, 1, 0, 2, 2, 0, 0, 1, 1, 1, 1, 0, 0, 2, 2})
	for seed := range 20 {
		rows := make([]byte, 160)
		for i := range rows {
			rows[i] = byte(i*i*(seed+5) + i*seed)
		}
		f.Add(rows)
	}
	f.Fuzz(func(t *testing.T, rows []byte) {
		report, err := audit.Run(t.Context(), &damagedRows{rows}, nil)
		if err != nil || len(report.Drops) != 1 {
			t.Fatalf("%+v, %v", report, err)
		}
		d := report.Drops[0]
		if d.Differences < int64(len(d.Sentences)) || d.Differences > 0 && len(d.Sentences) == 0 || len(d.Sentences) > 20 {
			t.Errorf("%d differences and %d sentences", d.Differences, len(d.Sentences))
		}
	})
}
