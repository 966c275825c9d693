// Package pgtest gives tests empty PostgreSQL databases. They are on a throw-away cluster of the test process, or on
// the server that SNEAKERDROP_TEST_POSTGRES names. That variable is the URL of a connection that may create
// databases.
//
// The cluster starts with the first database that a test asks for. A package that uses it runs its TestMain through
// Main, which stops the cluster. If the test process is killed, the cluster ends with it.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/store/postgres"
)

// patience limits each administrative step.
const patience = time.Minute

// errNoBinaries is the error on a machine without PostgreSQL.
var errNoBinaries = errors.New("no PostgreSQL server binaries found: install PostgreSQL 15 or newer (Debian: apt-get " +
	"install postgresql), or set SNEAKERDROP_TEST_PG_BIN to a directory with initdb and postgres, or " +
	"SNEAKERDROP_TEST_POSTGRES to a server's URL")

// shared is the process's one server. Starting one for each test would take a second each.
var shared server

type server struct {
	once    sync.Once
	err     error
	admin   string
	cluster *cluster
	prefix  string
	number  atomic.Int64

	template     sync.Once
	templateErr  error
	templateName string
	create       sync.Mutex // one CREATE DATABASE at a time, because a template must have no other user
}

// Main runs the tests and stops the cluster, if one was started: func TestMain(m *testing.M) {
// os.Exit(pgtest.Main(m)) }.
func Main(m *testing.M) int {
	defer shared.stop()
	return m.Run()
}

// Database returns the URL of a new, empty database that is dropped when the test ends.
func Database(t testing.TB) string {
	t.Helper()
	shared.need(t)
	return shared.database(t, "template1")
}

// Migrated returns the URL of a new database with the newest schema and no data, dropped when the test ends.
func Migrated(t testing.TB) string {
	t.Helper()
	shared.need(t)
	shared.template.Do(func() { shared.templateErr = shared.makeTemplate() })
	if shared.templateErr != nil {
		t.Fatal(shared.templateErr)
	}
	return shared.database(t, shared.templateName)
}

// need starts the server, or ends the test if there is none.
func (s *server) need(t testing.TB) {
	t.Helper()
	s.once.Do(func() { s.err = s.open() })
	if errors.Is(s.err, errNoBinaries) && os.Getenv("CI") != "true" {
		t.Skip(s.err)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
}

func (s *server) open() error {
	s.prefix = fmt.Sprintf("sneakerdrop_test_%d_%06x_", os.Getpid(), rand.Uint32()&0xffffff)
	if s.admin = os.Getenv("SNEAKERDROP_TEST_POSTGRES"); s.admin != "" {
		return nil
	}
	c, err := startCluster()
	if err != nil {
		return err
	}
	s.cluster = c
	s.admin = c.url("postgres")
	return nil
}

func (s *server) stop() {
	if s.cluster != nil {
		s.cluster.stop()
		return
	}
	if s.templateName != "" {
		_ = s.exec(`DROP DATABASE IF EXISTS ` + s.templateName + ` WITH (FORCE)`)
	}
}

// makeTemplate migrates a database that others are copied from, because a copy takes 30 ms, less than a migration.
func (s *server) makeTemplate() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	name := s.prefix + "template"
	if err := s.exec(`CREATE DATABASE ` + name); err != nil {
		return fmt.Errorf("create the template database: %w", err)
	}
	s.templateName = name
	u, err := s.url(name)
	if err != nil {
		return err
	}
	st, err := postgres.Open(ctx, u, postgres.Options{})
	if err != nil {
		return fmt.Errorf("open the template database: %w", err)
	}
	_, _, err = st.Migrate(ctx)
	if err := errors.Join(err, st.Close()); err != nil {
		return fmt.Errorf("migrate the template database: %w", err)
	}
	return nil
}

func (s *server) database(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("%s%d", s.prefix, s.number.Add(1))
	s.create.Lock()
	err := s.exec(`CREATE DATABASE ` + name + ` TEMPLATE ` + template)
	s.create.Unlock()
	if err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := s.exec(`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	u, err := s.url(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// url returns the admin connection's URL with another database.
func (s *server) url(database string) (string, error) {
	u, err := url.Parse(s.admin)
	if err != nil {
		return "", fmt.Errorf("read SNEAKERDROP_TEST_POSTGRES: %w", err)
	}
	u.Path = "/" + database
	return u.String(), nil
}

func (s *server) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.admin)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}
