package sqlite

import (
	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// loadWaitlist loads what a batch needs of the lines, and returns who is first in them.
func loadWaitlist(conn *sqlite.Conn, state *drop.State, need *drop.Need) (first []drop.UserID, err error) {
	each := func(query string, each func(drop.Entry), args ...int64) {
		if err != nil {
			return
		}
		var st *sqlite.Stmt
		if st, err = prepare(conn, query, args...); err == nil {
			err = rows(st, func() {
				var e drop.Entry
				scan(st, records.Entries.Columns, &e)
				each(e)
			})
		}
	}
	most := drop.OffersPerLine(len(state.Sizes))
	for i := range state.Sizes {
		if state.Sizes[i].Waiting == 0 {
			continue
		}
		var line []drop.Entry
		each(sqlRunBatchLine, func(e drop.Entry) { line = append(line, e) },
			int64(state.ID), int64(i), int64(drop.NewEntryID(state.ID, state.LineClosed)), int64(most)+1)
		whole := len(line) <= most
		line = line[:min(len(line), most)]
		for _, e := range line {
			first = append(first, e.UserID)
		}
		state.LoadLine(i, line, whole)
	}
	if state.DrawState.Lined > 0 && len(state.Sizes) > 1 { // a turn ends the buyer's other places
		for _, user := range distinct(first) {
			each(sqlRunBatchWaiting, state.LoadEntry, int64(state.ID), int64(user))
		}
	}
	for _, id := range need.Entries {
		each(sqlRunBatchEntry, state.LoadEntry, int64(state.ID), int64(id))
	}
	for _, user := range distinct(need.Waiting) {
		each(sqlRunBatchWaiting, state.LoadEntry, int64(state.ID), int64(user))
	}
	return first, err
}

// saveWaitlist writes entries that joined and left lines.
func saveWaitlist(conn *sqlite.Conn, id drop.ID, c *drop.Changes) error {
	if err := change(conn, sqlRunBatchLeave, "waitlist entry", len(c.Left), func(st *sqlite.Stmt, i int) int64 {
		e := c.Left[i]
		bind(st, int64(id), int64(e.ID), int64(e.Status), int64(e.EndedAt), int64(e.Offer))
		st.BindText(6, string(e.Why))
		return int64(e.ID)
	}); err != nil {
		return err
	}
	for _, e := range c.Joined {
		if err := insert(conn, records.Entries, id, e); err != nil {
			return err
		}
	}
	return nil
}
