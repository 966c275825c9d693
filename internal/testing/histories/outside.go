package histories

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"sneakerdrop/internal/store"
)

// Outside is a history of servers that somebody else runs on one database with one clock. These may break them
// meanwhile.
type Outside struct {
	h     *history
	model *model
}

// NewOutside makes a few small drops on servers, whose addresses (http://…) and --hold are given. The seed decides
// what clients ask for.
func NewOutside(t testing.TB, servers []string, hold time.Duration, seed uint64) *Outside {
	t.Helper()
	h := newHistory(t, setting{
		name: "outside", perClient: 60, pause: 600 * time.Millisecond, faults: true,
	}, seed, new(sum))
	h.hold, h.given = hold, 10*time.Second
	for _, address := range servers {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		h.replicas = append(h.replicas, &replica{url: address, address: u.Host})
	}
	h.began, h.from = time.Now(), now()
	h.createAll(time.Hour)
	return &Outside{h: h, model: &model{replicas: len(servers), opened: time.Since(h.began)}}
}

// Run lets clients make a bounded number of calls until ctx ends, and returns when they know everything that they
// will ever know.
func (o *Outside) Run(ctx context.Context) {
	var clients sync.WaitGroup
	for i := range o.h.clients {
		c := &client{Rand: rand.New(rand.NewPCG(o.h.seed, uint64(i)+2)), h: o.h, number: i + 1}
		clients.Go(func() { c.run(ctx) })
	}
	clients.Wait()
	o.h.http.CloseIdleConnections()
}

// Found is the result of a check.
type Found struct {
	Calls, Unknown int // calls, and those of which nobody knows the outcome
	Undecided      bool
}

// Verify looks for an order that explains the history, and fails the test if there is none. The argument is the
// servers' database, read once no call is under way any more.
func (o *Outside) Verify(books store.Store) Found {
	o.h.t.Helper()
	if o.h.clockSet() {
		return Found{Undecided: true}
	}
	o.h.place = &place{direct: books}
	o.model.rows, o.model.end = o.h.read(), now()
	found := Found{Calls: len(o.h.calls)}
	switch o.h.check(o.model) {
	case porcupine.Illegal:
		o.h.t.Error("no order explains the history")
	case porcupine.Unknown:
		found.Undecided = true
	case porcupine.Ok:
	}
	o.h.versions()
	o.h.explained(o.model)
	o.h.ruled(o.model)
	found.Unknown = o.h.sum.counts[unknownOutcome]
	return found
}

// String summarizes what the clients were told.
func (f Found) String() string {
	return fmt.Sprintf("%d calls, %d of unknown outcome", f.Calls, f.Unknown)
}
