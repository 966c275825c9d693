package copier_test

import (
	"strings"
	"testing"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/stores"
)

// database is a store that can be copied from and to, and whose SQL a test can also reach directly.
type database struct {
	engine
	url string
}

type engine interface {
	store.Store
	store.Exporter
	store.Importer
}

var engines = map[string]func(*testing.T) database{"sqlite": openSQLite, "postgres": openPostgres}

func openSQLite(t *testing.T) database   { return openDatabase(t, "sqlite") }
func openPostgres(t *testing.T) database { return openDatabase(t, "postgres") }

func openDatabase(t *testing.T, name string) database {
	t.Helper()
	s, url := stores.OpenDatabase(t, name)
	return database{s.(engine), url}
}

func (d database) exec(t *testing.T, sql string) {
	t.Helper()
	stores.Exec(t, d.url, sql)
}

// query returns a query's first column as text.
func (d database) query(t *testing.T, sql string) (first []string) {
	t.Helper()
	for _, row := range stores.Query(t, d.url, sql) {
		first = append(first, row[0])
	}
	return first
}

// tables returns the tables of the schema, each with its columns.
func (d database) tables(t *testing.T) map[string][]string {
	t.Helper()
	names := `SELECT table_name::text, column_name::text FROM information_schema.columns
		WHERE table_schema = 'sneakerdrop' ORDER BY table_name, ordinal_position`
	if strings.HasPrefix(d.url, "sqlite:") {
		names = `SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid`
	}
	all := make(map[string][]string)
	for _, row := range stores.Query(t, d.url, names) {
		all[row[0]] = append(all[row[0]], row[1])
	}
	return all
}
