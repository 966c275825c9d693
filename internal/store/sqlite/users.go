package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/text"
)

// EnsureUser implements store.Store. What takes no write, a buyer who is known or a key that was used, which are the
// common cases, is found without the writer.
func (s *Store) EnsureUser(ctx context.Context, name, email string, key drop.Key) (user drop.User, replayed bool, err error) {
	var known bool
	op := "find a user"
	who, err := drop.NameBuyer(name, email)
	if err != nil {
		return drop.User{}, false, err
	}
	err = s.read(ctx, op, func(conn *sqlite.Conn) (err error) {
		user, known, err = knownUser(conn, &who, key)
		return err
	})
	if err == nil && !known {
		err = s.write(ctx, op, func(conn *sqlite.Conn) (wrote bool, err error) {
			user, wrote, err = s.ensureUser(conn, &who, key)
			known = !wrote
			return wrote, err
		})
	}
	if err != nil {
		return drop.User{}, false, err
	}
	return user, known && key.Given(), nil
}

// knownUser answers a call that has nothing to write: with a key one that was used, without one a buyer who is there.
func knownUser(conn *sqlite.Conn, who *drop.Named, key drop.Key) (user drop.User, known bool, err error) {
	if key.Given() {
		first, found, err := replay(conn, key)
		if err == nil && found && first.User.ID == 0 {
			err = drop.Refuse(drop.CodeDamaged)
		}
		return first.User, found, err
	}
	user, err = findUser(conn, who)
	if drop.CodeOf(err) == drop.CodeUserNotFound {
		return drop.User{}, false, nil
	}
	return user, err == nil, err
}

func (s *Store) ensureUser(conn *sqlite.Conn, who *drop.Named, key drop.Key) (user drop.User, wrote bool, err error) {
	if user, known, err := knownUser(conn, who, key); known || err != nil {
		return user, false, err
	}
	user, err = findUser(conn, who)
	if drop.CodeOf(err) == drop.CodeUserNotFound {
		user, err = s.addUser(conn, who)
	}
	if err != nil {
		return drop.User{}, false, err
	}
	return user, true, keepAnswer(conn, key, drop.Result{User: user}, s.now())
}

// findUser refuses with CodeUserNotFound.
func findUser(conn *sqlite.Conn, who *drop.Named) (drop.User, error) {
	query := sqlEnsureUserByName
	if who.ByEmail() {
		query = sqlEnsureUserByEmail
	}
	find := func(by string) (drop.User, error) {
		st, err := conn.Prepare(query)
		if err != nil {
			return drop.User{}, err
		}
		st.BindText(1, by)
		return oneUser(st)
	}
	first, second := who.Spellings()
	user, err := find(first)
	if drop.CodeOf(err) == drop.CodeUserNotFound && second != "" {
		return find(second)
	}
	return user, err
}

func (s *Store) addUser(conn *sqlite.Conn, who *drop.Named) (drop.User, error) {
	if who.Refusal != nil {
		return drop.User{}, who.Refusal
	}
	id, err := integer(conn, sqlEnsureUserNext, int64(drop.FirstAllocatedUser))
	if err != nil {
		return drop.User{}, err
	}
	user := drop.User{ID: drop.UserID(id), Username: who.NewUsername(), Email: who.Email}
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

// oneUser reads the columns id, username, email, public_name of one row, or refuses with CodeUserNotFound.
func oneUser(st *sqlite.Stmt) (drop.User, error) {
	var user drop.User
	err := rows(st, func() {
		user = scanUser(st)
	})
	if err == nil && user.ID == 0 {
		err = drop.Refuse(drop.CodeUserNotFound)
	}
	return user, err
}

// scanUser reads the columns id, username, email, public_name.
func scanUser(st *sqlite.Stmt) drop.User {
	return drop.User{ID: drop.UserID(st.ColumnInt64(0)), Username: st.ColumnText(1), Email: st.ColumnText(2), PublicName: st.ColumnText(3)}
}

func insertUser(conn *sqlite.Conn, u drop.User, now drop.Time) error {
	st, err := prepare(conn, sqlInsertUser, int64(u.ID))
	if err != nil {
		return err
	}
	st.BindText(2, u.Username)
	st.BindText(3, text.LowerASCII(u.Email))
	st.BindInt64(4, int64(now))
	st.BindText(5, u.PublicName)
	return run(st)
}
