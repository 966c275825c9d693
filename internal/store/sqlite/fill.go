package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Fill implements store.Store. Numbers given out later follow the highest that is there.
func (s *Store) Fill(ctx context.Context, users []drop.User, drops []store.Filled, replace bool) error {
	return s.write(ctx, "fill the database", func(conn *sqlite.Conn) (bool, error) {
		if replace {
			if err := deleteAll(conn); err != nil {
				return false, err
			}
		} else if empty, err := integer(conn, sqlFillEmpty); err != nil {
			return false, err
		} else if empty == 0 {
			return false, store.ErrNotEmpty
		}
		now := s.now()
		for _, u := range users {
			if err := insertUser(conn, u, now); err != nil {
				return false, fmt.Errorf("user %d: %w", u.ID, err)
			}
		}
		for _, d := range drops {
			if err := insertDrop(conn, d.State, d.Changes); err != nil {
				return false, fmt.Errorf("drop %d: %w", d.State.ID, err)
			}
		}
		return true, nil
	})
}

func deleteAll(conn *sqlite.Conn) error {
	for _, query := range []string{
		sqlFillDeleteUsers, sqlFillDeleteDrops, sqlFillDeleteSizes, sqlFillDeleteReservations, sqlFillDeletePurchases,
		sqlFillDeleteLedger, sqlFillDeleteKeys,
	} {
		if err := execute(conn, query); err != nil {
			return err
		}
	}
	return nil
}
