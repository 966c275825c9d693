package test

import (
	_ "embed"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/browser/sides.js
var sidesScript script

// side is an element that lies as far from one edge of its container in every language: the edge where lines start, or
// the one where they end.
type side struct {
	element, container, edge string
}

// A page in Arabic is the mirror of the one in English: what starts at the left there starts at the right here. Nothing
// makes the page scroll sideways. Sizes, prices, times and numbers of receipts still read from the left.
func TestShop_FromTheRight(t *testing.T) {
	t.Parallel()
	s := withTheme(t, "testdata/rtl", "--hold=10m")
	made(t, s.url, `{"name":"Court 90","price":1149.5,"limit_per_user":3,"sizes":[{"size":"42 2/3","stock":30},{"size":"43","stock":3},{"size":"44","stock":0}],"start_time":"2020-01-01T00:00:00Z"}`)
	withPage(t, s.url, 1)
	made(t, s.url, `{"name":"Plain","price":90,"total_stock":5,"start_time":"2020-01-01T00:00:00Z"}`)
	for _, d := range []string{"30h", "90h"} {
		after, err := time.ParseDuration(d)
		if err != nil {
			t.Fatal(err)
		}
		made(t, s.url, fmt.Sprintf(`{"name":"Later %s","price":90,"total_stock":5,"start_time":%q}`, d, time.Now().Add(after).UTC().Format(time.RFC3339)))
	}
	bought(t, s.url)
	for _, l := range []look{widths[0], widths[2]} {
		l = l.with(sidesScript)
		t.Run(l.name, func(t *testing.T) {
			left, right := visit(t, s.url, l.in("en")), visit(t, s.url, l.in("ar"))
			both := func(do func(*page)) { do(left); do(right) }
			mirrored := func(state string, sides ...side) {
				t.Helper()
				right.check(state+" "+l.name, l)
				right.checkAccess(state)
				for _, at := range sides {
					type edges struct {
						Start, End int
						Missing    bool
					}
					en, ar := call[edges](left, "edgesOf", at.element, at.container), call[edges](right, "edgesOf", at.element, at.container)
					off := en.Start - ar.Start
					if at.edge == "end" {
						off = en.End - ar.End
					}
					if en.Missing || ar.Missing || off < -2 || off > 2 {
						t.Errorf("%s: %s is not as far from the %s of %s in both: %+v, %+v", state, at.element, at.edge, at.container, en, ar)
					}
				}
			}
			fromTheLeft := func(selector string, pattern script) {
				t.Helper()
				if fault := call[string](right, "runsLeftToRight", selector, pattern); fault != "" {
					t.Error(fault)
				}
			}
			both(func(p *page) {
				p.holds(`document.querySelector(".live.up") !== null && document.querySelectorAll(".card").length === 4`)
				call[chromedp.Void](p, "layOutAll")
				p.holds(`!!document.querySelector("#drop-2 .buyers")`)
			})
			right.holds(`document.documentElement.dir === "rtl" && getComputedStyle(document.body).direction === "rtl"`)
			mirrored("list", side{".shop bdi", ".top", "start"}, side{".who", ".top", "end"}, side{".intro h1", "main", "start"},
				side{".first .card .picture", ".card", "start"}, side{".first .digits .unit:first-child", ".clock", "start"}, side{".first .links a", ".clock", "start"},
				side{"#drop-2 .picture", "main", "start"}, side{"#drop-2 .badge", ".card", "start"}, side{"#drop-2 h2 bdi", ".card", "start"}, side{"#drop-2 .price", ".card", "end"},
				side{"#drop-2 .bar div", ".card", "start"}, side{"#drop-2 .buyers", ".card", "start"}, side{"#drop-2 .buyers .initial", ".card", "start"},
				side{"#drop-1 .sizes label", ".card", "start"})
			right.holds(`((b, o) => b.left > o.left + 5)(document.querySelector("#drop-2 .bar div").getBoundingClientRect(), document.querySelector("#drop-2 .bar").getBoundingClientRect())`)
			fromTheLeft("#drop-4 .badge", `/\d\d:\d\d:\d\d/`)
			fromTheLeft("#drop-1 .sizes .label", `/42 2\/3/`)

			both(func(p *page) {
				p.navigate(s.url + "/drops/1")
				p.holds(`document.querySelector(".live.up") !== null && document.querySelector(".enlarge") !== null`)
				p.press(".arrow.after")
				p.holds(`((s) => Math.abs(Math.abs(s.scrollLeft) - s.clientWidth) < 2)(document.querySelector(".media .slides"))`)
				p.press("#about summary")
			})
			mirrored("page", side{".home a", "main", "start"}, side{".home a svg", "main", "start"}, side{".home button", "main", "end"}, side{".media .badge", ".card", "start"},
				side{".media", ".card", "start"}, side{".body", ".card", "end"}, side{".arrow.before", ".media", "start"}, side{".arrow.after", ".media", "end"}, side{".enlarge", ".media", "end"},
				side{".thumbs li", ".media", "start"}, side{".description li", ".story", "start"}, side{"#about td", ".story", "start"}, side{".body .price", ".body", "start"})
			right.holds(`[...document.querySelectorAll(".home a svg, .arrow.before svg, .arrow.after svg")].every((e) => getComputedStyle(e).transform === "matrix(-1, 0, 0, 1, 0, 0)")`)
			eval[chromedp.Void](right, `document.querySelector(".media .slides").focus()`)
			right.do(chromedp.KeyEvent("\u0302")) // the left arrow goes on
			right.holds(`((s) => Math.abs(Math.abs(s.scrollLeft) - 2 * s.clientWidth) < 2)(document.querySelector(".media .slides"))`)
			both(func(p *page) { p.press(".enlarge") })
			right.holds(`((s) => s.clientWidth > 0 && Math.abs(s.scrollLeft + 2 * s.clientWidth) < 2)(document.querySelector(".large .slides"))`)
			mirrored("large", side{".large .close", "dialog", "end"}, side{".large .arrow.before", "dialog", "start"}, side{".large .arrow.after", "dialog", "end"})
			both(func(p *page) { p.press(".large .close") })

			both(func(p *page) { p.press(`#drop-1 input[value="42 2/3"]`) })
			right.reads(button(1), "احجز المقاس")
			fromTheLeft(button(1), `/42 2\/3/`)
			both(func(p *page) {
				p.reserves(1)
				p.holds(`!!document.querySelector("dialog[open] #name")`)
				p.fill("#name", "Ann "+l.name+eval[string](p, `document.documentElement.lang`))
				call[chromedp.Void](p, "submit", "#name")
				p.reads(".hold", "Court 90")
			})
			mirrored("hold", side{".hold", ".tray", "start"}, side{".hold", ".tray", "end"}, side{".ring", ".hold", "start"}, side{".hold .name", ".hold", "start"}, side{".hold .more", ".hold", "start"}, side{".hold .quiet", ".hold", "end"})
			fromTheLeft(".hold .more", `/42 2\/3/`)
			fromTheLeft(".hold .more", `/[\d٠-٩][\d٠-٩.,٬٫]+/`)
			both(func(p *page) { p.press(".hold .primary"); p.holds(`!!document.querySelector("dialog[open] dl")`) })
			mirrored("receipt", side{".receipt dt", "dl", "start"}, side{".receipt dd", "dl", "end"})
			fromTheLeft(".receipt dl div:last-child dd", `/1-\d+/`)
			both(func(p *page) { p.quiet() })
		})
	}
}

// bought has somebody buy a pair of drop 2.
func bought(t *testing.T, url string) {
	t.Helper()
	mustPost(t, url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, url, `{"dropId":2,"userName":"Nika"}`)))
}
