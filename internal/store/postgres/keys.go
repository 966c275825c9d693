package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// keysConstraint is the constraint that refuses a used key.
const keysConstraint = "idempotency_keys_pkey"

// noDrop is the scope of the keys of calls without a drop.
const noDrop = int64(0)

// Forget implements store.Store. It crosses drops. Batches insert keys but never change or lock one, so Forget never
// waits for a batch. A batch that uses a key while Forget deletes it waits for Forget.
func (s *Store) Forget(ctx context.Context, before drop.Time, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, forgetKeys, int64(before), int64(max(limit, 0)))
	if err != nil {
		return 0, s.fail("forget old keys", err)
	}
	return int(tag.RowsAffected()), nil
}

// queueKeys queues the look-up of the answers kept under keys.
func queueKeys(out *pgx.Batch, id int64, keys []drop.Key) *pgx.QueuedQuery {
	n := len(keys)
	callers, operations, values := make([]string, n), make([]string, n), make([]string, n)
	for i := range keys {
		k := &keys[i]
		callers[i], operations[i], values[i] = k.Caller, k.Operation, k.Value
	}
	return out.Queue(runBatchKept, id, callers, operations, values)
}

func (l *loader) kept(rows pgx.Rows) error {
	return eachKept(rows, l.state.LoadKept)
}

func eachKept(rows pgx.Rows, use func(drop.Kept)) error {
	var (
		k    drop.Kept
		body []byte
	)
	_, err := pgx.ForEachRow(rows, []any{
		&k.Key.Caller, &k.Key.Operation, &k.Key.Value, &body, &k.Answer, &k.At,
	}, func() error {
		copy(k.Key.Body[:], body) // the table's CHECK guarantees the length
		use(k)
		return nil
	})
	return err
}

// claim is the key of a call without a drop, within that call's transaction.
type claim struct {
	key  drop.Key
	ours bool       // this is the first call with the key
	kept *drop.Kept // the first call's answer
}

// queue queues the claim, which waits for a concurrent call with the same key, and then the look-up of that call's
// answer. The look-up is a separate, later statement, so that it sees what was committed in the meantime.
func (c *claim) queue(out *pgx.Batch) {
	k := &c.key
	out.Queue(claimKey, noDrop, k.Caller, k.Operation, k.Value, k.Body[:]).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&c.ours}, func() error { return nil })
		return err
	})
	queueKeys(out, noDrop, []drop.Key{c.key}).Query(func(rows pgx.Rows) error {
		return eachKept(rows, func(k drop.Kept) { c.kept = &k })
	})
}

// replay answers a call whose key another call has claimed, once the kept answer is sure to last. It ends the
// transaction.
func (c *claim) replay(ctx context.Context, s *Store, conn *pgx.Conn, op string) (drop.Result, error) {
	var out pgx.Batch
	out.Queue(claimConfirm)
	switch err := s.commit(ctx, conn, &out, op); {
	case store.ClassOf(err) == store.ClassUnknown && err != nil:
		return drop.Result{}, s.failAs(op, store.ClassUnavailable, err) // this call has done nothing
	case err != nil:
		return drop.Result{}, err
	}
	if c.kept == nil { // forgotten between the claim and the look-up
		return drop.Result{}, s.failAs(op, store.ClassRolledBack, errForgotten)
	}
	r := c.kept.Replay(c.key)
	if r.Err != nil {
		return drop.Result{}, r.Err
	}
	return r, nil
}

// queueAnswer queues the answer to keep under a key that this call has claimed.
func (c *claim) queueAnswer(out *pgx.Batch, r drop.Result) {
	out.Queue(claimAnswer, noDrop, c.key.Caller, c.key.Operation, c.key.Value, r.Encode())
}
