package postgres

import (
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// writes collects what batches of different drops write in one transaction: the rows of each table, column by column.
// The zero value is empty.
type writes struct {
	confirms []int64 // drops whose state only has to be confirmed
	edits    [][]any // drops with more changes than every batch makes
	// revisions are the rows that go with edits.
	revisions [][]any
	drops     struct {
		ids, versions, lastAt, seqs, reserved, purchased []int64
		places                                           []string
		batches                                          []pgtype.UUID
	}
	sizes struct {
		drops, total, available, held, sold, waiting, pending []int64
		places                                                []string
	}
	ended struct {
		ids, at []int64
		status  []int16
	}
	made struct {
		ids, users, created, expires, ended []int64
		passes                              []int64 // nil: none of the batches has any
		sizes                               []string
		status, offers                      []int16
	}
	// joined are entries of waitlists, entered and redrawn those of draws.
	joined, entered []any
	redrawn         struct {
		ids, at, passes []int64
		removed         []string
	}
	passes []any
	uses   struct{ ids, more []int64 }
	left   struct {
		ids, at, offers []int64
		status          []int16
		why             []string
	}
	updated struct {
		ids, expires, payments, claims []int64
	}
	returned struct {
		ids, at []int64
		returns []int16
	}
	purchases struct {
		ids, reservations, users, prices, created []int64
		sizes                                     []string
	}
	ledger struct {
		drops, seqs, at, units, available, versions []int64
		batches                                     []pgtype.UUID
		sizes, reasons                              []string
		numbers                                     [][]byte
	}
	// begun and paid are payments.
	begun, paid []any
	kept        struct {
		drops, created              []int64
		callers, operations, values []string
		bodies, answers             [][]byte
	}
}

// add adds a batch's changes. was is the drop as it was loaded, and l has the locations of its rows.
func (w *writes) add(l *loader, was *drop.Drop) {
	c := l.changes
	w.addDrop(l, was)
	w.addSizes(l, c.Sizes)
	for _, r := range c.Ended {
		e := &w.ended
		e.ids, e.status, e.at = append(e.ids, int64(r.ID)), append(e.status, int16(r.Status)), append(e.at, int64(r.EndedAt))
	}
	for _, r := range c.Made {
		m := &w.made
		m.ids, m.users, m.sizes = append(m.ids, int64(r.ID)), append(m.users, int64(r.UserID)), append(m.sizes, r.Size)
		m.status, m.created = append(m.status, int16(r.Status)), append(m.created, int64(r.CreatedAt))
		m.expires, m.ended = append(m.expires, int64(r.ExpiresAt)), append(m.ended, int64(r.EndedAt))
		offer := int16(0)
		if r.Offer {
			offer = 1
		}
		m.offers = append(m.offers, offer)
		if r.Pass != 0 || m.passes != nil {
			m.passes = append(m.passes, make([]int64, len(m.ids)-len(m.passes)-1)...)
			m.passes = append(m.passes, int64(r.Pass))
		}
	}
	for _, r := range c.Updated {
		u := &w.updated
		u.ids, u.expires = append(u.ids, int64(r.ID)), append(u.expires, int64(r.ExpiresAt))
		u.payments, u.claims = append(u.payments, int64(r.Payment)), append(u.claims, int64(r.Claim))
	}
	for _, p := range c.Returned {
		to := &w.returned
		to.ids, to.returns = append(to.ids, int64(p.ID)), append(to.returns, int16(p.Return))
		to.at = append(to.at, int64(p.ReturnedAt))
	}
	for i := range c.Purchases {
		p, to := &c.Purchases[i], &w.purchases
		to.ids, to.reservations = append(to.ids, int64(p.ID)), append(to.reservations, int64(p.ReservationID))
		to.users, to.sizes = append(to.users, int64(p.UserID)), append(to.sizes, p.Size)
		to.prices, to.created = append(to.prices, int64(p.Price)), append(to.created, int64(p.CreatedAt))
	}
	for _, e := range c.Joined {
		w.joined = append(w.joined, e)
	}
	for _, e := range c.Left {
		to := &w.left
		to.ids, to.at, to.offers = append(to.ids, int64(e.ID)), append(to.at, int64(e.EndedAt)), append(to.offers, int64(e.Offer))
		to.status, to.why = append(to.status, int16(e.Status)), append(to.why, string(e.Why))
	}
	for _, e := range c.Entered {
		w.entered = append(w.entered, e)
	}
	for _, e := range c.Redrawn {
		to := &w.redrawn
		to.ids, to.at, to.removed = append(to.ids, int64(e.ID)), append(to.at, int64(e.WithdrawnAt)), append(to.removed, e.Removed)
		to.passes = append(to.passes, int64(e.Pass))
	}
	for i := range c.Passes {
		w.passes = append(w.passes, &c.Passes[i])
	}
	for _, u := range c.Uses {
		w.uses.ids, w.uses.more = append(w.uses.ids, int64(u.Pass)), append(w.uses.more, int64(u.More))
	}
	for _, p := range c.Begun {
		w.begun = append(w.begun, p)
	}
	for _, p := range c.Paid {
		w.paid = append(w.paid, p)
	}
	w.addLedger(&l.state, c.Ledger)
	w.addKept(l.state.ID, c.Kept)
}

func (w *writes) addDrop(l *loader, was *drop.Drop) {
	s := &l.state
	// Most batches need not write the settings, which only operators change, what counts the entries of waitlists and
	// draws, and early access.
	if l.changes.Accesses || was.Settings != s.Settings || l.waited != s.Waited || l.closed != s.LineClosed || was.DrawState != s.DrawState {
		w.edits = append(w.edits, append(values(records.Drops.Values(s.ID, s)), l.place))
		if l.changes.Revision != nil {
			w.revisions = append(w.revisions, values(records.Revisions.Values(s.ID, l.changes.Revision)))
		}
		return
	}
	d := &w.drops
	d.ids, d.places, d.versions = append(d.ids, int64(s.ID)), append(d.places, l.place), append(d.versions, s.Version)
	d.lastAt, d.seqs = append(d.lastAt, int64(s.LastAt)), append(d.seqs, int64(s.Seq))
	d.reserved, d.purchased = append(d.reserved, int64(s.Reserved)), append(d.purchased, int64(s.Purchased))
	d.batches = append(d.batches, uuid(s.Batch))
}

var insertRevision = dialect.Insert(records.Revisions)

// uuid returns a batch's id in a type that is encoded the same way with and without a prepared statement.
func uuid(b drop.BatchID) pgtype.UUID { return pgtype.UUID{Bytes: b, Valid: true} }

// nowhere is a location that no row has.
const nowhere = "(0,0)"

func (w *writes) addSizes(l *loader, sizes []int) {
	to := &w.sizes
	for _, p := range sizes {
		stock, place := &l.state.Sizes[p].Stock, nowhere
		if p < len(l.places) {
			place = l.places[p]
		}
		to.drops, to.places = append(to.drops, int64(l.state.ID)), append(to.places, place)
		to.total, to.available = append(to.total, stock.Total), append(to.available, stock.Available)
		to.held, to.sold = append(to.held, stock.Held), append(to.sold, stock.Sold)
		to.waiting, to.pending = append(to.waiting, l.state.Sizes[p].Waiting), append(to.pending, l.state.Sizes[p].Pending)
	}
}

func (w *writes) addLedger(s *drop.State, entries []drop.LedgerEntry) {
	to := &w.ledger
	for i := range entries {
		e := &entries[i]
		to.drops, to.seqs, to.batches = append(to.drops, int64(s.ID)), append(to.seqs, int64(e.Seq)), append(to.batches, uuid(s.Batch))
		to.at, to.sizes = append(to.at, int64(e.At)), append(to.sizes, e.Size)
		to.reasons, to.units = append(to.reasons, string(e.Reason)), append(to.units, e.Units)
		to.available, to.versions = append(to.available, e.Available), append(to.versions, e.Version)
		to.numbers = append(to.numbers, []byte(e.Numbers))
	}
}

func (w *writes) addKept(id drop.ID, kept []drop.Kept) {
	to := &w.kept
	for i := range kept {
		k := &kept[i]
		to.drops, to.callers = append(to.drops, int64(id)), append(to.callers, k.Key.Caller)
		to.operations, to.values = append(to.operations, k.Key.Operation), append(to.values, k.Key.Value)
		to.bodies, to.answers = append(to.bodies, k.Key.Body[:]), append(to.answers, k.Answer)
		to.created = append(to.created, int64(k.At))
	}
}

// queue queues everything, with updates before inserts.
func (w *writes) queue(out *pgx.Batch) {
	if d := &w.drops; len(d.ids) > 0 {
		out.Queue(runBatchWriteDrops, d.ids, d.places, d.versions, d.lastAt, d.seqs, d.reserved, d.purchased, d.batches)
	}
	for _, row := range w.edits {
		out.Queue(runBatchWriteEdit, row...)
	}
	for _, id := range w.confirms {
		out.Queue(committedTouch, id)
	}
	if s := &w.sizes; len(s.drops) > 0 {
		out.Queue(runBatchWriteSizes, s.drops, s.places, s.total, s.available, s.held, s.sold, s.waiting, s.pending)
	}
	if e := &w.ended; len(e.ids) > 0 {
		out.Queue(runBatchWriteEnded, e.ids, e.status, e.at)
	}
	if p := &w.returned; len(p.ids) > 0 {
		out.Queue(runBatchWriteReturned, p.ids, p.returns, p.at)
	}
	if m := &w.made; len(m.ids) > 0 {
		out.Queue(runBatchWriteMade, m.ids, m.users, m.sizes, m.status, m.created, m.expires, m.ended, m.offers, m.passes)
	}
	if u := &w.updated; len(u.ids) > 0 {
		out.Queue(runBatchWriteUpdated, u.ids, u.expires, u.payments, u.claims)
	}
	if e := &w.left; len(e.ids) > 0 {
		out.Queue(runBatchWriteLeft, e.ids, e.status, e.at, e.offers, e.why)
	}
	if len(w.joined) > 0 {
		out.Queue(runBatchWriteJoined, columnwise(records.Entries.Columns, w.joined)...)
	}
	if e := &w.redrawn; len(e.ids) > 0 {
		out.Queue(runBatchWriteRedrawn, e.ids, e.at, e.removed, e.passes)
	}
	if len(w.entered) > 0 {
		out.Queue(runBatchWriteEntered, columnwise(records.DrawEntries.Columns, w.entered)...)
	}
	if len(w.passes) > 0 {
		out.Queue(runBatchWritePasses, columnwise(records.Passes.Columns, w.passes)...)
	}
	if u := &w.uses; len(u.ids) > 0 {
		out.Queue(runBatchWriteUses, u.ids, u.more)
	}
	if p := &w.purchases; len(p.ids) > 0 {
		out.Queue(runBatchWritePurchases, p.ids, p.reservations, p.users, p.sizes, p.prices, p.created)
	}
	if len(w.begun) > 0 {
		out.Queue(runBatchWriteBegun, columnwise(records.Payments.Columns, w.begun)...)
	}
	if len(w.paid) > 0 {
		out.Queue(runBatchWritePaid, columnwise(paid, w.paid)...)
	}
	if e := &w.ledger; len(e.drops) > 0 {
		out.Queue(runBatchWriteLedger, e.drops, e.seqs, e.batches, e.at, e.sizes, e.reasons, e.units, e.available, e.versions, e.numbers)
	}
	for _, row := range w.revisions {
		out.Queue(insertRevision, row...)
	}
	if k := &w.kept; len(k.drops) > 0 {
		out.Queue(runBatchWriteKept, k.drops, k.callers, k.operations, k.values, k.bodies, k.answers, k.created)
	}
}

// queueDrop queues a new drop with its sizes and its first ledger entries.
func queueDrop(out *pgx.Batch, s *drop.State, c *drop.Changes) error {
	rows := []store.Row{{Drop: s.ID, Value: s}, {Drop: s.ID, Value: *c.Revision}}
	for _, e := range c.Ledger {
		rows = append(rows, store.Row{Drop: s.ID, Value: e})
	}
	for _, row := range rows {
		if err := records.Parts(row, func(t *records.Table, of drop.ID, row any) error {
			out.Queue(dialect.Insert(t), values(t.Values(of, row))...)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}
