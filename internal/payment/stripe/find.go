package stripe

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"

	"sneakerdrop/internal/payment"
)

// Find implements payment.Provider. Its Ref may have the number of a payment intent (pi_…) too.
//
// If Ref.Number is empty, Find looks for the payment by its ID. It reads the list of the checkouts of the last 25
// hours, and then asks Stripe's search for payment intents.
//
// The list is exact. So ErrUnknown is certain for a payment that Start was called for in the last 24 hours, once no
// call of Start is under way. The search lags behind by about a minute, and has only what buyers have tried to pay. The
// list takes a call for every 100 checkouts of the account.
func (p *Provider) Find(ctx context.Context, ref payment.Ref) (payment.Found, error) {
	_, f, err := p.look(ctx, ref, "look up "+name(ref))
	return f, err
}

// look returns a session and what it means. The session is not nil unless there is an error.
func (p *Provider) look(ctx context.Context, ref payment.Ref, action string) (*sdk.CheckoutSession, payment.Found, error) {
	s, err := p.session(ctx, ref)
	if err != nil {
		return nil, payment.Found{}, p.unread(action, err)
	}
	f, err := p.meaning(s, ref)
	if err != nil {
		return nil, payment.Found{}, fmt.Errorf("%s: %w", action, err)
	}
	return s, f, nil
}

// touch is look before a change. Only a payment of this shop may be changed.
func (p *Provider) touch(ctx context.Context, ref payment.Ref, action string) (*sdk.CheckoutSession, payment.Found, error) {
	s, f, err := p.look(ctx, ref, action)
	if err == nil && f.ID == 0 {
		return nil, payment.Found{}, fmt.Errorf("%s: it is not of this shop", action)
	}
	return s, f, err
}

// name is what errors call a payment.
func name(ref payment.Ref) string {
	if ref.Number == "" {
		return fmt.Sprintf("payment %d at Stripe", ref.ID)
	}
	return fmt.Sprintf("payment %d (Stripe %s)", ref.ID, ref.Number)
}

// meaning is found for a session that should be of a payment.
func (p *Provider) meaning(s *sdk.CheckoutSession, ref payment.Ref) (payment.Found, error) {
	f, err := p.found(s)
	if err == nil && ref.ID != 0 && f.ID != ref.ID {
		err = fmt.Errorf("the Stripe session %s is about payment %d of the shop %q", s.ID, f.ID, s.Metadata[keyShop])
	}
	return f, err
}

// session asks for a payment's session.
func (p *Provider) session(ctx context.Context, ref payment.Ref) (*sdk.CheckoutSession, error) {
	switch {
	case strings.HasPrefix(ref.Number, "cs_"):
		return p.retrieve(ctx, ref.Number)
	case strings.HasPrefix(ref.Number, "pi_"):
		return p.ofIntent(ctx, ref.Number)
	case ref.Number == "" && ref.ID != 0:
		return p.search(ctx, ref.ID)
	}
	return nil, missing(ref.Number)
}

// missing is Stripe's answer to a number that it does not know.
func missing(number string) error {
	return &sdk.Error{Code: sdk.ErrorCodeResourceMissing, Msg: "no such payment: " + number}
}

// withCharge are the objects that an answer about a payment intent must contain whole.
func withCharge(below string) []*string { return []*string{sdk.String(below + "latest_charge")} }

func (p *Provider) retrieve(ctx context.Context, number string) (*sdk.CheckoutSession, error) {
	params := &sdk.CheckoutSessionRetrieveParams{Expand: withCharge("payment_intent.")}
	params.Context = ctx
	return call[sdk.CheckoutSession](p, http.MethodGet, sdk.FormatURLPath(sessions+"/%s", number), params)
}

// ofIntent returns the session that a payment intent belongs to.
func (p *Provider) ofIntent(ctx context.Context, intent string) (*sdk.CheckoutSession, error) {
	for s, err := range p.list(ctx, &sdk.CheckoutSessionListParams{PaymentIntent: &intent}) {
		return s, err
	}
	return nil, missing(intent)
}

// search finds the newest session of a payment: see Find.
func (p *Provider) search(ctx context.Context, id payment.ID) (*sdk.CheckoutSession, error) {
	for s, err := range p.list(ctx, since(time.Now().Add(-longest))) {
		if err != nil {
			return nil, err
		}
		if p.owner(s.Metadata) == id {
			return s, nil
		}
	}
	found := &sdk.PaymentIntentSearchResult{}
	query := fmt.Sprintf("metadata[%q]:%q", keyPayment, strconv.FormatInt(int64(id), 10))
	params := &sdk.PaymentIntentSearchParams{SearchParams: sdk.SearchParams{Query: query, Limit: sdk.Int64(pageSize)}}
	if err := p.read(ctx, intents+"/search", params, found); err != nil {
		return nil, err
	}
	for _, intent := range found.Data {
		if p.owner(intent.Metadata) == id {
			return p.ofIntent(ctx, intent.ID)
		}
	}
	return nil, missing("")
}

func since(from time.Time) *sdk.CheckoutSessionListParams {
	return &sdk.CheckoutSessionListParams{CreatedRange: &sdk.RangeQueryParams{GreaterThanOrEqual: max(from.Unix(), 1)}}
}

// list returns sessions, the newest first.
func (p *Provider) list(ctx context.Context, params *sdk.CheckoutSessionListParams) iter.Seq2[*sdk.CheckoutSession, error] {
	params.Limit = sdk.Int64(pageSize)
	params.Expand = withCharge("data.payment_intent.")
	return func(yield func(*sdk.CheckoutSession, error) bool) {
		for {
			page := &sdk.CheckoutSessionList{}
			if err := p.read(ctx, sessions, params, page); err != nil {
				yield(nil, err)
				return
			}
			for _, s := range page.Data {
				if !yield(s, nil) {
					return
				}
				params.StartingAfter = &s.ID
			}
			if !page.HasMore || len(page.Data) == 0 {
				return
			}
		}
	}
}

// Since implements payment.Provider. It lists the checkouts that were opened at or after from, to the second, and that
// name a payment of this shop. After a failure of Stripe's there may be two of one payment, of which at most one was
// shown to the buyer.
func (p *Provider) Since(ctx context.Context, from time.Time) iter.Seq2[payment.Found, error] {
	const action = "list the payments at Stripe"
	return func(yield func(payment.Found, error) bool) {
		for s, err := range p.list(ctx, since(from)) {
			if err != nil {
				yield(payment.Found{}, p.unread(action, err))
				return
			}
			if p.owner(s.Metadata) == 0 {
				continue
			}
			f, err := p.found(s)
			if err != nil {
				yield(payment.Found{}, fmt.Errorf("%s: %w", action, err))
				return
			}
			if !yield(f, nil) {
				return
			}
		}
	}
}
