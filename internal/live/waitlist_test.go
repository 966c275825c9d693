package live_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

// line is a drop with a waitlist, whose batches a hub is told of.
type line struct {
	*testing.T

	rnd     *rand.Rand
	store   store.Store
	hub     *live.Hub
	ledger  []drop.LedgerEntry
	history map[int64][]drop.Size // by version
}

// batch runs commands as one batch, and publishes what it changed.
func (l *line) batch(cmds ...drop.Command) {
	l.Helper()
	var id drop.BatchID
	for i := range id {
		id[i] = byte(l.rnd.Uint32())
	}
	var ev engine.Event
	err := l.store.RunBatch(l.Context(), &storetest.Batch{Drop: 1, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, c := drop.Apply(s, now, id, cmds)
		if c == nil {
			return nil
		}
		d := s.Drop
		d.Sizes = slices.Clone(s.Sizes)
		l.history[d.Version], l.ledger = d.Sizes, append(l.ledger, c.Ledger...)
		ev = engine.Event{View: engine.NewView(d, nil, 0, 0), Ledger: c.Ledger, Purchases: c.Purchases, Made: c.Made, Ended: c.Ended}
		return c
	}})
	if err != nil {
		l.Fatal(err)
	}
	if ev.View != nil {
		l.hub.Publish(ev)
	}
}

// command draws a command.
func (l *line) command() drop.Command {
	size, user := []string{"9", "10"}[l.rnd.IntN(2)], drop.UserID(1+l.rnd.IntN(6))
	reservation := drop.NewReservationID(1, uint32(1+l.rnd.IntN(40)))
	switch n := l.rnd.IntN(17); {
	case n < 4:
		return drop.Join{User: user, Size: size}
	case n < 7:
		return drop.Reserve{User: user, Size: size, Hold: time.Duration(1+l.rnd.IntN(20)) * time.Second}
	case n < 10:
		return drop.Cancel{Reservation: reservation}
	case n == 10:
		return drop.MakePurchase{Reservation: reservation}
	case n == 11:
		return drop.ReturnPurchase{Purchase: drop.NewPurchaseID(1, uint32(1+l.rnd.IntN(4))), Restock: l.rnd.IntN(2) == 0}
	case n == 12:
		return drop.Restock{Add: int64(l.rnd.IntN(4) - 1), Size: size}
	case n == 13:
		return drop.Leave{Entry: drop.NewEntryID(1, uint32(1+l.rnd.IntN(20)))}
	case n == 14:
		return drop.Pause{}
	case n == 15:
		return drop.Edit{Waitlist: new(l.rnd.IntN(3) > 0)} // closes the lines, or opens them again
	default:
		return drop.Resume{}
	}
}

// shownStock is a stock_update as clients read it.
type shownStock struct {
	Available int64  `json:"available_stock"`
	Version   int64  `json:"version"`
	Reason    string `json:"reason"`
	Sizes     []struct {
		Total     int64 `json:"total_stock"`
		Available int64 `json:"available_stock"`
	} `json:"sizes"`
}

// stockOf returns the stock updates among updates.
func (l *line) stockOf(told []told) (all []shownStock) {
	l.Helper()
	for _, u := range told {
		if u.Event != live.StockUpdate {
			continue
		}
		var s shownStock
		if err := json.Unmarshal(u.JSON, &s); err != nil {
			l.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// Whatever happens to a drop, no watcher is shown a unit as available while somebody waits for it, and no update says
// that one came back unless one did. Half of the histories have batches that come faster than updates go out.
func TestHub_NeverShowsAUnitThatGoesToAWaitlist(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	handed, updates := 0, 0
	for run := range uint64(60) {
		inHub(t, func(t *testing.T, h *live.Hub, r *recorder) {
			l := openLine(t, h, seed+run)
			fast := run%2 == 0
			var before shownStock
			for range 80 {
				cmds := make([]drop.Command, 1+l.rnd.IntN(3))
				for i := range cmds {
					cmds[i] = l.command()
				}
				l.batch(cmds...)
				if !fast || l.rnd.IntN(8) == 0 {
					time.Sleep(time.Duration(1+l.rnd.IntN(8)) * time.Second)
				}
				for _, now := range l.stockOf(r.take(live.RoomOf(1))) {
					l.check(&before, &now, fast)
					before = now
					updates++
				}
			}
			for i := range l.ledger {
				if l.ledger[i].Reason == drop.WaitlistOffered {
					handed++
				}
			}
		})
	}
	if handed < 100 || updates < 1000 {
		t.Errorf("%d hand-overs and %d updates: the test shows too little", handed, updates)
	}
}

func openLine(t *testing.T, h *live.Hub, seed uint64) *line {
	t.Helper()
	l := &line{T: t, rnd: rand.New(rand.NewPCG(seed, 0)), hub: h, history: make(map[int64][]drop.Size)}
	l.store = memory.New(stores.Now)
	spec := drop.Spec{
		Name: "Comet", Price: 100, Sizes: []drop.SizeSpec{{Label: "9", Stock: 2}, {Label: "10", Stock: 1}}, Waitlist: true, OfferFor: 10,
	}
	spec, err := spec.Normal()
	if err != nil {
		t.Fatal(err)
	}
	state, changes := spec.Create(1, stores.Now(), drop.BatchID{1})
	if err := store.Fill(t.Context(), l.store, nil, []store.Filled{{State: state, Changes: changes}}, true); err != nil {
		t.Fatal(err)
	}
	l.history[state.Version] = slices.Clone(state.Sizes)
	d := state.Drop
	d.Sizes = slices.Clone(d.Sizes)
	h.Publish(engine.Event{View: engine.NewView(d, nil, 0, 0), Ledger: changes.Ledger, Created: true})
	time.Sleep(time.Second)
	return l
}

// check compares an update with the one before it, and with the drop as it was.
func (l *line) check(before, now *shownStock, fast bool) {
	l.Helper()
	was, ok := l.history[now.Version]
	if !ok {
		l.Fatalf("version %d was never so", now.Version)
	}
	rose, total := false, false
	for i := range now.Sizes {
		s := &was[i]
		if now.Sizes[i].Available != s.Stock.Available || now.Sizes[i].Total != s.Stock.Total || s.Waiting > s.Pending && now.Sizes[i].Available > 0 {
			l.Errorf("size %d of %+v while %d wait, and %d units are kept", i, now, s.Waiting, s.Pending)
		}
		if before.Sizes != nil {
			rose = rose || now.Sizes[i].Available > before.Sizes[i].Available
			total = total || now.Sizes[i].Total != before.Sizes[i].Total
		}
	}
	switch drop.Reason(now.Reason) {
	case drop.Created, drop.Reserved:
	case drop.Restocked:
		if !fast && !total && !rose {
			l.Errorf("%+v after %+v", now, before)
		}
	case drop.ReservationExpired, drop.ReservationCancelled:
		if !fast && !rose {
			l.Errorf("%+v says that a unit came back, after %+v", now, before)
		}
	default:
		l.Errorf("clients of the original do not know the reason of %+v", now)
	}
	if total && drop.Reason(now.Reason) != drop.Restocked {
		l.Errorf("%+v after %+v: clients do not read the total again", now, before)
	}
}

// owners is a wire that records what buyers are told of their own.
type owners struct {
	recorder

	mu  sync.Mutex
	own []told
}

func (o *owners) Tell(room string, updates func() []live.Update) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, u := range updates() {
		o.own = append(o.own, told{time.Since(o.began), room, u})
	}
}

// The buyer who is first in line is told of the offer at once, with its end, and of that end.
func TestHub_TellsTheBuyerOfAnOfferAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := live.New(live.Config{Private: true})
		defer h.Close()
		o := &owners{recorder: recorder{began: time.Now()}}
		h.Attach(o)
		l := openLine(t, h, 1)
		took := func() []told {
			o.mu.Lock()
			defer o.mu.Unlock()
			own := o.own
			o.own = nil
			return own
		}
		l.batch(drop.Reserve{User: 3, Size: "10", Hold: time.Minute}, drop.Join{User: 5, Size: "10"})
		took()
		time.Sleep(time.Second)
		l.batch(drop.Cancel{Reservation: drop.NewReservationID(1, 1)})
		got := took()
		if len(got) != 2 || got[0].room != live.RoomOfUser(5) || got[1].room != live.RoomOfUser(3) {
			t.Fatalf("told %+v", got)
		}
		now := drop.TimeOf(time.Now())
		wantJSON(t, got[0].Update, live.ReservationUpdate, `{"id":4294967298,"dropId":1,"userId":5,"status":"active","expires_at":"`+
			now.Add(10*time.Second).String()+`","createdAt":"`+now.String()+`","size":"10","offer":true}`)
		wantJSON(t, got[1].Update, live.ReservationUpdate, `{"id":4294967297,"dropId":1,"userId":3,"status":"cancelled","expires_at":"`+
			now.Add(59*time.Second).String()+`","createdAt":"`+now.Add(-time.Second).String()+`","size":"10"}`)
		time.Sleep(10 * time.Second)
		l.batch()
		if got := took(); len(got) != 1 || got[0].room != live.RoomOfUser(5) {
			t.Errorf("told %+v of the end of the offer", got)
		}
	})
}
