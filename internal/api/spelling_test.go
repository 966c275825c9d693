package api_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	oneEach  = `{"name":"n","price":1,"total_stock":50,"limit_per_user":1,"start_time":"2026-01-31T10:00:00Z"}`
	inSizes  = `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","sizes":[{"size":"9","stock":50},{"size":"９½","stock":50}]}`
	madeName = `{"dropId":1,"userName":%s}`
)

// With a limit of 1, a buyer who reserves again gets the same hold. So all spellings of a name are one buyer.
func TestReserve_OnePersonInAllSpellings(t *testing.T) {
	for _, same := range [][]string{
		{`"nika"`, `"nika "`, `" nika"`, `"nika\u00a0"`, `"\u3000nika\t"`, `"\uff4e\uff49\uff4b\uff41"`},
		{`"Jos\u00e9"`, `"Jose\u0301"`, `"Jose\u0301\u2003"`},
		{`"Ann Smith"`, `"Ann  Smith"`, `"Ann\u00a0\u2009Smith"`},
		{`"x","email":"ann@example.com"`, `"y","email":"ANN@example.COM"`, `"z","email":" ann@example.com "`},
		{`"x","email":"jos\u00e9@example.com"`, `"y","email":"jose\u0301@example.com"`},
	} {
		s := newShop(t)
		mustPost[dropJSON](s, "/api/drops/create", oneEach)
		first := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(madeName, same[0]))
		for _, spelling := range same[1:] {
			if again := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(madeName, spelling)); again != first {
				t.Errorf("%s has %+v, and %s has %+v", same[0], first, spelling, again)
			}
		}
	}
}

func TestReserve_TwoPeopleAreTwo(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", oneEach)
	seen := make(map[int64]string)
	for _, email := range []string{
		"mik", `m\u0130k`, `mi\u212a`, `m\u0131k`, `\uff4dik`, "sam", `\u017fam`, "\u00e4nn", `\u00c4nn`, `\u212b`, `\u00e5`, "\u00c5", `stra\u00dfe`, `stra\u1e9ee`,
	} {
		r := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userName":"nika","email":"%s@example.com"}`, email))
		if was, taken := seen[r.UserID]; taken {
			t.Errorf("%s got the hold of %s", email, was)
		}
		seen[r.UserID] = email
	}
}

func TestReserve_OneSizeInAllSpellings(t *testing.T) {
	s := newShop(t)
	made := s.ok(s.post("/api/drops/create", inSizes))
	if !strings.Contains(made.body, `"size":"9½"`) {
		t.Errorf("%s", made.body)
	}
	for i, size := range []string{`"9"`, `"9 "`, `" 9"`, `"\uff19"`, `"9\u3000"`, `9`, `9.0`} {
		r := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d,"size":%s}`, i+1, size))
		if r.Size != "9" {
			t.Errorf("%s is %q", size, r.Size)
		}
	}
	refused := s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":1,"size":"9\u200b"}`), 422, "invalid")
	if !strings.Contains(refused.Error, "size must not contain invisible") || !strings.Contains(refused.Error, "U+200B") {
		t.Errorf("%+v", refused)
	}
	s.refused(s.post("/api/drops/create", strings.Replace(inSizes, "９½", `9\u00a0`, 1)), 422, "invalid")
	if again := s.ok(s.post("/api/drops/1/restock", `{"add":1,"size":"\uff19\u00bd"}`)); !strings.Contains(again.body, `"total_stock":51`) {
		t.Errorf("%s", again.body)
	}
}

// A retry has the same text and gets the first answer, in whatever form the text is stored.
func TestKey_OfATextThatIsNotInItsNormalForm(t *testing.T) {
	s := openForKeys(t)
	for i, c := range []keyCall{
		{"create", "/api/drops/create", strings.Replace(createBody, `"name":"`, `"name":" Jose\u0301  `, 1), createBody},
		{"users", "/api/users", `{"username":" Ann\u00a0","email":"Ann@example.com"}`, `{"username":"Ann2"}`},
		{"reserve", "/api/drops/reserve", `{"dropId":2,"userName":"Ann ","size":"\uff19"}`, `{"dropId":2,"userName":"Ann ","size":"9.5"}`},
		{"a note", "/api/drops/reserve", `{"dropId":1,"userId":9,"size":" 9 "}`, `{"dropId":1,"userId":9,"size":"8"}`},
	} {
		first := s.kept(fmt.Sprint("spelling", i), c)
		if again := s.kept(fmt.Sprint("spelling", i), c); again.body != first.body {
			t.Errorf("%s: %s, then %s", c.name, first.body, again.body)
		}
		s.refused(s.keyed(fmt.Sprint("spelling", i), c.path, c.other), 422, "idempotency_mismatch")
	}
}

func TestCreate_NamesAreKeptInTheirNormalForm(t *testing.T) {
	s := newShop(t)
	made := mustPost[dropJSON](s, "/api/drops/create", strings.Replace(oneEach, `"n"`, `" Air \u00a0Max\u2122 \u2600\ufe0f "`, 1))
	if made.Name != "Air Max™ ☀️" {
		t.Errorf("%+q", made.Name)
	}
	s.refused(s.patch("/api/drops/1", `{"name":"\u202exaM riA"}`), 422, "invalid")
	user := s.ok(s.post("/api/users", `{"username":"  Jose\u0301\u3000Garc\u0131\u0301a "}`))
	if !strings.Contains(user.body, "José Garcı\u0301a") {
		t.Errorf("%s", user.body)
	}
}
