package audit_test

import (
	"os"
	"strings"
	"testing"

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

// run runs statements, in which {batch} is 16 random bytes.
func (d database) run(t *testing.T, statements ...string) {
	t.Helper()
	batch := "gen_random_uuid()"
	if strings.HasPrefix(d.url, "sqlite:") {
		batch = "randomblob(16)"
	}
	stores.Exec(t, d.url, strings.ReplaceAll(strings.Join(statements, ";\n"), "{batch}", batch))
}
