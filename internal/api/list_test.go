package api_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func (s *shop) list(header ...string) reply {
	s.Helper()
	req := s.request(http.MethodGet, "/api/drops", "")
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return s.do(req)
}

func unzipped(tb testing.TB, body string) string {
	tb.Helper()
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		tb.Fatal(err)
	}
	return string(plain)
}

func TestList_HasATagPerContentAndVariant(t *testing.T) {
	s := newShop(t)
	for range 10 {
		mustPost[dropJSON](s, "/api/drops/create", createBody)
	}
	plain, packed := s.list(), s.list("Accept-Encoding", "br, gzip;q=0.5")
	tag := plain.header.Get("ETag")
	if len(tag) < 18 || tag[0] != '"' || tag == packed.header.Get("ETag") {
		t.Fatalf("tags %s and %s", tag, packed.header.Get("ETag"))
	}
	if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatal("variants mixed up")
	}
	if len(packed.body) >= len(plain.body) || unzipped(t, packed.body) != plain.body {
		t.Fatal("the variants differ")
	}
	for _, r := range []reply{plain, packed} {
		if !strings.Contains(strings.Join(r.header["Vary"], ","), "Accept-Encoding") || r.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("headers %v", r.header)
		}
	}
	for _, match := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		r := s.list("If-None-Match", match)
		if r.status != http.StatusNotModified || r.body != "" || r.header.Get("ETag") != tag || r.header.Get("Vary") == "" {
			t.Errorf("If-None-Match %s: %+v", match, r)
		}
	}
	if r := s.list("If-None-Match", tag, "Accept-Encoding", "gzip"); r.status != 200 {
		t.Errorf("the plain tag for the gzip variant: %d", r.status)
	}
	if r := s.list("If-None-Match", packed.header.Get("ETag"), "Accept-Encoding", "gzip"); r.status != 304 {
		t.Errorf("the gzip tag: %d", r.status)
	}
	for accept, want := range map[string]string{
		"gzip": "gzip", "*": "gzip", "GZIP": "gzip", "gzip;q=0": "", "gzip; q=0.0, *": "", "br": "", "identity": "", "*;q=0": "", "gzip;q=x": "",
	} {
		if got := s.list("Accept-Encoding", accept).header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %s: %q", accept, got)
		}
	}
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
	if r := s.list("If-None-Match", tag); r.status != 200 || r.header.Get("ETag") == tag {
		t.Errorf("after a change: %d %s", r.status, r.header.Get("ETag"))
	}
}

func TestList_AscendingAndWithoutArchivedDrops(t *testing.T) {
	s := newShop(t)
	for range 3 {
		mustPost[dropJSON](s, "/api/drops/create", createBody)
	}
	s.command(2, archive)
	s.refused(s.post("/api/drops/reserve", `{"dropId":2,"userId":1}`), 409, "archived") // now the engine sees it
	drops := decoded[[]dropJSON](t, s.list())
	if len(drops) != 2 || drops[0].ID != 1 || drops[1].ID != 3 {
		t.Errorf("got %+v", drops)
	}
}

// TestList_ShowsACallerItsOwnWrite: the list that a buyer reads after a reserve is at least as new as the
// reservation.
func TestList_ShowsACallerItsOwnWrite(t *testing.T) {
	s := newShop(t)
	const buyers, rounds = 50, 10
	mustPost[dropJSON](s, "/api/drops/create",
		fmt.Sprintf(`{"name":"n","price":1,"total_stock":%d,"start_time":"2026-01-31T10:00:00Z"}`, buyers*rounds))
	var wg sync.WaitGroup
	for buyer := 1; buyer <= buyers; buyer++ {
		wg.Go(func() {
			for range rounds {
				made := s.post("/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, buyer))
				var header []string
				if buyer%2 == 0 {
					header = []string{"Accept-Encoding", "gzip"}
				}
				body := s.list(header...).body
				n := decoded[reservationJSON](t, made).ID & (1<<32 - 1) // the drop's n-th reservation
				if left := decoded[[]dropJSON](t, reply{body: body})[0].AvailableStock; left > buyers*rounds-n {
					t.Errorf("after reservation %d the list says %d", n, left)
				}
			}
		})
	}
	wg.Wait()
	if left := decoded[[]dropJSON](t, s.list())[0].AvailableStock; left != 0 {
		t.Errorf("left %d", left)
	}
}

func TestReserve_FiftyUnitsForFourHundredBuyers(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"n","price":1,"total_stock":50,"start_time":"2026-01-31T10:00:00Z"}`)
	var mu sync.Mutex
	ids, statuses := map[int64]bool{}, map[int]int{}
	var wg sync.WaitGroup
	for buyer := 1; buyer <= 400; buyer++ {
		wg.Go(func() {
			r := s.post("/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, buyer))
			mu.Lock()
			defer mu.Unlock()
			statuses[r.status]++
			if r.status == 200 {
				ids[decoded[reservationJSON](t, r).ID] = true
			}
		})
	}
	wg.Wait()
	if len(ids) != 50 || statuses[200] != 50 || statuses[409] != 350 {
		t.Errorf("%d ids, statuses %v", len(ids), statuses)
	}
}
