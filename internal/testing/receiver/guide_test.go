package receiver_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sneakerdrop/internal/testing/await"
)

const library = "github.com/standard-webhooks/standard-webhooks/libraries"

// TestGuide_ReceiversVerify runs the three receivers of docs/howto/webhooks.md: each accepts what its secret signed,
// and nothing else.
func TestGuide_ReceiversVerify(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/howto/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	sources := said(t, "go", "list", "-m", "-f", "{{.Dir}}", library)
	packages, err := filepath.Abs("../../../.ci/node/node_modules")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		language, needs, file string
		start                 func(t *testing.T, file string) *exec.Cmd
	}{
		{"js", "node", "receiver.mjs", func(t *testing.T, file string) *exec.Cmd {
			t.Helper()
			if _, err := os.Stat(filepath.Join(packages, "standardwebhooks")); err != nil {
				missing(t, err)
			}
			if err := os.Symlink(packages, filepath.Join(filepath.Dir(file), "node_modules")); err != nil {
				t.Fatal(err)
			}
			return exec.CommandContext(t.Context(), "node", file)
		}},
		{"go", "go", "main.go", func(t *testing.T, file string) *exec.Cmd {
			t.Helper()
			program := strings.TrimSuffix(file, ".go")
			said(t, "go", "build", "-o", program, file)
			return exec.CommandContext(t.Context(), program)
		}},
		{"python", "python3", "receiver.py", func(t *testing.T, file string) *exec.Cmd {
			t.Helper()
			cmd := exec.CommandContext(t.Context(), "python3", file)
			cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Join(sources, "python"), "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
			return cmd
		}},
	} {
		t.Run(c.language, func(t *testing.T) {
			if _, err := exec.LookPath(c.needs); err != nil {
				missing(t, err)
			}
			blocks := regexp.MustCompile("(?s)```"+c.language+"\n(.*?)```").FindAllSubmatch(guide, -1)
			if len(blocks) != 1 {
				t.Fatalf("the guide has %d programs in %s, want 1", len(blocks), c.language)
			}
			for tries := 1; ; tries++ {
				port := freePort(t) // which somebody else may get before the receiver does
				file := filepath.Join(t.TempDir(), c.file)
				if err := os.WriteFile(file, bytes.ReplaceAll(blocks[0][1], []byte("8090"), []byte(port)), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := c.start(t, file)
				out, err := listens(t, cmd, "127.0.0.1:"+port)
				if err == nil {
					verifies(t, "http://127.0.0.1:"+port+"/", out)
					return
				}
				if tries == 3 {
					t.Fatalf("the receiver ended: %v\n%s", err, out)
				}
			}
		})
	}
}

// listens starts a receiver and waits until it listens. It returns an error if the receiver ends before.
func listens(t *testing.T, cmd *exec.Cmd, address string) (*output, error) {
	t.Helper()
	out := &output{}
	cmd.Stdout, cmd.Stderr = out, out
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "WEBHOOK_SECRET="+secret)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var result error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		result = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	over := false
	await.Nil(t, func() error {
		select {
		case <-ended:
			over = true
			return nil
		default:
		}
		c, err := net.Dial("tcp4", address)
		if err != nil {
			return err
		}
		return c.Close()
	})
	if over {
		return out, fmt.Errorf("it ended with %w", cmp.Or(result, errors.New("status 0")))
	}
	return out, nil
}

// verifies sends messages to a receiver, good and bad ones.
func verifies(t *testing.T, url string, out *output) {
	t.Helper()
	good, both, forged := purchase(7, 1), purchase(7, 2), purchase(7, 3)
	both.secrets = []string{rotated, secret}
	forged.secrets = []string{strange}
	changed := purchase(7, 4).request(t, url)
	changed.Header.Set("Webhook-Id", "7-5")
	for _, m := range []struct {
		q      *http.Request
		status int
	}{
		{good.request(t, url), http.StatusNoContent},
		{both.request(t, url), http.StatusNoContent},
		{forged.request(t, url), http.StatusBadRequest},
		{changed, http.StatusBadRequest},
	} {
		m.q.Close = true
		if got := mustSend(t, m.q); got != m.status {
			t.Errorf("message %s: the receiver answers %d, want %d\n%s", m.q.Header.Get("Webhook-Id"), got, m.status, out.String())
		}
	}
	for id, printed := range map[string]bool{"7-1": true, "7-2": true, "7-3": false, "7-4": false, "7-5": false} {
		if strings.Contains(out.String(), id) != printed {
			t.Errorf("the receiver prints message %s: %t, want %t\n%s", id, !printed, printed, out.String())
		}
	}
}

// output is what a program prints.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// said runs a program and returns what it prints.
func said(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = errors.New(string(exit.Stderr))
		}
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// missing skips the test, or fails it in CI, where everything must be there.
func missing(t *testing.T, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%v: make deps", err)
	}
	t.Skipf("%v: make deps", err)
}
