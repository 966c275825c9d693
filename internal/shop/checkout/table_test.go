package checkout_test

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// teller is a provider that says what it is told to say.
type teller struct {
	mu    sync.Mutex
	found payment.Found
	known bool
	price payment.Order
	// refuse makes Capture a *payment.RefusedError. fail makes the next call of that name fail, after it took effect.
	refuse bool
	fail   string
	calls  []string
	// refunds are the keys of those made.
	refunds map[string]bool
	// meet, if set, makes the first two calls of Find wait for each other.
	meet *meeting
}

// meeting lets the first who comes wait for the second.
type meeting struct {
	came        atomic.Int32
	first, both chan struct{} // closed when the first has come, and when both have
}

func (m *meeting) wait() {
	switch m.came.Add(1) {
	case 1:
		close(m.first)
		<-m.both
	case 2:
		close(m.both)
	}
}

var errBroken = errors.New("the connection broke")

func (p *teller) do(name string, change func() error) (payment.Found, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls = append(p.calls, name)
	if !p.known {
		return payment.Found{}, payment.ErrUnknown
	}
	if err := change(); err != nil {
		return payment.Found{}, err
	}
	if p.fail == name {
		p.fail = ""
		return payment.Found{}, errBroken
	}
	return p.found, nil
}

// says sets what the provider knows from now on.
func (p *teller) says(state payment.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.calls = state != unheard, nil
	p.found = payment.Found{ID: p.price.ID, Number: "n", State: state}
	if state == payment.Authorised || state == payment.Captured {
		p.found.Amount, p.found.Currency = p.price.Amount, p.price.Currency.Code
	}
}

func (p *teller) state() payment.Found {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.found
}

func (*teller) Name() string { return "teller" }

func (p *teller) Start(_ context.Context, o payment.Order) (payment.Checkout, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.price, p.known = o, true
	p.found = payment.Found{ID: o.ID, Number: "n", State: payment.Open}
	return payment.Checkout{Number: "n", URL: "https://pay.example/n", Found: p.found}, nil
}

func (p *teller) Find(context.Context, payment.Ref) (payment.Found, error) {
	found, err := p.do("find", func() error { return nil })
	if p.meet != nil {
		p.meet.wait()
	}
	return found, err
}

func (p *teller) Close(context.Context, payment.Ref) (payment.Found, error) {
	return p.do("close", func() error {
		if p.found.State == payment.Open {
			p.found.State = payment.Failed
		}
		return nil
	})
}

func (p *teller) Capture(context.Context, payment.Ref) (payment.Found, error) {
	return p.do("capture", func() error {
		if p.refuse || p.found.State != payment.Authorised && p.found.State != payment.Captured {
			return &payment.RefusedError{Code: "no", Reason: "nothing is set aside"}
		}
		p.found.State = payment.Captured
		return nil
	})
}

func (p *teller) Void(context.Context, payment.Ref) (payment.Found, error) {
	return p.do("void", func() error {
		if p.found.State == payment.Captured {
			return &payment.RefusedError{Code: "no", Reason: "it is captured"}
		}
		p.found.State = payment.Voided
		return nil
	})
}

func (p *teller) Refund(_ context.Context, _ payment.Ref, r payment.Refund) (payment.Found, error) {
	return p.do("refund", func() error {
		if p.refunds[r.Key] {
			return nil
		}
		if p.refunds == nil {
			p.refunds = make(map[string]bool)
		}
		p.refunds[r.Key] = true
		p.found.Refunded = drop.MoneyOf(p.found.Refunded.TenThousandths() + r.Amount.TenThousandths())
		return nil
	})
}

func (*teller) Since(context.Context, time.Time) iter.Seq2[payment.Found, error] {
	return func(func(payment.Found, error) bool) {}
}

// scene is a shop with one pair, and a buyer who has begun to pay for it.
type scene struct {
	*testing.T
	store    store.Store
	engine   *engine.Engine
	service  *checkout.Service
	provider *teller
	id       drop.ID
	payment  drop.Payment
	unpaid   drop.PurchaseID // another purchase of the buyer, without a payment; 0: none
}

const buyer drop.UserID = 7

var euro = drop.Currency{Code: "EUR", Decimals: 2}

// newScene begins a payment whose hold lasts for an hour or, with ended, is over.
func newScene(t *testing.T, st store.Store, ended bool) *scene {
	t.Helper()
	s := begin(t, st, ended)
	if ended {
		s.ends()
	}
	return s
}

// ends waits until the hold is over, and the engine knows it. Another scene's engine may have ended it.
func (s *scene) ends() {
	s.Helper()
	await.Until(s.T, "the hold ends", func() bool {
		v, err := s.engine.View(s.Context(), s.id)
		return err == nil && v.Drop.Stock().Available == 1 && s.reservation(s.payment.Reservation).Status == drop.Expired
	})
}

// begin begins a payment whose hold lasts for an hour or, with short, for 200 ms.
func begin(t *testing.T, st store.Store, short bool) *scene {
	t.Helper()
	s := &scene{T: t, store: st, provider: &teller{}}
	settings := checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}
	holds := time.Hour
	if short {
		settings.PayWithin, holds = time.Millisecond, 200*time.Millisecond
	}
	s.engine = engine.New(st, engine.Config{Hold: holds, Log: slog.New(slog.DiscardHandler)})
	if err := s.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.engine.Stop(context.Background()) })
	one := int64(1)
	v, err := s.engine.Create(t.Context(), drop.Spec{Name: "Air Test", Price: 12_050, TotalStock: &one, StartTime: 1, LimitPerUser: 1}, engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	s.id = v.Drop.ID
	s.service = checkout.New(settings, s.engine, s.provider, slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
	for s.payment.ID == 0 { // on a slow machine the short hold may end before the buyer begins to pay
		r, err := s.engine.Reserve(t.Context(), s.id, buyer, "", engine.Retry{})
		if err != nil {
			continue
		}
		p, err := s.service.Start(t.Context(), checkout.Order{Reservation: r.ID, Owner: buyer, ReturnURL: "/"})
		if err == nil {
			s.payment = p
		} else if code := drop.CodeOf(err); code != drop.CodeReservationExpired {
			t.Fatal(err)
		}
	}
	return s
}

func (s *scene) reservation(id drop.ReservationID) drop.Reservation {
	s.Helper()
	found, err := s.store.ReservationsIn(s.Context(), s.id, []store.Run{{First: uint32(id), Length: 1}})
	if err != nil || len(found) != 1 {
		s.Fatalf("reservation %d: %+v, %v", id, found, err)
	}
	return found[0]
}

// buys lets a user buy a pair that nobody pays for here.
func (s *scene) buys(user drop.UserID) drop.PurchaseID {
	s.Helper()
	for {
		r, err := s.engine.Reserve(s.Context(), s.id, user, "", engine.Retry{})
		if err != nil {
			s.Fatal(err)
		}
		bought, err := s.engine.Purchase(s.Context(), r.ID, 0, engine.Retry{})
		if err == nil {
			return bought.ID
		}
		if drop.CodeOf(err) != drop.CodeReservationExpired { // on a slow machine the short hold may end before
			s.Fatal(err)
		}
	}
}

// taken sells the pair to somebody else.
func (s *scene) taken() {
	s.Helper()
	s.buys(buyer + 1)
}

func (s *scene) cancelled() {
	s.Helper()
	if _, err := s.engine.Cancel(s.Context(), s.payment.Reservation, 0, engine.Retry{}); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) archived() {
	s.Helper()
	yes := true
	if _, err := s.engine.Edit(s.Context(), s.id, drop.Edit{Archived: &yes}); err != nil {
		s.Fatal(err)
	}
}

// claimed stops a step right after the unit was claimed: the provider does not answer to the capture.
func (s *scene) claimed() {
	s.Helper()
	s.provider.says(payment.Authorised)
	s.provider.fail = "capture"
	if p, err := s.service.Step(s.Context(), s.payment.ID); !errors.Is(err, checkout.ErrProvider) || !p.Unsettled {
		s.Fatalf("%+v, %v", p, err)
	}
	if r := s.reservation(s.payment.Reservation); r.Claim == 0 || s.reservation(r.Claim).Status != drop.Active {
		s.Fatalf("after a claim: %+v", r)
	}
}

// sound checks that all records agree, and that the purchase is the buyer's.
func (s *scene) sound(p drop.Payment) {
	s.Helper()
	report, err := audit.Drop(s.Context(), s.store, s.id)
	if err != nil || report.Differences != 0 {
		s.Errorf("the audit: %+v, %v", report, err)
	}
	sales, err := s.store.Purchases(s.Context(), s.id, 0, 10)
	if err != nil {
		s.Fatal(err)
	}
	mine := 0
	for _, sale := range sales {
		if sale.UserID == buyer && sale.ID != s.unpaid {
			mine++
			if sale.ID != p.Purchase || sale.ReservationID != p.Unit || sale.Price != p.Amount {
				s.Errorf("payment %+v for purchase %+v", p, sale)
			}
		}
	}
	if want := p.Purchase != 0; mine > 1 || (mine == 1) != want {
		s.Errorf("the buyer has %d purchases, and the payment %+v", mine, p)
	}
}

// Money that cannot be captured gives the pair to others.
func TestStep_ACaptureThatIsRefusedReleasesTheUnit(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := newScene(t, st, false)
		s.provider.says(payment.Authorised)
		s.provider.refuse = true
		p, err := s.service.Step(t.Context(), s.payment.ID)
		if err != nil || p.State != drop.PaymentVoided || p.Unsettled || p.Unit != 0 {
			t.Errorf("%+v, %v", p, err)
		}
		s.sound(p)
		s.taken()
	})
}

// A buyer who paid another amount, or in another currency, has the money back.
func TestStep_AnotherAmountBuysNothing(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		for what, change := range map[string]func(*payment.Found){
			"less": func(f *payment.Found) { f.Amount-- }, "more": func(f *payment.Found) { f.Amount++ },
			"yen": func(f *payment.Found) { f.Currency = "JPY" },
		} {
			for _, state := range []payment.State{payment.Authorised, payment.Captured} {
				s := newScene(t, st, false)
				s.provider.says(state)
				change(&s.provider.found)
				p, err := s.service.Step(t.Context(), s.payment.ID)
				if found := s.provider.state(); err != nil || p.Purchase != 0 || p.Unsettled || found.State != payment.Voided && found.Refunded != found.Amount {
					t.Errorf("%s, %s: %+v, %v; the provider has %+v", what, state, p, err, found)
				}
				s.sound(p)
			}
		}
	})
}

// Each answer of the provider may be lost after the call took effect. The next step goes on from there.
func TestStep_GoesOnAfterALostAnswer(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		for _, lost := range []string{"find", "capture", "void", "refund", "close"} {
			says := map[string]payment.State{"refund": payment.Captured, "close": payment.Open}[lost]
			if says == "" {
				says = payment.Authorised
			}
			s := newScene(t, st, lost == "close")
			if lost == "void" || lost == "refund" {
				s.cancelled()
			}
			s.provider.says(says)
			s.provider.fail = lost
			p, err := s.service.Step(t.Context(), s.payment.ID)
			if !errors.Is(err, checkout.ErrProvider) || !p.Unsettled || p.Tries != 1 || p.Reason == "" {
				t.Errorf("%s: %+v, %v", lost, p, err)
			}
			if p, err = s.service.Step(t.Context(), s.payment.ID); err != nil || p.Unsettled || p.Tries != 0 {
				t.Errorf("%s, again: %+v, %v", lost, p, err)
			}
			s.sound(p)
		}
	})
}

// Of two payments of one reservation, one buys the pair, and the other has the money back.
func TestStep_TwoPaymentsOfOnePair(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := newScene(t, st, false)
		first := s.payment
		failed := first
		failed.State, failed.Unsettled = drop.PaymentFailed, false
		if done, err := st.ReplacePayment(t.Context(), first, failed); err != nil || !done {
			t.Fatal(done, err)
		}
		second, err := s.service.Start(t.Context(), checkout.Order{Reservation: first.Reservation, Owner: buyer, ReturnURL: "/"})
		if err != nil || second.ID == first.ID {
			t.Fatalf("%+v, %v", second, err)
		}
		if done, err := st.ReplacePayment(t.Context(), failed, first); err != nil || !done { // the money comes after all
			t.Fatal(done, err)
		}
		s.provider.price.ID = first.ID
		other := &teller{price: payment.Order{ID: second.ID, Amount: second.Amount, Currency: euro}}
		service := checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, s.engine, other,
			slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
		other.says(payment.Authorised)
		s.provider.says(payment.Authorised)
		var both sync.WaitGroup
		var a, b drop.Payment
		var errA, errB error
		both.Go(func() { a, errA = s.service.Step(t.Context(), s.payment.ID) })
		both.Go(func() { b, errB = service.Step(t.Context(), second.ID) })
		both.Wait()
		if errA != nil || errB != nil || (a.Purchase == 0) == (b.Purchase == 0) {
			t.Fatalf("%+v, %v\n%+v, %v", a, errA, b, errB)
		}
		winner, money := a, other.state()
		if b.Purchase != 0 {
			winner, money = b, s.provider.state()
		}
		if money.State != payment.Voided {
			t.Errorf("the other's money is %+v", money)
		}
		s.sound(winner)
	})
}

// A buyer who presses twice gets one checkout.
func TestStart_TwiceIsOnePayment(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := newScene(t, st, false)
		again, err := s.service.Start(t.Context(), checkout.Order{Reservation: s.payment.Reservation, Owner: buyer, ReturnURL: "/"})
		if err != nil || again != s.payment {
			t.Errorf("%+v, %v; the first was %+v", again, err, s.payment)
		}
		for _, c := range []struct {
			order checkout.Order
			code  drop.Code
		}{
			{checkout.Order{Reservation: s.payment.Reservation, Owner: buyer + 1}, drop.CodeReservationNotFound},
			{checkout.Order{Reservation: s.payment.Reservation + 9}, drop.CodeReservationNotFound},
			{checkout.Order{Reservation: 1<<52 + 1}, drop.CodeReservationNotFound},
		} {
			if _, err := s.service.Start(t.Context(), c.order); drop.CodeOf(err) != c.code {
				t.Errorf("%+v: %v", c.order, err)
			}
		}
		s.provider.says(payment.Authorised)
		if p, err := s.service.Step(t.Context(), s.payment.ID); err != nil || p.State != drop.PaymentCaptured {
			t.Fatalf("%+v, %v", p, err)
		}
		if _, err := s.service.Start(t.Context(), checkout.Order{Reservation: s.payment.Reservation, Owner: buyer}); drop.CodeOf(err) != drop.CodeAlreadyPurchased {
			t.Errorf("after the purchase: %v", err)
		}
	})
}

// sold is a scene in which the buyer has paid.
func sold(t *testing.T, st store.Store) *scene {
	t.Helper()
	s := newScene(t, st, false)
	s.provider.says(payment.Authorised)
	p, err := s.service.Step(t.Context(), s.payment.ID)
	if err != nil || p.Purchase == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	s.payment = p
	return s
}

// An operator refunds all or part, never more than was paid, and the unit stays sold.
func TestRefund_NeverMoreThanWasPaid(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		id := s.payment.Purchase
		for _, c := range []struct {
			amount, refunded drop.Money
			code             drop.Code
		}{
			{12_051, 0, drop.CodeInvalid},
			{-1, 0, drop.CodeInvalid},
			{50, 50, ""},
			{12_001, 50, drop.CodeInvalid},
			{2_000, 2_050, ""},
			{0, 12_050, ""},
			{0, 12_050, drop.CodeInvalid},
			{1, 12_050, drop.CodeInvalid},
		} {
			p, err := s.service.Refund(t.Context(), drop.OrderRefund{Purchase: id, Payment: s.payment.ID, Amount: c.amount}, engine.Retry{})
			if drop.CodeOf(err) != c.code || c.code == "" && err != nil {
				t.Errorf("%s: %+v, %v", c.amount, p, err)
			}
			if found := s.provider.state(); found.Refunded != c.refunded {
				t.Errorf("%s: %s were refunded, want %s", c.amount, found.Refunded, c.refunded)
			}
		}
		if _, err := s.service.Refund(t.Context(), drop.OrderRefund{Purchase: id + 1, Payment: s.payment.ID, Amount: 1}, engine.Retry{}); drop.CodeOf(err) != drop.CodePurchaseNotFound {
			t.Errorf("of no purchase: %v", err)
		}
		s.sound(s.payment)
	})
}

// Of many refunds at once, those that fit into what was paid are made.
func TestRefund_ManyAtOnce(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		var all sync.WaitGroup
		var mu sync.Mutex
		done := 0
		for range 8 {
			all.Go(func() {
				_, err := s.service.Refund(t.Context(), drop.OrderRefund{Purchase: s.payment.Purchase, Payment: s.payment.ID, Amount: 3_000}, engine.Retry{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if drop.CodeOf(err) != drop.CodeInvalid {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if found := s.provider.state(); done != 4 || found.Refunded != 12_000 {
			t.Errorf("%d refunds, %s of %s", done, found.Refunded, found.Amount)
		}
	})
}

// Two refunds that both look before either is made are made one after the other. Each pays what was asked for.
func TestRefund_TwoThatLookAtOnce(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		s.provider.meet = &meeting{first: make(chan struct{}), both: make(chan struct{})}
		refund := func() {
			if _, err := s.service.Refund(t.Context(), drop.OrderRefund{Purchase: s.payment.Purchase, Payment: s.payment.ID, Amount: 3_000}, engine.Retry{}); err != nil {
				t.Error(err)
			}
		}
		var other sync.WaitGroup
		other.Go(refund)
		<-s.provider.meet.first
		refund()
		other.Wait()
		if found := s.provider.state(); found.Refunded != 6_000 {
			t.Errorf("%s were refunded", found.Refunded)
		}
	})
}

// A call that is repeated under its key refunds once, also on another server. Without a key it is another refund.
func TestRefund_OnceForEachKeyOnAnyServer(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		other := engine.New(st, engine.Config{Hold: time.Hour, Log: slog.New(slog.DiscardHandler)})
		if err := other.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.Stop(context.Background()) })
		settings := checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}
		there := checkout.New(settings, other, s.provider, slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
		for i, c := range []struct {
			by       *checkout.Service
			key      string
			refunded drop.Money
			replayed bool
		}{{s.service, "k", 2_000, false}, {there, "k", 2_000, true}, {s.service, "k", 2_000, true}, {there, "", 4_000, false}, {there, "k", 4_000, true}} {
			replayed := false
			p, err := c.by.Refund(t.Context(), drop.OrderRefund{Purchase: s.payment.Purchase, Payment: s.payment.ID, Amount: 2_000, Reason: "late"}, engine.Retry{Key: c.key, Replayed: &replayed})
			if found := s.provider.state(); err != nil || p.Refunded != c.refunded || found.Refunded != c.refunded || replayed != c.replayed {
				t.Errorf("%d: %+v, %v; replayed: %t; the provider has refunded %s", i, p, err, replayed, found.Refunded)
			}
		}
		if _, err := there.Refund(t.Context(), drop.OrderRefund{Purchase: s.payment.Purchase, Payment: s.payment.ID, Amount: 2_001, Reason: "late"}, engine.Retry{Key: "k"}); drop.CodeOf(err) != drop.CodeIdempotencyMismatch {
			t.Errorf("another amount under the same key: %v", err)
		}
		s.sound(s.payment)
	})
}

// A refund whose answer is lost is under way, and is made once.
func TestRefund_ALostAnswer(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		s.provider.fail = "refund"
		if p, err := s.service.Refund(t.Context(), drop.OrderRefund{Purchase: s.payment.Purchase, Payment: s.payment.ID, Amount: 2_000}, engine.Retry{}); err != nil || !p.Unsettled || p.Refunded != 2_000 {
			t.Errorf("%+v, %v", p, err)
		}
		p, err := s.service.Step(t.Context(), s.payment.ID)
		if found := s.provider.state(); err != nil || p.Unsettled || p.Refunded != 2_000 || found.Refunded != 2_000 || p.Purchase == 0 {
			t.Errorf("%+v, %v; the provider has %+v", p, err, found)
		}
	})
}

// lister is a teller that lists what it knows.
type lister struct {
	*teller
	others []payment.Found
}

func (p lister) Since(context.Context, time.Time) iter.Seq2[payment.Found, error] {
	return func(yield func(payment.Found, error) bool) {
		for _, found := range append([]payment.Found{p.state()}, p.others...) {
			if !yield(found, nil) {
				return
			}
		}
	}
}

// What the server believes is settled and is not, Reconcile finds and mends. What is not its own, it tells a person.
func TestReconcile_MendsWhatDiffers(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		for what, c := range map[string]struct {
			row   string
			says  payment.State
			taken bool
			state string
			sold  bool
		}{
			"paid, though the server saw it fail":           {drop.PaymentFailed, payment.Authorised, false, drop.PaymentCaptured, true},
			"paid at once, though the server saw it fail":   {drop.PaymentFailed, payment.Captured, false, drop.PaymentCaptured, true},
			"paid, and the buyer has left":                  {drop.PaymentFailed, payment.Authorised, true, drop.PaymentVoided, false},
			"captured, though it was to be given up":        {drop.PaymentVoided, payment.Captured, true, drop.PaymentRefunded, false},
			"still open, though the server saw it fail":     {drop.PaymentFailed, payment.Open, true, drop.PaymentFailed, false},
			"settled as the provider has it, so it is left": {drop.PaymentFailed, payment.Failed, true, drop.PaymentFailed, false},
		} {
			s := newScene(t, st, false)
			to := s.payment
			to.State, to.Unsettled = c.row, false
			if done, err := st.ReplacePayment(t.Context(), s.payment, to); err != nil || !done {
				t.Fatal(done, err)
			}
			if c.taken {
				s.cancelled()
			}
			s.provider.says(c.says)
			service := checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, s.engine,
				lister{s.provider, []payment.Found{
					{Number: "of another shop", State: payment.Captured, Amount: 5, Currency: "EUR"},
					{ID: 1 << 40, Number: "forgotten", State: payment.Authorised, Amount: 5, Currency: "EUR"},
					{ID: 1 << 41, Number: "harmless", State: payment.Failed},
				}}, slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
			report, err := service.Reconcile(t.Context(), time.Time{})
			mended := 1
			if c.says == payment.Failed {
				mended = 0
			}
			if err != nil || report.Checked != 4 || report.Mended != mended || report.Open != 0 || len(report.Sentences) != 2 {
				t.Errorf("%s: %+v, %v", what, report, err)
			}
			p, _, err := st.Payment(t.Context(), s.payment.ID)
			if err != nil || p.State != c.state || p.Unsettled || (p.Purchase != 0) != c.sold {
				t.Errorf("%s: %+v, %v", what, p, err)
			}
			s.sound(p)
		}
	})
}

// A unit that was sold for money that is gone needs a person.
func TestReconcile_TellsOfAUnitWithoutItsMoney(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		s.provider.says(payment.Voided)
		service := checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, s.engine, lister{s.provider, nil},
			slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
		report, err := service.Reconcile(t.Context(), time.Time{})
		if err != nil || report.Open != 1 || len(report.Sentences) != 1 || !strings.Contains(report.Sentences[0], "without its money") {
			t.Errorf("%+v, %v", report, err)
		}
	})
}

// A purchase without a payment is listed, unless it is too old. One that was paid for is not.
func TestUnpaid_ListsPurchasesWithoutAPayment(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		if _, err := s.engine.Restock(t.Context(), s.id, drop.Restock{Add: 1}, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		s.taken()
		others := drop.NewPurchaseID(s.id, 2)
		for _, c := range []struct {
			from time.Time
			want []drop.PurchaseID
		}{{time.Unix(0, 0), []drop.PurchaseID{others}}, {time.Now().Add(time.Hour), nil}} {
			if got, err := s.service.Unpaid(t.Context(), c.from); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("since %s: %v, %v; want %v", c.from, got, err, c.want)
			}
		}
	})
}

// A buyer's bank that asks for the money back needs a person. The unit stays sold.
func TestReconcile_TellsOfADispute(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		s.provider.found.Disputed = true
		service := checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, s.engine, lister{s.provider, nil},
			slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
		report, err := service.Reconcile(t.Context(), time.Time{})
		if err != nil || report.Open != 0 || report.Mended != 0 || len(report.Sentences) != 1 || !strings.Contains(report.Sentences[0], "bank asks") {
			t.Errorf("%+v, %v", report, err)
		}
		s.sound(s.payment)
	})
}

// What a person refunds at the provider counts here too.
func TestReconcile_TakesRefundsOfThePersonOver(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := sold(t, st)
		s.provider.found.Refunded = 700
		service := checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, s.engine, lister{s.provider, nil},
			slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
		report, err := service.Reconcile(t.Context(), time.Time{})
		p, _, failed := st.Payment(t.Context(), s.payment.ID)
		if err := errors.Join(err, failed); err != nil || report.Mended != 1 || p.Refunded != 700 || p.Unsettled || p.Purchase == 0 {
			t.Errorf("%+v, %+v, %v", report, p, err)
		}
	})
}
