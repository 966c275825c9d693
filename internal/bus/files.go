package bus

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// files is the content of the files in a Config. It is kept, so that a file that breaks later breaks no connection.
type files struct {
	user        []byte // nil if there is none
	authority   *x509.CertPool
	pem         [3][]byte // of authority, certificate and key, for comparison
	certificate *tls.Certificate
}

func readFiles(c Config) (*files, error) {
	f := new(files)
	var err error
	if c.Credentials != "" {
		if f.user, err = os.ReadFile(c.Credentials); err != nil {
			return nil, err
		}
		if _, err := nkeys.ParseDecoratedJWT(f.user); err != nil {
			return nil, fmt.Errorf("%s has no user: %w", c.Credentials, err)
		}
		pair, err := nkeys.ParseDecoratedNKey(f.user)
		if err != nil {
			return nil, fmt.Errorf("%s has no seed: %w", c.Credentials, err)
		}
		pair.Wipe()
	}
	for i, name := range []string{c.CA, c.Cert, c.Key} {
		if name == "" {
			continue
		}
		if f.pem[i], err = os.ReadFile(name); err != nil {
			return nil, err
		}
	}
	if c.CA != "" {
		if f.authority = x509.NewCertPool(); !f.authority.AppendCertsFromPEM(f.pem[0]) {
			return nil, fmt.Errorf("%s has no certificate", c.CA)
		}
	}
	if c.Cert != "" {
		pair, err := tls.X509KeyPair(f.pem[1], f.pem[2])
		if err != nil {
			return nil, fmt.Errorf("read the certificate %s with the key %s: %w", c.Cert, c.Key, err)
		}
		f.certificate = &pair
	}
	return f, nil
}

func (f *files) same(other *files) bool {
	same := bytes.Equal(f.user, other.user)
	for i := range f.pem {
		same = same && bytes.Equal(f.pem[i], other.pem[i])
	}
	return same
}

// secrets makes each connection use the files as they were last read.
func (n *NATS) secrets() (o []nats.Option) {
	if n.config.Credentials != "" {
		o = append(o, nats.UserJWT(
			func() (string, error) { return nkeys.ParseDecoratedJWT(n.files.Load().user) },
			func(nonce []byte) ([]byte, error) {
				pair, err := nkeys.ParseDecoratedNKey(n.files.Load().user)
				if err != nil {
					return nil, err
				}
				defer pair.Wipe()
				return pair.Sign(nonce)
			},
		))
	}
	if n.config.CA == "" && n.config.Cert == "" {
		return o
	}
	security := &tls.Config{MinVersion: tls.VersionTLS12}
	if n.config.Cert != "" {
		security.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return n.files.Load().certificate, nil }
	}
	o = append(o, nats.Secure(security))
	if n.config.CA != "" {
		o = append(o, func(o *nats.Options) error {
			o.RootCAsCB = func() (*x509.CertPool, error) { return n.files.Load().authority, nil }
			return nil
		})
	}
	return o
}

// Reload reads the files of the Config again. If they have changed, it reconnects with them. After an error the old
// ones stay in use.
func (n *NATS) Reload() (changed bool, err error) {
	f, err := readFiles(n.config)
	if err != nil {
		return false, err
	}
	if f.same(n.files.Load()) {
		return false, nil
	}
	n.files.Store(f)
	if err := n.conn.ForceReconnect(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return true, fmt.Errorf("reconnect: %w", err)
	}
	return true, nil
}
