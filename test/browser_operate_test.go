package test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// has waits for the drop to be as the API says.
func has(t *testing.T, url string, drop int, want string) {
	t.Helper()
	if err := poll(t.Context(), func() error {
		if status, body := get(t, fmt.Sprintf("%s/api/drops/%d", url, drop)); status != http.StatusOK || !strings.Contains(body, want) {
			return fmt.Errorf("drop %d is %d %s, want %s", drop, status, body, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// What would stop a drop that sells is asked about first: nothing has happened before the answer, nor after a no.
func TestControl_AsksBeforeADropThatSellsStops(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	made(t, s.url, onePair)
	made(t, s.url, `{"name":"Next year","price":90,"total_stock":1,"start_time":"2999-01-01T00:00:00Z"}`)
	p := visit(t, s.url+"/admin#/1", phone)
	hold(t, s.url, `{"dropId":1,"userId":9}`) // all of it is held: it still sells
	p.reads(".detail .state", "All held")
	for verb, want := range map[string]string{"Pause": `"paused":true`, "Hide": `"hidden":true`, "Archive": `"archived":true`} {
		eval[chromedp.Void](p, script(fmt.Sprintf(`[...document.querySelectorAll(".actions button")].find((b) => b.innerText === %q).focus()`, verb)))
		p.do(chromedp.KeyEvent("\r"))
		p.reads("dialog[open] h2", verb+" Last pair?")
		p.reads("dialog[open]", "This drop is selling: 0 of 1 on sale, 1 held.")
		p.holds(`textOf(":focus") === "Cancel" && document.querySelector("dialog[open]").matches(":modal[aria-labelledby]")`)
		if verb == "Hide" {
			p.checkLayout("confirm phone")
			p.checkAccess("confirm phone")
		}
		p.do(chromedp.KeyEvent("\r")) // a second press of Enter is a no
		p.holds(noDialog)
		p.holds(script(fmt.Sprintf(`textOf(":focus") === %q`, verb)))
		p.do(chromedp.KeyEvent("\r"))
		p.reads("dialog[open] h2", verb)
		p.do(chromedp.KeyEvent("\x1b"))
		p.holds(noDialog)
		p.holds(script(fmt.Sprintf(`textOf(":focus") === %q`, verb)))
		if _, body := get(t, s.url+"/api/drops/1"); strings.Contains(body, want) {
			t.Errorf("%s is done before it was confirmed: %s", verb, body)
		}
	}
	for _, verb := range []string{"Pause", "Hide", "Archive"} {
		p.confirms(verb)
		has(t, s.url, 1, map[string]string{"Pause": `"paused":true`, "Hide": `"hidden":true`, "Archive": `"archived":true`}[verb])
		p.holds(`!document.querySelector('.actions [aria-disabled="true"]')`)
	}
	p.pushes("Unarchive") // goes back without a question
	p.holds(`!document.querySelector('.actions [aria-disabled="true"]') && textOf(".actions").includes("Resume")`)
	p.pushes("Publish")
	p.holds(`!document.querySelector('.actions [aria-disabled="true"]') && textOf(".actions").includes("Hide")`)
	p.pushes("Resume")
	p.reads(".detail .state", "All held")
	eval[chromedp.Void](p, `location.hash = "#/2"`) // does not sell yet
	p.reads("h1", "Next year")
	for _, verb := range []string{"Pause", "Hide", "Archive"} {
		p.pushes(verb)
		has(t, s.url, 2, map[string]string{"Pause": `"paused":true`, "Hide": `"hidden":true`, "Archive": `"archived":true`}[verb])
		p.holds(`!document.querySelector('.actions [aria-disabled="true"]')`)
		p.holds(noDialog)
	}
	p.quiet()
}

// An operator who restocks has to choose the size: none is chosen beforehand.
func TestControl_RestocksTheSizeThatWasChosen(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],"start_time":"2020-01-01T00:00:00Z"}`)
	made(t, s.url, onePair)
	p := visit(t, s.url+"/admin#/1", desktop)
	p.reads("h1", "Sized")
	p.pushes("Restock")
	p.holds(`document.querySelector("#size").value === "" && document.activeElement.id === "size"`)
	p.leaves("add", "5")
	p.submit("#add")
	p.reads("#size-problem", "Choose the size.")
	p.holds(`document.activeElement.id === "size" && document.activeElement.getAttribute("aria-invalid") === "true"`)
	p.checkLayout("restock desktop")
	p.checkAccess("restock desktop")
	has(t, s.url, 1, `"total_stock":3,`)
	p.leaves("size", "10")
	p.reads("#size-problem", "")
	p.submit("#add")
	has(t, s.url, 1, `{"size":"10","total_stock":7,`)
	p.holds(noDialog)
	eval[chromedp.Void](p, `location.hash = "#/2"`)
	p.reads("h1", "Last pair")
	p.pushes("Restock")
	p.holds(`!document.querySelector("#size")`)
	p.leaves("add", "5")
	p.submit("#add")
	has(t, s.url, 2, `"total_stock":6,`)
	p.quiet()
}

// buys sells a unit of the drop to somebody.
func buys(t *testing.T, url, buyer string) {
	t.Helper()
	mustPost(t, url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, url, `{"dropId":1,`+buyer+`}`)))
}

// The purchases stand with the newest first and grow while the drop sells; a search finds those of a buyer, and grows
// too.
func TestControl_PurchasesAreLiveAndFound(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Many","price":90,"total_stock":1000,"start_time":"2020-01-01T00:00:00Z"}`)
	for i := range 130 {
		buys(t, s.url, fmt.Sprintf(`"userName":"Buyer %d","email":"b%d@example.com"`, i+1, i+1))
	}
	p := visit(t, s.url+"/admin#/1", desktop)
	p.opens("#/drops/1/purchases")
	rows := func(want string) {
		t.Helper()
		p.holds(script(`[...document.querySelectorAll(".panel tbody tr")].map((r) => r.cells[0].innerText).join() === ` + want))
	}
	const numbers = `Array.from({length: %d}, (_, i) => %d - i).join()`
	rows(fmt.Sprintf(numbers, 100, 130))
	p.reads(".panel tbody tr", "130 Buyer 130 b130@example.com – $90.00")
	p.reads(".panel", "The newest 100 of 130 purchases, live.")
	p.pushes("Show more")
	rows(fmt.Sprintf(numbers, 130, 130))
	p.holds(`![...document.querySelectorAll(".panel button")].some((b) => b.innerText === "Show more")`)
	buys(t, s.url, `"userName":"Ann Smith","email":"ann@example.com"`)
	p.reads(".panel tbody tr", "131 Ann Smith")
	rows(fmt.Sprintf(numbers, 131, 131))

	p.fill("#purchase-search", "  B13@Example.com ")
	rows(`"13"`)
	p.reads("#purchase-search-found", "1 purchase found.")
	p.check("control search", desktopDark)
	p.fill("#purchase-search", "buyer 12")
	rows(`"129,128,127,126,125,124,123,122,121,120,112,12"`)
	p.fill("#purchase-search", "ann")
	rows(`"131"`)
	buys(t, s.url, `"userName":"Joanna"`)
	buys(t, s.url, `"userName":"Ben"`)
	rows(`"132,131"`)
	for range 101 { // more at once than a page has
		buys(t, s.url, `"userName":"Ben"`)
	}
	buys(t, s.url, `"userName":"Hannah"`)
	rows(`"235,132,131"`)
	for query, want := range map[string]string{"7": `"127,117,107,97,87,77,70,7"`, "1-7": `"7"`, "4294967303": `"7"`, strconv.FormatInt(1<<40+6, 10): `"7"`} {
		p.fill("#purchase-search", query)
		if query == "7" { // part of names, too
			p.reads(".panel tbody", "7 Buyer 7 b7@")
			continue
		}
		rows(want)
	}
	p.fill("#purchase-search", "zzz <b>")
	p.reads("#purchase-search-found", "No purchase matches “zzz <b>”.")
	p.fill("#purchase-search", "")
	rows(fmt.Sprintf(numbers, 100, 235))
	p.quiet()
}
