package cli

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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// writePair writes a new self-signed pair of files with that serial number.
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

func serial(t *testing.T, c *certificates) int64 {
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
		c, err := newCertificates(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
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
		write(t, cert, "no certificate at all")
		for range 3 {
			time.Sleep(checkCertificatesEvery)
			if got := serial(t, c); got != 2 {
				t.Errorf("serial %d beside a broken file", got)
			}
		}
		if n := strings.Count(log.String(), "stays in use"); n != 1 {
			t.Errorf("complained %d times of one broken file: %s", n, log.String())
		}
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
		if _, err := newCertificates(pair[0], pair[1], slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%v was taken", pair)
		}
	}
}
