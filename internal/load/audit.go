package load

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/valyala/fasthttp"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

const maxFaults = 20

// faults are contradictions between answers and records.
type faults []string

func (f *faults) addf(format string, args ...any) {
	if len(*f) < maxFaults {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// Check compares the server's answers with what it shows about the drops. Nothing may be acknowledged twice, exceed
// the stock, or be lost.
func (r *Result) Check(ctx context.Context, c Config) error {
	client, err := newClient(&c, c.URL)
	if err != nil {
		return err
	}
	defer client.close()
	var f faults
	r.checkAnswers(&f)
	for _, id := range r.Drops {
		if err := r.checkDrop(ctx, client, id, &f); err != nil {
			return err
		}
	}
	r.Audit = &Audit{Checked: "answers, counters, ledger and purchases as the server shows them", Faults: f}
	return nil
}

// checkAnswers needs no server.
func (r *Result) checkAnswers(f *faults) {
	sorted := slices.SortedFunc(slices.Values(r.acknowledged), func(a, b Acknowledged) int { return cmp.Compare(a.Reservation, b.Reservation) })
	perDrop := make(map[drop.ID]int64)
	for i := range sorted {
		perDrop[sorted[i].Reservation.Drop()]++
		if i > 0 && sorted[i].Reservation == sorted[i-1].Reservation {
			f.addf("reservation %d was acknowledged to buyers %d and %d", sorted[i].Reservation, sorted[i-1].Buyer, sorted[i].Buyer)
		}
		if !slices.Contains(r.Drops, sorted[i].Reservation.Drop()) {
			f.addf("reservation %d belongs to another drop", sorted[i].Reservation)
		}
	}
	for id, n := range perDrop {
		if n > r.stock {
			f.addf("drop %d: %d reservations of %d units were acknowledged", id, n, r.stock)
		}
	}
	bought := make(map[drop.PurchaseID]int64)
	for _, a := range r.acknowledged {
		if a.Purchase == 0 {
			continue
		}
		if other, twice := bought[a.Purchase]; twice {
			f.addf("purchase %d was acknowledged to buyers %d and %d", a.Purchase, other, a.Buyer)
		}
		bought[a.Purchase] = a.Buyer
	}
}

type (
	shownDrop struct {
		Total     int64 `json:"total_stock"`
		Available int64 `json:"available_stock"`
	}
	// shownPage is a page of the ledger or of the purchases.
	shownPage struct {
		Entries []struct {
			Reason drop.Reason `json:"reason"`
			Units  int64       `json:"units"`
		} `json:"entries"`
		Purchases []struct {
			ID            drop.PurchaseID    `json:"id"`
			ReservationID drop.ReservationID `json:"reservationId"`
		} `json:"purchases"`
		Next *int64 `json:"next"`
	}
)

func (r *Result) checkDrop(ctx context.Context, c *client, id drop.ID, f *faults) error {
	moved, sold := make(map[drop.Reason]int64), make(map[drop.PurchaseID]drop.ReservationID)
	for _, list := range []string{"ledger", "purchases"} {
		err := c.pages(ctx, fmt.Sprintf("/api/drops/%d/%s", id, list), func(page *shownPage) {
			for _, e := range page.Entries {
				moved[e.Reason] += e.Units
			}
			for _, p := range page.Purchases {
				sold[p.ID] = p.ReservationID
			}
		})
		if err != nil {
			return err
		}
	}
	var shown shownDrop
	if err := c.ask(ctx, fasthttp.MethodGet, fmt.Sprintf("/api/drops/%d", id), nil, &shown); err != nil {
		return err
	}
	var reserved, purchased int64
	for _, a := range r.acknowledged {
		if a.Reservation.Drop() != id {
			continue
		}
		reserved++
		if a.Purchase != 0 {
			purchased++
			if of, there := sold[a.Purchase]; !there {
				f.addf("purchase %d was acknowledged but does not exist", a.Purchase)
			} else if of != a.Reservation {
				f.addf("purchase %d belongs to reservation %d, but was acknowledged for %d", a.Purchase, of, a.Reservation)
			}
		}
	}
	// A request without an answer may have taken effect.
	if n := moved[drop.Reserved]; n < reserved || n > reserved+r.Errors {
		f.addf("drop %d: the ledger has %d reserved, but %d were acknowledged and %d had no answer", id, n, reserved, r.Errors)
	}
	if n := moved[drop.Purchased]; n < purchased || n > purchased+r.Errors || n != int64(len(sold)) {
		f.addf("drop %d: the ledger has %d purchased and the list %d, but %d were acknowledged and %d had no answer", id, n, len(sold), purchased, r.Errors)
	}
	back := moved[drop.Returned] + moved[drop.WrittenOff] // sold units that an operator took back
	kept := int64(len(sold)) - back
	var stock drop.Stock
	for reason, units := range moved {
		if err := stock.Post(reason, units); err != nil {
			f.addf("drop %d: %v", id, err)
		}
	}
	gone := stock.Held + stock.Sold // offers to a waitlist included
	if taken := shown.Total - shown.Available; shown.Available < 0 || taken < kept || taken > gone || shown.Total != r.stock-moved[drop.WrittenOff] {
		f.addf("drop %d: %d of %d units are available, %d are held or sold by the ledger, %d sold", id, shown.Available, shown.Total, gone, kept)
	}
	return nil
}

// pages reads all pages of a list.
func (c *client) pages(ctx context.Context, path string, take func(*shownPage)) error {
	for after := int64(0); ; {
		var page shownPage
		if err := c.ask(ctx, fasthttp.MethodGet, fmt.Sprintf("%s?limit=1000&after=%d", path, after), nil, &page); err != nil {
			return err
		}
		take(&page)
		if page.Next == nil {
			return nil
		}
		after = *page.Next
	}
}

// Books is a database whose records can be read.
type Books interface {
	ReadBooks(ctx context.Context, id drop.ID, b store.Books) error
}

// CheckBooks looks for each acknowledged reservation and purchase in the database.
func (r *Result) CheckBooks(ctx context.Context, books Books) error {
	var f faults
	r.checkAnswers(&f)
	reservations := make(map[drop.ReservationID]bool)
	var reserved int64 // of them, those that are no offers to a waitlist
	purchases := make(map[drop.PurchaseID]drop.ReservationID)
	sold := make(map[drop.ReservationID]bool)
	for _, id := range r.Drops {
		if err := books.ReadBooks(ctx, id, store.Books{
			Head:  func(*drop.State) error { return nil },
			Entry: func(drop.LedgerEntry) error { return nil },
			Reservation: func(row drop.Reservation) error {
				if reservations[row.ID] = true; !row.Offer {
					reserved++
				}
				return nil
			},
			Purchase: func(row drop.Purchase) error {
				purchases[row.ID], sold[row.ReservationID] = row.ReservationID, true
				return nil
			},
		}); err != nil {
			return err
		}
	}
	for _, a := range r.acknowledged {
		if !reservations[a.Reservation] {
			f.addf("reservation %d was acknowledged but does not exist", a.Reservation)
		}
		if a.Purchase != 0 && purchases[a.Purchase] != a.Reservation {
			f.addf("purchase %d of reservation %d was acknowledged but does not exist", a.Purchase, a.Reservation)
		}
		if a.Paid && !sold[a.Reservation] {
			f.addf("the payment of reservation %d was acknowledged, but there is no purchase", a.Reservation)
		}
	}
	if reserved > r.Reservations+r.Errors {
		f.addf("there are %d reservations, but %d were acknowledged and %d had no answer", reserved, r.Reservations, r.Errors)
	}
	r.Audit = &Audit{Checked: "answers, and each row in the database", Faults: f}
	return nil
}

// Clean archives and hides the drops of a run.
func (r *Result) Clean(ctx context.Context, c Config) error {
	client, err := newClient(&c, c.URL)
	if err != nil {
		return err
	}
	defer client.close()
	for _, id := range r.Drops {
		var shown shownDrop
		if err := client.ask(ctx, fasthttp.MethodPatch, fmt.Sprintf("/api/drops/%d", id), map[string]bool{"archived": true, "hidden": true}, &shown); err != nil {
			return err
		}
	}
	return nil
}
