package postgres_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// expire runs an empty batch and returns how many holds it ended.
func expire(t *testing.T, s store.Store, id drop.ID) int {
	t.Helper()
	n := 0
	err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, newBatch(), nil)
		if changes != nil {
			n = len(changes.Ended)
		}
		return changes
	}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// withEndedHold returns a store with a drop whose only hold has ended, and a connection for the test.
func withEndedHold(t *testing.T) (*postgres.Store, *pgx.Conn, drop.ID) {
	t.Helper()
	url := pgtest.Migrated(t)
	s, admin := open(t, url), connect(t, url)
	id := createDrop(t, s, 5)
	cmds := []drop.Command{drop.Reserve{User: 7, Hold: time.Millisecond}}
	err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, newBatch(), cmds)
		return changes
	}})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); expire(t, s, id) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the hold does not end")
		}
	}
	return s, admin, id
}

// putBack makes the ended hold active again, which no batch ever does.
func putBack(t *testing.T, admin *pgx.Conn) {
	t.Helper()
	exec(t, admin, `UPDATE sneakerdrop.reservations SET status = 1, ended_at = NULL`)
	exec(t, admin, `UPDATE sneakerdrop.sizes SET held = 1, available = 4`)
}

func TestDeadlineBounds_BatchesLookForDueHoldsFromThereAndPulseFromTheStart(t *testing.T) {
	s, admin, id := withEndedHold(t)
	putBack(t, admin)
	if n := expire(t, s, id); n != 0 {
		t.Errorf("%d holds before the bound were ended", n)
	}
	if _, err := s.Pulse(t.Context()); err != nil { // its first search uses no bound
		t.Fatal(err)
	}
	if n := expire(t, s, id); n != 1 {
		t.Errorf("%d holds were ended after a pulse that saw one before the bound, want 1", n)
	}
}

func TestDeadlineBounds_ADropThatWasPutBackIsLookedThroughFromTheStart(t *testing.T) {
	for name, change := range map[string]string{
		"an older version":           `UPDATE sneakerdrop.drops SET version = version - 1`,
		"another drop of its number": `UPDATE sneakerdrop.drops SET created_at = created_at - 1, version = version + 1`,
	} {
		t.Run(name, func(t *testing.T) {
			s, admin, id := withEndedHold(t)
			putBack(t, admin)
			exec(t, admin, change)
			if n := expire(t, s, id); n != 1 {
				t.Errorf("%d holds were ended, want 1", n)
			}
		})
	}
}

func TestDeadlineBounds_AFailureForgetsThem(t *testing.T) {
	s, admin, id := withEndedHold(t)
	putBack(t, admin)
	b := reserve(id, newBatch(), nil)
	decide := b.Decider
	b.Decider = func(s *drop.State, now drop.Time) *drop.Changes {
		changes := decide(s, now)
		s.Sizes[0].Stock.Held++
		return changes
	}
	wantClass(t, s.RunBatch(t.Context(), b), store.ClassFault)
	if n := expire(t, s, id); n != 1 {
		t.Errorf("%d holds were ended, want 1", n)
	}
}

// More holds are due at one moment than a batch expires, and some batches in between expire nothing.
func TestDeadlineBounds_HoldsLeftOverAreFound(t *testing.T) {
	const n = 2*drop.MaxExpirePerBatch + 3
	s := open(t, pgtest.Migrated(t))
	id := createDrop(t, s, n)
	cmds := make([]drop.Command, n)
	for i := range cmds {
		cmds[i] = drop.Reserve{User: drop.UserID(i + 1), Hold: time.Millisecond}
	}
	var made drop.Time
	err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, newBatch(), cmds)
		made = s.LastAt
		return changes
	}})
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for deadline := time.Now().Add(patience); ended < n && time.Now().Before(deadline); {
		ended += expire(t, s, id)
		if err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Decider: func(*drop.State, drop.Time) *drop.Changes { return nil }}); err != nil {
			t.Fatal(err)
		}
	}
	if ended != n {
		t.Errorf("of %d holds made at %d, %d were ended", n, made, ended)
	}
}

// While a session holds an old snapshot, no old version of a drop's row and its sizes' rows can be removed, and no
// index entry of an ended hold.
func TestPlans_AnOldSnapshotIsNoBurden(t *testing.T) {
	url := pgtest.Migrated(t)
	s, admin, old := open(t, url), connect(t, url), connect(t, url)
	id := createDrop(t, s, 9)
	exec(t, old, `BEGIN ISOLATION LEVEL REPEATABLE READ`)
	exec(t, old, `SELECT count(*) FROM sneakerdrop.drops`)
	exec(t, admin, `SET synchronous_commit = off`) // only to fill the table fast
	exec(t, admin, fmt.Sprintf(`DO $$BEGIN
		FOR i IN 1..1200 LOOP
			UPDATE sneakerdrop.drops SET version = version + 1;
			UPDATE sneakerdrop.sizes SET sold = sold;
			INSERT INTO sneakerdrop.reservations VALUES (%d, %d::bigint << 32 | i, 1, '', 1, 1, i, NULL);
			UPDATE sneakerdrop.reservations SET status = 3, ended_at = 1 WHERE drop_id = %d AND id = %d::bigint << 32 | i;
			COMMIT;
		END LOOP;
	END$$`, id, id, id, id))
	for name, value := range postgres.Settings() {
		exec(t, admin, `SELECT set_config($1, $2, false) WHERE current_setting($1, true) IS NOT NULL`, name, value)
	}
	exec(t, admin, `SELECT set_config('sneakerdrop.now', '1000000', false)`)
	buffers := func(sql, arguments string) (hit int) {
		t.Helper()
		exec(t, admin, `PREPARE plan AS `+sql)
		defer exec(t, admin, `DEALLOCATE plan`)
		var lines []string
		for range 2 { // the first also reads the catalog
			rows, err := admin.Query(t.Context(), `EXPLAIN (ANALYZE, BUFFERS, TIMING off) EXECUTE plan(`+arguments+`)`, pgx.QueryExecModeSimpleProtocol)
			if err == nil {
				lines, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, line := range lines { // the first line is about the whole plan
			if n, _ := fmt.Sscanf(line, " Buffers: shared hit=%d", &hit); n == 1 {
				return hit
			}
		}
		t.Fatalf("no buffers in %q", lines)
		return 0
	}
	for name, got := range map[string]int{
		"lock":       buffers(postgres.PlannedStatements()["runBatchLock"].SQL, "'{1}'"),
		"sizes":      buffers(postgres.PlannedStatements()["runBatchSizes"].SQL, "'{1}'"),
		"due":        buffers(postgres.PlannedStatements()["runBatchDue"].SQL, "'{1}', '{1201}'"),
		"one drop":   buffers(postgres.PlannedStatements()["dropDrop"].SQL, "1, 1201") - buffers(`SELECT FROM sneakerdrop.drops WHERE id = $1::bigint`, "1"),
		"users' own": buffers(postgres.PlannedStatements()["runBatchUsage"].SQL, "1, '{5}', false"),
	} {
		if got > 12 {
			t.Errorf("%s: reads %d pages", name, got)
		}
	}
	if n := buffers(`SELECT FROM sneakerdrop.drops WHERE id = $1::bigint`, "1"); n < 25 {
		t.Errorf("by = it takes only %d pages: the test shows nothing", n)
	}
	if n := buffers(postgres.PlannedStatements()["runBatchDue"].SQL, "'{1}', '{0}'"); n < 25 {
		t.Errorf("due holds without a bound take only %d pages: the test shows nothing", n)
	}
}

// Between two batches of a store, others may move the drop's rows: another replica, VACUUM FULL, or a person.
func TestRunBatch_RowsThatWereMoved(t *testing.T) {
	url := pgtest.Migrated(t)
	s, other, admin := open(t, url), open(t, url), connect(t, url)
	snapshot, _, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Air", Price: 1, Sizes: []drop.SizeSpec{
		{Label: "42", Stock: 50}, {Label: "43", Stock: 50}, {Label: "44", Stock: 50},
	}}, newBatch(), drop.Key{})
	if err != nil {
		t.Fatal(err)
	}
	id := snapshot.Drop.ID
	want := []int64{50, 50, 50}
	take := func(s store.Store, size int) {
		t.Helper()
		cmds := []drop.Command{drop.Reserve{User: 1, Size: snapshot.Drop.Sizes[size].Label, Hold: time.Hour}}
		var refused *drop.Error
		err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			results, changes := drop.Apply(s, now, newBatch(), cmds)
			refused = results[0].Err
			return changes
		}})
		if err != nil || refused != nil {
			t.Fatal(err, refused)
		}
		want[size]--
	}
	for range 3 {
		for _, move := range []string{
			``, `VACUUM FULL sneakerdrop.drops`, `VACUUM FULL sneakerdrop.sizes`, `UPDATE sneakerdrop.drops SET batch = batch`,
			`UPDATE sneakerdrop.sizes SET sold = sold WHERE position = 1`,
		} {
			take(s, 0)
			if move != "" {
				exec(t, admin, move)
			}
			take(s, 2)
			take(other, 1)
		}
	}
	read, err := s.Drop(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for i, size := range read.Drop.Sizes {
		if size.Label != snapshot.Drop.Sizes[i].Label || size.Stock.Available != want[i] {
			t.Errorf("size %d is %+v, want %d available", i, size, want[i])
		}
	}
}
