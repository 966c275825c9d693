package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/client"
)

// withPage gives a drop three pictures and every text that its page can have.
func withPage(t *testing.T, url string, drop int64) {
	t.Helper()
	images := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		if strings.HasSuffix(r.URL.Path, "gone.svg") {
			http.NotFound(w, r)
			return
		}
		fmt.Fprint(w, anImage)
	}))
	t.Cleanup(images.Close)
	page := fmt.Sprintf(`{"description":"Made in **Porto**.\n\n- Full-grain leather\n- Stitched sole","size_guide":"| US | EU |\n| --- | --- |\n| 9 | 42.5 |","rules":"One pair per person.","delivery":"Two to four days.",
		"images":[{"url":"%[1]s/side.svg","alt":"Side view"},{"url":"%[1]s/gone.svg","alt":"Sole"},{"url":"%[1]s/heel.svg","alt":"Heel"}]}`, images.URL)
	answer, err := client.Call{URL: fmt.Sprintf("%s/api/drops/%d/page", url, drop), Method: http.MethodPut, Body: page}.Text(t.Context(), http.DefaultClient)
	if err != nil || !strings.HasPrefix(answer, "200 ") {
		t.Fatalf("%s, %v", answer, err)
	}
}

// A drop's page shows its pictures, texts and stock, sells, and can be shared, by keyboard as by touch. On a phone the
// button to reserve is in sight at once.
func TestShop_PageOfADrop(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	drop := made(t, s.url, `{"name":"Court 90","price":149.5,"limit_per_user":1,"sizes":[{"size":"8","stock":5},{"size":"9","stock":5},{"size":"10","stock":0},{"size":"11","stock":5},{"size":"12","stock":5},{"size":"13","stock":5},{"size":"14","stock":5},{"size":"15","stock":5},{"size":"16","stock":5}],"start_time":"2020-01-01T00:00:00Z"}`)
	withPage(t, s.url, drop)
	made(t, s.url, onePair)
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url, l)
		p.reads(".live", "Live")
		p.press("#drop-1 h2 a")
		p.reads(".page h1", "Court 90")
		p.reads(".live", "Live")
		p.holds(`location.pathname === "/drops/1" && document.querySelectorAll(".card").length === 1 && document.querySelectorAll("h1").length === 1`)
		p.reads("#about .description li", "Full-grain leather")
		p.holds(`!document.querySelector("#about .images").getClientRects().length`) // they are in the gallery
		p.reads("#about", "Size guide Rules Delivery")
		if l.phone {
			p.press("#about summary")
		} else {
			p.press(".guide")
			p.holds(`document.activeElement === document.querySelector("#about summary") && document.activeElement.parentElement.open`)
		}
		p.reads("#about table", "42.5")
		p.check("page "+l.name, l)
		p.holds(`document.querySelector(".home a").pathname === "/"`)

		at := func(picture int) {
			t.Helper()
			p.holds(script(fmt.Sprintf(`((s) => Math.abs(s.scrollLeft - %d * s.clientWidth) < 2)(document.querySelector(".slides")) && [...document.querySelectorAll(".thumbs button")].findIndex((b) => b.ariaCurrent === "true") === %[1]d`, picture)))
		}
		height := eval[int](p, `document.querySelector(".media").offsetHeight`)
		eval[chromedp.Void](p, `document.querySelector(".slides").focus()`)
		for _, step := range []struct {
			key string
			at  int
		}{{"ArrowRight", 1}, {"ArrowRight", 2}, {"ArrowRight", 2}, {"ArrowLeft", 1}, {"Home", 0}, {"End", 2}} {
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: %q, bubbles: true, cancelable: true }))`, step.key)))
			at(step.at)
		}
		p.holds(`[...document.querySelectorAll(".slides img")].map((i) => i.alt).join() === "Side view,Heel" && !!document.querySelector(".slides li:nth-child(2) svg")`) // the missing picture is replaced by a drawing
		p.press(".thumbs li:first-child button")
		at(0)
		p.press(".arrow.after")
		at(1)
		if now := eval[int](p, `document.querySelector(".media").offsetHeight`); now != height {
			t.Errorf("the gallery was %d high and is %d", height, now)
		}

		eval[chromedp.Void](p, `{ globalThis.shared = []; navigator.share = async (what) => shared.push(what.title + " " + what.url); }`)
		p.press(".home button")
		p.holds(`shared.join() === "Court 90 " + location.origin + "/drops/1"`)
		eval[chromedp.Void](p, `{ navigator.share = undefined; Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => shared.push(text) } }); }`)
		p.press(".home button")
		p.reads(".shared", "Link copied")
		p.holds(`shared[1] === location.origin + "/drops/1"`)

		eval[chromedp.Void](p, inSight+`; scrollTo({ top: 0, behavior: "instant" })`)
		if l.phone {
			p.holds(`inSight(document.querySelector(".page .action button"))`)
		}
		p.press(button(1)) // without a size, the button leads to the sizes
		p.holds(`document.activeElement.matches("#drop-1 .sizes input")`)
		p.press(`#drop-1 input[value="9"]`)
		p.reads(button(1), "Reserve size 9")
		p.reserves(1)
		p.introduce("Nika " + l.name)
		p.reads(".hold .more", "Size 9 · $149.50")
		p.holds(`document.activeElement.matches(".hold h2")`)
		p.reads(button(1), "Reserved for you")
		p.holds(`inSight(document.querySelector(".page .action button"))`)
		p.check("page with hold "+l.name, l)
		p.press(".hold .quiet")
		p.reads(button(1), "Reserve size 9")
		p.quiet()
	}
}
