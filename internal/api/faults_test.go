package api_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var (
	pause   drop.Command = drop.Pause{}
	archive drop.Command = drop.Edit{Archived: new(true)}
)

// command applies an operator's command behind the engine's back, as another replica would.
func (s *shop) command(id drop.ID, c drop.Command) {
	s.Helper()
	b := &storetest.Batch{Drop: id, Need: drop.NeedOf([]drop.Command{c})}
	b.Decider = func(state *drop.State, now drop.Time) *drop.Changes {
		results, changes := drop.Apply(state, now, drop.BatchID{1}, []drop.Command{c})
		if results[0].Err != nil {
			s.Error(results[0].Err)
		}
		return changes
	}
	if err := s.store.RunBatch(context.Background(), b); err != nil {
		s.Fatal(err)
	}
}

// faulty is a store that fails in a chosen way once broken is closed.
type faulty struct {
	store.Store
	broken atomic.Bool
	batch  func(context.Context) error
}

func (f *faulty) RunBatch(ctx context.Context, b store.Batch) error {
	if f.broken.Load() {
		return f.batch(ctx)
	}
	return f.Store.RunBatch(ctx, b)
}

func (f *faulty) Committed(context.Context, drop.ID, drop.BatchID, drop.Seq) (bool, error) {
	return false, &store.Error{Op: "look", Class: store.ClassUnavailable, Err: errors.New("s3cret absence")}
}

func (f *faulty) Ready(ctx context.Context) error {
	if f.broken.Load() {
		return f.batch(ctx)
	}
	return nil
}

func (f *faulty) Reservations(ctx context.Context, _ drop.UserID, _ int) ([]drop.Reservation, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (f *faulty) User(context.Context, drop.UserID) (drop.User, error) { panic("s3cret panic") }

func newFaultyShop(tb testing.TB, batch func(context.Context) error, options ...option) *shop {
	tb.Helper()
	f := &faulty{Store: memory.New(stores.Now), batch: batch}
	s := newShopOn(tb, f, new(atomic.Int64), options...)
	s.fiveOnSale()
	f.broken.Store(true)
	return s
}

// fiveOnSale creates a drop like createBody does, but not over HTTP, so that a shop with a timeout of milliseconds
// cannot fail here.
func (s *shop) fiveOnSale() {
	s.Helper()
	units := int64(5)
	if _, err := s.engine.Create(context.Background(), drop.Spec{Name: "Air Zenith 1", Price: 11999, TotalStock: &units}, engine.Retry{}); err != nil {
		s.Fatal(err)
	}
}

func fails(class store.Class) func(context.Context) error {
	return func(context.Context) error {
		return &store.Error{Op: "commit", Class: class, Err: errors.New("s3cret cause")}
	}
}

func TestFaults_AreAnsweredByTheTableAndNeverLeak(t *testing.T) {
	for _, c := range []struct {
		name       string
		class      store.Class
		status     int
		code       string
		retryAfter string
	}{
		{"fault", store.ClassFault, 500, "internal", ""},
		{"unavailable", store.ClassUnavailable, 503, "unavailable", "2"},
		{"exhausted", store.ClassExhausted, 503, "unavailable", "2"},
		{"unknown", store.ClassUnknown, 503, "outcome_unknown", "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newFaultyShop(t, fails(c.class))
			req := s.request(http.MethodPost, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
			req.Header.Set("X-Request-Id", "caller-7")
			r := s.do(req)
			s.refused(r, c.status, c.code)
			if r.header.Get("Retry-After") != c.retryAfter || r.header.Get("X-Request-Id") != "caller-7" {
				t.Errorf("headers %v", r.header)
			}
			if strings.Contains(r.body, "s3cret") {
				t.Errorf("the answer tells the cause: %s", r.body)
			}
			if log := s.log.String(); !strings.Contains(log, "s3cret") || !strings.Contains(log, `"request":"caller-7"`) {
				t.Errorf("the log lacks the cause or the request: %s", log)
			}
			s.refused(s.get("/readyz"), 503, "not_ready")
			if live := s.get("/livez"); live.status != 200 {
				t.Errorf("livez: %+v", live)
			}
		})
	}
}

// unread is a store in which nothing can be read that an answer about a place in line or in a draw has.
type unread struct{ store.Store }

func (unread) WaitingBefore(context.Context, *drop.Entry) (int64, error) {
	return 0, &store.Error{Op: "count", Class: store.ClassUnavailable, Err: errors.New("away")}
}

func (unread) Draw(context.Context, drop.ID) (store.Draw, bool, error) {
	return store.Draw{}, false, &store.Error{Op: "read", Class: store.ClassUnavailable, Err: errors.New("away")}
}

// Whoever is told that nothing was done has no place in line and no entry in a draw.
func TestUnavailable_IsNeverToldOfWhatWasDone(t *testing.T) {
	s := newShopOn(t, unread{memory.New(stores.Now)}, new(atomic.Int64))
	s.ok(s.post("/api/drops/create", `{"name":"Air 1","price":1,"total_stock":0,"start_time":"2026-01-01T00:00:00Z","waitlist":true}`))
	s.ok(s.post("/api/drops/create", drawBody("")))
	s.ok(s.post("/api/drops/waitlist", `{"dropId":1,"userId":3}`))
	if r := s.ok(s.post("/api/drops/waitlist", `{"dropId":1,"userId":3}`)); strings.Contains(r.body, "position") {
		t.Errorf("a position that nobody could read: %s", r.body)
	}
	s.refused(s.post("/api/drops/enter", `{"dropId":2,"userId":3}`), 503, "unavailable")
	if entries, err := s.engine.DrawEntriesOf(t.Context(), 2, 3); err != nil || len(entries) > 0 {
		t.Errorf("the buyer entered: %+v, %v", entries, err)
	}
}

func TestTimeout_SaysThatTheOutcomeIsUnknown(t *testing.T) {
	free := make(chan struct{})
	s := newFaultyShop(t, func(context.Context) error { <-free; return errors.New("late") },
		func(c *api.Config) { c.RequestTimeout = 30 * time.Millisecond })
	t.Cleanup(func() { close(free) })
	r := s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`)
	s.refused(r, 503, "outcome_unknown")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}

func TestTimeout_OfAReadLeavesNothingUnknown(t *testing.T) {
	s := newFaultyShop(t, nil, func(c *api.Config) { c.RequestTimeout = 30 * time.Millisecond })
	s.refused(s.get("/api/users/3/reservations"), 503, "unavailable")
}

func TestCallerThatWentAway_IsNoWarning(t *testing.T) {
	free, entered := make(chan struct{}), make(chan struct{})
	s := newFaultyShop(t, func(context.Context) error { close(entered); <-free; return errors.New("late") })
	t.Cleanup(func() { close(free) })
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-entered
		cancel()
	}()
	req := s.request(http.MethodPost, "/api/drops/reserve", `{"dropId":1,"userId":3}`).WithContext(ctx)
	if resp, err := s.client.Do(req); err == nil {
		resp.Body.Close()
		t.Fatal("answered")
	}
	await.Until(t, "it is in the log", func() bool { return strings.Contains(s.log.String(), "outcome_unknown") })
	if strings.Contains(s.log.String(), "WARN") {
		t.Errorf("log: %s", s.log)
	}
}

func TestOverload_IsAnsweredAtOnce(t *testing.T) {
	free, entered := make(chan struct{}), make(chan struct{}, 100)
	f := &faulty{Store: memory.New(stores.Now)}
	f.batch = func(context.Context) error { entered <- struct{}{}; <-free; return errors.New("late") }
	s := newShopOn(t, f, new(atomic.Int64), func(c *api.Config) {
		c.Engine.MaxQueue = 1
		c.RequestTimeout = 50 * time.Millisecond
	})
	t.Cleanup(func() { close(free) })
	s.fiveOnSale()
	f.broken.Store(true)
	s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`), 503, "outcome_unknown") // waits in the store
	<-entered
	s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`), 503, "outcome_unknown") // waits in the queue
	r := s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`)
	s.refused(r, 503, "overloaded")
	if r.header.Get("Retry-After") != "1" {
		t.Errorf("headers %v", r.header)
	}
}

func TestPanic_IsAnsweredAndLogged(t *testing.T) {
	s := newFaultyShop(t, fails(store.ClassFault))
	r := s.post("/api/drops/reserve", `{"dropId":1,"userId":1099511627776}`)
	s.refused(r, 500, "internal")
	if strings.Contains(r.body, "s3cret") || !strings.Contains(s.log.String(), "s3cret panic") {
		t.Errorf("answer %s, log %s", r.body, s.log)
	}
	if live := s.get("/livez"); live.status != 200 {
		t.Errorf("livez afterwards: %+v", live)
	}
}

func TestStopping_IsNotReadyAndRefusesCommands(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	if err := s.engine.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	s.refused(s.get("/readyz"), 503, "not_ready")
	s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`), 503, "unavailable")
}
