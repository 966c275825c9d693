package postgres_test

import (
	"context"
	"maps"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/records"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// separate makes an empty database with the two documented roles, migrated by the owner.
func separate(t *testing.T) (owner, server string) {
	t.Helper()
	script, err := os.ReadFile("../../../deploy/postgres-roles.sql")
	if err != nil {
		t.Fatal(err)
	}
	admin := pgtest.Database(t)
	as := func(role string) string {
		u, err := url.Parse(admin)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.User(role)
		return u.String()
	}
	owner, server = as("sneakerdrop_owner"), as("sneakerdrop_serve")
	conn := connect(t, admin)
	exec(t, conn, `SELECT pg_advisory_lock(1)`) // roles belong to the whole cluster: only one test at a time may make them
	exec(t, conn, string(script))
	exec(t, conn, `SELECT pg_advisory_unlock(1)`)
	s := open(t, owner)
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatalf("migrate as the owner: %v", err)
	}
	return owner, server
}

// servingStore is a store with the serving role. It leaves what only the owner may do to the owner.
type servingStore struct {
	*postgres.Store
	owner *postgres.Store
}

func (s servingStore) Import(ctx context.Context, into store.Into, fill func(func(store.Row) error) error, check func(store.Rows) error) error {
	return s.owner.Import(ctx, into, fill, check)
}

func (s servingStore) CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error) {
	return s.owner.CreateToken(ctx, t, hash)
}

func (s servingStore) RevokeToken(ctx context.Context, id operator.TokenID) (operator.Token, error) {
	return s.owner.RevokeToken(ctx, id)
}

// wantRights fails unless the serving role has exactly the rights in the tables' descriptions, plus what a server
// must read.
func wantRights(t *testing.T, admin *pgx.Conn) {
	t.Helper()
	want := map[string]string{"goose_db_version": "SELECT", "compatibility": "SELECT"}
	for _, table := range records.Tables {
		want[table.Name] = table.Rights
		if table.Serves {
			want[table.Sequence] = "USAGE"
		}
	}
	got := make(map[string]string)
	rows, err := admin.Query(t.Context(), `
		WITH rights AS (
			SELECT relname, privilege_type, '' AS columns
			FROM pg_class, aclexplode(relacl)
			WHERE relnamespace = 'sneakerdrop'::regnamespace AND grantee = 'sneakerdrop_serve'::regrole
			UNION ALL
			SELECT relname, privilege_type, ' (' || string_agg(attname, ', ' ORDER BY attnum) || ')'
			FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl)
			WHERE relnamespace = 'sneakerdrop'::regnamespace AND grantee = 'sneakerdrop_serve'::regrole
			GROUP BY relname, privilege_type
		)
		SELECT relname, string_agg(privilege_type || columns, ', '
			ORDER BY position(privilege_type IN 'SELECT, INSERT, UPDATE, DELETE, USAGE'))
		FROM rights
		GROUP BY relname`)
	if err != nil {
		t.Fatal(err)
	}
	var name, rights string
	if _, err := pgx.ForEachRow(rows, []any{&name, &rights}, func() error { got[name] = rights; return nil }); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("the role that serves has\n%v\nwant\n%v", got, want)
	}
}

// Migrate grants rights even if the schema is up to date: lost rights come back, and extra ones are revoked.
func TestRoles_MigrateGrants(t *testing.T) {
	owner, server := separate(t)
	admin := connect(t, owner)
	wantRights(t, admin)
	exec(t, admin, `REVOKE ALL ON sneakerdrop.drops, sneakerdrop.compatibility FROM sneakerdrop_serve`)
	exec(t, admin, `GRANT UPDATE (price) ON sneakerdrop.purchases TO sneakerdrop_serve`)
	exec(t, admin, `GRANT DELETE ON sneakerdrop.ledger TO sneakerdrop_serve; CREATE TABLE sneakerdrop.theirs (id int); GRANT SELECT ON sneakerdrop.theirs TO sneakerdrop_serve`)
	for range 2 {
		s := open(t, owner)
		if from, to, err := s.Migrate(t.Context()); err != nil || from != to {
			t.Errorf("from %d to %d, %v", from, to, err)
		}
		wantRights(t, admin)
	}
	if _, _, err := open(t, server).Migrate(t.Context()); err != nil {
		t.Errorf("as the role that serves: %v", err)
	}
}

// The role gets no rights in a database that is not its business, such as another shop's in the same cluster.
func TestRoles_MigrateGrantsNothingToOthers(t *testing.T) {
	separate(t) // makes sure that the role exists
	admin := pgtest.Database(t)
	if _, _, err := open(t, admin).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := connect(t, admin).QueryRow(t.Context(), `
		SELECT count(*) FROM pg_class, aclexplode(relacl)
		WHERE relnamespace = 'sneakerdrop'::regnamespace AND grantee = 'sneakerdrop_serve'::regrole`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rights, %v", n, err)
	}
}

func TestRoles_TheServingOneCanServe(t *testing.T) {
	owner, server := separate(t)
	admin := connect(t, owner)
	storetest.Run(t, func(t *testing.T) store.Store {
		s := servingStore{open(t, server), open(t, owner)}
		if err := store.Fill(t.Context(), s.owner, nil, nil, true); err != nil {
			t.Fatal(err)
		}
		// The log survives Fill, but each test needs an empty store.
		exec(t, admin, `ALTER TABLE sneakerdrop.actions DISABLE TRIGGER never_change`)
		exec(t, admin, `ALTER TABLE sneakerdrop.outcomes DISABLE TRIGGER never_change`)
		exec(t, admin, `TRUNCATE sneakerdrop.actions, sneakerdrop.outcomes, sneakerdrop.tokens, sneakerdrop.webhooks, sneakerdrop.webhook_deliveries, sneakerdrop.webhook_replays`)
		exec(t, admin, `ALTER SEQUENCE sneakerdrop.user_ids RESTART`)
		exec(t, admin, `ALTER TABLE sneakerdrop.actions ENABLE TRIGGER never_change`)
		exec(t, admin, `ALTER TABLE sneakerdrop.outcomes ENABLE TRIGGER never_change`)
		return s
	})
}

func TestRoles_TheServingOneCanDoNothingElse(t *testing.T) {
	owner, server := separate(t)
	s := open(t, server)
	if from, to, err := s.Migrate(t.Context()); err != nil || from != to {
		t.Errorf("a schema that is up to date: from %d to %d, %v", from, to, err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Errorf("Ready: %v", err)
	}
	id := createDrop(t, s, 5)
	if _, err := s.Record(t.Context(), operator.Action{Call: "pause", Drop: id}); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, server)
	for _, statement := range []string{
		`UPDATE sneakerdrop.ledger SET units = 0`, `DELETE FROM sneakerdrop.ledger`, `TRUNCATE sneakerdrop.ledger`,
		`UPDATE sneakerdrop.purchases SET user_id = 1`, `DELETE FROM sneakerdrop.purchases`,
		`DELETE FROM sneakerdrop.reservations`, `DELETE FROM sneakerdrop.drops`, `DELETE FROM sneakerdrop.users`,
		`UPDATE sneakerdrop.actions SET name = 'nobody'`, `DELETE FROM sneakerdrop.actions`, `TRUNCATE sneakerdrop.actions CASCADE`,
		`UPDATE sneakerdrop.outcomes SET outcome = 'ok'`, `DELETE FROM sneakerdrop.outcomes`,
		`INSERT INTO sneakerdrop.tokens (name, role, hash, created_at) VALUES ('me', 'operator', sha256(''), 1)`,
		`UPDATE sneakerdrop.tokens SET role = 'operator'`, `DELETE FROM sneakerdrop.tokens`,
		`UPDATE sneakerdrop.goose_db_version SET version_id = 99`,
		`ALTER TABLE sneakerdrop.sizes DROP CONSTRAINT sizes_balanced`, `DROP TABLE sneakerdrop.ledger`,
		`ALTER TABLE sneakerdrop.actions DISABLE TRIGGER never_change`, `CREATE TABLE sneakerdrop.mine (id int)`,
		`SELECT setval('sneakerdrop.user_ids', 1099511627776)`, `SET ROLE sneakerdrop_owner`,
	} {
		_, err := conn.Exec(t.Context(), statement)
		e, ok := err.(*pgconn.PgError) //nolint:errorlint // as pgx gives it
		if !ok || e.Code != pgerrcode.InsufficientPrivilege {
			t.Errorf("%s: %v", statement, err)
		}
	}
	// Not even the owner can change the log.
	conn = connect(t, owner)
	for _, statement := range []string{
		`UPDATE sneakerdrop.actions SET name = 'nobody'`, `DELETE FROM sneakerdrop.actions`, `TRUNCATE sneakerdrop.actions CASCADE`,
		`UPDATE sneakerdrop.outcomes SET outcome = 'ok'`, `DELETE FROM sneakerdrop.outcomes`, `TRUNCATE sneakerdrop.outcomes`,
	} {
		if _, err := conn.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s as the owner: %v", statement, err)
		}
	}
}
