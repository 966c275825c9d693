package drop

import "slices"

// State is what a batch decides on: a drop, read under its lock, and the rows that the batch's commands need. A
// store fills it with the Load methods. Apply turns it into the state after the batch.
type State struct {
	Drop
	// LastAt is the time of the last batch; time never steps back for a drop.
	LastAt Time
	// Seq is the number of the newest ledger entry.
	Seq Seq
	// Reserved and Purchased are the numbers of the newest reservation and purchase.
	Reserved, Purchased uint32
	// Waited is the number of the newest entry of the waitlist. Up to LineClosed they wait no longer: lines were
	// closed after them.
	Waited, LineClosed uint32
	// Batch identifies the last batch that changed the drop.
	Batch BatchID
	// Recent has the newest purchases, newest first. It is nil unless Need.Recent asked for them.
	Recent []Recent
	// Deadline is the earliest end of an active hold that was not loaded as due. It is 0 if there is none, or if
	// Need.Deadline did not ask for it. After Apply it is the earliest end known. An active hold can end earlier only
	// if nobody asked for Deadline.
	Deadline Time

	reservations map[ReservationID]*Reservation
	purchases    map[ReservationID]*Purchase
	payments     map[PaymentID]*Payment
	entries      map[EntryID]*Entry
	drawEntries  map[EntryID]*DrawEntry
	lines        map[int]*line // by index of Sizes
	passes       map[Hash]*Pass
	passesByID   map[PassID]*Pass
	names        map[UserID]names
	usage        map[UserID]*usage
	kept         map[Key]Kept // by scope
	due          []*Reservation
}

// names are the names of a buyer.
type names struct{ username, public string }

// usage is what one user has in this drop, as far as the rules count it.
type usage struct {
	holds  []*Reservation // loaded as active, or made by this batch
	bought int
	passes []PassID // of what the user bought
	unpaid int      // holds that ended unpaid: expired or cancelled
	ended  Time     // when the newest of them ended
}

func (u *usage) liveAt(now Time) (count int, one *Reservation) {
	for _, r := range u.holds {
		if r.LiveAt(now) {
			count++
			one = r
		}
	}
	return count, one
}

// LoadDue adds an active hold that has ended by the store's clock. Call it in the order of their ends, at most
// MaxExpirePerBatch times.
func (s *State) LoadDue(r Reservation) { s.due = append(s.due, s.keep(r)) }

// LoadReservation adds a reservation from Need.Reservations. username and publicName are its buyer's; username is
// UnknownUsername if nobody has told it.
func (s *State) LoadReservation(r Reservation, username, publicName string) {
	s.keep(r)
	if s.names == nil {
		s.names = make(map[UserID]names)
	}
	s.names[r.UserID] = names{username, publicName}
}

// LoadPurchase adds a purchase from Need.Purchases, or that of a reservation from Need.Reservations.
func (s *State) LoadPurchase(p Purchase) {
	if s.purchases == nil {
		s.purchases = make(map[ReservationID]*Purchase)
	}
	if s.purchases[p.ReservationID] == nil {
		s.purchases[p.ReservationID] = &p
	}
}

// LoadPayment adds a payment from Need.Payments.
func (s *State) LoadPayment(p Payment) {
	if s.payments == nil {
		s.payments = make(map[PaymentID]*Payment)
	}
	if s.payments[p.ID] == nil {
		s.payments[p.ID] = &p
	}
}

// LoadUsage adds an active or completed reservation of a user from Need.Users.
func (s *State) LoadUsage(r Reservation) {
	u := s.usageOf(r.UserID)
	if r.Status == Completed {
		u.bought++
		if r.Pass != 0 {
			u.passes = append(u.passes, r.Pass)
		}
		return
	}
	u.holds = append(u.holds, s.keep(r))
}

// LoadUnpaid adds how many reservations of a user from Need.Users expired or were cancelled, and when the last of
// them ended. The count may stop at MaxUnpaid. Offers count only with Settings.OffersCount.
func (s *State) LoadUnpaid(id UserID, count int, last Time) {
	u := s.usageOf(id)
	u.unpaid, u.ended = count, last
}

// Limited reports whether the drop has a rule that needs the reservations of Need.Users.
func (d *Drop) Limited() bool {
	return d.LimitPerUser > 0 || d.MaxExpiredHolds > 0 || slices.ContainsFunc(d.Accesses, func(x Access) bool { return x.PerBuyer > 0 })
}

// keep returns the only copy of a reservation. Rows that were loaded for two purposes must change together.
func (s *State) keep(r Reservation) *Reservation {
	if have, ok := s.reservations[r.ID]; ok {
		return have
	}
	if s.reservations == nil {
		s.reservations = make(map[ReservationID]*Reservation)
	}
	s.reservations[r.ID] = &r
	return &r
}

func (s *State) usageOf(id UserID) *usage {
	u := s.usage[id]
	if u == nil {
		if s.usage == nil {
			s.usage = make(map[UserID]*usage)
		}
		u = &usage{}
		s.usage[id] = u
	}
	return u
}
