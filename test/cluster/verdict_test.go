//go:build linux

package cluster

import (
	"fmt"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

// scenery is a shelf, three buyers of whom the first two bought, and its rows.
func scenery() ([]*buyer, []*shelf, *rows) {
	s := &shelf{id: 7, total: 3}
	r := &rows{byUser: make(map[int64][]drop.Reservation), purchases: make(map[int64][]drop.Purchase)}
	var buyers []*buyer
	at := drop.TimeOf(time.Unix(1_800_000_000, 0))
	for n := int64(1); n <= 3; n++ {
		id := drop.NewReservationID(7, uint32(n))
		row := drop.Reservation{ID: id, UserID: drop.UserID(n), Status: drop.Active, CreatedAt: at, ExpiresAt: at + 1000}
		b := &buyer{user: n, shelf: s, held: held{ID: int64(id), CreatedAt: at.Time(), ExpiresAt: (at + 1000).Time()}, reserve: call{answer: "200 {}"}}
		if n < 3 {
			row.Status = drop.Completed
			r.purchases[int64(id)] = []drop.Purchase{{ID: drop.PurchaseID(n), ReservationID: id}}
			b.purchase = &call{answer: fmt.Sprintf(`200 {"purchase":{"id":%d}}`, n)}
		}
		r.byUser[n] = []drop.Reservation{row}
		buyers = append(buyers, b)
	}
	return buyers, []*shelf{s}, r
}

// The comparison of answers with rows finds sales that are missing, that exist twice, or that exist although the
// buyer was told otherwise.
func TestVerdict_FindsWhatIsWrong(t *testing.T) {
	first := int64(drop.NewReservationID(7, 1))
	for name, c := range map[string]struct {
		damage func([]*buyer, *rows)
		want   verdict
	}{
		"nothing":                        {func([]*buyer, *rows) {}, verdict{}},
		"a reservation is gone":          {func(_ []*buyer, r *rows) { delete(r.byUser, 3) }, verdict{lost: 1}},
		"a purchase is gone":             {func(_ []*buyer, r *rows) { delete(r.purchases, first) }, verdict{lost: 1}},
		"a purchase is another's":        {func(_ []*buyer, r *rows) { r.purchases[first][0].ID = 9 }, verdict{lost: 1}},
		"a reservation was sold twice":   {func(_ []*buyer, r *rows) { r.purchases[first] = append(r.purchases[first], drop.Purchase{ID: 4}) }, verdict{lost: 1, twice: 1}},
		"one call made two reservations": {func(_ []*buyer, r *rows) { r.byUser[3] = append(r.byUser[3], drop.Reservation{ID: 99}) }, verdict{twice: 1}},
		"more is held than there was":    {func(b []*buyer, _ *rows) { b[0].shelf.total = 2 }, verdict{twice: 1}},
		"two buyers got one reservation": {func(b []*buyer, _ *rows) { b[2].held.ID, b[2].purchase = b[1].held.ID, nil }, verdict{lost: 1, twice: 1}},
		"a refusal that was none":        {func(b []*buyer, _ *rows) { b[2].reserve.answer, b[2].held.ID = "409 {}", 0 }, verdict{denied: 1}},
		"a refusal after a try that nobody answered": {
			func(b []*buyer, _ *rows) { b[2].reserve, b[2].held.ID = call{answer: "409 {}", unknown: 2}, 0 }, verdict{},
		},
		"two of them": {func(b []*buyer, r *rows) {
			b[2].reserve, b[2].held.ID = call{answer: "409 {}", unknown: 2}, 0
			r.byUser[3] = append(r.byUser[3], drop.Reservation{ID: 99})
		}, verdict{denied: 1}},
		"a purchase that was denied": {func(b []*buyer, _ *rows) { b[0].purchase.answer = "410 {}" }, verdict{denied: 1}},
		"a buyer whom nobody knows":  {func(_ []*buyer, r *rows) { r.byUser[8] = []drop.Reservation{{ID: 12}} }, verdict{denied: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			buyers, shelves, r := scenery()
			c.damage(buyers, r)
			var v verdict
			v.compare(buyers, shelves, r)
			if v.lost != c.want.lost || v.twice != c.want.twice || v.denied != c.want.denied {
				t.Errorf("lost %d, twice %d, denied %d: %q", v.lost, v.twice, v.denied, v.what)
			}
		})
	}
}

// If both standbys are away, no sale may be acknowledged; a pause is the longest time without one.
func TestEvents_AreCountedByTheirMoments(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	events := []event{{at: at(1), sold: true}, {at: at(4)}, {at: at(9), sold: true}, {at: at(10), sold: true}}
	if sold, away := sales(events, at(1), at(9)); sold != 1 || away != 1 {
		t.Errorf("%d sold, %d away", sold, away)
	}
	if p := pause(events, at(0)); p != 8*time.Second {
		t.Errorf("a pause of %s", p)
	}
	o := &outcome{struck: at(0), mended: at(8), events: events}
	if err := refused(o); err != nil {
		t.Error(err) // the sale at 1 may have been in progress
	}
	o.mended = at(11)
	if refused(o) == nil {
		t.Error("sales without a standby are not seen")
	}
	o.events = events[:1]
	if refused(o) == nil {
		t.Error("that nobody was told of the standbys is not seen")
	}
}
