package postgres_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/postgres/pgtest"
)

// proxy stands between a store and its server until it is told to cut the line.
type proxy struct {
	listener     net.Listener
	server       string
	loseQuestion atomic.Bool // the next bytes to the server are lost, and the line with them
	loseAnswer   atomic.Bool // the next bytes from the server
	wg           sync.WaitGroup
}

// newProxy returns the proxy and the URL that leads through it.
func newProxy(t *testing.T, to string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, server: u.Host}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.wg.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.wg.Go(func() { forward(server, client, &p.loseQuestion) })
		p.wg.Go(func() { forward(client, server, &p.loseAnswer) })
	}
}

func forward(to, from net.Conn, lose *atomic.Bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil || lose.CompareAndSwap(true, false) {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

func TestRunBatch_LostAnswerOfCommitIsUnknown(t *testing.T) {
	for _, test := range []struct {
		name      string
		cut       func(*proxy)
		committed bool
	}{
		{"the answer is lost", func(p *proxy) { p.loseAnswer.Store(true) }, true},
		{"the question is lost", func(p *proxy) { p.loseQuestion.Store(true) }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			direct := pgtest.Migrated(t)
			p, through := newProxy(t, direct)
			s, err := postgres.Open(t.Context(), through, postgres.Options{Connections: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			id := createDrop(t, s, 5)
			// The first batch prepares the statements, so that the second's answer is COMMIT's.
			if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
				t.Fatal(err)
			}
			batch, after := newBatch(), drop.Seq(2)
			wantClass(t, s.RunBatch(t.Context(), reserve(id, batch, func() { test.cut(p) })), store.ClassUnknown)
			found, err := s.Committed(t.Context(), id, batch, after)
			if err != nil || found != test.committed {
				t.Errorf("Committed: %v, %v; want %v", found, err, test.committed)
			}
		})
	}
}

func TestRunBatch_NoticeAtCommitIsUnknown(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	// A standby that does not confirm is announced in the same way: by a warning, and COMMIT.
	exec(t, admin, `CREATE FUNCTION public.warn() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE WARNING 'not confirmed'; RETURN NULL; END$$`)
	exec(t, admin, `CREATE CONSTRAINT TRIGGER warn AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION public.warn()`)
	batch := newBatch()
	wantClass(t, s.RunBatch(t.Context(), reserve(id, batch, nil)), store.ClassUnknown)
	_, err := s.Committed(t.Context(), id, batch, 1)
	wantClass(t, err, store.ClassUnknown) // its own write was not confirmed either
	exec(t, admin, `DROP TRIGGER warn ON sneakerdrop.drops`)
	if found, err := s.Committed(t.Context(), id, batch, 1); err != nil || !found {
		t.Errorf("Committed: %v, %v; want true", found, err)
	}
	wantAvailable(t, s, id, 4)
}

func TestRunBatch_ErrorAtCommitIsRolledBack(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin := open(t, u), connect(t, u)
	id := createDrop(t, s, 5)
	exec(t, admin, `CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql
		AS $$BEGIN RAISE EXCEPTION SQLSTATE '40001'; END$$`)
	exec(t, admin, `CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON sneakerdrop.drops DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION public.refuse()`)
	wantClass(t, s.RunBatch(t.Context(), reserve(id, newBatch(), nil)), store.ClassRolledBack)
	wantAvailable(t, s, id, 5)
}

func TestCommitted_WaitsForTheOpenTransaction(t *testing.T) {
	for _, test := range []struct {
		name   string
		commit bool
	}{{"that commits", true}, {"that rolls back", false}} {
		t.Run(test.name, func(t *testing.T) {
			u := pgtest.Migrated(t)
			s, admin, holder := open(t, u), connect(t, u), connect(t, u)
			id := createDrop(t, s, 5)
			batch := newBatch()
			tx := lockDrop(t, holder, id)
			if _, err := tx.Exec(t.Context(), `UPDATE sneakerdrop.drops SET batch = $2 WHERE id = $1`,
				int64(id), [16]byte(batch)); err != nil {
				t.Fatal(err)
			}
			type answer struct {
				found bool
				err   error
			}
			got := make(chan answer, 1)
			go func() {
				found, err := s.Committed(t.Context(), id, batch, 1)
				got <- answer{found, err}
			}()
			awaitLockWait(t, admin)
			end := tx.Rollback
			if test.commit {
				end = tx.Commit
			}
			if err := end(t.Context()); err != nil {
				t.Fatal(err)
			}
			if a := <-got; a.err != nil || a.found != test.commit {
				t.Errorf("Committed: %v, %v; want %v", a.found, a.err, test.commit)
			}
		})
	}
}
