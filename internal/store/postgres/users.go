package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// querier is a connection, or the pool where any connection will do.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Once implements records.Engine.
func (e engine) Once(ctx context.Context, op string, key drop.Key, f func(records.Buyers) (drop.Result, error)) (answer drop.Result, err error) {
	if !key.Given() {
		return f(buyers{ctx: ctx, store: e.Store, on: e.pool, alone: true})
	}
	pooled, err := e.pool.Acquire(ctx)
	if err != nil {
		return drop.Result{}, e.fail(op, err)
	}
	defer pooled.Release()
	conn := pooled.Conn()
	c := claim{key: key}
	var in, out pgx.Batch
	e.queueBegin(&in)
	in.Queue(ensureUserLock)
	c.queue(&in)
	if err := conn.SendBatch(ctx, &in).Close(); err != nil {
		rollback(ctx, conn)
		e.endSilent(ctx, conn, err)
		return drop.Result{}, e.fail(op, err)
	}
	if !c.ours {
		return c.replay(ctx, e.Store, conn, op)
	}
	if answer, err = f(buyers{ctx: ctx, store: e.Store, on: conn}); err != nil {
		rollback(ctx, conn)
		return drop.Result{}, err
	}
	c.queueAnswer(&out, answer)
	return answer, e.commit(ctx, conn, &out, op)
}

// buyers finds and adds buyers on a connection in its transaction, or on the pool with each statement as a
// transaction.
type buyers struct {
	ctx   context.Context //nolint:containedctx // of one call
	store *Store
	on    querier
	alone bool
}

// FindBuyer implements records.Buyers.
func (b buyers) FindBuyer(called string, byEmail bool) (u drop.User, err error) {
	find := ensureUserByName
	if byEmail {
		find = ensureUserByEmail
	}
	err = b.on.QueryRow(b.ctx, find, called).Scan(&u.ID, &u.Username, &u.Email, &u.PublicName)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return drop.User{}, b.store.fail("find a buyer", err)
	}
	return u, nil
}

// AddBuyer implements records.Buyers.
func (b buyers) AddBuyer(u *drop.User) (added bool, err error) {
	const op = "make a buyer"
	insert := func(q querier) error { return q.QueryRow(b.ctx, ensureUserInsert, u.Username, u.Email).Scan(&u.ID) }
	if b.alone {
		err = b.store.writeOne(b.ctx, op, insert)
	} else if err = insert(b.on); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		err = b.store.fail(op, err)
	}
	if errors.Is(err, pgx.ErrNoRows) { // ON CONFLICT
		return false, nil
	}
	return err == nil, err
}

// Reservations implements store.Store. It probes one index per drop; a buyer has few rows in each.
func (s *Store) Reservations(ctx context.Context, user drop.UserID, limit int) ([]drop.Reservation, error) {
	var (
		list []drop.Reservation
		r    drop.Reservation
		now  drop.Time
	)
	rows, err := s.pool.Query(ctx, reservationsReservations, int64(user), int64(max(limit, 0)))
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{
			&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt, &r.Payment, &r.Claim, &r.Offer, &r.Pass, &now,
		}, func() error {
			list = append(list, r.At(now))
			return nil
		})
	}
	if err != nil {
		return nil, s.fail(fmt.Sprintf("read the reservations of user %d", user), err)
	}
	return list, nil
}
