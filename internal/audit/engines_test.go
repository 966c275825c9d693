package audit_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// database is a store whose SQL a test can also reach directly. url is empty if there is no SQL.
type database struct {
	store.Store
	url string
}

func onEachEngine(t *testing.T, test func(*testing.T, database)) {
	for _, engine := range stores.Engines {
		t.Run(engine, func(t *testing.T) {
			s, url := stores.OpenDatabase(t, engine)
			test(t, database{s, url})
		})
	}
}

// hexed are bytes in a statement.
var hexed = regexp.MustCompile(`\{hex ([0-9a-f]+)\}`)

// run runs statements, in which {batch} is 16 random bytes, {nobody} a list of numbers (see damage), and {hex 00} a
// byte.
func (d database) run(t *testing.T, statements ...string) {
	t.Helper()
	nobody := fmt.Sprintf("%x", string(drop.NumbersOf(1, 2, 3, 4, 99)))
	values := strings.NewReplacer("{batch}", "gen_random_uuid()", "{nobody}", `'\x`+nobody+`'::bytea`)
	if strings.HasPrefix(d.url, "sqlite:") {
		values = strings.NewReplacer("{batch}", "randomblob(16)", "{nobody}", "x'"+nobody+"'")
	}
	blob := `'\x$1'::bytea`
	if strings.HasPrefix(d.url, "sqlite:") {
		blob = "x'$1'"
	}
	stores.Exec(t, d.url, hexed.ReplaceAllString(values.Replace(strings.Join(statements, ";\n")), blob))
}
