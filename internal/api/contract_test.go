package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// masked hides the times, which differ from run to run.
func masked(body string) string {
	return regexp.MustCompile(`"(expires_at|createdAt|timestamp|at)":"[0-9-]{10}T[0-9:]{8}\.[0-9]{3}Z"`).ReplaceAllString(body, `"$1":T`)
}

func (s *shop) answers(r reply, want string) {
	s.Helper()
	if r.status != http.StatusOK || masked(r.body) != want {
		s.Fatalf("got %d %s\nwant 200 %s", r.status, masked(r.body), want)
	}
}

func TestAnswers_AreWhatClientsOfTheOriginalRead(t *testing.T) {
	s := newShop(t)
	const drop1 = `{"id":1,"name":"Air Zenith 1","price":119.99,"total_stock":5,"available_stock":%d,` +
		`"start_time":"2026-01-31T10:00:00.000Z","image_url":null,"limit_per_user":null,"paused":false,"version":%d,` +
		`"purchases":[%s],"Purchases":[%s]}`
	s.answers(s.get("/api/drops"), `[]`)
	s.answers(s.post("/api/drops/create", createBody), fmt.Sprintf(drop1, 5, 1, "", ""))
	s.answers(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`),
		`{"id":4294967297,"dropId":1,"userId":3,"status":"active","expires_at":T,"createdAt":T}`)
	const purchase = `{"message":"Purchase successful","purchase":{"id":4294967297,"dropId":1,"userId":3,` +
		`"reservationId":4294967297,"price":119.99,"createdAt":T}}`
	s.answers(s.post("/api/drops/purchase", `{"reservationId":4294967297}`), purchase)
	first := s.post("/api/drops/purchase", `{"reservationId":4294967297}`)
	s.answers(first, purchase)
	if again := s.post("/api/drops/purchase", `{"reservationId":4294967297}`); again.body != first.body {
		t.Fatalf("a second purchase: %s, then %s", first.body, again.body)
	}
	s.answers(s.get("/api/drops/1"), fmt.Sprintf(drop1, 4, 3,
		`{"id":4294967297,"username":"Unknown","createdAt":T}`,
		`{"id":4294967297,"createdAt":T,"userName":"Unknown","user_name":"Unknown","User":{"username":"Unknown"}}`))
	s.answers(s.get("/health"), `{"status":"ok","timestamp":T}`)
	s.answers(s.get("/livez"), `{"status":"ok"}`)
	s.answers(s.get("/readyz"), `{"status":"ready"}`)
}

func TestAnswers_OfADropWithSizes(t *testing.T) {
	s := newShop(t)
	s.answers(s.post("/api/drops/create", sizedBody), `{"id":1,"name":"Court Runner","price":90,"total_stock":3,"available_stock":3,`+
		`"start_time":"2026-01-31T10:00:00.000Z","image_url":null,"limit_per_user":2,"paused":false,"version":1,`+
		`"sizes":[{"size":"9","total_stock":1,"available_stock":1},{"size":"9.5","total_stock":2,"available_stock":2}],`+
		`"purchases":[],"Purchases":[]}`)
	s.answers(s.post("/api/drops/reserve", `{"dropId":1,"userName":"Ann","email":"Ann@Example.com","size":9.50}`),
		`{"id":4294967297,"dropId":1,"userId":1099511627776,"status":"active","expires_at":T,"createdAt":T,"size":"9.5"}`)
	s.answers(s.post("/api/users", `{"username":"whoever","email":"ann@example.com"}`), `{"id":1099511627776,"username":"Ann"}`)
	s.answers(s.post("/api/drops/purchase", `{"reservationId":4294967297}`), `{"message":"Purchase successful","purchase":`+
		`{"id":4294967297,"dropId":1,"userId":1099511627776,"reservationId":4294967297,"price":90,"size":"9.5","createdAt":T}}`)
	s.answers(s.post("/api/drops/reserve", `{"dropId":1,"userId":1099511627776,"size":"9"}`),
		`{"id":4294967298,"dropId":1,"userId":1099511627776,"status":"active","expires_at":T,"createdAt":T,"size":"9"}`)
	s.answers(s.post("/api/drops/cancel", `{"reservationId":4294967298}`),
		`{"id":4294967298,"dropId":1,"userId":1099511627776,"status":"cancelled","expires_at":T,"createdAt":T,"size":"9"}`)
	s.answers(s.get("/api/users/1099511627776/reservations"),
		`[{"id":4294967298,"dropId":1,"userId":1099511627776,"status":"cancelled","expires_at":T,"createdAt":T,"size":"9"},`+
			`{"id":4294967297,"dropId":1,"userId":1099511627776,"status":"completed","expires_at":T,"createdAt":T,"size":"9.5"}]`)
	s.answers(s.get("/api/users/7/reservations"), `[]`)
	if got := decoded[[]reservationJSON](s, s.get("/api/users/1099511627776/reservations?limit=1")); len(got) != 1 {
		t.Fatalf("limit=1 gave %v", got)
	}
}

// TestRefusals goes through the contract's table of situations.
func TestRefusals(t *testing.T) {
	s := newShop(t)
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"one","price":1,"total_stock":1,"start_time":"2026-01-31T10:00:00Z"}`)
	mustPost[dropJSON](s, "/api/drops/create", sizedBody)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"later","price":1,"total_stock":1,"start_time":"`+soon+`"}`)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	heldBody := fmt.Sprintf(`{"reservationId":%d}`, held.ID)

	e := s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`), 409, "out_of_stock")
	if e.Error != "Out of stock" {
		t.Error(e)
	}
	e = s.refused(s.post("/api/drops/reserve", `{"dropId":3,"userId":4}`), 409, "not_started")
	starts, err := time.Parse("2006-01-02T15:04:05.000Z", e.StartsAt)
	if e.Error != "Drop has not started" || err != nil || e.StartsIn <= 0 || e.StartsIn > 3_600_000 || time.Until(starts) > time.Hour {
		t.Error(e)
	}
	for _, id := range []string{"9", "0", "-1", "2097152", "9223372036854775808", "1e400"} {
		s.refused(s.post("/api/drops/reserve", `{"dropId":`+id+`,"userId":4}`), 404, "drop_not_found")
	}
	s.refused(s.get("/api/drops/9"), 404, "drop_not_found")
	for _, id := range []string{"1", "4294967299", "9007199254740993", "-4294967297", "1e400"} {
		s.refused(s.post("/api/drops/purchase", `{"reservationId":`+id+`}`), 404, "reservation_not_found")
		s.refused(s.post("/api/drops/cancel", `{"reservationId":`+id+`}`), 404, "reservation_not_found")
	}
	s.refused(s.get("/api/users/1099511627776/reservations"), 404, "user_not_found")
	s.refused(s.get("/api/users/0/reservations"), 404, "user_not_found")
	if e = s.refused(s.post("/api/drops/reserve", `{"dropId":2,"userId":1099511627776,"size":"9"}`), 422, "invalid"); e.Field != "userId" {
		t.Error(e)
	}
	for _, body := range []string{`{"dropId":2,"size":"9"}`, `{"dropId":2,"size":"9","email":"ann@example.com"}`} {
		if e = s.refused(s.post("/api/drops/reserve", body), 422, "invalid"); e.Field != "userId" {
			t.Error(e)
		}
	}
	if e = s.refused(s.post("/api/drops/reserve", `{"dropId":2,"size":"9","userName":" "}`), 422, "invalid"); e.Field != "userName" {
		t.Error(e)
	}
	s.refused(s.post("/api/drops/reserve", `{"dropId":2,"userId":4}`), 422, "size_required")
	s.refused(s.post("/api/drops/reserve", `{"dropId":2,"userId":4,"size":"12"}`), 404, "size_not_found")
	for range 2 {
		mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userId":4,"size":9.5}`)
	}
	e = s.refused(s.post("/api/drops/reserve", `{"dropId":2,"userId":4,"size":"9"}`), 409, "limit_reached")
	if e.Limit != 2 || e.Used != 2 {
		t.Error(e)
	}
	mustPost[reservationJSON](s, "/api/drops/cancel", heldBody)
	if e = s.refused(s.post("/api/drops/purchase", heldBody), 410, "reservation_cancelled"); e.Error != "Reservation cancelled" {
		t.Error(e)
	}
	bought := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	boughtBody := fmt.Sprintf(`{"reservationId":%d}`, bought.ID)
	s.post("/api/drops/purchase", boughtBody)
	s.refused(s.post("/api/drops/cancel", boughtBody), 409, "already_purchased")

	late := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,"userId":5,"size":"9"}`)
	s.ahead.Add(60_000)
	lateBody := fmt.Sprintf(`{"reservationId":%d}`, late.ID)
	if e = s.refused(s.post("/api/drops/purchase", lateBody), 410, "reservation_expired"); e.Error != "Reservation expired" {
		t.Error(e)
	}
	if r := mustPost[reservationJSON](s, "/api/drops/cancel", lateBody); r.Status != "expired" {
		t.Errorf("cancelling an expired reservation: %+v", r)
	}
}

func TestRefusals_OfPausedAndArchivedDrops(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	s.command(1, pause)
	s.command(2, archive)
	s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`), 409, "paused")
	s.refused(s.post("/api/drops/reserve", `{"dropId":2,"userId":4}`), 409, "archived")
}

func TestReserve_UnderALimitOfOneAnswersWithTheSameReservation(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create",
		`{"name":"one each","price":1,"total_stock":5,"start_time":"2026-01-31T10:00:00Z","limit_per_user":1}`)
	first := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	if again := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`); again != first {
		t.Errorf("got %+v, then %+v", first, again)
	}
}

func TestNumbers_AreReadExactly(t *testing.T) {
	s := newShop(t)
	for given, want := range map[string]string{
		"0": "0", "-0": "0", "0.01": "0.01", "119.90": "119.9", "1e2": "100", "1.5E1": "15", "99999999.99": "99999999.99",
		"0.1e-1": "0.01", "100000e-5": "1", "0e999999999999999999999": "0",
		// Results of calculations in JavaScript, Python and other languages: 1.1*3, 0.1+0.2, 4.35*100/100,
		// 1.1*1.1*100/121, and numbers just as close.
		"3.3000000000000003": "3.3", "0.30000000000000004": "0.3", "4.3499999999999996": "4.35", "119.98999999999999": "119.99", "3.3000000000000003e0": "3.3",
		"33000000000000003e-16": "3.3", "3.300000001": "3.3", "3.299999999": "3.3", "3.3049999999999": "", "5e-17": "0", "-5.5e-17": "0", "1e-400": "0",
		"0.99999999999999989": "1", "0." + strings.Repeat("0", 50_000) + "1": "0",
	} {
		r := s.post("/api/drops/create", `{"name":"n","price":`+given+`,"total_stock":1,"start_time":"2026-01-31T10:00:00Z"}`)
		if want == "" {
			s.refused(r, 422, "invalid")
		} else if !regexp.MustCompile(`"price":` + regexp.QuoteMeta(want) + `,`).MatchString(r.body) {
			t.Errorf("price %s: %s, want %s", given, r.body, want)
		}
	}
	for given, want := range map[string]string{
		"9.5": "9.5", "10": "10", "10.0": "10", "1e1": "10", "42.67": "42.67", "0.5": "0.5", `"10.0"`: "10.0", `"XL"`: "XL", `""`: "", "null": "",
	} {
		r := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3,"size":`+given+`}`)
		if r.Size != want {
			t.Errorf("size %s: %q, want %q", given, r.Size, want)
		}
		mustPost[reservationJSON](s, "/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, r.ID))
	}
	r := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1.0,"userId":1099511627775}`)
	if r.UserID != 1<<40-1 {
		t.Errorf("userId: %+v", r)
	}
}

func TestUnknownMembers_AreIgnored(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody[:len(createBody)-1]+`,"Name":1,"NAME":null,"x":{"y":[`+strings.Repeat("[", 29)+strings.Repeat("]", 29)+`]}}`)
	if d := decoded[[]dropJSON](t, s.list()); d[0].Name != "Air Zenith 1" {
		t.Errorf("got %+v", d)
	}
}

func TestStartTime_IsReadInEverySpellingAndCutToMilliseconds(t *testing.T) {
	s := newShop(t)
	for given, want := range map[string]string{
		"2026-01-31T10:00:00.123999Z": "2026-01-31T10:00:00.123Z", "2026-01-31T10:00:00+05:30": "2026-01-31T04:30:00.000Z",
		"2026-01-31t10:00:00z": "2026-01-31T10:00:00.000Z", "2026-01-31t12:00:00.5+02:00": "2026-01-31T10:00:00.500Z",
		"2016-12-31T23:59:60Z": "2017-01-01T00:00:00.000Z", "1990-12-31T15:59:60-08:00": "1991-01-01T00:00:00.000Z",
		"1970-01-01T00:00:00Z": "1970-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999999Z": "9999-12-31T23:59:59.999Z",
	} {
		r := s.post("/api/drops/create", `{"name":"n","price":1,"total_stock":1,"start_time":"`+given+`"}`)
		if !regexp.MustCompile(`"start_time":"` + regexp.QuoteMeta(want)).MatchString(r.body) {
			t.Errorf("start_time %s: %s, want %s", given, r.body, want)
		}
		later := mustPost[dropJSON](s, "/api/drops/create", `{"name":"n","price":1,"total_stock":1,"start_time":"9998-01-01T00:00:00Z"}`)
		if r := s.ok(s.patch(fmt.Sprintf("/api/drops/%d", later.ID), `{"start_time":"`+given+`"}`)); !strings.Contains(r.body, `"start_time":"`+want) {
			t.Errorf("changed to %s: %s, want %s", given, r.body, want)
		}
	}
}
