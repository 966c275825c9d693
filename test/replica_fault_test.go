//go:build linux

package test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sneakerdrop/internal/testing/pgtest"
)

// A replica that freezes while it holds a drop's lock keeps the others from that drop for about 5 s. Then PostgreSQL
// ends its session. If the replica froze in the middle of a message, another replica ends it. When the frozen one
// continues, it finds that its batch was rolled back, and runs it again.
func TestFault_FrozenReplica(t *testing.T) {
	t.Parallel() // these wait more than they work
	seed := seedOf(t)
	for _, m := range []pgtest.Moment{pgtest.InTransaction, pgtest.BeforeCommit} {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			frozenReplica(t, seed, m)
		})
	}
}

func frozenReplica(t *testing.T, seed uint64, m pgtest.Moment) {
	direct := pgtest.Database(t)
	proxy, through := pgtest.NewProxy(t, direct)
	tr := newTraffic(t, seed, through, direct)
	frozen := tr.server
	other := startFor(t, tr.dir, tr.args[0], "--hold=1h", "--database="+direct)
	signal := func(s syscall.Signal) {
		if err := frozen.cmd.Process.Signal(s); err != nil {
			t.Error(err)
		}
	}
	inside, over := make(chan struct{}), make(chan struct{})
	thaw := sync.OnceFunc(func() { signal(syscall.SIGCONT); close(over) })
	t.Cleanup(thaw)
	tr.resume()
	proxy.Next(m, func(*pgtest.Line) {
		signal(syscall.SIGSTOP)
		close(inside)
		<-over // while it is frozen, what it has sent is on its way
	})
	select {
	case <-inside:
	case <-time.After(patience):
		t.Fatal("no transaction came")
	}
	tr.url.Store(&other.url)
	took := tr.recover()
	thaw()
	tr.pause()
	tr.url.Store(&frozen.url)
	back := tr.recover()
	tr.check()
	t.Logf("frozen %s: another replica sold all drops after %s, the frozen one %s after it went on; %s; lost 0, sold twice 0, unresolved 0",
		m, took.Round(time.Millisecond), back.Round(time.Millisecond), tr.report())
}

// Without file descriptors the server accepts nobody and connects to nothing, but still serves its open connections.
func TestFault_OutOfFileDescriptors(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	t.Run("SQLite", func(t *testing.T) {
		tr := newTraffic(t, seed, "sqlite:shop.db", "sqlite:shop.db")
		tr.suffer(fault{name: "none left", strike: func() func() { return takeDescriptors(t, tr) }, last: time.Second, quiet: true})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.Database(t)
		tr := newTraffic(t, seed, url, url)
		admin := session(t, url)
		tr.suffer(fault{name: "none left, its sessions terminated", strike: func() func() {
			giveBack := takeDescriptors(t, tr)
			if _, err := admin.Exec(context.Background(), terminate+` AND datname = current_database()`); err != nil {
				t.Error(err)
			}
			return giveBack
		}, last: time.Second})
	})
}

// takeDescriptors keeps the server from opening files, and makes 50 more clients connect.
func takeDescriptors(t *testing.T, tr *traffic) (giveBack func()) {
	pid := tr.server.cmd.Process.Pid
	var was unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	var clients []net.Conn
	for range 50 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(tr.server.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	return func() {
		now, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			t.Fatal(err)
		}
		if len(now) > len(open) {
			t.Errorf("the server has %d descriptors and had %d: it was not struck", len(now), len(open))
		}
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &was, nil); err != nil {
			t.Error(err)
		}
		for _, c := range clients {
			_ = c.Close()
		}
	}
}
