package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
)

// querier is a connection, or the pool where it does not matter which.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// EnsureUser implements store.Store.
func (s *Store) EnsureUser(ctx context.Context, username, email string, key drop.Key) (u drop.User, replayed bool, err error) {
	who, err := drop.NameBuyer(username, email)
	if err != nil {
		return drop.User{}, false, err
	}
	if key.Given() {
		return s.ensureOnce(ctx, &who, key)
	}
	u, err = s.ensure(ctx, s.pool, &who, s.insertUser)
	return u, false, err
}

// ensure finds or makes a buyer. A twin that inserts first makes insert fail with pgx.ErrNoRows; then the twin's is found.
func (s *Store) ensure(
	ctx context.Context, q querier, who *drop.Named, insert func(context.Context, *drop.Named) (drop.User, error),
) (drop.User, error) {
	for {
		u, err := s.findUser(ctx, q, who)
		if err == nil || drop.CodeOf(err) != drop.CodeUserNotFound {
			return u, err
		}
		if who.Refusal != nil {
			return drop.User{}, who.Refusal
		}
		u, err = insert(ctx, who)
		if err == nil || !errors.Is(err, pgx.ErrNoRows) {
			return u, err
		}
	}
}

// findUser refuses with CodeUserNotFound.
func (s *Store) findUser(ctx context.Context, q querier, who *drop.Named) (drop.User, error) {
	const op = "find a buyer"
	find := ensureUserByName
	if who.ByEmail() {
		find = ensureUserByEmail
	}
	first, second := who.Spellings()
	u, err := s.user(ctx, q, op, find, first)
	if drop.CodeOf(err) == drop.CodeUserNotFound && second != "" {
		return s.user(ctx, q, op, find, second)
	}
	return u, err
}

// ensureOnce keeps the buyer under the key in the transaction that finds or makes the buyer.
func (s *Store) ensureOnce(ctx context.Context, who *drop.Named, key drop.Key) (u drop.User, replayed bool, err error) {
	const op = "make a buyer"
	pooled, err := s.pool.Acquire(ctx)
	if err != nil {
		return drop.User{}, false, s.fail(op, err)
	}
	defer pooled.Release()
	conn := pooled.Conn()
	c := claim{key: key}
	var in pgx.Batch
	s.queueBegin(&in)
	in.Queue(ensureUserLock)
	c.queue(&in)
	if err := conn.SendBatch(ctx, &in).Close(); err != nil {
		rollback(ctx, conn)
		s.endSilent(ctx, conn, err)
		return drop.User{}, false, s.fail(op, err)
	}
	if !c.ours {
		r, err := c.replay(ctx, s, conn, op)
		return r.User, err == nil, err
	}
	u, err = s.ensure(ctx, conn, who, func(ctx context.Context, who *drop.Named) (drop.User, error) {
		u, err := insertUser(ctx, conn, who)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			err = s.fail(op, err)
		}
		return u, err
	})
	if err != nil {
		rollback(ctx, conn)
		return drop.User{}, false, err
	}
	var out pgx.Batch
	c.queueAnswer(&out, drop.Result{User: u})
	if err := s.commit(ctx, conn, &out, op); err != nil {
		return drop.User{}, false, err
	}
	return u, false, nil
}

func (s *Store) user(ctx context.Context, q querier, op, sql string, key any) (drop.User, error) {
	var u drop.User
	err := q.QueryRow(ctx, sql, key).Scan(&u.ID, &u.Username, &u.Email, &u.PublicName)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return drop.User{}, drop.Refuse(drop.CodeUserNotFound)
	case err != nil:
		return drop.User{}, s.fail(op, err)
	}
	return u, nil
}

// insertUser makes a buyer in a transaction of its own. It returns pgx.ErrNoRows, as it is, where there is one already.
func (s *Store) insertUser(ctx context.Context, who *drop.Named) (u drop.User, err error) {
	err = s.writeOne(ctx, "make a buyer", func(q querier) (err error) {
		u, err = insertUser(ctx, q, who)
		return err
	})
	return u, err
}

func insertUser(ctx context.Context, q querier, who *drop.Named) (drop.User, error) {
	u := drop.User{Username: who.NewUsername(), Email: who.Email}
	err := q.QueryRow(ctx, ensureUserInsert, u.Username, u.Email).Scan(&u.ID)
	return u, err
}

// Reservations implements store.Store. It probes one index per drop: a buyer has few rows in each.
func (s *Store) Reservations(ctx context.Context, user drop.UserID, limit int) ([]drop.Reservation, error) {
	var (
		list []drop.Reservation
		r    drop.Reservation
		now  drop.Time
	)
	rows, err := s.pool.Query(ctx, reservationsReservations, int64(user), int64(max(limit, 0)))
	if err == nil {
		_, err = pgx.ForEachRow(rows, []any{
			&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt, &now,
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
