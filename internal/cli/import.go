package cli

import (
	"context"
	"errors"
	"fmt"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/importer"
	"sneakerdrop/internal/store"
)

type importCommand struct {
	common
	From     original      `required:"" placeholder:"URL" help:"The original's database, postgres://USER:PASSWORD@HOST:PORT/NAME. It is not changed."`
	Replace  bool          `help:"First delete everything in --database (default false)."`
	DryRun   bool          `help:"Report what an import would take over and repair, without changing anything (default false)."`
	Currency drop.Currency `default:"USD" placeholder:"CODE" help:"The shop's currency, as given to serve; prices are rounded to its decimals."`
}

// original is the URL of the Node.js backend's database.
type original struct{ database }

func parseOriginal(s string) (original, error) {
	d, err := parsePostgres(s, true)
	return original{d}, err
}

func (c *importCommand) options() importer.Options {
	return importer.Options{Replace: c.Replace, Currency: c.Currency}
}

func (c *importCommand) run(ctx context.Context, con *console) error {
	if c.DryRun {
		report, err := importer.Run(ctx, c.From.url, nil, c.options())
		if err != nil {
			return c.explain(con, err)
		}
		fmt.Fprintln(con.stdout, "dry run, nothing is changed; an import would be")
		_, err = report.WriteTo(con.stdout)
		return err
	}
	s, _, _, err := con.open(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	return errors.Join(c.importInto(ctx, con, s), s.Close())
}

// importInto imports into the store, reports the result, and audits it.
func (c *importCommand) importInto(ctx context.Context, con *console, s store.Store) error {
	var report *importer.Report
	err := recorded(ctx, s, "import", fmt.Sprintf("from %s, replace %t", c.From, c.Replace), func() (err error) {
		report, err = importer.Run(ctx, c.From.url, s, c.options())
		return err
	})
	if err != nil {
		return c.explain(con, err)
	}
	if _, err := report.WriteTo(con.stdout); err != nil {
		return err
	}
	checked, err := audit.Run(ctx, s, nil)
	if err != nil {
		return fmt.Errorf("audit the imported rows: %w", con.databaseError(c.Database, err))
	}
	return conclude(con.stdout, &checked, false)
}

func (c *importCommand) explain(con *console, err error) error {
	if errors.Is(err, store.ErrNotEmpty) {
		return fmt.Errorf("%s is not empty, and nothing was changed; to delete everything in it first, add --replace", c.Database)
	}
	if e, ok := errors.AsType[*importer.SourceError](err); ok {
		return fmt.Errorf("cannot import from %s: %w (set by %s)", c.From, cause(e.Err), con.settings.name("from"))
	}
	return con.databaseError(c.Database, err)
}
