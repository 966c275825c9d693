package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// loader fills a state from the answers of one pipeline.
type loader struct {
	state drop.State
	now   drop.Time
	found bool
	// place is where the drop's row lies, and places where its sizes' do, under its lock.
	place  string
	places []string
	// Holds were looked up that end from floor up to the moment to; dues of them were loaded, and rest is the end of the first
	// that was not (0: there is none).
	floor    floor
	to, rest drop.Time
	dues     int
}

// queueLoad queues the first round trip: it begins the transaction, locks the drop and reads what the batch needs.
func (s *Store) queueLoad(b *store.Batch, known floor) (*loader, *pgx.Batch) {
	out := new(pgx.Batch)
	l := &loader{state: drop.State{Drop: drop.Drop{ID: b.Drop}}, floor: known}
	id := int64(b.Drop)
	out.Queue(runBatchBegin)
	if s.pooled {
		out.Queue(runBatchSettings)
	}
	out.Queue(runBatchLock, id).Query(l.locked)
	out.Queue(runBatchClock, id).Query(l.clock)
	out.Queue(runBatchSizes, id).Query(l.lockedSizes)
	out.Queue(runBatchDue, id, int64(known.at)).Query(l.due)
	if ids, owners := reservationsOf(b); len(ids) > 0 {
		out.Queue(runBatchReservations, id, ids, owners).Query(l.reservations)
	}
	if users := distinct(b.Need.Users); len(users) > 0 {
		out.Queue(runBatchUsage, id, users, b.Need.Limits).Query(l.usage)
	}
	if b.Need.Recent {
		out.Queue(runBatchRecent, id).Query(l.recent)
	}
	if b.Need.Deadline {
		out.Queue(runBatchDeadline, id).Query(l.deadline)
	}
	if len(b.Need.Keys) > 0 {
		queueKeys(out, id, b.Need.Keys).Query(l.kept)
	}
	return l, out
}

// state reads the answers of the first round trip.
func (b *begun) state(deadline bool) (*drop.State, drop.Time, error) {
	err := b.results.Close()
	b.end()
	l := b.loader
	switch {
	case err != nil:
		return nil, 0, err
	case !l.found:
		return nil, 0, drop.Refuse(drop.CodeDropNotFound)
	case !deadline:
		l.state.Deadline = 0
	}
	return &l.state, l.now, nil
}

// reservationsOf returns the reservations to load that can be the drop's, with their owners.
func reservationsOf(b *store.Batch) (ids, owners []int64) {
	for _, wanted := range b.Need.DistinctReservations() {
		if wanted.ID.Drop() == b.Drop {
			ids, owners = append(ids, int64(wanted.ID)), append(owners, int64(wanted.Owner))
		}
	}
	return ids, owners
}

// distinct returns the numbers in ascending order, each once.
func distinct[T ~int64](ids []T) []int64 {
	if len(ids) == 0 {
		return nil
	}
	out := make([]int64, len(ids))
	for i, id := range ids {
		out[i] = int64(id)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (l *loader) locked(rows pgx.Rows) error { return l.row(rows, &l.place) }

func (l *loader) drop(rows pgx.Rows) error { return l.row(rows) }

// row reads a drop's row, and what stands behind it into more.
func (l *loader) row(rows pgx.Rows, more ...any) error {
	d, st := &l.state.Drop, &l.state
	var reserved, purchased int64
	_, err := pgx.ForEachRow(rows, append([]any{
		&d.Name, &d.Price, &d.StartTime, &d.ImageURL, &d.LimitPerUser, &d.MaxExpiredHolds, &d.Paused, &d.Hidden, &d.Archived,
		&d.Version, &d.CreatedAt, &st.LastAt, &st.Seq, &reserved, &purchased, (*[16]byte)(&st.Batch),
	}, more...), func() error {
		l.found = true
		st.Reserved, st.Purchased = uint32(reserved), uint32(purchased) // the table's CHECKs keep them in range
		return nil
	})
	return err
}

func (l *loader) clock(rows pgx.Rows) error {
	var kept string
	_, err := pgx.ForEachRow(rows, []any{&l.now, &kept}, func() error { return nil })
	l.to = max(l.now, l.state.LastAt)
	return err
}

func (l *loader) lockedSizes(rows pgx.Rows) error {
	var s drop.Size
	var place string
	_, err := pgx.ForEachRow(rows, []any{&s.Label, &s.Stock.Total, &s.Stock.Available, &s.Stock.Held, &s.Stock.Sold, &place},
		func() error {
			l.state.Sizes, l.places = append(l.state.Sizes, s), append(l.places, place)
			return nil
		})
	return err
}

func (l *loader) sizes(rows pgx.Rows) error {
	var s drop.Size
	_, err := pgx.ForEachRow(rows, []any{&s.Label, &s.Stock.Total, &s.Stock.Available, &s.Stock.Held, &s.Stock.Sold},
		func() error {
			l.state.Sizes = append(l.state.Sizes, s)
			return nil
		})
	return err
}

func (l *loader) due(rows pgx.Rows) error {
	r := drop.Reservation{Status: drop.Active}
	_, err := pgx.ForEachRow(rows, []any{&r.ID, &r.UserID, &r.Size, &r.CreatedAt, &r.ExpiresAt}, func() error {
		if l.dues == drop.MaxExpirePerBatch {
			l.rest, l.state.Deadline = r.ExpiresAt, r.ExpiresAt
			return nil
		}
		l.dues++
		l.state.LoadDue(r)
		return nil
	})
	return err
}

// deadline keeps the end of a hold that is due but was too many for this batch: it is earlier.
func (l *loader) deadline(rows pgx.Rows) error {
	var at drop.Time
	_, err := pgx.ForEachRow(rows, []any{&at}, func() error {
		if l.state.Deadline == 0 {
			l.state.Deadline = at
		}
		return nil
	})
	return err
}

func (l *loader) reservations(rows pgx.Rows) error {
	var (
		r    drop.Reservation
		p    drop.Purchase
		name string
	)
	_, err := pgx.ForEachRow(rows, []any{
		&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt, &name,
		&p.ID, &p.UserID, &p.Size, &p.Price, &p.CreatedAt,
	}, func() error {
		l.state.LoadReservation(r, known(name))
		if p.ID != 0 {
			p.ReservationID = r.ID
			l.state.LoadPurchase(p)
		}
		return nil
	})
	return err
}

func (l *loader) usage(rows pgx.Rows) error {
	var (
		r      drop.Reservation
		unpaid int
	)
	_, err := pgx.ForEachRow(rows, []any{
		&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt, &unpaid,
	}, func() error {
		if unpaid > 0 {
			l.state.LoadUnpaid(r.UserID, min(unpaid, drop.MaxUnpaid), r.EndedAt)
			return nil
		}
		l.state.LoadUsage(r)
		return nil
	})
	return err
}

func (l *loader) recent(rows pgx.Rows) error {
	var r drop.Recent
	_, err := pgx.ForEachRow(rows, []any{&r.ID, &r.Username, &r.CreatedAt}, func() error {
		l.state.Recent = append(l.state.Recent, drop.Recent{ID: r.ID, Username: known(r.Username), CreatedAt: r.CreatedAt})
		return nil
	})
	return err
}

// known is what a buyer is called: no name was told of a number that only the shop knows.
func known(username string) string {
	if username == "" {
		return drop.UnknownUsername
	}
	return username
}
