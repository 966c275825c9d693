//go:build linux

package test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/stores"
)

// rows are the database's records of the traffic.
type rows struct {
	byUser    map[int64][]drop.Reservation
	purchases map[int64]drop.Purchase // by their reservation
	overdue   int                     // active holds whose time is over
}

// open opens the database to read it.
func (tr *traffic) open(ctx context.Context) (store.Store, error) {
	quiet := slog.New(slog.DiscardHandler)
	if file, ok := strings.CutPrefix(tr.books, "sqlite:"); ok {
		return sqlite.Open(file, sqlite.Options{ReadOnly: true, Log: quiet})
	}
	return postgres.Open(ctx, tr.books, postgres.Options{Log: quiet})
}

func (tr *traffic) read() (*rows, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := tr.open(ctx)
	if err != nil {
		return nil, err
	}
	r := &rows{byUser: make(map[int64][]drop.Reservation), purchases: make(map[int64]drop.Purchase)}
	now := drop.TimeOf(time.Now())
	for i := range tr.shelves {
		books, readErr := stores.ReadBooks(ctx, s, drop.ID(tr.shelves[i].id))
		err = errors.Join(err, readErr)
		for _, row := range books.Reservations {
			r.byUser[int64(row.UserID)] = append(r.byUser[int64(row.UserID)], row)
			if row.Status == drop.Active && row.ExpiresAt <= now {
				r.overdue++
			}
		}
		for _, row := range books.Purchases {
			r.purchases[int64(row.ReservationID)] = row
		}
	}
	return r, errors.Join(err, s.Close())
}

// check compares what every buyer was told with the store's records, repeats calls that have a key, and audits. The
// traffic is paused.
func (tr *traffic) check() {
	tr.t.Helper()
	r, err := tr.read()
	if err != nil {
		tr.t.Fatalf("read the books: %v", err)
	}
	given := make(map[int64]int64)
	sold := 0
	for _, b := range tr.buyers {
		if b.held.ID != 0 {
			if other, twice := given[b.held.ID]; twice {
				tr.t.Errorf("reservation %d was given to the buyers %d and %d", b.held.ID, other, b.user)
			}
			given[b.held.ID] = b.user
		}
		sold += tr.checkBuyer(b, r)
	}
	if sold != len(r.purchases) {
		tr.t.Errorf("%d purchases are there, buyers know of %d", len(r.purchases), sold)
	}
	tr.audit()
	tr.askAgain()
	if tr.t.Failed() {
		tr.t.FailNow()
	}
}

// checkBuyer returns how many purchases the buyer knows of.
func (tr *traffic) checkBuyer(b *buyer, r *rows) int {
	tr.t.Helper()
	mine := r.byUser[b.user]
	most := b.reserve.unknown
	if b.reserve.done() {
		most++
	}
	if b.reserve.key != "" {
		most = min(most, 1)
	}
	if len(mine) > most {
		tr.t.Errorf("buyer %d has %d reservations, at most %d were made by %+v", b.user, len(mine), most, b.reserve)
	}
	if !b.reserve.done() {
		return 0
	}
	var row *drop.Reservation
	for i := range mine {
		if int64(mine[i].ID) == b.held.ID {
			row = &mine[i]
		}
	}
	if row == nil {
		tr.t.Errorf("lost: %s was answered %s", b.reserve.body, b.reserve.answer)
		return 0
	}
	if row.Size != b.size || !row.CreatedAt.Time().Equal(b.held.CreatedAt) || !row.ExpiresAt.Time().Equal(b.held.ExpiresAt) {
		tr.t.Errorf("reservation %+v was answered %s", row, b.reserve.answer)
	}
	return tr.checkThen(b, row, r)
}

func (tr *traffic) checkThen(b *buyer, row *drop.Reservation, r *rows) int {
	tr.t.Helper()
	purchase, bought := r.purchases[b.held.ID]
	wants := b.then != nil && b.then.path == "/api/drops/purchase"
	if !wants || !b.then.done() {
		if bought {
			tr.t.Errorf("purchase %+v is not what its buyer was told: %+v", purchase, b.then)
		}
		if b.then != nil && b.then.done() && row.Status != drop.Cancelled && row.Status != drop.Expired {
			tr.t.Errorf("lost: %s was answered %s, and the reservation is %s", b.then.body, b.then.answer, row.Status)
		}
		return 0
	}
	var told struct{ Purchase struct{ ID int64 } }
	err := json.Unmarshal([]byte(b.then.answer[len("200 "):]), &told)
	if err != nil || !bought || int64(purchase.ID) != told.Purchase.ID || row.Status != drop.Completed {
		tr.t.Errorf("lost: purchase %+v of the reservation that is %s was answered %s", purchase, row.Status, b.then.answer)
	}
	return 1
}

// askAgain repeats calls that were answered under a key, of the new buyers and of some old ones. It also repeats
// purchases, which need no key.
func (tr *traffic) askAgain() {
	tr.t.Helper()
	rnd := rand.New(rand.NewPCG(tr.seed, uint64(len(tr.buyers))))
	some := tr.buyers[tr.checked:]
	for range min(tr.checked, 20) {
		some = append(slices.Clip(some), tr.buyers[rnd.IntN(tr.checked)])
	}
	tr.checked = len(tr.buyers)
	calls := make(chan *wish)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for c := range calls {
				again := *c
				tr.settle(&again, true)
				if again.answer != c.answer {
					tr.t.Errorf("%s %s under the key %q was answered\n%s, and again\n%s", c.path, c.body, c.key, c.answer, again.answer)
				}
				tr.count("asked again")
			}
		})
	}
	for _, b := range some {
		for _, c := range []*wish{&b.reserve, b.then} {
			if c != nil && c.done() && (c.key != "" || strings.HasSuffix(c.path, "purchase")) {
				calls <- c
			}
		}
	}
	close(calls)
	all.Wait()
}

// awaitEnds waits until every hold whose time is over has ended.
func (tr *traffic) awaitEnds() {
	tr.t.Helper()
	if err := poll(tr.t.Context(), func() error {
		r, err := tr.read()
		if err == nil && r.overdue > 0 {
			err = errors.New("holds are overdue")
		}
		return err
	}); err != nil {
		tr.t.Fatal(err)
	}
}
