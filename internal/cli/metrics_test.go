package cli

import (
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/app"
	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/http1"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sockets"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/socketio"
)

// The documents explain every metric, and no alert rule uses one that does not exist.
func TestMetrics_AreDocumentedAndAlertedOn(t *testing.T) {
	have := served(t)
	if len(have) < 10 {
		t.Fatalf("only %d metrics: %v", len(have), have)
	}
	named := names(t, "../../docs/reference/metrics.md")
	for name := range have {
		if !named[name] {
			t.Errorf("docs/reference/metrics.md does not name %s", name)
		}
	}
	guides, err := filepath.Glob("../../docs/howto/*.md")
	if err != nil || len(guides) < 10 {
		t.Fatalf("%d guides: %v", len(guides), err)
	}
	roles := map[string]bool{"sneakerdrop_owner": true, "sneakerdrop_serve": true}
	files := slices.Concat(guides, []string{"../../docs/reference/metrics.md", "../../deploy/alerts.yaml", "../../deploy/grafana/sneakerdrop.json"})
	for _, file := range files {
		for name := range names(t, file) {
			if !have[name] && !roles[name] {
				t.Errorf("%s names %s; there are %v", file, name, slices.Sorted(maps.Keys(have)))
			}
		}
	}
}

// served returns the names of our own metrics, even those without values yet.
func served(t *testing.T) map[string]bool {
	t.Helper()
	have := make(map[string]bool)
	for _, d := range described(t) {
		if m := regexp.MustCompile(`fqName: "(sneakerdrop_[^"]+)"`).FindStringSubmatch(d.String()); m != nil {
			have[m[1]] = true
		}
	}
	return have
}

// exported returns what a server's /metrics shows.
func exported(t *testing.T) *prometheus.Registry {
	t.Helper()
	metrics := engine.NewMetrics()
	hub := live.New(live.Config{})
	t.Cleanup(hub.Close)
	b, err := bus.Dial(bus.Config{Servers: []string{"nats://127.0.0.1:1"}, Subject: "x", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	r := app.Registry(metrics, sockets.New(hub, socketio.Options{}, nil), sse.New(hub, 0, 0), b, webhooks.NewMetrics(), payment.NewMetrics(), drawing.NewMetrics())
	e := engine.New(memory.New(stores.Now), engine.Config{Metrics: metrics})
	if _, err := api.New(api.Config{Engine: e, Registry: r}); err != nil {
		t.Fatal(err)
	}
	r.MustRegister(http1.New(api.Server(nil, slog.New(slog.DiscardHandler)), api.GivenWhole, http1.Bounds{}))
	return r
}

// names returns our metrics in a file, without the suffixes that Prometheus adds for a histogram.
func names(t *testing.T, file string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, name := range regexp.MustCompile(`\bsneakerdrop_[a-z_]+`).FindAllString(string(text), -1) {
		found[family(name)] = true
	}
	return found
}
