package importer

import (
	"fmt"
	"io"
	"strings"

	"sneakerdrop/internal/drop"
)

// Repair is a kind of problem in the source, with the rule by which the import repairs it.
type Repair string

// The repairs in the order of the report.
const (
	LatePurchase     Repair = "purchases of a reservation that was not completed because it had expired: the buyer paid, so it is completed (purchases)"
	NeverMarked      Repair = "purchases of a reservation that was not completed but still active: the buyer paid, so it is completed (purchases)"
	CancelledPaid    Repair = "purchases of a reservation that was not completed but cancelled: the buyer paid, so it is completed (purchases)"
	SoldTwice        Repair = "duplicate purchases of one reservation: the one that completed it is kept, these are left out (purchases)"
	NoReservation    Repair = "purchases without a reservation: a completed one was made for each (purchases)"
	NoPurchase       Repair = "completed reservations without a purchase: one was made for each (reservations)"
	Oversold         Repair = "drops that sold and hold more than they had: total_stock was raised (drops)"
	StockWrong       Repair = "drops whose available_stock was not total_stock minus what is held and sold: recounted (drops)"
	OrphanOrder      Repair = "reservations of a drop that does not exist: left out (reservations)"
	OrphanPurchase   Repair = "purchases of a drop that does not exist: left out (purchases)"
	NoUser           Repair = "orders without a user, who was deleted or never stored: assigned to one buyer named Unknown (reservations and purchases)"
	HoldOver         Repair = "holds past their end: expired (reservations)"
	FutureTime       Repair = "orders dated after the import: dated at the import (reservations and purchases)"
	MadeLate         Repair = "reservations dated after the purchase that completed them: dated at the purchase (reservations)"
	TextCut          Repair = "names that are empty, too long (over 200 characters for drops, 100 for users) or have control characters: corrected"
	ImageLeftOut     Repair = "drops whose image_url is neither http, https nor a path: left out (drops)"
	PriceRounded     Repair = "drops whose price has more decimals than the currency: rounded (drops)"
	EmailLeftOut     Repair = "users whose email is not an address or belongs to another user: left out (users)"
	UserLeftOut      Repair = "users without a name, with another user's name, or with a number above 2^40: left out, their orders are kept (users)"
	UnknownUserOrder Repair = "orders of users that are not in the users' table: kept under that number, named Unknown (users)"
)

var repairs = []Repair{
	LatePurchase, NeverMarked, CancelledPaid, SoldTwice, NoReservation, NoPurchase, Oversold, StockWrong, OrphanOrder, OrphanPurchase, NoUser,
	HoldOver, FutureTime, MadeLate, TextCut, ImageLeftOut, PriceRounded, EmailLeftOut, UserLeftOut, UnknownUserOrder,
}

// notCompleted has the repair for a payment of a reservation with that status.
var notCompleted = map[drop.Status]Repair{drop.Expired: LatePurchase, drop.Active: NeverMarked, drop.Cancelled: CancelledPaid}

// maxNamed is how many rows of one repair are named.
const maxNamed = 10

// Finding lists the rows that one kind of repair changed.
type Finding struct {
	Count int
	First []string // the first rows, by their numbers in the source
}

// Report says what an import imported and what it repaired.
type Report struct {
	Drops, Users, Reservations, Live, Purchases int
	Repairs                                     map[Repair]*Finding
}

// addf records one row, named by the format and its arguments.
func (r *Report) addf(kind Repair, format string, args ...any) {
	f := r.Repairs[kind]
	if f == nil {
		f = &Finding{}
		r.Repairs[kind] = f
	}
	f.Count++
	if len(f.First) < maxNamed {
		f.First = append(f.First, fmt.Sprintf(format, args...))
	}
}

// WriteTo writes the report as text for people.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "imported: drops %d, users %d, reservations %d (live %d), purchases %d\n",
		r.Drops, r.Users, r.Reservations, r.Live, r.Purchases)
	for _, kind := range repairs {
		f := r.Repairs[kind]
		if f == nil {
			continue
		}
		more := ""
		if f.Count > len(f.First) {
			more = ", …"
		}
		fmt.Fprintf(&b, "  %d × %s: %s%s\n", f.Count, kind, strings.Join(f.First, ", "), more)
	}
	n, err := io.WriteString(w, b.String())
	return int64(n), err
}
