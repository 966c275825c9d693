package histories_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// now is the clock that stores and clients read.
func now() drop.Time { return drop.TimeOf(time.Now()) }

// setting is what kind of history is made.
type setting struct {
	name      string
	histories int           // in make test
	perClient int           // calls
	pause     time.Duration // the longest between two calls of one client
	cuts      bool          // connections between clients and servers break, and clients give up
	// open makes the place; its stores are one for each server.
	open func(*history) *place
	// faults: calls to the store fail.
	faults bool
	// operators: half of the calls are those of operators, which tell of the drop as it was decided on.
	operators bool
}

// place is where a history takes place.
type place struct {
	stores []store.Store
	// trouble makes things go wrong until ctx ends.
	trouble []func(ctx context.Context)
	// settle ends what may still be under way when all servers have stopped.
	settle func()
	// direct is the store without anything that goes wrong.
	direct store.Store
}

// history is one run: servers, clients and what they said to each other.
type history struct {
	setting
	t        *testing.T
	seed     uint64
	sum      *sum
	clients  int
	hold     time.Duration
	expected bool      // to have no order: nothing else is checked
	recent   bool      // readings show the newest purchases as they are: nobody else sells, and no commit goes unseen
	began    time.Time // h.from by the clock that cannot be set
	from     drop.Time
	replicas []*replica
	http     *http.Client
	offers   []*offer
	place    *place

	mu    sync.Mutex
	calls []*call
}

// replica is one server.
type replica struct {
	engine       *engine.Engine
	server       *http.Server
	url, address string
}

func newHistory(t *testing.T, s setting, seed uint64, sum *sum) *history {
	rnd := rand.New(rand.NewPCG(seed, 0))
	return &history{
		setting: s, t: t, seed: seed, sum: sum, clients: 6 + rnd.IntN(4), hold: time.Duration(40+rnd.IntN(120)) * time.Millisecond,
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

// specs are the drops: few units for many clients.
func specs() []*drop.Spec {
	plain, limited, one := int64(5), int64(6), int64(4)
	return []*drop.Spec{
		{Name: "plain", Price: 11_990, TotalStock: &plain, StartTime: 1},
		{Name: "limited", Price: 100, TotalStock: &limited, StartTime: 1, LimitPerUser: 2},
		{Name: "one each", Price: 150, TotalStock: &one, StartTime: 1, LimitPerUser: 1},
		{Name: "sized", Price: 1, Sizes: []drop.SizeSpec{{Label: "8", Stock: 3}, {Label: "9.5", Stock: 2}}, StartTime: 1},
	}
}

// run makes the history, and returns it with what the store has afterwards.
func (h *history) run() *model {
	rnd := rand.New(rand.NewPCG(h.seed, 1))
	h.place = h.open(h)
	for _, s := range h.place.stores {
		h.replicas = append(h.replicas, h.serve(s, rnd))
	}
	h.recent = len(h.replicas) == 1 && !h.faults
	h.began, h.from = time.Now(), now()
	for _, spec := range specs() {
		h.create(spec)
	}
	m := &model{replicas: len(h.replicas), recent: h.recent, opened: time.Since(h.began)}
	ctx, cancel := context.WithCancel(context.Background())
	var trouble, clients sync.WaitGroup
	for _, f := range h.place.trouble {
		trouble.Go(func() { f(ctx) })
	}
	for i := range h.clients {
		c := &client{Rand: rand.New(rand.NewPCG(h.seed, uint64(i)+2)), h: h, number: i + 1}
		clients.Go(c.run)
	}
	clients.Wait()
	cancel()
	trouble.Wait()
	h.awaitHolds()
	h.stop()
	m.rows, m.end = h.read(), now()
	return m
}

func (h *history) serve(s store.Store, rnd *rand.Rand) *replica {
	log := slog.New(slog.DiscardHandler)
	ec := engine.Config{Hold: h.hold, MaxBatch: 1 + rnd.IntN(8), Log: log}
	ac := api.Config{Log: log}
	if h.faults {
		ec.RetryFor = time.Duration(20+rnd.IntN(200)) * time.Millisecond
		ac.RequestTimeout = 300 * time.Millisecond
		ec.MaxQueue = 2 + rnd.IntN(10)
	}
	r := &replica{engine: engine.New(s, ec)}
	if err := r.engine.Start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	ac.Engine = r.engine
	handler, err := api.New(ac)
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	r.server, r.address, r.url = api.Server(handler, log), l.Addr().String(), "http://"+l.Addr().String()
	go func() { _ = r.server.Serve(l) }() // until it is shut down
	return r
}

// create makes a drop, under a key, so that it can ask again until it is answered.
func (h *history) create(spec *drop.Spec) {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		c := &call{kind: creation, spec: spec, key: strings.ReplaceAll(spec.Name, " ", "-")}
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

// awaitHolds waits until all holds have ended: on their own, after all that went wrong.
func (h *history) awaitHolds() {
	if h.expected {
		return
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		held := int64(0)
		for _, d := range h.read().stock {
			held += d.Stock().Held
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

// clockSet tells whether the clock went back since the history began: then it says nothing of the order of calls.
func (h *history) clockSet() bool {
	took := time.Since(h.began)
	return now().Sub(h.from) < took-took/1000-2*time.Millisecond // it may be a little slow
}

// stop ends the servers as they end: what was accepted is finished.
func (h *history) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.http.CloseIdleConnections()
	for _, r := range h.replicas {
		if err := r.server.Shutdown(ctx); err != nil {
			h.t.Error(err)
		}
		if err := r.engine.Stop(ctx); err != nil {
			h.t.Error(err)
		}
	}
	if h.place.settle != nil {
		h.place.settle()
	}
	if h.expected {
		return
	}
	if report, err := audit.Run(ctx, h.place.direct, nil); err != nil || report.Damaged() > 0 {
		h.t.Errorf("audit: %v, %+v", err, report)
	}
}

// read reads the books.
func (h *history) read() *rows {
	r := &rows{
		stock: make(map[drop.ID]drop.Drop), reservations: make(map[drop.ID][]drop.Reservation),
		purchases: make(map[drop.ID][]drop.Purchase), byID: make(map[drop.ReservationID]drop.Reservation),
		byBuyer: make(map[buyer]drop.Reservation), paid: make(map[drop.ReservationID]drop.Purchase),
	}
	for _, o := range h.offers {
		err := h.place.direct.ReadBooks(h.t.Context(), o.id, store.Books{
			Head:  func(s *drop.State) error { r.stock[o.id] = s.Drop; return nil },
			Entry: func(drop.LedgerEntry) error { return nil },
			Reservation: func(v drop.Reservation) error {
				r.reservations[o.id] = append(r.reservations[o.id], v)
				r.byID[v.ID], r.byBuyer[buyer{o.id, v.UserID, v.Size}] = v, v
				return nil
			},
			Purchase: func(p drop.Purchase) error {
				r.purchases[o.id] = append(r.purchases[o.id], p)
				r.paid[p.ReservationID] = p
				return nil
			},
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return r
}

// sum adds up what all histories of a test were made of.
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

func (s *sum) log(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for what, n := range s.counts {
		lines = append(lines, fmt.Sprintf("%-45s %8d", what, n))
	}
	slices.Sort(lines)
	for _, line := range lines {
		t.Log(line)
	}
	t.Logf("%-45s %8s", "longest search", s.search.Round(time.Millisecond))
}
