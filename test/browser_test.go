package test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/browser/clients.js
var clientsScript string

// chromium is started by the first test that needs it; TestMain closes it.
var chromium browser

type browser struct {
	once  sync.Once
	ctx   context.Context // chromedp's handle of the browser
	close []context.CancelFunc
	dir   string
	err   error
}

var errNoChromium = errors.New("no Chromium: apt-get install chromium, or name one in SNEAKERDROP_TEST_CHROMIUM")

func (b *browser) start() {
	path, err := findChromium()
	if err != nil {
		b.err = err
		return
	}
	if b.dir, b.err = os.MkdirTemp("", "sneakerdrop-chromium-"); b.err != nil {
		return
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(b.dir),
		chromedp.NoSandbox, chromedp.DisableGPU, // as root and in a container there is neither
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true), chromedp.Env("HOME="+b.dir))
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	b.ctx, b.close = ctx, []context.CancelFunc{closeBrowser, closeAllocator}
	b.err = chromedp.Do(ctx)
}

func findChromium() (string, error) {
	for _, name := range []string{os.Getenv("SNEAKERDROP_TEST_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}

func (b *browser) stop() {
	for _, cancel := range b.close {
		cancel()
	}
	if b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// page is one tab with the script clients.js in it.
type page struct {
	t   *testing.T
	ctx context.Context // chromedp's handle of the tab
}

// open shows url in a new tab and loads the client bundle of server there.
func open(t *testing.T, url, server string) *page {
	t.Helper()
	startChromium(t)
	ctx, closeTab := chromedp.NewContext(chromium.ctx)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would become the tab's
		t.Fatal(err)
	}
	p := &page{t, ctx}
	in, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := chromedp.Do(in, chromedp.Func(passPolicy), chromedp.Navigate(url), chromedp.Evaluate[chromedp.Void](clientsScript)); err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	if kind := call[string](p, "load", server); kind != "function" {
		t.Fatalf("io is of type %s", kind)
	}
	return p
}

// call calls a function of the page, with the arguments as JavaScript literals.
func call[T any](p *page, function string, args ...any) T {
	p.t.Helper()
	literals := make([]string, len(args))
	for i, arg := range args {
		literal, err := json.Marshal(arg)
		if err != nil {
			p.t.Fatal(err)
		}
		literals[i] = string(literal)
		if s, ok := arg.(script); ok {
			literals[i] = string(s)
		}
	}
	return eval[T](p, script(function+"("+strings.Join(literals, ", ")+")"))
}

// eval runs an expression in the page and waits for its promise.
func eval[T any](p *page, expression script) T {
	p.t.Helper()
	v, err := evalOnce[T](p, expression)
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// glance is eval for checks that repeat: if the page goes to another address meanwhile, that is no failure.
func glance[T any](p *page, expression script) (T, error) {
	p.t.Helper()
	v, err := evalOnce[T](p, expression)
	if err != nil && !strings.Contains(err.Error(), "target navigated") {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v, err
}

func evalOnce[T any](p *page, expression script) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](string(expression), chromedp.EvalAwaitPromise))
}

// passPolicy lets the tests' scripts run in documents whose policy forbids all scripts.
func passPolicy(ctx context.Context, tab *chromedp.Target) error {
	_, err := cdp.Call(ctx, tab, cdppage.SetBypassCSP, cdppage.SetBypassCSPParams{Enabled: true})
	return err
}

// openOwn opens a page of the server's own origin, the bundle's text. The policy of that page forbids scripts, as
// every answer's does; open bypasses it.
func openOwn(t *testing.T, server string) *page {
	t.Helper()
	return open(t, server+"/socket.io/socket.io.js", server)
}

// script is JavaScript, unchanged.
type script string

const (
	webSocketOnly script = `{transports: ["websocket"]}`
	pollingOnly   script = `{transports: ["polling"]}`
	upgraded      script = `{}` // the client's defaults
)

func (p *page) connect(name, server string, options script) {
	p.t.Helper()
	call[chromedp.Void](p, "connect", name, server, options)
}

func (p *page) follow(name, url string) {
	p.t.Helper()
	call[chromedp.Void](p, "follow", name, url)
}

// seen has the events that a page's client received. An event is ["name",{…}], as JavaScript writes it.
type seen struct {
	Events     []string
	Connects   int
	Ended      []string
	Refused    []string
	Transports []string
	At         int64 // when the last event came, in Unix milliseconds
}

func (p *page) seen(name string) seen {
	p.t.Helper()
	return call[seen](p, "seen", name)
}

// until waits for a client to satisfy the check.
func (p *page) until(name string, check func(seen) error) {
	p.t.Helper()
	if err := poll(p.t.Context(), func() error { return check(p.seen(name)) }); err != nil {
		p.t.Fatalf("client %s: %v", name, err)
	}
}

// wantEvents waits until each client has as many events as are wanted, and compares.
func (p *page) wantEvents(want []string, names ...string) {
	p.t.Helper()
	for _, name := range names {
		p.until(name, func(s seen) error {
			if len(s.Events) < len(want) {
				return fmt.Errorf("was told only %q\nand not %q; refused %q, ended %q", s.Events, want[len(s.Events):], s.Refused, s.Ended)
			}
			return nil
		})
		if got := p.seen(name).Events; !slices.Equal(got, want) {
			p.t.Fatalf("client %s was told\n%q, want\n%q", name, got, want)
		}
	}
}

// stock is a stock_update as clients receive it; in a snapshot it has no reason.
func stock(drop, available int, reason string, version int) string {
	if reason != "" {
		reason = `"reason":"` + reason + `",`
	}
	return fmt.Sprintf(`["stock_update",{"dropId":%d,"available_stock":%d,%s"version":%d}]`, drop, available, reason, version)
}

// pages serves empty pages at an origin of its own.
func pages(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(emptyPage))
	t.Cleanup(s.Close)
	return s.URL
}

func emptyPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><title>shop</title>")
}

// createShown creates a drop with that many units and waits until new watchers are told about it.
func createShown(t *testing.T, url string, drop, units int) {
	t.Helper()
	create(t, url, units, past)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/api/drops/events?drop=%d", url, drop), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := res.Body.Read(make([]byte, 1)); err != nil {
		t.Fatalf("drop %d is not shown: %v", drop, err)
	}
}

// hold reserves a unit and returns the reservation's id.
func hold(t *testing.T, url, body string) int64 {
	t.Helper()
	return id(t, post(t, url+"/api/drops/reserve", body))
}
