// Package drop is the domain of sneakerdrop: its vocabulary, the rules of a limited release, and the state machine
// that applies them.
//
// The package is pure. It does no I/O, reads no clock, starts no goroutine, and depends only on the standard library
// and package text. The caller passes the time in, so that the same code decides in production, in the property tests
// and in the simulator.
//
// Nothing here is safe for concurrent use. The caller is a lane that holds the lock on the drop's row; it owns a
// State while it applies a batch to it.
package drop

import "time"

// MaxSafeInteger is the largest integer that a JavaScript number can hold exactly (Number.MAX_SAFE_INTEGER in
// ECMAScript).
const MaxSafeInteger = 1<<53 - 1

// ID numbers a drop, from 1 to MaxID. A ReservationID starts with it and must stay below 2^53.
type ID int64

// MaxID is the largest drop number. It has 21 bits, which leaves 32 bits for the reservation's own number.
const MaxID ID = 1<<21 - 1

// ReservationID contains the drop's number: drop<<32 | n, where n counts the drop's reservations from 1.
type ReservationID int64

// NewReservationID combines a drop's number and the number of a reservation in that drop.
func NewReservationID(d ID, n uint32) ReservationID { return ReservationID(int64(d)<<32 | int64(n)) }

// Drop returns the drop that the reservation belongs to. It may be out of range if no server issued the id.
func (id ReservationID) Drop() ID { return ID(id >> 32) }

// number is the reservation's number within its drop, the lower 32 bits.
func (id ReservationID) number() uint32 { return uint32(id) }

// PurchaseID contains the drop's number, like a ReservationID. Purchases have their own count.
type PurchaseID int64

// NewPurchaseID combines a drop's number and the number of a purchase in that drop.
func NewPurchaseID(d ID, n uint32) PurchaseID { return PurchaseID(int64(d)<<32 | int64(n)) }

// Drop returns the drop that the purchase belongs to. It may be out of range if no server issued the id.
func (id PurchaseID) Drop() ID { return ID(id >> 32) }

// number is the purchase's number within its drop, the lower 32 bits.
func (id PurchaseID) number() uint32 { return uint32(id) }

// UserID numbers a buyer, from 1 to MaxSafeInteger. Numbers below FirstAllocatedUser are assigned by the shop.
type UserID int64

// FirstAllocatedUser is the first number that this server assigns to a buyer. The shop's own numbers are below it, so
// the two ranges never overlap.
const FirstAllocatedUser UserID = 1 << 40

// Seq numbers the ledger entries of one drop, from 1 without gaps.
type Seq int64

// BatchID is random and identifies one batch. The drop's row and the batch's ledger entries carry it. A lane that
// lost the answer to a commit uses it to find out whether the commit took effect.
type BatchID [16]byte

// Time is a moment in whole milliseconds since the Unix epoch, in UTC. The zero value means "none".
type Time int64

// TimeOf truncates t to whole milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Time returns t as the standard library's type, in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add returns t + d, with d truncated to whole milliseconds.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// Sub returns t − u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t-u) * time.Millisecond }

// String formats the time as the API does: RFC 3339 in UTC with milliseconds and Z, like toISOString in JavaScript.
func (t Time) String() string { return string(t.AppendFormat(make([]byte, 0, len(time.RFC3339Nano)))) }

// AppendFormat appends the same text as String to b. For RFC 3339 without a fraction, package time has a fast path
// that does not parse a layout.
func (t Time) AppendFormat(b []byte) []byte {
	at := t.Time()
	b = at.AppendFormat(b, time.RFC3339)
	ms := at.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-len("Z")], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// Stock counts the units of one size. Total always equals Available + Held + Sold.
type Stock struct {
	Total, Available, Held, Sold int64
}

// Balanced reports whether the four counters agree and none is negative.
func (s Stock) Balanced() bool {
	return s.Available >= 0 && s.Held >= 0 && s.Sold >= 0 && s.Total == s.Available+s.Held+s.Sold
}

// keep holds units that are on sale for nobody in particular yet, or with a negative number no longer.
func (s *Stock) keep(units int64) {
	s.Held += units
	s.Available -= units
}

// Size is one size of a drop with its stock.
type Size struct {
	Label string
	Stock Stock
	// Waiting is how many entries wait for the size.
	Waiting int64
	// Pending is how many units are kept for them and are not offered yet. They are among Stock.Held.
	Pending int64
}

// Drop is a limited release: what is for sale, from when, and how many units are left.
type Drop struct {
	ID ID
	Settings
	// Sizes has at least one entry. A drop without sizes has exactly one, with an empty label.
	Sizes []Size
	// DrawState is how far the draw has come.
	DrawState DrawState
	// Accesses are those to early access, also those that are over. Their numbers are their places, from 1.
	Accesses []Access
	// Version grows with every committed change. Views, the bus and the sockets order states by it.
	Version   int64
	CreatedAt Time
}

// Settings are the fields of a drop that only operators change. Two values can be compared with ==.
type Settings struct {
	Name      string
	Price     Money
	StartTime Time
	ImageURL  string // empty if there is none
	// LimitPerUser is the most units that one user may hold and buy together; 0 means no limit.
	LimitPerUser int
	// MaxExpiredHolds is how many holds one user may leave unpaid before each further one causes a cooldown. 0 means
	// any number.
	MaxExpiredHolds int
	// Waitlist: buyers can wait for units that come free.
	Waitlist bool
	// OfferFor is how long a buyer from the waitlist keeps an offered unit, in seconds; 0: DefaultOfferFor.
	OfferFor int
	// MaxWaiting is the most entries that can wait at a time, in all sizes together; 0: DefaultMaxWaiting.
	MaxWaiting int
	// OffersCount: an offer that its buyer did not take counts toward MaxExpiredHolds.
	OffersCount bool
	// Draw are the terms of the draw that decides who may buy.
	Draw     Draw
	Paused   bool
	Hidden   bool
	Archived bool
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

// Waiting returns how many entries wait for any size.
func (d *Drop) Waiting() (n int64) {
	for i := range d.Sizes {
		n += d.Sizes[i].Waiting
	}
	return n
}

// Reservation keeps one unit for one user until ExpiresAt.
type Reservation struct {
	ID     ReservationID
	UserID UserID
	// Size is the size of the unit. In a drop without sizes it is the buyer's note, or empty.
	Size      string
	Status    Status
	CreatedAt Time
	ExpiresAt Time
	EndedAt   Time // when the reservation was completed, expired or cancelled; 0 while it is active
	// Payment is the newest payment that its buyer began, 0 if there is none. While the reservation is active, its
	// buyer is paying. After Claim was set, Payment is the one that claimed.
	Payment PaymentID
	// Claim is set once the payment's money was there. It is the reservation that the payment claimed, to capture the
	// money: this one or, if this one had expired by then, another one that was made for it.
	Claim ReservationID
	// Offer: the unit was offered to a buyer from the waitlist.
	Offer bool
	// Pass is the pass that let the buyer in early, or that the unit was kept for; 0: none.
	Pass PassID
}

// PaymentID numbers a payment, from 1.
type PaymentID int64

// Purchase is the sale of a reservation.
type Purchase struct {
	ID            PurchaseID
	ReservationID ReservationID
	UserID        UserID
	Size          string
	Price         Money
	CreatedAt     Time
	// Return says whether its unit was taken back, and ReturnedAt when.
	Return     Return
	ReturnedAt Time
}

// RecentLimit is how many of a drop's newest purchases are public.
const RecentLimit = 3

// UnknownUsername is the name of a buyer whose number comes from the shop and whose name nobody has told the server.
const UnknownUsername = "Unknown"

// Recent is the public part of one of the newest purchases.
type Recent struct {
	ID         PurchaseID
	Username   string
	PublicName string // see User.PublicName
	CreatedAt  Time
}

// User is a buyer.
type User struct {
	ID       UserID
	Username string
	Email    string // as returned by NormalEmail; empty if there is none
	// PublicName is the part of the name that may be shown where the whole name is not (see Subject). It comes from
	// the provider's claims, and is empty if they do not say.
	PublicName string
}
