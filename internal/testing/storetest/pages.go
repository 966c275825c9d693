package storetest

import (
	"fmt"
	"strings"
	"sync"

	"sneakerdrop/internal/drop"
)

var pageTests = []test{
	{"Page_KeepsEveryField", pageKeepsEveryField},
	{"Page_OfNoDropIsRefused", pageOfNoDrop},
	{"Page_IsReplacedWhole", pageReplaced},
	{"Page_AtOnce", pagesAtOnce},
	{"Page_ReplacesOnlyTheOneThatWasRead", pageReplacesOnlyWhatWasRead},
	{"Page_OfWritersThatReplaceOneOneWins", pageOneReplacementWins},
	{"CreateDrop_StoresItsPage", createWithPage},
	{"Fill_ReplacesPages", fillReplacesPages},
}

var (
	fullPage = drop.Page{
		Description: "# Fit\n\n- snug  \n- true to *size*\n\n    code \U0001F45F", SizeGuide: "EU | US\n---|---\n42 | 9", Rules: `'; DROP TABLE drop_pages; --`,
		Delivery: strings.Repeat("ü", drop.MaxPageText), Images: []drop.Image{{URL: "https://a.example/1.jpg?a=1&b=<2>", Alt: "A \"shoe\""}, {URL: "/2.jpg"}},
	}
	plainPage = drop.Page{Rules: "One pair each"}
)

func (f *fixture) setPage(id drop.ID, page drop.Page) drop.Page {
	f.Helper()
	normal, err := page.Normal()
	if err != nil {
		f.Fatalf("the test's own page: %v", err)
	}
	set, err := f.SetDropPage(f.ctx, id, normal, nil)
	if err != nil {
		f.Fatalf("SetDropPage: %v", err)
	}
	if set.UpdatedAt == 0 {
		f.Error("the page was stored at no time")
	}
	f.wantPage(id, set)
	set.UpdatedAt = 0
	if len(set.Images) == 0 {
		set.Images = nil
	}
	equal(f, "SetDropPage", set, normal)
	return set
}

func (f *fixture) page(id drop.ID) drop.Page {
	f.Helper()
	page, err := f.DropPage(f.ctx, id)
	if err != nil {
		f.Fatalf("DropPage: %v", err)
	}
	return page
}

func (f *fixture) wantPage(id drop.ID, want drop.Page) {
	f.Helper()
	equal(f, fmt.Sprintf("the page of drop %d", id), f.page(id), want)
}

func pageKeepsEveryField(f *fixture) {
	first, second := f.create(plain(1)), f.create(plain(1))
	f.wantPage(first, drop.Page{})
	f.setPage(first, fullPage)
	f.wantPage(second, drop.Page{})
}

func pageOfNoDrop(f *fixture) {
	for _, id := range []drop.ID{0, -1, 1, drop.MaxID} {
		_, err := f.DropPage(f.ctx, id)
		refused(f, fmt.Sprintf("DropPage(%d)", id), err, drop.CodeDropNotFound)
		_, err = f.SetDropPage(f.ctx, id, plainPage, nil)
		refused(f, fmt.Sprintf("SetDropPage(%d)", id), err, drop.CodeDropNotFound)
	}
	f.wantPage(f.create(plain(1)), drop.Page{}) // nothing was stored for the drop that takes the number
}

func pageReplaced(f *fixture) {
	id := f.create(plain(1))
	f.setPage(id, fullPage)
	before := f.page(id).UpdatedAt
	f.setPage(id, plainPage)
	if after := f.page(id).UpdatedAt; after < before {
		f.Errorf("replaced at %s, before it was first stored at %s", after, before)
	}
	f.setPage(id, drop.Page{})
}

// Of several writers at once, each stores all of a page or nothing.
func pagesAtOnce(f *fixture) {
	id := f.create(plain(1))
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			word := fmt.Sprint("version ", i)
			if _, err := f.SetDropPage(f.ctx, id, drop.Page{Description: word, Rules: word, Images: []drop.Image{{URL: "/1", Alt: word}}}, nil); err != nil {
				f.Errorf("SetDropPage: %v", err)
			}
		})
	}
	writers.Wait()
	if page := f.page(id); page.Description == "" || page.Description != page.Rules || page.Description != page.Images[0].Alt {
		f.Errorf("a mixture: %+v", page)
	}
}

// replace stores a page in place of the one that was read.
func (f *fixture) replace(id drop.ID, was, page drop.Page) (drop.Page, error) {
	f.Helper()
	set, err := f.SetDropPage(f.ctx, id, page, &was)
	if err == nil {
		f.wantPage(id, set)
	}
	return set, err
}

func pageReplacesOnlyWhatWasRead(f *fixture) {
	id := f.create(plain(1))
	first, err := f.replace(id, drop.Page{}, fullPage) // in place of no page
	if err != nil {
		f.Fatalf("SetDropPage: %v", err)
	}
	_, err = f.SetDropPage(f.ctx, id, plainPage, &drop.Page{})
	refused(f, "in place of none, where there is one", err, drop.CodePageChanged)
	second, err := f.replace(id, first, plainPage)
	if err != nil {
		f.Fatalf("SetDropPage: %v", err)
	}
	_, err = f.SetDropPage(f.ctx, id, drop.Page{}, &first)
	refused(f, "in place of an earlier one", err, drop.CodePageChanged)
	for name, change := range map[string]func(*drop.Page){
		"description": func(p *drop.Page) { p.Description += "x" },
		"size guide":  func(p *drop.Page) { p.SizeGuide += "x" },
		"rules":       func(p *drop.Page) { p.Rules = "one pair each" },
		"delivery":    func(p *drop.Page) { p.Delivery += "x" },
		"images":      func(p *drop.Page) { p.Images = []drop.Image{{URL: "/1"}} },
		"time":        func(p *drop.Page) { p.UpdatedAt++ },
	} {
		other := second
		change(&other)
		_, err = f.SetDropPage(f.ctx, id, drop.Page{}, &other)
		refused(f, "in place of one with another "+name, err, drop.CodePageChanged)
	}
	f.wantPage(id, second)
	for _, no := range []drop.ID{0, -1, id + 1, drop.MaxID} {
		for _, was := range []drop.Page{{}, second} {
			_, err = f.SetDropPage(f.ctx, no, plainPage, &was)
			refused(f, fmt.Sprintf("SetDropPage(%d)", no), err, drop.CodeDropNotFound)
		}
	}
}

// Writers that have read the same page save at once: one wins, and all others learn that they lost.
func pageOneReplacementWins(f *fixture) {
	id := f.create(plain(1))
	const rounds, rivals = 6, 8
	for round := range rounds {
		was := f.page(id) // in the first round there is none
		var writers sync.WaitGroup
		won := make([]bool, rivals)
		for i := range rivals {
			writers.Go(func() {
				_, err := f.SetDropPage(f.ctx, id, drop.Page{Description: fmt.Sprintf("round %d, writer %d", round, i)}, &was)
				switch {
				case err == nil:
					won[i] = true
				case drop.CodeOf(err) != drop.CodePageChanged:
					f.Errorf("SetDropPage: %v", err)
				}
			})
		}
		writers.Wait()
		winners := 0
		for i, w := range won {
			if !w {
				continue
			}
			winners++
			if want := fmt.Sprintf("round %d, writer %d", round, i); f.page(id).Description != want {
				f.Errorf("the page says %q, not %q, which was saved", f.page(id).Description, want)
			}
		}
		if winners != 1 {
			f.Errorf("round %d: %d writers saved over the same page", round, winners)
		}
	}
}

func createWithPage(f *fixture) {
	spec := plain(3)
	spec.Page, spec.Hidden = &fullPage, true
	key := drop.NewKey("", "duplicate", "k", "a text")
	made, replayed, err := f.CreateDrop(f.ctx, spec, newBatch(), key)
	if err != nil || replayed || !made.Drop.Hidden {
		f.Fatalf("CreateDrop: %+v, %t, %v", made, replayed, err)
	}
	want := fullPage
	want.UpdatedAt = made.Drop.CreatedAt
	f.wantPage(made.Drop.ID, want)
	f.setPage(made.Drop.ID, plainPage)
	again, replayed, err := f.CreateDrop(f.ctx, spec, newBatch(), key)
	if err != nil || !replayed || again.Drop.ID != made.Drop.ID || !again.Drop.Hidden {
		f.Fatalf("CreateDrop again: %+v, %t, %v", again, replayed, err)
	}
	if page := f.page(made.Drop.ID); page.Rules != plainPage.Rules {
		f.Errorf("a retry put the first page back: %+v", page)
	}
}

func fillReplacesPages(f *fixture) {
	f.setPage(f.create(plain(1)), fullPage)
	f.fill(true)
	f.wantPage(1, drop.Page{})
}
