package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/store/records"
)

// grantable returns the names of the tables and sequences to grant to the role that serves.
func (s *Store) grantable(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, migrateGrantable)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// grant gives the serving role its rights to those tables and sequences, and revokes all others. A running server
// keeps its rights throughout.
func grant(ctx context.Context, db *sql.DB, names []string) error {
	rights := map[string]string{"goose_db_version": "SELECT", "compatibility": "SELECT"}
	for _, t := range records.Tables {
		rights[t.Name] = t.Rights
		if t.Serves {
			rights[t.Sequence] = "USAGE"
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	for _, name := range names {
		name, rights := pgx.Identifier{"sneakerdrop", name}.Sanitize(), rights[name]
		if _, err := tx.ExecContext(ctx, "REVOKE ALL ON "+name+" FROM sneakerdrop_serve"); err != nil {
			return err
		}
		if rights == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, "GRANT "+rights+" ON "+name+" TO sneakerdrop_serve"); err != nil {
			return err
		}
	}
	return tx.Commit()
}
