package test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/tokens"
)

// introduce answers the page's question about who is buying.
func (p *page) introduce(name string) {
	p.t.Helper()
	p.reads("dialog[open] h2", "Who's buying?")
	p.fill("#name", name)
	p.submit("#name")
}

// reserves presses a drop's button as somebody whose name is known.
func (p *page) reserves(drop int) { p.t.Helper(); p.press(button(drop)) }

func button(drop int) string { return fmt.Sprintf("#drop-%d .action button", drop) }

func left(drop int) string { return fmt.Sprintf("#drop-%d .stock", drop) }

// made creates a drop and returns its number.
func made(t *testing.T, url, body string) int64 {
	t.Helper()
	answer := post(t, url+"/api/drops/create", body)
	if !strings.HasPrefix(answer, "200 ") {
		t.Fatal(answer)
	}
	return id(t, answer)
}

const onePair = `{"name":"Last pair","price":90,"total_stock":1,"start_time":"2020-01-01T00:00:00Z"}`

// Two people at once: one holds the last pair through a double click, a reload and a second tab; gives it back; and the
// other buys it.
func TestShop_WholeLifeInTwoBrowsers(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	ann, ben := visit(t, s.url, desktop), visit(t, s.url, phone)
	ann.reads(left(1), "1 of 1 left")
	ben.reads(button(1), "Reserve")

	ann.reserves(1)
	ann.introduce("Ann")
	ann.reads(".hold", "Last pair")
	eval[chromedp.Void](ann, `press("#drop-1 .action button"), press("#drop-1 .action button")`) // nothing is left
	ben.reads(button(1), "Sold out")
	ben.reads(left(1), "0 of 1 left")
	if all := reservations(t, s.url, 1); strings.Count(all, `"id":`) != 1 {
		t.Errorf("Ann has %s", all)
	}

	ann.navigate(s.url)
	ann.reads(".hold", "Last pair")
	second := ann.sameVisitor(s.url, phone)
	second.reads(".hold", "Last pair")
	second.press(".hold .quiet")
	second.reads(".tray", "")
	ann.reads(".tray", "")
	ben.reads(left(1), "1 of 1 left")

	ben.reserves(1)
	ben.introduce("Ben")
	ben.reads(".hold .ring", "")
	ben.holds(`Number(textOf(".ring span")) > 30 && Number(textOf(".ring span")) <= 60`)
	ann.reads(button(1), "Sold out")
	eval[chromedp.Void](ben, `press(".hold .primary"), press(".hold .primary")`)
	ben.reads("dialog[open]", "It's yours!")
	ben.reads("dialog[open]", "$90.00")
	ann.reads("#drop-1 .buyers", "Ben")
	ben.press("dialog[open] .primary")
	ben.press(".who")
	ben.reads("dialog[open]", "Last pair")
	ann.quiet()
	ben.quiet()
	second.quiet()
}

// A second click before the answer, and a try after a lost one, take no second unit.
func TestShop_ClicksTakeOneUnit(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Many","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`)
	p := visit(t, s.url, desktop)
	p.reads(button(1), "Reserve")
	p.reserves(1)
	p.introduce("Ann")
	p.reads(".hold", "Many")
	// The next answer is lost on its way, after the unit was taken.
	eval[chromedp.Void](p, `globalThis.real = fetch, globalThis.lost = 0, globalThis.keys = new Set(), globalThis.fetch = async (...call) => {
		const answer = await real(...call);
		if (String(call[0]).endsWith("/reserve")) {
			keys.add(call[1].headers["Idempotency-Key"]);
			if (lost++ === 0) throw new TypeError("lost");
		}
		return answer;
	}`)
	eval[chromedp.Void](p, `press("#drop-1 .action button"), press("#drop-1 .action button"), press("#drop-1 .action button")`)
	p.holds(`document.querySelectorAll(".hold").length === 2`)
	p.reads(left(1), "48 of 50 left")
	if all := reservations(t, s.url, 1); strings.Count(all, `"id":`) != 2 {
		t.Errorf("Ann has %s", all)
	}
	if n := eval[int](p, `keys.size`); n != 1 {
		t.Errorf("%d keys were sent for one click", n)
	}
	p.quiet()
}

// reservations lists those of the nth buyer that this server numbered.
func reservations(t *testing.T, url string, nth int64) string {
	t.Helper()
	status, body := get(t, fmt.Sprintf("%s/api/users/%d/reservations", url, 1<<40+nth-1))
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	return body
}

func TestShop_HoldEndsInHand(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=6s")
	made(t, s.url, onePair)
	p := visit(t, s.url, phone)
	p.reads(button(1), "Reserve")
	p.reserves(1)
	p.introduce("Ann")
	p.reads(".hold.over", "Time's up")
	p.reads("#said", "Time's up")
	p.reads(button(1), "Reserve")
	p.checkLayout("hold over")
	p.press(".hold .quiet")
	p.reads(".tray", "")
	p.quiet()
}

// The shop goes away and comes back. The page says so, and then shows the current state, including the buyer's hold.
func TestShop_ComesBackAfterARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := startFor(t, dir)
	made(t, s.url, `{"name":"Many","price":90,"total_stock":5,"start_time":"2020-01-01T00:00:00Z"}`)
	p := visit(t, s.url, phone)
	p.reads(".live", "Live")
	p.reserves(1)
	p.introduce("Ann")
	p.reads(".hold", "Many")
	if _, err := s.stop(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	p.reads(".banner", "Connection lost")
	p.checkLayout("connection lost")
	p.press(".hold .primary") // is sent again until somebody answers
	revived(t, s)
	hold(t, s.url, `{"dropId":1,"userId":9}`)
	p.reads(".banner", "")
	p.reads(left(1), "3 of 5 left")
	if call[string](p, "textOf", ".hold") != "" && call[string](p, "textOf", "dialog[open]") == "" {
		p.press(".hold .primary") // it had given up
	}
	p.reads("dialog[open]", "It's yours!")
	p.quiet()
}

// What the shop does shows on open pages at once.
func TestShop_FollowsTheShop(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url, desktop)
	p.reads("main", "Nothing on sale yet")
	p.checkLayout("empty desktop")
	soon := time.Now().Add(4 * time.Second).UTC().Format(time.RFC3339Nano)
	made(t, s.url, `{"name":"Soon","price":90,"total_stock":2,"start_time":"`+soon+`"}`)
	made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],"start_time":"2020-01-01T00:00:00Z"}`)
	p.reads("#drop-2", "Select a size")
	p.reads("#drop-1 .action", "Reserve") // by itself, when the time has come
	p.press(`#drop-2 input[value="9"]`)
	p.reads(button(2), "Reserve size 9")
	hold(t, s.url, `{"dropId":2,"userId":9,"size":"9"}`)
	p.reads("#drop-2 .sizes .none", "9")
	p.reads(button(2), "Select a size")
	mustPost(t, s.url+"/api/drops/1/pause", `{}`)
	p.reads("#drop-1", "Paused")
	mustPost(t, s.url+"/api/drops/1/resume", `{}`)
	p.reads(button(1), "Reserve")
	mustPost(t, s.url+"/api/drops/1/restock", `{"add":40}`)
	p.reads(left(1), "42 of 42 left")
	patch(t, s.url+"/api/drops/2", `{"hidden":true}`)
	p.holds(`!document.querySelector("#drop-2")`)
	p.quiet()
}

func patch(t *testing.T, url, body string) {
	t.Helper()
	answer, err := client.Call{URL: url, Method: http.MethodPatch, Body: body}.Text(t.Context(), http.DefaultClient)
	if err != nil || !strings.HasPrefix(answer, "200 ") {
		t.Fatalf("PATCH %s: %s, %v", url, answer, err)
	}
}

// Everything can be done with a keyboard alone, and what happens is said.
func TestShop_ByKeyboard(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],"start_time":"2020-01-01T00:00:00Z"}`)
	p := visit(t, s.url, desktop)
	p.reads(button(1), "Select a size")
	p.reads(".live", "Live")
	keys := func(keys ...string) {
		t.Helper()
		for _, k := range keys {
			p.do(chromedp.KeyEvent(k))
		}
	}
	keys("\t") // to the link that skips the header
	p.holds(`document.activeElement.className === "skip"`)
	keys("\t", "\t", "\t", " ", "\t") // past the header's button and the drop's name, into the sizes, on to the button
	p.reads(button(1), "Reserve size 9")
	keys("\r")
	p.reads("dialog[open] h2", "Who's buying?")
	p.holds(`document.activeElement.id === "name"`)
	keys("A", "n", "n", "\r")
	p.reads(".hold", "Size 9")
	p.holds(`document.activeElement.matches(".hold h2") && textOf(".hold h2") === "Reserved for you Sized"`)
	p.holds(`textOf("#" + document.activeElement.getAttribute("aria-describedby").split(" ")[0]) === "Size 9 · $90.00"`)
	keys("\r", " ")                                                                 // pressed once too often: buys nothing
	p.holds(`document.activeElement.matches(".hold h2") && textOf("#said") === ""`) // the focus alone announces it
	keys("\t", "\r")
	p.reads("dialog[open]", "It's yours!")
	p.holds(`document.querySelector("dialog").contains(document.activeElement)`)
	keys("\x1b")
	p.holds(`!document.querySelector("dialog[open]")`)
	p.holds(`document.activeElement.matches("#drop-1 .action button")`) // the button that was pressed is gone
	p.press(`#drop-1 input[value="10"]`)
	p.reads(button(1), "Reserve another in size 10")
	keys("\r")
	p.reads(".hold", "Size 10")
	p.holds(`document.activeElement.matches(".hold h2")`)
	keys("\t", "\t", "\r")
	p.reads(".tray", "")
	p.holds(`document.activeElement.matches("#drop-1 .action button")`)
	p.quiet()
}

// With identity the page takes its token from the shop, which leaves no trace of it in the address.
func TestShop_SignedIn(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret, "--sign-in-url=/sign-in", "--shop-name=Léon & Söhne", "--currency=EUR")
	operate("", "/api/drops/create", onePair)
	token := func(until time.Time) string {
		return tokens.HS256(secret, fmt.Sprintf(`{"sub":"ann","name":"Ann Smith","aud":"shop","exp":%d}`, until.Unix()))
	}
	p := visit(t, s.url, phone)
	p.reads(".top", "Léon & Söhne")
	p.reads("#drop-1 .price", "€90.00")
	p.reads(".live", "Live")
	p.reserves(1)
	p.reads("dialog[open]", "Sign in to reserve")
	p.holds(`document.querySelector("dialog a.primary").pathname === "/sign-in"`)
	p.checkLayout("sign in")
	p.press("dialog[open] .quiet")

	eval[chromedp.Void](p, script(fmt.Sprintf(`location.hash = "token=%s"`, token(time.Now().Add(time.Hour)))))
	p.pushes("Continue as Ann Smith")
	p.reads(".who", "Ann Smith")
	p.holds(`location.hash === ""`)
	p.reserves(1)
	p.reads(".hold", "Last pair")
	p.navigate(s.url)
	p.reads(".hold", "Last pair")
	operate(token(time.Now().Add(time.Hour)), "/api/drops/cancel", `{"reservationId":4294967297}`) // on her phone
	p.reads(".tray", "")

	eval[chromedp.Void](p, script(fmt.Sprintf(`sessionStorage.setItem("sneakerdrop.token", %q)`, token(time.Now().Add(-time.Hour)))))
	p.do(chromedp.Reload())
	p.reads(".who", "Sign in")
	p.reserves(1)
	p.reads("dialog[open]", "Your session has expired")
	p.quiet()
}

// Each refusal that the API can give has words of its own.
func TestShop_HasWordsForEachRefusal(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Comet","price":90,"total_stock":1,`+openDraw+`}`) // so that the page has the words of draws
	earlyCode(t, s.url, "")                                                    // and those of early access
	_, document := get(t, s.url+"/openapi.json")
	codes := map[string]bool{}
	for _, m := range refusalCode.FindAllStringSubmatch(document, -1) {
		codes[m[1]] = true
	}
	if len(codes) < 25 {
		t.Fatalf("only %d codes are in the document: this looks for the wrong thing", len(codes))
	}
	p := visit(t, s.url, desktop)
	for code := range codes {
		expression := fmt.Sprintf(`import(moduleAt("shared/words.js")).then((w) => w.knows(%q) && w.explain({code: %q}).length > 10)`, code, code)
		if !eval[bool](p, script(expression)) {
			t.Errorf("no words for %s", code)
		}
	}
}

var refusalCode = regexp.MustCompile(`"code":\s*"([a-z_]+)"`)
