// Package importer takes a shop's drops, users, reservations and purchases over from the tables of the original Node.js
// backend, as Sequelize makes them in PostgreSQL.
//
// It reads them all in one read-only transaction, as of one moment, and never writes to them. What it read it turns into
// books of our own by the rules in books.go, in memory, and stores all of it in one transaction or nothing. The original
// sold reservations twice and lost count of its stock; what an import had to mend is in its Report.
package importer

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Target is what an import fills.
type Target interface {
	Pulse(ctx context.Context) (store.Pulse, error)
	Fill(ctx context.Context, users []drop.User, drops []store.Filled, replace bool) error
}

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
func Run(ctx context.Context, from string, to Target, o Options) (*Report, error) {
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
		if err := to.Fill(ctx, users, drops, o.Replace); err != nil {
			return nil, fmt.Errorf("store what was read: %w", err)
		}
	}
	return &b.report, nil
}

// SourceError is what is wrong with the database that was to be imported: out of reach, not the original's, or with rows
// that no rule can take over.
type SourceError struct{ Err error }

func (e *SourceError) Error() string { return e.Err.Error() }

func (e *SourceError) Unwrap() error { return e.Err }

func read(ctx context.Context, from string) (*source, error) {
	cfg, err := pgx.ParseConfig(from)
	if err != nil {
		return nil, &SourceError{fmt.Errorf("read its URL: %w", err)}
	}
	cfg.RuntimeParams["default_transaction_read_only"] = "on"
	cfg.RuntimeParams["application_name"] = "sneakerdrop import"
	cfg.RuntimeParams["TimeZone"] = "UTC" // of columns without a zone; Sequelize writes UTC
	conn, err := pgx.ConnectConfig(ctx, cfg)
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
