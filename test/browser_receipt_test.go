package test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// onPaper renders the page for a medium: "print", or "screen" again.
func (p *page) onPaper(medium string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium})
		return err
	}))
}

// printed is all text that takes room.
const printed script = `[...document.querySelectorAll("body *")].filter((e) => e.children.length === 0 && e.textContent.trim() && e.getClientRects().length > 0 && !e.closest(".sr, .skip") && getComputedStyle(e).visibility !== "hidden").map((e) => e.textContent.trim()).join("|")`

// A receipt has a number, prints alone, goes into a mail as text, and is there again after a reload, from the account.
func TestShop_ReceiptIsKept(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--shop-name=Léon & Söhne")
	made(t, s.url, `{"name":"50 % off? Très \"chic\" & <b>","price":1290.5,"sizes":[{"size":"42 2/3","stock":2}],"start_time":"2020-01-01T00:00:00Z"}`)
	made(t, s.url, onePair)
	p := visit(t, s.url, phone)
	p.reads(button(1), "Select a size")
	p.press(`#drop-1 input`)
	p.reserves(1)
	p.introduce("Ann")
	p.reads(".hold .more", "Size 42 2/3 · $1,290.50")
	p.press(".hold .primary")
	p.reads("dialog[open] h2", "It's yours!")
	p.holds(`document.activeElement.matches("dialog[open] .primary")`)
	isReceipt := func() {
		t.Helper()
		p.reads("dialog[open] dl", "Receipt number 1-1")
		mail := eval[string](p, `document.querySelector('dialog[open] a[href^="mailto:"]').getAttribute("href")`)
		query, err := url.ParseQuery(strings.TrimPrefix(mail, "mailto:?"))
		if err != nil || strings.ContainsAny(mail, " +\"<>\r\n") {
			t.Fatalf("%s: %v", mail, err)
		}
		if subject := query.Get("subject"); subject != "Your receipt 1-1 from Léon & Söhne" {
			t.Errorf("the mail is about %q", subject)
		}
		body := query.Get("body")
		for _, line := range []string{"Léon & Söhne", `Drop: 50 % off? Très "chic" & <b>`, "Size: 42 2/3", "Price: $1,290.50", "Receipt number: 1-1", s.url + "/drops/1"} {
			if !strings.Contains("\r\n"+body+"\r\n", "\r\n"+line+"\r\n") {
				t.Errorf("no line %q in %q", line, body)
			}
		}
	}
	isReceipt()
	p.check("receipt phone", phone)
	eval[chromedp.Void](p, `{ globalThis.prints = 0; globalThis.print = () => prints++; document.querySelector(".receipt .links button").click(); }`)
	p.holds(`prints === 1`)

	p.onPaper("print")
	paper := eval[string](p, printed)
	for _, want := range []string{"Léon & Söhne", "Très", "42 2/3", "$1,290.50", "1-1"} {
		if !strings.Contains(paper, want) {
			t.Errorf("%q is not printed: %s", want, paper)
		}
	}
	for _, other := range []string{"Done", "Print", "Email", "Last pair", "Reserve", "Live"} {
		if strings.Contains(paper, other) {
			t.Errorf("%q is printed beside the receipt: %s", other, paper)
		}
	}
	p.onPaper("")
	p.press("dialog[open] .primary")
	p.holds(`!document.querySelector("dialog[open]")`)
	p.onPaper("print")
	if paper := eval[string](p, printed); !strings.Contains(paper, "Last pair") || strings.Contains(paper, "1-1") {
		t.Errorf("without a receipt there is on paper: %s", paper)
	}
	p.onPaper("")

	p.navigate(s.url)
	p.reads(".live", "Live")
	p.press(".who")
	p.reads("dialog[open] .bought", "Size 42 2/3")
	p.check("account phone", phone)
	p.press("dialog[open] .bought button")
	p.reads("dialog[open] h2", "Your receipt")
	isReceipt()
	p.press("dialog[open] .primary")
	p.reads("dialog[open] .bought", "Size 42 2/3") // back where it was asked for
	if all := reservations(t, s.url, 1); strings.Count(all, `"id":`) != 1 {
		t.Errorf("a look at the receipt bought something: %s", all)
	}
	p.quiet()
}
