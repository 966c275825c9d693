package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// chooses picks an option.
func (p *page) chooses(selector, value string) {
	p.t.Helper()
	eval[chromedp.Void](p, script(fmt.Sprintf(`{ const s = document.querySelector(%q); s.value = %q; s.dispatchEvent(new Event("change", {bubbles: true})); }`, selector, value)))
}

// putsIn puts a value into a field as somebody who types does.
func (p *page) putsIn(selector, value string) {
	p.t.Helper()
	eval[chromedp.Void](p, script(fmt.Sprintf(`{ const s = document.querySelector(%q); s.value = %q; s.dispatchEvent(new Event("input", {bubbles: true})); }`, selector, value)))
}

// rowCount waits until the page's table has so many rows.
func (p *page) rowCount(n int) {
	p.t.Helper()
	p.holds(script(fmt.Sprintf(`document.querySelectorAll("main tbody tr").length === %d`, n)))
}

// Purchases of all drops are found by buyer, drop, size and time, and lead to the buyer.
func TestControl_PurchasesOfAllDropsAndTheirBuyers(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	made(t, s.url, `{"name":"First","price":0.1,"total_stock":100,"start_time":"2020-01-01T00:00:00Z"}`)
	made(t, s.url, `{"name":"Second","price":90,"sizes":[{"size":"9","stock":50},{"size":"10","stock":50}],"start_time":"2020-01-01T00:00:00Z"}`)
	for i := range 60 {
		buys(t, s.url, fmt.Sprintf(`"userName":"Buyer %d","email":"b%d@example.com"`, i%3, i%3))
	}
	for _, size := range []string{"9", "10"} {
		mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, fmt.Sprintf(`{"dropId":2,"userName":"Ann","email":"ann@example.com","size":%q}`, size))))
	}
	hold(t, s.url, `{"dropId":2,"userName":"Ann","email":"ann@example.com","size":"9"}`)
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url+"/admin#/purchases", l)
		p.rowCount(50)
		p.reads("main tbody tr", "Second Ann ann@example.com 10 $90.00 2-2")
		p.check("control all purchases", l)
		p.pushes("Show more")
		p.rowCount(62)
		eval[chromedp.Void](p, `globalThis.kept = [], URL.createObjectURL = (blob) => (blob.text().then((t) => kept.push(t)), "blob:none"), globalThis.press = HTMLAnchorElement.prototype.click,
			HTMLAnchorElement.prototype.click = function () { kept.push(this.download) }`)
		p.pushes("Download CSV")
		p.holds(`kept.includes("purchases.csv") && kept.some((k) => k.includes("dropName") && k.trim().split("\n").length === 63)`)
		p.putsIn("#purchases-q", "ANN")
		p.rowCount(2)
		p.pushes("Download CSV") // of what the page shows
		p.holds(`kept.some((k) => k.includes("ann@example.com") && k.trim().split("\n").length === 3)`)
		eval[chromedp.Void](p, `HTMLAnchorElement.prototype.click = press`)
		p.chooses("#purchases-drop", "2")
		p.putsIn("#purchases-size", "9")
		p.rowCount(1)
		p.holds(`location.hash === "#/purchases?drop=2&size=9"`)
		p.holds(`[...document.querySelectorAll("main button")].some((b) => b.textContent === "Download CSV")`)
		p.putsIn("#purchases-to", "2020-01-01T10:00")
		p.reads("main", "No purchase matches.")
		p.putsIn("#purchases-from", "2020-01-02T10:00")
		p.reads("main .problem", "The end must be later than the beginning.")
		p.putsIn("#purchases-from", "2020-01-01T09:00")
		p.putsIn("#purchases-to", "")
		p.rowCount(1)
		eval[chromedp.Void](p, `document.querySelector('main tbody a[href^="#/buyers/"]').click()`)
		p.reads("h1", "Ann")
		p.reads(".tiles", "Reservations 3 Purchases 2 Spent $180.00")
		p.reads("tbody", "Second 9 Reserved –")
		p.check("control buyer", l)
		p.opens("#/buyers")
		p.rowCount(4)
		p.putsIn("#buyers-q", "b2@")
		p.reads("main tbody tr", "Buyer 2 b2@example.com")
		p.check("control buyers", l)
		p.putsIn("#buyers-q", "nobody")
		p.reads("main", "No buyer matches “nobody”.")
		p.opens("#/buyers/99999")
		p.reads("main", "Try again")
		p.quiet()
	}
}

// The charts of a drop show the values at a moment, by pointer and by keyboard, and share one time range.
func TestControl_ChartsZoomAndTellValues(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Charted","price":90,"total_stock":40,"start_time":"2020-01-01T00:00:00Z"}`)
	for i := range 12 {
		buys(t, s.url, fmt.Sprintf(`"userId":%d`, i+1))
	}
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url+"/admin#/drops/1", l)
		p.holds(`document.querySelectorAll(".chart canvas").length === 2`)
		p.reads(".chart figcaption", "Now On sale 28 Held 0 Sold 12")
		p.check("control charts", l)
		range0 := eval[string](p, `document.querySelector(".timeline .shown").textContent`)
		press := func(key string) {
			t.Helper()
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.querySelector(".plot").dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}))`, key)))
		}
		press("Home")
		p.reads(".chart figcaption", "On sale 40 Held 0 Sold 0")
		p.reads("#said", "On sale 40, Held 0, Sold 0")
		press("ArrowRight")
		press("ArrowRight")
		p.reads("#said", "Held")
		press("End")
		p.reads(".chart figcaption", "On sale 28 Held 0 Sold 12")
		// By pointer, in the other chart: both tell of the same moment.
		eval[chromedp.Void](p, `{ const over = document.querySelectorAll(".u-over")[1], b = over.getBoundingClientRect();
			for (const type of ["mouseenter", "mousemove"]) over.dispatchEvent(new MouseEvent(type, {clientX: b.left, clientY: b.top + 10, bubbles: true})); }`)
		p.reads(".chart figcaption", "On sale 40")
		p.pushes("First minute")
		p.holds(`document.querySelector('.ranges [aria-pressed="true"]').textContent === "First minute"`)
		p.pushes("All")
		press("+")
		p.holds(script(fmt.Sprintf(`document.querySelector(".timeline .shown").textContent !== %q && !document.querySelector('.ranges [aria-pressed="true"]')`, range0)))
		press("0")
		p.holds(`document.querySelector('.ranges [aria-pressed="true"]').textContent === "All"`)
		// A drag over the first chart's left half.
		eval[chromedp.Void](p, `{ const over = document.querySelector(".u-over"), b = over.getBoundingClientRect();
			const at = (type, x, on = over) => on.dispatchEvent(new MouseEvent(type, {clientX: b.left + x, clientY: b.top + 20, button: 0, buttons: 1, movementX: 9, bubbles: true}));
			at("mousemove", 5); at("mousedown", 5); at("mousemove", b.width / 2); at("mouseup", b.width / 2, document); }`)
		p.holds(`!document.querySelector('.ranges [aria-pressed="true"]')`)
		p.pushes("Custom")
		p.putsIn("#range-to", "2019-01-01T00:00:00")
		p.pushes("Show range")
		p.reads("#custom-range .problem", "The end must be at least 2 seconds after the beginning.")
		p.check("control charts custom", l)
		p.pushes("All")
		eval[chromedp.Void](p, `document.querySelector(".timeline details").open = true`)
		p.reads(".timeline tbody", "28 0 12")
		p.check("control charts table", l)
		p.quiet()
	}
}

// An operator makes a token, sees it once and revokes it; the log tells of it. A viewer may only look.
func TestControl_TokensAndLog(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret)
	operate("", "/api/drops/create", onePair)
	minted := func(role string) string {
		t.Helper()
		answer := operate("", "/api/operator/tokens", fmt.Sprintf(`{"name":"the %s","role":%q}`, role, role))
		_, after, _ := strings.Cut(answer, `"secret":"`)
		token, _, _ := strings.Cut(after, `"`)
		return token
	}
	operator, viewer := minted("operator"), minted("viewer")
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url+"/admin#/tokens", l)
		enter := func(token string) {
			t.Helper()
			p.holds(`!!document.querySelector("#token")`)
			p.fill("#token", token)
			p.submit("#token")
		}
		enter(operator)
		p.reads("main", "the viewer")
		p.check("control tokens", l)
		p.pushes("Create token")
		p.reads("#token-create-problem", "Enter a name")
		p.putsIn("#token-name", "Ben's <b>phone</b>")
		p.chooses("#token-life", "never")
		p.pushes("Create token")
		p.reads("#token-create-problem", "must not be later than your own token expires")
		p.chooses("#token-life", "1")
		p.pushes("Create token")
		p.reads(".secret", "It is shown only once")
		p.holds(`/^sdo_[\w-]{43}$/.test(document.querySelector(".secret code").textContent)`)
		p.reads("main tbody tr", "Ben's <b>phone</b> Viewer Valid")
		p.check("control token made", l)
		p.pushes("Done")
		p.holds(`!document.body.textContent.includes("sdo_")`)
		p.pushes("Revoke")
		p.reads("dialog[open]", "signed out at once")
		p.pushes("Revoke token")
		p.reads("main tbody tr", "Ben's <b>phone</b> Viewer Revoked")
		p.opens("#/log")
		p.reads("main tbody", "Revoked a token – Done: token")
		p.check("control log", l)
		p.chooses("#log-call", "create-drop")
		p.rowCount(1)
		p.reads("main tbody", "Created a drop – Done: drop 1")
		p.chooses("#log-call", "create-token")
		p.chooses("#log-outcome", "refused")
		p.reads("main tbody", "Refused: invalid")
		p.putsIn("#log-actor", "nobody")
		p.reads("main", "No entry matches.")
		p.pushes("Sign out")
		enter(viewer)
		p.opens("#/tokens")
		p.reads("main", "Only operators can create and revoke tokens.")
		p.holds(`![...document.querySelectorAll("main button")].some((b) => /Revoke|Create/.test(b.textContent))`)
		p.quiet()
	}
}

// The settings page says what runs and with which settings, and keeps secrets back.
func TestControl_Settings(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=42s")
	for _, l := range []look{phone, desktopDark} {
		p := visit(t, s.url+"/admin#/settings", l)
		p.reads(".about", "Database SQLite 3.")
		p.check("control settings", l)
		p.putsIn("#settings-q", "reservation keeps")
		p.rowCount(1)
		p.reads("main tbody", "hold 42s Command line")
		p.putsIn("#settings-q", "no such setting")
		p.reads("main", "No setting matches.")
		p.opens("#/tokens")
		p.reads("main", "operators need no tokens")
		p.opens("#/log")
		p.reads("main", "there is no log")
		p.quiet()
	}
}
