package sqlite

import (
	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// loadDraw loads what a batch needs of the draw.
func loadDraw(conn *sqlite.Conn, state *drop.State, need *drop.Need) error {
	each := func(query string, number int64) error {
		st, err := prepare(conn, query, int64(state.ID), number)
		if err != nil {
			return err
		}
		return rows(st, func() {
			var e drop.DrawEntry
			scan(st, records.DrawEntries.Columns, &e)
			state.LoadDrawEntry(e)
		})
	}
	for _, user := range distinct(need.Entrants) {
		if err := each(sqlRunBatchEntrant, int64(user)); err != nil {
			return err
		}
	}
	for _, id := range need.DrawEntries {
		if err := each(sqlRunBatchDrawEntry, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// saveDraw writes entries of a draw that are new or changed.
func saveDraw(conn *sqlite.Conn, id drop.ID, c *drop.Changes) error {
	if err := change(conn, sqlRunBatchRedraw, "draw entry", len(c.Redrawn), func(st *sqlite.Stmt, i int) int64 {
		e := c.Redrawn[i]
		bind(st, int64(id), int64(e.ID), int64(e.WithdrawnAt))
		st.BindText(4, e.Removed)
		st.BindInt64(5, int64(e.Pass))
		return int64(e.ID)
	}); err != nil {
		return err
	}
	for _, e := range c.Entered {
		if err := insert(conn, records.DrawEntries, id, e); err != nil {
			return err
		}
	}
	return nil
}
