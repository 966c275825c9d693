package sqlite

import (
	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// loadPasses loads the passes that a batch looks up.
func loadPasses(conn *sqlite.Conn, state *drop.State, hashes []drop.Hash) error {
	for _, hash := range hashes {
		st, err := prepare(conn, sqlRunBatchPass, int64(state.ID))
		if err != nil {
			return err
		}
		st.BindBytes(2, hash[:])
		if err := rows(st, func() {
			var p drop.Pass
			scan(st, records.Passes.Columns, &p)
			state.LoadPass(p)
		}); err != nil {
			return err
		}
	}
	return nil
}

// savePasses writes new passes, and the uses of passes.
func savePasses(conn *sqlite.Conn, id drop.ID, c *drop.Changes) error {
	for i := range c.Passes {
		if err := insert(conn, records.Passes, id, &c.Passes[i]); err != nil {
			return err
		}
	}
	for _, u := range c.Uses {
		st, err := prepare(conn, sqlRunBatchUse, int64(id), int64(u.Pass), int64(u.More))
		if err != nil {
			return err
		}
		if err := run(st); err != nil { // an audit finds a pass that is gone
			return err
		}
	}
	return nil
}
