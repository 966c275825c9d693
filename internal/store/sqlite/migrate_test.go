package sqlite

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

func TestMigrate_FromEachVersion(t *testing.T) {
	all, err := scripts()
	if err != nil {
		t.Fatal(err)
	}
	want := schema(t, openNew(t, Options{}))
	for version := range len(all) + 1 {
		s := openAt(t, filepath.Join(t.TempDir(), "old.db"), Options{})
		err := s.write(t.Context(), "make the old version", func(conn *sqlite.Conn) (bool, error) {
			_, _, err := migrate(conn, all[:version])
			return true, err
		})
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
		if err := s.Ready(t.Context()); (err == nil) != (version == len(all)) {
			t.Errorf("Ready at version %d: %v", version, err)
		}
		from, to, err := s.Migrate(t.Context())
		if err != nil || from != version || to != len(all) {
			t.Errorf("Migrate at version %d: from %d to %d, %v", version, from, to, err)
		}
		if got := schema(t, s); got != want {
			t.Errorf("from version %d the schema is\n%s\nwant\n%s", version, got, want)
		}
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("Ready after Migrate from %d: %v", version, err)
		}
	}
}

func schema(t *testing.T, s *Store) string {
	t.Helper()
	var all strings.Builder
	err := s.read(t.Context(), "schema", func(conn *sqlite.Conn) error {
		st, err := conn.Prepare("SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name")
		if err != nil {
			return err
		}
		return rows(st, func() { all.WriteString(st.ColumnText(0) + "\n") })
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

func TestMigrate_OldUsersHaveNoPublicName(t *testing.T) {
	all, err := scripts()
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, filepath.Join(t.TempDir(), "old.db"), Options{})
	err = s.write(t.Context(), "make the old version", func(conn *sqlite.Conn) (bool, error) {
		if _, _, err := migrate(conn, all[:2]); err != nil {
			return false, err
		}
		return true, execute(conn, `INSERT INTO users (id, username, issuer, subject, created_at) VALUES (1099511627776, 'Ann Smith', 'id', 'ann', 1)`)
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, public := range []string{"", "Ann S.", ""} {
		users, err := s.EnsureSubjects(t.Context(), []drop.Subject{{Issuer: "id", Subject: "ann", Username: "Ann Smith", PublicName: public}})
		want := drop.User{ID: drop.FirstAllocatedUser, Username: "Ann Smith", PublicName: public}
		if err != nil || users[0] != want {
			t.Errorf("%+v, %v; want %+v", users, err, want)
		}
		var null int64
		err = s.read(t.Context(), "look", func(conn *sqlite.Conn) (err error) {
			null, err = integer(conn, "SELECT public_name IS NULL FROM users")
			return err
		})
		if err != nil || (null == 1) != (public == "") {
			t.Errorf("%q is stored as null: %d, %v", public, null, err)
		}
	}
}

func TestMigrate_FailingStepLeavesTheOldVersion(t *testing.T) {
	s := openAt(t, filepath.Join(t.TempDir(), "old.db"), Options{})
	err := s.write(t.Context(), "migrate", func(conn *sqlite.Conn) (bool, error) {
		_, _, err := migrate(conn, []string{"CREATE TABLE a (id INTEGER)", "CREATE TABLE a (id INTEGER)"})
		return true, err
	})
	if err == nil || !strings.Contains(err.Error(), "to version 2") {
		t.Errorf("the second step: %v", err)
	}
	if got := schema(t, s); got != "" {
		t.Errorf("left behind: %s", got)
	}
}

func TestMigrate_TooNew(t *testing.T) {
	s := openNew(t, Options{})
	direct(t, s, "PRAGMA user_version = 999")
	if _, _, err := s.Migrate(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Migrate: %v", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Ready: %v", err)
	}
}

func TestDamagedFileIsSaidToBe(t *testing.T) {
	s := openNew(t, Options{Log: slog.New(slog.DiscardHandler)})
	id := newDrop(t, s, 10)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var root int64
	look := openAt(t, s.path, Options{ReadOnly: true})
	err := look.read(t.Context(), "look", func(conn *sqlite.Conn) (err error) {
		root, err = integer(conn, "SELECT rootpage FROM sqlite_schema WHERE name = 'drops'")
		return err
	})
	if err := errors.Join(err, look.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt(bytes.Repeat([]byte{0xA5}, 4096), (root-1)*4096)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, s.path, Options{Log: slog.New(slog.DiscardHandler)})
	err = s.RunBatch(t.Context(), batchOf(id, nil))
	if err == nil || store.ClassOf(err) != store.ClassFault || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("RunBatch: %v", err)
	}
}

func TestMigrate_OldDropsHaveNoEarlyAccess(t *testing.T) {
	all, err := scripts()
	if err != nil {
		t.Fatal(err)
	}
	s := openAt(t, filepath.Join(t.TempDir(), "old.db"), Options{})
	err = s.write(t.Context(), "make the old version", func(conn *sqlite.Conn) (bool, error) {
		if _, _, err := migrate(conn, all[:9]); err != nil {
			return false, err
		}
		for _, row := range []string{
			`INSERT INTO drops (id, name, price, start_time, limit_per_user, max_expired_holds, paused, hidden, archived, version, created_at,
				last_at, seq, reserved, purchased, batch, waitlist, offer_for, max_waiting, offers_count, waited, line_closed, draw_phase, entered, lined)
			VALUES (1, 'Air', 5, 0, 0, 0, 0, 0, 0, 7, 1, 2, 1, 1, 0, zeroblob(16), 0, 600, 10000, 0, 0, 0, 0, 1, 0)`,
			`INSERT INTO sizes (drop_id, position, label, total, available, held, sold) VALUES (1, 0, '', 3, 2, 1, 0)`,
			`INSERT INTO reservations (drop_id, id, user_id, size, status, created_at, expires_at) VALUES (1, 4294967297, 7, '', 1, 2, 9000000000000)`,
			`INSERT INTO draw_entries (drop_id, id, user_id, sizes, created_at) VALUES (1, 4294967297, 8, '0', 2)`,
		} {
			if err := execute(conn, row); err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, to, err := s.Migrate(t.Context()); err != nil || to < 10 {
		t.Fatalf("to %d, %v", to, err)
	}
	d, err := s.Drop(t.Context(), 1)
	if err != nil || d.Drop.Accesses != nil || d.Drop.Version != 7 {
		t.Errorf("%+v, %v", d, err)
	}
	held, err := s.Reservations(t.Context(), 7, 9)
	if want := (drop.Reservation{ID: 4294967297, UserID: 7, Status: drop.Active, CreatedAt: 2, ExpiresAt: 9000000000000}); err != nil || len(held) != 1 || held[0] != want {
		t.Errorf("%+v, %v; want %+v", held, err, want)
	}
	entries, err := s.DrawEntries(t.Context(), 1, 0, 9)
	if want := (drop.DrawEntry{ID: 4294967297, UserID: 8, Sizes: "0", CreatedAt: 2}); err != nil || len(entries) != 1 || entries[0] != want {
		t.Errorf("%+v, %v; want %+v", entries, err, want)
	}
	code := drop.HashCode(1, "early bird")
	results, err := apply(t, s, 1, drop.AddAccess{Terms: drop.Access{Uses: 1, Units: 2, Ends: drop.TimeOf(time.Now().Add(time.Hour))}, Passes: []drop.Hash{code}},
		drop.Reserve{User: 9, Hold: time.Minute, With: &drop.Passes{Code: code}}, drop.Cancel{Reservation: 4294967297})
	if err != nil || results[1].Err != nil || results[1].Reservation.Pass == 0 || results[2].Err != nil {
		t.Errorf("a batch: %+v, %v", results, err)
	}
}
