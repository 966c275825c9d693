package test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// exampleSite serves a folder of examples like the shop that has these pages: on another origin than the server.
func exampleSite(t *testing.T, dir string) string {
	t.Helper()
	s := httptest.NewServer(http.FileServerFS(os.DirFS(dir)))
	t.Cleanup(s.Close)
	return s.URL
}

func TestExamples_PlainPageBuys(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	id := made(t, s.url, `{"name":"Plain","price":90,"sizes":[{"size":"9","stock":1}],"start_time":"2020-01-01T00:00:00Z","limit_per_user":1}`)
	p := visit(t, exampleSite(t, "../examples/plain")+"/?server="+s.url, desktop)
	p.reads("#state", "Live")
	p.reads("#drops li", "Plain 1 of 1 left")
	p.press("#drops button")
	p.reads("#said", "Bought for 90.")
	p.reads("#drops li", "Plain 0 of 1 left")
	p.press("#drops button")
	p.reads("#said", "size is required") // no size is left, so none is chosen
	mustPost(t, s.url+"/api/drops/"+strconv.FormatInt(id, 10)+"/restock", `{"add":1,"size":"9"}`)
	p.reads("#drops li", "Plain 1 of 2 left")
	p.press("#drops button")
	p.reads("#said", "At most 1 a person.")
	p.quiet()
}

func TestExamples_NodeBuysWhenItStarts(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Soon","price":90,"total_stock":2,"start_time":"`+time.Now().Add(1500*time.Millisecond).UTC().Format(time.RFC3339Nano)+`"}`)
	out := said(t, nil, tool(t, "node"), "../examples/node/buy.mjs", "1", "Ann", s.url)
	if !strings.Contains(out, "Soon: 2 of 2 left") || !strings.Contains(out, "Bought: purchase ") {
		t.Error(out)
	}
	if all := reservations(t, s.url, 1); strings.Count(all, `"status":"completed"`) != 1 || strings.Count(all, `"id"`) != 1 {
		t.Errorf("Ann has %s", all)
	}
}

func TestExamples_ReactHolds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	client, err := filepath.Abs("../client/sneakerdrop.js")
	if err != nil {
		t.Fatal(err)
	}
	bundle := exec.CommandContext(t.Context(), nodeTool(t, "esbuild"), "../examples/react/main.tsx", "--bundle", "--jsx=automatic", "--outdir="+dir+"/out", "--alias:sneakerdrop="+client, "--log-level=warning")
	bundle.Env = append(os.Environ(), "NODE_PATH=../.ci/node/node_modules")
	if said, err := bundle.CombinedOutput(); err != nil || len(said) > 0 {
		t.Fatalf("bundle: %v\n%s", err, said)
	}
	page, err := os.ReadFile("../examples/react/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/index.html", page, 0o600); err != nil {
		t.Fatal(err)
	}
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	p := visit(t, exampleSite(t, dir)+"/?server="+s.url, desktop)
	p.reads("[role=status]", "Live")
	p.press("li button")
	p.reads("li", "0 of 1 left")
	p.reads("li [role=timer]", " s")
	p.press("li button:last-of-type")
	p.reads("li", "1 of 1 left Reserve")
	p.press("li button")
	p.reads("li button", "Buy")
	p.press("li button")
	p.reads("li", "0 of 1 left Reserve")
	p.press("li button")
	p.reads("li [role=alert]", "Out of stock")
	p.quiet()
}
