package bus

import (
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// maxOwned is the most news for single buyers that may wait, over all drops.
const maxOwned = 20_000

// outbox keeps what was published until it is sent: the newest state of each drop, and up to maxOwned news for single
// buyers. It never blocks: what does not fit is dropped.
type outbox struct {
	private bool // send news for single buyers too
	counts  *counts

	mu    sync.Mutex
	drops map[drop.ID]*pending
	owned []ownedEntry
	awake chan struct{} // has one element while there may be something to send
}

// pending is the news of one drop.
type pending struct {
	view   *engine.View
	moved  *drop.LedgerEntry
	bought *drop.Purchase
}

// ownedEntry is a reservation or, if that has no number, a purchase.
type ownedEntry struct {
	reservation drop.Reservation
	purchase    drop.Purchase
}

func newOutbox(private bool, c *counts) *outbox {
	return &outbox{private: private, counts: c, drops: make(map[drop.ID]*pending), awake: make(chan struct{}, 1)}
}

// put takes an event from a lane here.
func (o *outbox) put(ev *engine.Event) {
	o.mu.Lock()
	o.add(ev)
	o.mu.Unlock()
	select {
	case o.awake <- struct{}{}:
	default:
	}
}

// add needs o.mu.
func (o *outbox) add(ev *engine.Event) {
	id := ev.View.Drop.ID
	p := o.drops[id]
	if p != nil {
		o.counts.merged.Add(1)
	} else {
		p = &pending{view: ev.View}
		o.drops[id] = p
	}
	if ev.View.Drop.Version >= p.view.Drop.Version {
		p.view = ev.View
		if e := drop.LastShown(ev.Ledger); e != nil {
			p.moved = e
		}
	}
	o.addPurchases(p, ev.Purchases)
	if !o.private {
		return
	}
	for _, changed := range [][]*drop.Reservation{ev.Made, ev.Ended} {
		for _, r := range changed {
			o.addOwned(ownedEntry{reservation: *r})
		}
	}
}

// addPurchases keeps the newest purchase for everybody, and the others for their buyers. It needs o.mu.
func (o *outbox) addPurchases(p *pending, purchases []drop.Purchase) {
	for i := range purchases {
		other := p.bought
		if other == nil || other.ID < purchases[i].ID {
			p.bought = &purchases[i]
		} else {
			other = &purchases[i]
		}
		if other != nil && o.private {
			o.addOwned(ownedEntry{purchase: *other})
		}
	}
}

// addOwned needs o.mu.
func (o *outbox) addOwned(e ownedEntry) {
	if len(o.owned) >= maxOwned {
		o.counts.lost.Add(1)
		return
	}
	o.owned = append(o.owned, e)
}

// drain empties the outbox.
func (o *outbox) drain() (map[drop.ID]*pending, []ownedEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.drops) == 0 && len(o.owned) == 0 {
		return nil, nil
	}
	drops, owned := o.drops, o.owned
	o.drops, o.owned = make(map[drop.ID]*pending, len(drops)), nil
	return drops, owned
}
