package test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/fakestripe"
)

// till is a shop that takes money, and its database.
type till struct {
	*server

	t        *testing.T
	args     []string // of its payments
	database string
}

// openTill starts a server with a drop of 20 pairs for 119.95 dollars.
func openTill(t *testing.T, engine []string, args ...string) *till {
	t.Helper()
	dir := t.TempDir()
	database := "sqlite:" + filepath.Join(dir, "sneakerdrop.db")
	if len(engine) > 0 {
		database = engine[1]
	}
	s := &till{t: t, args: args, database: database}
	s.server = startFor(t, dir, append([]string{"--database=" + database, "--hold=1h"}, args...)...)
	mustPost(t, s.url+"/api/drops/create", `{"name":"Tidewater Low","price":119.95,"total_stock":20,"start_time":"2026-01-01T10:00:00Z"}`)
	return s
}

// run runs another command on the shop's database, beside the server.
func (s *till) run(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), "sneakerdrop", append([]string{name, "--log-level=warn", "--database=" + s.database}, args...)...)
	cmd.Dir = s.t.TempDir()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// reconcile returns what the command prints.
func (s *till) reconcile() (string, error) { return s.run("reconcile", s.args...) }

func (s *till) mustRun(want, name string, args ...string) {
	s.t.Helper()
	if out, err := s.run(name, args...); err != nil || !strings.Contains(out, want) {
		s.t.Errorf("%s: %v\n%s\nwant %s", name, err, out, want)
	}
}

// bill is a payment that a buyer has begun.
type bill struct {
	id          int64
	reservation int64
	url         string
}

// checkout reserves a pair for a buyer, and begins to pay for it.
func (s *till) checkout(buyer int64) bill {
	s.t.Helper()
	hold, answer, err := reserve(s.t.Context(), http.DefaultClient, s.url, buyer)
	if err != nil || hold == 0 {
		s.t.Fatalf("reserve: %s, %v", answer, err)
	}
	var begun struct {
		URL     string
		Payment struct {
			ID     int64
			Status string
		}
	}
	s.decode(post(s.t, s.url+"/api/drops/checkout", fmt.Sprintf(`{"reservationId":%d,"return_url":"/?payment={payment}"}`, hold)), &begun)
	if begun.Payment.ID == 0 || begun.Payment.Status != "open" || begun.URL == "" {
		s.t.Fatalf("checkout: %+v", begun)
	}
	return bill{begun.Payment.ID, hold, begun.URL}
}

func (s *till) decode(answer string, to any) {
	s.t.Helper()
	body, ok := strings.CutPrefix(answer, "200 ")
	if !ok {
		s.t.Fatalf("the answer is %s", answer)
	}
	if err := json.Unmarshal([]byte(body), to); err != nil {
		s.t.Fatalf("%v: %s", err, body)
	}
}

// payment is what GET /api/payments/{id} answers.
type shownPayment struct {
	Payment struct {
		Status, Provider string
		Amount, Refunded float64
		Number           *string
	}
	Purchase *struct {
		ID, ReservationID int64
		Price             float64
	}
}

func (s *till) payment(id int64) (p shownPayment) {
	s.t.Helper()
	status, body := get(s.t, fmt.Sprintf("%s/api/payments/%d", s.url, id))
	s.decode(fmt.Sprintf("%d %s", status, body), &p)
	return p
}

// reaches waits until a payment has a state.
func (s *till) reaches(id int64, state string) shownPayment {
	s.t.Helper()
	var p shownPayment
	if err := poll(s.t.Context(), func() error {
		if p = s.payment(id); p.Payment.Status != state {
			return fmt.Errorf("payment %d is %s, want %s", id, p.Payment.Status, state)
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// sells waits until so many pairs are sold. Nobody looks at a payment meanwhile, so notifications alone do it.
func (s *till) sells(pairs int) {
	s.t.Helper()
	sold := fmt.Sprintf("sneakerdrop_commands_total{command=\"complete\",outcome=\"ok\"} %d\n", pairs)
	if err := poll(s.t.Context(), func() error {
		if _, metrics := get(s.t, s.url+"/metrics"); !strings.Contains(metrics, sold) {
			return fmt.Errorf("notifications alone do not sell %d pairs that are paid", pairs)
		}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
}

// press sends the form of the demo provider's page, as a browser does, and returns the answer without following it.
// host is the name that the browser calls the server by; empty: that of the page.
func press(t *testing.T, page, host string, form url.Values) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if host != "" {
		r.Host = host
	}
	browser := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// TestPayments_DemoSellsOverItsCardPage buys a pair as a browser without scripts does.
func TestPayments_DemoSellsOverItsCardPage(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			s := openTill(t, engine, "--payments=demo")
			b := s.checkout(7)
			if !strings.HasPrefix(b.url, s.url+"/demo-payment/") {
				t.Fatalf("buyers pay at %s", b.url)
			}
			if answer := post(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, b.reservation)); !strings.HasPrefix(answer, "402 ") ||
				!strings.Contains(answer, `"payment_required"`) {
				t.Errorf("a pair is sold without money: %s", answer)
			}
			mustGet(t, b.url)
			pays := url.Values{"do": {"pay"}, "card": {"4242 4242 4242 4242"}}
			if res := press(t, b.url, "evil.example", pays); res.StatusCode != http.StatusMisdirectedRequest {
				t.Errorf("a page of another host can pay: %s", res.Status)
			}
			if res := press(t, b.url, "", url.Values{"do": {"pay"}, "card": {"4000 0000 0000 0002"}}); res.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("a declined card: %s", res.Status)
			}
			if p := s.payment(b.id); p.Payment.Status != "open" || p.Purchase != nil {
				t.Errorf("after a declined card: %+v", p)
			}
			res := press(t, b.url, "", pays)
			if want := fmt.Sprintf("%s/?payment=%d", s.url, b.id); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want {
				t.Errorf("the page answers %s and sends the browser to %s, want %s", res.Status, res.Header.Get("Location"), want)
			}
			if _, metrics := get(t, s.url+"/metrics"); !strings.Contains(metrics, `sneakerdrop_commands_total{command="complete",outcome="ok"} 1`) {
				t.Error("the browser is sent back before the pair is sold")
			}
			p := s.payment(b.id)
			if p.Payment.Status != "captured" || p.Purchase == nil || p.Purchase.ReservationID != b.reservation || p.Payment.Amount != 119.95 {
				t.Fatalf("the buyer who comes back sees %+v", p)
			}
			refund := fmt.Sprintf("%s/api/purchases/%d/refund", s.url, p.Purchase.ID)
			mustPost(t, refund, `{"amount":20,"reason":"late"}`)
			if p := s.payment(b.id); p.Payment.Refunded != 20 || p.Payment.Status != "captured" {
				t.Errorf("after a refund: %+v", p)
			}
			if answer := post(t, refund, `{"amount":100}`); !strings.HasPrefix(answer, "422 ") {
				t.Errorf("more is refunded than was paid: %s", answer)
			}
			s.mustRun("audit: 1 drop, 1 reservation, 1 purchase", "audit")
			s.mustRun("reconcile: 0 payments checked, 0 mended, 0 open", "reconcile", s.args...)
			waiting := s.checkout(8)
			s.mustRun("reconcile: 0 payments checked, 0 mended, 1 open", "reconcile", s.args...)
			if p := s.payment(waiting.id); p.Payment.Status != "open" {
				t.Errorf("a command beside the server closed the payment of a buyer: %+v", p)
			}
			if _, metrics := get(t, s.url+"/metrics"); !strings.Contains(metrics, `sneakerdrop_payment_call_seconds_count{operation="capture",outcome="ok"} 1`) {
				t.Error("the metrics have no capture")
			}
		})
	}
}

// TestPayments_AShopsOwnCheckoutSells buys at examples/own-checkout.
func TestPayments_AShopsOwnCheckoutSells(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: make deps", err)
		}
		t.Skipf("%v: make deps", err)
	}
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s := openTill(t, nil, "--payments=none") // each has to know where the other one is
	shop := ownCheckout(t, s.url+"/api/payments/external", secret)
	t.Setenv("SNEAKERDROP_CHECKOUT_SECRET", secret)
	s.args = []string{"--payments=external", "--checkout-url=" + shop + "/checkout", "--checkout-api-url=" + shop + "/api"}
	s.server = restarted(t, s.server, append([]string{"--database=" + s.database}, s.args...)...)

	b := s.checkout(7)
	if !strings.HasPrefix(b.url, shop+"/checkout?payment=") {
		t.Fatalf("buyers pay at %s", b.url)
	}
	if res := press(t, b.url, "", url.Values{"button": {"Pay with a bad card"}}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a bad card: %s", res.Status)
	}
	res := press(t, b.url, "", url.Values{"button": {"Pay"}})
	if want := fmt.Sprintf("%s/?payment=%d", s.url, b.id); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != want {
		t.Errorf("the checkout answers %s and sends the browser to %s, want %s", res.Status, res.Header.Get("Location"), want)
	}
	s.sells(1)
	p := s.payment(b.id)
	if p.Payment.Status != "captured" || p.Purchase == nil || p.Purchase.ReservationID != b.reservation {
		t.Fatalf("the buyer who comes back sees %+v", p)
	}
	mustPost(t, fmt.Sprintf("%s/api/purchases/%d/refund", s.url, p.Purchase.ID), `{}`)
	if p := s.payment(b.id); p.Payment.Refunded != 119.95 {
		t.Errorf("after a refund: %+v", p)
	}
	s.mustRun("audit: 1 drop, 1 reservation, 1 purchase", "audit")
	s.mustRun("reconcile: 1 payment checked, 0 mended, 0 open", "reconcile", s.args...)
	if strings.Contains(s.stderr.String(), secret) {
		t.Error("the log has the secret")
	}
}

// ownCheckout starts examples/own-checkout, which tells notify what has changed, and returns its address.
func ownCheckout(t *testing.T, notify, secret string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "node", "../examples/own-checkout/checkout.mjs")
	cmd.Env = append(os.Environ(), "PORT=0", "NOTIFY_URL="+notify, "CHECKOUT_SECRET="+secret)
	var said lockedBuffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if !ok {
		t.Fatalf("the example says %q, %v: %s", line, err, said.String())
	}
	return "http://127.0.0.1:" + port
}

// TestPayments_StripeTellsTwiceAndOutOfOrder has 12 buyers, who pay, fail to pay or leave. Each notification comes
// twice, and all of them in any order, twice over.
func TestPayments_StripeTellsTwiceAndOutOfOrder(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			fake := fakestripe.New(t, fakestripe.Options{})
			t.Setenv("SNEAKERDROP_STRIPE_KEY", fakestripe.Key)
			t.Setenv("SNEAKERDROP_STRIPE_WEBHOOK_SECRET", fakestripe.Signing)
			s := openTill(t, engine, "--payments=stripe", "--stripe-url="+fake.Listen(), "--stripe-shop=test")
			notify := fakestripe.Post(t.Context(), s.url+"/api/payments/stripe")

			how := []fakestripe.How{
				fakestripe.Authorise, fakestripe.Authorise, fakestripe.Authorise, fakestripe.Authorise, fakestripe.Authorise,
				fakestripe.Authorise, fakestripe.Authorise, fakestripe.Async, fakestripe.Async, fakestripe.Decline, "", "",
			}
			bills := make([]bill, len(how))
			sessions := make([]string, len(how))
			for i := range how {
				bills[i] = s.checkout(int64(i + 1))
				all := fake.Payments()
				sessions[i] = all[len(all)-1].Session
			}
			var events []fakestripe.Event
			tell := func() {
				t.Helper()
				must := func(header http.Header, body []byte) error {
					err := notify(header, body)
					if err != nil {
						t.Errorf("a notification is refused: %v\n%s", err, body)
					}
					return err
				}
				fake.Deliver(fakestripe.Delivery{Double: 1, Mix: true}, must)
				for _, e := range events { // old ones once more
					body := fake.Body(e)
					_ = must(fake.Sign(body), body)
				}
				events = fake.Events()
			}
			for i, session := range sessions {
				if how[i] == "" {
					continue
				}
				if err := fake.Pay(session, how[i]); err != nil {
					t.Fatal(err)
				}
			}
			tell()
			if err := errors.Join(fake.Settle(sessions[7], true), fake.Settle(sessions[8], false)); err != nil {
				t.Fatal(err)
			}
			tell()
			s.sells(8)
			for i := range 8 {
				if p := s.reaches(bills[i].id, "captured"); p.Purchase == nil || p.Purchase.ReservationID != bills[i].reservation ||
					p.Payment.Number == nil || !strings.HasPrefix(*p.Payment.Number, "pi_") {
					t.Errorf("buyer %d has paid, and sees %+v", i+1, p)
				}
			}
			s.reaches(bills[8].id, "failed")
			tell()
			for i := 9; i < len(how); i++ {
				if p := s.payment(bills[i].id); p.Payment.Status != "open" || p.Purchase != nil {
					t.Errorf("buyer %d has not paid, and sees %+v", i+1, p)
				}
			}
			for i, p := range fake.Payments() {
				if want := map[bool]int64{true: 119_95}[i < 8]; p.Captured != want {
					t.Errorf("Stripe has taken %d cents from buyer %d, want %d", p.Captured, i+1, want)
				}
			}
			_, metrics := get(t, s.url+"/metrics")
			for _, ended := range []string{`{state="captured"} 8`, `{state="failed"} 1`} {
				if !strings.Contains(metrics, "sneakerdrop_payments_ended_total"+ended+"\n") {
					t.Errorf("the metrics do not have %s", ended)
				}
			}
			body := fake.Body(events[0])
			forged := fakestripe.Sign(body, time.Now(), "whsec_forged")
			if err := notify(forged, body); err == nil || !strings.Contains(err.Error(), "400") {
				t.Errorf("a forged notification: %v", err)
			}
			for _, secret := range []string{fakestripe.Key, fakestripe.Signing} {
				if strings.Contains(s.stderr.String(), secret) {
					t.Errorf("the log has the secret %s", secret)
				}
			}
			s.mustRun("audit: 1 drop, 12 reservations, 8 purchases", "audit")
			s.reconciles(fake, sessions, bills)
		})
	}
}

// reconciles refunds by hand at Stripe, pays there for a shop that this one is not, and looks what the command says.
func (s *till) reconciles(fake *fakestripe.Stripe, sessions []string, bills []bill) {
	t := s.t
	t.Helper()
	var waiting struct{ Payments []struct{ ID int64 } }
	if err := poll(t.Context(), func() error { // until no step is under way that would see the refund
		status, body := get(t, s.url+"/api/payments?unsettled=true")
		s.decode(fmt.Sprintf("%d %s", status, body), &waiting)
		if n := len(waiting.Payments); n != 3 {
			return fmt.Errorf("%d payments wait, want 3: %s", n, body)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := fake.RefundByHand(sessions[0], 5_00); err != nil { // and the notification is lost
		t.Fatal(err)
	}
	out, err := s.reconcile()
	if err != nil || !strings.Contains(out, "reconcile: 12 payments checked, 1 mended, 3 open\n") {
		t.Errorf("reconcile: %v\n%s", err, out)
	}
	if p := s.payment(bills[0].id); p.Payment.Refunded != 5 {
		t.Errorf("after a refund at Stripe: %+v", p)
	}
	out, err = s.reconcile()
	if err != nil || !strings.Contains(out, "reconcile: 12 payments checked, 0 mended, 3 open\n") {
		t.Errorf("reconcile again: %v\n%s", err, out)
	}

	// Alone, and with a buyer who paid while no server ran.
	if _, err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := fake.Pay(sessions[11], fakestripe.Authorise); err != nil {
		t.Fatal(err)
	}
	out, err = s.reconcile() // which mends it, unless it was due by itself
	if err != nil || !strings.Contains(out, "reconcile: 12 payments checked, ") || !strings.Contains(out, " mended, 2 open\n") {
		t.Errorf("reconcile alone: %v\n%s", err, out)
	}
	s.mustRun("audit: 1 drop, 12 reservations, 9 purchases", "audit")

	// A server without Stripe works on none of its payments, and says so.
	t.Setenv("SNEAKERDROP_STRIPE_KEY", "")
	t.Setenv("SNEAKERDROP_STRIPE_WEBHOOK_SECRET", "")
	other := startFor(t, t.TempDir(), "--database="+s.database, "--payments=none")
	if err := poll(t.Context(), func() error {
		if log := other.stderr.String(); !strings.Contains(log, "payments wait for a provider that this server does not have") ||
			!strings.Contains(log, "provider=stripe payments=2") {
			return fmt.Errorf("the log says nothing of payments that wait:\n%s", log)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}
