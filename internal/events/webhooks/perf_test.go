//go:build perf

package webhooks_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// TestDeliverer_Lag buys at a steady rate and measures the time from the answer to a purchase until a local receiver
// has its message.
//
//	go test -tags perf -v -run TestDeliverer_Lag ./internal/events/webhooks
func TestDeliverer_Lag(t *testing.T) {
	const rate, seconds, sellers = 2000, 10, 64
	for _, name := range []string{"postgres", "sqlite"} {
		for _, drops := range []int{1, 8} {
			t.Run(fmt.Sprintf("%s, %d drops", name, drops), func(t *testing.T) {
				s := open(t, stores.Open(t, name))
				var mu sync.Mutex
				answered, arrived := make(map[int64]time.Time), make(map[int64]time.Time)
				messages := 0
				receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					now := time.Now()
					body, err := io.ReadAll(r.Body)
					var e struct{ Data struct{ ReservationID int64 } }
					if err == nil {
						err = json.Unmarshal(body, &e)
					}
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					messages++
					arrived[e.Data.ReservationID] = now
					mu.Unlock()
					w.WriteHeader(http.StatusNoContent)
				}))
				defer receiver.Close()
				sender := webhooks.NewSender(webhooks.SenderOptions{AllowPrivate: true})
				defer sender.Close()
				ids := make([]drop.ID, drops)
				for i := range ids {
					ids[i] = s.create(1_000_000)
				}
				now, err := s.feed.Now(t.Context())
				if err == nil {
					_, err = s.store.CreateWebhook(t.Context(), store.Webhook{
						URL: receiver.URL, Secret: string(webhooks.NewSecret()), Start: now.String(), Types: "purchase.completed",
					})
				}
				if err != nil {
					t.Fatal(err)
				}
				d := webhooks.NewDeliverer(webhooks.DelivererOptions{Store: s.store, Feed: s.feed, Poster: sender, Log: slog.Default()})
				d.Start()
				held := make(chan drop.ReservationID, rate*seconds)
				var wg sync.WaitGroup
				for i := range sellers {
					wg.Go(func() {
						for n := range rate * seconds / sellers {
							r, err := s.engine.Reserve(t.Context(), ids[(i+n)%drops], drop.UserID(i+1), "", engine.Retry{})
							if err != nil {
								t.Error(err)
								return
							}
							held <- r.ID
						}
					})
				}
				wg.Wait()
				begun := time.Now()
				for i := range sellers {
					wg.Go(func() {
						for n := range len(held) / sellers {
							time.Sleep(time.Until(begun.Add(time.Duration(n*sellers+i) * time.Second / rate)))
							id := <-held
							if _, err := s.engine.Purchase(t.Context(), id, 0, engine.Retry{}); err != nil {
								t.Error(err)
								return
							}
							mu.Lock()
							answered[int64(id)] = time.Now()
							mu.Unlock()
						}
					})
				}
				wg.Wait()
				took := time.Since(begun)
				deadline := time.Now().Add(30 * time.Second)
				for done := false; !done && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
					mu.Lock()
					done = len(arrived) >= len(answered)
					mu.Unlock()
				}
				if err := d.Stop(t.Context()); err != nil {
					t.Error(err)
				}
				var lags []time.Duration
				for id, at := range answered {
					if got, ok := arrived[id]; ok {
						lags = append(lags, got.Sub(at))
					}
				}
				slices.Sort(lags)
				if len(lags) != len(answered) {
					t.Fatalf("%d of %d purchases arrived", len(lags), len(answered))
				}
				at := func(q float64) time.Duration { return lags[int(q*float64(len(lags)-1))].Round(time.Millisecond / 10) }
				t.Logf("%.0f purchases a second, %d messages; from answer to delivery: median %s, p99 %s, longest %s",
					float64(len(answered))/took.Seconds(), messages, at(0.5), at(0.99), at(1))
			})
		}
	}
}
