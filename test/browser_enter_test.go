package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/draw"
)

const openDraw = `"draw":{"opens":"2020-01-01T00:00:00Z","closes":"2099-01-01T00:00:00Z"}`

// ownSeed is draw.Seed{7}.
var ownSeed = "07" + strings.Repeat("00", 31)

// closesIn is a draw that is open now and closes so much later. The shop keeps its seed, ownSeed.
func closesIn(after time.Duration) string {
	return fmt.Sprintf(`"draw":{"opens":"2020-01-01T00:00:00Z","closes":%q,"seed_commitment":%q}`,
		time.Now().Add(after).UTC().Format(time.RFC3339Nano), draw.Commit(draw.Seed{7}))
}

// enters takes part in the draw of drop 1 as somebody new.
func (p *page) enters(name string) {
	p.t.Helper()
	p.reads(button(1), "Enter the draw")
	p.reserves(1)
	p.introduce(name)
	p.reads(button(1), "You're in the draw")
}

// reveals ends the draw of drop 1 by its seed.
func reveals(t *testing.T, url string) {
	t.Helper()
	mustPost(t, url+"/api/drops/1/reveal", `{"seed":"`+ownSeed+`"}`)
}

// winners are the numbers of the entries that won in the draw of drop 1, once the result is there.
func winners(t *testing.T, url string) (entries []int64) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		status, body := get(t, url+"/api/drops/1/draw")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		var record struct{ Winners []struct{ Entry int64 } }
		if err := json.Unmarshal([]byte(body), &record); err != nil {
			t.Fatal(err)
		}
		if record.Winners == nil {
			continue
		}
		for _, w := range record.Winners {
			entries = append(entries, w.Entry)
		}
		return entries
	}
	t.Fatal("there is no result")
	return nil
}

// A buyer enters a draw, sees so in each tab and after a reload, saves the receipt, and withdraws.
func TestDraw_EnterAndWithdraw(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phone, desktopDark} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir())
			made(t, s.url, `{"name":"Comet","price":90,"total_stock":1,`+openDraw+`}`)
			saved := l.with(`globalThis.saved = []; { const real = URL.createObjectURL; URL.createObjectURL = (blob) => (blob.text().then((text) => saved.push(text)), real.call(URL, blob)); HTMLAnchorElement.prototype.click = function () { saved.push(this.download); }; }`)
			p := visit(t, s.url+"/drops/1", saved)
			p.reads("#drop-1 .note", "The draw closes")
			p.reads("#drop-1 .note", "If you win, we reserve a pair for you for 10 minutes.")
			p.check("draw to enter", l)
			p.enters("Ann")
			p.reads(places, "You're in the draw Withdraw")
			p.holds(`textOf("#said") === "You're in the draw for Comet."`)
			p.check("draw entered", l)
			p.navigate(s.url)
			p.reads(places, "You're in the draw Withdraw")
			p.check("draw in the list", l)
			p.pushes("Save receipt")
			p.holds(`saved.length === 2 && saved[0] === "receipt.json"`)
			receipt, err := draw.ParseReceipt([]byte(eval[string](p, `saved[1]`)))
			if err != nil || receipt.Entry != 1 || receipt.Drop != 1 {
				t.Errorf("receipt: %+v, %v", receipt, err)
			}
			second := p.sameVisitor(s.url+"/drops/1", l)
			second.reads(places, "You're in the draw")
			second.pushes("Withdraw")
			second.reads(button(1), "Enter the draw")
			second.holds(`!document.querySelector(".places") && document.activeElement.matches("#drop-1 .action button")`)
			p.holds(`!document.querySelector(".places")`)
			p.reserves(1) // she comes back
			p.reads(places, "You're in the draw")
			p.quiet()
			second.quiet()
		})
	}
}

// The order in which a buyer chooses sizes is that of preference, also by keyboard.
func TestDraw_RanksSizes(t *testing.T) {
	t.Parallel()
	for _, l := range []look{phoneDark, desktop} {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir())
			made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2},{"size":"11","stock":0}],`+openDraw+`}`)
			p := visit(t, s.url+"/drops/1", l)
			p.reads(button(1), "Select your sizes")
			p.reserves(1)
			p.holds(`document.activeElement.matches('#drop-1 input[value="9"]')`)
			for _, size := range []string{"11", "9", "10", "11"} { // 11 is taken back
				p.press(`#drop-1 input[value="` + size + `"]`)
			}
			p.holds(`[...document.querySelectorAll("#drop-1 .sizes label")].map((l) => l.textContent.trim().replace(/\s+/g, " ")).join("; ").replace(/(\d+)(No)/g, "$1 $2").startsWith("9 No. 1; 10 No. 2; 11")`)
			p.holds(`textOf("#said") === "No. 1: Size 9, No. 2: Size 10"`)
			p.check("draw sizes", l)
			p.enters("Ann")
			p.reads(places, "You're in the draw 9 · 10")
			p.holds(`!document.querySelector("#drop-1 .sizes")`)
			p.check("draw sizes entered", l)
			if _, body := get(t, s.url+"/api/drops/1/entries"); !strings.Contains(body, `"sizes":["9","10"]`) {
				t.Error(body)
			}
			p.quiet()
		})
	}
}

// Winners get the offer with its countdown, and others their number among the runners-up. A pair that a winner declines
// goes to the first of those.
func TestDraw_TellsTheResult(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Comet","price":90,"total_stock":1,`+closesIn(30*time.Second)+`}`)
	pages := map[int64]*page{1: visit(t, s.url+"/drops/1", desktop.asking()), 2: visit(t, s.url+"/drops/1", phone.asking())}
	pages[1].enters("Ann")
	pages[2].enters("Ben")
	for _, p := range pages {
		p.reads("#drop-1 .note", "The draw is closed, the result comes soon.")
		p.reads(button(1), "You're in the draw")
		p.holds(`document.querySelectorAll("#drop-1 .places button").length === 1`) // nobody can withdraw now
	}
	pages[2].check("draw closed", phone)
	reveals(t, s.url)
	won := winners(t, s.url)
	if len(won) != 1 {
		t.Fatalf("winners: %v", won)
	}
	winner, other := pages[won[0]], pages[3-won[0]]
	winner.reads(".hold", "You won Comet")
	winner.holds(`/^(09:|10:00)/.test(textOf(".ring span"))`)
	winner.reads(places, "You won")
	other.reads(places, "You weren't drawn You are number 1 of the runners-up.")
	other.reads("#drop-1 .links", "Check the draw")
	other.holds(`document.querySelector("#drop-1 .links a[download]").getAttribute("href") === "/api/drops/1/draw"`)
	winner.check("draw won", desktop)
	other.check("draw lost", phone)
	winner.press(".hold .quiet")
	other.reads(".hold", "It's your turn Comet")
	other.press(".hold .primary")
	other.reads("dialog[open]", "It's yours!")
	winner.navigate(s.url + "/drops/1")
	winner.reads(places, "You won, but the pair is no longer reserved for you")
	winner.quiet()
	other.quiet()
}

// A page that was open before there was a draw learns its texts, and a draw that opens does so at its time.
func TestDraw_AppearsOnAnOpenPage(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url, desktop)
	p.reads("main", "Nothing on sale yet")
	made(t, s.url, fmt.Sprintf(`{"name":"Comet","price":90,"total_stock":1,"draw":{"opens":%q,"closes":"2099-01-01T00:00:00Z"}}`, time.Now().Add(30*time.Second).UTC().Format(time.RFC3339Nano)))
	p.reads("#drop-1 .badge", "Draw opens in 00:")
	p.reads(button(1), "Draw opens")
	p.enters("Ann")
	p.quiet()
}

// What the page says of a draw has room on the narrowest phone in every language, also with large text.
func TestDraw_FitsOnTheNarrowestPhone(t *testing.T) {
	t.Parallel()
	s := withTheme(t, "testdata/rtl")
	made(t, s.url, `{"name":"Sized","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],`+openDraw+`}`)
	made(t, s.url, `{"name":"Entered","price":90,"sizes":[{"size":"9","stock":1},{"size":"10","stock":2}],`+openDraw+`}`)
	buyer := id(t, post(t, s.url+"/api/users", `{"username":"Ann"}`))
	known := script(fmt.Sprintf(`localStorage.setItem("sneakerdrop.buyer", '{"id":%d,"name":"Ann"}');`, buyer))
	mustPost(t, s.url+"/api/drops/enter", fmt.Sprintf(`{"dropId":2,"userId":%d,"sizes":["10","9"]}`, buyer))
	for _, text := range []string{"100%", "200%"} {
		for _, lang := range []string{"en", "de", "es", "fr", "ja", "ar"} {
			p := visit(t, s.url, look{name: "narrow", width: 320, height: 568, phone: true}.in(lang).with(known))
			eval[chromedp.Void](p, script(fmt.Sprintf(`document.documentElement.style.fontSize = %q`, text)))
			p.holds(`document.querySelectorAll("#drop-2 .places li").length === 2`)
			p.press(`#drop-1 input[value="10"]`)
			p.holds(`document.querySelector("#drop-1 .sizes .picked") !== null`)
			p.checkLayout("narrow draw " + lang + " " + text)
			p.quiet()
		}
	}
}

// An operator sets up a draw with a seed of the shop, removes an entry, and reveals.
func TestControl_Draw(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktopDark)
	p.reads("main", "No drops yet")
	p.pushes("New drop")
	p.leaves("name", "Lantern Low")
	p.leaves("price", "90")
	p.leaves("sizes", "9 1\n10 1")
	p.press(`dialog[open] input[name="draw"]`)
	p.leaves("draw_opens", "2020-01-01T00:00:00")
	p.leaves("draw_closes", "2019-01-01T00:00:00")
	p.reads("#draw_closes-problem", "It must close after it opens.")
	p.leaves("draw_closes", "2098-01-01T00:00:00")
	p.reads("#draw_closes-problem", "The drop must not start before the draw closes.")
	p.leaves("start_time", "2099-01-01T00:00:00")
	p.leaves("draw_pay_within", "9")
	p.reads("#draw_pay_within-problem", "A whole number from 10 to 86,400.")
	p.leaves("draw_pay_within", "900")
	p.leaves("draw_seed_commitment", "x")
	p.reads("#draw_seed_commitment-problem", "64 lowercase hexadecimal digits.")
	p.leaves("draw_seed_commitment", draw.Commit(draw.Seed{7}).String())
	p.check("control draw form", desktopDark)
	p.pushes("Create drop")
	p.reads("h1", "Lantern Low")
	has(t, s.url, 1, `"pay_within":900,"seed_commitment":"`+draw.Commit(draw.Seed{7}).String()+`"`)
	p.opens("#/drops/1/draw")
	p.reads(".panel", "Nobody has entered the draw.")
	mustPost(t, s.url+"/api/drops/enter", `{"dropId":1,"userName":"Ann","sizes":["10","9"]}`)
	mustPost(t, s.url+"/api/drops/enter", `{"dropId":1,"userId":9,"sizes":["9"]}`)
	p.rowCount(2)
	p.reads(".panel .tiles", "Phase Open Entries 2")
	p.reads(".panel .tall", "10, 9")
	p.clicks(`document.querySelector('.panel button[aria-label="Remove entry 2"]')`)
	p.reads("dialog[open] h2", "Remove entry 2 of buyer 9")
	p.pushes("Remove entry")
	p.reads("#reason-problem", "Say why.")
	p.leaves("reason", "Entered twice")
	p.pushes("Remove entry")
	p.reads(".panel .tall", "Removed Entered twice")
	p.check("control draw", desktopDark)
	p.quiet()
}

// From the close on the control room shows the root and the seal, and takes the seed that the shop kept.
func TestControl_RevealsADraw(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Comet","price":90,"total_stock":1,`+closesIn(10*time.Second)+`}`)
	mustPost(t, s.url+"/api/drops/enter", `{"dropId":1,"userName":"Ann"}`)
	p := visit(t, s.url+"/admin", phone)
	p.opens("#/drops/1/draw")
	p.reads(".panel .tiles", "Closed, no result yet")
	p.holds(`/Root [0-9a-f]{64} ?Seal [0-9a-f]{64}/.test(textOf(".panel .facts"))`)
	p.pushes("Reveal")
	p.leaves("seed", strings.Repeat("0", 64))
	p.clicks(`document.querySelector("dialog[open] .primary")`)
	p.holds(`textOf("dialog[open] .problem, #seed-problem") !== ""`)
	p.check("control draw reveal", phone)
	p.leaves("seed", ownSeed)
	p.clicks(`document.querySelector("dialog[open] .primary")`)
	p.reads(".panel .tiles", "Phase Drawn")
	p.opens("#/drops/1/waitlist")
	p.reads(".panel", "The winners and the runners-up of the draw stand in line here, in its order.")
	p.reads(".panel .tall", "Offered a pair")
	p.quiet()
}
