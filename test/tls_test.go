package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lxzan/gws"
)

// certificate writes cert.pem and key.pem into dir, and returns the authorities to trust.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		text := pem.EncodeToMemory(block)
		pool.AppendCertsFromPEM(text)
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

// socketMessages passes on what a WebSocket receives.
type socketMessages struct {
	gws.BuiltinEventHandler
	heard chan string
}

func (s socketMessages) OnMessage(_ *gws.Conn, m *gws.Message) {
	s.heard <- m.Data.String()
	_ = m.Close()
}

func TestTLS_ServesBothHTTPVersionsAndSockets(t *testing.T) {
	dir := t.TempDir()
	config := &tls.Config{RootCAs: certificate(t, dir), MinVersion: tls.VersionTLS12}
	s := startFor(t, dir, "--addr=localhost:0", "--tls-cert=cert.pem", "--tls-key=key.pem")
	if !strings.HasPrefix(s.url, "https://localhost:") {
		t.Fatalf("ready at %s", s.url)
	}
	for _, version := range []int{1, 2} {
		c := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config.Clone(), ForceAttemptHTTP2: version == 2}}
		resp, err := c.Get(s.url + "/api/drops")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.ProtoMajor != version || string(body) != "[]" {
			t.Errorf("HTTP/%d: %s %s %s", version, resp.Proto, resp.Status, body)
		}
		c.CloseIdleConnections()
	}
	heard := make(chan string, 10)
	socket, _, err := gws.NewClient(socketMessages{heard: heard}, &gws.ClientOption{
		Addr: strings.Replace(s.url, "https", "wss", 1) + "/socket.io/?EIO=4&transport=websocket", TlsConfig: config.Clone(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.NetConn().Close()
	go socket.ReadLoop()
	if err := socket.WriteString("40"); err != nil {
		t.Fatal(err)
	}
	create := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: config.Clone()}}
	if answer, err := send(t.Context(), create, s.url+"/api/drops/create", `{"name":"n","price":1,"total_stock":5,"start_time":"2026-01-31T10:00:00Z"}`); err != nil {
		t.Fatal(answer, err)
	}
	deadline := time.After(patience)
	for said := ""; !strings.Contains(said, `"stock_update"`); {
		select {
		case said = <-heard:
		case <-deadline:
			t.Fatal("no stock_update over a socket with TLS")
		}
	}
}
