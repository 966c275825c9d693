package test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/draw"
)

// give puts a file into a field of the page, as somebody does who drops it there.
func (p *page) give(field, name, content string) {
	p.t.Helper()
	call[chromedp.Void](p, `((field, name, content) => {
		const given = new DataTransfer();
		given.items.add(new File([content], name, { type: "application/json" }));
		const input = document.getElementById(field);
		input.files = given.files;
		input.dispatchEvent(new Event("change", { bubbles: true }));
	})`, field, name, content)
}

// A person who has the record of a draw and a receipt learns in each language whether the draw is correct and where
// the entry came, or what is wrong. The page calls nobody.
func TestDraw_IsCheckedInTheBrowser(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	record, receipt := golden(t, "record-1.json"), golden(t, "receipt-1.json")
	for lang, want := range map[string][4]string{
		"en": {"The draw is correct", "Entry 2 is number 4 among 4 runners-up.", "The beacon's signature is not checked here; sneakerdrop verify checks it.", "Winner 2 is entry 4, the draw gives entry 9."},
		"de": {"Die Verlosung ist korrekt", "Teilnahme 2 ist Nummer 4 von 4 Nachrückern.", "sneakerdrop verify", "Gewinn 2 geht an Teilnahme 4, die Verlosung ergibt Teilnahme 9."},
		"es": {"El sorteo es correcto", "La participación 2 es la número 4 de 4 suplentes.", "sneakerdrop verify", "El ganador 2 es la participación 4; el sorteo da la participación 9."},
		"fr": {"Le tirage est correct", "La participation 2 est numéro 4 sur 4 suppléants.", "sneakerdrop verify", "Le gagnant 2 est la participation 4, le tirage donne la participation 9."},
		"ja": {"この抽選は正しく行われました", "応募2は、繰り上げ候補4件のうち4番目です。", "sneakerdrop verify", "2番目の当選は応募4ですが、抽選の結果は応募9です。"},
	} {
		p := visit(t, s.url+"/verify", look{name: "narrow", width: 320, height: 568, phone: true}.in(lang))
		p.ready("#record")
		p.give("receipt", "receipt.json", receipt)
		p.give("record", "draw.json", record)
		p.reads(".verdict.good h2", want[0])
		p.reads("p.verdict.good", want[1])
		p.reads(".signature", want[2])
		p.reads(".verdict dl", "212269e0dde0718eeb5417f9d13916cefe21642e1e8fdc385b20a1a1caba1b73")
		p.checkLayout("draw " + lang)
		p.give("record", "draw.json", strings.Replace(record, `"entry":9`, `"entry":4`, 1))
		p.reads(".verdict.bad p", want[3])
		p.holds(`!document.querySelector(".verdict.good")`)
		p.checkLayout("wrong draw " + lang)
		if calls := eval[[]string](p, `performance.getEntriesByType("resource").filter((e) => !["script", "link", "other"].includes(e.initiatorType)).map((e) => e.name)`); len(calls) > 0 {
			t.Errorf("%s: the page called %q", lang, calls)
		}
		p.quiet()
	}
	p := visit(t, s.url+"/verify", desktop)
	p.ready("#record")
	p.give("record", "draw.json", record)
	p.reads(".verdict.good h2", "The draw is correct")
	p.give("receipt", "receipt.json", strings.Replace(receipt, `"42"`, `"44"`, 1))
	p.reads(".verdict.bad p", "Entry 2 of the record has other sizes than the receipt.")
	p.give("record", "draw.json", "{}")
	p.reads(".verdict.bad p", "drop is missing, or not written as the format demands.")
	p.check("draw desktop", desktop)
	one, receipts := smallDraw(t)
	p.give("record", "draw.json", one)
	for i, want := range []string{"Entry 1 won size 42.", "Entry 2 won.", "Entry 3 was withdrawn before the draw.", "Entry 4 was removed before the draw: <b>twice</b>"} {
		p.give("receipt", "receipt.json", receipts[i])
		p.reads("p.verdict.good", want)
		p.holds(`document.querySelector(".verdict.good h2") && !document.querySelector(".signature, .verdict b")`) // it has no beacon
	}
	p.quiet()
}

// smallDraw is a draw without a beacon, in which one entry wins a pair of a size, one a pair without a size, one was
// withdrawn, and one removed. It comes with their receipts.
func smallDraw(t *testing.T) (record string, receipts []string) {
	t.Helper()
	r := &draw.Record{Drop: draw.Drop{ID: 3, Name: "Comet"}, Closes: 1, Stock: []draw.Stock{{Size: "42", Units: 1}, {Units: 1}}, Commitment: draw.Commit(draw.Seed{})}
	for i, size := range []int{0, 1, 0, 1} {
		receipt := draw.Receipt{Version: draw.Version, Drop: 3, Entry: draw.EntryID(i + 1), Buyer: 5, Sizes: []string{r.Stock[size].Size}}
		r.Entries = append(r.Entries, draw.Entry{ID: receipt.Entry, Hash: draw.HashBuyer(receipt.Salt, 5), Sizes: []int{size}})
		text, err := receipt.Encode()
		if err != nil {
			t.Fatal(err)
		}
		receipts = append(receipts, string(text))
	}
	r.Entries[2].Withdrawn, r.Entries[3].Removed = true, "<b>twice</b>"
	if err := errors.Join(r.Close(), r.Run()); err != nil {
		t.Fatal(err)
	}
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return string(text), receipts
}

func golden(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("../internal/draw/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
