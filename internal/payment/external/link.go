package external

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/payment"
)

// Link is what a checkout link says. All fields are signed.
type Link struct {
	Payment     string // the payment's number
	Amount      string // with all decimals of the currency, such as 120.00
	Currency    string // its ISO 4217 code
	Description string
	Email       string // may be empty
	ReturnURL   string
	Expires     time.Time // whole seconds; from then on the link is worth nothing
}

const (
	// linkID stands where calls and notifications have their webhook-id.
	linkID        = "link"
	linkExpires   = "expires"
	linkSignature = "signature"
)

// linkFields are the parameters that are signed, in this order, beside the end.
func linkFields() []string {
	return []string{"payment", "amount", "currency", "description", "email", "return_url"}
}

// values are the fields' values in the order of linkFields.
func (l *Link) values() []string {
	return []string{l.Payment, l.Amount, l.Currency, l.Description, l.Email, l.ReturnURL}
}

// text is what is signed. Each value follows its length in bytes, so no two links have the same text. It is never
// JSON, so it never passes for a call or a notification.
func (l *Link) text() []byte {
	var b []byte
	for _, v := range l.values() {
		b = strconv.AppendInt(b, int64(len(v)), 10)
		b = append(b, ':')
		b = append(b, v...)
		b = append(b, ',')
	}
	return b
}

// link makes the signed link of an order.
func (p *Provider) link(o *payment.Order) (string, error) {
	utf8 := func(text string) string { return strings.ToValidUTF8(text, "\uFFFD") } // as the shop will decode it
	l := Link{
		Payment: numberOf(o.ID), Amount: o.Amount.In(o.Currency), Currency: o.Currency.Code,
		Description: utf8(o.Description), Email: utf8(o.Email), ReturnURL: utf8(o.ReturnURL), Expires: o.Expires,
	}
	signature, err := p.keys.sign(linkID, l.Expires, l.text())
	if err != nil {
		return "", fmt.Errorf("make the link to the shop's checkout: %w", err)
	}
	var query strings.Builder
	if p.checkout.RawQuery != "" {
		query.WriteString(p.checkout.RawQuery + "&")
	}
	values := l.values()
	for i, name := range linkFields() {
		query.WriteString(name + "=" + url.QueryEscape(values[i]) + "&")
	}
	query.WriteString(linkExpires + "=" + strconv.FormatInt(l.Expires.Unix(), 10))
	query.WriteString("&" + linkSignature + "=" + url.QueryEscape(signature))
	u := p.checkout
	u.RawQuery = query.String()
	return u.String(), nil
}

// VerifyLink reads the query of a link as a shop's checkout does. It returns an error if a field is missing or there
// twice, if none of the secrets signed it, or if it has ended by now.
func VerifyLink(secrets []Secret, query url.Values, now time.Time) (Link, error) {
	k, err := newKeys(secrets)
	if err != nil {
		return Link{}, err
	}
	var values []string
	for _, name := range append(linkFields(), linkExpires, linkSignature) {
		if len(query[name]) != 1 {
			return Link{}, fmt.Errorf("the link must have the parameter %s once", name)
		}
		values = append(values, query.Get(name))
	}
	expires, err := strconv.ParseInt(values[6], 10, 64)
	if err != nil {
		return Link{}, errors.New("the link's end is no number of seconds")
	}
	l := Link{values[0], values[1], values[2], values[3], values[4], values[5], time.Unix(expires, 0).UTC()}
	header := make(http.Header)
	header.Set(standardwebhooks.HeaderWebhookID, linkID)
	header.Set(standardwebhooks.HeaderWebhookTimestamp, values[6])
	header.Set(standardwebhooks.HeaderWebhookSignature, values[7])
	switch {
	case !k.verify(header, l.text()):
		return Link{}, errLinkForged
	case !now.Before(l.Expires):
		return Link{}, errLinkEnded
	}
	return l, nil
}

var (
	errLinkForged = errors.New("the link's signature is false")
	errLinkEnded  = errors.New("the link has ended")
)
