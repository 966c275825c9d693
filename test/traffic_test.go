//go:build linux

package test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
)

// traffic is buyers on a server that goes away from time to time, with what each of them was told. Every buyer is a
// separate user, so that the store's records show exactly what each of them got.
type traffic struct {
	t       *testing.T
	seed    uint64
	dir     string
	args    []string // of serve
	books   string   // the database, bypassing everything in between
	server  *server
	client  *http.Client
	url     atomic.Pointer[string] // of the server that runs now
	others  []*server              // on the same database
	calls   atomic.Int64           // each goes to the next server
	shelves []shelf
	visit   func(*rand.Rand) // what a buyer does (default shop)

	answered atomic.Pointer[func()] // called at each answer
	user     atomic.Int64
	stop     context.CancelFunc
	working  sync.WaitGroup

	mu      sync.Mutex
	buyers  []*buyer
	checked int // buyers whose calls were repeated
	tally   map[string]int
}

// shelf is a drop on sale.
type shelf struct {
	id      int64
	sizes   []string
	limited bool // limited to one unit per buyer, so that reserving is safe to repeat
}

// buyer reserves one unit, and may then buy or release it.
type buyer struct {
	user    int64
	shelf   *shelf
	size    string
	reserve wish
	held    held
	then    *wish
}

// held is a reservation in the form of the API's answer.
type held struct {
	ID        int64     `json:"id"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expires_at"`
}

// wish is a request that a client repeats until its outcome is known.
type wish struct {
	path, key, body string
	answer          string // the last one, if it is 200 or a refusal
	unknown         int    // tries whose outcome is unknown
}

// seedOf returns the seed for a random test: that of the variable, or a new one. It prints the seed.
func seedOf(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CRASH_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal("CRASH_SEED: ", err)
		}
	}
	t.Logf("CRASH_SEED=%d", seed)
	return seed
}

const (
	workers = 12

	unknown     = "answers lost or unknown"
	nothingDone = "told that nothing was done"

	shelves = `[
		{"name":"Plenty","price":120,"total_stock":1000000,"start_time":"2020-01-01T00:00:00Z"},
		{"name":"Sizes","price":99.5,"sizes":[{"size":"41","stock":150},{"size":"42","stock":100000}],"start_time":"2020-01-01T00:00:00Z"},
		{"name":"One each","price":10,"total_stock":1000000,"limit_per_user":1,"start_time":"2020-01-01T00:00:00Z"}]`
)

// newTraffic starts a server and creates three drops. args are the server's, without the database.
func newTraffic(t *testing.T, seed uint64, database, books string, args ...string) *traffic {
	t.Helper()
	tr := &traffic{
		t: t, seed: seed, dir: t.TempDir(), books: books, tally: make(map[string]int),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: workers}},
	}
	if file, ok := strings.CutPrefix(books, "sqlite:"); ok && !filepath.IsAbs(file) {
		tr.books = "sqlite:" + filepath.Join(tr.dir, file)
	}
	tr.visit = tr.shop
	tr.args = append([]string{"--addr=" + pgtest.Loopback() + ":0", "--database=" + database}, args...)
	tr.start("1h")
	t.Cleanup(func() {
		tr.pause()
		tr.client.CloseIdleConnections()
		if t.Failed() {
			log := tr.server.stderr.String()
			t.Logf("CRASH_SEED=%d; the server's log ends\n%s", tr.seed, log[max(0, len(log)-4000):])
		}
	})
	var specs []json.RawMessage
	if err := json.Unmarshal([]byte(shelves), &specs); err != nil {
		t.Fatal(err)
	}
	for i, spec := range specs {
		s := shelf{id: id(t, post(t, *tr.url.Load()+"/api/drops/create", string(spec))), limited: i == 2}
		if i == 1 {
			s.sizes = []string{"41", "42"}
		}
		tr.shelves = append(tr.shelves, s)
	}
	return tr
}

// start starts a server, and says how long it took to be ready.
func (tr *traffic) start(hold string) time.Duration {
	tr.t.Helper()
	began := time.Now()
	tr.server = startFor(tr.t, tr.dir, append([]string{"--hold=" + hold}, tr.args...)...)
	tr.url.Store(&tr.server.url)
	return time.Since(began)
}

// resume lets buyers come.
func (tr *traffic) resume() {
	ctx, cancel := context.WithCancel(context.Background())
	tr.stop = cancel
	for range workers {
		number := uint64(tr.user.Add(1))
		rnd := rand.New(rand.NewPCG(tr.seed, number))
		tr.working.Go(func() {
			for ctx.Err() == nil {
				tr.visit(rnd)
			}
		})
	}
}

// next returns the address of the server for a call: each server has its turn.
func (tr *traffic) next() string {
	if i := tr.calls.Add(1) % int64(1+len(tr.others)); i > 0 {
		return tr.others[i-1].url
	}
	return *tr.url.Load()
}

// pause stops new buyers, and waits until the present ones know the outcome of their calls.
func (tr *traffic) pause() {
	if tr.stop != nil {
		tr.stop()
	}
	tr.working.Wait()
}

func (tr *traffic) count(what string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.tally[what]++
}

// newBuyer is a buyer who wants a unit.
func (tr *traffic) newBuyer(s *shelf, size string, keyed bool) *buyer {
	b := &buyer{user: tr.user.Add(1), shelf: s, size: size}
	body := fmt.Sprintf(`{"dropId":%d,"userId":%d`, s.id, b.user)
	if size != "" {
		body += fmt.Sprintf(`,"size":%q`, size)
	}
	b.reserve = wish{path: "/api/drops/reserve", body: body + "}"}
	if keyed {
		b.reserve.key = fmt.Sprint("reserve-", b.user)
	}
	return b
}

// note keeps what a buyer was told.
func (tr *traffic) note(b *buyer) {
	if b.reserve.done() {
		if err := json.Unmarshal([]byte(b.reserve.answer[len("200 "):]), &b.held); err != nil || b.held.ID == 0 {
			tr.t.Errorf("%s is answered %s: %v", b.reserve.body, b.reserve.answer, err)
		}
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.buyers = append(tr.buyers, b)
}

// shop is one buyer from start to finish.
func (tr *traffic) shop(rnd *rand.Rand) {
	s := &tr.shelves[rnd.IntN(len(tr.shelves))]
	size := ""
	if n := len(s.sizes); n > 0 {
		size = s.sizes[rnd.IntN(n)]
	}
	b := tr.newBuyer(s, size, rnd.IntN(2) == 0)
	tr.settle(&b.reserve, b.reserve.key != "" || s.limited)
	tr.count(b.reserve.outcome())
	tr.note(b)
	if b.held.ID == 0 {
		return
	}
	then := wish{body: fmt.Sprintf(`{"reservationId":%d}`, b.held.ID)}
	switch n := rnd.IntN(10); {
	case n < 6:
		then.path = "/api/drops/purchase"
	case n < 8:
		then.path = "/api/drops/cancel"
	default:
		return
	}
	if rnd.IntN(2) == 0 {
		then.key = fmt.Sprint("then-", b.user)
	}
	tr.mu.Lock()
	b.then = &then
	tr.mu.Unlock()
	tr.settle(b.then, true)
	tr.count(b.then.outcome())
}

func (c *wish) done() bool { return strings.HasPrefix(c.answer, "200 ") }

// outcome is what the call was and its status, for a tally.
func (c *wish) outcome() string {
	if c.answer == "" {
		return c.path[len("/api/drops/"):] + " unknown"
	}
	return c.path[len("/api/drops/"):] + " " + c.answer[:3]
}

// settle repeats a call until its outcome is known. If it must not be repeated, the outcome may stay unknown.
func (tr *traffic) settle(c *wish, repeat bool) {
	deadline := time.Now().Add(3 * patience)
	for time.Now().Before(deadline) {
		answer, err := tr.send(c)
		switch {
		case err != nil || strings.HasPrefix(answer, "503 ") && strings.Contains(answer, `"outcome_unknown"`):
			c.unknown++
			tr.count(unknown)
			if !repeat {
				return
			}
		case strings.HasPrefix(answer, "503 "): // nothing was done
			tr.count(nothingDone)
		case strings.HasPrefix(answer, "5"):
			tr.t.Errorf("%s %s is answered %s", c.path, c.body, answer)
			return
		default:
			c.answer = answer
			return
		}
		time.Sleep(5 * time.Millisecond) // as long as a client's loop waits
	}
	tr.t.Errorf("%s %s has no outcome", c.path, c.body)
}

// refused is the error of a call that never reached a server.
func refused(err error) bool { return strings.Contains(err.Error(), "connection refused") }

func (tr *traffic) send(c *wish) (string, error) {
	for tries := 0; ; tries++ {
		answer, err := client.Call{URL: tr.next() + c.path, Key: c.key, Body: c.body}.Text(context.Background(), tr.client)
		if err != nil && refused(err) && tries < 5000 {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if f := tr.answered.Load(); f != nil && err == nil {
			(*f)()
		}
		return answer, err
	}
}

// audit runs the program's own audit.
func (tr *traffic) audit() {
	tr.t.Helper()
	out, err := exec.Command("sneakerdrop", "audit", "--database="+tr.books).CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), ": clean\n") {
		tr.t.Fatalf("audit: %v\n%s", err, out)
	}
}

func (tr *traffic) report() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return fmt.Sprintf("%d buyers, %v", len(tr.buyers), tr.tally)
}
