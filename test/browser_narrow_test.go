package test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// The way back to the list, and what shares a drop, stay in one line each: in every language, on the narrowest phone
// and with large text.
func TestShop_LinksOfAPageStayInOneLine(t *testing.T) {
	t.Parallel()
	s := withTheme(t, "testdata/rtl")
	made(t, s.url, onePair)
	for _, text := range []string{"100%", "200%"} {
		for _, lang := range []string{"en", "de", "es", "fr", "ja", "ar"} {
			p := visit(t, s.url+"/drops/1", look{name: "narrow", width: 320, height: 568, phone: true}.in(lang))
			p.holds(`document.querySelector(".live.up") !== null && document.querySelector(".home button") !== null`)
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.documentElement.style.fontSize = %q; navigator.share = undefined; void Object.defineProperty(navigator, "clipboard", { value: undefined })`, text)))
			p.press(".home button")
			p.reads(".shared", s.url) // neither allowed: the address itself
			for _, broken := range eval[[]string](p, `[...document.querySelectorAll(".home span")].filter((e) => {
				const range = document.createRange();
				range.selectNodeContents(e);
				return new Set([...range.getClientRects()].map((b) => Math.round(b.top))).size !== 1;
			}).map((e) => e.innerText)`) {
				if text == "100%" { // with large text, two words may be wider than the phone
					t.Errorf("%s: %q breaks", lang, broken)
				}
			}
			p.checkLayout("narrow " + lang + " " + text)
			p.quiet()
		}
	}
}
