package events_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

// The creation tells the terms of a draw. Its winners, and then runners-up, get offers; nothing else that happens to a
// draw is an event.
func TestFeed_OfADropWithADraw(t *testing.T) {
	const opens = drop.Time(1_700_000_000_000)
	now := opens
	s := memory.New(func() drop.Time { return now })
	spec := drop.Spec{
		Name: "Comet", Price: 100, StartTime: opens + 1000, Sizes: []drop.SizeSpec{{Label: "9", Stock: 1}, {Label: "10", Stock: 1}},
		Draw: drop.Draw{Opens: opens, Closes: opens + 1000, PayWithin: 60, Commitment: drop.Hash{0xab}, Chain: "quicknet", Round: 7},
	}
	made, _, err := s.CreateDrop(t.Context(), spec, drop.BatchID{1}, drop.Key{})
	if err != nil {
		t.Fatal(err)
	}
	drops, batch := &still{made.Drop}, byte(1)
	run := func(after drop.Time, cmds ...drop.Command) {
		t.Helper()
		now, batch = now+after, batch+1
		id := drop.BatchID{batch}
		if err := s.RunBatch(t.Context(), &storetest.Batch{Drop: made.Drop.ID, Need: drop.NeedOf(cmds), Decider: func(state *drop.State, now drop.Time) *drop.Changes {
			results, changes := drop.Apply(state, now, id, cmds)
			for i, r := range results {
				if r.Err != nil {
					t.Errorf("%+v: %v", cmds[i], r.Err)
				}
			}
			drops.drop = state.Drop
			return changes
		}}); err != nil {
			t.Fatal(err)
		}
	}
	run(1, drop.Enter{User: 1, Sizes: []string{"9"}}, drop.Enter{User: 2, Sizes: []string{"10", "9"}}, drop.Enter{User: 3, Sizes: []string{"9"}}, drop.Enter{User: 4, Sizes: []string{"9"}})
	run(1, drop.Withdraw{User: 3}, drop.Remove{Entry: drop.NewEntryID(1, 4), Reason: "x"})
	run(1000, drop.CloseDraw{})
	run(1, drop.LineUp{Places: []drop.Place{{User: 1, Size: 0}}})
	run(1, drop.LineUp{From: 1, Places: []drop.Place{{User: 2, Size: 1}, {User: 2, Size: 0}}, Last: true})
	run(1, drop.Cancel{Reservation: drop.NewReservationID(1, 1)})
	run(1, drop.Edit{Hidden: new(true)})
	shop := &shop{T: t, store: s, feed: events.New(s, drops, "EUR", slog.New(slog.DiscardHandler))}
	all := byDrop(shop.all(events.Filter{}, 3))[1]
	want := fmt.Sprintf(`"draw":{"opens":"2023-11-14T22:13:20.000Z","closes":"2023-11-14T22:13:21.000Z","pay_within":60,"seed_commitment":"ab%062x","beacon":"quicknet","round":7},`, 0)
	if !strings.Contains(all[0], want) {
		t.Errorf("created: %s", all[0])
	}
	types := []string{
		`"drop.created"`, `"waitlist.offered"`, `"drop.sold_out"`, `"waitlist.offer_declined"`, `"waitlist.offered"`, `"drop.back_in_stock"`, `"drop.updated"`,
	}
	for i, line := range all {
		if len(all) != len(types) || !strings.Contains(line, `"type":`+types[i]) {
			t.Fatalf("%s\nwant %s", strings.Join(all, "\n"), types)
		}
	}
}
