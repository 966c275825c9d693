package webhooks

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/drop"
)

const (
	// defaultTimeout is how long an attempt may take, as Standard Webhooks 1.0 recommends (15 to 30 s).
	defaultTimeout = 15 * time.Second
	// idleConnections is how many connections to one host stay open for later messages. A deliverer limits how many are
	// in use. A limit for each host would let a slow endpoint delay another one at the same host.
	idleConnections = 64
	// maxAnswer is how much of an answer is read, so that the connection can be used again; shownAnswer is how many
	// characters of it operators see.
	maxAnswer, shownAnswer = 64 << 10, 500
	shownTarget            = 200 // bytes of a redirect's target
	// maxRetryAfter limits what a receiver may ask for.
	maxRetryAfter = 24 * time.Hour
)

// SenderOptions configure a Sender. The zero value is for production.
type SenderOptions struct {
	// AllowPrivate allows http, and receivers on this machine and in private networks.
	AllowPrivate bool
	UserAgent    string         // default: sneakerdrop
	Timeout      time.Duration  // of one attempt; default 15 s
	Resolver     Resolver       // default: net.DefaultResolver
	RootCAs      *x509.CertPool // default: those of the system
}

// Sender sends messages over HTTP, signed as Standard Webhooks 1.0 describes. It uses no proxy and follows no redirect.
// It is safe for concurrent use.
type Sender struct {
	options   SenderOptions
	transport *http.Transport
}

// NewSender returns a sender. Close it when it is no longer used.
func NewSender(o SenderOptions) *Sender {
	o.UserAgent = cmp.Or(o.UserAgent, "sneakerdrop")
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	g := guard{resolver: o.Resolver, allowPrivate: o.AllowPrivate, timeout: o.Timeout}
	return &Sender{options: o, transport: &http.Transport{
		DialContext:            g.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           1000,
		MaxIdleConnsPerHost:    idleConnections,
		TLSHandshakeTimeout:    o.Timeout, // a Transport does not end handshakes with the request that began them
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: maxAnswer,
		DisableCompression:     true,
	}}
}

// Close closes idle connections.
func (s *Sender) Close() { s.transport.CloseIdleConnections() }

// Send sends a message once. It always returns within the time-out.
func (s *Sender) Send(ctx context.Context, url string, m Message) Attempt {
	a := Attempt{At: time.Now()}
	limited, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	s.send(limited, url, m, &a)
	a.Took = time.Since(a.At)
	return a
}

func (s *Sender) send(ctx context.Context, url string, m Message, a *Attempt) {
	a.Outcome = Failed
	if err := CheckURL(url, s.options.AllowPrivate); err != nil { // as when the setting has changed
		a.Outcome, a.Error = Refused, "The address is not allowed."
		if e, ok := errors.AsType[*drop.Error](err); ok {
			a.Error = "The address is not allowed: it " + e.Rule + "."
		}
		return
	}
	r, err := s.request(ctx, url, &m, a.At)
	if err != nil {
		a.Error = "The message could not be made: " + err.Error() + "."
		return
	}
	answer, err := s.transport.RoundTrip(r)
	if err != nil {
		a.Outcome, a.Error = s.explain(err)
		return
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	a.Status, a.Answer = answer.StatusCode, shown(body)
	switch code := answer.StatusCode; {
	case err != nil && code <= 299: // otherwise the status says enough
		a.Outcome, a.Error = s.explain(err)
	case code >= 200 && code <= 299:
		a.Outcome = Delivered
	case code == http.StatusGone:
		a.Outcome, a.Error = Gone, "The receiver answered 410: it wants no more messages."
	case code >= 300 && code <= 399:
		a.Error = fmt.Sprintf("The receiver answered %d, a redirect%s. Messages follow no redirects; give the endpoint its final address.",
			code, target(answer.Header.Get("Location")))
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		a.RetryAfter = retryAfter(answer.Header.Get("Retry-After"), time.Now())
		a.Error = fmt.Sprintf("The receiver answered %d.", code)
	default:
		a.Error = fmt.Sprintf("The receiver answered %d.", code)
	}
}

// target says where a redirect leads to, if it says so.
func target(location string) string {
	if location = shown([]byte(location[:min(len(location), shownTarget)])); location == "" {
		return ""
	}
	return " to " + location
}

// request makes a signed request. Each secret makes a signature, so that a receiver may check with either.
func (s *Sender) request(ctx context.Context, url string, m *Message, at time.Time) (*http.Request, error) {
	if len(m.Secrets) == 0 {
		return nil, errors.New("it has no secret to sign with")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	signatures := make([]string, len(m.Secrets))
	for i, secret := range m.Secrets {
		signer, err := standardwebhooks.NewWebhook(string(secret))
		if err == nil {
			signatures[i], err = signer.Sign(m.ID, at, m.Body)
		}
		if err != nil {
			return nil, fmt.Errorf("sign with secret %d: %w", i+1, err)
		}
	}
	h := r.Header
	h["X-Idempotency-Key"] = nil // not sent: it lets the Transport try again if the receiver just closed an idle connection
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", s.options.UserAgent)
	h.Set(standardwebhooks.HeaderWebhookID, m.ID)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return r, nil
}

// explain says in a sentence for operators why there is no answer.
func (s *Sender) explain(err error) (Outcome, string) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return Refused, fmt.Sprintf("The address %s is not allowed: it is %s.", r.addr, r.why)
	}
	switch dns, ok := errors.AsType[*net.DNSError](err); {
	case errors.Is(err, context.DeadlineExceeded):
		return Failed, fmt.Sprintf("There was no complete answer within %s.", s.options.Timeout)
	case errors.Is(err, context.Canceled):
		return Failed, "The server stopped before there was an answer."
	case ok && dns.IsNotFound:
		return Failed, fmt.Sprintf("The name %s does not exist.", dns.Name)
	case ok:
		return Failed, fmt.Sprintf("The name %s could not be looked up.", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return Failed, "The receiver refused the connection."
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return Failed, "The receiver closed the connection without a complete answer."
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return Failed, fmt.Sprintf("The receiver's certificate is not valid: %s.", certificate.Err)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return Failed, "The receiver did not answer in time."
	}
	return Failed, "The message could not be sent: " + err.Error() + "."
}

// retryAfter reads a header in either form that RFC 9110 has: seconds, or a date. It is 0 if there is none.
func retryAfter(header string, now time.Time) time.Duration {
	if header == "" {
		return 0
	}
	if n, err := strconv.ParseUint(strings.TrimSpace(header), 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(n, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// shown returns the beginning of an answer as text without control characters.
func shown(body []byte) string {
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || !unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(body[:min(len(body), 4*shownAnswer)]), "\uFFFD"))
	runes := []rune(strings.TrimSpace(text))
	return string(runes[:min(len(runes), shownAnswer)])
}
