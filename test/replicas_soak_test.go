//go:build soak

package test

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

// NATS is gone for a minute. Sales at one replica continue without a failure, and watchers of another one see them
// through the sweep. They have the last state within 1.5 s of its return. On a busy machine the return has three
// tries.
func TestSoak_NATSGoneForAMinute(t *testing.T) {
	const promise = 1500 * time.Millisecond
	hub := broker(t, 0)
	port := hub.Addr().(*net.TCPAddr).Port
	all := replicas(t, 2, "--database="+pgtest.Database(t), "--nats="+hub.ClientURL(), "--hold=24h")
	d := id(t, post(t, all[0].url+"/api/drops/create", `{"name":"Long","price":1,"total_stock":1000000,"start_time":"2020-01-01T00:00:00Z"}`))
	w := watch(t, all[1].url)
	for try, away := 1, time.Minute; ; try, away = try+1, 5*time.Second {
		connected(t, all, "connected")
		gone(hub)
		connected(t, all, "away")
		var sold atomic.Int64
		var selling sync.WaitGroup
		end := time.Now().Add(away)
		for buyer := range int64(8) {
			selling.Go(func() {
				for n := int64(0); time.Now().Before(end); n++ {
					answer, err := send(t.Context(), http.DefaultClient, all[0].url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, d, 1+buyer+8*n))
					if err != nil || answer[:4] != "200 " {
						t.Errorf("a call without NATS: %s %v", answer, err)
						return
					}
					sold.Add(1)
				}
			})
		}
		selling.Wait()
		hub = broker(t, port)
		back := time.Now()
		last := fmt.Sprintf(`"version":%d`, version(t, all[0].url, d))
		late := w.sees(t, "stock_update", last).at.Sub(back)
		t.Logf("%s without NATS: %d sold; the other replica's watcher had the last state %s after its return", away, sold.Load(), late.Round(time.Millisecond))
		if late <= promise {
			return
		}
		if try == 3 {
			t.Fatalf("three times in three later than %s", promise)
		}
	}
}
