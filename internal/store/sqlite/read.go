package sqlite

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// Drop implements store.Store.
func (s *Store) Drop(ctx context.Context, id drop.ID) (store.Snapshot, error) {
	var snapshot store.Snapshot
	err := s.read(ctx, fmt.Sprintf("load drop %d", id), func(conn *sqlite.Conn) (err error) {
		snapshot, err = s.snapshot(conn, id)
		return err
	})
	return snapshot, err
}

// Drops implements store.Store.
func (s *Store) Drops(ctx context.Context) ([]store.Snapshot, error) {
	var all []store.Snapshot
	err := s.read(ctx, "load all drops", func(conn *sqlite.Conn) error {
		st, err := conn.Prepare(sqlDrops)
		if err != nil {
			return err
		}
		var ids []drop.ID
		if err := rows(st, func() { ids = append(ids, drop.ID(st.ColumnInt64(0))) }); err != nil {
			return err
		}
		all = make([]store.Snapshot, len(ids))
		for i, id := range ids {
			if all[i], err = s.snapshot(conn, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Pulse implements store.Store.
func (s *Store) Pulse(ctx context.Context) (store.Pulse, error) {
	var pulse store.Pulse
	err := s.read(ctx, "load the pulse", func(conn *sqlite.Conn) error {
		st, err := conn.Prepare(sqlPulse)
		if err != nil {
			return err
		}
		pulse.Now = s.now()
		return rows(st, func() {
			pulse.Drops = append(pulse.Drops, store.DropPulse{
				ID: drop.ID(st.ColumnInt64(0)), Version: st.ColumnInt64(1), Deadline: drop.Time(st.ColumnInt64(2)),
			})
		})
	})
	return pulse, err
}

// Reservations implements store.Store.
func (s *Store) Reservations(ctx context.Context, user drop.UserID, limit int) ([]drop.Reservation, error) {
	var found []drop.Reservation
	err := s.read(ctx, fmt.Sprintf("load the reservations of user %d", user), func(conn *sqlite.Conn) error {
		st, err := prepare(conn, sqlReservations, int64(user), int64(max(limit, 0)))
		if err != nil {
			return err
		}
		now := s.now()
		return rows(st, func() {
			found = append(found, scanReservation(st).At(now))
		})
	})
	return found, err
}

// Ready implements store.Store.
func (s *Store) Ready(ctx context.Context) error {
	return s.read(ctx, "check the schema", func(conn *sqlite.Conn) error {
		if err := checkVersion(conn); err != nil {
			return err
		}
		_, err := integer(conn, sqlReady)
		return err
	})
}

// Server implements store.Store.
func (s *Store) Server(context.Context) (engine, version string, err error) {
	return "SQLite", sqlite.Version, nil
}

// snapshot reads a drop and the other data that a view shows.
func (s *Store) snapshot(conn *sqlite.Conn, id drop.ID) (store.Snapshot, error) {
	state, err := loadDrop(conn, id)
	if err != nil {
		return store.Snapshot{}, err
	}
	snapshot := store.Snapshot{Drop: state.Drop, Purchased: state.Purchased, Now: s.now()}
	if state.Purchased > 0 {
		if snapshot.Recent, err = loadRecent(conn, id); err != nil {
			return store.Snapshot{}, err
		}
	}
	st, err := prepare(conn, sqlDropDeadline, int64(id))
	if err != nil {
		return store.Snapshot{}, err
	}
	err = rows(st, func() { snapshot.Deadline = drop.Time(st.ColumnInt64(0)) })
	return snapshot, err
}

// loadDrop reads a drop's row and sizes. It refuses with CodeDropNotFound.
func loadDrop(conn *sqlite.Conn, id drop.ID) (*drop.State, error) {
	st, err := prepare(conn, sqlDrop, int64(id))
	if err != nil {
		return nil, err
	}
	var state *drop.State
	if err := rows(st, func() {
		state = new(drop.State)
		scan(st, records.Drops.Columns, state)
	}); err != nil {
		return nil, err
	}
	if state == nil {
		return nil, drop.Refuse(drop.CodeDropNotFound)
	}
	sizes, err := prepare(conn, sqlDropSizes, int64(id))
	if err != nil {
		return nil, err
	}
	err = rows(sizes, func() {
		state.Sizes = append(state.Sizes, drop.Size{Label: sizes.ColumnText(0), Stock: drop.Stock{
			Total: sizes.ColumnInt64(1), Available: sizes.ColumnInt64(2), Held: sizes.ColumnInt64(3), Sold: sizes.ColumnInt64(4),
		}, Waiting: sizes.ColumnInt64(5), Pending: sizes.ColumnInt64(6)})
	})
	if err == nil && len(state.Sizes) == 0 {
		err = fmt.Errorf("drop %d has no sizes: its rows are damaged", id)
	}
	return state, err
}

func loadRecent(conn *sqlite.Conn, id drop.ID) ([]drop.Recent, error) {
	st, err := prepare(conn, sqlDropRecent, int64(id), drop.RecentLimit)
	if err != nil {
		return nil, err
	}
	var recent []drop.Recent
	err = rows(st, func() {
		recent = append(recent, drop.Recent{
			ID: drop.PurchaseID(st.ColumnInt64(0)), Username: username(st, 1), PublicName: st.ColumnText(3), CreatedAt: drop.Time(st.ColumnInt64(2)),
		})
	})
	return recent, err
}

// rows steps through the rows that a statement returns.
func rows(st *sqlite.Stmt, row func()) error {
	for {
		more, err := st.Step()
		if err != nil {
			return err
		}
		if !more {
			return st.Reset()
		}
		row()
	}
}

// scanReservation reads the columns id, user_id, size, status, created_at, expires_at, ended_at, payment, claim.
func scanReservation(st *sqlite.Stmt) drop.Reservation {
	return drop.Reservation{
		ID: drop.ReservationID(st.ColumnInt64(0)), UserID: drop.UserID(st.ColumnInt64(1)), Size: st.ColumnText(2),
		Status: drop.Status(st.ColumnInt64(3)), CreatedAt: drop.Time(st.ColumnInt64(4)),
		ExpiresAt: drop.Time(st.ColumnInt64(5)), EndedAt: drop.Time(st.ColumnInt64(6)),
		Payment: drop.PaymentID(st.ColumnInt64(7)), Claim: drop.ReservationID(st.ColumnInt64(8)), Offer: st.ColumnInt64(9) != 0,
		Pass: drop.PassID(st.ColumnInt64(10)),
	}
}

// username reads a name from a LEFT JOIN. It may be missing for the shop's own buyers.
func username(st *sqlite.Stmt, column int) string {
	if st.ColumnIsNull(column) {
		return drop.UnknownUsername
	}
	return st.ColumnText(column)
}
