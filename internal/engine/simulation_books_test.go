package engine_test

import (
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/testing/stores"
)

// books compares the answers of a simulation's clients with the records in the store.
type books struct {
	*simulation
	stock        map[drop.ID]drop.Stock
	reservations map[drop.ReservationID]drop.Reservation
	purchases    map[drop.ReservationID]drop.Purchase
	sold         map[drop.PurchaseID]drop.Purchase
	rows         map[drop.ID]map[pair][]drop.Reservation // without offers and those that were made for late money
	entries      map[drop.EntryID]drop.Entry
	accesses     []drop.Access // of the drop that has some
	passes       []drop.Pass
	version      int64
}

func newBooks(s *simulation) *books {
	b := &books{
		simulation: s, stock: make(map[drop.ID]drop.Stock), reservations: make(map[drop.ReservationID]drop.Reservation),
		purchases: make(map[drop.ReservationID]drop.Purchase), sold: make(map[drop.PurchaseID]drop.Purchase), rows: make(map[drop.ID]map[pair][]drop.Reservation),
		entries: make(map[drop.EntryID]drop.Entry),
	}
	for _, id := range s.drops {
		b.rows[id] = make(map[pair][]drop.Reservation)
		books, err := stores.ReadBooks(s.t.Context(), s.store, id)
		if err != nil {
			s.t.Fatal(err)
		}
		b.stock[id] = books.State.Stock()
		if s.hasEarly(id) {
			b.accesses, b.passes, b.version = books.State.Accesses, books.Passes, books.State.Version
		}
		late := make(map[drop.ReservationID]bool)
		for _, r := range books.Reservations {
			b.reservations[r.ID] = r
			if r.Claim != 0 && r.Claim != r.ID {
				late[r.Claim] = true
			}
			if who := (pair{r.UserID, r.Size}); !late[r.ID] && !r.Offer {
				b.rows[id][who] = append(b.rows[id][who], r)
			}
		}
		line, err := s.store.Line(s.t.Context(), id, 0, 10_000)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range line {
			b.entries[e.ID] = e
		}
		for _, p := range books.Purchases {
			b.purchases[p.ReservationID], b.sold[p.ID] = p, p
		}
	}
	return b
}

func (b *books) check() {
	report, err := audit.Run(b.t.Context(), b.store, nil)
	if err != nil || report.Damaged() > 0 {
		b.t.Errorf("audit: %v, %+v", err, report)
	}
	for id, stock := range b.stock {
		if stock.Held != 0 {
			b.t.Errorf("drop %d: holds never ended: %+v", id, stock)
		}
	}
	for _, d := range b.deeds {
		switch {
		case d.reserved != pair{}:
			b.checkReserved(d)
		case d.wanted != 0:
			b.checkEnded(d)
		}
	}
	for id, p := range b.purchases {
		if r := b.reservations[id]; p.CreatedAt >= r.ExpiresAt {
			b.t.Errorf("%+v was sold after its hold had ended: %+v", p, r)
		}
	}
	b.checkRestocked()
	b.checkLimit()
	b.checkPayments()
	b.checkReturned()
	b.checkWaitlist()
	b.checkDraw()
	b.checkEarly()
	for id, n := range b.made {
		if n > 1 || b.ended[id] > 1 {
			b.t.Errorf("reservation %d: announced %d times as made and %d times as ended", id, n, b.ended[id])
		}
	}
}

// checkReserved checks that each buyer with a success has a row, each refused one has none, and nobody has two.
func (b *books) checkReserved(d *deed) {
	rows := b.rows[d.drop][d.reserved]
	switch {
	case len(rows) > 1:
		b.t.Errorf("%s: %d rows", d, len(rows))
	case d.answer == "" && d.unknown == 0 && len(rows) > 0:
		b.t.Errorf("%s was told that nothing was done, and has %+v", d, rows[0])
	case d.answer == "":
	case len(rows) == 0:
		b.t.Errorf("%s was answered with %s and has no row", d, d.answer)
	default:
		want := d.reservation
		if want.Status != drop.Active {
			b.t.Errorf("%s was answered with a hold that has ended: %+v", d, want)
		}
		want.Status, want.EndedAt = rows[0].Status, rows[0].EndedAt
		if rows[0].Payment != 0 { // a payment may keep the unit longer
			want.Payment, want.Claim, want.ExpiresAt = rows[0].Payment, rows[0].Claim, max(want.ExpiresAt, rows[0].ExpiresAt)
		}
		if rows[0] != want {
			b.t.Errorf("%s was answered with %s, the row is %+v", d, d.answer, rows[0])
		}
	}
}

// checkEnded checks that each confirmed purchase exists, that a refused one was not made by that call, and that a
// released hold is not sold.
func (b *books) checkEnded(d *deed) {
	if d.answer == "" {
		return
	}
	row, p := b.reservations[d.wanted], b.purchases[d.wanted]
	if d.purchase != (drop.Purchase{}) {
		if row.Status != drop.Completed || asSold(p) != asSold(d.purchase) {
			b.t.Errorf("%s was answered with %s, the rows are %+v and %+v", d, d.answer, row, p)
		}
		return
	}
	if row.Status == drop.Expired { // late money may have claimed another unit since
		row.Payment, row.Claim = d.reservation.Payment, d.reservation.Claim
	}
	if row != d.reservation || p != (drop.Purchase{}) {
		b.t.Errorf("%s was answered with %s, the rows are %+v and %+v", d, d.answer, row, p)
	}
}

// checkRestocked checks that the units of each drop are the initial ones plus those of the restocks that took effect,
// without those that were written off.
func (b *books) checkRestocked() {
	for i, spec := range b.specs {
		sums := map[int64]bool{0: true} // the possible sums of the restocks
		for _, d := range b.deeds {
			if d.units == 0 || d.drop != b.drops[i] {
				continue
			}
			with := make(map[int64]bool)
			for sum := range sums {
				if d.answer != "" || d.unknown > 0 {
					with[sum+d.units] = true
				}
				if d.answer == "" {
					with[sum] = true
				}
			}
			sums = with
		}
		var first int64
		if spec.TotalStock != nil {
			first = *spec.TotalStock
		}
		for _, size := range spec.Sizes {
			first += size.Stock
		}
		for id, p := range b.sold {
			if id.Drop() == b.drops[i] && p.Return == drop.OffStock {
				first--
			}
		}
		if got := b.stock[b.drops[i]].Total; !sums[got-first] {
			b.t.Errorf("drop %d: %d units, of %d and restocks of %v", b.drops[i], got, first, sums)
		}
	}
}

// checkLimit checks that nobody ever had more live holds and purchases than the limit.
func (b *books) checkLimit() {
	limited := b.drops[1]
	limit := b.specs[1].LimitPerUser
	for id, r := range b.reservations {
		n := 0
		for _, other := range b.reservations {
			keeps := other.Status == drop.Completed || other.EndedAt > r.CreatedAt
			if id.Drop() == limited && other.ID.Drop() == limited && other.UserID == r.UserID && other.ID <= id && keeps {
				n++
			}
		}
		if n > limit {
			b.t.Errorf("user %d had %d units with reservation %d, the limit is %d", r.UserID, n, id, limit)
		}
	}
}
