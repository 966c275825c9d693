//go:build linux

package test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/receiver"
	"sneakerdrop/internal/testing/stores"
)

// endpoint is the answer to the creation of a webhook.
type endpoint struct {
	ID     int64  `json:"id"`
	Secret string `json:"secret"`
}

func createWebhook(t *testing.T, server, to string) (e endpoint) {
	t.Helper()
	answer := post(t, server+"/api/webhooks", fmt.Sprintf(`{"url":%q,"types":["purchase.completed"]}`, to))
	body, _ := strings.CutPrefix(answer, "200 ")
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.ID == 0 || e.Secret == "" {
		t.Fatalf("the new webhook is answered %s: %v", body, err)
	}
	return e
}

// buyOne reserves and buys a unit.
func buyOne(t *testing.T, server string, drop, user int64) {
	t.Helper()
	held := id(t, post(t, server+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, drop, user)))
	post(t, server+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held))
}

// arrivals returns a function that waits until so many messages have arrived.
func arrivals(t *testing.T, count func() int) func(n int) {
	return func(n int) {
		t.Helper()
		if err := poll(t.Context(), func() error {
			if got := count(); got < n {
				return fmt.Errorf("%d messages arrived, want %d", got, n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

const plentyOfStock = `{"name":"Comet","price":119.99,"total_stock":1000,"start_time":"2020-01-01T00:00:00Z"}`

// A receiver that checks signatures with another implementation of Standard Webhooks accepts every message: before a
// rotation, after it with the old secret and with the new one.
func TestWebhooks_AnotherImplementationVerifies(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--addr="+pgtest.Loopback()+":0", "--webhook-allow-private")
	drop := id(t, post(t, s.url+"/api/drops/create", plentyOfStock))
	to := receiver.Node(t, "whsec_"+"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") // until the right one is known
	hook := createWebhook(t, s.url, to.URL)
	to.Secret(hook.Secret)
	arrived := arrivals(t, func() int { return len(to.Messages()) })
	buyOne(t, s.url, drop, 1)
	arrived(1)
	at := s.url + "/api/webhooks/" + strconv.FormatInt(hook.ID, 10)
	var rotated endpoint
	if err := json.Unmarshal([]byte(strings.TrimPrefix(post(t, at+"/rotate", "{}"), "200 ")), &rotated); err != nil || rotated.Secret == "" || rotated.Secret == hook.Secret {
		t.Fatalf("rotated to %+v: %v", rotated, err)
	}
	post(t, at+"/test", "{}") // at once with both secrets
	arrived(2)
	buyOne(t, s.url, drop, 2)
	arrived(3)
	to.Secret(rotated.Secret)
	post(t, at+"/test", "{}")
	buyOne(t, s.url, drop, 3)
	arrived(5)
	types := make(map[string]int)
	for _, m := range to.Messages() {
		types[m.Type]++
		if !m.OK {
			t.Errorf("message %+v is not accepted", m)
		}
	}
	if types["purchase.completed"] != 3 || types["webhook.test"] != 2 {
		t.Errorf("messages %v", types)
	}
}

// The primary dies or freezes, and a standby takes over. The feed and a webhook have every purchase that is stored,
// in the order of its drop.
func TestFault_FailoverLosesNoEvent(t *testing.T) {
	t.Parallel()
	s := newStandbys(t, seedOf(t), "--webhook-allow-private")
	to := receiver.Go(t)
	hook := createWebhook(t, *s.tr.url.Load(), to.URL)
	to.Secret(hook.Secret)
	feed := client.ReadPurchases(t.Context(), s.tr.client, func() string { return *s.tr.url.Load() })
	defer feed.End()
	s.suffer(
		fault{name: "primary killed", last: 300 * time.Millisecond, strike: func() func() {
			must(t, s.primary.Kill())
			return s.takeOver
		}},
		fault{name: "primary frozen, and overtaken", strike: func() func() {
			s.primary.Freeze()
			return s.takeOver
		}},
	)
	s.tr.pause()
	want := make(map[int64]int)
	for _, row := range stores.Query(t, s.primary.URL(), `SELECT drop_id::text, count(*)::text FROM sneakerdrop.purchases GROUP BY drop_id`) {
		drop, _ := strconv.ParseInt(row[0], 10, 64)
		want[drop], _ = strconv.Atoi(row[1])
	}
	if len(want) < 3 {
		t.Fatalf("purchases of drops %v only", want)
	}
	got := func() map[int64]int {
		n := make(map[int64]int)
		for drop, messages := range receiver.First(to.Messages(), "purchase.completed") {
			n[drop] = len(messages)
		}
		return n
	}
	if err := poll(t.Context(), func() error {
		for drop, n := range want {
			if have := got()[drop]; have < n {
				return fmt.Errorf("%d purchases of drop %d arrived, want %d", have, drop, n)
			}
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	to.Check()
	if err := poll(t.Context(), func() error { return feed.Are(want) }); err != nil {
		t.Error(err)
	}
	t.Log(s.tr.report())
}

// Of two servers one delivers. If it is killed, the other takes over: within 10 seconds, as the lease says, but the
// test does not measure time. Nothing is lost.
func TestWebhooks_AnotherServerTakesOver(t *testing.T) {
	t.Parallel()
	database := pgtest.Migrated(t)
	args := []string{"--addr=" + pgtest.Loopback() + ":0", "--database=" + database, "--webhook-allow-private"}
	first := startFor(t, t.TempDir(), args...)
	drop := id(t, post(t, first.url+"/api/drops/create", plentyOfStock))
	to := receiver.Go(t)
	hook := createWebhook(t, first.url, to.URL)
	to.Secret(hook.Secret)
	arrived := arrivals(t, func() int { return len(receiver.First(to.Messages(), "")[drop]) })
	buyOne(t, first.url, drop, 1)
	arrived(1)
	second := startFor(t, t.TempDir(), args...)
	for user := range int64(5) {
		buyOne(t, second.url, drop, 10+user)
	}
	arrived(6)
	if _, err := first.stop(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for user := range int64(5) {
		buyOne(t, second.url, drop, 20+user)
	}
	arrived(11)
	to.Check()
}
