package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// users are the buyers, found by number, email and name.
type users struct {
	byID    map[drop.UserID]store.User
	byEmail map[string]drop.UserID
	byName  map[string]drop.UserID // the lowest number with that name
	bare    map[string]bool        // names of buyers without an email
	subject map[drop.SubjectKey]drop.UserID
	next    drop.UserID
}

func newUsers() users {
	return users{
		byID:    make(map[drop.UserID]store.User),
		byEmail: make(map[string]drop.UserID),
		byName:  make(map[string]drop.UserID),
		bare:    make(map[string]bool),
		subject: make(map[drop.SubjectKey]drop.UserID),
		next:    drop.FirstAllocatedUser,
	}
}

// called returns the buyer with that number and its name, even if the buyer is not stored.
func (u *users) called(id drop.UserID) drop.User {
	if have, ok := u.byID[id]; ok {
		return have.User
	}
	return drop.User{ID: id, Username: drop.UnknownUsername}
}

// add stores a buyer under its number. It refuses what a database's constraints refuse. Numbers assigned later are
// higher.
func (u *users) add(one store.User) error {
	if one.ID < 1 || one.ID > drop.MaxSafeInteger {
		return errors.New("the number is out of range")
	}
	if _, taken := u.byID[one.ID]; taken {
		return errors.New("the number is taken")
	}
	u.byID[one.ID] = one
	u.next = max(u.next, one.ID+1)
	return u.name(&one)
}

// name makes a buyer findable by name and email, or by subject.
func (u *users) name(one *store.User) error {
	if one.Subject != "" {
		in := drop.SubjectKey{Issuer: one.Issuer, Subject: one.Subject}
		if _, taken := u.subject[in]; taken {
			return errors.New("a user with that subject already exists")
		}
		u.subject[in] = one.ID
		return nil
	}
	if one.Email != "" {
		if _, taken := u.byEmail[one.Email]; taken {
			return errors.New("a user with that email already exists")
		}
		u.byEmail[one.Email] = one.ID
	} else {
		if u.bare[one.Username] {
			return errors.New("a user with that name and no email already exists")
		}
		u.bare[one.Username] = true
	}
	if first, named := u.byName[one.Username]; !named || one.ID < first {
		u.byName[one.Username] = one.ID
	}
	return nil
}

// Once implements records.Engine.
func (e engine) Once(
	ctx context.Context, op string, key drop.Key, f func(records.Buyers) (drop.Result, error),
) (answer drop.Result, err error) {
	err = e.write(ctx, op, func() error {
		if answer, err = e.keys.replay(key); err != nil || answer.Replayed {
			return err
		}
		if answer, err = f(e); err == nil {
			e.keys.keep(key, answer, e.now())
		}
		return err
	})
	return answer, err
}

// FindBuyer implements records.Buyers.
func (e engine) FindBuyer(called string, byEmail bool) (drop.User, error) {
	by := e.users.byName
	if byEmail {
		by = e.users.byEmail
	}
	return e.users.byID[by[called]].User, nil
}

// AddBuyer implements records.Buyers.
func (e engine) AddBuyer(u *drop.User) (added bool, err error) {
	u.ID = e.users.next
	if err := e.users.add(store.User{User: *u, CreatedAt: e.now()}); err != nil {
		return false, &store.Error{Op: "make a buyer", Class: store.ClassFault, Err: err}
	}
	return true, nil
}

// EnsureSubjects implements store.Store.
func (s *Store) EnsureSubjects(ctx context.Context, subjects []drop.Subject) (found []drop.User, err error) {
	err = s.write(ctx, "ensure users of subjects", func() error {
		seen := make(map[drop.SubjectKey]bool)
		for i := range subjects {
			key := subjects[i].Key()
			id, known := s.users.subject[key]
			u := s.users.byID[id]
			if !known {
				u.ID, u.Issuer, u.Subject, u.CreatedAt = s.users.next, key.Issuer, key.Subject, s.now()
				s.users.next++
				s.users.subject[key] = u.ID
			}
			if !seen[key] {
				seen[key] = true
				u.Username, u.Email, u.PublicName = subjects[i].Username, drop.NormalEmail(subjects[i].Email), subjects[i].PublicName
				s.users.byID[u.ID] = u
			}
			found = append(found, u.User)
		}
		return nil
	})
	return found, err
}

// Reservations implements store.Store.
func (s *Store) Reservations(ctx context.Context, user drop.UserID, limit int) (all []drop.Reservation, err error) {
	err = s.read(ctx, fmt.Sprintf("read the reservations of user %d", user), func() error {
		now := s.now()
		for _, id := range s.order {
			r := s.drops[id]
			for _, n := range r.byUser[user] {
				all = append(all, r.reservations[n].At(now))
			}
		}
		return nil
	})
	slices.SortFunc(all, func(a, b drop.Reservation) int {
		return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ID, a.ID))
	})
	return all[:max(0, min(limit, len(all)))], err
}
