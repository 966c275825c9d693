package test

import (
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/tokens"
)

// pushes presses the button with that text.
func (p *page) pushes(text string) {
	p.t.Helper()
	p.clicks(fmt.Sprintf(`[...document.querySelectorAll("dialog[open] button, #app button")].find((b) => b.textContent.trim() === %q)`, text))
}

// goes follows the link with that text, in the page before the menu.
func (p *page) goes(text string) {
	p.t.Helper()
	p.clicks(fmt.Sprintf(`[...document.querySelectorAll("#main a"), ...document.querySelectorAll("#app a")].find((a) => a.textContent.trim() === %q)`, text))
}

// clicks waits until an expression finds an element, and clicks it. Between two calls the page may draw anew: then it
// waits again.
func (p *page) clicks(element string) {
	p.t.Helper()
	for clicked := false; !clicked; {
		p.holds(script("!!" + element))
		clicked = eval[bool](p, script(`{ const found = `+element+`; found?.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true})); !!found }`))
	}
}

// confirms presses a button that stops a drop that sells, and says yes to the question.
func (p *page) confirms(verb string) {
	p.t.Helper()
	p.pushes(verb)
	p.reads("dialog[open] h2", verb)
	p.pushes(verb + " drop")
}

// leaves types into a field and moves to the next.
func (p *page) leaves(field, value string) {
	p.t.Helper()
	p.fill("#"+field, value)
	eval[chromedp.Void](p, script(fmt.Sprintf(`document.querySelector("#%s").dispatchEvent(new FocusEvent("blur"))`, field)))
}

// An operator makes a drop, sees it sell, and does all that there is to do with it.
func TestControl_LifeOfADrop(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	p.reads("main", "No drops yet")
	p.pushes("New drop")
	p.leaves("name", "Lantern Low")
	p.leaves("price", "a lot")
	p.reads("#price-problem", "A price such as 129.95")
	p.leaves("price", "129.95")
	p.reads("#price-problem", "")
	p.leaves("image_url", "shoe.jpg")
	p.reads("#image_url-problem", "An address that starts with https://")
	p.leaves("image_url", "")
	p.leaves("sizes", "9 x")
	p.reads("#sizes-problem", "must be a size and how many")
	p.leaves("sizes", "9 2\n9.5: 3")
	p.reads("#sizes-hint", "2 sizes, 5 pairs in total")
	p.leaves("start_time", "2020-01-01T00:00:00")
	p.pushes("Create drop")
	p.reads("h1", "Lantern Low")
	p.reads(".detail .state", "On sale")
	status, body := get(t, s.url+"/api/drops/1")
	if status != http.StatusOK || !strings.Contains(body, `"price":129.95,"total_stock":5`) || !strings.Contains(body, `{"size":"9.5","total_stock":3`) {
		t.Errorf("%d %s", status, body)
	}

	bought := hold(t, s.url, `{"dropId":1,"userName":"Ann","email":"ann@example.com","size":"9"}`)
	given := hold(t, s.url, `{"dropId":1,"userId":2,"size":"9"}`)
	p.reads(".detail .tiles", "Held 2")
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, bought))
	mustPost(t, s.url+"/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, given))
	post(t, s.url+"/api/drops/reserve", `{"dropId":1,"userId":2,"size":"XL"}`)
	p.reads(".detail .tiles", "On sale 4 of 5 Held 0 Sold 1 $129.95 Conversion 50 %")
	p.holds(`document.querySelectorAll(".chart canvas").length === 2`)
	p.goes("Service")
	p.reads(".refusals", "Unknown size 1")
	p.reads(".service table", "Reserve")
	eval[chromedp.Void](p, `history.back()`)

	p.goes("Ledger")
	p.reads(".panel", "Released 9 1 1")
	p.opens("#/drops/1/purchases")
	p.reads(".panel", "Ann ann@example.com 9 $129.95")
	eval[chromedp.Void](p, `globalThis.kept = [], URL.createObjectURL = (blob) => (blob.arrayBuffer().then((b) => kept.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(b))), "blob:none"), HTMLAnchorElement.prototype.click = function () { kept.push(this.download) }`)
	p.pushes("Download CSV")
	p.holds(`kept.includes("drop-1-purchases.csv") && kept.some((k) => k.startsWith("\ufeffid,") && k.includes("ann@example.com"))`)
	p.pushes("Download Excel")
	p.holds(`kept.includes("drop-1-purchases.xlsx") && kept.some((k) => k.startsWith("PK") && k.includes("xl/worksheets/sheet1.xml"))`)
	p.goes("Audit")
	p.pushes("Audit this drop")
	p.reads(".verdict", "No discrepancies Checked 2 reservations, 1 purchase")

	p.confirms("Pause")
	p.reads(".detail .state", "Paused")
	p.holds(`!document.querySelector('.actions [aria-disabled="true"]')`)
	p.pushes("Resume")
	p.reads(".detail .state", "On sale")
	p.pushes("Restock")
	p.leaves("size", "9")
	p.leaves("add", "-9")
	eval[chromedp.Void](p, `submit("#add")`)
	p.pushes("Remove pairs")
	p.reads("dialog[open]", "You can remove unsold pairs only: at most 1 pair")
	p.leaves("add", "5")
	eval[chromedp.Void](p, `submit("#add")`)
	p.holds(`!document.querySelector("dialog[open]")`)
	p.pushes("Edit")
	p.holds(`document.querySelector("#price").disabled && document.querySelector("#start_time").disabled`)
	p.leaves("name", "Lantern Low II")
	p.leaves("limit_per_user", "2")
	p.pushes("Save")
	p.reads("h1", "Lantern Low II")
	p.reads(".facts", "Limit: 2 pairs per person")
	p.confirms("Hide")
	p.reads(".detail .state", "Hidden")
	if _, list := get(t, s.url+"/api/drops"); list != "[]" {
		t.Errorf("the list has %s", list)
	}
	p.pushes("Publish")
	p.reads(".detail .state", "On sale")
	p.holds(`!document.querySelector('.actions [aria-disabled="true"]')`)
	p.confirms("Archive")
	p.reads(".detail .state", "Archived")
	_, body = get(t, s.url+"/api/drops/1")
	if !strings.Contains(body, `"name":"Lantern Low II","price":129.95,"total_stock":10`) || !strings.Contains(body, `"archived":true`) || strings.Contains(body, `"hidden"`) {
		t.Error(body)
	}
	p.quiet()
}

// With identity the room opens to operators and viewers, says so to others, and closes when a token is revoked.
func TestControl_NeedsAToken(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret)
	operate("", "/api/drops/create", onePair)
	token := func(role string) string {
		t.Helper()
		create := exec.Command("sneakerdrop", "token", "create", "--role="+role, "--name=test")
		create.Dir = s.cmd.Dir
		out, err := create.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	p := visit(t, s.url+"/admin", phone)
	enter := func(token string) {
		t.Helper()
		p.reads("h1", "Control room")
		p.fill("#token", token)
		p.submit("#token")
	}
	enter("nonsense")
	p.reads("#token-problem", "Your session is no longer valid")
	p.checkLayout("control sign in phone")
	p.checkAccess("control sign in phone")
	enter(tokens.HS256(secret, fmt.Sprintf(`{"sub":"ann","aud":"shop","exp":%d}`, time.Now().Add(time.Hour).Unix())))
	p.reads("#token-problem", "buyer's token")
	enter(token("viewer"))
	p.reads("main", "Last pair")
	p.navigate(s.url + "/admin#/1") // the tab knows the token
	p.do(chromedp.Reload())
	p.reads("h1", "Last pair")
	p.confirms("Pause")
	p.reads(".actions .problem", "You don't have permission to do this")
	p.pushes("Sign out")
	enter(token("operator"))
	p.confirms("Pause")
	p.reads(".detail .state", "Paused")
	revoke := exec.Command("sneakerdrop", "token", "revoke", "3")
	revoke.Dir = s.cmd.Dir
	if out, err := revoke.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	p.reads("h1", "Control room")
	p.holds(`sessionStorage.length === 0`)
	p.quiet()
}

func TestControl_Looks(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	stateful(t, s.url)
	for _, l := range []look{phone, desktop, phoneDark, desktopDark} {
		p := visit(t, s.url+"/admin", l)
		check := func(state string) {
			t.Helper()
			p.check("control "+state, l)
		}
		p.reads("main", "Tomorrow")
		p.reads(".today", "Revenue today $39,089.85")
		p.reads(".attention", "Paused is paused. 10 pairs could be on sale.")
		check("overview")
		if l.phone {
			p.pushes("Menu")
			check("menu")
			p.pushes("Menu")
		}
		eval[chromedp.Void](p, `location.hash = "#/rehearsals"`)
		p.reads("main", "No rehearsals yet")
		check("rehearsals")
		eval[chromedp.Void](p, `location.hash = "#/nowhere"`)
		p.reads("h1", "Page not found")
		check("not found")
		eval[chromedp.Void](p, `location.hash = "#/drops"`)
		p.reads(".list", "Tomorrow")
		check("drops")
		eval[chromedp.Void](p, `location.hash = "#/service"`)
		p.reads(".service", "Watching now")
		check("service")
		eval[chromedp.Void](p, `location.hash = "#/drops"`)
		p.pushes("New drop")
		p.leaves("price", "x")
		p.reads("#price-problem", "A price")
		check("create")
		p.pushes("Cancel")
		eval[chromedp.Void](p, `location.hash = "#/2"`)
		p.reads(".detail .tiles", "Sold 3")
		p.holds(`document.querySelectorAll(".chart canvas").length === 2`)
		check("live")
		p.pushes("Edit")
		check("edit")
		p.pushes("Cancel")
		p.goes("Ledger")
		p.reads(".panel", "Sold")
		check("ledger")
		p.opens("#/drops/2/purchases")
		p.reads(".panel", "Bartholomew")
		check("purchases")
		p.goes("Audit")
		p.pushes("Audit this drop")
		p.reads(".verdict", "No discrepancies")
		check("audit")
		p.quiet()
	}
}

// The page's figures of a ledger and of histograms match a count by hand.
func TestControl_Calculates(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	p.reads("main", "No drops yet")
	eval[chromedp.Void](p, `import(moduleAt("admin/books.js")).then((b) => { globalThis.books = b; globalThis.story = b.readOn(b.emptyStory(), [
		[1, "00", "created", 3], [2, "10.000", "reserved", 2], [3, "10.000", "reserved", 1], [4, "11.100", "purchased", 2], [5, "11.900", "purchased", 0], [6, "12.5", "reservation_expired", 1], [7, "13", "reserved", 1], [8, "14", "reservation_cancelled", 1], [9, "15", "reserved", 1],
	].map(([seq, s, reason, units]) => ({ seq, at: "2026-01-01T00:00:" + s + "Z", reason, units, size: null, available: {1: 3, 2: 1, 3: 0, 4: 0, 5: 0, 6: 1, 7: 0, 8: 1, 9: 0}[seq] }))); })`)
	for expression, want := range map[script]string{
		`story.now`:               `{"available":0,"held":1,"sold":2}`,
		`story.counts`:            `{"reserved":5,"purchased":2,"expired":1,"cancelled":1}`,
		`books.conversion(story)`: `0.5`,
		`books.sellOut(story, 0)`: `5`,
		`story.at.length`:         `8`, // two entries of one commit are one point
		`books.drawn(story, story.at[0] + 1e6)[0].map((t) => +(t - story.at[0]).toFixed(3))`:                    `[5,10,11.1,11.9,12.5,13,14,15,35]`,
		`books.drawn(story, story.at[0] + 16).map((line) => line.at(-1) - (line.at(-1) > 9 ? story.at[0] : 0))`: `[16,0,1,2]`,
		`books.rates(story).peak`:                                                                `2`,
		`books.conversion(books.emptyStory())`:                                                   `null`,
		`books.percentile({count: 10, seconds: [0.1, 0.2], within: [5, 10]}, 0.5)`:               `0.1`,
		`books.percentile({count: 10, seconds: [0.1, 0.2], within: [0, 10]}, 0.5).toFixed(3)`:    `"0.150"`,
		`String(books.percentile({count: 10, seconds: [0.1], within: [5]}, 0.99))`:               `"Infinity"`,
		`books.percentile({count: 0, seconds: [0.1], within: [0]}, 0.99)`:                        `null`,
		`books.between({count: 1, within: [1, 1]}, {count: 3, seconds: [1, 2], within: [1, 3]})`: `{"count":2,"seconds":[1,2],"within":[0,2]}`,
	} {
		if got := eval[string](p, "JSON.stringify("+expression+")"); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
	p.quiet()
}

// Who signs out while the page waits for answers stays out, and who is in stays in: such answers come too late.
func TestControl_SignedOutDuringALook(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret)
	operate("", "/api/drops/create", onePair)
	answer := operate("", "/api/operator/tokens", `{"name":"the operator","role":"operator"}`)
	_, after, _ := strings.Cut(answer, `"secret":"`)
	token, _, _ := strings.Cut(after, `"`)
	p := visit(t, s.url+"/admin", desktopDark)
	p.holds(`!!document.querySelector("#token")`)
	eval[chromedp.Void](p, `globalThis.late = { webhooks: [], figures: [] }, globalThis.most = { webhooks: 1, figures: 1 }, globalThis.real = fetch, globalThis.fetch = async (...call) => {
		const answer = await real(...call);
		const [name] = /\w+$/.exec(new URL(call[0], location).pathname);
		if (late[name]?.length < most[name]) await new Promise((go, fail) => late[name].push({ go, fail }));
		return answer;
	}`)
	p.fill("#token", token)
	p.submit("#token")
	p.reads("h1", "Overview") // by the page's own look: the answer to the one of the form is late, and is lost
	eval[chromedp.Void](p, `late.figures[0].fail(new TypeError("lost")), most.figures = 2`)
	p.holds(`late.webhooks.length === 1 && late.figures.length === 2`)
	eval[chromedp.Void](p, `addEventListener("click", () => late.webhooks[0].go())`) // just after she has left
	p.pushes("Sign out")
	p.holds(`!!document.querySelector("#token")`)
	eval[chromedp.Void](p, `globalThis.fetch = real, late.figures[1].go(), globalThis.quiet = false, setTimeout(() => quiet = true, 1500)`)
	p.holds(`quiet`)
	p.holds(`!!document.querySelector("#token") && !document.body.textContent.includes("Overview")`)
	p.quiet()
}
