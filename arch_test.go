package sneakerdrop_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "sneakerdrop"

// house lists the folders from top to bottom: a package may import what stands below its line, never what stands above
// or beside it. A package below a folder (store/postgres) has its own line where its place differs.
var house = [][]string{
	{"cmd/sneakerdrop", "bench/program"},
	{"internal/cli"},
	{"internal/app"},
	{"internal/api", "internal/load", "internal/web", "internal/live/sse", "internal/live/sockets"},
	{"internal/shop"},
	{"internal/live", "internal/rehearse"},
	{"internal/events/webhooks"},
	{"internal/bus", "internal/events"},
	{"internal/payment/stripe", "internal/payment/external", "internal/payment/demo"},
	{"internal/payment"},
	{"internal/identity", "internal/limit", "internal/http1"},
	{"internal/engine", "internal/audit", "internal/importer", "internal/copier"},
	{"internal/store/postgres", "internal/store/sqlite", "internal/store/memory"},
	{"internal/store/records"},
	{"internal/store"},
	{"internal/operator"},
	{"internal/drop"},
	{"internal/text", "internal/draw", "internal/flatjson", "internal/markdown", "internal/negotiate", "client"},
}

// outside has the packages that import nothing from elsewhere but the standard library and what begins like this:
// they are pure.
var outside = map[string][]string{
	"internal/drop":     nil,
	"internal/text":     {"golang.org/x/text/", "github.com/clipperhouse/uax29/v2/graphemes"},
	"internal/draw":     {"github.com/go-json-experiment/json", "github.com/cloudflare/circl/sign/bls"},
	"internal/flatjson": nil,
	"client":            nil,
}

// support is the floor of the tests' own packages. They import whatever they test and each other; of the product,
// only tests import them.
const support = "internal/testing/"

type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

func TestImports_PointDown(t *testing.T) {
	packages := load(t)
	if len(packages) < 5 {
		t.Fatalf("only %d packages found: the test looks in the wrong place", len(packages))
	}
	for _, fault := range faults(packages) {
		t.Error(fault)
	}
}

// TestImports_FaultsAreSeen keeps the rule from going blind.
func TestImports_FaultsAreSeen(t *testing.T) {
	for _, forbidden := range []pkg{
		{ImportPath: "internal/drop", Imports: []string{"github.com/jackc/pgx/v5"}},
		{ImportPath: "internal/drop", Imports: []string{module + "/internal/store"}},
		{ImportPath: "internal/drop", Imports: []string{"golang.org/x/text/unicode/norm"}},
		{ImportPath: "internal/text", Imports: []string{"golang.org/x/sync/errgroup"}},
		{ImportPath: "internal/text", Imports: []string{module + "/internal/drop"}},
		{ImportPath: "internal/engine", Imports: []string{module + "/internal/api"}},
		{ImportPath: "internal/engine", Imports: []string{module + "/internal/store/sqlite"}},
		{ImportPath: "internal/api", Imports: []string{module + "/internal/store/postgres"}},
		{ImportPath: "internal/store/sqlite", Imports: []string{module + "/internal/store/postgres"}},
		{ImportPath: "internal/api", Imports: []string{module + "/internal/testing/storetest"}},
		{ImportPath: "internal/cli", Imports: []string{module + "/internal/testing/pgtest"}},
		{ImportPath: "internal/testing/pgtest", Imports: []string{module + "/internal/utils"}},
		{ImportPath: "internal/audit", Imports: []string{module + "/internal/engine"}},
		{ImportPath: "internal/importer", Imports: []string{module + "/internal/store/postgres"}},
		{ImportPath: "internal/copier", Imports: []string{module + "/internal/store/sqlite"}},
		{ImportPath: "internal/cli", Imports: []string{module + "/internal/utils"}},
		{ImportPath: "socketio", Imports: []string{module + "/internal/drop"}},
		{ImportPath: "internal/engine", Imports: []string{module + "/internal/live"}},
		{ImportPath: "internal/live/sse", Imports: []string{module + "/internal/live/sockets"}},
		{ImportPath: "internal/api", Imports: []string{module + "/internal/live/sse"}},
		{ImportPath: "internal/shop", Imports: []string{module + "/internal/live/sockets"}},
		{ImportPath: "internal/shop", Imports: []string{module + "/internal/store/sqlite"}},
		{ImportPath: "internal/app", Imports: []string{module + "/internal/cli"}},
		{ImportPath: "internal/cli", Imports: []string{module + "/bench/program"}},
		{ImportPath: "cmd/sneakerdrop", Imports: []string{module + "/bench/program"}},
	} {
		forbidden.ImportPath = module + "/" + forbidden.ImportPath
		if len(faults([]pkg{forbidden})) == 0 {
			t.Errorf("%s may import %s", forbidden.ImportPath, forbidden.Imports)
		}
	}
}

func load(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Standard,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

func faults(packages []pkg) []string {
	var found []string
	for _, p := range packages {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			if fault := check(from, imported); fault != "" {
				found = append(found, fault)
			}
		}
	}
	return found
}

// check says what is wrong with one import, or "".
func check(from, imported string) string {
	to, ours := strings.CutPrefix(imported, module+"/")
	if !ours {
		allowed, pure := outside[from]
		begins := func(prefix string) bool { return strings.HasPrefix(imported, prefix) }
		if pure && strings.Contains(strings.Split(imported, "/")[0], ".") && !slices.ContainsFunc(allowed, begins) {
			return fmt.Sprintf("%s imports %s: it is pure, and uses the standard library only%s", from, imported, exceptFor(allowed))
		}
		return ""
	}
	if strings.HasPrefix(from, "socketio") {
		if strings.HasPrefix(to, "socketio") {
			return ""
		}
		return fmt.Sprintf("%s imports %s: it is a library that knows nothing of drops", from, to)
	}
	forTests := strings.HasPrefix(from, support)
	if strings.HasPrefix(to, support) {
		if forTests {
			return ""
		}
		return fmt.Sprintf("%s imports %s, which is for tests", from, to)
	}
	upper, lower := level(from), level(to)
	switch {
	case lower < 0 && !strings.HasPrefix(to, "socketio"):
		return fmt.Sprintf("%s imports %s, which has no place in the house", from, to)
	case forTests:
		return ""
	case strings.HasPrefix(to, "internal/store/") && to != "internal/store/records" && from != "internal/cli" && from != "test":
		return fmt.Sprintf("%s imports %s: only cli opens databases, the others know the contract", from, to)
	case upper >= 0 && lower >= 0 && upper >= lower:
		return fmt.Sprintf("%s imports %s: the arrow points up", from, to)
	}
	return ""
}

func exceptFor(allowed []string) string {
	if len(allowed) == 0 {
		return ""
	}
	return ", except for " + strings.Join(allowed, " and ")
}

// level is the line of the package's folder in house, or −1.
func level(path string) int {
	for i, line := range house {
		for _, folder := range line {
			if path == folder || strings.HasPrefix(path, folder+"/") {
				return i
			}
		}
	}
	return -1
}

// make test runs some packages without the race detector. None of them may have a goroutine, nor a test that runs
// beside another.
func TestMakefile_RunsWithoutTheRaceDetectorWhatHasNoGoroutine(t *testing.T) {
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(makefile), "\nPURE       := ")
	line, _, _ = strings.Cut(line, "\n")
	if !found || line == "" {
		t.Fatal("the Makefile does not name the packages")
	}
	for folder := range strings.FieldsSeq(line) {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", folder, err)
		}
		for _, file := range files {
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				_, starts := n.(*ast.GoStmt)
				if s, ok := n.(*ast.SelectorExpr); starts || ok && (s.Sel.Name == "Go" || s.Sel.Name == "Parallel") {
					t.Errorf("%s has a goroutine", file)
				}
				return true
			})
		}
	}
}
