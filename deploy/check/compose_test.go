package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// secrets has what deploy/secrets.sh would print.
var secrets = types.Mapping{
	"POSTGRES_PASSWORD": "a", "OWNER_PASSWORD": "b", "SERVE_PASSWORD": "c", "JWT_SECRET": "d", "GRAFANA_PASSWORD": "e",
}

func compose(t *testing.T, environment types.Mapping) (*types.Project, error) {
	t.Helper()
	file, err := filepath.Abs("../compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: filepath.Dir(file), ConfigFiles: []types.ConfigFile{{Filename: file}}, Environment: environment.Clone(), // the loader adds to it
	})
}

// Docker Compose's own loader reads the file: its schema, its names, and what depends on what.
func TestCompose_IsReadByItsOwnLoader(t *testing.T) {
	project, err := compose(t, secrets)
	if err != nil {
		t.Fatal(err)
	}
	proxy := project.Services["haproxy"]
	if inner := proxy.Environment["HAPROXY_INTERNAL"]; inner == nil || *inner != proxy.Networks["shop"].Ipv4Address {
		t.Errorf("HAProxy does not serve its statistics at its address %s", proxy.Networks["shop"].Ipv4Address)
	}
	if len(project.Services) < 10 {
		t.Errorf("only the services %v", project.ServiceNames())
	}
	for _, s := range project.Services {
		for _, v := range s.Volumes {
			if v.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(v.Source); err != nil {
				t.Errorf("%s has a volume that does not exist: %v", s.Name, err)
			}
		}
		for _, p := range s.Ports {
			if s.Name != "haproxy" && p.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to other machines at %s", s.Name, p.Published)
			}
		}
	}
}

// If a password is missing, nothing starts.
func TestCompose_NeedsEachSecret(t *testing.T) {
	for name := range secrets {
		missing := types.Mapping{}
		for n, v := range secrets {
			if n != name {
				missing[n] = v
			}
		}
		if _, err := compose(t, missing); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// HAProxy and Prometheus call the replicas by the names of their services, and the replicas trust the proxy.
func TestCompose_NamesAndAddressesAgree(t *testing.T) {
	project, err := compose(t, secrets)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, s := range project.Services {
		known[s.Name] = true
	}
	for name := range project.Services["haproxy"].ExtraHosts {
		known[name] = true
	}
	proxy := project.Services["haproxy"].Networks["shop"].Ipv4Address
	for file, mark := range map[string]string{"../haproxy.cfg": "    server ", "../prometheus.yml": "      - targets: ["} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(text)) {
			rest, ok := strings.CutPrefix(line, mark)
			if !ok {
				continue
			}
			for _, word := range strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(" ,]\n", r) }) {
				name, port, isAddress := strings.Cut(word, ":")
				if !isAddress {
					continue
				}
				if found++; !known[name] {
					t.Errorf("%s names %s:%s, and no service has that name", file, name, port)
				}
			}
		}
		if found < 4 {
			t.Errorf("only %d addresses found in %s", found, file)
		}
	}
	for _, name := range []string{"app1", "app2", "app3"} {
		s := project.Services[name]
		if trusted := s.Environment["SNEAKERDROP_TRUSTED_PROXY"]; trusted == nil || *trusted != proxy {
			t.Errorf("%s trusts %v, but the proxy is %s", name, trusted, proxy)
		}
		if s.StopGracePeriod == nil || s.StopGracePeriod.String() <= "10s" {
			t.Errorf("%s is killed after %v, before --shutdown-timeout is over", name, s.StopGracePeriod)
		}
	}
}
