package storetest

import (
	"errors"
	"math"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var bookTests = []test{
	{"Purchases_ByPages", purchasesByPages},
	{"Purchases_WithTheirBuyers", purchasesWithBuyers},
	{"NewestPurchases_ByPages", newestPurchasesByPages},
	{"PurchasesOf_ReservationsOfManyDrops", purchasesOfReservations},
	{"Ledger_ByPages", ledgerByPages},
	{"Pages_UnknownDropIsRefused", pagesOfNoDrop},
	{"ReadBooks_AllThatIsRecorded", readBooksAll},
	{"ReadBooks_OfADraw", readBooksOfADraw},
	{"ReadBooks_UnknownDropIsRefused", readBooksOfNoDrop},
	{"ReadBooks_ReturnsTheReadersErrorAsItIs", readBooksReturnsError},
	{"ReadBooks_OfOneMoment", readBooksOfOneMoment},
	{"ReadBooks_LetsBatchesGoOn", readBooksLetsBatchesGoOn},
}

// books is what ReadBooks returned.
type books struct {
	head         header
	heads        int
	entries      []drop.LedgerEntry
	reservations []drop.Reservation
	purchases    []drop.Purchase
	waits        []drop.Entry
	draws        []store.Draw
	drawEntries  []drop.DrawEntry
	passes       []drop.Pass
}

func (b *books) reader() store.Books {
	return store.Books{
		Head: func(s *drop.State) error {
			b.head = headerOf(s)
			b.heads++
			return nil
		},
		Entry:       keep(&b.entries),
		Reservation: keep(&b.reservations),
		Purchase:    keep(&b.purchases),
		Draw:        keep(&b.draws),
		DrawEntry:   keep(&b.drawEntries),
		Pass:        keep(&b.passes),
		Waits:       keep(&b.waits),
	}
}

func keep[T any](list *[]T) func(T) error {
	return func(one T) error {
		*list = append(*list, one)
		return nil
	}
}

func (f *fixture) books(id drop.ID) *books {
	f.Helper()
	var b books
	if err := f.ReadBooks(f.ctx, id, b.reader()); err != nil {
		f.Fatalf("ReadBooks(%d): %v", id, err)
	}
	return &b
}

// limits are page sizes around that many existing rows.
func limits(n int) []int { return []int{1, 2, n - 1, n, n + 1, 10_000} }

func purchasesByPages(f *fixture) {
	id, other := f.create(plain(20)), f.create(plain(20))
	var want []store.Sale
	for i := range drop.Time(12) { // numbered in the order of purchase, not of reservation
		f.buy(f.reserve(other, base, drop.Reserve{User: 3}), base)
		a, b := f.reserve(id, base, drop.Reserve{User: 1, Size: "note"}), f.reserve(id, base, drop.Reserve{User: 2})
		p := f.buy([]drop.Reservation{a, b}[i%2], base+i)
		want = append(want, store.Sale{Purchase: p, Username: drop.UnknownUsername})
		f.run(id, base+i, drop.Cancel{Reservation: a.ID}, drop.Cancel{Reservation: b.ID})
	}
	for _, limit := range limits(len(want)) {
		var got []store.Sale
		for after := drop.PurchaseID(0); ; {
			page, err := f.Purchases(f.ctx, id, after, limit)
			if err != nil || len(page) > limit {
				f.Fatalf("Purchases after %d, at most %d: %d, %v", after, limit, len(page), err)
			}
			if len(page) == 0 || len(got) > len(want) {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].ID
		}
		equal(f, "all pages", got, want)
	}
	for after, n := range map[drop.PurchaseID]int{
		-1: 12, math.MinInt64: 12, want[10].ID: 1, want[11].ID: 0, math.MaxInt64: 0, drop.NewPurchaseID(other, 1): 0,
	} {
		if page, err := f.Purchases(f.ctx, id, after, 100); err != nil || len(page) != n {
			f.Errorf("Purchases after %d: %d, %v; want %d", after, len(page), err, n)
		}
	}
	if page, err := f.Purchases(f.ctx, f.create(plain(1)), 0, 100); err != nil || len(page) != 0 {
		f.Errorf("Purchases of a drop without any: %v, %v", page, err)
	}
}

func purchasesWithBuyers(f *fixture) {
	ann, bob := f.ensure("Ann", "Ann.Ü@example.com"), f.ensure("Bob", "")
	id := f.create(sized(9, "ü 9½"))
	var want []store.Sale
	for _, u := range []drop.User{ann, bob, {ID: 77, Username: drop.UnknownUsername}, ann} {
		p := f.buy(f.reserve(id, base, drop.Reserve{User: u.ID, Size: "ü 9½"}), base+1)
		want = append(want, store.Sale{Purchase: p, Username: u.Username, Email: u.Email})
	}
	got, err := f.Purchases(f.ctx, id, 0, 100)
	if err != nil {
		f.Fatalf("Purchases: %v", err)
	}
	equal(f, "Purchases", got, want)
}

// newestPurchasesByPages compares the pages from the newest on with those from the oldest on.
func newestPurchasesByPages(f *fixture) {
	ann := f.ensure("Ann", "ann@example.com")
	before, id, after := f.create(plain(20)), f.create(plain(20)), f.create(plain(20))
	for i := range drop.Time(12) {
		for _, of := range []drop.ID{before, id, after} {
			f.buy(f.reserve(of, base, drop.Reserve{User: []drop.UserID{ann.ID, 3}[i%2], Size: "note"}), base+i)
		}
	}
	want, err := f.Purchases(f.ctx, id, 0, 100)
	if err != nil || len(want) != 12 {
		f.Fatalf("Purchases: %d, %v", len(want), err)
	}
	slices.Reverse(want)
	for _, limit := range limits(len(want)) {
		var got []store.Sale
		for at := drop.PurchaseID(0); ; {
			page, err := f.NewestPurchases(f.ctx, id, at, limit)
			if err != nil || len(page) > limit {
				f.Fatalf("NewestPurchases before %d, at most %d: %d, %v", at, limit, len(page), err)
			}
			if len(page) == 0 || len(got) > len(want) {
				break
			}
			got = append(got, page...)
			at = page[len(page)-1].ID
		}
		equal(f, "all pages", got, want)
	}
	for at, n := range map[drop.PurchaseID]int{
		-1: 12, math.MinInt64: 12, 1: 0, want[10].ID: 1, want[11].ID: 0, want[0].ID + 1: 12, math.MaxInt64: 12, drop.NewPurchaseID(before, 12): 0, drop.NewPurchaseID(after, 1): 12,
	} {
		if page, err := f.NewestPurchases(f.ctx, id, at, 100); err != nil || len(page) != n {
			f.Errorf("NewestPurchases before %d: %d, %v; want %d", at, len(page), err, n)
		}
	}
	for _, limit := range []int{0, -1, math.MinInt64} {
		if page, err := f.NewestPurchases(f.ctx, id, 0, limit); err != nil || len(page) != 0 {
			f.Errorf("NewestPurchases, at most %d: %d, %v", limit, len(page), err)
		}
	}
	if page, err := f.NewestPurchases(f.ctx, f.create(plain(1)), 0, 100); err != nil || len(page) != 0 {
		f.Errorf("NewestPurchases of a drop without any: %v, %v", page, err)
	}
}

func purchasesOfReservations(f *fixture) {
	var want []drop.Purchase
	var of []drop.ReservationID
	for range 3 {
		id := f.create(plain(20))
		unpaid := f.reserve(id, base, drop.Reserve{User: 1})
		paid, other := f.reserve(id, base, drop.Reserve{User: 1}), f.reserve(id, base, drop.Reserve{User: 2})
		f.buy(other, base)
		want = append(want, f.buy(paid, base+1))
		of = append(of, paid.ID, unpaid.ID)
	}
	got, err := f.PurchasesOf(f.ctx, append(of, drop.NewReservationID(9, 1)))
	if err != nil {
		f.Fatalf("PurchasesOf: %v", err)
	}
	equal(f, "PurchasesOf", got, want)
	if got, err := f.PurchasesOf(f.ctx, nil); err != nil || len(got) != 0 {
		f.Errorf("PurchasesOf none: %v, %v", got, err)
	}
}

func ledgerByPages(f *fixture) {
	id, other := f.create(sized(20, "9", "ü 8½")), f.create(plain(20))
	var want []drop.LedgerEntry
	want = append(want, f.books(id).entries...) // two created
	equal(f, "the creation", []drop.LedgerEntry{
		{Seq: 1, Batch: want[0].Batch, At: want[0].At, Size: "9", Reason: drop.Created, Units: 20, Available: 20, Version: 1},
		{Seq: 2, Batch: want[0].Batch, At: want[0].At, Size: "ü 8½", Reason: drop.Created, Units: 20, Available: 20, Version: 1},
	}, want)
	for i := range drop.Time(4) {
		f.reserve(other, base, drop.Reserve{User: 1})
		d := at(base+i*minute, drop.Reserve{User: 1, Size: "9", Hold: time.Second}, drop.Restock{Add: -1, Size: "9"},
			drop.Reserve{User: 2, Size: "ü 8½", Hold: time.Second}, drop.Restock{Add: 2, Size: "ü 8½"})
		f.commit(id, drop.NeedOf(d.cmds), d)
		want = append(want, d.changes.Ledger...)
	}
	for _, limit := range limits(len(want)) {
		var got []drop.LedgerEntry
		for after := drop.Seq(0); ; {
			page, err := f.Ledger(f.ctx, id, after, limit)
			if err != nil || len(page) > limit {
				f.Fatalf("Ledger after %d, at most %d: %d, %v", after, limit, len(page), err)
			}
			if len(page) == 0 || len(got) > len(want) {
				break
			}
			got = append(got, page...)
			after = page[len(page)-1].Seq
		}
		equal(f, "all pages", got, want)
	}
	for i := range want {
		equal(f, "Seq", want[i].Seq, drop.Seq(i+1))
	}
	if page, err := f.Ledger(f.ctx, id, math.MaxInt64, 100); err != nil || len(page) != 0 {
		f.Errorf("Ledger after its end: %v, %v", page, err)
	}
}

func pagesOfNoDrop(f *fixture) {
	f.create(plain(1))
	for _, id := range []drop.ID{0, -1, 2, drop.MaxID, math.MaxInt64} {
		_, err := f.Purchases(f.ctx, id, 0, 10)
		refused(f, "Purchases", err, drop.CodeDropNotFound)
		_, err = f.NewestPurchases(f.ctx, id, 0, 10)
		refused(f, "NewestPurchases", err, drop.CodeDropNotFound)
		_, err = f.Ledger(f.ctx, id, 0, 10)
		refused(f, "Ledger", err, drop.CodeDropNotFound)
	}
}

func readBooksAll(f *fixture) {
	f.ensure("Ann", "")
	id, other := f.create(sized(9, "9", "8")), f.create(plain(9))
	f.buy(f.reserve(other, base, drop.Reserve{User: 1}), base)
	first := f.reserve(id, base, drop.Reserve{User: 1, Size: "9", Hold: time.Second})
	second := f.reserve(id, base, drop.Reserve{User: 1, Size: "8", Hold: never})
	third := f.reserve(id, base, drop.Reserve{User: 2, Size: "8"})
	p := f.buy(third, base+5)
	f.run(id, base+1500, drop.Pause{})
	first.Status, first.EndedAt = drop.Expired, base+1500
	third.Status, third.EndedAt = drop.Completed, base+5

	got := f.books(id)
	equal(f, "heads", got.heads, 1)
	want := f.load(id, drop.Need{})
	equal(f, "the head", got.head, want)
	equal(f, "the reservations", got.reservations, []drop.Reservation{first, second, third})
	equal(f, "the purchases", got.purchases, []drop.Purchase{p})
	entries, err := f.Ledger(f.ctx, id, 0, 1000)
	if err != nil {
		f.Fatalf("Ledger: %v", err)
	}
	equal(f, "the ledger", got.entries, entries)
	equal(f, "entries", len(entries), int(want.Seq))
	equal(f, "a drop of which nothing happened", f.books(f.create(plain(1))).reservations, nil)
}

func readBooksOfADraw(f *fixture) {
	id, other, none := f.drawn(sized(2, "8", "9")), f.drawn(plain(1)), f.create(plain(1))
	f.enter(other, 5)
	a := f.enter(id, 5, "9", "8")
	f.enter(id, 6, "8")
	c := f.enter(id, 7, "9")
	b := *f.run(id, base+2, drop.Withdraw{User: 6})[0].DrawEntry
	c = *f.run(id, base+3, drop.Remove{Entry: c.ID, Reason: "a second account"})[0].DrawEntry
	kept, _, err := f.Draw(f.ctx, id)
	if err != nil {
		f.Fatalf("Draw: %v", err)
	}
	got := f.books(id)
	equal(f, "the draw", got.draws, []store.Draw{kept})
	equal(f, "its entries", got.drawEntries, []drop.DrawEntry{a, b, c})
	without := f.books(none)
	equal(f, "without a draw", len(without.draws)+len(without.drawEntries), 0)
}

func readBooksOfNoDrop(f *fixture) {
	f.create(plain(1))
	for _, id := range []drop.ID{0, -1, 2, drop.MaxID, math.MaxInt64} {
		var b books
		refused(f, "ReadBooks", f.ReadBooks(f.ctx, id, b.reader()), drop.CodeDropNotFound)
		equal(f, "what the reader got", b, books{})
	}
}

func readBooksReturnsError(f *fixture) {
	id := f.create(plain(9))
	for range 3 {
		f.buy(f.reserve(id, base, drop.Reserve{User: 1}), base)
	}
	f.access(id, 0, drop.Access{Uses: 1, Ends: base + minute}, 1, 2)
	mine := errors.New("a reader's own")
	type spoil func(b *store.Books, fail func() error)
	for what, set := range map[string]spoil{
		"head":  func(b *store.Books, fail func() error) { b.Head = func(*drop.State) error { return fail() } },
		"entry": func(b *store.Books, fail func() error) { b.Entry = func(drop.LedgerEntry) error { return fail() } },
		"reservation": func(b *store.Books, fail func() error) {
			b.Reservation = func(drop.Reservation) error { return fail() }
		},
		"purchase": func(b *store.Books, fail func() error) { b.Purchase = func(drop.Purchase) error { return fail() } },
		"pass":     func(b *store.Books, fail func() error) { b.Pass = func(drop.Pass) error { return fail() } },
	} {
		var b books
		reader, calls := b.reader(), 0
		set(&reader, func() error { calls++; return mine })
		if err := f.ReadBooks(f.ctx, id, reader); err != mine { //nolint:errorlint // as it is: not wrapped
			f.Errorf("ReadBooks whose reader refuses a %s: %v", what, err)
		}
		equal(f, "calls after the refusal of a "+what, calls, 1)
	}
	f.reserve(id, base, drop.Reserve{User: 1}) // and the store is well
	equal(f, "reservations", len(f.books(id).reservations), 4)
}

// readBooksOfOneMoment reads while a writer moves units: head and rows must show the same moment.
func readBooksOfOneMoment(f *fixture) {
	const reads = 20
	id := f.create(plain(drop.MaxStock - 100_000))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range reads {
			var b books
			if err := f.ReadBooks(f.ctx, id, b.reader()); err != nil {
				f.Errorf("ReadBooks: %v", err)
			}
			f.agree(&b)
		}
	}()
	n := 0
	for reading := true; reading; n++ {
		select {
		case <-done:
			reading = false
		default:
		}
		at := base + drop.Time(n)
		made := f.run(id, at, drop.Reserve{User: 1, Hold: never}, drop.Reserve{User: 2, Hold: never})
		f.run(id, at, drop.MakePurchase{Reservation: made[0].Reservation.ID}, drop.Restock{Add: 1})
	}
	b := f.books(id)
	f.agree(b)
	equal(f, "purchases at the end", len(b.purchases), n)
}

func (f *fixture) agree(b *books) {
	f.Helper()
	var counted drop.Stock
	for _, e := range b.entries {
		if err := counted.Post(e.Reason, e.Units); err != nil {
			f.Errorf("entry %d: %v", e.Seq, err)
		}
	}
	held := int64(0)
	for _, r := range b.reservations {
		if r.Status == drop.Active {
			held++
		}
	}
	stock := b.head.Drop.Sizes[0].Stock
	if counted != stock || held != stock.Held || int64(len(b.purchases)) != stock.Sold ||
		int(b.head.Seq) != len(b.entries) || int(b.head.Reserved) != len(b.reservations) || int(b.head.Purchased) != len(b.purchases) {
		f.Errorf("the records are not of one moment: head %+v, %d entries that make %+v, %d of %d reservations held, %d purchases",
			b.head, len(b.entries), counted, held, len(b.reservations), len(b.purchases))
	}
	if !slices.IsSortedFunc(b.reservations, func(x, y drop.Reservation) int { return int(x.ID - y.ID) }) {
		f.Error("reservations are not in ascending order")
	}
}

// readBooksLetsBatchesGoOn runs batches from within the reader. If ReadBooks held the lock, it would wait for itself.
func readBooksLetsBatchesGoOn(f *fixture) {
	id := f.create(plain(9))
	f.buy(f.reserve(id, base, drop.Reserve{User: 1}), base)
	var b books
	reader := b.reader()
	head := reader.Head
	reader.Head = func(s *drop.State) error {
		f.buy(f.reserve(id, base, drop.Reserve{User: 2}), base)
		return head(s)
	}
	entry := reader.Entry
	reader.Entry = func(e drop.LedgerEntry) error {
		f.run(id, base, drop.Reserve{User: 3, Hold: time.Minute})
		return entry(e)
	}
	if err := f.ReadBooks(f.ctx, id, reader); err != nil {
		f.Fatalf("ReadBooks: %v", err)
	}
	f.agree(&b)
	equal(f, "purchases as of the moment", len(b.purchases), 1)
	equal(f, "reservations now", len(f.books(id).reservations), 5)
}
