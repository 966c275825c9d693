package test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sneakerdrop/internal/testing/tokens"
)

// At SIGHUP a server reads its certificate and its secret again. No request fails meanwhile, and a faulty file
// changes nothing.
func TestHangup_SecretsAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	first, second := strings.Repeat("1", 32), strings.Repeat("2", 32)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("secret", first)
	var trusted atomic.Pointer[x509.CertPool]
	trusted.Store(certificate(t, dir))
	s := startFor(t, dir, "--addr=localhost:0", "--tls-cert=cert.pem", "--tls-key=key.pem", "--jwt-secret-file=secret")
	ask := func(secret string) (status int, serial string) {
		t.Helper()
		c := &http.Client{Timeout: patience, Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: trusted.Load(), MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
		}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/api/users/me", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+tokens.HS256(secret, `{"sub":"ann","exp":4000000000}`))
		res, err := c.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer res.Body.Close()
		if h := res.Header.Get("Strict-Transport-Security"); h != "" {
			t.Errorf("localhost is told %s", h)
		}
		return res.StatusCode, string(res.TLS.PeerCertificates[0].Signature)
	}
	hangup := func(says string) {
		t.Helper()
		before := strings.Count(s.stderr.String(), says)
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if err := poll(t.Context(), func() error {
			if strings.Count(s.stderr.String(), says) > before {
				return nil
			}
			return errors.New("it does not say " + says)
		}); err != nil {
			t.Fatal(err, s.stderr.String())
		}
	}
	status, was := ask(first)
	if status != http.StatusOK {
		t.Fatalf("%d, %s", status, was)
	}

	// Nobody notices several hangups in a row.
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if status, err := ask(first); status != http.StatusOK {
				t.Errorf("%d, %s", status, err)
			}
		}
	}()
	for range 10 {
		hangup(`msg="read again: unchanged" what="secret of buyers' tokens"`)
	}
	write("secret", "short")
	hangup(`what="secret of buyers' tokens" error="the secret has 5 bytes`)
	close(stop)
	<-done

	write("cert.pem", "no certificate")
	hangup(`msg="cannot be read again; the old content stays in use" what=certificate`)
	if status, is := ask(first); status != http.StatusOK || is != was {
		t.Errorf("with faulty files: %d, the same certificate: %t", status, is == was)
	}
	write("secret", second)
	trusted.Store(certificate(t, dir))
	hangup(`msg="read again: changed" what="secret of buyers' tokens"`)
	if status, is := ask(second); status != http.StatusOK || is == was {
		t.Errorf("with new files: %d, the same certificate: %t", status, is == was)
	}
	if status, _ := ask(first); status != http.StatusUnauthorized {
		t.Errorf("a token of the old secret: %d", status)
	}
	if code, err := s.stop(syscall.SIGTERM); code != 0 || err != nil {
		t.Errorf("it ends with %d, %v", code, err)
	}
}

// A hangup while a server starts does not end it; other commands end like every program.
func TestHangup_WhileStartingAndOfOtherCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := exec.Command("sneakerdrop", "serve", "--addr=localhost:0")
	c.Dir = dir
	out := new(lockedBuffer)
	c.Stdout, c.Stderr = out, out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = c.Process.Kill() // it has ended if all went well
		_ = c.Wait()
	}()
	// From the first sign of the process until it is ready.
	if err := poll(t.Context(), func() error {
		if _, err := os.Stat(filepath.Join(dir, "sneakerdrop.db")); err != nil {
			return err
		}
		if err := c.Process.Signal(syscall.SIGHUP); err != nil {
			return err
		}
		if !strings.Contains(out.String(), "is ready at") {
			return errors.New("not ready")
		}
		return nil
	}); err != nil {
		t.Fatal(err, out.String())
	}
	if err := poll(t.Context(), func() error {
		if !strings.Contains(out.String(), "SIGHUP: ") {
			return errors.New("it was not heard")
		}
		return nil
	}); err != nil {
		t.Fatal(err, out.String())
	}

	b := exec.Command("sneakerdrop", "bench", "--control", "--duration=30s", "--connections=1")
	b.Dir = dir
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(500*time.Millisecond, func() { _ = b.Process.Signal(syscall.SIGHUP) })
	err := b.Wait()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || ended.Sys().(syscall.WaitStatus).Signal() != syscall.SIGHUP {
		t.Errorf("bench ends in %v", err)
	}
}
