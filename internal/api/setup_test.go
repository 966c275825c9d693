package api_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/pipes"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// shop is a server under test: the handler over a real connection, on an engine over memory.
type shop struct {
	testing.TB
	url    string
	client *http.Client
	engine *engine.Engine
	// handler is the handler that the server serves.
	handler http.Handler
	store   store.Store
	ahead   *atomic.Int64 // how far the store's clock is ahead, in milliseconds
	log     *logBuffer
}

type option func(*api.Config)

func newShop(tb testing.TB, options ...option) *shop {
	tb.Helper()
	ahead := new(atomic.Int64)
	s := memory.New(clockOf(ahead))
	return newShopOn(tb, s, ahead, options...)
}

// clockOf returns the machine's clock, moved forward by that many milliseconds.
func clockOf(ahead *atomic.Int64) func() drop.Time {
	return func() drop.Time { return drop.TimeOf(time.Now()) + drop.Time(ahead.Load()) }
}

func newShopOn(tb testing.TB, s store.Store, ahead *atomic.Int64, options ...option) *shop {
	tb.Helper()
	return newShopAt(tb, nil, s, ahead, options...)
}

// newShopAt is newShopOn with the test's own listener; nil: one on this machine.
func newShopAt(tb testing.TB, at *pipes.Listener, s store.Store, ahead *atomic.Int64, options ...option) *shop {
	tb.Helper()
	log := &logBuffer{}
	logger := slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	hub := live.New(live.Config{})
	tb.Cleanup(hub.Close)
	e := engine.New(s, engine.Config{
		Log: slog.New(slog.DiscardHandler), RetryFor: 200 * time.Millisecond, Publish: hub.Publish,
	})
	streams := sse.New(hub, 2, 0)
	c := api.Config{Engine: e, Log: logger, Streams: streams, Audit: func(ctx context.Context, id drop.ID) (audit.DropReport, error) {
		return audit.Drop(ctx, s, id)
	}, Rehearsals: &rehearsals{}}
	c.Feed = events.New(s, e, "USD", slog.New(slog.DiscardHandler))
	c.Endpoints = webhooks.NewEndpoints(s, c.Feed, receiver{}, false)
	tb.Cleanup(streams.Close)
	for _, o := range options {
		o(&c)
	}
	hub.Private = c.Identity != nil // nothing has been published yet
	if err := e.Start(context.Background()); err != nil {
		tb.Fatal(err)
	}
	h, err := api.New(c)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Config = api.Server(h, logger)
	if at != nil {
		_ = server.Listener.Close()
		server.Listener = at
	}
	server.Start()
	tb.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
		defer cancel()
		if err := e.Stop(ctx); err != nil {
			tb.Error(err)
		}
	})
	client := server.Client()
	if at != nil {
		client.Transport.(*http.Transport).DialContext = at.Dial
	}
	client.Transport.(*http.Transport).DisableCompression = true
	client.Transport.(*http.Transport).MaxIdleConnsPerHost = 64
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &shop{TB: tb, url: server.URL, client: client, engine: e, handler: h, store: s, ahead: ahead, log: log}
}

// reply is a complete answer.
type reply struct {
	status int
	header http.Header
	body   string
}

func (s *shop) do(req *http.Request) reply {
	s.Helper()
	ctx, cancel := context.WithTimeout(req.Context(), await.Patience)
	defer cancel()
	resp, err := s.client.Do(req.WithContext(ctx))
	if err != nil {
		s.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatalf("%s %s: %v", req.Method, req.URL, err)
	}
	if resp.StatusCode >= http.StatusBadRequest && len(body) > 0 && resp.Header.Get("Content-Type") == "application/json; charset=utf-8" {
		fitsError(s, body)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func (s *shop) request(method, path, body string) *http.Request {
	s.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (s *shop) post(path, body string) reply {
	s.Helper()
	return s.do(s.request(http.MethodPost, path, body))
}

func (s *shop) get(path string) reply {
	s.Helper()
	return s.do(s.request(http.MethodGet, path, ""))
}

// mustPost makes a POST that has to succeed, and decodes the answer.
func mustPost[T any](s *shop, path, body string) T {
	s.Helper()
	r := s.post(path, body)
	if r.status != http.StatusOK {
		s.Fatalf("POST %s %s: %d %s", path, body, r.status, r.body)
	}
	return decoded[T](s, r)
}

func decoded[T any](tb testing.TB, r reply) T {
	tb.Helper()
	var v T
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		tb.Fatalf("decode %s: %v", r.body, err)
	}
	return v
}

type (
	dropJSON struct {
		ID             int64  `json:"id"`
		Name           string `json:"name"`
		AvailableStock int64  `json:"available_stock"`
		TotalStock     int64  `json:"total_stock"`
		Version        int64  `json:"version"`
	}
	reservationJSON struct {
		ID        int64  `json:"id"`
		UserID    int64  `json:"userId"`
		Status    string `json:"status"`
		Size      string `json:"size"`
		Offer     bool   `json:"offer"`
		CreatedAt string `json:"createdAt"`
		ExpiresAt string `json:"expires_at"`
	}
	errorJSON struct {
		Error     string `json:"error"`
		Code      string `json:"code"`
		Field     string `json:"field"`
		StartsAt  string `json:"starts_at"`
		StartsIn  int64  `json:"starts_in_ms"`
		Limit     int    `json:"limit"`
		Used      int    `json:"used"`
		Available *int64 `json:"available"`
		Waiting   int64  `json:"waiting"`
	}
)

// refused checks an error's status and code, and returns the error.
func (s *shop) refused(r reply, status int, code string) errorJSON {
	s.Helper()
	e := decoded[errorJSON](s, r)
	if r.status != status || e.Code != code || e.Error == "" {
		s.Fatalf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
	return e
}

const (
	createBody = `{"name":"Air Zenith 1","price":119.99,"total_stock":5,"start_time":"2026-01-31T10:00:00.000Z"}`
	sizedBody  = `{"name":"Court Runner","price":90,"start_time":"2026-01-31T10:00:00Z",` +
		`"sizes":[{"size":"9","stock":1},{"size":9.5,"stock":2}],"limit_per_user":2}`
)
