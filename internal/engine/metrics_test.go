package engine_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/memory"
)

// measured returns the counters and gauges whose names begin with prefix, by the rest of the name and the label.
func measured(t *testing.T, m *engine.Metrics, prefix string) map[string]float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(m)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := make(map[string]float64)
	for _, f := range families {
		name, ours := strings.CutPrefix(f.GetName(), prefix)
		if !ours {
			continue
		}
		for _, value := range f.GetMetric() {
			of := []string{name}
			for _, l := range value.GetLabel() {
				of = append(of, l.GetValue())
			}
			values[strings.Join(of, " ")] = value.GetCounter().GetValue() + value.GetGauge().GetValue()
		}
	}
	return values
}

func TestMetrics_CountJoinsAndHowOffersEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := engine.NewMetrics()
		e := start(t, memory.New(localNow), engine.Config{Metrics: m})
		id := create(t, e, waitable(2))
		if _, err := e.Reserve(t.Context(), id, 100, "", engine.Retry{}); err != nil { // no offer
			t.Fatal(err)
		}
		offered := func(user drop.UserID) drop.ReservationID {
			p, err := e.Join(t.Context(), id, user, "", engine.Retry{})
			if err != nil || p.Status != drop.Offered {
				t.Fatalf("user %d joined: %+v, %v", user, p, err)
			}
			return p.Offer
		}
		declined := offered(1)
		for range 2 { // the second one is no new entry
			if _, err := e.Join(t.Context(), id, 2, "", engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := e.Cancel(t.Context(), declined, 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(drop.DefaultOfferFor*time.Second + time.Second) // user 2's offer expires, and the hold long before
		synctest.Wait()
		if _, err := e.Purchase(t.Context(), offered(3), 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		offered(4) // it lasts
		for user := range drop.UserID(3) {
			if _, err := e.Join(t.Context(), id, user+5, "", engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]float64{
			"joins_total": 7, "offers_total bought": 1, "offers_total declined": 1, "offers_total expired": 1, "waiting": 3,
		}
		if got := measured(t, m, "sneakerdrop_waitlist_"); !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

// The uses of all accesses count while they last, and what is kept until it goes back.
func TestMetrics_ShowEarlyAccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := engine.NewMetrics()
		e := start(t, memory.New(localNow), engine.Config{Metrics: m})
		one, other := create(t, e, soon(e, 9)), create(t, e, soon(e, 9))
		letIn(t, e, one, drop.Access{Uses: 5, Units: 4}, drop.HashCode(one, "member-1"))
		letIn(t, e, other, drop.Access{Uses: 5}, drop.HashCode(other, "member-1"))
		for user, id := range []drop.ID{one, one, other} {
			if _, err := e.ReserveEarly(t.Context(), id, drop.UserID(user+1), "", "member-1", engine.Retry{}); err != nil {
				t.Fatal(err)
			}
		}
		want := map[string]float64{"uses": 3, "kept": 2}
		if got := measured(t, m, "sneakerdrop_early_access_"); !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		want = map[string]float64{"uses": 0, "kept": 0}
		if got := measured(t, m, "sneakerdrop_early_access_"); !maps.Equal(got, want) {
			t.Errorf("when it is over: %v, want %v", got, want)
		}
	})
}
