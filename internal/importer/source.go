package importer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
)

// source is the content of the original's tables. A nil is NULL, or a column that does not exist.
type source struct {
	now          drop.Time
	drops        []sourceDrop
	users        []sourceUser
	reservations []sourceReservation
	purchases    []sourcePurchase
}

type sourceDrop struct {
	id               int64
	name, image      *string
	price            *string // a decimal number
	total, available *int64
	start, created   *drop.Time
}

type sourceUser struct {
	id          int64
	name, email *string
}

type sourceReservation struct {
	id                        int64
	user, drop                *int64
	status                    *string
	created, expires, updated *drop.Time
}

type sourcePurchase struct {
	id                      int64
	user, drop, reservation *int64
	created                 *drop.Time
}

// table is one of the original's tables as found in the catalog.
type table struct {
	name    string // as in the original's code
	ident   pgx.Identifier
	columns map[string][]column // by plain name
}

type column struct{ name, kind string }

// plain returns a name without differences of spelling: "UserId", "userId" and user_id are the same.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// The tables are those in schemas where an unqualified name is found. sneakerdrop's own tables may be in the same
// database.
const selectColumns = `
	SELECT c.table_schema, c.table_name, c.column_name, c.data_type
	FROM information_schema.columns c
	WHERE c.table_schema = ANY (current_schemas(false)) AND c.table_schema <> 'sneakerdrop'
	ORDER BY array_position(current_schemas(false), c.table_schema::name), c.table_name, c.ordinal_position`

func readTables(ctx context.Context, tx pgx.Tx) (map[string]*table, error) {
	wanted := map[string]string{"drops": "Drops", "users": "Users", "reservations": "Reservations", "purchases": "Purchases"}
	found := make(map[string]*table)
	rows, err := tx.Query(ctx, selectColumns)
	if err != nil {
		return nil, fmt.Errorf("look for the tables: %w", err)
	}
	var schema, name string
	var c column
	_, err = pgx.ForEachRow(rows, []any{&schema, &name, &c.name, &c.kind}, func() error {
		key := plain(name)
		ident := pgx.Identifier{schema, name}
		t := found[key]
		switch {
		case wanted[key] == "":
			return nil
		case t == nil || t.ident[0] == schema && t.ident[1] != wanted[key] && name == wanted[key]:
			t = &table{name: wanted[key], ident: ident, columns: make(map[string][]column)}
			found[key] = t
		case !slices.Equal(t.ident, ident):
			return nil // a table of the same name further down the search path, or one with another spelling
		}
		t.columns[plain(c.name)] = append(t.columns[plain(c.name)], c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for the tables: %w", err)
	}
	for _, key := range []string{"drops", "users", "reservations", "purchases"} {
		if found[key] == nil {
			return nil, fmt.Errorf("there is no table %q: this is not a database of the original backend, or this user may not read it", wanted[key])
		}
	}
	return found, nil
}

// query builds the SELECT for one table, expression by expression. It keeps the first error.
type query struct {
	table *table
	exprs []string
	fault error
}

// column adds the column with the first of the plain names that the table has. Several columns may have that plain
// name, if a model declares userId and an association adds "UserId". Then the first one that is not NULL counts.
func (q *query) column(required bool, format string, kinds []string, names ...string) {
	for _, name := range names {
		cs := q.table.columns[name]
		if len(cs) == 0 {
			continue
		}
		var quoted []string
		for _, c := range cs {
			if !slices.Contains(kinds, c.kind) && q.fault == nil {
				q.fault = fmt.Errorf("the column %q of the table %q has the type %s, but an import only reads: %s",
					c.name, q.table.name, c.kind, strings.Join(kinds, ", "))
			}
			quoted = append(quoted, pgx.Identifier{c.name}.Sanitize())
		}
		q.exprs = append(q.exprs, fmt.Sprintf(format, "coalesce("+strings.Join(quoted, ", ")+")"))
		return
	}
	if required && q.fault == nil {
		q.fault = fmt.Errorf("the table %q has no column %q", q.table.name, names[0])
	}
	q.exprs = append(q.exprs, "NULL")
}

var (
	wholeKinds  = []string{"bigint", "integer", "smallint", "numeric"}
	numberKinds = []string{"numeric", "double precision", "real", "bigint", "integer", "smallint"}
	timeKinds   = []string{"timestamp with time zone", "timestamp without time zone"}
	textKinds   = []string{"text", "character varying", "character", "USER-DEFINED"} // enums and citext are user-defined
)

const (
	asWhole = "(%s)::bigint"
	// A double is read as the shortest decimal number that it stands for: 149.99, not 149.98999.
	asNumber = "(%s)::text"
	asText   = "(%s)::text"
	asMillis = "floor(extract(epoch FROM (%s)::timestamptz) * 1000)::bigint"
)

func (q *query) whole(required bool, names ...string) {
	q.column(required, asWhole, wholeKinds, names...)
}

func (q *query) text(required bool, names ...string) { q.column(required, asText, textKinds, names...) }

func (q *query) time(required bool, names ...string) {
	q.column(required, asMillis, timeKinds, names...)
}

// collect runs the query. scan returns where to put a row's values, in the order in which columns were added.
func collect[T any](ctx context.Context, tx pgx.Tx, q *query, scan func(*T) []any) ([]T, error) {
	if q.fault != nil {
		return nil, q.fault
	}
	rows, err := tx.Query(ctx, "SELECT "+strings.Join(q.exprs, ", ")+" FROM "+q.table.ident.Sanitize()+" ORDER BY 1")
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", q.table.name, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) {
		var v T
		return v, row.Scan(scan(&v)...)
	})
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", q.table.name, err)
	}
	return all, nil
}

func readSource(ctx context.Context, tx pgx.Tx) (*source, error) {
	tables, err := readTables(ctx, tx)
	if err != nil {
		return nil, err
	}
	src := &source{}
	if err := tx.QueryRow(ctx, "SELECT "+fmt.Sprintf(asMillis, "clock_timestamp()")).Scan(&src.now); err != nil {
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	q := &query{table: tables["drops"]}
	q.whole(true, "id")
	q.text(true, "name")
	q.text(false, "imageurl")
	q.column(true, asNumber, numberKinds, "price")
	q.whole(true, "totalstock")
	q.whole(false, "availablestock")
	q.time(true, "starttime")
	q.time(false, "createdat")
	src.drops, err = collect(ctx, tx, q, func(d *sourceDrop) []any {
		return []any{&d.id, &d.name, &d.image, &d.price, &d.total, &d.available, &d.start, &d.created}
	})
	if err != nil {
		return nil, err
	}
	q = &query{table: tables["users"]}
	q.whole(true, "id")
	q.text(true, "username", "name")
	q.text(false, "email")
	src.users, err = collect(ctx, tx, q, func(u *sourceUser) []any { return []any{&u.id, &u.name, &u.email} })
	if err != nil {
		return nil, err
	}
	return src, readOrders(ctx, tx, tables, src)
}

func readOrders(ctx context.Context, tx pgx.Tx, tables map[string]*table, src *source) (err error) {
	q := &query{table: tables["reservations"]}
	q.whole(true, "id")
	q.whole(true, "userid")
	q.whole(true, "dropid")
	q.text(true, "status")
	q.time(false, "createdat")
	q.time(true, "expiresat")
	q.time(false, "updatedat")
	src.reservations, err = collect(ctx, tx, q, func(r *sourceReservation) []any {
		return []any{&r.id, &r.user, &r.drop, &r.status, &r.created, &r.expires, &r.updated}
	})
	if err != nil {
		return err
	}
	q = &query{table: tables["purchases"]}
	q.whole(true, "id")
	q.whole(true, "userid")
	q.whole(true, "dropid")
	q.whole(false, "reservationid")
	q.time(false, "createdat", "purchasedat")
	src.purchases, err = collect(ctx, tx, q, func(p *sourcePurchase) []any {
		return []any{&p.id, &p.user, &p.drop, &p.reservation, &p.created}
	})
	return err
}
