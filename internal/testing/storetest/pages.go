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
	set, err := f.SetDropPage(f.ctx, id, normal)
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
		_, err = f.SetDropPage(f.ctx, id, plainPage)
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

// Of writers at once each stores all of a page or nothing.
func pagesAtOnce(f *fixture) {
	id := f.create(plain(1))
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			word := fmt.Sprint("version ", i)
			if _, err := f.SetDropPage(f.ctx, id, drop.Page{Description: word, Rules: word, Images: []drop.Image{{URL: "/1", Alt: word}}}); err != nil {
				f.Errorf("SetDropPage: %v", err)
			}
		})
	}
	writers.Wait()
	if page := f.page(id); page.Description == "" || page.Description != page.Rules || page.Description != page.Images[0].Alt {
		f.Errorf("a mixture: %+v", page)
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
