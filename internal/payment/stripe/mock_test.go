package stripe_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/stripe"
	"sneakerdrop/internal/testing/fakestripe"
)

// mock is Stripe's own mock of its API. It checks each request against Stripe's description of it, and keeps nothing.
const mock = "github.com/stripe/stripe-mock@v0.203.0"

// goMock builds and starts the mock, and returns its URL.
func goMock(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	install := exec.CommandContext(t.Context(), "go", "install", mock)
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("go install %s: %v\n%s", mock, err, out)
	}
	server := exec.CommandContext(t.Context(), filepath.Join(bin, "stripe-mock"), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	out, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "HTTP at address: "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://" + address
		}
	}
	panic(fmt.Sprintf("stripe-mock says no address: %v", lines.Err()))
}

// between turns the mock's sample objects into payments of ours, and keeps the requests that the mock refused.
type between struct {
	t       *testing.T
	url     string
	status  string // of payment intents
	refused []string
	seen    map[string]bool
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request, err := http.NewRequestWithContext(r.Context(), r.Method, b.url+r.URL.RequestURI(), strings.NewReader(string(body)))
	if err != nil {
		b.t.Error(err)
		return
	}
	request.Header = r.Header.Clone()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.t.Error(err)
		return
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		b.refused = append(b.refused, r.Method+" "+r.URL.RequestURI()+" "+string(body)+": "+string(answer))
	}
	b.seen[r.Method+" "+shape(r.URL.Path)] = true
	switch {
	case strings.HasSuffix(r.URL.Path, "/capture"):
		b.status = "succeeded"
	case strings.HasSuffix(r.URL.Path, "/cancel"):
		b.status = "canceled"
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(b.rewrite(answer))
}

// rewrite makes the sample objects in an answer ours.
func (b *between) rewrite(answer []byte) []byte {
	var content any
	if err := json.Unmarshal(answer, &content); err != nil {
		b.t.Errorf("the mock answers %s: %v", answer, err)
	}
	b.ours(content)
	answer, err := json.Marshal(content)
	if err != nil {
		b.t.Error(err)
	}
	return answer
}

func (b *between) ours(content any) {
	switch content := content.(type) {
	case []any:
		for _, inner := range content {
			b.ours(inner)
		}
	case map[string]any:
		switch content["object"] {
		case "payment_intent":
			content["status"] = b.status
			content["metadata"] = map[string]string{"sneakerdrop_payment": "1"}
		case "checkout.session":
			content["metadata"] = map[string]string{"sneakerdrop_payment": "1"}
		}
		for _, inner := range content {
			b.ours(inner)
		}
	}
}

// shape is a path without numbers.
func shape(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "cs_") || strings.HasPrefix(part, "pi_") {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

// Stripe's own description of its API accepts each request that the provider makes.
func TestRequests_AreAsStripeDescribesThem(t *testing.T) {
	b := &between{t: t, url: goMock(t), status: "requires_capture", seen: make(map[string]bool)}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	p, err := stripe.New(stripe.Settings{Key: "sk_test_123", Signing: []stripe.Secret{fakestripe.Signing}, URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, clock: &clock{now: time.Now()}}
	ctx := t.Context()
	ref := payment.Ref{ID: 1, Number: "cs_test_1"}
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = p.Start(ctx, w.order(1))
	check("start", err)
	_, err = p.Find(ctx, ref)
	check("find", err)
	_, err = p.Find(ctx, payment.Ref{ID: 1, Number: "pi_1"})
	check("find by the payment intent", err)
	if _, err = p.Find(ctx, payment.Ref{ID: 2}); !errors.Is(err, payment.ErrUnknown) { // after the list and the search
		t.Errorf("find by the ID: %v", err)
	}
	_, err = p.Close(ctx, ref)
	check("close", err)
	_, err = p.Capture(ctx, ref)
	check("capture", err)
	b.status = "requires_capture"
	_, err = p.Void(ctx, ref)
	check("void", err)
	b.status = "succeeded"
	_, err = p.Refund(ctx, ref, payment.Refund{Key: "a", Amount: 1, Reason: "a stain"})
	check("refund", err)
	for _, err := range p.Since(ctx, time.Now()) {
		check("since", err)
		break
	}
	for _, request := range b.refused {
		t.Errorf("refused: %s", request)
	}
	for _, call := range []string{
		"POST /v1/checkout/sessions", "GET /v1/checkout/sessions", "GET /v1/checkout/sessions/…", "POST /v1/checkout/sessions/…/expire",
		"GET /v1/payment_intents/search", "POST /v1/payment_intents/…/capture", "POST /v1/payment_intents/…/cancel",
		"GET /v1/refunds", "POST /v1/refunds",
	} {
		if !b.seen[call] {
			t.Errorf("nobody called %s", call)
		}
	}
}
