package histories

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/testing/await"
)

// patience is how long a patient client waits, and everything else that must happen.
const patience = await.Patience

// client makes one call after another.
type client struct {
	*rand.Rand
	h      *history
	number int
	made   int
	keyed  []*call // to be repeated
}

// run makes the client's calls, or fewer if ctx ends first.
func (c *client) run(ctx context.Context) {
	for range c.h.perClient {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(c.Int64N(int64(c.h.pause)))):
		}
		next := c.next()
		if next.key != "" {
			c.keyed = append(c.keyed, next)
		}
		c.send(next)
	}
}

// send makes the call. With a key, it sometimes makes it at another server too, like a buyer who clicks twice.
func (c *client) send(next *call) {
	next.client, next.replica = c.number, c.IntN(len(c.h.replicas))
	if next.key == "" || c.IntN(4) > 0 {
		c.h.do(next, c.fate())
		return
	}
	twin := *next
	twin.client, twin.replica = c.number+c.h.clients, c.IntN(len(c.h.replicas))
	fate, twins := c.fate(), c.fate()
	var both sync.WaitGroup
	both.Go(func() { c.h.do(next, fate) })
	both.Go(func() { c.h.do(&twin, twins) })
	both.Wait()
}

func (c *client) next() *call {
	if c.h.operators && c.IntN(2) == 0 {
		return c.operate()
	}
	if c.h.replicas[0].engine != nil && c.IntN(4) == 0 {
		return c.pay()
	}
	switch c.IntN(8) {
	case 0:
		return c.wait()
	case 1:
		return c.drawn()
	}
	switch n := c.IntN(100); {
	case n < 38:
		return c.reserve()
	case n < 54:
		return c.on(func(id drop.ReservationID) drop.Command { return drop.MakePurchase{Reservation: id} })
	case n < 64:
		return c.on(func(id drop.ReservationID) drop.Command { return drop.Cancel{Reservation: id} })
	case n < 78:
		return &call{kind: reading, drop: c.drop().id}
	case n < 84 && len(c.keyed) > 0:
		again := *c.keyed[c.IntN(len(c.keyed))]
		return &call{drop: again.drop, cmd: again.cmd, key: again.key, limit: again.limit}
	case n < 86 && len(c.keyed) > 0: // a key that was used for something else
		other := *c.keyed[c.IntN(len(c.keyed))]
		if restock, ok := other.cmd.(drop.Restock); ok {
			restock.Add += 7
			return &call{drop: other.drop, cmd: restock, key: other.key}
		}
		return &call{kind: reading, drop: other.drop}
	default:
		return c.operate()
	}
}

// drop draws a drop that sells: the last one has a draw, which is not over in a history.
func (c *client) drop() *offer { return c.h.offers[c.IntN(len(c.h.offers)-1)] }

// keyOf draws a new key; "" means none.
func (c *client) keyOf() string {
	c.made++
	if c.IntN(2) == 0 {
		return ""
	}
	return fmt.Sprintf("c%d-%d", c.number, c.made)
}

func (c *client) reserve() *call {
	o := c.drop()
	next := &call{drop: o.id, key: c.keyOf(), limit: o.spec.LimitPerUser}
	cmd := drop.Reserve{User: drop.UserID(1000*c.number + c.made), Hold: c.h.hold}
	switch {
	case len(o.spec.Sizes) > 0:
		cmd.Size = o.spec.Sizes[c.IntN(len(o.spec.Sizes))].Label
	case o.spec.LimitPerUser > 0: // there are few users, and each call has a note of its own
		cmd.User, cmd.Size = drop.UserID(1+c.IntN(5)), fmt.Sprintf("note %d.%d", c.number, c.made)
	}
	if o.spec.LimitPerUser == 1 {
		next.key = "" // it may return something that another call made, and no row would show that
	}
	next.cmd = cmd
	return next
}

// on makes a command for a reservation that some client knows of, or that may exist.
func (c *client) on(cmd func(drop.ReservationID) drop.Command) *call {
	o := c.drop()
	return &call{drop: o.id, key: c.keyOf(), cmd: cmd(o.draw(c.Rand))}
}

func (c *client) operate() *call {
	o := c.drop()
	next := &call{drop: o.id, key: c.keyOf()}
	switch n := c.IntN(13); {
	case n >= 10:
		next.cmd = drop.ReturnPurchase{Purchase: o.drawPurchase(c.Rand), Restock: c.IntN(2) == 0}
	case n < 2:
		next.cmd = drop.Pause{}
	case n < 6:
		next.cmd = drop.Resume{}
	default:
		cmd := drop.Restock{Add: []int64{-2, -1, 1, 1, 2}[c.IntN(5)]}
		if len(o.spec.Sizes) > 0 {
			cmd.Size = o.spec.Sizes[c.IntN(len(o.spec.Sizes))].Label
		}
		next.cmd = cmd
	}
	return next
}

// offer is a drop on sale.
type offer struct {
	id   drop.ID
	spec *drop.Spec

	mu      sync.Mutex
	highest int // the number of a reservation that a client knows of
	sold    int // the number of a purchase that a client knows of
	joined  int // the number of an entry of the waitlist that a client knows of
	paid    []*paid
}

// learn takes the number of a reservation or purchase that a client was answered with.
func (o *offer) learn(c *call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch n := int(uint32(c.answer.id)); cmd := c.cmd.(type) {
	case drop.Reserve, drop.Cancel:
		o.highest = max(o.highest, n)
	case drop.MakePurchase: // perhaps of an offer that nobody was told of
		o.sold, o.highest = max(o.sold, n), max(o.highest, numberOf(cmd.Reservation))
	case drop.Join:
		o.joined = max(o.joined, n)
	}
}

// drawPurchase mostly draws one that exists.
func (o *offer) drawPurchase(rnd *rand.Rand) drop.PurchaseID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return drop.NewPurchaseID(o.id, uint32(max(1, o.sold+1-rnd.IntN(5))))
}

// draw prefers the newest one, and may choose the next one that does not exist yet.
func (o *offer) draw(rnd *rand.Rand) drop.ReservationID {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.highest + 1 - min(rnd.IntN(6), rnd.IntN(6))
	return drop.NewReservationID(o.id, uint32(max(1, n)))
}

// fate is what happens to a call on its way.
type fate struct {
	timeout time.Duration // how long the client waits
	cut     bool          // the connection breaks…
	after   float64       // …when that part of the request is sent
	pause   time.Duration // …and after that time
}

func (c *client) fate() fate {
	f := fate{timeout: c.h.given}
	if !c.h.cuts {
		return f
	}
	switch n := c.IntN(100); {
	case n < 3:
		f.timeout = time.Duration(1+c.IntN(20)) * time.Millisecond
	case n < 5:
		f.cut, f.after = true, c.Float64()
	case n < 10:
		f.cut, f.after, f.pause = true, 1, time.Duration(c.IntN(4000))*time.Microsecond
	}
	return f
}

// do makes one call, and records it.
func (h *history) do(c *call, f fate) {
	if _, step := c.isStep(); step {
		h.doStep(c, f)
		return
	}
	r := h.replicas[c.replica]
	req := c.build(r.url)
	c.began, c.from = time.Since(h.began), now()
	var (
		status int
		body   []byte
		err    error
	)
	if f.cut {
		err = cutOff(r.address, req, f)
		h.count("connections cut by the client's side")
	} else {
		status, body, err = h.exchange(req, f.timeout)
	}
	c.to, c.ended = now(), time.Since(h.began)
	if err != nil {
		c.answer = answer{unknown: true, raw: err.Error()}
	} else if c.answer, err = c.read(status, body, c.kind != reading || h.recent); err != nil {
		h.t.Errorf("%s: %v", c, err)
	}
	if c.kind == command && c.answer.id != 0 {
		h.offer(c.drop).learn(c)
	}
	h.record(c)
}

func (c *call) build(base string) *http.Request {
	method, path, body := c.request()
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			panic(err) // maps of numbers and strings
		}
	}
	req, err := http.NewRequest(method, base+path, bytes.NewReader(b))
	if err != nil {
		panic(err) // our own addresses
	}
	req.GetBody = nil // so that only this test repeats it
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Idempotency-Key", c.key)
	}
	return req
}

func (h *history) exchange(req *http.Request, timeout time.Duration) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	resp, err := h.http.Do(req.WithContext(ctx))
	if ctx.Err() != nil {
		h.count("calls that the client gave up")
	}
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// cutOff sends all or part of a request and then breaks the connection. It returns why the outcome is unknown.
func cutOff(address string, req *http.Request, f fate) error {
	var b bytes.Buffer
	if err := req.Write(&b); err != nil {
		return err
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	_, err = conn.Write(b.Bytes()[:int(float64(b.Len())*f.after)])
	time.Sleep(f.pause)
	_ = conn.(*net.TCPConn).SetLinger(0) // without closing it properly
	_ = conn.Close()
	if err == nil {
		err = fmt.Errorf("cut after %.0f%% of the request", 100*f.after)
	}
	return err
}
