package app

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sockets"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/web"
	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
)

// server has the parts that exist so far.
type server struct {
	Config

	waits    func(why string) // called with the reason why the server waits for its store
	door     *door
	store    store.Store
	hub      *live.Hub
	bus      *bus.NATS // nil for none
	engine   *engine.Engine
	paid     *paid // nil: no payments
	sockets  *sockets.Sockets
	streams  *sse.Streams
	desk     *drawing.Desk
	feed     *events.Feed
	hooks    *webhooks.Deliverer
	stopping chan struct{} // closed once the server stops, for calls that wait for events
	registry *prometheus.Registry
	handler  http.Handler
	url      string // where a browser finds it; empty until it serves
}

// parts returns all parts of a server, in the order in which they start.
func (s *server) parts() []part {
	return []part{
		s.takeIdentity, s.openWaitingRoom, s.openStore, s.fill, s.makeHub, s.dialBus, s.makeCalls, s.openDiagnostics, s.startEngine, s.subscribeBus,
		s.startWebhooks, s.warnOfPayments, s.startPayments, s.startDraws, s.startJobs, s.openDoor, s.startReloading,
	}
}

func (s *server) takeIdentity(context.Context) (end stop, err error) {
	if v := s.API.Identity; v != nil {
		end = ends(v.Close)
	}
	return end, nil
}

// openWaitingRoom answers health checks while the server waits for its store.
func (s *server) openWaitingRoom(ctx context.Context) (end stop, err error) {
	room := new(waitingRoom)
	if s.waits = room.say; !s.AnswerWhileWaiting {
		return end, nil
	}
	if s.door, err = s.Config.openDoor(ctx); err != nil {
		return nil, err
	}
	s.door.lead(room)
	return ends(s.door.close), nil
}

func (s *server) openStore(ctx context.Context) (end stop, err error) {
	if s.store, err = s.Open(ctx, s.waits); err != nil {
		return nil, err
	}
	return func(context.Context) error { return s.store.Close() }, nil
}

func (s *server) fill(ctx context.Context) (end stop, err error) {
	if s.Fill == nil {
		return end, nil
	}
	return nil, ofDatabase(s.Fill(ctx, s.store))
}

func ofDatabase(err error) error {
	if err != nil {
		return &SettingError{"database", err}
	}
	return nil
}

func (s *server) makeHub(context.Context) (stop, error) {
	s.hub = live.New(live.Config{Private: s.API.Identity != nil})
	return ends(s.hub.Close), nil
}

// dialBus starts to connect to NATS.
func (s *server) dialBus(ctx context.Context) (end stop, err error) {
	if s.Bus == nil {
		return end, nil
	}
	named, ok := s.store.(interface { // only some stores can identify their database
		DatabaseID(ctx context.Context) (string, error)
	})
	if !ok {
		return nil, &SettingError{"nats", errors.New("it needs PostgreSQL")}
	}
	id, err := named.DatabaseID(ctx)
	if err != nil {
		return nil, err
	}
	c := *s.Bus
	c.Subject, c.Private, c.Log = bus.Subject(c.Subject, id), s.API.Identity != nil, s.Log
	if s.bus, err = bus.Dial(c); err != nil {
		return nil, &SettingError{"nats", err}
	}
	return ends(s.bus.Close), nil // Close sends what is still waiting
}

// publish passes the engine's events to the watchers here and, over the bus, to other servers.
func (s *server) publish(ev engine.Event) {
	s.hub.Publish(ev)
	if s.bus != nil {
		s.bus.Publish(ev)
	}
}

// makeCalls makes the engine and everything that is served at Address: the pages, the API, sockets and event streams.
func (s *server) makeCalls(context.Context) (end stop, err error) {
	metrics := engine.NewMetrics()
	lanes := s.Engine
	lanes.Metrics, lanes.Publish, lanes.Log = metrics, s.publish, s.Log
	s.engine = engine.New(s.store, lanes)
	s.makePayments()
	draws := drawing.NewMetrics()
	s.desk = drawing.New(s.engine, drawing.Options{Logger: s.Log, BeaconURL: s.BeaconURL, Metrics: draws})
	var identify sockets.Identify
	if s.API.Identity != nil {
		identify = (&shop.SignIn{Tokens: s.API.Identity, Engine: s.engine}).Buyer
	}
	s.sockets = sockets.New(s.hub, socketio.Options{Options: engineio.Options{
		Origins: s.API.AllowedOrigins, MaxConnections: s.MaxSockets, MaxConnectionsPerAddress: s.SocketsPerAddress, Log: s.Log,
		Address: func(r *http.Request) string { return limit.Caller(limit.ClientAddress(r, nil)).String() },
	}}, identify)
	s.streams = sse.New(s.hub, s.MaxSockets, s.SocketsPerAddress)
	c := s.API
	c.Draws = s.desk
	s.feed = events.New(s.store, s.engine, c.Currency.Code, s.Log)
	sender := webhooks.NewSender(s.Webhooks)
	delivered := webhooks.NewMetrics()
	_, shared := s.store.(interface { // only a store that several servers may share identifies its database
		DatabaseID(ctx context.Context) (string, error)
	})
	s.hooks = webhooks.NewDeliverer(webhooks.DelivererOptions{
		Store: s.store, Feed: s.feed, Poster: sender, Alone: !shared, Metrics: delivered, Log: s.Log,
	})
	s.registry = Registry(metrics, s.sockets, s.streams, delivered, draws)
	c.Engine, c.Log, c.Registry, c.MetricsElsewhere, c.Streams, c.Sockets = s.engine, s.Log, s.registry, s.Metrics != nil, s.streams, s.sockets
	s.stopping = make(chan struct{})
	endpoints := webhooks.NewEndpoints(s.store, s.feed, sender, s.Webhooks.AllowPrivate)
	endpoints.Changed = s.hooks.Look
	c.Feed, c.Endpoints, c.Stopping = s.feed, endpoints, s.stopping
	c.Audit = func(ctx context.Context, id drop.ID) (audit.DropReport, error) { return audit.Drop(ctx, s.store, id) }
	if s.bus != nil {
		c.Bus = s.bus
	}
	if s.Rehearsals != nil {
		c.Rehearsals = s.Rehearsals
	}
	if s.paid != nil {
		c.Checkout = s.paid.Service
		s.registry.MustRegister(s.paid.metrics)
	}
	calls, err := api.New(c)
	if err != nil {
		return nil, err
	}
	s.Pages.Identity, s.Pages.Payments, s.Pages.Catalog = c.Identity != nil, s.paid != nil, s.engine
	pages, err := web.New(s.Pages)
	if err != nil {
		return nil, err
	}
	s.handler = s.onlyHosts(s.Address.Loopback() && c.Identity == nil, s.paid.around(pages.Around(calls)))
	return end, nil
}

// Registry returns what GET /metrics shows besides the API's own metrics: the given collectors, Go's and the
// process's.
func Registry(ours ...prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(ours...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// onlyHosts makes a server that only this machine reaches, and that has no sign-in, answer only to names of this
// machine. Any other server answers to every name, unless Hosts is set.
func (c *Config) onlyHosts(trusting bool, next http.Handler) http.Handler {
	if !trusting && len(c.Hosts) == 0 {
		return next
	}
	return api.Hosts{Names: c.Hosts, AnyAddress: !trusting}.Around(next)
}

// profileTime limits one answer of the diagnostics. A profile takes as long as the caller asks.
const profileTime = 5 * time.Minute

// openDiagnostics serves metrics and profiles on a separate listener, if there is one.
func (s *server) openDiagnostics(ctx context.Context) (end stop, err error) {
	if s.Metrics == nil {
		return end, nil
	}
	listeners, addr, err := listen(ctx, *s.Metrics)
	if err != nil {
		return nil, &SettingError{"metrics-addr", err}
	}
	diagnostics := api.Server(s.onlyHosts(s.Metrics.Loopback(), api.Diagnostics(s.registry)), s.Log)
	diagnostics.WriteTimeout = profileTime
	served := http1.New(diagnostics, func(string) bool { return false }, http1.Bounds{Connections: metricsConnections})
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() {
			if err := served.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				s.Log.Error("no longer serving metrics", "addr", addr.String(), "error", err)
			}
		})
	}
	s.Log.Info("serving metrics and profiles", "addr", addr.String())
	return ends(func() {
		if err := served.Close(); err != nil {
			s.Log.Warn("close the connections of the metrics", "error", err)
		}
		serving.Wait()
	}), nil
}

func (s *server) startEngine(ctx context.Context) (stop, error) {
	if err := s.engine.Start(ctx); err != nil {
		return nil, ofDatabase(err)
	}
	warnOfPrices(s.API.Currency, s.engine.AllViews(), s.Log)
	tuneGC(s.Log)
	return s.engine.Stop, nil
}

// subscribeBus makes the engine apply what other servers report.
func (s *server) subscribeBus(context.Context) (end stop, err error) {
	if s.bus == nil {
		return end, nil
	}
	s.registry.MustRegister(s.bus)
	return nil, s.bus.Subscribe(s.engine)
}

// startWebhooks delivers events to endpoints for as long as the server runs.
func (s *server) startWebhooks(context.Context) (stop, error) {
	s.hooks.Start()
	return s.hooks.Stop, nil
}

// startDraws carries out draws for as long as the server runs.
func (s *server) startDraws(ctx context.Context) (stop, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	running.Go(func() { s.desk.Run(ctx) })
	return ends(func() {
		cancel()
		running.Wait()
	}), nil
}

func (s *server) startJobs(ctx context.Context) (stop, error) {
	running := startJobs(ctx, s.Log, job{name: "forget old idempotency keys", every: time.Minute, timeout: time.Minute, run: s.engine.ForgetKeys})
	return ends(running.stop), nil
}

// openDoor starts to serve everybody.
func (s *server) openDoor(ctx context.Context) (end stop, err error) {
	if s.door == nil {
		if s.door, err = s.Config.openDoor(ctx); err != nil {
			return nil, err
		}
	}
	s.url = s.door.addr.url(s.Certificates != nil)
	if s.Rehearsals != nil {
		s.Rehearsals.URL = s.url
	}
	s.registry.MustRegister(s.door.server)
	s.door.lead(s.handler)
	return s.shutDown, nil
}

// shutDown disconnects the watchers, which reconnect by themselves once a server is back. It accepts no new
// connections and waits for the answers under way. A client that does not finish its request in time is disconnected;
// that is not a failure.
func (s *server) shutDown(ctx context.Context) error {
	// A fifth of the time remains for the commands of disconnected clients.
	ctx, cancel := context.WithTimeout(ctx, s.ShutdownTimeout*4/5)
	defer cancel()
	close(s.stopping)
	s.streams.Close()
	if err := s.sockets.Close(ctx); err != nil {
		s.Log.Warn("disconnected sockets that were not done", "error", err)
	}
	if err := s.door.server.Shutdown(ctx); err != nil {
		s.Log.Warn("disconnected clients that were not done", "error", err)
		if err := s.door.server.Close(); err != nil {
			s.Log.Warn("close connections", "error", err)
		}
	}
	return nil
}
