package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// dirPrefix is followed by the number of the process that owns the cluster and a dash.
const dirPrefix = "sneakerdrop-pg-"

// cluster is a running PostgreSQL server in a directory of its own.
type cluster struct {
	bin      string
	as       *account
	dir      string
	settings []string // besides those that every cluster has: name=value
	host     string   // the port on which it listens
	port     int
	process  *os.Process
	done     chan struct{} // closed when the server process has ended
	log      *bytes.Buffer // read after done is closed
}

// account is the user that the server runs as, because PostgreSQL refuses to run as root.
type account struct{ uid, gid uint32 }

func startCluster() (*cluster, error) {
	bin, err := findBinaries()
	if err != nil {
		return nil, err
	}
	sweep()
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", dirPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("make the cluster's directory: %w", err)
	}
	c := &cluster{bin: bin, dir: dir, host: "127.0.0.1"}
	if err := c.init(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// init makes the cluster in its directory and starts it; options are options of initdb.
func (c *cluster) init(options ...string) error {
	as, err := runAs()
	if err != nil {
		return err
	}
	c.as = as
	if as != nil {
		if err := os.Chown(c.dir, int(as.uid), int(as.gid)); err != nil {
			return fmt.Errorf("give the cluster's directory away: %w", err)
		}
	}
	args := []string{
		"-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions",
	}
	initdb := exec.Command(filepath.Join(c.bin, "initdb"), append(args, options...)...)
	initdb.Dir = c.dir
	initdb.SysProcAttr = processAttributes(as)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if c.host != "127.0.0.1" {
		if err := c.trust(); err != nil {
			return err
		}
	}
	return c.launchSomewhere()
}

// launchSomewhere starts the server on a free port, which another process may take before the server does.
func (c *cluster) launchSomewhere() (err error) {
	for range 3 {
		if c.port, err = freePort(c.host); err != nil {
			return err
		}
		if err = c.launch(); err == nil {
			return nil
		}
	}
	return err
}

// trust admits everybody who connects through the cluster's own address; initdb does so only for 127.0.0.1.
func (c *cluster) trust() error {
	f, err := os.OpenFile(filepath.Join(c.data(), "pg_hba.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, "host all,replication all 127.0.0.0/8 trust")
	return errors.Join(err, f.Close())
}

func (c *cluster) data() string { return filepath.Join(c.dir, "data") }

// launch starts the server on its port and waits until it answers.
func (c *cluster) launch() error {
	args := []string{
		"-D", c.data(),
		"-c", "listen_addresses=" + c.host,
		"-c", "port=" + strconv.Itoa(c.port),
		"-c", "unix_socket_directories=" + c.dir,
		"-c", "max_connections=200",
		"-c", "shared_buffers=128MB",
		"-c", "max_wal_size=2GB",
		"-c", "checkpoint_timeout=30min",
	}
	for _, s := range c.settings {
		args = append(args, "-c", s)
	}
	server := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	server.Dir = c.dir
	server.SysProcAttr = processAttributes(c.as)
	c.log = new(bytes.Buffer)
	server.Stderr = c.log
	done, err := run(server)
	if err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	c.process, c.done = server.Process, done
	if err := c.await(); err != nil {
		c.kill()
		return fmt.Errorf("%w\n%s", err, c.log.Bytes())
	}
	return nil
}

// run starts a server from a thread that lives as long as the server, because a child is signaled when the thread
// that forked it ends. run closes done when the server has ended.
func run(server *exec.Cmd) (done chan struct{}, err error) {
	started := make(chan error)
	done = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := server.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		_ = server.Wait() // the log says how it ended
		close(done)
	}()
	return done, <-started
}

// await polls until the server takes connections.
func (c *cluster) await() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.url("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.done:
			return errors.New("postgres ended as it started")
		case <-ctx.Done():
			return fmt.Errorf("postgres does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (c *cluster) url(database string) string {
	return fmt.Sprintf("postgres://postgres@%s:%d/%s?sslmode=disable", c.host, c.port, database)
}

// kill ends the server at once, because nothing in it is worth a checkpoint.
func (c *cluster) kill() {
	_ = c.process.Signal(syscall.SIGQUIT)
	select {
	case <-c.done:
	case <-time.After(patience):
		_ = c.process.Kill()
		<-c.done
	}
}

func (c *cluster) stop() {
	c.kill()
	if err := os.RemoveAll(c.dir); err != nil {
		fmt.Fprintln(os.Stderr, "remove the test cluster:", err)
	}
}

// sweep removes what killed test processes left behind.
func sweep() {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), dirPrefix+"*"))
	if err != nil {
		return // our pattern cannot be malformed
	}
	for _, dir := range dirs {
		owner, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), dirPrefix), "-")
		pid, err := strconv.Atoi(owner)
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // may belong to another user
		}
	}
}

// findBinaries returns a directory with initdb and postgres.
func findBinaries() (string, error) {
	if dir := os.Getenv("SNEAKERDROP_TEST_PG_BIN"); dir != "" {
		if !hasBinaries(dir) {
			return "", fmt.Errorf("SNEAKERDROP_TEST_PG_BIN: no initdb and postgres in %s", dir)
		}
		return dir, nil
	}
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("look for PostgreSQL: %w", err)
	}
	slices.SortFunc(dirs, func(a, b string) int { return major(b) - major(a) })
	for _, dir := range dirs {
		if hasBinaries(dir) {
			return dir, nil
		}
	}
	if path, err := exec.LookPath("initdb"); err == nil && hasBinaries(filepath.Dir(path)) {
		return filepath.Dir(path), nil
	}
	return "", errNoBinaries
}

// major is the version in /usr/lib/postgresql/15/bin.
func major(dir string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return 0
	}
	return n
}

func hasBinaries(dir string) bool {
	for _, name := range []string{"initdb", "postgres"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// runAs returns the user that the server must run as instead of root, or nil if this process is not root.
func runAs() (*account, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read the number of user %s: %w", name, err)
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("read the group of user %s: %w", name, err)
		}
		return &account{uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}

func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
