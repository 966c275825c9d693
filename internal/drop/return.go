package drop

import "fmt"

// Return says whether and how the unit of a purchase was taken back. Its numbers are stored; do not renumber them.
type Return int8

// The ways of a unit after its purchase.
const (
	NotReturned Return = 0 // the buyer has it
	BackOnSale  Return = 1 // it went on sale again
	OffStock    Return = 2 // it was written off: it left the stock
)

// String returns the word that the API uses.
func (r Return) String() string {
	switch r {
	case NotReturned:
		return "kept"
	case BackOnSale:
		return "restocked"
	case OffStock:
		return "written_off"
	default:
		return fmt.Sprintf("Return(%d)", int8(r))
	}
}

// MaxReason is how long an operator's reason for something may be, in characters.
const MaxReason = 500

// CheckReason checks an operator's reason for something. It may be empty. A refusal names the field reason.
func CheckReason(reason string) error {
	if refusal := checkText("reason", reason, 0, MaxReason); refusal != nil {
		return refusal
	}
	return nil
}

// ReturnPurchase takes the unit of a purchase back. It goes on sale again, or is written off and leaves the stock. The
// purchase stays, and so does the money: a refund is another thing. Asked again, the answer is the same.
type ReturnPurchase struct {
	Purchase PurchaseID
	Restock  bool
}

// Operation returns "return".
func (ReturnPurchase) Operation() string { return "return" }

// Asked returns the text of the call: which purchase, and where its unit goes.
func (c ReturnPurchase) Asked(ID) Asked {
	return Asked(fmt.Sprintf("return{Purchase:%d, Restock:%t}", c.Purchase, c.Restock))
}

func (c ReturnPurchase) need(n *Need) { n.Purchases = append(n.Purchases, c.Purchase) }

func (c ReturnPurchase) apply(a *application) Result {
	p := a.sold(c.Purchase)
	if p == nil {
		return Result{Err: Refuse(CodePurchaseNotFound)}
	}
	to, reason := OffStock, WrittenOff
	if c.Restock {
		to, reason = BackOnSale, Returned
	}
	switch p.Return {
	case to:
	case NotReturned:
		p.Return, p.ReturnedAt = to, a.now
		a.changes.Returned = append(a.changes.Returned, p)
		size := a.sizeIndex(p.Size)
		a.move(size, reason, 1, p.ID.number())
		a.handOver(size)
	default:
		return Result{Err: Refuse(CodeAlreadyReturned)}
	}
	return Result{Purchase: *p}
}

// sold returns a purchase of an earlier batch. Nobody can know the number of one that this batch makes. Its unit could
// not be taken back anyway: the ledger has what takes units back before what sells them.
func (a *application) sold(id PurchaseID) *Purchase {
	for _, p := range a.purchases {
		if p.ID == id && id < a.firstSold {
			return p
		}
	}
	return nil
}
