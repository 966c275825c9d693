package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Drop implements store.Store.
func (s *Store) Drop(ctx context.Context, id drop.ID) (store.Snapshot, error) {
	var list snapshots
	err := s.read(ctx, fmt.Sprintf("read drop %d", id), func(b *pgx.Batch) {
		b.Queue(readClock).QueryRow(list.clock)
		b.Queue(dropDrop, int64(id), int64(s.bounds.get(id).at)).Query(list.drops)
		b.Queue(dropSizes, int64(id)).Query(list.sizes)
		b.Queue(dropRecent, int64(id)).Query(list.recent)
	})
	if err != nil {
		return store.Snapshot{}, err
	}
	if len(list.all) == 0 {
		return store.Snapshot{}, drop.Refuse(drop.CodeDropNotFound)
	}
	return list.all[0], nil
}

// Drops implements store.Store.
func (s *Store) Drops(ctx context.Context) ([]store.Snapshot, error) {
	var list snapshots
	err := s.read(ctx, "read all drops", func(b *pgx.Batch) {
		b.Queue(readClock).QueryRow(list.clock)
		b.Queue(dropsDrop).Query(list.drops)
		b.Queue(dropsSizes).Query(list.sizes)
		b.Queue(dropsRecent).Query(list.recent)
	})
	return list.all, err
}

// Pulse implements store.Store.
func (s *Store) Pulse(ctx context.Context) (store.Pulse, error) {
	var (
		p store.Pulse
		d store.DropPulse
	)
	bounds, sent, err := s.bounds.all()
	if err != nil {
		return p, s.fail("encode what is known about holds", err)
	}
	err = s.read(ctx, "read the pulse", func(b *pgx.Batch) {
		b.Queue(readClock).QueryRow(func(row pgx.Row) error { return row.Scan(&p.Now) })
		b.Queue(pulseDrops, string(sent)).Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&d.ID, &d.Version, &d.Deadline}, func() error {
				p.Drops = append(p.Drops, d)
				if d.Deadline != 0 && d.Deadline < bounds[d.ID] {
					s.bounds.forget(d.ID)
				}
				return nil
			})
			return err
		})
	})
	if err != nil {
		s.bounds.forgetAll()
	}
	return p, err
}

// read runs statements on one snapshot of the database, in one round trip.
func (s *Store) read(ctx context.Context, op string, queue func(*pgx.Batch)) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.fail(op, err)
	}
	defer conn.Release()
	var b pgx.Batch
	b.Queue(readBegin)
	s.queueSettings(&b)
	queue(&b)
	b.Queue(runBatchCommit)
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		rollback(ctx, conn.Conn())
		return s.fail(op, err)
	}
	return nil
}

// snapshots collects drops, in order, from several statements.
type snapshots struct {
	all []store.Snapshot
	now drop.Time
}

func (l *snapshots) clock(row pgx.Row) error { return row.Scan(&l.now) }

func (l *snapshots) drops(rows pgx.Rows) error {
	var deadline drop.Time
	return eachDrop(rows, func(st *drop.State) error {
		l.all = append(l.all, store.Snapshot{Drop: st.Drop, Purchased: st.Purchased, Deadline: deadline, Now: l.now})
		return nil
	}, &deadline)
}

func (l *snapshots) sizes(rows pgx.Rows) error {
	var (
		id drop.ID
		z  drop.Size
	)
	_, err := pgx.ForEachRow(rows, []any{
		&id, &z.Label, &z.Stock.Total, &z.Stock.Available, &z.Stock.Held, &z.Stock.Sold, &z.Waiting, &z.Pending,
	}, func() error {
		if s := l.find(id); s != nil {
			s.Drop.Sizes = append(s.Drop.Sizes, z)
		}
		return nil
	})
	return err
}

func (l *snapshots) recent(rows pgx.Rows) error {
	var (
		id drop.ID
		r  drop.Recent
	)
	_, err := pgx.ForEachRow(rows, []any{&id, &r.ID, &r.Username, &r.PublicName, &r.CreatedAt}, func() error {
		if s := l.find(id); s != nil {
			r.Username = known(r.Username)
			s.Recent = append(s.Recent, r)
		}
		return nil
	})
	return err
}

// find returns nil if there is no drop with that number.
func (l *snapshots) find(id drop.ID) *store.Snapshot {
	i, found := slices.BinarySearchFunc(l.all, id, func(s store.Snapshot, id drop.ID) int { return cmp.Compare(s.Drop.ID, id) })
	if !found {
		return nil
	}
	return &l.all[i]
}
