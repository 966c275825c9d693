// Package drop is the domain of sneakerdrop: the words the whole program speaks, the rules of a limited release and the
// state machine that applies them.
//
// It is pure: no I/O, no clock, no goroutine, no dependency but the standard library and package text. Time comes in
// as an argument, so that the same code decides in production, in the property tests and in the simulator. Nothing
// here is safe for concurrent use; the caller (a lane, under the drop's row lock) owns a State while it applies a
// batch to it.
package drop

import "time"

// MaxSafeInteger is the largest integer that a JavaScript number holds exactly (ECMAScript Number.MAX_SAFE_INTEGER).
const MaxSafeInteger = 1<<53 - 1

// ID numbers a drop, from 1 to MaxID, so that a ReservationID led by it stays below 2^53.
type ID int64

// MaxID is the largest drop number: 21 bits, which leave 32 for the reservation's own number.
const MaxID ID = 1<<21 - 1

// ReservationID carries its drop: drop<<32 | n, where n counts the drop's reservations from 1.
type ReservationID int64

// NewReservationID joins a drop and the reservation's number in it.
func NewReservationID(d ID, n uint32) ReservationID { return ReservationID(int64(d)<<32 | int64(n)) }

// Drop returns the drop that the reservation belongs to; it may be out of range for an id that no server gave out.
func (id ReservationID) Drop() ID { return ID(id >> 32) }

// PurchaseID carries its drop like a ReservationID; purchases are counted apart from reservations.
type PurchaseID int64

// NewPurchaseID joins a drop and the purchase's number in it.
func NewPurchaseID(d ID, n uint32) PurchaseID { return PurchaseID(int64(d)<<32 | int64(n)) }

// UserID numbers a buyer, from 1 to MaxSafeInteger. Below FirstAllocatedUser it is the shop's own number.
type UserID int64

// FirstAllocatedUser is the first number this server gives to a buyer; a shop's own numbers stay below it, so that the
// two never meet.
const FirstAllocatedUser UserID = 1 << 40

// Seq numbers a ledger entry of one drop, gap-free from 1.
type Seq int64

// BatchID is random and names one batch on the drop row and on its ledger entries: how a lane finds out whether a
// commit whose answer was lost took place.
type BatchID [16]byte

// Time is a moment in whole milliseconds since the Unix epoch, UTC. The zero value means none.
type Time int64

// TimeOf cuts t to whole milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Time returns t as the standard library's type, in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add returns t + d, d cut to whole milliseconds.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub returns t − u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// String writes t as the wire does: RFC 3339, UTC, milliseconds, Z, as JavaScript's toISOString.
func (t Time) String() string { return string(t.AppendFormat(make([]byte, 0, len(time.RFC3339Nano)))) }

// AppendFormat appends String's form to b. RFC 3339 without a fraction is what package time writes without reading a
// layout.
func (t Time) AppendFormat(b []byte) []byte {
	at := t.Time()
	b = at.AppendFormat(b, time.RFC3339)
	ms := at.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-len("Z")], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// Stock counts the units of one size. Total = Available + Held + Sold at every moment.
type Stock struct {
	Total, Available, Held, Sold int64
}

// Balanced reports whether the four counters agree and none is negative.
func (s Stock) Balanced() bool {
	return s.Available >= 0 && s.Held >= 0 && s.Sold >= 0 && s.Total == s.Available+s.Held+s.Sold
}

// Size is one size of a drop with its stock.
type Size struct {
	Label string
	Stock Stock
}

// Drop is a limited release: what is sold, from when, and how much of it is left.
type Drop struct {
	ID ID
	Settings
	// Sizes has at least one entry; a drop without sizes has exactly one, with an empty label.
	Sizes []Size
	// Version grows with every committed change; views, bus and sockets order by it.
	Version   int64
	CreatedAt Time
}

// Settings is what operators set of a drop, and nothing else changes. Two of them are compared by ==.
type Settings struct {
	Name      string
	Price     Money
	StartTime Time
	ImageURL  string // empty: none
	// LimitPerUser bounds the live reservations plus purchases of one user; 0 means no limit.
	LimitPerUser int
	// MaxExpiredHolds is how many holds one user may leave unpaid before each further one costs a wait; 0 means any
	// number.
	MaxExpiredHolds int
	Paused          bool
	Hidden          bool
	Archived        bool
}

// Sized reports whether buyers choose a size.
func (d *Drop) Sized() bool { return len(d.Sizes) != 1 || d.Sizes[0].Label != "" }

// Stock sums the sizes.
func (d *Drop) Stock() Stock {
	var sum Stock
	for i := range d.Sizes {
		s := &d.Sizes[i].Stock
		sum.Total += s.Total
		sum.Available += s.Available
		sum.Held += s.Held
		sum.Sold += s.Sold
	}
	return sum
}

// Reservation is one unit kept for one user until ExpiresAt.
type Reservation struct {
	ID     ReservationID
	UserID UserID
	// Size is the size the unit is taken from; in a drop without sizes it is the buyer's note, or empty.
	Size      string
	Status    Status
	CreatedAt Time
	ExpiresAt Time
	EndedAt   Time // when it was completed, expired or cancelled; 0 while active
}

// Purchase is a reservation that was paid.
type Purchase struct {
	ID            PurchaseID
	ReservationID ReservationID
	UserID        UserID
	Size          string
	Price         Money
	CreatedAt     Time
}

// RecentLimit is how many of a drop's newest purchases everybody sees.
const RecentLimit = 3

// UnknownUsername stands for a buyer whose number is the shop's own and whose name was never told.
const UnknownUsername = "Unknown"

// Recent is one of the newest purchases as everybody sees it.
type Recent struct {
	ID         PurchaseID
	Username   string
	PublicName string // see User
	CreatedAt  Time
}

// User is a buyer.
type User struct {
	ID       UserID
	Username string
	Email    string // as NormalEmail has it; empty: none
	// PublicName is what the provider's claims let everybody see where no whole name is shown (see Subject); empty:
	// they do not say it.
	PublicName string
}
