package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// earlyCode lets buyers into drop 1 early by the code FRIENDS-1, which can be used once. terms are further ones.
func earlyCode(t *testing.T, url, terms string) {
	t.Helper()
	early(t, url, `"codes":["FRIENDS-1"]`+terms)
}

func early(t *testing.T, url, terms string) {
	t.Helper()
	if answer := post(t, url+"/api/drops/1/codes", `{"ends":"2098-01-01T00:00:00Z",`+terms+`}`); !strings.HasPrefix(answer, "201 ") {
		t.Fatal(answer)
	}
}

const (
	code       = "#code-1"
	aboutCode  = "#code-1-problem"
	opensLater = `"start_time":"2099-01-01T00:00:00Z"`
)

// Before the start a buyer reserves with a code. The field asks for it, says that it is wrong, and keeps it in the tab.
func TestEarly_ACodeReservesBeforeTheStart(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir())
			made(t, s.url, `{"name":"Comet","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],`+opensLater+`}`)
			earlyCode(t, s.url, "")
			p := visit(t, s.url+"/drops/1", l)
			p.reads("#drop-1 .body > form", "Early access from")
			p.reads(button(1), "Select a size")
			p.press(`#drop-1 input[value="9"]`)
			p.reads(button(1), "Reserve size 9")
			p.reserves(1)
			p.introduce("Ann")
			p.reads(aboutCode, "Early access needs a code.")
			p.holds(`document.activeElement.id === "code-1" && document.activeElement.getAttribute("aria-invalid") === "true"`)
			p.holds(`!document.querySelector("#drop-1 .note.refused")`)
			p.check("early code asked for", l)
			p.fill(code, "FRIENDS-2")
			p.reads(aboutCode, "")
			p.reserves(1)
			p.reads(aboutCode, "This code doesn't work here right now.")
			p.fill(code, "friends 1")
			p.navigate(s.url) // the tab keeps it
			p.holds(`document.querySelector("#code-1")?.value === "friends 1"`)
			p.check("early code in the list", l)
			p.press(`#drop-1 input[value="10"]`)
			p.submit(code)
			p.reads(".hold", "Comet")
			p.quiet()
		})
	}
}

// A link fills in the code and does not leave it in the address. After the start the field is folded away, unless the
// buyer has a code, which gets a unit that is kept.
func TestEarly_ALinkHasTheCode(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	earlyCode(t, s.url, `,"units":1`)
	p := visit(t, s.url+"/drops/1", desktop)
	p.reads(button(1), "Sold out")
	p.holds(`!document.querySelector("#code-1")`)
	p.pushes("I have a code")
	p.reads(button(1), "Reserve")
	p.check("early field unfolded", desktop)
	p.pushes("I have a code")
	p.reads(button(1), "Sold out")
	p.holds(`!document.querySelector("#code-1")`)
	other := visit(t, s.url+"/drops/1?code=friends1&lang=en", phone)
	other.holds(`document.querySelector("#code-1")?.value === "friends1" && location.search === ""`)
	other.reserves(1)
	other.introduce("Ann")
	other.reads(".hold", "Last pair")
	other.check("early kept pair", phone)
	other.press(".who") // whoever comes next does not find the code
	other.pushes("This isn't me")
	other.holds(`!Object.values(sessionStorage).join().includes("friends1")`)
	p.quiet()
	other.quiet()
}

// A buyer on a list reserves before the start without a code, and whoever is not on it is told when it starts. A page
// that was open before learns of early access.
func TestEarly_BuyersOnAListNeedNoCode(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Comet","price":90,"total_stock":1,`+opensLater+`}`)
	buyer := id(t, post(t, s.url+"/api/users", `{"username":"Ann"}`))
	p := visit(t, s.url, desktop.with(script(fmt.Sprintf(`localStorage.setItem("sneakerdrop.buyer", '{"id":%d,"name":"Ann"}');`, buyer))))
	p.reads(button(1), "Starts")
	p.holds(`!document.querySelector("#drop-1 .body > form")`)
	early(t, s.url, fmt.Sprintf(`"list":"buyer\n%d\n"`, buyer))
	p.reads("#drop-1 .body > form", "Early access from")
	p.holds(`!document.querySelector("#code-1")`)
	p.reads(button(1), "Reserve")
	p.check("early list", desktop)
	p.reserves(1)
	p.reads(".hold", "Comet")
	p.quiet()
}

// A code lets a buyer into a draw before it opens, and out again.
func TestEarly_ACodeEntersADraw(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Comet","price":90,"total_stock":1,"draw":{"opens":"2098-01-01T00:00:00Z","closes":"2099-01-01T00:00:00Z"}}`)
	earlyCode(t, s.url, "")
	p := visit(t, s.url+"/drops/1", phone)
	p.reads(button(1), "Enter the draw")
	p.reserves(1)
	p.introduce("Ann")
	p.reads(aboutCode, "Early access needs a code.")
	p.check("early draw", phone)
	p.fill(code, "FRIENDS1")
	p.reserves(1)
	p.reads(button(1), "You're in the draw")
	p.navigate(s.url + "/drops/1")
	p.reads(places, "You're in the draw")
	p.pushes("Withdraw")
	p.reads(button(1), "Enter the draw")
	p.quiet()
}

// What the page says of early access has room on the narrowest phone in every language, also with large text.
func TestEarly_FitsOnTheNarrowestPhone(t *testing.T) {
	t.Parallel()
	s := withTheme(t, "testdata/rtl")
	made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],"draw":{"opens":"2098-01-01T00:00:00Z","closes":"2099-01-01T00:00:00Z"}}`)
	earlyCode(t, s.url, "")
	made(t, s.url, onePair)
	made(t, s.url, onePair)
	if answer := post(t, s.url+"/api/drops/2/codes", `{"ends":"2098-01-01T00:00:00Z","codes":["FRIENDS-1"]}`); !strings.HasPrefix(answer, "201 ") {
		t.Fatal(answer)
	}
	known := script(`localStorage.setItem("sneakerdrop.buyer", '{"id":1,"name":"Ann"}');`)
	for _, lang := range []string{"en", "de", "es", "fr", "ja", "ar"} {
		p := visit(t, s.url, look{name: "narrow", width: 320, height: 568, phone: true}.in(lang).with(known))
		p.press("#drop-2 form button")
		p.ready("#code-2")
		p.fill(code, "WRONG-1")
		p.press(`#drop-1 input[value="10"]`)
		p.reserves(1)
		p.holds(`textOf("#code-1-problem") !== ""`)
		for _, text := range []string{"100%", "200%"} {
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.documentElement.style.fontSize = %q`, text)))
			p.checkLayout("narrow early " + lang + " " + text)
		}
		p.quiet()
	}
}

// An operator has the server make codes and saves them, adds a list from a file, and ends an access.
func TestControl_EarlyAccess(t *testing.T) {
	t.Parallel()
	for _, l := range []look{desktop, phoneDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir())
			made(t, s.url, `{"name":"Comet","price":90,"sizes":[{"size":"9","stock":3},{"size":"10","stock":2}],`+opensLater+`}`)
			saved := l.with(`globalThis.saved = []; { const real = URL.createObjectURL; URL.createObjectURL = (blob) => (blob.text().then((text) => saved.push(text)), real.call(URL, blob)); HTMLAnchorElement.prototype.click = function () { saved.push(this.download); }; }`)
			p := visit(t, s.url+"/admin#/drops/1/early", saved)
			p.reads(".panel", "There is no early access to this drop.")
			p.pushes("New early access")
			p.leaves("count", "0")
			p.reads("#count-problem", "A whole number from 1 to 10,000.")
			p.leaves("count", "3")
			p.leaves("name", "Friends")
			p.leaves("uses", "2")
			p.leaves("units", "1")
			p.leaves("starts", "2030-01-01T00:00:00")
			p.leaves("ends", "2029-01-01T00:00:00")
			p.reads("#ends-problem", "It must end after it starts.")
			p.leaves("starts", "")
			p.leaves("ends", "2031-01-01T00:00:00")
			p.press(`dialog[open] input[value="9"]`)
			p.check("control early form", l)
			p.pushes("Make")
			p.reads(".panel .secret h2", "3 codes of early access 1")
			p.holds(`/^([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}$/m.test(document.querySelector("#made-codes").value)`)
			p.rowCount(1)
			p.reads(".panel .tall", "3 codes, 2 uses each, sizes 9")
			p.check("control early codes", l)
			p.pushes("Download CSV")
			p.holds(`saved.length === 2 && saved[0] === "codes-1-1.csv" && saved[1].trim().split("\r\n").slice(1).join() === document.querySelector("#made-codes").value.split("\n").join()`)
			if answer := post(t, s.url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":7,"size":"9","code":%q}`, eval[string](p, `document.querySelector("#made-codes").value.split("\n")[0]`))); !strings.HasPrefix(answer, "200 ") {
				t.Error("a code that was made:", answer)
			}
			p.pushes("Done")
			p.holds(`!document.querySelector("#made-codes")`)
			p.pushes("New early access")
			eval[chromedp.Void](p, `{ const kind = document.querySelector("#kind"); kind.value = "list"; kind.dispatchEvent(new Event("change", { bubbles: true })); }`)
			p.ready("#list")
			p.pushes("Make")
			p.reads("#list-problem", "Choose a CSV file.")
			p.give("list", "buyers.csv", "buyer,name\n8,Ben\nann@example.com,Ann\nann@example.com,Ann\n")
			p.leaves("ends", "2031-01-01T00:00:00")
			p.pushes("Make")
			p.rowCount(2)
			p.reads(".panel .tall", "2 buyers, 1 use each")
			p.clicks(`document.querySelector('.panel button[aria-label="Add: early access 1"]')`)
			eval[chromedp.Void](p, `{ const kind = document.querySelector("#kind"); kind.value = "codes"; kind.dispatchEvent(new Event("change", { bubbles: true })); }`)
			p.leaves("codes", "no")
			p.press("dialog[open] .primary")
			p.holds(`textOf("#codes-problem") !== ""`) // the server says it
			p.leaves("codes", "FRIENDS-1\nFRIENDS-2")
			p.press("dialog[open] .primary")
			p.reads(".panel .tall", "5 codes, 2 uses each")
			p.clicks(`document.querySelector('.panel button[aria-label="End: early access 1"]')`)
			p.reads("dialog[open] h2", "End early access 1?")
			p.pushes("End access")
			p.holds(`/Over/.test(textOf(".panel .tall tbody tr")) && !document.querySelector('[aria-label="End: early access 1"]')`)
			p.check("control early ended", l)
			p.opens("#/drops/1/ledger")
			p.reads(".panel", "Kept for early access")
			p.reads(".panel", "No longer kept")
			p.quiet()
		})
	}
}
