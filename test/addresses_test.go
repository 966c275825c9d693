package test

import (
	"net/http"
	"testing"
)

// One customer has a network of 64 bits: its addresses together have as many sockets and event streams as one.
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
