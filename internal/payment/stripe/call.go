package stripe

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	sdk "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/form"

	"sneakerdrop/internal/payment"
)

// newHTTPClient returns a client that gives up after times that are long for Stripe, and short for a buyer who waits.
func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	transport.TLSHandshakeTimeout = 5 * time.Second
	transport.ResponseHeaderTimeout = 30 * time.Second
	transport.MaxIdleConnsPerHost = 32
	return &http.Client{
		Transport: transport,
		Timeout:   40 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the API does not redirect
		},
	}
}

// key makes an idempotency key. It has fewer than 255 characters, as Stripe demands.
func (p *Provider) key(id payment.ID, parts ...string) string {
	return strings.Join(append([]string{"sneakerdrop", p.settings.Shop, strconv.FormatInt(int64(id), 10)}, parts...), "/")
}

// The paths of the API.
const (
	sessions = "/v1/checkout/sessions"
	intents  = "/v1/payment_intents"
	refunds  = "/v1/refunds"
)

// answer is what the library decodes: *T of a type T.
type answer[T any] interface {
	*T
	sdk.LastResponseSetter
}

// call makes one call. Numbers of objects in the path are Stripe's own, or begin like them.
func call[T any, A answer[T]](p *Provider, method, path string, params sdk.ParamsContainer) (*T, error) {
	got := new(T)
	if err := p.backend.Call(method, path, string(p.settings.Key), params, A(got)); err != nil {
		return nil, err
	}
	return got, nil
}

// post makes a call under an idempotency key. Stripe stores the first answer to a key, even if it is a failure of its
// own, and repeats it for a day. If it repeats such a failure, post makes the call under the next key, because
// otherwise nothing could be done for a day. That is safe only for calls that have no effect the second time, or whose
// second effect does no harm.
func post[T any](ctx context.Context, key string, try func(sdk.Params) (T, error)) (got T, err error) {
	for attempt := 1; attempt <= keysOfCall; attempt++ {
		under := key
		if attempt > 1 {
			under += "/" + strconv.Itoa(attempt)
		}
		if got, err = try(sdk.Params{Context: ctx, IdempotencyKey: &under}); !stored(err) {
			return got, err
		}
	}
	return got, err
}

// read makes a call that lists something.
func (p *Provider) read(ctx context.Context, path string, params any, list sdk.LastResponseSetter) error {
	query := &form.Values{}
	form.AppendTo(query, params)
	return p.backend.CallRaw(http.MethodGet, path, string(p.settings.Key), []byte(query.Encode()), &sdk.Params{Context: ctx}, list)
}
