package test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
)

const twins = 200

// A call that is repeated under one key takes effect once, even if the server is killed during the call.
func TestCrash_TwinsUnderOneKeyHaveOneEffect(t *testing.T) {
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) { crash(t, "sqlite:sneakerdrop.db") })
	t.Run("PostgreSQL", func(t *testing.T) { crash(t, pgtest.Database(t)) })
}

func crash(t *testing.T, database string) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := &crasher{t: t, dir: t.TempDir(), args: []string{"--database=" + database, "--hold=1h"}, rnd: rand.New(rand.NewPCG(seed, 0))}
	c.client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: twins}}
	defer c.client.CloseIdleConnections()
	c.start()

	// A creation that the crash rolled back may have used up number 1.
	made := id(t, c.twins("/api/drops/create", "make", `{"name":"Crash","price":120,"total_stock":1000,"start_time":"2020-01-01T00:00:00Z"}`))
	for i := range 3 {
		held := c.twins("/api/drops/reserve", fmt.Sprintf("hold-%d", i), fmt.Sprintf(`{"dropId":%d,"userId":7}`, made))
		key := fmt.Sprintf("buy-%d", i)
		if i == 2 {
			key = "" // a purchase is unique without a key
		}
		c.twins("/api/drops/purchase", key, fmt.Sprintf(`{"reservationId":%d}`, id(t, held)))
	}
	c.twins(fmt.Sprintf("/api/drops/%d/restock", made), "more", `{"add":5}`)
	c.checkOutcome()
	if c.lost.Load() == 0 {
		t.Error("no call lost its answer: the server was never killed at work")
	}

	cmd := exec.CommandContext(t.Context(), "sneakerdrop", "audit", c.args[0])
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	if want := "audit: 1 drop, 3 reservations, 3 purchases, 8 ledger entries: clean\n"; err != nil || !strings.HasSuffix(string(out), want) {
		t.Errorf("audit: %v\n%s", err, out)
	}
}

// crasher is a server that is killed repeatedly, and its clients.
type crasher struct {
	t      *testing.T
	dir    string
	args   []string
	rnd    *rand.Rand
	client *http.Client
	server *server
	url    atomic.Pointer[string] // of the server that runs now
	lost   atomic.Int64           // calls that a dying server did not answer
}

func (c *crasher) start() {
	c.server = startFor(c.t, c.dir, c.args...)
	c.url.Store(&c.server.url)
}

// twins sends one call 200 times at once, kills the server meanwhile and starts the next one. Each twin asks until it
// has its answer. It returns the answer that all of them got.
func (c *crasher) twins(path, key, body string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	answers := make(map[string]int)
	var mu sync.Mutex
	var clients sync.WaitGroup
	for range twins {
		clients.Go(func() {
			answer := c.persist(ctx, path, key, body)
			mu.Lock()
			answers[answer]++
			mu.Unlock()
		})
	}
	time.Sleep(time.Duration(c.rnd.IntN(30_000)) * time.Microsecond) // at any time between the first request and the last answer
	if _, err := c.server.stop(syscall.SIGKILL); err != nil {
		c.t.Fatal(err)
	}
	c.start()
	clients.Wait()
	if len(answers) != 1 {
		c.t.Fatalf("%s under the key %q had %d different answers: %v", path, key, len(answers), answers)
	}
	for answer, n := range answers {
		if !strings.HasPrefix(answer, "200 ") || n != twins {
			c.t.Fatalf("%d times %s", n, answer)
		}
		return answer
	}
	return ""
}

// persist repeats a call until there is an answer other than a connection error, a 5xx, or 409 in_flight.
func (c *crasher) persist(ctx context.Context, path, key, body string) string {
	for ctx.Err() == nil {
		answer, err := client.Call{URL: *c.url.Load() + path, Key: key, Body: body}.Text(ctx, c.client)
		if err == nil && !strings.HasPrefix(answer, "5") && !strings.Contains(answer, `"in_flight"`) {
			return answer
		}
		c.lost.Add(1)
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
	return "no answer"
}

// checkOutcome counts: one drop, and three pairs sold of 1,005.
func (c *crasher) checkOutcome() {
	c.t.Helper()
	res, err := c.client.Get(c.server.url + "/api/drops")
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	var drops []struct {
		Total     int `json:"total_stock"`
		Available int `json:"available_stock"`
		Purchases []struct{ ID int64 }
	}
	if err := json.NewDecoder(res.Body).Decode(&drops); err != nil {
		c.t.Fatal(err)
	}
	if len(drops) != 1 || drops[0].Total != 1005 || drops[0].Available != 1002 || len(drops[0].Purchases) != 3 {
		c.t.Errorf("%+v", drops)
	}
}

// id returns the id of the object in an answer.
func id(t *testing.T, answer string) int64 {
	t.Helper()
	var v struct{ ID int64 }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(answer, "200 ")), &v); err != nil || v.ID == 0 {
		t.Fatalf("no id in %s", answer)
	}
	return v.ID
}
