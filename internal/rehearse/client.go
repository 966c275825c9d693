package rehearse

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
)

// requestTimeout is longer than the server's own timeout, so that the server gives up first.
const requestTimeout = 30 * time.Second

const maxAnswer = 64 << 20 // a page of 1,000 rows is far smaller

type client struct {
	*Config

	http *http.Client
}

func dropPath(id drop.ID) string { return "/api/drops/" + strconv.FormatInt(int64(id), 10) }

// figure is what GET /api/operator/figures returns for a drop.
type figure struct {
	ID                           drop.ID
	Name                         string
	Price                        json.Number
	StartTime                    time.Time `json:"start_time"`
	LimitPerUser                 *int      `json:"limit_per_user"`
	MaxExpired                   *int      `json:"max_expired_holds"`
	Paused, Hidden, Archived     bool
	Waitlist                     bool
	OfferFor                     int  `json:"offer_for"`
	MaxWaiting                   int  `json:"max_waiting"`
	OffersCount                  bool `json:"offers_count"`
	Draw                         *struct{}
	Total, Available, Held, Sold int64
	Sizes                        []struct {
		Size  string
		Total int64
	}
}

type figures struct {
	At    time.Time
	Drops []figure
}

func (c *client) figures(ctx context.Context) (all figures, err error) {
	err = c.callOperator(ctx, http.MethodGet, "/api/operator/figures", nil, &all)
	return all, err
}

// callOperator makes an operator's call and decodes the answer.
func (c *client) callOperator(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	a := c.send(ctx, method, path, body, c.Token, "", "")
	switch {
	case a.err != nil:
		return fmt.Errorf("%s %s: %w", method, path, a.err)
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden:
		return fmt.Errorf("%s %s: %s (it needs an operator's token)", method, path, a.code)
	case a.status != http.StatusOK && a.status != http.StatusCreated:
		return fmt.Errorf("%s %s: %d %s", method, path, a.status, a.body)
	case out == nil:
		return nil
	}
	return json.Unmarshal(a.body, out)
}

// takesPayments reports whether buyers of the server pay. Only then it has a list of payments.
func (c *client) takesPayments(ctx context.Context) (bool, error) {
	const path = "/api/payments?limit=1"
	switch a := c.send(ctx, http.MethodGet, path, nil, c.Token, "", ""); {
	case a.err != nil:
		return false, fmt.Errorf("GET %s: %w", path, a.err)
	case a.status == http.StatusNotFound:
		return false, nil
	case a.status != http.StatusOK:
		return false, fmt.Errorf("GET %s: %d %s", path, a.status, a.body)
	}
	return true, nil
}

// answer is the result of a request.
type answer struct {
	status int
	code   string // of a refusal
	body   []byte
	took   time.Duration
	err    error // if there was no answer
}

// mayPass reports whether a refusal may be gone soon.
func (a *answer) mayPass() bool {
	return a.status >= http.StatusInternalServerError || a.status == http.StatusTooManyRequests
}

// post makes a buyer's call.
func (c *client) post(ctx context.Context, buyer int64, path, body, key string) answer {
	return c.send(ctx, http.MethodPost, path, strings.NewReader(body), c.tokenOf(buyer), key, address(buyer))
}

// tokenOf returns a buyer's token, empty if nobody signs in.
func (c *client) tokenOf(buyer int64) string {
	if c.Buyer == nil {
		return ""
	}
	return c.Buyer(buyer)
}

// address returns the address that a buyer claims to come from, so that limits for addresses treat buyers as they do
// in a real drop. A server believes it only if it trusts the peer as a proxy. 198.18.0.0/15 is for benchmarks
// (RFC 2544), so no real client has such an address.
func address(buyer int64) string {
	return netip.AddrFrom4([4]byte{198, 18, byte(buyer >> 8), byte(buyer)}).String()
}

// forwardedFor is the header in which a proxy names its client.
const forwardedFor = "X-Forwarded-For"

// send makes a call. Without a key, and without the address of a client, it leaves those headers out.
func (c *client) send(ctx context.Context, method, path string, body io.Reader, token, key, from string) answer {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, body)
	if err != nil {
		return answer{err: err}
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	if from != "" {
		r.Header.Set(forwardedFor, from)
	}
	// A wait for one of our own connections does not count as the server's time.
	began := time.Now()
	r = r.WithContext(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { began = time.Now() }}))
	res, err := c.http.Do(r)
	if err != nil {
		return answer{err: err}
	}
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return answer{err: err}
	}
	a := answer{status: res.StatusCode, body: text, took: time.Since(began)}
	if a.status != http.StatusOK {
		var refusal struct {
			Code string `json:"code"`
		}
		if json.Unmarshal(text, &refusal) != nil || refusal.Code == "" {
			refusal.Code = strconv.Itoa(a.status)
		}
		a.code = refusal.Code
	}
	return a
}
