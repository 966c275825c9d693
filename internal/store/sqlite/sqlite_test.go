package sqlite

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openNew(t, Options{}) })
}

func TestEngine(t *testing.T) { storetest.Engine(t, engine{openNew(t, Options{})}) }

// occupy keeps the writer busy until free is called, so that everything queued in the meantime shares the next
// transaction.
func occupy(t *testing.T, s *Store) (free func()) {
	t.Helper()
	began, end, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.write(context.Background(), "occupy", func(*sqlite.Conn) (bool, error) {
			close(began)
			<-end
			return false, nil
		})
	}()
	<-began
	free = sync.OnceFunc(func() {
		close(end)
		<-done
	})
	t.Cleanup(free)
	return free
}

// waitQueued waits until n pieces of work wait for the writer.
func waitQueued(t *testing.T, s *Store, n int) {
	t.Helper()
	for deadline := time.Now().Add(await.Patience); len(s.writer.queue) != n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d pieces of work are queued, want %d", len(s.writer.queue), n)
		}
	}
}

// batchOf returns a batch that reserves a unit for user 1. after, if not nil, may change what is written.
func batchOf(id drop.ID, after func(*drop.State, *drop.Changes)) store.Batch {
	cmds := []drop.Command{drop.Reserve{User: 1, Hold: time.Minute}}
	batch := newBatchID()
	return &storetest.Batch{Drop: id, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, batch, cmds)
		if after != nil {
			after(s, changes)
		}
		return changes
	}}
}

// together runs the batches in order in one transaction, and returns their errors. Each must be answered within the
// test's deadline.
func together(t *testing.T, s *Store, batches []store.Batch) []error {
	t.Helper()
	free := occupy(t, s)
	errs := make([]error, len(batches))
	var wg sync.WaitGroup
	for i, b := range batches {
		wg.Go(func() {
			defer func() {
				if v := recover(); v != nil {
					errs[i] = errPanicked
				}
			}()
			errs[i] = s.RunBatch(t.Context(), b)
		})
		waitQueued(t, s, i+1)
	}
	commits := s.writer.commit // read and set while the writer is occupied
	count := 0
	s.writer.commit = func(c *sqlite.Conn) error {
		count++
		return commits(c)
	}
	free()
	wg.Wait()
	if count > 1 {
		t.Errorf("%d transactions were committed, want one for all", count)
	}
	_ = s.write(t.Context(), "restore", func(*sqlite.Conn) (bool, error) {
		s.writer.commit = commits
		return false, nil
	})
	return errs
}

func TestRunBatch_OneFaultsAloneInASharedTransaction(t *testing.T) {
	for name, damage := range map[string]func(*drop.State, *drop.Changes){
		"constraint": func(s *drop.State, _ *drop.Changes) { s.Sizes[0].Stock.Total++ },
		"late constraint, after rows were written": func(_ *drop.State, c *drop.Changes) { c.Ledger[0].Seq = 1 },
		"not as many rows as asked": func(s *drop.State, c *drop.Changes) {
			c.Ended = append(c.Ended, &drop.Reservation{ID: drop.NewReservationID(s.ID, 99), Status: drop.Expired, EndedAt: 1})
		},
		"panic": func(*drop.State, *drop.Changes) { panic("a test's own panic") },
	} {
		t.Run(name, func(t *testing.T) {
			s := openNew(t, Options{})
			var batches []store.Batch
			for i := range 5 {
				id := newDrop(t, s, 10)
				if i == 2 {
					batches = append(batches, batchOf(id, damage))
				} else {
					batches = append(batches, batchOf(id, nil))
				}
			}
			batches = append(batches, batchOf(99, nil))
			errs := together(t, s, batches)
			for i, err := range errs[:5] {
				want := int64(1)
				if i == 2 {
					want = 0
					if err == nil || store.ClassOf(err) != store.ClassFault {
						t.Errorf("the damaged batch: %v, want a fault", err)
					}
				} else if err != nil {
					t.Errorf("batch %d: %v", i, err)
				}
				if got := stockOf(t, s, batches[i].Of()).Held; got != want {
					t.Errorf("drop %d holds %d, want %d", batches[i].Of(), got, want)
				}
			}
			if drop.CodeOf(errs[5]) != drop.CodeDropNotFound {
				t.Errorf("the batch of no drop: %v", errs[5])
			}
			checkConsistent(t, s)
		})
	}
}

// SQLite ends a transaction by itself if it lacks disk space or memory. Work that already ran fails with it and
// may be retried; work that had not begun continues.
func TestRunBatch_TransactionEndsInTheMiddle(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	var batches []store.Batch
	for range 3 {
		batches = append(batches, batchOf(newDrop(t, s, 10), nil))
	}
	batches[1].(*storetest.Batch).Decider = func(*drop.State, drop.Time) *drop.Changes {
		panic(execute(s.writer.conn, "ROLLBACK"))
	}
	errs := together(t, s, batches)
	if errs[0] == nil || store.ClassOf(errs[0]) != store.ClassRolledBack {
		t.Errorf("the batch before: %v, want rolled back", errs[0])
	}
	if errs[1] == nil || errs[2] != nil {
		t.Errorf("the batch itself: %v; the batch after: %v", errs[1], errs[2])
	}
	for i, want := range []int64{0, 0, 1} {
		if got := stockOf(t, s, batches[i].Of()).Held; got != want {
			t.Errorf("batch %d left %d holds, want %d", i, got, want)
		}
	}
}

// If the clock steps back, a drop's time does not: due holds stay due.
func TestRunBatch_DueByTheDropsTime(t *testing.T) {
	c := newClock()
	s := openNew(t, Options{Now: c.now})
	id := newDrop(t, s, 1000)
	users := make([]drop.UserID, drop.MaxExpirePerBatch+100)
	for i := range users {
		users[i] = drop.UserID(i + 1)
	}
	reserve(t, s, id, users...)
	c.add(time.Minute)
	for _, held := range []int64{100, 0} {
		if _, err := apply(t, s, id, drop.Expire{}); err != nil {
			t.Fatal(err)
		}
		if got := stockOf(t, s, id).Held; got != held {
			t.Errorf("%d held, want %d", got, held)
		}
		c.add(-time.Minute)
	}
}

// A failed sync may have left the end of a commit in the log. A write must overwrite it before "false" is final.
func TestCommitted_AlwaysWrites(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	id := newDrop(t, s, 10)
	failCommit(t, s, sqlite.ResultIOErr, false)
	if found, err := s.Committed(t.Context(), id, newBatchID(), 0); err == nil || found {
		t.Errorf("Committed: %t, %v, want the error of its commit", found, err)
	}
}

// The disk fills up in the middle of a shared transaction, and SQLite undoes the transaction or just the batch.
// Either way, failed work is not stored, successful work is, and the writer continues.
func TestRunBatch_DiskFull(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	first, second := newDrop(t, s, drop.MaxStock), newDrop(t, s, 10)
	limit := func(pages string) { direct(t, s, "PRAGMA max_page_count = "+pages) }
	limit("1") // SQLite raises this to the current number of pages
	cmds := make([]drop.Command, 2000)
	for i := range cmds {
		cmds[i] = drop.Reserve{User: drop.UserID(i + 1), Hold: time.Minute}
	}
	batch := newBatchID()
	big := &storetest.Batch{Drop: first, Need: drop.NeedOf(cmds), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, batch, cmds)
		return changes
	}}
	errs := together(t, s, []store.Batch{big, batchOf(second, nil)})
	if store.ClassOf(errs[0]) != store.ClassExhausted || !strings.Contains(errs[0].Error(), "disk is full") {
		t.Errorf("the batch without room: %v", errs[0])
	}
	if errs[1] != nil {
		t.Errorf("the batch that had room: %v", errs[1])
	}
	limit("1000000")
	if err := s.RunBatch(t.Context(), big); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	if held := stockOf(t, s, first).Held; held != 2000 {
		t.Errorf("%d held, want 2000", held)
	}
	checkConsistent(t, s)
}

// failCommit makes the next COMMIT fail, before or after it takes effect.
func failCommit(t *testing.T, s *Store, code sqlite.ResultCode, after bool) {
	t.Helper()
	err := s.write(t.Context(), "set up", func(*sqlite.Conn) (bool, error) {
		commit := s.writer.commit
		s.writer.commit = func(c *sqlite.Conn) error {
			s.writer.commit = commit
			if after {
				if err := commit(c); err != nil {
					return err
				}
			}
			return code.ToError()
		}
		return false, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRunBatch_FailedCommit(t *testing.T) {
	for _, c := range []struct {
		name  string
		code  sqlite.ResultCode
		after bool
		class store.Class
	}{
		{"busy", sqlite.ResultBusy, false, store.ClassRolledBack},
		{"full", sqlite.ResultFull, false, store.ClassExhausted},
		{"not written", sqlite.ResultIOErrFsync, false, store.ClassUnknown},
		{"written", sqlite.ResultIOErrFsync, true, store.ClassUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
			id := newDrop(t, s, 10)
			var batch drop.BatchID
			var seq drop.Seq
			b := batchOf(id, func(s *drop.State, changes *drop.Changes) {
				batch, seq = s.Batch, changes.Ledger[0].Seq-1
			})
			failCommit(t, s, c.code, c.after)
			if err := s.RunBatch(t.Context(), b); store.ClassOf(err) != c.class || err == nil {
				t.Fatalf("RunBatch: %v, class %s, want %s", err, store.ClassOf(err), c.class)
			}
			found, err := s.Committed(t.Context(), id, batch, seq)
			if err != nil || found != c.after {
				t.Errorf("Committed: %t, %v, want %t", found, err, c.after)
			}
			if held := stockOf(t, s, id).Held; (held == 1) != c.after {
				t.Errorf("%d held", held)
			}
			reserve(t, s, id, 2) // the writer continues
			checkConsistent(t, s)
		})
	}
}

// A piece of work that only read fails with a COMMIT whose outcome is unknown, and may be retried: what it read may
// not be stored.
func TestRunBatch_ReaderInAFailedCommit(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	id := newDrop(t, s, 1)
	soldOut := &storetest.Batch{Drop: id, Decider: func(*drop.State, drop.Time) *drop.Changes { return nil }}
	failCommit(t, s, sqlite.ResultIOErr, false)
	errs := together(t, s, []store.Batch{batchOf(id, nil), soldOut, batchOf(99, nil)})
	for i, want := range []store.Class{store.ClassUnknown, store.ClassRolledBack, store.ClassRolledBack} {
		if errs[i] == nil || store.ClassOf(errs[i]) != want {
			t.Errorf("batch %d: %v, want class %s", i, errs[i], want)
		}
	}
}

func TestActions_AreNeverChanged(t *testing.T) {
	s := openNew(t, Options{})
	id, err := s.Record(t.Context(), operator.Action{Call: "pause"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Conclude(t.Context(), id, "ok"); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"UPDATE actions SET name = 'nobody'", "DELETE FROM actions", "UPDATE outcomes SET outcome = 'paused'", "DELETE FROM outcomes",
		"REPLACE INTO outcomes (action_id, outcome) VALUES (1, 'paused')", "REPLACE INTO actions SELECT * FROM actions",
	} {
		err := s.write(t.Context(), "test", func(conn *sqlite.Conn) (bool, error) { return true, sqlitex.ExecuteTransient(conn, query, nil) })
		if err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", query, err)
		}
	}
	log, err := s.Actions(t.Context(), 0, 10)
	if err != nil || len(log) != 1 || log[0].Outcome != "ok" {
		t.Errorf("the log is %+v, %v", log, err)
	}
}
