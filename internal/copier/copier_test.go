package copier_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/copier"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/store/records"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// notCopied are tables that have nothing to do with the shop.
var notCopied = []string{
	"goose_db_version", // PostgreSQL's schema version: the target has its own
	"compatibility",    // which programs can go on with each schema: likewise
	"confirmations",    // SQLite's count of look-ups
	"sqlite_sequence",  // SQLite's own numbering, which continues above the highest number
}

// shop stores rows in which no column of any table is empty.
func shop(t *testing.T, s engine) {
	t.Helper()
	ctx, at := t.Context(), drop.TimeOf(time.Now())
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	spec := drop.Spec{
		Name: "Früh & spät", Price: 129_95, StartTime: at - 60_000, ImageURL: "/a.png", LimitPerUser: 3, MaxExpiredHolds: 2,
		Sizes: []drop.SizeSpec{{Label: "9", Stock: 40}, {Label: "9½", Stock: 40}},
	}
	key := func(operation, value string) drop.Key {
		return drop.NewKey("user:7", operation, value, drop.Asked(operation))
	}
	made, _, err := s.CreateDrop(ctx, spec, drop.BatchID{1}, key("create", "k1"))
	must(err)
	_, _, err = s.CreateDrop(ctx, drop.Spec{Name: "None", StartTime: at, TotalStock: new(int64)}, drop.BatchID{2}, drop.Key{})
	must(err)
	_, _, err = s.EnsureUser(ctx, "Ann", "ann@example.com", key("ensure", "k2"))
	must(err)
	_, err = s.EnsureSubjects(ctx, []drop.Subject{{Issuer: "https://id.example", Subject: "s-1", Username: "Eve", Email: "ann@example.com", PublicName: "Eve S."}})
	must(err)
	hold := func(user drop.UserID, size string) drop.Command {
		return drop.Keyed{Key: key("reserve", fmt.Sprint(user, size)), Command: drop.Reserve{User: user, Size: size, Hold: time.Hour}}
	}
	id := made.Drop.ID
	first := func(n uint32) drop.ReservationID { return drop.NewReservationID(id, n) }
	paused, yes := drop.Pause{}, true
	run := func(now drop.Time, commands ...drop.Command) {
		t.Helper()
		var batch drop.BatchID
		batch[0], batch[1], batch[15] = byte(now), byte(id), 7
		must(s.RunBatch(ctx, &storetest.Batch{Drop: id, Need: drop.NeedOf(commands), Decider: func(state *drop.State, _ drop.Time) *drop.Changes {
			results, changes := drop.Apply(state, now, batch, commands)
			for i, r := range results {
				if r.Err != nil {
					t.Fatalf("%+v: %v", commands[i], r.Err)
				}
			}
			return changes
		}}))
	}
	run(at+1_000, hold(1, "9"), hold(2, "9"), hold(3, "9½"), hold(4, "9"))
	run(at+2_000, drop.MakePurchase{Reservation: first(1)}, drop.MakePurchase{Reservation: first(3)}, drop.Cancel{Reservation: first(2)})
	run(at+2_500,
		drop.StartPayment{Reservation: first(4), Payment: 8, Within: time.Minute, Hold: time.Minute, Row: &drop.Payment{
			Provider: "external", Number: "cs_1", Receipt: "R-1", URL: "https://pay.example/1", ReturnURL: "/drops/1",
			State: drop.PaymentClaimed, Unsettled: true, Currency: "EUR", Decimals: 2, Refunded: 1, Booked: 1, Unit: first(4), Purchase: 5,
			Reason: "no answer", Tries: 2, DueAt: at,
		}},
		drop.ClaimUnit{Reservation: first(4), Payment: 8, Within: time.Minute, User: 4},
		drop.ReturnPurchase{Purchase: drop.NewPurchaseID(id, 1)})
	run(at+3_000, drop.Restock{Add: -2, Size: "9"}, drop.Edit{Hidden: &yes, Archived: &yes}, paused)

	line, _, err := s.CreateDrop(ctx, drop.Spec{
		Name: "Line", StartTime: at - 60_000, LimitPerUser: 1, Waitlist: true, OfferFor: 700, MaxWaiting: 50, OffersCount: true,
		Sizes: []drop.SizeSpec{{Label: "9", Stock: 1}, {Label: "9½", Stock: 1}},
	}, drop.BatchID{3}, drop.Key{})
	must(err)
	sold := id
	id = line.Drop.ID
	run(at+1_000, hold(1, "9½"), drop.Join{User: 2, Size: "9½"})
	run(at+1_500, drop.Edit{Waitlist: new(false)}, drop.Edit{Waitlist: new(true)})
	run(at+2_000, drop.Join{User: 3, Size: "9½"}, drop.Join{User: 5, Size: "9½"}, drop.Join{User: 5, Size: "9"}, drop.Join{User: 6, Size: "9½"})
	run(at+2_500, drop.Cancel{Reservation: first(1)})
	run(at+2_600, drop.Cancel{Reservation: first(3)}) // user 5 is skipped
	run(at+2_700, paused, drop.Join{User: 7, Size: "9½"})
	run(at+2_800, drop.Cancel{Reservation: first(4)}) // a unit is kept for user 7
	drawn, _, err := s.CreateDrop(ctx, drop.Spec{
		Name: "Draw", StartTime: at + 2_000, Sizes: []drop.SizeSpec{{Label: "9", Stock: 1}, {Label: "9½", Stock: 1}},
		Draw:    drop.Draw{Opens: at, Closes: at + 2_000, PayWithin: 60, Commitment: drop.Hash{1}, Chain: "quicknet", Round: 9},
		Secrets: &drop.DrawSecrets{Seed: []byte{2}, Key: []byte{3}},
	}, drop.BatchID{4}, drop.Key{})
	must(err)
	id = drawn.Drop.ID
	run(at+1_000, drop.Enter{User: 1, Sizes: []string{"9½", "9"}}, drop.Enter{User: 2, Sizes: []string{"9"}}, drop.Enter{User: 3, Sizes: []string{"9"}})
	run(at+1_500, drop.Withdraw{User: 2}, drop.Remove{Entry: drop.NewEntryID(id, 3), Reason: "a second account"})
	run(at+2_000, drop.CloseDraw{})
	run(at+2_100, drop.LineUp{Places: []drop.Place{{User: 1, Size: 1}}, Last: true})
	secrets, _, err := s.Draw(ctx, id)
	must(err)
	known := secrets
	known.Closed, known.Beacon, known.Record = "{}", "[]", []byte{4}
	done, err := s.ReplaceDraw(ctx, id, &secrets, &known)
	must(err)
	if !done {
		t.Fatal("the draw was not written")
	}
	soon, _, err := s.CreateDrop(ctx, drop.Spec{
		Name: "Early", StartTime: at + 600_000, Sizes: []drop.SizeSpec{{Label: "9", Stock: 5}, {Label: "9½", Stock: 5}},
		Draw:    drop.Draw{Opens: at + 200_000, Closes: at + 300_000, PayWithin: 60, Commitment: drop.Hash{1}},
		Secrets: &drop.DrawSecrets{Seed: []byte{5}, Key: []byte{6}},
	}, drop.BatchID{5}, drop.Key{})
	must(err)
	id = soon.Drop.ID
	code := drop.HashCode(id, "early bird")
	run(at+1_000, drop.AddAccess{
		Terms:  drop.Access{Name: "Früh", Sizes: []int{1}, Uses: 5, PerBuyer: 2, Units: 3, Ends: at + 900_000},
		Passes: []drop.Hash{code, drop.HashCode(id, "second")},
	})
	run(at+2_000, drop.Enter{User: 1, Sizes: []string{"9½"}, With: &drop.Passes{Code: code}},
		drop.Reserve{User: 2, Size: "9½", Hold: time.Hour, With: &drop.Passes{Code: code}})
	id = sold

	_, err = s.SetDropPage(ctx, id, drop.Page{
		Description: "# Fit", SizeGuide: "a | b", Rules: "One pair each", Delivery: "By post", Images: []drop.Image{{URL: "/a.png", Alt: "A shoe"}},
	}, nil)
	must(err)
	hash := operator.Hash{3}
	token, err := s.CreateToken(ctx, operator.Token{Name: "Ann's laptop", Role: operator.Operator, ExpiresAt: at + 9}, hash)
	must(err)
	_, err = s.RevokeToken(ctx, token.ID)
	must(err)
	action, err := s.Record(ctx, operator.Action{Token: 7, Name: "Ann", Role: operator.Viewer, Call: "pause", Drop: 1, Detail: "{}", From: "::1", Request: "r"})
	must(err)
	must(s.Conclude(ctx, action, "ok"))
	_, err = s.Record(ctx, operator.Action{Name: "root", Role: operator.Operator, Call: "seed"})
	must(err)
}

// withEveryTable returns a shop, with a row in each table that shop does not use.
func withEveryTable(t *testing.T, open func(*testing.T) database) database {
	t.Helper()
	some, all := open(t), open(t)
	shop(t, some)
	missing := make(map[*records.Table]bool)
	for _, table := range records.Tables {
		missing[table] = len(some.query(t, `SELECT 1 FROM `+table.Name)) == 0
	}
	if err := all.Import(t.Context(), store.IntoNothing, func(put func(store.Row) error) error {
		for _, table := range records.Tables {
			if !missing[table] || table.Drop != "" {
				continue
			}
			row := table.New()
			for i, c := range table.Columns {
				c.Set(row, records.Value{Number: 1, Text: fmt.Sprint("text ", i), Bytes: []byte{byte(i + 1)}})
			}
			if err := put(table.Row(0, row)); err != nil {
				return fmt.Errorf("%s: %w", table.Name, err)
			}
		}
		return some.Export(t.Context(), put)
	}, nil); err != nil {
		t.Fatal(err)
	}
	return all
}

// everything returns all that Export passes on, as text.
func everything(t *testing.T, s store.Exporter) []string {
	t.Helper()
	var all []string
	if err := s.Export(t.Context(), func(r store.Row) error {
		value := r.Value
		if state, ok := value.(*drop.State); ok {
			value = *state
		}
		all = append(all, fmt.Sprintf("%d %T %#v", r.Drop, value, value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("row %d of %d and %d:\n got %s\nwant %s", i, len(got), len(want), at(got, i), at(want, i))
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return "nothing"
}

// TestRun_CopiesEveryColumnOfEveryTable compares the tables themselves, so that a table unknown to the copier is
// noticed.
func TestRun_CopiesEveryColumnOfEveryTable(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			from, to := withEveryTable(t, engines[name]), engines[name](t)
			if _, err := copier.Run(t.Context(), from, to, nil); err != nil {
				t.Fatal(err)
			}
			tables := from.tables(t)
			if len(tables) < 10 {
				t.Fatalf("found only the tables %v", tables)
			}
			for table, columns := range tables {
				if slices.Contains(notCopied, table) {
					continue
				}
				for _, column := range columns {
					ask := fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, column, table, strings.Join(columns[:min(4, len(columns))], ", "))
					want, got := from.query(t, ask), to.query(t, ask)
					if !slices.ContainsFunc(want, func(v string) bool { return !slices.Contains([]string{"", "<nil>", "0", "false"}, v) }) {
						t.Errorf("the test's shop has nothing in %s.%s, so it cannot show that it is copied: %q", table, column, want)
					}
					if !slices.Equal(got, want) {
						t.Errorf("%s.%s:\n got %q\nwant %q", table, column, got, want)
					}
				}
			}
		})
	}
}

// TestTables_AreThoseOfTheSchema: whatever a migration adds must be described too, or no cold call knows about it.
func TestTables_AreThoseOfTheSchema(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			got := engines[name](t).tables(t)
			for _, table := range notCopied {
				delete(got, table)
			}
			want := make(map[string][]string)
			for _, table := range records.Tables {
				want[table.Name] = table.Stored()
			}
			for _, columns := range []map[string][]string{got, want} {
				for _, list := range columns {
					slices.Sort(list)
				}
			}
			if !maps.EqualFunc(got, want, slices.Equal[[]string]) {
				t.Errorf("the schema has\n%v\nand package records describes\n%v", got, want)
			}
		})
	}
}

func TestRun_ThereAndBackIsTheSame(t *testing.T) {
	first, second, third := openSQLite(t), openPostgres(t), openSQLite(t)
	shop(t, first)
	want := everything(t, first)
	report, err := copier.Run(t.Context(), first, second, nil)
	if err != nil {
		t.Fatal(err)
	}
	if wanted := (copier.Report{
		Drops: 5, Reservations: 9, Purchases: 2, LedgerEntries: 29, Entries: 7, DrawEntries: 4, Users: 2, Keys: 7, Tokens: 1, Actions: 2, Pages: 1, Others: 12,
	}); report != wanted {
		t.Errorf("copied %+v, want %+v", report, wanted)
	}
	if report.Rows() != int64(len(want)) {
		t.Errorf("%d rows, and %d were exported", report.Rows(), len(want))
	}
	same(t, everything(t, second), want)
	if _, err := copier.Run(t.Context(), second, third, nil); err != nil {
		t.Fatal(err)
	}
	same(t, everything(t, third), want)
}

// TestRun_TheShopGoesOn: numbers assigned after a copy are higher than the copied ones, and keys are still known.
func TestRun_TheShopGoesOn(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			from, to := openSQLite(t), engines[name](t)
			shop(t, from)
			if _, err := copier.Run(t.Context(), from, to, nil); err != nil {
				t.Fatal(err)
			}
			spec := drop.Spec{Name: "Next", StartTime: 1, TotalStock: new(int64)}
			made, _, err := to.CreateDrop(t.Context(), spec, drop.BatchID{9}, drop.Key{})
			if err != nil || made.Drop.ID != 6 {
				t.Errorf("the next drop: %d, %v", made.Drop.ID, err)
			}
			again, replayed, err := to.CreateDrop(t.Context(), spec, drop.BatchID{9}, drop.NewKey("user:7", "create", "k1", "create"))
			if err != nil || !replayed || again.Drop.ID != 1 {
				t.Errorf("a call by its key: drop %d, replayed %t, %v", again.Drop.ID, replayed, err)
			}
			user, _, err := to.EnsureUser(t.Context(), "Zoe", "", drop.Key{})
			if err != nil || user.ID != drop.FirstAllocatedUser+2 {
				t.Errorf("the next user: %+v, %v", user, err)
			}
			token, err := to.CreateToken(t.Context(), operator.Token{Name: "x", Role: operator.Viewer}, operator.Hash{4})
			if err != nil || token.ID != 2 {
				t.Errorf("the next token: %+v, %v", token, err)
			}
			if id, err := to.Record(t.Context(), operator.Action{Name: "x", Role: operator.Viewer, Call: "x"}); err != nil || id != 3 {
				t.Errorf("the next action: %d, %v", id, err)
			}
			if id, err := to.NextPayments(t.Context()); err != nil || id <= 8 {
				t.Errorf("the next payment: %d, %v", id, err)
			}
		})
	}
}

func TestRun_RefusesWhatIsNotEmpty(t *testing.T) {
	from := openSQLite(t)
	shop(t, from)
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			to := engines[name](t)
			refuses := func(what string, err error, undo ...string) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				before := everything(t, to)
				if _, err := copier.Run(t.Context(), from, to, nil); !errors.Is(err, store.ErrNotEmpty) {
					t.Errorf("with %s: %v", what, err)
				}
				same(t, everything(t, to), before)
				for _, sql := range undo {
					to.exec(t, sql)
				}
			}
			_, _, err := to.EnsureUser(t.Context(), "Zoe", "", drop.Key{})
			refuses("a user", err, `DELETE FROM users`)
			_, err = to.CreateToken(t.Context(), operator.Token{Name: "x", Role: operator.Viewer}, operator.Hash{4})
			refuses("a token", err, `DELETE FROM tokens`)
			_, _, err = to.CreateDrop(t.Context(), drop.Spec{Name: "x", TotalStock: new(int64)}, drop.BatchID{1}, drop.Key{})
			refuses("a drop", err, `DELETE FROM drops`, `DELETE FROM sizes`, `DELETE FROM ledger`, `DELETE FROM revisions`)
			_, err = to.Record(t.Context(), operator.Action{Name: "x", Role: operator.Viewer, Call: "x"})
			refuses("an action", err)
		})
	}
}

// source is a store that loses or changes rows, or fails.
type source struct {
	store.Exporter
	change func(n int, r store.Row, each func(store.Row) error) error
}

func (s source) Export(ctx context.Context, each func(store.Row) error) error {
	n := 0
	return s.Exporter.Export(ctx, func(r store.Row) error {
		n++
		return s.change(n, r, each)
	})
}

// target is a store that stores one row wrongly.
type target struct{ store.Importer }

func (s target) Import(ctx context.Context, into store.Into, fill func(func(store.Row) error) error, check func(store.Rows) error) error {
	return s.Importer.Import(ctx, into, func(put func(store.Row) error) error {
		return fill(func(r store.Row) error {
			if p, ok := r.Value.(drop.Purchase); ok {
				p.Price++
				r.Value = p
			}
			return put(r)
		})
	}, check)
}

// TestRun_BreaksOffEmpty: whatever fails halfway, the target is empty, and the copy can be started again.
func TestRun_BreaksOffEmpty(t *testing.T) {
	broken := errors.New("broken")
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			from, to := openSQLite(t), engines[name](t)
			shop(t, from)
			rows := len(everything(t, from))
			for _, breakAt := range []int{1, rows / 2, rows} {
				_, err := copier.Run(t.Context(), source{from, func(n int, r store.Row, each func(store.Row) error) error {
					if n == breakAt {
						return broken
					}
					return each(r)
				}}, to, nil)
				if failed := new(copier.SourceError); !errors.As(err, &failed) || !errors.Is(err, broken) {
					t.Errorf("broken at %d: %v", breakAt, err)
				}
				same(t, everything(t, to), nil)
			}
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := copier.Run(ctx, from, to, func(*copier.Report) { cancel() }); err == nil {
				t.Error("a copy whose context ended succeeded")
			}
			same(t, everything(t, to), nil)
			_, err := copier.Run(t.Context(), source{from, func(_ int, r store.Row, each func(store.Row) error) error {
				if _, ok := r.Value.(drop.Purchase); ok { // twice
					return errors.Join(each(r), each(r))
				}
				return each(r)
			}}, to, nil)
			if err == nil || store.ClassOf(err) != store.ClassFault {
				t.Errorf("a row that the target refuses: %v", err)
			}
			same(t, everything(t, to), nil)
			if _, err := copier.Run(t.Context(), from, target{to}, nil); err == nil || !strings.Contains(err.Error(), "the copy of drop 1 differs from what was read") {
				t.Errorf("a row that is stored wrongly: %v", err)
			}
			same(t, everything(t, to), nil)
			if _, err := copier.Run(t.Context(), from, to, nil); err != nil {
				t.Errorf("started again: %v", err)
			}
			same(t, everything(t, to), everything(t, from))
		})
	}
}

// TestRun_LeavesNothingOutInSilence: no audit of the copy could notice rows of a drop that does not exist.
func TestRun_LeavesNothingOutInSilence(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(engines)) {
		t.Run(name, func(t *testing.T) {
			from, to := engines[name](t), openSQLite(t)
			shop(t, from)
			for _, orphan := range []struct{ table, lose, find string }{
				{"sizes", `INSERT INTO sizes (drop_id, position, label, total, available, held, sold) VALUES (9, 0, '', 0, 0, 0, 0)`, `DELETE FROM sizes WHERE drop_id = 9`},
				{"purchases", `UPDATE purchases SET drop_id = 9, id = 38654705665, reservation_id = 38654705665 WHERE id = 4294967297`, `DELETE FROM purchases WHERE drop_id = 9`},
				{"reservations", `UPDATE reservations SET drop_id = 9, id = 38654705665 WHERE id = 4294967297`, `DELETE FROM reservations WHERE drop_id = 9`},
				{"ledger", `UPDATE ledger SET drop_id = 9 WHERE seq = 1 AND drop_id = 1`, `DELETE FROM ledger WHERE drop_id = 9`},
				{"passes", `UPDATE passes SET drop_id = 9 WHERE id = 21541945345`, `DELETE FROM passes WHERE drop_id = 9`},
				{"idempotency_keys", `UPDATE idempotency_keys SET drop_id = 9 WHERE operation = 'create'`, `DELETE FROM idempotency_keys WHERE drop_id = 9`},
			} {
				from.exec(t, orphan.lose)
				_, err := copier.Run(t.Context(), from, to, nil)
				if err == nil || !strings.Contains(err.Error(), "1 rows of the table "+orphan.table+" belong to no drop") {
					t.Errorf("%s: %v", orphan.table, err)
				}
				from.exec(t, orphan.find)
			}
			same(t, everything(t, to), nil)
		})
	}
}

// TestRun_ManyRows copies more rows than fit into one COPY, in several drops.
func TestRun_ManyRows(t *testing.T) {
	model := memory.New(stores.Now)
	const n = 3_000
	var drops []store.Filled
	for id := range drop.ID(2) {
		stock := int64(n)
		spec := drop.Spec{Name: "Many", Price: 1, TotalStock: &stock}
		state, changes := spec.Create(id+1, 5, drop.BatchID{byte(id)})
		for i := range uint32(n) {
			changes.Made = append(changes.Made, &drop.Reservation{
				ID: drop.NewReservationID(id+1, i+1), UserID: drop.UserID(i + 1), Status: drop.Expired, CreatedAt: 6, ExpiresAt: 7, EndedAt: 7,
			})
			changes.Kept = append(changes.Kept, drop.Kept{Key: drop.NewKey("", "reserve", strconv.FormatUint(uint64(i), 10), drop.Asked(strconv.FormatUint(uint64(i), 10))), Answer: bytes.Repeat([]byte{1}, 9), At: 6})
		}
		changes.Ledger = append(changes.Ledger, drop.LedgerEntry{Seq: 2, Batch: drop.BatchID{1}, At: 6, Reason: drop.Reserved, Units: n},
			drop.LedgerEntry{Seq: 3, Batch: drop.BatchID{2}, At: 7, Reason: drop.ReservationExpired, Units: n, Available: n})
		state.Reserved, state.Seq = n, 3
		drops = append(drops, store.Filled{State: state, Changes: changes})
	}
	if err := store.Fill(t.Context(), model, []drop.User{{ID: 4, Username: "Ann"}}, drops, false); err != nil {
		t.Fatal(err)
	}
	there, back := openPostgres(t), openSQLite(t)
	if _, err := copier.Run(t.Context(), model, there, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := copier.Run(t.Context(), there, back, nil); err != nil {
		t.Fatal(err)
	}
	same(t, everything(t, back), everything(t, model))
}
