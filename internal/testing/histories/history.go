package histories

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// now is the clock that stores and clients use.
func now() drop.Time { return drop.TimeOf(time.Now()) }

// setting is a kind of history.
type setting struct {
	name      string
	histories int           // in make test
	perClient int           // calls
	pause     time.Duration // the longest pause between two calls of one client
	cuts      bool          // connections between clients and servers break, and clients give up
	// open makes the place; it has one store for each server.
	open func(*history) *place
	// faults: calls to the store fail.
	faults bool
	// operators: half of the calls are operators' calls, whose answers show the drop as it was decided on.
	operators bool
}

// place is where a history takes place.
type place struct {
	stores []store.Store
	// trouble causes faults until ctx ends.
	trouble []func(ctx context.Context)
	// settle ends whatever is still in progress after all servers have stopped.
	settle func()
	// direct is the store without the faults.
	direct store.Store
}

// history is one run: the servers, the clients and their calls.
type history struct {
	setting
	t        testing.TB
	seed     uint64
	sum      *sum
	clients  int
	hold     time.Duration
	given    time.Duration // how long a patient client waits
	expected bool          // to have no order: nothing else is checked
	recent   bool          // readings show the newest purchases exactly: nobody else sells, and every commit is seen
	began    time.Time     // h.from, by the clock that cannot be set
	from     drop.Time
	replicas []*replica
	http     *http.Client
	offers   []*offer
	full     drop.ID // whose draw seems to have almost as many entries as it can have; 0: none
	place    *place
	payments atomic.Int64 // their numbers

	mu    sync.Mutex
	calls []*call
}

// replica is one server.
type replica struct {
	url, address string
	stop         func(context.Context) error // nil: somebody else's
	engine       *engine.Engine              // the same
}

func newHistory(t testing.TB, s setting, seed uint64, sum *sum) *history {
	rnd := rand.New(rand.NewPCG(seed, 0))
	return &history{
		setting: s, t: t, seed: seed, sum: sum, clients: 6 + rnd.IntN(4), hold: time.Duration(40+rnd.IntN(120)) * time.Millisecond, given: patience,
		http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
	}
}

func (h *history) count(what string) { h.sum.add(what, 1) }

func (h *history) record(c *call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
}

func (h *history) offer(id drop.ID) *offer {
	i := slices.IndexFunc(h.offers, func(o *offer) bool { return o.id == id })
	return h.offers[i]
}

// createAll makes the drops: few units for many clients, about half of them with a waitlist. The last one has a draw
// that closes after that time.
func (h *history) createAll(closes time.Duration) {
	rnd := rand.New(rand.NewPCG(h.seed, 2000))
	plain, limited, one := int64(5), int64(6), int64(4)
	specs := []*drop.Spec{
		{Name: "plain", Price: 11_990, TotalStock: &plain, StartTime: 1},
		{Name: "limited", Price: 100, TotalStock: &limited, StartTime: 1, LimitPerUser: 2},
		{Name: "one each", Price: 150, TotalStock: &one, StartTime: 1, LimitPerUser: 1},
		{Name: "sized", Price: 1, Sizes: []drop.SizeSpec{{Label: "8", Stock: 3}, {Label: "9.5", Stock: 2}}, StartTime: 1},
	}
	for _, spec := range specs {
		if spec.Waitlist = rnd.IntN(2) == 0; spec.Waitlist && spec.Sizes != nil {
			spec.LimitPerUser = rnd.IntN(2) // whoever waits for both sizes may be skipped
		}
		h.create(spec)
	}
	terms := drop.Draw{Opens: h.from, Closes: now().Add(closes), PayWithin: drop.DefaultPayWithin}
	h.create(&drop.Spec{Name: "drawn", Price: 1, Sizes: specs[3].Sizes, StartTime: terms.Closes, Draw: terms})
}

// create makes a drop under a key, so that it can repeat the call until there is an answer.
func (h *history) create(spec *drop.Spec) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c := &call{kind: creation, spec: spec, key: fmt.Sprint(strings.ReplaceAll(spec.Name, " ", "-"), "-", h.seed)}
		h.do(c, fate{timeout: patience})
		if c.answer.id != 0 {
			c.drop, c.key = drop.ID(c.answer.id), ""
			h.offers = append(h.offers, &offer{id: c.drop, spec: spec})
			return
		}
		h.calls = h.calls[:len(h.calls)-1] // of no drop
	}
	h.t.Fatalf("%s was not created within %s", spec.Name, patience)
}

// awaitHolds waits until all holds have ended by themselves, after all faults. It leaves offers, which last longer.
func (h *history) awaitHolds() {
	if h.expected {
		return
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		held := 0
		for _, r := range h.read().byID {
			if r.Status == drop.Active && !r.Offer {
				held++
			}
		}
		if held == 0 {
			return
		}
		if time.Now().After(deadline) {
			h.t.Errorf("%d units are still held, %s after the last call", held, patience)
			return
		}
	}
}

// clockSet reports whether the clock went back during the history, which then says nothing about the order of calls.
func (h *history) clockSet() bool {
	took := time.Since(h.began)
	return now().Sub(h.from) < took-took/1000-2*time.Millisecond // it may be a little slow
}

// read reads the records of all drops from the store.
func (h *history) read() *rows {
	r := &rows{
		stock: make(map[drop.ID]drop.Drop), reservations: make(map[drop.ID][]drop.Reservation),
		purchases: make(map[drop.ID][]drop.Purchase), byID: make(map[drop.ReservationID]drop.Reservation),
		byBuyer: make(map[buyer]drop.Reservation), paid: make(map[drop.ReservationID]drop.Purchase),
		sold: make(map[drop.PurchaseID]drop.Purchase), payments: make(map[drop.ID]map[drop.PaymentID]drop.Payment),
		entries: make(map[drop.ID][]drop.Entry), drawn: make(map[drop.EntryID]drop.DrawEntry),
	}
	for _, o := range h.offers {
		books, err := stores.ReadBooks(h.t.Context(), h.place.direct, o.id)
		if err != nil {
			h.t.Fatal(err)
		}
		r.stock[o.id], r.reservations[o.id], r.purchases[o.id] = books.State.Drop, books.Reservations, books.Purchases
		r.entries[o.id] = books.Entries
		for _, e := range books.DrawEntries {
			r.drawn[e.ID] = e
		}
		for _, v := range books.Reservations {
			r.byID[v.ID] = v
			if who := (buyer{o.id, v.UserID, v.Size}); r.byBuyer[who].ID == 0 && !v.Offer {
				r.byBuyer[who] = v
			}
		}
		for _, p := range books.Purchases {
			r.paid[p.ReservationID], r.sold[p.ID] = p, p
		}
		r.payments[o.id] = make(map[drop.PaymentID]drop.Payment)
		if err := h.place.direct.PaymentsOfDrop(h.t.Context(), o.id, func(p drop.Payment) error {
			r.payments[o.id][p.ID] = p
			return nil
		}); err != nil {
			h.t.Fatal(err)
		}
	}
	return r
}

// sum adds up what all histories of a test contained.
type sum struct {
	mu     sync.Mutex
	counts map[string]int
	search time.Duration // the longest search for an order
}

func (s *sum) longest(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.search = max(s.search, d)
}

func (s *sum) add(what string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make(map[string]int)
	}
	s.counts[what] += n
}
