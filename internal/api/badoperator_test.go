package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// wrongBool are JSON values other than true, false and null. Null is left out because optional members may be null.
var wrongBool = []string{
	"0", "1", "-1", "1.5", `""`, `"true"`, `"false"`, `"yes"`, `"1"`, "[]", "[true]", "{}", `{"a":true}`, "1e400", `"\u0000"`,
}

// badOperatorShop adds a drop to badShop in which everything can still be changed: number 3. It also adds a webhook,
// number 1.
func badOperatorShop(t *testing.T, options ...option) (*shop, func() []any) {
	s, everything := badShop(t, options...)
	mustPost[dropJSON](s, "/api/drops/create", laterBody)
	mustPost[webhookJSON](s, hooksPath, hookBody)
	return s, everything
}

func (s *shop) send(method, path string) func(badCase) *http.Request {
	return func(b badCase) *http.Request {
		req, err := http.NewRequest(method, s.url+path, bytes.NewReader(b.body))
		if err != nil {
			s.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if b.set != nil {
			b.set(req)
		}
		return req
	}
}

func TestBadInput_OfEveryOperatorBody(t *testing.T) {
	null := []string{"null"}
	add := slices.DeleteFunc(slices.Clone(wrong["whole"]), func(v string) bool { return v == "-1" }) // removes a unit
	add = append(add, "0", "-0", "10000001", "9999999")
	wrongBody := []string{"7", "[]", "{}", "true", "null", `"a\u0000"`, `"\u202e"`, `"\ud800"`}
	edit := []field{
		{"name", "text", `"n"`, false, null},
		{"price", "price", "10", false, null},
		{"start_time", "time", `"9998-01-31T10:00:00.000Z"`, false, null},
		{"image_url", "url", `"/x.jpg"`, false, nil},
		{"limit_per_user", "whole", "2", false, []string{"1001"}},
		{"max_expired_holds", "whole", "2", false, []string{"101"}},
		{"waitlist", "", "true", false, append(wrongBool, "null")},
		{"offer_for", "whole", "60", false, []string{"0", "9", "86401", "null"}},
		{"max_waiting", "whole", "2", false, []string{"0", "1000001", "null"}},
		{"offers_count", "", "true", false, append(wrongBool, "null")},
		{"hidden", "", "false", false, append(wrongBool, "null")},
		{"archived", "", "false", false, append(wrongBool, "null")},
	}
	for _, c := range []struct {
		name, method, path string
		fields             []field
	}{
		{"edit", "PATCH", "/api/drops/3", edit},
		{"edit a drop with holds", "PATCH", "/api/drops/1", []field{
			{"name", "text", `"n"`, false, null},
			{"price", "price", "119.99", false, append(null, "1", "120")},
			{"start_time", "time", `"2026-01-31T10:00:00.000Z"`, false, append(null, `"2026-01-31T10:00:00.001Z"`, `"9998-01-31T10:00:00Z"`)},
		}},
		{"restock", "POST", "/api/drops/1/restock", []field{{"add", "", "5", true, add}, {"size", "label", `"9"`, false, nil}}},
		{"restock a size", "POST", "/api/drops/2/restock", []field{
			{"add", "", "5", true, append(add, "-1", "-2")}, // the only unit of size 9 is held
			{"size", "label", `"9"`, false, []string{`""`, "null", `"9\u200b"`, `"9.0"`, `"xl"`, "9.25", "-9"}},
		}},
		{"return", "POST", "/api/purchases/4294967297/return", []field{
			{"restock", "", "true", true, append(wrongBool, "null")},
			{"reason", "", `"worn"`, false, []string{"7", "true", "[]", "{}", `"a\u0000"`, `"a\nb"`, `"\ud800"`, `"` + strings.Repeat("é", 501) + `"`}},
		}},
		{"refund", "POST", "/api/purchases/4294967297/refund", []field{
			{"amount", "price", "119.99", false, []string{"0", "-0", "0.00", "120", "119.9999999"}},
			{"reason", "", `"worn"`, false, []string{"7", "true", "[]", "{}", `"a\u0000"`, `"a\nb"`, `"\ud800"`, `"` + strings.Repeat("é", 501) + `"`}},
		}},
		{"page", "PUT", "/api/drops/1/page", []field{
			{"description", "", `"a"`, true, wrongBody},
			{"size_guide", "", `"a"`, true, wrongBody},
			{"rules", "", `"a"`, true, wrongBody},
			{"delivery", "", `"a"`, true, wrongBody},
			{"images", "", `[{"url":"/1.jpg"}]`, true, []string{
				"7", "{}", `"/1.jpg"`, `["/1.jpg"]`, "[[]]", "[null]", "[{}]", `[{"url":null}]`, `[{"url":""}]`,
				`[{"url":"//evil.example"}]`, `[{"url":"/1.jpg","alt":7}]`, `[{"url":"/1.jpg","alt":"\u202e"}]`,
			}},
		}},
		{"duplicate", "POST", "/api/drops/1/duplicate", []field{
			{"name", "", `"n"`, false, []string{"7", "[]", "{}", "true", `""`, `"\u200b"`}},
			{"start_time", "time", `"9998-01-31T10:00:00.000Z"`, false, nil},
		}},
		{"create a webhook", "POST", hooksPath, []field{
			{"url", "url", `"https://example.com/hooks"`, true, []string{
				`""`, `"http://example.com/"`, `"/hooks"`, `"https://127.0.0.1/"`, `"https://localhost/"`, `"https://a:b@example.com/"`, `"https://example.com/#a"`,
			}},
			{"types", "", `["purchase.completed"]`, false, []string{
				"7", `"purchase.completed"`, "{}", "true", "[null]", "[7]", "[[]]", "[{}]", `[""]`, `["purchase"]`, `["Purchase.Completed"]`, `["purchase.completed "]`,
				`["webhook.test"]`, `["purchase.completed","purchase.completed"]`, `["purchase.completed\u0000"]`, "[" + strings.Repeat(`"drop.created",`, 5000) + `"drop.created"]`,
			}},
			{"drops", "", "[1]", false, []string{
				"7", `"1"`, "{}", "true", "[null]", `["1"]`, "[[]]", "[{}]", "[0]", "[-1]", "[1.5]", "[4]", "[1,1]", "[1e400]", "[9223372036854775808]", "[2097152]",
				"[" + strings.Repeat("1,", 5000) + "1]",
			}},
			{"description", "", `"a"`, false, []string{
				"7", "true", "[]", "{}", `"a\u0000"`, `"a\u202eb"`, `"a\nb"`, `"\ud800"`, `"` + strings.Repeat("x", 201) + `"`, `"` + strings.Repeat("é", 60_000) + `"`,
			}},
		}},
		{"replay", "POST", hooksPath + "/1/replay", []field{
			{"dropId", "whole", "1", true, []string{"0", "-0", "4", "2097152"}},
			{"from", "whole", "1", true, []string{"0", "-0", "3", "4294967296"}}, // drop 1 was created, and a unit is held
			{"to", "whole", "2", false, []string{"0", "-0", "3", "100001"}},
		}},
		{"rotate", "POST", hooksPath + "/1/rotate", []field{{"x", "", `"unknown"`, false, nil}}},
		{"disable", "POST", hooksPath + "/1/disable", []field{{"x", "", `"unknown"`, false, nil}}},
		{"codes", "POST", "/api/drops/2/codes", []field{
			{"name", "", `"Newsletter"`, false, slices.DeleteFunc(slices.Clone(wrong["text"]), func(v string) bool { return v == `""` })},
			{"codes", "", `["FRIENDS-2026","ABC123"]`, true, []string{
				"7", `"FRIENDS-2026"`, "{}", "true", "[]", "[7]", "[null]", "[[]]", `[""]`, `["SHORT"]`, `["A-B-C-D-E"]`, `["FRIENDS\u0000"]`, `["FRIENDÉS"]`, `["ＦＲＩＥＮＤＳ"]`,
				`["FRIENDS_2026"]`, `["` + strings.Repeat("A", 65) + `"]`, `["FRIENDS-2026","friends2026"]`, "[" + strings.Repeat(`"",`, 10_000) + `""]`,
			}},
			{"sizes", "", `["9.5"]`, false, []string{"7", `"9.5"`, "{}", "[]", "[null]", `[""]`, `["9.25"]`, `["9.5\u200b"]`, "[9.005]", "[[9]]", "[" + strings.Repeat("9,", 100) + "9]"}},
			{"uses", "whole", "2", false, []string{"0", "1000001"}},
			{"per_buyer", "whole", "2", false, []string{"1001"}},
			{"units", "whole", "1", false, []string{"3", "10000001"}},
			{"starts", "time", `"2026-01-31T10:00:00.000Z"`, false, []string{`"9998-01-31T10:00:00Z"`}},
			{"ends", "time", `"9998-01-31T10:00:00.000Z"`, true, []string{`"2026-01-31T10:00:00Z"`, `"1970-01-01T00:00:00Z"`}},
		}},
		{"made codes", "POST", "/api/drops/3/codes", []field{
			{"count", "whole", "2", true, []string{"0", "10001"}},
			{"starts", "time", `"2026-01-31T10:00:00.000Z"`, false, []string{`"9998-01-31T10:00:00Z"`}},
			{"sizes", "", "", false, []string{`["9"]`, "[]"}}, // the drop has none
			{"list", "", "", false, []string{`"3"`, `""`}},    // one of them must stand alone
			{"codes", "", "", false, []string{`["FRIENDS-2026"]`, "[]"}},
		}},
		{"list", "POST", "/api/drops/3/codes", []field{
			{"access", "whole", "1", false, []string{"0", "2", "51"}},
			{"list", "", `"3\nann@example.com"`, true, []string{
				"7", "true", "[]", `["3"]`, "{}", `""`, `"\n\n"`, `"buyer\n"`, `"0"`, `"-1"`, `"1.5"`, `"01"`, `"9007199254740992"`, `"3\nann"`, `"3\n4\n\"5"`, `"3\n4\"5"`, `"ann@"`,
				`"ann@example.com bob@example.com"`, `"Ann <ann@example.com>"`, `"3\n,4"`, `"3\u0000"`, `"\ufffd3"`, `"` + strings.Repeat("a", 64) + `a"`, `"3\n` + strings.Repeat("g", 64) + `"`,
				`"` + strings.Repeat(`3\n`, 10_001) + `"`, `"` + strings.Repeat("x", 251) + `@b.c"`,
			}},
			{"name", "", "", false, []string{`"x"`}}, // the terms stay
			{"uses", "", "", false, []string{"1"}},
			{"units", "", "", false, []string{"0"}},
			{"ends", "", "", false, []string{`"9998-01-31T10:00:00.000Z"`}},
		}},
		{"end codes", "POST", "/api/drops/3/codes/end", []field{{"access", "whole", "1", true, []string{"0", "-0", "2", "51"}}}},
		{"pause", "POST", "/api/drops/1/pause", []field{{"x", "", `"unknown"`, false, nil}}},
		{"resume", "POST", "/api/drops/1/resume", []field{{"x", "", `"unknown"`, false, nil}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, options := newTill("demo"), []option{}
			if c.name == "refund" {
				options = append(options, p.open)
			}
			s, everything := badOperatorShop(t, options...)
			if c.name == "refund" {
				s.paid(p, 77)
			}
			if c.name == "resume" {
				s.ok(s.post("/api/drops/1/pause", "")) // so that a resume would be visible
			}
			if c.name == "return" {
				sold := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":77}`)
				s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, sold.ID)))
			}
			if c.name == "list" || c.name == "end codes" {
				s.ok(s.post("/api/drops/3/codes", `{"list":"7"}`))
			}
			cases := badBodies(c.fields)
			if slices.Contains([]string{"pause", "resume", "duplicate", "rotate", "disable"}, c.name) {
				cases = slices.DeleteFunc(cases, func(b badCase) bool { return len(b.body) == 0 }) // these need none
			}
			if slices.Contains([]string{"page", "codes", "made codes", "list"}, c.name) { // its body may be larger: see TestPage_BadInputChangesNothing
				cases = slices.DeleteFunc(cases, func(b badCase) bool { return b.name == "too large" || b.name == "too many spaces" })
			}
			refusesAll(t, s, everything, cases, s.send(c.method, c.path))
			s.ok(s.do(s.request(c.method, c.path, string(object(c.fields, "", "")))))
		})
	}
}

func TestBadInput_OfEveryIdempotencyKey(t *testing.T) {
	var values []string
	for c := 0x80; c <= 0xff; c++ { // net/http refuses control characters
		values = append(values, string([]byte{byte(c)}), "k"+string([]byte{byte(c)})+"k")
	}
	values = append(values, "", "a b", "a\tb", "a  b", "é", "ключ", "😀", "\u200b", "k\u00a0", "\xef\xbb\xbfk", strings.Repeat("x", 256), strings.Repeat("x", 4000),
		strings.Repeat("é", 128), `"a b"`, "a, b", "a; b=c")
	var cases []badCase
	for _, v := range values {
		cases = append(cases, badCase{name: v, set: func(r *http.Request) { r.Header["Idempotency-Key"] = []string{v} }})
	}
	for _, twice := range [][]string{{"a", "b"}, {"a", "a"}, {"", "a"}, {"a", ""}, {"", ""}, {"a", "a", "a"}} {
		cases = append(cases, badCase{name: strings.Join(twice, " and "), set: func(r *http.Request) { r.Header["Idempotency-Key"] = twice }})
	}
	s, everything := badOperatorShop(t)
	for _, c := range keyCalls {
		t.Run(c.name, func(t *testing.T) {
			for i := range cases {
				cases[i].body = []byte(c.body)
			}
			refusesAll(t, s, everything, cases, s.send(http.MethodPost, c.path))
			e := s.refused(s.keyed("a b", c.path, c.body), 422, "invalid")
			if e.Field != "Idempotency-Key" {
				t.Errorf("%+v", e)
			}
		})
	}
}

func TestBadInput_OfEveryOperatorParameter(t *testing.T) {
	s, everything := badOperatorShop(t)
	request := func(t *testing.T, method, path, body string) *http.Request {
		t.Helper()
		return s.request(method, path, body)
	}
	var outside []badCase
	for _, v := range []string{"0", "-1", "-0", "2097152", "4294967297", "9007199254740992", "9223372036854775808", "-9223372036854775809", strings.Repeat("9", 3000)} {
		outside = append(outside, badCase{name: v})
	}
	for _, c := range []struct{ name, method, after, body string }{
		{"edit", "PATCH", "", `{"name":"x"}`},
		{"restock", "POST", "/restock", `{"add":1}`},
		{"pause", "POST", "/pause", ""},
		{"resume", "POST", "/resume", "{}"},
		{"codes", "GET", "/codes", ""},
		{"add codes", "POST", "/codes", `{"count":1}`},
		{"end codes", "POST", "/codes/end", `{"access":1}`},
		{"purchases", "GET", "/purchases", ""},
		{"csv", "GET", "/purchases?format=csv", ""},
		{"ledger", "GET", "/ledger", ""},
		{"waitlist", "GET", "/waitlist", ""},
		{"entries", "GET", "/entries", ""},
		{"draw", "GET", "/draw", ""},
		{"remove", "POST", "/remove", `{"entryId":4294967297,"reason":"x"}`},
		{"reveal", "POST", "/reveal", `{"seed":"` + knownSeed + `"}`},
	} {
		t.Run("id of "+c.name, func(t *testing.T) {
			refusesAll(t, s, everything, append(badNumbers(), outside...), func(b badCase) *http.Request {
				return request(t, c.method, "/api/drops/"+url.PathEscape(b.name)+c.after, c.body)
			})
		})
	}
	for _, c := range []struct{ method, after, body string }{
		{"DELETE", "", ""},
		{"POST", "/rotate", ""},
		{"POST", "/test", ""},
		{"POST", "/enable", ""},
		{"POST", "/disable", "{}"},
		{"POST", "/replay", `{"dropId":1,"from":1}`},
		{"GET", "/attempts", ""},
	} {
		t.Run("id of a webhook, "+c.method+c.after, func(t *testing.T) {
			refusesAll(t, s, everything, append(badNumbers(), outside...), func(b badCase) *http.Request {
				return request(t, c.method, hooksPath+"/"+url.PathEscape(b.name)+c.after, c.body)
			})
		})
	}
	for _, path := range []string{"/api/drops/1/purchases", "/api/drops/1/purchases?format=csv", "/api/drops/1/ledger", "/api/drops/1/waitlist", "/api/drops/1/entries"} {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		for name, plus := range map[string][]string{
			"after": {"", "-1", "-0", "9007199254740992", "9223372036854775807", "9223372036854775808", strings.Repeat("9", 3000)},
			"limit": {"", "0", "-1", "1001", "9223372036854775808", strings.Repeat("9", 3000)},
		} {
			t.Run(name+" of "+path[len("/api/drops/1/"):], func(t *testing.T) {
				cases := badNumbers()
				for _, v := range plus {
					cases = append(cases, badCase{name: v})
				}
				refusesAll(t, s, everything, cases, func(b badCase) *http.Request {
					return request(t, http.MethodGet, path+separator+name+"="+url.QueryEscape(b.name), "")
				})
				for _, raw := range []string{"=1&" + name + "=1", "=%zz", "=1;x", "", "=1&" + name + "="} {
					s.refused(s.get(path+separator+name+raw), 422, "invalid")
				}
			})
		}
	}
	t.Run("format", func(t *testing.T) {
		cases := append(badNumbers(), outside...)
		for _, v := range []string{"", "CSV", "Csv", "XLSX", "text/csv", "csv,json", "json\x00", "jsonl", "true"} {
			cases = append(cases, badCase{name: v})
		}
		refusesAll(t, s, everything, cases, func(b badCase) *http.Request {
			return request(t, http.MethodGet, "/api/drops/1/purchases?format="+url.QueryEscape(b.name), "")
		})
		s.refused(s.get("/api/drops/1/purchases?format=csv&format=csv"), 422, "invalid")
	})
}
