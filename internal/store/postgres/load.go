package postgres

import (
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// transaction is what batches of different drops do together. Most have only one batch.
type transaction struct {
	conn    *pgxpool.Conn
	batches []*loader
	results pgx.BatchResults // of the first round trip, which is under way
	end     func()           // ends the pipeline that it shares with the previous commit
	turn    *turn            // nil in a group's turn, which waits for no lock: locked drops count as not found
}

// loader fills the state of one batch's drop from the answers of one pipeline.
type loader struct {
	batch store.Batch
	need  drop.Need // of the batch, as of its turn
	state drop.State
	now   drop.Time
	found bool // found and locked
	// place is the location of the drop's row, and places are those of its sizes' rows, under the drop's lock.
	place  string
	places []string
	// The batch looked up holds that end from bound until to. It loaded dues of them. rest is the end of the first
	// one that was not loaded, 0 if there is none. nextBound is the bound that the batch leaves.
	bound, nextBound deadlineBound
	to, rest         drop.Time
	dues             int

	// waited and closed are State.Waited and LineClosed before the batch.
	waited, closed uint32

	changes *drop.Changes
	writes  bool
	err     error // the batch cannot be decided
}

// queueLoad queues the first round trip. It begins the transaction, locks the drops and reads what the batches need.
func (s *Store) queueLoad(t *transaction) *pgx.Batch {
	out := new(pgx.Batch)
	ids, since := make([]int64, len(t.batches)), make([]int64, len(t.batches))
	for i, l := range t.batches {
		ids[i], since[i] = int64(l.batch.Of()), int64(l.bound.at)
	}
	lock := runBatchLock
	if t.turn == nil {
		lock = runBatchLockFree
	}
	s.queueBegin(out)
	out.Queue(lock, ids).Query(t.locked)
	out.Queue(runBatchClock).Query(t.clock)
	out.Queue(runBatchSizes, ids).Query(t.sizes)
	out.Queue(runBatchDue, ids, since).Query(t.due)
	for _, l := range t.batches {
		l.queue(out)
	}
	return out
}

// queueBegin queues the start of a transaction that writes.
func (s *Store) queueBegin(out *pgx.Batch) {
	out.Queue(runBatchBegin)
	s.queueSettings(out)
}

// queueSettings queues the transaction's settings if its connection cannot have them.
func (s *Store) queueSettings(out *pgx.Batch) {
	if s.pooled {
		out.Queue(s.ofTransaction)
	}
}

func newLoader(b store.Batch) *loader {
	return &loader{batch: b, state: drop.State{Drop: drop.Drop{ID: b.Of()}}}
}

// drops names the drops in a message.
func (t *transaction) drops() string {
	if n := len(t.batches); n > 1 {
		return fmt.Sprintf("%d drops", n)
	}
	return fmt.Sprintf("drop %d", t.batches[0].batch.Of())
}

// queue queues what only this batch needs.
func (l *loader) queue(out *pgx.Batch) {
	id, need := int64(l.batch.Of()), &l.need
	if ids, owners := reservationsOf(l.batch.Of(), need); len(ids) > 0 {
		out.Queue(runBatchReservations, id, ids, owners).Query(l.reservations)
	}
	if sold := distinct(need.Purchases); len(sold) > 0 {
		out.Queue(runBatchSold, id, sold).Query(l.sold)
	}
	if ids := distinct(need.Payments); len(ids) > 0 {
		out.Queue(runBatchPayments, ids).Query(l.payments)
	}
	users := distinct(need.Users)
	switch lines := l.bound.lines; {
	case lines.sizes > 0:
		out.Queue(runBatchLines, id, lines.sizes, int64(lines.since)).Query(l.lines)
		if lines.drawn && lines.sizes > 1 {
			out.Queue(runBatchLinesOthers, id, lines.sizes, int64(lines.since)).Query(l.entries)
		}
		out.Queue(runBatchUsageLines, id, users, need.Limits, lines.sizes, int64(lines.since)).Query(l.usage)
	case len(users) > 0:
		out.Queue(runBatchUsage, id, users, need.Limits).Query(l.usage)
	}
	if ids := distinct(need.Entries); len(ids) > 0 {
		out.Queue(runBatchEntries, id, ids).Query(l.entries)
	}
	if buyers := distinct(need.Waiting); len(buyers) > 0 {
		out.Queue(runBatchWaiting, id, buyers).Query(l.entries)
	}
	if buyers := distinct(need.Entrants); len(buyers) > 0 {
		out.Queue(runBatchEntrants, id, buyers).Query(l.drawEntries)
	}
	if ids := distinct(need.DrawEntries); len(ids) > 0 {
		out.Queue(runBatchDrawEntries, id, ids).Query(l.drawEntries)
	}
	if len(need.Passes) > 0 {
		hashes := make([][]byte, len(need.Passes))
		for i := range need.Passes {
			hashes[i] = need.Passes[i][:]
		}
		out.Queue(runBatchPasses, id, hashes).Query(l.passes)
	}
	if need.Recent {
		out.Queue(runBatchRecent, id).Query(l.recent)
	}
	if need.Deadline {
		out.Queue(runBatchDeadline, id).Query(l.deadline)
	}
	if len(need.Keys) > 0 {
		queueKeys(out, id, need.Keys).Query(l.kept)
	}
}

// read reads the answers of the first round trip.
func (t *transaction) read() error {
	err := t.results.Close()
	t.end()
	return err
}

// of returns the batch of the drop that an answer names.
func (t *transaction) of(id drop.ID) (*loader, error) {
	for _, l := range t.batches {
		if l.batch.Of() == id {
			return l, nil
		}
	}
	return nil, fmt.Errorf("an answer is about drop %d, which was not requested", id)
}

func (t *transaction) locked(rows pgx.Rows) error {
	var place string
	return eachDrop(rows, func(st *drop.State) error {
		l, err := t.of(st.ID)
		if err == nil {
			l.state, l.place, l.found = *st, place, true
		}
		return err
	}, &place)
}

func (t *transaction) clock(rows pgx.Rows) error {
	var now drop.Time
	var kept string
	_, err := pgx.ForEachRow(rows, []any{&now, &kept}, func() error { return nil })
	for _, l := range t.batches {
		l.now, l.to = now, max(now, l.state.LastAt)
	}
	return err
}

func (t *transaction) sizes(rows pgx.Rows) error {
	var (
		s     drop.Size
		place string
		id    drop.ID
	)
	stock := &s.Stock
	_, err := pgx.ForEachRow(rows, []any{&s.Label, &stock.Total, &stock.Available, &stock.Held, &stock.Sold, &s.Waiting, &s.Pending, &place, &id}, func() error {
		l, err := t.of(id)
		if err == nil {
			l.state.Sizes, l.places = append(l.state.Sizes, s), append(l.places, place)
		}
		return err
	})
	return err
}

func (t *transaction) due(rows pgx.Rows) error {
	r := drop.Reservation{Status: drop.Active}
	_, err := pgx.ForEachRow(rows, []any{&r.ID, &r.UserID, &r.Size, &r.CreatedAt, &r.ExpiresAt, &r.Payment, &r.Claim, &r.Offer, &r.Pass}, func() error {
		l, err := t.of(r.ID.Drop())
		switch {
		case err != nil:
			return err
		case l.dues == drop.MaxExpirePerBatch:
			l.rest, l.state.Deadline = r.ExpiresAt, r.ExpiresAt
		default:
			l.dues++
			l.state.LoadDue(r)
		}
		return nil
	})
	return err
}

// entries reads entries of the waitlist.
func (l *loader) entries(rows pgx.Rows) error {
	return eachRow(rows, records.Entries, l.state.LoadEntry)
}

// drawEntries reads entries of the draw.
func (l *loader) drawEntries(rows pgx.Rows) error {
	return eachRow(rows, records.DrawEntries, l.state.LoadDrawEntry)
}

// passes reads passes of early access.
func (l *loader) passes(rows pgx.Rows) error { return eachRow(rows, records.Passes, l.state.LoadPass) }

// lines reads the first entries in each line.
func (l *loader) lines(rows pgx.Rows) error {
	lines := make([][]drop.Entry, len(l.state.Sizes))
	err := eachRow(rows, records.Entries, func(e drop.Entry) {
		if e.Line < len(lines) {
			lines[e.Line] = append(lines[e.Line], e)
		}
	})
	for i, line := range lines {
		if l.state.Sizes[i].Waiting > 0 {
			most := min(len(line), drop.OffersPerLine(len(lines)))
			l.state.LoadLine(i, line[:most], most == len(line))
		}
	}
	return err
}

// eachRow reads the columns of a table whose rows are of type T.
func eachRow[T any](rows pgx.Rows, t *records.Table, each func(T)) error {
	into := newCells(t.Columns)
	_, err := pgx.ForEachRow(rows, into.targets, func() error {
		var row T
		into.set(&row)
		each(row)
		return nil
	})
	return err
}

// eachDrop reads the columns of records.Drops, and the columns after them into more.
func eachDrop(rows pgx.Rows, each func(*drop.State) error, more ...any) error {
	into := newCells(records.Drops.Columns)
	_, err := pgx.ForEachRow(rows, append(into.targets, more...), func() error {
		var st drop.State
		into.set(&st)
		return each(&st)
	})
	return err
}

func (l *loader) payments(rows pgx.Rows) error {
	return eachRow(rows, records.Payments, l.state.LoadPayment)
}

// deadline keeps the end of a due hold that did not fit into this batch, because that end is earlier.
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
		r            drop.Reservation
		p            drop.Purchase
		name, public string
	)
	_, err := pgx.ForEachRow(rows, []any{
		&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt, &name, &public, &r.Payment, &r.Claim, &r.Offer, &r.Pass,
		&p.ID, &p.UserID, &p.Size, &p.Price, &p.CreatedAt, &p.Return, &p.ReturnedAt,
	}, func() error {
		l.state.LoadReservation(r, known(name), public)
		if p.ID != 0 {
			p.ReservationID = r.ID
			l.state.LoadPurchase(p)
		}
		return nil
	})
	return err
}

func (l *loader) sold(rows pgx.Rows) error {
	var p drop.Purchase
	_, err := pgx.ForEachRow(rows, []any{
		&p.ID, &p.ReservationID, &p.UserID, &p.Size, &p.Price, &p.CreatedAt, &p.Return, &p.ReturnedAt,
	}, func() error {
		l.state.LoadPurchase(p)
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
		&r.ID, &r.UserID, &r.Size, &r.Status, &r.CreatedAt, &r.ExpiresAt, &r.EndedAt, &unpaid, &r.Payment, &r.Claim, &r.Offer, &r.Pass,
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
	_, err := pgx.ForEachRow(rows, []any{&r.ID, &r.Username, &r.PublicName, &r.CreatedAt}, func() error {
		r.Username = known(r.Username)
		l.state.Recent = append(l.state.Recent, r)
		return nil
	})
	return err
}

// known returns a buyer's name. Buyers whose number comes from the shop may have none.
func known(username string) string {
	if username == "" {
		return drop.UnknownUsername
	}
	return username
}

// reservationsOf returns the reservations to load that can belong to the drop, and their owners.
func reservationsOf(id drop.ID, need *drop.Need) (ids, owners []int64) {
	for _, wanted := range need.DistinctReservations() {
		if wanted.ID.Drop() == id {
			ids, owners = append(ids, int64(wanted.ID)), append(owners, int64(wanted.Owner))
		}
	}
	return ids, owners
}

// distinct returns the numbers in ascending order without duplicates.
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
