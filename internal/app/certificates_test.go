package app

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writePair writes a new self-signed pair of files with the given serial number.
func writePair(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serial(t *testing.T, c *Certificates) int64 {
	t.Helper()
	pair, err := c.get(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf.SerialNumber.Int64()
}

func TestCertificates_AreReadAgainWhenTheyChange(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		writePair(t, cert, key, 1)
		c, err := NewCertificates(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		writePair(t, cert, key, 2)
		if got := serial(t, c); got != 1 {
			t.Errorf("serial %d before the files are looked at again", got)
		}
		time.Sleep(checkCertificatesEvery)
		if got := serial(t, c); got != 2 {
			t.Errorf("serial %d after the change", got)
		}
		stays := func(with string, complaints int) {
			t.Helper()
			for range 3 {
				time.Sleep(checkCertificatesEvery)
				if got := serial(t, c); got != 2 {
					t.Errorf("serial %d with %s", got, with)
				}
			}
			if n := strings.Count(log.String(), "stays in use"); n != complaints {
				t.Errorf("complained %d times with %s, want %d: %s", n, with, complaints, log.String())
			}
		}
		write(t, cert, "no certificate at all")
		stays("one broken file", 1)
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		stays("one broken and one missing file", 2)
		writePair(t, cert, key, 3)
		time.Sleep(checkCertificatesEvery)
		if got := serial(t, c); got != 3 {
			t.Errorf("serial %d after it was mended", got)
		}
	})
}

func TestNewCertificates_FaultyFiles(t *testing.T) {
	dir := t.TempDir()
	cert, key, other := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "other.pem")
	writePair(t, cert, key, 1)
	writePair(t, filepath.Join(dir, "unused.pem"), other, 2)
	for _, pair := range [][2]string{{cert, other}, {key, key}, {cert, filepath.Join(dir, "none.pem")}} {
		if _, err := NewCertificates(pair[0], pair[1], slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%v was taken", pair)
		}
	}
}

// A renewal closes no connection. Existing connections continue, and new ones see the new certificate.
func TestCertificates_ChangeUnderARunningServer(t *testing.T) {
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writePair(t, cert, key, 1)
	c, err := NewCertificates(cert, key, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-From", r.RemoteAddr)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Listener = tls.NewListener(server.Listener, c.config())
	server.Config.TLSConfig = c.config()
	server.Start()
	defer server.Close()
	url := strings.Replace(server.URL, "http:", "https:", 1)
	// A pair is its own root, so a client trusts it only if it is the expected one.
	client := func() *http.Client {
		pool := x509.NewCertPool()
		text, err := os.ReadFile(cert)
		if err != nil || !pool.AppendCertsFromPEM(text) {
			t.Fatal("no certificate", err)
		}
		config := &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
		made := &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}, Timeout: 10 * time.Second}
		t.Cleanup(made.CloseIdleConnections)
		return made
	}
	get := func(from *http.Client) (serial int64, remote string) {
		resp, err := from.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.ProtoMajor != 2 {
			t.Errorf("answered in %s", resp.Proto)
		}
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), resp.Header.Get("X-From")
	}
	old := client()
	n, remote := get(old)
	if n != 1 {
		t.Fatalf("serial %d", n)
	}
	writePair(t, cert, key, 2)
	c.mu.Lock()
	c.checked = time.Time{} // as if a second had passed
	c.mu.Unlock()
	if n, _ := get(client()); n != 2 {
		t.Errorf("serial %d for who comes after the change", n)
	}
	if n, again := get(old); n != 1 || again != remote {
		t.Errorf("the old connection is gone: serial %d from %s, was %s", n, again, remote)
	}
	if _, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was taken")
	}
}
