package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Bouncer is a PgBouncer between a test and PostgreSQL.
type Bouncer struct {
	bin, dir, host, database string
	port                     int
	as                       *account
	process                  *os.Process
	done                     chan struct{}
	log                      *bytes.Buffer // read after done is closed
}

// NewBouncer starts a PgBouncer that leads to the database of the URL, in one of its pool modes. It ends with the
// test. Where the machine has no PgBouncer the test is skipped, or fails if CI says that it must not.
func NewBouncer(t testing.TB, to, mode string) *Bouncer {
	t.Helper()
	bin, err := exec.LookPath("pgbouncer")
	if err != nil {
		bin = "/usr/sbin/pgbouncer" // not on everybody's PATH
		_, err = os.Stat(bin)
	}
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("no PgBouncer found: install it (Debian: apt-get install pgbouncer)")
	}
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid())) //nolint:usetesting // another user must get there
	if err != nil {
		t.Fatal(err)
	}
	b := &Bouncer{bin: bin, dir: dir, host: Loopback(), database: u.Path}
	if b.as, err = runAs(); err == nil && b.as != nil { // it does not run as root
		err = os.Chown(dir, int(b.as.uid), int(b.as.gid))
	}
	if err == nil {
		b.port, err = freePort(b.host)
	}
	if err == nil {
		err = b.configure(u, mode)
	}
	if err == nil {
		err = b.Start()
	}
	if err != nil {
		t.Fatal(errors.Join(err, os.RemoveAll(dir)))
	}
	t.Cleanup(func() {
		_ = b.Stop()
		_ = os.RemoveAll(dir)
		if t.Failed() {
			t.Logf("PgBouncer's log:\n%s", b.log)
		}
	})
	return b
}

func (b *Bouncer) configure(to *url.URL, mode string) error {
	users := filepath.Join(b.dir, "users")
	ini := fmt.Sprintf(`[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = %s
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s
pool_mode = %s
server_login_retry = 1
`, to.Hostname(), to.Port(), b.host, b.port, users, mode)
	return errors.Join(os.WriteFile(b.config(), []byte(ini), 0o644), // another user reads it
		os.WriteFile(users, []byte("\"postgres\" \"\"\n"), 0o644))
}

func (b *Bouncer) config() string { return filepath.Join(b.dir, "pgbouncer.ini") }

// URL is the URL of the database through the PgBouncer.
func (b *Bouncer) URL() string {
	return fmt.Sprintf("postgres://postgres@%s%s?sslmode=disable", net.JoinHostPort(b.host, strconv.Itoa(b.port)), b.database)
}

// Start starts one that has ended, and returns when it accepts connections.
func (b *Bouncer) Start() error {
	cmd := exec.Command(b.bin, b.config())
	cmd.Dir = b.dir
	cmd.SysProcAttr = processAttributes(b.as)
	b.log = new(bytes.Buffer)
	cmd.Stderr = b.log
	var err error
	if b.done, err = run(cmd); err != nil {
		return fmt.Errorf("start pgbouncer: %w", err)
	}
	b.process = cmd.Process
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.Background(), "tcp", net.JoinHostPort(b.host, strconv.Itoa(b.port)))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-b.done:
			return fmt.Errorf("pgbouncer ended as it started:\n%s", b.log)
		default:
		}
	}
	return errors.Join(errors.New("pgbouncer takes no connections"), b.Stop())
}

// Stop ends it and all connections through it at once.
func (b *Bouncer) Stop() error {
	_ = b.process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-b.done:
		return nil
	case <-time.After(patience):
		return errors.Join(errors.New("pgbouncer does not stop"), b.process.Kill())
	}
}
