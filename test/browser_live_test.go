package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

// allWays connects a client by each transport, and an event stream, all to one server.
func (p *page) allWays(server, query string) (names []string) {
	p.t.Helper()
	p.connect("websocket", server+query, webSocketOnly)
	p.connect("polling", server+query, pollingOnly)
	p.connect("upgraded", server+query, upgraded)
	p.follow("stream", server+"/api/drops/events"+query)
	return []string{"websocket", "polling", "upgraded", "stream"}
}

// Every watcher gets the same updates in the same words, however it is connected.
func TestBrowser_EachTransportSeesTheStockMove(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20s")
	p := openOwn(t, s.url)
	createShown(t, s.url, 1, 10)
	names := p.allWays(s.url, "")
	var told []string
	tell := func(events ...string) {
		t.Helper()
		told = append(told, events...)
		p.wantEvents(told, names...)
	}
	tell(stock(1, 10, "", 1))

	bought := hold(t, s.url, `{"dropId":1,"userId":7}`)
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, bought))
	tell(stock(1, 9, "reserved", 2), `["purchase_complete",{"dropId":1,"userId":7,"purchaseId":4294967297}]`)

	given := hold(t, s.url, `{"dropId":1,"userId":8}`)
	tell(stock(1, 8, "reserved", 4)) // before the cancel: a client that polls gets only the newest of what waits for it
	mustPost(t, s.url+"/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, given))
	tell(stock(1, 9, "reservation_cancelled", 5))

	mustPost(t, s.url+"/api/drops/1/restock", `{"add":5}`)
	tell(stock(1, 14, "restocked", 6))
	mustPost(t, s.url+"/api/drops/1/pause", `{}`)
	tell(`["drop_update",{"dropId":1,"paused":true,"version":7}]`)
	mustPost(t, s.url+"/api/drops/1/resume", `{}`)
	tell(`["drop_update",{"dropId":1,"paused":false,"version":8}]`)

	mustPost(t, s.url+"/api/drops/create", `{"name":"Sized","price":1,"start_time":"2020-01-01T00:00:00Z","sizes":[{"size":"9.5","stock":2},{"size":"10","stock":1}]}`)
	tell(`["stock_update",{"dropId":2,"available_stock":3,"reason":"created","version":1,"sizes":[` +
		`{"size":"9.5","total_stock":2,"available_stock":2},{"size":"10","total_stock":1,"available_stock":1}]}]`)
	hold(t, s.url, `{"dropId":2,"userId":9,"size":"9.5"}`)
	tell(`["stock_update",{"dropId":2,"available_stock":2,"reason":"reserved","version":2,"sizes":[` +
		`{"size":"9.5","total_stock":2,"available_stock":1},{"size":"10","total_stock":1,"available_stock":1}]}]`)
	tell(`["stock_update",{"dropId":2,"available_stock":3,"reason":"reservation_expired","version":3,"sizes":[` +
		`{"size":"9.5","total_stock":2,"available_stock":2},{"size":"10","total_stock":1,"available_stock":1}]}]`)

	for name, want := range map[string]string{"websocket": "[websocket]", "polling": "[polling]", "upgraded": "[polling websocket]"} {
		p.until(name, func(s seen) error {
			if got := fmt.Sprint(s.Transports); got != want || s.Connects != 1 || len(s.Ended)+len(s.Refused) > 0 {
				return fmt.Errorf("%+v, want one connection by %s", s, want)
			}
			return nil
		})
	}
	checkMetric(t, s.url, `sneakerdrop_sockets{transport="websocket"}`, 2)
	checkMetric(t, s.url, `sneakerdrop_sockets{transport="polling"}`, 1)
	checkMetric(t, s.url, `sneakerdrop_event_streams`, 1)
}

func TestBrowser_WatchesOneDrop(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=1h")
	p := openOwn(t, s.url)
	createShown(t, s.url, 1, 10)
	createShown(t, s.url, 2, 20)
	asked := p.allWays(s.url, "?drop=2")
	p.wantEvents([]string{stock(2, 20, "", 1)}, asked...)

	// By the event, from watching all, in one case there and back.
	both := []string{stock(1, 10, "", 1), stock(2, 20, "", 1)}
	p.connect("watches 2", s.url, webSocketOnly)
	p.connect("goes back", s.url, webSocketOnly)
	p.wantEvents(both, "watches 2", "goes back")
	watch := func(name string, args []any, want string) {
		t.Helper()
		answer := call[map[string]any](p, "emit", append([]any{name, "watch"}, args...)...)
		if got, _ := json.Marshal(answer); string(got) != want {
			t.Errorf("%s: watch %v: %s, want %s", name, args, got, want)
		}
	}
	watch("watches 2", []any{2}, `{"watching":2}`)
	watch("goes back", []any{2}, `{"watching":2}`)
	watch("goes back", nil, `{"watching":0}`)
	watch("goes back", []any{"two"}, `{"code":"invalid","error":"watch takes the number of a drop, or nothing for all drops"}`)

	hold(t, s.url, `{"dropId":1,"userId":1}`)
	p.wantEvents(append(append(both, stock(2, 20, "", 1)), append(both, stock(1, 9, "reserved", 2))...), "goes back")
	hold(t, s.url, `{"dropId":2,"userId":1}`)
	p.wantEvents([]string{stock(2, 20, "", 1), stock(2, 19, "reserved", 2)}, asked...)
	p.wantEvents(append(both, stock(2, 20, "", 1), stock(2, 19, "reserved", 2)), "watches 2")

	p.connect("mistaken", s.url+"?drop=two", webSocketOnly)
	p.until("mistaken", func(s seen) error {
		if got := fmt.Sprint(s.Refused); got != "[drop must be the number of a drop, such as ?drop=7]" {
			return fmt.Errorf("refused with %s", got)
		}
		return nil
	})
}

// Watchers who connect and upgrade while the stock moves see it only go forward, and end with the true state.
func TestBrowser_VersionsGrowWhileWatchersComeAndUpgrade(t *testing.T) {
	t.Parallel()
	const watchers = 10
	s := startFor(t, t.TempDir(), "--hold=1h")
	p := openOwn(t, s.url)
	createShown(t, s.url, 1, 1_000_000)
	stop := make(chan struct{})
	var buyers sync.WaitGroup
	for b := range 2 {
		buyers.Go(func() {
			for n := b; ; n += 2 {
				select {
				case <-stop:
					return
				default:
				}
				if _, answer, err := reserve(t.Context(), http.DefaultClient, s.url, int64(n+1)); err != nil || !strings.HasPrefix(answer, "200 ") {
					t.Errorf("reserve: %s, %v", answer, err)
					return
				}
			}
		})
	}
	end := sync.OnceFunc(func() { close(stop); buyers.Wait() })
	defer end()
	for i := range watchers {
		p.connect(strconv.Itoa(i), s.url, upgraded)
	}
	for i := range watchers {
		p.until(strconv.Itoa(i), func(s seen) error {
			if len(s.Transports) < 2 || len(s.Events) < 20 {
				return fmt.Errorf("%d events, transports %v", len(s.Events), s.Transports)
			}
			return nil
		})
	}
	end()

	var now struct {
		Available int `json:"available_stock"`
		Version   int `json:"version"`
	}
	_, body := get(t, s.url+"/api/drops/1")
	if err := json.Unmarshal([]byte(body), &now); err != nil {
		t.Fatal(err)
	}
	for i := range watchers {
		last := stock(1, now.Available, "reserved", now.Version)
		p.until(strconv.Itoa(i), func(s seen) error {
			if got := s.Events[len(s.Events)-1]; got != last {
				return fmt.Errorf("was last told %s and not %s", got, last)
			}
			return nil
		})
		checkGrowing(t, p.seen(strconv.Itoa(i)).Events)
	}
}

// checkGrowing reports which event is not newer than the one before it.
func checkGrowing(t *testing.T, events []string) {
	t.Helper()
	before := 0
	for _, e := range events {
		var parts [2]json.RawMessage
		var update struct{ Version int }
		if err := json.Unmarshal([]byte(e), &parts); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(parts[1], &update); err != nil {
			t.Fatal(err)
		}
		if update.Version <= before {
			t.Errorf("%s came after version %d", e, before)
		}
		before = update.Version
	}
}

// When a hold ends, watchers see its unit on sale at once, not at some later poll.
func TestBrowser_ExpiryIsToldAtOnce(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=300ms")
	p := openOwn(t, s.url)
	createShown(t, s.url, 1, 1)
	p.connect("watcher", s.url, webSocketOnly)
	p.wantEvents([]string{stock(1, 1, "", 1)}, "watcher")
	best := time.Hour
	for try := range 3 {
		var r struct {
			Expires time.Time `json:"expires_at"`
		}
		_, body, _ := strings.Cut(post(t, s.url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, try+1)), " ")
		if err := json.Unmarshal([]byte(body), &r); err != nil || r.Expires.IsZero() {
			t.Fatalf("%s: %v", body, err)
		}
		p.until("watcher", func(s seen) error {
			if want := 1 + 2*(try+1); len(s.Events) < want {
				return fmt.Errorf("%d events, want %d", len(s.Events), want)
			}
			return nil
		})
		best = min(best, time.UnixMilli(p.seen("watcher").At).Sub(r.Expires))
	}
	t.Logf("from the end of a hold to the watcher: %s", best)
	if best > await.Within(100*time.Millisecond) {
		t.Errorf("%s, want at most 100 ms", best)
	}
}
