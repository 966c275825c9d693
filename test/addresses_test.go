package test

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// One client cannot lock out all others, neither with socket sessions over one connection nor with event streams.
func TestAddresses_OneClientLeavesRoomForOthers(t *testing.T) {
	s := startFor(t, t.TempDir())
	get := func(c *http.Client, path string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode
	}
	const handshake, allowed = "/socket.io/?EIO=4&transport=polling", 1_000
	greedy, opened := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}, 0
	began := time.Now()
	for range allowed + 500 {
		switch status := get(greedy, handshake); status {
		case http.StatusOK:
			opened++
		case http.StatusTooManyRequests:
		default:
			t.Fatalf("status %d", status)
		}
	}
	// A session that nobody polls makes room after 10 s, and a busy machine may take that long.
	if most := allowed * (1 + int(time.Since(began)/(10*time.Second))); opened == 0 || opened > most {
		t.Errorf("one address opened %d sessions", opened)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	other := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	if status := get(other, handshake); status != http.StatusOK {
		t.Errorf("another address: %d", status)
	}
}

// One customer has a network of 64 bits: its addresses together have as many sockets and event streams as one
// address.
func TestAddresses_OneNetworkCountsOnce(t *testing.T) {
	s := startFor(t, t.TempDir(), "--max-sockets-per-address=1", "--trusted-proxy=127.0.0.0/8", "--trusted-proxy=::1")
	for _, path := range []string{"/socket.io/?EIO=4&transport=polling", "/api/drops/events"} {
		for _, c := range []struct {
			from string
			ok   bool
		}{{"2001:db8:0:1::1", true}, {"2001:db8:0:1:ffff::2", false}, {"2001:db8:0:2::1", true}, {"192.0.2.1", true}, {"192.0.2.1", false}} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Forwarded-For", c.from)
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if (resp.StatusCode == http.StatusOK) != c.ok {
				t.Errorf("%s from %s: %s", path, c.from, resp.Status)
			}
		}
	}
}
