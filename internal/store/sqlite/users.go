package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
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
	return user, insert(conn, records.Users, noDrop, &store.User{User: user, CreatedAt: s.now()})
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
