package check

import (
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// Grafana's own types accept the dashboard, which has no field that they do not know.
func TestGrafana_TakesTheDashboard(t *testing.T) {
	plugins.RegisterDefaultPlugins()
	text, err := os.ReadFile("../grafana/sneakerdrop.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard.Dashboard                                                //nolint:staticcheck // the form that provisioning takes; the new one is a Kubernetes resource
	if err := d.UnmarshalJSONStrict(text); err != nil && err.Error() != "" { // an empty list of faults means that there are none
		t.Fatal(err)
	}
	if len(d.Panels) < 20 {
		t.Errorf("only %d panels", len(d.Panels))
	}
}
