package test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	zsqlite "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// rewrite changes the database of a stopped server in a way that no call could.
func rewrite(t *testing.T, s *server, dir, sql string) {
	t.Helper()
	if _, err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	conn, err := zsqlite.OpenConn(filepath.Join(dir, "sneakerdrop.db"), zsqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteScript(conn, sql, nil); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// A drop whose image is older than the rule about addresses shows a drawn sneaker, and its page makes no request to
// other servers.
func TestShop_LoadsNoImageFromElsewhereThanItsAddressSays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startFor(t, dir)
	made(t, s.url, `{"name":"Old","price":90,"total_stock":5,"start_time":"2020-01-01T00:00:00Z"}`)
	rewrite(t, s, dir, `UPDATE drops SET image_url = '/\evil.example/a.png'`)
	s = startFor(t, dir)
	p := visit(t, s.url, desktop)
	p.reads("#drop-1", "Old")
	p.holds(`document.querySelector("#drop-1 .picture svg") && !document.querySelector("img")`)
	eval[chromedp.Void](p, `import(moduleAt("shared/image.js")).then((m) => { globalThis.imageOf = m.imageOf })`)
	shown := []string{"/a.png", "/a//b.png?c=//d#e", "/%5Ca.png", "https://img.example/a b.png", "HTTP://[::1]:80"}
	drawn := []string{
		`//evil.example`, `/\evil.example`, `\\evil.example`, `/\/evil.example`, "/\t/evil.example", "\t//evil.example", "/\n/evil.example", "\r//evil.example",
		` //evil.example`, "\u00a0//evil.example", `http:\\evil.example`, `http:/\evil.example`, `http:evil.example`, `https:///evil.example\@a`, `https://img.example@evil.example/`,
		`https://u:p@img.example/`, `javascript:alert(1)`, `data:image/png;base64,AA`, `img.png`, `https://[::1`, `https://img.example:99999/`, `blob:https://a.example/b`, ``,
	}
	for _, raw := range shown {
		if got := call[string](p, "imageOf", raw); got != raw {
			t.Errorf("imageOf(%q) is %q", raw, got)
		}
	}
	for _, raw := range drawn {
		if got := call[string](p, "imageOf", raw); got != "" {
			t.Errorf("imageOf(%q) is %q", raw, got)
		}
	}
	if said := strings.Join(eval[[]string](p, `performance.getEntriesByType("resource").map((e) => new URL(e.name).host)`), " "); strings.Contains(said, "evil") {
		t.Errorf("the page asked %s", said)
	}
	p.quiet()
}

// Prices show with the decimals that ISO 4217 gives the currency, which the browser's own tables do not always
// follow. A price that was stored under another currency shows unchanged. The control room's forms take no other
// decimals.
func TestPages_PricesHaveTheDecimalsOfTheCurrency(t *testing.T) {
	t.Parallel()
	const started = `,"total_stock":5,"start_time":"2020-01-01T00:00:00Z"}`
	for _, c := range []struct{ code, price, shown, wrong, problem, right string }{
		{"JPY", "12000", "¥12,000", "12000.5", "A whole number such as 12000, at most 99,999,999: JPY has no decimals.", "12500"},
		{"KWD", "119.995", "KWD 119.995", "119.9951", "A price such as 129.950, at most 99,999,999.99.", "119.005"},
		{"KWD", "120", "KWD 120.000", "12,000", "A price such as 129.950", "12.5"},
		{"IQD", "120.5", "IQD 120.500", "1.2345", "A price such as 129.950", "1.234"},
		{"USD", "119.9", "$119.90", "119.995", "A price such as 129.95, at most 99,999,999.99.", "119,95"},
	} {
		t.Run(c.code+" "+c.price, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--currency="+c.code)
			made(t, s.url, `{"name":"One","price":`+c.price+started)
			p := visit(t, s.url, desktop)
			p.reads("#drop-1 .price", c.shown)
			p.quiet()
			p = visit(t, s.url+"/admin", desktop)
			p.pushes("New drop")
			p.leaves("price", c.wrong)
			p.reads("#price-problem", c.problem)
			p.leaves("price", c.right)
			p.holds(`document.querySelector("#price-problem").textContent === ""`)
			p.quiet()
		})
	}
	dir := t.TempDir()
	s := startFor(t, dir, "--currency=KWD")
	made(t, s.url, `{"name":"Old","price":119.995`+started)
	if _, err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s = startFor(t, dir, "--currency=JPY")
	p := visit(t, s.url, desktop)
	p.reads("#drop-1 .price", "¥119.995")
	p = visit(t, s.url+"/admin#/1", desktop)
	p.pushes("Edit")
	p.leaves("name", "Older")
	p.pushes("Save")
	p.reads("h1", "Older")
	p.quiet()
}
