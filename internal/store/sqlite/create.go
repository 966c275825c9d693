package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
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
	if first, found, err := replay(conn, key); err != nil {
		return store.Snapshot{}, false, err
	} else if found && first.Drop == nil {
		return store.Snapshot{}, false, drop.Refuse(drop.CodeDamaged)
	} else if found {
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
	st, err := conn.Prepare(sqlCreateDrop)
	if err != nil {
		return err
	}
	bindDrop(st, s)
	st.BindInt64(17, int64(s.CreatedAt))
	if err := run(st); err != nil {
		return err
	}
	for i := range s.Sizes {
		size := &s.Sizes[i]
		n := &size.Stock
		st, err := prepare(conn, sqlCreateDropSize, int64(s.ID), int64(i), n.Total, n.Available, n.Held, n.Sold)
		if err != nil {
			return err
		}
		st.BindText(7, size.Label)
		if err := run(st); err != nil {
			return fmt.Errorf("insert size %q: %w", size.Label, err)
		}
	}
	return insertRows(conn, s.ID, c)
}
