package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
)

// EnsureSubjects implements store.Store. In the common case all users exist and are up to date, and the writer has
// nothing to do.
func (s *Store) EnsureSubjects(ctx context.Context, subjects []drop.Subject) ([]drop.User, error) {
	const op = "find users by their subjects"
	found := make([]drop.User, len(subjects))
	settled := true
	err := s.read(ctx, op, func(conn *sqlite.Conn) (err error) {
		for i := range subjects {
			if found[i], err = findSubject(conn, &subjects[i]); err != nil {
				return err
			}
			if settled = shows(found[i], &subjects[i]); !settled {
				return nil
			}
		}
		return nil
	})
	if err == nil && !settled {
		err = s.write(ctx, op, func(conn *sqlite.Conn) (bool, error) { return true, s.ensureSubjects(conn, subjects, found) })
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// shows reports whether the user exists and has the subject's names.
func shows(u drop.User, s *drop.Subject) bool {
	return u.ID != 0 && u.Username == s.Username && u.Email == drop.NormalEmail(s.Email) && u.PublicName == s.PublicName
}

func (s *Store) ensureSubjects(conn *sqlite.Conn, subjects []drop.Subject, found []drop.User) error {
	first := make(map[drop.SubjectKey]drop.User)
	for i := range subjects {
		key := subjects[i].Key()
		user, seen := first[key]
		if !seen {
			var err error
			if user, err = s.ensureSubject(conn, &subjects[i]); err != nil {
				return err
			}
			first[key] = user
		}
		found[i] = user
	}
	return nil
}

func (s *Store) ensureSubject(conn *sqlite.Conn, subject *drop.Subject) (drop.User, error) {
	user, err := findSubject(conn, subject)
	if err != nil || shows(user, subject) {
		return user, err
	}
	missing := user.ID == 0
	query := sqlEnsureSubjectUpdate
	if missing {
		query = sqlEnsureSubjectInsert
		next, err := integer(conn, sqlEnsureUserNext, int64(drop.FirstAllocatedUser))
		if err != nil {
			return drop.User{}, err
		}
		user.ID = drop.UserID(next)
	}
	user.Username, user.Email, user.PublicName = subject.Username, drop.NormalEmail(subject.Email), subject.PublicName
	st, err := prepare(conn, query, int64(user.ID))
	if err != nil {
		return drop.User{}, err
	}
	st.BindText(2, user.Username)
	st.BindText(3, user.Email)
	st.BindText(4, user.PublicName)
	if missing {
		st.BindInt64(5, int64(s.now()))
		st.BindText(6, subject.Issuer)
		st.BindText(7, subject.Subject)
	}
	return user, run(st)
}

func findSubject(conn *sqlite.Conn, subject *drop.Subject) (drop.User, error) {
	st, err := conn.Prepare(sqlEnsureSubject)
	if err != nil {
		return drop.User{}, err
	}
	st.BindText(1, subject.Issuer)
	st.BindText(2, subject.Subject)
	return oneUser(st)
}
