package api

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/negotiate"
)

// requests are the bodies that operations accept.
var requests = []any{createRequest{}, reserveRequest{}, reservationRequest{}, userRequest{}, editRequest{}, restockRequest{}, emptyRequest{}, webhookRequest{}, replayRequest{}}

// FuzzDecode: a body is either read, and then is one JSON object, or it is refused as bad_json or for a field that
// breaks a rule.
func FuzzDecode(f *testing.F) {
	for i := range requests {
		for _, seed := range []string{
			`{}`, `null`, `[]`, `{"a":1}{}`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a":"\ud800"}`, strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
			`{"name":"Air","price":119.99,"total_stock":5e0,"start_time":"2026-01-31T10:00:00.000Z","sizes":[{"size":9.50,"stock":1},null,{}],"limit_per_user":null}`,
			`{"dropId":1,"userId":9007199254740993,"userName":"a","email":"A@B.example","size":1e-2}`, `{"reservationId":-1.0e1}`,
			`{"url":"https://a.example/","types":["drop.created"],"drops":[1],"description":"x"}`, `{"url":7,"types":[null],"drops":["1"]}`,
			`{"dropId":1,"from":2,"to":null}`, `{"username":"x","email":null}`, `{"add":0.5,"size":{}}`, `{"hidden":1,"archived":"x","image_url":null,"start_time":"24:00"}`,
		} {
			f.Add(byte(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		to := reflect.New(reflect.TypeOf(requests[int(kind)%len(requests)]))
		err := decode(body, to.Interface())
		if err == nil {
			var object map[string]json.RawMessage
			if err := json.Unmarshal(body, &object); err != nil || object == nil {
				t.Fatalf("%q is read as %+v and is no object: %v", body, to.Elem(), err)
			}
			return
		}
		refusal, ok := errors.AsType[*drop.Error](err)
		switch {
		case !ok:
			t.Fatalf("%q: %v", body, err)
		case refusal.Code == codeBadJSON:
		case refusal.Code != drop.CodeInvalid || refusal.Field == "" || refusal.Rule == "":
			t.Fatalf("%q: %+v", body, refusal)
		case !json.Valid(body):
			t.Fatalf("%q is no JSON, and is refused as %+v", body, refusal)
		}
	})
}

// FuzzDecimal compares with arithmetic on fractions.
func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0.0", "119.99", "1e2", "1E+2", "9223372036854775807", "-9223372036854775808", "0.005", "5e-3", "1e400", "123456789012345678901234567890e-20"} {
		f.Add(seed, byte(0))
		f.Add(seed, byte(2))
	}
	f.Fuzz(func(t *testing.T, literal string, scale byte) {
		scale %= 3
		if !json.Valid([]byte(literal)) || strings.Trim(literal, "0123456789+-.eE") != "" {
			t.Skip("no number")
		}
		_, exponent, _ := strings.Cut(strings.ToLower(literal), "e")
		if e, err := strconv.Atoi(exponent); exponent != "" && (err != nil || e < -400 || e > 400) {
			_, _ = decimal([]byte(literal), int(scale)) // larger fractions take too long
			return
		}
		exact, ok := new(big.Rat).SetString(literal)
		if !ok {
			t.Fatalf("%q is a number of JSON and not of math/big", literal)
		}
		exact.Mul(exact, big.NewRat(int64(math.Pow10(int(scale))), 1))
		n, whole := decimal([]byte(literal), int(scale))
		if whole != exact.IsInt() {
			t.Fatalf("%s at scale %d: whole %t", literal, scale, whole)
		}
		want := exact.Num()
		switch {
		case !whole:
			return
		case !want.IsInt64():
			want = big.NewInt(nearestEnd(want.Sign() < 0))
		}
		if want.Int64() != n {
			t.Fatalf("%s at scale %d: %d, want %s", literal, scale, n, want)
		}
	})
}

// FuzzInstant checks that time.Parse reads an accepted time as the same moment, except in spellings that it does not
// know. The written form must read as the same moment again.
func FuzzInstant(f *testing.F) {
	for _, seed := range []string{
		"2026-01-31T10:00:00Z", "2026-01-31T10:00:00.123456789+01:00", "2026-02-29T00:00:00Z", "2026-1-31T10:00:00Z", "2026-01-31T1:00:00Z",
		"2026-01-31T10:00:00,5Z", "0000-01-01T00:00:00-23:59", "9999-12-31T23:59:59.999Z", "2026-12-31T23:59:60Z", "2026-01-31T10:00:00+24:00", "2026-01-31t10:00:60.5z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		read := func(quoted []byte) (*instant, error) {
			var in createRequest
			err := decode([]byte(`{"start_time":`+string(quoted)+`}`), &in)
			return in.StartTime, err
		}
		at, err := read(quoted)
		if err != nil {
			return
		}
		plain, leap := strings.ToUpper(text), time.Duration(0)
		if len(plain) > 18 && plain[17:19] == "60" {
			plain, leap = plain[:17]+"59"+plain[19:], time.Second
		}
		want, err := time.Parse(time.RFC3339, plain)
		want = want.Add(leap)
		if err != nil || want.UnixMilli() != int64(*at) {
			t.Fatalf("%q is read as %s, by time.Parse as %s, %v", text, drop.Time(*at), want, err)
		}
		if year := want.UTC().Year(); year < 0 || year > 9999 {
			return // Spec.Check refuses it
		}
		again, err := read(encode(*at))
		if err != nil || *again != *at {
			t.Fatalf("%q is written as %s, which is read as %v, %v", text, encode(*at), again, err)
		}
	})
}

// FuzzHeaders: the server reads callers' headers as the standards say, or refuses them.
func FuzzHeaders(f *testing.F) {
	const tag = `"5891b5b522d5df086d0ff0b110fbd9d2"`
	for _, seed := range []string{
		"", "*", tag, "W/" + tag, `"a", ` + tag, "gzip", "gzip;q=0", "*;q=0.1, gzip;q=0", "text/csv", "text/csv;q=NaN, application/json;q=Inf",
		"Bearer abc", "bearer  ", "application/json; charset=\"UTF-8\"", "application/json;;=", "a b", strings.Repeat("k", 256), "k\x7f", "\tx",
	} {
		f.Add(seed, seed, true)
		f.Add(seed, tag, false)
	}
	f.Fuzz(func(t *testing.T, one, other string, twice bool) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, name := range []string{"If-None-Match", "Accept-Encoding", "Accept", "Authorization", "Content-Type", keyHeader, requestIDHeader} {
			r.Header[name] = []string{one}
			if twice {
				r.Header[name] = append(r.Header[name], other)
			}
		}
		if !negotiate.HasTag(r.Header, tag) && (one == tag || one == "*" || twice && other == "W/"+tag) {
			t.Errorf("%q, %q have the tag", one, other)
		}
		if negotiate.AcceptsGzip(r.Header) && !strings.Contains(strings.ToLower(one+","+other), "gzip") && !strings.Contains(one+other, "*") {
			t.Errorf("%q, %q accept no gzip", one, other)
		}
		media := map[string]string{formatJSON: "", formatCSV: "text/csv", formatXLSX: xlsxType}
		q := queryOf(r)
		if format := q.format(r.Header["Accept"], true); q.err != nil || !strings.Contains(strings.ToLower(one+other), media[format]) {
			t.Errorf("%q, %q want %s, %v", one, other, format, q.err)
		}
		if checkMedia(r.Header) == nil && (twice || !strings.Contains(strings.ToLower(one), "application/json")) {
			t.Errorf("%q, %q are JSON", one, other)
		}
		if token, err := bearer(r); err == nil && (twice || token == "" || token != strings.Trim(token, " ") || !strings.HasSuffix(strings.TrimRight(one, " "), token)) {
			t.Errorf("%q, %q bear %q", one, other, token)
		}
		w := &recorder{}
		retry, err := readRetry(w, r)
		if visible := strings.Trim(one, "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") == ""; err == nil &&
			(twice || retry.Key != one || !visible || one == "" || len(one) > drop.MaxKey) {
			t.Errorf("%q, %q are a key", one, other)
		}
		if id := (&api{process: "p"}).requestID(r); !fitsALog(id) || id != one && !strings.HasPrefix(id, "p-") {
			t.Errorf("%q, %q name the request %q", one, other, id)
		}
	})
}

// FuzzNumbers: numbers in a path or a query are within their range, and have only one spelling.
func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "-0", "01", "+1", "1e3", "٣", "9223372036854775808", "", "%31", "1;2", "1000", "1001"} {
		f.Add(seed, "limit="+seed)
		f.Add(seed, seed+"&limit=1&limit=2")
	}
	f.Fuzz(func(t *testing.T, id, query string) {
		r := &http.Request{Method: http.MethodGet, URL: &url.URL{RawQuery: query}}
		r.SetPathValue("id", id)
		n, err := pathNumber(r)
		if drop.CodeOf(err) != drop.CodeInvalid && err != nil {
			t.Errorf("%q: %v", id, err)
		}
		if text := strconv.FormatInt(n, 10); err == nil && text != id && id != "-0" && len(strings.TrimPrefix(id, "-")) < 19 {
			t.Errorf("%q is read as %d", id, n)
		}
		q := queryOf(r)
		got, err := q.limit(), q.err
		if err != nil && drop.CodeOf(err) != drop.CodeInvalid || err == nil && (got < 1 || got > 1000) {
			t.Errorf("%q: %d, %v", query, got, err)
		}
		values, bad := url.ParseQuery(query)
		if err == nil && (bad != nil && query != "" || got != 100 && values.Get("limit") != strconv.Itoa(got)) {
			t.Errorf("%q is read as %d", query, got)
		}
	})
}
