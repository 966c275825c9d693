package storetest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var eventTests = []test{
	{"Facts_NameWhatMoved", factsNameWhatMoved},
	{"Facts_NameWhoPaysAndWhatCameBack", factsNameWhoPays},
	{"Facts_ByPages", factsByPages},
	{"Facts_OfNoDropIsRefused", factsOfNoDrop},
	{"Facts_RevisionOfEachChange", factsRevisions},
	{"Heads_OfAllDrops", headsOfAllDrops},
	{"RowsIn_Runs", rowsInRuns},
	{"Webhooks_KeepEveryField", webhooksKeepEveryField},
	{"Webhooks_ReplaceOnlyTheOneThatWasRead", webhooksReplaceOnlyWhatWasRead},
	{"Webhooks_DeletedWithAllOfIt", webhooksDeleted},
	{"Deliveries_OneHolderWins", deliveriesOneHolderWins},
	{"Webhooks_StayWhenTheShopIsReplaced", webhooksStay},
}

func (f *fixture) facts(id drop.ID, after drop.Seq, version int64, limit int) store.Facts {
	f.Helper()
	facts, err := f.Facts(f.ctx, id, after, version, limit)
	if err != nil {
		f.Fatalf("Facts: %v", err)
	}
	return facts
}

// entry is what the tests compare of a ledger entry.
type entry struct {
	seq     drop.Seq
	version int64
	reason  drop.Reason
	size    string
	numbers string
}

func entriesOf(facts []drop.LedgerEntry) (all []entry) {
	for _, e := range facts {
		all = append(all, entry{e.Seq, e.Version, e.Reason, e.Size, fmt.Sprint(slices.Collect(e.Numbers.All()))})
	}
	return all
}

// Each entry names its rows, and its version is the drop's after the batch.
func factsNameWhatMoved(f *fixture) {
	id := f.create(sized(20, "9", "10"))
	hold := func(user drop.UserID, size string) drop.Command {
		return drop.Reserve{User: user, Size: size, Hold: time.Minute}
	}
	made := f.run(id, base, hold(1, "9"), hold(2, "10"), hold(3, "9"), hold(4, "9"))
	f.run(id, base+1, drop.MakePurchase{Reservation: made[2].Reservation.ID}, drop.Cancel{Reservation: made[0].Reservation.ID}, drop.MakePurchase{Reservation: made[1].Reservation.ID})
	f.run(id, base+minute, drop.Expire{})
	facts := f.facts(id, 2, 1, 100)
	equal(f, "the entries", entriesOf(facts.Entries[1:]), []entry{
		{3, 2, drop.Reserved, "9", "[1 3 4]"},
		{4, 2, drop.Reserved, "10", "[2]"},
		{5, 3, drop.ReservationCancelled, "9", "[1]"},
		{6, 3, drop.Purchased, "9", "[1]"},
		{7, 3, drop.Purchased, "10", "[2]"},
		{8, 4, drop.ReservationExpired, "9", "[4]"},
	})
	if h := facts.Head; h.ID != id || h.Seq != 8 || h.Version != 4 || len(facts.Revisions) != 0 {
		f.Errorf("head %+v, %d revisions", h, len(facts.Revisions))
	}
	equal(f, "the same by pages of the ledger", f.facts(id, 0, 0, 100).Entries, f.books(id).entries)
}

// The entries of payments name reservations, those of units that came back purchases. Each payment that is begun makes
// an entry, also of a reservation that had one.
func factsNameWhoPays(f *fixture) {
	id := f.create(sized(20, "9", "10"))
	made := f.run(id, base,
		drop.Reserve{User: 1, Size: "9", Hold: time.Minute}, drop.Reserve{User: 2, Size: "10", Hold: time.Millisecond}, drop.Reserve{User: 3, Size: "9", Hold: time.Minute})
	first, second, third := made[0].Reservation, made[1].Reservation, made[2].Reservation
	pay := func(r drop.Reservation, p, instead drop.PaymentID) drop.Command {
		return drop.StartPayment{Reservation: r.ID, Payment: p, Instead: instead, Within: time.Millisecond, Hold: time.Minute}
	}
	f.run(id, base, pay(third, 3, 0), pay(first, 1, 0), pay(second, 2, 0), pay(third, 4, 3))
	f.run(id, base+minute/2, drop.ClaimUnit{Reservation: first.ID, User: 1, Payment: 1, Within: time.Hour}) // moves nothing
	f.run(id, base+minute/2, drop.ClaimUnit{Reservation: second.ID, User: 2, Payment: 2, Within: time.Hour})
	f.run(id, base+minute/2, drop.CompletePayment{Reservation: drop.NewReservationID(id, 4), Payment: 2}, drop.CompletePayment{Reservation: first.ID, Payment: 1})
	f.run(id, base+minute/2, drop.ReturnPurchase{Purchase: drop.NewPurchaseID(id, 2), Restock: true}, drop.ReturnPurchase{Purchase: drop.NewPurchaseID(id, 1)})
	equal(f, "the entries", entriesOf(f.facts(id, 4, 0, 100).Entries[1:]), []entry{
		{5, 3, drop.PaymentStarted, "9", "[3 1 3]"},
		{6, 3, drop.PaymentStarted, "10", "[2]"},
		{7, 4, drop.ReservationExpired, "10", "[2]"},
		{8, 5, drop.Reserved, "10", "[4]"},
		{9, 6, drop.Purchased, "9", "[2]"},
		{10, 6, drop.Purchased, "10", "[1]"},
		{11, 7, drop.Returned, "9", "[2]"},
		{12, 7, drop.WrittenOff, "10", "[1]"},
	})
}

func factsByPages(f *fixture) {
	id := f.create(plain(20))
	for i := range 5 {
		f.reserve(id, base+drop.Time(i), drop.Reserve{User: drop.UserID(i + 1)})
	}
	var seqs []drop.Seq
	for after := drop.Seq(0); ; {
		page := f.facts(id, after, 0, 2).Entries
		if after > 0 {
			if page[0].Seq != after {
				f.Fatalf("the page after %d begins with %d", after, page[0].Seq)
			}
			page = page[1:]
		}
		if len(page) > 3 {
			f.Fatalf("%d entries, asked for 2", len(page))
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			seqs = append(seqs, e.Seq)
		}
		after = seqs[len(seqs)-1]
	}
	equal(f, "the entries", seqs, []drop.Seq{1, 2, 3, 4, 5, 6})
}

func factsOfNoDrop(f *fixture) {
	for _, id := range []drop.ID{0, -1, 1, drop.MaxID} {
		_, err := f.Facts(f.ctx, id, 0, 0, 10)
		refused(f, "Facts", err, drop.CodeDropNotFound)
	}
}

// A creation and each change of settings leave a revision, sales and refused changes none.
func factsRevisions(f *fixture) {
	id := f.create(plain(5))
	f.reserve(id, base, drop.Reserve{User: 1})                                       // version 2
	f.run(id, base+1, drop.Pause{}, drop.Edit{Name: new("Other")})                   // 3
	f.run(id, base+2, drop.Pause{})                                                  // nothing
	f.run(id, base+3, drop.Edit{Price: new(drop.Money(1))})                          // refused: a unit is held
	f.run(id, base+4, drop.Resume{}, drop.Restock{Add: 2})                           // 4, with an entry
	f.run(id, base+5, drop.Edit{LimitPerUser: new(3), Hidden: new(true)})            // 5
	f.run(id, base+6, drop.Edit{Archived: new(true)}, drop.Edit{Hidden: new(false)}) // 6
	facts := f.facts(id, 0, 0, 100)
	type revision struct {
		version int64
		seq     drop.Seq
		changed string
	}
	var got []revision
	var last drop.Settings
	for _, r := range facts.Revisions {
		s, changed, err := drop.DecodeSettings(r.Settings)
		if err != nil {
			f.Fatal(err)
		}
		one := revision{r.Version, r.Seq, ""}
		for _, c := range changed {
			one.changed += string(c) + " "
		}
		got, last = append(got, one), s
		if r.Version > 1 && r.At < base {
			f.Errorf("revision %d is dated %s", r.Version, r.At)
		}
	}
	equal(f, "the revisions", got, []revision{
		{1, 1, ""}, {3, 2, "name paused "}, {4, 3, "paused "}, {5, 3, "limit_per_user hidden "}, {6, 3, "hidden archived "},
	})
	equal(f, "the last settings", last, f.snapshot(id).Drop.Settings)
	if some := f.facts(id, 0, 3, 2).Revisions; len(some) != 2 || some[0].Version != 4 {
		f.Errorf("two revisions after version 3: %+v", some)
	}
}

func headsOfAllDrops(f *fixture) {
	first, second := f.create(plain(5)), f.create(sized(5, "9", "10"))
	f.reserve(second, base, drop.Reserve{User: 1, Size: "9"})
	heads, err := f.Heads(f.ctx)
	if err != nil || len(heads) != 2 || heads[0].ID != first || heads[0].Seq != 1 || heads[0].Version != 1 || heads[1].Seq != 3 || heads[1].Version != 2 ||
		heads[1].LastAt != base {
		f.Errorf("heads %+v, %v", heads, err)
	}
}

func rowsInRuns(f *fixture) {
	id, other := f.create(plain(20)), f.create(plain(20))
	var ids []drop.ReservationID
	for i := range 6 {
		r := f.reserve(id, base, drop.Reserve{User: drop.UserID(i + 1)})
		f.buy(f.reserve(other, base, drop.Reserve{User: 9}), base)
		if ids = append(ids, r.ID); i%2 == 1 {
			f.buy(r, base)
		}
	}
	rows, err := f.ReservationsIn(f.ctx, id, []store.Run{{First: 2, Length: 2}, {First: 6, Length: 5}})
	if err != nil || len(rows) != 3 || rows[0].ID != ids[1] || rows[1].ID != ids[2] || rows[2].ID != ids[5] || rows[0].Status != drop.Completed {
		f.Errorf("reservations 2, 3 and 6 to 10: %+v, %v", rows, err)
	}
	sales, err := f.SalesIn(f.ctx, id, []store.Run{{First: 1, Length: 1}, {First: 3, Length: 1}})
	if err != nil || len(sales) != 2 || sales[0].ReservationID != ids[1] || sales[1].ReservationID != ids[5] || sales[0].Username != drop.UnknownUsername {
		f.Errorf("purchases 1 and 3: %+v, %v", sales, err)
	}
	if rows, err := f.ReservationsIn(f.ctx, id, nil); err != nil || len(rows) != 0 {
		f.Errorf("no runs: %v, %v", rows, err)
	}
}

func (f *fixture) webhook(w store.Webhook) store.Webhook {
	f.Helper()
	made, err := f.CreateWebhook(f.ctx, w)
	if err != nil {
		f.Fatalf("CreateWebhook: %v", err)
	}
	if made.ID == 0 || made.CreatedAt == 0 {
		f.Errorf("created %+v", made)
	}
	w.ID, w.CreatedAt = made.ID, made.CreatedAt
	equal(f, "the webhook", made, w)
	return made
}

func (f *fixture) webhooks() []store.Webhook {
	f.Helper()
	hooks, err := f.Webhooks(f.ctx)
	if err != nil {
		f.Fatalf("Webhooks: %v", err)
	}
	return hooks
}

var plainHook = store.Webhook{URL: "https://a.example/", Secret: "whsec_x", Start: "AA"}

func webhooksKeepEveryField(f *fixture) {
	full := store.Webhook{
		URL: "https://a.example/?a=1&b='", Description: "Füllung \"1\"", Types: "purchase.completed,hold.created", Drops: "1,22", Secret: "whsec_a", OldSecret: "whsec_b",
		OldUntil: base, Start: "AAEC", Disabled: "operator", DisabledAt: base + 1,
	}
	first, second := f.webhook(full), f.webhook(plainHook)
	if second.ID <= first.ID {
		f.Errorf("numbers %d, %d", first.ID, second.ID)
	}
	equal(f, "Webhooks", f.webhooks(), []store.Webhook{first, second})
	d := store.Delivery{Webhook: first.ID, Holder: "me", Beat: 7, Position: "AAEC", Report: "{}"}
	if err := f.StartDelivery(f.ctx, d); err != nil {
		f.Fatal(err)
	}
	if err := f.StartDelivery(f.ctx, d); !isFault(err) {
		f.Errorf("a second delivery of a webhook: %v", err)
	}
	got, found, err := f.Delivery(f.ctx, first.ID)
	if err != nil || !found || got != d {
		f.Errorf("Delivery: %+v, %t, %v", got, found, err)
	}
	if _, found, err := f.Delivery(f.ctx, second.ID); err != nil || found {
		f.Errorf("Delivery of one that has none: %t, %v", found, err)
	}
	all, err := f.Deliveries(f.ctx)
	if err != nil || len(all) != 1 || all[0] != d {
		f.Errorf("Deliveries: %+v, %v", all, err)
	}
	r, err := f.AddReplay(f.ctx, store.Replay{Webhook: first.ID, Drop: 3, First: 5, Last: 9})
	if err != nil || r.ID == 0 || r.CreatedAt == 0 {
		f.Errorf("AddReplay: %+v, %v", r, err)
	}
	replays, err := f.Replays(f.ctx)
	if err != nil || len(replays) != 1 || replays[0] != r {
		f.Errorf("Replays: %+v, %v", replays, err)
	}
	if err := f.EndReplay(f.ctx, r.ID); err != nil {
		f.Error(err)
	}
	if err := f.EndReplay(f.ctx, r.ID); err != nil {
		f.Errorf("EndReplay a second time: %v", err)
	}
	if replays, err := f.Replays(f.ctx); err != nil || len(replays) != 0 {
		f.Errorf("Replays: %+v, %v", replays, err)
	}
}

func webhooksReplaceOnlyWhatWasRead(f *fixture) {
	was := f.webhook(plainHook)
	to := was
	to.Description, to.OldSecret, to.OldUntil, to.Disabled, to.DisabledAt, to.CreatedAt = "changed", "whsec_old", base, "gone", base, 1
	if done, err := f.ReplaceWebhook(f.ctx, was, to); err != nil || !done {
		f.Fatalf("ReplaceWebhook: %t, %v", done, err)
	}
	to.CreatedAt = was.CreatedAt // which never changes
	equal(f, "Webhooks", f.webhooks(), []store.Webhook{to})
	other := was
	other.Description = "late"
	if done, err := f.ReplaceWebhook(f.ctx, was, other); err != nil || done {
		f.Errorf("in place of one that has changed: %t, %v", done, err)
	}
	back := to
	back.OldSecret, back.OldUntil, back.Disabled, back.DisabledAt = "", 0, "", 0
	if done, err := f.ReplaceWebhook(f.ctx, to, back); err != nil || !done {
		f.Errorf("back: %t, %v", done, err)
	}
	equal(f, "Webhooks", f.webhooks(), []store.Webhook{back})
	back.ID += 5
	if done, err := f.ReplaceWebhook(f.ctx, back, to); err != nil || done {
		f.Errorf("of one that is not there: %t, %v", done, err)
	}
}

func webhooksDeleted(f *fixture) {
	gone, stays := f.webhook(plainHook), f.webhook(plainHook)
	for _, hook := range []store.Webhook{gone, stays} {
		if err := f.StartDelivery(f.ctx, store.Delivery{Webhook: hook.ID, Beat: 1, Position: "AA", Report: "{}"}); err != nil {
			f.Fatal(err)
		}
		if _, err := f.AddReplay(f.ctx, store.Replay{Webhook: hook.ID, Drop: 1, First: 1, Last: 2}); err != nil {
			f.Fatal(err)
		}
	}
	if err := f.DeleteWebhook(f.ctx, gone.ID); err != nil {
		f.Fatal(err)
	}
	refused(f, "a second time", f.DeleteWebhook(f.ctx, gone.ID), drop.CodeWebhookNotFound)
	equal(f, "Webhooks", f.webhooks(), []store.Webhook{stays})
	deliveries, err := f.Deliveries(f.ctx)
	if err != nil || len(deliveries) != 1 || deliveries[0].Webhook != stays.ID {
		f.Errorf("Deliveries: %+v, %v", deliveries, err)
	}
	replays, err := f.Replays(f.ctx)
	if err != nil || len(replays) != 1 || replays[0].Webhook != stays.ID {
		f.Errorf("Replays: %+v, %v", replays, err)
	}
	if err := f.DeleteWebhook(f.ctx, stays.ID); err != nil {
		f.Fatal(err)
	}
	if again := f.webhook(plainHook); again.ID <= stays.ID {
		f.Errorf("the number %d is used again", again.ID)
	}
}

// Of servers that want to deliver at the same moment one succeeds.
func deliveriesOneHolderWins(f *fixture) {
	hook := f.webhook(plainHook)
	was := store.Delivery{Webhook: hook.ID, Beat: 1, Position: "AA", Report: "{}"}
	if err := f.StartDelivery(f.ctx, was); err != nil {
		f.Fatal(err)
	}
	var won atomic.Int64
	all(8, func(i int) {
		to := was
		to.Holder, to.Beat = string(rune('a'+i)), 2
		done, err := f.ReplaceDelivery(f.ctx, was, to)
		if err != nil {
			f.Errorf("ReplaceDelivery: %v", err)
		}
		if done {
			won.Add(1)
		}
	})
	if won.Load() != 1 {
		f.Errorf("%d servers won, want 1", won.Load())
	}
	got, _, err := f.Delivery(f.ctx, hook.ID)
	if err != nil || got.Holder == "" || got.Beat != 2 {
		f.Errorf("%+v, %v", got, err)
	}
}

func webhooksStay(f *fixture) {
	hook := f.webhook(plainHook)
	f.create(plain(1))
	if err := store.Fill(f.ctx, f, nil, nil, true); err != nil {
		f.Fatal(err)
	}
	equal(f, "Webhooks", f.webhooks(), []store.Webhook{hook})
	if heads, err := f.Heads(f.ctx); err != nil || len(heads) != 0 {
		f.Errorf("heads %+v, %v", heads, err)
	}
}
