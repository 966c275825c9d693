package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sneakerdrop/internal/cli"
)

// Tests of the built binary (test/testdata/cli) cover what a user sees of the commands. Here the race detector
// watches one run of a server, and nothing may be left of it.
func TestRun_ServeEndsWithItsContextAndLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stdout := io.Pipe()
	args := []string{"serve", "--demo", "--addr=localhost:0", "--database=sqlite:" + filepath.Join(t.TempDir(), "x.db")}
	code := make(chan int, 1)
	go func() {
		defer stdout.Close()
		code <- cli.Run(ctx, args, nil, stdout, t.Output())
	}()

	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("no ready line: %v", err)
	}
	url := strings.TrimSpace(strings.TrimPrefix(line, "sneakerdrop is ready at "))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/api/drops/reserve", strings.NewReader(`{"dropId":1,"userId":1}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("reserve: %d %s, %v", res.StatusCode, body, err)
	}
	stop()
	if c := <-code; c != 0 {
		t.Errorf("exit code %d", c)
	}
}

// TestRun_AlreadyStopped: a signal that arrives before the server is ready is not a failure.
func TestRun_AlreadyStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	args := []string{"serve", "--addr=localhost:0", "--database=sqlite:" + filepath.Join(t.TempDir(), "x.db")}
	var stdout, stderr strings.Builder
	if code := cli.Run(ctx, args, nil, &stdout, &stderr); code != 0 || strings.Contains(stderr.String(), "sneakerdrop:") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
}
