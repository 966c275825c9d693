package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Standby starts a server that follows o under an application name, and takes over when it is promoted. It ends with
// the test.
func (o *Cluster) Standby(t testing.TB, name string) *Cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid())) //nolint:usetesting // another user must get there
	if err != nil {
		t.Fatal(err)
	}
	s := &Cluster{c: &cluster{bin: o.c.bin, as: o.c.as, dir: dir, settings: o.c.settings, host: Loopback()}}
	if as := s.c.as; as != nil {
		err = os.Chown(dir, int(as.uid), int(as.gid))
	}
	if err == nil {
		s.c.port, err = freePort(s.c.host)
	}
	if err == nil {
		err = s.Follow(o, name)
	}
	if err != nil {
		t.Fatal(errors.Join(err, os.RemoveAll(dir)))
	}
	s.endWith(t)
	return s
}

// Follow makes o, which has ended, a standby of primary under an application name. It gets a fresh copy of the
// primary's files and keeps its address.
func (o *Cluster) Follow(primary *Cluster, name string) error {
	if err := os.RemoveAll(o.c.data()); err != nil {
		return fmt.Errorf("remove the old files: %w", err)
	}
	from := primary.URL() + "&application_name=" + name
	backup := exec.Command(filepath.Join(o.c.bin, "pg_basebackup"), "--pgdata="+o.c.data(), "--dbname="+from, "--write-recovery-conf",
		"--wal-method=stream", "--checkpoint=fast", "--no-sync")
	backup.Dir = o.c.dir
	backup.SysProcAttr = processAttributes(o.c.as)
	if out, err := backup.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return o.Start()
}

// Promote makes a standby the primary, which waits for no standby of its own. It returns when the new primary accepts
// writes.
func (o *Cluster) Promote() error {
	// Waiting within the statement would hold a snapshot, for which the replay may have to wait.
	if err := o.exec(`SELECT pg_promote(false)`); err != nil {
		return err
	}
	if err := o.await(`SELECT NOT pg_is_in_recovery()`); err != nil {
		return err
	}
	return o.Set("synchronous_standby_names", "")
}

// Set changes a setting of the running server, and returns when new sessions have it.
func (o *Cluster) Set(name, value string) error {
	if err := o.exec(fmt.Sprintf(`ALTER SYSTEM SET %s = '%s'`, name, value)); err != nil {
		return err
	}
	if err := o.exec(`SELECT pg_reload_conf()`); err != nil {
		return err
	}
	return o.await(fmt.Sprintf(`SELECT current_setting('%s') = '%s'`, name, value))
}

// AwaitSynchronous returns when each COMMIT waits for a standby with that application name.
func (o *Cluster) AwaitSynchronous(name string) error {
	return o.await(fmt.Sprintf(`SELECT count(*) > 0 FROM pg_stat_replication WHERE application_name = '%s'
		AND state = 'streaming' AND sync_state IN ('sync', 'quorum')`, name))
}

// Several returns the URL of whichever server is the primary.
func Several(servers ...*Cluster) string {
	hosts := make([]string, len(servers))
	for i, o := range servers {
		hosts[i] = fmt.Sprintf("%s:%d", o.c.host, o.c.port)
	}
	return fmt.Sprintf("postgres://postgres@%s/postgres?sslmode=disable&target_session_attrs=read-write", strings.Join(hosts, ","))
}

// exec runs a statement on a connection of its own.
func (o *Cluster) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, o.URL())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// await runs a query in new sessions until its answer is true.
func (o *Cluster) await(question string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, o.URL())
		if err != nil {
			return err
		}
		var yes bool
		err = errors.Join(conn.QueryRow(ctx, question).Scan(&yes), conn.Close(ctx))
		if err != nil {
			return fmt.Errorf("%s: %w", question, err)
		}
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not so within %s", question, patience)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
