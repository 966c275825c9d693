package histories

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/rs/zerolog"

	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

// onPostgres returns a place with that many servers on one database, each with its own connection pool.
func onPostgres(servers int) func(*history) *place {
	return func(h *history) *place {
		u := pgtest.Migrated(h.t)
		p := &place{direct: stores.Postgres(h.t, u+"&application_name=observer&connect_timeout=60")}
		admin := connect(h.t, u)
		var troubles []*troubled
		for i := range servers {
			if !h.faults {
				p.stores = append(p.stores, stores.Postgres(h.t, u))
				continue
			}
			way := newWay(h, u, uint64(i))
			t := newTroubled(h, stores.Postgres(h.t, way.url), uint64(i))
			troubles = append(troubles, t)
			p.stores = append(p.stores, t)
			p.trouble = append(p.trouble, t.run, way.run)
		}
		if h.faults {
			p.trouble = append(p.trouble, func(ctx context.Context) { terminate(ctx, h, admin) })
		}
		p.settle = func() {
			for _, t := range troubles {
				t.late.Wait()
			}
			endAll(h.t, admin)
		}
		return p
	}
}

func connect(t testing.TB, url string) *pgx.Conn {
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

const ourBackends = `FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'sneakerdrop'`

// terminate ends a backend of the servers from time to time, preferably one in a transaction.
func terminate(ctx context.Context, h *history, admin *pgx.Conn) {
	rnd := rand.New(rand.NewPCG(h.seed, 2000))
	for pause(ctx, time.Duration(5+rnd.IntN(60))*time.Millisecond) {
		tag, err := admin.Exec(context.Background(),
			`SELECT pg_terminate_backend(pid) FROM (SELECT pid `+ourBackends+` ORDER BY state = 'idle', random() LIMIT 1) AS one`)
		if err != nil {
			h.t.Error(err)
			return
		}
		h.sum.add("backends of PostgreSQL terminated", int(tag.RowsAffected()))
	}
}

// endAll ends what a stopped server may have left at the database, and waits until it is gone.
func endAll(t testing.TB, admin *pgx.Conn) {
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		tag, err := admin.Exec(context.Background(), `SELECT pg_terminate_backend(pid) `+ourBackends)
		switch {
		case err != nil:
			t.Error(err)
			return
		case tag.RowsAffected() == 0:
			return
		case time.Now().After(deadline):
			t.Error("backends live on")
			return
		}
	}
}

// pause waits; false means that ctx has ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// way is the path between a server and its database.
type way struct {
	h     *history
	proxy *toxiproxy.Proxy
	rnd   *rand.Rand
	url   string
}

func newWay(h *history, to string, number uint64) *way {
	u, err := url.Parse(to)
	if err != nil {
		h.t.Fatal(err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	w := &way{h: h, rnd: rand.New(rand.NewPCG(h.seed, 3000+number))}
	w.proxy = toxiproxy.NewProxy(server, fmt.Sprint("database", number), "127.0.0.1:0", u.Host)
	if err := w.proxy.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(w.proxy.Stop)
	u.Host = w.proxy.Listen
	w.url = u.String()
	return w
}

// run makes the way slow, breaks it, and closes it in turn.
func (w *way) run(ctx context.Context) {
	for pause(ctx, time.Duration(w.rnd.IntN(60))*time.Millisecond) {
		side := []string{"upstream", "downstream"}[w.rnd.IntN(2)]
		switch w.rnd.IntN(5) {
		case 0, 1:
			w.toxic("latency", side, fmt.Sprintf(`{"latency": %d, "jitter": %d}`, 2+w.rnd.IntN(8), w.rnd.IntN(2)))
		case 2, 3:
			w.toxic("reset_peer", side, fmt.Sprintf(`{"timeout": %d}`, w.rnd.IntN(4)))
		default:
			w.h.count("ways to PostgreSQL closed, for a moment")
			w.proxy.Stop()
			pause(ctx, time.Duration(w.rnd.IntN(20))*time.Millisecond)
			if err := w.proxy.Start(); err != nil {
				w.h.t.Error(err)
			}
		}
	}
}

// toxic applies a toxic for a while.
func (w *way) toxic(kind, side, attributes string) {
	w.h.count("toxics: " + kind + " " + side)
	text := fmt.Sprintf(`{"name": "it", "type": %q, "stream": %q, "toxicity": 1, "attributes": %s}`, kind, side, attributes)
	if _, err := w.proxy.Toxics.AddToxicJson(bytes.NewBufferString(text)); err != nil {
		w.h.t.Error(err)
		return
	}
	pause(context.Background(), time.Duration(5+w.rnd.IntN(30))*time.Millisecond)
	if err := w.proxy.Toxics.RemoveToxic(context.Background(), "it"); err != nil {
		w.h.t.Error(err)
	}
}

// rewriting returns a place with two servers on one database. A proxy changes their statements: it replaces the first
// text of each pair with the second.
func rewriting(pairs ...string) func(*history) *place {
	return func(h *history) *place {
		u := pgtest.Migrated(h.t)
		p := &place{direct: stores.Postgres(h.t, u+"&application_name=observer&connect_timeout=60")}
		for range 2 {
			p.stores = append(p.stores, stores.Postgres(h.t, censored(h, u, strings.NewReplacer(pairs...))))
		}
		admin := connect(h.t, u)
		p.settle = func() { endAll(h.t, admin) }
		return p
	}
}

// censored returns the URL of a server like the one at the given URL, except that every statement reaches it
// rewritten.
func censored(h *history, to string, words *strings.Replacer) string {
	u, err := url.Parse(to)
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server := u.Host
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				if err := rewrite(h, client, server, words); err != nil {
					h.t.Error(err)
				}
			})
		}
	})
	h.t.Cleanup(func() { // stores are closed by now
		_ = l.Close()
		all.Wait()
	})
	u.Host = l.Addr().String()
	return u.String()
}

// rewrite forwards messages until a side closes the connection.
func rewrite(h *history, client net.Conn, address string, words *strings.Replacer) error {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	from := pgproto3.NewBackend(client, io.Discard)
	message, err := from.ReceiveStartupMessage()
	for ; err == nil; message, err = from.Receive() {
		if parse, ok := message.(*pgproto3.Parse); ok {
			if query := words.Replace(parse.Query); query != parse.Query {
				parse.Query = query
				h.count("statements rewritten")
			}
		}
		b, err := message.Encode(nil)
		if err != nil {
			return err
		}
		if _, err := server.Write(b); err != nil {
			return nil // closed: its client will see
		}
	}
	return nil
}
