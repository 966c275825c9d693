//go:build soak

package test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/tokens"
)

const soakSecret = "0123456789abcdef0123456789abcdef"

// guardedServer is a shop in which buyers sign in, with limits, and a drop with enough for everybody.
func guardedServer(t *testing.T) *server {
	t.Helper()
	s, call := signInServer(t, soakSecret, "--address-limits=read=2000/4000,buy=2000/4000,operate=50/50", "--buyer-limits=buy=20/40")
	call("", "/api/drops/create", `{"name":"Air","price":1,"total_stock":1000000,"start_time":"2026-01-01T00:00:00Z"}`)
	return s
}

// buyers reserve once each at a steady rate until stop. Latency counts from the moment at which a call was due.
func buyers(t *testing.T, s *server, first int, stop <-chan struct{}) (p99 time.Duration, failed []string, calls int) {
	t.Helper()
	const every = 5 * time.Millisecond
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer client.CloseIdleConnections()
	var (
		mu    sync.Mutex
		all   sync.WaitGroup
		took  []time.Duration
		began = time.Now()
	)
	exp := began.Add(time.Hour).Unix()
	for n := 0; ; n++ {
		due := began.Add(time.Duration(n) * every)
		select {
		case <-stop:
			all.Wait()
			slices.Sort(took)
			return took[len(took)*99/100], failed, len(took)
		case <-time.After(time.Until(due)):
		}
		token := tokens.HS256(soakSecret, fmt.Sprintf(`{"sub":"buyer %d","aud":"shop","exp":%d}`, first+n, exp))
		all.Go(func() {
			status, answer := callAs(t.Context(), client, s.url, "/api/drops/reserve", token, `{"dropId":1}`)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, time.Since(due))
			if status != http.StatusOK {
				failed = append(failed, fmt.Sprint(status, " ", answer))
			}
		})
	}
}

// under measures what buyers see during an attack.
func under(t *testing.T, s *server, name string, first int, attack func()) time.Duration {
	t.Helper()
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		attack()
	}()
	p99, failed, calls := buyers(t, s, first, stop)
	t.Logf("%-12s %5d reserves, p99 %s, %d failed", name, calls, p99.Round(10*time.Microsecond), len(failed))
	if len(failed) > 0 {
		t.Errorf("%s: buyers were turned away: %d, such as %s", name, len(failed), failed[0])
	}
	return p99
}

const attackTime = 12 * time.Second

// Slow clients, and floods of refused calls, do not keep buyers from buying.
func TestSoak_SlowClientsAndFloods(t *testing.T) {
	if _, err := exec.LookPath("slowhttptest"); err != nil {
		t.Fatal("slowhttptest is missing: make soak installs it (Debian: apt-get install slowhttptest)")
	}
	s := guardedServer(t)
	quiet := under(t, s, "quiet", 1_000_000, func() { time.Sleep(attackTime) })
	bound := max(10*quiet, 100*time.Millisecond)
	slow := func(args ...string) func() {
		return func() {
			// The attack ends when the server has cut all its connections; then it begins again.
			args = append(args, "-c", "1000", "-r", "500", "-i", "3", "-l", strconv.Itoa(int(attackTime.Seconds())))
			for end := time.Now().Add(attackTime); time.Now().Before(end); {
				if out, err := exec.Command("slowhttptest", args...).CombinedOutput(); err != nil {
					t.Errorf("slowhttptest: %v: %s", err, out)
					return
				}
			}
		}
	}
	for i, a := range []struct {
		name   string
		attack func()
	}{
		{"slow headers", slow("-H", "-u", s.url+"/api/drops")},
		{"slow bodies", slow("-B", "-u", s.url+"/api/drops/reserve", "-f", "application/json")},
		{"slow readers", slow("-X", "-u", s.url+"/docs", "-k", "3", "-n", "3", "-w", "512", "-y", "1024", "-z", "32")},
		{"flood", func() { flood(t, s) }},
	} {
		if p99 := under(t, s, a.name, (i+2)*1_000_000, a.attack); p99 > bound {
			t.Errorf("%s: p99 %s, quiet %s", a.name, p99, quiet)
		}
	}
	if err := poll(t.Context(), func() error { // the flood's address is over its limit for a moment
		if _, body := get(t, s.url+"/api/drops/1"); !strings.Contains(body, `"total_stock":1000000`) || !strings.Contains(body, `"paused":false`) {
			return fmt.Errorf("the drop afterwards: %s", body)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// flood sends calls that the server refuses, as fast as it can, over 16 connections from one address. They have
// invalid tokens, also of operators, or bodies that are not JSON. It reads the list too.
func flood(t *testing.T, s *server) {
	ctx, cancel := context.WithTimeout(t.Context(), attackTime)
	defer cancel()
	var all sync.WaitGroup
	var calls, limited atomic.Int64
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	for i := range 16 {
		all.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				path, token, body := "/api/drops", "", ""
				switch (i + n) % 4 {
				case 1:
					path, token, body = "/api/drops/1/pause", "sdo_"+strings.Repeat("a", 43), "{}"
				case 2:
					path, token, body = "/api/drops/1/restock", tokens.HS256("another-secret-another-secret-an", `{"sub":"x"}`), `{"add":1}`
				case 3:
					path = "/metrics"
				}
				status, _ := callAs(ctx, client, s.url, path, token, body)
				calls.Add(1)
				if status == http.StatusTooManyRequests {
					limited.Add(1)
				}
			}
		})
	}
	all.Wait()
	t.Logf("flood: %d calls, %d of them over the limit", calls.Load(), limited.Load())
}
