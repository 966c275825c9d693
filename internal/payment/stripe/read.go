package stripe

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"

	"sneakerdrop/internal/payment"
)

// event is what we read of a notification. These fields are the same in every version of Stripe's API, so the version
// of the webhook endpoint does not matter.
type event struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Data struct {
		Object struct {
			ID            string            `json:"id"`
			Object        string            `json:"object"`
			Metadata      map[string]string `json:"metadata"`
			PaymentIntent reference         `json:"payment_intent"`
		} `json:"object"`
	} `json:"data"`
}

// reference is the id of another object. Stripe may send the whole object instead.
type reference string

// UnmarshalJSON reads a string, null, or an object with an id.
func (r *reference) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var whole struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(data, &whole)
		*r = reference(whole.ID)
		return err
	}
	return json.Unmarshal(data, (*string)(r))
}

// Read implements payment.Notified. It accepts what one of the signing secrets signed at most 5 minutes before now. A
// Ref that it returns has a session's number (cs_…) or a payment intent's (pi_…). Find and the other methods take both.
//
// Disputes, and refunds that somebody made in Stripe's dashboard, name no payment of ours, only Stripe's own. Their Ref
// has the ID 0. Find tells which payment it is, if it is one of this shop.
func (p *Provider) Read(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if !p.signed(header.Get("Stripe-Signature"), body, now) {
		return payment.Notice{}, payment.ErrForged
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil || e.ID == "" || e.Type == "" {
		return payment.Notice{}, payment.ErrMalformed
	}
	notice := payment.Notice{ID: e.ID, Type: e.Type}
	if ref := p.subject(e); ref != (payment.Ref{}) {
		notice.Refs = []payment.Ref{ref}
	}
	return notice, nil
}

// signed reports whether one of the secrets signed the body, and recently.
func (p *Provider) signed(signature string, body []byte, now time.Time) bool {
	if at, ok := signedAt(signature); !ok || now.Sub(at) > webhook.DefaultTolerance {
		return false
	}
	for _, secret := range p.settings.Signing {
		if webhook.ValidatePayloadIgnoringTolerance(body, signature, string(secret)) == nil {
			return true
		}
	}
	return false
}

// signedAt returns the moment that is signed: the last t=, as the library takes it.
func signedAt(signature string) (at time.Time, ok bool) {
	for pair := range strings.SplitSeq(signature, ",") {
		if text, is := strings.CutPrefix(pair, "t="); is {
			seconds, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return time.Time{}, false
			}
			at, ok = time.Unix(seconds, 0), true
		}
	}
	return at, ok
}

// subject returns the payment that an event is about, or the zero Ref if it is about none of ours.
func (p *Provider) subject(e event) payment.Ref {
	object := e.Data.Object
	owner := p.owner(object.Metadata)
	of, _, _ := strings.Cut(e.Type, ".")
	switch {
	case strings.HasPrefix(e.Type, "charge.dispute."), strings.HasPrefix(e.Type, "charge.refund."), of == "refund":
		// What somebody does by hand has no metadata of ours. With another shop's metadata it is that shop's.
		if owner == 0 && object.Metadata[keyPayment] != "" {
			return payment.Ref{}
		}
		return payment.Ref{ID: owner, Number: string(object.PaymentIntent)}
	case owner == 0:
		return payment.Ref{}
	case strings.HasPrefix(e.Type, "checkout.session."), of == "payment_intent":
		return payment.Ref{ID: owner, Number: object.ID}
	case e.Type == "charge.refunded":
		return payment.Ref{ID: owner, Number: string(object.PaymentIntent)}
	}
	return payment.Ref{}
}
