package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
)

// Numbers are broadcast as fast as the page reads them, while many of its clients upgrade. Each client sees every
// number from its first one on.
func TestBrowser_UpgradeLosesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	const clients, atOnce, enough = 32, 8, 100
	// A page polls over at most six connections, so more may wait for one client than a server would allow.
	server := socketio.New(socketio.Options{Options: engineio.Options{MaxQueuePackets: 1 << 16, MaxQueueBytes: 64 << 20}})
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", server)
	mux.HandleFunc("/", emptyPage)
	s := httptest.NewServer(mux)
	t.Cleanup(func() {
		_ = server.Close(t.Context())
		s.Close()
	})
	pace := make(chan *socketio.Socket, 1)
	server.Of("/").OnConnect(func(s *socketio.Socket) error {
		if string(s.Auth()) == `{"pace":true}` {
			pace <- s
		}
		return nil
	})
	p := open(t, s.URL, s.URL)
	call[bool](p, "setPace", s.URL)
	end := countAloud(t, server.Of("/"), <-pace)
	if n := call[int](p, "countWith", clients, atOnce, s.URL); n != clients {
		t.Fatalf("%d clients", n)
	}

	type counter struct {
		First, Last    int
		Polled, Pushed int // the numbers that came by each transport
		Wrong, Ended   []string
	}
	read := func() []counter { return eval[[]counter](p, "counters") }
	if err := poll(t.Context(), func() error {
		for i, c := range read() {
			if c.Pushed < enough {
				return fmt.Errorf("client %d: %+v", i, c)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	last := end()
	if err := poll(t.Context(), func() error {
		for i, c := range read() {
			if c.Last != last {
				return fmt.Errorf("client %d is at %d of %d", i, c.Last, last)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	polled := 0
	for i, c := range read() {
		if len(c.Wrong)+len(c.Ended) > 0 || c.Polled+c.Pushed != last-c.First+1 {
			t.Errorf("client %d: %+v", i, c)
		}
		if c.Polled > 0 {
			polled++
		}
	}
	t.Logf("%d numbers; %d of %d clients had some before they upgraded", last, polled, clients)
	if polled < clients/2 {
		t.Errorf("only %d of %d clients upgraded amid numbers", polled, clients)
	}
	if n := server.Stats().Upgrades; n != clients {
		t.Errorf("%d upgrades", n)
	}
}

// countAloud broadcasts 1, 2, 3 … until end is called, which returns the last number. It sends one every 2 ms at
// most, and ten at most before the page answers over pace. At a fixed rate, a slow machine would leave the page no
// time to upgrade.
func countAloud(t *testing.T, n *socketio.Namespace, pace *socketio.Socket) (end func() int) {
	t.Helper()
	const ahead = 10
	var last int
	stop := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			last++
			m, err := socketio.NewMessage("n", last)
			if err != nil {
				panic(err)
			}
			n.Broadcast("", []*socketio.Message{m})
			if last%ahead != 0 {
				continue
			}
			if _, err := pace.EmitWithAck(t.Context(), "told"); err != nil {
				t.Errorf("the page answered for %d of the numbers: %v", last-1, err)
				return
			}
		}
	})
	end = sync.OnceValue(func() int {
		close(stop)
		done.Wait()
		return last
	})
	t.Cleanup(func() { end() })
	return end
}

// Clients of a server that stops or dies reconnect to the next one by themselves, and get the current state.
func TestBrowser_ClientsComeBackAfterARestart(t *testing.T) {
	t.Parallel()
	dir, pages := t.TempDir(), pages(t)
	s := startFor(t, dir, "--hold=1h", "--shutdown-timeout=1h") // watchers would delay a shutdown that long
	p := open(t, pages, s.url)
	createShown(t, s.url, 1, 10)
	names := p.allWays(s.url, "")
	told := []string{stock(1, 10, "", 1)}
	p.wantEvents(told, names...)
	p.until("upgraded", func(s seen) error {
		if len(s.Transports) < 2 {
			return fmt.Errorf("transports %v", s.Transports)
		}
		return nil
	})
	left := 10
	for round, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		hold(t, s.url, fmt.Sprintf(`{"dropId":1,"userId":%d}`, left))
		left--
		told = append(told, stock(1, left, "reserved", 11-left))
		p.wantEvents(told, names...)
		began := time.Now()
		if code, err := s.stop(signal); err != nil || signal == syscall.SIGTERM && code != 0 {
			t.Fatalf("exit code %d, %v: %s", code, err, s.stderr.String())
		}
		if took := time.Since(began); took > await.Within(2*time.Second) {
			t.Errorf("the stop took %s: watchers held it up", took)
		}
		s = revived(t, s, "--hold=1h")
		told = append(told, stock(1, left, "", 11-left))
		p.wantEvents(told, names...)
		for _, name := range names {
			if c := p.seen(name); c.Connects != round+2 || slices.Contains(c.Ended, "io server disconnect") || slices.Contains(c.Ended, "for good") {
				t.Errorf("client %s after %s: %+v", name, signal, c)
			}
		}
	}
	hold(t, s.url, `{"dropId":1,"userId":100}`)
	p.wantEvents(append(told, stock(1, left-1, "reserved", 12-left)), names...)
}

// A shop's page has another origin than this server.
func TestBrowser_OtherOrigins(t *testing.T) {
	t.Parallel()
	friend, stranger := pages(t), pages(t)
	credentials := map[string]script{
		"websocket": `{transports: ["websocket"], withCredentials: true}`,
		"polling":   `{transports: ["polling"], withCredentials: true}`,
		"upgraded":  `{withCredentials: true}`,
	}
	want := []string{stock(1, 10, "", 1)}
	t.Run("every one by default", func(t *testing.T) {
		s := startFor(t, t.TempDir(), "--hold=1h")
		createShown(t, s.url, 1, 10)
		p := open(t, stranger, s.url)
		p.follow("stream", s.url+"/api/drops/events")
		p.wantEvents(want, "stream")
		for name, options := range credentials {
			p.connect(name, s.url, options)
			p.wantEvents(want, name)
		}
		status := call[int](p, "post", s.url+"/api/drops/reserve", script(`{dropId: 1, userId: 1}`))
		if status != http.StatusOK {
			t.Errorf("reserve from the page: %d", status)
		}
		p.wantEvents(append(want, stock(1, 9, "reserved", 2)), "stream", "websocket", "polling", "upgraded")
	})
	t.Run("those that are allowed", func(t *testing.T) {
		s := startFor(t, t.TempDir(), "--hold=1h", "--cors-origin="+friend)
		createShown(t, s.url, 1, 10)
		p, q := open(t, friend, s.url), open(t, stranger, s.url)
		q.follow("stream", s.url+"/api/drops/events")
		q.until("stream", func(s seen) error {
			if !slices.Contains(s.Ended, "for good") {
				return fmt.Errorf("%+v", s)
			}
			return nil
		})
		for name, options := range credentials {
			p.connect(name, s.url, options)
			p.wantEvents(want, name)
			q.connect(name, s.url, options)
			q.until(name, func(s seen) error {
				if len(s.Refused) < 2 {
					return fmt.Errorf("not refused: %+v", s)
				}
				return nil
			})
			if c := q.seen(name); c.Connects > 0 || len(c.Transports) > 0 || len(c.Events) > 0 {
				t.Errorf("client %s of another origin: %+v", name, c)
			}
		}
		if n := metricValue(t, s.url, `sneakerdrop_socket_refusals_total{reason="Forbidden"}`); n < 6 {
			t.Errorf("%v refusals are counted", n)
		}
	})
}

// 200 clients come and go, and nothing of them stays.
func TestBrowser_NothingStaysOfThoseWhoWent(t *testing.T) {
	t.Setenv("GOGC", "10") // so that what the heap holds is about what is alive
	s := startFor(t, t.TempDir(), "--hold=1h")
	p := openOwn(t, s.url)
	createShown(t, s.url, 1, 10)
	comeAndGo := func(howMany, atOnce int, options script, onceUpgraded bool) {
		t.Helper()
		if n := call[int](p, "comeAndGo", howMany, atOnce, s.url, options, onceUpgraded); n != howMany {
			t.Fatalf("%d of %d clients came and went", n, howMany)
		}
	}
	all := func(share int) {
		t.Helper()
		comeAndGo(8*share, 8, webSocketOnly, false)
		comeAndGo(4*share, 4, upgraded, true)
		comeAndGo(4*share, 2, upgraded, false) // in the middle of the upgrade
		comeAndGo(4*share, 2, pollingOnly, false)
	}
	const goroutines, heap = "go_goroutines", "go_memstats_heap_alloc_bytes"
	gone := func() {
		t.Helper()
		eventually(t, s.url, `sneakerdrop_sockets{transport="websocket"}`, func(v float64) bool { return v == 0 })
		eventually(t, s.url, `sneakerdrop_sockets{transport="polling"}`, func(v float64) bool { return v == 0 })
	}
	all(5) // caches fill up once
	gone()
	base, alive := metricValue(t, s.url, goroutines), least(t, s.url, heap)
	opened := metricValue(t, s.url, "sneakerdrop_socket_handshakes_total")

	all(10)
	gone()
	if n := metricValue(t, s.url, "sneakerdrop_socket_handshakes_total") - opened; n != 200 {
		t.Errorf("%v clients came", n)
	}
	// The browser keeps up to six connections for the next requests.
	eventually(t, s.url, goroutines, func(v float64) bool { return v <= base+6 })
	after := least(t, s.url, heap)
	t.Logf("alive: %.0f KB before, %.0f KB after; goroutines: %v before", alive/1024, after/1024, base)
	if after > alive+512<<10 { // 2.6 KB a client
		t.Errorf("the heap grew from %.0f to %.0f KB", alive/1024, after/1024)
	}
}

// least is the lowest value that a metric has for a while: that of a heap right after a collection.
func least(t *testing.T, url, metric string) float64 {
	t.Helper()
	v := metricValue(t, url, metric)
	for range 40 {
		v = min(v, metricValue(t, url, metric))
	}
	return v
}

// metricValue reads one line of /metrics; a missing one is 0.
func metricValue(t *testing.T, url, metric string) float64 {
	t.Helper()
	_, body := get(t, url+"/metrics")
	for line := range strings.Lines(body) {
		value, ok := strings.CutPrefix(strings.TrimSpace(line), metric+" ")
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return v
	}
	return 0
}

func checkMetric(t *testing.T, url, metric string, want float64) {
	t.Helper()
	if got := metricValue(t, url, metric); got != want {
		t.Errorf("%s is %v, want %v", metric, got, want)
	}
}

// eventually waits until a metric has a value that the check likes.
func eventually(t *testing.T, url, metric string, check func(float64) bool) {
	t.Helper()
	if err := poll(t.Context(), func() error {
		if v := metricValue(t, url, metric); !check(v) {
			return fmt.Errorf("%s is %v", metric, v)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
