package test

import (
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// inForcedColors renders the page as Windows does in a contrast theme: with a few colors of the reader's own.
func (p *page) inForcedColors(scheme string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}, {Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}))
	p.holds(`matchMedia("(forced-colors: active)").matches`)
}

// seenInForcedColors finds what cannot be seen: a button without an edge, or a focus without a ring. So are a chosen
// size that looks like the others, and a countdown that looks the same whatever is left.
const seenInForcedColors script = `globalThis.unseen = () => {
	const ground = getComputedStyle(document.body).backgroundColor;
	const style = (e) => getComputedStyle(e);
	const faults = [];
	const visible = (e) => e.getClientRects().length > 0 && style(e).visibility !== "hidden" && !e.closest(".sr, .skip");
	for (const e of [...document.querySelectorAll("button, a.primary, .sizes label, dialog[open], .hold")].filter(visible)) {
		const { borderTopWidth, borderTopStyle, borderTopColor } = style(e);
		if (parseFloat(borderTopWidth) < 1 || borderTopStyle === "none" || borderTopColor === ground) faults.push("no edge: " + e.outerHTML.slice(0, 90));
	}
	for (const e of [...document.querySelectorAll(".bar")].filter(visible)) if (style(e).borderTopStyle !== "solid") faults.push("no bar");
	const colors = (selector) => [...document.querySelectorAll(selector)].filter(visible).map((e) => style(e).stroke);
	for (const stroke of colors(".ring circle")) if (stroke === ground || stroke === "none") faults.push("no ring: " + stroke);
	if (colors(".ring .rest").some((c) => colors(".ring .track").includes(c))) faults.push("the rest of the time looks like what is over");
	for (const e of document.querySelectorAll(".ring span")) if (style(e).color === ground) faults.push("no seconds");
	for (const e of [...document.querySelectorAll(".sizes .picked")].filter(visible)) if (style(e).outlineStyle !== "solid") faults.push("the chosen size looks like the others");
	for (const e of [...document.querySelectorAll('button[aria-disabled="true"]')].filter(visible)) {
		const other = document.querySelector('button:not([aria-disabled="true"])');
		if (style(e).color === style(other).color) faults.push("looks as if it could be pressed: " + e.outerHTML.slice(0, 90));
	}
	return faults;
};
globalThis.ringless = () => {
	const e = document.activeElement;
	if (e === document.body) return ""; // it goes round by the browser's own buttons
	const ring = e.matches(".sizes input") ? e.parentElement.querySelector(".label") : e;
	const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(ring);
	return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && outlineColor !== getComputedStyle(document.body).backgroundColor ? "" : e.outerHTML.slice(0, 120);
};`

// In a contrast theme, buttons have edges, whatever has the focus has a ring, and the countdown shows.
func TestShop_InForcedColors(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	made(t, s.url, `{"name":"Court 90","price":149.5,"sizes":[{"size":"8","stock":5},{"size":"9","stock":5},{"size":"10","stock":0}],"start_time":"2020-01-01T00:00:00Z"}`)
	withPage(t, s.url, 1)
	for _, l := range []look{phone, desktopDark} {
		scheme := "light"
		if l.dark {
			scheme = "dark"
		}
		p := visit(t, s.url+"/drops/1", l)
		p.inForcedColors(scheme)
		p.holds(`document.querySelector(".live.up") !== null && document.querySelector(".enlarge") !== null`)
		eval[chromedp.Void](p, seenInForcedColors)
		seen := func(state string) {
			t.Helper()
			for _, fault := range call[[]string](p, "unseen") {
				t.Errorf("%s %s: %s", l.name, state, fault)
			}
			p.checkLayout("forced " + state + " " + l.name)
		}
		tabs := func(times int) {
			t.Helper()
			for range times {
				p.do(chromedp.KeyEvent("\t"))
				if e := call[string](p, "ringless"); e != "" {
					t.Errorf("%s: has the focus and no ring: %s", l.name, e)
				}
			}
		}
		seen("page")
		tabs(14)
		p.press(`#drop-1 input[value="9"]`)
		seen("size")
		p.reserves(1)
		p.introduce("Nika " + l.name)
		p.reads(".hold", "Size 9")
		seen("hold")
		p.holds(`document.activeElement.matches(".hold h2")`)
		tabs(2)
		p.press(".hold .primary")
		p.reads("dialog[open]", "It's yours!")
		seen("receipt")
		tabs(3)
		p.quiet()
	}
}
