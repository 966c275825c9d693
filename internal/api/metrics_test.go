package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/stores"
)

// requests returns how many requests /metrics counts under the labels.
func (s *shop) requests(route, method, code string) string {
	s.Helper()
	pattern := fmt.Sprintf(`(?m)^sneakerdrop_http_request_duration_seconds_count\{code="%s",method="%s",route="%s"\} (\d+)$`,
		code, method, regexp.QuoteMeta(route))
	found := regexp.MustCompile(pattern).FindStringSubmatch(s.get("/metrics").body)
	if found == nil {
		return "0"
	}
	return found[1]
}

// counts waits for a figure, because a request is counted after its answer was sent.
func (s *shop) counts(route, method, code, want string) {
	s.Helper()
	await.Nil(s, func() error {
		if got := s.requests(route, method, code); got != want {
			return fmt.Errorf("%s %s %s: counted %s, want %s", method, route, code, got, want)
		}
		return nil
	})
}

func TestMetrics_CountRequestsByRouteMethodAndStatus(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for i := range 7 {
		s.post("/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, i+1)) // of 5 units
	}
	s.get("/API/Drops/1/")
	s.get("/api/drops/2")
	s.do(s.request(http.MethodHead, "/api/drops/1", ""))
	s.list("If-None-Match", s.list().header.Get("ETag"))
	s.patch("/api/drops/1", `{}`)
	s.counts("/api/drops/create", "POST", "200", "1")
	s.counts("/api/drops/reserve", "POST", "200", "5")
	s.counts("/api/drops/reserve", "POST", "409", "2")
	s.counts("/api/drops/{id}", "GET", "200", "2") // HEAD is served like GET
	s.counts("/api/drops/{id}", "GET", "404", "1")
	s.counts("/api/drops/{id}", "PATCH", "200", "1")
	s.counts("/api/drops", "GET", "304", "1")
	r := s.get("/metrics")
	if !strings.HasPrefix(r.header.Get("Content-Type"), "text/plain") || !strings.Contains(r.body, "\nsneakerdrop_http_requests_in_flight 1\n") {
		t.Errorf("%v %s", r.header, r.body)
	}
}

func TestMetrics_CallersMakeNoSeries(t *testing.T) {
	s := newShop(t)
	series := func() int { return strings.Count(s.get("/metrics").body, "_seconds_count{") }
	s.get("/nowhere")
	s.get("/api/drops/7")
	s.do(s.request("BREW", "/api/drops", ""))
	s.counts("none", "any", "404", "1")
	s.counts("/api/drops/{id}", "GET", "404", "1")
	s.get("/metrics")
	s.counts("/api/drops/{id}", "GET", "404", "1")
	before := series()
	for i := range 50 {
		s.get(fmt.Sprintf("/nowhere/%d", i))
		s.get(fmt.Sprintf("/api/drops/%d", 7+i))
		s.do(s.request(fmt.Sprintf("BREW%d", i), "/api/drops", ""))
	}
	s.counts("none", "any", "404", "51")
	s.counts("none", "any", "405", "51")
	if after := series(); after != before {
		t.Errorf("%d series, then %d", before, after)
	}
}

func TestMetrics_CountAPanicAsAFault(t *testing.T) {
	s := newFaultyShop(t, fails(store.ClassFault))
	s.post("/api/drops/reserve", `{"dropId":1,"userId":1099511627776}`)
	s.counts("/api/drops/reserve", "POST", "500", "1")
	if !strings.Contains(s.get("/metrics").body, "\nsneakerdrop_http_requests_in_flight 1\n") {
		t.Error("the request is still in flight")
	}
}

func TestMetrics_ShowTheRegistryThatIsGiven(t *testing.T) {
	registry := prometheus.NewRegistry()
	counts := engine.NewMetrics()
	registry.MustRegister(counts)
	e := engine.New(memory.New(stores.Now), engine.Config{Metrics: counts})
	s := newShop(t, func(c *api.Config) { c.Registry = registry })
	if body := s.get("/metrics").body; !strings.Contains(body, "sneakerdrop_holds_live 0") {
		t.Error(body)
	}
	if _, err := api.New(api.Config{Engine: e, Registry: registry}); err == nil {
		t.Error("two handlers measure into one registry")
	}
}
