package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tool finds a program that .ci/deps installs. If it is missing, the test is skipped.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: make deps", name)
	}
	t.Skipf("%s is not installed: make deps", name)
	return ""
}

func said(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Prometheus's own tool reads the settings, the alerts, and each query of the dashboard.
func TestDeploy_PrometheusTakesTheFiles(t *testing.T) {
	promtool := tool(t, "promtool")
	out := said(t, nil, promtool, "check", "config", "../deploy/prometheus.yml")
	if !strings.Contains(out, "rules found") {
		t.Errorf("the alerts are not read: %s", out)
	}
	text, err := os.ReadFile("../deploy/grafana/sneakerdrop.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "1m", "$job", "sneakerdrop").Replace(target.Expr)
			rules = append(rules, rule{fmt.Sprintf("query_%d", len(rules)), expr})
		}
	}
	if len(rules) < 30 {
		t.Fatalf("only %d queries found", len(rules))
	}
	file, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}}) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	said(t, nil, promtool, "check", "rules", name)
}

// systemd accepts the unit, and finds little exposure in it. Only systemd has this tool, so without systemd there is
// no test.
func TestDeploy_SystemdTakesTheUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd-analyze")
	}
	binary, err := exec.LookPath("sneakerdrop")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../deploy/sneakerdrop.service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "sneakerdrop.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(text), "/usr/local/bin/sneakerdrop", binary, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := said(t, nil, "systemd-analyze", "verify", unit); strings.Contains(out, "sneakerdrop.service:") {
		t.Error(out)
	}
	said(t, nil, "systemd-analyze", "security", "--offline=true", "--threshold=15", unit) // exposure above 1.5 fails
}

// Images have names that any registry accepts.
func TestDeploy_ImagesAreNamedWithoutAHost(t *testing.T) {
	found := 0
	for _, pattern := range []string{"../Dockerfile", "../deploy/*.yaml", "../deploy/kubernetes/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(`(?m)^ *(?:image:|FROM(?: --\S+)?) (\S+)`).FindAllStringSubmatch(string(text), -1) {
				found++
				host, _, several := strings.Cut(m[1], "/")
				if several && strings.ContainsAny(host, ".:") {
					t.Errorf("%s takes %s from one registry", file, m[1])
				}
				if tag := strings.Contains(m[1], ":"); !tag && m[1] != "sneakerdrop" && m[1] != "scratch" || strings.HasSuffix(m[1], ":latest") {
					t.Errorf("%s takes whatever %s is today", file, m[1])
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d images found", found)
	}
}
