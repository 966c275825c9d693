package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sockets"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/store"
	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
)

type serveCommand struct {
	common
	Addr            address   `default:"localhost:3000" placeholder:"HOST:PORT" help:"Where to listen (default localhost:3000, on both 127.0.0.1 and ::1; port 0 takes a free one). Also PORT and HOST: PORT alone is every address where buyers sign in, else localhost."`
	Hold            holdTime  `default:"60s" help:"How long a reservation keeps its unit, from 100ms to 24h."`
	Insecure        bool      `help:"Allow an --addr that other machines can reach, although nobody has to sign in (default false)."`
	InsecureMetrics bool      `help:"Allow a --metrics-addr that other machines can reach, although nobody has to sign in there (default false)."`
	Demo            bool      `help:"Fill the database with sample drops that start around now, if it is empty (default false)."`
	CORSOrigin      origins   `name:"cors-origin" default:"*" placeholder:"ORIGIN" help:"A web origin whose pages may call (default *: pages of every origin, but not operators' calls). Repeat it for more; in the variable, separate them by commas."`
	AllowedHost     hostNames `name:"allowed-host" placeholder:"HOST" help:"Another name of this server, as in the Host header. On a loopback address where nobody signs in, requests for hosts other than localhost and loopback addresses are refused; with this setting, everywhere. Repeat it for more; in the variable, separate them by commas."`
	MaxBatch        bound     `default:"500" help:"Commands of a drop that one commit takes at most; 1 measures what batching is worth."`
	MaxConnections  bound     `default:"50000" help:"Connections that are open at once, on each address. When all are, the one that has been quiet for longest is closed for a new one; while all are at work, new ones wait."`
	ConnsPerAddr    bound     `name:"max-connections-per-address" help:"Connections of one address (IPv6: one network of 64 bits) at once (default 2500, but at most half of --max-connections). All clients behind a proxy share its address, unless --trusted-proxy names it."`
	KeepAlive       idle      `default:"61m" help:"How long a connection may wait for its next request, from 1s to 24h: longer than the balancer in front keeps it (Envoy: 1h), so that the balancer is who closes it."`
	MaxSockets      bound     `default:"20000" help:"Socket.IO clients and event streams at once, each; more are refused."`
	SocketsPerAddr  bound     `name:"max-sockets-per-address" default:"1000" help:"Socket.IO clients and event streams of one address (IPv6: one network of 64 bits) at once, each. All clients behind a proxy share its address, unless --trusted-proxy names it."`
	AddressLimits   limits    `default:"off" placeholder:"RULES" help:"What one address may ask for (IPv6: one network of 64 bits), in requests a second and at once, such as read=100/200,buy=20/40,operate=5/20 (default off)."`
	TrustedProxy    networks  `placeholder:"NETWORK" help:"A proxy in front, whose X-Forwarded-For is believed: an address or a network such as 10.0.0.0/8 (default none). Repeat it for more; in the variable, separate them by commas."`
	TLSCert         string    `name:"tls-cert" placeholder:"FILE" help:"Serve HTTPS (HTTP/2 and HTTP/1.1) with this certificate, PEM with its chain; read again when it changes (default none: HTTP)."`
	TLSKey          string    `name:"tls-key" placeholder:"FILE" help:"The certificate's private key, PEM."`
	HSTS            hsts      `name:"hsts" default:"365d" placeholder:"TIME" help:"For how long browsers that came over TLS may come in no other way (Strict-Transport-Security), up to 3650d, or off (default 365d). Over TLS of a proxy too, if --trusted-proxy names it and it sends X-Forwarded-Proto."`
	signInFlags     `group:"Who may do what"`
	busFlags        `group:"Several servers"`
	pageFlags       `group:"The shop window"`
	MetricsAddr     address `placeholder:"HOST:PORT" help:"Serve /metrics, and profiles at /debug/pprof/, here and not at --addr (default none: metrics at --addr, no profiles)."`
	Drain           pause   `default:"0s" help:"How long to serve on after SIGTERM while /readyz says 503, from 0s to 10m, so that a balancer sends nobody here any more when the stop begins."`
	ShutdownTimeout wait    `default:"10s" help:"How long a stop waits for what was accepted."`
}

func (c *serveCommand) run(ctx context.Context, con *console) error {
	log := c.logger(con.stderr)
	if c.LogFormat == "json" {
		con.refusal = log
	}
	c.settle(con.settings, log)
	if err := cmp.Or(c.checkReach("addr", c.Addr, c.Insecure || c.required()), c.checkReach("metrics-addr", c.MetricsAddr, c.InsecureMetrics)); err != nil {
		return err
	}
	if err := c.busFlags.check(c.Database); err != nil {
		return err
	}
	warnOfModes(log, c.secretFiles(con.settings)...)
	pair, err := c.tls(log)
	if err != nil {
		return err
	}
	verifier, err := c.verifier(ctx, log)
	if err != nil {
		return err
	}
	if verifier != nil {
		defer verifier.Close()
	}
	var d *door
	if c.patient() { // whoever looks after the process is told meanwhile that it lives
		if d, err = c.listenAt(ctx, con, log); err != nil {
			return err
		}
		room := new(waitingRoom)
		con.waits = room.say
		c.lead(d, room, pair.config())
	}
	s, from, to, err := con.open(ctx, c.Database, c.waiting, log)
	if err != nil {
		d.close()
		return stopped(ctx, err)
	}
	if from != to {
		log.Info("schema migrated", "from", from, "to", to)
	}
	return errors.Join(stopped(ctx, c.serve(ctx, con, s, verifier, d, pair, log)), s.Close())
}

// stopped drops an error that only says that a signal came before the server was ready.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// serve runs on an open store until ctx ends, and then finishes what was accepted.
func (c *serveCommand) serve(
	ctx context.Context, con *console, s store.Store, verifier *identity.Verifier, d *door, pair *certificates, log *slog.Logger,
) (err error) {
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if c.Demo {
		if err := demo(ctx, s, drop.Currency(c.Currency), log); err != nil {
			return con.databaseError(c.Database, err)
		}
	}
	metrics := engine.NewMetrics()
	hub := live.New(live.Config{Private: verifier != nil})
	defer hub.Close()
	others, err := c.dial(ctx, s, verifier != nil, log)
	if err != nil {
		return err
	}
	e := c.engine(s, metrics, publishing(hub, others), log)
	show := c.show(hub, identify(verifier, e), log)
	if err := e.Start(ctx); err != nil {
		return con.databaseError(c.Database, err)
	}
	c.warnOfPlainTokens(log)
	c.Currency.warnOfPrices(e.AllViews(), log)
	tuneMemory(log)
	shown := registry(metrics, show.sockets, show.streams)
	closeBus, err := follow(others, e, shown)
	if err != nil {
		return errors.Join(err, e.Stop(ctx))
	}
	defer closeBus()
	settings := api.Config{
		Engine: e, Log: log, AllowedOrigins: c.CORSOrigin, Registry: shown, MetricsElsewhere: c.MetricsAddr.given,
		Streams: show.streams, Sockets: show.sockets, Bus: shownBus(others), AddressLimits: c.AddressLimits.Rules, TrustedProxies: c.TrustedProxy,
		Identity: verifier, BuyerNames: drop.NameStyle(c.BuyerNames), BuyerLimits: c.BuyerLimits.Rules,
		Currency: drop.Currency(c.Currency),
		Audit:    func(ctx context.Context, id drop.ID) (audit.DropReport, error) { return audit.Drop(ctx, s, id) },
	}
	handler, rehearsals, err := c.handler(settings)
	if err != nil {
		return errors.Join(err, e.Stop(ctx))
	}
	closeDiagnostics, err := c.diagnose(ctx, con, shown, log)
	if err != nil {
		return errors.Join(err, e.Stop(ctx))
	}
	defer closeDiagnostics()
	if d == nil {
		if d, err = c.listenAt(ctx, con, log); err != nil {
			return errors.Join(err, e.Stop(ctx))
		}
	}
	address := origin(d.addr, pair != nil)
	if rehearsals != nil {
		rehearsals.URL = address
	}
	shown.MustRegister(d.server)
	c.lead(d, handler, pair.config())
	defer con.reloading(ctx, c.secrets(verifier, pair, others, rehearsals), log)()
	debug.FreeOSMemory() // what only the start needed: 3 MB
	fmt.Fprintf(con.stdout, "%s%s\n", readyLine, address)
	log.Info("serving", "addr", d.addr.String(), "database", c.Database.String(), "hold", time.Duration(c.Hold), "sign_in", c.signIn(), "version", Version)
	select {
	case err = <-d.failed:
		err = fmt.Errorf("serve %s: %w", d.addr, err)
	case <-ctx.Done():
		err = c.drain(e, d.failed, log)
	}
	if rehearsals != nil {
		rehearsals.Stop() // while its copy can still be archived
	}
	return errors.Join(err, c.stop(context.WithoutCancel(ctx), d.server, e, show, log))
}

func (c *serveCommand) engine(s store.Store, m *engine.Metrics, publish func(engine.Event), log *slog.Logger) *engine.Engine {
	return engine.New(s, engine.Config{
		Hold: time.Duration(c.Hold), MaxBatch: int(c.MaxBatch), Metrics: m, Publish: publish, Log: log,
	})
}

// handler is all that is served at --addr: the pages and the API, with rehearsals where they can be.
func (c *serveCommand) handler(settings api.Config) (http.Handler, *shop.Rehearsals, error) {
	rehearsals, err := c.rehearsals()
	if err != nil {
		return nil, nil, err
	}
	if rehearsals != nil {
		settings.Rehearsals = rehearsals
	}
	calls, err := api.New(settings)
	if err != nil {
		return nil, nil, err
	}
	pages, err := c.pages(settings.Identity != nil)
	if err != nil {
		return nil, nil, err
	}
	return c.onlyHosts(c.Addr.loopback() && settings.Identity == nil, pages.Around(calls)), rehearsals, nil
}

// onlyHosts has a server that only this machine reaches, and that asks nobody who they are, answer to names of this machine alone.
// Any other server answers to every name, unless its names are given.
func (c *serveCommand) onlyHosts(trusting bool, next http.Handler) http.Handler {
	if !trusting && len(c.AllowedHost) == 0 {
		return next
	}
	return api.Hosts{Names: c.AllowedHost, AnyAddress: !trusting}.Around(next)
}

// profileTime bounds an answer of the diagnostics: profiles are taken for as long as is asked.
const profileTime = 5 * time.Minute

// diagnose serves metrics and profiles on a listener of their own, if one is wanted, until the returned function is called.
func (c *serveCommand) diagnose(ctx context.Context, con *console, shown *prometheus.Registry, log *slog.Logger) (func(), error) {
	if !c.MetricsAddr.given {
		return func() {}, nil
	}
	listeners, addr, err := listen(ctx, c.MetricsAddr)
	if err != nil {
		return nil, con.listenError("metrics-addr", c.MetricsAddr, err)
	}
	diagnostics := api.Server(c.onlyHosts(c.MetricsAddr.loopback(), api.Diagnostics(shown)), log)
	diagnostics.WriteTimeout = profileTime
	server := http1.New(diagnostics, func(string) bool { return false }, http1.Bounds{Connections: metricsConnections})
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				log.Error("metrics are served no more", "addr", addr.String(), "error", err)
			}
		})
	}
	log.Info("serving metrics and profiles", "addr", addr.String())
	return func() {
		if err := server.Close(); err != nil {
			log.Warn("close the connections of the metrics", "error", err)
		}
		serving.Wait()
	}, nil
}

// tls reads the certificate that connections are secured with; nil: they are not.
func (c *serveCommand) tls(log *slog.Logger) (*certificates, error) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil, nil //nolint:nilnil // as documented
	case c.TLSCert == "":
		return nil, &faultError{flag: "tls-cert", rule: "is missing beside --tls-key; give both files or neither"}
	case c.TLSKey == "":
		return nil, &faultError{flag: "tls-key", rule: "is missing beside --tls-cert; give both files or neither"}
	}
	files, err := newCertificates(c.TLSCert, c.TLSKey, log)
	if err != nil {
		return nil, &faultError{flag: "tls-cert", rule: "cannot be used: " + err.Error()}
	}
	return files, nil
}

// watchers is what shows the stock as it moves.
type watchers struct {
	sockets *sockets.Sockets
	streams *sse.Streams
}

func (c *serveCommand) show(hub *live.Hub, identify sockets.Identify, log *slog.Logger) watchers {
	return watchers{
		sockets: sockets.New(hub, socketio.Options{Options: engineio.Options{
			Origins: c.CORSOrigin, MaxConnections: int(c.MaxSockets), MaxConnectionsPerAddress: int(c.SocketsPerAddr), Log: log,
			Address: func(r *http.Request) string { return limit.Caller(limit.ClientAddress(r, nil)).String() },
		}}, identify),
		streams: sse.New(hub, int(c.MaxSockets), int(c.SocketsPerAddr)),
	}
}

// close lets the watchers go; they come back by themselves when a server is there again.
func (w watchers) close(ctx context.Context, log *slog.Logger) {
	w.streams.Close()
	if err := w.sockets.Close(ctx); err != nil {
		log.Warn("cut off sockets that were not done", "error", err)
	}
}

// drain serves on for a while, and says that it is not ready.
func (c *serveCommand) drain(e *engine.Engine, failed <-chan error, log *slog.Logger) error {
	if c.Drain == 0 {
		return nil
	}
	log.Info("draining", "for", time.Duration(c.Drain))
	e.Drain()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-time.After(time.Duration(c.Drain)):
		return nil
	}
}

// stop takes no new connections, waits for the answers under way and then for the accepted commands. A client that does
// not finish its request in time is cut off; that is no failure.
func (c *serveCommand) stop(ctx context.Context, server *http1.Server, e *engine.Engine, show watchers, log *slog.Logger) error {
	began := time.Now()
	log.Info("stopping", "timeout", time.Duration(c.ShutdownTimeout))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(c.ShutdownTimeout))
	defer cancel()
	// A fifth of the time is left for the commands of clients that are cut off.
	answers, cancelAnswers := context.WithTimeout(ctx, time.Duration(c.ShutdownTimeout)*4/5)
	defer cancelAnswers()
	show.close(answers, log)
	if err := server.Shutdown(answers); err != nil {
		log.Warn("cut off clients that were not done", "error", err)
		if err := server.Close(); err != nil {
			log.Warn("close connections", "error", err)
		}
	}
	if err := e.Stop(ctx); err != nil {
		return err
	}
	log.Info("stopped", "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// demo seeds an empty database, and leaves any other as it is.
func demo(ctx context.Context, s store.Store, in drop.Currency, log *slog.Logger) error {
	users, drops := samples(time.Now(), in)
	err := s.Fill(ctx, users, drops, false)
	if errors.Is(err, store.ErrNotEmpty) {
		log.Info("demo: the database has drops already and stays as it is")
		return nil
	}
	if err == nil {
		log.Info("demo: the empty database was seeded", "users", len(users), "drops", len(drops))
	}
	return err
}

// registry holds what GET /metrics shows beside the API's own metrics: those given, Go's and the process's.
func registry(ours ...prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(ours...)
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// origin is where a browser on this machine finds what is served at an address.
func origin(a address, secured bool) string {
	if secured {
		return "https://" + reachable(a).String()
	}
	return "http://" + reachable(a).String()
}

// reachable is the address for a browser on this machine.
func reachable(a address) address {
	if ip, err := netip.ParseAddr(a.host); a.host == "" || err == nil && ip.IsUnspecified() {
		a.host = "localhost"
	}
	return a
}
