package test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// inSight reports whether an element is uncovered, at its middle and at its edges.
const inSight script = `globalThis.inSight = (e) => {
	const b = e.getBoundingClientRect(), tray = document.querySelector(".tray").getBoundingClientRect();
	const [x, y] = [b.left + b.width / 2, b.top + b.height / 2];
	const points = [[x, y], [x, b.top + 3], [x, b.bottom - 3], [b.left + 3, y], [b.right - 3, y]];
	return b.bottom <= tray.top && points.every(([x, y]) => e.contains(document.elementFromPoint(x, y)));
}`

// decisionInSight reports that the newest hold has the focus and is visible.
const decisionInSight script = `((e) => {
	const b = e.getBoundingClientRect();
	return e.matches(".hold h2") && textOf(".hold:last-child h2") === e.innerText.replace(/\s+/g, " ") && document.elementsFromPoint(b.left + 5, b.top + 5).includes(e);
})(document.activeElement)`

// The tray of holds covers no reserve button: not the one that was just pressed, and none that gets the focus. It
// covers nothing else that gets the focus by keyboard (WCAG 2.4.11), on screens of any size and zoom.
func TestShop_TheTrayCoversNoButton(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	for i := range 5 {
		sizes := `,"total_stock":5`
		if i%2 == 1 {
			sizes = `,"sizes":[{"size":"9","stock":5},{"size":"10","stock":5},{"size":"11","stock":0}]`
		}
		made(t, s.url, fmt.Sprintf(`{"name":"Drop %d","price":90%s,"start_time":"2020-01-01T00:00:00Z"}`, i+1, sizes))
	}
	for i, l := range []struct {
		look
		text string // the root's font size
	}{
		{phone, ""},
		{look{name: "small phone", width: 320, height: 568, phone: true}, ""},
		{look{name: "small phone, text 200 %", width: 320, height: 568, phone: true}, "200%"},
		{look{name: "1280 by 1024 at 400 %", width: 320, height: 256}, ""},
		{look{name: "1280 by 720 at 200 %", width: 640, height: 360}, ""},
		{desktop, ""},
	} {
		t.Run(l.name, func(t *testing.T) {
			p := visit(t, s.url, l.look)
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.documentElement.style.fontSize = %q`, l.text)))
			eval[chromedp.Void](p, inSight)
			p.holds(`document.querySelectorAll(".card .action button").length === 5`) // all are made by the scripts
			atTheEdge := func(drop int) {                                             // the button lies where the tray comes
				t.Helper()
				eval[chromedp.Void](p, script(fmt.Sprintf(`{ const b = document.querySelector(%q); b.focus(); scrollBy({ top: b.getBoundingClientRect().bottom - innerHeight + 2, behavior: "instant" }) }`, button(drop))))
			}
			atTheEdge(3)
			p.reserves(3)
			p.introduce(fmt.Sprintf("Nika %d", i))
			p.reads(".hold", "Drop 3")
			p.holds(script(fmt.Sprintf(`inSight(document.querySelector(%q))`, button(3))))
			atTheEdge(1)
			p.reserves(1) // the tray grows
			p.holds(`document.querySelectorAll(".hold").length === 2`)
			p.holds(script(fmt.Sprintf(`inSight(document.querySelector(%q))`, button(1))))
			p.holds(decisionInSight)
			p.checkLayout("tray " + l.name)

			for drop := 1; drop <= 5; drop++ {
				for _, from := range []script{`0`, `document.documentElement.scrollHeight`} {
					eval[chromedp.Void](p, script(fmt.Sprintf(`document.activeElement.blur(), scrollTo({ top: %s, behavior: "instant" }), document.querySelector(%q).focus()`, from, button(drop))))
					p.holds(script(fmt.Sprintf(`inSight(document.querySelector(%q))`, button(drop))))
				}
			}
			eval[chromedp.Void](p, `document.activeElement.blur(), scrollTo({ top: 0, behavior: "instant" }), document.querySelector(".who").focus()`)
			for range 12 {
				p.do(chromedp.KeyEvent("\t"))
				if covered := eval[string](p, `((e) => !e.closest("main") || inSight(e.closest("label") ?? e) ? "" : e.outerHTML.slice(0, 200))(document.activeElement)`); covered != "" {
					t.Errorf("has the focus and is covered: %s", covered)
				}
			}
			p.quiet()
			for drop := range 2 { // the next visitor finds it unchanged
				p.press(".hold .quiet")
				p.holds(script(fmt.Sprintf(`document.querySelectorAll(".hold").length === %d`, 1-drop)))
			}
		})
	}
}
