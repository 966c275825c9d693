package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/copier"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/sqlite"
)

type copyCommand struct {
	From database `required:"" placeholder:"URL" help:"The source: sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/NAME. It is not changed; stop the server that uses it."`
	To   database `required:"" placeholder:"URL" help:"The target: an empty database, which is migrated first. A missing file is created."`
	waiting
	logging
}

func (c *copyCommand) run(ctx context.Context, con *console) error {
	if same(c.From, c.To) {
		return &faultError{flag: "to", rule: "must be a different database than --from"}
	}
	from, err := c.source(ctx, con)
	if err != nil {
		return err
	}
	return errors.Join(c.into(ctx, con, from), from.Close())
}

// source opens the database to copy, and keeps servers away from it if it is a file. It neither creates nor migrates
// it.
func (c *copyCommand) source(ctx context.Context, con *console) (store.Store, error) {
	if c.From.file != "" {
		if _, err := os.Stat(c.From.file); err != nil {
			return nil, con.databaseErrorOf("from", c.From, err)
		}
	}
	s, err := con.openStore(ctx, c.From, c.waiting, c.logger(con.stderr))
	if err == nil {
		if err = s.Ready(ctx); err != nil {
			err = errors.Join(err, s.Close())
		}
	}
	if errors.Is(err, sqlite.ErrServed) {
		return nil, fmt.Errorf("a server uses %s; stop that server first, because the copy would miss what it sells meanwhile", c.From)
	}
	if err != nil {
		return nil, con.databaseErrorOf("from", c.From, err)
	}
	return s, nil
}

func (c *copyCommand) into(ctx context.Context, con *console, from store.Store) error {
	to, err := con.openStore(ctx, c.To, c.waiting, c.logger(con.stderr))
	if err != nil {
		return con.databaseErrorOf("to", c.To, err)
	}
	if _, _, err := to.Migrate(ctx); err != nil {
		return errors.Join(con.databaseErrorOf("to", c.To, err), to.Close())
	}
	return errors.Join(c.copy(ctx, con, from, to), to.Close())
}

// copy copies, reports the result, and audits the copy.
func (c *copyCommand) copy(ctx context.Context, con *console, from, to store.Store) error {
	report, err := copier.Run(ctx, from, to, con.copying())
	if err != nil {
		return c.explain(ctx, con, err)
	}
	waiting := ""
	if report.Entries > 0 {
		waiting = ", " + count(report.Entries, "waitlist entry")
	}
	if report.DrawEntries > 0 {
		waiting += ", " + count(report.DrawEntries, "draw entry")
	}
	fmt.Fprintf(con.stdout, "copied: %s, %s, %s, %s%s; %s, %s, %s, %s; read back and compared\n",
		count(report.Drops, "drop"), count(report.Reservations, "reservation"), count(report.Purchases, "purchase"),
		count(report.LedgerEntries, "ledger entry"), waiting, count(report.Users, "user"), count(report.Keys, "kept answer"),
		count(report.Tokens, "token"), count(report.Actions, "log entry"))
	if err := recorded(ctx, to, "copy", fmt.Sprintf("from %s", c.From), func() error { return nil }); err != nil {
		return con.databaseErrorOf("to", c.To, err)
	}
	checked, err := audit.Run(ctx, to, nil)
	if err != nil {
		return fmt.Errorf("audit the copy: %w", con.databaseErrorOf("to", c.To, err))
	}
	return conclude(con.stdout, &checked, false)
}

func (c *copyCommand) explain(ctx context.Context, con *console, err error) error {
	if errors.Is(err, store.ErrNotEmpty) {
		return fmt.Errorf("%s is not empty, and nothing was changed; name a new database with --to (tokens and the operators' log count too)", c.To)
	}
	if store.ClassOf(err) == store.ClassUnknown {
		return fmt.Errorf("%s has either everything or nothing, because the answer to the commit was lost; run sneakerdrop audit to find out: %w", c.To, cause(err))
	}
	if ctx.Err() != nil {
		return fmt.Errorf("the copy was interrupted; %s is empty, start it again", c.To)
	}
	if e, ok := errors.AsType[*copier.SourceError](err); ok {
		return fmt.Errorf("nothing was copied: %w", con.databaseErrorOf("from", c.From, e.Err))
	}
	return fmt.Errorf("nothing was copied: %w", con.databaseErrorOf("to", c.To, err))
}

// copying shows on a terminal once a second how far a copy has come.
func (con *console) copying() func(*copier.Report) {
	if !con.terminal() {
		return nil
	}
	const every = 1000 // rows; counting is cheaper than reading the clock
	start := time.Now()
	next := start.Add(time.Second)
	return func(r *copier.Report) {
		if r.Rows()%every != 0 || time.Now().Before(next) {
			return
		}
		next = time.Now().Add(time.Second)
		fmt.Fprintf(con.stderr, "%3.0f s  drop %s  %s rows read\n", time.Since(start).Seconds(), thousands(r.Drops), thousands(r.Rows()))
	}
}

// same reports whether two settings name the same database, as far as the text shows.
func same(a, b database) bool {
	if a.file != "" && b.file != "" {
		left, err := os.Stat(a.file)
		right, otherErr := os.Stat(b.file)
		return a.file == b.file || err == nil && otherErr == nil && os.SameFile(left, right)
	}
	left, err := pgx.ParseConfig(a.url)
	right, otherErr := pgx.ParseConfig(b.url)
	return a.url != "" && b.url != "" && err == nil && otherErr == nil &&
		left.Host == right.Host && left.Port == right.Port && left.Database == right.Database
}
