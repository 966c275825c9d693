// Package live shows the stock to everybody as it changes. The hub receives what lanes publish and keeps the newest
// state of each drop. It sends updates through the wires (Socket.IO and Server-Sent Events) no more often than
// watchers and the machine can handle.
//
// Ordering: the versions that a client receives for a drop always grow. A client that joins gets the current state
// and then every later change, with nothing lost in between. Publishing never waits for a client, or for the hub to
// send.
package live

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

const (
	// defaultWindow is the least time between two flushes.
	defaultWindow = 25 * time.Millisecond
	// fanOutShare is the share of the machine's time that updates may take. The window grows to stay below it.
	fanOutShare = 0.1
	// purchaseEvery limits purchase_complete to two per drop and second, because clients fetch the list on each.
	purchaseEvery = 500 * time.Millisecond
	// snapshotLimit limits what a client gets when it joins to the newest drops, which are fewer than any queue
	// holds.
	snapshotLimit = 200
)

// Wire delivers updates to its clients. It must not wait for any of them.
type Wire interface {
	Broadcast(room string, updates []Update)
}

// PrivateWire is a wire whose clients may have signed in. It sends them their own news immediately and completely.
type PrivateWire interface {
	Wire
	// Tell sends to the room of one user. If nobody is in it, Tell does nothing.
	Tell(room string, updates func() []Update)
}

// Config configures a hub. The zero value sends everything to everybody.
type Config struct {
	// Window is the least time between two flushes (default 25 ms).
	Window time.Duration
	// Private hides buyers' numbers from others, and tells signed-in buyers about their own reservations and
	// purchases.
	Private bool
}

// Hub combines and distributes updates. Create one with New. Its methods are safe for concurrent use.
type Hub struct {
	Config

	mu      sync.Mutex // guards pending; never held while something is sent
	pending map[drop.ID]*change
	wake    chan struct{}

	sending sync.Mutex // guards wires and shown: joins and flushes exclude each other
	wires   []Wire
	private atomic.Value // []PrivateWire, read without a lock
	shown   map[drop.ID]*engine.View

	tell map[drop.ID]*teller // used only by the loop

	stop, stopped chan struct{}
	stopOnce      sync.Once
}

// change is what was published about a drop since the last flush.
type change struct {
	view     *engine.View
	reason   drop.Reason
	purchase *drop.Purchase // the newest one
	back     bool           // view counts although a later version was shown
}

// teller limits the rate of one drop's purchase_complete.
type teller struct {
	next    time.Time
	waiting *drop.Purchase
}

// New returns a hub that runs until Close.
func New(c Config) *Hub {
	c.Window = cmp.Or(c.Window, defaultWindow)
	h := &Hub{
		Config: c, pending: make(map[drop.ID]*change), wake: make(chan struct{}, 1),
		shown: make(map[drop.ID]*engine.View), tell: make(map[drop.ID]*teller),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	h.private.Store([]PrivateWire(nil))
	go h.run()
	return h
}

// Attach adds a wire. It may miss earlier updates, so attach it before clients join.
func (h *Hub) Attach(w Wire) {
	h.sending.Lock()
	defer h.sending.Unlock()
	h.wires = append(h.wires, w)
	if private, ok := w.(PrivateWire); ok {
		h.private.Store(append(slices.Clone(h.private.Load().([]PrivateWire)), private))
	}
}

// Close stops all updates. A second Close does nothing.
func (h *Hub) Close() {
	h.stopOnce.Do(func() { close(h.stop) })
	<-h.stopped
}

// Publish takes what a batch changed. Use it as an engine's Config.Publish.
func (h *Hub) Publish(ev engine.Event) {
	if ev.View != nil {
		h.add(&ev)
	}
	if h.Private {
		h.tellOwners(&ev)
	}
}

// add merges an event into what the next flush sends.
func (h *Hub) add(ev *engine.Event) {
	h.mu.Lock()
	c := h.pending[ev.View.Drop.ID]
	if c == nil {
		c = &change{view: ev.View}
		h.pending[ev.View.Drop.ID] = c
	}
	if ev.View.Drop.Version >= c.view.Drop.Version || ev.Back {
		c.view = ev.View
		c.back = c.back || ev.Back
		if r := newestMovement(ev); r != "" {
			c.reason = r
		}
	}
	if n := len(ev.Purchases); n > 0 && (c.purchase == nil || c.purchase.ID < ev.Purchases[n-1].ID) {
		c.purchase = &ev.Purchases[n-1]
	}
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default: // the loop is already notified
	}
}

// tellOwners tells buyers about their own reservations and purchases.
func (h *Hub) tellOwners(ev *engine.Event) {
	wires := h.private.Load().([]PrivateWire)
	tell := func(owner drop.UserID, updates func() []Update) {
		room := RoomOfUser(owner)
		for _, w := range wires {
			w.Tell(room, updates)
		}
	}
	for _, changed := range [][]*drop.Reservation{ev.Made, ev.Ended} {
		for _, r := range changed {
			tell(r.UserID, func() []Update { return []Update{reservationUpdate(r)} })
		}
	}
	for i := range ev.Purchases {
		p := &ev.Purchases[i]
		tell(p.UserID, func() []Update { return []Update{purchaseComplete(p, int64(p.UserID))} })
	}
}

// newestMovement returns why the stock that watchers see last changed.
func newestMovement(ev *engine.Event) drop.Reason {
	if e := drop.LastShown(ev.Ledger); e != nil {
		return e.Reason.Shown()
	}
	if ev.Created {
		return drop.Created
	}
	return ""
}

// Join calls join with the current state of the public drops: of one drop, or of all with id 0. Every client that
// join adds to a wire's room gets all later updates. With more than 200 drops the state has the newest ones.
func (h *Hub) Join(id drop.ID, join func(snapshot []Update)) {
	h.sending.Lock()
	defer h.sending.Unlock()
	var snapshot []Update
	for _, v := range h.shown {
		if visible(v) && (id == 0 || id == v.Drop.ID) {
			snapshot = append(snapshot, stockUpdate(v, ""))
		}
	}
	slices.SortFunc(snapshot, func(a, b Update) int { return int(a.Drop - b.Drop) })
	join(snapshot[max(0, len(snapshot)-snapshotLimit):])
}

func visible(v *engine.View) bool { return !v.Drop.Hidden && !v.Drop.Archived }

// run flushes at once if something changes after a quiet time, and then as often as the window allows.
func (h *Hub) run() {
	defer close(h.stopped)
	purchases := time.NewTimer(time.Hour)
	defer purchases.Stop()
	for {
		select {
		case <-h.stop:
			return
		case <-h.wake:
		case <-purchases.C:
		}
		began := time.Now()
		next := h.flush(began)
		if !next.IsZero() {
			purchases.Reset(time.Until(next))
		}
		if !h.rest(time.Since(began)) {
			return
		}
	}
}

// rest waits for the window. If the last flush took long, it waits longer, so that flushes keep to their share of the
// machine. It returns false once the hub is closed.
func (h *Hub) rest(took time.Duration) bool {
	cores := float64(runtime.GOMAXPROCS(0))
	pause := max(h.Window, time.Duration(float64(took)*(1/(fanOutShare*cores)-1)))
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-h.stop:
		return false
	}
}

// flush sends everything pending. It returns when the next delayed purchase is due, or zero if there is none.
func (h *Hub) flush(now time.Time) time.Time {
	h.mu.Lock()
	pending := h.pending
	h.pending = make(map[drop.ID]*change, len(pending))
	h.mu.Unlock()

	h.sending.Lock()
	defer h.sending.Unlock()
	var all []Update
	for _, id := range slices.Sorted(maps.Keys(pending)) {
		all = append(all, h.updatesOf(id, pending[id])...)
	}
	purchases, next := h.duePurchases(now)
	all = append(all, purchases...)
	if len(all) > 0 {
		h.broadcast(all)
	}
	return next
}

// updatesOf turns a drop's change into updates for watchers, compared with what they were last told.
func (h *Hub) updatesOf(id drop.ID, c *change) []Update {
	var updates []Update
	before := h.shown[id]
	if before == nil || before.Drop.Version < c.view.Drop.Version || c.back {
		h.shown[id] = c.view
		if visible(c.view) {
			stock, total := true, false
			if before != nil && visible(before) {
				stock, total = moved(before, c.view)
			}
			reason := c.reason
			if total && reason != "" {
				reason = drop.Restocked // whatever came after it: a client reads the total again then
			}
			if stock {
				updates = append(updates, stockUpdate(c.view, reason))
			}
		}
		// Nobody must hear of a drop that is being prepared in hiding.
		changed := before != nil && (before.Drop.Settings != c.view.Drop.Settings || before.Drop.Early() != c.view.Drop.Early() || drawn(before, c.view))
		if changed && (visible(before) || visible(c.view)) {
			updates = append(updates, dropUpdate(c.view))
		}
	}
	if c.purchase != nil && visible(h.shown[id]) {
		if h.tell[id] == nil {
			h.tell[id] = &teller{}
		}
		h.tell[id].waiting = c.purchase
	}
	return updates
}

// drawn reports whether the result of a draw has come.
func drawn(before, now *engine.View) bool {
	return now.Drop.DrawState.Phase == drop.Drawn && before.Drop.DrawState.Phase != drop.Drawn
}

// moved reports whether the available or the total stock of any size differs, and whether a total does.
func moved(a, b *engine.View) (stock, total bool) {
	if len(a.Drop.Sizes) != len(b.Drop.Sizes) {
		return true, true
	}
	for i := range a.Drop.Sizes {
		x, y := &a.Drop.Sizes[i].Stock, &b.Drop.Sizes[i].Stock
		total = total || x.Total != y.Total
		stock = stock || total || x.Available != y.Available
	}
	return stock, total
}

// duePurchases removes the purchases that may be sent now, and returns when the next one may.
func (h *Hub) duePurchases(now time.Time) (due []Update, next time.Time) {
	for id, t := range h.tell {
		switch {
		case t.waiting == nil && !now.Before(t.next):
			delete(h.tell, id)
		case t.waiting == nil:
		case now.Before(t.next):
			if next.IsZero() || t.next.Before(next) {
				next = t.next
			}
		default:
			due = append(due, purchaseComplete(t.waiting, h.shownBuyer(t.waiting)))
			t.waiting, t.next = nil, now.Add(purchaseEvery)
		}
	}
	return due, next
}

// firstOpaque is the first of the numbers that replace private buyers' numbers. They are safe integers that no buyer
// has, so a client can never mistake one for its own buyer.
const firstOpaque = 1 << 52

// shownBuyer returns the number that everybody sees for a buyer: the buyer's own or, if that is private, one derived
// from the purchase.
func (h *Hub) shownBuyer(p *drop.Purchase) int64 {
	if h.Private {
		return firstOpaque + int64(uint32(p.ID))
	}
	return int64(p.UserID)
}

func (h *Hub) broadcast(all []Update) {
	for _, w := range h.wires {
		w.Broadcast(RoomAll, all)
	}
	for i := range all {
		for _, w := range h.wires {
			w.Broadcast(RoomOf(all[i].Drop), all[i:i+1])
		}
	}
}
