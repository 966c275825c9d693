//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/stores"
)

// rows are what the database has about some drops.
type rows struct {
	byUser    map[int64][]drop.Reservation
	purchases map[int64][]drop.Purchase // by their reservation
	overdue   int                       // holds whose time is over but that have not ended
}

// books opens the shop's database at its primary, bypassing everything in between.
func (c *cluster) books(ctx context.Context) (*postgres.Store, error) {
	now, err := c.roles(ctx)
	if err != nil {
		return nil, err
	}
	return postgres.Open(ctx, now.primary.url("postgres", "shop"), postgres.Options{Log: slog.New(slog.DiscardHandler), Connections: 2})
}

func read(ctx context.Context, s store.Store, shelves []*shelf) (*rows, error) {
	r := &rows{byUser: make(map[int64][]drop.Reservation), purchases: make(map[int64][]drop.Purchase)}
	now := drop.TimeOf(time.Now())
	for _, shelf := range shelves {
		books, err := stores.ReadBooks(ctx, s, drop.ID(shelf.id))
		if err != nil {
			return nil, err
		}
		for _, row := range books.Reservations {
			r.byUser[int64(row.UserID)] = append(r.byUser[int64(row.UserID)], row)
			if row.Status == drop.Active && row.ExpiresAt <= now {
				r.overdue++
			}
		}
		for _, row := range books.Purchases {
			r.purchases[int64(row.ReservationID)] = append(r.purchases[int64(row.ReservationID)], row)
		}
	}
	return r, nil
}

// verdict is the result of comparing answers with the store's records.
type verdict struct {
	buyers, acknowledged       int
	lost, twice, other, denied int // other: another answer the second time; denied: it exists, but the buyer was told otherwise
	asked                      int
	what                       []string
}

func (v *verdict) findf(n *int, format string, args ...any) {
	*n++
	if len(v.what) < 20 {
		v.what = append(v.what, fmt.Sprintf(format, args...))
	}
}

// compare checks what every buyer was told against the rows.
func (v *verdict) compare(buyers []*buyer, shelves []*shelf, r *rows) {
	given, sold := make(map[int64]int64), make(map[int64]int64)
	known := make(map[int64]bool)
	for _, b := range buyers {
		v.buyers++
		v.acknowledged += len(b.calls())
		known[b.user] = true
		if b.held.ID != 0 {
			if who, twice := given[b.held.ID]; twice {
				v.findf(&v.twice, "reservation %d was given to the buyers %d and %d", b.held.ID, who, b.user)
			}
			given[b.held.ID] = b.user
		}
		v.compareBuyer(b, r, sold)
	}
	taken := make(map[int64]int)
	for user, reservations := range r.byUser {
		if !known[user] {
			v.findf(&v.denied, "nobody knows of %+v", reservations)
		}
		for i := range reservations {
			row := &reservations[i]
			if n := len(r.purchases[int64(row.ID)]); n > 1 {
				v.findf(&v.twice, "reservation %d was sold %d times", row.ID, n)
			}
			if row.Status == drop.Active || row.Status == drop.Completed {
				taken[int64(row.ID.Drop())]++
			}
		}
	}
	for _, s := range shelves {
		if taken[s.id] > s.total {
			v.findf(&v.twice, "drop %d: %d of %d units are held or sold", s.id, taken[s.id], s.total)
		}
	}
}

func (v *verdict) compareBuyer(b *buyer, r *rows, sold map[int64]int64) {
	mine := r.byUser[b.user]
	if !b.reserve.done() {
		// A try without an answer may still be on its way when the next one, at another replica, is refused.
		if len(mine) > min(b.reserve.unknown, 1) {
			v.findf(&v.denied, "%+v is there, and its buyer was told %s", mine, b.reserve.answer)
		}
		return
	}
	if len(mine) > 1 {
		v.findf(&v.twice, "one call of buyer %d made %+v", b.user, mine)
	}
	i := slices.IndexFunc(mine, func(row drop.Reservation) bool { return int64(row.ID) == b.held.ID })
	if i < 0 {
		v.findf(&v.lost, "%s was answered %s", b.reserve.body, b.reserve.answer)
		return
	}
	row := &mine[i]
	if row.Size != b.size || !row.CreatedAt.Time().Equal(b.held.CreatedAt) || !row.ExpiresAt.Time().Equal(b.held.ExpiresAt) {
		v.findf(&v.lost, "%+v was answered %s", row, b.reserve.answer)
	}
	bought := r.purchases[b.held.ID]
	if b.purchase == nil || !b.purchase.done() {
		if len(bought) > 0 {
			v.findf(&v.denied, "%+v is not what its buyer was told: %+v", bought, b.purchase)
		}
		return
	}
	var told struct{ Purchase struct{ ID int64 } }
	err := json.Unmarshal([]byte(b.purchase.answer[len("200 "):]), &told)
	if err != nil || len(bought) != 1 || int64(bought[0].ID) != told.Purchase.ID || row.Status != drop.Completed {
		v.findf(&v.lost, "%s was answered %s, and the reservation is %s with %+v", b.purchase.body, b.purchase.answer, row.Status, bought)
	}
	if who, twice := sold[told.Purchase.ID]; twice {
		v.findf(&v.twice, "purchase %d was given to the buyers %d and %d", told.Purchase.ID, who, b.user)
	}
	sold[told.Purchase.ID] = b.user
}

// askAgain repeats calls under their keys: those whose outcome was unknown for a while, some others, and some of
// earlier rounds.
func (c *crowd) askAgain(v *verdict, rnd *rand.Rand) {
	const some = 300
	var doubtful, others []*call
	for _, b := range c.buyers {
		for _, k := range b.calls() {
			if k.unknown > 0 {
				doubtful = append(doubtful, k)
			} else {
				others = append(others, k)
			}
		}
	}
	again := doubtful
	for _, from := range [][]*call{others, c.old} {
		rnd.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		again = append(again, from[:min(len(from), some)]...)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan *call)
	for range 8 {
		all.Go(func() {
			for k := range next {
				twin := call{path: k.path, key: k.key, body: k.body}
				c.settle(&twin)
				mu.Lock()
				v.asked++
				if twin.answer != k.answer {
					v.findf(&v.other, "%s under the key %q was answered\n%s, and again\n%s", k.body, k.key, k.answer, twin.answer)
				}
				mu.Unlock()
			}
		})
	}
	for _, k := range again {
		next <- k
	}
	close(next)
	all.Wait()
}

// check compares, repeats calls, audits, and waits until no hold is overdue. Nobody buys meanwhile.
func check(ctx context.Context, books store.Store, crowd *crowd, shelves []*shelf, rnd *rand.Rand) (*verdict, error) {
	v := new(verdict)
	r, err := read(ctx, books, shelves)
	if err != nil {
		return v, err
	}
	v.compare(crowd.buyers, shelves, r)
	crowd.askAgain(v, rnd)
	for _, shelf := range shelves {
		report, err := audit.Drop(ctx, books, drop.ID(shelf.id))
		if err != nil {
			return v, err
		}
		v.what = append(v.what, report.Sentences...)
	}
	return v, poll(ctx, patience, func(ctx context.Context) error {
		r, err := read(ctx, books, shelves)
		if err == nil && r.overdue > 0 {
			err = fmt.Errorf("%d holds are overdue", r.overdue)
		}
		return err
	})
}
