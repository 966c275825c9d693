package app

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// checkCertificatesEvery is the least time between two checks of the files, which happen during handshakes.
const checkCertificatesEvery = time.Second

// Certificates is a certificate and its key in two files, which may change while the server runs.
type Certificates struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	current *tls.Certificate
	stamp   [2]stamp
	checked time.Time
}

// stamp distinguishes one state of a file from another. The zero stamp means that the file is missing.
type stamp struct {
	modified time.Time
	size     int64
}

// NewCertificates reads the two files. Its error says what is wrong with them.
func NewCertificates(certFile, keyFile string, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{certFile: certFile, keyFile: keyFile, log: log}
	var err error
	if c.stamp, err = c.look(); err != nil {
		return nil, err
	}
	c.current, err = c.read()
	c.checked = time.Now()
	return c, err
}

func (c *Certificates) read() (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s with the key %s: %w", c.certFile, c.keyFile, err)
	}
	return &pair, nil
}

func (c *Certificates) look() (seen [2]stamp, err error) {
	for i, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return seen, fmt.Errorf("check a file of the certificate: %w", err)
		}
		seen[i] = stamp{info.ModTime(), info.Size()}
	}
	return seen, nil
}

// get is a tls.Config's GetCertificate. If the new pair cannot be read, the old one stays in use.
func (c *Certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < checkCertificatesEvery {
		return c.current, nil
	}
	c.checked = time.Now()
	seen, err := c.look()
	if seen == c.stamp {
		return c.current, nil // the error was logged when the file changed
	}
	c.stamp = seen
	if err == nil {
		var pair *tls.Certificate
		if pair, err = c.read(); err == nil {
			c.current = pair
			c.log.Info("read the certificate again", "file", c.certFile, "until", pair.Leaf.NotAfter)
			return pair, nil
		}
	}
	c.log.Error("cannot read the changed certificate; the old one stays in use", "error", err)
	return c.current, nil
}

// reload reads the files now, whether or not they seem to have changed. After an error the old pair stays in use.
func (c *Certificates) reload() (changed bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked = time.Now()
	// An error is reported here, once.
	if c.stamp, err = c.look(); err != nil {
		return false, err
	}
	pair, err := c.read()
	if err != nil {
		return false, err
	}
	changed = !slices.EqualFunc(pair.Certificate, c.current.Certificate, bytes.Equal)
	c.current = pair
	return changed, nil
}

// config returns the configuration for HTTP/2 and HTTP/1.1 over TLS 1.2 or newer, or nil without Certificates.
func (c *Certificates) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}
