package test

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var (
	//go:embed testdata/browser/pages.js
	pagesScript string
	//go:embed testdata/axe/axe.min.js
	axeScript string
)

// look is how a visitor sees the pages. axe-core, which takes its time, looks at each size and at each scheme once.
type look struct {
	name             string
	width, height    int64
	phone, dark, axe bool
	before           script // runs in each page before its own scripts
	languages        string // that the browser asks for, as in Accept-Language; empty: its own
}

// with is the look in a browser that a script has made another one.
func (l look) with(before script) look {
	l.before = before
	return l
}

// in is the look in a browser that asks for these languages.
func (l look) in(languages string) look {
	l.languages = languages
	return l
}

var (
	phone       = look{name: "phone", width: 390, height: 844, phone: true, axe: true}
	phoneDark   = look{name: "phone-dark", width: 390, height: 844, phone: true, dark: true}
	desktop     = look{name: "desktop", width: 1440, height: 900}
	desktopDark = look{name: "desktop-dark", width: 1440, height: 900, dark: true, axe: true}
)

// visit opens a page of the product as somebody new: in a browser without a past.
func visit(t *testing.T, url string, l look) *page {
	t.Helper()
	return newTab(chromium.ctx, t, url, l, chromedp.WithNewBrowserContext())
}

// sameVisitor opens another tab of the visitor.
func (p *page) sameVisitor(url string, l look) *page {
	p.t.Helper()
	return newTab(p.ctx, p.t, url, l)
}

func newTab(parent context.Context, t *testing.T, url string, l look, options ...chromedp.ContextOption) *page {
	t.Helper()
	startChromium(t)
	if parent == nil {
		parent = chromium.ctx
	}
	ctx, closeTab := chromedp.NewContext(parent, options...)
	t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would become the tab's
		t.Fatal(err)
	}
	p := &page{t, ctx}
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}}
	if l.dark {
		features[0].Value = "dark"
	}
	shape := []chromedp.EmulateViewportOption{}
	if l.phone {
		shape = append(shape, chromedp.EmulatePortrait, chromedp.EmulateMobile, chromedp.EmulateTouch)
	}
	p.do(chromedp.EmulateViewport(l.width, l.height, shape...), chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: pagesScript + "\n" + string(l.before)})
		_, focusErr := cdp.Call(ctx, tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		_, mediaErr := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
		var languageErr error
		if l.languages != "" {
			_, languageErr = cdp.Call(ctx, tab, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: "a test's", AcceptLanguage: l.languages})
		}
		return errors.Join(err, focusErr, mediaErr, languageErr)
	}))
	p.navigate(url)
	return p
}

// startChromium starts the browser, or skips the test where there is none.
func startChromium(t *testing.T) {
	t.Helper()
	chromium.once.Do(chromium.start)
	if errors.Is(chromium.err, errNoChromium) && os.Getenv("CI") != "true" {
		t.Skip(chromium.err)
	}
	if chromium.err != nil {
		t.Fatal(chromium.err)
	}
}

func (p *page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) navigate(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// press clicks an element, once it is there and may be clicked.
func (p *page) press(selector string) {
	p.t.Helper()
	p.ready(selector)
	call[chromedp.Void](p, "press", selector)
}

// fill types into a field, once it is there.
func (p *page) fill(selector, value string) {
	p.t.Helper()
	p.ready(selector)
	call[chromedp.Void](p, "fill", selector, value)
}

// submit sends the form that has the element, once it is there.
func (p *page) submit(selector string) {
	p.t.Helper()
	p.ready(selector)
	call[chromedp.Void](p, "submit", selector)
}

func (p *page) ready(selector string) {
	p.t.Helper()
	p.holds(script(fmt.Sprintf(`((e) => !!e && !e.disabled)(document.querySelector(%q))`, selector)))
}

// reads waits until an element's text has what is wanted.
func (p *page) reads(selector, want string) {
	p.t.Helper()
	var got string
	if err := poll(p.t.Context(), func() error {
		var err error
		if got, err = glance[string](p, script(fmt.Sprintf("textOf(%q)", selector))); err != nil {
			return err
		}
		if !strings.Contains(got, want) || want == "" && got != "" {
			return fmt.Errorf("%s reads %q, want %q", selector, got, want)
		}
		return nil
	}); err != nil {
		p.t.Fatalf("%v; all of the page: %q", err, call[string](p, "textOf", "body"))
	}
}

// holds waits until an expression is true in the page.
func (p *page) holds(expression script) {
	p.t.Helper()
	if err := poll(p.t.Context(), func() error {
		if is, err := glance[bool](p, expression); err != nil || !is {
			return cmp.Or(err, fmt.Errorf("not true: %s", expression))
		}
		return nil
	}); err != nil {
		p.t.Fatalf("%v; all of the page: %q", err, call[string](p, "textOf", "body"))
	}
}

// quiet checks that nothing went wrong in the page behind the visitor's back.
func (p *page) quiet() {
	p.t.Helper()
	for _, fault := range eval[[]string](p, `[...noted.violations, ...noted.errors]`) {
		p.t.Errorf("in the page: %s", fault)
	}
}

// checkLayout looks for what is too wide, cut, covered or too small.
func (p *page) checkLayout(state string) {
	p.t.Helper()
	p.keepPicture(state)
	for _, fault := range call[[]string](p, "layoutFaults") {
		p.t.Errorf("%s: %s", state, fault)
	}
}

// checkAccess has axe-core look for what keeps people out.
func (p *page) checkAccess(state string) {
	p.t.Helper()
	if eval[bool](p, `typeof axe === "undefined"`) {
		p.do(chromedp.Evaluate[chromedp.Void](axeScript))
	}
	for _, fault := range call[[]string](p, "axeFaults") {
		p.t.Errorf("%s: %s", state, fault)
	}
}

// check looks at a state in one of the looks.
func (p *page) check(state string, l look) {
	p.t.Helper()
	state += " " + l.name
	p.checkLayout(state)
	if l.axe {
		p.checkAccess(state)
	}
}

// keepPicture writes a screenshot into the folder that SNEAKERDROP_TEST_PICTURES names.
func (p *page) keepPicture(state string) {
	p.t.Helper()
	dir := os.Getenv("SNEAKERDROP_TEST_PICTURES")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(state, " ", "-")+".png"), png, 0o600); err != nil {
		p.t.Fatal(err)
	}
}
