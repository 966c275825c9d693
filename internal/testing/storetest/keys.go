package storetest

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var keyTests = []test{
	{"Keys_SecondUseGetsTheFirstAnswer", secondUseGetsFirstAnswer},
	{"Keys_AnswerOutlivesWhatHappensToTheDrop", answerOutlives},
	{"Keys_EveryOperationsAnswer", everyOperationsAnswer},
	{"Keys_AnotherBodyIsRefused", anotherBodyIsRefused},
	{"Keys_ScopesAreApart", scopesAreApart},
	{"Keys_OddOnes", oddKeys},
	{"Keys_RefusalsAreNotKept", refusalsAreNotKept},
	{"Keys_OnlyWhatIsNeededIsLoaded", onlyNeededKeysAreLoaded},
	{"Keys_AllBytesAreKept", allBytesAreKept},
	{"Keys_DamagedAnswerIsSaid", damagedAnswer},
	{"Keys_OneScopeTwiceInABatchIsAFault", scopeTwiceInABatch},
	{"Keys_ScopeThatExistsIsAFault", scopeThatExists},
	{"Keys_FailedBatchKeepsNothing", failedBatchKeepsNothing},
	{"Keys_LostWithTheirEffect", keptWithTheEffect},
	{"Keys_ManyInABatch", manyKeysInABatch},
	{"Keys_TwinsAtOnceHaveOneEffect", twinsAtOnce},
}

func keyOf(value string) drop.Key { return drop.NewKey("", "op", value, "body") }

func keyed(value string, c drop.Command) drop.Keyed { return drop.Keyed{Key: keyOf(value), Command: c} }

// reserveKeyed makes a reservation under a key.
func (f *fixture) reserveKeyed(id drop.ID, now drop.Time, value string) drop.Result {
	f.Helper()
	return f.run(id, now, keyed(value, drop.Reserve{User: 1, Hold: time.Minute}))[0]
}

// replayed is an answer as every call except the first gets it.
func replayed(first drop.Result) drop.Result {
	first.Replayed = true
	return first
}

func secondUseGetsFirstAnswer(f *fixture) {
	id := f.create(plain(9))
	first := f.reserveKeyed(id, base, "k")
	equal(f, "the first", refusal(first), "")
	equal(f, "the first is replayed", first.Replayed, false)
	before := f.picture(id)
	equal(f, "the second", f.reserveKeyed(id, base+1, "k"), replayed(first))
	equal(f, "the drop", f.picture(id), before)
	other := f.reserveKeyed(id, base+1, "k2")
	if other.Err != nil || other.Reservation.ID == first.Reservation.ID {
		f.Errorf("another key: %+v", other)
	}
	twins := f.run(id, base+2, keyed("k3", drop.Restock{Add: 1}), keyed("k3", drop.Restock{Add: 1}))
	equal(f, "twins in a batch", twins[0].Drop, twins[1].Drop)
	equal(f, "stock", f.stock(id), drop.Stock{Total: 10, Available: 8, Held: 2})
}

func answerOutlives(f *fixture) {
	id := f.create(plain(1))
	first := f.reserveKeyed(id, base, "k")
	for what, c := range map[string]drop.Command{
		"sold out": drop.Expire{}, "paused": drop.Pause{}, "bought": drop.MakePurchase{Reservation: first.Reservation.ID},
	} {
		f.run(id, base+1, c)
		equal(f, what, f.reserveKeyed(id, base+2, "k"), replayed(first))
	}
	id = f.create(plain(1))
	first = f.reserveKeyed(id, base, "k")
	f.run(id, base+2*minute, drop.Expire{})
	equal(f, "expired", f.reserveKeyed(id, base+3*minute, "k"), replayed(first))
	equal(f, "stock", f.stock(id), drop.Stock{Total: 1, Available: 1})
	equal(f, "an active hold in the answer", first.Reservation.Status, drop.Active)
}

func everyOperationsAnswer(f *fixture) {
	ann := f.ensure("Ann", "")
	spec := sized(9, "ü 8½", "9 \"<&>\u2028")
	spec.ImageURL, spec.Price = "/"+"é", drop.MaxPrice
	id := f.create(spec)
	reserve := drop.Reserve{User: ann.ID, Size: "9 \"<&>\u2028", Hold: time.Minute}
	bought := f.reserve(id, base, reserve)
	cancelled := f.reserve(id, base, reserve)
	cmds := []drop.Command{
		keyed("reserve", reserve), keyed("buy", drop.MakePurchase{Reservation: bought.ID}),
		keyed("cancel", drop.Cancel{Reservation: cancelled.ID}), keyed("restock", drop.Restock{Add: 3, Size: "ü 8½"}),
		keyed("pause", drop.Pause{}), keyed("resume", drop.Resume{}), keyed("expire", drop.Expire{}),
	}
	first := f.run(id, base+1, cmds...)
	for i, r := range first {
		if r.Err != nil {
			f.Fatalf("%+v: %v", cmds[i], r.Err)
		}
	}
	equal(f, "buyers in an operator's answer", first[3].Recent, f.snapshot(id).Recent)
	f.run(id, base+minute, drop.Restock{Add: -1, Size: "ü 8½"})
	before := f.picture(id)
	for i, r := range f.run(id, base+minute+1, cmds[1], cmds[2], cmds[3], cmds[4], cmds[5], cmds[6], cmds[0]) {
		equal(f, "an answer again", r, replayed(first[(i+1)%len(first)]))
	}
	after := f.picture(id)
	if after.header.Seq < before.header.Seq || f.stock(id).Total != 20 {
		f.Errorf("answers of before had an effect: %+v", f.stock(id))
	}
}

func anotherBodyIsRefused(f *fixture) {
	id := f.create(plain(9))
	first := f.reserveKeyed(id, base, "k")
	before := f.picture(id)
	other := keyed("k", drop.Reserve{User: 2, Hold: time.Minute})
	other.Key.Body[31]++
	equal(f, "another body", refusal(f.run(id, base+1, other)[0]), drop.CodeIdempotencyMismatch)
	other.Key.Body[31]--
	other.Key.Body[0]++
	equal(f, "another body", refusal(f.run(id, base+1, other)[0]), drop.CodeIdempotencyMismatch)
	equal(f, "the drop", f.picture(id), before)
	equal(f, "the first body", f.reserveKeyed(id, base+2, "k"), replayed(first))
}

func scopesAreApart(f *fixture) {
	a, b := f.create(plain(9)), f.create(plain(9))
	const body = "body"
	seen := make(map[drop.ReservationID]bool)
	for _, id := range []drop.ID{a, b} {
		for _, k := range []drop.Key{
			drop.NewKey("", "op", "k", body), drop.NewKey("ann", "op", "k", body), drop.NewKey("", "op2", "k", body),
			drop.NewKey("", "op", "K", body), drop.NewKey("ann", "op2", "k", body), drop.NewKey("", "op", "k ", body),
		} {
			cmd := drop.Keyed{Key: k, Command: drop.Reserve{User: 1, Hold: never}}
			r, again := f.run(id, base, cmd)[0], f.run(id, base+1, cmd)[0]
			equal(f, "the same scope", again, replayed(r))
			seen[r.Reservation.ID] = true
		}
	}
	equal(f, "scopes", len(seen), 12)
	created, replayed, err := f.CreateDrop(f.ctx, plain(1), newBatch(), drop.NewKey("", "op", "k", body))
	if err != nil || replayed || created.Drop.ID != 3 {
		f.Errorf("a drop's key in a call without a drop: drop %d, replayed %t, %v", created.Drop.ID, replayed, err)
	}
}

func oddKeys(f *fixture) {
	id := f.create(plain(99))
	all := []string{
		"!", "~", `"`, `\`, "';--", "$1", "?1", "%", "_", "NULL", "{}", `{"a","b"}`, ",", "\\x00",
		string(bytes.Repeat([]byte("k"), drop.MaxKey)), string(bytes.Repeat([]byte("k"), drop.MaxKey-1)),
	}
	first := make(map[string]drop.Result)
	for _, value := range all {
		if err := drop.CheckKey(value); err != nil {
			f.Fatalf("the test's own key: %v", err)
		}
		first[value] = f.reserveKeyed(id, base, value)
	}
	for _, value := range all {
		equal(f, "under "+value, f.reserveKeyed(id, base+1, value), replayed(first[value]))
	}
	equal(f, "held", f.stock(id).Held, int64(len(all)))
}

func refusalsAreNotKept(f *fixture) {
	id := f.create(plain(0))
	equal(f, "sold out", refusal(f.reserveKeyed(id, base, "k")), drop.CodeOutOfStock)
	f.run(id, base+1, drop.Restock{Add: 1})
	r := f.reserveKeyed(id, base+2, "k")
	equal(f, "a new try", refusal(r), "")
	equal(f, "and again", f.reserveKeyed(id, base+3, "k"), replayed(r))
}

// onlyNeededKeysAreLoaded shows that a batch whose need names no keys gets none, so that loading costs nothing then.
func onlyNeededKeysAreLoaded(f *fixture) {
	id := f.create(plain(9))
	f.reserveKeyed(id, base, "k")
	f.reserveKeyed(id, base, "k2")
	var unneeded, needed drop.Result
	try := func(keys []drop.Key, into *drop.Result) {
		err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Keys: keys}, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			results, _ := drop.Apply(s, now, newBatch(), []drop.Command{keyed("k", drop.Restock{Add: 1})})
			*into = results[0]
			return nil
		}})
		if err != nil {
			f.Fatalf("RunBatch: %v", err)
		}
	}
	try(nil, &unneeded)
	if unneeded.Drop == nil {
		f.Errorf("no key needed, and the kept answer came: %+v", unneeded)
	}
	try([]drop.Key{keyOf("k2"), keyOf("never used")}, &unneeded)
	if unneeded.Drop == nil {
		f.Errorf("another key needed, and the kept answer came: %+v", unneeded)
	}
	try([]drop.Key{keyOf("k2"), keyOf("k"), keyOf("k")}, &needed)
	if needed.Reservation.ID == 0 {
		f.Errorf("the key needed: %+v, want the kept reservation", needed)
	}
}

// allBytesAreKept keeps an answer whose name and fingerprint contain every byte.
func allBytesAreKept(f *fixture) {
	id := f.create(plain(9))
	var name []rune
	for r := rune(1); r < 0x180; r++ {
		name = append(name, r)
	}
	answer := drop.Result{
		Reservation: drop.Reservation{
			ID: drop.MaxSafeInteger, UserID: drop.MaxSafeInteger, Size: string(name), Status: drop.Cancelled,
			CreatedAt: time9999, ExpiresAt: -1, EndedAt: time9999,
		},
		User:   drop.User{ID: 7, Username: "\u2028👟\ufffd", Email: "ü@example.com", PublicName: "\u2029"},
		Recent: []drop.Recent{{ID: 1, Username: "\x7f<script>", PublicName: "山 <b>.", CreatedAt: 5}},
	}
	k := drop.Kept{Key: keyOf("k"), Answer: answer.Encode(), At: base}
	for i := range k.Key.Body {
		k.Key.Body[i] = byte(i * 8)
	}
	k.Key.Body[31], k.Key.Body[30] = 0xff, 0
	f.keep(id, k)
	var got drop.Result
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Keys: []drop.Key{k.Key}}, Decider: func(s *drop.State, _ drop.Time) *drop.Changes {
		results, changes := drop.Apply(s, base, newBatch(), []drop.Command{drop.Keyed{Key: k.Key, Command: drop.Pause{}}})
		if got = results[0]; changes != nil {
			f.Error("a kept answer changes the drop")
		}
		return changes
	}})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	equal(f, "the answer", got, replayed(answer))
}

// keep commits a batch that only keeps answers.
func (f *fixture) keep(id drop.ID, kept ...drop.Kept) {
	f.Helper()
	if err := f.tryKeep(id, kept...); err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
}

func (f *fixture) tryKeep(id drop.ID, kept ...drop.Kept) error {
	return f.RunBatch(f.ctx, &Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		c := at(base, drop.Restock{Add: 1}).decide(s, now)
		c.Kept = kept
		return c
	}})
}

func damagedAnswer(f *fixture) {
	id := f.create(plain(9))
	f.keep(id, drop.Kept{Key: keyOf("k"), Answer: []byte{0, 0xff, '{'}, At: base}, drop.Kept{Key: keyOf("k2"), Answer: []byte{}, At: base})
	before := f.stock(id)
	equal(f, "an answer that is none", refusal(f.reserveKeyed(id, base, "k")), drop.CodeDamaged)
	equal(f, "an empty answer", refusal(f.reserveKeyed(id, base, "k2")), drop.CodeDamaged)
	equal(f, "stock", f.stock(id), before)
}

func scopeTwiceInABatch(f *fixture) {
	id := f.create(plain(9))
	before := f.picture(id)
	k := drop.Kept{Key: keyOf("k"), Answer: []byte("{}"), At: base}
	other := k
	other.Key.Body[0]++
	if err := f.tryKeep(id, k, other); !isFault(err) || !errors.Is(err, store.ErrKeyUsed) {
		f.Errorf("RunBatch: %v, want a *store.Error of ClassFault with ErrKeyUsed", err)
	}
	equal(f, "the drop", f.picture(id), before)
	equal(f, "the key is not used", refusal(f.reserveKeyed(id, base, "k")), "")
}

func scopeThatExists(f *fixture) {
	id := f.create(plain(9))
	first := f.reserveKeyed(id, base, "k")
	before := f.picture(id)
	k := drop.Kept{Key: keyOf("k"), Answer: []byte("{}"), At: base + 1}
	if err := f.tryKeep(id, k); !isFault(err) || !errors.Is(err, store.ErrKeyUsed) {
		f.Errorf("RunBatch: %v, want a *store.Error of ClassFault with ErrKeyUsed", err)
	}
	equal(f, "the drop", f.picture(id), before)
	equal(f, "the answer of before", f.reserveKeyed(id, base+1, "k"), replayed(first))
}

func failedBatchKeepsNothing(f *fixture) {
	id := f.create(plain(9))
	before := f.picture(id)
	d := at(base, keyed("k", drop.Reserve{User: 1, Hold: time.Minute}), keyed("k2", drop.Restock{Add: 1}))
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.NeedOf(d.cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		c := d.decide(s, now)
		s.Sizes[0].Stock.Total++
		return c
	}})
	if !isFault(err) || errors.Is(err, store.ErrKeyUsed) {
		f.Errorf("RunBatch: %v, want a *store.Error of ClassFault", err)
	}
	equal(f, "the drop", f.picture(id), before)
	for _, k := range []string{"k", "k2"} {
		r := f.run(id, base+5, keyed(k, drop.Restock{Add: 1}))[0]
		equal(f, "a key of the batch that failed", refusal(r), "")
		if r.Drop == nil {
			f.Errorf("a key of a batch that failed was kept: %+v", r)
		}
	}
}

func keptWithTheEffect(f *fixture) {
	id := f.create(plain(9))
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.Need{Keys: []drop.Key{keyOf("k")}}, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		at(base, keyed("k", drop.Restock{Add: 1})).decide(s, now)
		return nil
	}})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	r := f.run(id, base, keyed("k", drop.Restock{Add: 1}))[0]
	equal(f, "the drop as answered", r.Drop.Stock().Total, 10)
	equal(f, "stock", f.stock(id).Total, 10)
}

func manyKeysInABatch(f *fixture) {
	const n = 1500
	id := f.create(plain(2 * n))
	cmds := make([]drop.Command, n)
	for i := range cmds {
		k := drop.NewKey("", "op", "k", drop.Asked(strconv.Itoa(i)))
		k.Value += string(rune('A'+i%26)) + time.Duration(i).String()
		cmds[i] = drop.Keyed{Key: k, Command: drop.Reserve{User: drop.UserID(i + 1), Hold: time.Minute}}
	}
	first := f.run(id, base, cmds...)
	again := f.run(id, base+1, cmds...)
	equal(f, "held", f.stock(id).Held, n)
	for i := range first {
		if first[i].Reservation != again[i].Reservation || first[i].Err != nil {
			f.Fatalf("command %d: first %+v, again %+v", i, first[i], again[i])
		}
	}
}

// twins is how many calls come at once under one key.
const twins = 200

func twinsAtOnce(f *fixture) {
	id := f.create(plain(twins))
	results := make([]drop.Result, twins)
	all(twins, func(i int) {
		d := at(base, keyed("k", drop.Reserve{User: 1, Hold: time.Minute}))
		if err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: drop.NeedOf(d.cmds), Decider: d.decide}); err != nil {
			f.Errorf("RunBatch: %v", err)
			return
		}
		results[i] = d.results[0]
	})
	firsts := 0
	for i := range results {
		if !results[i].Replayed {
			firsts++
		}
		equal(f, "a twin's answer", replayed(results[i]), replayed(results[0]))
	}
	equal(f, "answers that are the first one", firsts, 1)
	equal(f, "stock", f.stock(id), drop.Stock{Total: twins, Available: twins - 1, Held: 1})
}
