//go:build linux

package test

import (
	"os"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

// With a PgBouncer in between, in both modes that the docs allow, everything works, including its restart.
func TestFault_PgBouncer(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	for _, mode := range []struct{ name, parameters string }{
		{"session", ""},
		{"transaction", "&default_query_exec_mode=exec"},
	} {
		t.Run(mode.name, func(t *testing.T) {
			t.Parallel()
			direct := pgtest.Database(t)
			bouncer := pgtest.NewBouncer(t, direct, mode.name)
			tr := newTraffic(t, seed, bouncer.URL()+mode.parameters, direct)
			tr.suffer(fault{name: "restarted", last: 300 * time.Millisecond, strike: func() func() {
				must(t, bouncer.Stop())
				return func() { must(t, bouncer.Start()) }
			}})
			tr.server.kill()
			tr.start("300ms") // so that holds end
			tr.resume()
			time.Sleep(500 * time.Millisecond)
			tr.pause()
			tr.awaitEnds()
			tr.check()
			t.Log(tr.report())
		})
	}
}

// The server notices at the start if a pool mode loses prepared statements, and says so.
func TestPgBouncer_WrongModeIsRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	const want = "the pooler in front of PostgreSQL gives each transaction another connection; set pool_mode = session"
	for _, mode := range []string{"transaction", "statement"} {
		bouncer := pgtest.NewBouncer(t, pgtest.Database(t), mode)
		s, err := start(t.TempDir(), os.Environ(), "--addr=127.0.0.1:0", "--database="+bouncer.URL())
		if err == nil {
			s.kill()
			t.Errorf("%s: it was taken", mode)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--database") {
			t.Errorf("%s: %v, want that %s", mode, err, want)
		}
	}
}
