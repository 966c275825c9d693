package external

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

const (
	// timeout limits one call.
	timeout = 10 * time.Second
	// maxBody is how many bytes a body may have, in both directions.
	maxBody = 64 << 10
	// maxWord and maxSentence are how many bytes of the shop's words are kept.
	maxWord, maxSentence = 100, 500

	codeUnknown     = "unknown_payment"
	codeUnsupported = "unsupported"
)

// call is the body of a call to the shop.
type call struct {
	Action  string `json:"action"`
	Payment string `json:"payment,omitzero"`
	// Of a refund.
	Key    string `json:"key,omitzero"`
	Amount string `json:"amount,omitzero"`
	Reason string `json:"reason,omitzero"`
	// Of since.
	From  string `json:"from,omitzero"`
	After string `json:"after,omitzero"`
}

// failed wraps an error after which nobody knows what the shop did.
func (c *call) failed(err error) error {
	return fmt.Errorf("ask the shop's checkout to %s payment %s%s: %w", c.Action, c.Payment, c.From, err)
}

// answer is what the shop says of one payment.
type answer struct {
	Payment  string        `json:"payment"`
	State    payment.State `json:"state"`
	Amount   string        `json:"amount"`
	Currency string        `json:"currency"`
	Receipt  string        `json:"receipt"`
	Refunded string        `json:"refunded"`
	Disputed bool          `json:"disputed"`
	Reason   string        `json:"reason"`
}

// list is one page of the answer to since.
type list struct {
	Payments []answer `json:"payments"`
	Next     string   `json:"next"`
}

// no is the answer of a shop that refuses.
type no struct {
	Code   string `json:"code"`
	Reason string `json:"reason"`
}

// found checks what the shop says.
func (a *answer) found() (f payment.Found, err error) {
	f = payment.Found{
		Number: a.Payment, Receipt: shown(a.Receipt, maxWord), State: a.State, Currency: a.Currency, Disputed: a.Disputed,
		Reason: shown(a.Reason, maxSentence),
	}
	if f.ID, err = idOf(a.Payment); err != nil {
		return f, err
	}
	if f.Amount, err = amountOf("amount", a.Amount); err != nil {
		return f, err
	}
	if f.Refunded, err = amountOf("refunded", a.Refunded); err != nil {
		return f, err
	}
	switch a.State {
	case payment.Authorised, payment.Captured:
		if a.Amount == "" || a.Currency == "" {
			return f, fmt.Errorf("a payment that is %s needs an amount and a currency", a.State)
		}
	case payment.Open:
		f.Amount, f.Currency = 0, ""
	case payment.Pending, payment.Voided, payment.Failed:
	default:
		return f, errors.New("state must be open, pending, authorised, captured, voided or failed")
	}
	switch {
	case a.Currency != "" && !isCode(a.Currency):
		return f, errors.New("currency must have three capital letters")
	case f.Refunded != 0 && a.State != payment.Captured:
		return f, fmt.Errorf("a payment that is %s cannot have money refunded", a.State)
	case f.Refunded.TenThousandths() > f.Amount.TenThousandths():
		return f, errors.New("refunded must be at most amount")
	}
	return f, nil
}

func isCode(currency string) bool {
	return len(currency) == 3 && strings.Trim(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// amountOf reads an amount: digits, and at most four more after a point. Nothing is 0.
func amountOf(field, text string) (drop.Money, error) {
	if text == "" {
		return 0, nil
	}
	whole, part, point := strings.Cut(text, ".")
	digits := whole + part + strings.Repeat("0", max(0, drop.MaxDecimals-len(part)))
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || whole == "" || point && part == "" || len(part) > drop.MaxDecimals ||
		int64(n) > drop.MaxPrice.TenThousandths() {
		return 0, fmt.Errorf("%s must be a text with a number from 0 to %s, such as 120.00", field, drop.MaxPrice)
	}
	return drop.MoneyOf(int64(n)), nil
}

// post makes a call, and decodes the answer.
func (p *Provider) post(ctx context.Context, c call, to any) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, body, err := p.send(ctx, &c)
	if err != nil {
		return c.failed(err)
	}
	if status != http.StatusOK {
		return c.refused(status, body)
	}
	if err := decode(body, to); err != nil {
		return c.failed(err)
	}
	return nil
}

// send makes a call, and returns the status and the body of the answer.
func (p *Provider) send(ctx context.Context, c *call) (status int, body []byte, err error) {
	if body, err = json.Marshal(c); err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.api, bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("the API URL cannot be used") // the error has the address
	}
	id, now := newID(), time.Now()
	signature, err := p.keys.sign(id, now, body)
	if err != nil {
		return 0, nil, err
	}
	h := r.Header
	h["X-Idempotency-Key"] = nil // not sent: it lets the Transport try again if the shop just closed an idle connection
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "sneakerdrop")
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, signature)
	answer, err := p.client.Do(r)
	if err != nil {
		if named, ok := errors.AsType[*url.Error](err); ok {
			err = named.Err // without the address
		}
		return 0, nil, err
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
	if err == nil && len(body) > maxBody {
		err = fmt.Errorf("its answer has more than %d bytes", maxBody)
	}
	return answer.StatusCode, body, err
}

// refused says what an answer means that is not 200.
func (c *call) refused(status int, body []byte) error {
	switch status {
	case http.StatusUnauthorized:
		return c.failed(errors.New("it answered 401: compare the secrets and the clocks of both sides"))
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests: // they say to try again
		return c.failed(fmt.Errorf("it answered %d", status))
	}
	if status < 400 || status > 499 {
		return c.failed(fmt.Errorf("it answered %d", status))
	}
	var why no
	if err := decode(body, &why); err != nil || why.Code == "" || why.Reason == "" {
		return c.failed(fmt.Errorf("it answered %d without a code and a reason", status))
	}
	if status == http.StatusNotFound && why.Code == codeUnknown {
		return payment.ErrUnknown
	}
	return &payment.RefusedError{Code: shown(why.Code, maxWord), Reason: shown(why.Reason, maxSentence)}
}

// decode decodes one JSON object, and refuses members that the protocol does not have.
func decode(body []byte, to any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return errors.New("it did not answer with a JSON object")
	}
	err := json.Unmarshal(body, to, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.SemanticError](err); ok {
		return fmt.Errorf("its answer has a wrong member: %s", shown(string(wrong.JSONPointer), maxWord))
	}
	return errors.New("its answer is no valid JSON")
}

// shown returns the beginning of what the shop says, without control characters.
func shown(text string, most int) string {
	text = strings.ToValidUTF8(text[:min(len(text), most)], "")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
}
