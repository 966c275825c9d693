package checkout_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// slow is a teller on a slow line of one server. Other servers go on after it has answered Find, and before it hears
// Void.
type slow struct {
	*teller
	afterFind, beforeVoid func()
}

func (p *slow) Find(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	found, err := p.teller.Find(ctx, ref)
	once(&p.afterFind)
	return found, err
}

func (p *slow) Void(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	once(&p.beforeVoid)
	return p.teller.Void(ctx, ref)
}

func once(f *func()) {
	if do := *f; do != nil {
		*f = nil
		do()
	}
}

// elsewhere is a scene in which somebody pays late for a pair that others have bought, and another server with a slow
// line to the provider.
type elsewhere struct {
	*scene
	service *checkout.Service
	line    *slow
	engine  *engine.Engine
	others  drop.PurchaseID
}

func newElsewhere(t *testing.T, st store.Store) *elsewhere {
	t.Helper()
	s := newScene(t, st, true)
	e := &elsewhere{scene: s, line: &slow{teller: s.provider}, others: s.buys(buyer + 1)}
	e.engine = engine.New(st, engine.Config{Hold: time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err := e.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.engine.Stop(context.Background()) })
	e.service = checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, e.engine, e.line,
		slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
	s.provider.says(payment.Authorised)
	return e
}

// returned puts the pair back on sale.
func (e *elsewhere) returned() {
	e.Helper()
	if _, err := e.scene.engine.Return(e.Context(), drop.ReturnPurchase{Purchase: e.others, Restock: true}, engine.Retry{}); err != nil {
		e.Fatal(err)
	}
}

// onSale checks that the money is void, and that the pair is on sale.
func (e *elsewhere) onSale(p drop.Payment, err error) {
	e.Helper()
	if err != nil || p.State != drop.PaymentVoided || p.Unsettled || p.Unit != 0 || p.Purchase != 0 {
		e.Errorf("%+v, %v", p, err)
	}
	if row, _, err := e.store.Payment(e.Context(), p.ID); err != nil || row != p {
		e.Errorf("the row is %+v, %v; the step answered with %+v", row, err, p)
	}
	if found := e.provider.state(); found.State != payment.Voided {
		e.Errorf("the provider has %+v", found)
	}
	if d, err := e.store.Drop(e.Context(), e.id); err != nil || d.Drop.Stock().Available != 1 || d.Drop.Stock().Held != 0 {
		e.Errorf("the pair is not on sale: %+v, %v", d.Drop.Stock(), err)
	}
	e.sound(p)
}

// A server hears that the money is set aside, and then sleeps. Another one finds no pair and voids the money. When the
// first one claims, a pair is there again, and it gets none.
func TestClaim_AfterThePaymentIsSettledGetsNoUnit(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		e := newElsewhere(t, st)
		e.line.afterFind = func() {
			if p, err := e.scene.service.Step(t.Context(), e.payment.ID); err != nil || p.State != drop.PaymentVoided {
				t.Fatalf("%+v, %v", p, err)
			}
			e.returned()
		}
		e.onSale(e.service.Step(t.Context(), e.payment.ID))
		if r := e.reservation(e.payment.Reservation); r.Claim != 0 {
			t.Errorf("the payment claimed a pair after its money was void: %+v", r)
		}
	})
}

// A claim that another server asked for takes effect after this one was refused, and before it voids the money. The
// pair goes on sale with the money, and the ledger says so.
func TestClaim_BeforeThePaymentIsSettledIsReleased(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		e := newElsewhere(t, st)
		var unit drop.ReservationID
		e.line.beforeVoid = func() {
			e.returned()
			r, err := e.scene.engine.ClaimUnit(t.Context(), drop.ClaimUnit{
				Reservation: e.payment.Reservation, User: buyer, Payment: e.payment.ID, Within: time.Hour,
			})
			if err != nil || r.Claim == 0 || r.Claim == r.ID {
				t.Fatalf("%+v, %v", r, err)
			}
			unit = r.Claim
		}
		e.onSale(e.service.Step(t.Context(), e.payment.ID))
		e.released(unit)
	})
}

// released checks that the ledger says that a unit is released.
func (e *elsewhere) released(unit drop.ReservationID) {
	e.Helper()
	entries, err := e.store.Ledger(e.Context(), e.id, 0, 100)
	if err != nil || len(entries) == 0 {
		e.Fatal(entries, err)
	}
	last := entries[len(entries)-1]
	if r := e.reservation(unit); r.Status != drop.Cancelled || last.Reason != r.Ended() || last.Units != 1 {
		e.Errorf("the unit is %+v, the ledger ends with %+v", r, last)
	}
}

// Two servers ask for a unit, and the one that got it has taken the money before the other one voids it. The unit is
// sold, and the buyer pays for it.
func TestClaim_TheOtherServerSoldTheUnit(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		e := newElsewhere(t, st)
		e.line.beforeVoid = func() {
			e.returned()
			if p, err := e.scene.service.Step(t.Context(), e.payment.ID); err != nil || p.State != drop.PaymentCaptured {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		p, err := e.service.Step(t.Context(), e.payment.ID)
		if found := e.provider.state(); err != nil || p.State != drop.PaymentCaptured || p.Purchase == 0 || p.Refunded != 0 || found.Refunded != 0 {
			t.Errorf("%+v, %v; the provider has %+v", p, err, found)
		}
		e.sound(p)
	})
}

// An earlier release could settle a payment while its claim was under way. Reconcile releases the unit, once.
func TestReconcile_ReleasesWhatASettledPaymentClaims(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		e := newElsewhere(t, st)
		e.returned()
		r, err := e.engine.ClaimUnit(t.Context(), drop.ClaimUnit{
			Reservation: e.payment.Reservation, User: buyer, Payment: e.payment.ID, Within: time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		to := e.payment
		to.State, to.Unsettled = drop.PaymentVoided, false
		if done, err := st.ReplacePayment(t.Context(), e.payment, to); err != nil || !done {
			t.Fatal(done, err)
		}
		e.provider.says(payment.Voided)
		service := checkout.New(checkout.Settings{PayWithin: time.Hour, ClaimFor: time.Hour, Currency: euro}, e.engine,
			lister{e.provider, nil}, slog.New(slog.DiscardHandler), func() drop.Time { return drop.TimeOf(time.Now()) })
		for _, released := range []int{1, 0} {
			report, err := service.Reconcile(t.Context(), time.Time{})
			if err != nil || report.Checked != 1 || report.Released != released || report.Mended != 0 || report.Open != 0 || len(report.Sentences) != 0 {
				t.Errorf("%+v, %v; want %d released", report, err, released)
			}
			p, _, err := st.Payment(t.Context(), e.payment.ID)
			e.onSale(p, err)
		}
		e.released(r.Claim)
	})
}
