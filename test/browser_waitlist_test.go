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

const (
	oneWithALine   = `{"name":"Last pair","price":90,"total_stock":1,"waitlist":true,` + started + `}`
	sizesWithALine = `{"name":"Sized","price":90,"limit_per_user":%d,"waitlist":true,"sizes":[{"size":"9","stock":1},{"size":"10","stock":1},{"size":"11","stock":5}],` + started + `}`
)

const places = "#drop-1 .places"

// isLook is true of the pause between two looks of a page at its place in line.
const isLook = `(ms > 5000 && ms <= 7500 || ms >= 20_000 && ms <= 30_000)`

// told is a look at a page that only asks for its place in line when it has a reason to.
func (l look) told() look {
	return l.with(`{ const real = setTimeout; globalThis.setTimeout = (f, ms, ...more) => (` + isLook + ` ? 0 : real(f, ms, ...more)); }`)
}

// asking is a look at a page that asks all the time.
func (l look) asking() look {
	return l.with(`{ const real = setTimeout; globalThis.setTimeout = (f, ms, ...more) => real(f, ` + isLook + ` ? 50 : ms, ...more); }`)
}

// slowLine lets a test hold back what the page is told of the buyer's places. slow has the page ask, and arrive lets
// the answers come in the order of the questions.
const slowLine script = `{
	const real = fetch;
	let slow = false;
	globalThis.held = [];
	globalThis.fetch = async (url, ...more) => {
		const answer = await real(url, ...more);
		if (slow && String(url).includes("/waitlist?")) await new Promise((go) => held.push(go));
		return answer;
	};
	globalThis.slow = () => {
		slow = true;
		new BroadcastChannel("sneakerdrop").postMessage("");
	};
	globalThis.arrive = () => {
		slow = false;
		held.forEach((go) => go());
	};
}`

// joins gets in line for a drop of which nothing is left.
func (p *page) joins(name string) {
	p.t.Helper()
	p.reads(button(1), "Join the waitlist")
	p.reserves(1)
	p.introduce(name)
	p.reads(button(1), "You're on the waitlist")
}

// releases ends a hold of one of the test's buyers.
func releases(t *testing.T, url string, reservation int64) {
	t.Helper()
	mustPost(t, url+"/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, reservation))
}

// A buyer who comes too late joins the waitlist, sees the place in each tab and after a reload, and leaves.
func TestWaitlist_JoinAndLeave(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--hold=10m")
			made(t, s.url, oneWithALine)
			hold(t, s.url, `{"dropId":1,"userId":1}`)
			mustPost(t, s.url+"/api/drops/waitlist", `{"dropId":1,"userId":2}`)
			p := visit(t, s.url+"/drops/1", l.told())
			p.reads("#drop-1 .note", "When it's your turn, we reserve a pair for you for 10 minutes.")
			p.check("waitlist to join", l)
			p.joins("Ann")
			p.reads(places, "You are number 2 Leave the waitlist")
			p.holds(`textOf("#said").includes("You're on the waitlist for Last pair. You are number 2.")`)
			p.check("waitlist joined", l)
			p.navigate(s.url)
			p.reads(places, "You are number 2")
			p.check("waitlist in the list", l)
			second := p.sameVisitor(s.url+"/drops/1", l.told())
			second.reads(places, "You are number 2")
			second.press(places + " button")
			second.reads(button(1), "Join the waitlist")
			second.holds(`!document.querySelector(".places") && document.activeElement.matches("#drop-1 .action button")`)
			p.holds(`!document.querySelector(".places")`)
			p.reserves(1) // she comes back
			p.reads(places, "You are number 2")
			p.quiet()
			second.quiet()
		})
	}
}

// A pair that somebody releases is reserved for the first in line at once, who buys it.
func TestWaitlist_OfferIsBought(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phoneDark, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--hold=20m")
			made(t, s.url, oneWithALine)
			first := hold(t, s.url, `{"dropId":1,"userId":1}`)
			p := visit(t, s.url+"/drops/1", l.asking())
			p.joins("Ann")
			releases(t, s.url, first)
			p.reads(".hold", "It's your turn Last pair")
			p.holds(`/^(09:|10:00)/.test(textOf(".ring span"))`)
			p.reads(".hold .quiet", "Decline")
			p.holds(`textOf("#said").startsWith("It's your turn. Last pair is reserved for you for 10 minutes.") && !document.querySelector(".places")`)
			p.check("waitlist offer", l)
			p.navigate(s.url + "/drops/1")
			p.reads(".hold", "It's your turn Last pair")
			p.press(".hold .primary")
			p.reads("dialog[open]", "It's yours!")
			p.press("dialog[open] .primary")
			p.reads("#drop-1 .note", "You purchased 1 pair")
			p.quiet()
		})
	}
}

// An offer that is declined is the next buyer's. Whoever declined may get in line again.
func TestWaitlist_DeclinedOfferGoesToTheNext(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20m")
	made(t, s.url, oneWithALine)
	first := hold(t, s.url, `{"dropId":1,"userId":1}`)
	ann, ben := visit(t, s.url, desktop.asking()), visit(t, s.url+"/drops/1", phone.asking())
	ann.joins("Ann")
	ben.joins("Ben")
	ben.reads(places, "You are number 2")
	releases(t, s.url, first)
	ann.reads(".hold", "It's your turn")
	ben.reads(places, "You are number 1 About") // the line moved
	ann.press(".hold .quiet")
	ben.reads(".hold", "It's your turn")
	ann.reads(button(1), "Join the waitlist")
	ann.holds(`!document.querySelector(".hold, .places") && textOf("#said") === "You declined Last pair."`)
	ben.reads(left(1), "0 of 1 left")
	ben.press(".hold .primary")
	ben.reads("dialog[open]", "It's yours!")
	ann.quiet()
	ben.quiet()
}

// A signed-in buyer is told of an offer at once: the page does not ask for it.
func TestWaitlist_SignedInBuyersAreTold(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret, "--hold=20m", "--sign-in-url=/sign-in")
	operate("", "/api/drops/create", oneWithALine)
	token := func(name string) string {
		return tokens.HS256(secret, fmt.Sprintf(`{"sub":%q,"name":%[1]q,"aud":"shop","exp":%d}`, name, time.Now().Add(time.Hour).Unix()))
	}
	first := id(t, "200 "+operate(token("Ben"), "/api/drops/reserve", `{"dropId":1}`))
	l := desktop.told()
	p := visit(t, s.url+"/drops/1", l.with(l.before+slowLine+script(fmt.Sprintf(`sessionStorage.setItem("sneakerdrop.token", %q);`, token("Ann")))))
	p.reads(".live", "Live")
	p.reads(".who", "Ann")
	p.reads(button(1), "Join the waitlist")
	p.reserves(1)
	p.reads(places, "You are number 1")
	call[any](p, "slow") // what the page asks now is answered before the offer, and the answer comes after it
	p.holds(`held.length === 1`)
	operate(token("Ben"), "/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, first))
	p.reads(".hold", "It's your turn Last pair")
	call[any](p, "arrive")
	p.holds(`!document.querySelector(".places")`)
	p.press(".hold .primary")
	p.reads("dialog[open]", "It's yours!")
	p.quiet()
}

// Each size has a line of its own.
func TestWaitlist_HasALineForEachSize(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--hold=20m")
			made(t, s.url, fmt.Sprintf(sizesWithALine, 5))
			nine := hold(t, s.url, `{"dropId":1,"userId":1,"size":"9"}`)
			hold(t, s.url, `{"dropId":1,"userId":1,"size":"10"}`)
			p := visit(t, s.url+"/drops/1", l.asking())
			p.reads(button(1), "Select a size")
			p.press(`#drop-1 input[value="9"]`)
			p.reads(button(1), "Join the waitlist for size 9")
			p.reserves(1)
			p.introduce("Ann")
			p.reads(places, "Size 9 You are number 1")
			p.press(`#drop-1 input[value="11"]`)
			p.reads(button(1), "Reserve size 11")
			p.press(`#drop-1 input[value="10"]`)
			p.reserves(1)
			p.reads(places, "Size 10 You are number 1")
			p.check("waitlist sizes", l)
			p.navigate(s.url + "/drops/1")
			p.holds(`document.querySelectorAll(".places li").length === 2`)
			p.press(places + ` button[aria-label="Leave the waitlist · Size 10"]`)
			p.holds(`document.querySelectorAll(".places li").length === 1`)
			releases(t, s.url, nine)
			p.reads(".hold", "It's your turn Sized Size 9")
			p.holds(`!document.querySelector(".places")`)
			p.quiet()
		})
	}
}

// What the waitlist says has room on the narrowest phone in every language, also with large text.
func TestWaitlist_FitsOnTheNarrowestPhone(t *testing.T) {
	t.Parallel()
	s := withTheme(t, "testdata/rtl")
	made(t, s.url, `{"name":"Sized","price":90,"waitlist":true,"offer_for":86400,"sizes":[{"size":"9","stock":0},{"size":"10","stock":0}],`+started+`}`)
	buyer := id(t, post(t, s.url+"/api/users", `{"username":"Ann"}`))
	known := script(fmt.Sprintf(`localStorage.setItem("sneakerdrop.buyer", '{"id":%d,"name":"Ann"}');`, buyer))
	for _, size := range []string{"9", "10"} {
		mustPost(t, s.url+"/api/drops/waitlist", fmt.Sprintf(`{"dropId":1,"userId":%d,"size":%q}`, buyer, size))
	}
	for _, text := range []string{"100%", "200%"} {
		for _, lang := range []string{"en", "de", "es", "fr", "ja", "ar"} {
			p := visit(t, s.url+"/drops/1", look{name: "narrow", width: 320, height: 568, phone: true}.in(lang).with(known))
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.documentElement.style.fontSize = %q`, text)))
			p.holds(`document.querySelectorAll(".places li").length === 2`)
			p.press(`#drop-1 input[value="10"]`)
			p.holds(`document.querySelector("#drop-1 .sizes .picked") !== null`)
			p.checkLayout("narrow waitlist " + lang + " " + text)
			p.quiet()
		}
	}
}

// No page asks for a place in line before the start, or at it: nobody can have one.
func TestWaitlist_NobodyAsksAtTheStart(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Soon","price":90,"total_stock":5,"waitlist":true,"start_time":"2099-01-01T00:00:00Z"}`)
	made(t, s.url, `{"name":"Open","price":90,"total_stock":5,"waitlist":true,`+started+`}`)
	p := visit(t, s.url, desktop.with(`localStorage.setItem("sneakerdrop.buyer", '{"id":7,"name":"Ann"}'); globalThis.asked = [];
		{ const real = fetch; globalThis.fetch = (url, init) => (asked.push(new URL(url, location.href).pathname), real(url, init)); }`))
	p.reads(button(2), "Reserve")
	const held = "/api/users/7/reservations" // is asked for at the beginning and when the page is connected, and the lines after it
	p.holds(`asked.filter((path) => path === "` + held + `").length === 2 && asked.lastIndexOf("/api/drops/2/waitlist") > asked.lastIndexOf("` + held + `")`)
	patch(t, s.url+"/api/drops/1", `{"start_time":"2020-01-01T00:00:00Z"}`)
	p.reads(button(1), "Reserve")
	p.holds(`!asked.includes("/api/drops/1/waitlist")`)
	p.quiet()
}

// In a pause buyers can get in line for what is sold out, but not for a drop that has not started. The first in line
// gets the pair when sales go on.
func TestWaitlist_CanBeJoinedInAPause(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20m")
	made(t, s.url, oneWithALine)
	made(t, s.url, `{"name":"Soon","price":90,"total_stock":0,"waitlist":true,"start_time":"2099-01-01T00:00:00Z"}`)
	made(t, s.url, `{"name":"Left","price":90,"total_stock":1,"waitlist":true,`+started+`}`)
	held := hold(t, s.url, `{"dropId":1,"userId":7}`)
	for id := range 3 {
		mustPost(t, fmt.Sprintf("%s/api/drops/%d/pause", s.url, id+1), `{}`)
	}
	p := visit(t, s.url, phone.asking())
	p.reads("#drop-1 .badge", "Paused")
	for _, id := range []int{2, 3} {
		p.reads(button(id), "Paused")
		p.holds(script(fmt.Sprintf(`document.querySelector(%q).getAttribute("aria-disabled") === "true"`, button(id))))
	}
	p.joins("Ann")
	p.reads(places, "You are number 1")
	releases(t, s.url, held)
	p.reads(button(1), "You're on the waitlist")
	mustPost(t, s.url+"/api/drops/1/resume", `{}`)
	p.reads(".hold", "It's your turn Last pair")
	p.quiet()
}

// A sized drop of which nothing is left leads to the sizes, and a size to its line.
func TestWaitlist_SoldOutSizesCanBeChosen(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20m")
	made(t, s.url, `{"name":"Sized","price":90,"waitlist":true,"sizes":[{"size":"9","stock":1},{"size":"10","stock":0}],`+started+`}`)
	made(t, s.url, `{"name":"Without","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":0}],`+started+`}`)
	hold(t, s.url, `{"dropId":1,"userId":1,"size":"9"}`)
	p := visit(t, s.url, desktop)
	p.reads("#drop-1 .note", "Sold out. Select a size to join its waitlist.")
	p.reserves(1)
	p.holds(`document.activeElement.matches('#drop-1 input[value="9"]')`)
	p.holds(`document.querySelectorAll("#drop-2 .sizes input:enabled").length === 1`) // as before
	p.press(`#drop-1 input[value="10"]`)
	p.reads(button(1), "Join the waitlist for size 10")
	p.quiet()
}

// Whoever has as many pairs as one may have is skipped, and reads why.
func TestWaitlist_SkippedBuyersReadWhy(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20m")
	made(t, s.url, fmt.Sprintf(sizesWithALine, 1))
	nine, ten := hold(t, s.url, `{"dropId":1,"userId":1,"size":"9"}`), hold(t, s.url, `{"dropId":1,"userId":2,"size":"10"}`)
	p := visit(t, s.url+"/drops/1", desktopDark.asking())
	p.press(`#drop-1 input[value="9"]`)
	p.reserves(1)
	p.introduce("Ann")
	p.reads(places, "Size 9 You are number 1")
	p.press(`#drop-1 input[value="10"]`)
	p.reserves(1)
	p.reads(places, "Size 10 You are number 1")
	releases(t, s.url, nine)
	p.reads(".hold", "It's your turn Sized Size 9")
	releases(t, s.url, ten)
	p.reads(places, "Size 10 It was your turn, but you couldn't get a pair You've reached the limit for this drop.")
	p.reads(button(1), "Reserved for you")
	p.check("waitlist skipped", desktopDark)
	p.quiet()
}

// A reserve that is refused because others wait offers to join, whatever the page knows of the stock.
func TestWaitlist_ARefusedReserveOffersToJoin(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20m")
	made(t, s.url, oneWithALine)
	p := visit(t, s.url+"/drops/1", desktop)
	p.reads(button(1), "Reserve")
	eval[chromedp.Void](p, `{ const real = fetch; globalThis.fetch = async (url, init) => String(url).endsWith("/reserve")
		? new Response(JSON.stringify({ error: "Others wait", code: "waitlist", waiting: 1 }), { status: 409 }) : real(url, init); }`)
	p.reserves(1)
	p.introduce("Ann")
	p.reads("#drop-1 .note", "Others are already waiting for this size.")
	p.reads(button(1), "Join the waitlist")
	p.reserves(1)
	p.reads(".hold", "It's your turn Last pair") // the pair is there after all
	p.holds(decisionInSight)
	p.quiet()
}

// An operator opens a waitlist, sees who waits and what became of them, and closes it.
func TestControl_Waitlist(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=20m")
	p := visit(t, s.url+"/admin", desktopDark)
	p.reads("main", "No drops yet")
	p.pushes("New drop")
	p.leaves("name", "Lantern Low")
	p.leaves("price", "90")
	p.leaves("sizes", "9 1\n10 1")
	p.leaves("start_time", "2020-01-01T00:00:00")
	p.press(`dialog[open] input[name="waitlist"]`)
	p.leaves("offer_for", "9")
	p.reads("#offer_for-problem", "A whole number from 10 to 86,400.")
	p.leaves("offer_for", "900")
	p.leaves("max_waiting", "2")
	p.press(`dialog[open] input[name="offers_count"]`)
	p.check("control waitlist form", desktopDark)
	p.pushes("Create drop")
	p.reads("h1", "Lantern Low")
	has(t, s.url, 1, `"waitlist":true,"offer_for":900,"max_waiting":2,"offers_count":true,"waiting":0`)

	p.opens("#/drops/1/waitlist")
	p.reads(".panel", "0 entries wait, and at most 2 can.")
	p.reads(".panel", "Nobody has joined the waitlist.")
	nine := hold(t, s.url, `{"dropId":1,"userId":7,"size":"9"}`)
	hold(t, s.url, `{"dropId":1,"userId":7,"size":"10"}`)
	mustPost(t, s.url+"/api/drops/waitlist", `{"dropId":1,"userName":"Ann","size":"9"}`)
	mustPost(t, s.url+"/api/drops/waitlist", `{"dropId":1,"userId":9,"size":"10"}`)
	p.rowCount(4) // two sizes and two entries
	p.reads(".panel", "2 entries wait, and at most 2 can. Whoever is first in line gets a pair that comes back, reserved for 900 s.")
	p.reads(".panel .figures", "9 0 1 0 1 10 0 1 0 1")
	p.reads(".panel .tall tbody", "1 Ann 1099511627776 9")
	p.reads(".panel .tall tbody", "2 Buyer 9 9 10")
	releases(t, s.url, nine)
	p.reads(".panel .tall", "Offered a pair")
	p.reads(".panel .tall", "Waiting")
	p.check("control waitlist", desktopDark)
	p.opens("#/drops/1")
	p.reads(".detail .tiles", "Waiting 1")
	p.opens(fmt.Sprintf("#/buyers/%d", int64(1)<<40))
	p.reads("main tbody", "Reserved from the waitlist")

	p.opens("#/drops/1/waitlist")
	p.pushes("Edit")
	p.leaves("offer_for", "60")
	p.pushes("Save")
	p.reads(".panel", "reserved for 60 s.")
	p.pushes("Edit")
	p.press(`dialog[open] input[name="waitlist"]`)
	p.pushes("Save")
	p.reads("dialog:modal:last-of-type", "1 entry would lose its place in line.")
	p.pushes("Close waitlist")
	p.reads(".panel", "This drop has no waitlist. To open one, press Edit.")
	p.reads(".panel .tall", "Waitlist closed")
	if status, body := get(t, s.url+"/api/drops/1"); status != http.StatusOK || strings.Contains(body, "waitlist") {
		t.Errorf("%d %s", status, body)
	}
	p.quiet()
}
