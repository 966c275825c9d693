package checkout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/stores"
)

// 1,000 buyers pay after their holds have ended, half of them after others bought the pairs. Each has a pair or the
// money back.
func TestSimulation_AThousandLatePayments(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		const buyers = 1_000
		l := newLate(t, st, buyers)
		begun := make([]drop.Payment, buyers)
		atOnce(buyers, func(i int) { begun[i] = l.begins(drop.UserID(i + 1)) })
		await.Until(t, "all holds end", func() bool {
			v, err := l.engine.View(t.Context(), l.id)
			return err == nil && v.Drop.Stock().Held == 0
		})
		atOnce(buyers/2, func(i int) { l.pays(&begun[i]) })
		atOnce(buyers/2, func(i int) { l.buys(drop.UserID(buyers + i + 1)) }) // all that is left
		atOnce(buyers/2, func(i int) { l.pays(&begun[buyers/2+i]) })

		counts := make(map[string]int)
		for i := range begun {
			p, _, err := st.Payment(t.Context(), begun[i].ID)
			found, failed := l.provider.Find(t.Context(), payment.Ref{ID: p.ID, Number: p.Number})
			if err := errors.Join(err, failed); err != nil {
				t.Fatal(err)
			}
			counts[fmt.Sprintf("%s, the money %s, sold %t, settled %t", p.State, found.State, p.Purchase != 0, !p.Unsettled)]++
			if sold := i < buyers/2; sold != (p.Purchase != 0) || sold && p.Unit == p.Reservation {
				t.Errorf("payment %d: %+v", i+1, p)
			}
		}
		if counts["captured, the money captured, sold true, settled true"] != buyers/2 || counts["voided, the money voided, sold false, settled true"] != buyers/2 {
			t.Errorf("%v", counts)
		}
		t.Logf("%v", counts)
		report, err := audit.Drop(t.Context(), st, l.id)
		taken := []audit.Money{{Currency: "EUR", Captured: buyers / 2 * 1_205_000, Kept: buyers / 2 * 1_205_000}}
		if err != nil || report.Differences != 0 || report.Purchases != buyers || report.Held != 0 || fmt.Sprint(report.Money) != fmt.Sprint(taken) {
			t.Errorf("the audit: %+v, %v", report, err)
		}
	})
}

// late is a shop whose holds are so short that everybody pays late.
type late struct {
	*testing.T
	engine   *engine.Engine
	service  *checkout.Service
	provider *demo.Provider
	id       drop.ID
}

func newLate(t *testing.T, st store.Store, units int64) *late {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	l := &late{T: t, engine: engine.New(st, engine.Config{Hold: 200 * time.Millisecond, Log: log}), provider: demo.New(demo.Options{URL: "/pay/"})}
	if err := l.engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.engine.Stop(context.Background()) })
	v, err := l.engine.Create(t.Context(), drop.Spec{Name: "Air Test", Price: 12_050, TotalStock: &units, StartTime: 1}, engine.Retry{})
	if err != nil {
		t.Fatal(err)
	}
	l.id = v.Drop.ID
	l.service = checkout.New(checkout.Settings{PayWithin: time.Millisecond, ClaimFor: time.Hour, Currency: euro}, l.engine, l.provider, log, stores.Now)
	return l
}

// reserved repeats what a buyer does with a reservation until its hold is long enough for it.
func (l *late) reserved(user drop.UserID, do func(drop.ReservationID) error) {
	for began := time.Now(); time.Since(began) < await.Patience; {
		r, err := l.engine.Reserve(l.Context(), l.id, user, "", engine.Retry{})
		if err == nil {
			err = do(r.ID)
		}
		if code := drop.CodeOf(err); code == drop.CodeReservationExpired || code == drop.CodeOutOfStock { // units that others hold come back
			continue
		}
		if err != nil {
			l.Error(err)
		}
		return
	}
	l.Errorf("user %d gets nothing", user)
}

func (l *late) begins(user drop.UserID) (p drop.Payment) {
	l.reserved(user, func(id drop.ReservationID) (err error) {
		p, err = l.service.Start(l.Context(), checkout.Order{Reservation: id, Owner: user, ReturnURL: "/"})
		return err
	})
	return p
}

func (l *late) buys(user drop.UserID) {
	l.reserved(user, func(id drop.ReservationID) error {
		_, err := l.engine.Purchase(l.Context(), id, 0, engine.Retry{})
		return err
	})
}

func (l *late) pays(p *drop.Payment) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, p.URL, strings.NewReader(url.Values{"do": {"pay"}, "card": {demo.CardPays}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if l.provider.Handler().ServeHTTP(w, r); w.Code != http.StatusSeeOther {
		l.Errorf("pay: %d", w.Code)
	}
	if p, err := l.service.Step(l.Context(), p.ID); err != nil {
		l.Errorf("%+v, %v", p, err)
	}
}

// atOnce calls do for 0 to n-1, some at a time.
func atOnce(n int, do func(i int)) {
	free := make(chan struct{}, 32)
	var all sync.WaitGroup
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			do(i)
		})
	}
	all.Wait()
}
