package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const started = `"start_time":"2020-01-01T00:00:00Z"`

// opens goes to an address of the control room, as a link does.
func (p *page) opens(hash string) {
	p.t.Helper()
	eval[chromedp.Void](p, script(fmt.Sprintf(`void (location.hash = %q)`, hash)))
}

// Each page has an address and a title of its own, the focus goes to its heading, and the browser's way back works.
func TestControl_Navigates(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	p := visit(t, s.url+"/admin#/1", desktop) // an address of before
	p.reads("h1", "Last pair")
	p.holds(`location.hash === "#/drops/1" && document.title === "Last pair · Control room · sneakerdrop"`)
	p.holds(`document.activeElement === document.body`) // who only opened the page keeps the browser's focus
	p.goes("Ledger")
	p.reads(".panel", "Created")
	p.holds(`location.hash === "#/drops/1/ledger" && textOf('.tabs [aria-current="page"]') === "Ledger"`)
	p.goes("Drops")
	p.reads("h1", "Drops")
	p.holds(`document.activeElement.id === "title" && document.title.startsWith("Drops · ") && textOf('.pages [aria-current="page"]') === "Drops"`)
	p.goes("Last pair")
	p.reads("h1", "Last pair")
	p.holds(`textOf(":focus") === "Last pair"`)
	eval[chromedp.Void](p, `history.go(-2)`)
	p.reads(".panel", "Created")
	p.holds(`location.hash === "#/drops/1/ledger"`)
	p.press(".skip") // the link to the content is no page
	p.holds(`document.activeElement.id === "main" && location.hash === "#/drops/1/ledger"`)
	p.reads(".panel", "Created")
	for hash, want := range map[string]string{
		"#/": "Overview", "#/service": "Service", "#/rehearsals": "Rehearsals", "#/nowhere": "Page not found", "#/drops/99": "No such drop",
		"#/drops/x": "No such drop", "#/drops/1/nothing": "Last pair", "#/%": "Page not found", "#/constructor": "Page not found",
	} {
		p.opens(hash)
		p.reads("h1", want)
	}
	p.quiet()
}

// On a phone the pages are in a menu that keyboards and screen readers can use.
func TestControl_MenuOnAPhone(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	p := visit(t, s.url+"/admin", phone)
	p.reads("h1", "Overview")
	p.holds(`getComputedStyle(document.querySelector("#menu")).display === "none"`)
	eval[chromedp.Void](p, `document.querySelector(".menu").focus()`)
	p.do(chromedp.KeyEvent("\r"))
	p.holds(`document.querySelector(".menu").getAttribute("aria-expanded") === "true" && getComputedStyle(document.querySelector("#menu")).display !== "none"`)
	p.checkLayout("control menu phone")
	p.checkAccess("control menu phone")
	p.do(chromedp.KeyEvent("\x1b"))
	p.holds(`document.querySelector(".menu").getAttribute("aria-expanded") === "false" && document.activeElement.matches(".menu")`)
	p.pushes("Menu")
	p.goes("Service")
	p.reads("h1", "Service")
	p.holds(`getComputedStyle(document.querySelector("#menu")).display === "none" && document.activeElement.id === "title"`)
	p.quiet()
}

// Among 500 drops one finds, filters, sorts and turns pages, and an address keeps what was asked for.
func TestControl_FindsOneOf500Drops(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	for i := range 500 {
		name, when := fmt.Sprintf("Pair %03d", i+1), started
		if i%5 == 0 {
			name, when = fmt.Sprintf("Zoom %03d", i+1), `"start_time":"2999-01-01T00:00:00Z"`
		}
		made(t, s.url, `{"name":"`+name+`","price":10,"total_stock":1,`+when+`}`)
	}
	for _, drop := range []int{2, 2 + 50, 3} {
		mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, fmt.Sprintf(`{"dropId":%d,"userId":1}`, drop))))
	}
	mustPost(t, s.url+"/api/drops/4/pause", `{}`)
	patch(t, s.url+"/api/drops/5", `{"archived":true}`)
	patch(t, s.url+"/api/drops/7", `{"hidden":true}`)
	p := visit(t, s.url+"/admin#/drops", desktop)
	names := func(want ...string) {
		t.Helper()
		p.holds(script(fmt.Sprintf(`[...document.querySelectorAll(".list tbody th a")].map((a) => a.textContent).join() === %q`, strings.Join(want, ","))))
	}
	p.reads("main", "499 drops, page 1 of 20")
	p.holds(`document.querySelectorAll(".list tbody tr").length === 25 && textOf(".list tbody a") === "Pair 500"`)
	p.pushes("Next")
	p.reads("main", "page 2 of 20")
	p.holds(`textOf(".list tbody a") === "Pair 475" && location.hash === "#/drops?page=2"`)
	p.fill("#drops-q", "zoom 00")
	names("Zoom 006", "Zoom 001")
	p.holds(`location.hash === "#/drops?q=zoom+00"`) // and page 1 again
	p.fill("#drops-q", "#300")
	names("Pair 300")
	p.fill("#drops-q", "")
	for state, want := range map[string][]string{
		"out": {"Pair 052", "Pair 003", "Pair 002"}, "paused": {"Pair 004"}, "archived": {"Pair 005"}, "draft": {"Pair 007"},
	} {
		p.fill("#drops-state", state)
		names(want...)
	}
	p.fill("#drops-state", "hidden")
	p.reads("main", "No drop matches.")
	p.pushes("Show all drops")
	p.reads("main", "499 drops, page 1 of 20")
	p.fill("#drops-state", "upcoming")
	p.reads("main", "100 drops, page 1 of 4")
	p.fill("#drops-sort", "name")
	p.holds(`textOf(".list tbody a") === "Zoom 001"`)
	p.goes("Zoom 001")
	p.reads("h1", "Zoom 001")
	eval[chromedp.Void](p, `history.back()`)
	p.reads("main", "100 drops, page 1 of 4")
	p.holds(`document.querySelector("#drops-sort").value === "name" && document.querySelector("#drops-state").value === "upcoming"`)
	p.opens("#/drops?state=nonsense&sort=constructor&page=-3")
	p.reads("main", "499 drops, page 1 of 20")
	p.opens("#/drops?page=999")
	p.reads("main", "page 20 of 20")
	p.quiet()
}

// The overview counts today's sales by the operator's midnight, says what needs attention, and leads there.
func TestControl_OverviewShowsTodayAndWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Air","price":119.99,"total_stock":50,`+started+`}`)
	made(t, s.url, `{"name":"Empty","price":1,"total_stock":0,`+started+`}`)
	made(t, s.url, `{"name":"Rehearsal of 1","price":1,"total_stock":5,`+started+`}`)
	patch(t, s.url+"/api/drops/3", `{"hidden":true}`)
	p := visit(t, s.url+"/admin", desktop)
	p.reads(".today", "Revenue today $0.00")
	p.reads(".attention", "Empty has no stock.")
	for i, drop := range []int{1, 1, 3} { // what a rehearsal sells does not count
		mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, fmt.Sprintf(`{"dropId":%d,"userId":%d}`, drop, i+1))))
	}
	p.reads(".today", "Revenue today $239.98 since midnight, your time Sold today 2 in 1 drop Live drops 1")
	p.reads("main", "Air $239.98 2 pairs")
	p.reads("main", "Your time zone: ")
	mustPost(t, s.url+"/api/drops/1/pause", `{}`)
	p.reads(".attention", "Air is paused. 48 pairs could be on sale.")
	p.press(`.attention a[href="#/drops/1"]`)
	p.reads("h1", "Air")
	p.pushes("Resume")
	p.goes("Overview")
	p.holds(`!textOf(".attention").includes("Air is paused")`)
	p.goes("Drops")
	p.holds(`!textOf(".list").includes("Rehearsal")`)
	p.quiet()
}

// What was done can be undone from the notice that tells of it; what buyers would notice is asked about first.
func TestControl_UndoesAndAsks(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Soon","price":90,"total_stock":5,"start_time":"2999-01-01T00:00:00Z"}`)
	p := visit(t, s.url+"/admin#/drops/1", phone)
	for verb, want := range map[string][2]string{
		"Pause": {`"paused":true`, `"paused":false`}, "Archive": {`"archived":true`, `"paused":false,"version":`}, "Hide": {`"hidden":true`, `"paused":false,"version":`},
	} {
		p.pushes(verb)
		has(t, s.url, 1, want[0])
		p.reads(".toast", ": Soon")
		p.checkLayout("toast phone")
		p.pushes("Undo")
		p.holds(`!document.querySelector(".toast .undo")`)
		p.reads(".actions", verb)
		has(t, s.url, 1, want[1])
	}
	p.checkAccess("toast phone")
	p.pushes("Restock")
	p.leaves("add", "-2")
	p.submit("#add")
	p.reads("dialog:modal:last-of-type h2", "Remove 2 pairs of Soon?")
	p.holds(`textOf(":focus") === "Cancel" && document.querySelectorAll("dialog[open]").length === 2`)
	p.checkAccess("question phone")
	p.do(chromedp.KeyEvent("\r"))
	p.holds(`document.querySelectorAll("dialog[open]").length === 1 && document.querySelector("#add").value === "-2"`) // back in the form
	has(t, s.url, 1, `"total_stock":5,`)
	p.submit("#add")
	p.pushes("Remove pairs")
	has(t, s.url, 1, `"total_stock":3,`)
	p.reads(".toast", "Removed 2 pairs: Soon")
	p.pushes("Undo")
	has(t, s.url, 1, `"total_stock":5,`)
	p.pushes("Edit")
	p.leaves("price", "100")
	p.submit("#price")
	p.reads("dialog:modal:last-of-type", "The price changes from $90.00 to $100.00.")
	p.pushes("Change drop")
	has(t, s.url, 1, `"price":100,`)
	p.pushes("Undo")
	has(t, s.url, 1, `"price":90,`)
	p.pushes("Edit")
	p.leaves("name", "Later")
	p.pushes("Save") // needs no question
	has(t, s.url, 1, `"name":"Later"`)
	p.holds(noDialog)
	p.quiet()
}

// A drop begins as a draft that buyers cannot see, has a preview, and is published; a duplicate is a draft again.
func TestControl_DraftsAndDuplicates(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin#/drops", phone)
	p.pushes("New drop")
	p.leaves("name", "Lantern Low")
	p.leaves("price", "129.95")
	p.leaves("sizes", "9 2\n9.5 3")
	p.leaves("limit_per_user", "2")
	p.leaves("start_time", "2020-01-01T00:00:00")
	p.press(`input[name="draft"]`)
	p.checkLayout("create draft phone")
	p.pushes("Create draft")
	p.reads(".detail .state", "Draft")
	p.reads(".toast", "Created as a draft: Lantern Low")
	if _, list := get(t, s.url+"/api/drops"); list != "[]" {
		t.Errorf("buyers see the draft: %s", list)
	}
	p.pushes("Preview")
	p.reads(".preview", "Lantern Low $129.95 5 of 5 left 9 2 9.5 3 Reserve Limit: 2 pairs per person.")
	p.reads("dialog[open]", "Buyers cannot see this drop until you publish it.")
	p.checkLayout("preview phone")
	p.checkAccess("preview phone")
	p.pushes("Close")
	p.pushes("Publish") // it would sell at once
	p.reads("dialog:modal:last-of-type", "buyers can reserve")
	p.pushes("Publish drop")
	p.reads(".detail .state", "On sale")
	if _, list := get(t, s.url+"/api/drops"); !strings.Contains(list, "Lantern Low") {
		t.Errorf("buyers do not see what was published: %s", list)
	}
	p.holds(`document.querySelector('.actions a[href="/drops/1"]').innerText === "Preview as a buyer"`)
	p.pushes("Duplicate")
	p.reads(".facts", "Drop 2")
	p.reads(".detail .state", "Draft")
	p.reads(".facts", "Limit: 2 pairs per person")
	has(t, s.url, 2, `"hidden":true,"sizes":[{"size":"9","total_stock":2,"available_stock":2},{"size":"9.5","total_stock":3,"available_stock":3}]`)
	p.quiet()
}
