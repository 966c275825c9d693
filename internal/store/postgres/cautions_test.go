package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
)

// whats returns the sentences of cautions, each up to its colon.
func whats(cautions []store.Caution) (all []string) {
	for _, c := range cautions {
		what, _, _ := strings.Cut(c.What, ":")
		all = append(all, what+", "+c.Source)
	}
	return all
}

// Every setting that may lose a sale is reported, together with where it comes from.
func TestCautions_SayWhatMayLoseSalesAndWhoSetIt(t *testing.T) {
	for _, mode := range []string{"", "&default_query_exec_mode=exec"} {
		sh := newShop(t)
		database := sh.admin.Config().Database
		for _, test := range []struct{ parameters, set, reset, want string }{
			{"", "", "", ""},
			{"&synchronous_commit=off", "", "", "synchronous_commit is off, set by the database URL or by PGOPTIONS"},
			{"&options=-c%20synchronous_commit%3Doff", "", "", "synchronous_commit is off, set by the database URL or by PGOPTIONS"},
			{"&synchronous_commit=local", "", "", ""}, // no standby is waited for anyway
			{"&synchronous_commit=remote_apply", "", "", ""},
			{
				"", "ALTER ROLE " + sh.role + " SET synchronous_commit = off", "ALTER ROLE " + sh.role + " RESET synchronous_commit",
				"synchronous_commit is off, set for the role: ALTER ROLE " + sh.role + " RESET synchronous_commit",
			},
			{
				"", "ALTER DATABASE " + database + " SET synchronous_commit = off", "ALTER DATABASE " + database + " RESET synchronous_commit",
				"synchronous_commit is off, set for the database: ALTER DATABASE " + database + " RESET synchronous_commit",
			},
			{
				"", "ALTER ROLE " + sh.role + " IN DATABASE " + database + " SET synchronous_commit = off", "ALTER ROLE " + sh.role + " IN DATABASE " + database + " RESET ALL",
				fmt.Sprintf("synchronous_commit is off, set for the role in this database: ALTER ROLE %s IN DATABASE %s RESET synchronous_commit", sh.role, database),
			},
		} {
			if test.set != "" {
				exec(t, sh.admin, test.set)
			}
			s := stores.PostgresWith(t, sh.url+mode+test.parameters, 1)
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(whats(s.Cautions()), "; "); got != test.want {
				t.Errorf("%s%s: %q, want %q", test.parameters, test.set, got, test.want)
			}
			if test.reset != "" {
				exec(t, sh.admin, test.reset)
			}
		}
	}
}

// The server's settings may change while connections are open, and another server may have others. The store notices
// when somebody asks, and on each new connection.
func TestCautions_FollowTheServer(t *testing.T) {
	c := pgtest.NewCluster(t, pgtest.Where{})
	s, admin := open(t, c.URL()), connect(t, c.URL())
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Cautions(); len(got) != 0 {
		t.Fatalf("at first: %v", got)
	}
	reload := func(name, value string) {
		exec(t, admin, `ALTER SYSTEM SET `+name+` = `+value)
		exec(t, admin, `SELECT pg_reload_conf()`)
	}
	wants := func(want ...string) {
		t.Helper()
		var got []string
		for range 200 { // the server takes a moment to read its configuration again
			if err := s.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got = whats(s.Cautions()); slices.Equal(got, want) {
				return
			}
			s.Pool().Reset()
		}
		t.Errorf("%q, want %q", got, want)
	}
	const server = ", set for the server, in its configuration file"
	reload("fsync", "off")
	wants("fsync is off" + server)
	reload("full_page_writes", "off")
	reload("synchronous_commit", "off")
	wants("synchronous_commit is off"+server, "fsync is off"+server, "full_page_writes is off"+server)
	reload("synchronous_commit", "on")
	reload("fsync", "on")
	reload("full_page_writes", "on")
	wants()
	reload("synchronous_commit", "local")
	reload("synchronous_standby_names", "nobody")
	wants("synchronous_commit is local" + server)
	reload("synchronous_commit", "remote_write")
	wants("synchronous_commit is remote_write" + server)
	reload("synchronous_standby_names", "''")
	wants()
}

// A database whose encoding cannot hold every name is refused by name. SQL_ASCII, which stores bytes unchanged, is
// accepted.
func TestOpen_ADatabaseInAnotherEncoding(t *testing.T) {
	admin := connect(t, pgtest.Database(t))
	cfg := admin.Config()
	for _, test := range []struct{ encoding, refused string }{
		{"SQL_ASCII", ""}, {"LATIN1", "server_encoding is LATIN1"}, {"WIN1252", "server_encoding is WIN1252"}, {"EUC_JP", "server_encoding is EUC_JP"},
	} {
		name := cfg.Database + "_" + strings.ToLower(test.encoding)
		exec(t, admin, `CREATE DATABASE `+name+` ENCODING '`+test.encoding+`' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'`)
		t.Cleanup(func() { _, _ = admin.Exec(context.Background(), `DROP DATABASE `+name+` WITH (FORCE)`) })
		url := fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", cfg.User, cfg.Host, cfg.Port, name)
		s := open(t, url)
		_, _, err := s.Migrate(t.Context())
		if test.refused != "" {
			if e, ok := errors.AsType[*postgres.SettingError](err); !ok || !strings.Contains(e.Error(), test.refused) {
				t.Errorf("%s: %v", test.encoding, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", test.encoding, err)
		}
		sh := &shop{url: url, admin: connect(t, url)}
		u, _, err := s.EnsureUser(t.Context(), "Zoë 山田", "", drop.Key{})
		if err != nil {
			t.Fatal(err)
		}
		var stored []byte
		if err := sh.admin.QueryRow(t.Context(), `SELECT username::bytea FROM sneakerdrop.users WHERE id = $1`, int64(u.ID)).Scan(&stored); err != nil || string(stored) != "Zoë 山田" {
			t.Errorf("%s keeps %q, %v", test.encoding, stored, err)
		}
	}
}

// A server that is read-only because of a setting is distinguished from a standby, and the source is named.
func TestOpen_AReadOnlyRoleIsNamed(t *testing.T) {
	sh := newShop(t)
	for name, want := range mayRefuse() {
		value := "on"
		if name == "session_replication_role" {
			value = "replica"
		}
		reset, err := sh.set(t, name, value)
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, sh.url)
		err = s.Ready(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "ALTER ROLE "+sh.role+" RESET "+name) {
			t.Errorf("%s: %v", name, err)
		}
		readOnly := name == "default_transaction_read_only"
		if errors.Is(err, pgconn.ErrReadOnlyConnection) != readOnly || (store.ClassOf(err) == store.ClassUnavailable) != readOnly {
			t.Errorf("%s: class %v", name, store.ClassOf(err))
		}
		reset()
	}
}
