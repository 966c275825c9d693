package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"sneakerdrop/internal/drop"
)

// queueChanges queues what a batch leaves to be written: updates before inserts. was is the drop as it was loaded, and l says
// where its rows lie.
func queueChanges(out *pgx.Batch, l *loader, was *drop.Drop, c *drop.Changes) {
	s := &l.state
	id := int64(s.ID)
	row := []any{id, l.place, s.Version, int64(s.LastAt), int64(s.Seq), int64(s.Reserved), int64(s.Purchased), uuid(s.Batch)}
	if edited(was, &s.Drop) {
		out.Queue(runBatchWriteEdit, append(row, s.Name, int64(s.Price), int64(s.StartTime), s.ImageURL, int64(s.LimitPerUser),
			s.Paused, s.Hidden, s.Archived, int64(s.MaxExpiredHolds))...)
	} else {
		out.Queue(runBatchWriteDrop, row...)
	}
	if len(c.Sizes) > 0 {
		queueStock(out, l, c.Sizes)
	}
	if len(c.Ended) > 0 {
		queueEnded(out, id, c.Ended)
	}
	if len(c.Made) > 0 {
		queueMade(out, id, c.Made)
	}
	if len(c.Purchases) > 0 {
		queuePurchases(out, id, c.Purchases)
	}
	if len(c.Ledger) > 0 {
		queueLedger(out, s, c.Ledger)
	}
	if len(c.Kept) > 0 {
		queueKept(out, id, c.Kept)
	}
}

// edited tells whether what only an operator changes has changed: most batches need not write it.
func edited(was, is *drop.Drop) bool {
	return was.Name != is.Name || was.Price != is.Price || was.StartTime != is.StartTime || was.ImageURL != is.ImageURL ||
		was.LimitPerUser != is.LimitPerUser || was.MaxExpiredHolds != is.MaxExpiredHolds || was.Paused != is.Paused ||
		was.Hidden != is.Hidden || was.Archived != is.Archived
}

// uuid is a batch's name in a form that is encoded alike with and without a prepared statement.
func uuid(b drop.BatchID) pgtype.UUID { return pgtype.UUID{Bytes: b, Valid: true} }

// nowhere is a place where no row lies.
const nowhere = "(0,0)"

func queueStock(out *pgx.Batch, l *loader, sizes []int) {
	n := len(sizes)
	places, total, available := make([]string, n), make([]int64, n), make([]int64, n)
	held, sold := make([]int64, n), make([]int64, n)
	for i, p := range sizes {
		stock := l.state.Sizes[p].Stock
		places[i], total[i], available[i] = nowhere, stock.Total, stock.Available
		if p < len(l.places) {
			places[i] = l.places[p]
		}
		held[i], sold[i] = stock.Held, stock.Sold
	}
	out.Queue(runBatchWriteSizes, int64(l.state.ID), places, total, available, held, sold)
}

func queueEnded(out *pgx.Batch, id int64, ended []*drop.Reservation) {
	n := len(ended)
	ids, status, at := make([]int64, n), make([]int16, n), make([]int64, n)
	for i, r := range ended {
		ids[i], status[i], at[i] = int64(r.ID), int16(r.Status), int64(r.EndedAt)
	}
	out.Queue(runBatchWriteEnded, id, ids, status, at)
}

func queueMade(out *pgx.Batch, id int64, made []*drop.Reservation) {
	n := len(made)
	ids, users, sizes, status := make([]int64, n), make([]int64, n), make([]string, n), make([]int16, n)
	created, expires, ended := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, r := range made {
		ids[i], users[i], sizes[i], status[i] = int64(r.ID), int64(r.UserID), r.Size, int16(r.Status)
		created[i], expires[i], ended[i] = int64(r.CreatedAt), int64(r.ExpiresAt), int64(r.EndedAt)
	}
	out.Queue(runBatchWriteMade, id, ids, users, sizes, status, created, expires, ended)
}

func queuePurchases(out *pgx.Batch, id int64, purchases []drop.Purchase) {
	n := len(purchases)
	ids, reservations, users := make([]int64, n), make([]int64, n), make([]int64, n)
	sizes, prices, created := make([]string, n), make([]int64, n), make([]int64, n)
	for i := range purchases {
		p := &purchases[i]
		ids[i], reservations[i], users[i] = int64(p.ID), int64(p.ReservationID), int64(p.UserID)
		sizes[i], prices[i], created[i] = p.Size, int64(p.Price), int64(p.CreatedAt)
	}
	out.Queue(runBatchWritePurchases, id, ids, reservations, users, sizes, prices, created)
}

func queueLedger(out *pgx.Batch, s *drop.State, entries []drop.LedgerEntry) {
	n := len(entries)
	seq, at, sizes := make([]int64, n), make([]int64, n), make([]string, n)
	reasons, units, available := make([]string, n), make([]int64, n), make([]int64, n)
	for i := range entries {
		e := &entries[i]
		seq[i], at[i], sizes[i] = int64(e.Seq), int64(e.At), e.Size
		reasons[i], units[i], available[i] = string(e.Reason), e.Units, e.Available
	}
	out.Queue(runBatchWriteLedger, int64(s.ID), uuid(s.Batch), seq, at, sizes, reasons, units, available)
}

// queueDrop queues a new drop with its sizes and its first ledger entries.
func queueDrop(out *pgx.Batch, s *drop.State, c *drop.Changes) {
	out.Queue(createDropInsert, int64(s.ID), s.Name, int64(s.Price), int64(s.StartTime), s.ImageURL, int64(s.LimitPerUser),
		s.Paused, s.Hidden, s.Archived, s.Version, int64(s.CreatedAt), int64(s.LastAt), int64(s.Seq), int64(s.Reserved),
		int64(s.Purchased), uuid(s.Batch), int64(s.MaxExpiredHolds))
	n := len(s.Sizes)
	position, labels, total := make([]int64, n), make([]string, n), make([]int64, n)
	available, held, sold := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range s.Sizes {
		stock := s.Sizes[i].Stock
		position[i], labels[i], total[i] = int64(i), s.Sizes[i].Label, stock.Total
		available[i], held[i], sold[i] = stock.Available, stock.Held, stock.Sold
	}
	out.Queue(createDropSizes, int64(s.ID), position, labels, total, available, held, sold)
	if len(c.Ledger) > 0 {
		queueLedger(out, s, c.Ledger)
	}
}
