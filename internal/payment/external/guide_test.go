package external_test

import (
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
)

// TestGuide_ShowsWhatIsSent compares docs/howto/own-checkout.md with what the server sends and reads.
func TestGuide_ShowsWhatIsSent(t *testing.T) {
	content, err := os.ReadFile("../../../docs/howto/own-checkout.md")
	if err != nil {
		t.Fatal(err)
	}
	guide := string(content)
	one := func(pattern string) string {
		t.Helper()
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(guide, -1)
		if len(found) != 1 {
			t.Fatalf("the guide has %d times %s, want it once", len(found), pattern)
		}
		return found[0][1]
	}
	if shown := one("`(whsec_.{10,})`"); shown != string(secret) {
		t.Fatalf("the guide's secret is %s, want %s", shown, string(secret))
	}
	p := provider(t, "https://pay.shop.example", secret)
	o := payment.Order{
		ID: 30064771109, Amount: 119_90, Currency: euro, Description: "Comet, 9.5", Email: "ann@example.com",
		ReturnURL: "https://shop.example/drops/7", Expires: time.Unix(1796040000, 0),
	}
	c, err := p.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	if sent, shown := strings.Replace(c.URL, "lang=en&", "", 1), one(`(?m)^(https://pay\.shop\.example/\S+)$`); sent != shown {
		t.Errorf("the link is\n%s, and the guide shows\n%s", sent, shown)
	}
	line := one(`(?m)^ +(11:\S+ \S+,)$`)
	if signature, err := key(t, secret).Sign("link", o.Expires, []byte(line)); err != nil || signature != u.Query().Get("signature") {
		t.Errorf("the line that the guide shows is not what is signed, %v", err)
	}

	var bodies []string
	asked := shopThat(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies = append(bodies, string(body)) // calls come one after another
	})
	ctx, ref := t.Context(), payment.Ref{ID: o.ID}
	_, _ = asked.Find(ctx, ref)
	_, _ = asked.Close(ctx, ref)
	_, _ = asked.Capture(ctx, ref)
	_, _ = asked.Void(ctx, ref)
	_, _ = asked.Refund(ctx, ref, payment.Refund{Key: "30064771109-1", Amount: 59_50, Reason: "wrong size"})
	for range asked.Since(ctx, time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)) {
		continue
	}
	if len(bodies) != 6 {
		t.Errorf("the shop was asked %d times", len(bodies))
	}
	for _, body := range bodies {
		if !strings.Contains(guide, "| `"+body+"` |") {
			t.Errorf("the guide's table does not have %s", body)
		}
	}

	found, err := answers(t, http.StatusOK, one(`(?m)^(\{"state":"captured".+\})$`)).Find(ctx, ref)
	if want := (payment.Found{
		ID: o.ID, Number: "30064771109", Receipt: "R-2026-1042", State: payment.Captured, Amount: 119_90, Currency: "EUR", Refunded: 59_50,
	}); err != nil || found != want {
		t.Errorf("the guide's answer is read as %+v, %v", found, err)
	}
	last := strings.Replace(one(`(?m)^(\{"payments":.+\})$`), `,"next":"100"`, "", 1)
	for found, err := range answers(t, http.StatusOK, last).Since(ctx, time.Now()) {
		if err != nil || found.ID != o.ID || found.State != payment.Voided || found.Amount != drop.Money(0) {
			t.Errorf("the guide's list is read as %+v, %v", found, err)
		}
	}
	const unknown = "{\"code\":\"unknown_payment\",\"reason\":\"…\"}"
	if _, err := answers(t, http.StatusNotFound, unknown).Find(ctx, ref); err != payment.ErrUnknown || !strings.Contains(guide, "404 and `"+unknown+"`") { //nolint:errorlint // exactly
		t.Errorf("the guide's 404 is read as %v", err)
	}
	now := time.Now()
	notification := one("`(\\{\"payment\":\"30064771109\",\"state\":\"authorised\"\\})`")
	if _, err := p.Read(message(t, secret, "msg_1", now, notification), []byte(notification), now); err != nil {
		t.Errorf("the guide's notification: %v", err)
	}
}
