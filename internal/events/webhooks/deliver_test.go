package webhooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// fake is a Poster that notes what it is sent. answer decides what becomes of it; nil: it is delivered.
type fake struct {
	mu     sync.Mutex
	got    map[drop.ID][]received // what was delivered, by drop
	tried  int
	answer func(url string, e received) webhooks.Attempt
}

type received struct {
	ID      string
	Type    events.Type
	DropID  drop.ID
	Seq     int64
	Skipped int
	Data    struct{ PurchaseID drop.PurchaseID }
}

func (r *fake) Send(ctx context.Context, url string, m webhooks.Message) webhooks.Attempt {
	var e received
	if err := json.Unmarshal(m.Body, &e); err != nil || e.ID != m.ID || string(e.Type) != m.Type || len(m.Body) > 20_000 || len(m.Secrets) == 0 {
		panic(fmt.Sprint("message ", m, err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tried++
	a := webhooks.Attempt{Outcome: webhooks.Delivered, Status: 204}
	if r.answer != nil {
		a = r.answer(url, e)
	}
	a.At = time.Now()
	if ctx.Err() != nil {
		return webhooks.Attempt{Outcome: webhooks.Failed, At: time.Now()}
	}
	if a.Outcome == webhooks.Delivered {
		r.got[e.DropID] = append(r.got[e.DropID], e)
	}
	return a
}

func (r *fake) purchases(id drop.ID) map[drop.PurchaseID]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := make(map[drop.PurchaseID]bool)
	for _, e := range r.got[id] {
		if e.Type == events.PurchaseCompleted {
			got[e.Data.PurchaseID] = true
		}
	}
	return got
}

// set changes what the receiver answers.
func (r *fake) set(answer func(url string, e received) webhooks.Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

type shop struct {
	*testing.T

	store  store.Store
	engine *engine.Engine
	feed   *events.Feed
}

func open(t *testing.T, s store.Store) *shop {
	t.Helper()
	e := engine.New(s, engine.Config{Log: slog.New(slog.DiscardHandler)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return &shop{t, s, e, events.New(s, e, "EUR", slog.New(slog.DiscardHandler))}
}

func (s *shop) create(units int64) drop.ID {
	s.Helper()
	v, err := s.engine.Create(s.Context(), drop.Spec{Name: "Comet", Price: 11_999, StartTime: 1, TotalStock: &units}, engine.Retry{})
	if err != nil {
		s.Fatal(err)
	}
	return v.Drop.ID
}

func (s *shop) buy(id drop.ID, user int) {
	s.Helper()
	r, err := s.engine.Reserve(s.Context(), id, drop.UserID(user), "", engine.Retry{})
	if err == nil {
		_, err = s.engine.Purchase(s.Context(), r.ID, 0, engine.Retry{})
	}
	if err != nil {
		s.Error(err)
	}
}

func (s *shop) webhook(w store.Webhook) store.Webhook {
	s.Helper()
	now, err := s.feed.Now(s.Context())
	if err == nil {
		w.URL, w.Secret, w.Start = "https://example.com/"+w.Description, string(webhooks.NewSecret()), now.String()
		w, err = s.store.CreateWebhook(s.Context(), w)
	}
	if err != nil {
		s.Fatal(err)
	}
	return w
}

// report is what is stored about deliveries to a webhook; empty: nothing yet.
func (s *shop) report(id store.WebhookID) webhooks.Report {
	s.Helper()
	row, found, err := s.store.Delivery(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	if !found {
		return webhooks.Report{}
	}
	report, err := webhooks.ParseReport(row.Report)
	if err != nil {
		s.Fatal(err)
	}
	return report
}

// deliver starts a deliverer, which stops when the test ends or when the returned function is called.
func (s *shop) deliver(to webhooks.Poster, alone bool) (stop func()) {
	return s.deliverWith(webhooks.DelivererOptions{Poster: to, Alone: alone})
}

func (s *shop) deliverWith(o webhooks.DelivererOptions) (stop func()) {
	o.Store, o.Feed, o.Log = s.store, s.feed, slog.New(slog.DiscardHandler)
	d := webhooks.NewDeliverer(o)
	d.Start()
	stop = sync.OnceFunc(func() {
		if err := d.Stop(context.WithoutCancel(s.Context())); err != nil {
			s.Error(err)
		}
	})
	s.Cleanup(stop)
	return stop
}

// inOrder checks that the first receipts of a drop's events are in the order of their numbers, and that repetitions
// come after them.
func inOrder(t *testing.T, got []received) {
	t.Helper()
	newest := int64(0)
	seen := make(map[int64]bool)
	for _, e := range got {
		if e.Seq < newest && !seen[e.Seq] && !e.Type.Movement() {
			t.Errorf("event %s came first after event %d", e.ID, newest)
		}
		seen[e.Seq] = true
		newest = max(newest, e.Seq)
	}
}

// Of all endpoints each gets what it asked for, in order, and nothing twice as long as nobody fails.
func TestDeliverer_DeliversWhatIsWanted(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		first, second := s.create(100), s.create(100)
		s.buy(first, 1) // of before: nobody is told
		all := &fake{got: make(map[drop.ID][]received)}
		seen := make(map[string]map[string]int)
		all.answer = func(url string, e received) webhooks.Attempt {
			if seen[url] == nil {
				seen[url] = make(map[string]int)
			}
			seen[url][string(e.Type)+" "+e.ID]++
			return webhooks.Attempt{Outcome: webhooks.Delivered, Status: 200}
		}
		s.webhook(store.Webhook{Description: "all"})
		s.webhook(store.Webhook{Description: "bought", Types: "purchase.completed"})
		s.webhook(store.Webhook{Description: "second", Types: "purchase.completed,drop.updated", Drops: fmt.Sprint(second)})
		s.deliver(all, true)
		for i := range 20 {
			s.buy(first, 10+i)
			s.buy(second, 10+i)
		}
		if _, err := s.engine.Pause(t.Context(), second, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		count := func(url, kind string) (n int) {
			for k := range seen["https://example.com/"+url] {
				if len(k) > len(kind) && k[:len(kind)] == kind {
					n++
				}
			}
			return n
		}
		await.Until(t, "everything is delivered", func() bool {
			all.mu.Lock()
			defer all.mu.Unlock()
			return count("all", "purchase.completed") == 40 && count("bought", "purchase.completed") == 40 &&
				count("second", "purchase.completed") == 20 && count("second", "drop.updated") == 1 && count("all", "drop.updated") == 1
		})
		all.mu.Lock()
		defer all.mu.Unlock()
		for url, messages := range seen {
			for m, n := range messages {
				if n > 1 {
					t.Errorf("%s got %s %d times", url, m, n)
				}
			}
		}
		if n := len(seen["https://example.com/bought"]); n != 40 {
			t.Errorf("%d messages for the one that wants purchases", n)
		}
		if n := len(seen["https://example.com/second"]); n != 21 {
			t.Errorf("%d messages for the one that wants the second drop", n)
		}
	})
}

// However often the deliverer dies or stops, each purchase arrives, in order.
func TestDeliverer_LosesNothing(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		ids := []drop.ID{s.create(500), s.create(500)}
		to := &fake{got: make(map[drop.ID][]received)}
		to.set(func(string, received) webhooks.Attempt {
			if r.IntN(50) == 0 { // lost after it was taken
				return webhooks.Attempt{Outcome: webhooks.Failed, Status: 500, RetryAfter: time.Millisecond}
			}
			return webhooks.Attempt{Outcome: webhooks.Delivered, Status: 200}
		})
		s.webhook(store.Webhook{Description: "x"})
		// Long enough that a retry often waits while a deliverer stops. By the schedule, an event that fails twice
		// waits for 5 minutes.
		again := func(int, time.Duration) time.Duration { return 100 * time.Millisecond }
		deliver := func() (stop func()) {
			return s.deliverWith(webhooks.DelivererOptions{Poster: to, Alone: true, Retry: again})
		}
		var sellers sync.WaitGroup
		for i, id := range ids {
			sellers.Go(func() {
				for n := range 60 {
					s.buy(id, 1000*i+n+1)
				}
			})
		}
		for range 6 {
			stop := deliver()
			to.mu.Lock()
			tried := to.tried
			to.mu.Unlock()
			await.Until(t, "something is sent", func() bool {
				to.mu.Lock()
				sent := to.tried > tried+5
				to.mu.Unlock()
				return sent || len(to.purchases(ids[0]))+len(to.purchases(ids[1])) == 120 // a slow deliverer skips all holds
			})
			stop()
		}
		sellers.Wait()
		to.set(nil)
		deliver()
		for _, id := range ids {
			await.Until(t, "all purchases are delivered", func() bool { return len(to.purchases(id)) == 60 })
			inOrder(t, to.got[id])
		}
	})
}

// change changes the report of an endpoint that nobody delivers to.
func (s *shop) change(id store.WebhookID, with func(*webhooks.Report)) {
	s.Helper()
	row, found, err := s.store.Delivery(s.Context(), id)
	if err != nil || !found {
		s.Fatal(found, err)
	}
	report, err := webhooks.ParseReport(row.Report)
	if err != nil {
		s.Fatal(err)
	}
	with(&report)
	to := row
	to.Report = report.String()
	if done, err := s.store.ReplaceDelivery(s.Context(), row, to); err != nil || !done {
		s.Fatal(done, err)
	}
}

// A drop whose event fails waits. Others, and other endpoints, do not.
func TestDeliverer_OneFailureDelaysNobodyElse(t *testing.T) {
	s := open(t, stores.Open(t, "memory"))
	bad, good := s.create(100), s.create(100)
	to := &fake{got: make(map[drop.ID][]received)}
	other := &fake{got: make(map[drop.ID][]received)}
	to.set(func(url string, e received) webhooks.Attempt {
		if url == "https://example.com/other" {
			other.got[e.DropID] = append(other.got[e.DropID], e)
		} else if e.DropID == bad && e.Type == events.PurchaseCompleted {
			return webhooks.Attempt{Outcome: webhooks.Failed, Status: 500, Answer: "no", Error: "The receiver answered 500."}
		}
		return webhooks.Attempt{Outcome: webhooks.Delivered, Status: 200}
	})
	hook := s.webhook(store.Webhook{Description: "failing"})
	s.webhook(store.Webhook{Description: "other"})
	s.deliver(to, true)
	for i := range 10 {
		s.buy(bad, i+1)
		s.buy(good, i+1)
	}
	await.Until(t, "the others are delivered", func() bool {
		to.mu.Lock()
		n := len(slices.DeleteFunc(slices.Clone(other.got[bad]), func(e received) bool { return e.Type != events.PurchaseCompleted }))
		to.mu.Unlock()
		return len(to.purchases(good)) == 10 && n == 10
	})
	if n := len(to.purchases(bad)) - 10; n > 0 { // those of the other endpoint count too
		t.Errorf("%d purchases behind the failed one were delivered", n)
	}
	await.Until(t, "the report says what fails", func() bool {
		report := s.report(hook.ID)
		if len(report.Retries) != 1 {
			return false
		}
		r := report.Retries[0]
		return r.Drop == bad && r.Tries == 1 && r.Next > r.Since && report.Behind > 8 && len(report.Attempts) > 10 && report.FailingSince() == r.Since &&
			slices.ContainsFunc(report.Attempts, func(a webhooks.Record) bool { return a.Status == 500 && a.Answer == "no" && a.Next == r.Next })
	})
}

// The report says how many events wait, also if it was stored just before and nothing more is tried.
func TestDeliverer_CountsWhatWaits(t *testing.T) {
	s := open(t, stores.Open(t, "memory"))
	id := s.create(100)
	to := &fake{got: make(map[drop.ID][]received)}
	hook := s.webhook(store.Webhook{Description: "x", Types: "purchase.completed"})
	s.deliver(to, true)
	report := func() webhooks.Report { return s.report(hook.ID) }
	s.buy(id, 1)
	await.Until(t, "the first delivery is stored", func() bool { return report().Succeeded > 0 })
	to.set(func(string, received) webhooks.Attempt {
		return webhooks.Attempt{Outcome: webhooks.Failed, Status: 503, RetryAfter: time.Hour}
	})
	for _, most := range []int{4, 9} {
		for i := range most {
			s.buy(id, 10*most+i)
		}
		want := int64(most)
		if most == 9 {
			want += 4
		}
		await.Until(t, fmt.Sprintf("%d events wait", want), func() bool { r := report(); return r.Behind == want && r.Lag > 0 })
	}
	to.set(nil)
	endpoints := webhooks.NewEndpoints(s.store, s.feed, to, true)
	if _, err := endpoints.Disable(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := endpoints.Enable(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "nothing waits", func() bool { r := report(); return len(to.purchases(id)) == 14 && r.Behind == 0 && r.Lag == 0 })
}

// A receiver that is gone gets nothing more, and its place is kept.
func TestDeliverer_GoneAndBack(t *testing.T) {
	s := open(t, stores.Open(t, "memory"))
	id := s.create(100)
	to := &fake{got: make(map[drop.ID][]received)}
	to.set(func(string, received) webhooks.Attempt { return webhooks.Attempt{Outcome: webhooks.Gone, Status: 410} })
	hook := s.webhook(store.Webhook{Description: "x", Types: "purchase.completed"})
	s.deliver(to, true)
	for i := range 5 {
		s.buy(id, i+1)
	}
	current := func() store.Webhook {
		hooks, err := s.store.Webhooks(t.Context())
		if err != nil || len(hooks) != 1 {
			t.Fatal(hooks, err)
		}
		return hooks[0]
	}
	await.Until(t, "it is disabled", func() bool { return current().Disabled == string(webhooks.BecameGone) })
	await.Until(t, "the worker has ended", func() bool {
		row, _, err := s.store.Delivery(t.Context(), hook.ID)
		return err == nil && row.Holder == ""
	})
	to.set(nil)
	enabled := current()
	enabled.Disabled, enabled.DisabledAt = "", 0
	if done, err := s.store.ReplaceWebhook(t.Context(), current(), enabled); err != nil || !done {
		t.Fatal(done, err)
	}
	await.Until(t, "everything is delivered", func() bool { return len(to.purchases(id)) == 5 })
}

// Whatever failed is due at once when its webhook is enabled, also if it was disabled so shortly that the server that
// delivers never saw it.
func TestDeliverer_EnabledBeforeItWasSeenDisabled(t *testing.T) {
	s := open(t, stores.Open(t, "memory"))
	id := s.create(100)
	to := &fake{got: make(map[drop.ID][]received)}
	to.set(func(string, received) webhooks.Attempt {
		return webhooks.Attempt{Outcome: webhooks.Failed, Status: 503, RetryAfter: time.Hour}
	})
	hook := s.webhook(store.Webhook{Description: "x", Types: "purchase.completed"})
	s.deliver(to, true)
	s.buy(id, 1)
	await.Until(t, "it is stored what failed", func() bool { return len(s.report(hook.ID).Retries) == 1 })
	to.set(nil)
	elsewhere := webhooks.NewEndpoints(s.store, s.feed, to, true)
	if _, err := elsewhere.Disable(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := elsewhere.Enable(t.Context(), hook.ID); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "it is delivered", func() bool { return len(to.purchases(id)) == 1 })
}

// An operator can have events sent again.
func TestDeliverer_Replays(t *testing.T) {
	s := open(t, stores.Open(t, "memory"))
	id := s.create(100)
	to := &fake{got: make(map[drop.ID][]received)}
	hook := s.webhook(store.Webhook{Description: "x"})
	s.deliver(to, true)
	for i := range 5 {
		s.buy(id, i+1)
	}
	await.Until(t, "everything is delivered", func() bool { return len(to.purchases(id)) == 5 })
	to.mu.Lock()
	before := len(to.got[id])
	to.mu.Unlock()
	if _, err := s.store.AddReplay(t.Context(), store.Replay{Webhook: hook.ID, Drop: id, First: 2, Last: 7}); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "the replay is done", func() bool {
		left, err := s.store.Replays(t.Context())
		return err == nil && len(left) == 0
	})
	to.mu.Lock()
	defer to.mu.Unlock()
	var seqs []int64
	for _, e := range to.got[id][before:] {
		seqs = append(seqs, e.Seq)
	}
	if !slices.Equal(seqs, []int64{2, 3, 4, 5, 6, 7}) {
		t.Errorf("sent again: %v", seqs)
	}
}
