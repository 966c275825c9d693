package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

type auditCommand struct {
	common
	Drop drop.ID `placeholder:"N" help:"Audit only this drop (default: every drop)."`
	JSON bool    `name:"json" help:"Print one JSON object instead of lines (default false)."`
}

// damagedError ends a command whose audit found differences.
type damagedError struct {
	damaged, drops int
	first          string
}

func (e *damagedError) Error() string {
	return fmt.Sprintf("the records of %s of %s do not match; first: %s", count(int64(e.damaged), "drop"), count(int64(e.drops), "drop"), e.first)
}

func (c *auditCommand) run(ctx context.Context, con *console) error {
	s, err := con.openBooks(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	return errors.Join(c.audit(ctx, con, s), s.Close())
}

func (c *auditCommand) audit(ctx context.Context, con *console, s store.Store) error {
	progress := func(d audit.DropReport) { printDrop(con.stdout, &d) }
	if c.JSON {
		progress = nil
	}
	report, err := c.report(ctx, s, progress)
	if drop.CodeOf(err) == drop.CodeDropNotFound {
		return &faultError{flag: "drop", rule: fmt.Sprintf("names drop %d, but there is no such drop in %s", c.Drop, c.Database)}
	}
	if err != nil {
		return con.databaseError(c.Database, err)
	}
	if c.JSON {
		if err := printJSON(con.stdout, &report); err != nil {
			return err
		}
	}
	return conclude(con.stdout, &report, c.JSON)
}

func (c *auditCommand) report(ctx context.Context, s store.Store, progress func(audit.DropReport)) (audit.Report, error) {
	if c.Drop == 0 {
		return audit.Run(ctx, s, progress)
	}
	d, err := audit.Drop(ctx, s, c.Drop)
	if err != nil {
		return audit.Report{}, err
	}
	if progress != nil {
		progress(d)
	}
	return audit.Report{Drops: []audit.DropReport{d}}, nil
}

// conclude prints the line of a clean audit, unless quiet, or returns a *damagedError.
func conclude(w io.Writer, r *audit.Report, quiet bool) error {
	if n := r.Damaged(); n > 0 {
		for i := range r.Drops {
			if d := &r.Drops[i]; d.Differences > 0 {
				return &damagedError{damaged: n, drops: len(r.Drops), first: d.Sentences[0]}
			}
		}
	}
	if !quiet {
		sum := r.Sum()
		fmt.Fprintf(w, "audit: %s, %s: clean\n", count(int64(len(r.Drops)), "drop"), rows(&sum))
	}
	return nil
}

func printDrop(w io.Writer, d *audit.DropReport) {
	if d.Differences == 0 {
		fmt.Fprintf(w, "drop %d %q: %s: clean\n", d.ID, d.Name, rows(d))
		return
	}
	fmt.Fprintf(w, "drop %d %q: %s: %s\n  %s\n", d.ID, d.Name, rows(d), count(d.Differences, "difference"), d.Sentences[0])
}

func printJSON(w io.Writer, r *audit.Report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Clean bool               `json:"clean"`
		Drops []audit.DropReport `json:"drops"`
	}{Clean: r.Damaged() == 0, Drops: append([]audit.DropReport{}, r.Drops...)})
}

// rows names the waitlist, the draw, passes, held, kept and written-off units, and payments, only if there are any.
func rows(d *audit.DropReport) string {
	text := fmt.Sprintf("%s, %s, %s", count(d.Reservations, "reservation"), count(d.Purchases, "purchase"), count(d.LedgerEntries, "ledger entry"))
	if d.Entries > 0 {
		text += fmt.Sprintf(", %s (%s waiting)", count(d.Entries, "waitlist entry"), thousands(d.Waiting))
	}
	if d.DrawEntries > 0 {
		text += ", " + count(d.DrawEntries, "draw entry")
	}
	if d.Passes > 0 {
		text += fmt.Sprintf(", %s to early access (%s)", count(d.Passes, "pass"), count(d.Uses, "use"))
	}
	if d.Held > 0 {
		text += ", " + count(d.Held, "unit") + " held"
	}
	if d.Paying > 0 {
		text += " (" + thousands(d.Paying) + " being paid for)"
	}
	if d.Kept > 0 {
		text += ", " + count(d.Kept, "unit") + " kept for the waitlist"
	}
	if d.KeptEarly > 0 {
		text += ", " + count(d.KeptEarly, "unit") + " kept for early access"
	}
	if d.WrittenOff > 0 {
		text += ", " + count(d.WrittenOff, "unit") + " written off"
	}
	if d.Payments > 0 {
		text += ", " + count(d.Payments, "payment")
	}
	sums := make([]string, len(d.Money))
	for i, m := range d.Money {
		sums[i] = fmt.Sprintf("%s %s captured, %s refunded, %s kept", m.Captured, m.Currency, m.Refunded, m.Kept)
	}
	if len(sums) > 0 {
		text += ": " + strings.Join(sums, " and ")
	}
	return text
}

// count formats a number and what it counts: 1 drop, 12,345 drops, 2 ledger entries.
func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "y"); ok {
		what = stem + "ie"
	}
	if strings.HasSuffix(what, "s") {
		what += "e"
	}
	return thousands(n) + " " + what + "s"
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
