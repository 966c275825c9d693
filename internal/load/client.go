package load

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"sneakerdrop/internal/drop"
)

// requestTimeout limits each request. It is longer than the server's own timeout, so that the server gives up first.
const requestTimeout = 30 * time.Second

// ownConnections are for what the load itself asks, up to three calls at once, beside the buyers' connections.
const ownConnections = 3

// client speaks the API. It works as little as possible, because it usually shares the machine with the server.
type client struct {
	http   *fasthttp.HostClient
	config *Config
	base   string
	prefix string // for idempotency keys
	tokens *signed
}

func newClient(c *Config, server string) (*client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not the address of a server, such as http://localhost:3000", server)
	}
	return &client{
		http: &fasthttp.HostClient{
			Addr: hostPort(u), IsTLS: u.Scheme == "https", MaxConns: c.Connections + ownConnections, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout,
			NoDefaultUserAgentHeader: true, DisableHeaderNamesNormalizing: true, MaxIdemponentCallAttempts: 1, MaxIdleConnDuration: time.Minute,
			RetryIfErr: func(*fasthttp.Request, int, error) (resetTimeout, retry bool) { return false, false },
		},
		config: c, base: u.Scheme + "://" + u.Host, prefix: rand.Text() + "-",
		tokens: sign(nil, 0),
	}, nil
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Host + ":443"
	}
	return u.Host + ":80"
}

func (c *client) close() { c.http.CloseIdleConnections() }

// touch makes a cheap request. All workers do so at once, so that nearly every one opens a connection.
func (c *client) touch(ctx context.Context) error {
	w := c.worker()
	defer w.release()
	w.begin("/livez", nil, nil)
	if err := w.http.DoTimeout(w.request, w.response, requestTimeout); err != nil {
		return err
	}
	return ctx.Err()
}

// answer is the result of a request.
type answer struct {
	ok     bool
	id     int64 // of the new reservation or purchase
	status int
	code   string // of a refusal
	err    error  // if there was no answer
}

// worker has one request and one answer, which it reuses.
type worker struct {
	*client

	request  *fasthttp.Request
	response *fasthttp.Response
	body     []byte
	header   []byte
}

func (c *client) worker() *worker {
	return &worker{client: c, request: fasthttp.AcquireRequest(), response: fasthttp.AcquireResponse()}
}

func (w *worker) release() {
	fasthttp.ReleaseRequest(w.request)
	fasthttp.ReleaseResponse(w.response)
}

// begin builds the request for a path. With a body it is a POST.
func (w *worker) begin(path string, body, token []byte) {
	w.request.Reset()
	w.request.SetRequestURI(w.base + path)
	if body != nil {
		w.request.Header.SetMethod(fasthttp.MethodPost)
		w.request.Header.SetContentType("application/json")
		w.request.SetBodyRaw(body)
	}
	if len(token) > 0 {
		w.header = append(append(w.header[:0], "Bearer "...), token...)
		w.request.Header.SetBytesV(fasthttp.HeaderAuthorization, w.header)
	}
}

func (w *worker) send() answer {
	if err := w.http.Do(w.request, w.response); err != nil {
		return answer{err: err}
	}
	a := answer{status: w.response.StatusCode(), ok: w.response.StatusCode() == fasthttp.StatusOK}
	if !a.ok {
		a.code = textAfter(w.response.Body(), `"code":"`)
		if a.code == "" {
			a.code = strconv.Itoa(a.status)
		}
	}
	return a
}

func (w *worker) list() answer {
	w.begin("/api/drops", nil, nil)
	return w.send()
}

func (w *worker) reserve(id drop.ID, buyer int64) answer {
	w.body = strconv.AppendInt(append(w.body[:0], `{"dropId":`...), int64(id), 10)
	if w.config.Buyer == nil {
		w.body = strconv.AppendInt(append(w.body, `,"userId":`...), buyer, 10)
	}
	w.body = append(w.body, '}')
	return w.post("/api/drops/reserve", buyer, "r")
}

func (w *worker) purchase(id drop.ReservationID, buyer int64) answer {
	w.body = append(strconv.AppendInt(append(w.body[:0], `{"reservationId":`...), int64(id), 10), '}')
	return w.post("/api/drops/purchase", buyer, "p")
}

// pay counts as no answer unless the money is captured.
func (w *worker) pay(id drop.ReservationID, buyer int64) answer {
	w.body = append(strconv.AppendInt(append(w.body[:0], `{"return_url":"/","reservationId":`...), int64(id), 10), '}')
	a := w.post("/api/drops/checkout", buyer, "c")
	if a.ok && !bytes.Contains(w.response.Body(), []byte(`"captured"`)) {
		return answer{err: fmt.Errorf("a payment that is not captured: %s", w.response.Body())}
	}
	return a
}

// post sends a buyer's request. A success without the expected id counts as no answer.
func (w *worker) post(path string, buyer int64, operation string) answer {
	w.begin(path, w.body, w.tokens.of(buyer))
	if w.config.Keys {
		w.request.Header.Set("Idempotency-Key", w.prefix+operation+strconv.FormatInt(buyer, 10))
	}
	a := w.send()
	if a.ok {
		if a.id = numberAfter(w.response.Body(), `"id":`); a.id == 0 {
			return answer{err: fmt.Errorf("an answer without an id: %s", w.response.Body())}
		}
	}
	return a
}

// textAfter returns the text between a mark and the next quote.
func textAfter(body []byte, mark string) string {
	_, rest, found := bytes.Cut(body, []byte(mark))
	text, _, ended := bytes.Cut(rest, []byte(`"`))
	if !found || !ended {
		return ""
	}
	return string(text)
}

// numberAfter returns the number after a mark, or 0 if there is none.
func numberAfter(body []byte, mark string) int64 {
	_, rest, _ := bytes.Cut(body, []byte(mark))
	end := bytes.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 1 {
		return 0
	}
	n, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// ask makes an operator's call and decodes the answer.
func (c *client) ask(ctx context.Context, method, path string, in, out any) error {
	w := c.worker()
	defer w.release()
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	w.begin(path, body, []byte(c.config.Token))
	w.request.Header.SetMethod(method)
	deadline := time.Now().Add(requestTimeout)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := c.http.DoDeadline(w.request, w.response, deadline); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if w.response.StatusCode() != fasthttp.StatusOK {
		if code := w.response.StatusCode(); code == fasthttp.StatusUnauthorized || code == fasthttp.StatusForbidden {
			return fmt.Errorf("%s %s: %s (give an operator's token with --token)", method, path, textAfter(w.response.Body(), `"error":"`))
		}
		return fmt.Errorf("%s %s: status %d: %s", method, path, w.response.StatusCode(), w.response.Body())
	}
	return json.Unmarshal(w.response.Body(), out)
}

var errNoID = errors.New("the new drop has no id")

func (c *client) create(ctx context.Context, name string, stock int64) (drop.ID, error) {
	var made struct {
		ID drop.ID `json:"id"`
	}
	err := c.ask(ctx, fasthttp.MethodPost, "/api/drops/create", map[string]any{
		"name": name, "price": 100, "total_stock": stock, "start_time": "2020-01-01T00:00:00Z",
	}, &made)
	if err == nil && made.ID == 0 {
		err = errNoID
	}
	return made.ID, err
}
