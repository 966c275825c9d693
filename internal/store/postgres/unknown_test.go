package postgres_test

import (
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

func TestRunBatch_LostAnswerOfCommitIsUnknown(t *testing.T) {
	for _, moment := range []pgtest.Moment{pgtest.BeforeCommit, pgtest.AtCommit, pgtest.AfterCommit} {
		t.Run(moment.String(), func(t *testing.T) { loseAnswer(t, moment, "") })
		t.Run(moment.String()+", behind a pooler", func(t *testing.T) { loseAnswer(t, moment, "&default_query_exec_mode=exec") })
	}
}

func loseAnswer(t *testing.T, moment pgtest.Moment, parameters string) {
	p, through := pgtest.NewProxy(t, pgtest.Migrated(t))
	s, err := postgres.Open(t.Context(), through+parameters, postgres.Options{Connections: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	id := createDrop(t, s, 5)
	// The first batch prepares the statements; without that, COMMIT would not even be sent.
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Fatal(err)
	}
	batch, after := newBatch(), drop.Seq(2)
	p.Next(moment, (*pgtest.Line).Cut)
	wantClass(t, s.RunBatch(t.Context(), reserve(id, batch, nil)), store.ClassUnknown)
	found, err := s.Committed(t.Context(), id, batch, after)
	if err != nil || moment == pgtest.BeforeCommit && found || moment == pgtest.AfterCommit && !found {
		t.Errorf("Committed: %v, %v", found, err)
	}
	left := int64(4)
	if found {
		left--
	}
	wantAvailable(t, s, id, left)
}

func TestRunBatch_WarningAtCommitIsUnknown(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	// A standby that does not confirm shows in the same way: as a warning with COMMIT.
	exec(t, admin, `CREATE FUNCTION public.warn() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE WARNING 'not confirmed'; RETURN NULL; END$$`)
	exec(t, admin, `CREATE CONSTRAINT TRIGGER warn AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION public.warn()`)
	batch := newBatch()
	wantClass(t, s.RunBatch(t.Context(), reserve(id, batch, nil)), store.ClassUnknown)
	_, err := s.Committed(t.Context(), id, batch, 1)
	wantClass(t, err, store.ClassUnknown) // its own write was not confirmed either
	// Also, a batch that changes nothing tells nobody about it before it is confirmed.
	told := &storetest.Batch{Drop: id, Decider: func(*drop.State, drop.Time) *drop.Changes { return nil }, Confirm: func() bool { return true }}
	wantClass(t, s.RunBatch(t.Context(), told), store.ClassUnknown)
	told.Confirm = func() bool { return false }
	if err := s.RunBatch(t.Context(), told); err != nil {
		t.Errorf("a refusal: %v", err)
	}
	exec(t, admin, `DROP TRIGGER warn ON sneakerdrop.drops`)
	if found, err := s.Committed(t.Context(), id, batch, 1); err != nil || !found {
		t.Errorf("Committed: %v, %v; want true", found, err)
	}
	wantAvailable(t, s, id, 4)
}

// talk makes PostgreSQL send a message of the given severity while it commits a batch's changes.
func talk(t *testing.T, admin *pgx.Conn, severity string) {
	t.Helper()
	exec(t, admin, `CREATE OR REPLACE FUNCTION public.say() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE `+severity+` 'it was said'; RETURN NULL; END$$`)
}

const sayAtCommit = `CREATE CONSTRAINT TRIGGER say AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION public.say()`

// A server may send many messages, even to the client. Only a warning makes a sale's outcome unknown, even on a
// server that is set to send fewer.
func TestRunBatch_OnlyAWarningAtCommitCounts(t *testing.T) {
	for _, parameters := range []string{"", "&default_query_exec_mode=exec"} {
		u := pgtest.Migrated(t)
		admin := connect(t, u)
		id := createDrop(t, open(t, u), 100)
		talk(t, admin, "LOG")
		exec(t, admin, sayAtCommit)
		for _, setting := range []string{
			"log_duration = on", "log_min_duration_statement = 0", "log_statement = 'all'", "debug_print_plan = on",
			"log_lock_waits = on", "log_statement_stats = on",
		} {
			exec(t, admin, "ALTER DATABASE "+admin.Config().Database+" SET "+setting)
		}
		for _, least := range []string{"debug5", "debug1", "log", "notice", "warning", "error"} {
			if least == "error" && parameters != "" {
				continue // refused: behind such a pooler, single statements use the server's setting
			}
			exec(t, admin, "ALTER DATABASE "+admin.Config().Database+" SET client_min_messages = "+least)
			s := stores.PostgresWith(t, u+parameters, 1)
			for _, severity := range []string{"DEBUG", "LOG", "INFO", "NOTICE", "WARNING"} {
				talk(t, admin, severity)
				err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil))
				if severity == "WARNING" {
					wantClass(t, err, store.ClassUnknown)
				} else if err != nil {
					t.Errorf("%s where %s is the least (%q): %v", severity, least, parameters, err)
				}
				if _, _, err := s.EnsureUser(t.Context(), least+severity, "", drop.Key{}); err != nil {
					t.Errorf("a buyer: %v", err)
				}
			}
		}
	}
}

// Others who share a connection may change its settings. So messages are also evaluated, not only requested.
func TestRunBatch_TalkOnASpoiledConnectionIsNoWarning(t *testing.T) {
	s := stores.PostgresWith(t, pgtest.Migrated(t), 1)
	id := createDrop(t, s, 5)
	for _, c := range s.Pool().AcquireAllIdle(t.Context()) {
		exec(t, c.Conn(), `SET client_min_messages = debug5`)
		exec(t, c.Conn(), `SET log_duration = on`)
		c.Release()
	}
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Error(err)
	}
}

// A warning from somebody's trigger before the COMMIT says nothing about the COMMIT.
func TestRunBatch_WarningBeforeCommitIsNone(t *testing.T) {
	for _, parameters := range []string{"", "&default_query_exec_mode=exec"} {
		u := pgtest.Migrated(t)
		s, admin := open(t, u+parameters), connect(t, u)
		talk(t, admin, "WARNING")
		exec(t, admin, `CREATE TRIGGER say AFTER UPDATE ON sneakerdrop.drops FOR EACH ROW EXECUTE FUNCTION public.say()`)
		id := createDrop(t, s, 5)
		if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
			t.Error(err)
		}
	}
}

func TestRunBatch_ErrorAtCommitIsRolledBack(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	exec(t, admin, `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE EXCEPTION SQLSTATE '40001'; END$$`)
	exec(t, admin, `CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION public.refuse()`)
	wantClass(t, s.RunBatch(t.Context(), reserve(id, newBatch(), nil)), store.ClassRolledBack)
	wantAvailable(t, s, id, 5)
}

func TestCommitted_WaitsForTheOpenTransaction(t *testing.T) {
	for _, test := range []struct {
		name   string
		commit bool
	}{{"that commits", true}, {"that rolls back", false}} {
		t.Run(test.name, func(t *testing.T) {
			u := pgtest.Migrated(t)
			s, admin, holder := open(t, u), connect(t, u), connect(t, u)
			id := createDrop(t, s, 5)
			batch := newBatch()
			tx := lockDrop(t, holder, id)
			if _, err := tx.Exec(t.Context(), `UPDATE sneakerdrop.drops SET batch = $2 WHERE id = $1`,
				int64(id), [16]byte(batch)); err != nil {
				t.Fatal(err)
			}
			type answer struct {
				found bool
				err   error
			}
			got := make(chan answer, 1)
			go func() {
				found, err := s.Committed(t.Context(), id, batch, 1)
				got <- answer{found, err}
			}()
			awaitLockWait(t, admin)
			end := tx.Rollback
			if test.commit {
				end = tx.Commit
			}
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a := <-got; a.err != nil || a.found != test.commit {
				t.Errorf("Committed: %v, %v; want %v", a.found, a.err, test.commit)
			}
		})
	}
}
