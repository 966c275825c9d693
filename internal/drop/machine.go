package drop

// MaxExpirePerBatch is the most due holds that one batch expires. It keeps other callers in the batch from waiting
// for a mass expiry: 10,000 in one UPDATE took 45 ms.
const MaxExpirePerBatch = 500

// Changes are what a store writes after a batch. The drop's row and its sizes are in the State.
type Changes struct {
	// Ended has the reservations that were loaded as active and are now completed, expired or cancelled.
	Ended []*Reservation
	// Made has the new reservations in the order of their numbers. One of them may already have ended.
	Made []*Reservation
	// Updated has the reservations whose ExpiresAt, Payment or Claim changed after they were made. Each is written
	// after what is in Ended and Made, where it may be too.
	Updated   []*Reservation
	Purchases []Purchase
	// Returned has the loaded purchases whose unit was taken back.
	Returned []*Purchase
	// Begun has the new payments, and Paid the loaded ones that changed.
	Begun, Paid []*Payment
	// Joined has the new entries of waitlists in the order of their numbers, as they are after the batch. Left has the
	// loaded ones that left the line.
	Joined, Left []*Entry
	// Entered has the new entries of the draw in the order of their numbers, as they are after the batch. Redrawn has
	// the loaded ones that were withdrawn, entered again or removed.
	Entered, Redrawn []*DrawEntry
	// Passes has the new passes, not used yet, and Uses what to add to the uses of passes, after that. Each pass is in
	// Uses at most once.
	Passes []Pass
	Uses   []Use
	// Accesses says that Drop.Accesses changed.
	Accesses bool
	Ledger   []LedgerEntry
	// Kept has the answers to store under their keys.
	Kept []Kept
	// Sizes has the indexes in State.Sizes whose stock or line changed.
	Sizes []int
	// Revision has the drop's settings if the batch changed them, or else is nil.
	Revision *Revision
}

// Apply runs one batch. It expires the holds that are due, frees what is kept for early access that is over, and offers
// the units that are kept for lines. Then it applies the commands in order. All of it happens at one time: now, or the
// time of the drop's last batch if that is later.
//
// The results answer the commands one by one. Changes are nil if nothing changed; the state is then the same as
// before.
func Apply(s *State, now Time, batch BatchID, cmds []Command) ([]Result, *Changes) {
	a := newApplication(s, max(now, s.LastAt), batch)
	for _, c := range cmds {
		switch c := bare(c).(type) {
		case Edit:
			a.limits = a.limits || c.limits()
		case AddAccess:
			a.limits = a.limits || c.Terms.PerBuyer > 0
		}
	}
	for _, r := range s.due {
		a.expireIfDue(r)
	}
	a.endAccesses()
	for i := range s.Sizes { // what the batches before have kept
		if s.Sizes[i].Pending > 0 {
			a.handOver(i)
		}
	}
	results := make([]Result, len(cmds))
	for i, c := range cmds {
		results[i] = c.apply(a)
	}
	return results, a.finish()
}

// application is one run of Apply.
type application struct {
	*State
	now       Time
	batch     BatchID
	changes   Changes
	changed   bool
	limits    bool        // the drop limits users, or a command in the batch may set a limit: count units per user
	movements []movements // by index of Sizes
	firstMade ReservationID
	firstSold PurchaseID
	was       Settings       // before the batch
	touched   map[any]bool   // the rows, by their pointers, that changes name already
	uses      map[PassID]int // their places in changes.Uses
	// linesMoved are the sizes whose line changed, by index; nil: none.
	linesMoved []lineMove
}

// first reports whether a row is noted for the first time.
func (a *application) first(row any) bool {
	if a.touched[row] {
		return false
	}
	if a.touched == nil {
		a.touched = make(map[any]bool)
	}
	a.touched[row] = true
	return true
}

func newApplication(s *State, now Time, batch BatchID) *application {
	return &application{
		State: s, now: now, batch: batch, movements: make([]movements, len(s.Sizes)),
		limits: s.Limited(), firstMade: NewReservationID(s.ID, s.Reserved) + 1,
		firstSold: NewPurchaseID(s.ID, s.Purchased) + 1, was: s.Settings,
	}
}

// move posts units to a size's counters and to the batch's ledger. number is the reservation or purchase that moves
// them, 0 if there is none.
func (a *application) move(size int, r Reason, units int64, number uint32) {
	if err := a.Sizes[size].Stock.Post(r, units); err != nil {
		panic(err) // cannot happen: the reason is one of this package's
	}
	a.movements[size].add(r, units, number)
	a.changed = true
}

// find returns a reservation as of the batch's time. If its hold is over, find expires it first, even if more holds
// are due than one batch expires. Another user's reservation counts as not found.
func (a *application) find(id ReservationID, owner UserID) (*Reservation, *Error) {
	r := a.reservations[id]
	if r == nil || owner != 0 && r.UserID != owner {
		return nil, Refuse(CodeReservationNotFound)
	}
	a.expireIfDue(r)
	return r, nil
}

// expireIfDue expires an active hold whose end has come.
func (a *application) expireIfDue(r *Reservation) {
	if r.Status == Active && !r.LiveAt(a.now) {
		a.end(r, Expired)
	}
}

// end ends a reservation. The ledger names it or, if it is completed, the newest purchase.
func (a *application) end(r *Reservation, status Status) {
	r.Status = status
	r.EndedAt = a.now
	if u := a.usage[r.UserID]; u != nil && status != Completed && (!r.Offer || a.OffersCount) {
		u.unpaid++
		u.ended = a.now
	}
	if r.ID < a.firstMade {
		a.changes.Ended = append(a.changes.Ended, r)
	}
	size := a.sizeIndex(r.Size)
	if status == Completed {
		a.move(size, r.Ended(), 1, a.Purchased)
		return
	}
	a.move(size, r.Ended(), 1, r.ID.number())
	if r.Pass != 0 {
		a.unhold(r, size)
	}
	a.handOver(size)
}

// finish writes the batch's ledger and completes the state. It returns nil if nothing changed.
func (a *application) finish() *Changes {
	if !a.changed {
		return nil
	}
	a.Version++
	a.postLines()
	for i := range a.movements {
		stock := a.Sizes[i].Stock
		before := a.before(i, stock)
		moved := false
		for j := range a.movements[i] {
			m := &a.movements[i][j]
			if m.count == 0 {
				continue
			}
			moved = true
			if err := before.Post(reasons[j], m.units); err != nil {
				panic(err) // cannot happen: the reason is one of this package's
			}
			a.Seq++
			a.changes.Ledger = append(a.changes.Ledger, LedgerEntry{
				Seq: a.Seq, Batch: a.batch, At: a.now, Size: a.Sizes[i].Label, Reason: reasons[j],
				Units: m.units, Available: before.Available, Version: a.Version, Numbers: m.numbers.list(),
			})
		}
		if moved || a.linesMoved != nil && a.linesMoved[i].moved {
			a.changes.Sizes = append(a.changes.Sizes, i)
		}
	}
	a.LastAt = a.now
	a.Batch = a.batch
	if a.was != a.Settings {
		a.changes.Revision = &Revision{
			Version: a.Version, Seq: a.Seq, At: a.now, Settings: EncodeSettings(&a.Settings, changesBetween(&a.was, &a.Settings)),
		}
	}
	return &a.changes
}

// before undoes the batch's movements of a size, so that finish can replay them in the ledger's order.
func (a *application) before(size int, s Stock) Stock {
	for j := range a.movements[size] {
		if err := s.Post(reasons[j], -a.movements[size][j].units); err != nil {
			panic(err) // cannot happen: the reason is one of this package's
		}
	}
	return s
}
