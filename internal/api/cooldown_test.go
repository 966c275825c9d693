package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestReserve_CooldownSaysWhenToComeAgain(t *testing.T) {
	s := newShop(t)
	created := s.post("/api/drops/create",
		`{"name":"one each","price":1,"total_stock":5,"start_time":"2026-01-31T10:00:00Z","max_expired_holds":1}`)
	if !strings.Contains(created.body, `"limit_per_user":null,"max_expired_holds":1,`) {
		t.Fatalf("created %s", created.body)
	}
	const reserve = `{"dropId":1,"userId":3}`
	s.ok(s.post("/api/drops/reserve", reserve))
	s.ok(s.post("/api/drops/cancel", `{"reservationId":4294967297}`))
	s.ahead.Add((200 * time.Millisecond).Milliseconds())
	r := s.post("/api/drops/reserve", reserve)
	var problem struct {
		Code    string
		RetryAt time.Time `json:"retry_at"`
		RetryIn int64     `json:"retry_in_ms"`
	}
	if err := json.Unmarshal([]byte(r.body), &problem); err != nil {
		t.Fatal(err)
	}
	if r.status != http.StatusTooManyRequests || problem.Code != "cooldown" || r.header.Get("Retry-After") != "60" ||
		problem.RetryIn <= 50_000 || problem.RetryIn > 59_800 || problem.RetryAt.IsZero() {
		t.Fatalf("got %d %v %s", r.status, r.header, r.body)
	}
	s.ok(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`))
	s.ahead.Add(problem.RetryIn)
	s.ok(s.post("/api/drops/reserve", reserve))
}
