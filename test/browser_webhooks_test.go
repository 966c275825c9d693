package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// webhookReceiver is a system that gets events. It answers with the status that answer has.
type webhookReceiver struct {
	*httptest.Server
	answer atomic.Int64

	mu  sync.Mutex
	got []receivedEvent
}

type receivedEvent struct {
	header http.Header
	body   []byte
	status int // that it was answered with
}

func receiveWebhooks(t *testing.T) *webhookReceiver {
	t.Helper()
	r := new(webhookReceiver)
	r.answer.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		status := int(r.answer.Load())
		r.mu.Lock()
		r.got = append(r.got, receivedEvent{req.Header.Clone(), body, status})
		r.mu.Unlock()
		w.WriteHeader(status)
		fmt.Fprint(w, "noted by <b>fulfilment</b>")
	}))
	t.Cleanup(r.Close)
	return r
}

// received returns what has come so far.
func (r *webhookReceiver) received() []receivedEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// idsOf waits until so many events of that type were accepted, and returns their ids.
func (r *webhookReceiver) idsOf(t *testing.T, kind string, times int) []string {
	t.Helper()
	var ids []string
	if err := poll(t.Context(), func() error {
		ids = nil
		for _, e := range r.received() {
			if e.status == http.StatusOK && strings.Contains(string(e.body), `"type":"`+kind+`"`) {
				ids = append(ids, e.header.Get("webhook-id"))
			}
		}
		if len(ids) < times {
			return fmt.Errorf("%d of %d events %s came", len(ids), times, kind)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// signedBy fails unless the newest message has a signature of each secret.
func (r *webhookReceiver) signedBy(t *testing.T, secrets ...string) {
	t.Helper()
	all := r.received()
	newest := all[len(all)-1]
	for _, secret := range secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if err := hook.Verify(newest.body, newest.header); err != nil {
			t.Errorf("%s: %v", newest.body, err)
		}
	}
}

const noSecret script = `!document.body.textContent.includes("whsec_")`

// secret returns the secret that the page shows.
func (p *page) secret() string {
	p.t.Helper()
	p.holds(`/^whsec_\S{20,}$/.test(document.querySelector(".secret code")?.textContent)`)
	return eval[string](p, `document.querySelector(".secret code").textContent`)
}

// pushesIn presses the button with that text in the dialog.
func (p *page) pushesIn(text string) {
	p.t.Helper()
	p.clicks(fmt.Sprintf(`[...document.querySelectorAll("dialog[open] button")].find((b) => b.textContent.trim() === %q)`, text))
}

// idle waits until the page has no action under way.
func (p *page) idle() {
	p.t.Helper()
	p.holds(`!document.querySelector('.actions [aria-disabled="true"]')`)
}

// answers presses a button and says yes to the question.
func (p *page) answers(verb, question, yes string) {
	p.t.Helper()
	p.idle()
	p.pushes(verb)
	p.reads("dialog[open]", question)
	p.pushesIn(yes)
}

// An operator adds an endpoint, sees its secret once, tests it, looks at its attempts, replays events, rotates the
// secret, disables, enables and deletes it.
func TestControl_LifeOfAWebhook(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--webhook-allow-private")
	made(t, s.url, `{"name":"Lantern Low","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`)
	made(t, s.url, `{"name":"Air Zenith","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`)
	for i, l := range []look{phone, desktopDark} {
		receiver := receiveWebhooks(t)
		host := strings.TrimPrefix(receiver.URL, "http://")
		p := visit(t, s.url+"/admin#/webhooks", l)
		p.reads("main", "No endpoints yet. Add the address of the system that should receive events.")
		p.check("control webhooks empty", l)

		p.pushes("Add endpoint")
		p.holds(`document.activeElement.id === "url"`)
		p.pushesIn("Add endpoint")
		p.reads("#url-problem", "Enter the address of the receiver")
		p.putsIn("#url", "ftp://example.com/hooks")
		p.pushesIn("Add endpoint")
		p.reads("#url-problem", "https://")
		p.holds(`document.activeElement.id === "url" && document.activeElement.getAttribute("aria-invalid") === "true"`)
		p.putsIn("#url", receiver.URL+"/hooks/a/very/long/path/that/a/list/should/not/show/in/full")
		p.putsIn("#description", "Fulfilment")
		p.press(`input[name="types_of"][value="some"]`)
		p.pushesIn("Add endpoint")
		p.reads("#types-problem", "Choose at least one type of event, or all.")
		p.press(`input[name="types"][value="purchase.completed"]`)
		p.press(`input[name="drops_of"][value="some"]`)
		p.press(`input[name="drops"][value="1"]`)
		p.reads("#types-problem", "")
		p.check("control webhook add", l)
		p.pushesIn("Add endpoint")
		p.reads("h1", host)
		first := p.secret()
		p.reads(".secret", "It is shown only once")
		p.holds(`document.activeElement.id === "made-secret"`)
		p.check("control webhook secret", l)
		p.pushes("Done")
		p.holds(noSecret)
		p.reads(".about", "purchase.completed Drops Lantern Low")

		p.idle()
		p.pushes("Send test event")
		p.reads(".tested", "Test event delivered The receiver answered 200")
		p.reads("main tbody", "webhook.test test 1 Delivered 200")
		p.holds(`!document.querySelector("main b")`) // what a receiver answers is text
		receiver.signedBy(t, first)

		buys(t, s.url, `"userId":1`)
		receiver.idsOf(t, "purchase.completed", 1)
		p.reads("main tbody", "purchase.completed 1-")
		p.reads(".tiles", "Lag Up to date")
		p.check("control webhook", l)

		receiver.answer.Store(http.StatusInternalServerError)
		p.idle()
		p.pushes("Send test event")
		p.reads(".tested", "Test event not delivered The receiver answered 500")
		p.reads(".tested", "noted by <b>fulfilment</b>")
		buys(t, s.url, `"userId":2`)
		p.reads(".facts", "Failing since")
		p.reads(".tiles", "1 event behind")
		p.reads(".notice", "No event is lost")
		p.check("control webhook failing", l)
		p.idle()
		p.pushes("Disable")
		p.reads(".toast", "Disabled: "+host)
		receiver.answer.Store(http.StatusOK)
		p.reads(".facts", "Disabled")
		p.reads(".notice", "An operator disabled this endpoint.")
		p.opens("#/webhooks")
		p.reads("main tbody tr", "Disabled by an operator")
		p.reads("main tbody tr", "1 event waiting")
		p.check("control webhooks", l)
		p.goes(host)
		p.idle()
		p.pushes("Enable")
		p.reads(".facts", "Active")
		p.reads(".tiles", "Lag Up to date")
		ids := receiver.idsOf(t, "purchase.completed", 2)

		p.idle()
		p.pushes("Replay")
		p.holds(`document.querySelector("#dropId").value === "1"`) // the only one
		p.leaves("from", "x")
		p.reads("#from-problem", "Enter a whole number from 1 on.")
		p.leaves("from", "99999")
		p.check("control webhook replay", l)
		p.pushesIn("Replay")
		p.reads("#from-problem", "must be at most")
		p.leaves("from", "1")
		p.pushesIn("Replay")
		p.reads(".toast", "Sending again: events 1 to")
		again := receiver.idsOf(t, "purchase.completed", 2+2*(i+1))[2:] // also the purchases of the look before
		for _, id := range ids {
			if !slices.Contains(again, id) {
				t.Errorf("%s was not sent again: %q", id, again)
			}
		}

		p.answers("Rotate secret", "For 24 hours each request is signed with the old secret, too", "Rotate secret")
		second := p.secret()
		if second == first {
			t.Error("the secret is the one of before")
		}
		p.reads(".secret", "signed with the old secret, too, until")
		p.reads(".about", "Old secret valid until")
		p.opens("#/webhooks")
		p.goes(host)
		p.reads(".about", "Old secret valid until")
		p.holds(noSecret)
		p.idle()
		p.pushes("Send test event")
		p.reads(".tested", "Test event delivered")
		receiver.signedBy(t, first, second)

		p.answers("Delete", "The receiver gets no more events.", "Delete endpoint")
		p.reads("h1", "Webhooks")
		p.reads("main", "No endpoints yet.")
		p.opens("#/webhooks/1")
		p.reads("h1", "No such endpoint")
		p.quiet()
	}
}

// A viewer sees endpoints and attempts, and no buttons. The log tells who did what, without the secret.
func TestControl_ViewersSeeWebhooks(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret, "--webhook-allow-private")
	receiver := receiveWebhooks(t)
	receiver.answer.Store(http.StatusGone)
	operate("", "/api/webhooks", fmt.Sprintf(`{"url":%q}`, receiver.URL))
	operate("", "/api/drops/create", onePair)
	token := func(role string) string {
		t.Helper()
		answer := operate("", "/api/operator/tokens", fmt.Sprintf(`{"name":"the %s","role":%q}`, role, role))
		_, after, _ := strings.Cut(answer, `"secret":"`)
		token, _, _ := strings.Cut(after, `"`)
		return token
	}
	p := visit(t, s.url+"/admin#/webhooks", phone)
	enter := func(token string) {
		t.Helper()
		p.holds(`!!document.querySelector("#token")`)
		p.fill("#token", token)
		p.submit("#token")
	}
	const buttons script = `[...document.querySelectorAll("main button")].length`
	enter(token("viewer"))
	p.reads("main tbody tr", "Disabled the receiver answered 410 Gone")
	p.goes(strings.TrimPrefix(receiver.URL, "http://"))
	p.reads(".notice", "The receiver answered 410 Gone")
	p.reads("main tbody", "drop.created 1-1 1 Gone 410")
	if n := eval[int](p, buttons); n != 0 {
		t.Errorf("a viewer sees %d buttons", n)
	}
	p.opens("#/")
	p.reads(".attention", "are disabled, because the receiver answered 410 Gone")
	p.pushes("Sign out")
	enter(token("operator"))
	p.goes("Webhooks to " + strings.TrimPrefix(receiver.URL, "http://") + " are disabled, because the receiver answered 410 Gone. Enable or delete them.")
	p.reads(".actions", "Send test event Replay Enable Rotate secret Delete")
	p.pushes("Rotate secret")
	p.pushesIn("Rotate secret")
	shown := p.secret()
	p.opens("#/log")
	p.reads("main tbody tr", "Rotated a webhook's secret")
	p.reads("main tbody", "Added a webhook")
	p.holds(noSecret)
	if strings.Contains(s.stderr.String(), shown) {
		t.Error("the secret is in the server's log")
	}
	p.quiet()
}

// An address that the server must not reach is refused at its field, and the form keeps what was typed. Among many
// drops one is found by name.
func TestControl_WebhookOfAForbiddenAddress(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	for i := range 10 {
		made(t, s.url, fmt.Sprintf(`{"name":"Pair %02d","price":90,"total_stock":1,"start_time":"2020-01-01T00:00:00Z"}`, i+1))
	}
	p := visit(t, s.url+"/admin#/webhooks", phone)
	p.pushes("Add endpoint")
	p.press(`input[name="drops_of"][value="some"]`)
	p.holds(`document.querySelectorAll('input[name="drops"]').length === 10`)
	p.putsIn("#drops-filter", "pair 07")
	p.holds(`document.querySelectorAll('input[name="drops"]').length === 1`)
	p.press(`input[name="drops"][value="7"]`)
	p.putsIn("#drops-filter", "03") // what is chosen stays in sight
	p.holds(`[...document.querySelectorAll('input[name="drops"]')].map((b) => b.value + b.checked).join() === "7true,3false"`)
	p.check("control webhook drops", phone)
	for url, rule := range map[string]string{
		"https://127.0.0.1/hooks": "must not be a loopback address", "http://example.com/hooks": "must begin with https://",
	} {
		p.putsIn("#url", url)
		p.reads("#url-problem", "")
		p.pushesIn("Add endpoint")
		p.reads("#url-problem", rule)
	}
	p.check("control webhook refused", phone)
	p.holds(`document.querySelector('input[name="drops"][value="7"]').checked`)
	if _, list := get(t, s.url+"/api/webhooks"); list != `{"webhooks":[]}` {
		t.Errorf("there is a webhook: %s", list)
	}
	p.quiet()
}
