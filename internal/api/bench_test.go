package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// still is a store whose batches cost almost nothing, so that the benchmarks measure HTTP.
type still struct{ store.Store }

func (s still) RunBatch(_ context.Context, b store.Batch) error {
	state := &drop.State{Drop: drop.Drop{ID: b.Of(), Sizes: []drop.Size{{Stock: drop.Stock{Total: 1000, Available: 1000}}}}}
	b.Decide(state, 1769853600000)
	return nil
}

func newBenchEngine(b *testing.B) *engine.Engine {
	b.Helper()
	s := still{memory.New(stores.Now)}
	e := engine.New(s, engine.Config{Log: slog.New(slog.DiscardHandler), Hold: 1000 * time.Hour})
	units := int64(1000)
	for range 20 {
		if _, err := e.Create(context.Background(), drop.Spec{Name: "Air Zenith 1", Price: 11999, TotalStock: &units}, engine.Retry{}); err != nil {
			b.Fatal(err)
		}
	}
	return e
}

func run(b *testing.B, h http.Handler, method, path, body string) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			b.Fatal(w.Code, w.Body.String())
		}
	}
}

func newBenchHandler(b *testing.B) http.Handler {
	b.Helper()
	h, err := api.New(api.Config{Engine: newBenchEngine(b), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

const reserveBody = `{"dropId":1,"userId":3}`

func BenchmarkReserve(b *testing.B) {
	run(b, newBenchHandler(b), http.MethodPost, "/api/drops/reserve", reserveBody)
}

// BenchmarkReserve_SignedIn has identity and limits, and a known buyer.
func BenchmarkReserve_SignedIn(b *testing.B) {
	p := secretProvider(b)
	rules := limit.Rules{limit.Buy: {PerSecond: 1e6, Burst: 1_000_000}}
	c := api.Config{Engine: newBenchEngine(b), Log: slog.New(slog.DiscardHandler), AddressLimits: rules, BuyerLimits: rules}
	p.signIn(&c)
	h, err := api.New(c)
	if err != nil {
		b.Fatal(err)
	}
	token := p.token("ann", nil)
	run(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", "Bearer "+token)
		h.ServeHTTP(w, r)
	}), http.MethodPost, "/api/drops/reserve", `{"dropId":1}`)
}

func BenchmarkList(b *testing.B) {
	run(b, newBenchHandler(b), http.MethodGet, "/api/drops", "")
}

func BenchmarkHealth(b *testing.B) {
	run(b, newBenchHandler(b), http.MethodGet, "/health", "")
}

// BenchmarkReserve_ThroughHuma is the alternative in docs/adr/0002: the same command as a huma operation and nothing
// else (no strict JSON, CORS, request ID or timeout).
func BenchmarkReserve_ThroughHuma(b *testing.B) {
	e := newBenchEngine(b)
	type answer struct {
		ID        int64  `json:"id"`
		DropID    int64  `json:"dropId"`
		UserID    int64  `json:"userId"`
		Status    string `json:"status"`
		ExpiresAt string `json:"expires_at"`
		CreatedAt string `json:"createdAt"`
		Size      string `json:"size,omitempty"`
	}
	type input struct {
		Body struct {
			DropID   int64   `json:"dropId"`
			UserID   *int64  `json:"userId,omitempty" minimum:"1" maximum:"9007199254740991"`
			UserName *string `json:"userName,omitempty" maxLength:"100"`
			Email    *string `json:"email,omitempty" maxLength:"254"`
			Size     any     `json:"size,omitempty"`
		}
	}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("sneakerdrop", "1")
	config.CreateHooks = nil // leaves out $schema links
	huma.Post(humago.New(mux, config), "/api/drops/reserve", func(ctx context.Context, in *input) (*struct{ Body answer }, error) {
		r, err := e.Reserve(ctx, drop.ID(in.Body.DropID), drop.UserID(*in.Body.UserID), "", engine.Retry{})
		if err != nil {
			return nil, err
		}
		return &struct{ Body answer }{answer{
			int64(r.ID), int64(r.ID.Drop()), int64(r.UserID), r.Status.String(), r.ExpiresAt.String(), r.CreatedAt.String(), r.Size,
		}}, nil
	})
	run(b, mux, http.MethodPost, "/api/drops/reserve", reserveBody)
}

// BenchmarkReserve_EngineAlone is the part of BenchmarkReserve that is not HTTP.
func BenchmarkReserve_EngineAlone(b *testing.B) {
	e := newBenchEngine(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.Reserve(context.Background(), 1, 3, "", engine.Retry{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHarness is the cost of the harness, which every other figure here includes.
func BenchmarkHarness(b *testing.B) {
	run(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }), http.MethodPost, "/", reserveBody)
}
