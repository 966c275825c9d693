package sqlite

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
)

func TestWriter_OpensAgainWhatBroke(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	id := newDrop(t, s, 10)
	reopen := s.writer.reopen
	failCommit(t, s, sqlite.ResultIOErr, false)
	err := s.write(t.Context(), "break", func(*sqlite.Conn) (bool, error) {
		s.writer.reopen = func() (*sqlite.Conn, error) { return nil, sqlite.ResultCantOpen.ToError() }
		return true, nil
	})
	if store.ClassOf(err) != store.ClassUnknown {
		t.Fatalf("break: %v", err)
	}
	err = s.RunBatch(t.Context(), batchOf(id, nil))
	if store.ClassOf(err) != store.ClassUnavailable {
		t.Fatalf("RunBatch without a file: %v, want unavailable", err)
	}
	s.writer.reopen = reopen // the answer above orders this after the writer's use of it
	reserve(t, s, id, 1)
}

func TestRunBatch_QueuedIsWithdrawnWithItsContext(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 10)
	free := occupy(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() { answer <- s.RunBatch(ctx, batchOf(id, nil)) }()
	waitQueued(t, s, 1)
	cancel()
	if err := <-answer; store.ClassOf(err) != store.ClassUnavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("withdrawn: %v, want unavailable", err)
	}
	free()
	if held := stockOf(t, s, id).Held; held != 0 {
		t.Errorf("%d held after the batch was withdrawn", held)
	}
}

func TestRunBatch_BegunIsFinishedWithoutItsContext(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 10)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.RunBatch(ctx, batchOf(id, func(*drop.State, *drop.Changes) { cancel() }))
	if err != nil {
		t.Errorf("begun: %v", err)
	}
	if held := stockOf(t, s, id).Held; held != 1 {
		t.Errorf("%d held, want 1", held)
	}
}

func TestRunBatch_NothingWrittenIsNotCommitted(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 10)
	failCommit(t, s, sqlite.ResultIOErr, false) // a COMMIT would now be noticed
	if _, err := apply(t, s, id, drop.Expire{}); err != nil {
		t.Error(err)
	}
}

func TestClose_FinishesWhatWasAccepted(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 10_000)
	free := occupy(t, s)
	const batches = 100
	errs := make(chan error, batches)
	for range batches {
		go func() { errs <- s.RunBatch(context.Background(), batchOf(id, nil)) }()
	}
	waitQueued(t, s, batches)
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	waitClosing(t, s)
	if err := s.RunBatch(t.Context(), batchOf(id, nil)); store.ClassOf(err) != store.ClassUnavailable || !errors.Is(err, errClosed) {
		t.Errorf("RunBatch after Close: %v", err)
	}
	free()
	for range batches {
		if err := <-errs; err != nil {
			t.Errorf("accepted before Close: %v", err)
		}
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	again := openAt(t, s.path, Options{})
	if held := stockOf(t, again, id).Held; held != batches {
		t.Errorf("%d held, want %d", held, batches)
	}
}

// waitClosing waits until Close has begun.
func waitClosing(t *testing.T, s *Store) {
	t.Helper()
	for deadline := time.Now().Add(await.Patience); s.Ready(t.Context()) == nil; {
		if time.Now().After(deadline) {
			t.Fatal("Close has not begun")
		}
	}
}

func TestClose_WaitsForReads(t *testing.T) {
	s := openNew(t, Options{})
	id := newDrop(t, s, 10)
	closed := make(chan error, 1)
	err := s.read(t.Context(), "read", func(conn *sqlite.Conn) error {
		go func() { closed <- s.Close() }()
		waitClosing(t, s)
		select {
		case err := <-closed:
			t.Fatalf("Close did not wait: %v", err)
		case <-time.After(50 * time.Millisecond): // long enough for a Close that does not wait to interrupt us
		}
		_, err := loadDrop(conn, id)
		return err
	})
	if err != nil {
		t.Errorf("a read that began before Close: %v", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
