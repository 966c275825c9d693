package sqlite

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// noDrop is the scope of the keys of calls without a drop.
const noDrop drop.ID = 0

// findKept returns the answer kept under a key in a drop's scope.
func findKept(conn *sqlite.Conn, id drop.ID, key drop.Key) (kept drop.Kept, found bool, err error) {
	st, err := prepare(conn, sqlRunBatchKept, int64(id))
	if err != nil {
		return drop.Kept{}, false, err
	}
	bindKey(st, &key)
	err = rows(st, func() {
		found = true
		kept = drop.Kept{Key: key, Answer: make([]byte, st.ColumnLen(1)), At: drop.Time(st.ColumnInt64(2))}
		st.ColumnBytes(0, kept.Key.Body[:])
		st.ColumnBytes(1, kept.Answer)
	})
	return kept, found, err
}

func insertKept(conn *sqlite.Conn, id drop.ID, answers []drop.Kept) error {
	err := change(conn, sqlRunBatchKeep, "answer", len(answers), func(st *sqlite.Stmt, i int) int64 {
		k := &answers[i]
		bind(st, int64(id))
		bindKey(st, &k.Key)
		st.BindBytes(5, k.Key.Body[:])
		st.BindBytes(6, k.Answer)
		st.BindInt64(7, int64(k.At))
		return int64(i)
	})
	if sqlite.ErrCode(err) == sqlite.ResultConstraintPrimaryKey {
		err = errors.Join(store.ErrKeyUsed, err)
	}
	return err
}

func bindKey(st *sqlite.Stmt, key *drop.Key) {
	st.BindText(2, key.Caller)
	st.BindText(3, key.Operation)
	st.BindText(4, key.Value)
}

// replay returns the kept answer to a call without a drop whose key was used before. It refuses if the key was used
// for a different request.
func replay(conn *sqlite.Conn, key drop.Key) (drop.Result, error) {
	if !key.Given() {
		return drop.Result{}, nil
	}
	kept, found, err := findKept(conn, noDrop, key)
	if err != nil || !found {
		return drop.Result{}, err
	}
	first := kept.Replay(key)
	if first.Err != nil {
		return drop.Result{}, first.Err
	}
	return first, nil
}

// keepAnswer keeps the answer to a call without a drop, in the transaction that contains the call's effect.
func keepAnswer(conn *sqlite.Conn, key drop.Key, answer drop.Result, now drop.Time) error {
	if !key.Given() {
		return nil
	}
	return insertKept(conn, noDrop, []drop.Kept{{Key: key, Answer: answer.Encode(), At: now}})
}

// Forget implements store.Store.
func (s *Store) Forget(ctx context.Context, before drop.Time, limit int) (int, error) {
	var count int
	err := s.write(ctx, "forget old keys", func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, sqlForget, int64(before), int64(max(limit, 0)))
		if err != nil {
			return false, err
		}
		if err := run(st); err != nil {
			return false, err
		}
		count = conn.Changes()
		return count > 0, nil
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}
