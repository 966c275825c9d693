package sqlite

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
