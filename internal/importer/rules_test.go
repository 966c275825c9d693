package importer_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/importer"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// shop has one drop of 5 units, the users 1 to 3, and no orders.
const shop = `
	INSERT INTO "Users" VALUES (1, 'ann', NULL, now(), now()), (2, 'bob', NULL, now(), now()), (3, 'cleo', NULL, now(), now());
	INSERT INTO "Drops" VALUES (1, 'One', 100, 5, 5, '2026-01-01 09:00:00+00', NULL, '2025-12-01 00:00:00+00', now());`

// reservation is one of drop 1, made in second n of 2026-01-01 09:00. Its hold has ended.
func reservation(id, user int, status string, n int) string {
	return fmt.Sprintf(`INSERT INTO "Reservations" VALUES (%d, '%s', timestamptz '2026-01-01 09:01:00+00' + interval '%d s',
		timestamptz '2026-01-01 09:00:00+00' + interval '%d s', timestamptz '2026-01-01 09:00:30+00' + interval '%d s', %d, 1);`,
		id, status, n, n, n, user)
}

func purchase(id, user, n int) string {
	return fmt.Sprintf(`INSERT INTO "Purchases" VALUES (%[1]d, timestamptz '2026-01-01 09:00:00+00' + interval '%[3]d s', now(), %[2]d, 1);`, id, user, n)
}

func stock(n int) string { return fmt.Sprintf(`UPDATE "Drops" SET available_stock = %d;`, n) }

type rule struct {
	name    string
	sql     string
	repairs map[importer.Repair]int
	stock   drop.Stock
	sold    string // user@reservation of each purchase, in order
}

var rules = []rule{
	{
		name: "in order", sql: reservation(1, 1, "completed", 0) + purchase(1, 1, 20) + stock(4),
		stock: drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name:    "a late purchase makes an expired reservation completed",
		sql:     reservation(1, 1, "expired", 0) + purchase(1, 1, 59) + stock(5),
		repairs: map[importer.Repair]int{importer.LatePurchase: 1, importer.StockWrong: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name:    "stock that came back for a late purchase is counted anew",
		sql:     reservation(1, 1, "completed", 0) + purchase(1, 1, 59) + stock(5),
		repairs: map[importer.Repair]int{importer.StockWrong: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name:    "a reservation sold three times is kept once, with the purchase that completed it",
		sql:     reservation(1, 1, "completed", 0) + purchase(7, 1, 22) + purchase(6, 1, 20) + purchase(8, 1, 21) + stock(4),
		repairs: map[importer.Repair]int{importer.SoldTwice: 2},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name: "a second purchase takes the buyer's expired reservation, a third is a duplicate",
		sql: reservation(1, 1, "completed", 0) + reservation(2, 1, "expired", 5) + purchase(1, 1, 20) + purchase(2, 1, 21) +
			purchase(3, 1, 22) + stock(4),
		repairs: map[importer.Repair]int{importer.SoldTwice: 1, importer.LatePurchase: 1, importer.StockWrong: 1},
		stock:   drop.Stock{Total: 5, Available: 3, Sold: 2}, sold: "1@2 1@1", // the last purchase completed the first reservation
	},
	{
		name: "no purchase pays a reservation that was made after it",
		sql: reservation(1, 1, "completed", 0) + reservation(2, 1, "expired", 30) + purchase(1, 1, 20) + purchase(2, 1, 21) +
			stock(4),
		repairs: map[importer.Repair]int{importer.SoldTwice: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name:    "one buyer's purchase never takes another's reservation",
		sql:     reservation(1, 1, "expired", 0) + reservation(2, 2, "completed", 0) + purchase(1, 2, 9) + stock(4),
		repairs: nil,
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "2@2",
	},
	{
		name:    "a purchase without a reservation gets one",
		sql:     purchase(1, 3, 20),
		repairs: map[importer.Repair]int{importer.NoReservation: 1, importer.StockWrong: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "3@1",
	},
	{
		name:    "two purchases without a reservation are one",
		sql:     purchase(1, 3, 20) + purchase(2, 3, 21),
		repairs: map[importer.Repair]int{importer.NoReservation: 1, importer.SoldTwice: 1, importer.StockWrong: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "3@1",
	},
	{
		name:    "a completed reservation without a purchase gets one",
		sql:     reservation(1, 1, "completed", 0) + reservation(2, 2, "completed", 1) + purchase(1, 2, 8) + stock(3),
		repairs: map[importer.Repair]int{importer.NoPurchase: 1},
		stock:   drop.Stock{Total: 5, Available: 3, Sold: 2}, sold: "2@2 1@1", // in order of time: 09:00:08, 09:00:30
	},
	{
		name:    "a purchase that died before it marked its reservation still counts",
		sql:     reservation(1, 1, "active", 0) + purchase(1, 1, 5) + stock(4),
		repairs: map[importer.Repair]int{importer.NeverMarked: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name:    "a hold whose time is over expires",
		sql:     reservation(1, 1, "active", 0) + stock(4),
		repairs: map[importer.Repair]int{importer.HoldOver: 1},
		stock:   drop.Stock{Total: 5, Available: 5},
	},
	{
		name: "oversold: the total is raised to what was sold",
		sql: reservation(1, 1, "completed", 0) + reservation(2, 2, "completed", 0) + purchase(1, 1, 3) + purchase(2, 2, 4) +
			`UPDATE "Drops" SET total_stock = 1, available_stock = 0;`,
		repairs: map[importer.Repair]int{importer.Oversold: 1, importer.StockWrong: 1},
		stock:   drop.Stock{Total: 2, Sold: 2}, sold: "1@1 2@2",
	},
	{
		name: "orders of a drop that is not there are left out",
		sql: reservation(1, 1, "completed", 0) + purchase(1, 1, 3) + purchase(2, 2, 3) +
			`UPDATE "Reservations" SET "dropId" = NULL; UPDATE "Purchases" SET "dropId" = NULL;`,
		repairs: map[importer.Repair]int{importer.OrphanOrder: 1, importer.OrphanPurchase: 2},
		stock:   drop.Stock{Total: 5, Available: 5},
	},
	{
		name: "orders of deleted users keep their units",
		sql: reservation(1, 1, "completed", 0) + reservation(2, 2, "completed", 0) + purchase(1, 1, 3) + purchase(2, 2, 4) + stock(3) +
			`DELETE FROM "Users" WHERE id < 3;`,
		repairs: map[importer.Repair]int{importer.NoUser: 4},
		stock:   drop.Stock{Total: 5, Available: 3, Sold: 2}, sold: "1099511627776@1 1099511627776@2",
	},
	{
		name: "users that are not in the table keep their numbers",
		sql: `ALTER TABLE "Reservations" DROP CONSTRAINT "Reservations_userId_fkey"; ALTER TABLE "Purchases" DROP CONSTRAINT "Purchases_userId_fkey";` +
			reservation(1, 77, "completed", 0) + purchase(1, 77, 3) + stock(4),
		repairs: map[importer.Repair]int{importer.UnknownUserOrder: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "77@1",
	},
	{
		name: "times after the import are the import's",
		sql: reservation(1, 1, "completed", 0) + purchase(1, 1, 3) + stock(4) +
			`UPDATE "Reservations" SET "createdAt" = now() + interval '1 day', expires_at = now() + interval '1 day';
			 UPDATE "Purchases" SET "createdAt" = now() + interval '2 days';`,
		repairs: map[importer.Repair]int{importer.FutureTime: 2},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name: "a purchase that names its reservation pays that one",
		sql: `ALTER TABLE "Purchases" ADD COLUMN "reservationId" integer;` +
			reservation(1, 1, "completed", 0) + reservation(2, 1, "completed", 1) + purchase(1, 1, 20) + purchase(2, 1, 21) + purchase(3, 1, 22) +
			`UPDATE "Purchases" SET "reservationId" = CASE id WHEN 1 THEN 2 WHEN 2 THEN 2 ELSE 1 END;` + stock(3),
		repairs: map[importer.Repair]int{importer.SoldTwice: 1},
		stock:   drop.Stock{Total: 5, Available: 3, Sold: 2}, sold: "1@2 1@1",
	},
	{
		name: "texts that our rules refuse are mended",
		sql: `UPDATE "Drops" SET name = repeat('n', 250) || chr(7), image_url = 'javascript:alert(1)';
			UPDATE "Users" SET username = ' a' || chr(10) || 'nn ', email = 'no address' WHERE id = 1;
			UPDATE "Users" SET email = 'Same@example.com' WHERE id = 2; UPDATE "Users" SET email = 'same@example.com' WHERE id = 3;`,
		repairs: map[importer.Repair]int{importer.TextCut: 2, importer.ImageLeftOut: 1, importer.EmailLeftOut: 2},
		stock:   drop.Stock{Total: 5, Available: 5},
	},
	{
		name:    "users without a name are left out, their orders are not",
		sql:     `UPDATE "Users" SET username = ' ' WHERE id = 1; ` + reservation(1, 1, "completed", 0) + purchase(1, 1, 3) + stock(4),
		repairs: map[importer.Repair]int{importer.UserLeftOut: 1, importer.UnknownUserOrder: 1},
		stock:   drop.Stock{Total: 5, Available: 4, Sold: 1}, sold: "1@1",
	},
	{
		name:    "a price of more than two decimals is rounded",
		sql:     `ALTER TABLE "Drops" ALTER COLUMN price TYPE double precision; UPDATE "Drops" SET price = 119.995`,
		repairs: map[importer.Repair]int{importer.PriceRounded: 1},
		stock:   drop.Stock{Total: 5, Available: 5},
	},
}

// Each rule is tested on a small database of its own.
func TestRun_Rules(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			o := newOrigin(t, tables, shop, rule.sql)
			s := memory.New(stores.Now)
			report, err := importer.Run(t.Context(), o.url, s, usd)
			if err != nil {
				t.Fatal(err)
			}
			checkClean(t, s)
			repairs := make(map[importer.Repair]int)
			for kind, f := range report.Repairs {
				repairs[kind] = f.Count
			}
			if len(rule.repairs)+len(repairs) > 0 && !reflect.DeepEqual(repairs, rule.repairs) {
				t.Errorf("repaired:\n%s", show(report))
			}
			b := readBooks(t, s)
			if got := b.State[0].Stock(); got != rule.stock {
				t.Errorf("stock %+v, want %+v", got, rule.stock)
			}
			var sold []string
			for _, p := range b.Purchases {
				sold = append(sold, fmt.Sprintf("%d@%d", p.UserID, p.ReservationID-drop.NewReservationID(1, 0)))
			}
			if got := strings.Join(sold, " "); got != rule.sold {
				t.Errorf("sold %s, want %s", got, rule.sold)
			}
		})
	}
}

// Problems that no rule can decide stop the import. The error has all reasons, and nothing is stored.
func TestRun_RowsThatStopAnImport(t *testing.T) {
	for _, stop := range []struct{ name, sql, want string }{
		{"price below zero", `UPDATE "Drops" SET price = -1`, `drop 1: price must be from 0 to 99999999.99`},
		{"price is not a number", `UPDATE "Drops" SET price = 'NaN'`, `drop 1 has the price NaN, which is not an amount`},
		{"no price", `ALTER TABLE "Drops" ALTER COLUMN price DROP NOT NULL; UPDATE "Drops" SET price = NULL`, `drop 1 must have a price, a total_stock and a start_time`},
		{"stock below zero", `UPDATE "Drops" SET total_stock = -1`, `drop 1: total_stock must be a whole number from 0 to 10000000`},
		{"drop number", `UPDATE "Drops" SET id = 2097152`, `drop 2097152: drops are numbered from 1 to 2097151`},
		{"start", `UPDATE "Drops" SET start_time = '1960-01-01'`, `drop 1: start_time must lie in the years 1970 to 9999`},
		{
			"user number", `ALTER TABLE "Users" ALTER COLUMN id TYPE bigint; ALTER TABLE "Reservations" ALTER COLUMN "userId" TYPE bigint; ALTER TABLE "Purchases" ALTER COLUMN "userId" TYPE bigint;` +
				`UPDATE "Users" SET id = 1099511627776 WHERE id = 1; ` + reservation(1, 2, "active", 0) + `UPDATE "Reservations" SET "userId" = 1099511627776`,
			`reservation 1 belongs to user 1099511627776, but users are numbered from 1 to 1099511627775`,
		},
		{
			"status", `ALTER TABLE "Reservations" ALTER COLUMN status TYPE text; ` + reservation(1, 2, "refunded", 0),
			`reservation 1 has the status "refunded"; the known ones are active, completed, expired and cancelled`,
		},
		{
			"two of them", `UPDATE "Drops" SET price = -1; INSERT INTO "Drops" SELECT 2, name, -2, 1, 1, start_time, NULL, now(), now() FROM "Drops"`,
			"drop 1: price must be from 0 to 99999999.99\ndrop 2: price must",
		},
		{"not the original's", `DROP TABLE "Purchases"`, `there is no table "Purchases": this is not a database of the original backend`},
		{"a column that is not there", `ALTER TABLE "Reservations" DROP COLUMN expires_at`, `the table "Reservations" has no column "expiresat"`},
		{
			"numbers that are none", `ALTER TABLE "Purchases" DROP COLUMN "dropId"; ALTER TABLE "Purchases" ADD COLUMN drop_id uuid`,
			`the column "drop_id" of the table "Purchases" has the type uuid, but an import only reads: bigint, integer, smallint, numeric`,
		},
	} {
		t.Run(stop.name, func(t *testing.T) {
			o := newOrigin(t, tables, shop, stop.sql)
			s := memory.New(stores.Now)
			_, err := importer.Run(t.Context(), o.url, s, usd)
			if err == nil || !strings.Contains(err.Error(), stop.want) {
				t.Errorf("got %v\nwant %s", err, stop.want)
			}
			if b := readBooks(t, s); len(b.State) != 0 {
				t.Errorf("stored all the same: %+v", b)
			}
		})
	}
}

// However a model spells its columns and tables, the result is the same.
func TestRun_EverySpelling(t *testing.T) {
	s := memory.New(stores.Now)
	o := newOrigin(t, tables, sample)
	if _, err := importer.Run(t.Context(), o.url, s, usd); err != nil {
		t.Fatal(err)
	}
	want := readBooks(t, s)
	for name, sql := range map[string]string{
		"underscored": `
			ALTER TABLE "Drops" RENAME "createdAt" TO created_at; ALTER TABLE "Reservations" RENAME "userId" TO user_id;
			ALTER TABLE "Reservations" RENAME "dropId" TO drop_id; ALTER TABLE "Reservations" RENAME "createdAt" TO created_at;
			ALTER TABLE "Reservations" RENAME "updatedAt" TO updated_at; ALTER TABLE "Purchases" RENAME "userId" TO user_id;
			ALTER TABLE "Purchases" RENAME "dropId" TO drop_id; ALTER TABLE "Purchases" RENAME "createdAt" TO created_at;
			ALTER TABLE "Users" RENAME username TO user_name; ALTER TABLE "Users" RENAME TO users; ALTER TABLE "Drops" RENAME TO drops;
			ALTER TABLE "Reservations" RENAME TO reservations; ALTER TABLE "Purchases" RENAME TO purchases;`,
		"CamelCase": `
			ALTER TABLE "Reservations" RENAME "userId" TO "UserId"; ALTER TABLE "Reservations" RENAME "dropId" TO "DropId";
			ALTER TABLE "Purchases" RENAME "userId" TO "UserId"; ALTER TABLE "Purchases" RENAME "dropId" TO "DropId";
			ALTER TABLE "Drops" RENAME total_stock TO "totalStock"; ALTER TABLE "Drops" RENAME available_stock TO "availableStock";
			ALTER TABLE "Drops" RENAME start_time TO "startTime"; ALTER TABLE "Drops" RENAME image_url TO "imageUrl";
			ALTER TABLE "Reservations" RENAME expires_at TO "expiresAt"; ALTER TABLE "Users" RENAME username TO "userName";`,
		"both userId and an association's UserId": `
			ALTER TABLE "Reservations" ADD "UserId" integer; ALTER TABLE "Purchases" ADD "UserId" integer;
			UPDATE "Purchases" SET "UserId" = "userId", "userId" = NULL;`,
		"other types": `
			ALTER TABLE "Drops" ALTER price TYPE double precision; ALTER TABLE "Drops" ALTER id TYPE bigint;
			ALTER TABLE "Reservations" ALTER status DROP DEFAULT, ALTER status TYPE text USING upper(status::text);
			ALTER TABLE "Purchases" ALTER "createdAt" TYPE timestamp USING "createdAt" AT TIME ZONE 'UTC';`,
		"without what is optional": `
			ALTER TABLE "Users" DROP "createdAt", DROP "updatedAt"; ALTER TABLE "Drops" DROP "updatedAt", DROP available_stock;
			ALTER TABLE "Purchases" DROP "updatedAt";`,
		"beside tables of others": `
			CREATE SCHEMA other; CREATE TABLE other."Drops" (id uuid); CREATE SCHEMA sneakerdrop; CREATE TABLE sneakerdrop.drops (id uuid);
			CREATE TABLE drops (id uuid); CREATE TABLE "A" (id int);`,
	} {
		t.Run(name, func(t *testing.T) {
			o.renew(t, sql)
			s := memory.New(stores.Now)
			if _, err := importer.Run(t.Context(), o.url, s, usd); err != nil {
				t.Fatal(err)
			}
			got := readBooks(t, s)
			got.Reservations[3].CreatedAt, got.Reservations[3].ExpiresAt = want.Reservations[3].CreatedAt, want.Reservations[3].ExpiresAt
			compareImports(t, want, got)
		})
	}
}

// renew makes the sample again and changes it with a statement.
func (o *origin) renew(t *testing.T, sql string) {
	t.Helper()
	o.exec(t, `DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA IF EXISTS sneakerdrop CASCADE; CREATE SCHEMA public;`)
	o.exec(t, tables)
	o.exec(t, sample)
	o.exec(t, sql)
}

// A price is rounded to the decimals of the shop's currency, halves away from zero.
func TestRun_PricesHaveTheDecimalsOfTheCurrency(t *testing.T) {
	o := newOrigin(t, tables, shop, `ALTER TABLE "Drops" ALTER COLUMN price TYPE double precision`)
	for _, c := range []struct {
		in      drop.Currency
		price   string
		want    string
		rounded int
	}{
		{drop.Currency{Code: "JPY"}, "12000", "12000", 0},
		{drop.Currency{Code: "JPY"}, "12000.5", "12001", 1},
		{drop.Currency{Code: "USD", Decimals: 2}, "119.995", "120", 1},
		{drop.Currency{Code: "KWD", Decimals: 3}, "119.995", "119.995", 0},
		{drop.Currency{Code: "KWD", Decimals: 3}, "119.9954", "119.995", 1},
		{drop.Currency{Code: "CLF", Decimals: 4}, "3.14159", "3.1416", 1},
		{drop.Currency{Code: "CLF", Decimals: 4}, "99999999.99", "99999999.99", 0},
	} {
		o.exec(t, `UPDATE "Drops" SET price = `+c.price)
		s := memory.New(stores.Now)
		report, err := importer.Run(t.Context(), o.url, s, importer.Options{Currency: c.in})
		if err != nil {
			t.Fatal(err)
		}
		if got := readBooks(t, s).State[0].Price.String(); got != c.want || repaired(report, importer.PriceRounded) != c.rounded {
			t.Errorf("%s in %s: %s, want %s; %s", c.price, c.in.Code, got, c.want, show(report))
		}
	}
}
