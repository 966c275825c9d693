package rehearse

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
)

// Buyers who wait ask for their place as the shop window does: often while they are among the first, else rarely.
const (
	front               = 5
	frontAsks, frontMay = 5 * time.Second, 2500 * time.Millisecond // they ask after the one, and at most the other
	asks, may           = 20 * time.Second, 10 * time.Second
	// asksPerOffer is how often they ask at least in the time that an offer lasts, so that nobody misses one.
	asksPerOffer = 3
	// of so many offers, buyers decline one and let one expire.
	offersPerRound = 4
	// figuresEvery is how often the rehearsal looks whether units are still held.
	figuresEvery = 500 * time.Millisecond
)

// waiters are the buyers in line, each with a goroutine of its own.
type waiters struct {
	all     sync.WaitGroup
	waiting context.Context //nolint:containedctx // it outlasts the other calls of a buyer, and ends the wait of all
	// hurry says that buyers purchase whatever they are offered, so that the rehearsal ends.
	hurry atomic.Bool
}

// open lets buyers wait until ctx ends or the caller stops them.
func (w *waiters) open(ctx context.Context) (stop func()) {
	var cancel context.CancelFunc
	w.waiting, cancel = context.WithCancel(ctx)
	return func() {
		cancel()
		w.all.Wait()
	}
}

// place is an entry of the waitlist as its buyer sees it.
type place struct {
	ID          drop.EntryID `json:"id"`
	Status      string       `json:"status"`
	Position    int64        `json:"position"`
	Reservation *reservation `json:"reservation"`
}

// join puts a buyer who came too late in line.
func (b *buyer) join(ctx context.Context) {
	for range hopes {
		a := b.click(ctx, "/api/drops/waitlist", b.wish, b.key("join"))
		if a.err == nil && a.status == http.StatusOK {
			var at place
			if json.Unmarshal(a.body, &at) != nil || at.ID == 0 {
				b.notes.faultf("an answer to a call that joins the waitlist is not an entry: %s", a.body)
				return
			}
			b.notes.joined(at.ID)
			b.line.all.Go(func() { b.wait(b.line.waiting, at) })
			return
		}
		if a.err != nil || !a.mayPass() || sleep(ctx, asksAgain+b.within(time.Second)) != nil {
			return
		}
	}
}

// wait waits for the buyer's turn. A fickle buyer gives the place up.
func (b *buyer) wait(ctx context.Context, at place) {
	for at.Status == drop.Waiting.String() {
		if sleep(ctx, b.patience(at.Position)) != nil {
			return
		}
		if b.manner == fickle {
			a := b.post(ctx, b.number, "/api/drops/waitlist/leave", fmt.Sprintf(`{"entryId":%d}`, at.ID), b.key("leave"))
			if b.notes.note(a) {
				return
			}
		}
		if now, ok := b.look(ctx, at.ID); ok {
			at = now
		}
	}
	if r := at.Reservation; r != nil {
		b.turn(ctx, at.ID, r)
	}
}

// patience is how long a buyer waits before asking for the place again.
func (b *buyer) patience(position int64) time.Duration {
	wait := asks + b.within(may)
	if position <= front {
		wait = frontAsks + b.within(frontMay)
	}
	return min(wait, time.Duration(b.original.OfferFor)*time.Second/asksPerOffer)
}

// look asks for the buyer's place.
func (b *buyer) look(ctx context.Context, id drop.EntryID) (place, bool) {
	path := dropPath(b.copied) + "/waitlist"
	if b.Buyer == nil {
		path += "?userId=" + strconv.FormatInt(firstBuyer+b.number, 10)
	}
	a := b.send(ctx, http.MethodGet, path, nil, b.tokenOf(b.number), "", address(b.number))
	if !b.notes.note(a) {
		return place{}, false
	}
	var got struct {
		Entries []place `json:"entries"`
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		b.notes.faultf("an answer to a call for a place in line cannot be read: %v", err)
		return place{}, false
	}
	i := slices.IndexFunc(got.Entries, func(e place) bool { return e.ID == id })
	if i < 0 {
		b.notes.faultf("entry %d was acknowledged, but its buyer does not see it", id)
		return place{ID: id}, true
	}
	return got.Entries[i], true
}

// turn is what a buyer does with an offer: most buy.
func (b *buyer) turn(ctx context.Context, entry drop.EntryID, r *reservation) {
	h := b.hold(r)
	n, first := b.notes.offered(entry, h)
	if !first {
		b.notes.faultf("reservation %d was offered to two buyers", h.id)
	}
	switch {
	case r.Status != drop.Active.String(): // the buyer asked too late
	case b.line.hurry.Load():
		b.buy(ctx, h.id)
	case n%offersPerRound == 1:
		b.notes.note(b.post(ctx, b.number, "/api/drops/cancel", reservationBody(h.id), b.key("decline")))
	case n%offersPerRound == 2:
		b.notes.letPass(h)
	default:
		b.thinkAndBuy(ctx, r)
	}
}

// outlastLine waits until no unit is held, so that none can come free for those who wait. Offers that nobody wants and
// that last too long are released. After MaxHold buyers hurry.
func (p *play) outlastLine(ctx context.Context) error {
	const late = time.Minute
	for began := time.Now(); ; {
		now, err := p.copyNow(ctx)
		if err != nil {
			return err
		}
		passed := time.Since(began)
		if now.Held == 0 || passed > 2*p.MaxHold+late {
			return nil
		}
		p.line.hurry.Store(passed > p.MaxHold)
		if err := p.release(ctx, p.notes.passedFor(p.MaxHold)); err != nil {
			return err
		}
		if err := sleep(ctx, figuresEvery); err != nil {
			return err
		}
	}
}

// lineNotes are what buyers in line were told.
type lineNotes struct {
	entries map[drop.EntryID]drop.ReservationID // 0: no offer yet
	offers  int
	passed  []hold // offers that their buyers let pass
}

func (n *notes) joined(id drop.EntryID) {
	defer n.lock()()
	n.line.entries[id] = 0
}

// offered returns which offer it is, from 1, and false if somebody already has the reservation.
func (n *notes) offered(entry drop.EntryID, h hold) (nth int, first bool) {
	defer n.lock()()
	first = !n.given[h.id]
	n.given[h.id] = true
	n.line.entries[entry] = h.id
	n.line.offers++
	return n.line.offers, first
}

func (n *notes) letPass(h hold) {
	defer n.lock()()
	n.line.passed = append(n.line.passed, h)
}

// passedFor takes out the offers that their buyers let pass and that last longer than limit.
func (n *notes) passedFor(limit time.Duration) (long []hold) {
	defer n.lock()()
	n.line.passed = slices.DeleteFunc(n.line.passed, func(h hold) bool {
		if h.length > limit {
			long = append(long, h)
		}
		return h.length > limit
	})
	return long
}
