//go:build linux

package test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/testing/pgtest"
)

// PostgreSQL stops, dies, freezes, loses sessions and answers, or has no connections or disk space left. That costs
// answers but never a sale, and the server recovers by itself.
func TestFault_PostgreSQL(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	c := pgtest.NewCluster(t, pgtest.Where{Settings: []string{"max_connections=40"}})
	proxy, through := pgtest.NewProxy(t, c.URL())
	tr := newTraffic(t, seed, through, c.URL())
	restart := func(stop func() error) func() func() {
		return func() func() {
			must(t, stop())
			return func() { must(t, c.Start()) }
		}
	}
	admin := session(t, c.URL()) // does not survive a restart
	faults := []fault{
		// COMMIT waits for the disk, and the fault strikes there.
		{name: "terminated in COMMIT", strike: func() func() {
			return every(proxy, pgtest.AtCommit, func(l *pgtest.Line) {
				if _, err := admin.Exec(context.Background(), `SELECT pg_terminate_backend($1)`, int32(l.PID())); err != nil {
					t.Error(err)
				}
			})
		}, last: 600 * time.Millisecond},
		{name: "stopped fast", strike: restart(c.StopFast), last: 300 * time.Millisecond},
		{name: "stopped immediately", strike: restart(c.StopImmediately), last: 300 * time.Millisecond},
		{name: "killed", strike: restart(c.Kill), last: 300 * time.Millisecond},
		{name: "frozen", strike: func() func() { c.Freeze(); return c.Thaw }, last: 1500 * time.Millisecond, quiet: true},
		{name: "sessions terminated", strike: func() func() { return terminateAll(t, c.URL()) }, last: 600 * time.Millisecond},
		{name: "no connection left", strike: func() func() { return takeConnections(t, c.URL()) }, last: 600 * time.Millisecond},
	}
	for _, m := range []pgtest.Moment{pgtest.BeforeCommit, pgtest.AtCommit, pgtest.AfterCommit} {
		faults = append(faults, fault{
			name: "cut " + m.String(), strike: func() func() { return every(proxy, m, (*pgtest.Line).Cut) }, last: 600 * time.Millisecond,
		})
	}
	tr.suffer(faults...)
	t.Log(tr.report())
	tr.server.kill()
	diskFull(t, seed)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// every calls f at that moment of a COMMIT, and then lets the others pass for 25 ms, until stop is called.
func every(p *pgtest.Proxy, m pgtest.Moment, f func(*pgtest.Line)) (stop func()) {
	var mu sync.Mutex
	stopped := false
	var set func()
	set = func() {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			return
		}
		p.Next(m, func(l *pgtest.Line) {
			f(l)
			time.AfterFunc(25*time.Millisecond, set)
		})
	}
	set()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		p.Next(m, nil)
	}
}

func session(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sneakerdrop'`

// terminateAll ends all sessions of the server, including new ones.
func terminateAll(t *testing.T, url string) (stop func()) { return again(t, url, terminate) }

// again runs a statement every 20 ms.
func again(t *testing.T, url, sql string) (stop func()) {
	conn := session(t, url)
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			if _, err := conn.Exec(context.Background(), sql); err != nil {
				t.Error(err)
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() {
		close(ended)
		<-done
		_ = conn.Close(context.Background())
	}
}

// takeConnections ends the server's sessions and opens as many as PostgreSQL allows.
func takeConnections(t *testing.T, url string) (giveBack func()) {
	admin := session(t, url)
	taken := []*pgx.Conn{admin}
	for quiet := 0; quiet < 10; { // the server keeps trying too
		_, err := admin.Exec(context.Background(), terminate)
		must(t, err)
		for {
			conn, err := pgx.Connect(context.Background(), url)
			if err != nil {
				quiet++
				break
			}
			quiet = 0
			taken = append(taken, conn)
		}
	}
	return func() {
		var err error
		for _, conn := range taken {
			err = errors.Join(err, conn.Close(context.Background()))
		}
		must(t, err)
	}
}

// diskFull fills the disk of a cluster. If no small disk can be made, the test makes PostgreSQL report that the disk
// is full.
func diskFull(t *testing.T, seed uint64) {
	disk := smallDisk(t, 160<<20)
	if disk == "" {
		tr := newTraffic(t, seed, pgtest.Database(t), "")
		tr.books = tr.args[1][len("--database="):]
		tr.suffer(fault{name: "disk said to be full", strike: func() func() { return sayFull(t, tr.books) }, last: time.Second})
		return
	}
	c := pgtest.NewCluster(t, pgtest.Where{
		Dir: disk, Initdb: []string{"--wal-segsize=1"}, Settings: []string{"min_wal_size=2MB", "max_wal_size=8MB", "shared_buffers=16MB"},
	})
	tr := newTraffic(t, seed, c.URL(), c.URL())
	full := func(then func()) func() func() {
		return func() func() {
			empty := fill(t, disk)
			then()
			return func() {
				empty()
				if !c.Running() { // it ended itself, and is started again like a service
					must(t, c.Start())
				}
			}
		}
	}
	tr.suffer(
		fault{name: "disk full", strike: full(func() {}), last: time.Second},
		fault{name: "no room for the log", strike: full(func() { spendLog(t, c.URL()) }), last: 600 * time.Millisecond},
	)
	tr.server.kill()
}

// spendLog uses up the existing segments of PostgreSQL's log. The server dies if there is no next one.
func spendLog(t *testing.T, url string) {
	conn := session(t, url)
	for range 100 {
		if _, err := conn.Exec(context.Background(), `SELECT pg_logical_emit_message(true, '', ''), pg_switch_wal()`); err != nil {
			return
		}
	}
	t.Error("PostgreSQL's log has more room than its disk")
}

// sayFull makes each COMMIT that changes stock fail as on a full disk.
func sayFull(t *testing.T, url string) (stop func()) {
	conn := session(t, url)
	_, err := conn.Exec(t.Context(), `CREATE FUNCTION public.say_full() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE EXCEPTION SQLSTATE '53100'; END$$;
		CREATE CONSTRAINT TRIGGER say_full AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION public.say_full()`)
	must(t, err)
	return func() {
		_, err := conn.Exec(t.Context(), `DROP TRIGGER say_full ON sneakerdrop.drops`)
		must(t, err)
	}
}
