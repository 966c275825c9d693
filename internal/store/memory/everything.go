package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"sneakerdrop/internal/drop"
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
	kept := s.keys.byDrop()
	all = append(all, kept[noDrop]...)
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
		all = append(all, kept[id]...)
	}
	return all
}

// byDrop has all that is kept, in the order of the keys.
func (k keys) byDrop() map[drop.ID][]store.Row {
	order := slices.SortedFunc(maps.Keys(k), func(a, b scope) int {
		return cmp.Or(cmp.Compare(a.caller, b.caller), cmp.Compare(a.operation, b.operation), cmp.Compare(a.value, b.value))
	})
	all := make(map[drop.ID][]store.Row)
	for _, in := range order {
		all[in.drop] = append(all[in.drop], store.Row{Drop: in.drop, Value: k[in]})
	}
	return all
}
