package test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// A page that a browser translates goes on: what changes replaces what stood there, once, and what does not stays
// translated.
func TestBrowser_TranslatedShopStaysTrue(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=5s")
	made(t, s.url, manyPairs)
	made(t, s.url, `{"name":"Sized","price":90,"limit_per_user":2,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],"start_time":"2020-01-01T00:00:00Z"}`)
	p := visit(t, s.url, desktop.with(oddScript))
	p.reads(".live", "Live")
	p.reads(left(1), "50 of 50 left")
	eval[chromedp.Void](p, `translate()`)
	p.reads(left(1), "50 [OF 50 LEFT]")
	p.reads("#drop-1 .badge", "[ON SALE]")
	clean := func() {
		t.Helper()
		p.holds(`stray().length === 0 || !console.log(stray())`)
		for _, fault := range eval[[]string](p, `stray()`) {
			t.Error(fault)
		}
	}
	clean()
	for i := range 3 {
		id := hold(t, s.url, fmt.Sprintf(`{"dropId":1,"userId":%d}`, i+1))
		mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, id)) // no hold's end brings it back
	}
	p.reads(left(1), "47 [OF 50 LEFT]")
	mustPost(t, s.url+"/api/drops/1/pause", `{}`)
	p.reads("#drop-1 .badge", "[PAUSED]")
	p.reads(button(1), "[PAUSED]")
	mustPost(t, s.url+"/api/drops/1/resume", `{}`)
	p.reads("#drop-1 .badge", "[ON SALE]")
	p.reads(button(1), "[RESERVE]")
	clean()
	p.press(`#drop-2 input[value="9"]`)
	p.reads(button(2), "[RESERVE SIZE 9]")
	p.reserves(2)
	p.reads("dialog[open] h2", "[WHO'S BUYING?]")
	p.fill("#name", "Ann")
	p.submit("#name")
	p.reads(".hold .more", "[SIZE 9")
	p.holds(`Number(textOf(".ring span")) <= 9`) // it counts
	clean()
	p.reads(".hold.over", "[TIME'S UP]")
	p.reads(left(2), "3 [OF 3 LEFT]")
	clean()
	p.press(".hold .quiet")
	restarted(t, s) // with holds that outlast a slow machine
	p.reads(".live", "[LIVE]")
	p.press(`#drop-2 input[value="10"]`)
	p.reserves(2)
	p.reads(".hold .more", "[SIZE 10")
	p.press(".hold .primary")
	p.reads("dialog[open] h2", "[IT'S YOURS!]")
	clean()
	p.press("dialog[open] .primary")
	p.reads("#drop-2 .buyers", "ANN")
	hold(t, s.url, `{"dropId":1,"userId":9}`)
	p.holds(`/^\d+ \[OF 50 LEFT\]$/.test(textOf("#drop-1 .stock p"))`)
	clean()
	p.quiet()
}

func TestBrowser_TranslatedControlRoomStaysTrue(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := visit(t, s.url+"/admin#/1", desktop.with(oddScript))
	p.reads(".detail .tiles", "On sale 50")
	eval[chromedp.Void](p, `translate()`)
	p.reads(".detail .state", "[ON SALE]")
	bought := hold(t, s.url, `{"dropId":1,"userName":"Ann"}`)
	p.reads(".detail .tiles", "[HELD] [1]")
	p.reads(".detail .tiles", "[ON SALE] [49]")
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, bought))
	p.reads(".detail .tiles", "[SOLD] [1]")
	for i := range 5 {
		hold(t, s.url, fmt.Sprintf(`{"dropId":1,"userId":%d}`, i+1))
	}
	p.reads(".detail .tiles", "[HELD] [5]")
	p.press(`.tabs a[href$="/ledger"]`)
	p.reads(".panel", "[RESERVED]")
	p.press(`.tabs a[href$="/audit"]`)
	p.reads(".panel", "[AUDIT THIS DROP]")
	p.press(`.pages a[href="#/drops"]`)
	p.reads(".list .numbers", "[44 ON SALE · 5 HELD]")
	p.press(`.list a`)
	p.reads(".detail .tiles", "[HELD] [5]")
	p.holds(`stray().length === 0`)
	p.quiet()
}

// While nobody looks at the control room a drop sells. When somebody looks again, the chart shows when that was.
func TestBrowser_ChartTellsWhatHappenedUnseen(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	hold(t, s.url, `{"dropId":1,"userId":100}`)
	kept := script(`{ const real = globalThis.Map; globalThis.charts = []; let made; Object.defineProperty(globalThis, "uPlot", {configurable: true, get: () => made, set: (v) => { made = class extends v { constructor(o, d, b) { super(o, d, b); charts.push(this); } }; } }); }`)
	p := visit(t, s.url+"/admin#/1", desktop.with(oddScript+"\n"+kept+`let hidden = false; Object.defineProperty(Document.prototype, "hidden", {get: () => hidden});
		const show = (seen) => { hidden = !seen; document.dispatchEvent(new Event("visibilitychange")); };`))
	p.reads(".detail .tiles", "Held 1")
	p.holds(`charts.length > 0`)
	eval[chromedp.Void](p, `show(false)`)
	for i := range 6 {
		id := hold(t, s.url, fmt.Sprintf(`{"dropId":1,"userId":%d}`, i+1))
		mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, id))
		time.Sleep(2 * time.Millisecond) // times are in ms: the next sale has another one, however fast the machine is
	}
	eval[chromedp.Void](p, `show(true)`)
	p.reads(".detail .tiles", "Sold 6")
	// Each of the sales is a step of its own in the lines, at its own moment.
	p.holds(`(() => { const [at, , , sold] = charts[0].data; return [1, 2, 3, 4, 5, 6].every((n) => sold.includes(n)) && at.every((t, i) => i === 0 || t > at[i - 1]); })()`)
	ledger := eval[[]float64](p, `fetch("/api/drops/1/ledger?after=0&limit=1000").then((r) => r.json()).then((l) => l.entries.filter((e) => e.reason === "purchased").map((e) => Date.parse(e.at) / 1000))`)
	shown := eval[[]float64](p, `(() => { const [at, , , sold] = charts[0].data; return [1, 2, 3, 4, 5, 6].map((n) => at[sold.indexOf(n)]); })()`)
	for i := range ledger {
		if shown[i] != ledger[i] {
			t.Errorf("sale %d is drawn at %f, and was at %f", i+1, shown[i], ledger[i])
		}
	}
	p.quiet()
}
