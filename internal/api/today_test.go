package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

type soldJSON struct {
	At, Since time.Time
	Units     int64
	Revenue   float64
	Drops     []struct {
		DropID, Units int64
		Revenue       float64
	}
}

type soldPageJSON struct {
	Purchases []struct {
		CreatedAt time.Time `json:"createdAt"`
	} `json:"purchases"`
}

func (s *shop) soldSince(since time.Time) soldJSON {
	s.Helper()
	r := s.get("/api/operator/sales?since=" + url.QueryEscape(since.Format(time.RFC3339Nano)))
	var f soldJSON
	if err := json.Unmarshal([]byte(r.body), &f); err != nil || r.status != http.StatusOK {
		s.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return f
}

// sell sells one unit of a drop.
func (s *shop) sell(id int64, buyer int) {
	s.Helper()
	held := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, id, buyer))
	mustPost[json.RawMessage](s, "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID))
}

func TestSales_CountWhatWasSoldSinceAMoment(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64))
			for i, price := range []string{"119.99", "0.1", "50", "7"} {
				body := fmt.Sprintf(`{"name":"Drop %d","price":%s,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`, i+1, price)
				mustPost[dropJSON](s, "/api/drops/create", body)
			}
			for i := range 5 {
				s.sell(1, i+1)
			}
			s.sell(3, 1)
			for i := range 3 {
				s.sell(1, i+10)
				s.sell(2, i+10)
			}
			sold := map[int64][]time.Time{}
			moments := []time.Time{time.Unix(0, 0)}
			for _, id := range []int64{1, 2, 3, 4} {
				page := decoded[soldPageJSON](t, s.get(fmt.Sprintf("/api/drops/%d/purchases", id)))
				for _, p := range page.Purchases {
					sold[id] = append(sold[id], p.CreatedAt)
					moments = append(moments, p.CreatedAt, p.CreatedAt.Add(time.Millisecond))
				}
			}
			for _, since := range append(moments, moments...) { // asked, and remembered if that is safe
				f := s.soldSince(since)
				units, revenue, parts := int64(0), int64(0), []string{}
				for id, price := range map[int64]int64{1: 11999, 2: 10, 3: 5000} {
					n := int64(0)
					for _, at := range sold[id] {
						if !at.Before(since) {
							n++
						}
					}
					if units, revenue = units+n, revenue+n*price; n > 0 {
						parts = append(parts, fmt.Sprintf("{%d %d %g}", id, n, float64(n*price)/100))
					}
				}
				slices.Sort(parts)
				want := fmt.Sprintf("%d %g [%s]", units, float64(revenue)/100, strings.Join(parts, " "))
				if got := fmt.Sprint(f.Units, f.Revenue, f.Drops); got != want || !f.Since.Equal(since) {
					t.Errorf("since %s: %s, want %s", since, got, want)
				}
			}
			if f := s.soldSince(time.Unix(0, 0)); f.Units != 12 || f.Revenue != 1010.22 {
				t.Errorf("all in all %+v", f)
			}
		})
	}
}

func TestSales_LeaveRehearsalsOut(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", strings.Replace(createBody, "Air Zenith 1", "Rehearsal of 1", 1))
	s.as("", http.MethodPatch, "/api/drops/2", `{"hidden":true}`)
	s.sell(2, 1)
	if f := s.soldSince(time.Unix(0, 0)); f.Units != 0 || len(f.Drops) != 0 {
		t.Errorf("a rehearsal counts: %+v", f)
	}
	s.sell(1, 1)
	if f := s.soldSince(time.Unix(0, 0)); f.Units != 1 {
		t.Errorf("a purchase does not count: %+v", f)
	}
}

func TestSales_RefuseWhatIsNoMoment(t *testing.T) {
	s := newShop(t)
	for _, query := range []string{"", "?since=", "?since=today", "?since=2026-01-01T00:00:00", "?since=2999-01-01T00:00:00Z", "?since=2020-01-01T00:00:00Z&since=2020-01-01T00:00:00Z"} {
		if refusal := s.refused(s.get("/api/operator/sales"+query), http.StatusUnprocessableEntity, "invalid"); !strings.Contains(refusal.Error, "since must be one time with its zone") {
			t.Errorf("%q: %+v", query, refusal)
		}
	}
}

// counted counts the reads of purchases.
type counted struct {
	store.Store
	reads atomic.Int64
}

func (c *counted) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	c.reads.Add(1)
	return c.Store.Purchases(ctx, id, after, limit)
}

// Pages ask for today's figures every second. The store is read once for a moment, and never from end to end.
func TestSales_AreRememberedAndBounded(t *testing.T) {
	c := &counted{Store: memory.New(stores.Now)}
	s := newShopOn(t, c, new(atomic.Int64))
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"Many","price":1,"total_stock":1000,"start_time":"2020-01-01T00:00:00Z"}`)
	for i := range 300 {
		s.sell(1, i+1)
	}
	midnight := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.soldSince(midnight)
	first := c.reads.Load()
	if first == 0 || first > 10 {
		t.Errorf("%d reads among 300 purchases, want at most 10", first)
	}
	for i := range 20 {
		s.sell(1, i+1000)
		if f := s.soldSince(midnight); f.Units != int64(301+i) {
			t.Fatalf("%d units, want %d", f.Units, 301+i)
		}
	}
	if again := c.reads.Load(); again != first {
		t.Errorf("%d more reads for a moment that was asked for before", again-first)
	}
	for i := range 100 { // requests for other moments do not exceed the bound
		s.soldSince(midnight.Add(-time.Duration(i) * time.Minute))
	}
	if f := s.soldSince(midnight); f.Units != 320 {
		t.Errorf("%d units, want 320", f.Units)
	}
}
