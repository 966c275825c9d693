package drop_test

import (
	"reflect"
	"testing"

	"sneakerdrop/internal/drop"
)

func TestRestock(t *testing.T) {
	for _, test := range []struct {
		name string
		spec drop.Spec
		c    drop.Restock
		want drop.Error
		left drop.Stock // of the drop's first size, which has one unit held and one sold
	}{
		{"adds", plain(5), drop.Restock{Add: 3}, drop.Error{}, drop.Stock{Total: 8, Available: 6, Held: 1, Sold: 1}},
		{"takes away", plain(5), drop.Restock{Add: -2}, drop.Error{}, drop.Stock{Total: 3, Available: 1, Held: 1, Sold: 1}},
		{"takes all that is left", plain(5), drop.Restock{Add: -3}, drop.Error{}, drop.Stock{Total: 2, Held: 1, Sold: 1}},
		{"takes more", plain(5), drop.Restock{Add: -4}, drop.Error{Code: drop.CodeStockInUse, Available: 3}, drop.Stock{}},
		{"takes the most", plain(5), drop.Restock{Add: -1 << 63}, drop.Error{Code: drop.CodeStockInUse, Available: 3}, drop.Stock{}},
		{"nothing", plain(5), drop.Restock{}, *drop.Invalid("add", "must not be 0"), drop.Stock{}},
		{
			"to the most", plain(5),
			drop.Restock{Add: drop.MaxStock - 5},
			drop.Error{},
			drop.Stock{Total: drop.MaxStock, Available: drop.MaxStock - 2, Held: 1, Sold: 1},
		},
		{"over the most", plain(5), drop.Restock{Add: drop.MaxStock - 4}, *drop.Invalid("add", "must leave the drop at most 10000000 units"), drop.Stock{}},
		{"far over", plain(5), drop.Restock{Add: 1<<63 - 1}, *drop.Invalid("add", "must leave the drop at most 10000000 units"), drop.Stock{}},
		{
			"the most is of all sizes", sized(5, "9", "10"),
			drop.Restock{Add: drop.MaxStock - 9, Size: "9"},
			*drop.Invalid("add", "must leave the drop at most 10000000 units"),
			drop.Stock{},
		},
		{"a size", sized(5, "9", "10"), drop.Restock{Add: 1, Size: "9"}, drop.Error{}, drop.Stock{Total: 6, Available: 4, Held: 1, Sold: 1}},
		{"another size", sized(5, "9", "10"), drop.Restock{Add: -5, Size: "10"}, drop.Error{}, drop.Stock{Total: 5, Available: 3, Held: 1, Sold: 1}},
		{"no size", sized(5, "9"), drop.Restock{Add: 1}, drop.Error{Code: drop.CodeSizeRequired, Field: "size", Rule: "must name one of the drop's sizes"}, drop.Stock{}},
		{"unknown size", sized(5, "9"), drop.Restock{Add: 1, Size: "8"}, drop.Error{Code: drop.CodeSizeNotFound, Field: "size", Rule: "must name one of the drop's sizes"}, drop.Stock{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(test.spec)
			label := b.drop.Sizes[0].Label
			b.reserve(t, opened, 1, label)
			b.buy(t, opened, b.reserve(t, opened, 1, label).ID)
			before := b.clone()
			r := b.do(opened, test.c)
			if test.want.Code != "" {
				if r.Err == nil || *r.Err != test.want {
					t.Errorf("got %+v, want %+v", r, test.want)
				}
				if !reflect.DeepEqual(before, b) {
					t.Error("the refusal changed the drop")
				}
				return
			}
			if r.Err != nil || b.drop.Sizes[0].Stock != test.left {
				t.Errorf("got %+v and %+v, want %+v", r, b.drop.Sizes[0].Stock, test.left)
			}
			if e := b.ledger[len(b.ledger)-1]; e.Reason != drop.Restocked || e.Units != test.c.Add || e.Size != test.c.Size {
				t.Errorf("the ledger says %+v", e)
			}
		})
	}
}

func TestRestock_BothWaysInABatchLeavesAnEntry(t *testing.T) {
	b := newBook(plain(5))
	_, c := b.apply(opened, drop.Restock{Add: 2}, drop.Restock{Add: -2})
	if c == nil || len(c.Ledger) != 1 || c.Ledger[0].Units != 0 {
		t.Errorf("got %+v", c)
	}
}

func TestPauseAndResume(t *testing.T) {
	b := newBook(plain(5))
	for i, step := range []struct {
		c       drop.Command
		paused  bool
		changes bool
	}{
		{drop.Resume{}, false, false}, {drop.Pause{}, true, true}, {drop.Pause{}, true, false}, {drop.Resume{}, false, true},
	} {
		_, c := b.apply(opened, step.c)
		if b.drop.Paused != step.paused || (c != nil) != step.changes {
			t.Errorf("step %d: paused %t, changes %+v", i, b.drop.Paused, c)
		}
		if c != nil && len(c.Ledger) > 0 {
			t.Errorf("step %d moved units: %+v", i, c.Ledger)
		}
	}
}

func TestEdit_WhatIsFixedWhen(t *testing.T) {
	taken := "is fixed once a unit is held or sold"
	price := &drop.Error{Code: drop.CodeFixed, Field: "price", Rule: taken}
	start := &drop.Error{Code: drop.CodeFixed, Field: "start_time", Rule: taken}
	started := &drop.Error{Code: drop.CodeFixed, Field: "start_time", Rule: "is fixed once the drop has started"}
	hold := func(t *testing.T, b *book) { b.reserve(t, opened, 1, "") }
	sell := func(t *testing.T, b *book) { b.buy(t, opened, b.reserve(t, opened, 1, "").ID) }
	worn := func(t *testing.T, b *book) {
		sell(t, b)
		b.do(opened, drop.ReturnPurchase{Purchase: drop.NewPurchaseID(b.drop.ID, 1)})
	}
	back := func(t *testing.T, b *book) { b.do(opened, drop.Cancel{Reservation: b.reserve(t, opened, 1, "").ID}) }
	ahead := func(_ *testing.T, b *book) { b.drop.StartTime = opened + 1 }
	none := func(*testing.T, *book) {}
	for _, test := range []struct {
		name  string
		setup func(*testing.T, *book)
		c     drop.Edit
		want  *drop.Error
	}{
		{"price", none, drop.Edit{Price: new(drop.Money(1))}, nil},
		{"price while held", hold, drop.Edit{Price: new(drop.Money(1))}, price},
		{"price once sold", sell, drop.Edit{Price: new(drop.Money(1))}, price},
		{"price once sold and taken back", worn, drop.Edit{Price: new(drop.Money(1))}, price},
		{"start once sold and taken back", worn, drop.Edit{StartTime: new(opened + 99)}, start},
		{"price when all came back", back, drop.Edit{Price: new(drop.Money(1))}, nil},
		{"the same price while held", hold, drop.Edit{Price: new(drop.Money(12_050))}, nil},
		{"start before it", ahead, drop.Edit{StartTime: new(opened + 99)}, nil},
		{"start at it", none, drop.Edit{StartTime: new(opened + 99)}, started},
		{"start while held", hold, drop.Edit{StartTime: new(opened + 99)}, start},
		{"the same start once started", hold, drop.Edit{StartTime: new(opened)}, nil},
		{"the rest once sold", sell, drop.Edit{Name: new("n"), ImageURL: new("/i"), LimitPerUser: new(1), Hidden: new(true), Archived: new(true)}, nil},
		{"name", none, drop.Edit{Name: new(" ")}, drop.Invalid("name", "must not be empty")},
		{"bad price", none, drop.Edit{Price: new(drop.Money(-1))}, drop.Invalid("price", "must be from 0 to 99999999.99")},
		{"bad start", ahead, drop.Edit{StartTime: new(drop.Time(-1))}, drop.Invalid("start_time", "must lie in the years 1970 to 9999")},
		{"image", none, drop.Edit{ImageURL: new("ftp://x")}, drop.Invalid("image_url", "must be an http or https address, or a path that starts with /")},
		{"limit", none, drop.Edit{LimitPerUser: new(-1)}, drop.Invalid("limit_per_user", "must be from 1 to 1000, or 0 for none")},
		{
			"all or nothing", none,
			drop.Edit{Name: new("n"), Hidden: new(true), LimitPerUser: new(1001)},
			drop.Invalid("limit_per_user", "must be from 1 to 1000, or 0 for none"),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(plain(5))
			test.setup(t, b)
			before := b.clone()
			r := b.do(opened, test.c)
			if !reflect.DeepEqual(r.Err, test.want) {
				t.Errorf("got %+v, want %+v", r.Err, test.want)
			}
			if test.want != nil && !reflect.DeepEqual(before, b) {
				t.Error("the refusal changed the drop")
			}
		})
	}
}

func TestEdit_SetsWhatIsGiven(t *testing.T) {
	b := newBook(plain(5))
	b.drop.StartTime = opened + minute
	want := b.drop
	want.Name, want.Price, want.StartTime, want.ImageURL = "new", 1, opened+2*minute, "https://x.example/i.png"
	want.LimitPerUser, want.Hidden, want.Archived = 4, true, true
	want.Version++
	edit := drop.Edit{
		Name: &want.Name, Price: &want.Price, StartTime: &want.StartTime, ImageURL: &want.ImageURL,
		LimitPerUser: &want.LimitPerUser, Hidden: &want.Hidden, Archived: &want.Archived,
	}
	if _, c := b.apply(opened, edit); c == nil || !reflect.DeepEqual(b.drop, want) {
		t.Errorf("got %+v, want %+v", b.drop, want)
	}
	if _, c := b.apply(opened, edit, drop.Edit{}); c != nil {
		t.Errorf("the same again changed %+v", c)
	}
}

// An operator's answer shows the drop right after the command, whatever comes later in the batch.
func TestOperator_IsAnsweredWithTheDropAsOfThen(t *testing.T) {
	b := newBook(sized(5, "9", "10"))
	first := b.buy(t, opened, b.reserve(t, opened, 1, "9").ID)
	held := b.reserve(t, opened, 2, "10")
	version := b.drop.Version
	got, _ := b.apply(opened+5, drop.Restock{Add: 2, Size: "9"}, drop.Pause{}, drop.MakePurchase{Reservation: held.ID},
		drop.Resume{}, drop.Edit{Name: new("new")}, drop.Restock{Add: -1, Size: "10"})
	for i, want := range map[int]struct {
		nine, ten int64 // available units
		paused    bool
		name      string
		recent    int
	}{
		0: {6, 4, false, "Air Test", 1},
		1: {6, 4, true, "Air Test", 1},
		3: {6, 4, false, "Air Test", 2},
		4: {6, 4, false, "new", 2},
		5: {6, 3, false, "new", 2},
	} {
		d := got[i].Drop
		if d == nil || d.Sizes[0].Stock.Available != want.nine || d.Sizes[1].Stock.Available != want.ten || d.Paused != want.paused ||
			d.Name != want.name || d.Version != version+1 || len(got[i].Recent) != want.recent {
			t.Errorf("command %d: got %+v, %+v", i, d, got[i].Recent)
		}
	}
	if r := got[0].Recent[0]; r != (drop.Recent{ID: first.ID, Username: "Ann", CreatedAt: opened}) {
		t.Errorf("recent: %+v", r)
	}
	if d := got[5].Drop; !reflect.DeepEqual(*d, b.drop) {
		t.Errorf("the last answer %+v is not the drop, %+v", d, b.drop)
	}
}

func TestOperator_IsAnsweredWithoutAChangeToo(t *testing.T) {
	b := newBook(plain(5))
	b.do(opened, drop.Pause{})
	before := b.drop
	for _, c := range []drop.Command{drop.Pause{}, drop.Edit{}, drop.Edit{Name: new("Air Test")}} {
		if r := b.do(opened+1, c); r.Err != nil || r.Drop == nil || !reflect.DeepEqual(*r.Drop, before) {
			t.Errorf("%+v: got %+v, want %+v", c, r.Drop, before)
		}
	}
	if r := b.do(opened+1, drop.Restock{}); r.Err == nil || r.Drop != nil || r.Recent != nil {
		t.Errorf("a refusal with an answer: %+v", r)
	}
}

func TestNeedOf(t *testing.T) {
	got := drop.NeedOf([]drop.Command{
		drop.Reserve{User: 3}, drop.Reserve{User: 3}, drop.Cancel{Reservation: 5}, drop.Expire{},
	})
	if want := (drop.Need{Users: []drop.UserID{3, 3}, Reservations: []drop.Wanted{{ID: 5}}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, c := range []drop.Command{drop.Restock{}, drop.Pause{}, drop.Resume{}, drop.Edit{}} {
		if got, want := drop.NeedOf([]drop.Command{c}), (drop.Need{Recent: true}); !reflect.DeepEqual(got, want) {
			t.Errorf("%T: got %+v, want %+v", c, got, want)
		}
	}
	a, z := drop.NewKey("", "op", "a", "1"), drop.NewKey("ann", "op", "z", "2")
	got = drop.NeedOf([]drop.Command{
		drop.Keyed{Key: a, Command: drop.Reserve{User: 3}},
		drop.Expire{},
		drop.Keyed{Key: z, Command: drop.Edit{LimitPerUser: new(2)}},
		drop.Keyed{Key: a, Command: drop.Cancel{Reservation: 5}},
	})
	want := drop.Need{
		Users: []drop.UserID{3}, Limits: true, Reservations: []drop.Wanted{{ID: 5}}, Recent: true, Keys: []drop.Key{a, z, a},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	got = drop.NeedOf([]drop.Command{drop.MakePurchase{Reservation: 6}, drop.Edit{LimitPerUser: new(0)}})
	if want := (drop.Need{Limits: true, Reservations: []drop.Wanted{{ID: 6}}, Recent: true}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestSpec_Create(t *testing.T) {
	spec := sized(2, "10", "9")
	spec.Sizes[1].Stock, spec.ImageURL, spec.LimitPerUser = 0, "/i.png", 3
	s, c := spec.Create(9, opened, drop.BatchID{4})
	want := drop.Drop{
		ID:        9,
		Version:   1,
		CreatedAt: opened,
		Sizes:     []drop.Size{{Label: "10", Stock: drop.Stock{Total: 2, Available: 2}}, {Label: "9"}},
		Settings:  drop.Settings{Name: spec.Name, Price: spec.Price, StartTime: opened, ImageURL: "/i.png", LimitPerUser: 3, OfferFor: 600, MaxWaiting: 10_000},
	}
	if !reflect.DeepEqual(s.Drop, want) || s.Seq != 2 || s.LastAt != opened || s.Batch != (drop.BatchID{4}) {
		t.Errorf("got %+v", s)
	}
	ledger := []drop.LedgerEntry{
		{Seq: 1, Batch: drop.BatchID{4}, At: opened, Size: "10", Reason: drop.Created, Units: 2, Available: 2, Version: 1},
		{Seq: 2, Batch: drop.BatchID{4}, At: opened, Size: "9", Reason: drop.Created, Version: 1},
	}
	if !reflect.DeepEqual(c.Ledger, ledger) || !reflect.DeepEqual(c.Sizes, []int{0, 1}) {
		t.Errorf("got %+v", c)
	}
	if r := c.Revision; r == nil || r.Version != 1 || r.Seq != 2 || r.At != opened || r.Settings != drop.EncodeSettings(&want.Settings, nil) {
		t.Errorf("revision %+v", r)
	}
	p := plain(0)
	if s, _ := p.Create(9, opened, drop.BatchID{4}); len(s.Sizes) != 1 || s.Sizes[0].Label != "" || s.Sized() || s.Seq != 1 {
		t.Errorf("without sizes: %+v", s)
	}
}
