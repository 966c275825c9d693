// Package client calls a shop over HTTP, as its clients do.
package client

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Call is one request with JSON.
type Call struct {
	URL    string
	Method string // "": POST if there is a body, otherwise GET
	Body   string
	Token  string // the caller's token; "": none
	Key    string // its Idempotency-Key; "": none
	Once   bool   // the transport must not send the call again by itself
}

// Do sends the call and reads the whole answer. If the body is cut off, Do returns what arrived beside the error.
func (c Call) Do(ctx context.Context, via *http.Client) (status int, body string, err error) {
	method := c.Method
	switch {
	case method != "":
	case c.Body != "":
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, c.URL, strings.NewReader(c.Body))
	if err != nil {
		return 0, "", err
	}
	if c.Once {
		req.GetBody = nil
	}
	req.Header.Set("Content-Type", "application/json")
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Key != "" {
		req.Header.Set("Idempotency-Key", c.Key)
	}
	res, err := via.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// Text is Do with status and body in one string, such as `200 {"id":1}`; "" if there is no answer.
func (c Call) Text(ctx context.Context, via *http.Client) (string, error) {
	status, body, err := c.Do(ctx, via)
	if status == 0 {
		return "", err
	}
	return fmt.Sprintf("%d %s", status, body), err
}
