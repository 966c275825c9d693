package webhooks_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// mortal is a server's access to the store and to receivers, until it dies.
type mortal struct {
	store.Store
	webhooks.Poster

	dead atomic.Bool
}

var errDead = errors.New("this server is dead")

func (m *mortal) ReplaceDelivery(ctx context.Context, old, to store.Delivery) (bool, error) {
	if m.dead.Load() {
		return false, errDead
	}
	return m.Store.ReplaceDelivery(ctx, old, to)
}

func (m *mortal) Delivery(ctx context.Context, id store.WebhookID) (store.Delivery, bool, error) {
	if m.dead.Load() {
		return store.Delivery{}, false, errDead
	}
	return m.Store.Delivery(ctx, id)
}

// twoServers delivers with two servers that share a store.
func twoServers(t *testing.T) (s *shop, first, second *mortal, to *fake) {
	s = open(t, memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }))
	to = &fake{got: make(map[drop.ID][]received)}
	start := func() *mortal {
		m := &mortal{Store: s.store, Poster: to}
		d := webhooks.NewDeliverer(webhooks.DelivererOptions{Store: m, Feed: s.feed, Poster: m, Log: slog.New(slog.DiscardHandler)})
		d.Start()
		t.Cleanup(func() {
			if err := d.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		return m
	}
	s.webhook(store.Webhook{Description: "x", Types: "purchase.completed"})
	first = start()
	time.Sleep(100 * time.Millisecond)
	second = start()
	return s, first, second, to
}

// Of two servers one delivers, so that nothing arrives twice. Once it can no longer store how far it is, it stops
// before the other takes over, which is within 10 seconds.
func TestDeliverer_AnotherServerTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, first, _, to := twoServers(t)
		id := s.create(1000)
		count := func() int {
			to.mu.Lock()
			defer to.mu.Unlock()
			return len(to.got[id])
		}
		for i := range 60 {
			s.buy(id, i+1)
			time.Sleep(time.Second)
		}
		if n := count(); n != 60 || to.tried != 60 {
			t.Errorf("%d purchases arrived in %d messages, want 60 in 60", n, to.tried)
		}
		first.dead.Store(true)
		silent, last := time.Duration(0), time.Now() // the longest time without a message
		for i := range 300 {
			before := count()
			s.buy(id, 100+i)
			time.Sleep(100 * time.Millisecond)
			if count() > before {
				last = time.Now()
			}
			silent = max(silent, time.Since(last))
		}
		time.Sleep(time.Second)
		if silent > 10*time.Second || silent < time.Second {
			t.Errorf("nothing arrived for %s after the server's death, want 1 to 10 s", silent)
		}
		if n := len(to.purchases(id)); n != 360 {
			t.Errorf("%d different purchases arrived, want 360", n)
		}
		inOrder(t, to.got[id])
		if extra := to.tried - 360; extra > 100 {
			t.Errorf("%d messages arrived twice", extra)
		}
	})
}

// A server that stops leaves its endpoints to the others at once.
func TestDeliverer_LeavesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }))
		to := &fake{got: make(map[drop.ID][]received)}
		id := s.create(100)
		s.webhook(store.Webhook{Description: "x", Types: "purchase.completed"})
		stop := s.deliver(to, false)
		time.Sleep(100 * time.Millisecond)
		s.deliver(to, false)
		s.buy(id, 1)
		time.Sleep(5 * time.Second)
		stop()
		s.buy(id, 2)
		time.Sleep(1500 * time.Millisecond)
		if n := len(to.purchases(id)); n != 2 || to.tried != 2 {
			t.Errorf("%d purchases in %d messages, want 2 in 2", n, to.tried)
		}
	})
}

// The attempts come at the times of the schedule. After five days of failure the endpoint is disabled.
func TestDeliverer_RetriesAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }))
		to := &fake{got: make(map[drop.ID][]received)}
		var at []time.Duration
		begun := time.Now()
		ids := make(map[string]bool)
		to.set(func(_ string, e received) webhooks.Attempt {
			at = append(at, time.Since(begun))
			ids[e.ID] = true
			return webhooks.Attempt{Outcome: webhooks.Failed, Status: 500}
		})
		id := s.create(100)
		hook := s.webhook(store.Webhook{Description: "x", Types: "purchase.completed"})
		stop := s.deliver(to, true)
		s.buy(id, 1)
		s.buy(id, 2)
		time.Sleep(time.Hour)
		stop()
		if len(ids) != 1 {
			t.Errorf("events %v were tried, want the first one only", ids)
		}
		want := []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute}
		if len(at) != len(want) {
			t.Fatalf("%d attempts, want %d: %v", len(at), len(want), at)
		}
		for i, wait := range want[1:] {
			if got := at[i+1] - at[i]; got < wait*89/100 || got > wait*111/100+3*time.Second {
				t.Errorf("attempt %d came %s after the one before, want about %s", i+2, got, wait)
			}
		}
		for _, days := range []int{4, 5} { // the failures of so many days
			s.change(hook.ID, func(r *webhooks.Report) {
				r.Retries[0].Since = drop.TimeOf(time.Now().AddDate(0, 0, -days))
				r.Retries[0].Next = 1
			})
			stop := s.deliver(to, true)
			time.Sleep(time.Minute)
			stop()
			hooks, err := s.store.Webhooks(t.Context())
			if want := map[int]string{5: string(webhooks.KeptFailed)}[days]; err != nil || hooks[0].Disabled != want {
				t.Fatalf("after %d days: %+v, %v", days, hooks, err)
			}
		}
	})
}
