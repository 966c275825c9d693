package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// keysConstraint is what refuses a key that is used.
const keysConstraint = "idempotency_keys_pkey"

// noDrop is the scope of keys of calls that have no drop.
const noDrop = int64(0)

// Forget implements store.Store. It crosses drops. Batches insert keys and never change or lock one, so that it waits
// for none of them; one whose key it is deleting waits for it.
func (s *Store) Forget(ctx context.Context, before drop.Time, limit int) (int, error) {
	tag, err := s.pool.Exec(ctx, forgetKeys, int64(before), int64(max(limit, 0)))
	if err != nil {
		return 0, s.fail("forget old keys", err)
	}
	return int(tag.RowsAffected()), nil
}

// queueKeys queues the look-up of what is kept under keys.
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
		copy(k.Key.Body[:], body) // the table's CHECK keeps its length
		use(k)
		return nil
	})
	return err
}

// claim is the key of a call without a drop, within the transaction of that call.
type claim struct {
	key  drop.Key
	ours bool       // this is the first call
	kept *drop.Kept // what the first call kept
}

// queue queues the claim, which waits for a twin that has claimed the key, and then the look-up of what the twin
// kept: a later statement, so that it sees what was committed in that time.
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

// replay answers a call whose key is not ours, once what is kept is sure to stay, and ends the transaction.
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

// queueAnswer queues what is to be kept under a key that is ours.
func (c *claim) queueAnswer(out *pgx.Batch, r drop.Result) {
	out.Queue(claimAnswer, noDrop, c.key.Caller, c.key.Operation, c.key.Value, r.Encode())
}
