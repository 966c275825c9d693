// Package load puts load on a server and reports how much was accepted, how long it took, and whether every answer
// was true.
//
// A closed loop has a fixed number of connections. Each sends its next request when the last one is answered, which
// finds the server's maximum throughput. An open loop sends at a fixed rate, whatever the server does. Latency then
// counts from the moment when a request was due, so a stall of the server shows in every request that was due during
// it.
//
// The package uses only the server's API.
package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
)

// Scenario is what buyers do.
type Scenario string

// The scenarios. Every unit of work has its own buyer.
const (
	Reserve  Scenario = "reserve"  // everybody gets a unit
	Spike    Scenario = "spike"    // far more buyers than units
	SoldOut  Scenario = "sold-out" // nothing is left
	List     Scenario = "list"     // GET /api/drops with 10 drops
	Purchase Scenario = "purchase" // everybody reserves and purchases
	Paid     Scenario = "paid"     // everybody reserves and pays, at a provider that answers at once
	Mixed    Scenario = "mixed"    // everybody reserves; 70% pay, 30% never return
)

// Scenarios returns all of them.
func Scenarios() []Scenario { return []Scenario{Reserve, Spike, SoldOut, List, Purchase, Paid, Mixed} }

const (
	spikeStock  = 500
	listedDrops = 10
	boughtOf10  = 7
	// lateAfter is how long after its due time a request counts as started late.
	lateAfter = 10 * time.Millisecond
)

// Config configures one run.
type Config struct {
	// URL is the server's address, http or https.
	URL string
	// Others are further servers of the same shop. Connections are spread evenly over all of them.
	Others   []string
	Scenario Scenario
	// Drops is how many drops sell at once, with buyers taking turns; 0 means one. The scenario List has its own
	// drops.
	Drops int
	// Connections is the most connections. In the closed loop each always has a request under way.
	Connections int
	// Rate is units of work per second for the open loop; 0 means the closed loop.
	Rate     float64
	Duration time.Duration
	// Token is an operator's token, if the server requires one.
	Token string
	// Buyer returns a buyer's token. If nil, buyers send their userId.
	Buyer func(buyer int64) string
	// Keys sends a new Idempotency-Key with each reserve and purchase.
	Keys bool
	// Webhooks compares the load while all events go to three endpoints, of which one is slow and one dead, with the
	// load without them. They are in this process, so the server must allow private addresses.
	Webhooks bool
	// Turn is how long the load runs with the endpoints, and without, before they change (default 2 s).
	Turn time.Duration
	// Began, if not nil, is called when everything is prepared and the load starts.
	Began func()
	// Progress, if not nil, is called every second.
	Progress func(Progress)
}

// Progress is what has happened so far.
type Progress struct {
	Elapsed           time.Duration
	Accepted, Refused int64
	Errors            int64
	PerSecond         float64 // accepted in the last second
}

// Run prepares drops, puts load on them until the time is over or ctx ends, and returns the result. The drops remain;
// Clean archives them.
func Run(ctx context.Context, c Config) (*Result, error) {
	if c.Connections < 1 || c.Duration <= 0 || !slices.Contains(Scenarios(), c.Scenario) {
		return nil, errors.New("a run needs a scenario, a connection and a duration")
	}
	r := &run{Config: c, hist: newHistograms()}
	for _, url := range append([]string{c.URL}, c.Others...) {
		client, err := newClient(&c, url)
		if err != nil {
			return nil, err
		}
		defer client.close()
		r.clients = append(r.clients, client)
	}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	tokens := sign(c.Buyer, r.expected())
	for _, client := range r.clients {
		client.tokens = tokens
	}
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	if c.Began != nil {
		c.Began()
	}
	began := time.Now()
	turns := make(chan error, 1)
	if c.Webhooks {
		go func() {
			until, cancel := context.WithDeadline(ctx, began.Add(c.Duration))
			defer cancel()
			var failed error
			r.turns, failed = r.takeTurns(until)
			turns <- failed
		}()
	} else {
		turns <- nil
	}
	r.load(ctx, began)
	took := time.Since(began)
	if err := <-turns; err != nil {
		return nil, err
	}
	return r.result(took), nil
}

// run is one run under way.
type run struct {
	Config

	clients []*client // one for each server
	hist    *histograms
	drops   []drop.ID
	stock   int64 // of each drop

	next              atomic.Int64 // numbers the units of work
	accepted, refused atomic.Int64 // numbers of requests
	errors, late      atomic.Int64
	turns             *Turns // nil without Webhooks

	mu       sync.Mutex
	codes    map[string]int64
	firstErr string
	books    [][]Acknowledged // one list for each worker
}

// Acknowledged is a success that the server has reported.
type Acknowledged struct {
	Reservation drop.ReservationID
	Buyer       int64
	Purchase    drop.PurchaseID // 0 if only reserved, or Paid
	Paid        bool            // by a checkout, whose answer names no purchase
}

// prepare makes the drops that the scenario needs.
func (r *run) prepare(ctx context.Context) error {
	n := max(r.Drops, 1)
	switch r.Scenario {
	case Spike:
		r.stock = spikeStock
	case SoldOut:
		r.stock = 0
	case List:
		n, r.stock = listedDrops, 1000
	default:
		r.stock = drop.MaxStock
	}
	for i := range n {
		id, err := r.clients[0].create(ctx, fmt.Sprintf("bench %s %s %d", r.Scenario, time.Now().UTC().Format(time.RFC3339), i+1), r.stock)
		if err != nil {
			return fmt.Errorf("create a drop for the load: %w", err)
		}
		r.drops = append(r.drops, id)
	}
	r.codes = make(map[string]int64)
	r.books = make([][]Acknowledged, r.Connections)
	return nil
}

// expected returns the most buyers that may come, as far as that is known.
func (r *run) expected() int {
	perSecond := r.Rate
	if perSecond == 0 {
		const fastest = 40_000 // of the servers measured so far on two cores
		perSecond = fastest
	}
	return int(min(perSecond*r.Duration.Seconds(), mostSigned))
}

// connect opens the connections before the measurement. People who wait for a drop have theirs open too.
func (r *run) connect(ctx context.Context) error {
	errs := make(chan error, r.Connections)
	for i := range r.Connections {
		go func() { errs <- r.clientOf(i).touch(ctx) }()
	}
	var failed error
	for range r.Connections {
		failed = cmp.Or(failed, <-errs)
	}
	if failed != nil {
		return fmt.Errorf("open %d connections: %w", r.Connections, failed)
	}
	return nil
}

// load runs the workers and reports their progress.
func (r *run) load(ctx context.Context, began time.Time) {
	ctx, cancel := context.WithDeadline(ctx, began.Add(r.Duration))
	defer cancel()
	var workers sync.WaitGroup
	for i := range r.Connections {
		workers.Go(func() { r.work(ctx, i, began) })
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.report(ctx, began)
	}()
	workers.Wait()
	cancel()
	<-done
}

func (r *run) report(ctx context.Context, began time.Time) {
	if r.Progress == nil {
		return
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before := int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			accepted := r.accepted.Load()
			r.Progress(Progress{
				Elapsed: time.Since(began), Accepted: accepted, Refused: r.refused.Load(), Errors: r.errors.Load(),
				PerSecond: float64(accepted - before),
			})
			before = accepted
		}
	}
}

// clientOf returns the client for one connection's server.
func (r *run) clientOf(worker int) *client { return r.clients[worker%len(r.clients)] }

// work runs units of work one after the other. In the open loop each worker takes the next one that is due.
func (r *run) work(ctx context.Context, worker int, began time.Time) {
	w := r.clientOf(worker).worker()
	defer w.release()
	r.each(ctx, began, func(buyer int64, due time.Time) { r.unit(w, worker, buyer, due) })
}

// each calls do for one unit of work after the other, when it is due.
func (r *run) each(ctx context.Context, began time.Time, do func(n int64, due time.Time)) {
	for ctx.Err() == nil {
		n := r.next.Add(1)
		due := time.Now()
		if r.Rate > 0 {
			due = began.Add(time.Duration(float64(n-1) / r.Rate * float64(time.Second)))
			if !sleepUntil(ctx, due) {
				return
			}
			if time.Since(due) > lateAfter {
				r.late.Add(1)
			}
		}
		do(n, due)
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	wait := time.Until(at)
	if wait <= 0 {
		return true
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// unit does what one buyer does.
func (r *run) unit(w *worker, worker int, buyer int64, due time.Time) {
	if r.Scenario == List {
		r.count(opList, due, w.list())
		return
	}
	a := w.reserve(r.drops[buyer%int64(len(r.drops))], buyer)
	r.count(opReserve, due, a)
	if !a.ok {
		return
	}
	kept := Acknowledged{Reservation: drop.ReservationID(a.id), Buyer: buyer}
	if r.Scenario == Purchase || r.Scenario == Mixed && buyer%10 < boughtOf10 {
		due = time.Now()
		bought := w.purchase(kept.Reservation, buyer)
		r.count(opPurchase, due, bought)
		if bought.ok {
			kept.Purchase = drop.PurchaseID(bought.id)
		}
	}
	if r.Scenario == Paid {
		due = time.Now()
		paid := w.pay(kept.Reservation, buyer)
		r.count(opPay, due, paid)
		kept.Paid = paid.ok
	}
	r.books[worker] = append(r.books[worker], kept)
}

// count records the result of a request. Only accepted and refused requests have a latency.
func (r *run) count(op operation, due time.Time, a answer) {
	took := time.Since(due)
	switch {
	case a.ok:
		r.accepted.Add(1)
		r.hist.record(op, true, took)
		return
	case a.err == nil && a.status < 500:
		r.refused.Add(1)
		r.hist.record(op, false, took)
	default:
		r.errors.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case a.err != nil:
		r.codes["no answer"]++
		if r.firstErr == "" {
			r.firstErr = a.err.Error()
		}
	default:
		r.codes[a.code]++
	}
}
