package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// FuzzHTTP sends the whole interface any request that net/http accepts. In a shop without sign-in, the caller is
// nobody. In a shop with it, the caller is nobody, a buyer, a viewer or an operator. No answer is a 500, and each
// refusal has one of our codes. A refused call or a read leaves the whole state of the store unchanged.
func FuzzHTTP(f *testing.F) {
	p := secretProvider(f)
	shops := []*fuzzShop{{}, {provider: p, buyer: p.token("ann", claims{"exp": time.Now().Add(1000 * time.Hour).Unix()})}}
	for _, s := range shops {
		if err := s.open(); err != nil {
			f.Fatal(err)
		}
		f.Cleanup(func() {
			if err := s.close(); err != nil {
				f.Error(err)
			}
		})
	}
	for who := range byte(len(callers)) {
		for _, seed := range httpSeeds {
			f.Add(who, seed.method, seed.target, seed.headers, []byte(seed.body))
		}
	}
	f.Fuzz(func(t *testing.T, who byte, method, target, headers string, body []byte) {
		caller := callers[int(who)%len(callers)]
		s := shops[0]
		if caller != "" {
			s = shops[1]
		}
		r := s.request(caller, method, target, headers, body)
		if r == nil {
			t.Skip("net/http would refuse it")
		}
		s.check(t, r, body)
	})
}

// callers: the first is in the shop without identity.
var callers = []string{"", "nobody", "buyer", "viewer", "operator"}

var httpSeeds = []struct{ method, target, headers, body string }{
	{"GET", "/api/drops", "", ""},
	{"GET", "/api/drops", "If-None-Match: \"x\", W/*, *\nAccept-Encoding: gzip;q=0, *;q=0.5\nOrigin: https://x.example", ""},
	{"POST", "/api/drops/create", "Content-Type: application/json", createBody},
	{"POST", "/API/Drops/Create/", "Content-Type: application/json; charset=utf-8\nIdempotency-Key: k1", sizedBody},
	{"POST", "/api/drops/reserve", "Content-Type: application/json\nIdempotency-Key: k1", `{"dropId":1,"userId":7}`},
	{"POST", "/api/drops/reserve", "Content-Type: application/json", `{"dropId":2,"userName":"Zoe","email":"zoe@example.com","size":9.5}`},
	{"POST", "/api/drops/reserve", "Content-Type: application/json", `{"dropId":2,"userName":"New","size":"77"}`},
	{"POST", "/api/drops/reserve", "Content-Type: application/json", `{"dropId":2,"userName":"New"}`},
	{"POST", "/api/drops/purchase", "Content-Type: application/json", `{"reservationId":4294967298}`},
	{"POST", "/api/drops/cancel", "Content-Type: application/json\nCookie: a=b\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site", `{"reservationId":4294967298}`},
	{"POST", "/api/users", "Content-Type: application/json\nIdempotency-Key: a\nIdempotency-Key: b", `{"username":"Ann","email":"a@b.example"}`},
	{"POST", "/api/users", "Content-Type: application/json", "{\"username\":\"\\u0000\\ud800\xff\"}"},
	{"GET", "/api/users/7/reservations?limit=1&limit=2", "", ""},
	{"GET", "/api/users/me", "Authorization: Bearer x", ""},
	{"PATCH", "/api/drops/1", "Content-Type: application/json", `{"name":"x","price":1e2,"image_url":null,"start_time":"2026-01-31T10:00:00+01:00","limit_per_user":null,"max_expired_holds":3,"hidden":true,"archived":false}`},
	{"PATCH", "/api/drops/-99999999999999999999", "Content-Type: application/json", `{}`},
	{"POST", "/api/drops/1/restock", "Content-Type: application/json", `{"add":-1e0}`},
	{"POST", "/api/drops/2/restock", "Content-Type: application/json", `{"add":1,"size":"9"}`},
	{"POST", "/api/drops/1/pause", "", ""},
	{"POST", "/api/drops/1/resume", "Content-Type: application/json", `{"a":[[[[]]]],"a":1}`},
	{"GET", "/api/drops/1/purchases?format=csv&after=0", "Accept: text/csv;q=0.1, application/json;q=0", ""},
	{"GET", "/api/drops/1/purchases?after=9007199254740992&limit=0", "Accept: text/*", ""},
	{"GET", "/api/drops/%31/ledger?after=%zz", "", ""},
	{"GET", "/api/drops/events?drop=1", "Last-Event-ID: 7", ""},
	{"GET", "/api/operator/log?before=1&limit=1000", "X-Request-Id: a b", ""},
	{"HEAD", "/openapi.json", "", ""},
	{"GET", "/docs", "", ""},
	{"OPTIONS", "/api/drops/reserve", "Origin: null\nAccess-Control-Request-Method: POST\nAccess-Control-Request-Headers: a,b", ""},
	{"TRACE", "//api/./drops", "", ""},
	{"GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0;q=0.5", ""},
	{"GET", "/readyz", "Content-Length: 5\nContent-Encoding: gzip", "x"},
	{"POST", "*", "", ""},
}

// fuzzShop is a shop that starts over after each request that changed it, so that every request finds the same state.
type fuzzShop struct {
	provider *provider // nil: no identity
	buyer    string    // a token
	tokens   map[string]string

	opened   time.Time
	store    *memory.Store
	engine   *engine.Engine
	handler  http.Handler
	before   []store.Row
	closeAll []func()
}

func (s *fuzzShop) open() error {
	s.opened, s.tokens, s.closeAll = time.Now(), map[string]string{"buyer": s.buyer}, nil
	s.store = memory.New(stores.Now)
	quiet := slog.New(slog.DiscardHandler)
	hub := live.New(live.Config{})
	s.engine = engine.New(s.store, engine.Config{Log: quiet, Publish: hub.Publish})
	s.closeAll = append(s.closeAll, hub.Close)
	if err := s.engine.Start(context.Background()); err != nil {
		return err
	}
	streams := sse.New(hub, 2, 0)
	c := api.Config{Engine: s.engine, Log: quiet, Streams: streams}
	s.closeAll = append(s.closeAll, streams.Close)
	if s.provider != nil {
		v, err := identity.New(context.Background(), s.provider.config, quiet)
		if err != nil {
			return err
		}
		c.Identity = v
		s.closeAll = append(s.closeAll, v.Close)
	}
	var err error
	if s.handler, err = api.New(c); err != nil {
		return err
	}
	if err := s.fill(); err != nil {
		return err
	}
	s.before, err = s.state()
	return err
}

// fill creates a drop with an active, a completed and a cancelled reservation, a drop with sizes, and a drop that is
// sold out.
func (s *fuzzShop) fill() error {
	ctx := context.Background()
	units := func(n int64) *int64 { return &n }
	for _, spec := range []drop.Spec{
		{Name: "One", Price: 119_99, StartTime: 1, TotalStock: units(5)},
		{Name: "Sizes", Price: 90_00, StartTime: 1, Sizes: []drop.SizeSpec{{Label: "9", Stock: 2}, {Label: "9.5", Stock: 2}}, LimitPerUser: 1},
		{Name: "None", StartTime: 1, TotalStock: units(0)},
	} {
		if _, err := s.engine.Create(ctx, spec, engine.Retry{}); err != nil {
			return err
		}
	}
	user, err := s.engine.Buyer(ctx, drop.Subject{Issuer: testIssuer, Subject: "ann", Username: "ann Smith", Email: "ann@example.com"})
	if err != nil {
		return err
	}
	for n := range uint32(3) {
		r, err := s.engine.Reserve(ctx, 1, user.ID, "", engine.Retry{Key: strconv.FormatUint(uint64(n), 10)})
		if err != nil {
			return err
		}
		switch n {
		case 0:
			_, err = s.engine.Purchase(ctx, r.ID, 0, engine.Retry{})
		case 2:
			_, err = s.engine.Cancel(ctx, r.ID, 0, engine.Retry{})
		}
		if err != nil {
			return err
		}
	}
	if s.provider == nil {
		return nil
	}
	for _, role := range []operator.Role{operator.Operator, operator.Viewer} {
		token, hash := operator.Mint()
		if _, err := s.store.CreateToken(ctx, operator.Token{Name: string(role), Role: role}, hash); err != nil {
			return err
		}
		s.tokens[string(role)] = token
	}
	return nil
}

func (s *fuzzShop) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := s.engine.Stop(ctx)
	for _, f := range slices.Backward(s.closeAll) {
		f()
	}
	return err
}

// state returns all rows of the store except the operators' log, which records refused calls too.
func (s *fuzzShop) state() (rows []store.Row, err error) {
	err = s.store.Export(context.Background(), func(r store.Row) error {
		if _, entry := r.Value.(operator.Action); !entry {
			rows = append(rows, r)
		}
		return nil
	})
	return rows, err
}

// request returns the request that a server would pass to the handler, or nil if the server would answer it by
// itself.
func (s *fuzzShop) request(caller, method, target, headers string, body []byte) *http.Request {
	u, err := url.ParseRequestURI(target)
	if err != nil || method == "" || method == http.MethodConnect {
		return nil
	}
	header, err := textproto.NewReader(bufio.NewReader(strings.NewReader(headers + "\n\n"))).ReadMIMEHeader()
	if err != nil {
		return nil
	}
	for _, values := range header {
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return nil
			}
		}
	}
	r, err := http.NewRequest(method, "http://shop.example/", bytes.NewReader(body)) // refuses invalid methods
	if err != nil {
		return nil
	}
	r.URL, r.Header, r.RequestURI, r.RemoteAddr = u, http.Header(header), target, "192.0.2.1:5555"
	if len(header["Transfer-Encoding"]) > 0 {
		r.ContentLength = -1
	}
	if token := s.tokens[caller]; token != "" && r.Header["Authorization"] == nil {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// answerRecorder ends an endless answer after its first part.
type answerRecorder struct {
	*httptest.ResponseRecorder
	end context.CancelFunc
}

func (a answerRecorder) Flush() {
	a.ResponseRecorder.Flush()
	if strings.HasPrefix(a.Header().Get("Content-Type"), "text/event-stream") {
		a.end()
	}
}

func (a answerRecorder) SetWriteDeadline(time.Time) error { return nil }

func (s *fuzzShop) check(t *testing.T, r *http.Request, body []byte) {
	// Holds last a minute, so that none ends between two reads of the state.
	if time.Since(s.opened) > 30*time.Second {
		s.reopen(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rec := answerRecorder{httptest.NewRecorder(), cancel}
	s.handler.ServeHTTP(rec, r.WithContext(ctx))
	what := fmt.Sprintf("%s %s %v %q: %d %s", r.Method, r.RequestURI, r.Header, body, rec.Code, rec.Body)
	if rec.Code < 200 || rec.Code >= 500 && rec.Code != http.StatusServiceUnavailable {
		t.Fatal(what)
	}
	refused := rec.Code >= 400
	if err := wellFormed(rec.ResponseRecorder, refused); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	after, err := s.state()
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(s.before, after) {
		return
	}
	if time.Since(s.opened) < 55*time.Second {
		reads := !slices.Contains([]string{http.MethodPost, http.MethodPatch}, r.Method)
		if (refused || reads) && !madeABuyer(rec.Code, s.before, after) {
			t.Errorf("%s: and the state is another:\n%s", what, changes(s.before, after))
		}
	}
	s.reopen(t)
}

// madeABuyer allows the one thing that a refusal may leave behind: the buyer of a reserve by name that came too late
// for a unit.
func madeABuyer(code int, before, after []store.Row) bool {
	if code != http.StatusConflict && code != http.StatusTooManyRequests || len(after) != len(before)+1 {
		return false
	}
	for i := range after {
		if i == len(before) || !reflect.DeepEqual(before[i], after[i]) {
			_, user := after[i].Value.(store.User)
			return user && reflect.DeepEqual(before[i:], after[i+1:])
		}
	}
	return false
}

func changes(before, after []store.Row) string {
	var b strings.Builder
	show := func(sign string, rows, others []store.Row) {
		for _, r := range rows {
			if !slices.ContainsFunc(others, func(o store.Row) bool { return reflect.DeepEqual(r, o) }) {
				fmt.Fprintf(&b, "%s drop %d: %+v\n", sign, r.Drop, r.Value)
			}
		}
	}
	show("-", before, after)
	show("+", after, before)
	return b.String()
}

// wellFormed reports an answer that does not match its headers, and a refusal that does not say why.
func wellFormed(rec *httptest.ResponseRecorder, refused bool) error {
	h := rec.Header()
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Request-Id") == "" {
		return errors.New("without the headers that belong on every answer")
	}
	if strings.HasPrefix(h.Get("Content-Type"), "application/json") && !json.Valid(rec.Body.Bytes()) && rec.Body.Len() > 0 {
		return errors.New("the body is no JSON")
	}
	if !refused {
		return nil
	}
	var e errorJSON
	if err := json.Unmarshal(rec.Body.Bytes(), &e); err != nil {
		return err
	}
	if e.Error == "" || e.Code == "" || e.Code == "internal" {
		return errors.New("the refusal does not say why")
	}
	return nil
}

func (s *fuzzShop) reopen(t *testing.T) {
	t.Helper()
	if err := errors.Join(s.close(), s.open()); err != nil {
		t.Fatal(err)
	}
}
