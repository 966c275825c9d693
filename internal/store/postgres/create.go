package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// CreateDrop implements store.Store. It looks up an unknown outcome of its commit once before it gives up.
func (s *Store) CreateDrop(ctx context.Context, spec drop.Spec, batch drop.BatchID, key drop.Key) (
	snapshot store.Snapshot, replayed bool, err error,
) {
	const op = "create a drop"
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return store.Snapshot{}, false, s.fail(op, err)
	}
	snapshot, replayed, err = s.createDrop(ctx, conn.Conn(), spec, batch, key)
	conn.Release()
	if store.ClassOf(err) == store.ClassUnknown {
		switch found, lookup := s.Committed(ctx, snapshot.Drop.ID, batch, 0); {
		case lookup != nil:
		case found:
			err = nil
		default:
			err = s.failAs(op, store.ClassRolledBack, err)
		}
	}
	if err != nil {
		return store.Snapshot{}, false, err
	}
	return snapshot, replayed, nil
}

// createDrop returns the new drop even if the commit's outcome is unknown.
func (s *Store) createDrop(ctx context.Context, conn *pgx.Conn, spec drop.Spec, batch drop.BatchID, key drop.Key) (
	snapshot store.Snapshot, replayed bool, err error,
) {
	const op = "create a drop"
	defer func() {
		if err != nil {
			rollback(ctx, conn)
			s.endSilent(ctx, conn, err)
		}
	}()
	var in pgx.Batch
	s.queueBegin(&in)
	in.Queue(createDropLock)
	c := claim{key: key}
	if key.Given() {
		c.queue(&in)
		if err := conn.SendBatch(ctx, &in).Close(); err != nil {
			return store.Snapshot{}, false, s.fail(op, err)
		}
		if !c.ours {
			r, err := c.replay(ctx, s, conn, op)
			if err == nil && r.Drop == nil {
				err = drop.Refuse(drop.CodeDamaged)
			}
			if err != nil {
				return store.Snapshot{}, false, err
			}
			return store.Snapshot{Drop: *r.Drop, Recent: r.Recent}, true, nil
		}
		in = pgx.Batch{}
	}
	var id drop.ID
	in.Queue(createDropID).QueryRow(func(row pgx.Row) error { return row.Scan(&id, &snapshot.Now, nil) })
	err = conn.SendBatch(ctx, &in).Close()
	if code(err) == pgerrcode.SequenceGeneratorLimitExceeded || err == nil && id > drop.MaxID {
		return store.Snapshot{}, false, drop.Refuse(drop.CodeExhausted)
	}
	if err != nil {
		return store.Snapshot{}, false, s.fail(op, err)
	}
	state, changes := spec.Create(id, snapshot.Now, batch)
	snapshot.Drop = state.Drop
	var out pgx.Batch
	if err := queueDrop(&out, state, changes); err != nil {
		return store.Snapshot{}, false, s.fail(op, err)
	}
	if spec.Page != nil {
		page := records.Pages.Values(id, records.PageRow(spec.Page, snapshot.Now))
		out.Queue(dialect.Insert(records.Pages), values(page)...)
	}
	if spec.Secrets != nil {
		kept := records.Draws.Values(id, &store.Draw{Secrets: *spec.Secrets, UpdatedAt: snapshot.Now})
		out.Queue(dialect.Insert(records.Draws), values(kept)...)
	}
	if key.Given() {
		c.queueAnswer(&out, drop.Result{Drop: &state.Drop})
	}
	return snapshot, false, s.commit(ctx, conn, &out, fmt.Sprintf("create drop %d", id))
}

// Committed implements store.Store.
func (s *Store) Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error) {
	op := fmt.Sprintf("look up a batch of drop %d", id)
	select {
	case s.lookups <- struct{}{}:
		defer func() { <-s.lookups }()
	case <-ctx.Done():
		return false, s.fail(op, ctx.Err())
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false, s.fail(op, err)
	}
	defer conn.Release()
	found := false
	find := func(rows pgx.Rows) error {
		var here bool
		_, err := pgx.ForEachRow(rows, []any{&here}, func() error {
			found = found || here
			return nil
		})
		return err
	}
	var in pgx.Batch
	s.queueBegin(&in)
	in.Queue(committedCreation, int64(id))
	in.Queue(committedLock, int64(id), uuid(batch)).Query(find)
	in.Queue(committedLedger, int64(id), int64(after), uuid(batch)).Query(find)
	if err := conn.SendBatch(ctx, &in).Close(); err != nil {
		rollback(ctx, conn.Conn())
		s.endSilent(ctx, conn.Conn(), err)
		return false, s.fail(op, err)
	}
	if !found {
		rollback(ctx, conn.Conn())
		return false, nil
	}
	var out pgx.Batch
	out.Queue(committedTouch, int64(id))
	if err := s.commit(ctx, conn.Conn(), &out, op); err != nil {
		return false, err
	}
	return true, nil
}
