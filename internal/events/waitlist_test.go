package events_test

import (
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

// still is one drop that no engine runs.
type still struct{ drop drop.Drop }

func (s *still) Generation() uint64        { return uint64(s.drop.Version) }
func (s *still) Queued() int               { return 0 }
func (s *still) All() iter.Seq[*drop.Drop] { return slices.Values([]*drop.Drop{&s.drop}) }

// waiting draws a command for a drop with a waitlist. It draws no pause, so that each unit is offered and none is kept.
func waiting(r *rand.Rand) drop.Command {
	size, user := []string{"9", "10"}[r.IntN(2)], drop.UserID(1+r.IntN(8))
	reservation := drop.NewReservationID(1, uint32(1+r.IntN(80)))
	switch n := r.IntN(17); {
	case n < 5:
		return drop.Join{User: user, Size: size}
	case n < 8:
		return drop.Reserve{User: user, Size: size, Hold: time.Duration(1+r.IntN(20)) * time.Second}
	case n < 11:
		return drop.Cancel{Reservation: reservation}
	case n == 11:
		return drop.MakePurchase{Reservation: reservation}
	case n == 12:
		return drop.ReturnPurchase{Purchase: drop.NewPurchaseID(1, uint32(1+r.IntN(6))), Restock: r.IntN(2) == 0}
	case n == 13:
		return drop.Restock{Add: int64(r.IntN(4) - 1), Size: size}
	case n == 14:
		return drop.Edit{Waitlist: new(r.IntN(3) > 0)} // closes the lines, or opens them again
	case n == 15:
		return drop.Edit{LimitPerUser: new(1 + r.IntN(4))}
	default:
		return drop.Leave{Entry: drop.NewEntryID(1, uint32(1+r.IntN(40)))}
	}
}

// Whatever happens to a drop with a waitlist, each offer and its end are one event, and no event shows a unit on sale
// that went to the line.
func TestFeed_OfADropWithAWaitlist(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	offers := 0
	for run := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, run))
		now := drop.Time(1_700_000_000_000)
		s := memory.New(func() drop.Time { return now })
		spec, err := new(drop.Spec{
			Name: "Comet", Price: 100, Waitlist: true, OfferFor: 10, Sizes: []drop.SizeSpec{{Label: "9", Stock: 2}, {Label: "10", Stock: 1}},
		}).Normal()
		if err != nil {
			t.Fatal(err)
		}
		state, changes := spec.Create(1, now, drop.BatchID{1})
		if err := store.Fill(t.Context(), s, nil, []store.Filled{{State: state, Changes: changes}}, true); err != nil {
			t.Fatal(err)
		}
		drops := &still{}
		for n := range 150 {
			now += drop.Time(r.IntN(4_000))
			cmds := make([]drop.Command, 1+r.IntN(3))
			for i := range cmds {
				cmds[i] = waiting(r)
			}
			if n == 149 {
				cmds = []drop.Command{drop.Edit{Hidden: new(true)}} // an event of the newest version, which joining is not
			}
			id := drop.BatchID{2, byte(n)}
			if err := s.RunBatch(t.Context(), &storetest.Batch{Drop: 1, Need: drop.NeedOf(cmds), Decider: func(state *drop.State, now drop.Time) *drop.Changes {
				_, changes := drop.Apply(state, now, id, cmds)
				drops.drop = state.Drop
				return changes
			}}); err != nil {
				t.Fatal(err)
			}
		}
		shop := &shop{T: t, store: s, feed: events.New(s, drops, "EUR", slog.New(slog.DiscardHandler))}
		all := byDrop(shop.all(events.Filter{}, 1+r.IntN(50)))[1]
		shop.check(1, all, true)
		for _, line := range all {
			if strings.Contains(line, `"type":"waitlist.offered"`) {
				offers++
			}
		}
		if !strings.Contains(all[0], `"waitlist":true,"offer_for":10,"max_waiting":10000,"offers_count":false,`) {
			t.Errorf("created: %s", all[0])
		}
	}
	if offers < 100 {
		t.Errorf("%d offers: the test shows too little", offers)
	}
}

// An entry of an older program, which names no reservation, is about none that an offer made in the same millisecond.
func TestFeed_OlderEntriesAreAboutNoOffer(t *testing.T) {
	units := int64(2)
	spec, err := new(drop.Spec{Name: "Comet", Price: 100, Waitlist: true, TotalStock: &units}).Normal()
	if err != nil {
		t.Fatal(err)
	}
	now := drop.Time(1_700_000_000_000)
	state, changes := spec.Create(1, now, drop.BatchID{1})
	for i, cmds := range [][]drop.Command{{drop.Join{User: 5}}, {drop.Reserve{User: 6, Hold: time.Minute}}} {
		_, c := drop.Apply(state, now, drop.BatchID{2, byte(i)}, cmds)
		changes.Made, changes.Joined, changes.Ledger = append(changes.Made, c.Made...), append(changes.Joined, c.Joined...), append(changes.Ledger, c.Ledger...)
	}
	last := &changes.Ledger[len(changes.Ledger)-1]
	last.Version, last.Numbers = 0, ""
	s := memory.New(func() drop.Time { return now })
	if err := store.Fill(t.Context(), s, nil, []store.Filled{{State: state, Changes: changes}}, true); err != nil {
		t.Fatal(err)
	}
	shop := &shop{T: t, store: s, feed: events.New(s, &still{state.Drop}, "EUR", slog.New(slog.DiscardHandler))}
	all := shop.all(events.Filter{Types: []events.Type{events.WaitlistOffered, events.HoldCreated}}, 10)
	if len(all) != 2 || !strings.Contains(string(all[0].JSON()), `"userId":5,`) || !strings.Contains(string(all[1].JSON()), `"userId":6,`) {
		t.Errorf("%v", byDrop(all))
	}
}

// A page of the ledger holds whatever one batch writes.
func TestMaxLedgerPerBatch_IsMoreThanABatchWrites(t *testing.T) {
	reasons := []drop.Reason{
		drop.Restocked, drop.ReservationExpired, drop.ReservationCancelled, drop.Reserved, drop.Purchased, drop.PaymentStarted, drop.MoneyRefunded,
		drop.Returned, drop.WrittenOff, drop.WaitlistOffered, drop.OfferExpired, drop.OfferDeclined, drop.WaitlistKept, drop.WaitlistFreed,
		drop.AccessKept, drop.AccessFreed,
	}
	if drop.MaxLedgerPerBatch <= len(reasons)*drop.MaxSizes {
		t.Errorf("%d entries are read at once", drop.MaxLedgerPerBatch)
	}
}
