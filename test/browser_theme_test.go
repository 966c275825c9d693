package test

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

const exampleTheme = "../examples/theme"

// withTheme starts a server whose pages have the theme of a folder.
func withTheme(t *testing.T, folder string, args ...string) *server {
	t.Helper()
	at, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	return startFor(t, t.TempDir(), append([]string{"--theme=" + at}, args...)...)
}

// The pages show the example theme's name, logo, font, footer and language. Everything is readable, on a phone and on
// a desktop, in light and dark mode.
func TestShop_WithTheExampleTheme(t *testing.T) {
	t.Parallel()
	s := withTheme(t, exampleTheme, "--hold=10m")
	stateful(t, s.url)
	for _, l := range []look{phone, desktop, phoneDark, desktopDark} {
		l.axe = true
		p := visit(t, s.url, l)
		p.reads(".live", "Live")
		p.reads("#drop-7", "Starts in")
		p.holds(`document.title.includes("Blok") && document.querySelector(".logo").complete && document.querySelector(".logo").naturalWidth > 0`)
		p.reads(".foot-text", "Blok sells small runs")
		p.reads(".foot-links", "Shipping")
		p.holds(`document.fonts.check('16px "theme-heading"') && [...document.fonts].some((f) => f.status === "loaded")`)
		call[chromedp.Void](p, "layOutAll")
		p.check("theme", l)
		p.reserves(1)
		p.introduce("Nika " + l.name)
		p.reads(".hold", "Complete purchase")
		p.check("theme hold", l)
		p.press(".hold .primary")
		p.reads("dialog[open]", "It's yours!")
		p.check("theme receipt", l)
		p.quiet()
	}
	italian := visit(t, s.url, phone.in("it-IT"))
	italian.reads(button(1), "Prenota")
	italian.reads(".foot-links", "Spedizione")
	italian.checkLayout("theme italian")
	italian.quiet()
	room := visit(t, s.url+"/admin", desktopDark)
	room.reads("body", "Blok")
	room.holds(`getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() === "#9db0ff"`)
	room.checkAccess("theme control room")
	room.quiet()
}
