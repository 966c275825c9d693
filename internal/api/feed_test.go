package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/testing/await"
)

type eventJSON struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	At      string         `json:"at"`
	DropID  int64          `json:"dropId"`
	Seq     int64          `json:"seq"`
	Version int64          `json:"version"`
	Data    map[string]any `json:"data"`
}

type feedJSON struct {
	Events []eventJSON `json:"events"`
	Next   string      `json:"next"`
}

func (s *shop) feed(query string) feedJSON {
	s.Helper()
	return decoded[feedJSON](s, s.ok(s.get("/api/events"+query)))
}

func ids(f feedJSON) (found []string) {
	for _, e := range f.Events {
		found = append(found, e.ID)
	}
	return found
}

// sold makes two drops, and sells a pair of the first one.
func sold(s *shop) {
	s.Helper()
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	r := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userName":"Ann","email":"ann@example.com"}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, r.ID)))
}

func TestFeed_GivesWhatIsAskedFor(t *testing.T) {
	s := newShop(t)
	sold(s)
	all := s.feed("")
	if got := ids(all); len(got) != 4 || !slices.Contains(got, "2-1") {
		t.Fatalf("%v", got)
	}
	last := all.Events[slices.Index(ids(all), "1-3")]
	if last.Type != "purchase.completed" || last.ID != "1-3" || last.Seq != 3 || last.Version != 3 || last.Data["email"] != "ann@example.com" || last.Data["price"] != 119.99 || last.Data["currency"] != "USD" {
		t.Errorf("%+v", last)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000Z", last.At); err != nil {
		t.Error(err)
	}
	d := s.document()
	d.validate(t, d.Paths["/api/events"]["get"].Responses["200"].Content["application/json"].Schema, []byte(s.get("/api/events").body))
	for query, want := range map[string][]string{
		"?type=purchase.completed":                            {"1-3"},
		"?type=purchase.completed,hold.created":               {"1-2", "1-3"},
		"?type=purchase.completed&type=hold.created&drop=1,2": {"1-2", "1-3"},
		"?drop=2":                              {"2-1"},
		"?drop=1&drop=1&type=drop.created":     {"1-1"},
		"?type=hold.expired":                   nil,
		"?after=now":                           nil,
		"?limit=1000&type=hold.created&wait=0": {"1-2"},
		"?after=" + all.Next:                   nil,
		"?after=" + s.feed("?drop=1&limit=2").Next + "&drop=1": {"1-3"},
	} {
		if strings.HasPrefix(query, "?after=now") { // its millisecond is still in it
			await.Until(t, "a later millisecond begins", func() bool { return len(s.feed(query).Events) == 0 })
		}
		if f := s.feed(query); !slices.Equal(ids(f), want) || f.Next == "" {
			t.Errorf("%s: %v %q, want %v", query, ids(f), f.Next, want)
		}
	}
	if r := s.get("/api/events/?type=hold.expired"); !strings.HasPrefix(r.body, `{"events":[],"next":"`) {
		t.Error(r.body)
	}
	next, got := "", []string(nil) // page by page
	for range 4 {
		f := s.feed("?limit=1" + next)
		got, next = append(got, ids(f)...), "&after="+f.Next
	}
	if slices.Sort(got); !slices.Equal(got, []string{"1-1", "1-2", "1-3", "2-1"}) {
		t.Errorf("%v", got)
	}
}

func TestFeed_RefusesWhatItCannotRead(t *testing.T) {
	s := newShop(t)
	sold(s)
	good := s.feed("").Next
	changed := "_"
	if strings.HasSuffix(good, changed) {
		changed = "-"
	}
	bad := map[string][]string{
		"after": {"00", "5", "NOW", "now ", "null", good[1:], good + "A", good[:len(good)-1] + changed, strings.ToUpper(good), strings.Repeat("A", 20_000), "\x00", "é"},
		"limit": {"", "0", "-1", "1001", "x", "1.0", "01"},
		"type":  {"", "purchase", "PURCHASE.COMPLETED", "purchase.completed,", ",", "webhook.test", "purchase.completed, hold.created"},
		"drop":  {"", "0", "-1", "x", "1,", "1, 2", "01", "1.0", "2097152", "99999999999999999999", strings.Repeat("1,", 3) + "x"},
		"wait":  {"", "-1", "61", "61s", "1ss", "s", "0.5", "x"},
	}
	for name, values := range bad {
		for _, v := range values {
			r := s.get("/api/events?" + name + "=" + url.QueryEscape(v))
			if e := s.refused(r, http.StatusUnprocessableEntity, "invalid"); e.Field != name {
				t.Errorf("%s=%q: %+v", name, v, e)
			}
		}
	}
	var many []string
	for n := range 101 {
		many = append(many, strconv.Itoa(n+1))
	}
	s.refused(s.get("/api/events?drop="+strings.Join(many, ",")), http.StatusUnprocessableEntity, "invalid")
	s.refused(s.get("/api/events?after="+good+"&after="+good), http.StatusUnprocessableEntity, "invalid")
	s.refused(s.get("/api/events?drop=1,3&wait=60"), http.StatusNotFound, "drop_not_found")
}

// A call that waits is answered by the event that it waits for, and only by that.
func TestFeed_WaitsForAnEvent(t *testing.T) {
	s := newShop(t)
	sold(s)
	next := s.feed("").Next
	answers := make(chan feedJSON, 1)
	go func() { answers <- s.feed("?wait=60&type=drop.updated&drop=2&after=" + next) }()
	await.Until(t, "the call waits", func() bool { return s.waiting() == 1 })
	s.ok(s.post("/api/drops/1/pause", "")) // not what it waits for
	s.ok(s.post("/api/drops/2/pause", ""))
	if f := <-answers; !slices.Equal(ids(f), []string{"2-2"}) || f.Events[0].Data["paused"] != true {
		t.Errorf("%+v", f)
	}
	if n := s.waiting(); n != 0 {
		t.Errorf("%d calls wait", n)
	}
	began := time.Now()
	if f := s.feed("?wait=1&after=" + s.feed("").Next); len(f.Events) != 0 || time.Since(began) < time.Second {
		t.Errorf("%+v after %s", f, time.Since(began))
	}
}

// waiting returns how many calls wait for events, as the metrics say.
func (s *shop) waiting() (n int) {
	s.Helper()
	_, after, _ := strings.Cut(s.get("/metrics").body, "\nsneakerdrop_event_waits ")
	if _, err := fmt.Sscan(after, &n); err != nil {
		s.Fatal(err)
	}
	return n
}

// A client that disconnects while it waits leaves nothing behind, and a server that stops answers at once.
func TestFeed_WaitsEndWithTheClientAndTheServer(t *testing.T) {
	stopping := make(chan struct{})
	s := newShop(t, func(c *api.Config) { c.Stopping = stopping })
	sold(s)
	path := "/api/events?wait=60&after=" + s.feed("").Next
	var all sync.WaitGroup
	ctx, leave := context.WithCancel(t.Context())
	for range 5 {
		all.Go(func() {
			if res, err := s.client.Do(s.request(http.MethodGet, path, "").WithContext(ctx)); err == nil {
				_ = res.Body.Close()
				t.Error("a call was answered without an event")
			}
		})
	}
	await.Until(t, "the calls wait", func() bool { return s.waiting() == 5 })
	leave()
	all.Wait()
	await.Until(t, "no call waits", func() bool { return s.waiting() == 0 })
	for range 5 {
		all.Go(func() {
			if f := decoded[feedJSON](s, s.ok(s.get(path))); len(f.Events) != 0 || f.Next == "" {
				t.Errorf("%+v", f)
			}
		})
	}
	await.Until(t, "the calls wait", func() bool { return s.waiting() == 5 })
	close(stopping)
	all.Wait()
	if f := decoded[feedJSON](s, s.ok(s.get(path))); len(f.Events) != 0 {
		t.Errorf("%+v", f)
	}
}
