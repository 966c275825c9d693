package test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/tokens"
)

const (
	cardPays     = "4242 4242 4242 4242"
	cardDeclined = "4000 0000 0000 0002"
	cardLate     = "4000 0000 0000 0077"
)

const sizelessAir = `{"name":"Air","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`

// paysWith fills in the demo provider's page.
func (p *page) paysWith(card string) {
	p.t.Helper()
	p.reads("h1", "Pay with a test card")
	p.fill("#card", card)
	p.press(`button[value="pay"]`)
}

// beginsToPay reserves a pair of drop 1 as somebody new, and goes to the demo provider's page.
func beginsToPay(t *testing.T, url, name string, l look) *page {
	t.Helper()
	p := holdsAPair(t, url, name, l)
	p.press(".hold .primary")
	p.reads("h1", "Pay with a test card")
	return p
}

// A buyer pays on the provider's page and finds the receipt on the drop's page, whenever the browser comes back.
func TestPayments_LeadToAReceipt(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktop} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--payments=demo")
			made(t, s.url, `{"name":"Many","price":90,"sizes":[{"size":"9","stock":5}],"start_time":"2020-01-01T00:00:00Z"}`)
			p := visit(t, s.url+"/drops/1", l)
			p.reads(button(1), "Select a size")
			p.press(`#drop-1 .sizes input`)
			p.reserves(1)
			p.introduce("Ann")
			p.reads(".hold .primary", "Pay")
			p.press(".hold .primary")
			p.paysWith(cardPays)
			p.reads("dialog[open] h2", "It's yours!")
			p.holds(`location.pathname + location.search === "/drops/1" && document.activeElement.matches("dialog[open] .primary")`)
			p.reads("dialog[open] dl", "Drop Many Size 9 Price $90.00")
			p.reads("dialog[open] dl", "Receipt number 1-1 Paid $90.00 Payment number DEMO-000001")
			p.press("dialog[open] .primary")
			p.holds(`!document.querySelector("dialog[open], .hold")`)
			p.reads("#drop-1 .stock", "4 of 5 left")

			p.navigate(s.url + "/drops/1?payment=1") // again
			p.reads("dialog[open] dl", "Receipt number 1-1 Paid $90.00 Payment number DEMO-000001")
			p.press("dialog[open] .primary")
			p.navigate(s.url)
			p.press(".who")
			p.press("dialog[open] .bought button")
			p.reads("dialog[open] h2", "Your receipt")
			p.reads("dialog[open] dl", "Paid $90.00 Payment number DEMO-000001")

			mustPost(t, s.url+"/api/purchases/4294967297/refund", `{"amount":30}`)
			p.navigate(s.url + "/?payment=1")
			p.reads("dialog[open] dl", "Payment number DEMO-000001 Refunded $30.00")
			p.navigate(s.url + "/drops/1")
			p.reads("#drop-1 .note", "You purchased 1 pair. We refunded $30.00.")
			p.quiet()
		})
	}
}

// A declined card leaves the payment open. Whoever comes back without having paid goes on with the same payment.
func TestPayments_CanGoOn(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--payments=demo")
	made(t, s.url, manyPairs)
	p := beginsToPay(t, s.url, "Ann", desktop)
	p.paysWith(cardDeclined)
	p.reads("#problem", "The bank declined this card. Try another one.")
	p.press(`button[value="cancel"]`)
	p.reads("dialog[open] h2", "We're checking your payment")
	p.reads("dialog[open] .primary", "Continue to payment")
	p.press("dialog[open] .quiet")
	p.reads(".hold .primary", "Continue to payment")
	p.holds(`/^(09:|10:00)/.test(textOf(".ring span"))`) // the hold lasts as long as the time to pay
	p.press(".hold .primary")
	p.reads("h1", "Pay with a test card")
	eval[chromedp.Void](p, `history.back()`)
	p.reads(".hold .primary", "Continue to payment")
	p.press(".hold .primary")
	p.paysWith(cardPays)
	p.reads("dialog[open] dl", "Receipt number 1-1 Paid $90.00 Payment number DEMO-000001") // the first and only one
	p.quiet()

	other := beginsToPay(t, s.url, "Bob", phone) // releases the pair instead
	eval[chromedp.Void](other, `history.back()`)
	other.reads(".hold .primary", "Continue to payment")
	other.press(".hold .quiet")
	other.holds(`!document.querySelector(".hold")`)
	other.reads("#drop-1 .stock", "49 of 50 left")
	other.quiet()
}

// A browser that never comes back: the next visit finds the purchase, and a tab that was left open finds it at once.
func TestPayments_NeedNoWayBack(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--payments=demo")
	made(t, s.url, manyPairs)
	p := holdsAPair(t, s.url, "Ann", desktop)
	open := p.sameVisitor(s.url+"/drops/1", desktop)
	open.reads(".hold .primary", "Pay")
	open.holds(`Number(textOf(".ring span")) <= 60`)
	p.press(".hold .primary")
	p.reads("h1", "Pay with a test card")
	open.holds(`/^(09|10):[0-9]{2}$/.test(textOf(".ring span"))`) // the new end
	stays := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := stays.PostForm(eval[string](p, `location.href`), url.Values{"do": {"pay"}, "card": {cardPays}})
	if err != nil || answer.Body.Close() != nil || answer.StatusCode != http.StatusSeeOther {
		t.Fatal(answer, err)
	}
	open.reads("#drop-1 .note", "You purchased 1 pair")
	open.holds(`!document.querySelector(".hold")`)
	p.navigate(s.url)
	p.reads("dialog[open] dl", "Paid $90.00 Payment number DEMO-000001")
	open.quiet()
	p.quiet()
}

// A drop that was archived while its buyer paid has no page. The buyer finds the receipt all the same.
func TestPayments_ForADropThatIsGone(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--payments=demo")
	made(t, s.url, manyPairs)
	p := beginsToPay(t, s.url, "Ann", phone)
	patch(t, s.url+"/api/drops/1", `{"archived":true}`)
	p.paysWith(cardPays)
	p.reads("dialog[open] dl", "Drop Drop 1 Price $90.00")
	p.holds(`location.pathname + location.search === "/"`)
	p.quiet()
}

// Money that comes when the hold has ended gets another pair. If there is none, the buyer keeps it and reads that.
func TestPayments_MayComeLate(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--payments=demo", "--hold=12s", "--pay-within=1s")
	made(t, s.url, `{"name":"Pair","price":90,"total_stock":2,"start_time":"2020-01-01T00:00:00Z"}`)
	first, second := beginsToPay(t, s.url, "Ann", desktop), beginsToPay(t, s.url, "Bob", phone)
	for _, p := range []*page{first, second} {
		p.paysWith(cardLate)
		p.reads("h1", "Your payment is on its way")
	}
	has(t, s.url, 1, `"available_stock":2,`) // the holds have ended
	mustPost(t, s.url+"/api/drops/1/restock", `{"add":-1}`)
	first.press(`button[value="arrive"]`)
	first.reads("dialog[open]", "It's yours!")
	second.press(`button[value="arrive"]`)
	second.reads("dialog[open]", "Nothing was charged There was no pair left for you when your payment arrived")
	second.check("payment voided", phone)
	first.quiet()
	second.quiet()
}

// pays sells a pair of drop 1 for money, by the calls that the shop window makes.
func pays(t *testing.T, server, buyer string) {
	t.Helper()
	reservation := hold(t, server, fmt.Sprintf(`{"dropId":1,"userName":%q}`, buyer))
	answer := post(t, server+"/api/drops/checkout", fmt.Sprintf(`{"reservationId":%d,"return_url":"/"}`, reservation))
	_, after, _ := strings.Cut(answer, `"url":"`)
	at, _, found := strings.Cut(after, `"`)
	if !found {
		t.Fatal(answer)
	}
	paid, err := http.PostForm(at, url.Values{"do": {"pay"}, "card": {cardPays}})
	if err != nil || paid.Body.Close() != nil || paid.StatusCode != http.StatusOK {
		t.Fatal(paid, err)
	}
}

// opensRefund opens the dialog for a purchase of drop 1 with the keyboard, from any list.
func (p *page) opensRefund(number int) {
	p.t.Helper()
	button := fmt.Sprintf(`#refund-%d`, 1<<32+number)
	p.ready("button" + button)
	eval[chromedp.Void](p, script(fmt.Sprintf(`document.querySelector(%q).focus()`, button)))
	p.do(chromedp.KeyEvent("\r"))
	p.reads("dialog[open] h2", "Refund a pair of Air")
}

// refunds sends the dialog of a purchase. An empty amount is the one that the dialog offers.
func (p *page) refunds(number int, amount, reason string) {
	p.t.Helper()
	p.opensRefund(number)
	if amount != "" {
		p.fill("#amount", amount)
	}
	p.fill("#reason", reason)
	p.pushesIn("Refund")
	p.holds(noDialog)
}

// An operator sees each payment and refunds some of it, then the rest, in each list that shows a purchase.
func TestPayments_AreRefundedInTheControlRoom(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--payments=demo")
			made(t, s.url, sizelessAir)
			for range 4 {
				pays(t, s.url, "Ann")
			}
			waiting := hold(t, s.url, `{"dropId":1,"userName":"Ben"}`)
			mustPost(t, s.url+"/api/drops/checkout", fmt.Sprintf(`{"reservationId":%d,"return_url":"/"}`, waiting))
			p := visit(t, s.url+"/admin", l)
			p.reads("h1", "Overview")
			p.opens("#/payments")
			p.rowCount(5)
			p.reads("main tbody tr", "Not paid yet")
			p.reads("main tbody tr", "The buyer can pay until")
			p.reads("main tbody tr:nth-child(2) a[href^='#/buyers/']", "Ann")
			p.reads("main tbody tr:nth-child(2)", "DEMO-000004")
			p.check("payments", l)

			p.opensRefund(4)
			p.fill("#amount", "90.01")
			p.pushesIn("Refund")
			p.reads("#amount-problem", "More than 0, and at most $90.00.")
			p.check("refund", l)
			p.fill("#amount", "30.50")
			p.pushesIn("Refund")
			p.reads(".toast", "$30.50 of $90.00 refunded: receipt 1-4 of Ann")
			p.reads("#refunded-4294967300", "$30.50 refunded")
			p.holds(`document.activeElement.matches("button#refund-4294967300")`)
			p.refunds(4, "", "wrong size")
			p.reads(".toast", "$90.00 of $90.00 refunded: receipt 1-4 of Ann")
			p.reads("#refunded-4294967300", "$90.00 refunded")
			p.holds(`document.activeElement.matches("#refunded-4294967300") && !document.querySelector("#refund-4294967300")`)
			p.check("payments refunded", l)

			p.fill("#payments-show", "waiting")
			p.rowCount(1)
			p.holds(`location.hash === "#/payments?show=waiting"`)
			p.reads("main tbody tr", "Not paid yet")

			p.opens("#/purchases")
			p.rowCount(4)
			p.refunds(3, "", "")
			p.reads("#refunded-4294967299", "$90.00 refunded")
			p.check("all purchases with payments", l)
			p.opens("#/drops/1/purchases")
			p.reads(".panel", "The newest 4 of 4 purchases")
			p.refunds(2, "1", "")
			p.reads("#refunded-4294967298", "$1.00 refunded")
			p.opensRefund(2)
			mustPost(t, s.url+"/api/purchases/4294967298/refund", `{"amount":9}`) // by somebody else
			p.pushesIn("Refund")
			p.reads("#refunded-4294967298", "$90.00 refunded") // all that was left
			p.holds(noDialog)
			p.opensTakeBack(2)
			p.reads("dialog[open]", "No money moves: to refund the buyer, use Refund.")
			p.decides(true, "")
			p.reads("#return-4294967298", "Back in stock")
			p.reads("#refunded-4294967298", "$90.00 refunded")
			p.check("purchases with payments", l)
			p.opens("#/purchases")
			p.clicks(`[...document.querySelectorAll("main tbody a")].find((a) => a.textContent === "Ann")`)
			p.opensRefund(1)
			mustPost(t, s.url+"/api/purchases/4294967297/refund", `{"amount":90}`) // by somebody else
			p.pushesIn("Refund")
			p.reads("#amount-problem", "at most 0")
			p.reads("#refunded-4294967297", "$90.00 refunded")
			p.check("refund refused", l)
			p.pushesIn("Cancel")
			p.holds(`document.activeElement.matches("#refunded-4294967297")`)
			p.check("buyer with payments", l)
			p.quiet()
		})
	}
}

// A viewer sees payments and refunds, and cannot refund.
func TestPayments_AreSeenByViewers(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret, "--payments=demo")
	operate("", "/api/drops/create", manyPairs)
	ann := tokens.HS256(secret, fmt.Sprintf(`{"sub":"ann","name":"Ann","aud":"shop","exp":%d}`, time.Now().Add(time.Hour).Unix()))
	buyer := visit(t, s.url+"/drops/1#token="+ann, desktop)
	buyer.pushesIn("Continue as Ann")
	buyer.reserves(1)
	buyer.press(".hold .primary")
	buyer.paysWith(cardPays)
	buyer.reads("dialog[open] dl", "Payment number DEMO-000001") // still signed in
	buyer.quiet()
	stranger := visit(t, s.url+"/drops/1?payment=1", desktop)
	stranger.reads("dialog[open] h2", "Sign in to reserve")
	bob := tokens.HS256(secret, fmt.Sprintf(`{"sub":"bob","name":"Bob","aud":"shop","exp":%d}`, time.Now().Add(time.Hour).Unix()))
	eval[chromedp.Void](stranger, script(fmt.Sprintf(`location.hash = "token=%s"`, bob)))
	stranger.pushesIn("Continue as Bob")
	stranger.reads("dialog[open]", "Your payment We can't find this payment. It may belong to someone else.")
	stranger.quiet()

	operate("", "/api/purchases/4294967297/refund", `{"amount":10,"reason":"late"}`)
	answer := operate("", "/api/operator/tokens", `{"name":"the viewer","role":"viewer"}`)
	_, after, _ := strings.Cut(answer, `"secret":"`)
	token, _, _ := strings.Cut(after, `"`)
	p := visit(t, s.url+"/admin#/payments", desktop)
	p.fill("#token", token)
	p.submit("#token")
	for _, hash := range []string{"#/payments", "#/purchases", "#/drops/1/purchases"} {
		p.opens(hash)
		p.reads("main tbody", "$10.00 refunded")
		p.holds(`!document.querySelector("button[id^='refund-']")`)
	}
	p.opens("#/log")
	p.reads("main tbody", "Refunded a purchase")
	p.quiet()
}

// What is stuck says why, and when it is tried next, also on the overview. A refund that the provider refuses says so,
// and one that the provider does not answer stays asked for.
func TestPayments_SayWhatIsStuck(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--payments=demo")
	made(t, s.url, sizelessAir)
	pays(t, s.url, "Ann")
	row := func(id, more string) string {
		return fmt.Sprintf(`{"id":%s,"amount":90,"currency":"USD","refunded":0,"provider":"demo","number":null,"expires_at":"2020-01-01T00:10:00Z","createdAt":"2020-01-01T00:00:00Z",
			"dropId":1,"reservationId":1,"userId":7,"username":"Unknown","purchaseId":null,"reason":null,"tries":0,"due_at":"2020-01-01T00:10:00Z",%s}`, id, more)
	}
	p := visit(t, s.url+"/admin", desktopDark.with(oddScript+script(`
		globalThis.stuck = [`+row("2", `"status":"claimed","unsettled":true,"tries":3,"reason":"the payment provider did not answer"`)+`,
			`+row("3", `"status":"pending","unsettled":true,"tries":2,"reason":"no answer"`)+`, `+row("4", `"status":"voided","unsettled":false,"reason":"out_of_stock"`)+`];
		globalThis.refusal = null;
		const answer = (status, body) => Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } }));
		net.instead = (path, init) => path.startsWith("/api/payments?") ? answer(200, { payments: stuck, next: null }) :
			path.endsWith("/refund") && refusal ? answer(...refusal) : null;`)))
	p.reads(".attention", "1 payment is stuck: the last tries failed. The server goes on trying.")
	p.press(`.attention a[href="#/payments?show=waiting"]`)
	p.reads("main tbody tr", "Being captured 3 failed tries: the payment provider did not answer. Next look: Jan 1, 2020")
	p.reads("main tbody tr:nth-child(2)", "On its way 2 failed tries: no answer.")
	p.reads("main tbody tr:nth-child(3)", "Voided: no pair left out of stock")
	eval[chromedp.Void](p, `stuck.length = 1`)
	p.rowCount(1) // the list is live
	p.check("payments stuck", desktopDark)

	p.opens("#/drops/1/purchases")
	eval[chromedp.Void](p, `refusal = [402, { error: "The payment provider did not refund it: the card is gone", code: "payment_failed" }]`)
	p.opensRefund(1)
	p.pushesIn("Refund")
	p.reads("dialog[open] .problem:not(:empty)", "The payment provider did not refund it: the card is gone.")
	eval[chromedp.Void](p, `refusal = [503, { error: "no", code: "payment_provider_unreachable" }]`)
	mustPost(t, s.url+"/api/purchases/4294967297/refund", `{"amount":10}`) // by somebody else
	p.pushesIn("Refund")
	p.reads("dialog[open] .problem:not(:empty)", "The payment service can't be reached right now.")
	p.reads("#refunded-4294967297", "$10.00 refunded")
	eval[chromedp.Void](p, `refusal = [200, { id: 2 ** 32 + 1, payment: { status: "captured", unsettled: true, amount: 90, refunded: 90, currency: "USD", number: "DEMO-000001" } }]`)
	p.pushesIn("Refund")
	p.reads(".toast", "The payment provider did not answer, and the server tries again: receipt 1-1 of Ann")
	p.reads("#refunded-4294967297", "$90.00 being refunded")
	p.quiet()
}
