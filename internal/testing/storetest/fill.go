package storetest

import (
	"errors"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var fillTests = []test{
	{"Fill_KeepsNumbersWithGaps", fillKeepsNumbers},
	{"Fill_LaterNumbersAreAbove", fillLaterNumbers},
	{"Fill_KeepsEveryRowAsGiven", fillKeepsRows},
	{"Fill_TakesCopies", fillTakesCopies},
	{"Fill_BatchesGoOnFromThere", fillBatchesGoOn},
	{"Fill_NothingIntoAnEmptyStore", fillNothing},
	{"Fill_NotEmptyChangesNothing", fillNotEmpty},
	{"Fill_ReplaceDeletesEverything", fillReplaces},
	{"Fill_AllOrNothing", fillAllOrNothing},
	{"Fill_MoreRowsThanOneStatementTakes", fillMany},
}

// sample has users and drops with gaps in their numbers, and not in ascending order.
func sample() ([]drop.User, []store.Filled) {
	users := []drop.User{
		{ID: 4, Username: "Dora", Email: "dora@example.com"},
		{ID: 1, Username: "Ann", Email: "ann@example.com"},
		{ID: 2, Username: "Bob", Email: "bob@example.com", PublicName: "Bob B."},
		{ID: 77, Username: "Ann", Email: "ann2@example.com"},
		{ID: 3, Username: "Carol"},
	}
	var drops []store.Filled
	for i, spec := range []drop.Spec{plain(1), sized(2, "9", "8", "10"), limited(plain(3), 1), plain(0), sized(5, "1")} {
		state, changes := spec.Create([]drop.ID{2, 3, 1, 40, 7}[i], base-10*minute+drop.Time(i), drop.BatchID{9, byte(i)})
		drops = append(drops, store.Filled{State: state, Changes: changes})
	}
	return users, append(drops, used())
}

// used is a drop with a history: two holds, one of which is over by any clock, and one reservation of each ended
// status.
func used() store.Filled {
	const id = 12
	spec := sized(5, "9", "ü 8½")
	spec.ImageURL, spec.LimitPerUser, spec.MaxExpiredHolds = "/a.png", 3, 50
	state, changes := spec.Create(id, base-minute, drop.BatchID{1})
	state.Paused, state.Hidden, state.Version, state.LastAt, state.Batch = true, true, 99, base+5, drop.BatchID{3}
	state.Sizes[0].Stock = drop.Stock{Total: 5, Available: 2, Held: 2, Sold: 1}
	state.Sizes[1].Stock = drop.Stock{Total: 5, Available: 4, Sold: 1}
	state.Reserved, state.Purchased = 30, 20
	state.Accesses = []drop.Access{
		{Name: "ü", List: true, Emails: true, Starts: base - 2*minute, Uses: 1, Passes: 1},
		{Sizes: []int{1}, Starts: base - minute, Ends: base, Uses: 5, PerBuyer: 2, Units: 3, Kept: []int64{0, 0}, Passes: 9, Used: 1},
	}
	changes.Passes = []drop.Pass{{ID: drop.NewPassID(id, 1, 1), Hash: drop.Hash{1}}, {ID: drop.NewPassID(id, 2, 7), Hash: drop.Hash{31: 9}, Used: 1}}
	for _, r := range []drop.Reservation{
		{UserID: 1, Size: "9", Status: drop.Active, ExpiresAt: base + minute},
		{UserID: 2, Size: "9", Status: drop.Completed, ExpiresAt: base + minute, EndedAt: base + 3},
		{UserID: 2, Size: "9", Status: drop.Expired, ExpiresAt: base + 2, EndedAt: base + 4},
		{UserID: 900, Size: "9", Status: drop.Cancelled, ExpiresAt: base + minute, EndedAt: base + 2},
		{UserID: 900, Size: "9", Status: drop.Active, ExpiresAt: base.Add(never)},
		{UserID: 900, Size: "ü 8½", Status: drop.Completed, ExpiresAt: base + minute, EndedAt: base + 5, Payment: 8, Claim: drop.NewReservationID(id, 30), Pass: drop.NewPassID(id, 2, 7)},
	} {
		r.ID, r.CreatedAt = drop.NewReservationID(id, uint32(5*len(changes.Made)+5)), base+drop.Time(len(changes.Made))
		changes.Made = append(changes.Made, &r)
	}
	for i, r := range []*drop.Reservation{changes.Made[1], changes.Made[5]} {
		changes.Purchases = append(changes.Purchases, drop.Purchase{
			ID: drop.NewPurchaseID(id, uint32(7*i+9)), ReservationID: r.ID, UserID: r.UserID, Size: r.Size,
			Price: drop.Money(100 + i), CreatedAt: r.EndedAt, Return: drop.Return(2 * i), ReturnedAt: drop.Time(i) * r.EndedAt,
		})
	}
	for _, e := range []drop.LedgerEntry{
		{Size: "9", Reason: drop.Reserved, Units: 5, Available: 0},
		{Size: "ü 8½", Reason: drop.Reserved, Units: 1, Available: 4},
		{Size: "9", Reason: drop.ReservationCancelled, Units: 1, Available: 1},
		{Size: "9", Reason: drop.Restocked, Units: -1},
		{Size: "9", Reason: drop.ReservationExpired, Units: 1, Available: 2},
		{Size: "9", Reason: drop.Purchased, Units: 1, Available: 2},
	} {
		e.Seq, e.Batch, e.At = drop.Seq(len(changes.Ledger)+1), drop.BatchID{2, byte(len(changes.Ledger))}, base+5
		changes.Ledger = append(changes.Ledger, e)
	}
	state.Seq = drop.Seq(len(changes.Ledger))
	return store.Filled{State: state, Changes: changes}
}

func (f *fixture) fill(replace bool) {
	f.Helper()
	users, drops := sample()
	if err := store.Fill(f.ctx, f, users, drops, replace); err != nil {
		f.Fatalf("Fill: %v", err)
	}
}

func (f *fixture) wantSample() {
	f.Helper()
	users, drops := sample()
	for _, want := range users {
		got, err := f.User(f.ctx, want.ID)
		if err != nil {
			f.Errorf("User(%d): %v", want.ID, err)
		}
		equal(f, "a filled user", got, want)
	}
	list, err := f.Drops(f.ctx)
	if err != nil {
		f.Fatalf("Drops: %v", err)
	}
	var ids []drop.ID
	for _, s := range list {
		ids = append(ids, s.Drop.ID)
	}
	equal(f, "numbers of drops", ids, []drop.ID{1, 2, 3, 7, 12, 40})
	for _, d := range drops {
		f.wantFilled(d)
	}
}

// wantFilled checks that a drop has everything that it was filled with.
func (f *fixture) wantFilled(d store.Filled) {
	f.Helper()
	books := f.books(d.State.ID)
	equal(f, "the head", books.head, headerOf(d.State))
	equal(f, "the ledger", books.entries, d.Changes.Ledger)
	equal(f, "the reservations", books.reservations, values(d.Changes.Made))
	equal(f, "the purchases", books.purchases, d.Changes.Purchases)
	equal(f, "the passes", books.passes, d.Changes.Passes)
	equal(f, "as a batch sees it", f.load(d.State.ID, drop.Need{}), headerOf(d.State))
	if !f.committed(d.State.ID, d.State.Batch, 0) {
		f.Errorf("drop %d was filled under no batch", d.State.ID)
	}
}

func fillKeepsNumbers(f *fixture) {
	f.fill(false)
	f.wantSample()
	pulse, err := f.Pulse(f.ctx)
	if err != nil {
		f.Fatalf("Pulse: %v", err)
	}
	equal(f, "Pulse", pulse.Drops, []store.DropPulse{
		{ID: 1, Version: 1},
		{ID: 2, Version: 1},
		{ID: 3, Version: 1},
		{ID: 7, Version: 1},
		{ID: 12, Version: 99, Deadline: base + minute},
		{ID: 40, Version: 1},
	})
	for _, id := range []drop.ID{4, 8, 39, 41} {
		_, err := f.Drop(f.ctx, id)
		refused(f, "a number in a gap", err, drop.CodeDropNotFound)
	}
}

func fillLaterNumbers(f *fixture) {
	f.fill(false)
	equal(f, "the next drop", f.create(plain(1)), 41)
	equal(f, "the one after it", f.create(plain(1)), 42)
	got, _, err := f.EnsureUser(f.ctx, "", "ANN2@example.com", drop.Key{})
	if err != nil || got.ID != 77 {
		f.Errorf("a filled buyer by email: %+v, %v", got, err)
	}
	got, _, err = f.EnsureUser(f.ctx, "Ann", "", drop.Key{})
	if err != nil || got.ID != 1 {
		f.Errorf("a filled buyer by name, the lowest number first: %+v, %v", got, err)
	}
	f.ensure("Eve", "eve@example.com")
	f.ensure("Frank", "")

	// Numbers that an earlier database gave out: those given out later are above them.
	high := drop.FirstAllocatedUser + 500
	if err := store.Fill(f.ctx, f, []drop.User{{ID: high, Username: "Zoe"}, {ID: 5, Username: "Yan"}}, nil, true); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	if u := f.ensure("Xi", ""); u.ID <= high {
		f.Errorf("a new buyer has number %d, not above %d", u.ID, high)
	}
	equal(f, "the first drop of a store without drops", f.create(plain(1)), 1)
}

func fillKeepsRows(f *fixture) {
	f.fill(false)
	_, drops := sample()
	d := drops[len(drops)-1]
	s := f.snapshot(d.State.ID)
	equal(f, "the snapshot", s, store.Snapshot{
		Drop: d.State.Drop, Purchased: 20, Deadline: base + minute,
		Recent: []drop.Recent{
			{ID: d.Changes.Purchases[1].ID, Username: drop.UnknownUsername, CreatedAt: base + 5},
			{ID: d.Changes.Purchases[0].ID, Username: "Bob", PublicName: "Bob B.", CreatedAt: base + 3},
		},
	})
	for _, user := range []drop.UserID{1, 2, 900} {
		var want []drop.Reservation
		for _, r := range d.Changes.Made {
			if r.UserID == user {
				want = append([]drop.Reservation{*r}, want...)
			}
		}
		got := f.reservations(user)
		if user == 1 && len(got) == 1 { // its hold is over by the clock
			want[0].Status, want[0].EndedAt = drop.Expired, got[0].EndedAt
		}
		equal(f, "reservations", got, want)
	}
}

// fillTakesCopies: the caller's data stays the caller's, and the store's rows stay the store's.
func fillTakesCopies(f *fixture) {
	users, mine := sample()
	if err := store.Fill(f.ctx, f, users, mine, false); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	d := mine[len(mine)-1]
	id := d.State.ID
	f.run(id, base+minute, drop.Resume{}, drop.Reserve{User: 5, Size: "9", Hold: never})
	_, fresh := sample()
	equal(f, "what was handed in, after a batch", mine, fresh)
	before := f.books(id)
	d.State.Sizes[0].Stock.Available, d.Changes.Made[0].UserID, d.Changes.Made[0].Size = 99, 99, "mine"
	d.State.Accesses[1].Sizes[0], d.State.Accesses[1].Kept[1], d.Changes.Passes[0].Used = 0, 99, 99
	d.Changes.Ledger[0].Units, d.Changes.Purchases[0].Price, users[0].Username = 99, 99, "mine"
	equal(f, "the books", f.books(id), before)
}

func fillBatchesGoOn(f *fixture) {
	f.fill(false)
	_, drops := sample()
	made := drops[len(drops)-1].Changes.Made
	const id = 12
	r := f.run(id, base+minute, drop.Resume{}, drop.MakePurchase{Reservation: made[1].ID}, drop.MakePurchase{Reservation: made[3].ID},
		drop.MakePurchase{Reservation: made[4].ID}, drop.Reserve{User: 900, Size: "9", Hold: never}, drop.Reserve{User: 900, Size: "9", Hold: never})
	equal(f, "bought before", r[1].Purchase, drops[len(drops)-1].Changes.Purchases[0])
	equal(f, "cancelled before", refusal(r[2]), drop.CodeReservationCancelled)
	equal(f, "the next purchase", r[3].Purchase.ID, drop.NewPurchaseID(id, 21))
	equal(f, "the next reservation", r[4].Reservation.ID, drop.NewReservationID(id, 31))
	equal(f, "over the limit, with what was filled", refusal(r[5]), drop.CodeLimitReached)
	h := f.load(id, drop.Need{})
	equal(f, "stock", h.Drop.Sizes[0].Stock, drop.Stock{Total: 5, Available: 2, Held: 1, Sold: 2})
	equal(f, "Version", h.Drop.Version, 100)
	equal(f, "Seq", h.Seq, drops[len(drops)-1].State.Seq+3) // one expired, one reserved, one purchased
}

func fillNothing(f *fixture) {
	for _, replace := range []bool{false, true, false} {
		if err := store.Fill(f.ctx, f, nil, nil, replace); err != nil {
			f.Errorf("Fill with nothing: %v", err)
		}
	}
	equal(f, "the first drop", f.create(plain(1)), 1)
}

func fillNotEmpty(f *fixture) {
	users, drops := sample()
	f.ensure("Zoe", "") // a single user is enough to make the database not empty
	if err := store.Fill(f.ctx, f, users, drops, false); !errors.Is(err, store.ErrNotEmpty) {
		f.Errorf("Fill with a user there: %v, want ErrNotEmpty", err)
	}
	if list, err := f.Drops(f.ctx); err != nil || len(list) != 0 {
		f.Errorf("drops after a refused fill: %v, %v", list, err)
	}
	f.fill(true)
	if err := store.Fill(f.ctx, f, users[:1], drops[:1], false); !errors.Is(err, store.ErrNotEmpty) {
		f.Errorf("Fill with all there: %v, want ErrNotEmpty", err)
	}
	f.wantSample()
	if err := store.Fill(f.ctx, f, nil, drops[:1], true); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	if err := store.Fill(f.ctx, f, users, drops, false); !errors.Is(err, store.ErrNotEmpty) {
		f.Errorf("Fill with a drop there: %v, want ErrNotEmpty", err)
	}
	_, err := f.User(f.ctx, 1)
	refused(f, "a user after a refused fill", err, drop.CodeUserNotFound)
}

func fillReplaces(f *fixture) {
	zoe := f.ensure("Zoe", "zoe@example.com")
	for range 9 {
		f.create(plain(5))
	}
	f.buy(f.reserve(1, base, drop.Reserve{User: zoe.ID}), base)
	f.reserve(1, base, drop.Reserve{User: zoe.ID, Hold: never})
	f.reserve(9, base, drop.Reserve{User: zoe.ID, Hold: never})
	key := drop.NewKey("", "pause", "k", "1")
	f.run(1, base, drop.Keyed{Key: key, Command: drop.Pause{}})
	if _, _, err := f.CreateDrop(f.ctx, plain(1), newBatch(), key); err != nil {
		f.Fatalf("CreateDrop: %v", err)
	}
	f.fill(true)
	f.wantSample()
	_, err := f.User(f.ctx, zoe.ID)
	refused(f, "a user of before", err, drop.CodeUserNotFound)
	_, err = f.Drop(f.ctx, 9)
	refused(f, "a drop of before", err, drop.CodeDropNotFound)
	equal(f, "reservations of before", len(f.reservations(zoe.ID)), 0)

	// The new drops' numbers start again, in spite of the earlier rows.
	r := f.reserve(1, base, drop.Reserve{User: 2, Hold: time.Minute})
	equal(f, "the first reservation", r.ID, drop.NewReservationID(1, 1))
	equal(f, "the first purchase", f.buy(r, base).ID, drop.NewPurchaseID(1, 1))
	f.run(1, base, drop.Keyed{Key: key, Command: drop.Pause{}})
	equal(f, "a key of before has its effect again", f.snapshot(1).Drop.Paused, true)
	if s, replayed, err := f.CreateDrop(f.ctx, plain(1), newBatch(), key); err != nil || replayed || s.Drop.ID != 41 {
		f.Errorf("a key without a drop, of before: drop %d, replayed %t, %v", s.Drop.ID, replayed, err)
	}
}

// fillAllOrNothing has one bad row each time, as late as possible.
func fillAllOrNothing(f *fixture) {
	users, _ := sample()
	bad := map[string]func([]drop.User, *store.Filled){
		"a purchase of a reservation twice": func(_ []drop.User, d *store.Filled) {
			d.Changes.Purchases[1].ReservationID = d.Changes.Purchases[0].ReservationID
		},
		"a reservation number twice":  func(_ []drop.User, d *store.Filled) { d.Changes.Made[5].ID = d.Changes.Made[4].ID },
		"a reservation of no status":  func(_ []drop.User, d *store.Filled) { d.Changes.Made[5].Status = 9 },
		"a purchase number twice":     func(_ []drop.User, d *store.Filled) { d.Changes.Purchases[1].ID = d.Changes.Purchases[0].ID },
		"a ledger number twice":       func(_ []drop.User, d *store.Filled) { d.Changes.Ledger[6].Seq = 6 },
		"a size that is not balanced": func(_ []drop.User, d *store.Filled) { d.State.Sizes[1].Stock.Total++ },
		"a size twice":                func(_ []drop.User, d *store.Filled) { d.State.Sizes[1].Label = d.State.Sizes[0].Label },
		"a drop number twice":         func(_ []drop.User, d *store.Filled) { d.State.ID, d.Changes = 40, &drop.Changes{} },
		"a pass twice":                func(_ []drop.User, d *store.Filled) { d.Changes.Passes[1].ID = d.Changes.Passes[0].ID },
		"a pass's hash twice":         func(_ []drop.User, d *store.Filled) { d.Changes.Passes[1].Hash = d.Changes.Passes[0].Hash },
		"an email twice":              func(u []drop.User, _ *store.Filled) { u[4].Email = strings.ToLower(u[2].Email) },
		"a user number twice":         func(u []drop.User, _ *store.Filled) { u[4].ID = u[0].ID },
	}
	try := func(replace bool) {
		for what, spoil := range bad {
			people, drops := sample()
			spoil(people, &drops[len(drops)-1])
			if err := store.Fill(f.ctx, f, people, drops, replace); !isFault(err) {
				f.Errorf("%s: %v, want a *store.Error of ClassFault", what, err)
			}
		}
	}
	try(false)
	for _, u := range users {
		_, err := f.User(f.ctx, u.ID)
		refused(f, "a user of a fill that failed", err, drop.CodeUserNotFound)
	}
	f.fill(false) // the failed attempts left nothing behind
	before := f.picture(12)
	try(true)
	f.wantSample()
	equal(f, "a drop", f.picture(12), before)
}

func fillMany(f *fixture) {
	const n = 20_000
	spec := plain(n)
	state, changes := spec.Create(1, base, drop.BatchID{1})
	for i := range uint32(n) {
		changes.Made = append(changes.Made, &drop.Reservation{
			ID: drop.NewReservationID(1, i+1), UserID: drop.UserID(i + 1), Status: drop.Completed,
			CreatedAt: base, ExpiresAt: base + minute, EndedAt: base + 1,
		})
		changes.Purchases = append(changes.Purchases, drop.Purchase{
			ID: drop.NewPurchaseID(1, i+1), ReservationID: drop.NewReservationID(1, i+1), UserID: drop.UserID(i + 1),
			Price: 5, CreatedAt: base + 1,
		})
	}
	state.Reserved, state.Purchased, state.Sizes[0].Stock = n, n, drop.Stock{Total: n, Sold: n}
	if err := store.Fill(f.ctx, f, nil, []store.Filled{{State: state, Changes: changes}}, false); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	f.wantFilled(store.Filled{State: state, Changes: changes})
}
