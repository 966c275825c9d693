// Package external is the payment provider of a shop that takes the money itself, with whichever payment company it
// likes. docs/howto/own-checkout.md describes the protocol:
//
//   - A signed link that ends sends the buyer's browser to the shop's checkout. Start makes no call, so the shop learns
//     of a payment when the buyer comes.
//   - Signed calls to one address ask the shop what became of a payment, and tell it to capture, void or refund.
//   - The shop's signed notifications say which payment has changed.
//
// All signatures are those of Standard Webhooks 1.0, made with one or two secrets. While there are two, either of them
// may have signed what comes in, and both sign what goes out.
package external

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// Settings say where the shop's checkout is.
type Settings struct {
	// Checkout is where the buyer's browser goes: https, or http on this machine. It may have a query.
	Checkout string
	// API is what the server calls: https, or http on this machine.
	API string
	// Secrets are one or two. Each is whsec_ and the base64 of 24 to 64 bytes.
	Secrets []Secret
	// Currency gives amounts of refunds their decimals.
	Currency drop.Currency
	// Client makes the calls (default: http.DefaultClient). It follows no redirects here, whatever it does elsewhere.
	Client *http.Client
}

// Provider is the payment.Provider, and Notified. It is safe for concurrent use.
type Provider struct {
	checkout url.URL
	api      string
	keys     keys
	currency drop.Currency
	client   http.Client
}

// New checks the settings. An error is one sentence that says which of them is wrong; it repeats no secret.
func New(s Settings) (*Provider, error) {
	checkout, err := address("checkout URL", s.Checkout)
	if err != nil {
		return nil, err
	}
	for _, name := range append(linkFields(), linkExpires, linkSignature) {
		if checkout.Query().Has(name) {
			return nil, fmt.Errorf("the checkout URL must not have the parameter %s, which the server adds", name)
		}
	}
	api, err := address("API URL", s.API)
	if err != nil {
		return nil, err
	}
	keys, err := newKeys(s.Secrets)
	if err != nil {
		return nil, err
	}
	p := &Provider{checkout: *checkout, api: api.String(), keys: keys, currency: s.Currency}
	if s.Client != nil {
		p.client = *s.Client
	}
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return p, nil
}

// Name is external.
func (*Provider) Name() string { return "external" }

// Start makes a link. An amount with more decimals than its currency has is a *payment.RefusedError.
func (p *Provider) Start(ctx context.Context, o payment.Order) (payment.Checkout, error) {
	if err := ctx.Err(); err != nil {
		return payment.Checkout{}, err
	}
	if o.Amount.Decimals() > o.Currency.Decimals {
		reason := fmt.Sprintf("%s has %d decimals, but the amount is %s", o.Currency.Code, o.Currency.Decimals, o.Amount)
		return payment.Checkout{}, &payment.RefusedError{Code: "amount_invalid", Reason: reason}
	}
	u, err := p.link(&o)
	if err != nil {
		return payment.Checkout{}, err
	}
	number := numberOf(o.ID)
	return payment.Checkout{
		Number: number, URL: u, Found: payment.Found{ID: o.ID, Number: number, State: payment.Open},
	}, nil
}

// numberOf is how links, calls and notifications name a payment. The shop's checkout has no number of its own.
func numberOf(id payment.ID) string { return strconv.FormatInt(int64(id), 10) }

// idOf reads a number that numberOf wrote.
func idOf(number string) (payment.ID, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n <= 0 || numberOf(payment.ID(n)) != number {
		return 0, errors.New("payment must be a number that the server gave")
	}
	return payment.ID(n), nil
}

// Find asks the shop. A payment whose buyer has not come yet is payment.ErrUnknown.
func (p *Provider) Find(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.ask(ctx, ref.ID, call{Action: "find"}, func(payment.Found) bool { return true })
}

// Close tells the shop to let nobody pay. The shop also remembers this of a payment whose buyer has not come yet.
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.ask(ctx, ref.ID, call{Action: "close"}, func(f payment.Found) bool { return f.State != payment.Open })
}

// Capture tells the shop to take the money.
func (p *Provider) Capture(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.ask(ctx, ref.ID, call{Action: "capture"}, func(f payment.Found) bool { return f.State == payment.Captured })
}

// Void tells the shop to give the authorised money up.
func (p *Provider) Void(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.ask(ctx, ref.ID, call{Action: "void"}, func(f payment.Found) bool {
		return f.State == payment.Voided || f.State == payment.Failed
	})
}

// Refund tells the shop to refund captured money.
func (p *Provider) Refund(ctx context.Context, ref payment.Ref, r payment.Refund) (payment.Found, error) {
	c := call{Action: "refund", Key: r.Key, Amount: r.Amount.In(p.currency), Reason: r.Reason}
	return p.ask(ctx, ref.ID, c, func(f payment.Found) bool {
		return f.State == payment.Captured && f.Refunded.TenThousandths() >= r.Amount.TenThousandths()
	})
}

// ask makes a call about one payment. An answer that does not have what was asked for is an error.
func (p *Provider) ask(ctx context.Context, id payment.ID, c call, done func(payment.Found) bool) (payment.Found, error) {
	c.Payment = numberOf(id)
	var a answer
	if err := p.post(ctx, c, &a); err != nil {
		return payment.Found{}, err
	}
	if a.Payment != "" && a.Payment != c.Payment {
		return payment.Found{}, c.failed(errors.New("it answered about another payment"))
	}
	a.Payment = c.Payment
	found, err := a.found()
	if err != nil {
		return payment.Found{}, c.failed(err)
	}
	if !done(found) {
		return payment.Found{}, c.failed(fmt.Errorf("it has not done so: the payment is %s, with %s refunded", found.State, found.Refunded))
	}
	return found, nil
}

// Since lists what the shop lists, page by page. A shop that refuses the action with the code unsupported lists
// nothing.
func (p *Provider) Since(ctx context.Context, from time.Time) iter.Seq2[payment.Found, error] {
	return func(yield func(payment.Found, error) bool) {
		c := call{Action: "since", From: from.UTC().Format(time.RFC3339)} // whole seconds, cut off
		for {
			var page list
			err := p.post(ctx, c, &page)
			if no, ok := errors.AsType[*payment.RefusedError](err); ok && no.Code == codeUnsupported {
				return
			}
			if err != nil {
				yield(payment.Found{}, err)
				return
			}
			for i := range page.Payments {
				found, err := page.Payments[i].found()
				if err != nil {
					yield(payment.Found{}, c.failed(err))
					return
				}
				if !yield(found, nil) {
					return
				}
			}
			if page.Next == "" {
				return
			}
			if len(page.Payments) == 0 || page.Next == c.After {
				yield(payment.Found{}, c.failed(errors.New("its list does not end: a page with next needs payments, and a new next")))
				return
			}
			c.After = page.Next
		}
	}
}

// newID names a call, for the shop's logs.
func newID() string { return "call_" + rand.Text() }
