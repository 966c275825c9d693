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
	err = s.write(ctx, "create a drop", func(conn *sqlite.Conn) (bool, error) {
		made, replayed, err = s.createDrop(conn, &spec, batch, key)
		return !replayed, err
	})
	if err != nil {
		return store.Snapshot{}, false, err
	}
	return made, replayed, nil
}

func (s *Store) createDrop(
	conn *sqlite.Conn, spec *drop.Spec, batch drop.BatchID, key drop.Key,
) (made store.Snapshot, replayed bool, err error) {
	now := s.now()
	switch first, err := replay(conn, key); {
	case err != nil:
		return store.Snapshot{}, false, err
	case first.Replayed && first.Drop == nil:
		return store.Snapshot{}, false, drop.Refuse(drop.CodeDamaged)
	case first.Replayed:
		return store.Snapshot{Drop: *first.Drop, Now: now}, true, nil
	}
	next, err := integer(conn, sqlCreateDropNext)
	if err != nil {
		return store.Snapshot{}, false, err
	}
	if drop.ID(next) > drop.MaxID {
		return store.Snapshot{}, false, drop.Refuse(drop.CodeExhausted)
	}
	state, changes := spec.Create(drop.ID(next), now, batch)
	if err := insertDrop(conn, state, changes); err != nil {
		return store.Snapshot{}, false, err
	}
	err = keepAnswer(conn, key, drop.Result{Drop: &state.Drop}, now)
	return store.Snapshot{Drop: state.Drop, Now: now}, false, err
}

// insertDrop writes a drop that is not there yet, with all of its rows.
func insertDrop(conn *sqlite.Conn, s *drop.State, c *drop.Changes) error {
	row := store.Row{Drop: s.ID, Value: s}
	err := records.Parts(row, func(t *records.Table, of drop.ID, row any) error { return insert(conn, t, of, row) })
	if err != nil {
		return err
	}
	return insertRows(conn, s.ID, c)
}
