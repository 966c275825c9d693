package test

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

// A client that fills a server with silent connections locks out neither probes nor buyers.
func TestConnections_ThatSayNothingKeepNobodyOut(t *testing.T) {
	const most = 20
	for _, bound := range []int{most, most / 2} {
		s := startFor(t, t.TempDir(), fmt.Sprintf("--max-connections=%d", most), fmt.Sprintf("--max-connections-per-address=%d", bound))
		address := strings.TrimPrefix(s.url, "http://")
		for range 5 * most {
			c, err := net.Dial("tcp", address)
			if err != nil {
				continue // more than its address may have, so already closed
			}
			defer c.Close()
		}
		client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
		began := time.Now()
		for _, path := range []string{"/livez", "/readyz", "/api/drops"} {
			if err := poll(t.Context(), func() error { // the newest ones keep their places, because they may be about to send a request
				resp, err := client.Get(s.url + path)
				if err != nil {
					return err
				}
				return resp.Body.Close()
			}); err != nil {
				t.Error(path, err)
			}
		}
		if took := time.Since(began); took > await.Within(4*time.Second) {
			t.Errorf("it took %s: the silent ones were waited for until their time was over", took)
		}
		health := exec.CommandContext(t.Context(), "sneakerdrop", "health", "--addr="+address)
		if out, err := health.CombinedOutput(); err != nil {
			t.Errorf("sneakerdrop health: %v: %s", err, out)
		}
	}
}
