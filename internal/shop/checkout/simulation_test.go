package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/seeds"
	"sneakerdrop/internal/testing/stores"
)

const (
	hold      = time.Minute
	payWithin = 3 * time.Minute
	longClaim = 30 * time.Minute // longer than the faults last
)

// A few buyers want fewer pairs on two servers, and pay in time, late, twice or never. The provider's calls fail
// before and after they took effect, and are slow. Notifications come late, twice or not at all. Servers die in the
// middle of a step. Then the faults end, and whoever paid must have a pair, and nobody else.
//
// SIMULATION=seed,seed… replays seeds.
func TestSimulation_NoUnitWithoutMoneyAndNoMoneyWithoutUnit(t *testing.T) {
	all, _ := seeds.Of(t, 300)
	var mu sync.Mutex
	sum := make(map[string]int)
	t.Run("seed", func(t *testing.T) {
		for _, seed := range all {
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newSimulation(t, seed)
					s.run()
					if t.Failed() {
						t.Logf("replay it with SIMULATION=%d go test -run Simulation ./internal/shop/checkout\n%s", seed, strings.Join(s.trace, "\n"))
					}
					mu.Lock()
					defer mu.Unlock()
					for what, n := range s.counts {
						sum[what] += n
					}
				})
			})
		}
	})
	for _, what := range slices.Sorted(maps.Keys(sum)) {
		t.Logf("%8d %s", sum[what], what)
	}
	t.Logf("%8d seeds", len(all))
	if len(all) < 100 {
		return
	}
	for _, what := range []string{"state captured", "state voided", "state refunded", "state failed", "late unit", "crash", "lost answer"} {
		if sum[what] == 0 {
			t.Errorf("the seeds never saw: %s", what)
		}
	}
}

// simulation is one run.
type simulation struct {
	t        *testing.T
	began    time.Time
	store    *memory.Store
	engine   *engine.Engine
	demo     *demo.Provider
	page     http.Handler
	services []*checkout.Service
	drop     drop.ID
	atOnce   bool          // the provider takes the money as soon as the buyer pays
	claimFor time.Duration // how long the provider keeps money set aside

	mu     sync.Mutex
	rng    *rand.Rand
	calm   bool // the faults have ended
	trace  []string
	counts map[string]int
}

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{t: t, began: time.Now(), rng: rand.New(rand.NewPCG(seed, 22)), counts: make(map[string]int)}
	now := func() drop.Time { return drop.TimeOf(time.Now()) }
	s.store = memory.New(now)
	stock := int64(1 + s.rng.IntN(5))
	made, _, err := s.store.CreateDrop(t.Context(), drop.Spec{
		Name: "Air Test", Price: 12_050, TotalStock: &stock, Sizes: []drop.SizeSpec{{Stock: stock}}, StartTime: 1,
		LimitPerUser: s.rng.IntN(3),
	}, drop.BatchID{1}, drop.Key{})
	if err != nil {
		t.Fatal(err)
	}
	s.drop = made.Drop.ID
	s.engine = engine.New(s.store, engine.Config{Hold: hold, Log: slog.New(slog.DiscardHandler)})
	if err := s.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	atOnce := s.rng.IntN(8) == 0
	s.demo = demo.New(demo.Options{URL: "/pay/", Now: time.Now, AtOnce: atOnce})
	s.page = s.demo.Handler()
	s.atOnce = s.rng.IntN(3) == 0
	s.claimFor = []time.Duration{2 * time.Second, longClaim, longClaim}[s.rng.IntN(3)]
	for range 2 {
		s.services = append(s.services, checkout.New(checkout.Settings{
			PayWithin: payWithin, ClaimFor: s.claimFor, AtOnce: atOnce && s.rng.IntN(2) == 0, Currency: drop.Currency{Code: "EUR", Decimals: 2},
		}, s.engine, &moody{Provider: s.demo, s: s}, slog.New(slog.DiscardHandler), now))
	}
	return s
}

func (s *simulation) chance(one int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.IntN(one) == 0
}

// between returns a random time.
func (s *simulation) between(least, most time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return least + time.Duration(s.rng.Int64N(int64(most-least)+1))
}

func (s *simulation) service() *checkout.Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.services[s.rng.IntN(len(s.services))]
}

func (s *simulation) sayf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, fmt.Sprintf("%8.3f ", time.Since(s.began).Seconds())+fmt.Sprintf(format, args...))
}

func (s *simulation) count(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[what]++
}

// run plays 12 minutes with faults. Then it lets everything come to an end.
func (s *simulation) run() {
	defer func() { _ = s.store.Close() }()
	defer func() { _ = s.engine.Stop(context.Background()) }()
	done := make(chan struct{})
	var servers, people sync.WaitGroup
	for i := range s.services {
		servers.Go(func() { s.serve(s.services[i], done) })
	}
	buyers := 2 + int(s.between(0, 8))
	for user := range buyers {
		people.Go(func() { s.buy(drop.UserID(user%6 + 1)) })
	}
	people.Go(s.operate)
	people.Wait()
	s.mu.Lock()
	s.calm = true
	s.mu.Unlock()
	s.sayf("the faults end")
	for found := range s.demo.Since(s.t.Context(), time.Time{}) { // no bank takes its time forever
		if found.State == payment.Pending {
			s.press("/pay/"+found.Number, []string{"arrive", "bounce"}[s.between(0, 1)], "")
		}
	}
	for range 60 { // two hours at most: the longest pause after a failed try is one
		time.Sleep(2 * time.Minute)
		if open, err := s.store.UnsettledPayments(s.t.Context(), 0, 1); err == nil && len(open) == 0 {
			break
		}
	}
	time.Sleep(hold + 2*payWithin) // as long as a unit is kept at most
	close(done)
	servers.Wait()
	s.check()
}

// step is the key of the function that kills the server in the middle of a step.
type step struct{}

// serve is one server's loop.
func (s *simulation) serve(service *checkout.Service, done chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(s.between(time.Second/2, time.Second)):
		}
		if s.quiet() {
			time.Sleep(time.Minute)
		} else if s.chance(60) {
			_, err := service.Reconcile(s.t.Context(), s.began)
			s.sayf("reconcile: %v", err)
		}
		ctx, kill := context.WithCancel(s.t.Context())
		_ = service.Run(context.WithValue(ctx, step{}, kill))
		kill()
	}
}

// buy is one buyer's way.
func (s *simulation) buy(user drop.UserID) {
	time.Sleep(s.between(0, 4*time.Minute))
	r, err := s.engine.Reserve(s.t.Context(), s.drop, user, "", engine.Retry{})
	if err != nil {
		s.sayf("user %d: no reservation: %v", user, err)
		return
	}
	s.sayf("user %d reserved %d", user, uint32(r.ID))
	time.Sleep(s.between(0, hold+5*time.Second))
	if s.chance(8) {
		_, err := s.engine.Cancel(s.t.Context(), r.ID, user, engine.Retry{})
		s.sayf("user %d cancels %d: %v", user, uint32(r.ID), err)
	}
	var checkouts sync.WaitGroup
	for range 1 + int(s.between(0, 1)) {
		checkouts.Go(func() { s.checkout(user, r.ID) })
	}
	checkouts.Wait()
}

func (s *simulation) checkout(user drop.UserID, id drop.ReservationID) {
	time.Sleep(s.between(0, 20*time.Second))
	var p drop.Payment
	for range 4 {
		ctx, kill := context.WithCancel(s.t.Context())
		var err error
		p, err = s.service().Start(context.WithValue(ctx, step{}, kill), checkout.Order{
			Reservation: id, Owner: user, ReturnURL: "/drops/1",
		})
		kill()
		s.sayf("user %d pays for %d: payment %d, %s: %v", user, uint32(id), p.ID, p.State, err)
		if err == nil {
			break
		}
		if drop.CodeOf(err) != "" {
			return
		}
		time.Sleep(s.between(0, 10*time.Second))
	}
	if p.URL == "" {
		return
	}
	if s.chance(6) {
		return // the buyer has left
	}
	for range 1 + int(s.between(0, 2)) {
		most := payWithin
		if s.chance(3) {
			most *= 3 // late
		}
		time.Sleep(s.between(0, most))
		s.press(p.URL, "pay", []string{demo.CardPays, demo.CardPays, demo.CardPays, demo.CardLate, demo.CardDeclined}[s.between(0, 4)])
		if s.chance(2) {
			time.Sleep(s.between(0, 2*payWithin))
			s.press(p.URL, []string{"arrive", "arrive", "bounce"}[s.between(0, 2)], "")
		}
		if s.chance(10) {
			_, err := s.engine.Cancel(s.t.Context(), id, user, engine.Retry{})
			s.sayf("user %d cancels %d: %v", user, uint32(id), err)
		}
		var told sync.WaitGroup
		for range int(s.between(0, 2)) { // notifications: none, one or two
			told.Go(func() {
				time.Sleep(s.between(0, 5*time.Second))
				ctx, kill := context.WithCancel(s.t.Context())
				defer kill()
				now, err := s.service().Step(context.WithValue(ctx, step{}, kill), p.ID)
				s.sayf("payment %d, told: %s: %v", p.ID, now.State, err)
			})
		}
		told.Wait()
	}
}

// press is a buyer's browser at the provider's page.
func (s *simulation) press(at, button, card string) {
	r := httptest.NewRequest(http.MethodPost, at, strings.NewReader(url.Values{"do": {button}, "card": {card}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.page.ServeHTTP(w, r)
	s.sayf("%s %s %s: %d", button, card, at[len(at)-4:], w.Code)
}

// operate is the operator: stock comes and goes, and sales pause.
func (s *simulation) operate() {
	for range int(s.between(0, 4)) {
		time.Sleep(s.between(0, 3*time.Minute))
		switch int(s.between(0, 4)) {
		case 0:
			_, err := s.engine.Restock(s.t.Context(), s.drop, drop.Restock{Add: int64(s.between(1, 2))}, engine.Retry{})
			s.sayf("restock: %v", err)
		case 1:
			_, err := s.engine.Restock(s.t.Context(), s.drop, drop.Restock{Add: -1}, engine.Retry{})
			s.sayf("one less: %v", err)
		case 2:
			_, err := s.engine.Pause(s.t.Context(), s.drop, engine.Retry{})
			s.sayf("pause: %v", err)
		case 3:
			_, err := s.engine.Resume(s.t.Context(), s.drop, engine.Retry{})
			s.sayf("resume: %v", err)
		default:
			archived := s.chance(2)
			_, err := s.engine.Edit(s.t.Context(), s.drop, drop.Edit{Archived: &archived})
			s.sayf("archived %t: %v", archived, err)
		}
	}
}

var errFault = errors.New("the connection broke")

// moody is the provider over a bad line. A server can die at any of its calls.
type moody struct {
	*demo.Provider
	s *simulation
}

func over[T any](ctx context.Context, m *moody, what string, call func() (T, error)) (T, error) {
	var none T
	if m.s.quiet() {
		return call()
	}
	time.Sleep(m.s.between(0, 300*time.Millisecond))
	if m.s.chance(12) {
		m.s.count("lost call")
		return none, errFault
	}
	v, err := call()
	switch {
	case m.s.chance(12):
		m.s.count("lost answer")
		m.s.sayf("the answer to %s is lost", what)
		return none, errFault
	case m.s.chance(20):
		m.s.count("crash")
		m.s.sayf("the server dies after %s", what)
		if kill, ok := ctx.Value(step{}).(context.CancelFunc); ok {
			kill()
		}
	}
	return v, err
}

func (s *simulation) quiet() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calm
}

func (m *moody) Start(ctx context.Context, o payment.Order) (payment.Checkout, error) {
	return over(ctx, m, "start", func() (payment.Checkout, error) { return m.Provider.Start(ctx, o) })
}

func (m *moody) Find(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return over(ctx, m, "find", func() (payment.Found, error) {
		found, err := m.Provider.Find(ctx, ref)
		if m.s.atOnce && found.State == payment.Authorised {
			found, err = m.Provider.Capture(ctx, ref)
		}
		return found, err
	})
}

func (m *moody) Close(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return over(ctx, m, "close", func() (payment.Found, error) { return m.Provider.Close(ctx, ref) })
}

func (m *moody) Capture(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return over(ctx, m, "capture", func() (payment.Found, error) { return m.Provider.Capture(ctx, ref) })
}

func (m *moody) Void(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return over(ctx, m, "void", func() (payment.Found, error) { return m.Provider.Void(ctx, ref) })
}

func (m *moody) Refund(ctx context.Context, ref payment.Ref, r payment.Refund) (payment.Found, error) {
	return over(ctx, m, "refund", func() (payment.Found, error) { return m.Provider.Refund(ctx, ref, r) })
}

// check compares the money with the units.
func (s *simulation) check() {
	t := s.t
	report, err := audit.Drop(t.Context(), s.store, s.drop)
	if err != nil || report.Differences != 0 {
		t.Errorf("the audit: %+v, %v", report, err)
	}
	if report.Held != 0 {
		t.Errorf("%d units are still held, %d of them by buyers who pay", report.Held, report.Paying)
	}
	books, err := stores.ReadBooks(t.Context(), s.store, s.drop)
	if err != nil {
		t.Fatal(err)
	}
	sold := make(map[drop.PurchaseID]drop.Purchase)
	for _, p := range books.Purchases {
		sold[p.ID] = p
	}
	rows, err := s.store.NewestPayments(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	paid := make(map[drop.PaymentID]payment.Found)
	for found, err := range s.demo.Since(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		paid[found.ID] = found
	}
	for _, p := range rows {
		found := paid[p.ID]
		delete(paid, p.ID)
		s.count("state " + p.State)
		kept := found.State == payment.Captured && found.Refunded == 0
		bought, has := sold[p.Purchase]
		delete(sold, p.Purchase)
		switch {
		case p.Unsettled:
			t.Errorf("payment %d is not settled: %+v; the provider has %+v", p.ID, p, found)
		case found.State == payment.Authorised || found.State == payment.Pending || found.State == payment.Open:
			t.Errorf("payment %d is %s, and at the provider %s", p.ID, p.State, found.State)
		case kept != (p.State == drop.PaymentCaptured), kept != has, kept && found.Amount != bought.Price:
			t.Errorf("payment %d: %+v; the provider has %+v, and sold is %+v", p.ID, p, found, bought)
		case kept && (bought.ReservationID != p.Unit || bought.UserID != p.User):
			t.Errorf("payment %d of user %d for %d has purchase %+v", p.ID, p.User, p.Unit, bought)
		case (p.State == drop.PaymentRefunded) != (found.Refunded != 0 && found.Refunded == found.Amount):
			t.Errorf("payment %d is %s, and %s of %s were refunded", p.ID, p.State, found.Refunded, found.Amount)
		case p.State == drop.PaymentRefunded && !s.atOnce && s.claimFor == longClaim:
			t.Errorf("payment %d was captured without a claim, and refunded: %s", p.ID, p.Reason)
		case kept && p.Unit != p.Reservation:
			s.count("late unit")
		}
	}
	for id, found := range paid {
		t.Errorf("the provider has payment %d, which nobody knows: %+v", id, found)
	}
	for id, p := range sold {
		t.Errorf("purchase %d was not paid: %+v", id, p)
	}
}
