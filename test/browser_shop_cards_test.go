package test

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/browser/layout.js
var layoutScript script

// widths are looks at the widths that the cards are laid out for.
var widths = []look{
	{name: "390", width: 390, height: 844, phone: true},
	{name: "768", width: 768, height: 1024, phone: true},
	{name: "1280", width: 1280, height: 800},
	{name: "1920", width: 1920, height: 1080},
}

// There are cards with many, few or no sizes, with and without buyers, with short and long names. None has a gap of
// 100 pixels inside or below it, and the visual order is that of the keyboard. No button moves while pairs are sold,
// sold out and paused.
func TestShop_CardsLeaveNoHoleAndStayWhereTheyAre(t *testing.T) {
	t.Parallel()
	for _, l := range widths {
		t.Run(l.name, func(t *testing.T) {
			s := startFor(t, t.TempDir())
			stateful(t, s.url)
			var sizes strings.Builder
			for n := 7; n < 19; n++ {
				fmt.Fprintf(&sizes, `,{"size":"%d","stock":%d}`, n, n)
			}
			made(t, s.url, `{"name":"All sizes","price":90,"sizes":[`+sizes.String()[1:]+`],"start_time":"2020-01-01T00:00:00Z"}`)
			made(t, s.url, onePair)
			p := visit(t, s.url, l.with(layoutScript))
			p.reads("#drop-7", "Starts in")
			p.reads(".live", "Live")
			p.holds(`document.querySelectorAll(".card").length === 9`)
			call[chromedp.Void](p, "layOutAll")
			p.holds(`document.querySelector("#drop-5 img")?.complete && !!document.querySelector("#drop-6 svg")`)
			for _, hole := range call[[]string](p, "holesOf", 100) {
				t.Error(hole)
			}
			if out := call[[]string](p, "unread"); len(out) > 0 {
				t.Errorf("out of order: %v", out)
			}
			before := call[[]string](p, "placesOf")
			mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, `{"dropId":9,"userId":9}`)))
			hold(t, s.url, `{"dropId":8,"userId":9,"size":"7"}`)
			mustPost(t, s.url+"/api/drops/1/pause", `{}`)
			mustPost(t, s.url+"/api/drops/4/resume", `{}`)
			p.reads(button(9), "Sold out")
			p.reads("#drop-9 .buyers", "Unknown")
			p.reads(left(8), "149 of 150 left")
			p.reads(button(1), "Paused")
			p.reads(button(4), "Reserve")
			if after := call[[]string](p, "placesOf"); !slices.Equal(before, after) {
				t.Errorf("cards moved while stock did:\n%q\n%q", before, after)
			}
			p.quiet()
		})
	}
}

// However many drops there are, each row of cards is full, and the visual order is that of the keyboard.
func TestShop_RowsAreFull(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, onePair)
	made(t, s.url, onePair)
	var open []*page
	for _, l := range widths {
		p := visit(t, s.url, l.with(layoutScript))
		p.reads(".live", "Live")
		open = append(open, p)
	}
	for n := 2; n <= 14; n++ {
		for i, p := range open {
			p.holds(script(fmt.Sprintf(`document.querySelectorAll(".card").length === %d`, n)))
			call[chromedp.Void](p, "layOutAll")
			if faults := append(call[[]string](p, "holesOf", 100), call[[]string](p, "unread")...); len(faults) > 0 {
				t.Errorf("%d drops at %s: %v", n, widths[i].name, faults)
			}
		}
		made(t, s.url, onePair)
	}
}

// A new drop appears between the others, which keep their order.
func TestShop_NewDropsComeInBetween(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	for range 3 {
		made(t, s.url, onePair)
	}
	p := visit(t, s.url, desktop)
	order := script(`[...document.querySelectorAll(".drops .card")].map((c) => c.id.slice(5)).join()`)
	p.holds(order + ` === "3,2,1"`)
	p.reads(".live", "Live")
	hold(t, s.url, `{"dropId":3,"userId":9}`)
	p.reads(button(3), "Sold out")
	made(t, s.url, onePair)
	p.holds(order + ` === "4,3,2,1"`) // if all were sorted again, 3 would move to the end
	patch(t, s.url+"/api/drops/2", `{"hidden":true}`)
	p.holds(order + ` === "4,3,1"`)
	p.quiet()
}

// The next drop is large and above the list, with its start in the reader's time zone. When it starts, the same card
// sells, on the same page and in the same place.
func TestShop_TheNextDropBecomesTheOneToBuy(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	soon := time.Now().Add(30 * time.Hour).UTC().Format(time.RFC3339)
	made(t, s.url, onePair)
	made(t, s.url, onePair)
	made(t, s.url, `{"name":"Later","price":90,"total_stock":5,"start_time":"`+time.Now().Add(90*time.Hour).UTC().Format(time.RFC3339)+`"}`)
	made(t, s.url, `{"name":"Next","price":90,"sizes":[{"size":"9","stock":5},{"size":"10","stock":5}],"start_time":"`+soon+`"}`)
	for _, l := range []look{phone, desktop} {
		p := visit(t, s.url, l.with(oddScript+layoutScript))
		p.livesIn("America/New_York", s.url)
		p.reads(".first .card h2", "Next")
		p.reads(".live", "Live")
		p.reads(".clock .digits", "01 day 05 hours")
		p.reads(".clock .starts", "Your time zone: America/New York")
		p.holds(`new URL(document.querySelector(".clock a").href).pathname === "/drops/4.ics"`)
		p.holds(`document.querySelectorAll(".card.wide").length === 1 && !document.querySelector("#drop-3 .clock")`)
		p.check("next "+l.name, l)
		p.press(`#drop-4 input[value="9"]`)
		call[chromedp.Void](p, "layOutAll")
		others := script(`placesOf().filter((at) => !at.startsWith("drop-4"))`)
		before := eval[[]string](p, others)
		eval[chromedp.Void](p, `{ globalThis.same = document.querySelector("#drop-4"); time.sleep(29 * 3_600_000); }`)
		p.holds(`parseInt(textOf(".clock .digits")) <= 1 && !textOf(".clock .digits").includes("day")`)
		eval[chromedp.Void](p, `time.sleep(3_600_000)`)
		p.reads(button(4), "Reserve size 9")
		p.reads(left(4), "10 of 10 left")
		p.holds(`same === document.querySelector("#drop-4.wide") && !document.querySelector(".clock")`)
		if after := eval[[]string](p, others); !slices.Equal(before, after) {
			t.Errorf("the others moved when the drop started:\n%q\n%q", before, after)
		}
		p.checkLayout("started " + l.name)
		p.quiet()
	}
}
