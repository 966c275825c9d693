package sqlite

import (
	"context"
	"fmt"
	"slices"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// maxUsage limits the rows that are loaded for one user. It is one more than any limit, so the rest cannot change a
// decision.
const maxUsage = drop.MaxLimitPerUser + 1

// RunBatch implements store.Store. The transaction serves as the lock, and the clock is read inside it.
func (s *Store) RunBatch(ctx context.Context, b store.Batch) error {
	return s.write(ctx, fmt.Sprintf("run a batch of drop %d", b.Of()), func(conn *sqlite.Conn) (bool, error) {
		need := b.Needs()
		now := s.now()
		state, err := loadBatch(conn, b.Of(), need, now)
		if err != nil {
			return false, err
		}
		changes := b.Decide(state, now)
		if changes == nil {
			return false, nil
		}
		return true, saveBatch(conn, state, changes)
	})
}

// Committed implements store.Store. It always writes. A commit whose sync failed may have left its end in the log,
// where a recovery would find it; the new write overwrites it.
func (s *Store) Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error) {
	var found bool
	err := s.write(ctx, fmt.Sprintf("look for a batch of drop %d", id), func(conn *sqlite.Conn) (bool, error) {
		st, err := prepare(conn, sqlCommitted, int64(id))
		if err != nil {
			return false, err
		}
		st.BindBytes(2, batch[:])
		st.BindInt64(3, int64(after))
		err = rows(st, func() { found = st.ColumnBool(0) })
		if err != nil {
			return false, err
		}
		return true, execute(conn, sqlCommittedConfirm)
	})
	return found && err == nil, err
}

// loadBatch reads what a batch decides on.
func loadBatch(conn *sqlite.Conn, id drop.ID, need drop.Need, now drop.Time) (*drop.State, error) {
	state, err := loadDrop(conn, id)
	if err != nil {
		return nil, err
	}
	now = max(now, state.LastAt) // as Apply does
	if err := loadDue(conn, state, need.Deadline, now); err != nil {
		return nil, err
	}
	if err := loadKept(conn, state, need.Keys); err != nil {
		return nil, err
	}
	for _, wanted := range need.DistinctReservations() {
		if err := loadReservation(conn, state, wanted); err != nil {
			return nil, err
		}
	}
	for _, id := range need.Purchases {
		if err := loadSold(conn, state, id); err != nil {
			return nil, err
		}
	}
	for _, id := range need.Payments {
		if err := loadPayment(conn, state, id); err != nil {
			return nil, err
		}
	}
	if err := loadDraw(conn, state, &need); err != nil {
		return nil, err
	}
	if err := loadPasses(conn, state, need.Passes); err != nil {
		return nil, err
	}
	waiting, err := loadWaitlist(conn, state, &need)
	if err != nil {
		return nil, err
	}
	for _, u := range distinct(slices.Concat(need.Users, waiting)) {
		if state.Limited() || need.Limits {
			err = loadUsage(conn, state, u)
		}
		if err == nil && (state.MaxExpiredHolds > 0 || need.Limits) {
			err = loadUnpaid(conn, state, u)
		}
		if err != nil {
			return nil, err
		}
	}
	if need.Recent {
		if state.Recent, err = loadRecent(conn, id); err != nil {
			return nil, err
		}
	}
	return state, nil
}

func loadKept(conn *sqlite.Conn, state *drop.State, keys []drop.Key) error {
	for _, k := range keys {
		kept, found, err := findKept(conn, state.ID, k)
		if err != nil {
			return err
		}
		if found {
			state.LoadKept(kept)
		}
	}
	return nil
}

// distinct returns the ids in ascending order without duplicates. It does not change ids.
func distinct(ids []drop.UserID) []drop.UserID {
	if len(ids) < 2 {
		return ids
	}
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// loadDue loads the holds that are past their end and, if asked, when the next one ends.
func loadDue(conn *sqlite.Conn, state *drop.State, deadline bool, now drop.Time) error {
	st, err := prepare(conn, sqlRunBatchDue, int64(state.ID), int64(now), drop.MaxExpirePerBatch)
	if err != nil {
		return err
	}
	var last drop.Reservation
	err = rows(st, func() {
		last = scanReservation(st)
		state.LoadDue(last)
	})
	if err != nil || !deadline {
		return err
	}
	next, err := prepare(conn, sqlRunBatchDeadline, int64(state.ID), int64(last.ExpiresAt), int64(last.ID))
	if err != nil {
		return err
	}
	return rows(next, func() { state.Deadline = drop.Time(next.ColumnInt64(0)) })
}

func loadReservation(conn *sqlite.Conn, state *drop.State, wanted drop.Wanted) error {
	st, err := prepare(conn, sqlRunBatchReservation, int64(state.ID), int64(wanted.ID), int64(wanted.Owner))
	if err != nil {
		return err
	}
	return rows(st, func() {
		r := scanReservation(st)
		state.LoadReservation(r, username(st, 11), st.ColumnText(12))
		if st.ColumnIsNull(13) {
			return
		}
		state.LoadPurchase(drop.Purchase{
			ID: drop.PurchaseID(st.ColumnInt64(13)), ReservationID: r.ID, UserID: r.UserID, Size: r.Size,
			Price: drop.Money(st.ColumnInt64(14)), CreatedAt: drop.Time(st.ColumnInt64(15)),
			Return: drop.Return(st.ColumnInt64(16)), ReturnedAt: drop.Time(st.ColumnInt64(17)),
		})
	})
}

func loadSold(conn *sqlite.Conn, state *drop.State, id drop.PurchaseID) error {
	st, err := prepare(conn, sqlRunBatchSold, int64(state.ID), int64(id))
	if err != nil {
		return err
	}
	return rows(st, func() {
		state.LoadPurchase(drop.Purchase{
			ID: drop.PurchaseID(st.ColumnInt64(0)), ReservationID: drop.ReservationID(st.ColumnInt64(1)),
			UserID: drop.UserID(st.ColumnInt64(2)), Size: st.ColumnText(3), Price: drop.Money(st.ColumnInt64(4)),
			CreatedAt: drop.Time(st.ColumnInt64(5)), Return: drop.Return(st.ColumnInt64(6)),
			ReturnedAt: drop.Time(st.ColumnInt64(7)),
		})
	})
}

func loadPayment(conn *sqlite.Conn, state *drop.State, id drop.PaymentID) error {
	st, err := prepare(conn, sqlRunBatchPayment, int64(id))
	if err != nil {
		return err
	}
	return rows(st, func() {
		var p drop.Payment
		scan(st, records.Payments.Columns, &p)
		state.LoadPayment(p)
	})
}

// loadUsage loads a user's reservations oldest first, as every store does: of several holds the newest counts.
func loadUsage(conn *sqlite.Conn, state *drop.State, user drop.UserID) error {
	st, err := prepare(conn, sqlRunBatchUsage, int64(state.ID), int64(user), maxUsage)
	if err != nil {
		return err
	}
	var found []drop.Reservation
	if err := rows(st, func() { found = append(found, scanReservation(st)) }); err != nil {
		return err
	}
	for _, r := range slices.Backward(found) {
		state.LoadUsage(r)
	}
	return nil
}

func loadUnpaid(conn *sqlite.Conn, state *drop.State, user drop.UserID) error {
	offers := int64(0)
	if state.OffersCount {
		offers = 1
	}
	st, err := prepare(conn, sqlRunBatchUnpaid, int64(state.ID), int64(user), offers)
	if err != nil {
		return err
	}
	return rows(st, func() {
		if n := st.ColumnInt(0); n > 0 {
			state.LoadUnpaid(user, min(n, drop.MaxUnpaid), drop.Time(st.ColumnInt64(1)))
		}
	})
}

// saveBatch writes what a batch changed. It updates existing rows before it adds new ones.
func saveBatch(conn *sqlite.Conn, state *drop.State, c *drop.Changes) error {
	if err := updateDrop(conn, state); err != nil {
		return err
	}
	if err := updateSizes(conn, state, c.Sizes); err != nil {
		return err
	}
	if err := end(conn, state.ID, c.Ended); err != nil {
		return err
	}
	if err := takeBack(conn, state.ID, c.Returned); err != nil {
		return err
	}
	return insertRows(conn, state.ID, c)
}

func insertRows(conn *sqlite.Conn, id drop.ID, c *drop.Changes) error {
	if err := insertReservations(conn, id, c.Made); err != nil {
		return err
	}
	if err := update(conn, id, c.Updated); err != nil {
		return err
	}
	if err := insertPurchases(conn, id, c.Purchases); err != nil {
		return err
	}
	if err := saveWaitlist(conn, id, c); err != nil {
		return err
	}
	if err := saveDraw(conn, id, c); err != nil {
		return err
	}
	if err := savePasses(conn, id, c); err != nil {
		return err
	}
	if err := savePayments(conn, c); err != nil {
		return err
	}
	if err := insertLedger(conn, id, c.Ledger); err != nil {
		return err
	}
	if c.Revision != nil {
		if err := insert(conn, records.Revisions, id, c.Revision); err != nil {
			return err
		}
	}
	return insertKept(conn, id, c.Kept)
}

func updateDrop(conn *sqlite.Conn, s *drop.State) error {
	return change(conn, sqlRunBatchUpdateDrop, "drop", 1, func(st *sqlite.Stmt, _ int) int64 {
		for i, c := range records.Drops.Columns {
			if c.Name != "created_at" { // which never changes
				a := c.Of(s)
				bindArgument(st, i+1, &a)
			}
		}
		return int64(s.ID)
	})
}

func updateSizes(conn *sqlite.Conn, s *drop.State, moved []int) error {
	return change(conn, sqlRunBatchUpdateSize, "size", len(moved), func(st *sqlite.Stmt, i int) int64 {
		place := int64(moved[i])
		n := &s.Sizes[place].Stock
		bind(st, int64(s.ID), place, n.Total, n.Available, n.Held, n.Sold, s.Sizes[place].Waiting, s.Sizes[place].Pending)
		return place
	})
}

func end(conn *sqlite.Conn, id drop.ID, ended []*drop.Reservation) error {
	return change(conn, sqlRunBatchEnd, "active reservation", len(ended), func(st *sqlite.Stmt, i int) int64 {
		r := ended[i]
		bind(st, int64(id), int64(r.ID), int64(r.Status), int64(r.EndedAt))
		return int64(r.ID)
	})
}

func update(conn *sqlite.Conn, id drop.ID, updated []*drop.Reservation) error {
	return change(conn, sqlRunBatchUpdate, "reservation", len(updated), func(st *sqlite.Stmt, i int) int64 {
		r := updated[i]
		bind(st, int64(id), int64(r.ID), int64(r.ExpiresAt), int64(r.Payment), int64(r.Claim))
		return int64(r.ID)
	})
}

func takeBack(conn *sqlite.Conn, id drop.ID, returned []*drop.Purchase) error {
	return change(conn, sqlRunBatchReturn, "purchase", len(returned), func(st *sqlite.Stmt, i int) int64 {
		p := returned[i]
		bind(st, int64(id), int64(p.ID), int64(p.Return), int64(p.ReturnedAt))
		return int64(p.ID)
	})
}

func insertReservations(conn *sqlite.Conn, id drop.ID, made []*drop.Reservation) error {
	var bound *string
	return change(conn, sqlRunBatchReserve, "reservation", len(made), func(st *sqlite.Stmt, i int) int64 {
		r := made[i]
		bind(st, int64(id), int64(r.ID), int64(r.UserID))
		if bound == nil || *bound != r.Size { // binding a text allocates, and consecutive buyers often want the same size
			bound = &r.Size
			st.BindText(4, r.Size)
		}
		st.BindInt64(5, int64(r.Status))
		st.BindInt64(6, int64(r.CreatedAt))
		st.BindInt64(7, int64(r.ExpiresAt))
		st.BindInt64(8, int64(r.EndedAt))
		st.BindBool(9, r.Offer)
		st.BindInt64(10, int64(r.Pass))
		return int64(r.ID)
	})
}

func insertPurchases(conn *sqlite.Conn, id drop.ID, purchases []drop.Purchase) error {
	return change(conn, sqlRunBatchPurchase, "purchase", len(purchases), func(st *sqlite.Stmt, i int) int64 {
		p := &purchases[i]
		bind(st, int64(id), int64(p.ID), int64(p.ReservationID), int64(p.UserID))
		st.BindText(5, p.Size)
		st.BindInt64(6, int64(p.Price))
		st.BindInt64(7, int64(p.CreatedAt))
		return int64(p.ID)
	})
}

// paid are the columns of sqlRunBatchPay.
var paid = records.Payments.Changing()

func savePayments(conn *sqlite.Conn, c *drop.Changes) error {
	if err := changePayments(conn, inserts[records.Payments], records.Payments.Columns, c.Begun); err != nil {
		return err
	}
	return changePayments(conn, sqlRunBatchPay, paid, c.Paid)
}

func changePayments(conn *sqlite.Conn, query string, columns []*records.Column, payments []*drop.Payment) error {
	return change(conn, query, "payment", len(payments), func(st *sqlite.Stmt, i int) int64 {
		for n, column := range columns {
			a := column.Of(payments[i])
			bindArgument(st, n+1, &a)
		}
		return int64(payments[i].ID)
	})
}

func insertLedger(conn *sqlite.Conn, id drop.ID, entries []drop.LedgerEntry) error {
	return change(conn, sqlRunBatchLedger, "ledger entry", len(entries), func(st *sqlite.Stmt, i int) int64 {
		e := &entries[i]
		bind(st, int64(id), int64(e.Seq))
		st.BindBytes(3, e.Batch[:])
		st.BindInt64(4, int64(e.At))
		st.BindText(5, e.Size)
		st.BindText(6, string(e.Reason))
		st.BindInt64(7, e.Units)
		st.BindInt64(8, e.Available)
		st.BindInt64(9, e.Version)
		if e.Numbers == "" {
			st.BindNull(10)
		} else {
			st.BindBytes(10, []byte(e.Numbers))
		}
		return int64(e.Seq)
	})
}

// change runs a statement n times. Each time, set binds its parameters and returns the number of the single row that
// it must change or add.
func change(conn *sqlite.Conn, query, what string, n int, set func(st *sqlite.Stmt, i int) int64) error {
	st, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	for i := range n {
		id := set(st, i)
		if err := run(st); err != nil {
			return fmt.Errorf("write %s %d: %w", what, id, err)
		}
		if rows := conn.Changes(); rows != 1 {
			return fmt.Errorf("changed %d rows of %s %d: want 1", rows, what, id)
		}
	}
	return nil
}
