package audit_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/storetest"
)

// codes are what AddAccess adds, and coded what a buyer shows who has one of them.
func codes(id drop.ID, all ...string) (hashes []drop.Hash) {
	for _, code := range all {
		hashes = append(hashes, drop.HashCode(id, code))
	}
	return hashes
}

func coded(id drop.ID, code string) *drop.Passes {
	return &drop.Passes{Code: drop.HashCode(id, code)}
}

// buyers are those on a list, and listed what one of them shows.
func buyers(all ...drop.UserID) (hashes []drop.Hash) {
	for _, user := range all {
		hashes = append(hashes, drop.HashBuyer(user))
	}
	return hashes
}

func listed(access int, user drop.UserID) *drop.Passes {
	return &drop.Passes{Listed: []drop.Hash{drop.OnList(access, drop.HashBuyer(user))}}
}

// passes are those that the history made, in the order of their numbers, with their uses.
func (h *history) withPasses() store.Filled {
	slices.SortFunc(h.changes.Passes, func(x, y drop.Pass) int { return cmp.Compare(x.ID, y.ID) })
	return store.Filled{State: h.state, Changes: h.changes}
}

// Drop 13 has early access, and starts after a second:
//
//	access 1  codes for 9, each good for 2 uses, 2 a buyer, 4 units, until the start: 3 used, 1 kept
//	       2  a list of 5, 6 and 7, for all sizes: 1 used
//	       3  a code for 10, 2 units, over at 50 ms: 1 used
//	reservations 1 and 5 completed (purchases 1 and 2), by passes 1 of 1 and of 3; 2 and 7 active, by passes 1 and 3 of 1
//	             3 cancelled, by pass 2 of 1; 4 active and 6 expired, by passes 1 and 2 of 2
//	ledger at 0 ms:  1 created 9 ×6         2 created 10 ×4
//	      at 5 ms:   3 kept 9 ×4            4 kept 10 ×2
//	      at 10 ms:  5 freed 9 ×3           6 reserved 9 ×3       7 freed 10 ×1        8 reserved 10 ×2
//	      at 20 ms:  9 cancelled 9 ×1      10 kept 9 ×1          11 purchased 9 ×1    12 purchased 10 ×1
//	      at 40 ms: 13 reserved 9 ×1
//	      at 70 ms: 14 expired 9 ×1        15 freed 9 ×1         16 reserved 9 ×1     17 freed 10 ×1
//
// Size 9 then has 6 = 2 + 3 + 1, size 10 has 4 = 2 + 1 + 1.
func thirteen(t *testing.T) store.Filled {
	h := newHistory(t, 13, drop.Spec{
		Name: "Early", Price: 12_000, StartTime: began + 1000, Sizes: []drop.SizeSpec{{Label: "9", Stock: 6}, {Label: "10", Stock: 4}},
	})
	r := func(n uint32) drop.ReservationID { return drop.NewReservationID(13, n) }
	hold := func(user drop.UserID, size string, with *drop.Passes) drop.Command {
		return drop.Reserve{User: user, Size: size, Hold: time.Minute, With: with}
	}
	h.batch(t, 5,
		drop.AddAccess{Terms: drop.Access{Name: "Members", Sizes: []int{0}, Uses: 2, PerBuyer: 2, Units: 4}, Passes: codes(13, "FIRST-1", "SECOND-1")},
		drop.AddAccess{Terms: drop.Access{List: true, Ends: began + 900, Uses: 1}, Passes: buyers(5, 6, 7)},
		drop.AddAccess{Terms: drop.Access{Sizes: []int{1}, Ends: began + 50, Uses: 2, Units: 2}, Passes: codes(13, "THIRD-1")})
	h.batch(t, 10, hold(1, "9", coded(13, "FIRST-1")), hold(2, "9", coded(13, "FIRST-1")), hold(1, "9", coded(13, "SECOND-1")),
		hold(5, "10", listed(2, 5)), hold(9, "10", coded(13, "THIRD-1")))
	h.batch(t, 20, drop.MakePurchase{Reservation: r(1)}, drop.Cancel{Reservation: r(3)}, drop.MakePurchase{Reservation: r(5)})
	h.batch(t, 30, drop.AddAccess{To: 1, Passes: codes(13, "FOURTH-1")})
	h.batch(t, 40, drop.Reserve{User: 6, Size: "9", Hold: 20 * time.Millisecond, With: listed(2, 6)})
	h.batch(t, 70, drop.Cancel{Reservation: r(6)}, hold(3, "9", coded(13, "FOURTH-1")))
	return h.withPasses()
}

// Drop 14 has a draw and early access:
//
//	access 1  a code for 9, 1 unit, until 105 ms: it is over when its buyer gives the unit back
//	       2  a list of 1, 2 and 5, who can enter the draw early
//	entries of the draw:  1 came early; 2 too, was withdrawn and came again; 3 came early and was removed; 4 came later
//	reservations 1 cancelled at 107 ms, by pass 1 of 1; 2 to 4 are offers
//
// The draw has 2 units of 9, and 3 buyers get one.
func fourteen(t *testing.T) (store.Filled, []drop.DrawEntry, store.Draw) {
	h := drawHistory(t, 14, "", 0)
	early := func(user drop.UserID, sizes ...string) drop.Command {
		return drop.Enter{User: user, Sizes: sizes, With: listed(2, user)}
	}
	h.batch(t, 1, drop.Restock{Add: 2, Size: "9"},
		drop.AddAccess{Terms: drop.Access{Sizes: []int{0}, Ends: began + 105, Uses: 2, Units: 1}, Passes: codes(14, "KEEPER-1")},
		drop.AddAccess{Terms: drop.Access{List: true, Uses: 1}, Passes: buyers(1, 2, 5)})
	h.batch(t, 2, early(1, "9", "10"), early(2, "9"), early(5, "10"))
	h.batch(t, 3, drop.Withdraw{User: 2}, drop.Reserve{User: 8, Size: "9", Hold: time.Minute, With: coded(14, "KEEPER-1")})
	h.batch(t, 10, enter(2, "9"), enter(3, "9"))
	h.batch(t, 30, drop.Remove{Entry: drop.NewEntryID(14, 3), Reason: "a second account"})
	h.batch(t, 100, drop.CloseDraw{})
	entries := h.drawEntries()
	r := recordOf(t, h.state, entries, []draw.Stock{{Size: "9", Units: 2}, {Size: "10", Units: 1}, {Size: "11", Units: 5}})
	h.batch(t, 107, drop.Cancel{Reservation: drop.NewReservationID(14, 1)})
	h.batch(t, 110, drop.LineUp{Places: placesOf(r, entries), Last: true})
	for size := range h.state.Sizes {
		var line []drop.Entry
		for _, e := range h.changes.Joined {
			if e.Line == size {
				line = append(line, *e)
			}
		}
		h.state.LoadLine(size, line, true)
	}
	h.batch(t, 130, drop.Pause{}, drop.Resume{})
	return h.withPasses(), entries, kept(t, r)
}

// access is how a statement changes what the drop's row says of early access.
func access(id int, from, to string) string {
	return fmt.Sprintf("UPDATE drops SET access = replace(access, '%s', '%s') WHERE id = %d", from, to, id)
}

// accessDamages are like damages, of drop 13. The id of a pass is {r} + 2^26 × (number of its access) + (its number).
var accessDamages = []damage{
	{"row: not readable", access(13, "{", ""), `its early access cannot be read`},
	{"row: no early access", "UPDATE drops SET access = NULL WHERE id = 13", `0 units of size "9" are kept for early access, but the ledger gives 1`},
	{"row: uses", access(13, `"uses":1,`, `"uses":0,`), `early access 2 has impossible terms: 0 uses of each pass, 0 units a buyer, 0 units kept`},
	{"row: fewer uses", access(13, `"uses":2,"per_buyer"`, `"uses":1,"per_buyer"`), `pass 55901683713 was used 2 times, but the passes of early access 1 are good for 1`},
	{"row: per_buyer below zero", access(13, `"per_buyer":2`, `"per_buyer":-2`), `early access 1 has impossible terms: 2 uses of each pass, -2 units a buyer, 4 units kept`},
	{
		"row: units below zero", access(13, `"units":4`, `"units":-4`),
		`early access 1 has impossible terms: 2 uses of each pass, 2 units a buyer, -4 units kept`,
	},
	{"row: more units", access(13, `"units":4`, `"units":5`), `early access 1 was given 5 units of size "9", but keeps 1, and its buyers hold or bought 3`},
	{"row: fewer units", access(13, `"units":4`, `"units":3`), `early access 1 was given 3 units of size "9", but keeps 1, and its buyers hold or bought 3`},
	{"row: no units", access(13, `"units":4,`, ``), `early access 1 keeps 1 units of size "9", but was given 0`},
	{"row: fewer units than kept", access(13, `"units":4,"kept":[1]`, `"units":4,"kept":[5]`), `early access 1 keeps 5 units of size "9", but was given 4`},
	{"row: kept below zero", access(13, `"kept":[1]`, `"kept":[-1]`), `early access 1 keeps -1 units of size "9", but was given 4`},
	{"row: more kept", access(13, `"kept":[1]`, `"kept":[2]`), `2 units of size "9" are kept for early access, but the ledger gives 1`},
	{"row: fewer kept", access(13, `"kept":[1]`, `"kept":[0]`), `0 units of size "9" are kept for early access, but the ledger gives 1`},
	{"row: kept of another size", access(13, `"kept":[1]`, `"kept":[0,1]`), `early access 1 keeps 1 units of size "10", which it is not good for`},
	{"row: kept of an unknown size", access(13, `"kept":[1]`, `"kept":[1,0,1]`), `early access 1 keeps units of 3 sizes, but the drop has 2`},
	{"row: kept for another one", access(13, `"kept":[0,0]`, `"kept":[0,1]`), `early access 3 ended at ` + t0 + `050Z, but keeps 1 units of size "10"`},
	{"row: unknown size", access(13, `"sizes":[0]`, `"sizes":[0,2]`), `early access 1 is good for size number 2, but the drop has 2 sizes`},
	{"row: size below zero", access(13, `"sizes":[0]`, `"sizes":[-1,0]`), `early access 1 is good for size number -1, but the drop has 2 sizes`},
	{"row: other size", access(13, `"sizes":[0]`, `"sizes":[1]`), `early access 1 keeps 1 units of size "9", which it is not good for`},
	{"row: fewer sizes", access(13, `"list":true,`, `"list":true,"sizes":[0],`), `reservation 55834574852 has pass 55968792577, but early access 2 is not good for size "10"`},
	{"row: ends before it starts", access(13, `"ends":1767225600900`, `"ends":1767225600004`), `early access 2 ends at ` + t0 + `004Z, before it starts (` + t0 + `005Z)`},
	{
		"row: starts later", access(13, `"starts":1767225600005,"ends":1767225600900`, `"starts":1767225600011,"ends":1767225600900`),
		`reservation 55834574852 was made at ` + t0 + `010Z, but its early access 2 lasted from ` + t0 + `011Z to ` + t0 + `900Z`,
	},
	{
		"row: ends earlier", access(13, `"ends":1767225600900`, `"ends":1767225600039`),
		`reservation 55834574854 was made at ` + t0 + `040Z, but its early access 2 lasted from ` + t0 + `005Z to ` + t0 + `039Z`,
	},
	{
		"row: over, and not free", access(13, `"ends":1767225600050`, `"ends":1767225600071`),
		`early access 3 was given 2 units of size "10", but keeps 0, and its buyers hold or bought 1`,
	},
	{
		"row: start moved", "UPDATE drops SET start_time = {t} + 10 WHERE id = 13",
		`early access 1 ended at ` + t0 + `010Z, but keeps 1 units of size "9"`,
	},
	{"row: next pass", access(13, `"passes":1,`, `"passes":3,`), `early access 3: passes 2 to 3 are missing: the drop's row says that the newest is number 3`},
	{"row: next pass too low", access(13, `"passes":3,"used":1`, `"passes":2,"used":1`), `early access 2: pass 3 exists, but the drop's row says that the newest is number 2`},
	{"row: next pass too low, and used", access(13, `"passes":3,"used":3`, `"passes":2,"used":3`), `reservation 55834574855 has pass 55901683715, but there is none with that number`},
	{"row: used", access(13, `"passes":3,"used":3`, `"passes":3,"used":4`), `early access 1 was used 4 times, but its passes 3 times`},
	{"row: not used", access(13, `"passes":3,"used":3`, `"passes":3`), `early access 1 was used 0 times, but its passes 3 times`},
	{"row: used below zero", access(13, `"passes":3,"used":3`, `"passes":3,"used":-3`), `early access 1 was used -3 times`},

	{"ledger: kept", "UPDATE ledger SET reason = 'waitlist_kept' WHERE drop_id = 13 AND seq = 3", `the counter "pending" of size "9" is 0, but the ledger gives 4`},
	{
		"ledger: freed", "UPDATE ledger SET reason = 'reservation_cancelled' WHERE drop_id = 13 AND seq = 17",
		`0 units of size "10" are kept for early access, but the ledger gives 1`,
	},

	{"pass lost", "DELETE FROM passes WHERE id = {r} + 67108866", `early access 1: pass 2 is missing`},
	{"passes lost", "DELETE FROM passes WHERE id BETWEEN {r} + 134217729 AND {r} + 134217730", `early access 2: passes 1 to 2 are missing`},
	{"last pass lost", "DELETE FROM passes WHERE id = {r} + 67108867", `early access 1: pass 3 is missing: the drop's row says that the newest is number 3`},
	{"all passes lost", "DELETE FROM passes WHERE drop_id = 13", `early access 1: passes 1 to 3 are missing: the drop's row says that the newest is number 3`},
	{"pass twice", "INSERT INTO passes SELECT * FROM passes WHERE id = {r} + 67108866", `early access 1: pass 2 appears twice`},
	{"pass renumbered", "UPDATE passes SET id = {r} + 67108876 WHERE id = {r} + 67108867", `early access 1: passes 3 to 11 are missing`},
	{
		"pass of an unknown access", "UPDATE passes SET id = {r} + 4 * 67108864 + 1 WHERE id = {r} + 134217731",
		`pass 56103010305 belongs to no early access of the drop`,
	},
	{
		"pass number 0", "UPDATE passes SET id = {r} + 67108864 WHERE id = {r} + 67108866", `pass 55901683712 belongs to no early access of the drop`,
	},
	{
		"pass of another drop", "UPDATE passes SET id = 67108866 WHERE id = {r} + 67108866", `pass 67108866 belongs to no early access of the drop`,
	},
	{
		"pass: one too many", fmt.Sprintf("INSERT INTO passes VALUES (13, {r} + 67108868, {hex %064x}, 0)", 1),
		`early access 1: pass 4 exists, but the drop's row says that the newest is number 3`,
	},
	{
		"pass: hash", "UPDATE passes SET hash = (SELECT hash FROM passes WHERE id = {r} + 67108865) WHERE id = {r} + 134217729",
		`pass 55968792577 has the hash of pass 55901683713`,
	},
	{"pass: used more", "UPDATE passes SET used = 1 WHERE id = {r} + 67108866", `pass 55901683714 was used 1 times, but 0 reservations and draw entries have it`},
	{"pass: used less", "UPDATE passes SET used = 1 WHERE id = {r} + 67108865", `pass 55901683713 was used 1 times, but 2 reservations and draw entries have it`},
	{"pass: used below zero", "UPDATE passes SET used = -1 WHERE id = {r} + 67108866", `pass 55901683714 was used -1 times, but 0 reservations and draw entries have it`},

	{"reservation: no pass", "UPDATE reservations SET pass = NULL WHERE id = {r} + 2", `pass 55901683713 was used 2 times, but 1 reservations and draw entries have it`},
	{
		"reservation: a pass", "UPDATE reservations SET pass = {r} + 134217731 WHERE id = {r} + 4",
		`pass 55968792577 was used 1 times, but 0 reservations and draw entries have it`,
	},
	{"reservation: unknown pass", "UPDATE reservations SET pass = {r} + 67108868 WHERE id = {r} + 2", `reservation 55834574850 has pass 55901683716, but there is none with that number`},
	{"reservation: pass of an unknown access", "UPDATE reservations SET pass = {r} + 2013265921 WHERE id = {r} + 2", `reservation 55834574850 has pass 57847840769, but there is none with that number`},
	{"reservation: pass of another drop", "UPDATE reservations SET pass = 67108865 WHERE id = {r} + 2", `reservation 55834574850 has pass 67108865, but there is none with that number`},
	{"reservation: pass below zero", "UPDATE reservations SET pass = -1 WHERE id = {r} + 2", `reservation 55834574850 has pass -1, but there is none with that number`},
	{
		"reservation: pass for another size", "UPDATE reservations SET pass = {r} + 67108865 WHERE id = {r} + 4",
		`reservation 55834574852 has pass 55901683713, but early access 1 is not good for size "10"`,
	},
	{
		"reservation: pass of a cancelled one", "UPDATE reservations SET pass = {r} + 201326593 WHERE id = {r} + 3",
		`reservation 55834574851 has pass 56035901441, but early access 3 is not good for size "9"`,
	},
	{"reservation: an offer", "UPDATE reservations SET offer = 1 WHERE id = {r} + 2", `reservation 55834574850 (active) was offered at `},
	{
		"reservation: too many of one buyer", "UPDATE reservations SET user_id = 1 WHERE id IN ({r} + 2, {r} + 7)",
		`reservation 55834574855 is one more than the 2 that early access 1 allows user 1`,
	},
}

func TestRun_FindsEveryDamageToEarlyAccess(t *testing.T) { findsEach(t, 13, accessDamages) }

// Drop 14 has a draw, too.
func TestRun_FindsEveryDamageToEarlyAccessOfADraw(t *testing.T) {
	filled, entries, _ := fourteen(t)
	more := stored(t, filled, entries, []draw.Stock{{Size: "9", Units: 4}, {Size: "10", Units: 1}, {Size: "11", Units: 5}})
	findsEach(t, 14, []damage{
		{"row: no early access", "UPDATE drops SET access = NULL WHERE id = 14", `reservation 60129542145 has pass 60196651009, but there is none with that number`},
		{
			"row: no units", access(14, `,"units":1,"kept":[0]`, ``),
			`reservation 60129542145 was made at ` + t0 + `003Z, before the entries of the draw closed (` + t0 + `100Z)`,
		},
		{
			"reservation: no pass", "UPDATE reservations SET pass = NULL WHERE id = {r} + 1",
			`reservation 60129542145 was made at ` + t0 + `003Z, before the entries of the draw closed (` + t0 + `100Z)`,
		},
		{"entry: no pass", "UPDATE draw_entries SET pass = NULL WHERE id = {r} + 1", `pass 60263759873 was used 1 times, but 0 reservations and draw entries have it`},
		{"entry: no pass, removed", "UPDATE draw_entries SET pass = NULL WHERE id = {r} + 3", `pass 60263759875 was used 1 times, but 0 reservations and draw entries have it`},
		{"entry: unknown pass", "UPDATE draw_entries SET pass = {r} + 134217732 WHERE id = {r} + 1", `draw entry 60129542145 has pass 60263759876, but there is none with that number`},
		{
			"entry: pass for other sizes", "UPDATE draw_entries SET pass = {r} + 67108865 WHERE id = {r} + 1",
			`draw entry 60129542145 has the sizes "0,1", but pass 60196651009, whose early access is not good for all of them`,
		},
		{
			"entry: pass when the draw was open", "UPDATE draw_entries SET pass = {r} + 134217730 WHERE id = {r} + 4",
			`draw entry 60129542148 came at ` + t0 + `010Z, when the draw was open (` + t0 + `010Z), but has pass 60263759874`,
		},
		{
			"entry: pass of a withdrawn one", "UPDATE draw_entries SET withdrawn_at = {t} + 50 WHERE id = {r} + 1",
			`draw entry 60129542145 is withdrawn, but has pass 60263759873`,
		},
		{
			"entry: too early", "UPDATE draw_entries SET created_at = {t} WHERE id = {r} + 2",
			`draw entry 60129542146 came at ` + t0 + `000Z, but the draw was open from ` + t0 + `010Z to ` + t0 + `100Z`,
		},
		{"offer: a pass", "UPDATE reservations SET pass = {r} + 67108865 WHERE id = {r} + 2", `reservation 60129542146 is an offer, but has pass 60196651009`},
		{"record: what was given back is drawn", more, `the record of its draw has 4 units of size "9", but the ledger 2`},
	})
}

func TestDrop_CountsEarlyAccess(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		for id, want := range map[drop.ID][3]int64{9: {}, 13: {7, 5, 1}, 14: {4, 2, 0}} {
			if r, err := audit.Drop(t.Context(), d, id); err != nil || r.Differences != 0 || [3]int64{r.Passes, r.Uses, r.KeptEarly} != want {
				t.Errorf("drop %d: %+v, %v, want %d", id, r, err, want)
			}
		}
	})
}

// If any pass is lost, appears twice or differs in what matters, the audit reports a difference.
func TestDrop_EveryPassCounts(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		for name, change := range alterations(map[string]func(*drop.Pass){
			"used": func(p *drop.Pass) { p.Used++ }, "number": func(p *drop.Pass) { p.ID += 7 },
			"hash": func(p *drop.Pass) { p.Hash = drop.HashCode(13, "THIRD-1") },
		}) {
			for _, id := range []drop.PassID{
				drop.NewPassID(13, 1, 1), drop.NewPassID(13, 1, 2), drop.NewPassID(13, 1, 3),
				drop.NewPassID(13, 2, 1), drop.NewPassID(13, 2, 2), drop.NewPassID(13, 2, 3),
			} {
				is := func(p drop.Pass) bool { return p.ID == id }
				r, err := audit.Drop(t.Context(), &altered{Store: d, pass: only(change, is)}, 13)
				if err != nil || r.Differences == 0 {
					t.Errorf("pass %d, %s: no difference (%v)", id, name, err)
				}
			}
		}
	})
}

// Whatever the state machine does about early access, the records match: with a waitlist, and with a draw up to its
// close.
func TestRun_RandomEarlyAccessIsClean(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var sum audit.DropReport
	for run := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, run))
		now := began
		s := memory.New(func() drop.Time { return now })
		spec := drop.Spec{
			Name: "Early", Price: 100, StartTime: began + 60_000, Waitlist: true, OfferFor: 10, LimitPerUser: rnd.IntN(3) * 2,
			Sizes: []drop.SizeSpec{{Label: "9", Stock: 6}, {Label: "10", Stock: 4}},
		}
		if run%2 == 0 {
			spec.Draw = drop.Draw{Opens: began + 20_000, Closes: began + 60_000, PayWithin: 60, Commitment: drop.Hash(draw.Commit(tenSeed))}
			spec.Secrets = &drop.DrawSecrets{Key: tenKey}
		}
		spec, err := spec.Normal()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.CreateDrop(t.Context(), spec, drop.BatchID{1}, drop.Key{}); err != nil {
			t.Fatal(err)
		}
		for n := range 200 {
			now += drop.Time(rnd.IntN(1000))
			cmds := make([]drop.Command, 1+rnd.IntN(4))
			for i := range cmds {
				cmds[i] = earlyCommand(rnd, now, now >= began+60_000)
			}
			if err := s.RunBatch(t.Context(), &storetest.Batch{Drop: 1, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
				_, changes := drop.Apply(s, now, drop.BatchID{2, byte(n)}, cmds)
				return changes
			}}); err != nil {
				t.Fatal(err)
			}
			if n%8 != 0 {
				continue
			}
			report, err := audit.Run(t.Context(), s, nil)
			if err != nil || report.Damaged() != 0 {
				t.Fatalf("run %d, batch %d: %v, %+v", run, n, err, report)
			}
			sum.Uses, sum.KeptEarly, sum.DrawEntries, sum.Waiting = sum.Uses+report.Sum().Uses, sum.KeptEarly+report.Sum().KeptEarly, sum.DrawEntries+report.Sum().DrawEntries, sum.Waiting+report.Sum().Waiting
		}
	}
	if sum.Uses < 400 || sum.KeptEarly < 1000 || sum.DrawEntries < 400 || sum.Waiting < 20 {
		t.Errorf("the test shows too little: %+v", sum)
	}
}

// earlyCommand draws a command. closed: the draw takes no more entries.
func earlyCommand(rnd *rand.Rand, now drop.Time, closed bool) drop.Command {
	code, size, user := fmt.Sprintf("RANDOM-%d", rnd.IntN(10)), []string{"9", "10"}[rnd.IntN(2)], drop.UserID(1+rnd.IntN(9))
	reservation := drop.NewReservationID(1, uint32(1+rnd.IntN(60)))
	with := coded(1, code)
	for n := range rnd.IntN(2) * 20 {
		with.Listed = append(with.Listed, drop.OnList(n+1, drop.HashBuyer(user)))
	}
	n := rnd.IntN(30)
	if closed && n < 4 {
		return drop.CloseDraw{}
	}
	switch {
	case n < 2:
		return drop.Enter{User: user, Sizes: [][]string{{"9"}, {"10"}, {"10", "9"}}[rnd.IntN(3)], With: with}
	case n == 2:
		return drop.Withdraw{User: user}
	case n == 3:
		return drop.Remove{Entry: drop.NewEntryID(1, uint32(1+rnd.IntN(9))), Reason: "x"}
	case n < 8:
		terms := drop.Access{
			Starts: now + drop.Time(rnd.IntN(2000)), Ends: now + drop.Time(3000+rnd.IntN(30_000))*drop.Time(rnd.IntN(2)), Uses: 1 + rnd.IntN(4),
			PerBuyer: rnd.IntN(3), Units: rnd.Int64N(3), Sizes: [][]int{nil, {0}, {1}}[rnd.IntN(3)], List: rnd.IntN(2) == 0,
		}
		if terms.List {
			return drop.AddAccess{Terms: terms, Passes: buyers(user, user+1, user+2)}
		}
		return drop.AddAccess{Terms: terms, Passes: codes(1, code)}
	case n == 8:
		return drop.AddAccess{To: 1 + rnd.IntN(9), Passes: codes(1, code)}
	case n == 9:
		return drop.EndAccess{Access: 1 + rnd.IntN(20)}
	case n < 18:
		return drop.Reserve{User: user, Size: size, Hold: time.Duration(1+rnd.IntN(9000)) * time.Millisecond, With: with}
	case n < 21:
		return drop.MakePurchase{Reservation: reservation}
	case n < 23:
		return drop.Cancel{Reservation: reservation}
	case n == 23:
		return drop.Restock{Add: int64(rnd.IntN(5) - 1), Size: size}
	case n == 24:
		return drop.Edit{StartTime: new(began + drop.Time(40_000+rnd.IntN(60_000)))}
	case n == 25:
		return []drop.Command{drop.Pause{}, drop.Resume{}, drop.Resume{}}[rnd.IntN(3)]
	case n < 28:
		return drop.Join{User: user, Size: size}
	case n == 28:
		return drop.StartPayment{Reservation: reservation, Payment: drop.PaymentID(reservation), Within: time.Second, Hold: 2 * time.Second, Row: &drop.Payment{
			Provider: "test", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2,
		}}
	default:
		return drop.ReturnPurchase{Purchase: drop.NewPurchaseID(1, uint32(1+rnd.IntN(9))), Restock: rnd.IntN(2) == 0}
	}
}
