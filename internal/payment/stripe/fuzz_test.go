package stripe_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/stripe"
	"sneakerdrop/internal/testing/fakestripe"
)

// No header and no body breaks Read. What Stripe signed is read or malformed, and only that is accepted.
func FuzzRead(f *testing.F) {
	p, err := stripe.New(stripe.Settings{Key: fakestripe.Key, Signing: []stripe.Secret{"whsec_other", fakestripe.Signing}})
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_582_977_600, 0)
	for _, header := range []string{"", "t=1582977600,v1=00", "t=,v1=", "t=1582977600,t=9,v1=zz,v0=1", "v1=00,t=1582977600"} {
		f.Add(header, notification)
	}
	f.Add("t=1", `{"id":"evt_1","type":"refund.updated","data":{"object":{"payment_intent":"pi_1","metadata":{"sneakerdrop_payment":"-1"}}}}`)
	f.Add("t=1", `{"id":"evt_1","type":"charge.refunded","data":{"object":{"payment_intent":[],"metadata":{"sneakerdrop_payment":"1"}}}}`)
	f.Add("t=1", `{"id":"evt_1","type":"payment_intent.canceled","data":{"object":{"id":"pi_1","metadata":{"sneakerdrop_payment":"1"}}}}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		if _, err := p.Read(http.Header{"Stripe-Signature": {header}}, []byte(body), now); !errors.Is(err, payment.ErrForged) {
			t.Fatalf("the header %q was accepted: %v", header, err)
		}
		notice, err := p.Read(fakestripe.Sign([]byte(body), now, fakestripe.Signing), []byte(body), now)
		switch {
		case errors.Is(err, payment.ErrMalformed):
		case err != nil || notice.ID == "" || notice.Type == "" || len(notice.Refs) > 1:
			t.Fatalf("read %+v, %v", notice, err)
		case len(notice.Refs) == 1 && (notice.Refs[0].ID < 0 || notice.Refs[0] == payment.Ref{}):
			t.Fatalf("it is about %+v", notice.Refs[0])
		}
	})
}
