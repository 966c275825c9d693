package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nodeTool finds a program of .ci/node, which .ci/deps installs. If it is missing, the test is skipped.
func nodeTool(t *testing.T, name string) string {
	t.Helper()
	tool(t, "node")
	path, err := filepath.Abs("../.ci/node/node_modules/.bin/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: make deps", path)
	}
	t.Skipf("%s is not installed: make deps", path)
	return ""
}

// TestClient_IsWhatMakeClientMakes generates the client again, from a copy of client/openapi.json. A test in
// internal/api checks that this is the server's document.
func TestClient_IsWhatMakeClientMakes(t *testing.T) {
	t.Parallel()
	nodeTool(t, "openapi-typescript")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../client")); err != nil {
		t.Fatal(err)
	}
	if said := said(t, nil, "node", "../.ci/node/generate.mjs", dir); said != "" {
		t.Errorf("the generator warns: %s", said)
	}
	for _, name := range []string{"sneakerdrop.d.ts", "sneakerdrop.js"} {
		made, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if held, err := os.ReadFile("../client/" + name); err != nil || string(held) != string(made) {
			t.Errorf("client/%s is not what is made from openapi.json (%v): run make client", name, err)
		}
	}
}

// TestClient_TypesAndExamplesCompile makes TypeScript read the types and all examples as strictly as it can.
// client/test/types.ts says what the types must refuse.
func TestClient_TypesAndExamplesCompile(t *testing.T) {
	t.Parallel()
	tsc := nodeTool(t, "tsc")
	if out := said(t, nil, tsc, "--project", "../.ci/node", "--listFiles"); !strings.Contains(out, "client/test/types.ts") || !strings.Contains(out, "examples/react/main.tsx") || !strings.Contains(out, "examples/storefront/shop.js") {
		t.Errorf("it compiles something else: %s", out)
	}
}

// TestClient_LintersHaveNothingToSayOfTheDocument runs all rules that Redocly and Spectral recommend on the document.
// It does so with everything switched on, and for a server without sign-in. Tools that generate clients and configure
// gateways insist on these rules.
func TestClient_LintersHaveNothingToSayOfTheDocument(t *testing.T) {
	t.Parallel()
	redocly, spectral := nodeTool(t, "redocly"), nodeTool(t, "spectral")
	_, document := get(t, startFor(t, t.TempDir()).url+"/openapi.json")
	open := filepath.Join(t.TempDir(), "open.json")
	if err := os.WriteFile(open, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	const whole = "../client/openapi.json"
	reports := lint[redoclyReport](t, redocly, "lint", "--config", "../.ci/node/redocly.yaml", "--format", "json", "--max-problems", "1000", whole, open)
	if len(reports) != 2 {
		t.Errorf("Redocly reports of %d documents, want 2", len(reports))
	}
	for _, r := range reports {
		if n := r.Totals; n.Errors == nil || n.Warnings == nil || n.Ignored == nil || *n.Errors+*n.Warnings+*n.Ignored > 0 {
			t.Errorf("Redocly found something, or counts nothing: %+v", r.Problems)
		}
	}
	found := lint[[]spectralFinding](t, spectral, "lint", "--ruleset", "../.ci/node/spectral.yaml", "--format", "json", "--quiet", "--fail-severity", "hint", whole, open)
	if len(found) != 1 || len(found[0]) > 0 {
		t.Errorf("Spectral found something, or reports nothing: %+v", found)
	}
}

// redoclyReport is the report on one document.
type redoclyReport struct {
	Totals   struct{ Errors, Warnings, Ignored *int }
	Problems []struct {
		RuleID, Message string
		Location        []struct {
			Source  struct{ Ref string }
			Pointer string
		}
	}
}

type spectralFinding struct {
	Code, Message, Source string
	Path                  []any
}

// lint runs a linter without update checks and returns its reports. The test fails if the linter does.
func lint[T any](t *testing.T, name string, args ...string) (reports []T) {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(os.Environ(), "REDOCLY_TELEMETRY=off", "REDOCLY_SUPPRESS_UPDATE_NOTICE=true")
	var complaints strings.Builder
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, complaints.String())
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var report T
		if err := d.Decode(&report); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s reported %s: %v", name, out, err)
		}
		reports = append(reports, report)
	}
	return reports
}
