package external_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/external"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/paymenttest"
)

// example starts examples/own-checkout, which tells notify what has changed, and returns its address. It ends with the
// test.
func example(t *testing.T, notify string, secrets ...external.Secret) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: make deps", err)
		}
		t.Skipf("%v: make deps", err)
	}
	if _, err := os.ReadDir("../../../examples/own-checkout"); err != nil { // go test runs again when a file changes
		t.Fatal(err)
	}
	texts := make([]string, len(secrets))
	for i, s := range secrets {
		texts[i] = string(s)
	}
	cmd := exec.CommandContext(t.Context(), "node", "../../../examples/own-checkout/checkout.mjs")
	cmd.Env = append(os.Environ(), "PORT=0", "NOTIFY_URL="+notify, "CHECKOUT_SECRET="+strings.Join(texts, " "))
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait() // it was killed
		if said.Len() > 0 {
			t.Errorf("the example says %s", said.String())
		}
	})
	line, err := lines.ReadString('\n')
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		t.Fatalf("the example says %q, %v: %s", line, err, said.String())
	}
	return "http://127.0.0.1:" + port
}

// TestExample_KeepsThePromisesOfAProvider runs the example for Node.js.
func TestExample_KeepsThePromisesOfAProvider(t *testing.T) {
	at := example(t, "", secret)
	paymenttest.Run(t, func(t *testing.T) paymenttest.Harness {
		return paymenttest.Harness{Provider: provider(t, at, secret), Buyer: newBuyer("Pay with a bad card"), Derived: true}
	})
}

// The example signs its notifications with both secrets, and sends one again that the server did not take.
func TestExample_NotifiesUntilTheServerHasIt(t *testing.T) {
	type message struct {
		header http.Header
		body   []byte
	}
	messages := make(chan message, 2)
	var refused bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		messages <- message{r.Header, body}
		if !refused { // requests come one after another
			refused = true
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	at := example(t, server.URL, secret, newer)
	p := provider(t, at, newer) // which has left the first one behind
	o := order(7)
	c, err := p.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if took, err := newBuyer("").Pay(t.Context(), c); err != nil || !took {
		t.Fatalf("the buyer pays: %t, %v", took, err)
	}
	var first payment.Notice
	for n := range 2 {
		var m message
		select {
		case m = <-messages:
		case <-time.After(await.Patience):
			t.Fatalf("the server has %d notifications after %s, want 2", n, await.Patience)
		}
		notice, err := p.Read(m.header, m.body, time.Now())
		if err != nil || len(notice.Refs) != 1 || notice.Refs[0] != (payment.Ref{ID: 7, Number: "7"}) || notice.Type != "authorised" {
			t.Fatalf("Read: %+v, %v", notice, err)
		}
		if n == 0 {
			first = notice
		}
		if notice.ID != first.ID || notice.ID == "" {
			t.Errorf("the notification is %q, and was %q", notice.ID, first.ID)
		}
	}
}

func TestExample_ListsMoreThanOnePage(t *testing.T) {
	p := provider(t, example(t, "", secret), secret)
	const all = 101 // a page has 100
	for id := payment.ID(1); id <= all; id++ {
		if _, err := p.Close(t.Context(), payment.Ref{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	listed := 0
	for _, err := range p.Since(t.Context(), time.Now().Add(-time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		listed++
	}
	if listed != all {
		t.Errorf("%d payments are listed, want %d", listed, all)
	}
}

func TestExample_RefusesWhatTheServerDidNotSign(t *testing.T) {
	at := example(t, "", secret)
	ours, theirs := provider(t, at, secret), provider(t, at, strange)
	var refused *payment.RefusedError
	if _, err := theirs.Find(t.Context(), payment.Ref{ID: 7}); err == nil || errors.As(err, &refused) || errors.Is(err, payment.ErrUnknown) ||
		!strings.Contains(err.Error(), "401") {
		t.Errorf("a call with another secret: %v", err)
	}
	const body = `{"action":"find","payment":"7"}`
	for off, want := range map[time.Duration]int{0: http.StatusNotFound, -6 * time.Minute: http.StatusUnauthorized, 6 * time.Minute: http.StatusUnauthorized} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/api", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = message(t, secret, "call_1", time.Now().Add(off), body)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("a call of a clock that is %s off: %d, want %d", off, answer.StatusCode, want)
		}
	}
	good, ended := order(7), order(8)
	ended.Expires = time.Now().Add(-time.Second)
	for what, c := range map[string]struct {
		from  *external.Provider
		order payment.Order
		spoil *strings.Replacer
		want  int
	}{
		"a good link":            {ours, good, strings.NewReplacer(), http.StatusSeeOther},
		"another secret":         {theirs, good, strings.NewReplacer(), http.StatusForbidden},
		"a link that has ended":  {ours, ended, strings.NewReplacer(), http.StatusForbidden},
		"a lower amount":         {ours, good, strings.NewReplacer("amount=1", "amount="), http.StatusForbidden},
		"another payment":        {ours, good, strings.NewReplacer("payment=7", "payment=9"), http.StatusForbidden},
		"a later end":            {ours, good, strings.NewReplacer("expires=1", "expires=2"), http.StatusForbidden},
		"another return address": {ours, good, strings.NewReplacer("shop.example", "evil.example"), http.StatusForbidden},
		"no signature":           {ours, good, strings.NewReplacer("&signature=", "&x="), http.StatusForbidden},
	} {
		checkout, err := c.from.Start(t.Context(), c.order)
		if err != nil {
			t.Fatal(err)
		}
		checkout.URL = c.spoil.Replace(checkout.URL)
		if status, err := newBuyer("").press(t.Context(), checkout, "Cancel"); status != c.want || (c.want == http.StatusSeeOther && err != nil) {
			t.Errorf("%s: the example answers %d, %v, want %d", what, status, err, c.want)
		}
	}
}
