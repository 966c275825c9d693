package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// maxLooks limits how often EnsureSubjects looks: again after it has written, and once more if another replica did
// the same.
const maxLooks = 4

var errSubjectsVanish = errors.New("users of subjects disappear right after they are made")

// EnsureSubjects implements store.Store. It takes two statements for any number of subjects, however many are new.
func (s *Store) EnsureSubjects(ctx context.Context, subjects []drop.Subject) ([]drop.User, error) {
	const op = "find users by their subjects"
	if len(subjects) == 0 {
		return nil, nil
	}
	wanted := newSighting(subjects)
	for range maxLooks {
		if err := wanted.look(ctx, s); err != nil {
			return nil, s.fail(op, err)
		}
		out := wanted.unsettled()
		if out.Len() == 0 {
			return wanted.users, nil
		}
		// If something is lost on the way, the next look finds or makes it. So no outcome is unknown here, not even
		// one with a warning: whatever depends on these users is committed after them.
		if err := s.pool.SendBatch(ctx, out).Close(); err != nil {
			class := classifyCommit(err, false)
			if class == store.ClassUnknown {
				class = store.ClassUnavailable
			}
			return nil, s.failAs(op, class, err)
		}
	}
	return nil, s.failAs(op, store.ClassRolledBack, errSubjectsVanish)
}

// sighting is the subjects of one call and what is known about them.
type sighting struct {
	subjects []drop.Subject
	users    []drop.User
	// first has the index of each subject's first mention.
	first            map[drop.SubjectKey]int
	issuers, sublist []string
}

func newSighting(subjects []drop.Subject) *sighting {
	w := &sighting{
		subjects: subjects, users: make([]drop.User, len(subjects)), first: make(map[drop.SubjectKey]int, len(subjects)),
		issuers: make([]string, len(subjects)), sublist: make([]string, len(subjects)),
	}
	for i := range subjects {
		w.issuers[i], w.sublist[i] = subjects[i].Issuer, subjects[i].Subject
		if _, seen := w.first[subjects[i].Key()]; !seen {
			w.first[subjects[i].Key()] = i
		}
	}
	return w
}

func (w *sighting) look(ctx context.Context, s *Store) error {
	rows, err := s.pool.Query(ctx, ensureSubjects, w.issuers, w.sublist)
	if err != nil {
		return err
	}
	var (
		place int64
		u     drop.User
	)
	_, err = pgx.ForEachRow(rows, []any{&place, &u.ID, &u.Username, &u.Email, &u.PublicName}, func() error {
		if place < 1 || place > int64(len(w.users)) {
			return fmt.Errorf("row %d of %d", place, len(w.users))
		}
		w.users[place-1] = u
		return nil
	})
	return err
}

// unsettled queues statements that make the missing users and update the names of the others.
func (w *sighting) unsettled() *pgx.Batch {
	var (
		out                                        pgx.Batch
		issuers, subjects                          []string
		names, emails, publics                     []string
		ids                                        []int64
		renamedNames, renamedEmails, renamedPublic []string
	)
	for _, i := range w.first {
		s, u := &w.subjects[i], &w.users[i]
		email := drop.NormalEmail(s.Email)
		switch {
		case u.ID == 0:
			issuers, subjects = append(issuers, s.Issuer), append(subjects, s.Subject)
			names, emails, publics = append(names, s.Username), append(emails, email), append(publics, s.PublicName)
		case u.Username != s.Username || u.Email != email || u.PublicName != s.PublicName:
			ids = append(ids, int64(u.ID))
			renamedNames, renamedEmails = append(renamedNames, s.Username), append(renamedEmails, email)
			renamedPublic = append(renamedPublic, s.PublicName)
		}
	}
	if len(issuers) > 0 {
		out.Queue(ensureSubjectsInsert, issuers, subjects, names, emails, publics)
	}
	if len(ids) > 0 {
		out.Queue(ensureSubjectsUpdate, ids, renamedNames, renamedEmails, renamedPublic)
	}
	return &out
}
