package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// deed is something that a client wants done once: one call or, with a key, a call and all its repetitions.
type deed struct {
	what string
	key  string
	call func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error)

	// reserved is the buyer and size of a reserve. Each pair is used once.
	reserved pair
	drop     drop.ID
	wanted   drop.ReservationID // for a purchase or cancellation
	units    int64              // for a restock
	back     drop.ReturnPurchase
	// joined is the buyer and size of a join. leaves is the entry that the client gives up.
	joined pair
	leaves drop.EntryID
	// enters is the buyer and the sizes of an entry in the draw. withdraws and removes are those that leave it.
	enters    pair
	withdraws drop.UserID
	removes   drop.EntryID
	// adds is early access that an operator makes. shows is the code of a buyer.
	adds  *access
	shows string

	mu              sync.Mutex
	asked, refusals int
	unknown         int       // answers that leave the outcome unknown
	lastUnknown     bool      // whether the newest answer is one of them
	answer          string    // the first success
	code            drop.Code // of the newest refusal
	answered        time.Time
	reservation     drop.Reservation
	purchase        drop.Purchase
	place           engine.Place
	entry           drop.DrawEntry
}

type pair struct {
	user drop.UserID
	size string
}

func (d *deed) String() string { return fmt.Sprintf("%s key=%q", d.what, d.key) }

// ask makes the call. A second success with the same key, and a second purchase or cancellation, must return the
// first answer again.
func (d *deed) ask(s *simulation, r *replica) {
	e, ctx := r.reach()
	if e == nil {
		return // no server is running: nothing was sent
	}
	began := time.Now()
	got, err := d.call(ctx, e, engine.Retry{Key: d.key})
	s.notef("%s to replica %d, took %s: %+v, %v", d, r.number, time.Since(began), got, err)
	if err == nil || drop.CodeOf(err) != "" {
		d.checkView(s, e, got)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	d.lastUnknown = false
	switch {
	case err == nil:
		d.succeeded(s, got)
	case nothingDone(err):
		d.refusals++
		d.code = drop.CodeOf(err)
		s.count("calls refused")
		if d.code == drop.CodeCodeInvalid || d.code == drop.CodeCodeRequired {
			s.count("calls refused with " + string(d.code))
		}
		// A call that overlapped with the first may have been refused before the first succeeded.
		if code := drop.CodeOf(err); d.key != "" && d.answer != "" && code != "" && !began.Before(d.answered) {
			s.t.Errorf("%s was answered with %s, and then refused: %v", d, d.answer, err)
		}
	default:
		d.unknown++
		d.lastUnknown = true
		s.count("calls with unknown outcome")
	}
}

// checkView checks that a caller with an answer finds its effect in the replica's view, and that the view shows only
// committed states.
func (d *deed) checkView(s *simulation, e *engine.Engine, got any) {
	v, err := e.View(s.t.Context(), d.drop) // the replica knows the drop by now
	if err != nil {
		s.t.Errorf("%s: no view: %v", d, err)
		return
	}
	committed, err := s.store.Drop(s.t.Context(), d.drop) // read later, so it is at least as new
	if err != nil {
		s.t.Error(err)
		return
	}
	is, was := committed.Drop, v.Drop
	s.checkKept("shown", &was)
	if was.Version > is.Version || was.Version == is.Version && (was.Stock() != is.Stock() || was.Paused != is.Paused ||
		drop.EncodeAccesses(was.Accesses) != drop.EncodeAccesses(is.Accesses)) {
		s.t.Errorf("%s: shown is %+v, committed is %+v", d, was, is)
	}
	if told, ok := got.(*engine.View); ok && told != nil && d.key == "" && told.Drop.Version > was.Version {
		s.t.Errorf("%s was answered with %+v, shown is %+v", d, told.Drop, was)
	}
}

// succeeded needs d.mu.
func (d *deed) succeeded(s *simulation, got any) {
	text := fmt.Sprintf("%+v", got)
	if p, ok := got.(engine.Place); ok && p.Reservation != nil {
		text = fmt.Sprintf("%+v %+v", p.Entry, *p.Reservation)
	}
	if v, ok := got.(*engine.View); ok {
		text = fmt.Sprintf("%+v", v.Drop)
	}
	s.count("calls answered")
	if d.answer != "" && d.answer != text {
		s.t.Errorf("%s was answered with %s, and then with %s", d, d.answer, text)
	}
	if d.answer == "" {
		d.answered = time.Now()
	}
	d.answer = text
	switch got := got.(type) {
	case drop.Reservation:
		d.reservation = got
	case drop.Purchase:
		d.purchase = got
	case engine.Place:
		d.place = got
	case drop.DrawEntry:
		d.entry = got
	}
}

// client does one thing after another.
type client struct {
	sim    *simulation
	number int // from 1
	name   string
	rnd    *rand.Rand
	calls  int
	own    []*deed // reservations that it asked for
	bought []*deed // purchases that it asked for
	keyed  []*deed
	joins  []*deed // entries that it asked for
	enters []*deed // the same, in the draw
}

func (c *client) run() {
	for {
		time.Sleep(rand0(c.rnd, 4*time.Second))
		if time.Since(c.sim.began) > clientsRun {
			return
		}
		c.calls++
		if c.sim.plan.draw > 0 && c.rnd.IntN(2) == 0 {
			c.draw()
			continue
		}
		if len(c.sim.plan.early.accesses) > 0 && c.rnd.IntN(2) == 0 {
			c.early()
			continue
		}
		switch n := c.rnd.IntN(34); {
		case n >= 26:
			c.wait()
		case n < 9:
			c.send(c.reserve())
		case n >= 25:
			if d := c.takeBack(); d != nil {
				c.send(d)
			}
		case n >= 20:
			c.pay()
		case n < 14:
			c.end(c.rnd.IntN(4) > 0)
		case n < 16:
			c.buyAndCancel()
		case n < 18 && len(c.keyed) > 0:
			c.send(c.keyed[c.rnd.IntN(len(c.keyed))])
		default:
			c.send(c.operate())
		}
	}
}

// send sends the deed to one replica or, if the deed allows it, to both at once, as a double click does.
func (c *client) send(d *deed) {
	first := c.rnd.IntN(2)
	twice := c.rnd.IntN(4) == 0 && d.key != ""
	pause := rand0(c.rnd, 5*time.Millisecond)
	var both sync.WaitGroup
	both.Go(func() { d.ask(c.sim, c.sim.replicas[first]) })
	if twice {
		both.Go(func() {
			time.Sleep(pause)
			d.ask(c.sim, c.sim.replicas[1-first])
		})
	}
	both.Wait()
}

// add records a new deed, with or without a key.
func (c *client) add(d *deed) *deed {
	d.what = c.name + " " + d.what
	if c.rnd.IntN(2) == 0 {
		d.key = fmt.Sprint(c.name, "-", c.calls)
		c.keyed = append(c.keyed, d)
	}
	c.sim.mu.Lock()
	defer c.sim.mu.Unlock()
	c.sim.deeds = append(c.sim.deeds, d)
	return d
}

func (c *client) reserve() *deed {
	i := c.rnd.IntN(len(c.sim.drops))
	id, tag := c.sim.drops[i], fmt.Sprint(c.name, ".", c.calls)
	who := pair{user: drop.UserID(1000*c.number + c.calls), size: tag}
	switch c.sim.specs[i].Name {
	case "limited":
		who.user = drop.UserID(1 + c.rnd.IntN(4))
	case "sized", "waited", "drawn", "early":
		who.size = []string{"8", "9"}[c.rnd.IntN(2)]
	}
	d := c.add(&deed{
		what: fmt.Sprintf("reserves in %d as %d, size %q", id, who.user, who.size), drop: id, reserved: who,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.Reserve(ctx, id, who.user, who.size, r)
		},
	})
	c.own = append(c.own, d)
	return d
}

// mine draws a reservation that the client knows to exist, or 0 if it has none.
func (c *client) mine() drop.ReservationID { return c.mineRow().ID }

func (c *client) mineRow() drop.Reservation {
	var known []drop.Reservation
	for _, d := range c.own[max(0, len(c.own)-6):] {
		if d.answer != "" {
			known = append(known, d.reservation)
		}
	}
	if len(known) == 0 {
		return drop.Reservation{}
	}
	return known[c.rnd.IntN(len(known))]
}

func (c *client) buy(id drop.ReservationID) *deed {
	d := c.add(&deed{
		what: fmt.Sprintf("buys %d", id), wanted: id, drop: id.Drop(),
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.Purchase(ctx, id, 0, r)
		},
	})
	c.bought = append(c.bought, d)
	return d
}

func (c *client) cancel(id drop.ReservationID) *deed {
	return c.add(&deed{
		what: fmt.Sprintf("cancels %d", id), wanted: id, drop: id.Drop(),
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.Cancel(ctx, id, 0, r)
		},
	})
}

func (c *client) end(buy bool) {
	switch id := c.mine(); {
	case id == 0:
	case buy:
		c.send(c.buy(id))
	default:
		c.send(c.cancel(id))
	}
}

// buyAndCancel sends a purchase and a cancellation at once. At most one of them can take effect.
func (c *client) buyAndCancel() {
	id := c.mine()
	if id == 0 {
		return
	}
	buy, cancel := c.buy(id), c.cancel(id)
	pause := rand0(c.rnd, 2*time.Millisecond)
	var both sync.WaitGroup
	both.Go(func() { buy.ask(c.sim, c.sim.replicas[0]) })
	both.Go(func() {
		time.Sleep(pause)
		cancel.ask(c.sim, c.sim.replicas[1])
	})
	both.Wait()
}

func (c *client) operate() *deed {
	id := c.sim.drops[c.rnd.IntN(len(c.sim.drops))]
	d := &deed{drop: id}
	switch c.rnd.IntN(4) {
	case 0:
		d.what = fmt.Sprintf("pauses %d", id)
		d.call = func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) { return e.Pause(ctx, id, r) }
	case 1, 2:
		d.what = fmt.Sprintf("resumes %d", id)
		d.call = func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) { return e.Resume(ctx, id, r) }
	default:
		d.units = int64(c.rnd.IntN(6)) - 2
		size := ""
		if id != c.sim.drops[0] && id != c.sim.drops[1] {
			size = "9"
		}
		d.what = fmt.Sprintf("restocks %d by %d", id, d.units)
		d.call = func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.Restock(ctx, id, drop.Restock{Add: d.units, Size: size}, r)
		}
	}
	return c.add(d)
}
