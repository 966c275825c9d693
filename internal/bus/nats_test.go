package bus_test

import (
	"fmt"
	"log/slog"
	"net"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/testing/await"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*Server).Start.func1"))
}

// broker starts NATS in this process, on the given port or, with -1, on a free one.
func broker(t *testing.T, o server.Options) *server.Server {
	t.Helper()
	o.Host, o.NoSigs, o.NoLog = "127.0.0.1", true, true
	o.NoSystemAccount = true // its subscriptions would count among those that joined waits for
	if o.Port == 0 {
		o.Port = -1
	}
	s, err := server.NewServer(&o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(await.Patience) {
		t.Fatal("NATS does not start")
	}
	t.Cleanup(func() { end(s) })
	return s
}

func end(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// replica records what it is told about others.
type replica struct {
	mu        sync.Mutex
	told      []engine.Event
	refreshes int
	older     bool // everything it is told is old
}

func (r *replica) Receive(ev engine.Event) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, ev)
	return !r.older
}

func (r *replica) Refresh() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refreshes++
}

func (r *replica) look(see func(told []engine.Event, refreshes int) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return see(r.told, r.refreshes)
}

func join(t *testing.T, url string, change func(*bus.Config)) (*bus.NATS, *replica) {
	t.Helper()
	c := bus.Config{Servers: []string{url}, Subject: bus.Subject("sneakerdrop", "shop"), Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	n, err := bus.Dial(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	r := &replica{}
	if err := n.Subscribe(r); err != nil {
		t.Fatal(err)
	}
	return n, r
}

// joined waits until the server knows about the given number of subscriptions.
func joined(t *testing.T, s *server.Server, subscriptions uint32) {
	t.Helper()
	await.Until(t, fmt.Sprint(subscriptions, " subscriptions"), func() bool { return s.NumSubscriptions() >= subscriptions })
}

func private(c *bus.Config) { c.Private = true }

// happened returns an event with every possible content.
func happened(version int64) engine.Event {
	d := drop.Drop{
		ID:        7,
		Version:   version,
		CreatedAt: 1_600_000_000_000,
		Sizes: []drop.Size{
			{Label: "9", Stock: drop.Stock{Total: 5, Available: 2, Held: 2, Sold: 1}, Waiting: 3, Pending: 1}, {Label: "9½"},
		},
		Settings: drop.Settings{
			Name: "Air Zenith 1 ☆ \"x\"", Price: 12995, StartTime: 1_700_000_000_000, ImageURL: "https://shop.example/1.jpg",
			LimitPerUser: 2, MaxExpiredHolds: 3, Waitlist: true, OfferFor: 900, MaxWaiting: 70, OffersCount: true, Paused: true, Hidden: true, Archived: true,
		},
	}
	recent := []drop.Recent{{ID: drop.NewPurchaseID(7, 4), Username: "ann", CreatedAt: 1_700_000_000_001}}
	ended := &drop.Reservation{
		ID: drop.NewReservationID(7, 9), UserID: 5, Size: "9", Status: drop.Completed, CreatedAt: 1_700_000_000_000, ExpiresAt: 1_700_000_060_000,
		EndedAt: 1_700_000_000_001,
	}
	return engine.Event{
		View: engine.NewView(d, recent, 5, 4),
		Ledger: []drop.LedgerEntry{
			{Seq: 20, At: 1_700_000_000_001, Size: "9", Reason: drop.Reserved, Units: 1, Available: 2},
			{Seq: 21, At: 1_700_000_000_001, Size: "9", Reason: drop.Purchased, Units: 1, Available: 2},
		},
		Purchases: []drop.Purchase{
			{ID: drop.NewPurchaseID(7, 4), ReservationID: ended.ID, UserID: 5, Size: "9", Price: 12995, CreatedAt: 1_700_000_000_001},
			{ID: drop.NewPurchaseID(7, 5), ReservationID: ended.ID + 1, UserID: 1 << 41, Price: 12995, CreatedAt: 1_700_000_000_001},
		},
		Made: []*drop.Reservation{{
			ID: drop.NewReservationID(7, 10), UserID: 1 << 41, Size: "9", Status: drop.Active, CreatedAt: 1_700_000_000_001,
			ExpiresAt: 1_700_000_060_001, Offer: true,
		}},
		Ended: []*drop.Reservation{ended},
	}
}

func TestNATS_TellsOthersAllThatWatchersNeed(t *testing.T) {
	s := broker(t, server.Options{})
	a, atA := join(t, s.ClientURL(), private)
	_, atB := join(t, s.ClientURL(), private)
	joined(t, s, 4)
	ev := happened(3)
	a.Publish(ev)
	var states, own []engine.Event
	await.Until(t, "state, and what is buyers' own", func() bool {
		return atB.look(func(told []engine.Event, _ int) bool {
			states, own = nil, nil
			for _, ev := range told {
				if ev.View != nil {
					states = append(states, ev)
				} else {
					own = append(own, ev)
				}
			}
			return len(states) > 0 && len(own) > 0
		})
	})
	got := states[0]
	newest, listed := got.View.Purchased()
	if !reflect.DeepEqual(got.View.Drop, ev.View.Drop) || !reflect.DeepEqual(got.View.Recent, ev.View.Recent) || newest != 5 || listed != 4 {
		t.Errorf("the state arrived as %+v, %d, %d", got.View, newest, listed)
	}
	if len(got.Ledger) != 1 || got.Ledger[0] != ev.Ledger[0] {
		t.Errorf("what moved stock last arrived as %+v", got.Ledger)
	}
	if len(got.Purchases) != 1 || got.Purchases[0] != ev.Purchases[1] || len(own[0].Purchases) != 1 || own[0].Purchases[0] != ev.Purchases[0] {
		t.Errorf("purchases arrived as %+v and %+v", got.Purchases, own[0].Purchases)
	}
	if !reflect.DeepEqual(own[0].Made, ev.Made) || !reflect.DeepEqual(own[0].Ended, ev.Ended) {
		t.Errorf("reservations arrived as %+v and %+v", own[0].Made, own[0].Ended)
	}
	if !atA.look(func(told []engine.Event, _ int) bool { return len(told) == 0 }) {
		t.Error("its own news came back")
	}
}

// Watchers at other servers are told of a unit that came back as at this one: it is restocked. So is one that left the
// total. That somebody pays says nothing about the stock, nor does a unit that came back and went to a waitlist.
func TestNATS_UnitsThatCameBackAreRestocked(t *testing.T) {
	s := broker(t, server.Options{})
	a, _ := join(t, s.ClientURL(), nil)
	_, atB := join(t, s.ClientURL(), nil)
	joined(t, s, 2)
	for i, c := range []struct {
		reasons []drop.Reason
		want    drop.Reason
	}{
		{[]drop.Reason{drop.Returned, drop.PaymentStarted, drop.Purchased}, drop.Restocked},
		{[]drop.Reason{drop.PaymentStarted}, ""},
		{[]drop.Reason{drop.WrittenOff}, drop.Restocked},
		{[]drop.Reason{drop.Returned, drop.OfferDeclined, drop.Reserved}, drop.Reserved},
		{[]drop.Reason{drop.ReservationExpired, drop.WaitlistOffered}, ""},
		{[]drop.Reason{drop.OfferExpired}, drop.ReservationExpired},
		{[]drop.Reason{drop.WaitlistFreed}, drop.ReservationCancelled},
		{[]drop.Reason{drop.WaitlistKept}, drop.Reserved},
	} {
		ev := happened(int64(3 + i))
		ev.Ledger, ev.Purchases = nil, nil
		for _, reason := range c.reasons {
			ev.Ledger = append(ev.Ledger, drop.LedgerEntry{Seq: 20, At: 1_700_000_000_001, Size: "9", Reason: reason, Units: 1, Available: 2})
		}
		a.Publish(ev)
		var got engine.Event
		await.Until(t, fmt.Sprint("version ", 3+i), func() bool {
			return atB.look(func(told []engine.Event, _ int) bool {
				if len(told) > i {
					got = told[i]
				}
				return len(told) > i
			})
		})
		reason := drop.Reason("")
		if len(got.Ledger) > 0 {
			reason = got.Ledger[0].Reason.Shown()
		}
		if reason != c.want || got.View.Drop.Version != int64(3+i) || len(got.Ledger) > 0 != (c.want != "") {
			t.Errorf("%v arrived as %q: %+v", c.reasons, reason, got.Ledger)
		}
	}
}

// If nobody signs in, news for single buyers is not sent.
func TestNATS_WithoutSignInSaysNothingOfBuyers(t *testing.T) {
	s := broker(t, server.Options{})
	a, _ := join(t, s.ClientURL(), nil)
	listener, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	said, err := listener.SubscribeSync(">")
	if err != nil {
		t.Fatal(err)
	}
	joined(t, s, 2)
	a.Publish(happened(3))
	m, err := said.NextMsg(await.Patience)
	if err != nil || m.Subject != "sneakerdrop.shop.drops" {
		t.Fatalf("%v, %v", m, err)
	}
	a.Close() // sends what is waiting first
	if err := listener.Flush(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := said.Pending(); n != 0 || err != nil {
		t.Errorf("%d more messages: %v", n, err)
	}
}

func TestNATS_WhatOthersDidIsNotToldAgain(t *testing.T) {
	s := broker(t, server.Options{})
	a, _ := join(t, s.ClientURL(), nil)
	_, atB := join(t, s.ClientURL(), nil)
	joined(t, s, 2)
	theirs := happened(3)
	theirs.Elsewhere = true
	a.Publish(theirs)
	a.Publish(engine.Event{Made: theirs.Made})
	a.Publish(happened(4))
	await.Until(t, "news", func() bool { return atB.look(func(told []engine.Event, _ int) bool { return len(told) > 0 }) })
	if !atB.look(func(told []engine.Event, _ int) bool { return len(told) == 1 && told[0].View.Drop.Version == 4 }) {
		t.Errorf("told %+v", atB.told)
	}
}

// Two shops share one NATS, and receive nothing from each other.
func TestNATS_ShopsAreApart(t *testing.T) {
	s := broker(t, server.Options{})
	a, _ := join(t, s.ClientURL(), nil)
	_, atB := join(t, s.ClientURL(), nil)
	_, other := join(t, s.ClientURL(), func(c *bus.Config) { c.Subject = bus.Subject("sneakerdrop", "another") })
	joined(t, s, 3)
	a.Publish(happened(3))
	await.Until(t, "news", func() bool { return atB.look(func(told []engine.Event, _ int) bool { return len(told) == 1 }) })
	if !other.look(func(told []engine.Event, _ int) bool { return len(told) == 0 }) {
		t.Error("another shop was told")
	}
}

// gauge reads one metric.
func gauge(t *testing.T, c prometheus.Collector, name, outcome string) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(c)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (outcome == "" || m.GetLabel()[0].GetValue() == outcome) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	t.Fatalf("no metric %s %s", name, outcome)
	return 0
}

// A NATS that is away at the start, or goes away later, is waited for. At each connection everything is compared with
// the store.
func TestNATS_AwayAndBack(t *testing.T) {
	s := broker(t, server.Options{})
	port := s.Addr().(*net.TCPAddr).Port
	url := s.ClientURL()
	end(s)
	a, _ := join(t, url, nil)
	b, atB := join(t, url, nil)
	for round := 1; round <= 2; round++ {
		if a.Connected() || gauge(t, a, "sneakerdrop_bus_connected", "") != 0 {
			t.Fatal("connected to a server that is away")
		}
		a.Publish(happened(int64(round)))
		await.Until(t, "what cannot be said is counted", func() bool { return gauge(t, a, "sneakerdrop_bus_sent_total", "lost") == float64(round) })
		s = broker(t, server.Options{Port: port})
		await.Until(t, "both connected, and compared with the store", func() bool {
			return a.Connected() && b.Connected() && atB.look(func(_ []engine.Event, refreshes int) bool { return refreshes == round })
		})
		if n := gauge(t, a, "sneakerdrop_bus_connected", ""); n != 1 {
			t.Errorf("sneakerdrop_bus_connected is %v", n)
		}
		await.Until(t, "news", func() bool { // messages sent before the server knows the subscriptions are lost
			a.Publish(happened(int64(10 * round)))
			return atB.look(func(told []engine.Event, _ int) bool {
				return len(told) > 0 && told[len(told)-1].View.Drop.Version == int64(10*round)
			})
		})
		end(s)
		await.Until(t, "both notice", func() bool { return !a.Connected() && !b.Connected() })
	}
	if n := gauge(t, b, "sneakerdrop_bus_disconnects_total", ""); n != 2 {
		t.Errorf("%v disconnects, want 2", n)
	}
}

// deaf is a NATS that greets and then reads nothing.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			all = append(all, c)
			mu.Unlock()
			_, _ = c.Write([]byte(`INFO {"server_id":"x","version":"2.15.2","max_payload":1048576,"headers":true}` + "\r\nPONG\r\n"))
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		mu.Lock()
		defer mu.Unlock()
		for _, c := range all {
			_ = c.Close()
		}
	})
	return "nats://" + l.Addr().String()
}

// A lane that publishes must never wait for NATS. Whatever NATS does, the newest state waits and the rest is counted.
func TestNATS_PublishingNeverWaits(t *testing.T) {
	a, _ := join(t, deaf(t), private)
	ev := happened(1)
	for range 2000 {
		ev.Made = append(ev.Made, ev.Made[0])
	}
	const times = 20_000
	began := time.Now()
	for version := range int64(times) {
		d := ev.View.Drop
		d.Version = version + 1
		ev.View = engine.NewView(d, nil, 0, 0)
		if version == 100 {
			ev.Made, ev.Ended = nil, nil
		}
		a.Publish(ev)
	}
	if took := time.Since(began); took > await.Patience {
		t.Errorf("%d events took %s", times, took)
	}
	merged, lost := gauge(t, a, "sneakerdrop_bus_sent_total", "merged"), gauge(t, a, "sneakerdrop_bus_sent_total", "lost")
	if merged == 0 || lost == 0 {
		t.Errorf("%v merged, %v lost", merged, lost)
	}
}

// Messages from another version of the program, or from anybody else who writes to our subjects, are counted and do
// no harm.
func TestNATS_WhatIsNotUnderstoodIsCounted(t *testing.T) {
	s := broker(t, server.Options{})
	a, atA := join(t, s.ClientURL(), private)
	b, _ := join(t, s.ClientURL(), private)
	stranger, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	joined(t, s, 4)
	for _, text := range []string{
		``, `x`, `null`, `{}`, `[]`, `{"format":1}`, `{"format":1,"id":7,"version":2,"sizes":[]}`, `{"format":-1}`,
		`{"format":1,"id":7,"version":2,"name":"x","sizes":[{"total":1,"available":2}]}`, "\x00\xff",
	} {
		if err := stranger.Publish("sneakerdrop.shop.drops", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{`{"format":2,"id":"seven"}`, `{"format":2,"id":7,"version":2}`, `{"format":9}`} {
		if err := stranger.Publish("sneakerdrop.shop.drops", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := stranger.Publish("sneakerdrop.shop.buyers", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := stranger.Publish("sneakerdrop.shop.buyers", []byte(`{"format":1,"reservations":[{"id":1}]}`)); err != nil {
		t.Fatal(err)
	}
	if err := stranger.Flush(); err != nil {
		t.Fatal(err)
	}
	await.Until(t, "all are counted", func() bool {
		return gauge(t, a, "sneakerdrop_bus_received_total", "invalid") == 11 && gauge(t, a, "sneakerdrop_bus_received_total", "foreign") == 6
	})
	b.Publish(happened(3))
	await.Until(t, "what is understood", func() bool {
		return atA.look(func(told []engine.Event, _ int) bool { return len(told) == 2 }) && gauge(t, a, "sneakerdrop_bus_received_total", "taken") == 2
	})
	atA.mu.Lock()
	atA.older = true
	atA.mu.Unlock()
	b.Publish(happened(2))
	await.Until(t, "what is no news", func() bool { return gauge(t, a, "sneakerdrop_bus_received_total", "older") == 2 })
}
