//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/client"
)

// hold is how long a reservation lives: as long as most faults last.
const hold = 20 * time.Second

const (
	workers = 24
	// thought is the longest pause of a worker between two buyers.
	thought = 150 * time.Millisecond
	// given is how long a buyer waits for an answer. It is longer than a replica takes to say that it does not know.
	given = 12 * time.Second
	// settled is the time within which every buyer must learn the outcome of a call.
	settled = 3 * time.Minute
)

// crowd is the buyers, with what each of them was told. Every buyer is a separate user, so that the store's records
// show what each of them got. Of 10 who reserve, 7 buy and 3 never come back. Each call has a key, and is repeated
// until its outcome is known.
type crowd struct {
	t      testing.TB
	shop   string
	seed   uint64
	client *http.Client
	user   atomic.Int64
	leave  atomic.Bool // the test is over, so answers no longer matter

	mu     sync.Mutex
	buyers []*buyer // of this round
	old    []*call  // some of earlier rounds
	events []event
	tally  map[string]int
}

// event is an answer to a call that changes something.
type event struct {
	at    time.Time
	sold  bool          // it was done; otherwise the database or a replica was away
	after time.Duration // since the first try
}

// shelf is a drop on sale.
type shelf struct {
	id    int64
	total int
	sizes []string
}

type buyer struct {
	user     int64
	shelf    *shelf
	size     string
	reserve  call
	held     held
	purchase *call // nil: never came back
}

// held is a reservation in the form of the API's answer.
type held struct {
	ID        int64     `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expires_at"`
}

// call is a request that a buyer repeats until its outcome is known.
type call struct {
	path, key, body string
	answer          string // the last one: its status and text
	unknown         int    // tries whose outcome is unknown
}

func (c *call) done() bool { return strings.HasPrefix(c.answer, "200 ") }

func newCrowd(t testing.TB, shop string, seed uint64) *crowd {
	return &crowd{
		t: t, shop: shop, seed: seed, tally: make(map[string]int),
		client: &http.Client{Timeout: given, Transport: &http.Transport{MaxIdleConnsPerHost: workers}},
	}
}

// come lets buyers come to the shelves until ctx ends, and returns when the last of them knows what it has.
func (c *crowd) come(ctx context.Context, shelves []*shelf) {
	var all sync.WaitGroup
	for range workers {
		rnd := rand.New(rand.NewPCG(c.seed, uint64(c.user.Add(1))))
		all.Go(func() {
			for ctx.Err() == nil {
				c.buy(shelves[rnd.IntN(len(shelves))], rnd)
				time.Sleep(time.Duration(rnd.Int64N(int64(thought)))) // as people do
			}
		})
	}
	all.Wait()
}

// buy is one buyer from start to finish.
func (c *crowd) buy(s *shelf, rnd *rand.Rand) *buyer {
	b := &buyer{user: c.user.Add(1), shelf: s}
	body := fmt.Sprintf(`{"dropId":%d,"userId":%d`, s.id, b.user)
	if len(s.sizes) > 0 {
		b.size = s.sizes[rnd.IntN(len(s.sizes))]
		body += fmt.Sprintf(`,"size":%q`, b.size)
	}
	b.reserve = call{path: "/api/drops/reserve", key: fmt.Sprint("reserve-", b.user), body: body + "}"}
	c.settle(&b.reserve)
	if b.reserve.done() {
		if err := json.Unmarshal([]byte(b.reserve.answer[len("200 "):]), &b.held); err != nil || b.held.ID == 0 {
			c.t.Errorf("%s is answered %s: %v", b.reserve.body, b.reserve.answer, err)
		}
	}
	if b.held.ID != 0 && rnd.IntN(10) < 7 {
		b.purchase = &call{path: "/api/drops/purchase", key: fmt.Sprint("purchase-", b.user), body: fmt.Sprintf(`{"reservationId":%d}`, b.held.ID)}
		c.settle(b.purchase)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buyers = append(c.buyers, b)
	return b
}

// settle repeats a call until its outcome is known.
func (c *crowd) settle(k *call) {
	began := time.Now()
	for time.Since(began) < settled && !c.leave.Load() {
		answer, err := c.send(k)
		var kind string
		switch {
		case err != nil || strings.HasPrefix(answer, "502 ") || strings.HasPrefix(answer, "504 "):
			kind = "no answer"
			k.unknown++
		case strings.Contains(answer, `"outcome_unknown"`):
			kind = "503 outcome_unknown"
			k.unknown++
		case strings.HasPrefix(answer, "503 "):
			kind = "503 nothing was done"
			if !strings.Contains(answer, `"code"`) {
				kind = "503 of HAProxy"
			}
		case strings.Contains(answer, `"in_flight"`):
			kind = "409 in_flight"
		case strings.HasPrefix(answer, "5"):
			c.t.Errorf("%s %s is answered %s", k.path, k.body, answer)
			return
		default:
			k.answer = answer
			c.note(k.path[len("/api/drops/"):]+" "+answer[:3], event{time.Now(), k.done(), time.Since(began)})
			return
		}
		c.note(kind, event{at: time.Now(), after: time.Since(began)})
		time.Sleep(50*time.Millisecond + time.Duration(rand.Int64N(int64(100*time.Millisecond))))
	}
	if !c.leave.Load() {
		c.t.Errorf("%s %s has no outcome after %s", k.path, k.body, settled)
	}
}

func (c *crowd) note(what string, e event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tally[what]++
	c.events = append(c.events, e)
}

func (c *crowd) send(k *call) (string, error) {
	return client.Call{URL: c.shop + k.path, Key: k.key, Body: k.body, Once: true}.Text(context.Background(), c.client)
}

// offer puts new drops on sale: one with enough for everybody, one with sizes, and one that soon sells out.
func (c *crowd) offer(ctx context.Context, round int) ([]*shelf, error) {
	var shelves []*shelf
	for _, s := range []struct {
		stock string
		shelf
	}{
		{`"total_stock":1000000`, shelf{total: 1000000}},
		{`"sizes":[{"size":"41","stock":100},{"size":"42","stock":100000}]`, shelf{total: 100100, sizes: []string{"41", "42"}}},
		{`"total_stock":200`, shelf{total: 200}},
	} {
		k := call{
			path: "/api/drops/create", key: fmt.Sprintf("create-%d-%d", round, len(shelves)),
			body: fmt.Sprintf(`{"name":"Round %d","price":120,"start_time":"2020-01-01T00:00:00Z",%s}`, round, s.stock),
		}
		if err := poll(ctx, patience, func(context.Context) error {
			answer, err := c.send(&k)
			if err == nil && !strings.HasPrefix(answer, "200 ") {
				err = errors.New(answer)
			}
			k.answer = answer
			return err
		}); err != nil {
			return nil, err
		}
		var made struct{ ID int64 }
		if err := json.Unmarshal([]byte(k.answer[len("200 "):]), &made); err != nil {
			return nil, err
		}
		s.id = made.ID
		shelves = append(shelves, &s.shelf)
	}
	return shelves, nil
}

// begin forgets most of what the last round's buyers were told. It keeps the calls of every hundredth buyer.
func (c *crowd) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, b := range c.buyers {
		if i%100 == 0 {
			c.old = append(c.old, b.calls()...)
		}
	}
	c.buyers, c.events, c.tally = nil, nil, make(map[string]int)
}

// calls are those that were answered as done.
func (b *buyer) calls() []*call {
	var done []*call
	for _, k := range []*call{&b.reserve, b.purchase} {
		if k != nil && k.done() {
			done = append(done, k)
		}
	}
	return done
}

// since returns the answers from a moment on, in order.
func (c *crowd) since(begin time.Time) []event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []event
	for _, e := range c.events {
		if !e.at.Before(begin) {
			found = append(found, e)
		}
	}
	return found
}

// sales counts the acknowledged sales between two moments, and the refusals because a database or a replica was away.
func sales(events []event, from, to time.Time) (sold, away int) {
	for _, e := range events {
		switch {
		case e.at.Before(from) || !e.at.Before(to):
		case e.sold:
			sold++
		default:
			away++
		}
	}
	return sold, away
}

// pause returns the longest time without a sale.
func pause(events []event, from time.Time) (longest time.Duration) {
	last := from
	for _, e := range events {
		if e.sold {
			longest = max(longest, e.at.Sub(last))
			last = e.at
		}
	}
	return longest
}
