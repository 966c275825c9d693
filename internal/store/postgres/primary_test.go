package postgres_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
)

// twoHosts is a primary, the standby that each of its commits waits for, and a store on both.
type twoHosts struct {
	*postgres.Store

	old, next *pgtest.Cluster
}

func newTwoHosts(t *testing.T) twoHosts {
	t.Helper()
	old := pgtest.NewCluster(t, pgtest.Where{Settings: []string{"fsync=off"}})
	next := old.Standby(t, "next")
	must(t, old.Set("synchronous_standby_names", "next"))
	must(t, old.AwaitSynchronous("next"))
	p := twoHosts{open(t, pgtest.Several(next, old)), old, next}
	if _, _, err := p.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isNoPrimary(err error) bool {
	_, ok := errors.AsType[*postgres.NoPrimaryError](err)
	return ok
}

func TestSeveralHosts_TheOneThatTakesWritesIsUsed(t *testing.T) {
	t.Parallel()
	p := newTwoHosts(t)
	id := createDrop(t, p, 9)
	sell := func() {
		t.Helper()
		await.Nil(t, func() error { return p.RunBatch(t.Context(), reserve(id, newBatch(), nil)) })
		must(t, p.Ready(t.Context()))
	}
	sell()

	standby := open(t, strings.Replace(pgtest.Several(p.old, p.next), "read-write", "standby", 1))
	await.Nil(t, func() error { // as an audit on a standby does
		_, err := standby.Drop(t.Context(), id)
		return err
	})
	must(t, standby.Ready(t.Context()))

	// No session of the old primary fails by itself. The transaction that finds it read-only is the first to know.
	must(t, p.old.Set("default_transaction_read_only", "on"))
	if err := p.Ready(t.Context()); err == nil {
		t.Error("ready, and no host takes writes")
	}
	if err := p.Ready(t.Context()); !isNoPrimary(err) {
		t.Errorf("Ready: %v, want that there is no primary", err)
	}
	must(t, p.next.Promote())
	sell()
	wantAvailable(t, p, id, 7)
}

// A primary that hangs with open connections is abandoned as soon as another host has taken over.
func TestSeveralHosts_AFrozenPrimaryIsLeftForItsSuccessor(t *testing.T) {
	t.Parallel()
	p := newTwoHosts(t)
	id := createDrop(t, p, 9)
	must(t, p.RunBatch(t.Context(), reserve(id, newBatch(), nil)))
	p.old.Freeze()
	hangs := make(chan error, 1)
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	go func() { hangs <- p.RunBatch(ctx, reserve(id, newBatch(), nil)) }()
	must(t, p.next.Promote())
	left := int64(7)
	switch err := <-hangs; { // success if the pool noticed first
	case err == nil:
		left--
	case store.ClassOf(err) != store.ClassUnknown && store.ClassOf(err) != store.ClassUnavailable:
		t.Error(err)
	}
	if took := time.Since(began); took > await.Within(40*time.Second) {
		t.Fatalf("the batch hung for %s: it was not cut off", took)
	}
	await.Nil(t, func() error { return p.RunBatch(t.Context(), reserve(id, newBatch(), nil)) })
	wantAvailable(t, p, id, left)
}

// silentHost accepts connections and never answers, like a machine whose PostgreSQL hangs.
func silentHost(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func TestSeveralHosts_DeadOnesCostNoTime(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(pgtest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = strings.Join([]string{silentHost(t), "127.0.0.1:1", u.Host, silentHost(t)}, ",")
	// The timeout is so long that a test which waits for it fails.
	s := open(t, u.String()+"&connect_timeout=60")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Error(err)
	}
}

func TestSeveralHosts_SayWhatIsWrongWithEach(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(pgtest.Migrated(t))
	if err != nil {
		t.Fatal(err)
	}
	u.Host = strings.Join([]string{"127.0.0.1:1", u.Host}, ",")
	s, err := postgres.Open(t.Context(), u.String()+"&default_transaction_read_only=on", postgres.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Ready(t.Context())
	wantClass(t, err, store.ClassUnavailable)
	if want := "127.0.0.1:1: connect: connection refused; "; err == nil || !strings.Contains(err.Error(), want) ||
		!strings.Contains(err.Error(), "it is read-only: default_transaction_read_only is on") {
		t.Errorf("%v", err)
	}
}
