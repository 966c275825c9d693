package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// reported makes a browser report these languages, as JavaScript literals.
func reported(languages, language string) script {
	return script(fmt.Sprintf(`for (const [name, value] of Object.entries({languages: %s, language: %s})) Object.defineProperty(Navigator.prototype, name, {get: () => value, configurable: true});`, languages, language))
}

// Whatever a browser reports as its language, both pages start, show dates, money and charts, and no error.
func TestBrowser_OddLanguagesStart(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Many","price":1290.5,"total_stock":5000,"start_time":"2020-01-01T00:00:00Z"}`)
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, `{"dropId":1,"userName":"Ann"}`)))
	for name, c := range map[string]struct{ languages, language, price string }{
		"C":                    {`["C"]`, `"C"`, "$1,290.50"},
		"POSIX":                {`["POSIX"]`, `"POSIX"`, "$1,290.50"},
		"en_US":                {`["en_US"]`, `"en_US"`, "$1,290.50"},
		"en-US@posix":          {`["en-US@posix"]`, `"en-US@posix"`, "$1,290.50"},
		"de_DE.UTF-8@euro":     {`["de_DE.UTF-8@euro"]`, `"de_DE.UTF-8@euro"`, "1.290,50"},
		"empty":                {`[]`, `""`, "$1,290.50"},
		"undefined":            {`undefined`, `undefined`, "$1,290.50"},
		"null":                 {`null`, `null`, "$1,290.50"},
		"grandfathered":        {`["i-klingon"]`, `"i-klingon"`, "$1,290.50"},
		"private":              {`["x-private"]`, `"x-private"`, "$1,290.50"},
		"no language":          {`["zz-ZZ"]`, `"zz-ZZ"`, "$1,290.50"},
		"no text":              {`[7, {}, null, Symbol("en")]`, `NaN`, "$1,290.50"},
		"a list is text":       {`"de-DE"`, `"de-DE"`, "1.290,50"},
		"the second is good":   {`["C", "", "de_DE"]`, `"C"`, "1.290,50"},
		"very long":            {`["en-" + "x".repeat(100000)]`, `"en-" + "x".repeat(100000)`, "$1,290.50"},
		"blanks and controls":  {`[" \u0000 "]`, `"\n"`, "$1,290.50"},
		"a throwing extension": {`["en-u-nu-"]`, `"en-u-nu-"`, "$1,290.50"},
	} {
		t.Run(name, func(t *testing.T) {
			l := desktop.with(reported(c.languages, c.language))
			p := visit(t, s.url, l)
			p.reads("#drop-1 .price", "290")
			p.reads("#drop-1 .price", c.price)
			p.reads("#drop-1 .stock", "left")
			p.quiet()
			if !slices.Contains([]string{"C", "en-US@posix", "empty", "undefined", "no text", "a throwing extension"}, name) {
				return // the control room uses the same module, so a few of each kind are enough there
			}
			p = visit(t, s.url+"/admin#/1", l)
			p.reads(".detail .tiles", "Sold 1")
			p.holds(`document.querySelectorAll(".chart canvas").length === 2`)
			p.quiet()
		})
	}
}

// A browser without parts of Intl gets dates and numbers in a plain form, never a blank page.
func TestBrowser_OddIntlStarts(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--currency=EUR")
	made(t, s.url, `{"name":"Many","price":1290.5,"total_stock":5000,"start_time":"2020-01-01T00:00:00Z"}`)
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, `{"dropId":1,"userName":"Ann"}`)))
	for name, before := range map[string]script{
		"no zone":               `Intl.DateTimeFormat.prototype.resolvedOptions = () => ({});`,
		"no dateStyle":          `{ const Real = Intl.DateTimeFormat; Intl.DateTimeFormat = function (tag, o = {}) { if (o.dateStyle || o.timeStyle) throw new RangeError("no dateStyle"); return new Real(tag, o); }; Object.assign(Intl.DateTimeFormat, {supportedLocalesOf: Real.supportedLocalesOf}); }`,
		"no dates":              `Intl.DateTimeFormat.prototype.format = undefined;`,
		"no money":              `{ const Real = Intl.NumberFormat; Intl.NumberFormat = function (tag, o = {}) { if (o.style) throw new RangeError("no currency"); return new Real(tag, o); }; Object.assign(Intl.NumberFormat, {supportedLocalesOf: Real.supportedLocalesOf}); }`,
		"default language bad":  `for (const name of ["DateTimeFormat", "NumberFormat"]) { const Real = Intl[name]; Intl[name] = function (tag, o) { if (tag === undefined) throw new RangeError("Incorrect locale information provided"); return new Real(tag, o); }; Intl[name].supportedLocalesOf = () => []; Intl[name].prototype = Real.prototype; }`,
		"supportedLocalesOf no": `delete Intl.DateTimeFormat.supportedLocalesOf;`,
	} {
		t.Run(name, func(t *testing.T) {
			p := visit(t, s.url, desktop.with(before))
			p.reads("#drop-1 .price", "290")
			p.holds(`/€|EUR/.test(textOf("#drop-1 .price"))`)
			p.quiet()
		})
	}
}

// prices never shows an amount under another currency's sign, whatever the code.
func TestBrowser_OddCurrencies(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url, desktop)
	p.reads("main", "Nothing on sale yet")
	for code, want := range map[string]string{"USD": "$12.50", "XQX": "XQX", "EU": "12.50 EU", "EURO": "12.50 EURO", "": "12.50", "§§§": "12.50 §§§"} {
		got := eval[string](p, script(fmt.Sprintf(`import(moduleAt("shared/locale.js")).then((l) => l.prices(%q)(12.5))`, code)))
		if !strings.Contains(got, want) || code != "USD" && strings.Contains(got, "$") {
			t.Errorf("12.5 of %q is %q, want %q", code, got, want)
		}
	}
	p.quiet()
}

// An old browser is told that it is too old, and a page whose scripts fail says so instead of staying blank.
func TestBrowser_SaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	for name, c := range map[string]struct {
		before script
		want   string
	}{
		"no modules":       {`delete HTMLScriptElement.prototype.noModule;`, "too old"},
		"no dialog":        {`delete HTMLDialogElement.prototype.showModal;`, "too old"},
		"no replaceAll":    {`delete String.prototype.replaceAll;`, "too old"},
		"no observer":      {`delete globalThis.ResizeObserver;`, "too old"},
		"no abort":         {`delete globalThis.AbortController;`, "too old"},
		"no Intl":          {`delete globalThis.Intl;`, "too old"},
		"a throwing start": {`Element.prototype.replaceChildren = () => { throw new Error("broken by an extension"); };`, "broken by an extension"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", "/admin"} {
				p := visit(t, s.url+path, phone.with(c.before))
				p.reads("#app", c.want)
				p.checkLayout("not started " + strings.ReplaceAll(name, " ", "-"))
			}
		})
	}
}

// The pages work without anything that browsers got in the last four years.
func TestBrowser_FourYearsOldBrowsersWork(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],"start_time":"2020-01-01T00:00:00Z"}`)
	old := script(`for (const [of, ...names] of [
		[AbortSignal, "timeout", "any"], [Object, "hasOwn", "groupBy"], [Map, "groupBy"], [Promise, "withResolvers", "try"], [URL, "canParse", "parse"], [Array, "fromAsync"],
		[Array.prototype, "toReversed", "toSorted", "toSpliced", "with", "findLast", "findLastIndex", "at", "group"], [String.prototype, "at", "isWellFormed", "toWellFormed"],
		[Set.prototype, "union", "difference", "intersection", "isSubsetOf"], [globalThis, "structuredClone", "Segmenter", "scheduler", "requestIdleCallback", "navigation", "Iterator", "BroadcastChannel", "trustedTypes"],
		[Intl, "Segmenter", "DurationFormat", "ListFormat", "RelativeTimeFormat", "PluralRules", "supportedValuesOf"], [Element.prototype, "checkVisibility", "setHTML"], [crypto, "randomUUID"],
	]) for (const name of names) { delete of[name]; if (name in of) Object.defineProperty(of, name, {value: undefined}); }
	delete Crypto.prototype.randomUUID;`)
	p := visit(t, s.url, phone.with(old))
	p.reads(button(1), "Select a size")
	p.press(`#drop-1 input[value="9"]`)
	p.reads(button(1), "Reserve size 9")
	p.reserves(1)
	p.introduce("Ann")
	p.reads(".hold", "Size 9")
	p.press(".hold .primary")
	p.reads("dialog[open]", "Size 9")
	p.quiet()
	p = visit(t, s.url+"/admin#/1", desktop.with(old))
	p.reads(".detail .tiles", "Sold 1")
	p.holds(`document.querySelectorAll(".chart canvas").length === 2`)
	p.goes("Ledger")
	p.reads(".panel", "Sold")
	p.goes("Audit")
	p.pushes("Audit this drop")
	p.reads(".verdict", "1 purchase")
	eval[chromedp.Void](p, `location.hash = "#/"`)
	p.quiet()
}
