package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/tokens"
)

// opensTakeBack opens the dialog for a purchase of drop 1 with the keyboard, from any list.
func (p *page) opensTakeBack(number int) {
	p.t.Helper()
	button := fmt.Sprintf(`#return-%d`, 1<<32+number)
	p.ready("button" + button)
	eval[chromedp.Void](p, script(fmt.Sprintf(`document.querySelector(%q).focus()`, button)))
	p.do(chromedp.KeyEvent("\r"))
	p.reads("dialog[open] h2", "Take back a pair of Air")
}

// takesBack sells the pair of a purchase of drop 1 again, or writes it off.
func (p *page) takesBack(number int, restock bool, reason string) {
	p.t.Helper()
	p.opensTakeBack(number)
	p.decides(restock, reason)
	p.holds(noDialog)
}

// decides fills the dialog in and sends it.
func (p *page) decides(restock bool, reason string) {
	p.t.Helper()
	p.press(fmt.Sprintf(`dialog[open] input[value="%t"]`, restock))
	p.fill("#reason", reason)
	p.pushesIn("Take back")
}

// sells sells a pair of drop 1.
func sells(t *testing.T, url, buyer, size string) {
	t.Helper()
	body := fmt.Sprintf(`{"dropId":1,"userName":%q,"email":"%s@example.com","size":%q}`, buyer, strings.ToLower(buyer), size)
	mustPost(t, url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, url, body)))
}

const sizedAir = `{"name":"Air","price":100,"sizes":[{"size":"9","stock":20},{"size":"10","stock":20}],"start_time":"2020-01-01T00:00:00Z"}`

// An operator takes pairs back in each list of purchases: one is sold again, others are written off. Every figure that
// the control room shows tells pairs that count as sold from purchases.
func TestControl_TakesPairsBack(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir())
			made(t, s.url, sizedAir)
			for i := range 5 {
				sells(t, s.url, "Ann", []string{"9", "10"}[i%2])
			}
			sells(t, s.url, "Ben", "9")
			p := visit(t, s.url+"/admin#/drops/1/purchases", l)
			p.reads(".panel", "The newest 6 of 6 purchases, live. Your time zone")
			p.opensTakeBack(6)
			p.reads("dialog[open]", "Receipt 1-6 of Ben, size 9, $100.00.")
			p.reads("dialog[open]", "No money moves: refund the buyer where they paid.")
			p.reads("dialog[open]", "Sell it again It is on sale at once. 17 pairs available in size 9 instead of 16.")
			p.reads("dialog[open]", "Write it off It leaves the stock: 39 pairs in total instead of 40. What is on sale does not change.")
			p.holds(`document.activeElement.matches('[name="restock"]:not(:checked)') && !document.querySelector('[name="restock"]:checked')`)
			p.pushesIn("Take back") // nothing is chosen for the operator
			p.reads("#restock-problem", "Choose what happens to the pair.")
			p.holds(`document.activeElement.matches('[name="restock"][aria-invalid="true"]')`)
			p.check("control take back", l)
			p.do(chromedp.KeyEvent("\x1b"))
			p.holds(noDialog)
			p.holds(`document.activeElement.matches('button#return-4294967302')`)
			has(t, s.url, 1, `"available_stock":34,`)

			p.takesBack(6, true, "wrong size")
			p.reads(".toast", "Taken back into stock: receipt 1-6 of Ben")
			p.reads(".panel tbody tr", "$100.00")
			p.reads("#return-4294967302", "Back in stock, ")
			p.holds(`document.activeElement.matches('span#return-4294967302')`)
			has(t, s.url, 1, `"total_stock":40,"available_stock":35,`)
			p.reads(".panel", "The newest 6 of 6 purchases, live. 1 pair taken back, 5 counted as sold.")
			p.takesBack(5, false, "")
			p.reads(".toast", "Taken back and written off: receipt 1-5 of Ann")
			p.reads("#return-4294967301", "Written off, ")
			has(t, s.url, 1, `"total_stock":39,"available_stock":35,`)
			p.check("control taken back", l)
			sells(t, s.url, "Cid", "9") // the pair that is back on sale
			p.reads(".panel", "The newest 7 of 7 purchases, live. 2 pairs taken back, 5 counted as sold.")
			p.reads(".panel tbody tr", "7 Cid")

			p.opens("#/drops/1")
			p.reads(".detail .tiles", "Sold 5 $500.00, 2 taken back")
			p.opens("#/drops/1/ledger")
			p.reads(".panel", "Taken back")
			p.reads(".panel", "Written off")
			p.check("control ledger with returns", l)
			p.opens("#/drops/1/audit")
			p.pushes("Audit this drop")
			p.reads(".verdict", "No discrepancies Checked 7 reservations, 7 purchases")
			p.reads(".verdict", "0 pairs held, 0 of them being paid for. 1 pair written off.")
			p.opens("#/")
			p.reads(".today", "Revenue today $700.00 since midnight, your time Sold today 7 in 1 drop")
			p.reads("main", "Today's figures include pairs that were taken back later.")
			p.reads(`[aria-labelledby="newest-title"]`, "taken back")
			p.opens("#/drops")
			p.reads("main tbody", "$500.00")
			p.reads("main tbody", "5 2 taken back")
			p.check("control drops with returns", l)

			p.opens("#/purchases")
			p.rowCount(7)
			p.reads("#return-4294967302", "Back in stock, ")
			p.takesBack(4, true, "")
			p.reads("#return-4294967300", "Back in stock, ")
			mustPost(t, s.url+"/api/purchases/4294967298/return", `{"restock":true}`) // by somebody else
			p.reads("#return-4294967298", "Back in stock, ")
			p.check("control all purchases with returns", l)
			p.clicks(`[...document.querySelectorAll("main tbody a")].find((a) => a.textContent === "Ann")`)
			p.reads(".tiles", "Purchases 5 3 taken back Spent $500.00 of it $300.00 for pairs taken back")
			p.takesBack(3, false, "worn")
			p.reads("#return-4294967299", "Written off, ")
			p.reads(".tiles", "Purchases 5 4 taken back Spent $500.00 of it $400.00 for pairs taken back")
			p.holds(`document.activeElement.matches('span#return-4294967299')`)
			p.check("control buyer with returns", l)
			has(t, s.url, 1, `"total_stock":38,"available_stock":36,`)
			if status, list := get(t, s.url+"/api/drops/1"); status != http.StatusOK || strings.Contains(list, "returned") {
				t.Errorf("the public list of recent purchases tells of returns: %d %s", status, list)
			}
			p.quiet()
		})
	}
}

// Two operators take one pair back at the same time and choose differently: the second sees what the first chose. A
// viewer sees it too, and cannot take anything back.
func TestControl_ReturnsOfTwoOperatorsAndAViewer(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret)
	operate("", "/api/drops/create", `{"name":"Air","price":100,"total_stock":9,"start_time":"2020-01-01T00:00:00Z"}`)
	enter := func(role, hash string, l look) *page {
		t.Helper()
		answer := operate("", "/api/operator/tokens", fmt.Sprintf(`{"name":"the %s","role":%q}`, role, role))
		_, after, _ := strings.Cut(answer, `"secret":"`)
		token, _, _ := strings.Cut(after, `"`)
		p := visit(t, s.url+"/admin"+hash, l)
		p.fill("#token", token)
		p.submit("#token")
		return p
	}
	ann, buyer := tokens.HS256(secret, fmt.Sprintf(`{"sub":"ann","name":"Ann","aud":"shop","exp":%d}`, time.Now().Add(time.Hour).Unix())), ""
	for range 3 {
		reserved := operate(ann, "/api/drops/reserve", `{"dropId":1}`)
		bought := operate(ann, "/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, id(t, "200 "+reserved)))
		_, after, _ := strings.Cut(bought, `"userId":`)
		buyer, _, _ = strings.Cut(after, ",")
	}
	first, second, viewer := enter("operator", "#/drops/1/purchases", desktop), enter("operator", "#/buyers/"+buyer, phone), enter("viewer", "#/drops/1/purchases", desktop)
	second.opensTakeBack(1)
	first.takesBack(1, false, "worn")
	second.decides(true, "")
	second.reads("dialog[open] .problem[role=alert]:not(:empty)", "Someone else already took this pair back, and chose differently.")
	second.reads("#return-4294967297", "Written off, ")
	second.checkLayout("take back refused phone")
	second.checkAccess("take back refused phone")
	second.pushesIn("Cancel")
	second.holds(noDialog)
	second.holds(`document.activeElement.matches('span#return-4294967297')`)

	second.opensTakeBack(2) // both choose the same: it happens once
	first.takesBack(2, true, "")
	second.decides(true, "")
	second.holds(noDialog)
	second.reads("#return-4294967298", "Back in stock, ")
	has(t, s.url, 1, `"total_stock":8,"available_stock":7,`)
	first.reads(".panel", "2 pairs taken back, 1 counted as sold.")

	viewer.reads("#return-4294967297", "Written off, ")
	viewer.reads("#return-4294967298", "Back in stock, ")
	first.ready("button#return-4294967299")
	for _, hash := range []string{"#/drops/1/purchases", "#/purchases", "#/buyers/" + buyer} {
		viewer.opens(hash)
		viewer.reads("main", "Written off")
		viewer.holds(`!document.querySelector("button[id^='return-']") && document.querySelectorAll("main tbody tr").length >= 1`)
	}
	first.opens("#/log")
	first.reads("main tbody", "Took a pair back 1 Done")
	first.reads("main tbody", "Refused: already returned")
	for _, p := range []*page{first, second, viewer} {
		p.quiet()
	}
}

// What the dialog says of the stock is true for a drop that buyers cannot have pairs of now. A drop whose only pair was
// sold and taken back is no draft, and its price stays. The shop window learns the new total.
func TestControl_TakesThePairOfAPausedDropBack(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Air","price":100,"total_stock":3,"start_time":"2020-01-01T00:00:00Z"}`)
	for i := range 3 {
		buys(t, s.url, fmt.Sprintf(`"userId":%d`, i+1))
	}
	mustPost(t, s.url+"/api/purchases/4294967297/return", `{"restock":true}`)
	window := visit(t, s.url+"/", desktop)
	window.reads("#drop-1 .stock", "1 of 3 left")
	mustPost(t, s.url+"/api/drops/1/pause", `{}`)
	p := visit(t, s.url+"/admin#/drops/1/purchases", desktop)
	p.opensTakeBack(3)
	p.reads("dialog[open]", "Buyers cannot reserve it while the drop is paused. 2 pairs available instead of 1.")
	p.fill("#reason", strings.Repeat("é", 501))
	p.press(`dialog[open] input[value="false"]`)
	p.pushesIn("Take back")
	p.reads("#reason-problem", "At most 500 characters.")
	p.decides(false, strings.Repeat("é", 500))
	p.holds(noDialog)
	window.reads("#drop-1 .stock", "1 of 2 left")
	patch(t, s.url+"/api/drops/1", `{"hidden":true}`)
	p.opensTakeBack(2)
	p.reads("dialog[open]", "Buyers do not see it while the drop is hidden. 2 pairs available instead of 1.")
	p.decides(true, "")
	p.holds(noDialog)
	p.reads(".detail .state", "Hidden")
	p.pushes("Edit")
	p.reads("#price-hint", "This can no longer be changed: the drop has started, or pairs are held or were sold.")
	p.holds(`document.querySelector("#price").disabled`)
	p.pushesIn("Cancel")
	patch(t, s.url+"/api/drops/1", `{"name":"Rehearsal of 1"}`) // nobody takes pairs of a rehearsal back
	mustPost(t, s.url+"/api/drops/1/resume", `{}`)
	buys(t, s.url, `"userId":9`)
	p.reads("h1", "Rehearsal of 1")
	p.reads(".panel tbody tr", "4 Unknown – – $100.00")
	p.holds(`!document.querySelector("main tbody button")`)
	p.quiet()
	window.quiet()
}

// A return moves the lines of a drop's story. It does not change how fast the drop sold out.
func TestControl_CalculatesReturns(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	p.reads("main", "No drops yet")
	eval[chromedp.Void](p, `import(moduleAt("admin/books.js")).then((b) => { globalThis.books = b; globalThis.entries = [
		["00", "created", 3, 3], ["10", "reserved", 3, 0], ["11", "payment_started", 3, 0], ["12", "purchased", 3, 0], ["20", "returned", 1, 1],
		["21", "written_off", 1, 1], ["30", "reserved", 1, 0], ["31", "purchased", 1, 0], ["40", "restocked", 1, 1],
	].map(([s, reason, units, available], i) => ({ seq: i + 1, at: "2026-01-01T00:00:" + s + "Z", reason, units, size: null, available }));
	globalThis.until = (n) => b.readOn(b.emptyStory(), entries.slice(0, n)); })`)
	for expression, want := range map[script]string{
		`until(5).now`: `{"available":1,"held":0,"sold":2}`,
		`until(6).now`: `{"available":1,"held":0,"sold":1}`,
		`until(8).now`: `{"available":0,"held":0,"sold":2}`,
		`[4, 5, 6, 7, 8, 9].map((n) => books.sellOut(until(n), 0))`: `[0,0,0,0,0,null]`,
		`books.conversion(until(8))`:                                `1`,
		`until(8).counts.purchased`:                                 `4`,
	} {
		if got := eval[string](p, "JSON.stringify("+expression+")"); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
	p.quiet()
}
