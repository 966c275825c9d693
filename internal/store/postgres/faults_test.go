package postgres_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// patience limits every wait for something that must happen.
const patience = await.Patience

func newBatch() (b drop.BatchID) {
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return b
}

func createDrop(t testing.TB, s store.Store, stock int64) drop.ID {
	t.Helper()
	snapshot, _, err := s.CreateDrop(t.Context(), drop.Spec{Name: "Air Test", Price: 100, TotalStock: &stock}, newBatch(), drop.Key{})
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.Drop.ID
}

// reserve returns a batch that reserves one unit. If before is not nil, the batch calls it first.
func reserve(id drop.ID, batch drop.BatchID, before func()) *storetest.Batch {
	cmds := []drop.Command{drop.Reserve{User: 7, Hold: time.Minute}}
	return &storetest.Batch{Drop: id, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		if before != nil {
			before()
		}
		_, changes := drop.Apply(s, now, batch, cmds)
		return changes
	}}
}

func restock(t testing.TB, s store.Store, id drop.ID, add int64) {
	t.Helper()
	err := s.RunBatch(t.Context(), &storetest.Batch{Drop: id, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, newBatch(), []drop.Command{drop.Restock{Add: add}})
		return changes
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// connect returns a connection for the test.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// terminate ends the store's connections that are in that state in pg_stat_activity. It waits until there is one.
func terminate(t testing.TB, admin *pgx.Conn, where string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		tag, err := admin.Exec(context.Background(), `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'sneakerdrop' AND `+where)
		switch {
		case err != nil:
			t.Errorf("terminate: %v", err)
			return
		case tag.RowsAffected() > 0:
			return
		case time.Now().After(deadline):
			t.Errorf("no connection where %s", where)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// awaitState returns once a connection of the store is in that state.
func awaitState(t testing.TB, admin *pgx.Conn, state string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		var n int
		err := admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'sneakerdrop' AND state = $1`, state).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
	}
	t.Fatalf("no connection is %s", state)
}

// awaitLockWait returns once a connection of the store waits for a lock.
func awaitLockWait(t testing.TB, admin *pgx.Conn) {
	t.Helper()
	awaitWait(t, admin, "%")
}

// awaitWait returns once a connection of the store waits for a lock of that kind.
func awaitWait(t testing.TB, admin *pgx.Conn, kind string) {
	t.Helper()
	awaitLockWaitOf(t, admin, "application_name = 'sneakerdrop' AND wait_event LIKE '"+kind+"'")
}

// awaitLockWaitOf returns once a connection to the same database that matches where waits for a lock.
func awaitLockWaitOf(t testing.TB, admin *pgx.Conn, where string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		var n int
		err := admin.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
			AND wait_event_type = 'Lock' AND `+where).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("nobody waits for a lock where %s", where)
}

func wantClass(t testing.TB, err error, want store.Class) {
	t.Helper()
	if _, ok := errors.AsType[*store.Error](err); !ok || store.ClassOf(err) != want {
		t.Errorf("class %v of error %v, want %v", store.ClassOf(err), err, want)
	}
}

func wantAvailable(t testing.TB, s store.Store, id drop.ID, want int64) {
	t.Helper()
	snapshot, err := s.Drop(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got := snapshot.Drop.Stock().Available; got != want {
		t.Errorf("%d units available, want %d", got, want)
	}
}

// lockDrop begins a transaction that holds the drop's lock.
func lockDrop(t testing.TB, conn *pgx.Conn, id drop.ID) pgx.Tx {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM sneakerdrop.drops WHERE id = $1 FOR UPDATE`, int64(id)); err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestRunBatch_ConnectionLostBeforeCommitIsUnavailable(t *testing.T) {
	url := pgtest.Migrated(t)
	s, admin, holder := open(t, url), connect(t, url), connect(t, url)
	id := createDrop(t, s, 5)
	lockDrop(t, holder, id)
	got := make(chan error, 1)
	go func() { got <- s.RunBatch(t.Context(), reserve(id, newBatch(), nil)) }()
	awaitLockWait(t, admin)
	terminate(t, admin, "wait_event_type = 'Lock'")
	wantClass(t, <-got, store.ClassUnavailable)
	wantAvailable(t, s, id, 5)
}

func TestRunBatch_ConnectionLostWhileDecidingIsUnknownAndNotCommitted(t *testing.T) {
	url := pgtest.Migrated(t)
	s, admin := open(t, url), connect(t, url)
	id := createDrop(t, s, 5)
	// The first batch prepares the statements; without that, COMMIT would not even be sent.
	for _, want := range []store.Class{store.ClassUnavailable, store.ClassUnknown} {
		batch := newBatch()
		err := s.RunBatch(t.Context(), reserve(id, batch, func() { terminate(t, admin, "state = 'idle in transaction'") }))
		wantClass(t, err, want)
		found, err := s.Committed(t.Context(), id, batch, 1)
		if err != nil || found {
			t.Errorf("Committed: %v, %v; want false", found, err)
		}
		wantAvailable(t, s, id, 5)
		if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
			t.Fatal(err)
		}
		restock(t, s, id, 1)
	}
}

func TestRunBatch_LockNotHadInTimeIsRolledBack(t *testing.T) {
	url := pgtest.Migrated(t)
	s, holder := open(t, url+"&lock_timeout=50ms"), connect(t, url)
	id := createDrop(t, s, 5)
	tx := lockDrop(t, holder, id)
	wantClass(t, s.RunBatch(t.Context(), reserve(id, newBatch(), nil)), store.ClassRolledBack)
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Errorf("once the lock is free: %v", err)
	}
}

// A batch holds its drop's lock and needs a row that another session holds, while that session waits for the drop.
// PostgreSQL ends one of them.
func TestRunBatch_DeadlockIsRolledBack(t *testing.T) {
	url := pgtest.Migrated(t)
	s, holder := open(t, url+"&deadlock_timeout=10ms"), connect(t, url+"&deadlock_timeout=1h") // so that the batch is the one that notices
	id := createDrop(t, s, 5)
	tx, err := holder.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM sneakerdrop.sizes WHERE drop_id = $1 FOR UPDATE`, int64(id)); err != nil {
		t.Fatal(err)
	}
	waits := make(chan error, 1)
	err = s.RunBatch(t.Context(), reserve(id, newBatch(), func() {
		go func() {
			_, err := tx.Exec(t.Context(), `SELECT FROM sneakerdrop.drops WHERE id = $1 FOR UPDATE`, int64(id))
			waits <- err
		}()
		awaitLockWaitOf(t, connect(t, url), "application_name <> 'sneakerdrop'")
	}))
	wantClass(t, err, store.ClassRolledBack)
	if err == nil || !strings.Contains(err.Error(), "40P01") {
		t.Errorf("%v, want a deadlock", err)
	}
	if err := <-waits; err != nil {
		t.Errorf("the other session: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantAvailable(t, s, id, 5)
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestRunBatch_ReadOnlyServerIsRolledBackAndItsConnectionsAreDropped(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	id := createDrop(t, s, 5)
	conns := s.Pool().AcquireAllIdle(t.Context())
	for _, c := range conns {
		exec(t, c.Conn(), `SET default_transaction_read_only = on`)
		c.Release()
	}
	if len(conns) == 0 {
		t.Fatal("no connection to spoil")
	}
	wantClass(t, s.RunBatch(t.Context(), reserve(id, newBatch(), nil)), store.ClassRolledBack)
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Errorf("on a new connection: %v", err)
	}
}

func TestRunBatch_BrokenCheckIsFaultAndRolledBack(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	id := createDrop(t, s, 5)
	b := reserve(id, newBatch(), nil)
	decide := b.Decider
	b.Decider = func(s *drop.State, now drop.Time) *drop.Changes {
		changes := decide(s, now)
		s.Sizes[0].Stock.Held++
		return changes
	}
	wantClass(t, s.RunBatch(t.Context(), b), store.ClassFault)
	wantAvailable(t, s, id, 5)
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestRunBatch_RowThatIsNotThereRollsBack(t *testing.T) {
	url := pgtest.Migrated(t)
	s, admin := open(t, url), connect(t, url)
	id := createDrop(t, s, 5)
	for name, spoil := range map[string]func(*drop.State, *drop.Changes){
		"size changed by hand after it was read": func(*drop.State, *drop.Changes) {
			exec(t, admin, `UPDATE sneakerdrop.sizes SET sold = sold`)
		},
		"size": func(s *drop.State, c *drop.Changes) {
			s.Sizes = append(s.Sizes, drop.Size{})
			c.Sizes = append(c.Sizes, 1)
		},
		"reservation": func(_ *drop.State, c *drop.Changes) {
			c.Ended = append(c.Ended, &drop.Reservation{ID: drop.NewReservationID(id, 99), Status: drop.Expired, EndedAt: 1})
		},
	} {
		b := reserve(id, newBatch(), nil)
		decide := b.Decider
		b.Decider = func(s *drop.State, now drop.Time) *drop.Changes {
			changes := decide(s, now)
			spoil(s, changes)
			return changes
		}
		err := s.RunBatch(t.Context(), b)
		wantClass(t, err, store.ClassFault)
		if err == nil || !strings.Contains(err.Error(), "22012") {
			t.Errorf("%s: %v, want the division by zero of the count", name, err)
		}
		wantAvailable(t, s, id, 5)
	}
}

func TestRunBatch_EndedContextWhileWaitingIsUnavailable(t *testing.T) {
	url := pgtest.Migrated(t)
	s, admin, holder := open(t, url), connect(t, url), connect(t, url)
	id := createDrop(t, s, 5)
	lockDrop(t, holder, id)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan error, 1)
	go func() { got <- s.RunBatch(ctx, reserve(id, newBatch(), nil)) }()
	awaitLockWait(t, admin)
	cancel()
	wantClass(t, <-got, store.ClassUnavailable)
}

func TestRunBatch_NoConnectionIsUnavailableOrExhausted(t *testing.T) {
	s := open(t, "postgres://nobody@127.0.0.1:1/nothing?sslmode=disable")
	wantClass(t, s.RunBatch(t.Context(), reserve(1, newBatch(), nil)), store.ClassUnavailable)

	url := pgtest.Migrated(t)
	full, err := postgres.Open(t.Context(), url, postgres.Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	id := createDrop(t, full, 5)
	conn, err := full.Pool().Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	wantClass(t, full.RunBatch(ctx, reserve(id, newBatch(), nil)), store.ClassUnavailable)
	conn.Release()
	if err := full.Close(); err != nil {
		t.Fatal(err)
	}
	wantClass(t, full.RunBatch(t.Context(), reserve(id, newBatch(), nil)), store.ClassUnavailable)

	admin := connect(t, url)
	role := fmt.Sprintf("sneakerdrop_limited_%x", newBatch())
	exec(t, admin, `CREATE ROLE `+role+` LOGIN CONNECTION LIMIT 0`)
	t.Cleanup(func() { _, _ = admin.Exec(context.Background(), `DROP ROLE `+role) })
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	crowded := open(t, fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", role, cfg.Host, cfg.Port, cfg.Database))
	wantClass(t, crowded.RunBatch(t.Context(), reserve(id, newBatch(), nil)), store.ClassExhausted)
}
