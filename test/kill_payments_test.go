//go:build linux

package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/testing/fakestripe"
)

// Buyers pay while the server is killed again and again, and while the provider loses, doubles and mixes up
// notifications and breaks connections. After the last restart and a reconcile nothing is open: whoever paid has a
// unit or the money back, and nobody has a unit unpaid.
func TestKill_NoMoneyIsLost(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); newPayingKiller(t, seed, newSQLiteKiller).pay(6) })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); newPayingKiller(t, seed, newPostgresKiller).pay(6) })
}

// The same with three servers on one database. Only one of them is killed, again and again, and in the end for good.
// The others go on with its payments.
func TestKill_NoMoneyIsLostAtAReplica(t *testing.T) {
	t.Parallel()
	newPayingKiller(t, seedOf(t), newPostgresKiller).beside(2).pay(3)
}

// payingKiller ends the server of buyers who pay.
type payingKiller struct {
	*killer

	stripe *fakestripe.Stripe
	paying []string // the server's settings of payments
	sent   atomic.Int64
}

func newPayingKiller(t *testing.T, seed uint64, engine func(t *testing.T, seed uint64, args ...string) *killer) *payingKiller {
	t.Helper()
	p := &payingKiller{stripe: fakestripe.New(t, fakestripe.Options{Seed: seed})}
	secrets := t.TempDir()
	file := func(name, secret string) string {
		at := filepath.Join(secrets, name)
		if err := os.WriteFile(at, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		return at
	}
	p.paying = []string{
		"--payments=stripe", "--stripe-url=" + p.stripe.Listen(), "--stripe-key-file=" + file("key", fakestripe.Key),
		"--stripe-webhook-secret-file=" + file("signing", fakestripe.Signing),
	}
	p.killer = engine(t, seed, append(slices.Clone(p.paying), "--pay-within="+[]string{"10m", "1s"}[seed%2])...)
	p.visit, p.verify = p.buys, p.audit
	return p
}

// beside starts so many other servers on the database, which nobody kills.
func (p *payingKiller) beside(others int) *payingKiller {
	p.t.Helper()
	for i := range others {
		args := append([]string{"--hold=" + []string{"1h", "1s"}[i%2], p.args[0], "--database=" + p.books}, p.args[2:]...)
		p.others = append(p.others, startFor(p.t, p.dir, args...))
	}
	return p
}

// die kills the server in the middle of payments, and starts no other one.
func (p *payingKiller) die() {
	p.resume()
	time.Sleep(p.upTo(250 * time.Millisecond)) // as in each cycle
	p.server.kill()
	p.url.Store(&p.others[0].url)
	p.pause()
}

// pay kills the server that often, and then compares the money with the units.
func (p *payingKiller) pay(cycles int) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.tell(ctx)
	}()
	p.stripe.Chaos(0.05, fakestripe.Lost, fakestripe.Unreached, fakestripe.Doubled, fakestripe.TooMany, fakestripe.Busy, fakestripe.Nonsense, fakestripe.Garbled)
	p.run(cycles)
	if len(p.others) > 0 {
		p.die()
	}
	p.stripe.Chaos(0)
	cancel()
	<-done
	p.reconcile()
	p.compare()
	p.audit()
}

// tell sends the provider's notifications to the server that runs, until ctx ends.
func (p *payingKiller) tell(ctx context.Context) {
	for ctx.Err() == nil {
		p.stripe.Deliver(fakestripe.Delivery{Lose: 0.1, Double: 0.2, Mix: true}, func(header http.Header, body []byte) error {
			p.sent.Add(1)
			return fakestripe.Post(ctx, p.next()+"/api/payments/stripe")(header, body)
		})
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond): // as often as a client's loop
		}
	}
}

// buys is a buyer who reserves a unit and pays, or does not.
func (p *payingKiller) buys(rnd *rand.Rand) {
	b := p.newBuyer(&p.shelves[0], "", true)
	p.settle(&b.reserve, true)
	p.note(b)
	if b.held.ID == 0 {
		return
	}
	checkout := wish{path: "/api/drops/checkout", body: fmt.Sprintf(`{"reservationId":%d,"return_url":"/?payment={payment}"}`, b.held.ID)}
	p.settle(&checkout, true)
	p.count(checkout.outcome())
	var begun struct {
		URL     string
		Payment struct{ ID int64 }
	}
	if !checkout.done() { // the hold has ended
		return
	}
	if err := json.Unmarshal([]byte(checkout.answer[len("200 "):]), &begun); err != nil || begun.Payment.ID == 0 {
		p.t.Errorf("checkout: %s, %v", checkout.answer, err)
		return
	}
	session := begun.URL[strings.LastIndex(begun.URL, "/")+1:]
	fate := rnd.IntN(10)
	if fate >= 7 {
		cancel := wish{path: "/api/drops/cancel", body: fmt.Sprintf(`{"reservationId":%d}`, b.held.ID)}
		p.settle(&cancel, true)
	}
	var err error
	switch {
	case fate < 5 || fate == 9: // also who has released the unit, in another window
		err = p.stripe.Pay(session, fakestripe.Authorise)
	case fate == 5:
		err = p.stripe.Pay(session, fakestripe.Async)
	case fate == 6:
		err = errors.Join(p.stripe.Pay(session, fakestripe.Decline), p.stripe.Pay(session, fakestripe.Authorise))
	}
	if fate == 5 && err == nil {
		err = p.stripe.Settle(session, rnd.IntN(2) == 0)
	}
	if err != nil {
		p.count("came to a closed checkout")
		return
	}
	if rnd.IntN(2) == 0 { // the browser comes back
		if answer, err := p.client.Get(fmt.Sprintf("%s/api/payments/%d", p.next(), begun.Payment.ID)); err == nil {
			answer.Body.Close()
		}
	}
}

// reconcile runs the command beside the server, which has to leave nothing open.
func (p *payingKiller) reconcile() {
	p.t.Helper()
	out, err := exec.Command("sneakerdrop", append([]string{"reconcile", "--log-level=error", "--database=" + p.books}, p.paying...)...).CombinedOutput()
	p.t.Logf("%s", out)
	if err != nil || !strings.Contains(string(out), ", 0 open") {
		p.t.Errorf("reconcile: %v\n%s", err, out)
	}
}

// compare compares each payment and each sale with the provider's account of it.
func (p *payingKiller) compare() {
	p.t.Helper()
	rows, err := p.read()
	if err != nil {
		p.t.Fatal(err)
	}
	payments := p.payments()
	ends, sold := make(map[string]int), make(map[string]bool)
	for i := range payments {
		is := &payments[i]
		ends[is.State]++
		if is.Unsettled {
			p.t.Errorf("payment %d is still open: %+v", is.ID, is)
		}
		if (is.Purchase != 0) != (is.State == drop.PaymentCaptured) {
			p.t.Errorf("payment %d: %+v", is.ID, is)
		}
		if is.Purchase != 0 {
			sold[is.Number] = true
			if sale, there := rows.purchases[int64(is.Unit)]; !there || sale.ID != is.Purchase || sale.Price != is.Amount {
				p.t.Errorf("payment %d for a sale %+v", is.ID, sale)
			}
		}
	}
	if len(sold) != len(rows.purchases) {
		p.t.Errorf("%d units are sold, and %d payments captured", len(rows.purchases), len(sold))
	}
	kept := 0
	for _, at := range p.stripe.Payments() {
		has := at.Captured - at.Refunded
		switch {
		case sold[at.Session]:
			kept++
			if at.IntentIs != "succeeded" || has != at.Amount {
				p.t.Errorf("a unit is sold for the money of %+v", at)
			}
		case has != 0, at.IntentIs == "requires_capture", at.Status == "open":
			p.t.Errorf("no unit is sold for the money of %+v", at)
		}
	}
	if kept != len(sold) {
		p.t.Errorf("%d units are sold, and %d are paid", len(sold), kept)
	}
	p.t.Logf("%d notifications; payments: %s", p.sent.Load(), list(ends))
}

func (p *payingKiller) payments() (all []drop.Payment) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := p.open(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	defer s.Close()
	for before := drop.PaymentID(0); ; {
		page, err := s.NewestPayments(ctx, before, 1000)
		if err != nil {
			p.t.Fatal(err)
		}
		if all = append(all, page...); len(page) < 1000 {
			return all
		}
		before = page[len(page)-1].ID
	}
}
