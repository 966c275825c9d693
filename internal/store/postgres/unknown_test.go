package postgres_test

import (
	"log/slog"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/postgres/pgtest"
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
	// The first batch prepares the statements; without them COMMIT would not even be sent.
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

func TestRunBatch_NoticeAtCommitIsUnknown(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	// A standby that does not confirm is announced in the same way: by a warning, and COMMIT.
	exec(t, admin, `CREATE FUNCTION public.warn() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE WARNING 'not confirmed'; RETURN NULL; END$$`)
	exec(t, admin, `CREATE CONSTRAINT TRIGGER warn AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION public.warn()`)
	batch := newBatch()
	wantClass(t, s.RunBatch(t.Context(), reserve(id, batch, nil)), store.ClassUnknown)
	_, err := s.Committed(t.Context(), id, batch, 1)
	wantClass(t, err, store.ClassUnknown) // its own write was not confirmed either
	// Nor is anybody told of it by a batch that changes nothing, before it is confirmed.
	told := store.Batch{Drop: id, Decide: func(*drop.State, drop.Time) *drop.Changes { return nil }, Confirm: func() bool { return true }}
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
