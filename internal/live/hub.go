// Package live shows everybody the stock as it moves: the hub takes what lanes publish, keeps the newest state of
// each drop, and tells it to the wires (package socketio's sockets, Server-Sent Events) no more often than watchers
// and machine can use.
//
// Ordering: what a client is told of one drop has growing versions. A client that joins gets the current state and then
// every later change, none between lost. Publishing never waits for a client, nor for the hub to send.
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
	// fanOutShare is the part of the machine that telling watchers may take: the window stretches to keep it.
	fanOutShare = 0.1
	// purchaseEvery keeps purchase_complete to two a drop and second: clients fetch the list on each.
	purchaseEvery = 500 * time.Millisecond
	// snapshotLimit bounds what a client that joins is told at once: the newest drops, fewer than any queue holds.
	snapshotLimit = 200
)

// Wire delivers updates to the clients that it serves. It must not wait for any of them.
type Wire interface {
	Broadcast(room string, updates []Update)
}

// PrivateWire is a wire whose clients may have signed in: it tells them what is theirs, at once and all of it.
type PrivateWire interface {
	Wire
	// Tell sends to the room of one user, and does nothing where nobody is in it.
	Tell(room string, updates func() []Update)
}

// Config is how a hub tells. The zero value tells everybody everything.
type Config struct {
	// Window is the least time between two flushes (default 25 ms).
	Window time.Duration
	// Private keeps buyers' numbers from everybody, and tells those who signed in of their own reservations and
	// purchases.
	Private bool
}

// Hub conflates. Make one with New; its methods are safe for concurrent use.
type Hub struct {
	Config

	mu      sync.Mutex // guards pending; never held while something is sent
	pending map[drop.ID]*change
	wake    chan struct{}

	sending sync.Mutex // guards wires and shown: joining and flushing exclude each other
	wires   []Wire
	private atomic.Value // []PrivateWire, read while something is sent
	shown   map[drop.ID]*engine.View

	tell map[drop.ID]*teller // the loop's own

	stop, stopped chan struct{}
	stopOnce      sync.Once
}

// change is what was published of a drop since the last flush.
type change struct {
	view     *engine.View
	reason   drop.Reason
	purchase *drop.Purchase // the newest
	back     bool           // view counts although a later version was shown
}

// teller spaces one drop's purchase_complete.
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

// Attach adds a wire. Updates from before may be missing on it: attach before clients join.
func (h *Hub) Attach(w Wire) {
	h.sending.Lock()
	defer h.sending.Unlock()
	h.wires = append(h.wires, w)
	if private, ok := w.(PrivateWire); ok {
		h.private.Store(append(slices.Clone(h.private.Load().([]PrivateWire)), private))
	}
}

// Close stops telling. A second Close does nothing.
func (h *Hub) Close() {
	h.stopOnce.Do(func() { close(h.stop) })
	<-h.stopped
}

// Publish takes what a batch changed; it is an engine's Config.Publish.
func (h *Hub) Publish(ev engine.Event) {
	if ev.View != nil {
		h.add(&ev)
	}
	if h.Private {
		h.tellOwners(&ev)
	}
}

// add puts an event to what the next flush tells.
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
	default: // the loop knows already
	}
}

// tellOwners tells buyers of what is theirs.
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

// newestMovement is why stock on sale moved last; a purchase moves none.
func newestMovement(ev *engine.Event) drop.Reason {
	for _, entry := range slices.Backward(ev.Ledger) {
		if entry.Reason != drop.Purchased {
			return entry.Reason
		}
	}
	if ev.Created {
		return drop.Created
	}
	return ""
}

// Join calls join with the current state of the drops, hidden and archived ones left out: of one, or with id 0 of
// all. Whoever join adds to a room of a wire gets all that comes after that state. Of more than 200 drops the state
// has the newest.
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

// run flushes at once when something changes after a quiet time, and then as often as the window allows.
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

// rest waits for the window, or longer where the flush took so long that the next one at once would take more than its
// share of the machine. It reports false when the hub was closed.
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

// flush tells all that is pending, and returns when a purchase that had to wait is due (zero: none waits).
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

// updatesOf turns a drop's change into what watchers are told, against what they were told last.
func (h *Hub) updatesOf(id drop.ID, c *change) []Update {
	var updates []Update
	before := h.shown[id]
	if before == nil || before.Drop.Version < c.view.Drop.Version || c.back {
		h.shown[id] = c.view
		if visible(c.view) && (before == nil || !visible(before) || stockMoved(before, c.view)) {
			updates = append(updates, stockUpdate(c.view, c.reason))
		}
		// A drop that is prepared in hiding is nobody's business.
		if before != nil && before.Drop.Settings != c.view.Drop.Settings && (visible(before) || visible(c.view)) {
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

func stockMoved(a, b *engine.View) bool {
	return !slices.EqualFunc(a.Drop.Sizes, b.Drop.Sizes, func(x, y drop.Size) bool {
		return x.Stock.Available == y.Stock.Available && x.Stock.Total == y.Stock.Total
	})
}

// duePurchases takes the purchases whose turn it is, and says when the next one's is.
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

// firstOpaque begins the numbers that stand for buyers who are nobody's business: safe integers that no buyer has, so
// that a client that compares them with its own buyer's is never taken in.
const firstOpaque = 1 << 52

// shownBuyer is what everybody is told of a buyer: its number or, where that is private, one made of the purchase's.
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
