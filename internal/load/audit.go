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

// faults are what answers and books disagree in.
type faults []string

func (f *faults) addf(format string, args ...any) {
	if len(*f) < maxFaults {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// Check compares what the server has answered with what it shows of the drops: nothing acknowledged twice, nothing
// beyond the stock, nothing lost.
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
			f.addf("reservation %d is of another drop", sorted[i].Reservation)
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
	// shownPage is one of the ledger, or of the purchases.
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
				f.addf("purchase %d was acknowledged and is not there", a.Purchase)
			} else if of != a.Reservation {
				f.addf("purchase %d is of reservation %d, and was acknowledged for %d", a.Purchase, of, a.Reservation)
			}
		}
	}
	// Where no answer came something may have been done that nobody was told of.
	if n := moved[drop.Reserved]; n < reserved || n > reserved+r.Errors {
		f.addf("drop %d: the ledger has %d reserved, acknowledged were %d, without an answer %d", id, n, reserved, r.Errors)
	}
	if n := moved[drop.Purchased]; n < purchased || n > purchased+r.Errors || n != int64(len(sold)) {
		f.addf("drop %d: the ledger has %d purchased and the list %d, acknowledged were %d, without an answer %d", id, n, len(sold), purchased, r.Errors)
	}
	gone := moved[drop.Reserved] - moved[drop.ReservationExpired] - moved[drop.ReservationCancelled]
	if shown.Available < 0 || shown.Total-shown.Available < int64(len(sold)) || shown.Total-shown.Available > gone || shown.Total != r.stock {
		f.addf("drop %d: %d of %d units are available, %d are held or sold by the ledger, %d sold", id, shown.Available, shown.Total, gone, len(sold))
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

// Books is what a check that sees the database reads.
type Books interface {
	ReadBooks(ctx context.Context, id drop.ID, b store.Books) error
}

// CheckBooks looks for each acknowledged reservation and purchase in the database.
func (r *Result) CheckBooks(ctx context.Context, books Books) error {
	var f faults
	r.checkAnswers(&f)
	reservations := make(map[drop.ReservationID]bool)
	purchases := make(map[drop.PurchaseID]drop.ReservationID)
	for _, id := range r.Drops {
		if err := books.ReadBooks(ctx, id, store.Books{
			Head:  func(*drop.State) error { return nil },
			Entry: func(drop.LedgerEntry) error { return nil },
			Reservation: func(row drop.Reservation) error {
				reservations[row.ID] = true
				return nil
			},
			Purchase: func(row drop.Purchase) error {
				purchases[row.ID] = row.ReservationID
				return nil
			},
		}); err != nil {
			return err
		}
	}
	for _, a := range r.acknowledged {
		if !reservations[a.Reservation] {
			f.addf("reservation %d was acknowledged and is not there", a.Reservation)
		}
		if a.Purchase != 0 && purchases[a.Purchase] != a.Reservation {
			f.addf("purchase %d of reservation %d was acknowledged and is not there", a.Purchase, a.Reservation)
		}
	}
	if n := int64(len(reservations)); n > r.Reservations+r.Errors {
		f.addf("%d reservations are there, acknowledged were %d, without an answer %d", n, r.Reservations, r.Errors)
	}
	r.Audit = &Audit{Checked: "answers, and each row in the database", Faults: f}
	return nil
}

// Clean takes the drops of a run out of the shop's sight.
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
