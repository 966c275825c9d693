package test

import (
	_ "embed"
	"strings"
	"testing"
)

//go:embed testdata/browser/payments.js
var paymentsScript script

// paying is a look at a shop that takes payments, whose provider is the test's.
func (l look) paying() look { return l.with(oddScript + "\n" + paymentsScript) }

// holdsAPair opens the page of drop 1 as a buyer who has just reserved a pair.
func holdsAPair(t *testing.T, url, name string, l look) *page {
	t.Helper()
	p := visit(t, url+"/drops/1", l)
	p.reads(button(1), "Reserve")
	p.reserves(1)
	p.introduce(name)
	p.reads(".hold .primary", "Pay")
	return p
}

// comesBack loads the page as the provider sends the browser back to it.
func (p *page) comesBack(url string) {
	p.t.Helper()
	p.navigate(url + "/drops/1?payment=7")
}

// A buyer pays for a hold, comes back before the provider has told the server, and gets the receipt as soon as it has.
func TestCheckout_LeadsFromTheHoldToTheReceipt(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--hold=90s")
			made(t, s.url, manyPairs)
			p := holdsAPair(t, s.url, "Ann", l.paying())
			p.holds(`Number(textOf(".ring span")) <= 90`)
			p.check("hold to pay", l)
			eval[struct{}](p, `fake.becomes("open")`)
			p.press(".hold .primary")
			p.reads("dialog[open] h2", "We're checking your payment")
			p.reads("dialog[open] [role=status]", "Your payment hasn't reached us yet. If you haven't paid, continue to the payment page.")
			p.reads("dialog[open] .primary", "Continue to payment")
			p.holds(`document.activeElement.matches("dialog[open] .quiet") && location.search === ""`)
			if got := eval[string](p, `JSON.stringify(fake.get("checkouts"))`); got != `[{"reservationId":4294967297,"return_url":"`+s.url+`/drops/1?payment={payment}"}]` {
				t.Errorf("the page asked for the checkouts %s", got)
			}
			p.check("payment open", l)
			p.press("dialog[open] .quiet")
			p.holds(`!document.querySelector("dialog[open]")`)
			p.reads(".hold .primary", "Continue to payment")
			p.check("hold with a payment", l)
			p.press(".hold .primary")
			p.reads("dialog[open] h2", "We're checking your payment")
			eval[struct{}](p, `fake.becomes("pending")`)
			p.reads("dialog[open] [role=status]", "This takes a moment.")
			p.reads("#drop-1 .note", "We're checking your payment")
			mustPost(t, s.url+"/api/drops/purchase", `{"reservationId":4294967297}`) // as the server does
			eval[struct{}](p, `fake.becomes("captured", { number: "DEMO-000001" })`)
			p.reads("dialog[open] h2", "It's yours!")
			p.reads("dialog[open] dl", "Price $90.00")
			p.reads("dialog[open] dl", "Receipt number 1-1 Paid $90.00 Payment number DEMO-000001")
			p.holds(`document.activeElement.matches("dialog[open] .receipt .primary") && fake.said.includes("It's yours! You purchased Many.")`)
			p.check("receipt of a payment", l)
			p.press("dialog[open] .primary")
			p.holds(`!document.querySelector("dialog[open], .hold")`)

			eval[struct{}](p, `fake.becomes("captured", { number: "DEMO-000001", refunded: 20 })`)
			p.comesBack(s.url) // once more: the same receipt
			p.reads("dialog[open] dl", "Receipt number 1-1 Paid $90.00 Payment number DEMO-000001 Refunded $20.00")
			p.press("dialog[open] .primary")
			p.navigate(s.url + "/drops/1")
			p.reads("#drop-1 .note", "You purchased 1 pair")
			p.holds(`fake.get("looks").length > 2 && !document.querySelector("dialog[open]")`)
			p.quiet()
		})
	}
}

// Whatever becomes of a payment without a unit, the buyer reads in plain words where the money is.
func TestCheckout_SaysWhereTheMoneyIs(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Other","price":90,"total_stock":5,"start_time":"2020-01-01T00:00:00Z"}`)
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url, l.paying())
		p.reads(".live", "Live")
		for state, want := range map[string]string{
			`"voided"`:                       "Nothing was charged There was no pair left for you when your payment arrived, so we didn't take the money.",
			`"refunded", { refunded: 90 }`:   "You get your money back There was no pair left for you when your payment arrived. We refunded $90.00;",
			`"refunded", { currency: "EUR"}`: "We refunded \u2068€90.00\u2069;",
			`"failed"`:                       "Your payment didn't go through Nothing was charged, and the pair is no longer reserved for you.",
		} {
			eval[struct{}](p, script("fake.becomes("+state+")"))
			p.comesBack(s.url)
			p.reads("dialog[open]", want)
			title := eval[string](p, `textOf("dialog[open] h2")`)
			p.holds(script(`fake.said.includes("` + title + `") && document.activeElement.matches("dialog[open] .quiet") && !document.querySelector("dialog .primary")`))
			p.check("payment "+strings.Split(state, `"`)[1], l)
			p.press("dialog[open] .quiet")
			p.holds(`!document.querySelector("dialog[open]")`)
			p.navigate(s.url) // it was said once
			p.reads(".live", "Live")
			p.holds(`!document.querySelector("dialog[open]")`)
		}
		eval[struct{}](p, `sessionStorage.removeItem("fake.payment")`)
		p.comesBack(s.url)
		p.reads("dialog[open]", "Your payment We can't find this payment.")
		p.press("dialog[open] .quiet")
		p.holds(`!document.querySelector("dialog[open]")`)
		p.quiet()
	}
}

// A payment that failed can be made again while the hold lasts.
func TestCheckout_CanBeTriedAgain(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	made(t, s.url, manyPairs)
	p := holdsAPair(t, s.url, "Ann", desktop.paying())
	p.reads(".ring", "0") // as minutes and seconds
	p.holds(`/^0?[0-9]{1,2}:[0-9]{2}$/.test(textOf(".ring span")) && /minutes left$/.test(document.querySelector(".ring").getAttribute("aria-label"))`)
	eval[struct{}](p, `fake.becomes("open")`)
	p.press(".hold .primary")
	p.reads("dialog[open] h2", "We're checking your payment")
	eval[struct{}](p, `fake.becomes("failed")`)
	p.reads("dialog[open]", "Your payment didn't go through Nothing was charged. The pair is still reserved for you, so you can try again. Try again Close")
	p.reads(".hold .primary", "Pay")
	eval[struct{}](p, `fake.becomes("open"); fake.put("refusal", { error: "no", code: "payment_failed" })`)
	p.press("dialog[open] .primary")
	p.reads(".hold .problem", "The payment didn't go through. You can try again or pay another way.")
	p.holds(`!document.querySelector("dialog[open]") && fake.said.includes(textOf(".hold .problem"))`)
	p.check("payment refused", desktopDark)
	eval[struct{}](p, `fake.put("refusal", null)`)
	p.press(".hold .primary")
	p.reads("dialog[open] .primary", "Continue to payment")
	eval[struct{}](p, `fake.put("refusal", { error: "no", code: "payment_pending" }); fake.becomes("claimed")`)
	p.press("dialog[open] .primary") // it was paid in another tab meanwhile
	p.reads("dialog[open] [role=status]", "This takes a moment.")
	p.quiet()
}

// The page asks less and less often, and then says that it has stopped. It asks again when the buyer wants to.
func TestCheckout_AsksLessAndLessOften(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := holdsAPair(t, s.url, "Ann", desktop.paying())
	eval[struct{}](p, `fake.becomes("pending")`)
	p.comesBack(s.url)
	p.reads("dialog[open]", "We don't know yet whether you paid The payment hasn't been confirmed. If you paid, you get the pair or your money back.")
	p.holds(`fake.said.includes("We don't know yet whether you paid")`)
	if got := eval[string](p, `JSON.stringify([fake.get("looks").length, fake.get("waits")])`); got != `[13,[2000,2000,2000,2000,2000,3000,4000,6000,9000,15000,30000,45000]]` {
		t.Errorf("the page looked and waited %s", got)
	}
	p.check("payment late", desktopDark)
	eval[struct{}](p, `fake.becomes("claimed")`)
	p.press("dialog[open] .primary")
	p.reads("dialog[open] h2", "We're checking your payment")
	eval[struct{}](p, `fake.becomes("voided")`)
	p.reads("dialog[open] h2", "Nothing was charged")
	p.quiet()
}

// Whoever comes back from the provider by the browser's Back button is not told anything, unless there is something to
// tell. Neither is whoever closes the dialog.
func TestCheckout_IsQuietWithoutANeed(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := holdsAPair(t, s.url, "Ann", desktop.paying())
	eval[struct{}](p, `fake.becomes("open")`)
	p.press(".hold .primary")
	p.reads("dialog[open] h2", "We're checking your payment")
	p.navigate(s.url)
	eval[struct{}](p, `fake.put("waits", null)`)
	p.navigate(s.url + "/drops/1")
	p.reads(".hold .primary", "Continue to payment")
	p.holds(`!document.querySelector("dialog[open]") && fake.get("waits") === null`) // nor does the page ask again
	eval[struct{}](p, `fake.becomes("failed")`)
	p.navigate(s.url + "/drops/1")
	p.reads(".hold .primary", "Pay")
	p.holds(`sessionStorage.getItem("sneakerdrop.payment") === null && !document.querySelector("dialog[open]")`)
	eval[struct{}](p, `fake.becomes("pending")`)
	p.comesBack(s.url)
	p.press("dialog[open] .quiet")
	p.holds(`!document.querySelector("dialog[open]")`)
	p.navigate(s.url) // another page of the shop
	p.reads("#drop-1 .note", "We're checking your payment")
	eval[struct{}](p, `fake.becomes("captured")`)
	p.reads("dialog[open]", "It's yours!")
	p.quiet()
}

// Where the shop takes no payments, an address that names one is like any other.
func TestCheckout_IsNotThereWithoutPayments(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := visit(t, s.url+"/drops/1?payment=7", desktop.with(oddScript+`
		net.instead = (path) => { if (/payment|checkout/.test(path)) noted.errors.push(path); return null; };`))
	p.reads(".live", "Live")
	p.reserves(1)
	p.introduce("Ann")
	p.reads(".hold .primary", "Complete purchase")
	p.press(".hold .primary")
	p.reads("dialog[open] dl", "Receipt number 1-1")
	p.holds(`location.search === "?payment=7" && !textOf("dialog[open] dl").includes("Paid")`)
	p.navigate(s.url + "/admin")
	p.reads("h1", "Overview")
	p.holds(`!textOf("nav").includes("Payments")`)
	p.quiet()
}

// A hold that is being paid, and what the page says of payments, fit on the narrowest phone in every language.
func TestCheckout_FitsInEachLanguage(t *testing.T) {
	t.Parallel()
	s := withTheme(t, "testdata/rtl", "--hold=10m")
	made(t, s.url, manyPairs)
	for lang, want := range map[string]string{
		"de": "Weiter zur Zahlung", "es": "Continuar al pago", "fr": "Continuer vers le paiement", "ja": "支払いに進む", "ar": "Continue to payment",
	} {
		l := look{name: "narrow", width: 320, height: 568, phone: true, axe: true}.in(lang).paying()
		p := visit(t, s.url+"/drops/1", l)
		p.press(button(1))
		p.fill("#name", "Ann "+lang)
		p.submit("#name")
		p.ready(".hold .primary")
		eval[struct{}](p, `fake.becomes("open")`)
		p.press(".hold .primary")
		p.reads("dialog[open] .primary", want)
		p.check("payment open "+lang, l)
		p.press("dialog[open] .quiet")
		p.holds(`!document.querySelector("dialog[open]")`)
		p.reads(".hold .primary", want)
		p.check("hold with a payment "+lang, l)
		for _, status := range []string{"voided", "refunded", "captured"} {
			eval[struct{}](p, script(`fake.becomes("`+status+`", { number: "pi_3PQ5FZLkdIwHu7ix0aB1cD2e", refunded: 90 })`))
			p.comesBack(s.url)
			p.ready("dialog[open] button")
			p.check("payment "+status+" "+lang, l)
		}
		p.quiet()
	}
}
