package storetest

import (
	"sync/atomic"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// keyCallTests test the calls without a drop that take a key, and the end of keys.
var keyCallTests = []test{
	{"CreateDrop_UnderAKeyOnce", createUnderAKey},
	{"CreateDrop_TwinsAtOnceMakeOneDrop", createTwinsAtOnce},
	{"EnsureUser_UnderAKeyOnce", ensureUnderAKey},
	{"EnsureUser_TwinsAtOnceMakeOneUser", ensureTwinsAtOnce},
	{"Forget_BeforeAMomentAtMostSoMany", forgetsOldOnes},
	{"Forget_LetsTheKeyBeUsedAgain", forgottenKeyIsNew},
}

func createUnderAKey(f *fixture) {
	spec := sized(3, "9", "ü 8½")
	spec.ImageURL, spec.LimitPerUser = "/a.png", 2
	key := keyOf("k")
	first, replayed, err := f.CreateDrop(f.ctx, spec, newBatch(), key)
	if err != nil || replayed {
		f.Fatalf("CreateDrop: replayed %t, %v", replayed, err)
	}
	r := f.reserve(first.Drop.ID, base, drop.Reserve{User: 1, Size: "9"})
	f.buy(r, base)
	before := f.picture(first.Drop.ID)
	again, replayed, err := f.CreateDrop(f.ctx, spec, newBatch(), key)
	if err != nil || !replayed {
		f.Fatalf("CreateDrop again: replayed %t, %v", replayed, err)
	}
	equal(f, "the drop as it was first", again.Drop, first.Drop)
	equal(f, "the drop now", f.picture(first.Drop.ID), before)

	key.Body[5]++
	_, _, err = f.CreateDrop(f.ctx, spec, newBatch(), key)
	refused(f, "CreateDrop with another body", err, drop.CodeIdempotencyMismatch)
	list, err := f.Drops(f.ctx)
	if err != nil || len(list) != 1 {
		f.Errorf("Drops: %d, %v; want the one", len(list), err)
	}
	for want := drop.ID(2); want < 4; want++ { // without a key nothing is kept, whatever else the call has
		s, replayed, err := f.CreateDrop(f.ctx, plain(1), newBatch(), drop.Key{Operation: "op"})
		if err != nil || replayed || len(s.Drop.Sizes) != 1 {
			f.Errorf("CreateDrop without a key: %+v, replayed %t, %v", s.Drop, replayed, err)
		}
	}
	equal(f, "the next drop", f.create(plain(1)) > first.Drop.ID+2, true)
}

func createTwinsAtOnce(f *fixture) {
	got := make([]store.Snapshot, twins)
	var replays atomic.Int32
	all(twins, func(i int) {
		s, replayed, err := f.CreateDrop(f.ctx, sized(3, "9", "8"), newBatch(), keyOf("k"))
		if err != nil {
			f.Errorf("CreateDrop: %v", err)
		}
		if replayed {
			replays.Add(1)
		}
		got[i] = s
	})
	equal(f, "replayed", replays.Load(), twins-1)
	other := keyOf("k")
	other.Body[0]++
	all(20, func(int) {
		_, _, err := f.CreateDrop(f.ctx, plain(5), newBatch(), other)
		refused(f, "CreateDrop with another body", err, drop.CodeIdempotencyMismatch)
	})
	list, err := f.Drops(f.ctx)
	if err != nil || len(list) != 1 {
		f.Fatalf("Drops: %d, %v; want one", len(list), err)
	}
	for i := range got {
		equal(f, "a twin's drop", got[i].Drop, list[0].Drop)
	}
}

func ensureUnderAKey(f *fixture) {
	key := keyOf("k")
	first, replayed, err := f.EnsureUser(f.ctx, "Ann", "Ann@Example.com", key)
	if err != nil || replayed {
		f.Fatalf("EnsureUser: replayed %t, %v", replayed, err)
	}
	equal(f, "the user", f.ensure("Ann", "ann@example.com"), first)
	again, replayed, err := f.EnsureUser(f.ctx, "Bob", "bob@example.com", key) // the key decides, not the rest of the call
	if err != nil || !replayed {
		f.Fatalf("EnsureUser again: replayed %t, %v", replayed, err)
	}
	equal(f, "the user again", again, first)
	if bob := f.ensure("Bob", "bob@example.com"); bob.ID == first.ID {
		f.Error("a replay made a user")
	}
	found, replayed, err := f.EnsureUser(f.ctx, "Bob", "bob@example.com", keyOf("k2"))
	if err != nil || replayed || found != f.ensure("Bob", "bob@example.com") {
		f.Errorf("a buyer found under a key: %+v, %v", found, err)
	}
	again, replayed, err = f.EnsureUser(f.ctx, "Carol", "", keyOf("k2"))
	if err != nil || !replayed || again != found {
		f.Errorf("a buyer found under a key, again: %+v, %v", again, err)
	}
	key.Body[5]++
	_, _, err = f.EnsureUser(f.ctx, "Dora", "dora@example.com", key)
	refused(f, "EnsureUser with another body", err, drop.CodeIdempotencyMismatch)
	if err := store.Fill(f.ctx, f, nil, nil, true); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	_, err = f.User(f.ctx, first.ID)
	refused(f, "a user of before", err, drop.CodeUserNotFound)
}

func ensureTwinsAtOnce(f *fixture) {
	got := make([]drop.User, twins)
	var replays atomic.Int32
	all(twins, func(i int) {
		u, replayed, err := f.EnsureUser(f.ctx, "Ann", []string{"", "ann@example.com"}[i%2], keyOf("k"))
		if err != nil {
			f.Errorf("EnsureUser: %v", err)
		}
		if replayed {
			replays.Add(1)
		}
		got[i] = u
	})
	equal(f, "replayed", replays.Load(), twins-1)
	for i := range got {
		equal(f, "a twin's user", got[i], got[0])
	}
	equal(f, "the user", f.ensure("Ann", got[0].Email), got[0])
}

func forgetsOldOnes(f *fixture) {
	a, b := f.create(plain(99)), f.create(plain(99))
	for i := range drop.Time(6) { // at base+0 … base+5 in one drop, the same in the other
		k := drop.Kept{Key: keyOf(string(rune('a' + i))), Answer: []byte("{}"), At: base + i}
		f.keep(a, k)
		f.keep(b, k)
	}
	before := f.picture(a)
	forget := func(before drop.Time, limit, want int) {
		f.Helper()
		n, err := f.Forget(f.ctx, before, limit)
		if err != nil || n != want {
			f.Errorf("Forget before %s, at most %d: %d, %v; want %d", before, limit, n, err, want)
		}
	}
	forget(base, 100, 0)
	forget(base+3, 0, 0)
	forget(base+3, 4, 4)
	forget(base+3, 4, 2)
	forget(base+3, 4, 0)
	equal(f, "the drop", f.picture(a), before)
	for i := range drop.Time(6) {
		for _, id := range []drop.ID{a, b} {
			var kept bool
			k := keyed(string(rune('a'+i)), drop.Restock{Add: 1})
			err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Keys: []drop.Key{k.Key}}, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
				results, _ := drop.Apply(s, now, newBatch(), []drop.Command{k})
				kept = results[0].Drop == nil
				return nil
			}})
			if err != nil || kept != (i >= 3) {
				f.Errorf("drop %d, the key of base+%d: kept %t, %v", id, i, kept, err)
			}
		}
	}
	forget(base+6, 1000, 6)
}

func forgottenKeyIsNew(f *fixture) {
	id := f.create(plain(9))
	first := f.reserveKeyed(id, base, "k")
	created, _, err := f.CreateDrop(f.ctx, plain(1), newBatch(), keyOf("k"))
	if err != nil {
		f.Fatalf("CreateDrop: %v", err)
	}
	if n, err := f.Forget(f.ctx, time9999, 100); err != nil || n != 2 {
		f.Fatalf("Forget: %d, %v; want 2", n, err)
	}
	second := f.reserveKeyed(id, base+1, "k")
	if second.Err != nil || second.Reservation.ID == first.Reservation.ID {
		f.Errorf("a forgotten key: %+v", second)
	}
	equal(f, "and again", f.reserveKeyed(id, base+2, "k"), replayed(second))
	s, replayed, err := f.CreateDrop(f.ctx, plain(1), newBatch(), keyOf("k"))
	if err != nil || replayed || s.Drop.ID == created.Drop.ID {
		f.Errorf("a forgotten key without a drop: drop %d, replayed %t, %v", s.Drop.ID, replayed, err)
	}
}
