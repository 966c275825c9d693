package sqlite

import (
	"cmp"
	"context"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// Export implements store.Exporter.
func (s *Store) Export(ctx context.Context, each func(store.Row) error) error {
	var r reader
	err := s.read(ctx, "read everything", func(conn *sqlite.Conn) error {
		r.conn = conn
		return records.Export(r.read, each)
	})
	return cmp.Or(r.stopped, err)
}

// Import implements store.Importer. Data that does not fit into the cache goes to the log beside the file, which
// grows.
func (s *Store) Import(ctx context.Context, into store.Into, fill func(put func(store.Row) error) error, check func(store.Rows) error) error {
	var stopped error // the error of fill or check
	err := s.write(ctx, "store everything", func(conn *sqlite.Conn) (bool, error) {
		stopped = nil
		if err := makeRoom(conn, into); err != nil {
			return false, err
		}
		var failed error // our own error, which fill may wrap
		filled := fill(func(r store.Row) error {
			if failed == nil {
				failed = records.Parts(r, func(t *records.Table, of drop.ID, row any) error { return insert(conn, t, of, row) })
			}
			return failed
		})
		if failed != nil {
			return false, failed
		}
		if filled == nil && check != nil {
			filled = check(func(each func(store.Row) error) error {
				r := reader{conn: conn}
				err := records.Export(r.read, each)
				return cmp.Or(r.stopped, err)
			})
		}
		stopped = filled
		return stopped == nil, stopped
	})
	return cmp.Or(stopped, err)
}

// makeRoom deletes the old content, or returns store.ErrNotEmpty if into does not allow that.
func makeRoom(conn *sqlite.Conn, into store.Into) error {
	if into == store.IntoAnyShop {
		for _, t := range records.Shop() {
			if err := execute(conn, dialect.Clear(t)); err != nil {
				return err
			}
		}
		return nil
	}
	empty, err := integer(conn, dialect.Empty(records.Beginning(into)))
	if err == nil && empty == 0 {
		err = store.ErrNotEmpty
	}
	return err
}
