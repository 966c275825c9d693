// Package api is the engine's HTTP interface. It validates requests, passes them on as commands, and writes answers,
// errors and the OpenAPI document.
//
// Each operation has its handler and its description side by side (routes). All errors are in one table (problems). The
// Handler is safe for concurrent use.
package api

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/negotiate"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/socketio"
)

// Config is what a handler needs. Only Engine has no default.
type Config struct {
	Engine *engine.Engine
	// Log receives the causes that callers do not see (default: slog.Default).
	Log *slog.Logger
	// AllowedOrigins are the origins whose pages may read answers in a browser, such as https://shop.example. A *
	// stands for any characters (default: every origin).
	AllowedOrigins []string
	// RequestTimeout is how long one request may wait for its outcome (default 10 s).
	RequestTimeout time.Duration
	// MetricsElsewhere leaves out GET /metrics, because Diagnostics serves the metrics on a listener of its own.
	MetricsElsewhere bool
	// Identity verifies the tokens of callers. If it is set, calls need tokens (default: none, and everybody may make
	// every call).
	Identity *identity.Verifier
	// BuyerNames is the form of buyers' names that everybody sees (default: the full name, or drop.InitialName with
	// Identity).
	BuyerNames drop.NameStyle
	// AddressLimits are the rate limits for one address, and BuyerLimits those for one buyer (default: none).
	AddressLimits, BuyerLimits limit.Rules
	// TrustedProxies are the addresses whose X-Forwarded-For headers count (default: none).
	TrustedProxies []netip.Prefix
	// Currency of all prices (default USD).
	Currency drop.Currency
	// Checkout takes payments (default: nobody pays, and the calls about payments do not exist).
	Checkout *checkout.Service
	// Draws keeps the records of draws (default: one that is made here and whose Run nobody calls).
	Draws *drawing.Desk
	// Audit serves GET /api/drops/{id}/audit (default: the call does not exist).
	Audit Audit
	// Rehearsals serves /api/operator/rehearsals (default: the path does not exist).
	Rehearsals Rehearsals
	// About is what GET /api/operator/settings says (default: no settings).
	About About
	// Bus is the connection that GET /readyz reports (default: none).
	Bus Bus
	// Feed serves GET /api/events, and Endpoints /api/webhooks (default: the paths do not exist).
	Feed      *events.Feed
	Endpoints *webhooks.Endpoints
	// Stopping, once closed, ends calls that wait for events (default: they wait as long as they asked for).
	Stopping <-chan struct{}
	// Streams serves GET /api/drops/events (default: the call does not exist).
	Streams Streams
	// Sockets serves /socket.io/ (default: the path does not exist).
	Sockets http.Handler
	// Registry is what GET /metrics shows; the handler adds its own metrics to it (default: only these).
	Registry *prometheus.Registry
}

// Bus carries news between servers. A server is ready even if its bus is disconnected.
type Bus interface {
	Connected() bool
}

const (
	defaultRequestTimeout = 10 * time.Second
	readyTimeout          = 2 * time.Second
)

type api struct {
	engine  *engine.Engine
	log     *slog.Logger
	timeout timeouts
	list    list
	// refusals are answers that are made once and reused.
	refusals plainRefusals
	metrics  *metrics
	limits   *limits
	// identity verifies tokens; nil: calls need none.
	identity *identity.Verifier
	signIn   shop.SignIn
	names    drop.NameStyle
	currency drop.Currency
	checkout *checkout.Service // nil: nobody pays
	draws    *drawing.Desk
	origins  *origins
	streams  Streams
	sockets  interface{ Stats() socketio.Stats } // nil: there is no count
	bus      Bus                                 // nil: none
	// readiness makes one query for all callers that wait at the same time.
	readiness singleflight.Group
	// registry is what GET /metrics shows, unless another listener shows the metrics.
	registry         *prometheus.Registry
	metricsElsewhere bool
	audit            Audit
	auditing         sync.Mutex // one at a time
	rehearsals       Rehearsals
	beginning        beginning
	days             days
	newTokens        kept
	newWebhooks      kept
	feed             *events.Feed
	endpoints        *webhooks.Endpoints
	stopping         <-chan struct{}
	waiting, tests   atomic.Int64 // calls that wait for events, or for a receiver of a test message
	about            About
	// process and requests make IDs for requests that have none: a random word for this process, and a counter.
	process  string
	requests atomic.Uint64
}

// New returns the handler of the whole HTTP interface.
func New(c Config) (http.Handler, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.RequestTimeout = cmp.Or(c.RequestTimeout, defaultRequestTimeout)
	if len(c.AllowedOrigins) == 0 {
		c.AllowedOrigins = []string{"*"}
	}
	if c.Registry == nil {
		c.Registry = prometheus.NewRegistry()
	}
	if c.BuyerNames == "" {
		c.BuyerNames = drop.FullName
		if c.Identity != nil {
			c.BuyerNames = drop.InitialName
		}
	}
	c.Currency = cmp.Or(c.Currency, defaultCurrency)
	if c.Draws == nil {
		c.Draws = drawing.New(c.Engine, drawing.Options{Logger: c.Log})
	}
	a := &api{
		engine: c.Engine, log: c.Log, currency: c.Currency, timeout: timeouts{after: c.RequestTimeout}, metrics: newMetrics(), limits: newLimits(&c),
		identity: c.Identity, signIn: shop.SignIn{Tokens: c.Identity, Engine: c.Engine}, names: c.BuyerNames,
		checkout: c.Checkout, draws: c.Draws,
		origins: newOrigins(c.AllowedOrigins), streams: c.Streams, bus: c.Bus, registry: c.Registry, process: rand.Text()[:12],
		metricsElsewhere: c.MetricsElsewhere, audit: c.Audit, rehearsals: c.Rehearsals,
		about: c.About, feed: c.Feed, endpoints: c.Endpoints, stopping: c.Stopping,
	}
	a.sockets, _ = c.Sockets.(interface{ Stats() socketio.Stats })
	if err := a.metrics.register(c.Registry); err != nil {
		return nil, fmt.Errorf("register the metrics of requests: %w", err)
	}
	if err := c.Registry.Register(a.limits.refused); err != nil {
		return nil, fmt.Errorf("register the metrics of limits: %w", err)
	}
	if err := c.Registry.Register(a.waits()); err != nil {
		return nil, fmt.Errorf("register the metrics of the feed: %w", err)
	}
	routes := a.routes()
	if c.MetricsElsewhere {
		routes = slices.DeleteFunc(routes, func(rt route) bool { return rt.id == metricsID })
	}
	documents, err := describe(routes, c.Identity != nil, &c.Currency)
	if err != nil {
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	routes = slices.Concat(routes, documents, a.notificationRoutes())
	for i := range routes {
		if routes[i].access == 0 {
			return nil, fmt.Errorf("the route %s has no access rule", routes[i].id)
		}
	}
	mux, open := a.mux(routes)
	calls := a.guard(a.origins.sharing(open, mux))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.limits.locate(r)
		if c.Sockets != nil && (r.URL.Path == "/socket.io" || strings.HasPrefix(r.URL.Path, "/socket.io/")) {
			a.serveSocket(w, r, c.Sockets)
			return
		}
		calls.ServeHTTP(w, r)
	}), nil
}

// serveSocket passes the request on unchanged, because a socket takes over the connection. Only requests that open a
// session are limited here; the socket server limits what happens in a session.
func (a *api) serveSocket(w http.ResponseWriter, r *http.Request, sockets http.Handler) {
	if len(a.limits.rules) > 0 && r.URL.Query().Get("sid") == "" { // an empty sid opens a session too
		if err := a.limits.limitAddress(w, r, limit.Read); err != nil {
			a.fail(w, r, err)
			return
		}
	}
	securityHeaders(w.Header())
	sockets.ServeHTTP(w, r)
}

// serve runs a route's handler within the request timeout, and answers with the error it returns.
func (a *api) serve(rt *route) http.Handler {
	seconds, class, open := a.metrics.of(rt.path, rt.method), rt.class(), rt.open()
	if class == "" && a.identity != nil && rt.access != anybody {
		class = limit.Operate // the server looks up a token for each call
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := w.(*recorder) // guard made it
		rec.seconds, rec.maxBody = seconds, cmp.Or(rt.maxBody, maxBody)
		err := a.limits.limitAddress(w, r, class)
		if err == nil {
			err = a.origins.check(r, open)
		}
		if err != nil {
			a.fail(w, r, err)
			return
		}
		bounded, cancel := a.timeout.bound(r.Context(), rec.began, &rec.bounded)
		defer cancel()
		inTime := r.WithContext(bounded)
		if err = a.enter(rt, rec, inTime); err == nil {
			if !rt.streams {
				r = inTime
			}
			err = a.call(rt, rec, r)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	})
}

// enter identifies the caller and checks the permission to make the call.
func (a *api) enter(rt *route, rec *recorder, r *http.Request) (err error) {
	if rec.caller, err = a.authorize(r, rt.access); err != nil {
		return err
	}
	return a.limits.limitBuyer(rec, rt.class(), rec.caller.buyer.ID)
}

func (a *api) call(rt *route, rec *recorder, r *http.Request) error {
	if !rt.long {
		return a.logged(rt, rec, r)
	}
	packing := negotiate.NewWriter(rec.ResponseWriter, r)
	rec.ResponseWriter = packing
	if err := a.logged(rt, rec, r); err != nil {
		return err
	}
	if err := packing.Close(); err != nil {
		return fmt.Errorf("send the end of the answer: %w: %w", errReaderGone, err)
	}
	return nil
}

func (a *api) logged(rt *route, rec *recorder, r *http.Request) error {
	if operates := (rt.access == sellers || rt.access == lookers) && rec.caller.token.ID != 0; !rt.operator && !operates {
		return rt.serve(rec, r)
	}
	err := a.recorded(rt, rec, r)
	a.logOperator(rt, rec, r, err)
	return err
}

const requestIDHeader = "X-Request-Id"

// Header values that all answers share. Nothing may write into these slices.
var (
	noSniff    = []string{"nosniff"}
	noReferrer = []string{"no-referrer"}
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore    = []string{"no-store"}
	jsonType   = []string{"application/json; charset=utf-8"}
)

func securityHeaders(h http.Header) {
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = noReferrer
	h["Content-Security-Policy"] = noContent
	h["Cache-Control"] = noStore
}

// guard adds the common headers to every answer, measures it, and turns a panic into an ordinary error.
func (a *api) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := a.metrics.begin(w)
		defer a.metrics.end(rec)
		h := w.Header()
		h[requestIDHeader] = []string{a.requestID(r)}
		securityHeaders(h)
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if cause == http.ErrAbortHandler { //nolint:errorlint // what was panicked with, not an error to unwrap
				panic(cause)
			}
			a.fail(rec, r, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}()
		next.ServeHTTP(rec, r)
	})
}

const maxRequestID = 64

// requestID returns the caller's own request ID if it is fit for a log line, otherwise a new one.
func (a *api) requestID(r *http.Request) string {
	given := r.Header[requestIDHeader]
	if len(given) != 1 || !fitsALog(given[0]) {
		return a.process + "-" + strconv.FormatUint(a.requests.Add(1), 36)
	}
	return given[0]
}

func fitsALog(given string) bool {
	if given == "" || len(given) > maxRequestID {
		return false
	}
	for i := range len(given) {
		c := given[i]
		word := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !word && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
