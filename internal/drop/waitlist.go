package drop

import (
	"cmp"
	"fmt"
	"slices"
)

// EntryID numbers an entry of a waitlist. Like a ReservationID, it begins with the drop's number.
type EntryID int64

// NewEntryID returns the number of a drop's n-th entry.
func NewEntryID(of ID, n uint32) EntryID { return EntryID(NewReservationID(of, n)) }

// Drop returns the drop that the entry belongs to.
func (id EntryID) Drop() ID { return ReservationID(id).Drop() }

func (id EntryID) number() uint32 { return uint32(id) }

// Entry is a buyer's place in the line for one size. Who comes first is first in line.
type Entry struct {
	ID     EntryID
	UserID UserID
	// Line is the index of the size in Drop.Sizes.
	Line int
	// Size is as in Reservation.
	Size      string
	Status    EntryStatus
	CreatedAt Time
	EndedAt   Time // when the entry left the line; 0 while it waits
	// Offer is the reservation that the buyer was offered, 0 if there is none.
	Offer ReservationID
	// Why is the code of the rule that kept the buyer from an offer (Skipped), or empty.
	Why Code
}

// EntryStatus is the state of an entry. Its numbers are stored; do not renumber them.
type EntryStatus int8

// The states of an entry. All except Waiting are final. An entry that waited when its line was closed stays Waiting in
// the store: see Entry.As.
const (
	Waiting EntryStatus = 1
	Offered EntryStatus = 2 // the buyer has, or had, a reservation
	Left    EntryStatus = 3 // the buyer gave the place up
	Skipped EntryStatus = 4 // the buyer's turn came, and a rule of the drop forbade the offer
	Closed  EntryStatus = 5 // the line was closed. It is never stored.
)

// String returns the word that the API uses.
func (s EntryStatus) String() string {
	switch s {
	case Waiting:
		return "waiting"
	case Offered:
		return "offered"
	case Left:
		return "left"
	case Skipped:
		return "skipped"
	case Closed:
		return "closed"
	default:
		return fmt.Sprintf("EntryStatus(%d)", int8(s))
	}
}

// MaxOffersPerBatch is the most entries that a batch loads of the lines of a drop, so the most that it offers units to.
// Units that come free beyond that stay kept for the line, and the next batch offers them.
const MaxOffersPerBatch = 256

// MinOffersPerLine is how many of those entries each line has, also of a drop with many sizes.
const MinOffersPerLine = 16

// OffersPerLine returns the most entries that a batch loads of each line of a drop with so many sizes.
func OffersPerLine(sizes int) int { return max(MaxOffersPerBatch/sizes, MinOffersPerLine) }

// What a drop has without an operator's word, and the limits of it.
const (
	DefaultOfferFor   = 600 // seconds
	DefaultMaxWaiting = 10_000
	minOfferFor       = 10
	maxOfferFor       = 86_400
	maxMaxWaiting     = 1_000_000
)

// line is what a batch knows of the entries that wait for one size, in their order.
type line struct {
	entries []*Entry
	next    int // in entries
	// whole says that entries has all that wait.
	whole bool
}

// LoadEntry adds an entry from Need.Entries, or one from Need.Waiting.
func (s *State) LoadEntry(e Entry) { s.entry(e) }

// LoadLine adds the first entries that wait for the size with that index, in their order, at most OffersPerLine.
// whole says that these are all. Call it for each size with Size.Waiting above 0. If the drop has a rule for buyers
// (Limited) or Need.Limits is set, it also needs the LoadUsage and LoadUnpaid of those who wait.
func (s *State) LoadLine(size int, entries []Entry, whole bool) {
	if s.lines == nil {
		s.lines = make(map[int]*line)
	}
	l := &line{whole: whole}
	for _, e := range entries {
		l.entries = append(l.entries, s.entry(e))
	}
	s.lines[size] = l
}

// entry returns the only copy of an entry.
func (s *State) entry(e Entry) *Entry {
	if have, ok := s.entries[e.ID]; ok {
		return have
	}
	if s.entries == nil {
		s.entries = make(map[EntryID]*Entry)
	}
	s.entries[e.ID] = &e
	return &e
}

// As returns the entry in a drop whose lines were closed after the entry with the number closed: it may be Closed.
func (e Entry) As(closed uint32) Entry {
	if e.Status == Waiting && e.ID.number() <= closed {
		e.Status = Closed
	}
	return e
}

// FirstInLine returns the entry that waits longest of those that the batch knows, for any size. It is 0 if it does not
// know the first of some line.
func (s *State) FirstInLine() (first EntryID) {
	for i := range s.Sizes {
		if s.Sizes[i].Waiting == 0 {
			continue
		}
		l := s.lines[i]
		if l == nil {
			return 0
		}
		j := slices.IndexFunc(l.entries, s.inLine)
		if j < 0 {
			return 0
		}
		if id := l.entries[j].ID; first == 0 || id < first {
			first = id
		}
	}
	return first
}

// inLine reports whether an entry waits.
func (s *State) inLine(e *Entry) bool { return e.Status == Waiting && e.ID.number() > s.LineClosed }

// Join puts a buyer at the end of the line for a size. If a unit is available, the buyer is offered it at once. A buyer
// who is in that line already stays there.
type Join struct {
	User UserID
	Size string
}

// Operation returns "waitlist".
func (Join) Operation() string { return "waitlist" }

// Asked returns the text of the call: which buyer asks for which size.
func (c Join) Asked(ID) Asked {
	b := appendNumber(nil, "waitlist{User:", int64(c.User))
	b = appendText(b, ", Size:", c.Size)
	return Asked(append(b, '}'))
}

func (c Join) need(n *Need) {
	n.Users = append(n.Users, c.User)
	n.Waiting = append(n.Waiting, c.User)
}

func (c Join) apply(a *application) Result {
	i, label, refusal := a.sizeNamed(c.Size)
	if refusal != nil {
		return Result{Err: refusal}
	}
	for _, e := range a.entries {
		if e.UserID == c.User && e.Line == i && a.inLine(e) {
			return a.answerEntry(e)
		}
	}
	if refusal := a.refuseJoin(c.User); refusal != nil {
		return Result{Err: refusal}
	}
	a.Waited++
	e := a.entry(Entry{ID: NewEntryID(a.ID, a.Waited), UserID: c.User, Line: i, Size: label, Status: Waiting, CreatedAt: a.now})
	a.changes.Joined = append(a.changes.Joined, e)
	a.first(e)
	if a.lines[i] == nil {
		a.LoadLine(i, nil, a.Sizes[i].Waiting == 0)
	}
	if l := a.lines[i]; l.whole {
		l.entries = append(l.entries, e)
	}
	a.inLineNow(i, 1)
	a.handOver(i)
	result := a.answerEntry(e)
	if e.Status == Waiting {
		result.Position = a.Sizes[i].Waiting // it is the last
	}
	return result
}

// refuseJoin returns why a buyer cannot wait, or nil.
func (a *application) refuseJoin(user UserID) *Error {
	waiting := a.Waiting()
	switch {
	case a.Archived:
		return Refuse(CodeArchived)
	case !a.Waitlist:
		return Refuse(CodeNoWaitlist)
	case a.DrawPending():
		return a.refuseDraw(a.now)
	case a.now < a.StartTime:
		return notStarted(a.StartTime, a.now)
	case waiting >= int64(cmp.Or(a.MaxWaiting, DefaultMaxWaiting)):
		return &Error{Code: CodeWaitlistFull, Waiting: waiting}
	case a.Waited == maxNumber:
		return Refuse(CodeExhausted)
	}
	if !a.limits {
		return nil
	}
	return a.overLimit(a.usageOf(user))
}

// Leave gives up a place in a line. If Owner is set, an entry of another user counts as not found. A buyer who was
// offered a unit declines it by Cancel.
type Leave struct {
	Entry EntryID
	Owner UserID
}

// Operation returns "leave_waitlist".
func (Leave) Operation() string { return "leave_waitlist" }

// Asked returns the text of the call, which names the entry.
func (c Leave) Asked(ID) Asked { return askedNumber(int64(c.Entry)) }

func (c Leave) need(n *Need) { n.Entries = append(n.Entries, c.Entry) }

func (c Leave) apply(a *application) Result {
	e := a.entries[c.Entry]
	switch {
	case e == nil, c.Owner != 0 && e.UserID != c.Owner:
		return Result{Err: Refuse(CodeEntryNotFound)}
	case e.Status == Offered:
		return Result{Err: Refuse(CodeOffered)}
	case a.inLine(e):
		a.leaveLine(e, Left)
		a.handOver(e.Line)
	}
	return a.answerEntry(e)
}

// answerEntry answers with an entry.
func (a *application) answerEntry(e *Entry) Result {
	to := e.As(a.LineClosed)
	result := Result{Entry: &to}
	if r := a.reservations[e.Offer]; r != nil {
		result.Reservation = *r
	}
	return result
}

// inLineNow counts entries that joined a line or left it.
func (a *application) inLineNow(size int, more int64) {
	a.Sizes[size].Waiting += more
	a.lineMoved(size)
}

// lineMoved notes that a size's line changed.
func (a *application) lineMoved(size int) {
	a.changed = true
	if a.linesMoved == nil {
		a.linesMoved = make([]lineMove, len(a.Sizes))
	}
	a.linesMoved[size].moved = true
}

// leaveLine ends the wait of an entry.
func (a *application) leaveLine(e *Entry, as EntryStatus) {
	e.Status, e.EndedAt = as, a.now
	a.inLineNow(e.Line, -1)
	if a.first(e) {
		a.changes.Left = append(a.changes.Left, e)
	}
}

// nextInLine returns the first entry that waits for a size, or nil if the batch has not loaded it.
func (a *application) nextInLine(size int) *Entry {
	l := a.lines[size]
	if l == nil {
		return nil
	}
	for ; l.next < len(l.entries); l.next++ {
		if e := l.entries[l.next]; a.inLine(e) {
			return e
		}
	}
	return nil
}

// handOver offers what is available of a size to those who wait for it, the first in line first. While more wait than
// the batch has loaded, or the drop is paused, the units stay kept for the line: nobody else can reserve them. Call it
// after whatever makes a unit available.
func (a *application) handOver(size int) {
	s := &a.Sizes[size]
	if s.Waiting == 0 && s.Pending == 0 {
		return
	}
	for !a.Paused && !a.lining() && s.Waiting > 0 && s.Pending+s.Stock.Available > 0 {
		e := a.nextInLine(size)
		if e == nil {
			break
		}
		a.offer(size, e)
	}
	if l := a.lines[size]; s.Waiting > 0 && !a.lining() && l != nil && l.whole && a.nextInLine(size) == nil {
		a.inLineNow(size, -s.Waiting) // the rows are gone, which an audit tells
	}
	if n := min(s.Stock.Available, s.Waiting-s.Pending); n > 0 {
		a.keepForLine(size, n)
	}
	if n := s.Pending - s.Waiting; n > 0 {
		a.keepForLine(size, -n)
	}
}

// HandsOver reports whether the next batch can offer units that are kept for those who wait.
func (d *Drop) HandsOver() bool {
	return !d.Paused && !d.lining() && slices.ContainsFunc(d.Sizes, func(s Size) bool { return s.Pending > 0 })
}

// keepForLine keeps units for a line, or with a negative number no longer. What a batch does to them in all is posted
// to the ledger at its end.
func (a *application) keepForLine(size int, more int64) {
	a.lineMoved(size)
	s := &a.Sizes[size]
	s.Pending += more
	s.Stock.keep(more)
	a.linesMoved[size].pending += more
}

// lineMove is what a batch does to a line.
type lineMove struct {
	moved   bool
	pending int64 // by how much Size.Pending grew
	kept    int64 // by how much what is kept for early access grew
}

// postLines posts units that were kept for lines or early access, and those that are no longer.
func (a *application) postLines() {
	for i := range a.linesMoved {
		a.postKept(i, a.linesMoved[i].pending, WaitlistKept, WaitlistFreed)
		a.postKept(i, a.linesMoved[i].kept, AccessKept, AccessFreed)
	}
}

// postKept posts by how much what is kept of a size grew, or shrank.
func (a *application) postKept(size int, more int64, kept, freed Reason) {
	switch {
	case more > 0:
		a.movements[size].add(kept, more, 0)
	case more < 0:
		a.movements[size].add(freed, -more, 0)
	}
}

// offer offers a unit to the first in line, or skips the entry if a rule of the drop forbids that.
func (a *application) offer(size int, e *Entry) {
	var used *usage
	if a.limits {
		used = a.usageOf(e.UserID)
		refusal := a.cooldown(used)
		if s := &a.Sizes[size]; !a.inLine(e) || s.Pending+s.Stock.Available == 0 {
			return // that ended holds of the buyer's, and their units went to the line: to this buyer, or this one did
		}
		if refusal = cmp.Or(a.overLimit(used), refusal); refusal != nil {
			e.Why = refusal.Code
			a.leaveLine(e, Skipped)
			return
		}
	}
	if a.Sizes[size].Pending > 0 {
		a.keepForLine(size, -1)
	}
	r, refusal := a.hold(size, e.UserID, e.Size, a.offerFor(e), used, true)
	if refusal != nil {
		e.Why = refusal.Code
		a.leaveLine(e, Skipped)
		return
	}
	e.Offer = r.ID
	a.leaveLine(e, Offered)
	a.turnTaken(e)
}

// closeLines ends the wait of everybody.
func (a *application) closeLines() {
	a.LineClosed = a.Waited
	for i := range a.Sizes {
		if s := &a.Sizes[i]; s.Waiting > 0 {
			a.inLineNow(i, -s.Waiting)
			a.handOver(i)
		}
	}
}
