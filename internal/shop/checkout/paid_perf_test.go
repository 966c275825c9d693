//go:build perf

package checkout_test

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// instant is a provider that authorises and captures whatever it is asked, and answers at once.
type instant struct{}

func (instant) found(id payment.ID, state payment.State) payment.Found {
	return payment.Found{ID: id, Number: strconv.FormatInt(int64(id), 10), State: state, Amount: 12_050, Currency: "EUR"}
}

func (instant) Name() string { return "at_once" }

func (p instant) Start(_ context.Context, o payment.Order) (payment.Checkout, error) {
	return payment.Checkout{Number: strconv.FormatInt(int64(o.ID), 10), Found: p.found(o.ID, payment.Authorised)}, nil
}

func (p instant) Find(_ context.Context, r payment.Ref) (payment.Found, error) {
	return p.found(r.ID, payment.Authorised), nil
}

func (p instant) Capture(_ context.Context, r payment.Ref) (payment.Found, error) {
	return p.found(r.ID, payment.Captured), nil
}

func (p instant) Close(_ context.Context, r payment.Ref) (payment.Found, error) {
	return p.found(r.ID, payment.Failed), nil
}

func (p instant) Void(_ context.Context, r payment.Ref) (payment.Found, error) {
	return p.found(r.ID, payment.Voided), nil
}

func (p instant) Refund(_ context.Context, r payment.Ref, _ payment.Refund) (payment.Found, error) {
	return p.found(r.ID, payment.Captured), nil
}

func (instant) Since(context.Context, time.Time) iter.Seq2[payment.Found, error] {
	return func(func(payment.Found, error) bool) {}
}

// Buyers who reserve and pay, at a provider that answers at once, against buyers who reserve and purchase. It logs
// purchases a second and CPU per purchase, this process and not the database's, as medians of turns.
func TestPaid_AgainstUnpaid(t *testing.T) {
	const turns, each = 7, 4_000
	for _, buyers := range []int{64, 256} {
		t.Run(strconv.Itoa(buyers), func(t *testing.T) {
			stores.Each(t, func(t *testing.T, st store.Store) {
				e := engine.New(st, engine.Config{Hold: time.Minute, Log: slog.New(slog.DiscardHandler)})
				if err := e.Start(t.Context()); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = e.Stop(context.Background()) })
				service := checkout.New(checkout.Settings{PayWithin: time.Minute, ClaimFor: time.Hour, AtOnce: true, Currency: euro}, e, instant{}, slog.New(slog.DiscardHandler),
					func() drop.Time { return drop.TimeOf(time.Now()) })
				unpaid := func(r drop.Reservation) error {
					_, err := e.Purchase(t.Context(), r.ID, r.UserID, engine.Retry{})
					return err
				}
				paid := func(r drop.Reservation) error {
					_, err := service.Start(t.Context(), checkout.Order{Reservation: r.ID, Owner: r.UserID, ReturnURL: "/"})
					return err
				}
				var ratios, rates, cpus []float64
				for range turns {
					a, aCPU := sell(t, e, buyers, each, unpaid)
					b, bCPU := sell(t, e, buyers, each, paid)
					ratios, rates, cpus = append(ratios, b/a), append(rates, b), append(cpus, bCPU/aCPU)
				}
				t.Logf("%d buyers: paid purchases are %.2f of unpaid ones (%.0f a second), at %.2f of the CPU each", buyers, median(ratios), median(rates), median(cpus))
			})
		})
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

// sell sells n units to so many buyers at once, and returns the sales a second and the CPU seconds of each.
func sell(t *testing.T, e *engine.Engine, buyers, n int, buy func(drop.Reservation) error) (rate, cpu float64) {
	t.Helper()
	stock := int64(n)
	v, err := e.Create(t.Context(), drop.Spec{Name: "Air Test", Price: 12_050, TotalStock: &stock, StartTime: 1}, engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	used, began := processor(), time.Now()
	var all sync.WaitGroup
	for b := range buyers {
		all.Go(func() {
			for i := b; i < n; i += buyers {
				r, err := e.Reserve(t.Context(), v.Drop.ID, drop.UserID(i+1), "", engine.Retry{})
				if err == nil {
					err = buy(r)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began).Seconds()
	if got := e.AllViews()[len(e.AllViews())-1].Drop.Stock(); got.Sold != stock {
		t.Errorf("sold %+v", got)
	}
	return float64(n) / took, (processor() - used) / float64(n)
}

// processor returns the CPU seconds that this process has used.
func processor() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
