package stores

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Exec runs statements in a database, bypassing the program. On PostgreSQL, names refer to the program's schema.
func Exec(t testing.TB, database, statements string) {
	t.Helper()
	if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
		conn := openFile(t, file)
		defer conn.Close()
		if err := sqlitex.ExecuteScript(conn, statements, nil); err != nil {
			t.Fatalf("%s: %v", statements, err)
		}
		return
	}
	conn := connect(t, database)
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// Query returns the rows of a query as text, bypassing the program.
func Query(t testing.TB, database, query string) (rows [][]string) {
	t.Helper()
	if file, ok := strings.CutPrefix(database, "sqlite:"); ok {
		conn := openFile(t, file)
		defer conn.Close()
		if err := sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			var texts []string
			for i := range row.ColumnCount() {
				texts = append(texts, row.ColumnText(i))
			}
			rows = append(rows, texts)
			return nil
		}}); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return rows
	}
	conn := connect(t, database)
	defer conn.Close(context.WithoutCancel(t.Context()))
	found, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	rows, err = pgx.CollectRows(found, func(row pgx.CollectableRow) (texts []string, err error) {
		values, err := row.Values()
		for _, v := range values {
			texts = append(texts, fmt.Sprint(v))
		}
		return texts, err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return rows
}

func openFile(t testing.TB, file string) *sqlite.Conn {
	t.Helper()
	conn, err := sqlite.OpenConn(file, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SET search_path = sneakerdrop`); err != nil {
		t.Fatal(err)
	}
	return conn
}
