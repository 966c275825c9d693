package bus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"sneakerdrop/internal/bus"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/testing/await"
)

// A NATS may require a user and a certificate, and present its own certificate. Whoever has both can use it, and
// nobody else can.
func TestNATS_UsersAndCertificates(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	certificate, key := selfSigned(t)
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(certificate)
	trusted, resolver, user := account(t)
	s := broker(t, server.Options{
		TrustedKeys: []string{trusted}, AccountResolver: resolver, TLS: true, TLSVerify: true,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, ClientCAs: known, ClientAuth: tls.RequireAndVerifyClientCert,
		},
	})
	all := bus.Config{Credentials: file("user.creds", user), CA: file("ca.pem", certificate), Cert: file("cert.pem", certificate), Key: file("key.pem", key)}
	with := func(given bus.Config) (*bus.NATS, *replica) {
		return join(t, strings.Replace(s.ClientURL(), "nats://", "tls://", 1), func(c *bus.Config) {
			c.Credentials, c.CA, c.Cert, c.Key = given.Credentials, given.CA, given.Cert, given.Key
		})
	}
	noUser, noCertificate, noAuthority := all, all, all
	noUser.Credentials, noCertificate.Cert, noCertificate.Key, noAuthority.CA = "", "", "", ""
	before := s.NumSubscriptions()
	for what, given := range map[string]bus.Config{"user": noUser, "certificate": noCertificate, "authority": noAuthority} {
		if with(given); s.NumSubscriptions() != before {
			t.Fatalf("let in without its %s", what)
		}
	}
	a, _ := with(all)
	_, atB := with(all)
	joined(t, s, before+2)
	a.Publish(happened(3))
	await.Until(t, "news", func() bool {
		return atB.look(func(told []engine.Event, _ int) bool { return len(told) > 0 && told[0].View.Drop.Version == 3 })
	})
	if n := s.NumSubscriptions(); n != before+2 {
		t.Errorf("%d replicas listen, want two", n-before)
	}
}

// account makes an account with a user. It returns whom the server has to trust, where the server finds the account,
// and the user's file.
func account(t *testing.T) (trusted string, accounts server.AccountResolver, user []byte) {
	t.Helper()
	operator, ofOperator := pairOf(t, nkeys.CreateOperator)
	owner, ofAccount := pairOf(t, nkeys.CreateAccount)
	member, ofUser := pairOf(t, nkeys.CreateUser)
	signedAccount, err := jwt.NewAccountClaims(ofAccount).Encode(operator)
	if err != nil {
		t.Fatal(err)
	}
	resolver := new(server.MemAccResolver)
	if err := resolver.Store(ofAccount, signedAccount); err != nil {
		t.Fatal(err)
	}
	signedUser, err := jwt.NewUserClaims(ofUser).Encode(owner)
	if err != nil {
		t.Fatal(err)
	}
	seed, err := member.Seed()
	if err != nil {
		t.Fatal(err)
	}
	user, err = jwt.FormatUserConfig(signedUser, seed)
	if err != nil {
		t.Fatal(err)
	}
	return ofOperator, resolver, user
}

func pairOf(t *testing.T, create func() (nkeys.KeyPair, error)) (pair nkeys.KeyPair, public string) {
	t.Helper()
	pair, err := create()
	if err != nil {
		t.Fatal(err)
	}
	if public, err = pair.PublicKey(); err != nil {
		t.Fatal(err)
	}
	return pair, public
}

// selfSigned makes a certificate that is its own authority, valid for both ends of a connection on this machine.
func selfSigned(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sneakerdrop"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})
}

// Changed files are read again. Broken files leave the old ones in use; good ones are used for the next connection.
func TestNATS_ReadsItsFilesAgain(t *testing.T) {
	trusted, resolver, user := account(t)
	s := broker(t, server.Options{TrustedKeys: []string{trusted}, AccountResolver: resolver})
	path := filepath.Join(t.TempDir(), "user.creds")
	write := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(user)
	before := s.NumSubscriptions()
	b, _ := join(t, s.ClientURL(), func(c *bus.Config) { c.Credentials = path })
	joined(t, s, before+1)
	connected := func() uint64 {
		v, err := s.Varz(nil)
		if err != nil {
			t.Fatal(err)
		}
		return v.TotalConnections
	}
	was := connected()
	if changed, err := b.Reload(); err != nil || changed {
		t.Errorf("the same file: %t, %v", changed, err)
	}
	for _, broken := range []string{"", "no user", string(user[:len(user)/2])} {
		write([]byte(broken))
		if changed, err := b.Reload(); err == nil || changed {
			t.Errorf("%q is taken", broken)
		}
	}
	if !b.Connected() || connected() != was {
		t.Errorf("connected %t, %d times, want %d", b.Connected(), connected(), was)
	}
	write(append([]byte("\n"), user...))
	if changed, err := b.Reload(); err != nil || !changed {
		t.Errorf("a new file: %t, %v", changed, err)
	}
	await.Until(t, "another connection", func() bool { return connected() > was && b.Connected() })
}
