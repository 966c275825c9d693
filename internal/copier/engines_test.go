package copier_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	sqlitestore "sneakerdrop/internal/store/sqlite"
	"sneakerdrop/internal/testing/pgtest"
)

// database is a store that can be copied from and to, and that SQL can reach past the program.
type database struct {
	engine
	// tables are those of the schema, each with its columns.
	tables func(t *testing.T) map[string][]string
	// query returns a column's values as text, in the order of the table's first column that is asked for.
	query func(t *testing.T, sql string) []string
	exec  func(t *testing.T, sql string)
}

type engine interface {
	store.Store
	store.Exporter
	store.Importer
}

var engines = map[string]func(*testing.T) database{"sqlite": openSQLite, "postgres": openPostgres}

func openSQLite(t *testing.T) database {
	file := filepath.Join(t.TempDir(), "shop.db")
	s, err := sqlitestore.Open(file, sqlitestore.Options{})
	migrate(t, s, err)
	run := func(t *testing.T, sql string, row func(*sqlite.Stmt)) {
		t.Helper()
		conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := sqlitex.ExecuteTransient(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error {
			row(st)
			return nil
		}}); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	d := database{engine: s}
	d.exec = func(t *testing.T, sql string) { run(t, sql, func(*sqlite.Stmt) {}) }
	d.query = func(t *testing.T, sql string) (texts []string) {
		run(t, sql, func(st *sqlite.Stmt) { texts = append(texts, st.ColumnText(0)) })
		return texts
	}
	d.tables = func(t *testing.T) map[string][]string {
		all := make(map[string][]string)
		run(t, `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`,
			func(st *sqlite.Stmt) { all[st.ColumnText(0)] = append(all[st.ColumnText(0)], st.ColumnText(1)) })
		return all
	}
	return d
}

func openPostgres(t *testing.T) database {
	url := pgtest.Migrated(t)
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	migrate(t, s, err)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	d := database{engine: s}
	d.exec = func(t *testing.T, sql string) {
		t.Helper()
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	texts := func(t *testing.T, sql string) (rows [][2]string) {
		t.Helper()
		found, err := conn.Query(t.Context(), sql)
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		for found.Next() {
			values, err := found.Values()
			if err != nil {
				t.Fatal(err)
			}
			row := [2]string{fmt.Sprint(values[0])}
			if len(values) > 1 {
				row[1] = fmt.Sprint(values[1])
			}
			rows = append(rows, row)
		}
		if err := found.Err(); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		return rows
	}
	d.query = func(t *testing.T, sql string) (first []string) {
		for _, row := range texts(t, sql) {
			first = append(first, row[0])
		}
		return first
	}
	d.tables = func(t *testing.T) map[string][]string {
		all := make(map[string][]string)
		for _, row := range texts(t, `SELECT table_name::text, column_name::text FROM information_schema.columns
			WHERE table_schema = 'sneakerdrop' ORDER BY table_name, ordinal_position`) {
			all[row[0]] = append(all[row[0]], row[1])
		}
		return all
	}
	d.exec(t, `SET search_path = sneakerdrop`)
	return d
}

func migrate(t *testing.T, s store.Store, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}
