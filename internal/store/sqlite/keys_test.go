package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
)

func createKey(value string) drop.Key { return drop.NewKey("", "create", value, "a drop") }

func oneUnit() drop.Spec {
	stock := int64(1)
	return drop.Spec{Name: "Air One", Price: 12_000, TotalStock: &stock}
}

// createTwins makes n calls with one key in a shared transaction.
func createTwins(t *testing.T, s *Store, n int) (ids map[drop.ID]bool, made int, failed []error) {
	t.Helper()
	free := occupy(t, s)
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids = make(map[drop.ID]bool)
	for range n {
		wg.Go(func() {
			snapshot, replayed, err := s.CreateDrop(t.Context(), oneUnit(), newBatchID(), createKey("k"))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = append(failed, err)
				return
			}
			ids[snapshot.Drop.ID] = true
			if !replayed {
				made++
			}
		})
	}
	waitQueued(t, s, n)
	free()
	wg.Wait()
	return ids, made, failed
}

func TestCreateDrop_TwinsInOneTransaction(t *testing.T) {
	s := openNew(t, Options{})
	ids, made, failed := createTwins(t, s, 50)
	if len(ids) != 1 || made != 1 || failed != nil {
		t.Errorf("drops %v, %d made, errors %v; want one drop", ids, made, failed)
	}
}

// A replay depends on what its twin wrote before it. If that is not committed, the replay must not be answered.
func TestCreateDrop_TwinsFallWithTheirTransaction(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	free := occupy(t, s)
	commit := s.writer.commit
	s.writer.commit = func(*sqlite.Conn) error { return sqlite.ResultFull.ToError() }
	free()
	if ids, _, failed := createTwins(t, s, 50); len(failed) != 50 {
		t.Errorf("answered with drops %v that are not there", ids)
	}
	_ = s.write(t.Context(), "restore", func(*sqlite.Conn) (bool, error) {
		s.writer.commit = commit
		return false, nil
	})
	if ids, made, failed := createTwins(t, s, 3); len(ids) != 1 || made != 1 || failed != nil {
		t.Errorf("afterwards: drops %v, %d made, errors %v", ids, made, failed)
	}
}

func TestKeys_OutliveTheServer(t *testing.T) {
	s := openNew(t, Options{})
	first, _, err := s.CreateDrop(t.Context(), oneUnit(), newBatchID(), createKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	id := first.Drop.ID
	reserve := drop.Reserve{User: 1, Hold: time.Minute}
	cmd := drop.Keyed{Key: drop.NewKey("", "reserve", "k", drop.Asked(fmt.Sprint(reserve))), Command: reserve}
	before, err := apply(t, s, id, cmd)
	if err != nil || before[0].Err != nil {
		t.Fatalf("%v, %v", err, before)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, s.path, Options{})
	again, replayed, err := s.CreateDrop(t.Context(), oneUnit(), newBatchID(), createKey("k"))
	if err != nil || !replayed || fmt.Sprint(again.Drop) != fmt.Sprint(first.Drop) {
		t.Errorf("the drop again: %+v, %t, %v\nwant %+v", again.Drop, replayed, err, first.Drop)
	}
	after, err := apply(t, s, id, cmd, cmd)
	if err != nil || after[0].Reservation != before[0].Reservation || after[1].Reservation != before[0].Reservation {
		t.Errorf("the reservation again: %+v, %v\nwant %+v", after, err, before)
	}
	if held := stockOf(t, s, id).Held; held != 1 {
		t.Errorf("%d held, want 1", held)
	}
}

func TestKeys_DamagedAnswerIsSaidToBe(t *testing.T) {
	s := openNew(t, Options{})
	if _, _, err := s.CreateDrop(t.Context(), oneUnit(), newBatchID(), createKey("k")); err != nil {
		t.Fatal(err)
	}
	userKey := drop.NewKey("", "user", "k", "a user")
	if _, _, err := s.EnsureUser(t.Context(), "ann", "", userKey); err != nil {
		t.Fatal(err)
	}
	for _, answer := range []string{"{", "{}"} {
		direct(t, s, "UPDATE idempotency_keys SET answer = CAST('"+answer+"' AS BLOB)")
		if _, _, err := s.CreateDrop(t.Context(), oneUnit(), newBatchID(), createKey("k")); drop.CodeOf(err) != drop.CodeDamaged {
			t.Errorf("CreateDrop with the answer %s: %v", answer, err)
		}
		if _, _, err := s.EnsureUser(t.Context(), "ann", "", userKey); drop.CodeOf(err) != drop.CodeDamaged {
			t.Errorf("EnsureUser with the answer %s: %v", answer, err)
		}
	}
}

// Answers that are already known need no writer, which may be busy.
func TestEnsureUser_KnownWithoutTheWriter(t *testing.T) {
	s := openNew(t, Options{})
	key := drop.NewKey("", "user", "k", "ann")
	want, _, err := s.EnsureUser(t.Context(), "ann", "", key)
	if err != nil {
		t.Fatal(err)
	}
	occupy(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience)
	defer cancel()
	for _, k := range []drop.Key{{}, key} {
		if got, _, err := s.EnsureUser(ctx, "ann", "", k); err != nil || got != want {
			t.Errorf("with key %q: %+v, %v", k.Value, got, err)
		}
	}
}

func TestForget_NeedsTheWriter(t *testing.T) {
	s := openNew(t, Options{})
	reader := openAt(t, s.path, Options{ReadOnly: true})
	if _, err := reader.Forget(t.Context(), 1, 1); store.ClassOf(err) != store.ClassFault || !errors.Is(err, errReadOnly) {
		t.Errorf("a reader forgot: %v", err)
	}
}
