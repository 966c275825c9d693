package sqlite

import (
	"context"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
)

// EnsureUser implements store.Store. What takes no write, a buyer who is known or a key that was used, which are the
// common cases, is found without the writer.
func (s *Store) EnsureUser(ctx context.Context, name, email string, key drop.Key) (drop.User, error) {
	var user drop.User
	var known bool
	op := "find a user"
	email = drop.NormalEmail(email)
	err := s.read(ctx, op, func(conn *sqlite.Conn) (err error) {
		user, known, err = knownUser(conn, name, email, key)
		return err
	})
	if err == nil && !known {
		err = s.write(ctx, op, func(conn *sqlite.Conn) (wrote bool, err error) {
			user, wrote, err = s.ensureUser(conn, name, email, key)
			return wrote, err
		})
	}
	if err != nil {
		return drop.User{}, err
	}
	return user, nil
}

// knownUser answers a call that has nothing to write: with a key one that was used, without one a buyer who is there.
func knownUser(conn *sqlite.Conn, name, email string, key drop.Key) (user drop.User, known bool, err error) {
	if key.Given() {
		first, found, err := replay(conn, key)
		if err == nil && found && first.User.ID == 0 {
			err = drop.Refuse(drop.CodeDamaged)
		}
		return first.User, found, err
	}
	user, err = findUser(conn, name, email)
	if drop.CodeOf(err) == drop.CodeUserNotFound {
		return drop.User{}, false, nil
	}
	return user, err == nil, err
}

func (s *Store) ensureUser(conn *sqlite.Conn, name, email string, key drop.Key) (user drop.User, wrote bool, err error) {
	if user, known, err := knownUser(conn, name, email, key); known || err != nil {
		return user, false, err
	}
	user, err = findUser(conn, name, email)
	if drop.CodeOf(err) == drop.CodeUserNotFound {
		user, err = s.addUser(conn, name, email)
	}
	if err != nil {
		return drop.User{}, false, err
	}
	return user, true, keepAnswer(conn, key, drop.Result{User: user}, s.now())
}

func findUser(conn *sqlite.Conn, name, email string) (drop.User, error) {
	query, key := sqlEnsureUserByEmail, email
	if email == "" {
		query, key = sqlEnsureUserByName, name
	}
	st, err := conn.Prepare(query)
	if err != nil {
		return drop.User{}, err
	}
	st.BindText(1, key)
	return oneUser(st)
}

func (s *Store) addUser(conn *sqlite.Conn, name, email string) (drop.User, error) {
	if name == "" {
		name, _, _ = strings.Cut(email, "@")
	}
	id, err := integer(conn, sqlEnsureUserNext, int64(drop.FirstAllocatedUser))
	if err != nil {
		return drop.User{}, err
	}
	user := drop.User{ID: drop.UserID(id), Username: name, Email: email}
	return user, insertUser(conn, user, s.now())
}

// User implements store.Store.
func (s *Store) User(ctx context.Context, id drop.UserID) (drop.User, error) {
	var user drop.User
	err := s.read(ctx, fmt.Sprintf("load user %d", id), func(conn *sqlite.Conn) error {
		st, err := prepare(conn, sqlUser, int64(id))
		if err != nil {
			return err
		}
		user, err = oneUser(st)
		return err
	})
	return user, err
}

// oneUser reads the columns id, username, email of one row, or refuses with CodeUserNotFound.
func oneUser(st *sqlite.Stmt) (drop.User, error) {
	var user drop.User
	err := rows(st, func() {
		user = drop.User{ID: drop.UserID(st.ColumnInt64(0)), Username: st.ColumnText(1), Email: st.ColumnText(2)}
	})
	if err == nil && user.ID == 0 {
		err = drop.Refuse(drop.CodeUserNotFound)
	}
	return user, err
}

func insertUser(conn *sqlite.Conn, u drop.User, now drop.Time) error {
	st, err := prepare(conn, sqlInsertUser, int64(u.ID))
	if err != nil {
		return err
	}
	st.BindText(2, u.Username)
	st.BindText(3, drop.NormalEmail(u.Email))
	st.BindInt64(4, int64(now))
	return run(st)
}
