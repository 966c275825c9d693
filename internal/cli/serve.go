package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/app"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
)

type serveCommand struct {
	common
	Addr             address   `default:"localhost:3000" placeholder:"HOST:PORT" help:"Where to listen (default localhost:3000, on both 127.0.0.1 and ::1; port 0 takes a free one). Also PORT and HOST: PORT alone means every address if buyers sign in, else localhost."`
	Hold             holdTime  `default:"60s" help:"How long a reservation keeps its unit, from 100ms to 24h."`
	Insecure         bool      `help:"Allow an --addr that other machines can reach although there is no sign-in (default false)."`
	InsecureMetrics  bool      `help:"Allow a --metrics-addr that other machines can reach although there is no sign-in (default false)."`
	InsecurePayments bool      `help:"Allow --payments demo, which takes no money, although other machines can reach --addr (default false)."`
	PayWithin        payTime   `default:"10m" help:"How long a buyer who begins to pay keeps the unit, from 1s to 12h. A second try to pay keeps it once more as long."`
	Demo             bool      `help:"If the database is empty, fill it with sample drops that start around now. If --payments is not set, buyers pay with test cards (default false)."`
	CORSOrigin       origins   `name:"cors-origin" default:"*" placeholder:"ORIGIN" help:"A web origin whose pages may call (default *: pages of every origin, except for operators' calls). Repeat it for more; in the variable, separate them by commas."`
	AllowedHost      hostNames `name:"allowed-host" placeholder:"HOST" help:"Another name of this server, as in the Host header. On a loopback address without sign-in, the server refuses requests for hosts other than localhost and loopback addresses; with this setting, it does so everywhere. Repeat it for more; in the variable, separate them by commas."`
	MaxBatch         bound     `default:"500" help:"The most commands of a drop in one commit; 1 turns batching off."`
	MaxConnections   bound     `default:"50000" help:"The most open connections on each address. At the limit, a new one replaces the one that has been quiet for longest; if all are working, new ones wait."`
	ConnsPerAddr     bound     `name:"max-connections-per-address" help:"The most connections of one client address (IPv6: one /64 network) (default 2500, but at most half of --max-connections). All clients behind a proxy share its address, unless --trusted-proxy names it."`
	KeepAlive        idle      `default:"61m" help:"How long a connection may wait for its next request, from 1s to 24h. Set it longer than the balancer in front does (Envoy: 1h), so that the balancer closes first."`
	MaxSockets       bound     `default:"20000" help:"The most Socket.IO clients, and the most event streams; further ones are refused."`
	SocketsPerAddr   bound     `name:"max-sockets-per-address" default:"1000" help:"The most Socket.IO clients, and the most event streams, of one client address (IPv6: one /64 network). All clients behind a proxy share its address, unless --trusted-proxy names it."`
	AddressLimits    limits    `default:"off" placeholder:"RULES" help:"Rate limits for one client address (IPv6: one /64 network), in requests per second and at once, such as read=100/200,buy=20/40,operate=5/20 (default off)."`
	TrustedProxy     networks  `placeholder:"NETWORK" help:"A proxy in front of the server whose X-Forwarded-For is trusted: an address or a network such as 10.0.0.0/8 (default none). Repeat it for more; in the variable, separate them by commas."`
	TLSCert          string    `name:"tls-cert" placeholder:"FILE" help:"Serve HTTPS (HTTP/2 and HTTP/1.1) with this certificate and its chain, PEM. The file is read again when it changes (default none: HTTP)."`
	TLSKey           string    `name:"tls-key" placeholder:"FILE" help:"The certificate's private key, PEM."`
	HSTS             hsts      `name:"hsts" default:"365d" placeholder:"TIME" help:"How long browsers must keep using HTTPS (Strict-Transport-Security), up to 3650d, or off (default 365d). It also applies to TLS at a proxy that --trusted-proxy names and that sends X-Forwarded-Proto."`
	BeaconURL        beaconURL `name:"beacon-url" placeholder:"URL" help:"Where the public HTTP API of drand is, for draws with a beacon (default none: an operator reveals the round). docs/DRAW.md describes the beacon."`
	privateFlag
	signInFlags     `group:"Who may do what"`
	paymentFlags    `group:"Payments"`
	busFlags        `group:"Several servers"`
	pageFlags       `group:"The shop window"`
	MetricsAddr     address `placeholder:"HOST:PORT" help:"Serve /metrics, and profiles at /debug/pprof/, here instead of at --addr (default none: metrics at --addr, no profiles)."`
	Drain           pause   `default:"0s" help:"How long to keep serving after SIGTERM while /readyz answers 503, from 0s to 10m, so that the balancer stops sending requests before the server stops."`
	ShutdownTimeout wait    `default:"10s" help:"How long a stop waits for accepted requests."`
}

func (c *serveCommand) run(ctx context.Context, con *console) error {
	log := c.logger(con.stderr)
	if c.LogFormat == "json" {
		con.refusal = log
	}
	c.keepLocal(con.settings, log)
	c.demoPays()
	if err := c.checkReach(); err != nil {
		return err
	}
	if err := c.busFlags.check(c.Database); err != nil {
		return err
	}
	if err := c.checkDemo(); err != nil {
		return err
	}
	warnOfModes(log, c.secretFiles(con.settings)...)
	config, err := c.config(ctx, con, log)
	if err != nil {
		return err
	}
	c.warnOfPlainTokens(log)
	return app.Serve(ctx, config)
}

// config makes a server's configuration from the flags and the files that they name.
func (c *serveCommand) config(ctx context.Context, con *console, log *slog.Logger) (app.Config, error) {
	pair, err := c.tls(log)
	if err != nil {
		return app.Config{}, err
	}
	verifier, secret, err := c.verifier(ctx, log)
	if err != nil {
		return app.Config{}, err
	}
	paid, err := c.payments(con, c.Currency)
	if err != nil {
		return app.Config{}, err
	}
	if paid != nil {
		paid.PayWithin = time.Duration(c.PayWithin)
	}
	rehearsals := c.rehearsals(secret)
	config := app.Config{
		Log: log, Address: c.Addr.Address, Certificates: pair, HSTS: time.Duration(c.HSTS), Hosts: c.AllowedHost, KeepAlive: time.Duration(c.KeepAlive),
		MaxConnections: int(c.MaxConnections), ConnectionsPerAddress: int(c.ConnsPerAddr), MaxSockets: int(c.MaxSockets), SocketsPerAddress: int(c.SocketsPerAddr),
		Open: func(ctx context.Context, waits func(string)) (store.Store, error) {
			return c.open(ctx, con, waits, log)
		},
		AnswerWhileWaiting: c.waits(), Engine: engine.Config{Hold: time.Duration(c.Hold), MaxBatch: int(c.MaxBatch)},
		API: api.Config{
			AllowedOrigins: c.CORSOrigin, AddressLimits: c.AddressLimits.Rules, TrustedProxies: c.TrustedProxy, Identity: verifier,
			BuyerNames: c.BuyerNames, BuyerLimits: c.BuyerLimits.Rules, Currency: c.Currency,
			About: api.About{Version: Version, Started: time.Now(), Settings: con.inForce()},
		},
		Payments: paid, Pages: c.pages(), Bus: c.bus(), Rehearsals: rehearsals, BeaconURL: string(c.BeaconURL), Webhooks: webhooks.SenderOptions{AllowPrivate: c.WebhookAllowPrivate, UserAgent: "sneakerdrop/" + Version}, Hangups: con.hangups, Secrets: c.secrets(verifier, rehearsals),
		Explain: func(err error) error { return c.explain(con, err) }, Drain: time.Duration(c.Drain), ShutdownTimeout: time.Duration(c.ShutdownTimeout),
		Ready: func(at app.Address, url string) {
			fmt.Fprintf(con.stdout, "%s%s\n", readyLine, url)
			log.Info("serving", "addr", at.String(), "database", c.Database.String(), "hold", time.Duration(c.Hold), "sign_in", cmp.Or(c.source(), "none"), "version", Version)
		},
	}
	if c.MetricsAddr.given {
		config.Metrics = &c.MetricsAddr.Address
	}
	if c.Demo {
		config.Fill = func(ctx context.Context, s store.Store) error { return fillDemo(ctx, s, c.Currency, log) }
	}
	return config, nil
}

func (c *serveCommand) open(ctx context.Context, con *console, waits func(string), log *slog.Logger) (store.Store, error) {
	con.waits = waits
	s, from, to, err := con.open(ctx, c.Database, c.waiting, log)
	if err == nil && from != to {
		log.Info("schema migrated", "from", from, "to", to)
	}
	return s, err
}

// explain says which setting to change.
func (c *serveCommand) explain(con *console, err error) error {
	e, ok := errors.AsType[*app.SettingError](err)
	if !ok {
		return err
	}
	switch e.Setting {
	case "addr":
		return con.listenError(e.Setting, c.Addr, e.Err)
	case "metrics-addr":
		return con.listenError(e.Setting, c.MetricsAddr, e.Err)
	case "database":
		return con.databaseError(c.Database, e.Err)
	default:
		return &faultError{flag: e.Setting, rule: "cannot be used: " + e.Err.Error()}
	}
}

// tls reads the certificate for secure connections. It returns nil if there is none.
func (c *serveCommand) tls(log *slog.Logger) (*app.Certificates, error) {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil, nil //nolint:nilnil // as documented
	case c.TLSCert == "":
		return nil, &faultError{flag: "tls-cert", rule: "is missing, but --tls-key is set; set both or neither"}
	case c.TLSKey == "":
		return nil, &faultError{flag: "tls-key", rule: "is missing, but --tls-cert is set; set both or neither"}
	}
	files, err := app.NewCertificates(c.TLSCert, c.TLSKey, log)
	if err != nil {
		return nil, &faultError{flag: "tls-cert", rule: "cannot be used: " + err.Error()}
	}
	return files, nil
}

// fillDemo seeds an empty database, and does not change any other.
func fillDemo(ctx context.Context, s store.Store, in drop.Currency, log *slog.Logger) error {
	users, drops := samples(time.Now(), in)
	err := store.Fill(ctx, s, users, drops, false)
	if errors.Is(err, store.ErrNotEmpty) {
		log.Info("demo: the database already has drops and was not changed")
		return nil
	}
	if err == nil {
		log.Info("demo: filled the empty database with sample drops", "users", len(users), "drops", len(drops))
	}
	return err
}
