//go:build linux

package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

const migrations = "../internal/store/postgres/migrations"

// nextVersion builds the program's next version. It has one more migration, which older versions can work with.
func nextVersion(t *testing.T) string {
	t.Helper()
	there, err := filepath.Glob(migrations + "/*.sql")
	must(t, err)
	newest := len(there)
	dir := t.TempDir()
	next, err := filepath.Abs(fmt.Sprintf("%s/%05d_next.sql", migrations, newest+1))
	must(t, err)
	sql := fmt.Sprintf(`-- +goose Up
ALTER TABLE sneakerdrop.drops ADD COLUMN colour text NOT NULL DEFAULT 'red';
ALTER TABLE sneakerdrop.reservations ADD COLUMN note text;
CREATE TABLE sneakerdrop.parcels (id bigint PRIMARY KEY);
INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (%d, %d);
`, newest+1, newest)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{next: filepath.Join(dir, "next.sql")}})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "next.sql"), []byte(sql), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))
	program := filepath.Join(dir, "sneakerdrop-next")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program, "../cmd/sneakerdrop")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the next version: %v\n%s", err, out)
	}
	return program
}

// balancer sends each request to one of the servers that report ready. If nothing listens there it tries another one,
// and repeats nothing else.
type balancer struct {
	transport *http.Transport
	stop      chan struct{}
	asking    sync.WaitGroup

	mu    sync.Mutex
	all   map[string]bool // ready, by URL
	ready []string
	next  int
}

// newBalancer returns the balancer and its URL.
func newBalancer(t *testing.T, servers ...*server) (*balancer, string) {
	t.Helper()
	b := &balancer{transport: &http.Transport{MaxIdleConnsPerHost: workers}, stop: make(chan struct{}), all: make(map[string]bool)}
	for _, s := range servers {
		b.add(s)
	}
	b.asking.Go(b.ask)
	front := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme = "http" }, Transport: b, ErrorLog: log.New(io.Discard, "", 0),
	})
	t.Cleanup(func() {
		front.Close()
		close(b.stop)
		b.asking.Wait()
		b.transport.CloseIdleConnections()
	})
	return b, front.URL
}

func (b *balancer) add(s *server) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all[s.url] = true
	b.ready = append(b.ready, s.url)
}

// ask asks all servers repeatedly whether they are ready.
func (b *balancer) ask() {
	client := &http.Client{Timeout: patience}
	for {
		b.mu.Lock()
		var all []string
		for u := range b.all {
			all = append(all, u)
		}
		b.mu.Unlock()
		var ready []string
		for _, u := range all {
			res, err := client.Get(u + "/readyz")
			if err != nil {
				continue
			}
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				ready = append(ready, u)
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
		select {
		case <-b.stop:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (b *balancer) pick() (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ready) == 0 {
		return "", errors.New("no server is ready")
	}
	b.next++
	return b.ready[b.next%len(b.ready)], nil
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		to, err := b.pick()
		if err != nil {
			return nil, err
		}
		u, err := url.Parse(to)
		if err != nil {
			return nil, err
		}
		out := r.Clone(r.Context())
		out.URL.Host, out.Body = u.Host, io.NopCloser(bytes.NewReader(body))
		out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		res, err := b.transport.RoundTrip(out)
		if err == nil || !refused(err) || tries == 100 {
			return res, err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Two replicas sell while the next version migrates, and it then replaces them one after the other. The older ones
// work with the newer schema. The worst error that a buyer gets is a 503 that says that nothing was done. Afterwards
// an older replica still starts.
func TestRolling_AnUpgradeUnderLoadIsNotNoticed(t *testing.T) {
	t.Parallel()
	program := nextVersion(t)
	database := pgtest.Database(t)
	const drain = "--drain=3s" // sixty times as long as the balancer takes to ask
	tr := newTraffic(t, seedOf(t), database, database, drain)
	older := []*server{tr.server, startFor(t, tr.dir, append([]string{"--hold=1h"}, tr.args...)...)}
	lb, front := newBalancer(t, older...)
	tr.url.Store(&front)
	tr.resume()
	sold := func() {
		t.Helper()
		must(t, tr.sells(20))
	}
	sold()
	migrate := exec.Command(program, "migrate", "--database="+database)
	if out, err := migrate.CombinedOutput(); err != nil || !strings.Contains(string(out), "→") {
		t.Fatalf("migrate: %v\n%s", err, out)
	}
	sold()
	for _, s := range older {
		newer, err := startProgram(program, tr.dir, os.Environ(), append([]string{"--hold=1h"}, tr.args...)...)
		must(t, err)
		t.Cleanup(newer.kill)
		lb.add(newer)
		if code, err := s.stop(syscall.SIGTERM); err != nil || code != 0 {
			t.Errorf("exit code %d, %v: %s", code, err, s.stderr.String())
		}
		sold()
	}
	tr.pause()
	if n := tr.tally[unknown]; n > 0 {
		t.Errorf("%d calls were not answered, or not told what became of them", n)
	}
	tr.check()
	again := startFor(t, tr.dir, "--database="+database) // the way back
	if log := again.stderr.String(); !strings.Contains(log, "the schema is newer than this program") {
		t.Errorf("an older program does not say that the schema is newer:\n%s", log)
	}
	t.Log(tr.report())
}

// sells waits until that many more buyers have come and gone.
func (tr *traffic) sells(more int) error {
	count := func() int { tr.mu.Lock(); defer tr.mu.Unlock(); return len(tr.buyers) }
	before := count()
	return poll(tr.t.Context(), func() error {
		if n := count() - before; n < more {
			return fmt.Errorf("only %d buyers came", n)
		}
		return nil
	})
}
