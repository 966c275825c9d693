package sqlite

import (
	"context"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// CreateDrop implements store.Store.
func (s *Store) CreateDrop(
	ctx context.Context, spec drop.Spec, batch drop.BatchID, key drop.Key,
) (made store.Snapshot, replayed bool, err error) {
	err = s.write(ctx, "create a drop", func(conn *sqlite.Conn) (wrote bool, err error) {
		now := s.now()
		first, err := replay(conn, key)
		switch replayed = first.Replayed; {
		case err != nil:
			return false, err
		case replayed && first.Drop == nil:
			return false, drop.Refuse(drop.CodeDamaged)
		case replayed:
			made = store.Snapshot{Drop: *first.Drop, Now: now}
			return false, nil
		}
		next, err := integer(conn, sqlCreateDropNext)
		if err != nil {
			return false, err
		}
		if drop.ID(next) > drop.MaxID {
			return false, drop.Refuse(drop.CodeExhausted)
		}
		state, changes := spec.Create(drop.ID(next), now, batch)
		if err := insertDrop(conn, state, changes); err != nil {
			return false, err
		}
		if spec.Page != nil {
			if err := insert(conn, records.Pages, state.ID, records.PageRow(spec.Page, now)); err != nil {
				return false, err
			}
		}
		if spec.Secrets != nil {
			if err := insert(conn, records.Draws, state.ID, &store.Draw{Secrets: *spec.Secrets, UpdatedAt: now}); err != nil {
				return false, err
			}
		}
		made = store.Snapshot{Drop: state.Drop, Now: now}
		return true, keepAnswer(conn, key, drop.Result{Drop: &state.Drop}, now)
	})
	return made, replayed && err == nil, err
}

// insertDrop writes a new drop and all of its rows.
func insertDrop(conn *sqlite.Conn, s *drop.State, c *drop.Changes) error {
	row := store.Row{Drop: s.ID, Value: s}
	err := records.Parts(row, func(t *records.Table, of drop.ID, row any) error { return insert(conn, t, of, row) })
	if err != nil {
		return err
	}
	return insertRows(conn, s.ID, c)
}
