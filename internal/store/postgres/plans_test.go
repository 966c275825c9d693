package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
)

// A connection plans a statement once, so a plan made for any state of the tables must suit every other state.
func TestPlans_DoNotTurn(t *testing.T) {
	url := pgtest.Migrated(t)
	conn := connect(t, url)
	for name, value := range postgres.Settings() {
		exec(t, conn, `SELECT set_config($1, $2, false) WHERE current_setting($1, true) IS NOT NULL`, name, value)
	}
	exec(t, conn, `SELECT set_config('sneakerdrop.now', '5', false)`)
	wantPlans(t, conn, "empty, never analyzed")
	exec(t, conn, `VACUUM ANALYZE`)
	wantPlans(t, conn, "empty, analyzed")
	const drops = `INSERT INTO sneakerdrop.drops
		SELECT d, 'Air', 1, 1, NULL, 0, 0, false, false, false, 1, 1, 1, 1, 4294967295, 1, gen_random_uuid()
		FROM generate_series(%, %) d`
	const reservations = `INSERT INTO sneakerdrop.reservations
		SELECT d, d << 32 | n, mod(n, 5000) + 1, '', CASE WHEN n > 100 THEN 3 ELSE 1 END, 1, n, CASE WHEN n > 100 THEN 2 END
		FROM generate_series(%, %) d, generate_series(1::bigint, %) n`
	const passes = `INSERT INTO sneakerdrop.passes
		SELECT d, d << 32 | n, sha256(convert_to(n::text, 'UTF8')), mod(n, 2)
		FROM generate_series(%, %) d, generate_series(1::bigint, %) n`
	fill := func(sql string, numbers ...string) {
		t.Helper()
		for _, n := range numbers {
			sql = strings.Replace(sql, "%", n, 1)
		}
		exec(t, conn, sql)
	}
	fill(drops, "1::bigint", "500")
	fill(reservations, "1::bigint", "500", "1")
	fill(passes, "1::bigint", "500", "1")
	exec(t, conn, `INSERT INTO sneakerdrop.draw_entries SELECT d, d << 32 | 1, 7, '0', 1, NULL, NULL FROM generate_series(1::bigint, 500) d`)
	exec(t, conn, `INSERT INTO sneakerdrop.purchases SELECT d, d << 32 | 1, d << 32 | 1, 7, '', 1, 1 FROM generate_series(1::bigint, 500) d`)
	exec(t, conn, `INSERT INTO sneakerdrop.users SELECT n, 'ann', NULL, 'i', n, 1 FROM generate_series(1, 1000) n`)
	exec(t, conn, `VACUUM ANALYZE`)
	wantPlans(t, conn, "many drops with one hold each")
	fill(reservations, "501::bigint", "501", "60000")
	exec(t, conn, `INSERT INTO sneakerdrop.purchases
		SELECT drop_id, id, id, user_id, '', 1, 1 FROM sneakerdrop.reservations WHERE drop_id = 501`)
	exec(t, conn, `INSERT INTO sneakerdrop.ledger
		SELECT 501, n, gen_random_uuid(), 1, '', 'reserved', 1, 1 FROM generate_series(1, 20000) n`)
	exec(t, conn, `INSERT INTO sneakerdrop.idempotency_keys
		SELECT mod(n, 3), '', 'reserve', 'k' || n, decode(repeat('00', 32), 'hex'), 'a', n FROM generate_series(1, 30000) n`)
	exec(t, conn, `INSERT INTO sneakerdrop.payments
		SELECT n, n, 1, 'demo', NULL, NULL, NULL, '/', 'captured', n > 49990, 1, 'EUR', 2, 0, 0, n, n, NULL, 0, n, n, n FROM generate_series(1, 50000) n`)
	exec(t, conn, `INSERT INTO sneakerdrop.waitlist
		SELECT 501, 501::bigint << 32 | n, mod(n, 5000) + 1, mod(n, 2), '', CASE WHEN n > 25000 THEN 1 ELSE 3 END, 1, CASE WHEN n <= 25000 THEN 2 END
		FROM generate_series(1, 50000) n`)
	exec(t, conn, `INSERT INTO sneakerdrop.draw_entries
		SELECT 501, 501::bigint << 32 | n, mod(n, 5000) + 1, '0', 1, NULL, NULL FROM generate_series(1, 50000) n`)
	fill(passes, "501::bigint", "501", "50000")
	wantPlans(t, conn, "one big drop, not analyzed")
	exec(t, conn, `VACUUM ANALYZE`)
	wantPlans(t, conn, "one big drop, analyzed")
	// Now the indexes of active holds are empty, and none looks more expensive than another.
	exec(t, conn, `UPDATE sneakerdrop.reservations SET status = 3, ended_at = 2 WHERE status = 1`)
	exec(t, conn, `REINDEX TABLE sneakerdrop.reservations`)
	exec(t, conn, `VACUUM ANALYZE`)
	wantPlans(t, conn, "all have ended, analyzed")
	// Then new rows arrive, which the statistics do not include.
	fill(reservations, "502::bigint", "502", "100")
	wantPlans(t, conn, "all old ones have ended, new ones not analyzed")
}

func wantPlans(t *testing.T, conn *pgx.Conn, when string) {
	t.Helper()
	for name, statement := range postgres.PlannedStatements() {
		exec(t, conn, `PREPARE plan AS `+statement.SQL)
		call := `EXPLAIN EXECUTE plan`
		if statement.Arguments != "" {
			call += `(` + statement.Arguments + `)`
		}
		rows, err := conn.Query(t.Context(), call, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		exec(t, conn, `DEALLOCATE plan`)
		plan := strings.Join(lines, "\n")
		for _, index := range statement.Indexes {
			if !strings.Contains(plan, index) {
				t.Errorf("%s, %s: not by %s:\n%s", when, name, index, plan)
			}
		}
		for _, table := range []string{"reservations", "purchases", "ledger", "idempotency_keys", "payments", "waitlist", "draw_entries", "passes"} {
			if strings.Contains(plan, "Seq Scan on "+table) {
				t.Errorf("%s, %s: reads all of %s:\n%s", when, name, table, plan)
			}
		}
		if strings.Contains(plan, "JIT") {
			t.Errorf("%s, %s: is compiled:\n%s", when, name, plan)
		}
	}
}
