package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"sneakerdrop/internal/app"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
)

type reconcileCommand struct {
	common
	paymentFlags
	Currency drop.Currency `default:"USD" placeholder:"CODE" help:"The shop's currency, as given to serve."`
	Since    lookBack      `default:"24h" placeholder:"TIME" help:"How far to look back: payments that began within this time, from 1m to 3650d."`
	JSON     bool          `name:"json" help:"Print one JSON object instead of lines (default false)."`
}

// reconciled is what a run found.
type reconciled struct {
	Checked int `json:"checked"` // payments that the provider listed
	Mended  int `json:"mended"`
	// Released are units that settled payments still claimed.
	Released int `json:"released"`
	// Open are all payments that still wait, for their buyer or for another try.
	Open int `json:"open"`
	// Unpaid are the purchases within that time that have no payment.
	Unpaid    []drop.PurchaseID `json:"unpaid"`
	Sentences []string          `json:"sentences"`
}

// WriteTo prints it for people.
func (r *reconciled) WriteTo(w io.Writer) (int64, error) {
	n, err := fmt.Fprintf(w, "reconcile: %s checked, %s mended, %s open\n", count(int64(r.Checked), "payment"), thousands(int64(r.Mended)), thousands(int64(r.Open)))
	if err == nil && r.Released > 0 {
		var more int
		more, err = fmt.Fprintf(w, "  %s released, which settled payments still claimed\n", count(int64(r.Released), "unit"))
		n += more
	}
	if u := len(r.Unpaid); err == nil && u > 0 {
		var more int
		more, err = fmt.Fprintf(w, "  %s without a payment, recorded by operators or made before payments were set up, the newest of a drop: %d\n",
			count(int64(u), "purchase"), r.Unpaid[0])
		n += more
	}
	for _, sentence := range r.Sentences {
		if err != nil {
			break
		}
		var more int
		more, err = fmt.Fprintf(w, "  %s\n", sentence)
		n += more
	}
	return int64(n), err
}

// personError ends a command that found what a person has to look at.
type personError struct {
	all   int
	first string
}

func (e *personError) Error() string {
	return fmt.Sprintf("%s a person; first: %s", needs(e.all), e.first)
}

func needs(n int) string {
	if n == 1 {
		return "1 payment needs"
	}
	return thousands(int64(n)) + " payments need"
}

func (c *reconcileCommand) run(ctx context.Context, con *console) error {
	log := c.logger(con.stderr)
	p, err := c.payments(con, c.Currency)
	if err != nil {
		return err
	}
	if p == nil {
		return &faultError{flag: "payments", rule: "is none; set it as for serve, so that there is a provider to ask"}
	}
	warnOfModes(log, c.StripeFile, c.HookFile, c.CheckoutFile)
	s, err := con.openBeside(ctx, c.Database, c.waiting, log)
	if err != nil {
		return err
	}
	found, err := c.reconcile(ctx, s, p, log)
	switch {
	case errors.Is(err, checkout.ErrProvider):
		err = fmt.Errorf("ask %s: %w", c.Payments, err)
	case err != nil:
		err = con.databaseError(c.Database, err)
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return err
	}
	if err := con.print(found, c.JSON); err != nil {
		return err
	}
	if len(found.Sentences) > 0 {
		return &personError{len(found.Sentences), found.Sentences[0]}
	}
	return nil
}

// reconcile works on what is due, compares the payments with the provider's, and counts those that still wait.
func (c *reconcileCommand) reconcile(ctx context.Context, s store.Store, p *app.Payments, log *slog.Logger) (r *reconciled, err error) {
	e := engine.New(s, engine.Config{Log: log})
	if err := e.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Stop(context.WithoutCancel(ctx))) }()
	provider := p.Provider
	if provider == nil {
		provider = demo.New(demo.Options{})
	}
	service := checkout.New(p.Settings, e, provider, log, e.Now)
	if c.Payments != payDemo { // whose payments only the server knows: here they would seem to be lost
		if err := service.Run(ctx); err != nil {
			return nil, err
		}
	}
	from := time.Now().Add(-time.Duration(c.Since))
	report, err := service.Reconcile(ctx, from)
	if err != nil {
		return nil, err
	}
	r = &reconciled{Checked: report.Checked, Mended: report.Mended, Released: report.Released, Unpaid: []drop.PurchaseID{}, Sentences: append([]string{}, report.Sentences...)}
	unpaid, err := service.Unpaid(ctx, from)
	if err != nil {
		return nil, err
	}
	r.Unpaid = append(r.Unpaid, unpaid...)
	return r, r.wait(ctx, service, from)
}

// wait counts the payments that wait, and names those that are stuck and began too early for the provider's list.
func (r *reconciled) wait(ctx context.Context, service *checkout.Service, from time.Time) error {
	for p, err := range store.AllPayments(ctx, service.Unsettled) {
		if err != nil {
			return err
		}
		r.Open++
		if p.Tries > 0 && p.CreatedAt.Time().Before(from) {
			r.Sentences = append(r.Sentences, fmt.Sprintf("payment %d (%s) of %s could not go on, %d times: %s",
				p.ID, p.State, p.CreatedAt.Time().Format(time.DateOnly), p.Tries, oneLine(p.Reason)))
		}
	}
	return nil
}
