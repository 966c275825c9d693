package postgres

import (
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/store/records"
)

// statements returns every string constant of the files sql_*.go by its name, and the statements from package
// records.
func statements(t *testing.T) map[string]string {
	t.Helper()
	fset := token.NewFileSet()
	names, err := filepath.Glob("sql_*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	// Only the constants are checked, so the import need not resolve.
	cfg := types.Config{Error: func(error) {}}
	pkg, _ := cfg.Check("postgres", fset, files, nil)
	all := make(map[string]string)
	for _, name := range pkg.Scope().Names() {
		if c, ok := pkg.Scope().Lookup(name).(*types.Const); ok && c.Val().Kind() == constant.String {
			all[name] = constant.StringVal(c.Val())
		}
	}
	maps.Copy(all, map[string]string{ // made of a table's columns
		"runBatchPasses": runBatchPasses, "runBatchEntries": runBatchEntries, "runBatchWaiting": runBatchWaiting,
		"runBatchEntrants": runBatchEntrants, "runBatchDrawEntries": runBatchDrawEntries,
		"runBatchWritePasses": runBatchWritePasses,
	})
	for _, table := range records.Tables { // and the statements of package records about one drop
		all["rows of "+table.Name], all["insert into "+table.Name] = ofOne(table), dialect.Insert(table)
		if table.Key != "" {
			all["page of "+table.Name] = page(table, true)
		}
	}
	return all
}

func TestStatements_StayWithinOneDrop(t *testing.T) {
	// These cross drops, and their method's comment says so.
	crossing := []string{
		"snapshotDrop", "snapshotDropEnd", "snapshotSizes", "snapshotRecent", // the first parts of other statements
		"dropsDrop", "dropsSizes", "dropsRecent", "pulseDrops", "reservationsReservations",
		"createDropLock", "forgetKeys",
		// About the drops of one group.
		"runBatchDrops", "runBatchLock", "runBatchLockFree", "runBatchSizes", "runBatchDue", "runBatchWriteDrops", "runBatchWriteSizes",
		"runBatchWriteEnded", "runBatchWriteLeft", "runBatchWriteRedrawn", "runBatchWriteReturned", "runBatchWriteMade", "runBatchWriteUpdated", "runBatchWritePurchases", "runBatchWriteLedger", "runBatchWriteKept",
		"runBatchWritePasses", "runBatchWriteUses",
	}
	table := regexp.MustCompile(
		`(FROM|JOIN|UPDATE|INTO|TABLE|TRUNCATE) sneakerdrop\.(drops|sizes|reservations|purchases|ledger|idempotency_keys|waitlist|draw_entries|passes)\b`)
	ofOneDrop := regexp.MustCompile(`\b(drop_id|id)(?: \+ 0)? (= (\$1|d\.id)|BETWEEN \$1 AND \$1)\b`)
	inserted := regexp.MustCompile(`(?s)INSERT INTO sneakerdrop\.\w+ \((drop_id|id), .*(SELECT \$1::bigint|VALUES \(\$1),`)
	all := statements(t)
	if len(all) < 80 {
		t.Fatalf("found only %d statements in sql_*.go", len(all))
	}
	for name, sql := range all {
		if strings.Contains(sql, ".ctid = place.ctid") { // a location that was found by key
			sql = strings.Replace(sql, "UPDATE sneakerdrop.reservations", "", 1)
			sql = strings.Replace(sql, "UPDATE sneakerdrop.purchases", "", 1)
			sql = strings.Replace(sql, "UPDATE sneakerdrop.waitlist", "", 1)
			sql = strings.Replace(sql, "UPDATE sneakerdrop.draw_entries", "", 1)
		}
		tables := len(table.FindAllString(sql, -1))
		if tables == 0 || slices.Contains(crossing, name) {
			continue
		}
		if n := len(ofOneDrop.FindAllString(sql, -1)) + len(inserted.FindAllString(sql, -1)); n < tables {
			t.Errorf("%s touches %d tables of drops and names the one drop %d times:%s", name, tables, n, sql)
		}
	}
	for _, name := range crossing {
		if all[name] == "" {
			t.Errorf("the list of exceptions has %s, which is no statement", name)
		}
	}
}

func TestStatements_NeverCompareWithAny(t *testing.T) {
	for name, sql := range statements(t) {
		if strings.Contains(sql, "ANY") {
			t.Errorf("%s compares with ANY: its plan turns as the table grows", name)
		}
	}
}

func TestStatements_PoolerGetsTheSameSettings(t *testing.T) {
	given := queueSettings(settings(nil))
	for _, p := range pins() {
		if want := "(E'" + p.name + "', E'" + p.value + "')"; p.each && !strings.Contains(given, want) {
			t.Errorf("a transaction behind a pooler is not given %s", want)
		}
	}
}
