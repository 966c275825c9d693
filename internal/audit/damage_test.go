package audit_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

const began drop.Time = 1_767_225_600_000 // 2026-01-01T00:00:00Z

// history is a drop's life: batches and their times, collected to fill a store.
type history struct {
	state   *drop.State
	changes *drop.Changes
	entered []*drop.DrawEntry
	batches byte
}

func newHistory(t *testing.T, id drop.ID, spec drop.Spec) *history {
	t.Helper()
	if err := spec.Check(); err != nil {
		t.Fatal(err)
	}
	h := &history{batches: 1}
	h.state, h.changes = spec.Create(id, began, drop.BatchID{byte(id), 1})
	return h
}

func (h *history) batch(t *testing.T, at drop.Time, cmds ...drop.Command) {
	t.Helper()
	h.batches++
	results, changes := drop.Apply(h.state, began+at, drop.BatchID{byte(h.state.ID), h.batches}, cmds)
	for i, r := range results {
		if r.Err != nil {
			t.Fatalf("command %d at %d: %v", i, at, r.Err)
		}
	}
	h.changes.Made = append(h.changes.Made, changes.Made...)
	h.changes.Purchases = append(h.changes.Purchases, changes.Purchases...)
	h.changes.Ledger = append(h.changes.Ledger, changes.Ledger...)
	h.changes.Joined = append(h.changes.Joined, changes.Joined...)
	h.changes.Passes = append(h.changes.Passes, changes.Passes...)
	for _, use := range changes.Uses {
		for i := range h.changes.Passes {
			if p := &h.changes.Passes[i]; p.ID == use.Pass {
				p.Used += use.More
			}
		}
	}
	h.entered = append(h.entered, changes.Entered...)
	for _, back := range changes.Returned {
		for i := range h.changes.Purchases {
			if p := &h.changes.Purchases[i]; p.ID == back.ID {
				*p = *back
			}
		}
	}
}

// Drop 7 has a bit of everything, all of which the tests below rely on:
//
//	reservations 1, 3, 5 completed (purchases 1, 2, 3), 2 cancelled, 4 expired, 6 active
//	ledger at 0 ms:  1 created 9 ×5       2 created 10 ×3
//	      at 10 ms:  3 reserved 9 ×3      4 reserved 10 ×1
//	      at 20 ms:  5 reserved 9 ×1      6 purchased 9 ×1     7 purchased 10 ×1
//	      at 30 ms:  8 cancelled 9 ×1     9 restocked 10 ×2
//	      at 40 ms:  a pause: no entry
//	      at 70 ms: 10 expired 9 ×1
//	      at 80 ms: 11 reserved 9 ×1     12 purchased 9 ×1
//
// Size 9 then has 5 = 2 + 1 + 2, size 10 has 5 = 4 + 0 + 1.
func seven(t *testing.T) store.Filled {
	h := newHistory(t, 7, drop.Spec{Name: "Seven", Price: 12_000, StartTime: began, Sizes: []drop.SizeSpec{{Label: "9", Stock: 5}, {Label: "10", Stock: 3}}})
	r := func(n uint32) drop.ReservationID { return drop.NewReservationID(7, n) }
	hold := func(user drop.UserID, size string, hold time.Duration) drop.Command {
		return drop.Reserve{User: user, Size: size, Hold: hold}
	}
	h.batch(t, 10, hold(1, "9", time.Minute), hold(2, "9", time.Minute), hold(3, "10", time.Minute), hold(4, "9", 60*time.Millisecond))
	h.batch(t, 20, drop.MakePurchase{Reservation: r(1)}, drop.MakePurchase{Reservation: r(3)}, hold(5, "9", time.Minute))
	h.batch(t, 30, drop.Cancel{Reservation: r(2)}, drop.Restock{Add: 2, Size: "10"})
	h.batch(t, 40, drop.Pause{})
	h.batch(t, 70, drop.Cancel{Reservation: r(4)}, drop.Resume{}) // it expires in the same batch
	h.batch(t, 80, drop.MakePurchase{Reservation: r(5)}, hold(6, "9", time.Minute))
	return store.Filled{State: h.state, Changes: h.changes}
}

// three is a drop without sizes, whose reservations have notes.
func three(t *testing.T) store.Filled {
	units := int64(4)
	h := newHistory(t, 3, drop.Spec{Name: "Three", Price: 100, StartTime: began, TotalStock: &units})
	h.batch(t, 5, drop.Reserve{User: 1, Size: "EU 44", Hold: time.Minute}, drop.Reserve{User: 2, Hold: time.Minute})
	h.batch(t, 5, drop.MakePurchase{Reservation: drop.NewReservationID(3, 1)}) // in the same millisecond
	return store.Filled{State: h.state, Changes: h.changes}
}

// loosen removes all constraints, so that the rows can be damaged in every way.
var loosen = func() (statements []string) {
	for _, table := range []string{"drops", "sizes", "reservations", "purchases", "ledger", "payments", "waitlist", "draw_entries", "draws", "passes"} {
		statements = append(statements, fmt.Sprintf( //nolint:unqueryvet // whatever its columns are
			"CREATE TABLE loose AS SELECT * FROM %[1]s; DROP TABLE %[1]s; ALTER TABLE loose RENAME TO %[1]s", table))
	}
	return statements
}()

const t0 = "2026-01-01T00:00:00."

// damage is what statements do to one drop, with the first sentence that the audit must report. {r} is the id that
// number 0 would have in the drop, {t} the drop's first moment, and {nobody} a list of the numbers 1 to 4 and 99.
type damage struct{ name, sql, want string }

// damages are those of drop 7.
var damages = []damage{
	{
		"counter off", "UPDATE sizes SET available = available + 1, held = held - 1 WHERE drop_id = 7 AND label = '9'",
		`the counter "available" of size "9" is 3, but the ledger gives 2`,
	},
	{
		"held off", "UPDATE sizes SET held = 0 WHERE drop_id = 7 AND label = '9'",
		`the stock of size "9" must be the sum of available, held and sold units: total is 5, available 2, held 0, sold 2`,
	},
	{
		"total off", "UPDATE sizes SET total = 6 WHERE drop_id = 7 AND label = '10'",
		`the stock of size "10" must be the sum of available, held and sold units: total is 6, available 4, held 0, sold 1`,
	},
	{
		"total off, balanced", "UPDATE sizes SET total = 6, available = 5 WHERE drop_id = 7 AND label = '10'",
		`the counter "available" of size "10" is 5, but the ledger gives 4`,
	},
	{
		"stock below zero", "UPDATE sizes SET available = -1, total = 2 WHERE drop_id = 7 AND label = '9'",
		`the stock of size "9" must be the sum of available, held and sold units: total is 2, available -1, held 1, sold 2`,
	},
	{
		"size lost", "DELETE FROM sizes WHERE drop_id = 7 AND label = '9'",
		`ledger entry 1 has size "9", which the drop does not have`,
	},
	{"all sizes lost", "DELETE FROM sizes WHERE drop_id = 7", `it has no stock: there must be at least one size`},
	{
		"size twice", "INSERT INTO sizes SELECT drop_id, position + 5, label, total, available, held, sold, waiting, pending FROM sizes WHERE drop_id = 7 AND label = '10'",
		`size "10" appears twice`,
	},

	{"ledger: gap", "DELETE FROM ledger WHERE drop_id = 7 AND seq = 5", `ledger entry 5 is missing`},
	{"ledger: gap of three", "DELETE FROM ledger WHERE drop_id = 7 AND seq BETWEEN 4 AND 6", `ledger entries 4 to 6 are missing`},
	{"ledger: first lost", "DELETE FROM ledger WHERE drop_id = 7 AND seq = 1", `ledger entry 1 is missing`},
	{
		"ledger: last lost", "DELETE FROM ledger WHERE drop_id = 7 AND seq = 12",
		`ledger entry 12 is missing: the drop's row says that the newest is number 12`,
	},
	{
		"ledger: all lost", "DELETE FROM ledger WHERE drop_id = 7",
		`ledger entries 1 to 12 are missing: the drop's row says that the newest is number 12`,
	},
	{"ledger: entry twice", "INSERT INTO ledger SELECT * FROM ledger WHERE drop_id = 7 AND seq = 5", `ledger entry 5 appears twice`},
	{
		"ledger: one too many", "INSERT INTO ledger SELECT drop_id, 13, batch, at, size, 'restocked', 0, 2, NULL, NULL FROM ledger WHERE drop_id = 7 AND seq = 12",
		`ledger entry 13 exists, but the drop's row says that the newest is number 12`,
	},
	{
		"ledger: numbers", "UPDATE ledger SET numbers = (SELECT numbers FROM ledger WHERE drop_id = 7 AND seq = 4) WHERE drop_id = 7 AND seq = 3",
		`ledger entry 3 has 3 units, but names 1 reservations or purchases`,
	},
	{
		"ledger: batch of an entry", "UPDATE ledger SET batch = {batch} WHERE drop_id = 7 AND seq = 6",
		`ledger entry 7 belongs to batch 07030000000000000000000000000000, which had already ended`,
	},
	{
		"ledger: batches of entries", "UPDATE ledger SET batch = {batch} WHERE drop_id = 7 AND seq IN (5, 7)",
		`its version is 7, but the ledger has 8 batches, and each makes a version`,
	},
	{
		"ledger: batch of the newest entry", "UPDATE ledger SET batch = {batch} WHERE drop_id = 7 AND seq = 12",
		`its row names batch 07070000000000000000000000000000 as its last one, but the ledger continues to batch `,
	},
	{
		"ledger: batch of an earlier one", "UPDATE ledger SET batch = (SELECT batch FROM ledger WHERE drop_id = 7 AND seq = 3) WHERE drop_id = 7 AND seq = 10",
		`ledger entry 10 belongs to batch 07020000000000000000000000000000, which had already ended`,
	},
	{
		"ledger: newest batch", "UPDATE drops SET batch = (SELECT batch FROM ledger WHERE drop_id = 7 AND seq = 3) WHERE id = 7",
		`its row names batch 07020000000000000000000000000000 as its last one, but the ledger continues to batch 07070000000000000000000000000000`,
	},
	{
		"ledger: time within a batch", "UPDATE ledger SET at = at + 1 WHERE drop_id = 7 AND seq = 6",
		`ledger entry 6 is dated ` + t0 + `021Z, but its batch ` + t0 + `020Z`,
	},
	{
		"ledger: time steps back", "UPDATE ledger SET at = {t} + 15 WHERE drop_id = 7 AND seq = 10",
		`ledger entry 10 is dated ` + t0 + `015Z, earlier than the entry before it (` + t0 + `030Z)`,
	},
	{
		"ledger: time of a batch", "UPDATE ledger SET at = {t} + 71 WHERE drop_id = 7 AND seq = 10",
		`reservation 30064771076 (expired) was expired at ` + t0 + `070Z, but the ledger has no such movement then`,
	},
	{
		"ledger: available", "UPDATE ledger SET available = 9 WHERE drop_id = 7 AND seq = 8",
		`ledger entry 8 says that 9 units of size "9" are available after it, but the entries up to it give 2`,
	},
	{
		"ledger: units", "UPDATE ledger SET units = 2 WHERE drop_id = 7 AND seq = 3",
		`ledger entry 3 says that 2 units of size "9" are available after it, but the entries up to it give 3`,
	},
	{
		"ledger: units below zero", "UPDATE ledger SET units = -1 WHERE drop_id = 7 AND seq = 12",
		`ledger entry 12 has -1 units, but "purchased" moves at least 1`,
	},
	{
		"ledger: oversold", "UPDATE ledger SET units = 6, available = -1 WHERE drop_id = 7 AND seq = 3",
		`ledger entry 4 ends its batch with an impossible stock of size "9": available -1, held 6, sold 0`,
	},
	{
		"ledger: unknown reason", "UPDATE ledger SET reason = 'stolen' WHERE drop_id = 7 AND seq = 8",
		`ledger entry 8 has the unknown reason "stolen"`,
	},
	{
		"ledger: other reason", "UPDATE ledger SET reason = 'reservation_expired' WHERE drop_id = 7 AND seq = 8",
		`reservation 30064771074 (cancelled) was cancelled at ` + t0 + `030Z, but the ledger has no such movement then`,
	},
	{
		"ledger: reason twice in a batch", "UPDATE ledger SET reason = 'reserved', available = 0 WHERE drop_id = 7 AND seq = 6",
		`ledger entry 6 is the second one for "reserved" of size "9" in its batch`,
	},
	{
		"ledger: unknown size", "UPDATE ledger SET size = '11' WHERE drop_id = 7 AND seq = 8",
		`ledger entry 8 has size "11", which the drop does not have`,
	},
	{
		"ledger: created twice", "UPDATE ledger SET reason = 'created' WHERE drop_id = 7 AND seq = 9",
		`ledger entry 9 creates the stock of size "10" a second time`,
	},
	{
		"ledger: not created", "UPDATE ledger SET reason = 'restocked' WHERE drop_id = 7 AND seq = 2",
		`ledger entry 2 is the first one of size "10" but has the reason "restocked" instead of "created"`,
	},

	{"row: version", "UPDATE drops SET version = 3 WHERE id = 7", `its version is 3, but the ledger has 6 batches, and each makes a version`},
	{"row: version, batch", "UPDATE drops SET version = 6, batch = {batch} WHERE id = 7", `its row names batch `},
	{
		"row: time of last batch", "UPDATE drops SET last_at = last_at + 1 WHERE id = 7",
		`its row dates its last batch ` + t0 + `081Z, but the ledger ` + t0 + `080Z`,
	},
	{
		"row: next ledger entry", "UPDATE drops SET seq = 20 WHERE id = 7",
		`ledger entries 13 to 20 are missing: the drop's row says that the newest is number 20`,
	},
	{
		"row: next reservation", "UPDATE drops SET reserved = 9 WHERE id = 7",
		`reservation numbers 7 to 9 are missing: the drop's row says that the newest is number 9`,
	},
	{
		"row: next reservation too low", "UPDATE drops SET reserved = 5 WHERE id = 7",
		`reservation number 6 exists, but the drop's row says that the newest is number 5`,
	},
	{
		"row: next purchase", "UPDATE drops SET purchased = 2 WHERE id = 7",
		`purchase number 3 exists, but the drop's row says that the newest is number 2`,
	},
	{"row: made later", "UPDATE drops SET created_at = created_at + 1 WHERE id = 7", `it was made at ` + t0 + `001Z, after its first ledger entry (` + t0 + `000Z)`},

	{"reservation lost", "DELETE FROM reservations WHERE id = {r} + 2", `reservation number 2 is missing`},
	{
		"last reservation lost", "DELETE FROM reservations WHERE id = {r} + 6",
		`reservation number 6 is missing: the drop's row says that the newest is number 6`,
	},
	{"reservation twice", "INSERT INTO reservations SELECT * FROM reservations WHERE id = {r} + 3", `reservation number 3 appears twice`},
	{"reservation renumbered", "UPDATE reservations SET id = {r} + 9 WHERE id = {r} + 6", `reservation numbers 6 to 8 are missing`},
	{
		"reservation: unknown size", "UPDATE reservations SET size = '11' WHERE id = {r} + 2",
		`reservation 30064771074 has size "11", which the drop does not have`,
	},
	{
		"reservation: other size", "UPDATE reservations SET size = '10' WHERE id = {r} + 2",
		`reservation 30064771074 (cancelled) was cancelled at ` + t0 + `030Z, but the ledger has no such movement then`,
	},
	{"reservation: unknown status", "UPDATE reservations SET status = 5 WHERE id = {r} + 2", `reservation 30064771074 has the unknown status 5`},
	{
		"reservation: status changed", "UPDATE reservations SET status = 4 WHERE id = {r} + 5",
		`reservation 30064771077 (cancelled) was cancelled at ` + t0 + `080Z, but the ledger has no such movement then`,
	},
	{
		"reservation: active again", "UPDATE reservations SET status = 1, ended_at = NULL WHERE id = {r} + 2",
		`ledger entry 8: 1 units of size "9" were cancelled at ` + t0 + `030Z, but 0 reservations say so`,
	},
	{
		"reservation: active with an end", "UPDATE reservations SET status = 1 WHERE id = {r} + 2",
		`reservation 30064771074 is active, but ended at ` + t0 + `030Z`,
	},
	{"reservation: no end", "UPDATE reservations SET ended_at = NULL WHERE id = {r} + 2", `reservation 30064771074 is cancelled, but has no end`},
	{
		"reservation: ended early", "UPDATE reservations SET ended_at = {t} + 9 WHERE id = {r} + 2",
		`reservation 30064771074 ended at ` + t0 + `009Z, before it was made (` + t0 + `010Z)`,
	},
	{
		"reservation: ended late", "UPDATE reservations SET ended_at = {t} + 90 WHERE id = {r} + 2",
		`reservation 30064771074 was changed at ` + t0 + `090Z, after the drop's last batch (` + t0 + `080Z)`,
	},
	{
		"reservation: end moved", "UPDATE reservations SET ended_at = {t} + 31 WHERE id = {r} + 2",
		`reservation 30064771074 (cancelled) was cancelled at ` + t0 + `031Z, but the ledger has no such movement then`,
	},
	{
		"reservation: beginning moved", "UPDATE reservations SET created_at = {t} + 20 WHERE id = {r} + 2",
		`reservation 30064771077 (completed) was reserved at ` + t0 + `020Z, one more than the 1 of ledger entry 5`,
	},
	{
		"reservation: expired before its time", "UPDATE reservations SET expires_at = {t} + 71 WHERE id = {r} + 4",
		`reservation 30064771076 expired at ` + t0 + `070Z, before its hold ended (` + t0 + `071Z)`,
	},
	{
		"reservation: bought after its time", "UPDATE reservations SET expires_at = {t} + 80 WHERE id = {r} + 5",
		`reservation 30064771077 was completed at ` + t0 + `080Z, after its hold had ended (` + t0 + `080Z)`,
	},
	{
		"reservation: other user", "UPDATE reservations SET user_id = 99 WHERE id = {r} + 1",
		`purchase 30064771073 is user 1's, but its reservation 30064771073 is user 99's`,
	},

	{"purchase lost", "DELETE FROM purchases WHERE id = {r} + 1", `purchase number 1 is missing`},
	{
		"last purchase lost", "DELETE FROM purchases WHERE id = {r} + 3",
		`purchase number 3 is missing: the drop's row says that the newest is number 3`,
	},
	{
		"last purchase lost with its number", "DELETE FROM purchases WHERE id = {r} + 3; UPDATE drops SET purchased = 2 WHERE id = 7",
		`reservation 30064771077 is completed, but it has no purchase`,
	},
	{"purchase twice", "INSERT INTO purchases SELECT * FROM purchases WHERE id = {r} + 1", `purchase number 1 appears twice`},
	{
		"reservation sold twice", "UPDATE purchases SET reservation_id = {r} + 1, user_id = 1 WHERE id = {r} + 3",
		`purchase 30064771075 is the second one of reservation 30064771073`,
	},
	{
		"purchase without reservation", "UPDATE purchases SET reservation_id = {r} + 77 WHERE id = {r} + 3",
		`purchase 30064771075 belongs to reservation 30064771149, but there is no completed reservation with that number`,
	},
	{
		"purchase of a cancelled one", "UPDATE purchases SET reservation_id = {r} + 2 WHERE id = {r} + 3",
		`purchase 30064771075 belongs to reservation 30064771074, but there is no completed reservation with that number`,
	},
	{
		"purchase: user", "UPDATE purchases SET user_id = 99 WHERE id = {r} + 2",
		`purchase 30064771074 is user 99's, but its reservation 30064771075 is user 3's`,
	},
	{
		"purchase: size", "UPDATE purchases SET size = '9' WHERE id = {r} + 2",
		`purchase 30064771074 has size "9", but its reservation 30064771075 has size "10"`,
	},
	{
		"purchase: price", "UPDATE purchases SET price = 1 WHERE id = {r} + 2",
		`purchase 30064771074 has the price 0.01, but the drop's price is 120`,
	},
	{"price changed", "UPDATE drops SET price = 100 WHERE id = 7", `purchase 30064771073 has the price 120, but the drop's price is 1`},
	{
		"purchase: time", "UPDATE purchases SET created_at = {t} + 21 WHERE id = {r} + 2",
		`purchase 30064771074 is dated ` + t0 + `021Z, but its reservation 30064771075 was completed at ` + t0 + `020Z`,
	},
}

func TestRun_FindsEveryDamage(t *testing.T) { findsEach(t, 7, damages) }

// findsEach makes each damage alone, directly in the database. It must be reported first, and the other drops stay
// clean. The store is filled again after each.
func findsEach(t *testing.T, id drop.ID, damages []damage) {
	t.Helper()
	placeholders := strings.NewReplacer("{r}", strconv.FormatInt(int64(id)<<32, 10), "{t}", strconv.FormatInt(int64(began), 10))
	onEachEngine(t, func(t *testing.T, d database) {
		if d.url == "" {
			return // no SQL to damage it with: see TestDrop_EveryRowCounts
		}
		d.run(t, loosen...)
		if !strings.HasPrefix(d.url, "sqlite:") { // the column went with its sequence, which an import sets
			d.run(t, "CREATE SEQUENCE payments_id_seq")
		}
		for _, damage := range damages {
			t.Run(damage.name, func(t *testing.T) {
				fill(t, d)
				d.run(t, placeholders.Replace(damage.sql))
				report, err := audit.Run(t.Context(), d, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range report.Drops {
					if r.ID != id && r.Differences != 0 {
						t.Errorf("drop %d has differences: %s", r.ID, r.Sentences)
					}
					if r.ID == id && (r.Differences == 0 || !strings.HasPrefix(r.Sentences[0], fmt.Sprintf("drop %d: %s", id, damage.want))) {
						t.Errorf("found %d:\n%s\nwant first: %s", r.Differences, strings.Join(r.Sentences, "\n"), damage.want)
					}
				}
				if report.Damaged() != 1 || len(report.Drops) != 9 {
					t.Errorf("%d of %d drops are damaged", report.Damaged(), len(report.Drops))
				}
			})
		}
	})
}

func fill(t *testing.T, s store.Store) {
	t.Helper()
	drops := []store.Filled{three(t), seven(t), eight(t), nine(t), thirteen(t)}
	for _, fixture := range draws {
		drawn, _, _ := fixture(t)
		drops = append(drops, drawn)
	}
	if err := store.Fill(t.Context(), paying{s, drawRows(t)}, nil, drops, true); err != nil {
		t.Fatal(err)
	}
}

func TestRun_CleanBooks(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		var progress []drop.ID
		report, err := audit.Run(t.Context(), d, func(r audit.DropReport) { progress = append(progress, r.ID) })
		if err != nil {
			t.Fatal(err)
		}
		if report.Damaged() != 0 {
			t.Errorf("%+v", report)
		}
		sum := report.Sum()
		if sum.Reservations != 40 || sum.Purchases != 12 || sum.LedgerEntries != 98 || sum.Entries != 18 || sum.Waiting != 1 || sum.DrawEntries != 17 || sum.Passes != 11 ||
			sum.Uses != 7 || sum.Kept != 1 || sum.KeptEarly != 1 || len(progress) != 9 || progress[0] != 3 {
			t.Errorf("sum %+v, progress %d", sum, progress)
		}
	})
}
