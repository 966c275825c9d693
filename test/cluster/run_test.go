//go:build linux && cluster

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/histories"
	"sneakerdrop/internal/testing/receiver"
	"sneakerdrop/internal/testing/stores"
)

// within is how long the shop may have no sales after a fault is repaired: Patroni replaces a silent primary after 20
// s.
const within = time.Minute

// promised is the time after which the shop sells once the databases accept writes again: 5 s, and three times that
// on a busy machine.
const promised = 15 * time.Second

// The test kills, freezes, disconnects and restarts each part of a cluster while buyers continue. The cluster has
// three PostgreSQL servers under Patroni, three etcd, three NATS, three replicas and HAProxy. Everything acknowledged
// is there, nothing is sold twice, and the shop recovers by itself.
func TestCluster_LosesNothingAndComesBack(t *testing.T) {
	seed := number(t, "SEED", uint64(time.Now().UnixNano()))
	faults := int(number(t, "FAULTS", 10))
	only, err := regexp.Compile(os.Getenv("KINDS"))
	must(t, err)
	plan := newPlan(seed, faults, entered(), only)
	fmt.Printf("SEED=%d: %d faults\n", seed, len(plan))
	table := &table{seed: seed, began: time.Now()}
	defer func() { fmt.Print(table) }()
	endEarly(table)
	c := newCluster(t)
	crowd := newCrowd(t, c.shop(), seed)
	defer crowd.client.CloseIdleConnections()
	c.events = client.ReadPurchases(t.Context(), crowd.client, c.shop)
	defer c.events.End()
	c.receive(t, crowd.client)
	for i, s := range plan {
		o := c.suffer(t, crowd, i, s)
		table.add(o)
		fmt.Println(o)
		if t.Failed() {
			fmt.Printf("replay: make cluster SEED=%d FAULTS=%d KINDS=%q\n", seed, faults, only)
			return
		}
	}
	shelves, err := crowd.offer(t.Context(), len(plan))
	must(t, err)
	c.watchThrough(t, crowd, shelves[0])
	c.auditAll(t)
}

// endEarly makes a signal end everything at once, and prints the table so far.
func endEarly(table *table) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Print("stopped early\n", table)
		if err := endAll(); err != nil {
			fmt.Println(err)
		}
		os.Exit(1)
	}()
}

func number(t testing.TB, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// suffer causes one fault while buyers buy, waits until everything is back, and checks.
func (c *cluster) suffer(t testing.TB, crowd *crowd, round int, s step) *outcome {
	t.Helper()
	o := &outcome{step: s}
	crowd.begin()
	shelves, err := crowd.offer(t.Context(), round)
	must(t, err)
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var buying sync.WaitGroup
	buying.Go(func() { crowd.come(ctx, shelves) })
	defer func() { crowd.leave.Store(true); leave(); buying.Wait(); crowd.leave.Store(false) }() // if the test ends early
	outside := histories.NewOutside(t, c.replicas(), hold, s.seed)
	buying.Go(func() { outside.Run(ctx) })
	probe := c.startProbe(ctx)
	opened := time.Now()
	c.await(t, "the shop sells", func(context.Context) error {
		if n, _ := sales(crowd.since(opened), opened, time.Now()); n < 100 {
			return fmt.Errorf("%d sales", n)
		}
		return nil
	})
	sc := &scene{cluster: c, rnd: rand.New(rand.NewPCG(s.seed, 0))}
	c.await(t, "the roles are clear", func(ctx context.Context) (err error) {
		sc.roles, err = c.roles(ctx)
		return err
	})
	time.Sleep(time.Duration(sc.rnd.Int64N(int64(500 * time.Millisecond)))) // at any time during the load
	o.struck = time.Now()
	mend, err := s.strike(sc)
	must(t, err)
	o.detail = sc.detail
	time.Sleep(s.last) // that is the fault's effect
	o.mended = time.Now()
	must(t, mend())
	c.awaitBack(t, crowd, shelves[0], o)
	leave()
	buying.Wait()
	o.judge(crowd, probe)
	c.conclude(t, crowd, shelves, outside, o)
	return o
}

// awaitBack waits until everything is as before the fault, and the shop sells to new buyers.
func (c *cluster) awaitBack(t testing.TB, crowd *crowd, s *shelf, o *outcome) {
	t.Helper()
	began := time.Now()
	b := crowd.buy(s, rand.New(rand.NewPCG(0, 0)))
	if took := time.Since(began); !b.reserve.done() || took > within {
		t.Fatalf("%s: %s after its end the shop answers %q", o.name, took, b.reserve.answer)
	}
	if err := poll(t.Context(), 2*patience, c.whole); err != nil {
		t.Fatalf("%s: not everything is back %s after its end: %v", o.name, time.Since(o.mended), err)
	}
	o.over = time.Now()
}

// conclude checks the effects of the fault.
func (c *cluster) conclude(t testing.TB, crowd *crowd, shelves []*shelf, outside *histories.Outside, o *outcome) {
	t.Helper()
	books, err := c.books(t.Context())
	must(t, err)
	defer books.Close()
	v, err := check(t.Context(), books, crowd, shelves, rand.New(rand.NewPCG(o.seed, 1)))
	must(t, err)
	o.verdict = *v
	if wrong := c.readEvents(t.Context(), books, shelves); wrong != nil {
		t.Errorf("%s (%s): %v", o.name, o.detail, wrong)
	}
	o.history = outside.Verify(books)
	for _, what := range v.what {
		t.Errorf("%s (%s): %s", o.name, o.detail, what)
	}
	if o.shop > promised {
		t.Errorf("%s (%s): the shop sold %s after the databases took writes", o.name, o.detail, o.shop)
	}
	if o.expect != nil {
		if wrong := o.expect(o); wrong != nil {
			t.Errorf("%s (%s): %v", o.name, o.detail, wrong)
		}
	}
}

// receive starts a receiver of webhooks, and creates its endpoint.
func (c *cluster) receive(t testing.TB, via *http.Client) {
	t.Helper()
	c.hook = receiver.GoAt(t, c.network.outside())
	status, body, err := client.Call{
		URL: c.shop() + "/api/webhooks", Body: fmt.Sprintf(`{"url":%q,"types":["purchase.completed"]}`, c.hook.URL),
	}.Do(t.Context(), via)
	must(t, err)
	var made struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal([]byte(body), &made); err != nil || status != http.StatusOK {
		t.Fatalf("the new webhook is answered %d %s", status, body)
	}
	c.hook.Secret(made.Secret)
}

// readEvents waits until the feed's reader and the receiver of the webhook have seen each purchase, and returns what
// is wrong.
func (c *cluster) readEvents(ctx context.Context, books store.Store, shelves []*shelf) error {
	want := make(map[int64]int)
	for _, s := range shelves {
		stored, err := stores.ReadBooks(ctx, books, drop.ID(s.id))
		if err != nil {
			return err
		}
		want[s.id] = len(stored.Purchases)
	}
	return poll(ctx, patience, func(context.Context) error { return errors.Join(c.events.Are(want), c.received(want)) })
}

// received returns nil if the webhook has brought exactly so many purchases of each of these drops, each drop's in
// order.
func (c *cluster) received(want map[int64]int) error {
	messages := c.hook.Messages()
	if err := receiver.Order(messages); err != nil {
		return err
	}
	first, got := receiver.First(messages, string(events.PurchaseCompleted)), make(map[int64]int)
	for id := range want {
		got[id] = len(first[id])
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("the webhook has brought so many purchases, by drop: %v; stored are %v", got, want)
	}
	return nil
}

// auditAll lets the program itself audit everything that was sold.
func (c *cluster) auditAll(t testing.TB) {
	t.Helper()
	cmd := exec.Command(c.binary, "audit")
	cmd.Env = append(os.Environ(), "SNEAKERDROP_DATABASE="+c.databaseURL())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(string(out), ": clean\n") {
		t.Errorf("audit: %v\n%s", err, out)
	}
}
