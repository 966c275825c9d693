package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/await"
)

// slowToSay answers Ready when it is told to, and records how many callers it has at once.
type slowToSay struct {
	store.Store
	asking, most atomic.Int32
	answer       chan struct{}
}

func (s *slowToSay) Ready(ctx context.Context) error {
	n := s.asking.Add(1)
	defer s.asking.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		continue
	}
	<-s.answer
	return s.Store.Ready(ctx)
}

// Anybody may call /readyz. Even a flood of calls takes only one connection to the database.
func TestReady_AsksOnceForAll(t *testing.T) {
	slow := &slowToSay{Store: memory.New(clockOf(new(atomic.Int64))), answer: make(chan struct{})}
	s := newShopOn(t, slow, new(atomic.Int64))
	const callers = 20
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			if r := s.get("/readyz"); r.status != http.StatusOK {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	inFlight := fmt.Sprintf("sneakerdrop_http_requests_in_flight %d\n", callers+1) // including the one that asks
	await.Until(t, "the callers have come", func() bool { return strings.Contains(s.get("/metrics").body, inFlight) })
	close(slow.answer)
	all.Wait()
	if most := slow.most.Load(); most != 1 {
		t.Errorf("%d asked the store at once", most)
	}
}

// Pages count down by the time in /health, the control room by the time in its figures. Both must use the clock that
// ends holds, however far the database's clock is from ours.
func TestHealth_TellsTheTimeThatHoldsGoBy(t *testing.T) {
	for _, ahead := range []time.Duration{0, 5 * time.Second, -5 * time.Second, 90 * time.Minute} {
		at := new(atomic.Int64)
		at.Store(ahead.Milliseconds())
		s := newShopOn(t, memory.New(clockOf(at)), at)
		s.post("/api/drops/create", `{"name":"Air","price":1,"total_stock":1,"start_time":"1990-01-01T00:00:00Z"}`)
		var hold struct {
			ExpiresAt time.Time `json:"expires_at"`
		}
		before := clockOf(at)().Time()
		decodeInto(t, s.post("/api/drops/reserve", `{"dropId":1,"userId":1}`), &hold)
		if left := hold.ExpiresAt.Sub(before); left < time.Minute || left > 90*time.Second {
			t.Fatalf("%s ahead: a hold of 60 s ends %s from then", ahead, left)
		}
		var health struct {
			Timestamp time.Time `json:"timestamp"`
		}
		var figures struct {
			At time.Time `json:"at"`
		}
		// The first sweep measures the clocks, within a second or two. From then on, the answer lies between the
		// store's time before and after the call.
		for end := time.Now().Add(await.Patience); ; time.Sleep(20 * time.Millisecond) {
			earliest := clockOf(at)().Time()
			decodeInto(t, s.get("/health"), &health)
			decodeInto(t, s.get("/api/operator/figures"), &figures)
			latest := clockOf(at)().Time()
			const precision = 50 * time.Millisecond
			right := func(now time.Time) bool {
				return now.After(earliest.Add(-precision)) && now.Before(latest.Add(precision))
			}
			if right(health.Timestamp) && right(figures.At) {
				break
			}
			if time.Now().After(end) {
				t.Errorf("%s ahead: when it is %s, /health says %s, the control room %s", ahead, latest, health.Timestamp, figures.At)
				break
			}
		}
	}
}

func decodeInto(t *testing.T, r reply, to any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), to); r.status != http.StatusOK || err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
}

// careless is a store that may lose committed data.
type careless struct{ store.Store }

func (careless) Cautions() []store.Caution {
	return []store.Caution{{What: "fsync is off: a crash loses sales", Source: "set for the role: ALTER ROLE shop RESET fsync"}}
}

// Everybody who asks for the server's health learns that the database may lose sales. Only operators learn which
// setting causes it.
func TestReady_WarnsOfADatabaseThatMayLoseSales(t *testing.T) {
	s := newShopOn(t, careless{memory.New(clockOf(new(atomic.Int64)))}, new(atomic.Int64))
	if r := s.get("/readyz"); r.status != http.StatusOK || strings.TrimSpace(r.body) != `{"status":"ready","warnings":["fsync is off: a crash loses sales"]}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := s.get("/api/operator/figures"); !strings.Contains(r.body, `"warnings":["fsync is off: a crash loses sales (set for the role: ALTER ROLE shop RESET fsync)"]`) {
		t.Error(r.body)
	}
	for _, path := range []string{"/readyz", "/api/operator/figures"} {
		if r := newShop(t).get(path); strings.Contains(r.body, "warnings") {
			t.Error(r.body)
		}
	}
}
