package receiver

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

// Program is a receiver in Node.js: .ci/node/receive.mjs, which verifies with the npm package standardwebhooks.
type Program struct {
	URL string

	t     testing.TB
	stdin io.Writer
	said  chan string // "done" and the line before it, for whoever has sent a line

	mu       sync.Mutex
	messages []Message

	obeying sync.Mutex // one line at a time
}

// Node starts a receiver that accepts what one of the secrets signed. It answers 204 to that, otherwise 400. It ends
// with the test. Without Node.js or the package, the test is skipped; with CI=true it fails.
func Node(t testing.TB, secrets ...string) *Program {
	t.Helper()
	script := installed(t)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, secrets...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Node.js: %v", err)
	}
	p := &Program{t: t, stdin: stdin, said: make(chan string, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		p.read(stdout)
	}()
	t.Cleanup(func() {
		stdin.Close()
		<-read
		if err := cmd.Wait(); err != nil && stderr.Len() > 0 {
			t.Errorf("receive.mjs: %v: %s", err, stderr.String())
		}
	})
	port, ok := strings.CutPrefix(p.wait(), "listening ")
	if !ok {
		t.Fatal("receive.mjs does not listen")
	}
	p.URL = "http://127.0.0.1:" + port + "/"
	return p
}

// installed returns the path of receive.mjs, if all that it needs is there.
func installed(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(root(t), ".ci", "node")
	_, missing := exec.LookPath("node")
	if missing == nil {
		_, missing = os.Stat(filepath.Join(folder, "node_modules", "standardwebhooks"))
	}
	switch {
	case missing == nil:
	case os.Getenv("CI") == "true":
		t.Fatalf("a receiver in Node.js: %v: make deps", missing)
	default:
		t.Skipf("a receiver in Node.js: %v: make deps", missing)
	}
	return filepath.Join(folder, "receive.mjs")
}

// root is the folder of the project, in or above the one in which the test runs.
func root(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		above := filepath.Dir(folder)
		if above == folder {
			t.Fatal("no folder above the test has a go.mod")
		}
		folder = above
	}
}

// read reads what the program prints until it ends.
func (p *Program) read(stdout io.Reader) {
	defer close(p.said)
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "{") {
			p.said <- line
			continue
		}
		var m Message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			p.t.Errorf("receive.mjs prints %s: %v", line, err)
			continue
		}
		p.mu.Lock()
		p.messages = append(p.messages, m)
		p.mu.Unlock()
	}
}

// wait returns the next line that is no message. It returns "" if the program has ended.
func (p *Program) wait() string {
	p.t.Helper()
	select {
	case line := <-p.said:
		return line
	case <-time.After(await.Patience):
		p.t.Fatalf("receive.mjs says nothing for %s", await.Patience)
		return ""
	}
}

func (p *Program) obeyf(format string, values ...any) {
	p.t.Helper()
	p.obeying.Lock()
	defer p.obeying.Unlock()
	line := fmt.Sprintf(format, values...)
	if _, err := fmt.Fprintln(p.stdin, line); err != nil {
		p.t.Fatalf("say %q to receive.mjs: %v", line, err)
	}
	if said := p.wait(); said != "done" {
		p.t.Fatalf("receive.mjs says %q to %q", said, line)
	}
}

// Secret makes the receiver accept only what one of these secrets signed. There must be at least one.
func (p *Program) Secret(secrets ...string) {
	p.t.Helper()
	p.obeyf("secret %s", strings.Join(secrets, " "))
}

// Status makes the receiver answer with a status, whatever comes. 0 is as at the start.
func (p *Program) Status(status int) {
	p.t.Helper()
	p.obeyf("status %d", status)
}

// Delay makes the receiver wait before each answer.
func (p *Program) Delay(d time.Duration) {
	p.t.Helper()
	p.obeyf("delay %d", d.Milliseconds())
}

// Messages returns all messages until now, in the order in which they came.
func (p *Program) Messages() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.messages)
}
