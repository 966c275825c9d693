package test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// Texts come in the language of the page; numbers, dates and prices in the reader's format.
func TestShop_SpeaksTheReadersLanguage(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Many","price":1290.5,"total_stock":5000,"start_time":"2020-01-01T00:00:00Z"}`)
	for languages, c := range map[string]struct{ button, price string }{
		"en-US,en":    {"Reserve", "$1,290.50"},
		"en-GB,en":    {"Reserve", "US$1,290.50"},
		"nl-NL,nl":    {"Reserve", "US$ 1.290,50"}, // the shop does not speak Dutch
		"de-DE,en":    {"Reservieren", "1.290,50 $"},
		"de-AT,de":    {"Reservieren", "$ 1.290,50"},
		"es-MX,es":    {"Reservar", "USD 1,290.50"},
		"fr-FR,fr":    {"Réserver", "1 290,50 $US"},
		"ja-JP,en-US": {"予約する", "$1,290.50"},
		"nl,fr-CA":    {"Réserver", "1 290,50 $ US"},
	} {
		t.Run(languages, func(t *testing.T) {
			p := visit(t, s.url, desktop.in(languages))
			p.reads(button(1), c.button)
			p.reads("#drop-1 .price", c.price)
			p.quiet()
		})
	}
}

// A buyer can choose a language on the page at any time. The choice stays without being in the address, and the hold
// stays too.
func TestShop_LanguagesAreChosen(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	made(t, s.url, `{"name":"Sized","price":1290.5,"limit_per_user":3,"sizes":[{"size":"9","stock":5},{"size":"10","stock":5}],"start_time":"2020-01-01T00:00:00Z"}`)
	for lang, c := range map[string]struct{ size, hold, price, bought, hint string }{
		"de": {"Größe", "Kauf abschließen", "1.290,50 $", "Es gehört dir!", "Du hast 1 Paar gekauft."},
		"es": {"Talla", "Completar la compra", "1290,50 US$", "¡Es tuyo!", "Has comprado 1 par."},
		"fr": {"Pointure", "Finaliser l’achat", "1 290,50 $US", "C’est à toi !", "Tu as acheté 1 paire."}, //nolint:misspell // French
		"ja": {"サイズ", "購入を完了する", "$1,290.50", "購入が完了しました", "1足購入しました。"},
	} {
		p := visit(t, s.url+"/?ref=mail", phone.in("en-US"))
		p.reads(button(1), "Select a size")
		p.press(`#drop-1 input[value="9"]`)
		p.reserves(1)
		p.introduce("Ann " + lang)
		p.reads(".hold", "Size 9")
		p.press(`.languages a[lang="` + lang + `"]`)
		p.reads(".hold .primary", c.hold)
		p.reads("#drop-1 .sizes legend", c.size)
		p.reads("#drop-1 .price", c.price)
		p.holds(script(fmt.Sprintf(`document.documentElement.lang === %q && !location.search.includes("lang")`, lang)))
		p.checkLayout("language " + lang)
		p.checkAccess("language " + lang)
		p.do(chromedp.Reload())
		p.reads(".hold .primary", c.hold)
		p.press(".languages [aria-current]") // which changes nothing
		p.reads(".hold .primary", c.hold)
		p.press(".hold .primary")
		p.reads("dialog[open]", c.bought)
		p.checkLayout("language receipt " + lang)
		p.press("dialog[open] .primary")
		p.reads("#drop-1 .note", c.hint)
		p.quiet()
	}
}
