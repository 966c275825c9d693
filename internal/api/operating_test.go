package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sneakerdrop/internal/testing/await"
)

func (s *shop) patch(path, body string) reply {
	s.Helper()
	return s.do(s.request(http.MethodPatch, path, body))
}

const (
	laterBody = `{"name":"later","price":10,"total_stock":2,"start_time":"9998-01-31T10:00:00Z","image_url":"/a.jpg","limit_per_user":2}`
	laterDrop = `{"id":1,"name":"later","price":10,"total_stock":2,"available_stock":2,"start_time":"9998-01-31T10:00:00.000Z",` +
		`"image_url":"/a.jpg","limit_per_user":2,"paused":false,"version":1,"purchases":[],"Purchases":[]}`
)

func TestEdit_ChangesWhatItNames(t *testing.T) {
	s := newShop(t)
	s.answers(s.post("/api/drops/create", laterBody), laterDrop)
	version, want := 1, laterDrop
	for _, c := range []struct{ body, was, is string }{
		{`{}`, "", ""},
		{`{"x":1,"Name":"no"}`, "", ""},
		{`{"name":"later","price":10.00,"limit_per_user":2}`, "", ""}, // unchanged
		{`{"name":"Neu \u00e9"}`, `"name":"later"`, `"name":"Neu é"`},
		{`{"price":9.99}`, `"price":10`, `"price":9.99`},
		{`{"start_time":"9997-01-31T10:00:00+01:00"}`, `9998-01-31T10:00:00.000Z`, `9997-01-31T09:00:00.000Z`},
		{`{"image_url":null}`, `"image_url":"/a.jpg"`, `"image_url":null`},
		{`{"image_url":"https://a.example/b"}`, `"image_url":null`, `"image_url":"https://a.example/b"`},
		{`{"limit_per_user":null}`, `"limit_per_user":2`, `"limit_per_user":null`},
		{`{"limit_per_user":1000}`, `"limit_per_user":null`, `"limit_per_user":1000`},
		{`{"max_expired_holds":100}`, `"limit_per_user":1000`, `"limit_per_user":1000,"max_expired_holds":100`},
		{`{"max_expired_holds":null}`, `,"max_expired_holds":100`, ``},
		{`{"limit_per_user":0}`, `"limit_per_user":1000`, `"limit_per_user":null`},
	} {
		if c.was != "" {
			version++
			want = strings.Replace(want, c.was, c.is, 1)
			want = strings.Replace(want, fmt.Sprintf(`"version":%d`, version-1), fmt.Sprintf(`"version":%d`, version), 1)
		}
		s.answers(s.patch("/api/drops/1", c.body), want)
		s.answers(s.get("/api/drops/1"), want)
		s.answers(s.list(), "["+want+"]")
	}
}

func TestEdit_WhatIsFixed(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody) // started
	s.ok(s.patch("/api/drops/1", `{"price":5}`))
	fixed := func(field, body string) {
		t.Helper()
		before := s.get("/api/drops/1").body
		e := s.refused(s.patch("/api/drops/1", body), 409, "fixed")
		if e.Field != field || !strings.HasPrefix(e.Error, field+" is fixed once ") {
			t.Errorf("%s: %+v", body, e)
		}
		if after := s.get("/api/drops/1").body; after != before {
			t.Errorf("%s changed something: %s", body, after)
		}
	}
	fixed("start_time", `{"start_time":"9998-01-31T10:00:00Z"}`)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	fixed("price", `{"price":6,"name":"not this either"}`)
	s.ok(s.patch("/api/drops/1", `{"price":5,"start_time":"2026-01-31T10:00:00Z"}`)) // as they are
	mustPost[reservationJSON](s, "/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, held.ID))
	s.ok(s.patch("/api/drops/1", `{"price":6}`))
	sold := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, sold.ID)))
	fixed("price", `{"price":7}`)
	s.ok(s.patch("/api/drops/1", `{"name":"x","image_url":"/b.jpg","limit_per_user":1}`))
	if e := s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":3}`), 409, "limit_reached"); e.Limit != 1 || e.Used != 1 {
		t.Errorf("under the new limit: %+v", e)
	}
}

func TestEdit_NullIsForWhatMayBeAbsent(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", laterBody)
	for _, field := range []string{"name", "price", "start_time", "hidden", "archived"} {
		if e := s.refused(s.patch("/api/drops/1", `{"`+field+`":null}`), 422, "invalid"); e.Field != field {
			t.Errorf("%s: %+v", field, e)
		}
	}
	if e := s.refused(s.patch("/api/drops/1", `{"hidden":1}`), 422, "invalid"); e.Error != "hidden must be true or false" {
		t.Errorf("got %+v", e)
	}
	s.answers(s.get("/api/drops/1"), laterDrop)
	s.refused(s.patch("/api/drops/2", `{}`), 404, "drop_not_found")
}

func TestHiddenAndArchived_LeaveTheListAndComeBack(t *testing.T) {
	s := newShop(t)
	for range 3 {
		mustPost[dropJSON](s, "/api/drops/create", createBody)
	}
	listed := func() (ids []int64) {
		for _, d := range decoded[[]dropJSON](t, s.list()) {
			ids = append(ids, d.ID)
		}
		return ids
	}
	for _, word := range []string{"hidden", "archived"} {
		tag := s.list().header.Get("ETag")
		shown := s.ok(s.patch("/api/drops/2", `{"`+word+`":true}`))
		if !strings.Contains(shown.body, `"`+word+`":true`) || s.get("/api/drops/2").body != shown.body {
			t.Errorf("%s: %s", word, shown.body)
		}
		if r := s.list("If-None-Match", tag); r.status != 200 || strings.Contains(r.body, word) || fmt.Sprint(listed()) != "[1 3]" {
			t.Errorf("%s: the list is %d %s", word, r.status, r.body)
		}
		r := s.post("/api/drops/reserve", `{"dropId":2,"userId":3}`)
		if word == "hidden" {
			s.ok(r)
		} else {
			s.refused(r, 409, "archived")
		}
		if back := s.ok(s.patch("/api/drops/2", `{"`+word+`":false}`)); strings.Contains(back.body, word) || fmt.Sprint(listed()) != "[1 2 3]" {
			t.Errorf("%s and back: %s, list %v", word, back.body, listed())
		}
		s.ok(s.post("/api/drops/reserve", `{"dropId":2,"userId":3}`))
	}
}

func TestRestock(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody) // 5 units
	mustPost[dropJSON](s, "/api/drops/create", sizedBody)
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	for _, c := range []struct {
		body             string
		total, available int64
	}{{`{"add":3}`, 8, 7}, {`{"add":-7}`, 1, 0}, {`{"add":9999999}`, 10_000_000, 9_999_999}, {`{"add":-9999999,"size":null}`, 1, 0}} {
		d := decoded[dropJSON](t, s.ok(s.post("/api/drops/1/restock", c.body)))
		if d.TotalStock != c.total || d.AvailableStock != c.available {
			t.Errorf("%s: %+v", c.body, d)
		}
	}
	s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`), 409, "out_of_stock")
	for _, add := range []string{"-1", "-9223372036854775808", "-1e400"} {
		if e := s.refused(s.post("/api/drops/1/restock", `{"add":`+add+`}`), 409, "stock_in_use"); e.Available == nil || *e.Available != 0 {
			t.Errorf("add %s: %+v", add, e)
		}
	}
	s.ok(s.post("/api/drops/1/restock", `{"add":2}`))
	if e := s.refused(s.post("/api/drops/1/restock", `{"add":-3}`), 409, "stock_in_use"); e.Available == nil || *e.Available != 2 {
		t.Errorf("got %+v", e)
	}
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":4}`)
	for _, add := range []string{"0", "10000001", "9999998", "1e400"} {
		if e := s.refused(s.post("/api/drops/1/restock", `{"add":`+add+`}`), 422, "invalid"); e.Field != "add" {
			t.Errorf("add %s: %+v", add, e)
		}
	}
	s.refused(s.post("/api/drops/2/restock", `{"add":1}`), 422, "size_required")
	s.refused(s.post("/api/drops/2/restock", `{"add":1,"size":"12"}`), 404, "size_not_found")
	if r := s.ok(s.post("/api/drops/2/restock", `{"add":4,"size":9.50}`)); !strings.Contains(r.body, `{"size":"9.5","total_stock":6,"available_stock":6}`) {
		t.Error(r.body)
	}
	s.refused(s.post("/api/drops/3/restock", `{"add":1}`), 404, "drop_not_found")
}

func TestPauseAndResume(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	paused := s.ok(s.post("/api/drops/1/pause", ""))
	if !strings.Contains(paused.body, `"paused":true`) || s.get("/api/drops/1").body != paused.body {
		t.Error(paused.body)
	}
	if again := s.ok(s.post("/api/drops/1/pause", "")); again.body != paused.body {
		t.Errorf("a second pause: %s", again.body)
	}
	s.refused(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`), 409, "paused")
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID)))
	if r := s.ok(s.post("/api/drops/1/resume", "")); !strings.Contains(r.body, `"paused":false`) || !strings.Contains(r.body, `"username":"Unknown"`) {
		t.Error(r.body)
	}
	s.ok(s.post("/api/drops/reserve", `{"dropId":1,"userId":4}`))
	for _, path := range []string{"/api/drops/2/pause", "/api/drops/2/resume", "/api/drops/0/pause"} {
		s.refused(s.post(path, ""), 404, "drop_not_found")
	}
}

func TestPause_NeedsNoBody(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for _, body := range []string{"", "{}", " {} ", `{"reason":"x"}`} {
		for _, chunked := range []bool{false, true} {
			req := s.request(http.MethodPost, "/api/drops/1/pause", body)
			if chunked {
				req.Body, req.ContentLength = io.NopCloser(strings.NewReader(body)), -1
			}
			if r := s.do(req); r.status != http.StatusOK {
				t.Errorf("%q, chunked %t: %d %s", body, chunked, r.status, r.body)
			}
		}
	}
	req := s.request(http.MethodPost, "/api/drops/1/pause", "{}")
	req.Header.Set("Content-Type", "text/plain")
	s.refused(s.do(req), 415, "unsupported_media_type")
}

func TestLog_HasOneLineForEachOperatorCallAndNoneForBuyers(t *testing.T) {
	s := newShop(t)
	calls := []struct{ method, path, body, call, drop, outcome string }{
		{"POST", "/api/drops/create", createBody, "create-drop", "1", "ok"},
		{"POST", "/api/drops/create", `{}`, "create-drop", "0", "invalid"},
		{"PATCH", "/api/drops/1", `{"name":"x"}`, "edit-drop", "1", "ok"},
		{"PATCH", "/api/drops/1", `{"start_time":"9998-01-31T10:00:00Z"}`, "edit-drop", "1", "fixed"},
		{"POST", "/api/drops/1/restock", `{"add":-9}`, "restock", "1", "stock_in_use"},
		{"POST", "/api/drops/1/pause", "", "pause", "1", "ok"},
		{"POST", "/api/drops/1/resume", "", "resume", "1", "ok"},
		{"POST", "/api/drops/7/resume", "", "resume", "7", "drop_not_found"},
		{"GET", "/api/drops/1/purchases", "", "list-purchases", "1", "ok"},
		{"GET", "/api/drops/1/purchases?format=csv", "", "list-purchases", "1", "ok"},
		{"GET", "/api/drops/1/ledger?after=x", "", "list-ledger", "1", "invalid"},
		{"POST", "/api/drops/reserve", `{"dropId":1,"userId":3}`, "", "", ""},
		{"POST", "/api/drops/reserve", `{"dropId":8,"userId":3}`, "", "", ""},
		{"POST", "/api/drops/purchase", `{"reservationId":4294967297}`, "", "", ""},
		{"POST", "/api/purchases/4294967297/return", `{"restock":true}`, "return-purchase", "1", "ok"},
		{"POST", "/api/purchases/4294967297/return", `{"restock":false}`, "return-purchase", "1", "already_returned"},
		{"POST", "/api/purchases/8589934593/return", `{"restock":false}`, "return-purchase", "2", "purchase_not_found"},
		{"GET", "/api/drops", "", "", "", ""},
	}
	for i, c := range calls {
		before := len(s.log.String())
		req := s.request(c.method, c.path, c.body)
		id := fmt.Sprintf("call-%d", i)
		req.Header.Set("X-Request-Id", id)
		s.do(req)
		if c.call == "" {
			continue
		}
		want := fmt.Sprintf(`"call":"%s","drop":%s,"outcome":"%s","from":"127.0.0.1:`, c.call, c.drop, c.outcome)
		var line string
		await.Until(t, "it is in the log", func() bool { // an export's log line is written after its last byte was sent
			line = s.log.String()[before:]
			return strings.HasSuffix(line, "\n")
		})
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, want) || !strings.Contains(line, `"request":"`+id+`"`) {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, line, want)
		}
	}
	if log := s.log.String(); strings.Contains(log, "reserve") || strings.Contains(log, "/api/drops\"") {
		t.Errorf("buyers' requests are in the log: %s", log)
	}
}
