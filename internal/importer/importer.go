// Package importer takes a shop's drops, users, reservations and purchases over from the tables of the original Node.js
// backend, as Sequelize makes them in PostgreSQL.
//
// It reads them all in one read-only transaction, as of one moment, and never writes to them. What it read it turns
// into books of our own by the rules in books.go, in memory, and stores all of it in one transaction or nothing. The
// original sold reservations twice and lost count of its stock; what an import had to mend is in its Report.
package importer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Options say how to import.
type Options struct {
	// Replace deletes everything that is in the target first.
	Replace bool
	// Currency of the shop, whose decimals prices are rounded to.
	Currency drop.Currency
}

// Run imports from the database of a postgres:// URL. It returns store.ErrNotEmpty, and changes nothing, where the
// target has a drop or user, unless options say to replace it. With no target it only says what an import
// would do.
//
// The import takes place at one moment of the target's clock (without a target, the source's): holds whose time is over
// by then have expired.
func Run(ctx context.Context, from string, to store.Filler, o Options) (*Report, error) {
	src, err := read(ctx, from)
	if err != nil {
		return nil, err
	}
	now := src.now
	if to != nil {
		pulse, err := to.Pulse(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the target: %w", err)
		}
		now = pulse.Now
	}
	b := newBooks(now, o.Currency)
	users, drops, err := b.convert(src)
	if err != nil {
		return nil, err
	}
	if to != nil {
		if err := store.Fill(ctx, to, users, drops, o.Replace); err != nil {
			return nil, fmt.Errorf("store what was read: %w", err)
		}
	}
	return &b.report, nil
}

// SourceError is what is wrong with the database that was to be imported: out of reach, not the original's, or with
// rows that no rule can take over.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

func (e *SourceError) Unwrap() error { return e.Err }

// session has a connection read as this program does, whatever the role, the database or the URL say. The time zone
// is that of columns without one: Sequelize writes UTC. It is set by statements, because PgBouncer refuses parameters
// that it does not know.
func session(cfg *pgx.ConnConfig) *pgx.ConnConfig {
	set := map[string]string{
		"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0", "default_transaction_read_only": "on",
		"TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "bytea_output": "hex", "extra_float_digits": "1",
		"standard_conforming_strings": "on", "client_min_messages": "warning", "exit_on_error": "off", "row_security": "off",
	}
	sql := "SET statement_timeout = 0; "
	if path := cfg.RuntimeParams["search_path"]; path != "" {
		sql += fmt.Sprintf("SELECT set_config('search_path', %s, false); ", "E'"+strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(path)+"'")
	}
	for name := range cfg.RuntimeParams {
		for ours := range set {
			if strings.EqualFold(name, ours) {
				delete(cfg.RuntimeParams, name)
			}
		}
	}
	delete(cfg.RuntimeParams, "search_path")
	var settings strings.Builder
	for _, name := range slices.Sorted(maps.Keys(set)) {
		settings.WriteString("SET " + name + " = '" + set[name] + "'; ")
	}
	sql += settings.String()
	cfg.RuntimeParams["application_name"] = "sneakerdrop import"
	cfg.RuntimeParams["client_encoding"] = "UTF8"
	validate := cfg.ValidateConnect
	cfg.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		_, err := conn.Exec(ctx, sql).ReadAll()
		for range hurried {
			if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != pgerrcode.QueryCanceled {
				break
			}
			_, _ = conn.Exec(ctx, "SET statement_timeout = 0").ReadAll() // the role's may be shorter than all of it takes
			_, err = conn.Exec(ctx, sql).ReadAll()
		}
		if err != nil || validate == nil {
			return err
		}
		return validate(ctx, conn)
	}
	return cfg
}

// hurried is how often the settings are tried where they take longer than a statement may.
const hurried = 10

func read(ctx context.Context, from string) (*source, error) {
	cfg, err := pgx.ParseConfig(from)
	if err != nil {
		return nil, &SourceError{fmt.Errorf("read its URL: %w", err)}
	}
	conn, err := pgx.ConnectConfig(ctx, session(cfg))
	if err != nil {
		return nil, &SourceError{err}
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // all is read by then
	var src *source
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error {
			src, err = readSource(ctx, tx)
			return err
		})
	if err != nil {
		return nil, &SourceError{err}
	}
	return src, nil
}
