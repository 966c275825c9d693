//go:build linux

// Package cluster runs sneakerdrop like a big shop, and breaks one part after another while buyers continue. It has
// three PostgreSQL servers under Patroni with three etcd, three NATS, three replicas, and HAProxy in front. Each runs
// as a machine with a network of its own, whose cables can be pulled. `make cluster` runs it; docs/TESTING.md
// explains what it prints.
package cluster

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/receiver"
)

const (
	// stage is a variable that says how far this process has come: nothing outside, then the first process in
	// namespaces of our own, and finally the tests.
	stage = "SNEAKERDROP_TEST_CLUSTER_STAGE"
	// dirVariable names the folder for all files.
	dirVariable = "SNEAKERDROP_TEST_CLUSTER_DIR"
)

// entered reports whether this process can make networks.
func entered() bool { return os.Getenv(stage) == "inside" }

// patience is how long to wait for something that should take seconds.
const patience = 60 * time.Second

// cluster is all that runs.
type cluster struct {
	network  *network
	dir      string // of everything
	as       *syscall.Credential
	postgres string // the folder of PostgreSQL's programs
	binary   string // sneakerdrop

	members map[string]*member  // PostgreSQL with Patroni
	etcd    map[string]*program // what Patroni agrees with
	nats    map[string]*program
	apps    map[string]*program // the replicas
	lb      *program
	events  *client.Purchases // reads the feed
	hook    *receiver.Server  // gets each purchase by a webhook
}

// newCluster starts everything, and ends it with the test.
func newCluster(t testing.TB) *cluster {
	t.Helper()
	c := &cluster{
		network: newNetwork(t), dir: os.Getenv(dirVariable), as: account(t), members: make(map[string]*member),
		etcd: make(map[string]*program), nats: make(map[string]*program), apps: make(map[string]*program),
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, name := range slices.Sorted(maps.Keys(c.apps)) {
				t.Logf("the log of %s ends:\n%s", name, c.apps[name].tail())
			}
		}
		if err := endAll(); err != nil {
			t.Error(err)
		}
	})
	bins, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	must(t, err)
	if len(bins) == 0 {
		t.Fatal("no PostgreSQL in /usr/lib/postgresql; .ci/deps cluster installs it")
	}
	c.postgres = slices.MaxFunc(bins, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	c.binary = filepath.Join(c.dir, "sneakerdrop")
	built, err := os.ReadFile("../../bin/sneakerdrop") // make has built it, where another user may not get at it
	must(t, err)
	must(t, os.WriteFile(c.binary, built, 0o755))
	began := time.Now()
	c.startDatabases(t)
	c.startNATS(t)
	c.startReplicas(t)
	c.startBalancer(t)
	c.await(t, "everything runs", c.whole)
	t.Logf("3 × PostgreSQL with Patroni, 3 × etcd, 3 × NATS, 3 × sneakerdrop and HAProxy run after %s", time.Since(began).Round(time.Millisecond))
	return c
}

// folder makes a folder that belongs to the programs' user.
func (c *cluster) folder(t testing.TB, name string, mode os.FileMode) string {
	t.Helper()
	dir := filepath.Join(c.dir, name)
	must(t, os.Mkdir(dir, mode))
	if c.as != nil {
		must(t, os.Chown(dir, int(c.as.Uid), int(c.as.Gid)))
	}
	return dir
}

func (c *cluster) program(m *machine, dir string, args ...string) *program {
	return &program{name: m.name, machine: m, args: args, dir: dir, as: c.as}
}

// shipped is a file of deploy/.
func (c *cluster) shipped(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../deploy/" + name)
	must(t, err)
	return string(text)
}

var named = regexp.MustCompile(`\b(?:db|etcd|nats|app)[123]:\d`)

// addressed returns text with addresses instead of the names of machines, which no name server knows.
func (c *cluster) addressed(text string) string {
	return named.ReplaceAllStringFunc(text, func(name string) string {
		host, port, _ := strings.Cut(name, ":")
		return fmt.Sprint(c.network.prefix, machines[host], ":", port)
	})
}

func (c *cluster) startDatabases(t testing.TB) {
	t.Helper()
	const all = "etcd1=http://etcd1:2380,etcd2=http://etcd2:2380,etcd3=http://etcd3:2380"
	for i := range 3 {
		name := fmt.Sprint("etcd", i+1)
		m := c.network.plug(t, name)
		p := c.program(m, c.folder(t, name, 0o700), "etcd", "--name="+name, "--data-dir=data", "--logger=zap", "--log-level=warn",
			"--listen-client-urls=http://"+m.at(2379), "--advertise-client-urls=http://"+m.at(2379), "--listen-peer-urls=http://"+m.at(2380),
			"--initial-advertise-peer-urls=http://"+m.at(2380), "--initial-cluster="+c.addressed(all))
		c.etcd[name] = p
		must(t, p.start())
	}
	c.await(t, "etcd runs", c.etcdWhole)
	for i := range 3 {
		name := fmt.Sprint("db", i+1)
		c.members[name] = c.newMember(t, name)
		must(t, c.members[name].patroni.start())
		if i == 0 { // the others copy the first
			c.await(t, "the first database runs", func(ctx context.Context) error {
				return get(ctx, "http://"+c.members[name].at(8008)+"/primary", nil)
			})
		}
	}
	c.await(t, "PostgreSQL runs", c.databasesWhole)
	c.await(t, "there is a shop", c.createShop)
}

// createShop creates the shop's database and role.
func (c *cluster) createShop(ctx context.Context) error {
	now, err := c.roles(ctx)
	if err != nil {
		return err
	}
	conn, err := now.primary.session(ctx, "postgres")
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, statement := range []string{
		`DROP DATABASE IF EXISTS shop`, `DROP ROLE IF EXISTS sneakerdrop`,
		`CREATE ROLE sneakerdrop LOGIN PASSWORD 'change-me'`, `CREATE DATABASE shop OWNER sneakerdrop`, `CREATE TABLE IF NOT EXISTS public.probe (n int)`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func (c *cluster) startNATS(t testing.TB) {
	t.Helper()
	for i := range 3 {
		name := fmt.Sprint("nats", i+1)
		m := c.network.plug(t, name)
		p := c.program(m, c.folder(t, name, 0o700), "nats-server", "--addr="+m.address, "--port=4222", "--http_port=8222", "--name="+name,
			"--cluster_name=sneakerdrop", "--cluster=nats://"+m.at(6222), "--routes="+c.addressed("nats://nats1:6222,nats://nats2:6222,nats://nats3:6222"))
		c.nats[name] = p
		must(t, p.start())
	}
}

// databaseURL names all three databases; the server uses the primary.
func (c *cluster) databaseURL() string {
	var hosts []string
	for _, name := range slices.Sorted(maps.Keys(c.members)) {
		hosts = append(hosts, c.members[name].at(5432))
	}
	return "postgres://sneakerdrop:change-me@" + strings.Join(hosts, ",") + "/shop?sslmode=disable"
}

func (c *cluster) startReplicas(t testing.TB) {
	t.Helper()
	for i := range 3 {
		name := fmt.Sprint("app", i+1)
		m := c.network.plug(t, name)
		p := c.program(m, c.folder(t, name, 0o700), c.binary, "serve", "--addr="+m.at(3000), "--insecure", "--hold="+hold.String(), "--webhook-allow-private",
			"--trusted-proxy="+fmt.Sprint(c.network.prefix, machines["lb"]))
		p.env = []string{"SNEAKERDROP_DATABASE=" + c.databaseURL(), "SNEAKERDROP_NATS=" + c.addressed("nats://nats1:4222,nats://nats2:4222,nats://nats3:4222")}
		c.apps[name] = p
		must(t, p.start())
	}
}

func (c *cluster) startBalancer(t testing.TB) {
	t.Helper()
	m := c.network.plug(t, "lb")
	dir := c.folder(t, "lb", 0o700)
	text := strings.ReplaceAll(c.addressed(c.shipped(t, "haproxy.cfg")), "bind :", "bind "+m.address+":")
	file := filepath.Join(dir, "haproxy.cfg")
	must(t, os.WriteFile(file, []byte(text), 0o644))
	c.lb = c.program(m, dir, "haproxy", "-db", "-f", file)
	c.lb.env = []string{"HAPROXY_INTERNAL=" + m.address}
	must(t, c.lb.start())
}

// replicas returns the addresses of all replicas, bypassing HAProxy.
func (c *cluster) replicas() []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(c.apps)) {
		all = append(all, "http://"+c.apps[name].machine.at(3000))
	}
	return all
}

// shop is where buyers go.
func (c *cluster) shop() string { return "http://" + c.lb.machine.at(3000) }

// await waits for a state.
func (c *cluster) await(t testing.TB, what string, check func(context.Context) error) {
	t.Helper()
	if err := poll(t.Context(), patience, check); err != nil {
		t.Fatalf("within %s it did not come about that %s: %v", patience, what, err)
	}
}

func poll(ctx context.Context, long time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // more informative than that the time is up
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// whole returns what is missing until everything is as it should be.
func (c *cluster) whole(ctx context.Context) error {
	if err := errors.Join(c.etcdWhole(ctx), c.databasesWhole(ctx), c.natsWhole(ctx)); err != nil {
		return err
	}
	for _, p := range c.apps {
		if err := get(ctx, "http://"+p.machine.at(3000)+"/readyz", nil); err != nil {
			return err
		}
	}
	return c.balanced(ctx)
}

func (c *cluster) etcdWhole(ctx context.Context) error {
	for name, p := range c.etcd {
		var health struct{ Health string }
		if err := get(ctx, "http://"+p.machine.at(2379)+"/health", &health); err != nil || health.Health != "true" {
			return fmt.Errorf("%s is not healthy: %w", name, err)
		}
	}
	return nil
}

func (c *cluster) databasesWhole(ctx context.Context) error {
	for name, m := range c.members {
		var patroni struct{ State string }
		if err := get(ctx, "http://"+m.at(8008)+"/patroni", &patroni); err != nil || patroni.State != "running" {
			return fmt.Errorf("%s is %q: %w", name, patroni.State, err)
		}
	}
	_, err := c.roles(ctx)
	return err
}

func (c *cluster) natsWhole(ctx context.Context) error {
	for name, p := range c.nats {
		var routes struct {
			Routes []struct {
				Remote string `json:"remote_id"`
			}
		}
		if err := get(ctx, "http://"+p.machine.at(8222)+"/routez", &routes); err != nil {
			return err
		}
		others := make(map[string]bool)
		for _, r := range routes.Routes {
			others[r.Remote] = true
		}
		if len(others) != len(c.nats)-1 {
			return fmt.Errorf("%s has routes to %d others", name, len(others))
		}
	}
	return nil
}

// balanced reports whether HAProxy sends buyers to every replica.
func (c *cluster) balanced(ctx context.Context) error {
	text, err := fetch(ctx, "http://"+c.lb.machine.at(8404)+"/stats;csv")
	if err != nil {
		return err
	}
	table, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return err
	}
	up := 0
	for _, row := range table {
		if row[0] == "shop" && c.apps[row[1]] != nil && row[17] == "UP" {
			up++
		}
	}
	if up != len(c.apps) {
		return fmt.Errorf("HAProxy sends buyers to %d replicas", up)
	}
	return nil
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
