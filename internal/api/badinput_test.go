package api_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
)

// leastCases are what every endpoint and parameter must be tried with.
const leastCases = 150

// notJSON has values that no JSON text may contain, whatever is expected in their place.
var notJSON = []string{
	"NaN", "Infinity", "-Infinity", "0x10", "1.", ".5", "+1", "01", "-01", "1e", "1e+", "--1", "-", "1_000", "1,5", "1 2", "٣",
	"tru", "True", "undefined", "nil", "'a'", "`a`", "a", "{", "[", "]", "[1,]", `{"a":}`, `{a:1}`, `{"a":1,}`, `{"a" 1}`, `[1 2]`,
	`"unterminated`, `"\x41"`, `"\u12"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud800x"`, "\"a\nb\"", "\"\x00\"", "\"\x1f\"",
	"\"\xff\"", "\"\xc3\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "/* */1", "1 // one", "# 1", "<x/>",
	strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat("[", 10_000), strings.Repeat(`{"a":`, 5_000) + "1" + strings.Repeat("}", 5_000),
	strings.Repeat("[", 32) + strings.Repeat("]", 32), `{"a":1,"a":1}`, `[{"b":{"a":1,"a":2}}]`, `{"a":1,"\u0061":2}`,
}

// wrong has values that are valid JSON but break a rule for a kind of field.
var wrong = map[string][]string{
	"whole": {
		`"5"`, `""`, `" "`, `"x"`, "true", "false", "[]", "[1]", "{}", `{"a":1}`, "1.5", "0.1", "-1.5", "1e-1", "15e-1", "1e-400", "4.0000000001",
		"1e400", "-1e400", "1e99999999999999999999", "9223372036854775808", "-9223372036854775809", "9007199254740992", "9007199254740993",
		"18446744073709551616", strings.Repeat("9", 50_000), "-1", "-9007199254740991", "1." + strings.Repeat("0", 20_000) + "1",
	},
	"text": {
		"1", "0", "-0", "1.5", "1e400", "true", "false", "[]", `["a"]`, "{}", `{"a":"b"}`, `""`, `" "`, `"\t"`, `"\n\r"`, `"\u00a0\u2003"`,
		`"a\u0000b"`, `"\u0000"`, `"a\u0001"`, `"a\u001b[31m"`, `"a\u007f"`, `"a\u0085b"`, `"a\nb"`,
		`"\u200b"`, `"a\u200b"`, `"\u202ea"`, `"a\u2066b\u2069"`, `"\u0301"`, `"\u0301a"`, `"\uffff"`, `"\ue000"`, `"\u0378"`, `"\ufe0f"`, `"\ufeffa"`, `"\u3164"`,
		`"\u2800"`, `"a\udb40\udc41"`, `"a\u200db"`, `"a\u2028b"`,
		`"` + strings.Repeat("x", 2100) + `"`, `"` + strings.Repeat("é", 2100) + `"`, `"` + strings.Repeat("x", 60_000) + `"`,
	},
	"email": {
		`"a"`, `"a@"`, `"@b.c"`, `"a b@c.d"`, `"a@b@c.d"`, `"Ann <ann@example.com>"`, `"a@b.c,d@e.f"`, `"a@b.c\u0000"`, `"a@b..c d"`, `"a\u200b@b.c"`, `"\u202ea@b.c"`, `"a@b\u00ad.c"`,
		`"` + strings.Repeat("x", 251) + `@b.c"`, `"(x)a@b.c"`, `"a\n@b.c"`, "1", "true", "[]", "{}", `["a@b.c"]`,
	},
	"url": {
		`"javascript:alert(1)"`, `"JavaScript:alert(1)"`, `"data:text/html,x"`, `"ftp://x/y"`, `"//evil.example/x"`, `"x.jpg"`, `"http://"`, `"https:///x"`,
		`"http:x"`, `"http://a b/"`, `"http://a\u0000/"`, `"file:///etc/passwd"`, `"http://[::1"`, `"http://a:b:c/"`, `"%zz"`, `" http://a/"`, `"vbscript:x"`,
		`"/x\ny"`, `"http://a/` + strings.Repeat("x", 2048) + `"`, "1", "true", "[]", "{}", `["/x"]`,
	},
	"price": {
		`"1"`, `"119.99"`, `""`, "true", "[]", "[1]", "{}", "-1", "-0.01", "0.001", "0.009999", "119.999", "1e-3", "12345e-3", "3.300000002", "3.2999999989", "1.00000001e-8", "1e8", "100000000", "99999999.991",
		"100000000.00", "1e400", "-1e400", "9223372036854775807", "92233720368547758.08", strings.Repeat("9", 50_000), "0.0" + strings.Repeat("1", 50_000),
	},
	"time": {
		"0", "1769853600", "1769853600000", "true", "[]", "{}", `""`, `" "`, `"now"`, `"tomorrow"`, `"2026-01-31"`, `"2026-01-31T10:00:00"`, `"2026-01-31T10:00:00.000"`,
		`"2026-01-31 10:00:00Z"`, `"2026-01-31T10:00Z"`, `"2026-01-31T10Z"`, `"2026-02-30T10:00:00Z"`, `"2026-02-29T10:00:00Z"`, `"2026-04-31T10:00:00Z"`,
		`"2026-13-01T10:00:00Z"`, `"2026-00-10T10:00:00Z"`, `"2026-01-00T10:00:00Z"`, `"2026-01-32T10:00:00Z"`, `"2026-01-31T24:00:00Z"`, `"2026-01-31T10:60:00Z"`,
		`"2026-01-31T10:00:61Z"`, `"0000-01-01T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"1969-12-31T23:59:59.999Z"`, `"10000-01-01T00:00:00Z"`,
		`"+010000-01-01T00:00:00Z"`, `"-000001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59-01:00"`, `"1970-01-01T00:00:00+01:00"`, `"2026-01-31T10:00:00+25:00"`,
		`"2026-01-31T10:00:00+01:60"`, `"2026-01-31T10:00:00+0100"`, `"2026-01-31T10:00:00+01"`, `"2026-01-31T10:00:00,5Z"`, `"2026-01-31T1:00:00Z"`, `"26-01-31T10:00:00Z"`,
		`"2026-1-31T10:00:00Z"`, `"2026-01-31T10:00:00.Z"`, `"2026-01-31T10:00:00 Z"`, `" 2026-01-31T10:00:00Z"`, `"2026-01-31T10:00:00Z "`, `"2026-01-31T10:00:00ZZ"`,
		`"2026-01-31T10:00:00 GMT"`, `"Sat, 31 Jan 2026 10:00:00 GMT"`, `"2026-W05-6T10:00:00Z"`, `"2026-031T10:00:00Z"`, `"20260131T100000Z"`, `"2026-01-31T10:00:00[Europe/Berlin]"`,
		`"２０２６-01-31T10:00:00Z"`, `"2026-01-31T10:00:00Z\u0000"`, `"` + strings.Repeat("2", 50_000) + `"`, `"NaN"`, `"Invalid Date"`,
	},
	"label": {
		"true", "false", "[]", `["9"]`, "{}", `{"size":9}`, "9.005", "1e-3", "1e400", "-1e400", "1000000", "9007199254740993", `"` + strings.Repeat("9", 33) + `"`,
		`"9\u0000"`, `"9\n5"`, `"\u007f"`, `"9\u200b"`, `"\u202e9"`, `"\u0301"`, `"\uffff"`, `"9\ufe0f"`, `"` + strings.Repeat("9", 60_000) + `"`,
	},
	"wellTyped": {"1", "1.5", "true", "[]", "{}", `["a"]`},
	"sizes": {
		"1", `"9"`, "true", "{}", `{"size":"9","stock":1}`, "[1]", `["9"]`, "[[]]", "[true]", "[null]", "[{}]", `[{"size":"9"}]`, `[{"stock":1}]`, `[{"size":null,"stock":1}]`,
		`[{"size":"9","stock":null}]`, `[{"size":"","stock":1}]`, `[{"size":" ","stock":1},{"size":" ","stock":1}]`, `[{"size":"9","stock":-1}]`, `[{"size":"9","stock":1.5}]`,
		`[{"size":"9","stock":"1"}]`, `[{"size":"9","stock":10000001}]`, `[{"size":"9","stock":1e400}]`, `[{"size":"9","stock":1},{"size":"9","stock":1}]`,
		`[{"size":9,"stock":1},{"size":"9","stock":1}]`, `[{"size":9.50,"stock":1},{"size":9.5,"stock":1}]`, `[{"size":"9","stock":9000000},{"size":"10","stock":9000000}]`,
		`[{"size":true,"stock":1}]`, `[{"size":[],"stock":1}]`, `[{"size":9.005,"stock":1}]`, `[{"size":"9\u0000","stock":1}]`, `[{"size":"` + strings.Repeat("9", 33) + `","stock":1}]`,
		`[{"size":"9","stock":4}]`, `[{"size":"9","stock":5},{"size":"10","stock":1}]`, `[{"Size":"9","Stock":5}]`,
		"[" + strings.TrimSuffix(strings.Repeat(`{"size":"9","stock":0},`, 101), ",") + "]",
	},
	"ranking": {
		"1", `"9"`, "true", "{}", `{"size":"9"}`, "[]", `[""]`, `[" "]`, "[null]", "[true]", "[{}]", `[["9"]]`, `["8"]`, `["9","8"]`, `["9","9"]`, `[9,"9"]`, `["9.5","9.50"]`,
		"[9.005]", "[1e400]", `["9\u0000"]`, `["9\u200b"]`, `["` + strings.Repeat("9", 33) + `"]`,
		`["9"` + strings.Repeat(`,"9.5"`, 10) + "]", `["9"` + strings.Repeat(`,"9"`, 10_000) + "]",
	},
}

// field is a field of a body: its kind, a valid value, and whether it is required. plus has further wrong values.
type field struct {
	name, kind, good string
	must             bool
	plus             []string
}

func object(fields []field, name, value string) []byte {
	var b bytes.Buffer
	for _, f := range fields {
		v := f.good
		if f.name == name {
			v = value
		}
		if v == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", f.name, v)
	}
	return append(append([]byte{'{'}, b.Bytes()...), '}')
}

// badCase is one bad request for an endpoint.
type badCase struct {
	name string
	body []byte
	set  func(*http.Request)
}

func badBodies(fields []field) []badCase {
	var cases []badCase
	add := func(name string, body []byte) { cases = append(cases, badCase{name: name, body: body}) }
	for _, f := range fields {
		for _, v := range notJSON {
			add(f.name+" not JSON "+v, object(fields, f.name, v))
		}
		for _, v := range append(wrong[f.kind], f.plus...) {
			add(f.name+" wrong "+v, object(fields, f.name, v))
		}
		if f.must {
			add(f.name+" null", object(fields, f.name, "null"))
			add(f.name+" missing", object(fields, f.name, ""))
			misspelt := strings.ToUpper(f.name)
			add(f.name+" in capitals", bytes.Replace(object(fields, "", ""), []byte(f.name), []byte(misspelt), 1))
		}
		twice := object(fields, "", "")
		add(f.name+" twice", fmt.Appendf(nil, `{%q:%s,%s`, f.name, f.good, twice[1:]))
	}
	good := object(fields, "", "")
	for i := range good {
		add(fmt.Sprintf("cut at %d", i), good[:i])
	}
	for _, v := range append(notJSON, "null", "1", "true", `"x"`, "[]", "["+string(good)+"]", "", " ", "\n\t") {
		add("instead of an object "+v, []byte(v))
	}
	for _, v := range []string{"x", "{}", "null", ",", "]", "}", string(good), "\x00", ";", "//", "\xef\xbb\xbf", "\xff"} {
		add("followed by "+v, append(bytes.Clone(good), v...))
		if v != "\xef\xbb\xbf" { // a byte order mark is allowed there
			add("preceded by "+v, append([]byte(v), good...))
		}
	}
	utf16 := []byte{0xff, 0xfe}
	for _, c := range good {
		utf16 = append(utf16, c, 0)
	}
	add("UTF-16 with BOM", utf16)
	add("UTF-16 without BOM", utf16[2:])
	add("single quotes", bytes.ReplaceAll(good, []byte{'"'}, []byte{'\''}))
	add("too large", append(append(bytes.Clone(good[:len(good)-1]), `,"x":"`+strings.Repeat("y", 70_000)...), `"}`...))
	add("too many spaces", append(bytes.Repeat([]byte{' '}, 70_000), good...))
	add("bad UTF-8 in an unknown name", append(bytes.Clone(good[:len(good)-1]), ",\"\xff\":1}"...))
	add("unknown name too deep", append(bytes.Clone(good[:len(good)-1]), `,"x":`+strings.Repeat("[", 32)+strings.Repeat("]", 32)+"}"...))
	add("unknown name twice", append(bytes.Clone(good[:len(good)-1]), `,"x":1,"x":1}`...))
	for _, t := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/ld+json", "application/json; charset=utf-16", "a/b/c", "/"} {
		cases = append(cases, badCase{"media type " + t, good, func(r *http.Request) { r.Header.Set("Content-Type", t) }})
	}
	for _, t := range []string{"gzip", "br", "x"} {
		cases = append(cases, badCase{"content encoding " + t, good, func(r *http.Request) { r.Header.Set("Content-Encoding", t) }})
	}
	return cases
}

// badShop has something of everything that bad input could change.
func badShop(t *testing.T, options ...option) (s *shop, everything func() []any) {
	s = newShop(t, options...)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", sizedBody)
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userName":"Ann","email":"ann@example.com","size":"9"}`)
	ctx := context.Background()
	return s, func() (all []any) {
		snapshots, err := s.store.Drops(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, snapshot := range snapshots {
			snapshot.Now = 0
			all = append(all, snapshot)
		}
		for _, user := range []drop.UserID{1, 3, 5, drop.FirstAllocatedUser, drop.FirstAllocatedUser + 1} {
			reservations, err := s.store.Reservations(ctx, user, 500)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.store.User(ctx, user)
			all = append(all, reservations, drop.CodeOf(err))
		}
		for _, snapshot := range snapshots {
			entries, err := s.store.DrawEntries(ctx, snapshot.Drop.ID, 0, 500)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, entries)
		}
		for _, read := range []func() (any, error){
			func() (any, error) { return s.store.Webhooks(ctx) },
			func() (any, error) { return s.store.Deliveries(ctx) },
			func() (any, error) { return s.store.Replays(ctx) },
			func() (any, error) { return s.store.NewestPayments(ctx, 0, 500) },
		} {
			rows, err := read()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, rows)
		}
		return all
	}
}

// refusesAll sends every case. It checks that the server refuses it with a well-formed error, and that nothing
// changed.
func refusesAll(t *testing.T, s *shop, everything func() []any, cases []badCase, send func(badCase) *http.Request) {
	t.Helper()
	if len(cases) < leastCases {
		t.Fatalf("only %d cases", len(cases))
	}
	t.Logf("%d cases", len(cases))
	before := everything()
	for _, c := range cases {
		generation := s.engine.Generation()
		req := send(c)
		r := s.do(req)
		name := c.name
		if len(name) > 100 {
			name = name[:100] + "…"
		}
		if r.status < 400 || r.status > 499 {
			t.Fatalf("%s: %d %s", name, r.status, r.body)
		}
		e := decoded[errorJSON](t, r)
		if e.Error == "" || e.Code == "" || len(r.body) > 500 {
			t.Fatalf("%s: %d %s", name, r.status, r.body)
		}
		if e.Code == "invalid" && (e.Field == "" || !strings.HasPrefix(e.Error, e.Field+" ")) {
			t.Fatalf("%s: %d %s does not name the field", name, r.status, r.body)
		}
		if s.engine.Generation() != generation {
			t.Fatalf("%s: answered %d and changed something", name, r.status)
		}
	}
	if after := everything(); !reflect.DeepEqual(before, after) {
		t.Fatalf("something changed:\n%+v\n%+v", before, after)
	}
}

func TestBadInput_OfEveryPost(t *testing.T) {
	const boughtBefore = "4294967297" // user 3's hold
	outOfRange := []string{"0", "-1", "2097152", "4294967297", "3"}
	noDraw := []string{"0", "-1", "2097152", "4294967297", "4", "1"}
	for _, c := range []struct {
		path   string
		fields []field
	}{
		{"/api/drops/create", []field{
			{"name", "text", `"n"`, true, nil},
			{"price", "price", "119.99", true, nil},
			{"total_stock", "whole", "5", true, []string{"10000001"}},
			{"start_time", "time", `"2026-01-31T10:00:00.000Z"`, true, nil},
			{"image_url", "url", `"/x.jpg"`, false, nil},
			{"limit_per_user", "whole", "2", false, []string{"1001"}},
			{"max_expired_holds", "whole", "2", false, []string{"101"}},
			{"waitlist", "", "true", false, wrongBool},
			{"offer_for", "whole", "60", false, []string{"0", "9", "86401"}},
			{"max_waiting", "whole", "2", false, []string{"0", "1000001"}},
			{"offers_count", "", "true", false, wrongBool},
		}},
		{"/api/drops/create", []field{
			{"name", "text", `"n"`, true, nil},
			{"price", "price", "119.99", true, nil},
			{"total_stock", "whole", "5", false, []string{"4", "6"}},
			{"start_time", "time", `"2026-01-31T10:00:00.000Z"`, true, nil},
			{"sizes", "sizes", `[{"size":"9","stock":5}]`, false, nil},
		}},
		{"/api/drops/reserve", []field{
			{"dropId", "whole", "1", true, outOfRange}, {"userId", "whole", "5", true, []string{"0", "1099511627777"}}, {"size", "label", `"9"`, false, nil},
		}},
		{"/api/drops/reserve", []field{
			{"dropId", "whole", "1", true, outOfRange},
			{"userName", "text", `"Bob"`, true, nil},
			{"email", "email", `"bob@example.com"`, false, nil},
			{"size", "label", "9.5", false, nil},
		}},
		{"/api/drops/reserve", []field{
			{"dropId", "whole", "1", true, outOfRange},
			{"userId", "whole", "5", false, nil},
			{"userName", "wellTyped", `"Bob"`, false, nil},
			{"email", "wellTyped", `"bob@example.com"`, false, nil},
			{"code", "wellTyped", `"FRIENDS-2026"`, false, nil},
		}},
		{"/api/drops/waitlist", []field{
			{"dropId", "whole", "1", true, outOfRange}, {"userId", "whole", "5", true, []string{"0", "1099511627777"}}, {"size", "label", `"9"`, false, nil},
		}},
		{"/api/drops/waitlist/leave", []field{{"entryId", "whole", boughtBefore, true, []string{"0", "1", "4294967296", "4294967298"}}}},
		{"/api/drops/enter", []field{
			{"dropId", "whole", "3", true, noDraw}, {"userId", "whole", "6", true, []string{"0", "1099511627777"}}, {"sizes", "ranking", `["9.5",9]`, true, nil},
		}},
		{"/api/drops/enter", []field{
			{"dropId", "whole", "3", true, noDraw},
			{"userName", "text", `"Bob"`, true, nil},
			{"email", "email", `"bob@example.com"`, false, nil},
			{"sizes", "ranking", `["9"]`, true, nil},
		}},
		{"/api/drops/withdraw", []field{
			{"dropId", "whole", "3", true, noDraw}, {"userId", "whole", "5", true, []string{"0", "6", "1099511627777"}},
		}},
		{"/api/drops/withdraw", []field{
			{"dropId", "whole", "3", true, noDraw}, {"userName", "text", `"Ann"`, true, nil}, {"email", "email", `"ann@example.com"`, false, nil},
		}},
		{"/api/drops/purchase", []field{{"reservationId", "whole", boughtBefore, true, []string{"0", "1", "4294967296", "4294967298"}}}},
		{"/api/drops/cancel", []field{{"reservationId", "whole", boughtBefore, true, []string{"0", "1", "4294967296", "4294967298"}}}},
		{"/api/drops/checkout", []field{
			{"reservationId", "whole", boughtBefore, true, []string{"0", "1", "4294967296", "4294967299"}},
			{"return_url", "url", `"/drops/1"`, true, []string{`""`, `"https://evil.example/"`, `"https://evil.example/{payment}"`}},
		}},
		{"/api/users", []field{{"username", "text", `"Bob"`, true, nil}, {"email", "email", `"bob@example.com"`, false, nil}}},
	} {
		t.Run(strings.ReplaceAll(c.path[1:], "/", "_"), func(t *testing.T) {
			var options []option
			if c.path == "/api/drops/checkout" {
				options = append(options, paying)
			}
			s, everything := badShop(t, options...)
			if slices.Contains([]string{"/api/drops/enter", "/api/drops/withdraw"}, c.path) {
				mustPost[dropJSON](s, "/api/drops/create", sizedDrawBody(""))
				s.ok(s.post("/api/drops/enter", `{"dropId":3,"userId":5,"sizes":["9"]}`))
				s.ok(s.post("/api/drops/enter", `{"dropId":3,"userName":"Ann","email":"ann@example.com","sizes":["9"]}`))
			}
			refusesAll(t, s, everything, badBodies(c.fields), func(b badCase) *http.Request {
				req, err := http.NewRequest(http.MethodPost, s.url+c.path, bytes.NewReader(b.body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				if b.set != nil {
					b.set(req)
				}
				return req
			})
			if strings.HasPrefix(c.path, "/api/drops/waitlist") {
				s.ok(s.do(s.request(http.MethodPatch, "/api/drops/1", `{"waitlist":true}`)))
				if strings.HasSuffix(c.path, "leave") {
					s.ok(s.do(s.request(http.MethodPost, "/api/drops/1/restock", `{"add":-4}`)))
					s.ok(s.post("/api/drops/waitlist", `{"dropId":1,"userId":5}`))
				}
			}
			if r := s.post(c.path, string(object(c.fields, "", ""))); r.status != 200 {
				t.Errorf("a good request afterwards: %d %s", r.status, r.body)
			}
		})
	}
}

// badNumbers are texts that are not a whole number that could be an id or a limit, each in several wrappings.
func badNumbers() (all []badCase) {
	for _, v := range []string{
		"x", "1.5", "1.0", "1e1", "0x1", "0b1", "1_0", "+1", "01", "00", "١", "１", "½", "NaN", "Infinity", "-Infinity", "null", "true", "undefined", "[1]", "{}", `"1"`,
		"'1'", "1'", "1;", "1--", "1 OR 1=1", "1,2", "1|2", "1&2", "$1", "%", "*", "?", "#", "\x00", "1\x00", "\n", "1\r\n", "\xff", "1\xff", "\u200b1", "1\u200b", "é", "😀",
		"<script>", "${1}", "{{1}}", "1n", "1L", "١٢", "-", "--1", "-+1", "- 1", "-01", "1-", "1e400", "-x", strings.Repeat("x", 3000), strings.Repeat("1", 3000) + "x",
	} {
		for _, wrapped := range []string{v, v + " ", " " + v, v + "1x"} {
			all = append(all, badCase{name: wrapped})
		}
	}
	return all
}

func TestBadInput_OfEveryParameter(t *testing.T) {
	s, everything := badShop(t)
	get := func(t *testing.T, raw string) *http.Request {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, s.url+raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		return req
	}
	var outside []badCase
	for _, v := range []string{"0", "-1", "-0", "9007199254740992", "9223372036854775808", "-9223372036854775809", strings.Repeat("9", 3000)} {
		outside = append(outside, badCase{name: v})
	}
	t.Run("drop id", func(t *testing.T) {
		refusesAll(t, s, everything, append(badNumbers(), outside...), func(b badCase) *http.Request { return get(t, "/api/drops/"+url.PathEscape(b.name)) })
		if r := s.get("/api/drops/1"); r.status != 200 {
			t.Errorf("a good request afterwards: %d %s", r.status, r.body)
		}
	})
	t.Run("user id of entries", func(t *testing.T) {
		cases := append(append(badNumbers(), outside...), badCase{name: ""})
		refusesAll(t, s, everything, cases, func(b badCase) *http.Request {
			return get(t, "/api/drops/1/entries?userId="+url.QueryEscape(b.name))
		})
	})
	t.Run("user id of a waitlist", func(t *testing.T) {
		cases := append(append(badNumbers(), outside...), badCase{name: ""})
		refusesAll(t, s, everything, cases, func(b badCase) *http.Request {
			return get(t, "/api/drops/1/waitlist?userId="+url.QueryEscape(b.name))
		})
	})
	t.Run("user id", func(t *testing.T) {
		refusesAll(t, s, everything, append(badNumbers(), outside...), func(b badCase) *http.Request {
			return get(t, "/api/users/"+url.PathEscape(b.name)+"/reservations")
		})
	})
	t.Run("limit", func(t *testing.T) {
		cases := append(append(badNumbers(), outside...), badCase{name: ""}, badCase{name: "501"})
		refusesAll(t, s, everything, cases, func(b badCase) *http.Request {
			return get(t, "/api/users/3/reservations?limit="+url.QueryEscape(b.name))
		})
		for _, raw := range []string{"limit=1&limit=2", "limit=%zz", "limit=1;limit=2", "limit", "a=%", "limit=1&limit="} {
			s.refused(s.get("/api/users/3/reservations?"+raw), 422, "invalid")
		}
		if r := s.get("/api/users/3/reservations?limit=500&Limit=x&other=1"); r.status != 200 {
			t.Errorf("a good request afterwards: %d %s", r.status, r.body)
		}
	})
}
