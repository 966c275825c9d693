// Package bus tells the replicas of a shop at once what each of them has changed, over NATS core. Every replica's
// watchers then see a sale immediately. A single server needs no bus: its lanes publish directly to its own watchers.
//
// Ordering: a lane commits, replaces its view, answers, and then publishes here. A message contains the whole state
// of one drop and its version. Of two messages, the one with the higher version counts, in whatever order they
// arrive. A lost one only means that the state is old until the next message, or until the next sweep of the store,
// which is the authority. News for single buyers is sent separately, and once.
//
// Publishing never waits: the newest state of each drop is kept until it can be sent. A NATS is safe for concurrent
// use.
package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// Replica receives what other replicas did. The engine implements it.
type Replica interface {
	// Receive applies one event. It returns false if the event is not news.
	Receive(ev engine.Event) (news bool)
	// Refresh asks for a comparison with the store soon, and does not wait.
	Refresh()
}

// Config says where NATS is and how to sign in there.
type Config struct {
	// Servers are URLs of a single cluster.
	Servers []string
	// Subject is the prefix of the subjects of one shop; see the function Subject.
	Subject string
	// Credentials is a file with a user's JWT and seed. CA, Cert and Key are PEM files. Each may be empty.
	Credentials, CA, Cert, Key string
	// Private also sends news for single buyers, for those who signed in at another replica.
	Private bool
	// Log receives messages about the connection (default slog.Default).
	Log *slog.Logger
}

const (
	// window is the least time between two messages. Changes during it are sent together, with the newest state of
	// each drop.
	window         = 20 * time.Millisecond
	reconnectEvery = 200 * time.Millisecond
	// pingEvery and maxPings limit how long a NATS that vanished silently counts as connected.
	pingEvery, maxPings = 2 * time.Second, 2
	connectTimeout      = 2 * time.Second
	// writeTimeout limits the wait for a NATS that reads nothing.
	writeTimeout = 2 * time.Second
	closeTimeout = time.Second
	// ownedInOne limits a message about single buyers to about 150 KB; NATS allows 1 MB.
	ownedInOne = 1000
	// These limit the number and bytes of messages that wait here. Further ones are dropped, and the next sweep makes
	// up for them.
	maxWaiting, maxWaitingBytes = 8192, 16 << 20
)

// NATS is a bus over NATS core. Create one with Dial.
type NATS struct {
	config  Config
	log     *slog.Logger
	counts  counts
	outbox  *outbox
	conn    *nats.Conn
	subs    []*nats.Subscription
	replica atomic.Pointer[Replica]

	files     atomic.Pointer[files]
	connected atomic.Bool
	stop      chan struct{}
	stopped   chan struct{}
	stopOnce  sync.Once
}

// Subject returns the prefix of a shop's subjects. shop identifies the shop's database.
func Subject(prefix, shop string) string { return prefix + "." + shop }

// Dial starts to connect, and keeps trying without a limit: sales do not depend on NATS. It fails if a file cannot be
// used.
func Dial(c Config) (*NATS, error) {
	n := &NATS{config: c, log: c.Log, stop: make(chan struct{}), stopped: make(chan struct{})}
	if n.log == nil {
		n.log = slog.Default()
	}
	n.outbox = newOutbox(c.Private, &n.counts)
	options, err := n.options()
	if err != nil {
		return nil, err
	}
	if n.conn, err = nats.Connect(strings.Join(c.Servers, ","), options...); err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	if !n.conn.IsConnected() {
		n.log.Warn("NATS is not reachable: watchers see other servers' sales within a second, not at once", "nats", Name(c.Servers))
	}
	go n.send()
	return n, nil
}

func (n *NATS) options() ([]nats.Option, error) {
	o := []nats.Option{
		nats.Name("sneakerdrop"), nats.NoEcho(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectWait(reconnectEvery), nats.ReconnectJitter(reconnectEvery/4, reconnectEvery/4), nats.Timeout(connectTimeout),
		nats.ReconnectBufSize(-1), // old news is not news
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPings), nats.FlusherTimeout(writeTimeout),
		nats.ConnectHandler(func(*nats.Conn) { n.came() }), nats.ReconnectHandler(func(*nats.Conn) { n.came() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { n.went(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { n.complain(err) }),
	}
	f, err := readFiles(n.config)
	if err != nil {
		return nil, err
	}
	n.files.Store(f)
	return append(o, n.secrets()...), nil
}

// Name returns the servers' locations, without the users and passwords in their URLs.
func Name(servers []string) string {
	bare := make([]string, len(servers))
	for i, s := range servers {
		scheme, rest, _ := strings.Cut(s, "://")
		bare[i] = scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
	}
	return strings.Join(bare, ",")
}

// Subscribe passes other replicas' messages to r from now on.
func (n *NATS) Subscribe(r Replica) error {
	n.replica.Store(&r)
	if err := n.subscribe("drops", decodeState); err != nil {
		return err
	}
	if n.config.Private {
		if err := n.subscribe("buyers", decodeOwned); err != nil {
			return err
		}
	}
	if n.conn.IsConnected() { // a server that reports ready must already receive others' messages
		if err := n.conn.FlushTimeout(closeTimeout); err != nil {
			n.log.Warn("NATS does not answer", "error", err)
		}
	}
	return nil
}

func (n *NATS) subscribe(about string, decode func([]byte) (engine.Event, error)) error {
	sub, err := n.conn.Subscribe(n.config.Subject+"."+about, func(m *nats.Msg) {
		ev, err := decode(m.Data)
		switch {
		case errors.Is(err, errForeign):
			n.counts.foreign.Add(1)
		case err != nil:
			n.counts.invalid.Add(1)
			n.log.Debug("a message that no server has sent", "subject", m.Subject, "error", err)
		case (*n.replica.Load()).Receive(ev):
			n.counts.taken.Add(1)
		default:
			n.counts.older.Add(1)
		}
	})
	if err == nil {
		err = sub.SetPendingLimits(maxWaiting, maxWaitingBytes)
		n.subs = append(n.subs, sub)
	}
	if err != nil {
		return fmt.Errorf("subscribe to %s.%s: %w", n.config.Subject, about, err)
	}
	return nil
}

// missed counts messages that arrived faster than they could be applied.
func (n *NATS) missed() int64 {
	sum := 0
	for _, s := range n.subs {
		if dropped, err := s.Dropped(); err == nil {
			sum += dropped
		}
	}
	return int64(sum)
}

// Publish tells other replicas what a lane here has changed. They already know what others have done. It does not
// wait.
func (n *NATS) Publish(ev engine.Event) {
	if !ev.Elsewhere && ev.View != nil {
		n.outbox.put(&ev)
	}
}

// Connected reports whether NATS is connected.
func (n *NATS) Connected() bool { return n.connected.Load() }

// came is called with each new connection. What was said without one is in the store.
func (n *NATS) came() {
	if n.connected.Swap(true) {
		return
	}
	n.log.Info("NATS is connected", "nats", Name(n.config.Servers), "subject", n.config.Subject)
	if r := n.replica.Load(); r != nil {
		(*r).Refresh()
	}
}

func (n *NATS) went(err error) {
	if !n.connected.Swap(false) {
		return
	}
	n.counts.disconnects.Add(1)
	select {
	case <-n.stop:
	default:
		n.log.Warn("NATS disconnected: watchers see other servers' sales within a second, not at once", "error", err)
	}
}

func (n *NATS) complain(err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		if r := n.replica.Load(); r != nil {
			(*r).Refresh()
		}
	}
	n.log.Warn("NATS reported an error", "error", err)
}

// send sends the outbox until Close: at once after a quiet time, and then as often as the window allows.
func (n *NATS) send() {
	defer close(n.stopped)
	rest := time.NewTimer(window)
	defer rest.Stop()
	for {
		select {
		case <-n.outbox.awake:
		case <-n.stop:
			n.flush()
			return
		}
		n.flush()
		rest.Reset(window)
		select {
		case <-rest.C:
		case <-n.stop:
		}
	}
}

func (n *NATS) flush() {
	drops, entries := n.outbox.drain()
	for _, p := range drops {
		data, err := encodeState(p.view, p.moved, p.bought)
		n.say("drops", data, err)
	}
	for len(entries) > 0 {
		some := entries[:min(len(entries), ownedInOne)]
		entries = entries[len(some):]
		var reservations []drop.Reservation
		var purchases []drop.Purchase
		for _, e := range some {
			if e.reservation.ID != 0 {
				reservations = append(reservations, e.reservation)
			} else {
				purchases = append(purchases, e.purchase)
			}
		}
		data, err := encodeOwned(reservations, purchases)
		n.say("buyers", data, err)
	}
}

func (n *NATS) say(about string, data []byte, err error) {
	if err == nil {
		err = n.conn.Publish(n.config.Subject+"."+about, data)
	}
	if err != nil {
		n.counts.lost.Add(1)
		n.log.Debug("news for other servers is lost", "about", about, "error", err)
		return
	}
	n.counts.sent.Add(1)
}

// Close sends what is waiting, for a second at most, and ends. A second Close does nothing.
func (n *NATS) Close() {
	n.stopOnce.Do(func() {
		close(n.stop)
		<-n.stopped
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		if n.Connected() {
			if err := n.conn.FlushWithContext(ctx); err != nil {
				n.log.Warn("the last news may not have reached other servers", "error", err)
			}
		}
		n.conn.Close()
	})
}
