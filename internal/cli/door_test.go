package cli_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/cli"
	"sneakerdrop/internal/testing/await"
)

// free returns an address of this machine that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// While it waits for the database, the process reports that it is alive, and that it is not ready and why. It answers
// everything else with "come again". A signal ends it at once and is not a failure.
func TestRun_WaitsForADatabaseAtAnOpenDoor(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	addr := free(t)
	var log strings.Builder
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, []string{"serve", "--addr=" + addr, "--wait-for-database=1h", "--database=postgres://shop:hunter2@127.0.0.1:1/shop"}, nil, io.Discard, &log)
	}()
	get := func(method, path string) (*http.Response, map[string]string, error) {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, nil, err
		}
		defer res.Body.Close()
		var body map[string]string
		return res, body, json.NewDecoder(res.Body).Decode(&body)
	}
	for end := time.Now().Add(await.Patience); ; time.Sleep(10 * time.Millisecond) {
		if res, body, err := get(http.MethodGet, "/readyz"); err == nil && strings.Contains(body["error"], "connection refused") {
			if res.StatusCode != http.StatusServiceUnavailable || body["code"] != "not_ready" || res.Header.Get("Retry-After") == "" || strings.Contains(body["error"], "hunter2") {
				t.Errorf("/readyz: %d %v %v", res.StatusCode, res.Header, body)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal("/readyz does not say why it is not ready")
		}
	}
	if res, body, err := get(http.MethodGet, "/livez"); err != nil || res.StatusCode != http.StatusOK || body["status"] != "ok" {
		t.Errorf("/livez: %v %v %v", res, body, err)
	}
	for _, call := range [][2]string{{"GET", "/api/drops"}, {"POST", "/api/drops/reserve"}, {"GET", "/"}, {"GET", "/health"}, {"GET", "/metrics"}} {
		res, body, err := get(call[0], call[1])
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || body["code"] != "not_ready" || res.Header.Get("Retry-After") == "" {
			t.Errorf("%v: %v %v %v", call, res, body, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	stop()
	select {
	case c := <-code:
		if c != 0 {
			t.Errorf("exit code %d", c)
		}
	case <-time.After(await.Within(3 * time.Second)):
		t.Fatal("the signal did not end it")
	}
	if said := strings.Count(log.String(), "waiting for the database"); said != 1 || strings.Contains(log.String(), "hunter2") {
		t.Errorf("said %d times that it waits:\n%s", said, log.String())
	}
}

// By default, a start gives up after the usual time. A command with its own limit gives up after that.
func TestRun_GivesUpWaiting(t *testing.T) {
	var log strings.Builder
	began := time.Now()
	code := cli.Run(t.Context(), []string{"migrate", "--wait-for-database=0s", "--database=postgres://shop:hunter2@127.0.0.1:1/shop"}, nil, io.Discard, &log)
	if took := time.Since(began); code != 1 || took > await.Within(3*time.Second) || !strings.Contains(log.String(), "cannot reach PostgreSQL at 127.0.0.1:1, database shop") {
		t.Errorf("code %d after %s: %s", code, took, log.String())
	}
}
