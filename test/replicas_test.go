package test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lxzan/gws"
	nats "github.com/nats-io/nats-server/v2/server"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/tokens"
)

// broker starts NATS in this process, on that port or, with 0, on a free one.
func broker(t *testing.T, port int) *nats.Server {
	t.Helper()
	if port == 0 {
		port = -1
	}
	s, err := nats.NewServer(&nats.Options{Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		t.Fatal("NATS does not start")
	}
	t.Cleanup(func() { gone(s) })
	return s
}

func gone(s *nats.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// replicas starts servers on one database, each with its own arguments.
func replicas(t *testing.T, n int, args ...string) []*server {
	t.Helper()
	all := make([]*server, n)
	for i := range all {
		all[i] = startFor(t, t.TempDir(), args...)
	}
	return all
}

// happening is an event as a watcher received it.
type happening struct {
	name, data string
	at         time.Time
}

// watcher reads a server's event stream.
type watcher struct {
	mu   sync.Mutex
	told []happening
}

func watch(t *testing.T, url string) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/drops/events", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{}
	go func() {
		defer res.Body.Close()
		name := ""
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if event, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				name = event
			} else if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				w.mu.Lock()
				w.told = append(w.told, happening{name, data, time.Now()})
				w.mu.Unlock()
			}
		}
	}()
	return w
}

// find returns the first event of that name that has all of the texts in it.
func (w *watcher) find(name string, has ...string) (happening, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range w.told {
		if h.name == name && !slices.ContainsFunc(has, func(text string) bool { return !strings.Contains(h.data, text) }) {
			return h, true
		}
	}
	return happening{}, false
}

// sees waits for an event.
func (w *watcher) sees(t *testing.T, name string, has ...string) happening {
	t.Helper()
	var found happening
	if err := poll(t.Context(), func() error {
		h, ok := w.find(name, has...)
		if found = h; !ok {
			w.mu.Lock()
			defer w.mu.Unlock()
			return fmt.Errorf("no %s with %q among %d events, the last of them %v", name, has, len(w.told), w.told[max(0, len(w.told)-5):])
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func bus(t *testing.T, s *server) string {
	t.Helper()
	status, body := get(t, s.url+"/readyz")
	var answer struct{ Status, Bus string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK || answer.Status != "ready" {
		t.Fatalf("not ready: %d %s", status, body)
	}
	return answer.Bus
}

func connected(t *testing.T, all []*server, want string) {
	t.Helper()
	for i, s := range all {
		if err := poll(t.Context(), func() error {
			if got := bus(t, s); got != want {
				return fmt.Errorf("replica %d says that the bus is %q, want %q", i, got, want)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func ok(t *testing.T, answer string) string {
	t.Helper()
	body, found := strings.CutPrefix(answer, "200 ")
	if !found {
		t.Fatal(answer)
	}
	return body
}

const oneDrop = `{"name":"Air","price":120,"total_stock":100,"start_time":"2020-01-01T00:00:00Z"}`

// Watchers of one replica are told what another one does. A sweep may be faster than the bus, and does not say why
// stock moved. So in ten tries everybody must be told the reason at least once.
func TestReplicas_WatchersOfOneSeeWhatAnotherSells(t *testing.T) {
	t.Parallel()
	hub := broker(t, 0)
	all := replicas(t, 3, "--database="+pgtest.Database(t), "--nats="+hub.ClientURL())
	connected(t, all, "connected")
	var watchers []*watcher
	for _, s := range all {
		watchers = append(watchers, watch(t, s.url))
	}
	everybody := func(name string, has ...string) {
		t.Helper()
		for _, w := range watchers {
			w.sees(t, name, has...)
		}
	}
	d := id(t, post(t, all[0].url+"/api/drops/create", oneDrop))
	of := fmt.Sprintf(`"dropId":%d,`, d)
	everybody("stock_update", of, `"available_stock":100`, `"reason":"created"`)
	held := id(t, post(t, all[1].url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":5}`, d)))
	everybody("stock_update", of, `"available_stock":99`)
	ok(t, post(t, all[2].url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held)))
	everybody("purchase_complete", of, `"userId":5,`)
	for i, s := range all {
		if _, list := get(t, s.url+"/api/drops"); !strings.Contains(list, `"purchases":[{"id":`) {
			t.Errorf("replica %d, whose watchers were told, lists %s", i, list)
		}
	}
	told := false
	for try := 1; try <= 10 && !told; try++ {
		ok(t, post(t, fmt.Sprintf("%s/api/drops/%d/restock", all[try%3].url, d), `{"add":1}`))
		told = true
		for _, w := range watchers {
			h := w.sees(t, "stock_update", of, fmt.Sprintf(`"available_stock":%d,`, 99+try))
			told = told && strings.Contains(h.data, `"reason":"restocked"`)
		}
	}
	if !told {
		t.Error("ten times in ten somebody was not told why stock moved: the bus tells nothing")
	}
	ok(t, post(t, fmt.Sprintf("%s/api/drops/%d/pause", all[2].url, d), ""))
	everybody("drop_update", of, `"paused":true`)
	if answer := post(t, all[0].url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":7}`, d)); !strings.HasPrefix(answer, "409 ") {
		t.Errorf("paused at another replica, and %s", answer)
	}
}

// listen connects a Socket.IO client with a token, and returns everything that it receives.
func listen(t *testing.T, url, token string) <-chan string {
	t.Helper()
	heard := make(chan string, 1000)
	socket, _, err := gws.NewClient(socketMessages{heard: heard}, &gws.ClientOption{
		Addr: strings.Replace(url, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.NetConn().Close() })
	go socket.ReadLoop()
	if err := socket.WriteString(fmt.Sprintf(`40{"token":%q}`, token)); err != nil {
		t.Fatal(err)
	}
	hears(t, heard, `40{"sid"`)
	return heard
}

func hears(t *testing.T, heard <-chan string, has ...string) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case said := <-heard:
			if !slices.ContainsFunc(has, func(text string) bool { return !strings.Contains(said, text) }) {
				return
			}
		case <-deadline:
			t.Fatalf("nothing with %q was heard", has)
		}
	}
}

// A buyer's socket is at one replica, but the calls go to others.
func TestReplicas_BuyersAreToldWhatIsTheirsWhereverTheyBuy(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	hub := broker(t, 0)
	database := pgtest.Database(t)
	all := replicas(t, 2, "--database="+database, "--nats="+hub.ClientURL(), "--jwt-secret="+secret, "--jwt-audience=shop", "--jwt-number-claim=number")
	connected(t, all, "connected")
	operator, err := exec.CommandContext(t.Context(), "sneakerdrop", "token", "create", "--role=operator", "--name=test", "--database="+database).Output()
	if err != nil {
		t.Fatal(err)
	}
	call := func(s *server, token, path, body string) int64 {
		t.Helper()
		status, answer := callAs(t.Context(), http.DefaultClient, s.url, path, strings.TrimSpace(token), body)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		if strings.HasSuffix(path, "purchase") {
			return 0
		}
		return id(t, answer)
	}
	d := call(all[0], string(operator), "/api/drops/create", oneDrop)
	ann := tokens.HS256(secret, fmt.Sprintf(`{"sub":"ann","aud":"shop","number":17,"exp":%d}`, time.Now().Add(time.Hour).Unix()))
	heard := listen(t, all[0].url, ann)
	held := call(all[1], ann, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d}`, d))
	hears(t, heard, "reservation_update", fmt.Sprintf(`"id":%d,`, held), `"userId":17`, `"status":"active"`)
	call(all[1], ann, "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held))
	hears(t, heard, "reservation_update", fmt.Sprintf(`"id":%d,`, held), `"status":"completed"`)
	held = call(all[1], ann, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d}`, d))
	call(all[1], ann, "/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, held))
	hears(t, heard, "reservation_update", fmt.Sprintf(`"id":%d,`, held), `"status":"cancelled"`)
}

// Without NATS, replicas are correct, and their watchers see each other's sales with the next sweep, within a second.
func TestReplicas_WithoutNATSWatchersSeeOthersSales(t *testing.T) {
	t.Parallel()
	all := replicas(t, 2, "--database="+pgtest.Database(t))
	if got := bus(t, all[0]); got != "" {
		t.Errorf("without a bus /readyz says that it is %q", got)
	}
	watchOthersSales(t, all)
}

// watchOthersSales sells at one replica, and checks that watchers of its neighbor see it.
func watchOthersSales(t *testing.T, all []*server) {
	t.Helper()
	w := watch(t, all[1].url)
	d := id(t, post(t, all[0].url+"/api/drops/create", oneDrop))
	of := fmt.Sprintf(`"dropId":%d,`, d)
	w.sees(t, "stock_update", of, `"available_stock":100`)
	held := id(t, post(t, all[0].url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":5}`, d)))
	w.sees(t, "stock_update", of, `"available_stock":99`)
	ok(t, post(t, all[0].url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held)))
	w.sees(t, "purchase_complete", of, `"userId":5,`)
}

// While NATS is away, sales continue, and the replicas say so and stay ready. Watchers see others' sales through the
// sweep, and at once when NATS is back.
func TestReplicas_NATSGoesAway(t *testing.T) {
	t.Parallel()
	hub := broker(t, 0)
	port := hub.Addr().(*net.TCPAddr).Port
	all := replicas(t, 2, "--database="+pgtest.Database(t), "--nats="+hub.ClientURL())
	connected(t, all, "connected")
	gone(hub)
	connected(t, all, "away")
	watchOthersSales(t, all)
	broker(t, port)
	connected(t, all, "connected")
	w := watch(t, all[1].url)
	d := id(t, post(t, all[0].url+"/api/drops/create", oneDrop))
	w.sees(t, "stock_update", fmt.Sprintf(`"dropId":%d,`, d), `"available_stock":100`, `"reason":"created"`)
	late := startFor(t, t.TempDir(), "--database="+pgtest.Database(t), "--nats=nats://127.0.0.1:1") // a shop that opens without NATS
	watchOthersSales(t, []*server{late, late})
}

// Calls with one key that arrive at three replicas at once have one effect and one answer. Three replicas enforce one
// limit per buyer.
func TestReplicas_KeysAndLimitsHoldOverAll(t *testing.T) {
	t.Parallel()
	all := replicas(t, 3, "--database="+pgtest.Database(t))
	d := id(t, post(t, all[0].url+"/api/drops/create", `{"name":"Two","price":1,"total_stock":1000,"limit_per_user":2,"start_time":"2020-01-01T00:00:00Z"}`))
	var calling sync.WaitGroup
	const users, tries = 20, 6
	answers := make([][tries]string, users)
	twins := make([][tries]string, users)
	for u := range users {
		for try := range tries {
			url := all[try%3].url + "/api/drops/reserve"
			calling.Go(func() {
				answer, err := send(t.Context(), http.DefaultClient, url, fmt.Sprintf(`{"dropId":%d,"userId":%d}`, d, u+1))
				if answers[u][try] = answer; err != nil {
					t.Error(err)
				}
			})
			calling.Go(func() {
				answer, err := client.Call{
					URL: url, Key: fmt.Sprintf("twin-%d", u), Body: fmt.Sprintf(`{"dropId":%d,"userId":%d}`, d, u+1001),
				}.Text(t.Context(), http.DefaultClient)
				if twins[u][try] = answer; err != nil {
					t.Error(err)
				}
			})
		}
	}
	calling.Wait()
	for u := range users {
		held, refused := 0, 0
		for _, answer := range answers[u] {
			switch {
			case strings.HasPrefix(answer, "200 "):
				held++
			case strings.HasPrefix(answer, "409 ") && strings.Contains(answer, `"limit_reached"`):
				refused++
			}
		}
		if held != 2 || refused != tries-2 {
			t.Errorf("buyer %d with a limit of 2: %q", u, answers[u])
		}
		for _, answer := range twins[u] {
			if answer != twins[u][0] || !strings.HasPrefix(answer, "200 ") {
				t.Errorf("one key, and different answers: %q", twins[u])
			}
		}
	}
	if _, body := get(t, fmt.Sprintf("%s/api/drops/%d", all[1].url, d)); !strings.Contains(body, fmt.Sprintf(`"available_stock":%d`, 1000-2*users-users)) {
		t.Errorf("units are gone that nobody has: %s", body)
	}
}

// The holds of a killed replica end by the clock of another one, within 1.1 s (make perf), in one of three tries.
func TestReplicas_HoldsOfADeadOneEndInTime(t *testing.T) {
	t.Parallel()
	const promise = 1100 * time.Millisecond
	database := pgtest.Database(t)
	survivor := startFor(t, t.TempDir(), "--database="+database)
	d := id(t, post(t, survivor.url+"/api/drops/create", oneDrop))
	for try := 1; ; try++ {
		dying := startFor(t, t.TempDir(), "--database="+database, "--hold=2s")
		r := ok(t, post(t, dying.url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, d, try)))
		dying.kill()
		var hold struct {
			ExpiresAt time.Time `json:"expires_at"`
		}
		if err := json.Unmarshal([]byte(r), &hold); err != nil {
			t.Fatal(err)
		}
		if err := poll(t.Context(), func() error {
			_, body := get(t, fmt.Sprintf("%s/api/drops/%d", survivor.url, d))
			if !strings.Contains(body, fmt.Sprintf(`"version":%d`, 1+2*try)) || !strings.Contains(body, `"available_stock":100`) { // reserved, and expired
				return errors.New(body)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		late := time.Since(hold.ExpiresAt)
		t.Logf("the unit was back %s after its hold had ended", late.Round(time.Millisecond))
		switch {
		case late < 0:
			t.Fatal("the hold ended early")
		case late <= await.Within(promise):
			return
		case try == 3:
			t.Fatalf("three times in three later than %s", await.Within(promise))
		}
	}
}

// version returns a drop's version as a server shows it.
func version(t *testing.T, url string, d int64) int64 {
	t.Helper()
	_, body := get(t, fmt.Sprintf("%s/api/drops/%d", url, d))
	var shown struct{ Version int64 }
	if err := json.Unmarshal([]byte(body), &shown); err != nil {
		t.Fatal(err)
	}
	return shown.Version
}
