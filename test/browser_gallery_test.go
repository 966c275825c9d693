package test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// A picture of a drop opens over the whole window, by its button and by a click on it. The arrow keys, the buttons and
// swipes go on to the others, Escape and a button close it, and the focus and the picture stay where they were.
func TestShop_PicturesOpenLarge(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	drop := made(t, s.url, onePair)
	withPage(t, s.url, drop)
	made(t, s.url, onePair) // without pictures
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url+"/drops/1", l)
		p.reads(".live", "Live")
		p.holds(`document.querySelectorAll(".media .slides li").length === 3`)
		seen := func(in string, picture int) {
			t.Helper()
			p.holds(script(fmt.Sprintf(`((s) => s?.clientWidth > 0 && Math.abs(s.scrollLeft - %d * s.clientWidth) < 2)(document.querySelector(%q))`, picture, in+" .slides")))
		}
		p.press(".media .arrow.after")
		seen(".media", 1)
		eval[chromedp.Void](p, `document.querySelector(".enlarge").focus()`)
		p.press(".enlarge")
		p.reads("dialog.large[open] .number", "Picture 2 of 3")
		seen(".large", 1)
		p.holds(`document.activeElement.matches(".large .close")`)
		p.holds(`((b) => b.left === 0 && b.top === 0 && b.width === innerWidth && b.height === innerHeight)(document.querySelector("dialog.large").getBoundingClientRect())`)
		p.check("large "+l.name, l)
		p.do(chromedp.KeyEvent("\u0303")) // the right arrow
		seen(".large", 2)
		p.reads(".large .number", "Picture 3 of 3")
		p.holds(`[...document.querySelectorAll(".large img")].map((i) => i.alt).join() === "Side view,Heel" && getComputedStyle(document.querySelector(".large img")).objectFit === "contain"`)
		p.press(".large .arrow.before")
		seen(".large", 1)
		p.press(".large .arrow.before")
		seen(".large", 0)
		p.holds(`document.querySelector(".large .arrow.before").ariaDisabled === "true"`)
		eval[chromedp.Void](p, `document.querySelector(".large .slides").scrollTo({ left: 1e6, behavior: "instant" })`) // a swipe
		p.reads(".large .number", "Picture 3 of 3")
		p.do(chromedp.KeyEvent("\u001b"))
		p.holds(`!document.querySelector("dialog[open]") && document.activeElement.matches(".enlarge")`)
		seen(".media", 2)
		p.press(".media .slides img")
		p.reads("dialog.large[open] .number", "Picture 3 of 3")
		p.press(".large .close")
		p.holds(`!document.querySelector("dialog[open]")`)
		seen(".media", 2)
		p.quiet()
	}
	for _, l := range widths { // beside the texts too, the picture is large
		p := visit(t, s.url+"/drops/1", l)
		p.reads(".live", "Live")
		p.holds(`document.querySelector(".media .picture").offsetWidth > 0.42 * document.querySelector("main").offsetWidth`)
		p.checkLayout("page " + l.name)
	}
	drawn := visit(t, s.url+"/drops/2", phone)
	drawn.reads(".live", "Live")
	drawn.holds(`document.querySelector(".page .slides svg") !== null && document.querySelector(".enlarge") === null`)
	eval[chromedp.Void](drawn, `document.querySelector(".page .slides svg").dispatchEvent(new MouseEvent("click", { bubbles: true }))`)
	drawn.holds(`!document.querySelector("dialog[open]")`)
	drawn.quiet()
}
