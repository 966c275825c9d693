package external_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/payment/external"
)

func order(id payment.ID) payment.Order {
	return payment.Order{
		ID: id, Amount: 119_90, Currency: euro, Description: "Comet “Größe” & more, 9.5", Email: "ann+drops@shop.example",
		ReturnURL: "https://shop.example/drops/7?paid=1", Expires: time.Now().Add(time.Hour),
	}
}

// The link is a promise to shops: their code checks exactly these bytes.
func TestStart_MakesTheLinkOfTheProtocol(t *testing.T) {
	o := order(30064771109)
	o.Expires = time.Unix(1796040000, 0)
	c, err := provider(t, "https://pay.shop.example", secret).Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	const want = "https://pay.shop.example/checkout?lang=en&payment=30064771109&amount=119.90&currency=EUR" +
		"&description=Comet+%E2%80%9CGr%C3%B6%C3%9Fe%E2%80%9D+%26+more%2C+9.5&email=ann%2Bdrops%40shop.example" +
		"&return_url=https%3A%2F%2Fshop.example%2Fdrops%2F7%3Fpaid%3D1&expires=1796040000&signature="
	if !strings.HasPrefix(c.URL, want) {
		t.Errorf("the link is\n%s, want\n%s…", c.URL, want)
	}
	const text = "11:30064771109,6:119.90,3:EUR,31:Comet “Größe” & more, 9.5,22:ann+drops@shop.example,35:https://shop.example/drops/7?paid=1,"
	signature, err := key(t, secret).Sign("link", o.Expires, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Query().Get("signature") != signature {
		t.Errorf("the signature is %q, want %q, %v", u.Query().Get("signature"), signature, err)
	}
	if c.Number != "30064771109" || c.Found.State != payment.Open {
		t.Errorf("Start: %+v", c)
	}
	link, err := external.VerifyLink([]external.Secret{newer, secret}, u.Query(), o.Expires.Add(-time.Second))
	if err != nil || link != (external.Link{
		Payment: "30064771109", Amount: "119.90", Currency: "EUR", Description: o.Description, Email: o.Email,
		ReturnURL: o.ReturnURL, Expires: o.Expires.UTC(),
	}) {
		t.Errorf("VerifyLink: %+v, %v", link, err)
	}
	if _, err := external.VerifyLink([]external.Secret{secret}, u.Query(), o.Expires); err == nil {
		t.Error("the link is good for longer than it says")
	}
}

func TestStart_RefusesAnAmountThatTheCurrencyCannotHave(t *testing.T) {
	p := provider(t, "https://pay.shop.example", secret)
	o := order(7)
	o.Amount = drop.MoneyOf(1_199_951)
	_, err := p.Start(t.Context(), o)
	if no, ok := errors.AsType[*payment.RefusedError](err); !ok || no.Code != "amount_invalid" {
		t.Errorf("Start: %v", err)
	}
}

// No change of a link passes: neither of a value, nor of where one ends and the next one begins.
func TestVerifyLink_NoChangePasses(t *testing.T) {
	p := provider(t, "https://pay.shop.example", secret, newer)
	c, err := p.Start(t.Context(), order(7))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, secrets := range [][]external.Secret{{secret}, {newer}, {strange, newer}} { // either has signed it
		if _, err := external.VerifyLink(secrets, u.Query(), time.Now()); err != nil {
			t.Fatalf("VerifyLink with the secrets of one side: %v", err)
		}
	}
	if _, err := external.VerifyLink([]external.Secret{strange}, u.Query(), time.Now()); err == nil {
		t.Error("a link passes that another secret signed")
	}
	check := func(what string, change func(q url.Values)) {
		t.Helper()
		q := u.Query()
		change(q)
		if link, err := external.VerifyLink([]external.Secret{secret}, q, time.Now()); err == nil {
			t.Errorf("%s: the link passes as %+v", what, link)
		}
	}
	names := []string{"payment", "amount", "currency", "description", "email", "return_url", "expires", "signature"}
	for i, name := range names {
		check("without "+name, func(q url.Values) { q.Del(name) })
		check(name+" twice", func(q url.Values) { q.Add(name, q.Get(name)) })
		check("empty "+name, func(q url.Values) { q.Set(name, "") })
		check("longer "+name, func(q url.Values) { q.Set(name, "1"+q.Get(name)) })
		if i == 0 || i > 5 {
			continue
		}
		before := names[i-1]
		check("the end of "+before+" as the beginning of "+name, func(q url.Values) {
			text := q.Get(before)
			q.Set(before, text[:len(text)-1])
			q.Set(name, text[len(text)-1:]+q.Get(name))
		})
		check(before+" and "+name+" in one", func(q url.Values) {
			q.Set(before, q.Get(before)+","+strconv.Itoa(len(q.Get(name)))+":"+q.Get(name))
			q.Set(name, "")
		})
	}
}

// answers makes a provider whose shop answers each call with this.
func answers(t *testing.T, status int, body string) *external.Provider {
	t.Helper()
	return shopThat(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func shopThat(t *testing.T, does http.HandlerFunc) *external.Provider {
	t.Helper()
	s := httptest.NewServer(does)
	t.Cleanup(s.Close)
	return provider(t, s.URL, secret)
}

// check fails if an error says more than it may.
func discreet(t *testing.T, err error) {
	t.Helper()
	for _, hidden := range []string{"whsec", "MfKQ9r8GKYqrTwjUPD8I", "127.0.0.1", "/api"} {
		if err != nil && strings.Contains(err.Error(), hidden) {
			t.Errorf("the error says %s: %v", hidden, err)
		}
	}
}

func TestFind_ReadsTheShopsAnswer(t *testing.T) {
	for body, want := range map[string]payment.Found{
		`{"state":"open"}`: {State: payment.Open},
		`{"state":"open","amount":"120.00","currency":"EUR"}`: {State: payment.Open}, // nobody has paid it
		`{"state":"pending"}`: {State: payment.Pending},
		`{"state":"authorised","amount":"120.00","currency":"EUR","receipt":"R-1","refunded":"0"}`: {
			State: payment.Authorised, Amount: 120_00, Currency: "EUR", Receipt: "R-1",
		},
		`{ "payment":"7","state":"captured","amount":"119.9951","currency":"USD","refunded":"19.9951","disputed":true}`: {
			State: payment.Captured, Amount: drop.MoneyOf(1_199_951), Currency: "USD", Refunded: drop.MoneyOf(199_951), Disputed: true,
		},
		`{"state":"captured","amount":"99999999.99","currency":"JPY"}`: {State: payment.Captured, Amount: drop.MaxPrice, Currency: "JPY"},
		`{"state":"voided"}`:                          {State: payment.Voided},
		`{"state":"failed","reason":"card\nexpired"}`: {State: payment.Failed, Reason: "card expired"},
	} {
		want.ID, want.Number = 7, "7"
		if got, err := answers(t, http.StatusOK, body).Find(t.Context(), payment.Ref{ID: 7}); err != nil || got != want {
			t.Errorf("Find answered with %s: %+v, %v, want %+v", body, got, err, want)
		}
	}
}

// What the protocol does not say is an error after which the server asks again. It takes no part of such an answer.
func TestFind_AcceptsNothingElse(t *testing.T) {
	long := `{"state":"open","reason":"` + strings.Repeat("x", 64<<10) + `"}`
	for _, c := range []struct {
		status int
		body   string
	}{
		{200, ""},
		{200, "null"},
		{200, "[]"},
		{200, "{}"},
		{200, `{"state":"open"`},
		{200, `{"state":"open"}{}`},
		{200, `{"state":"open","state":"failed"}`},
		{200, `{"State":"open"}`},
		{200, `{"state":"paid"}`},
		{200, `{"state":"open","colour":"red"}`},
		{200, `{"state":1}`},
		{200, `{"state":"open","payment":"8"}`},
		{200, `{"state":"authorised"}`},
		{200, `{"state":"authorised","amount":"120.00"}`},
		{200, `{"state":"authorised","amount":120,"currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"120.00","currency":"eur"}`},
		{200, `{"state":"authorised","amount":"120.00","currency":"EURO"}`},
		{200, `{"state":"authorised","amount":"-120.00","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"+120.00","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"120.","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":".5","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"120.00001","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"1.2e2","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"1 200","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"99999999.9901","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"99999999999999999999","currency":"EUR"}`},
		{200, `{"state":"authorised","amount":"120.00","currency":"EUR","refunded":"1"}`},
		{200, `{"state":"captured","amount":"120.00","currency":"EUR","refunded":"120.01"}`},
		{200, long},
		{200, `{"state":"open"}` + strings.Repeat(" ", 64<<10)},
		{201, `{"state":"open"}`},
		{204, ``},
		{301, `{"state":"open"}`},
		{400, ``},
		{400, `{"code":"x"}`},
		{400, `{"code":"x","reason":"y","more":"z"}`},
		{401, `{"code":"x","reason":"y"}`},
		{404, `<h1>Not found</h1>`},
		{408, `{"code":"x","reason":"y"}`},
		{425, `{"code":"x","reason":"y"}`},
		{429, `{"code":"x","reason":"y"}`},
		{500, `{"code":"x","reason":"y"}`},
		{503, ``},
	} {
		got, err := answers(t, c.status, c.body).Find(t.Context(), payment.Ref{ID: 7})
		var refused *payment.RefusedError
		if err == nil || errors.As(err, &refused) || errors.Is(err, payment.ErrUnknown) || got != (payment.Found{}) {
			t.Errorf("Find answered with %d %.80s: %+v, %v, want an error that says to ask again", c.status, c.body, got, err)
		}
		discreet(t, err)
	}
}

func TestFind_ARefusalIsFinal(t *testing.T) {
	for _, status := range []int{400, 402, 403, 404, 409, 410, 422} {
		_, err := answers(t, status, `{"code":"fraud","reason":"The bank\u0000 says no."}`).Find(t.Context(), payment.Ref{ID: 7})
		if no, ok := errors.AsType[*payment.RefusedError](err); !ok || *no != (payment.RefusedError{Code: "fraud", Reason: "The bank  says no."}) {
			t.Errorf("Find refused with %d: %v", status, err)
		}
	}
	const body = `{"code":"unknown_payment","reason":"Nobody has come."}`
	if _, err := answers(t, 409, body).Find(t.Context(), payment.Ref{ID: 7}); errors.Is(err, payment.ErrUnknown) {
		t.Error("only 404 says that a payment is unknown")
	}
	if _, err := answers(t, 404, body).Find(t.Context(), payment.Ref{ID: 7}); !errors.Is(err, payment.ErrUnknown) {
		t.Errorf("Find of a payment that the shop does not know: %v", err)
	}
}

// An answer that does not have what was asked for does not count as done.
func TestCalls_AreDoneOnlyIfTheShopSaysSo(t *testing.T) {
	const money = `,"amount":"120.00","currency":"EUR"}`
	for _, c := range []struct {
		action, state string
		done          bool
	}{
		{"Close", `{"state":"open"}`, false},
		{"Close", `{"state":"failed"}`, true},
		{"Close", `{"state":"pending"}`, true},
		{"Capture", `{"state":"authorised"` + money, false},
		{"Capture", `{"state":"captured"` + money, true},
		{"Void", `{"state":"authorised"` + money, false},
		{"Void", `{"state":"captured"` + money, false},
		{"Void", `{"state":"voided"}`, true},
		{"Refund", `{"state":"captured"` + money, false},
		{"Refund", `{"state":"captured","refunded":"59.49"` + money, false},
		{"Refund", `{"state":"captured","refunded":"59.50"` + money, true},
	} {
		p, ref := answers(t, 200, c.state), payment.Ref{ID: 7}
		var err error
		switch c.action {
		case "Close":
			_, err = p.Close(t.Context(), ref)
		case "Capture":
			_, err = p.Capture(t.Context(), ref)
		case "Void":
			_, err = p.Void(t.Context(), ref)
		case "Refund":
			_, err = p.Refund(t.Context(), ref, payment.Refund{Key: "a", Amount: 59_50})
		}
		if (err == nil) != c.done {
			t.Errorf("%s answered with %s: %v, want it done: %t", c.action, c.state, err, c.done)
		}
	}
}

// The bodies are a promise to shops.
func TestCalls_AreThoseOfTheProtocol(t *testing.T) {
	var bodies []string
	p := shopThat(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/api" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("the shop gets %s %s with %v: %v", r.Method, r.URL, r.Header, err)
		}
		if !signed([]external.Secret{secret}, r.Header, body) || signed([]external.Secret{newer}, r.Header, body) {
			t.Errorf("%s has the signature %q", body, r.Header.Get("webhook-signature"))
		}
		bodies = append(bodies, string(body)) // calls come one after another
		say(w, http.StatusConflict, map[string]string{"code": "no", "reason": "No."})
	})
	ctx, ref := t.Context(), payment.Ref{ID: 30064771109}
	_, _ = p.Find(ctx, ref)
	_, _ = p.Close(ctx, ref)
	_, _ = p.Capture(ctx, ref)
	_, _ = p.Void(ctx, ref)
	_, _ = p.Refund(ctx, ref, payment.Refund{Key: "30064771109-1", Amount: 59_50, Reason: "wrong size"})
	for range p.Since(ctx, time.Date(2026, 11, 30, 10, 0, 0, 999, time.UTC)) {
		continue
	}
	want := []string{
		`{"action":"find","payment":"30064771109"}`,
		`{"action":"close","payment":"30064771109"}`,
		`{"action":"capture","payment":"30064771109"}`,
		`{"action":"void","payment":"30064771109"}`,
		`{"action":"refund","payment":"30064771109","key":"30064771109-1","amount":"59.50","reason":"wrong size"}`,
		`{"action":"since","from":"2026-11-30T10:00:00Z"}`,
	}
	if strings.Join(bodies, "\n") != strings.Join(want, "\n") {
		t.Errorf("the shop got\n%s, want\n%s", strings.Join(bodies, "\n"), strings.Join(want, "\n"))
	}
}

func TestCalls_FollowNoRedirect(t *testing.T) {
	followed := false
	p := shopThat(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api" {
			followed = true
		}
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	if _, err := p.Find(t.Context(), payment.Ref{ID: 7}); err == nil || followed {
		t.Errorf("Find: %v, followed: %t", err, followed)
	}
}

// silent is a shop that never answers.
type silent struct{}

func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestCalls_EndAfterTenSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := external.New(external.Settings{
			Checkout: "https://shop.example/", API: "https://shop.example/api", Secrets: []external.Secret{secret},
			Client: &http.Client{Transport: silent{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		_, err = p.Find(t.Context(), payment.Ref{ID: 7})
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 10*time.Second {
			t.Errorf("Find after %s: %v", took, err)
		}
		if strings.Contains(err.Error(), "shop.example") {
			t.Errorf("the error has the address: %v", err)
		}
	})
}

// endless is a shop whose answer does not end. It counts the bytes that somebody reads.
type endless struct{ read int }

func (e *endless) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(e)}, nil
}

func (e *endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	e.read += len(b)
	return len(b), nil
}

func TestCalls_ReadABoundedAnswer(t *testing.T) {
	var e endless
	p, err := external.New(external.Settings{
		Checkout: "https://shop.example/", API: "https://shop.example/api", Secrets: []external.Secret{secret},
		Client: &http.Client{Transport: &e},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Find(t.Context(), payment.Ref{ID: 7}); err == nil || e.read > 64<<10+1 {
		t.Errorf("Find read %d bytes: %v", e.read, err)
	}
}

// Node.js closes a connection after 5 idle seconds, maybe just when the next call is under way. Each call may be made
// twice, so that one is.
func TestCalls_OutliveAConnectionThatTheShopCloses(t *testing.T) {
	asked := 0
	p := shopThat(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked != 2 { // calls come one after another
			_, _ = io.WriteString(w, `{"state":"open"}`)
			return
		}
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = c.Close()
	})
	for range 2 {
		if _, err := p.Find(t.Context(), payment.Ref{ID: 7}); err != nil {
			t.Errorf("Find: %v", err)
		}
	}
	if asked != 3 {
		t.Errorf("the shop was asked %d times, want 3", asked)
	}
}

func TestSince_ReadsPageAfterPage(t *testing.T) {
	page := func(number int, next string) string {
		return fmt.Sprintf(`{"payments":[{"payment":"%d","state":"open"}]%s}`, number, next)
	}
	for what, c := range map[string]struct {
		pages []string
		found int
		fails bool
	}{
		"none":                     {[]string{`{"payments":[]}`}, 0, false},
		"one page":                 {[]string{page(1, "")}, 1, false},
		"three pages":              {[]string{page(1, `,"next":"a"`), page(2, `,"next":"b"`), page(3, `,"next":""`)}, 3, false},
		"the same next again":      {[]string{page(1, `,"next":"a"`), page(2, `,"next":"a"`)}, 2, true},
		"next without payments":    {[]string{`{"payments":[],"next":"a"}`}, 0, true},
		"a payment without number": {[]string{`{"payments":[{"state":"open"}]}`}, 0, true},
		"a payment of another":     {[]string{`{"payments":[{"payment":"x7","state":"open"}]}`}, 0, true},
		"an end in the middle":     {[]string{page(1, `,"next":"a"`), `oops`}, 1, true},
	} {
		asked := 0
		p := shopThat(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || asked > 0 && !strings.Contains(string(body), `"after":"`) || asked >= len(c.pages) {
				t.Errorf("%s: question %d is %s, %v", what, asked, body, err)
				return
			}
			_, _ = io.WriteString(w, c.pages[asked])
			asked++
		})
		found, fails := 0, false
		for _, err := range p.Since(t.Context(), time.Now()) {
			if fails = err != nil; !fails {
				found++
			}
		}
		if found != c.found || fails != c.fails || asked != len(c.pages) {
			t.Errorf("%s: %d payments on %d pages, and an error: %t", what, found, asked, fails)
		}
	}
}

// A shop without a list says so, and the server lists nothing. Any other refusal is an error.
func TestSince_AShopMayHaveNoList(t *testing.T) {
	for code, want := range map[string]int{"unsupported": 0, "forbidden": 1} {
		failed := 0
		for _, err := range answers(t, 400, `{"code":"`+code+`","reason":"No."}`).Since(t.Context(), time.Now()) {
			if _, ok := errors.AsType[*payment.RefusedError](err); !ok {
				t.Errorf("Since: %v", err)
			}
			failed++
		}
		if failed != want {
			t.Errorf("a shop that refuses with %s: %d errors, want %d", code, failed, want)
		}
	}
}

// key signs with the library that shops use.
func key(t *testing.T, of external.Secret) *standardwebhooks.Webhook {
	t.Helper()
	k, err := standardwebhooks.NewWebhook(string(of))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// message is a signed notification.
func message(t *testing.T, by external.Secret, id string, at time.Time, body string) http.Header {
	t.Helper()
	signature, err := key(t, by).Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	h := make(http.Header)
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("webhook-signature", signature)
	return h
}

func TestRead_SaysWhichPaymentHasChanged(t *testing.T) {
	p := provider(t, "https://shop.example", secret, newer)
	now := time.Unix(1796040000, 0)
	const body = `{"payment":"30064771109","state":"authorised"}`
	for _, by := range []external.Secret{secret, newer} {
		for _, off := range []time.Duration{0, 5 * time.Minute, -5 * time.Minute} {
			got, err := p.Read(message(t, by, "msg_1", now.Add(off), body), []byte(body), now)
			if err != nil || got.ID != "msg_1" || got.Type != "authorised" || len(got.Refs) != 1 ||
				got.Refs[0] != (payment.Ref{ID: 30064771109, Number: "30064771109"}) {
				t.Errorf("Read of one that is %s off: %+v, %v", off, got, err)
			}
		}
	}
}

func TestRead_RefusesWhatTheShopDidNotSay(t *testing.T) {
	p := provider(t, "https://shop.example", secret)
	now := time.Unix(1796040000, 0)
	const body = `{"payment":"7","state":"authorised"}`
	without := func(name string) http.Header {
		h := message(t, secret, "msg_1", now, body)
		h.Del(name)
		return h
	}
	link, err := p.Start(t.Context(), order(7))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link.URL)
	if err != nil {
		t.Fatal(err)
	}
	fromLink := http.Header{}
	fromLink.Set("webhook-id", "link")
	fromLink.Set("webhook-timestamp", u.Query().Get("expires"))
	fromLink.Set("webhook-signature", u.Query().Get("signature"))
	signedText := "1:7,6:119.90,3:EUR,31:Comet “Größe” & more, 9.5,22:ann+drops@shop.example,35:https://shop.example/drops/7?paid=1,"
	for _, c := range []struct {
		what   string
		header http.Header
		body   string
		now    time.Time
		want   error
	}{
		{"another secret", message(t, strange, "msg_1", now, body), body, now, payment.ErrForged},
		{"another body", message(t, secret, "msg_1", now, body), body + " ", now, payment.ErrForged},
		{"no id", without("webhook-id"), body, now, payment.ErrForged},
		{"no time", without("webhook-timestamp"), body, now, payment.ErrForged},
		{"no signature", without("webhook-signature"), body, now, payment.ErrForged},
		{"nothing", nil, body, now, payment.ErrForged},
		{"too old", message(t, secret, "msg_1", now, body), body, now.Add(5*time.Minute + time.Second), payment.ErrForged},
		{"too new", message(t, secret, "msg_1", now, body), body, now.Add(-5*time.Minute - time.Second), payment.ErrForged},
		{"a link", fromLink, signedText, time.Now().Add(time.Hour), payment.ErrMalformed},
		{"a link's signature on this body", fromLink, body, time.Now().Add(time.Hour), payment.ErrForged},
	} {
		if got, err := p.Read(c.header, []byte(c.body), c.now); !errors.Is(err, c.want) || len(got.Refs) > 0 {
			t.Errorf("Read of %s: %+v, %v, want %v", c.what, got, err, c.want)
		}
	}
	for _, body := range []string{
		``, `7`, `[]`, `{}`, `{"payment":"7"}`, `{"state":"open"}`, `{"payment":7,"state":"open"}`, `{"payment":"7","state":"paid"}`,
		`{"payment":"07","state":"open"}`, `{"payment":"0","state":"open"}`, `{"payment":"-7","state":"open"}`,
		`{"payment":"7","state":"open","more":1}`, `{"payment":"7","payment":"8","state":"open"}`, `{"payment":"7","state":"open"} x`,
		`{"action":"find","payment":"7"}`, // the server's own call, sent back
		`{"payment":"7","state":"open"}` + strings.Repeat(" ", 64<<10),
	} {
		if _, err := p.Read(message(t, secret, "msg_1", now, body), []byte(body), now); !errors.Is(err, payment.ErrMalformed) {
			t.Errorf("Read of the signed body %.60q: %v", body, err)
		}
	}
	if _, err := p.Read(message(t, secret, strings.Repeat("m", 101), now, body), []byte(body), now); !errors.Is(err, payment.ErrMalformed) {
		t.Errorf("Read of one with a long id: %v", err)
	}
}

func TestNew_SaysWhichSettingIsWrong(t *testing.T) {
	good := external.Settings{
		Checkout: "https://shop.example/checkout?lang=en", API: "https://shop.example:8443/api?v=1", Secrets: []external.Secret{secret},
	}
	if _, err := external.New(good); err != nil {
		t.Fatal(err)
	}
	for says, spoil := range map[string]func(s *external.Settings){
		"the checkout URL is missing":              func(s *external.Settings) { s.Checkout = "" },
		"the API URL is missing":                   func(s *external.Settings) { s.API = "" },
		"the checkout URL must begin with https":   func(s *external.Settings) { s.Checkout = "http://shop.example/" },
		"the API URL must begin with https":        func(s *external.Settings) { s.API = "ftp://shop.example/" },
		"http:// is only for a checkout on this":   func(s *external.Settings) { s.API = "http://10.0.0.1/" },
		"the API URL must be an address":           func(s *external.Settings) { s.API = "https://" },
		"the checkout URL must be an address":      func(s *external.Settings) { s.Checkout = "https://hunter2%zz/" },
		"the API URL must not have a user name":    func(s *external.Settings) { s.API = "https://ann:hunter2@shop.example/" },
		"the API URL must not have a fragment":     func(s *external.Settings) { s.API = "https://shop.example/#x" },
		"the API URL has a query":                  func(s *external.Settings) { s.API = "https://shop.example/?hunter2=%zz" },
		"must not have the parameter signature":    func(s *external.Settings) { s.Checkout += "&signature=1" },
		"must not have the parameter return_url":   func(s *external.Settings) { s.Checkout += "&return_url=1" },
		"but not 0":                                func(s *external.Settings) { s.Secrets = nil },
		"but not 3":                                func(s *external.Settings) { s.Secrets = []external.Secret{secret, newer, strange} },
		"secret 1 must be whsec_ and the base64":   func(s *external.Settings) { s.Secrets = []external.Secret{secret[6:]} },
		"secret 2 must be whsec_ and the base64":   func(s *external.Settings) { s.Secrets = []external.Secret{secret, "whsec_hunter2"} },
		"the base64 of 24 to 64 random bytes":      func(s *external.Settings) { s.Secrets = []external.Secret{"whsec_aHVudGVyMg=="} },
		"secret 1 must be whsec_ and the base64 o": func(s *external.Settings) { s.Secrets = []external.Secret{""} },
	} {
		s := good
		spoil(&s)
		_, err := external.New(s)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") ||
			strings.Contains(err.Error(), "aHVudGVy") || strings.Contains(err.Error(), string(secret[6:])) {
			t.Errorf("New: %v, want %q", err, says)
		}
	}
	for _, local := range []string{"http://localhost:8091/api", "http://127.0.0.1:8091/api", "http://[::1]:8091/api"} {
		s := good
		s.API = local
		if _, err := external.New(s); err != nil {
			t.Errorf("New with %s: %v", local, err)
		}
	}
}

func TestSecret_IsNeverPrinted(t *testing.T) {
	s := external.Settings{Secrets: []external.Secret{secret}}
	p := provider(t, "https://shop.example", secret)
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("settings", "secret", secret, "settings", s, "provider", p)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", s, s, s, secret), fmt.Sprintf("%v %+v", p, p), logged.String()} {
		if strings.Contains(text, "MfKQ9r8GKYqrTwjUPD8I") || strings.Contains(text, "49 242 144") {
			t.Errorf("it prints %s", text)
		}
	}
}
