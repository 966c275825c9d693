package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func splitPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}

// latencies are in milliseconds.
type latencies []float64

func (l latencies) quantile(q float64) float64 {
	if len(l) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(l))[int(q*float64(len(l)-1))]
}

// outage is the result of NATS being away.
type outage struct {
	calls, failed int
	behind        time.Duration // of a watcher's state, at most, while it was away
	caughtUp      time.Duration // after its return
}

// watcher reads the events of one drop at one server, and keeps when it saw which number of units for the first time.
type watcher struct {
	mu    sync.Mutex
	least int64 // units on sale, as seen last
	seen  map[int64]time.Time
}

func watch(ctx context.Context, url string, drop int64, until *sync.WaitGroup) (*watcher, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/drops/events?drop=%d", url, drop), http.NoBody)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	w := &watcher{least: units, seen: make(map[int64]time.Time)}
	until.Go(func() {
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			var update struct {
				Available *int64 `json:"available_stock"`
			}
			data, ok := strings.CutPrefix(lines.Text(), "data: ")
			if !ok || json.Unmarshal([]byte(data), &update) != nil || update.Available == nil {
				continue
			}
			now := time.Now()
			w.mu.Lock()
			for n := w.least - 1; n >= *update.Available; n-- {
				w.seen[n] = now
			}
			w.least = min(w.least, *update.Available)
			w.mu.Unlock()
		}
	})
	return w, nil
}

func (w *watcher) when(available int64) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.seen[available]
	return at, ok
}

const units = 1_000_000

func post(ctx context.Context, url, body string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewBufferString(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, text)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(text, out)
}

// sale is one reserve: the units that were left after it, and when it was answered.
type sale struct {
	left int64
	at   time.Time
}

// watch has three servers sell in turns, 200 units a second, to watchers of all three. Then NATS is away and the
// first server sells alone, and then it is back.
func (o settings) watch(ctx context.Context) (latencies, outage, error) {
	s, err := o.open(ctx, servers)
	if err != nil {
		return nil, outage{}, err
	}
	defer s.close()
	var made struct {
		ID int64 `json:"id"`
	}
	body := fmt.Sprintf(`{"name":"watched","price":1,"total_stock":%d,"start_time":"2020-01-01T00:00:00Z"}`, units)
	if err := post(ctx, s.servers[0].URL+"/api/drops/create", body, &made); err != nil {
		return nil, outage{}, err
	}
	var reading sync.WaitGroup
	watching, stop := context.WithCancel(ctx)
	defer reading.Wait()
	defer stop()
	var watchers []*watcher
	for _, one := range s.servers {
		w, err := watch(watching, one.URL, made.ID, &reading)
		if err != nil {
			return nil, outage{}, err
		}
		watchers = append(watchers, w)
	}
	left, failed := int64(units), 0
	sell := func(n, sellers int) (sales []sale) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for i := range n {
			<-tick.C
			url := s.servers[i%sellers].URL + "/api/drops/reserve"
			if err := post(ctx, url, fmt.Sprintf(`{"dropId":%d,"userId":%d}`, made.ID, units-left+1), nil); err != nil {
				failed++
				continue
			}
			left--
			sales = append(sales, sale{left, time.Now()})
		}
		return sales
	}
	sell(200, servers) // warms up
	seen, err := delays(ctx, sell(seenSamples, servers), watchers)
	if err != nil {
		return nil, outage{}, err
	}
	s.away()
	calls := int(o.outage / (5 * time.Millisecond))
	sales := sell(calls, 1)
	out := outage{calls: calls, failed: failed}
	returned := time.Now()
	if err := s.broker(); err != nil {
		return nil, outage{}, err
	}
	behind, err := delays(ctx, sales, watchers)
	if err != nil {
		return nil, outage{}, err
	}
	out.behind = time.Duration(behind.quantile(1) * float64(time.Millisecond))
	for _, w := range watchers {
		at, _ := w.when(left)
		out.caughtUp = max(out.caughtUp, at.Sub(returned))
	}
	return seen, out, nil
}

// delays waits until all watchers have seen all sales, and returns how long each took.
func delays(ctx context.Context, sales []sale, watchers []*watcher) (latencies, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var all latencies
	for _, one := range sales {
		for _, w := range watchers {
			at, ok := w.when(one.left)
			for ; !ok; at, ok = w.when(one.left) {
				select {
				case <-ctx.Done():
					return nil, fmt.Errorf("a watcher never saw %d units left", one.left)
				case <-time.After(time.Millisecond):
				}
			}
			all = append(all, max(0, float64(at.Sub(one.at))/float64(time.Millisecond)))
		}
	}
	return all, nil
}
