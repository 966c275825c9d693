package storetest

import (
	"slices"
	"time"

	"sneakerdrop/internal/drop"
)

var needTests = []test{
	{"Need_UsersCountTowardsTheLimit", usersCountTowardsTheLimit},
	{"Need_UserNamedTwiceCountsOnce", userNamedTwiceCountsOnce},
	{"Need_LimitsLoadsUsersOfADropWithoutLimit", limitsLoadsUsers},
	{"Need_UserWithManyDeadHolds", userWithManyDeadHolds},
	{"Need_UnpaidHoldsCountTowardsTheWait", unpaidHoldsCount},
	{"Need_ReservationsOfTheDropOnly", reservationsOfTheDropOnly},
	{"Need_ReservationsOfTheirOwnerOnly", reservationsOfTheirOwnerOnly},
	{"Need_ReservationsWithTheirBuyersName", reservationsWithTheirBuyersName},
	{"Need_RowsLoadedTwiceChangeTogether", rowsLoadedTwiceChangeTogether},
	{"Need_RecentOnlyWhenAsked", recentOnlyWhenAsked},
	{"Need_DeadlineOnlyWhenAsked", deadlineOnlyWhenAsked},
	{"Due_AllHoldsWhoseTimeIsOver", dueHolds},
	{"Due_EarliestFirstUpToTheLimit", dueEarliestFirst},
}

func usersCountTowardsTheLimit(f *fixture) {
	id := f.create(limited(plain(100), 3))
	other := f.create(limited(plain(100), 3))
	f.reserve(other, base, drop.Reserve{User: 1})
	f.reserve(id, base, drop.Reserve{User: 2})
	bought := f.reserve(id, base, drop.Reserve{User: 1})
	f.buy(bought, base+1)
	cancelled := f.reserve(id, base+2, drop.Reserve{User: 1})
	f.run(id, base+3, drop.Cancel{Reservation: cancelled.ID})
	f.reserve(id, base+4, drop.Reserve{User: 1})
	f.reserve(id, base+5, drop.Reserve{User: 1, Hold: never})
	r := f.run(id, base+6, drop.Reserve{User: 1, Hold: time.Minute}, drop.Reserve{User: 2, Hold: time.Minute})
	if e := r[0].Err; e == nil || e.Code != drop.CodeLimitReached || e.Used != 3 || e.Limit != 3 {
		f.Errorf("a fourth unit: %+v, want limit_reached with 3 of 3 used", r[0])
	}
	if r[1].Err != nil {
		f.Errorf("another user's second unit: %v", r[1].Err)
	}
	if r := f.run(id, base+2*minute, drop.Reserve{User: 1, Hold: time.Minute})[0]; r.Err != nil {
		f.Errorf("after one hold expired: %v", r.Err)
	}
}

func userNamedTwiceCountsOnce(f *fixture) {
	id := f.create(limited(plain(100), 3))
	f.reserve(id, base, drop.Reserve{User: 1})
	d := at(base+1, drop.Reserve{User: 1, Hold: time.Minute}, drop.Reserve{User: 1, Hold: time.Minute},
		drop.Reserve{User: 1, Hold: time.Minute})
	f.commit(id, drop.Need{Users: []drop.UserID{1, 1, 2, 1}}, d)
	for i, want := range []drop.Code{"", "", drop.CodeLimitReached} {
		equal(f, "refusal", refusal(d.results[i]), want)
	}
}

func unpaidHoldsCount(f *fixture) {
	spec := plain(100)
	spec.MaxExpiredHolds = 2
	id, other := f.create(spec), f.create(spec)
	reserve := drop.Reserve{User: 1, Hold: time.Minute}
	for _, d := range []drop.ID{other, other, id} { // they do not count in another drop, or for another user
		f.run(d, base, drop.Cancel{Reservation: f.reserve(d, base, drop.Reserve{User: 1}).ID})
	}
	f.run(id, base, drop.Cancel{Reservation: f.reserve(id, base, drop.Reserve{User: 2}).ID})
	f.buy(f.reserve(id, base, drop.Reserve{User: 1}), base+1)
	expires := f.reserve(id, base+1, drop.Reserve{User: 1, Hold: time.Minute})
	r := f.run(id, base+2+minute, reserve, drop.Reserve{User: 2, Hold: time.Minute})
	until := base + 2 + 2*minute
	if e := r[0].Err; e == nil || e.Code != drop.CodeCooldown || e.RetryAt != until || e.RetryIn != time.Minute {
		f.Errorf("after hold %d expired: %+v, want a wait of a minute", expires.ID, r[0])
	}
	if r[1].Err != nil {
		f.Errorf("a user with one unpaid hold: %v", r[1].Err)
	}
	if got := refusal(f.run(id, until-1, reserve)[0]); got != drop.CodeCooldown {
		f.Errorf("a millisecond before the wait is over: %q", got)
	}
	if r := f.run(id, until, reserve)[0]; r.Err != nil {
		f.Errorf("when the wait is over: %v", r.Err)
	}
	free := f.create(plain(100))
	f.run(free, base, drop.Cancel{Reservation: f.reserve(free, base, drop.Reserve{User: 1}).ID})
	one := 1
	if got := refusal(f.run(free, base+1, drop.Edit{MaxExpiredHolds: &one}, reserve)[1]); got != drop.CodeCooldown {
		f.Errorf("under a rule set in the same batch: %q, want %s", got, drop.CodeCooldown)
	}
}

// Another buyer's reservation is not even loaded: the answer is the same as for a missing one.
func reservationsOfTheirOwnerOnly(f *fixture) {
	id := f.create(plain(100))
	mine, theirs := f.reserve(id, base, drop.Reserve{User: 1, Hold: never}), f.reserve(id, base, drop.Reserve{User: 2, Hold: never}) // never due
	bought := f.reserve(id, base, drop.Reserve{User: 2})
	f.buy(bought, base)
	loaded := func(wanted ...drop.Wanted) []drop.Result {
		d := at(base+1, drop.MakePurchase{Reservation: theirs.ID}, drop.Cancel{Reservation: mine.ID}, drop.MakePurchase{Reservation: bought.ID})
		err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Reservations: wanted}, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			d.decide(s, now)
			return nil
		}})
		if err != nil {
			f.Fatalf("RunBatch: %v", err)
		}
		return d.results
	}
	found := func(what string, results []drop.Result, want ...bool) {
		for i := range want {
			if got := refusal(results[i]) != drop.CodeReservationNotFound; got != want[i] {
				f.Errorf("%s: reservation %d loaded: %t, want %t", what, i, got, want[i])
			}
		}
	}
	all := func(owner drop.UserID) []drop.Wanted {
		return []drop.Wanted{{ID: theirs.ID, Owner: owner}, {ID: mine.ID, Owner: owner}, {ID: bought.ID, Owner: owner}}
	}
	found("anybody's", loaded(all(0)...), true, true, true)
	found("of user 1", loaded(all(1)...), false, true, false)
	found("of user 2", loaded(all(2)...), true, false, true)
	found("of nobody who has one", loaded(all(3)...), false, false, false)
	found("of both", loaded(slices.Concat(all(1), all(2))...), true, true, true)
	r := f.run(id, base+2, drop.MakePurchase{Reservation: theirs.ID, Owner: 1}, drop.MakePurchase{Reservation: theirs.ID, Owner: 2},
		drop.Cancel{Reservation: mine.ID, Owner: 2}, drop.Cancel{Reservation: mine.ID, Owner: 1})
	for i, want := range []drop.Code{drop.CodeReservationNotFound, "", drop.CodeReservationNotFound, ""} {
		equal(f, "in one batch", refusal(r[i]), want)
	}
}

func limitsLoadsUsers(f *fixture) {
	id := f.create(plain(100))
	held := f.reserve(id, base, drop.Reserve{User: 1})
	one := 1
	d := at(base+1, drop.Edit{LimitPerUser: &one}, drop.Reserve{User: 1, Hold: time.Minute})
	f.commit(id, drop.NeedOf(d.cmds), d)
	equal(f, "reserving again under the new limit of 1", d.results[1], drop.Result{Reservation: held})
}

// userWithManyDeadHolds has more holds that are over but not yet expired than one batch expires, and more than any
// limit. A store that limits what it loads of a user must not leave out what counts.
func userWithManyDeadHolds(f *fixture) {
	const many = drop.MaxLimitPerUser + drop.MaxExpirePerBatch + 100
	id := f.create(plain(2 * many))
	for i := range drop.Time(2) {
		f.buy(f.reserve(id, base+i, drop.Reserve{User: 1}), base+i)
	}
	cmds := make([]drop.Command, many)
	for i := range cmds {
		cmds[i] = drop.Reserve{User: 1, Hold: time.Minute}
	}
	f.run(id, base+2, cmds...)
	live := f.reserve(id, base+minute, drop.Reserve{User: 1})
	one, three := 1, 3
	reserve := drop.Reserve{User: 1, Hold: time.Minute}
	got := f.run(id, base+2+minute, drop.Edit{LimitPerUser: &three}, reserve, drop.Edit{LimitPerUser: &one}, reserve)
	if e := got[1].Err; e == nil || e.Code != drop.CodeLimitReached || e.Used != 3 {
		f.Errorf("two bought and one held, of three: %+v, want limit_reached with 3 used", got[1])
	}
	equal(f, "again under a limit of one", got[3], drop.Result{Reservation: live})
}

func reservationsOfTheDropOnly(f *fixture) {
	a, b := f.create(plain(5)), f.create(plain(5))
	mine := f.reserve(a, base, drop.Reserve{User: 1})
	theirs := f.reserve(b, base, drop.Reserve{User: 1})
	before := f.picture(b)
	d := at(base+1, drop.MakePurchase{Reservation: theirs.ID}, drop.Cancel{Reservation: theirs.ID},
		drop.Cancel{Reservation: mine.ID + 1}, drop.Cancel{Reservation: -mine.ID}, drop.Cancel{Reservation: 0},
		drop.Cancel{Reservation: 1<<63 - 1}, drop.Cancel{Reservation: mine.ID})
	f.commit(a, drop.NeedOf(d.cmds), d)
	for i, r := range d.results[:6] {
		if refusal(r) != drop.CodeReservationNotFound {
			f.Errorf("command %d on a reservation that is not the drop's: %+v", i, r)
		}
	}
	if d.results[6].Err != nil {
		f.Errorf("the drop's own: %v", d.results[6].Err)
	}
	equal(f, "the other drop", f.picture(b), before)
	f.buy(theirs, base+2)
}

func reservationsWithTheirBuyersName(f *fixture) {
	ann, _, err := f.EnsureUser(f.ctx, "Ann", "", drop.Key{})
	if err != nil {
		f.Fatalf("EnsureUser: %v", err)
	}
	id := f.create(plain(9))
	for i, user := range []drop.UserID{ann.ID, 77, ann.ID, 78} {
		r := f.reserve(id, base, drop.Reserve{User: user})
		f.buy(r, base+drop.Time(i))
	}
	want := []drop.Recent{
		{ID: drop.NewPurchaseID(id, 4), Username: drop.UnknownUsername, CreatedAt: base + 3},
		{ID: drop.NewPurchaseID(id, 3), Username: "Ann", CreatedAt: base + 2},
		{ID: drop.NewPurchaseID(id, 2), Username: drop.UnknownUsername, CreatedAt: base + 1},
	}
	equal(f, "Recent as read", f.snapshot(id).Recent, want)

	r := f.reserve(id, base, drop.Reserve{User: ann.ID})
	var recent []drop.Recent
	d := at(base+9, drop.MakePurchase{Reservation: r.ID})
	err = f.RunBatch(f.ctx, &Batch{
		Drop: id, Need: drop.NeedOf(d.cmds),
		Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			c := d.decide(s, now)
			recent = slices.Clone(s.Recent)
			return c
		},
	})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	want = append([]drop.Recent{{ID: drop.NewPurchaseID(id, 5), Username: "Ann", CreatedAt: base + 9}}, want[:2]...)
	equal(f, "Recent as decided", recent, want)
	equal(f, "Recent as read", f.snapshot(id).Recent, want)
}

// rowsLoadedTwiceChangeTogether has one hold that is loaded as due, by its number and as its user's.
func rowsLoadedTwiceChangeTogether(f *fixture) {
	id := f.create(limited(plain(9), 1))
	held := f.reserve(id, base, drop.Reserve{User: 1})
	d := at(base+1, drop.Cancel{Reservation: held.ID}, drop.Cancel{Reservation: held.ID},
		drop.Reserve{User: 1, Hold: time.Minute}, drop.Reserve{User: 1, Hold: time.Minute})
	f.commit(id, drop.NeedOf(d.cmds), d)
	equal(f, "the second reserve", d.results[3], d.results[2])
	equal(f, "stock", f.snapshot(id).Drop.Sizes[0].Stock, drop.Stock{Total: 9, Available: 8, Held: 1})
}

func recentOnlyWhenAsked(f *fixture) {
	id := f.create(plain(9))
	f.buy(f.reserve(id, base, drop.Reserve{User: 1}), base+1)
	if h := f.load(id, drop.Need{}); len(h.Recent) > 0 {
		f.Errorf("not asked: %+v", h.Recent)
	}
	want := []drop.Recent{{ID: drop.NewPurchaseID(id, 1), Username: drop.UnknownUsername, CreatedAt: base + 1}}
	equal(f, "asked", f.load(id, drop.Need{Recent: true}).Recent, want)
}

func deadlineOnlyWhenAsked(f *fixture) {
	id := f.create(plain(9))
	equal(f, "without a hold", f.load(id, drop.Need{Deadline: true}).Deadline, 0)
	f.reserve(id, base, drop.Reserve{User: 1}) // due: it does not count
	late := f.reserve(id, base, drop.Reserve{User: 1, Hold: never})
	early := f.reserve(id, base, drop.Reserve{User: 1, Hold: never - time.Hour})
	equal(f, "not asked", f.load(id, drop.Need{}).Deadline, 0)
	equal(f, "asked", f.load(id, drop.Need{Deadline: true}).Deadline, early.ExpiresAt)
	f.run(id, base+1, drop.Cancel{Reservation: early.ID})
	equal(f, "after the earliest ended", f.load(id, drop.Need{Deadline: true}).Deadline, late.ExpiresAt)
}

func dueHolds(f *fixture) {
	id := f.create(sized(9, "1", "2"))
	due := []drop.Reservation{
		f.reserve(id, base, drop.Reserve{User: 1, Size: "1", Hold: 2 * time.Minute}),
		f.reserve(id, base, drop.Reserve{User: 2, Size: "2", Hold: time.Minute}),
	}
	bought := f.reserve(id, base, drop.Reserve{User: 3, Size: "2"})
	f.buy(bought, base+1)
	cancelled := f.reserve(id, base+1, drop.Reserve{User: 3, Size: "2"})
	f.run(id, base+1, drop.Cancel{Reservation: cancelled.ID})
	long := f.reserve(id, base, drop.Reserve{User: 1, Size: "1", Hold: never})

	// The batch is decided at a moment when the long hold is over too. By the store's clock it is not due, and is not
	// loaded.
	d := at(long.ExpiresAt+minute, drop.Expire{})
	f.commit(id, drop.Need{}, d)
	equal(f, "expired, earliest first", ended(d), []drop.ReservationID{due[1].ID, due[0].ID})
	equal(f, "stock", f.stock(id), drop.Stock{Total: 18, Available: 16, Held: 1, Sold: 1})

	// That batch moved the drop's own time past the long hold, and time never goes back for a drop.
	again := at(long.ExpiresAt+minute, drop.Expire{})
	f.commit(id, drop.Need{}, again)
	equal(f, "expired by the drop's own time", ended(again), []drop.ReservationID{long.ID})
}

func ended(d *decision) (ids []drop.ReservationID) {
	if d.changes != nil {
		for _, r := range d.changes.Ended {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

func dueEarliestFirst(f *fixture) {
	const n = drop.MaxExpirePerBatch + 100
	id := f.create(plain(n))
	var cmds []drop.Command
	for i := range n { // reservations made later end earlier; the moments are scattered, and no two are the same
		cmds = append(cmds, drop.Reserve{User: 1, Hold: time.Duration(n-i*7%n) * time.Second})
	}
	made := f.run(id, base, cmds...)
	slices.SortFunc(made, func(a, b drop.Result) int { return int(a.Reservation.ExpiresAt - b.Reservation.ExpiresAt) })
	h := f.load(id, drop.Need{Deadline: true})
	equal(f, "the deadline past the due ones that are loaded", h.Deadline, made[drop.MaxExpirePerBatch].Reservation.ExpiresAt)

	for _, want := range [][]drop.Result{made[:drop.MaxExpirePerBatch], made[drop.MaxExpirePerBatch:]} {
		d := at(base+24*60*minute, drop.Expire{})
		f.commit(id, drop.Need{}, d)
		if d.changes == nil || len(d.changes.Ended) != len(want) {
			f.Fatalf("a batch expired other than %d holds: %+v", len(want), d.changes)
		}
		for i, r := range d.changes.Ended {
			if r.ID != want[i].Reservation.ID {
				f.Fatalf("expired at place %d: ends at %s, want %s", i, r.ExpiresAt, want[i].Reservation.ExpiresAt)
			}
		}
	}
	equal(f, "stock", f.stock(id), drop.Stock{Total: n, Available: n})
}
