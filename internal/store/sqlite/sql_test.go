package sqlite

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// crossDrops lists the statements that may touch rows of several drops, and why.
var crossDrops = map[string]string{
	"sqlCreateDropNext": "the next number is after all others",
	"sqlDrops":          "lists them",
	"sqlPulse":          "lists them; each drop's deadline is found by its key",
	"sqlReservations":   "a buyer's reservations over all drops; each drop's by its key",
	"sqlForget":         "by age, whatever they belong to",
}

var (
	dropTable = regexp.MustCompile(`\b(FROM|JOIN|INTO|UPDATE) (drops|sizes|reservations|purchases|ledger|idempotency_keys|waitlist|draw_entries|passes)\b`)
	inserted  = regexp.MustCompile(`(?s)^\s*INSERT INTO (drops \(id|\w+ \(drop_id), .*VALUES \(\?1, `)
	keyed     = regexp.MustCompile(`^SEARCH (drops|d) USING INTEGER PRIMARY KEY \(rowid=\?\)|^SEARCH \w+ USING .*\(drop_id=\?`)
	touched   = regexp.MustCompile(`^(SCAN|SEARCH) (\w+)`)
)

func page(t *records.Table, newest bool) string {
	return selects(records.Query{Table: t, Page: &records.Page{Newest: newest}})
}

// selects is the statement of a query.
func selects(q records.Query) string {
	sql, _ := dialect.Select(&q)
	return sql
}

func ofOne(t *records.Table) string {
	return selects(records.Query{Table: t})
}

// statements returns the SQL of this package by name, and the statements from package records.
func statements(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "sql.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]string)
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, name := range spec.Names {
			lit, ok := spec.Values[i].(*ast.BasicLit)
			if !ok {
				continue // made of a table's columns
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[name.Name] = text
		}
		return true
	})
	if len(found) < 20 {
		t.Fatalf("found %d statements in sql.go", len(found))
	}
	for _, table := range records.Tables { // and the statements of package records about one drop
		found["rows of "+table.Name], found["insert into "+table.Name] = ofOne(table), dialect.Insert(table)
		if table.Key != "" {
			found["page of "+table.Name] = page(table, true)
		}
	}
	return found
}

// violation returns why a statement breaks the rule that a drop's rows are found by keys that start with its number.
func violation(t *testing.T, s *Store, query string) string {
	t.Helper()
	if strings.HasPrefix(strings.TrimSpace(query), "INSERT") {
		if !inserted.MatchString(query) {
			return "does not insert under ?1, the drop"
		}
		return ""
	}
	for _, step := range plan(t, s, query) {
		m := touched.FindStringSubmatch(step)
		if m == nil || m[2] == "u" || m[2] == "CONSTANT" {
			continue // not a table, or the users
		}
		if !keyed.MatchString(step) {
			return step
		}
	}
	return ""
}

func plan(t *testing.T, s *Store, query string) (steps []string) {
	t.Helper()
	err := s.read(t.Context(), "plan", func(conn *sqlite.Conn) error {
		st, _, err := conn.PrepareTransient("EXPLAIN QUERY PLAN " + query)
		if err != nil {
			return err
		}
		defer func() { _ = st.Finalize() }()
		return rows(st, func() { steps = append(steps, st.ColumnText(3)) })
	})
	if err != nil {
		t.Fatalf("plan of %s: %v", query, err)
	}
	return steps
}

func TestStatements_TouchOneDropByItsKey(t *testing.T) {
	s := openNew(t, Options{})
	all := statements(t)
	for name, query := range all {
		if !dropTable.MatchString(query) || crossDrops[name] != "" {
			continue
		}
		if v := violation(t, s, query); v != "" {
			t.Errorf("%s: %s", name, v)
		}
	}
	for name := range crossDrops {
		if all[name] == "" {
			t.Errorf("the exception %s names no statement", name)
		}
	}
	for _, query := range []string{
		"SELECT id FROM reservations WHERE user_id = ?1",
		"UPDATE sizes SET sold = 0 WHERE label = ?1",
		"DELETE FROM ledger WHERE seq = ?1",
		"SELECT id FROM drops WHERE name = ?1",
	} {
		if violation(t, s, query) == "" {
			t.Errorf("not seen as a violation: %s", query)
		}
	}
}

// A batch, a page and a buyer's list depend on these plans. Each look-up uses the index made for it, without a sort.
func TestStatements_Plans(t *testing.T) {
	s := openNew(t, Options{})
	for query, index := range map[string]string{
		sqlRunBatchDue:      "reservations_deadline (drop_id=? AND expires_at<?)",
		sqlRunBatchDeadline: "reservations_deadline (drop_id=? AND expires_at>?)",
		sqlRunBatchLine:     "waitlist_line (drop_id=? AND line=? AND status=? AND id>?)",
		sqlRunBatchWaiting:  "waitlist_user (drop_id=? AND user_id=?)",
		sqlRunBatchPass:     "passes USING INDEX passes_hash (drop_id=? AND hash=?)",
		sqlRunBatchUse:      "passes USING PRIMARY KEY (drop_id=? AND id=?)",
		sqlDropDeadline:     "reservations_deadline (drop_id=?)",
		sqlRunBatchUsage:    "reservations_user (drop_id=? AND user_id=? AND status<?)",
		sqlRunBatchUnpaid:   "reservations_user (drop_id=? AND user_id=? AND status>?)",
		sqlReservations:     "reservations_user (drop_id=? AND user_id=?)",
		sqlPulse:            "reservations_deadline (drop_id=?)",
		sqlRunBatchKept:     "idempotency_keys_1 (drop_id=? AND caller=? AND operation=? AND key=?)",
		sqlForget:           "idempotency_keys_created (created_at<?)",
		sqlEnsureSubject:    "users_subject (issuer=? AND subject=?)",

		selects(records.Due(5, 5, 100)): "payments_unsettled (unsettled=? AND id>?)",
		selects(records.OfUnit(5)):      "reservations USING PRIMARY KEY (drop_id=? AND id=?)",
		selects(records.OfDrop(1)):      "payments_reservation (reservation_id>? AND reservation_id<?)",

		selects(records.Ahead(&drop.Entry{ID: drop.NewEntryID(1, 9)}, 2)): "waitlist_line (drop_id=? AND line=? AND status=? AND id>? AND id<?)",
		selects(records.EntriesOf(1, 7)):                                  "waitlist_user (drop_id=? AND user_id=?)",
		selects(records.NewestOfLine(1, 0, drop.Offered, 9)):              "waitlist_line (drop_id=? AND line=? AND status=? AND id<?)",

		page(records.Sales, false):  "p USING PRIMARY KEY (drop_id=? AND id>?)",
		page(records.Sales, true):   "p USING PRIMARY KEY (drop_id=? AND id<?)",
		page(records.Actions, true): "a USING INTEGER PRIMARY KEY (rowid<?)",
		page(records.Ledger, false): "ledger USING PRIMARY KEY (drop_id=? AND seq>?)",
		ofOne(records.Ledger):       "ledger USING PRIMARY KEY (drop_id=?)",
		ofOne(records.Reservations): "reservations USING PRIMARY KEY (drop_id=?)",
		ofOne(records.Purchases):    "purchases USING PRIMARY KEY (drop_id=?)",
		ofOne(records.Passes):       "passes USING PRIMARY KEY (drop_id=?)",
		ofOne(records.Keys):         "idempotency_keys_1 (drop_id=?)",
	} {
		steps := strings.Join(plan(t, s, query), "\n")
		if !strings.Contains(steps, index) {
			t.Errorf("want %s in the plan of %s\ngot\n%s", index, query, steps)
		}
		if query != sqlReservations && strings.Contains(steps, "TEMP B-TREE") {
			t.Errorf("a sort in the plan of %s\n%s", query, steps)
		}
	}
}

// TestStatements_StandInOneFile keeps SQL out of the other files.
func TestStatements_StandInOneFile(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	query := regexp.MustCompile(`\b(SELECT|INSERT INTO|DELETE FROM|UPDATE)\b`)
	for _, name := range names {
		if name == "sql.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && query.MatchString(lit.Value) {
				t.Errorf("%s: SQL outside sql.go: %s", name, lit.Value)
			}
			return true
		})
	}
}

// A variable in LIMIT would make SQLite plan the statement again at every call.
func TestStatements_LimitIsNoBareVariable(t *testing.T) {
	bare := regexp.MustCompile(`LIMIT \?\d+\s*$`)
	for name, query := range statements(t) {
		if bare.MatchString(query) {
			t.Errorf("%s: write LIMIT ?n + 0", name)
		}
	}
}
