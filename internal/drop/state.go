package drop

// State is what a batch decides on: a drop as it stands under its lock, and the rows that the batch's commands need.
// A store fills it with the Load methods; Apply changes it to the state after the batch.
type State struct {
	Drop
	// LastAt is the time of the last batch; time never steps back for a drop.
	LastAt Time
	// Seq is the newest ledger entry.
	Seq Seq
	// Reserved and Purchased number the newest reservation and purchase.
	Reserved, Purchased uint32
	// Batch names the last batch that changed the drop.
	Batch BatchID
	// Recent has the newest purchases, newest first (Need.Recent; else nil).
	Recent []Recent
	// Deadline is the earliest end of an active hold that was not loaded as due (Need.Deadline; 0: none or not asked).
	// After Apply it is the earliest end that is known: an active hold of an earlier time exists only if Deadline was
	// not asked for.
	Deadline Time

	reservations map[ReservationID]*Reservation
	purchases    map[ReservationID]Purchase
	names        map[UserID]names
	usage        map[UserID]*usage
	kept         map[Key]Kept // by scope
	due          []*Reservation
}

// names are what a buyer is called.
type names struct{ username, public string }

// usage is what counts towards one user's limit.
type usage struct {
	holds  []*Reservation // loaded or made as active
	bought int
	unpaid int  // holds that were not paid: expired or given back
	ended  Time // when the newest of those ended
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

// LoadDue adds an active hold whose time has come by the store's clock. Holds come earliest first, at most
// MaxExpirePerBatch of them.
func (s *State) LoadDue(r Reservation) { s.due = append(s.due, s.keep(r)) }

// LoadReservation adds a reservation named in Need.Reservations; username is its buyer's, UnknownUsername if never
// told, and publicName the buyer's User.PublicName.
func (s *State) LoadReservation(r Reservation, username, publicName string) {
	s.keep(r)
	if s.names == nil {
		s.names = make(map[UserID]names)
	}
	s.names[r.UserID] = names{username, publicName}
}

// LoadPurchase adds the purchase of a reservation named in Need.Reservations.
func (s *State) LoadPurchase(p Purchase) {
	if s.purchases == nil {
		s.purchases = make(map[ReservationID]Purchase)
	}
	s.purchases[p.ReservationID] = p
}

// LoadUsage adds an active or completed reservation of a user named in Need.Users.
func (s *State) LoadUsage(r Reservation) {
	u := s.usageOf(r.UserID)
	if r.Status == Completed {
		u.bought++
		return
	}
	u.holds = append(u.holds, s.keep(r))
}

// LoadUnpaid says how many reservations of a user named in Need.Users have expired or were cancelled, up to MaxUnpaid
// of them, and when the last of them ended.
func (s *State) LoadUnpaid(id UserID, count int, last Time) {
	u := s.usageOf(id)
	u.unpaid, u.ended = count, last
}

// Limited reports whether the drop has a rule for which a store loads the reservations of Need.Users.
func (d *Drop) Limited() bool { return d.LimitPerUser > 0 || d.MaxExpiredHolds > 0 }

// keep returns the one copy of a reservation: rows loaded for two purposes must change together.
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
