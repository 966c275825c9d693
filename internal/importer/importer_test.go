package importer_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/importer"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var usd = importer.Options{Currency: drop.Currency{Code: "USD", Decimals: 2}}

func checkClean(t *testing.T, s store.Store) {
	t.Helper()
	report, err := audit.Run(t.Context(), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range report.Drops {
		if d.Differences > 0 {
			t.Errorf("audit: %s", strings.Join(d.Sentences, "\n"))
		}
	}
}

func show(r *importer.Report) string {
	var b strings.Builder
	_, _ = r.WriteTo(&b)
	return b.String()
}

// books is everything that a store contains, drop by drop, without the random batch.
type books struct {
	State        []drop.State
	Entries      []drop.LedgerEntry
	Reservations []drop.Reservation
	Purchases    []drop.Purchase
}

func readBooks(t *testing.T, s store.Store) (all books) {
	t.Helper()
	pulse, err := s.Pulse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pulse.Drops {
		b, err := stores.ReadBooks(t.Context(), s, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		b.State.Batch = drop.BatchID{}
		for i := range b.Ledger {
			b.Ledger[i].Batch = drop.BatchID{}
		}
		all.State, all.Entries = append(all.State, b.State), append(all.Entries, b.Ledger...)
		all.Reservations, all.Purchases = append(all.Reservations, b.Reservations...), append(all.Purchases, b.Purchases...)
	}
	return all
}

// The complete case: 400 concurrent buyers make the original damage its own database. What is imported is sound, and
// everybody who paid has a pair.
func TestRun_DatabaseThatTheOriginalDamaged(t *testing.T) {
	o := newOrigin(t, tables, `
		INSERT INTO "Users" SELECT n, 'user' || n, 'user' || n || '@example.com', now(), now() FROM generate_series(1, 400) n;
		INSERT INTO "Drops" (name, price, total_stock, available_stock, start_time, image_url, "createdAt", "updatedAt") VALUES
			('Rush One', 149.90, 60, 60, now() - interval '1 hour', 'https://img.example/1.png', now(), now()),
			('Rush Two', 99, 40, 40, now() - interval '1 hour', NULL, now(), now());`)
	paid := o.rush(t)
	sold := o.number(t, `SELECT count(*) FROM "Purchases"`)
	completed := o.number(t, `SELECT count(*) FROM "Reservations" WHERE status = 'completed'`)
	wrong := o.number(t, `SELECT count(*) FROM "Drops" d WHERE available_stock <> total_stock -
		(SELECT count(*) FROM "Reservations" r WHERE r."dropId" = d.id AND r.status IN ('active', 'completed'))`)
	if sold <= completed || wrong == 0 {
		t.Fatalf("the source is not damaged: %d purchases of %d completed reservations, %d drops with wrong stock", sold, completed, wrong)
	}
	// Holds must stay either live or ended for as long as the test takes.
	o.exec(t, `UPDATE "Reservations" SET expires_at = now() + CASE WHEN id % 2 = 0 THEN interval '1 hour' ELSE interval '-1 second' END
		WHERE status = 'active'`)
	before := o.checksum(t)
	for _, engine := range stores.Engines {
		t.Run(engine, func(t *testing.T) {
			s := stores.Open(t, engine)
			report, err := importer.Run(t.Context(), o.url, s, usd)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("source: %d purchases, %d completed\n%s", sold, completed, show(report))
			checkClean(t, s)
			if repaired(report, importer.SoldTwice) == 0 || repaired(report, importer.StockWrong) == 0 || repaired(report, importer.Oversold) == 0 {
				t.Errorf("the report does not name the damage:\n%s", show(report))
			}
			if report.Purchases+repaired(report, importer.SoldTwice) != sold+repaired(report, importer.NoPurchase) {
				t.Errorf("of %d purchases:\n%s", sold, show(report))
			}
			first := readBooks(t, s)
			checkBuyers(t, first, paid)

			if _, err := importer.Run(t.Context(), o.url, s, usd); !errors.Is(err, store.ErrNotEmpty) {
				t.Errorf("into a store that is not empty: %v", err)
			}
			if got := readBooks(t, s); !reflect.DeepEqual(got, first) {
				t.Error("a refused import changed something")
			}
			again, err := importer.Run(t.Context(), o.url, s, importer.Options{Replace: true, Currency: usd.Currency})
			if err != nil {
				t.Fatal(err)
			}
			if show(again) != show(report) {
				t.Errorf("the second import reports\n%s\nthe first\n%s", show(again), show(report))
			}
			checkClean(t, s)
			compareImports(t, first, readBooks(t, s))
		})
	}
	if after := o.checksum(t); after != before {
		t.Errorf("the source was %s and is %s", before, after)
	}
}

// checkBuyers checks that everyone who was told of a purchase has it, and that nobody has more than they were told.
func checkBuyers(t *testing.T, b books, paid map[int]int) {
	t.Helper()
	got := make(map[int]int)
	for _, p := range b.Purchases {
		got[int(p.UserID)]++
	}
	for user, n := range paid {
		if got[user] == 0 || got[user] > n {
			t.Errorf("user %d was told of %d purchases and has %d", user, n, got[user])
		}
	}
	for user, n := range got {
		if paid[user] == 0 {
			t.Errorf("user %d has %d purchases and bought nothing", user, n)
		}
	}
}

// compareImports compares two imports of one source. They may differ only in their moment.
func compareImports(t *testing.T, a, b books) {
	t.Helper()
	moment := func(b *books) drop.Time { return b.State[0].LastAt }
	at, later := moment(&a), moment(&b)
	same := func(v drop.Time) drop.Time {
		if v == later {
			return at
		}
		return v
	}
	for i := range b.State {
		b.State[i].LastAt = same(b.State[i].LastAt)
	}
	for i := range b.Entries {
		b.Entries[i].At = same(b.Entries[i].At)
	}
	for i := range b.Reservations {
		b.Reservations[i].EndedAt = same(b.Reservations[i].EndedAt)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("the second import differs:\n%+v\nfirst\n%+v", b, a)
	}
}

func TestRun_DryRunOnlyReports(t *testing.T) {
	o := newOrigin(t, tables, sample)
	report, err := importer.Run(t.Context(), o.url, nil, usd)
	if err != nil {
		t.Fatal(err)
	}
	if report.Drops != 2 || report.Users != 4 {
		t.Errorf("report:\n%s", show(report))
	}
}

// sample has one undamaged row of each kind.
const sample = `
	INSERT INTO "Users" VALUES (1, 'ann', 'Ann@Example.com', now(), now()), (2, 'bob', NULL, now(), now()),
		(3, 'cleo', NULL, now(), now()), (9, 'dora', 'dora@example.com', now(), now());
	INSERT INTO "Drops" VALUES
		(4, 'Four', 119.99, 10, 7, '2026-01-01 10:00:00.123+01', '/img/four.png', '2025-12-01 00:00:00+00', now()),
		(6, 'Six', 5, 1, 1, '2026-02-01 10:00:00+00', NULL, '2025-12-02 00:00:00+00', now());
	INSERT INTO "Reservations" VALUES
		(11, 'completed', '2026-01-01 09:01:00.5+00', '2026-01-01 09:00:00.5+00', '2026-01-01 09:00:30+00', 1, 4),
		(12, 'expired', '2026-01-01 09:01:01+00', '2026-01-01 09:00:01+00', '2026-01-01 09:01:05+00', 2, 4),
		(13, 'cancelled', '2026-01-01 09:01:02+00', '2026-01-01 09:00:02+00', '2026-01-01 09:00:09+00', 2, 4),
		(15, 'active', now() + interval '1 hour', now() - interval '1 second', now(), 3, 4),
		(17, 'active', '2026-01-01 09:05:00+00', '2026-01-01 09:04:00+00', '2026-01-01 09:04:00+00', 9, 4);
	INSERT INTO "Purchases" VALUES (21, '2026-01-01 09:00:30+00', '2026-01-01 09:00:30+00', 1, 4);`

func at(t *testing.T, s string) drop.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return drop.TimeOf(v)
}

func TestRun_TakesEverythingOver(t *testing.T) {
	o := newOrigin(t, tables, sample)
	for _, engine := range stores.Engines {
		t.Run(engine, func(t *testing.T) {
			s := stores.Open(t, engine)
			report, err := importer.Run(t.Context(), o.url, s, usd)
			if err != nil {
				t.Fatal(err)
			}
			checkClean(t, s)
			if report.Drops != 2 || report.Users != 4 || report.Reservations != 5 || report.Live != 1 || report.Purchases != 1 ||
				len(report.Repairs) != 1 || repaired(report, importer.HoldOver) != 1 {
				t.Errorf("report:\n%s", show(report))
			}
			checkSample(t, readBooks(t, s))
			for id, want := range map[drop.UserID]drop.User{
				1: {ID: 1, Username: "ann", Email: "ann@example.com"}, 2: {ID: 2, Username: "bob"}, 9: {ID: 9, Username: "dora", Email: "dora@example.com"},
			} {
				if u, err := s.User(t.Context(), id); err != nil || u != want {
					t.Errorf("user %d: %+v, %v", id, u, err)
				}
			}
			checkNextNumbers(t, s)
		})
	}
}

func checkSample(t *testing.T, b books) {
	t.Helper()
	four, six := &b.State[0], &b.State[1]
	if four.ID != 4 || four.Name != "Four" || four.Price != 11_999 || four.ImageURL != "/img/four.png" ||
		four.StartTime != at(t, "2026-01-01T09:00:00.123Z") || four.CreatedAt != at(t, "2025-12-01T00:00:00Z") || four.Version != 1 {
		t.Errorf("drop 4: %+v", four)
	}
	if got := four.Stock(); got != (drop.Stock{Total: 10, Available: 8, Held: 1, Sold: 1}) {
		t.Errorf("drop 4 has %+v", got)
	}
	if six.ID != 6 || six.Price != 500 || six.ImageURL != "" || six.Stock() != (drop.Stock{Total: 1, Available: 1}) || six.Reserved != 0 {
		t.Errorf("drop 6: %+v", six)
	}
	want := []drop.Reservation{
		{UserID: 1, Status: drop.Completed, CreatedAt: at(t, "2026-01-01T09:00:00.5Z"), ExpiresAt: at(t, "2026-01-01T09:01:00.5Z"), EndedAt: at(t, "2026-01-01T09:00:30Z")},
		{UserID: 2, Status: drop.Expired, CreatedAt: at(t, "2026-01-01T09:00:01Z"), ExpiresAt: at(t, "2026-01-01T09:01:01Z"), EndedAt: at(t, "2026-01-01T09:01:05Z")},
		{UserID: 2, Status: drop.Cancelled, CreatedAt: at(t, "2026-01-01T09:00:02Z"), ExpiresAt: at(t, "2026-01-01T09:01:02Z"), EndedAt: at(t, "2026-01-01T09:00:09Z")},
		{UserID: 3, Status: drop.Active, CreatedAt: b.Reservations[3].CreatedAt, ExpiresAt: b.Reservations[3].ExpiresAt},
		{UserID: 9, Status: drop.Expired, CreatedAt: at(t, "2026-01-01T09:04:00Z"), ExpiresAt: at(t, "2026-01-01T09:05:00Z"), EndedAt: four.LastAt},
	}
	for i := range want {
		want[i].ID = drop.NewReservationID(4, uint32(i+1))
	}
	if !reflect.DeepEqual(b.Reservations, want) {
		t.Errorf("reservations\n%+v\nwant\n%+v", b.Reservations, want)
	}
	if left := b.Reservations[3].ExpiresAt - four.LastAt; left < 3_000_000 || left > 3_600_000 {
		t.Errorf("the live hold has %d ms left of its hour", left)
	}
	if p := (drop.Purchase{
		ID: drop.NewPurchaseID(4, 1), ReservationID: drop.NewReservationID(4, 1), UserID: 1, Price: 11_999, CreatedAt: at(t, "2026-01-01T09:00:30Z"),
	}); len(b.Purchases) != 1 || b.Purchases[0] != p {
		t.Errorf("purchases %+v", b.Purchases)
	}
}

// checkNextNumbers continues selling: everything made after an import gets higher numbers than the imported rows.
func checkNextNumbers(t *testing.T, s store.Store) {
	t.Helper()
	units := int64(1)
	made, _, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Next", TotalStock: &units}, drop.BatchID{1}, drop.Key{})
	if err != nil || made.Drop.ID != 7 {
		t.Errorf("the next drop is %d, %v", made.Drop.ID, err)
	}
	cmds := []drop.Command{drop.Reserve{User: 5, Hold: time.Minute}, drop.MakePurchase{Reservation: drop.NewReservationID(4, 4)}}
	var results []drop.Result
	err = s.RunBatch(t.Context(), &storetest.Batch{Drop: 4, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		var changes *drop.Changes
		results, changes = drop.Apply(s, now, drop.BatchID{2}, cmds)
		return changes
	}})
	if err != nil || results[0].Reservation.ID != drop.NewReservationID(4, 6) || results[1].Purchase.ID != drop.NewPurchaseID(4, 2) {
		t.Errorf("%+v, %v", results, err)
	}
	checkClean(t, s)
}

func TestRun_EndedContextAndUnreachableSource(t *testing.T) {
	s := memory.New(stores.Now)
	if _, err := importer.Run(t.Context(), "postgres://u:secret@127.0.0.1:1/shop?connect_timeout=2", s, usd); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("unreachable: %v", err)
	}
	o := newOrigin(t, tables, sample)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := importer.Run(ctx, o.url, s, usd); err == nil {
		t.Error("an ended context imported something")
	}
}

// repaired returns how many rows needed a repair.
func repaired(r *importer.Report, kind importer.Repair) int {
	if f := r.Repairs[kind]; f != nil {
		return f.Count
	}
	return 0
}
