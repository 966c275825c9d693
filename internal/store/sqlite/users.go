package sqlite

import (
	"context"
	"errors"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// errNeedsWriter: work that began on a snapshot turned out to need a write.
var errNeedsWriter = errors.New("this takes a write")

// Once implements records.Engine. In the common case nothing has to be written, and the writer is not needed.
func (e engine) Once(ctx context.Context, op string, key drop.Key, f func(records.Buyers) (drop.Result, error)) (answer drop.Result, err error) {
	err = e.read(ctx, op, func(conn *sqlite.Conn) (err error) {
		if answer, err = replay(conn, key); err != nil || answer.Replayed {
			return err
		}
		if key.Given() {
			return errNeedsWriter
		}
		answer, err = f(&buyers{conn: conn})
		return err
	})
	if !errors.Is(err, errNeedsWriter) {
		return answer, err
	}
	err = e.write(ctx, op, func(conn *sqlite.Conn) (wrote bool, err error) {
		if answer, err = replay(conn, key); err != nil || answer.Replayed {
			return false, err
		}
		b := &buyers{conn: conn, now: e.now}
		if answer, err = f(b); err != nil {
			return false, err
		}
		return b.wrote || key.Given(), keepAnswer(conn, key, answer, e.now())
	})
	return answer, err
}

// buyers finds buyers and, in the writer, adds them.
type buyers struct {
	conn  *sqlite.Conn
	now   func() drop.Time // nil when it reads a snapshot
	wrote bool
}

// FindBuyer implements records.Buyers.
func (b *buyers) FindBuyer(called string, byEmail bool) (drop.User, error) {
	query := sqlEnsureUserByName
	if byEmail {
		query = sqlEnsureUserByEmail
	}
	st, err := b.conn.Prepare(query)
	if err != nil {
		return drop.User{}, err
	}
	st.BindText(1, called)
	return oneUser(st)
}

// AddBuyer implements records.Buyers.
func (b *buyers) AddBuyer(u *drop.User) (added bool, err error) {
	if b.now == nil {
		return false, errNeedsWriter
	}
	id, err := integer(b.conn, sqlEnsureUserNext, int64(drop.FirstAllocatedUser))
	if err != nil {
		return false, err
	}
	u.ID, b.wrote = drop.UserID(id), true
	return true, insert(b.conn, records.Users, noDrop, &store.User{User: *u, CreatedAt: b.now()})
}

// oneUser reads the columns id, username, email, public_name of one row. ID 0 means that there is none.
func oneUser(st *sqlite.Stmt) (user drop.User, err error) {
	err = rows(st, func() {
		user = drop.User{ID: drop.UserID(st.ColumnInt64(0)), Username: st.ColumnText(1), Email: st.ColumnText(2), PublicName: st.ColumnText(3)}
	})
	return user, err
}
