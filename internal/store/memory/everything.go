package memory

import (
	"context"

	"sneakerdrop/internal/store"
)

var _ store.Exporter = (*Store)(nil)

// Export implements store.Exporter. It copies the rows first, so that each may take its time. When a user was made is
// not kept here.
func (s *Store) Export(ctx context.Context, each func(store.Row) error) error {
	if err := s.begin(ctx, "read everything"); err != nil {
		return err
	}
	all := s.everything()
	s.calls.Done()
	for _, row := range all {
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) everything() (all []store.Row) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	users := make(map[int64]store.User, len(s.users.byID))
	for id, u := range s.users.byID {
		users[int64(id)] = store.User{User: u}
	}
	for key, id := range s.users.subject {
		u := users[int64(id)]
		u.Issuer, u.Subject = key.Issuer, key.Subject
		users[int64(id)] = u
	}
	for _, u := range ascending(users) {
		all = append(all, store.Row{Value: u})
	}
	tokens := make(map[int64]store.Token, len(s.operators.byHash))
	for hash, id := range s.operators.byHash {
		tokens[int64(id)] = store.Token{Token: s.operators.tokens[id-1], Hash: hash}
	}
	for _, t := range ascending(tokens) {
		all = append(all, store.Row{Value: t})
	}
	for _, a := range s.operators.actions {
		all = append(all, store.Row{Value: a})
	}
	kept := make(map[int64][]store.Row)
	for in, k := range s.keys {
		kept[int64(in.drop)] = append(kept[int64(in.drop)], store.Row{Drop: in.drop, Value: k})
	}
	all = append(all, kept[int64(noDrop)]...)
	for _, id := range s.order {
		rows := s.drops[id].rows()
		all = append(all, store.Row{Drop: id, Value: rows.Head})
		for _, e := range rows.Ledger {
			all = append(all, store.Row{Drop: id, Value: e})
		}
		for _, r := range rows.Reservations {
			all = append(all, store.Row{Drop: id, Value: r})
		}
		for _, p := range rows.Purchases {
			all = append(all, store.Row{Drop: id, Value: p})
		}
		all = append(all, kept[int64(id)]...)
	}
	return all
}
