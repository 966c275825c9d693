package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// migrations returns the embedded migrations up to each version, the first in versions[0].
func migrations(t *testing.T) (versions []fstest.MapFS, newest int) {
	t.Helper()
	files, err := postgres.MigrationFiles()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	upTo := fstest.MapFS{}
	for _, name := range names { // Glob returns sorted names, and the names start with the version
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		next := fstest.MapFS{name: {Data: data}}
		maps.Copy(next, upTo)
		upTo = next
		versions = append(versions, next)
	}
	return versions, len(names)
}

func TestMigrate_ManyAtOnceFromEmpty(t *testing.T) {
	url := pgtest.Database(t)
	_, newest := migrations(t)
	var (
		wg sync.WaitGroup
		mu sync.Mutex
		by int // how many found work to do
	)
	for range 8 {
		s := open(t, url)
		wg.Go(func() {
			from, to, err := s.Migrate(t.Context())
			if err != nil || to != newest || from != 0 && from != newest {
				t.Errorf("Migrate: from %d to %d, %v", from, to, err)
			}
			mu.Lock()
			defer mu.Unlock()
			if from == 0 {
				by++
			}
		})
	}
	wg.Wait()
	if by != 1 {
		t.Errorf("%d of the processes migrated, want 1", by)
	}
	if err := open(t, url).Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
}

func TestMigrate_FromEachOlderVersion(t *testing.T) {
	versions, newest := migrations(t)
	for older := range newest {
		t.Run(fmt.Sprintf("from %d", older), func(t *testing.T) {
			s := open(t, pgtest.Database(t))
			if older > 0 {
				if _, to, err := s.MigrateFiles(t.Context(), versions[older-1]); err != nil || to != older {
					t.Fatalf("to the older version: %d, %v", to, err)
				}
			}
			if err := s.Ready(t.Context()); err == nil || errors.Is(err, store.ErrTooNew) {
				t.Errorf("Ready before: %v, want an error that says to migrate", err)
			}
			if from, to, err := s.Migrate(t.Context()); err != nil || from != older || to != newest {
				t.Errorf("Migrate: from %d to %d, %v", from, to, err)
			}
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("Ready: %v", err)
			}
			createDrop(t, s, 1)
		})
	}
}

func TestMigrate_RefusesWhatIsTooNew(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	versions, newest := migrations(t)
	later := versions[newest-1]
	later[fmt.Sprintf("%05d_later.sql", newest+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\nSELECT 1;\n")}
	if _, to, err := s.MigrateFiles(t.Context(), later); err != nil || to != newest+1 {
		t.Fatalf("as the newer program: %d, %v", to, err)
	}
	if _, _, err := s.Migrate(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Migrate: %v, want ErrTooNew", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Ready: %v, want ErrTooNew", err)
	}
}

// later adds a migration after the newest one, as a newer program would have it.
func later(t *testing.T, files fstest.MapFS, version int, sql string) {
	t.Helper()
	files[fmt.Sprintf("%05d_later.sql", version)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)}
}

func TestMigrate_AnOlderProgramGoesOnWithASchemaThatLetsIt(t *testing.T) {
	url := pgtest.Migrated(t)
	s, newer := open(t, url), open(t, url)
	versions, newest := migrations(t)
	files := versions[newest-1]
	later(t, files, newest+1, fmt.Sprintf(`
		ALTER TABLE sneakerdrop.drops ADD COLUMN colour text NOT NULL DEFAULT 'red';
		ALTER TABLE sneakerdrop.reservations ADD COLUMN note text;
		CREATE TABLE sneakerdrop.parcels (id bigint PRIMARY KEY);
		INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (%d, %d);`, newest+1, newest))
	useAll(t, s) // prepares its statements
	if _, to, err := newer.MigrateFiles(t.Context(), files); err != nil || to != newest+1 {
		t.Fatalf("as the newer program: %d, %v", to, err)
	}
	if from, to, err := s.Migrate(t.Context()); err != nil || from != newest+1 || to != newest+1 {
		t.Errorf("Migrate: from %d to %d, %v", from, to, err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	exec(t, connect(t, url), `TRUNCATE sneakerdrop.drops, sneakerdrop.reservations, sneakerdrop.users, sneakerdrop.idempotency_keys`)
	useAll(t, s)
	if err := s.Export(t.Context(), func(store.Row) error { return nil }); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Export: %v, want ErrTooNew: it would leave out what it does not know", err)
	}
	later(t, files, newest+2, fmt.Sprintf(`
		INSERT INTO sneakerdrop.compatibility (version, oldest) VALUES (%d, %d);`, newest+2, newest+1))
	if _, _, err := newer.MigrateFiles(t.Context(), files); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, store.ErrTooNew) {
		t.Errorf("Ready for a schema that needs a newer program: %v, want ErrTooNew", err)
	}
}

func TestMigrate_EachSaysWhichProgramsCanGoOn(t *testing.T) {
	_, newest := migrations(t)
	var said []int
	rows, err := connect(t, pgtest.Migrated(t)).Query(t.Context(), `SELECT version FROM sneakerdrop.compatibility ORDER BY version`)
	if err == nil {
		said, err = pgx.CollectRows(rows, pgx.RowTo[int])
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != newest-2 || said[0] != 3 || said[len(said)-1] != newest {
		t.Errorf("the versions 3 to %d say it, and these have: %v", newest, said)
	}
}

// What a program of schema 4 does to users is repeated here with its own statements.
func TestMigrate_PublicNamesBesideAProgramThatKnowsNone(t *testing.T) {
	url := pgtest.Database(t)
	s, old := open(t, url), connect(t, url)
	versions, newest := migrations(t)
	if _, _, err := s.MigrateFiles(t.Context(), versions[3]); err != nil {
		t.Fatal(err)
	}
	add := func(subject, name string) {
		t.Helper()
		exec(t, old, `INSERT INTO sneakerdrop.users (id, username, email, issuer, subject, created_at)
			SELECT nextval('sneakerdrop.user_ids'), username, nullif(email, ''), issuer, subject, 1
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS n (issuer, subject, username, email)
			ON CONFLICT (issuer, subject) WHERE subject IS NOT NULL DO NOTHING`, []string{"id"}, []string{subject}, []string{name}, []string{""})
	}
	add("ann", "Ann Smith")
	if from, to, err := s.Migrate(t.Context()); err != nil || from != 4 || to != newest {
		t.Fatalf("Migrate: from %d to %d, %v", from, to, err)
	}
	add("bob", "Bob Brown")
	sees := func(subject, username, told, want string) drop.UserID {
		t.Helper()
		users, err := s.EnsureSubjects(t.Context(), []drop.Subject{{Issuer: "id", Subject: subject, Username: username, PublicName: told}})
		if err != nil || users[0].PublicName != want || users[0].Username != username {
			t.Fatalf("%s: %+v, %v; want %q", subject, users, err, want)
		}
		if u, err := s.User(t.Context(), users[0].ID); err != nil || u != users[0] {
			t.Errorf("User: %+v, %v; want %+v", u, err, users[0])
		}
		return users[0].ID
	}
	id := sees("ann", "Ann Smith", "", "")
	sees("bob", "Bob Brown", "", "")
	sees("ann", "Ann Smith", "Ann S.", "Ann S.")
	exec(t, old, `UPDATE sneakerdrop.users AS u SET username = n.username, email = nullif(n.email, '')
		FROM unnest($1::bigint[], $2::text[], $3::text[]) AS n (id, username, email) WHERE u.id = n.id`, []int64{int64(id)}, []string{"Ann Jones"}, []string{""})
	sees("ann", "Ann Jones", "Ann J.", "Ann J.")
	sees("ann", "Ann Jones", "", "")
	var null bool
	if err := old.QueryRow(t.Context(), `SELECT public_name IS NULL FROM sneakerdrop.users WHERE id = $1`, int64(id)).Scan(&null); err != nil || !null {
		t.Errorf("a token without the claims leaves no null: %v", err)
	}
}

// What a program of schema 11 writes to the tables that early access is in is repeated here with its own statements. It
// leaves early access alone.
func TestMigrate_EarlyAccessBesideAProgramThatKnowsNone(t *testing.T) {
	url := pgtest.Database(t)
	s, old := open(t, url), connect(t, url)
	versions, newest := migrations(t)
	if _, _, err := s.MigrateFiles(t.Context(), versions[10]); err != nil {
		t.Fatal(err)
	}
	exec(t, old, `INSERT INTO sneakerdrop.drops (id, name, price, start_time, limit_per_user, max_expired_holds, paused, hidden, archived, version,
			created_at, last_at, seq, reserved, purchased, batch)
		VALUES (1, 'Air', 5, 0, 0, 0, false, false, false, 7, 1, 2, 1, 1, 0, gen_random_uuid())`)
	exec(t, old, `INSERT INTO sneakerdrop.sizes (drop_id, position, label, total, available, held, sold) VALUES (1, 0, '', 9, 8, 1, 0)`)
	hold := func(number int, user drop.UserID) {
		t.Helper()
		exec(t, old, `INSERT INTO sneakerdrop.reservations (drop_id, id, user_id, size, status, created_at, expires_at, ended_at, offer)
			SELECT id >> 32, id, user_id, size, status, created_at, expires_at, nullif(ended_at, 0), nullif(offer, 0::smallint)
			FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[])
				AS n (id, user_id, size, status, created_at, expires_at, ended_at, offer)`,
			[]int64{1<<32 | int64(number)}, []int64{int64(user)}, []string{""}, []int16{1}, []int64{2}, []int64{9_000_000_000_000}, []int64{0}, []int16{0})
	}
	enter := func(number int, user drop.UserID) {
		t.Helper()
		exec(t, old, `INSERT INTO sneakerdrop.draw_entries (drop_id, id, user_id, sizes, created_at) VALUES (1, $1, $2, '0', 2)`,
			1<<32|int64(number), int64(user))
	}
	hold(1, 7)
	enter(1, 8)
	if from, to, err := s.Migrate(t.Context()); err != nil || from != 11 || to != newest {
		t.Fatalf("Migrate: from %d to %d, %v", from, to, err)
	}
	hold(2, 7)
	enter(2, 9)
	read := func(accesses int) {
		t.Helper()
		d, err := s.Drop(t.Context(), 1)
		if err != nil || len(d.Drop.Accesses) != accesses || d.Drop.Version < 7 {
			t.Errorf("%+v, %v", d, err)
		}
		held, err := s.Reservations(t.Context(), 7, 9)
		if err != nil || len(held) != 2 || held[0].Pass != 0 || held[1].Pass != 0 {
			t.Errorf("%+v, %v", held, err)
		}
		entries, err := s.DrawEntries(t.Context(), 1, 0, 9)
		if err != nil || len(entries) != 2 || entries[0].Pass != 0 || entries[1].Pass != 0 {
			t.Errorf("%+v, %v", entries, err)
		}
	}
	read(0)
	code := drop.HashCode(1, "early bird")
	cmds := []drop.Command{
		drop.AddAccess{Terms: drop.Access{Uses: 1, Units: 2, Ends: drop.TimeOf(time.Now().Add(time.Hour))}, Passes: []drop.Hash{code}},
		drop.Reserve{User: 9, Hold: time.Hour, With: &drop.Passes{Code: code}},
	}
	err := s.RunBatch(t.Context(), &storetest.Batch{Drop: 1, Need: drop.NeedOf(cmds), Decider: func(st *drop.State, now drop.Time) *drop.Changes {
		st.Reserved = 2
		_, changes := drop.Apply(st, now, newBatch(), cmds)
		return changes
	}})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, old, `UPDATE sneakerdrop.drops SET name = $2, version = $3 WHERE id = $1`, int64(1), "Air 2", int64(99))
	exec(t, old, `UPDATE sneakerdrop.reservations SET expires_at = $2, payment = nullif($3, 0) WHERE drop_id = 1 AND id = $1`, int64(1<<32|3), int64(9_000_000_000_001), int64(5))
	exec(t, old, `UPDATE sneakerdrop.draw_entries SET withdrawn_at = nullif($2, 0), removed = nullif($3, '') WHERE drop_id = 1 AND id = $1`, int64(1<<32|1), int64(3), "")
	read(1)
	if mine, err := s.Reservations(t.Context(), 9, 9); err != nil || len(mine) != 1 || mine[0].Pass != drop.NewPassID(1, 1, 1) || mine[0].Payment != 5 {
		t.Errorf("%+v, %v", mine, err)
	}
}

// Statistics over many rows take a moment to gather, and sales wait for that: see 00004_statistics.sql.
func TestMigrate_TablesThatGrowWithSalesKeepFewStatistics(t *testing.T) {
	rows, err := connect(t, pgtest.Migrated(t)).Query(t.Context(), `
		SELECT attrelid::regclass::text || '.' || attname
		FROM pg_attribute
		WHERE attrelid IN ('sneakerdrop.users'::regclass, 'sneakerdrop.reservations'::regclass, 'sneakerdrop.purchases'::regclass,
				'sneakerdrop.ledger'::regclass, 'sneakerdrop.idempotency_keys'::regclass)
			AND attnum > 0 AND NOT attisdropped AND coalesce(attstattarget, -1) <> 10`)
	if err != nil {
		t.Fatal(err)
	}
	many, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(many) > 0 {
		t.Errorf("SET STATISTICS 10 is wanted of these too: %v, %v", many, err)
	}
}

// A migration that needs a table for itself, while somebody reads it, does not keep others from selling.
func TestMigrate_GivesWayToSales(t *testing.T) {
	url := pgtest.Migrated(t)
	s, newer, admin := open(t, url), open(t, url), connect(t, url)
	id := createDrop(t, s, 5)
	reader, err := connect(t, url).Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.Exec(t.Context(), `SELECT FROM sneakerdrop.drops`); err != nil {
		t.Fatal(err)
	}
	versions, newest := migrations(t)
	files := versions[newest-1]
	later(t, files, newest+1, `ALTER TABLE sneakerdrop.drops ADD COLUMN colour text;`)
	migrated := make(chan error, 1)
	go func() {
		_, _, err := newer.MigrateFiles(t.Context(), files)
		migrated <- err
	}()
	awaitWait(t, admin, "relation")
	if err := s.RunBatch(t.Context(), reserve(id, newBatch(), nil)); err != nil {
		t.Errorf("a sale meanwhile: %v", err)
	}
	if err := reader.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-migrated; err != nil {
		t.Errorf("once the table is free: %v", err)
	}
}

func TestMigrate_FaultyMigrationLeavesTheSchema(t *testing.T) {
	s := open(t, pgtest.Migrated(t))
	versions, newest := migrations(t)
	later := versions[newest-1]
	later[fmt.Sprintf("%05d_faulty.sql", newest+1)] = &fstest.MapFile{
		Data: []byte("-- +goose Up\nDROP TABLE sneakerdrop.ledger;\nSELECT 1 / 0;\n"),
	}
	if _, _, err := s.MigrateFiles(t.Context(), later); err == nil {
		t.Fatal("a faulty migration succeeded")
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	createDrop(t, s, 1)
}
