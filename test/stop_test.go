package test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
)

const past = "2020-01-01T00:00:00Z"

func TestStop_UnderLoadLosesNothingThatWasAnswered(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { stopUnderLoad(t, "sqlite:sneakerdrop.db") })
	t.Run("PostgreSQL", func(t *testing.T) { stopUnderLoad(t, pgtest.Database(t)) })
}

// stopUnderLoad sends SIGTERM while buyers reserve. Each 200 they got is a hold that the next server knows, and every
// answered request got a correct answer.
func stopUnderLoad(t *testing.T, database string) {
	dir := t.TempDir()
	s := startFor(t, dir, "--database="+database, "--hold=1h")
	create(t, s.url, 1_000_000, past)
	client := &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	defer client.CloseIdleConnections()

	var user atomic.Int64
	var mu sync.Mutex
	var held []int64
	var strange []string
	var buyers sync.WaitGroup
	for range 32 {
		buyers.Go(func() {
			for {
				id, answer, err := reserve(t.Context(), client, s.url, user.Add(1))
				if err != nil && answer == "" {
					return // the server has gone
				}
				mu.Lock()
				switch {
				case err != nil:
					strange = append(strange, answer+": "+err.Error())
				case id != 0:
					held = append(held, id)
				case !strings.HasPrefix(answer, "503 "):
					strange = append(strange, answer)
				}
				mu.Unlock()
			}
		})
	}
	count := func() int { mu.Lock(); defer mu.Unlock(); return len(held) }
	if err := poll(t.Context(), func() error {
		if n := count(); n < 500 {
			return fmt.Errorf("only %d reservations", n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	code, err := s.stop(syscall.SIGTERM)
	if err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, s.stderr.String())
	}
	if took := time.Since(began); took > await.Within(10*time.Second) {
		t.Errorf("the stop took %s", took)
	}
	buyers.Wait()
	if len(strange) > 0 {
		t.Errorf("%d strange answers, the first: %s", len(strange), strange[0])
	}
	checkHeld(t, startFor(t, dir, "--database="+database), held)
}

// checkHeld buys some of the reservations and compares the stock with their number.
func checkHeld(t *testing.T, s *server, held []int64) {
	t.Helper()
	for i := 0; i < len(held); i += max(1, len(held)/50) {
		body := fmt.Sprintf(`{"reservationId":%d}`, held[i])
		if answer := post(t, s.url+"/api/drops/purchase", body); !strings.HasPrefix(answer, "200 ") {
			t.Errorf("buy reservation %d: %s", held[i], answer)
		}
	}
	var d struct {
		Total     int `json:"total_stock"`
		Available int `json:"available_stock"`
	}
	_, body := get(t, s.url+"/api/drops/1")
	if err := json.Unmarshal([]byte(body), &d); err != nil {
		t.Fatal(err)
	}
	if gone := d.Total - d.Available; gone < len(held) {
		t.Errorf("%d buyers were told that they hold a unit, and %d units are held or sold", len(held), gone)
	}
}

// A draining server tells balancers so, and continues to serve; a second signal ends that too.
func TestStop_DrainsFirst(t *testing.T) {
	s := startFor(t, t.TempDir(), "--drain=10m")
	create(t, s.url, 10, past)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := poll(t.Context(), func() error {
		if status, body := get(t, s.url+"/readyz"); status != http.StatusServiceUnavailable {
			return fmt.Errorf("/readyz is answered %d %s", status, body)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if answer := post(t, s.url+"/api/drops/reserve", `{"dropId":1,"userId":7}`); !strings.HasPrefix(answer, "200 ") {
		t.Errorf("while it drains a reserve is answered %s", answer)
	}
	if code, err := s.stop(syscall.SIGTERM); err != nil || code == 0 {
		t.Errorf("exit code %d, %v; want that of a signal", code, err)
	}
}

func TestStop_SecondSignalEndsAtOnce(t *testing.T) {
	s := startFor(t, t.TempDir(), "--shutdown-timeout=1h")
	beginRequest(t, s) // keeps the first signal waiting
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := poll(t.Context(), func() error {
		if !strings.Contains(s.stderr.String(), "msg=stopping") {
			return fmt.Errorf("not stopping: %s", s.stderr.String())
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.exited:
		t.Fatalf("the first signal did not wait for the request: %s", s.stderr.String())
	default:
	}
	began := time.Now()
	if code, err := s.stop(syscall.SIGTERM); err != nil || code == 0 {
		t.Errorf("exit code %d, %v; want that of a signal", code, err)
	}
	if took := time.Since(began); took > await.Within(2*time.Second) {
		t.Errorf("the second signal took %s", took)
	}
}

func TestStop_CutsOffAClientThatDoesNotFinish(t *testing.T) {
	s := startFor(t, t.TempDir(), "--shutdown-timeout=1s")
	beginRequest(t, s)
	began := time.Now()
	if code, err := s.stop(syscall.SIGTERM); err != nil || code != 0 {
		t.Errorf("exit code %d, %v", code, err)
	}
	if took := time.Since(began); took > await.Within(3*time.Second) {
		t.Errorf("the stop took %s, its bound is 1s", took)
	}
}

// beginRequest sends a request without its body, and returns when a handler waits for the body.
func beginRequest(t *testing.T, s *server) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	fmt.Fprint(conn, "POST /api/drops/reserve HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
		"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n")
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("no 100 Continue: %q, %v", line, err)
	}
}

func startFor(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	s, err := start(dir, os.Environ(), append([]string{"--addr=127.0.0.1:0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	return s
}

// restarted stops a server that startFor started and starts it at its address with other arguments.
func restarted(t *testing.T, s *server, args ...string) *server {
	t.Helper()
	if code, err := s.stop(syscall.SIGTERM); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v: %s", code, err, s.stderr.String())
	}
	return revived(t, s, args...)
}

// revived starts a server that has ended, at its address and in its folder.
func revived(t *testing.T, s *server, args ...string) *server {
	t.Helper()
	return startFor(t, s.cmd.Dir, append([]string{"--addr=" + strings.TrimPrefix(s.url, "http://")}, args...)...)
}

func create(t *testing.T, url string, units int, startTime string) {
	t.Helper()
	body := fmt.Sprintf(`{"name":"Load","price":1,"total_stock":%d,"start_time":%q}`, units, startTime)
	if answer := post(t, url+"/api/drops/create", body); !strings.HasPrefix(answer, "200 ") {
		t.Fatal(answer)
	}
}

func post(t *testing.T, url, body string) string {
	t.Helper()
	answer, err := send(t.Context(), http.DefaultClient, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// send posts JSON and returns the status, a space and the body.
func send(ctx context.Context, c *http.Client, url, body string) (string, error) {
	return client.Call{URL: url, Method: http.MethodPost, Body: body}.Text(ctx, c)
}

// reserve returns the id of the hold, or 0 if the answer is not 200.
func reserve(ctx context.Context, c *http.Client, url string, user int64) (id int64, answer string, err error) {
	answer, err = send(ctx, c, url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, user))
	body, ok := strings.CutPrefix(answer, "200 ")
	if err != nil || !ok {
		return 0, answer, err
	}
	var r struct{ ID int64 }
	err = json.Unmarshal([]byte(body), &r)
	return r.ID, answer, err
}
