package engine_test

import (
	"context"
	"errors"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// reading counts the reads of pages, and runs during before each.
type reading struct {
	store.Store
	reads  atomic.Int64
	during func() error
}

func (r *reading) DropPage(ctx context.Context, id drop.ID) (drop.Page, error) {
	r.reads.Add(1)
	page, err := r.Store.DropPage(ctx, id)
	if r.during != nil {
		if failed := r.during(); failed != nil {
			return drop.Page{}, failed
		}
	}
	return page, err
}

func says(t *testing.T, e *engine.Engine, id drop.ID, want string) {
	t.Helper()
	page, err := e.Page(t.Context(), id)
	if err != nil || page.Description != want {
		t.Errorf("the page says %q, %v; want %q", page.Description, err, want)
	}
}

func write(t *testing.T, e *engine.Engine, id drop.ID, text string) {
	t.Helper()
	page, err := e.SetPage(t.Context(), id, drop.Page{Description: text}, nil)
	if err != nil || page.Description != text || page.UpdatedAt == 0 {
		t.Errorf("SetPage: %+v, %v", page, err)
	}
}

// A crowd that opens a page costs one read in two seconds.
func TestPage_IsReadOnceForACrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &reading{Store: memory.New(localNow)}
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(5))
		for range 100 {
			says(t, e, id, "")
		}
		time.Sleep(1999 * time.Millisecond)
		says(t, e, id, "")
		if n := s.reads.Load(); n != 1 {
			t.Errorf("%d reads", n)
		}
	})
}

// twoReplicas sell one drop, and both have its empty page in memory.
func twoReplicas(t *testing.T) (one, other *engine.Engine, id drop.ID) {
	t.Helper()
	shared := memory.New(localNow)
	one, other = start(t, shared, engine.Config{}), start(t, shared, engine.Config{})
	id = create(t, one, spec(5))
	says(t, one, id, "")
	says(t, other, id, "")
	return one, other, id
}

func TestPage_ShowsWhatWasWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, other, id := twoReplicas(t)
		write(t, e, id, "new")
		says(t, e, id, "new")
		time.Sleep(2 * time.Second)
		says(t, other, id, "new")
	})
}

// A read that began before a write ends after it. What it found must not be shown from then on.
func TestPage_AReadThatIsOvertakenIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &reading{Store: memory.New(localNow)}
		e := start(t, s, engine.Config{})
		id := create(t, e, spec(5))
		s.during = func() error {
			s.during = nil
			write(t, e, id, "new")
			says(t, e, id, "new") // and does not wait for the read that began before
			return nil
		}
		says(t, e, id, "") // asked before it was written
		says(t, e, id, "new")
	})
}

func TestPage_WhileTheStoreIsAwayTheLastKnownOneIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &reading{Store: memory.New(localNow)}
		e := start(t, s, engine.Config{})
		id, unread := create(t, e, spec(5)), create(t, e, spec(5))
		write(t, e, id, "known")
		says(t, e, id, "known")
		s.during = func() error { return &store.Error{Op: "test", Class: store.ClassUnavailable, Err: errors.New("away")} }
		time.Sleep(2 * time.Second)
		says(t, e, id, "known")
		if _, err := e.Page(t.Context(), unread); !errors.Is(err, engine.ErrUnavailable) {
			t.Errorf("a page that nobody has read: %v", err)
		}
	})
}

func TestPage_RefusesWhatIsNotThereAndWhatBreaksARule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		id := create(t, e, spec(5))
		for _, no := range []drop.ID{0, -1, id + 1, drop.MaxID + 1} {
			if _, err := e.Page(t.Context(), no); drop.CodeOf(err) != drop.CodeDropNotFound {
				t.Errorf("Page(%d): %v", no, err)
			}
			if _, err := e.SetPage(t.Context(), no, drop.Page{}, nil); drop.CodeOf(err) != drop.CodeDropNotFound {
				t.Errorf("SetPage(%d): %v", no, err)
			}
			if _, err := e.Duplicate(t.Context(), no, nil, nil, engine.Retry{}); drop.CodeOf(err) != drop.CodeDropNotFound {
				t.Errorf("Duplicate(%d): %v", no, err)
			}
		}
		write(t, e, id, "kept")
		if _, err := e.SetPage(t.Context(), id, drop.Page{Rules: "a\x00"}, nil); drop.CodeOf(err) != drop.CodeInvalid {
			t.Errorf("a page with a control character: %v", err)
		}
		says(t, e, id, "kept")
	})
}

func TestDuplicate_IsHiddenAndHasNothingSold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := start(t, memory.New(localNow), engine.Config{})
		spec := drop.Spec{
			Name: "Comet", Price: 12000, StartTime: localNow() - 1000, ImageURL: "/a.png", LimitPerUser: 2, MaxExpiredHolds: 3,
			Waitlist: true, OfferFor: 60, MaxWaiting: 5, OffersCount: true,
			Sizes: []drop.SizeSpec{{Label: "9", Stock: 4}, {Label: "10", Stock: 5}},
		}
		id := create(t, e, spec)
		page, err := e.SetPage(t.Context(), id, drop.Page{Rules: "One each", Images: []drop.Image{{URL: "/b.png", Alt: "b"}}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Reserve(t.Context(), id, 7, "9", engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = e.Purchase(t.Context(), r.ID, 0, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		if _, err = e.Restock(t.Context(), id, drop.Restock{Add: 3, Size: "10"}, engine.Retry{}); err != nil {
			t.Fatal(err)
		}
		var replayed bool
		key := engine.Retry{Key: "k", Replayed: &replayed}
		made, err := e.Duplicate(t.Context(), id, nil, nil, key)
		if err != nil {
			t.Fatal(err)
		}
		want := drop.Settings{
			Name: "Comet", Price: 12000, StartTime: spec.StartTime + 2*24*3600*1000, ImageURL: "/a.png", LimitPerUser: 2, MaxExpiredHolds: 3, Hidden: true,
			Waitlist: true, OfferFor: 60, MaxWaiting: 5, OffersCount: true,
		}
		sizes := []drop.Size{{Label: "9", Stock: drop.Stock{Total: 4, Available: 4}}, {Label: "10", Stock: drop.Stock{Total: 8, Available: 8}}}
		if d := made.Drop; d.ID == id || d.Settings != want || !reflect.DeepEqual(d.Sizes, sizes) || len(made.Recent) > 0 {
			t.Errorf("made %+v", made.Drop)
		}
		copied, err := e.Page(t.Context(), made.Drop.ID)
		if page.UpdatedAt, copied.UpdatedAt = 0, 0; err != nil || !reflect.DeepEqual(copied, page) {
			t.Errorf("its page: %+v, %v; want %+v", copied, err, page)
		}
		again, err := e.Duplicate(t.Context(), id, nil, nil, key)
		if err != nil || !replayed || again.Drop.ID != made.Drop.ID {
			t.Errorf("again under the key: %+v, %t, %v", again, replayed, err)
		}
		name := "Comet 2"
		if _, err = e.Duplicate(t.Context(), id, &name, nil, key); drop.CodeOf(err) != drop.CodeIdempotencyMismatch {
			t.Errorf("another name under the key: %v", err)
		}
		later := localNow() + 5000
		other, err := e.Duplicate(t.Context(), made.Drop.ID, &name, &later, engine.Retry{})
		if err != nil || other.Drop.Name != name || other.Drop.StartTime != later {
			t.Errorf("with a name and a start: %+v, %v", other, err)
		}
		if kept, err := e.Duplicate(t.Context(), other.Drop.ID, nil, nil, engine.Retry{}); err != nil || kept.Drop.StartTime != later {
			t.Errorf("of one that has not started: %+v, %v", kept, err)
		}
	})
}

// Two replicas have the same page in memory. The second to save is told, although what it has in memory is the page
// that it read.
func TestPage_TheSecondToSaveIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, other, id := twoReplicas(t)
		empty := func(there *drop.Page) bool { return there.UpdatedAt == 0 }
		if _, err := e.SetPage(t.Context(), id, drop.Page{Rules: "hers"}, empty); err != nil {
			t.Fatal(err)
		}
		if _, err := other.SetPage(t.Context(), id, drop.Page{Rules: "his"}, empty); drop.CodeOf(err) != drop.CodePageChanged {
			t.Errorf("SetPage: %v", err)
		}
		if page, err := other.Page(t.Context(), id); err != nil || page.Rules != "hers" { // at once, to merge with it
			t.Errorf("Page: %+v, %v", page, err)
		}
		if _, err := other.SetPage(t.Context(), id, drop.Page{Rules: "hers"}, empty); err != nil {
			t.Errorf("the same page: %v", err)
		}
		if _, err := e.SetPage(t.Context(), id+1, drop.Page{}, empty); drop.CodeOf(err) != drop.CodeDropNotFound {
			t.Errorf("SetPage: %v", err)
		}
	})
}

// Another writer comes between the look at the page and the write.
func TestPage_OneThatIsOvertakenWhileSavingIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.New(localNow)
		e := start(t, shared, engine.Config{})
		id := create(t, e, spec(5))
		looks := 0
		_, err := e.SetPage(t.Context(), id, drop.Page{Rules: "his"}, func(there *drop.Page) bool {
			if looks++; looks == 1 {
				if _, err := shared.SetDropPage(t.Context(), id, drop.Page{Rules: "hers"}, nil); err != nil {
					t.Error(err)
				}
			}
			return there.UpdatedAt == 0
		})
		page, _ := e.Page(t.Context(), id)
		if drop.CodeOf(err) != drop.CodePageChanged || page.Rules != "hers" {
			t.Errorf("SetPage: %v; the page says %q", err, page.Rules)
		}
	})
}
