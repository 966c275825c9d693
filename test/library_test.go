package test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The library's own tests, in Node.js.
func TestLibrary_InNode(t *testing.T) {
	t.Parallel()
	out := said(t, nil, tool(t, "node"), "--test", "../client/test")
	if !strings.Contains(out, "# fail 0") || strings.Contains(out, "# pass 0") {
		t.Error(out)
	}
}

// npm packs the library, its types and its license. The package can be installed and used.
func TestLibrary_IsAPackage(t *testing.T) {
	t.Parallel()
	npm, dir := tool(t, "npm"), t.TempDir()
	quietly := []string{"--offline", "--no-audit", "--no-fund", "--loglevel=error"}
	packed := filepath.Join(dir, strings.TrimSpace(said(t, nil, npm, append(quietly, "pack", "../client", "--pack-destination", dir)...)))
	files := strings.Fields(said(t, nil, "tar", "tzf", packed))
	slices.Sort(files)
	if want := []string{"package/LICENSE", "package/README.md", "package/package.json", "package/sneakerdrop.d.ts", "package/sneakerdrop.js"}; !slices.Equal(files, want) {
		t.Errorf("packed are %v, want %v", files, want)
	}
	said(t, nil, npm, append(quietly, "install", "--prefix", dir, packed)...)
	program := filepath.Join(dir, "try.mjs")
	if err := os.WriteFile(program, []byte(`import { createClient } from "sneakerdrop"; console.log(typeof createClient().listDrops)`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(said(t, nil, tool(t, "node"), program)); got != "function" {
		t.Errorf("the installed package: %s", got)
	}
}

// A worker has the platform's fetch but no document.
func TestLibrary_InAWorker(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	p := visit(t, pages(t), desktop)
	got := eval[string](p, script(`new Promise((done, fail) => {
		const source = 'import { createClient } from "`+s.url+`/client/sneakerdrop.js";' + (() => {
			const shop = createClient({ server: "`+s.url+`" });
			const w = shop.watch({
				event: (name, d) => d.reason === "reserved" && (w.stop(), postMessage(name + " " + d.available_stock)),
				sync: () => shop.reserve({ dropId: 1, userName: "Ann" }).catch((e) => postMessage(e.code)),
			});
		}).toString().replace(/^\(\) => \{|\}$/g, "");
		const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
		worker.onmessage = (m) => done(m.data);
		worker.onerror = (e) => fail(new Error(e.message));
	})`))
	if got != "stock_update 0" {
		t.Error(got)
	}
	p.quiet()
}
