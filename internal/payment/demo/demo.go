// Package demo is a payment provider for trying the program out: no money moves. Buyers pay on a page of this package
// with test cards.
//
// Everything lives in the memory of one process. After a restart Find answers payment.ErrUnknown for every earlier
// payment, and its page says that the payment is not there. At most 10,000 payments are kept: the oldest that is
// finished makes room for a new one, and is unknown from then on, so it can no longer be refunded.
package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// most is how many payments are kept. One takes less than 1 kB.
const most = 10_000

// Options configure a provider.
type Options struct {
	// URL is where browsers reach the Handler: an address or a path that ends in "/", such as /demo-payment/.
	URL string
	// AtOnce authorises each payment in Start, without a buyer at the page. It is for benchmarks and tests.
	AtOnce bool
	// Changed is called after a buyer has changed a payment, before the browser is sent on (default: nothing). The
	// server is in the same process, so a call replaces a signed notification.
	Changed func(payment.Ref)
	Now     func() time.Time // default: time.Now
}

// Provider is the payment.Provider. It is safe for concurrent use.
type Provider struct {
	options Options

	mu       sync.Mutex
	byID     map[payment.ID]*entry
	byNumber map[string]*entry
	all      []*entry // in the order of their beginning
	receipts int64
}

// entry is one payment.
type entry struct {
	order   payment.Order
	began   time.Time
	found   payment.Found
	refunds map[string]struct{} // keys of those made
}

// New returns a provider without payments.
func New(o Options) *Provider {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Provider{options: o, byID: make(map[payment.ID]*entry), byNumber: make(map[string]*entry)}
}

// Name is demo.
func (*Provider) Name() string { return "demo" }

// Start opens a checkout at an address that nobody can guess. A return URL that is no web address and no path of this
// server is a *payment.RefusedError. An error says that 10,000 payments wait for their buyers.
func (p *Provider) Start(ctx context.Context, o payment.Order) (payment.Checkout, error) {
	if err := ctx.Err(); err != nil {
		return payment.Checkout{}, err
	}
	if _, ok := originOf(o.ReturnURL); !ok {
		reason := fmt.Sprintf("the buyer cannot be sent back to %q, which is no web address", o.ReturnURL)
		return payment.Checkout{}, &payment.RefusedError{Code: "return_url_invalid", Reason: reason}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.byID[o.ID]
	if e == nil {
		if len(p.all) >= most && !p.forgetOne() {
			return payment.Checkout{}, fmt.Errorf("start a demo payment: %d payments wait for their buyers, try again later", most)
		}
		e = &entry{order: o, began: p.options.Now(), found: payment.Found{ID: o.ID, Number: rand.Text(), State: payment.Open}}
		p.byID[o.ID], p.byNumber[e.found.Number] = e, e
		p.all = append(p.all, e)
		if p.options.AtOnce {
			e.authorise()
		}
	}
	return payment.Checkout{Number: e.found.Number, URL: p.options.URL + e.found.Number, Found: e.found}, nil
}

// forgetOne makes room by the oldest payment that is finished. It reports whether there is one.
func (p *Provider) forgetOne() bool {
	i := slices.IndexFunc(p.all, func(e *entry) bool { return e.found.State.Final() })
	if i < 0 {
		return false
	}
	e := p.all[i]
	delete(p.byID, e.order.ID)
	delete(p.byNumber, e.found.Number)
	if i == 0 { // as mostly
		p.all[0] = nil
		p.all = p.all[1:]
	} else {
		p.all = slices.Delete(p.all, i, i+1)
	}
	return true
}

func (e *entry) authorise() {
	e.found.State, e.found.Amount, e.found.Currency = payment.Authorised, e.order.Amount, e.order.Currency.Code
}

// Find says what became of a payment. After a restart every earlier one is payment.ErrUnknown.
func (p *Provider) Find(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.change(ctx, ref, func(*entry) error { return nil })
}

// Close ends a checkout that nobody has paid at.
func (p *Provider) Close(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.change(ctx, ref, func(e *entry) error {
		if e.found.State == payment.Open {
			e.found.State, e.found.Reason = payment.Failed, "the shop has closed the checkout"
		}
		return nil
	})
}

// Capture takes the money.
func (p *Provider) Capture(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.change(ctx, ref, func(e *entry) error {
		switch e.found.State {
		case payment.Captured:
		case payment.Authorised:
			p.receipts++
			e.found.State, e.found.Receipt = payment.Captured, fmt.Sprintf("DEMO-%06d", p.receipts)
		default:
			return e.refuse("not_authorised", "no money is set aside")
		}
		return nil
	})
}

// Void gives the money up.
func (p *Provider) Void(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	return p.change(ctx, ref, func(e *entry) error {
		switch e.found.State {
		case payment.Voided:
		case payment.Authorised:
			e.found.State = payment.Voided
		case payment.Captured:
			return e.refuse("captured", "the money has been taken")
		default:
			return e.refuse("not_authorised", "no money is set aside")
		}
		return nil
	})
}

// Refund gives money back. The first refund under a key counts, whatever later ones say.
func (p *Provider) Refund(ctx context.Context, ref payment.Ref, r payment.Refund) (payment.Found, error) {
	return p.change(ctx, ref, func(e *entry) error {
		if e.found.State != payment.Captured {
			return e.refuse("not_captured", "no money has been taken")
		}
		if _, made := e.refunds[r.Key]; made {
			return nil
		}
		refunded := e.found.Refunded.TenThousandths() + r.Amount.TenThousandths()
		if r.Amount.TenThousandths() <= 0 || refunded > e.found.Amount.TenThousandths() {
			return e.refuse("amount_invalid", fmt.Sprintf("%s cannot be refunded: %s was taken, and %s refunded since",
				r.Amount, e.found.Amount, e.found.Refunded))
		}
		if e.refunds == nil {
			e.refunds = make(map[string]struct{})
		}
		e.refunds[r.Key] = struct{}{}
		e.found.Refunded = drop.MoneyOf(refunded)
		return nil
	})
}

func (e *entry) refuse(code, reason string) error {
	return &payment.RefusedError{Code: code, Reason: fmt.Sprintf("%s; the payment is %s", reason, e.found.State)}
}

// change finds a payment, changes it, and returns what it is then.
func (p *Provider) change(ctx context.Context, ref payment.Ref, do func(*entry) error) (payment.Found, error) {
	if err := ctx.Err(); err != nil {
		return payment.Found{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.byID[ref.ID]
	if e == nil {
		return payment.Found{}, payment.ErrUnknown
	}
	if err := do(e); err != nil {
		return payment.Found{}, err
	}
	return e.found, nil
}

// Since lists the payments that this process knows, as they were when the listing began.
func (p *Provider) Since(ctx context.Context, from time.Time) iter.Seq2[payment.Found, error] {
	return func(yield func(payment.Found, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(payment.Found{}, err)
			return
		}
		for _, f := range p.begunAt(from) {
			if !yield(f, nil) {
				return
			}
		}
	}
}

func (p *Provider) begunAt(from time.Time) (found []payment.Found) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.all {
		if !e.began.Before(from) {
			found = append(found, e.found)
		}
	}
	return found
}
