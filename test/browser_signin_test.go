package test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/tokens"
)

// signInServer returns a shop in which buyers sign in, and a function that makes calls with a token; "" is the
// operator's.
func signInServer(t *testing.T, secret string, args ...string) (*server, func(token, path, body string) string) {
	t.Helper()
	return signInServerIn(t, t.TempDir(), secret, args...)
}

func signInServerIn(t *testing.T, dir, secret string, args ...string) (*server, func(token, path, body string) string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startFor(t, dir, append([]string{"--jwt-secret-file=secret", "--jwt-audience=shop"}, args...)...)
	create := exec.Command("sneakerdrop", "token", "create", "--role=operator", "--name=test")
	create.Dir = dir
	operator, err := create.Output()
	if err != nil {
		t.Fatal(err)
	}
	return s, func(token, path, body string) string {
		t.Helper()
		if token == "" {
			token = strings.TrimSpace(string(operator))
		}
		status, answer := callAs(t.Context(), http.DefaultClient, s.url, path, token, body)
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, status, answer)
		}
		return answer
	}
}

// callAs makes a POST with a body, or a GET without one, with a token; status 0: no answer.
func callAs(ctx context.Context, c *http.Client, url, path, token, body string) (status int, answer string) {
	status, answer, err := client.Call{URL: url + path, Token: token, Body: body}.Do(ctx, c)
	if err != nil {
		return 0, err.Error()
	}
	return status, answer
}

// A page signs in with the real client and reconnects with a new token when the old one expires. It gets its buyer's
// own events. A page without a token sees the stock, but not who has what.
func TestBrowser_SignsInAndComesBackWithANewToken(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, call := signInServer(t, secret)
	token := func(until time.Time) string {
		return tokens.HS256(secret, fmt.Sprintf(`{"sub":"ann","name":"Ann Smith","aud":"shop","exp":%d}`, until.Unix()))
	}
	call("", "/api/drops/create", `{"name":"Air","price":1,"total_stock":10,"start_time":"2020-01-01T00:00:00Z"}`)
	good := token(time.Now().Add(time.Hour))
	p := openOwn(t, s.url)
	// The server accepts the first token for 30 s longer than it says.
	late := token(time.Now().Add(-22 * time.Second))
	p.connect("ann", s.url, script(fmt.Sprintf(`{auth: (use) => use({token: (window.tokens ??= [%q]).pop() ?? %q})}`, late, good)))
	p.connect("watcher", s.url, webSocketOnly)
	p.connect("stranger", s.url, script(`{auth: {token: "rubbish"}, reconnection: false}`))
	p.until("ann", func(s seen) error {
		if s.Connects != 2 || len(s.Ended) != 1 || len(s.Refused) > 0 {
			return fmt.Errorf("%+v, want to come back once", s)
		}
		return nil
	})
	p.until("stranger", func(s seen) error {
		if s.Connects != 0 || len(s.Refused) != 1 || !strings.HasPrefix(s.Refused[0], "Token is not valid here") {
			return fmt.Errorf("%+v, want to be refused", s)
		}
		return nil
	})
	call(good, "/api/drops/reserve", `{"dropId":1}`)
	call(good, "/api/drops/purchase", `{"reservationId":4294967297}`)
	contains := func(name string, wanted []string, unwanted string) {
		t.Helper()
		p.until(name, func(s seen) error {
			all := strings.Join(s.Events, "\n")
			for _, want := range wanted {
				if !strings.Contains(all, want) {
					return fmt.Errorf("%s was not told %s but\n%s", name, want, all)
				}
			}
			if unwanted != "" && strings.Contains(all, unwanted) {
				t.Errorf("%s was told %s", name, all)
			}
			return nil
		})
	}
	const user = `"userId":1099511627776`
	contains("ann", []string{
		`["reservation_update",{"id":4294967297,"dropId":1,` + user + `,"status":"active",`, `"status":"completed",`,
		`["purchase_complete",{"dropId":1,` + user + `,"purchaseId":4294967297}]`,
	}, "")
	contains("watcher", []string{`["purchase_complete",{"dropId":1,"userId":4503599627370497,"purchaseId":4294967297}]`, `"available_stock":9`}, user)
}
