package importer

import (
	"fmt"
	"io"
	"strings"

	"sneakerdrop/internal/drop"
)

// Repair is a kind of thing that could not be taken over as it was, with the rule by which it was.
type Repair string

// The repairs, in the order of the report.
const (
	LatePurchase     Repair = "purchases of a reservation that was not completed, because it had expired: the buyer paid, so it is completed (purchases)"
	NeverMarked      Repair = "purchases of a reservation that was not completed, but still active: the buyer paid, so it is completed (purchases)"
	CancelledPaid    Repair = "purchases of a reservation that was not completed, but cancelled: the buyer paid, so it is completed (purchases)"
	SoldTwice        Repair = "purchases of a reservation that had been sold before, or was sold again at once: the one that completed it is kept, these are not taken over (purchases)"
	NoReservation    Repair = "purchases without any reservation: a completed one was made for each (purchases)"
	NoPurchase       Repair = "completed reservations without a purchase: one was made for each (reservations)"
	Oversold         Repair = "drops that sold and hold more than they had: total_stock was raised (drops)"
	StockWrong       Repair = "drops whose available_stock was not total_stock less what is held and sold: counted anew (drops)"
	OrphanOrder      Repair = "reservations of a drop that is not there: left out (reservations)"
	OrphanPurchase   Repair = "purchases of a drop that is not there: left out (purchases)"
	NoUser           Repair = "orders without a user, who was deleted or whom the original never stored: they go to one buyer named Unknown (reservations and purchases)"
	HoldOver         Repair = "holds whose time was over: expired (reservations)"
	FutureTime       Repair = "orders dated later than the import: dated at the import (reservations and purchases)"
	MadeLate         Repair = "reservations dated later than the purchase that completed them: dated at it (reservations)"
	TextCut          Repair = "names with more characters than 200 (drops) or 100 (users), with control characters or none: made fit"
	ImageLeftOut     Repair = "drops whose image_url is neither http, https nor a path: it was left out (drops)"
	PriceRounded     Repair = "drops whose price had more decimals than the currency has: rounded (drops)"
	EmailLeftOut     Repair = "users whose email is no address or is another user's: it was left out (users)"
	UserLeftOut      Repair = "users without a name, with another user's, or a number above 2^40: left out, their orders are kept (users)"
	UnknownUserOrder Repair = "orders of users that are not in the users' table: taken over under that number, named Unknown (users)"
)

var repairs = []Repair{
	LatePurchase, NeverMarked, CancelledPaid, SoldTwice, NoReservation, NoPurchase, Oversold, StockWrong, OrphanOrder, OrphanPurchase, NoUser,
	HoldOver, FutureTime, MadeLate, TextCut, ImageLeftOut, PriceRounded, EmailLeftOut, UserLeftOut, UnknownUserOrder,
}

// notCompleted is what it is called that a reservation of that status was paid.
var notCompleted = map[drop.Status]Repair{drop.Expired: LatePurchase, drop.Active: NeverMarked, drop.Cancelled: CancelledPaid}

// maxNamed bounds how many rows of one repair are named.
const maxNamed = 10

// Finding is what one kind of repair was done to.
type Finding struct {
	Count int
	First []string // the first rows, by their numbers in the source
}

// Report says what an import took over and what it repaired.
type Report struct {
	Drops, Users, Reservations, Live, Purchases int
	Repairs                                     map[Repair]*Finding
}

// addf records one row; the format and its arguments name it.
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

// WriteTo writes the report for people.
func (r *Report) WriteTo(w io.Writer) (int64, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "taken over: drops %d, users %d, reservations %d (live %d), purchases %d\n",
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
