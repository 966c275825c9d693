// Package importer imports a shop's drops, users, reservations and purchases from the tables of the original Node.js
// backend, as Sequelize makes them in PostgreSQL.
//
// It reads all of them in one read-only transaction, as of one moment, and never writes to them. It converts them in
// memory by the rules in books.go, and stores the result in one transaction or not at all. The original sold
// reservations twice and lost count of its stock. The Report lists everything that an import had to repair.
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

// Options are the options of an import.
type Options struct {
	// Replace first deletes everything in the target.
	Replace bool
	// Currency is the shop's currency. Prices are rounded to its decimals.
	Currency drop.Currency
}

// Run imports from the database at a postgres:// URL. If the target has a drop or user and options do not say
// Replace, Run changes nothing and returns store.ErrNotEmpty. With a nil target it only reports what an import would
// do.
//
// The import happens at one moment of the target's clock (without a target, the source's). Holds that end before that
// moment have expired.
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
			return nil, fmt.Errorf("store the imported rows: %w", err)
		}
	}
	return &b.report, nil
}

// SourceError says what is wrong with the source database. It is out of reach, not the original's, or has rows that
// no rule can import.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

func (e *SourceError) Unwrap() error { return e.Err }

// session makes a connection read the same way whatever the role, the database or the URL say. The time zone applies
// to columns without one, in which Sequelize writes UTC. Statements set all this, because PgBouncer refuses
// parameters that it does not know.
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
			_, _ = conn.Exec(ctx, "SET statement_timeout = 0").ReadAll() // the role's timeout may be shorter than the whole import takes
			_, err = conn.Exec(ctx, sql).ReadAll()
		}
		if err != nil || validate == nil {
			return err
		}
		return validate(ctx, conn)
	}
	return cfg
}

// hurried is how often to retry the settings if they take longer than a statement may.
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
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // everything is read by then
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
