package audit_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

var (
	tenSeed = draw.Seed(sha256.Sum256([]byte("the seed of drop 10")))
	tenKey  = bytes.Repeat([]byte{7}, sha256.Size)
)

// recordOf is the public record of a drop's draw, made independently of the audit.
func recordOf(t *testing.T, s *drop.State, entries []drop.DrawEntry, stock []draw.Stock) *draw.Record {
	t.Helper()
	r, err := drawn(s, entries, stock, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func drawn(s *drop.State, entries []drop.DrawEntry, stock []draw.Stock, beacon *draw.Beacon) (*draw.Record, error) {
	r, err := sealed(s, entries, stock, beacon)
	return r, cmp.Or(err, r.Run())
}

// sealed is the record at the close.
func sealed(s *drop.State, entries []drop.DrawEntry, stock []draw.Stock, beacon *draw.Beacon) (*draw.Record, error) {
	r := &draw.Record{
		Drop: draw.Drop{ID: int64(s.ID), Name: s.Name}, Opens: draw.Time(s.Draw.Opens), Closes: draw.Time(s.Draw.Closes), Stock: stock,
		Commitment: draw.Hash(s.Draw.Commitment), Seed: tenSeed, Beacon: beacon,
	}
	for _, e := range entries {
		mac := hmac.New(sha256.New, tenKey)
		mac.Write(binary.BigEndian.AppendUint64(nil, uint64(e.Number())))
		r.Entries = append(r.Entries, draw.Entry{
			ID: draw.EntryID(e.Number()), Hash: draw.HashBuyer(draw.Salt(mac.Sum(nil)[:16]), int64(e.UserID)), Sizes: e.Sizes.Places(),
			Withdrawn: e.WithdrawnAt != 0, Removed: e.Removed,
		})
	}
	return r, r.Close()
}

// kept is what a store keeps of a draw with that record.
func kept(t *testing.T, r *draw.Record) store.Draw {
	t.Helper()
	d, err := keep(r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func keptOf(s *drop.State, entries []drop.DrawEntry, stock []draw.Stock) (store.Draw, error) {
	r, err := drawn(s, entries, stock, nil)
	if err != nil {
		return store.Draw{}, err
	}
	return keep(r)
}

func keep(r *draw.Record) (store.Draw, error) {
	closed, err := json.Marshal(map[string]any{"name": r.Drop.Name, "stock": r.Stock, "count": r.Count, "root": r.Root, "seal": r.Seal})
	if err != nil {
		return store.Draw{}, err
	}
	text, err := r.Encode()
	if err != nil {
		return store.Draw{}, err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return store.Draw{}, err
	}
	if err := z.Close(); err != nil {
		return store.Draw{}, err
	}
	return store.Draw{
		Secrets: drop.DrawSecrets{Seed: tenSeed[:], Key: tenKey}, Closed: string(closed), Record: packed.Bytes(), UpdatedAt: began + 100,
	}, nil
}

// placesOf are the places in line that follow from a record.
func placesOf(r *draw.Record, entries []drop.DrawEntry) (places []drop.Place) {
	for _, w := range r.Winners {
		places = append(places, drop.Place{User: entries[w.Entry-1].UserID, Size: w.Size})
	}
	for _, id := range r.RunnersUp {
		for _, size := range r.Entries[id-1].Sizes {
			places = append(places, drop.Place{User: entries[id-1].UserID, Size: size})
		}
	}
	return places
}

// Drop 10 has a draw, in which 4 and 1 win a 9, and 3 wins a 10. 6 and then 5 are runners-up:
//
//	entries of the draw:  2 removed, 6 withdrawn, all others take part; 7 is user 6's second one
//	places of 9:   1 offered 1 (purchase 1), 2 offered 2, 5 offered 4, 7 left, because its buyer had its turn
//	       of 10:  3 offered 3, 4 left, for the same reason, 6 offered 5
//	reservations 2 declined, all others active; 6 is no offer
//	ledger at 0 ms:  1 created 9 ×1        2 created 10 ×1       3 created 11 ×5
//	      at 5 ms:   4 restocked 9 ×1
//	      at 110 ms: 5 kept 9 ×2
//	      at 120 ms: 6 kept 10 ×1
//	      at 130 ms: the first offers
//	      at 250 ms: a restock of 10 ×3
//
// It returns the entries, and what is kept of the draw, too.
func ten(t *testing.T) (store.Filled, []drop.DrawEntry, store.Draw) {
	h := drawHistory(t, 10, "", 0)
	h.batch(t, 5, drop.Restock{Add: 1, Size: "9"})
	h.batch(t, 10, enter(1, "9", "10"), enter(2, "9"), enter(3, "10"), enter(4, "9"), enter(5, "10", "9"), enter(6, "9"))
	h.batch(t, 20, drop.Withdraw{User: 6})
	h.batch(t, 30, enter(6, "10", "9"), drop.Remove{Entry: drop.NewEntryID(10, 2), Reason: "a second account"})
	h.batch(t, 100, drop.CloseDraw{})
	entries := h.drawEntries()
	r := recordOf(t, h.state, entries, tenStock)
	places := placesOf(r, entries)
	h.batch(t, 110, drop.LineUp{Places: places[:2]})
	h.batch(t, 120, drop.LineUp{From: 2, Places: places[2:], Last: true})
	for size := range h.state.Sizes {
		var line []drop.Entry
		for _, e := range h.changes.Joined {
			if e.Line == size {
				line = append(line, *e)
			}
		}
		h.state.LoadLine(size, line, true)
	}
	h.batch(t, 130, drop.Pause{}, drop.Resume{}) // whatever batch comes next makes the offers
	h.batch(t, 140, drop.MakePurchase{Reservation: drop.NewReservationID(10, 1)})
	h.batch(t, 150, drop.Cancel{Reservation: drop.NewReservationID(10, 2)})
	h.batch(t, 250, drop.Restock{Add: 3, Size: "10"})
	h.batch(t, 260, drop.Reserve{User: 9, Size: "10", Hold: time.Minute})
	return store.Filled{State: h.state, Changes: h.changes}, entries, kept(t, r)
}

var tenStock = []draw.Stock{{Size: "9", Units: 2}, {Size: "10", Units: 1}, {Size: "11", Units: 5}}

// eleven is drop 11, whose entries are closed. The beacon's round is not there yet.
func eleven(t *testing.T) (store.Filled, []drop.DrawEntry, store.Draw) {
	h := drawHistory(t, 11, "quicknet", 30_000_000)
	h.batch(t, 10, enter(1, "9", "10"), enter(2, "9"), enter(3, "10"))
	h.batch(t, 100, drop.CloseDraw{})
	entries := h.drawEntries()
	beacon, err := draw.RoundOf("quicknet", 30_000_000)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sealed(h.state, entries, []draw.Stock{{Size: "9", Units: 1}, {Size: "10", Units: 1}, {Size: "11", Units: 5}}, beacon)
	if err != nil {
		t.Fatal(err)
	}
	all := kept(t, r)
	all.Record = nil
	return store.Filled{State: h.state, Changes: h.changes}, entries, all
}

// twelve is drop 12, whose draw buyers can enter.
func twelve(t *testing.T) (store.Filled, []drop.DrawEntry, store.Draw) {
	h := drawHistory(t, 12, "", 0)
	h.batch(t, 10, enter(1, "9", "10"), enter(2, "9"))
	h.batch(t, 50, enter(3, "11"))
	return store.Filled{State: h.state, Changes: h.changes}, h.drawEntries(), store.Draw{Secrets: drop.DrawSecrets{Key: tenKey}, UpdatedAt: began}
}

func drawHistory(t *testing.T, id drop.ID, beacon string, round int64) *history {
	t.Helper()
	return newHistory(t, id, drop.Spec{
		Name: "Drawn", Price: 12_000, StartTime: began + 200,
		Sizes: []drop.SizeSpec{{Label: "9", Stock: 1}, {Label: "10", Stock: 1}, {Label: "11", Stock: 5}},
		Draw: drop.Draw{
			Opens: began + 10, Closes: began + 100, PayWithin: 10, Commitment: drop.Hash(draw.Commit(tenSeed)), Chain: beacon, Round: round,
		},
	})
}

func enter(user drop.UserID, sizes ...string) drop.Command {
	return drop.Enter{User: user, Sizes: sizes}
}

// drawEntries returns the entries as they are now.
func (h *history) drawEntries() []drop.DrawEntry {
	var all []drop.DrawEntry
	for _, e := range h.entered {
		all = append(all, *e)
	}
	return all
}

var draws = []func(*testing.T) (store.Filled, []drop.DrawEntry, store.Draw){ten, eleven, twelve, fourteen}

// drawRows are what the stores keep of the draws beside the drops.
func drawRows(t *testing.T) (rows []store.Row) {
	t.Helper()
	for _, fixture := range draws {
		filled, entries, kept := fixture(t)
		for _, e := range entries {
			rows = append(rows, store.Row{Drop: filled.State.ID, Value: e})
		}
		rows = append(rows, store.Row{Drop: filled.State.ID, Value: kept})
	}
	return rows
}

// remade returns a statement that stores a record of drop 10 with other entries or stock. It is right in itself, and
// agrees with what was published at the close.
func remade(t *testing.T, stock []draw.Stock, change func([]drop.DrawEntry) []drop.DrawEntry) string {
	t.Helper()
	filled, entries, _ := ten(t)
	return stored(t, filled, change(entries), stock)
}

// stored returns a statement that stores a record with those entries and units.
func stored(t *testing.T, filled store.Filled, entries []drop.DrawEntry, stock []draw.Stock) string {
	t.Helper()
	d := kept(t, recordOf(t, filled.State, entries, stock))
	return fmt.Sprintf("UPDATE draws SET record = {hex %x}, closed = '%s' WHERE drop_id = %d", d.Record, d.Closed, filled.State.ID)
}

// rewritten returns a statement that stores the record of drop 10 with a change.
func rewritten(t *testing.T, change func(*draw.Record)) string {
	t.Helper()
	filled, entries, _ := ten(t)
	r := recordOf(t, filled.State, entries, tenStock)
	r.Stock = slices.Clone(r.Stock)
	change(r)
	return fmt.Sprintf("UPDATE draws SET record = {hex %x} WHERE drop_id = 10", kept(t, r).Record)
}

// drawDamages are like damages, of drop 10.
func drawDamages(t *testing.T) []damage {
	t.Helper()
	moved := func(field, value string) string {
		return fmt.Sprintf("UPDATE drops SET draw = replace(draw, '%s', '%s') WHERE id = 10", field, value)
	}
	published := func(field, value string) string {
		return fmt.Sprintf("UPDATE draws SET closed = replace(closed, '%s', '%s') WHERE drop_id = 10", field, value)
	}
	same := func(e []drop.DrawEntry) []drop.DrawEntry { return e }
	filled, entries, _ := ten(t)
	r := recordOf(t, filled.State, entries, tenStock)
	return []damage{
		{"row: unknown phase", "UPDATE drops SET draw_phase = 3 WHERE id = 10", `its draw is in the unknown phase 3`},
		{"row: open again", "UPDATE drops SET draw_phase = 0 WHERE id = 10", `its draw gave 7 places in line, but entries are not closed`},
		{"row: not over", "UPDATE drops SET draw_phase = 1 WHERE id = 10", `reservation 42949672961 was made at ` + t0 + `130Z, but the draw is not over`},
		{
			"row: more places than the line", "UPDATE drops SET lined = 8 WHERE id = 10",
			`its draw gave 8 places in line, but the newest entry of the waitlist is number 7`,
		},
		{"row: fewer places", "UPDATE drops SET lined = 6 WHERE id = 10", `its draw is over and gave 6 places in line, but its record gives 7`},
		{"row: more entries", "UPDATE drops SET entered = 8 WHERE id = 10", `draw entry 8 is missing: the drop's row says that the newest is number 8`},
		{"row: fewer entries", "UPDATE drops SET entered = 6 WHERE id = 10", `draw entry 7 exists, but the drop's row says that the newest is number 6`},
		{"row: no terms", "UPDATE drops SET draw = NULL WHERE id = 10", `it has no draw, but its row has the phase 2, 7 entries and 7 places in line of one`},
		{"row: no draw", "UPDATE drops SET draw = NULL, draw_phase = 0, entered = 0, lined = 0 WHERE id = 10", `it has no draw, but one is stored`},
		{
			"row: no draw, but entries", "UPDATE drops SET draw = NULL, draw_phase = 0, entered = 0, lined = 0 WHERE id = 10; DELETE FROM draws WHERE drop_id = 10",
			`draw entry 42949672961 exists, but the drop has no draw`,
		},
		{"row: terms", moved("{", ""), `the terms of its draw cannot be read`},
		{
			"row: closes after it was closed", moved(`"closes":1767225600100`, `"closes":1767225601100`),
			`the entries of its draw are closed, but they close at 2026-01-01T00:00:01.100Z, after the drop's last batch (` + t0 + `260Z)`,
		},
		{
			"row: sold before the close", moved(`"closes":1767225600100`, `"closes":1767225600131`),
			`reservation 42949672961 was made at ` + t0 + `130Z, before the entries of the draw closed (` + t0 + `131Z)`,
		},
		{"row: opens", moved(`"opens":1767225600010`, `"opens":1767225600009`), `the record of its draw has "opens" ` + t0 + `010Z, but the terms are ` + t0 + `009Z`},
		{"row: closes", moved(`"closes":1767225600100`, `"closes":1767225600099`), `the record of its draw has "closes" ` + t0 + `100Z, but the terms are ` + t0 + `099Z`},
		{"row: commitment", moved(`"commitment":"`, `"commitment":"00`), `the terms of its draw cannot be read`},
		{
			"row: beacon", moved(`"closes"`, `"beacon":"quicknet","round":5,"closes"`),
			`the record of its draw has "beacon" none, but the terms are round 5 of 52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971`,
		},
		{"row: round", moved(`"closes"`, `"round":5,"closes"`), `the terms of its draw name no round of a beacon: this program knows no drand network ""`},

		{"draw: lost", "DELETE FROM draws WHERE drop_id = 10", `nothing is stored of its draw, so its key is lost`},
		{"draw: twice", "INSERT INTO draws SELECT * FROM draws WHERE drop_id = 10", `its draw is stored twice`},
		{"draw: key too short", "UPDATE draws SET key = {hex 00} WHERE drop_id = 10", `the key of its draw has 1 bytes, not 32`},
		{
			"draw: key", fmt.Sprintf("UPDATE draws SET key = {hex %064x} WHERE drop_id = 10", 1),
			`draw entry 42949672961 is user 1's, but the record has another buyer`,
		},
		{"draw: no seed", "UPDATE draws SET seed = NULL WHERE drop_id = 10", `its draw has a record, but no seed`},
		{
			"draw: seed", fmt.Sprintf("UPDATE draws SET seed = {hex %064x} WHERE drop_id = 10", 1),
			`the seed of its draw does not match the commitment`,
		},
		{"draw: not closed", "UPDATE draws SET closed = NULL WHERE drop_id = 10", `its draw has a record, but nothing was published at the close`},
		{"draw: no record", "UPDATE draws SET record = NULL WHERE drop_id = 10", `its draw is over, but has no record`},
		{"draw: a beacon", "UPDATE draws SET beacon = '{}' WHERE drop_id = 10", `its draw has a beacon's round, but its terms name none`},

		{"closed: no JSON", published("{", ""), `what was published when the entries of its draw closed cannot be read`},
		{"closed: name", published("Drawn", "Other"), `the record of its draw has "name" Drawn, but Other was published at the close`},
		{"closed: stock", published(`"units":5`, `"units":4`), `the record of its draw has "stock" [{9 2} {10 1} {11 5}], but [{9 2} {10 1} {11 4}] was published at the close`},
		{"closed: count", published(`"count":7`, `"count":8`), `the record of its draw has "count" 7, but 8 was published at the close`},
		{"closed: root", published(`"root":"`, `"root":"00`), `what was published when the entries of its draw closed cannot be read`},
		{"closed: another root", published(r.Root.String(), r.Seal.String()), fmt.Sprintf(`the record of its draw has "root" %s, but %s was`, r.Root, r.Seal)},
		{
			"closed: another seal", published(`"seal":"`+r.Seal.String(), `"seal":"`+r.Root.String()),
			fmt.Sprintf(`the record of its draw has "seal" %s, but %s was`, r.Seal, r.Root),
		},

		{"record: not compressed", "UPDATE draws SET record = {hex 7b7d} WHERE drop_id = 10", `the record of its draw cannot be read: it is not compressed by gzip`},
		{"record: cut", "UPDATE draws SET record = substr(record, 1, 100) WHERE drop_id = 10", `the record of its draw cannot be read: it is not compressed by gzip, or not all is there`},
		{"record: version", rewritten(t, func(r *draw.Record) { r.Version = "2" }), `the record of its draw is wrong: version: must be "sneakerdrop draw 1"`},
		{"record: of another drop", rewritten(t, func(r *draw.Record) { r.Drop.ID = 7 }), `the record of its draw has "drop" 7, but the terms are 10`},
		{"record: commitment", rewritten(t, func(r *draw.Record) { r.Commitment[0] ^= 1 }), `the record of its draw has "commitment" `},
		{"record: sizes", rewritten(t, func(r *draw.Record) { r.Stock[2].Size = "12" }), `the record of its draw has "sizes" ["9" "10" "12"], but the terms are ["9" "10" "11"]`},
		{
			"record: winners", rewritten(t, func(r *draw.Record) { slices.Reverse(r.Winners[:2]) }),
			`the record of its draw is wrong: winner 1 is entry 1, the draw gives entry 4`,
		},
		{
			"record: another runner-up", rewritten(t, func(r *draw.Record) { slices.Reverse(r.RunnersUp) }),
			`the record of its draw is wrong: runner-up 1 is entry 5, the draw gives entry 7`,
		},
		{
			"record: an entry more", remade(t, tenStock, func(e []drop.DrawEntry) []drop.DrawEntry {
				return append(e, drop.DrawEntry{ID: drop.NewEntryID(10, 8), UserID: 8, Sizes: "0", WithdrawnAt: 1})
			}), `the record of its draw has 8 entries, but there are 7`,
		},
		{
			"record: an entry less", remade(t, tenStock, func(e []drop.DrawEntry) []drop.DrawEntry { return e[:6] }),
			`the record of its draw has 6 entries, but there are 7`,
		},
		{
			"record: units", remade(t, []draw.Stock{{Size: "9", Units: 2}, {Size: "10", Units: 1}, {Size: "11", Units: 4}}, same),
			`the record of its draw has 4 units of size "11", but the ledger 5`,
		},

		{"entry lost", "DELETE FROM draw_entries WHERE id = {r} + 5", `draw entry 5 is missing`},
		{"entries lost", "DELETE FROM draw_entries WHERE id BETWEEN {r} + 2 AND {r} + 5", `draw entries 2 to 5 are missing`},
		{"last entry lost", "DELETE FROM draw_entries WHERE id = {r} + 7", `draw entry 7 is missing: the drop's row says that the newest is number 7`},
		{
			"last entry lost, and not counted", "DELETE FROM draw_entries WHERE id = {r} + 7; UPDATE drops SET entered = 6 WHERE id = 10",
			`the record of its draw has 7 entries, but there are 6`,
		},
		{"entry twice", "INSERT INTO draw_entries SELECT * FROM draw_entries WHERE id = {r} + 5", `draw entry 5 appears twice`},
		{"entry: buyer", "UPDATE draw_entries SET user_id = 99 WHERE id = {r} + 5", `draw entry 42949672965 is user 99's, but the record has another buyer`},
		{"entry: other sizes", "UPDATE draw_entries SET sizes = '0,1' WHERE id = {r} + 5", `draw entry 42949672965 has the sizes "0,1", but the record "1,0"`},
		{"entry: unknown size", "UPDATE draw_entries SET sizes = '1,3' WHERE id = {r} + 5", `draw entry 42949672965 has the sizes "1,3", but the drop has 3 sizes`},
		{"entry: size below 0", "UPDATE draw_entries SET sizes = '1,-1' WHERE id = {r} + 5", `draw entry 42949672965 has the sizes "1,-1", but the drop has 3 sizes`},
		{"entry: a size twice", "UPDATE draw_entries SET sizes = '1,1' WHERE id = {r} + 5", `draw entry 42949672965 has the sizes "1,1", which are no list of different ones`},
		{"entry: no size", "UPDATE draw_entries SET sizes = '' WHERE id = {r} + 5", `draw entry 42949672965 has the sizes "", which are no list of different ones`},
		{"entry: sizes", "UPDATE draw_entries SET sizes = '1,x,0' WHERE id = {r} + 5", `draw entry 42949672965 has the sizes "1,x,0", which are no list of different ones`},
		{
			"entry: too early", "UPDATE draw_entries SET created_at = {t} + 9 WHERE id = {r} + 5",
			`draw entry 42949672965 came at ` + t0 + `009Z, but the draw was open from ` + t0 + `010Z to ` + t0 + `100Z`,
		},
		{
			"entry: too late", "UPDATE draw_entries SET created_at = {t} + 100 WHERE id = {r} + 5",
			`draw entry 42949672965 came at ` + t0 + `100Z, but the draw was open from ` + t0 + `010Z to ` + t0 + `100Z`,
		},
		{
			"entry: withdrawn too late", "UPDATE draw_entries SET withdrawn_at = {t} + 100 WHERE id = {r} + 5",
			`draw entry 42949672965 was withdrawn at ` + t0 + `100Z, but came at ` + t0 + `010Z, and entries closed at ` + t0 + `100Z`,
		},
		{
			"entry: withdrawn too early", "UPDATE draw_entries SET withdrawn_at = {t} + 9 WHERE id = {r} + 5",
			`draw entry 42949672965 was withdrawn at ` + t0 + `009Z, but came at ` + t0 + `010Z, and entries closed at ` + t0 + `100Z`,
		},
		{
			"entry: withdrawn and removed", "UPDATE draw_entries SET withdrawn_at = {t} + 99 WHERE id = {r} + 2",
			`draw entry 42949672962 is both withdrawn and removed`,
		},
		{
			"entry: withdrawn", "UPDATE draw_entries SET withdrawn_at = {t} + 99 WHERE id = {r} + 5",
			`draw entry 42949672965 is withdrawn, but in the record in the draw`,
		},
		{
			"entry: not withdrawn", "UPDATE draw_entries SET withdrawn_at = NULL WHERE id = {r} + 6",
			`draw entry 42949672966 is in the draw, but in the record withdrawn`,
		},
		{
			"entry: removed", "UPDATE draw_entries SET removed = 'x' WHERE id = {r} + 5",
			`draw entry 42949672965 is removed ("x"), but in the record in the draw`,
		},
		{
			"entry: not removed", "UPDATE draw_entries SET removed = NULL WHERE id = {r} + 2",
			`draw entry 42949672962 is in the draw, but in the record removed ("a second account")`,
		},
		{
			"entry: reason", "UPDATE draw_entries SET removed = 'x' WHERE id = {r} + 2",
			`draw entry 42949672962 is removed ("x"), but in the record removed ("a second account")`,
		},

		{
			"place: winners exchanged", "UPDATE waitlist SET user_id = 5 - user_id WHERE id BETWEEN {r} + 1 AND {r} + 2",
			`waitlist entry 42949672961 is user 1's in the line of size "9", but the record of the draw gives this place to user 4 in the line of size "9"`,
		},
		{
			"place: other line", "UPDATE waitlist SET line = 2, size = '11' WHERE id = {r} + 4",
			`waitlist entry 42949672964 is user 6's in the line of size "11", but the record of the draw gives this place to user 6 in the line of size "10"`,
		},
		{
			"place: one more", `INSERT INTO waitlist SELECT drop_id, id + 1, user_id, line, size, status, created_at, ended_at, offer, why
				FROM waitlist WHERE id = {r} + 7; UPDATE drops SET waited = 8, lined = 8 WHERE id = 10`,
			`waitlist entry 42949672968 came from the draw, but its record gives only 7 places`,
		},
		{"place: lost", "DELETE FROM waitlist WHERE id = {r} + 5", `waitlist entry 5 is missing`},
		{"place: twice", "INSERT INTO waitlist SELECT * FROM waitlist WHERE id = {r} + 5", `waitlist entry 5 appears twice`},
		{
			"place: last lost", "DELETE FROM waitlist WHERE id = {r} + 7; UPDATE drops SET waited = 6, lined = 6 WHERE id = 10",
			`its draw is over and gave 6 places in line, but its record gives 7`,
		},
		{
			"place: not the first offer", "UPDATE waitlist SET status = 3, offer = NULL, ended_at = {t} + 200 WHERE id = {r} + 2",
			`waitlist entry 42949672965 was offered at ` + t0 + `150Z, while entry 42949672962 waited before it of size "9"`,
		},
		{
			"place: two units", "UPDATE waitlist SET status = 2, offer = {r} + 5, ended_at = {t} + 250 WHERE id = {r} + 4; UPDATE reservations SET user_id = 6 WHERE id = {r} + 5",
			`user 6 was offered two units by the draw: waitlist entries 42949672964 and 42949672965`,
		},
		{
			"place: given after a sale", "UPDATE waitlist SET created_at = {t} + 131 WHERE id = {r} + 6",
			`reservation 42949672961 was made at ` + t0 + `130Z, but the draw was over at ` + t0 + `131Z`,
		},
	}
}

func TestRun_FindsEveryDamageToADraw(t *testing.T) { findsEach(t, 10, drawDamages(t)) }

// Drop 11 waits for its seed.
func TestRun_FindsEveryDamageToAClosedDraw(t *testing.T) {
	findsEach(t, 11, []damage{
		{"row: open", "UPDATE drops SET draw_phase = 0 WHERE id = 11", `buyers can enter its draw, but what is published at the close is there`},
		{"row: over", "UPDATE drops SET draw_phase = 2 WHERE id = 11", `its draw is over, but has no record`},
		{"row: a place", "UPDATE drops SET waited = 1, lined = 1 WHERE id = 11", `its draw gave 1 places in line, but has no record`},
		{
			"somebody waits", "UPDATE drops SET waited = 1 WHERE id = 11; " +
				"INSERT INTO waitlist (drop_id, id, user_id, line, size, status, created_at, ended_at) VALUES (11, {r} + 1, 1, 0, '9', 3, {t} + 99, {t} + 100)",
			`waitlist entry 47244640257 did not come from the draw, which is not over`,
		},
		{"draw: key", "UPDATE draws SET key = {hex 00} WHERE drop_id = 11", `the key of its draw has 1 bytes, not 32`},
		{
			"closed: count", `UPDATE draws SET closed = replace(closed, '"count":3', '"count":4') WHERE drop_id = 11`,
			`4 entries were published when the entries of its draw closed, but there are 3`,
		},
		{
			"closed: stock", `UPDATE draws SET closed = replace(closed, '"units":1', '"units":-1') WHERE drop_id = 11`,
			`the entries of its draw break a rule: stock 1: units: must be at least 0`,
		},
		{"entry: buyer", "UPDATE draw_entries SET user_id = 99 WHERE id = {r} + 3", `the root `},
		{"entry: sizes", "UPDATE draw_entries SET sizes = '0' WHERE id = {r} + 3", `the root `},
		{"entry: withdrawn", "UPDATE draw_entries SET withdrawn_at = {t} + 99 WHERE id = {r} + 3", `the seal `},
		{"entry: removed", "UPDATE draw_entries SET removed = 'x' WHERE id = {r} + 3", `the seal `},
		{"row: opens", "UPDATE drops SET draw = replace(draw, '0010', '0009') WHERE id = 11", `the seal `},
		{"row: round", "UPDATE drops SET draw = replace(draw, '30000000', '30000001') WHERE id = 11", `the seal `},
		{"row: beacon", "UPDATE drops SET draw = replace(draw, 'quick', 'slow') WHERE id = 11", `the terms of its draw name no round of a beacon: this program knows no drand network "slownet"`},
		{"last entry lost", "DELETE FROM draw_entries WHERE id = {r} + 3; UPDATE drops SET entered = 2 WHERE id = 11", `3 entries were published when the entries of its draw closed, but there are 2`},
	})
}

// Buyers can still enter the draw of drop 12.
func TestRun_FindsEveryDamageToAnOpenDraw(t *testing.T) {
	findsEach(t, 12, []damage{
		{
			"row: closed", "UPDATE drops SET draw_phase = 1 WHERE id = 12",
			`the entries of its draw are closed, but they close at ` + t0 + `100Z, after the drop's last batch (` + t0 + `050Z)`,
		},
		{
			"entry: changed late", "UPDATE draw_entries SET withdrawn_at = {t} + 51 WHERE id = {r} + 3",
			`draw entry 51539607555 was changed at ` + t0 + `051Z, after the drop's last batch (` + t0 + `050Z)`,
		},
		{"a buyer twice", "UPDATE draw_entries SET user_id = 1 WHERE id = {r} + 3", `user 1 is in the draw twice: draw entries 51539607553 and 51539607555`},
		{"draw: a seed", fmt.Sprintf("UPDATE draws SET seed = {hex %064x} WHERE drop_id = 12", 1), `the seed of its draw does not match the commitment`},
		{"draw: a record", "UPDATE draws SET record = (SELECT record FROM draws WHERE drop_id = 10) WHERE drop_id = 12", `buyers can enter its draw, but what is published at the close is there`},
	})
}

// A draw with a beacon, of a round that drand published in 2023.
func TestDrop_FindsAnotherRoundOfTheBeacon(t *testing.T) {
	text, err := os.ReadFile("../draw/testdata/record-1.json")
	if err != nil {
		t.Fatal(err)
	}
	comet, err := draw.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	s := memory.New(stores.Now)
	spec := drop.Spec{Name: "Beacon", StartTime: drop.Time(comet.Closes), Sizes: []drop.SizeSpec{{Label: "9", Stock: 1}, {Label: "10", Stock: 1}}, Draw: drop.Draw{
		Opens: drop.Time(comet.Opens), Closes: drop.Time(comet.Closes), PayWithin: 10, Commitment: drop.Hash(draw.Commit(tenSeed)),
		Chain: "quicknet", Round: comet.Beacon.Round,
	}}
	state, changes := spec.Create(1, drop.Time(comet.Opens), drop.BatchID{1})
	step := func(at drop.Time, cmd drop.Command) {
		_, more := drop.Apply(state, at, drop.BatchID{byte(at % 251)}, []drop.Command{cmd})
		changes.Joined = append(changes.Joined, more.Joined...)
		changes.Entered = append(changes.Entered, more.Entered...)
		changes.Ledger = append(changes.Ledger, more.Ledger...)
	}
	for user := range drop.UserID(3) {
		step(spec.Draw.Opens+drop.Time(user), enter(user+1, "9", "10"))
	}
	step(spec.Draw.Closes, drop.CloseDraw{})
	var entries []drop.DrawEntry
	for _, e := range changes.Entered {
		entries = append(entries, *e)
	}
	r, err := drawn(state, entries, []draw.Stock{{Size: "9", Units: 1}, {Size: "10", Units: 1}}, comet.Beacon)
	if err != nil {
		t.Fatal(err)
	}
	step(spec.Draw.Closes+5000, drop.LineUp{Places: placesOf(r, entries), Last: true})
	if err := store.Fill(t.Context(), s, nil, []store.Filled{{State: state, Changes: changes}}, true); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*store.Draw)
		want   string
	}{
		"right":     {func(*store.Draw) {}, ""},
		"lost":      {func(d *store.Draw) { d.Beacon = "" }, `drop 1: the record of its draw has the beacon's round, but the draw does not`},
		"no JSON":   {func(d *store.Draw) { d.Beacon = "{" }, `drop 1: the beacon's round of its draw cannot be read`},
		"signature": {func(d *store.Draw) { d.Beacon = `{"signature":"00"}` }, `drop 1: the record of its draw has another signature of the beacon than the draw`},
	} {
		d := kept(t, r)
		d.Beacon = fmt.Sprintf(`{"round":%d,"signature":"%x"}`, r.Beacon.Round, []byte(r.Beacon.Signature))
		c.change(&d)
		report, err := audit.Drop(t.Context(), &altered{Store: s, kept: &d, rows: entries}, 1)
		if got := strings.Join(report.Sentences, "\n"); err != nil || got != c.want {
			t.Errorf("%s: %s, want %s; %v", name, got, c.want, err)
		}
	}
}

// If any entry of a draw, or any place that it gave, is lost, appears twice or differs, the audit reports a difference.
func TestDrop_EveryEntryOfADrawCounts(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		for name, change := range alterations(map[string]func(*drop.DrawEntry){
			"buyer": func(e *drop.DrawEntry) { e.UserID++ }, "sizes": func(e *drop.DrawEntry) { e.Sizes += ",2" },
			"created": func(e *drop.DrawEntry) { e.CreatedAt += 90 },
			"withdrawn": func(e *drop.DrawEntry) {
				e.WithdrawnAt = map[bool]drop.Time{true: began + 30}[e.WithdrawnAt == 0 && e.Removed == ""]
				e.Removed = ""
			},
			"removed": func(e *drop.DrawEntry) { e.Removed += "x" },
		}) {
			for _, id := range []drop.ID{10, 11} {
				for n := range uint32(map[drop.ID]int{10: 7, 11: 3}[id]) {
					is := func(e drop.DrawEntry) bool { return e.ID == drop.NewEntryID(id, n+1) }
					r, err := audit.Drop(t.Context(), &altered{Store: d, drawEntry: only(change, is)}, id)
					if err != nil || r.Differences == 0 {
						t.Errorf("draw entry %d of drop %d, %s: no difference (%v)", n+1, id, name, err)
					}
				}
			}
		}
		for name, change := range alterations(map[string]func(*drop.Entry){
			"buyer": func(e *drop.Entry) { e.UserID++ }, "line": func(e *drop.Entry) { e.Line, e.Size = 2, "11" },
		}) {
			for n := range uint32(7) {
				is := func(e drop.Entry) bool { return e.ID == drop.NewEntryID(10, n+1) }
				r, err := audit.Drop(t.Context(), &altered{Store: d, entryWaits: only(change, is)}, 10)
				if err != nil || r.Differences == 0 {
					t.Errorf("place %d, %s: no difference (%v)", n+1, name, err)
				}
			}
		}
	})
}

func TestDrop_CountsTheDraw(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		for id, want := range map[drop.ID]int64{9: 0, 10: 7, 11: 3, 12: 3} {
			if r, err := audit.Drop(t.Context(), d, id); err != nil || r.Differences != 0 || r.DrawEntries != want {
				t.Errorf("drop %d: %+v, %v", id, r, err)
			}
		}
	})
}
