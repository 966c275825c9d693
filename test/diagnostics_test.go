package test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"

	"sneakerdrop/internal/testing/tokens"
)

func TestMetricsAddr_ServesMetricsAndProfilesThereAlone(t *testing.T) {
	s := startFor(t, t.TempDir(), "--metrics-addr=localhost:0")
	var m []string
	said := regexp.MustCompile(`serving metrics and profiles" addr=(\S+)`)
	err := poll(t.Context(), func() error { // the log and the ready line come through different pipes
		if m = said.FindStringSubmatch(s.stderr.String()); m == nil {
			return errors.New("the log does not say where")
		}
		return nil
	})
	if err != nil {
		t.Fatalf("%v: %s", err, s.stderr.String())
	}
	for path, has := range map[string]string{
		"/metrics": "sneakerdrop_drops 0", "/debug/pprof/": "goroutine", "/debug/pprof/goroutine?debug=1": "goroutine profile:",
	} {
		if status, body := get(t, "http://"+m[1]+path); status != http.StatusOK || !strings.Contains(body, has) {
			t.Errorf("%s: %d, without %q", path, status, has)
		}
		if status, _ := get(t, s.url+path); status != http.StatusNotFound {
			t.Errorf("%s at --addr: %d", path, status)
		}
	}
	if status, _ := get(t, "http://"+m[1]+"/api/drops"); status != http.StatusNotFound {
		t.Errorf("the shop's calls beside the metrics: %d", status)
	}
}

// No secret of a setting or a request is in any answer or log line, even at the most verbose level.
func TestSecrets_AreInNoLog(t *testing.T) {
	t.Parallel()
	const canary = "canary0secret0value"
	dir := t.TempDir()
	s := startFor(t, dir, "--log-level=debug", "--log-format=json")
	for _, url := range []string{"/api/drops", "/api/drops?token=" + canary, "/nowhere?access_token=" + canary, "/api/drops/x"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch} {
			req, err := http.NewRequestWithContext(t.Context(), method, s.url+url, strings.NewReader(`{"password":"`+canary+`"`))
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range map[string]string{
				"Content-Type": "application/json", "Authorization": "Bearer " + canary, "Cookie": "session=" + canary,
				"Idempotency-Key": canary, "Proxy-Authorization": "Basic " + canary, "X-Forwarded-For": canary,
			} {
				req.Header.Set(name, value)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if strings.Contains(string(body), canary) {
				t.Errorf("%s %s answers %s", method, url, body)
			}
		}
	}
	s.kill()
	if log := s.stderr.String() + s.stdout.String(); strings.Contains(log, canary) {
		t.Errorf("the log has the secret:\n%s", log)
	}
	for _, setting := range []string{"--jwt-secret=" + canary, "--jwt-secret=" + canary + "\n-----BEGIN PUBLIC KEY-----" + canary} {
		refused, err := start(dir, nil, "--addr=localhost:0", setting)
		if err == nil {
			refused.kill()
			t.Fatalf("%s was taken", setting)
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("the refusal has the secret: %v", err)
		}
	}
	for _, database := range []string{
		"postgres://shop:" + canary + "@127.0.0.1:1/shop?connect_timeout=1", "postgres://shop:" + canary + "@127.0.0.1:1/shop?sslmode=nonsense",
		"mysql://shop:" + canary + "@localhost/shop", "postgres://shop:" + canary + "%zz@localhost/shop",
		"host=127.0.0.1 port=1 user=shop dbname=shop password=" + canary, "host=127.0.0.1,127.0.0.2 port=1,2,3 dbname=shop password=" + canary,
	} {
		refused, err := start(dir, nil, "--addr=localhost:0", "--log-level=debug", "--database="+database)
		if err == nil {
			refused.kill()
			t.Fatalf("%s was taken", database)
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("the refusal has the password: %v", err)
		}
	}
}

// The log has neither the secret that signs tokens nor any token, of a buyer or an operator, valid or not.
func TestTokens_AreInNoLog(t *testing.T) {
	const secret = "canary0secret0value0canary0secret0value"
	s, call := signInServer(t, secret, "--log-level=debug")
	secrets := []string{secret}
	for _, sub := range []string{"ann", "bob"} {
		token := tokens.HS256(secret, fmt.Sprintf(`{"sub":%q,"aud":"shop","exp":%d}`, sub, time.Now().Add(time.Hour).Unix()))
		call(token, "/api/users/me", "")
		secrets = append(secrets, token, tokens.HS256("another"+secret, `{"sub":"ann"}`), "sdo_"+strings.Repeat(sub, 14)+"x")
	}
	call("", "/api/drops/create", `{"name":"Air","price":1,"total_stock":10,"start_time":"2020-01-01T00:00:00Z"}`)
	for _, token := range secrets {
		for _, path := range []string{"/api/users/me", "/api/drops/1/pause", "/metrics", "/api/drops/7/ledger"} {
			callAs(t.Context(), http.DefaultClient, s.url, path, token, "")
		}
	}
	for _, token := range secrets {
		connectWith(t, s.url, token)
	}
	s.kill()
	log := s.stderr.String() + s.stdout.String()
	for _, token := range secrets {
		for part := range strings.SplitSeq(token, ".") {
			if strings.Contains(log, part) {
				t.Errorf("the log has %s", part)
			}
		}
	}
	if strings.Contains(log, "sdo_") || !strings.Contains(log, "create-drop") {
		t.Errorf("the log is\n%s", log)
	}
	for _, reason := range []string{`a buyer's token was refused" reason="token invalid`, `a socket's token was refused" reason="token invalid`} {
		if !strings.Contains(log, reason) {
			t.Errorf("the log does not say %s:\n%s", reason, log)
		}
	}
}

// connectWith opens a socket with a token and waits for the server's first message, whatever it is.
func connectWith(t *testing.T, url, token string) {
	t.Helper()
	heard := make(chan string, 10)
	socket, _, err := gws.NewClient(socketMessages{heard: heard}, &gws.ClientOption{
		Addr: strings.Replace(url, "http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.NetConn().Close()
	go socket.ReadLoop()
	if err := socket.WriteString(fmt.Sprintf(`40{"token":%q}`, token)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.After(patience); ; {
		select {
		case said := <-heard:
			if strings.HasPrefix(said, "40") || strings.HasPrefix(said, "44") {
				return
			}
		case <-deadline:
			t.Fatal("a socket is not told whether it is connected")
		}
	}
}
