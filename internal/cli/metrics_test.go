package cli

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sockets"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/socketio"
)

// Operators read of every metric what it is, and no alert rule waits for one that does not exist.
func TestMetrics_AreDocumentedAndAlertedOn(t *testing.T) {
	have := served(t)
	if len(have) < 10 {
		t.Fatalf("only %d metrics: %v", len(have), have)
	}
	named := names(t, "../../docs/OPERATIONS.md")
	for name := range have {
		if !named[name] {
			t.Errorf("docs/OPERATIONS.md does not name %s", name)
		}
	}
	for _, file := range []string{"../../docs/OPERATIONS.md", "../../deploy/alerts.yaml"} {
		for name := range names(t, file) {
			if !have[name] {
				t.Errorf("%s names %s; there are %v", file, name, slices.Sorted(maps.Keys(have)))
			}
		}
	}
}

// served returns the names of our own metrics, also of those that have no values yet.
func served(t *testing.T) map[string]bool {
	t.Helper()
	metrics := engine.NewMetrics()
	hub := live.New(live.Config{})
	t.Cleanup(hub.Close)
	b, err := bus.Dial(bus.Config{Servers: []string{"nats://127.0.0.1:1"}, Subject: "x", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	ours := []prometheus.Collector{metrics, sockets.New(hub, socketio.Options{}, nil), sse.New(hub, 0, 0), b}
	r := registry(ours...)
	e := engine.New(memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }), engine.Config{Metrics: metrics})
	h, err := api.New(api.Config{Engine: e, Registry: r})
	if err != nil {
		t.Fatal(err)
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/livez", http.NoBody))
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := make(map[string]bool)
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "sneakerdrop_") {
			have[f.GetName()] = true
		}
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		for _, c := range ours {
			c.Describe(descriptions)
		}
	}()
	for d := range descriptions {
		if m := regexp.MustCompile(`fqName: "([^"]+)"`).FindStringSubmatch(d.String()); m != nil {
			have[m[1]] = true
		}
	}
	return have
}

// names of our metrics in a file, without what Prometheus adds to those of a histogram.
func names(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, name := range regexp.MustCompile(`\bsneakerdrop_[a-z_]+`).FindAllString(string(text), -1) {
		found[strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count")] = true
	}
	return found
}
