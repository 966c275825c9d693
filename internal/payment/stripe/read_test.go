package stripe_test

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/stripe"
	"sneakerdrop/internal/testing/fakestripe"
)

// read hands all notifications to the provider, and returns what they are about by their type.
func (w *world) read() map[string][]payment.Ref {
	w.t.Helper()
	about := make(map[string][]payment.Ref)
	w.fake.Deliver(fakestripe.Delivery{}, func(header http.Header, body []byte) error {
		notice, err := w.Read(header, body, w.clock.Now())
		if err != nil || notice.ID == "" {
			w.t.Errorf("read %s: %+v, %v", body, notice, err)
		}
		about[notice.Type] = notice.Refs
		return nil
	})
	return about
}

func TestRead_SaysWhichPaymentItIsAbout(t *testing.T) {
	w := newWorld(t)
	ref := w.start(1)
	w.pay(ref, fakestripe.Decline)
	w.pay(ref, fakestripe.Async)
	if err := w.fake.Settle(ref.Number, true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Capture(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Refund(t.Context(), ref, payment.Refund{Key: "a", Amount: 1}); err != nil {
		t.Fatal(err)
	}
	w.fake.FailRefunds(ref.Number)
	w.fake.Dispute(ref.Number)
	intent := w.fake.Payments()[0].Intent

	second := w.start(2)
	w.pay(second, fakestripe.Async)
	w.fake.Settle(second.Number, false)
	w.fake.Expire(w.start(3).Number)
	about := w.read()
	of := func(id payment.ID, number string) []payment.Ref { return []payment.Ref{{ID: id, Number: number}} }
	for kind, want := range map[string][]payment.Ref{
		"payment_intent.amount_capturable_updated": of(1, intent),
		"payment_intent.succeeded":                 of(1, intent),
		"checkout.session.completed":               of(2, second.Number),
		"checkout.session.async_payment_succeeded": of(1, ref.Number),
		"checkout.session.async_payment_failed":    of(2, second.Number),
		"charge.refunded":                          of(1, intent),
		"charge.refund.updated":                    of(1, intent),
		"refund.created":                           of(1, intent),
		"refund.failed":                            of(1, intent),
		"charge.dispute.created":                   of(0, intent),
		"charge.captured":                          nil,
	} {
		got, ok := about[kind]
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%s is about %v, want %v", kind, got, want)
		}
	}
	for kind, refs := range about {
		for _, ref := range refs {
			if f, err := w.Find(t.Context(), ref); err != nil || f.ID == 0 {
				t.Errorf("%s is about %v, which is %+v, %v", kind, ref, f, err)
			}
		}
	}
	if !slices.Contains(slices.Collect(maps.Keys(about)), "checkout.session.expired") {
		t.Error("no session expired")
	}
}

func TestRead_ARefundByHandLeadsToThePayment(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	if err := w.fake.RefundByHand(ref.Number, 100); err != nil {
		t.Fatal(err)
	}
	refs := w.read()["refund.created"]
	if len(refs) != 1 {
		t.Fatalf("it is about %v", refs)
	}
	if f := w.state(refs[0]); f.ID != 1 || f.Refunded != 100 {
		t.Errorf("found %+v", f)
	}
}

func TestRead_KnowsNothingOfOthers(t *testing.T) {
	w := newWorld(t)
	ref := w.captured(1)
	w.Refund(t.Context(), ref, payment.Refund{Key: "a", Amount: 1})
	w.Provider = w.provider("other")
	for kind, refs := range w.read() {
		if len(refs) > 0 {
			t.Errorf("%s is about %v", kind, refs)
		}
	}
	for _, body := range []string{
		`{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1","metadata":{}}}}`,
		`{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}`,
		`{"id":"evt_1","object":"event","type":"charge.refunded","data":{"object":{"id":"ch_1","payment_intent":null,"metadata":{"order":"7"}}}}`,
		`{"id":"evt_1","object":"event","type":"charge.dispute.created","data":{"object":{"id":"du_1","payment_intent":null}}}`,
		`{"id":"evt_1","object":"event","type":"customer.created","data":{"object":{"id":"cus_1","metadata":{"sneakerdrop_payment":"1","sneakerdrop_shop":"other"}}}}`,
		`{"id":"evt_1","object":"event","type":"invoice.paid","data":{"object":{"id":"in_1","payment_intent":"pi_1"}}}`,
		`{"id":"evt_1","object":"v2.core.event","type":"v1.billing.meter.error_report_triggered","related_object":{"id":"mtr_1"}}`,
	} {
		notice, err := w.Read(w.fake.Sign([]byte(body)), []byte(body), w.clock.Now())
		if err != nil || notice.ID != "evt_1" || notice.Type == "" || len(notice.Refs) > 0 {
			t.Errorf("%s: %+v, %v", body, notice, err)
		}
	}
}

const notification = `{"id":"evt_1","type":"charge.dispute.created","data":{"object":{"id":"du_1","payment_intent":{"id":"pi_1","object":"payment_intent"}}}}`

func TestRead_AcceptsWhatOneOfTheSecretsSignedLately(t *testing.T) {
	p, err := stripe.New(stripe.Settings{Key: fakestripe.Key, Signing: []stripe.Secret{"whsec_old", "whsec_new"}})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC) // no clock of ours shows it
	body := []byte(notification)
	sign := func(secrets ...string) http.Header { return fakestripe.Sign(body, at, secrets...) }
	raw := func(header string) http.Header { return http.Header{"Stripe-Signature": {header}} }
	old := strings.TrimPrefix(sign("whsec_old").Get("Stripe-Signature"), "t=1582977600,")
	for name, c := range map[string]struct {
		header http.Header
		later  time.Duration
		want   error
	}{
		"the old secret":             {sign("whsec_old"), 0, nil},
		"the new secret":             {sign("whsec_new"), 0, nil},
		"both":                       {sign("whsec_new", "whsec_old"), 0, nil},
		"a third one beside":         {sign("whsec_third", "whsec_old"), 0, nil},
		"after 5 minutes":            {sign("whsec_old"), 5 * time.Minute, nil},
		"our clock is behind":        {sign("whsec_old"), -10 * time.Minute, nil},
		"after 5 minutes and more":   {sign("whsec_old"), 5*time.Minute + time.Second, payment.ErrForged},
		"another secret":             {sign("whsec_third"), 0, payment.ErrForged},
		"no signature":               {http.Header{}, 0, payment.ErrForged},
		"no time":                    {raw(old), 0, payment.ErrForged},
		"another time":               {raw("t=1582977601," + old), 0, payment.ErrForged},
		"a fresh time before":        {raw("t=1583977600,t=1582977600," + old), 30 * time.Minute, payment.ErrForged},
		"a fresh time behind":        {raw("t=1582977600," + old + ",t=1582979400"), 30 * time.Minute, payment.ErrForged},
		"a time that is no number":   {raw("t=now," + old), 0, payment.ErrForged},
		"a signature that is no hex": {raw("t=1582977600,v1=zz"), 0, payment.ErrForged},
		"nonsense":                   {raw("=,="), 0, payment.ErrForged},
	} {
		notice, err := p.Read(c.header, body, at.Add(c.later))
		if !errors.Is(err, c.want) || err == nil && (notice.ID != "evt_1" || len(notice.Refs) != 1 || notice.Refs[0].Number != "pi_1") {
			t.Errorf("%s: %+v, %v; want the error %v", name, notice, err, c.want)
		}
	}
	if _, err := p.Read(sign("whsec_old"), append(body, ' '), at); !errors.Is(err, payment.ErrForged) {
		t.Errorf("a changed body: %v", err)
	}
}

func TestRead_ReportsWhatItCannotRead(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{
		"", "{", "null", "[]", `"evt_1"`, `{}`, `{"id":"evt_1"}`, `{"type":"charge.refunded"}`, `{"id":7,"type":"charge.refunded"}`,
		`{"id":"evt_1","type":"charge.refunded","data":{"object":{"metadata":[]}}}`,
	} {
		if notice, err := w.Read(w.fake.Sign([]byte(body)), []byte(body), w.clock.Now()); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("%s: %+v, %v", body, notice, err)
		}
	}
}
