package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sneakerdrop/internal/app"
)

// healthOf runs the command with a container's environment.
func healthOf(t *testing.T, environ []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir()) // a folder without .env
	var out, errs strings.Builder
	code = Run(t.Context(), append([]string{"health"}, args...), environ, &out, &errs)
	return code, out.String(), errs.String()
}

func TestHealth_SaysWhatTheServerSays(t *testing.T) {
	ready := true
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/livez":
			_, _ = w.Write([]byte(`{"status":"ok"}`))
		case r.URL.Path == "/readyz" && ready:
			_, _ = w.Write([]byte(`{"status":"ready"}`))
		case r.URL.Path == "/readyz":
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"error":"the database is away","code":"not_ready"}`))
		default:
			t.Errorf("asked for %s", r.URL.Path)
		}
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	addr, tlsAddr := plain.Listener.Addr().String(), secure.Listener.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		ready   bool
		environ []string
		args    []string
		code    int
		says    string
	}{
		{ready: true, args: []string{"--addr=" + addr}, says: "http://" + addr + "/readyz: ready\n"},
		{ready: true, environ: []string{"SNEAKERDROP_ADDR=:" + port, "HTTP_PROXY=http://192.0.2.1:1"}, says: "http://127.0.0.1:" + port + "/readyz: ready\n"},
		{ready: true, environ: []string{"SNEAKERDROP_ADDR=0.0.0.0:" + port}, says: "/readyz: ready\n"},
		{ready: true, environ: []string{"PORT=" + port, "SNEAKERDROP_HOLD=60s"}, says: "/readyz: ready\n"},
		{ready: true, environ: []string{"SNEAKERDROP_ADDR=" + tlsAddr, "SNEAKERDROP_TLS_CERT=chain.pem"}, says: "https://" + tlsAddr + "/readyz: ready\n"},
		{ready: true, args: []string{"--addr=" + tlsAddr}, code: 1, says: " answers 400"},
		{args: []string{"--addr=" + addr}, code: 1, says: "sneakerdrop: http://" + addr + "/readyz answers 503: the database is away\n"},
		{args: []string{"--addr=" + addr, "--live"}, says: "/livez: ok\n"},
	} {
		ready = c.ready
		code, stdout, stderr := healthOf(t, c.environ, c.args...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) || strings.Count(stdout+stderr, "\n") != 1 {
			t.Errorf("%s %s: exit code %d, %s%s, want %d, %s", c.environ, c.args, code, stdout, stderr, c.code, c.says)
		}
	}
}

func TestHealth_NobodyThere(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // and nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	code, stdout, stderr := healthOf(t, nil, "--addr="+addr)
	if code != 1 || stdout != "" || stderr != "sneakerdrop: no answer from http://"+addr+"/readyz: connect: connection refused\n" {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}

func TestHealth_AsksThisMachine(t *testing.T) {
	for listens, asked := range map[string]string{
		":3000": "127.0.0.1:3000", "localhost:3000": "127.0.0.1:3000", "0.0.0.0:80": "127.0.0.1:80", "[::]:3000": "[::1]:3000",
		"10.1.2.3:3000": "10.1.2.3:3000", "shop.example:3000": "shop.example:3000",
	} {
		host, port, _ := strings.Cut(strings.NewReplacer("[::]", "six").Replace(listens), ":")
		if host == "six" {
			host = "::"
		}
		a := address{Address: app.Address{Host: host}, given: true}
		for _, digit := range port {
			a.Port = a.Port*10 + uint16(digit-'0')
		}
		if got := here(a).String(); got != asked {
			t.Errorf("%s is asked at %s, want %s", listens, got, asked)
		}
	}
}
