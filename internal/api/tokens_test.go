package api_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/testing/tokens"
)

const (
	testIssuer   = "https://id.shop.example"
	testAudience = "shop"
)

// provider is an identity provider for tests. It signs whatever a token claims.
type provider struct {
	t      testing.TB
	secret []byte          // HS256
	key    *rsa.PrivateKey // RS256, instead of the secret
	config identity.Config
}

func secretProvider(t testing.TB) *provider {
	p := &provider{t: t, secret: make([]byte, 32)}
	_, _ = rand.Read(p.secret) // never fails
	p.config = identity.Config{Secret: p.secret, Issuer: testIssuer, Audience: []string{testAudience}}
	return p
}

// keyProvider publishes its key set on this machine.
func keyProvider(t testing.TB) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(server.Close)
	return &provider{t: t, key: key, config: identity.Config{JWKSURL: server.URL, Issuer: testIssuer, Audience: []string{testAudience}}}
}

func (p *provider) signIn(c *api.Config) {
	v, err := identity.New(p.t.Context(), p.config, slog.New(slog.DiscardHandler))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(v.Close)
	c.Identity = v
}

type claims map[string]any

// claims returns valid claims with some changes.
func (p *provider) claims(subject string, changes claims) claims {
	c := claims{
		"iss": testIssuer, "aud": testAudience, "sub": subject, "exp": time.Now().Add(time.Hour).Unix(),
		"name": subject + " Smith", "email": subject + "@example.com",
	}
	maps.Copy(c, changes)
	return c
}

// token signs like the provider.
func (p *provider) token(subject string, changes claims) string {
	if p.key != nil {
		return sign(jose.RS256, jose.JSONWebKey{Key: p.key, KeyID: "1"}, p.claims(subject, changes))
	}
	return sign(jose.HS256, p.secret, p.claims(subject, changes))
}

// confused is a token signed with a key that the provider publishes, or that the token itself contains.
func (p *provider) confused(subject string) string {
	if p.key == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			p.t.Fatal(err)
		}
		return sign(jose.RS256, key, p.claims(subject, nil))
	}
	der, err := x509.MarshalPKIXPublicKey(p.key.Public())
	if err != nil {
		p.t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	return sign(jose.HS256, jose.JSONWebKey{Key: secret, KeyID: "1"}, p.claims(subject, nil))
}

// unsigned has no signature, and says so.
func (p *provider) unsigned(subject string) string {
	payload, err := json.Marshal(p.claims(subject, nil))
	if err != nil {
		p.t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part(payload) + "."
}

func sign(algorithm jose.SignatureAlgorithm, key any, c claims) string {
	return tokens.Sign(algorithm, key, c, (&jose.SignerOptions{}).WithType("JWT"))
}

// operatorToken creates a token that is valid for that long; 0: forever.
func (s *shop) operatorToken(role operator.Role, life time.Duration) (string, operator.TokenID) {
	s.Helper()
	token, hash := operator.Mint()
	t := operator.Token{Name: fmt.Sprintf("the %s's laptop", role), Role: role}
	if life != 0 {
		t.ExpiresAt = drop.TimeOf(time.Now().Add(life))
	}
	made, err := s.store.CreateToken(s.Context(), t, hash)
	if err != nil {
		s.Fatal(err)
	}
	return token, made.ID
}

// as makes a call with a token.
func (s *shop) as(token, method, path, body string) reply {
	s.Helper()
	req := s.request(method, path, body)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(req)
}

// mustAs makes a call with a token, and the call has to succeed.
func mustAs[T any](s *shop, token, method, path, body string) T {
	s.Helper()
	r := s.as(token, method, path, body)
	if r.status != http.StatusOK {
		s.Fatalf("%s %s %s: %d %s", method, path, body, r.status, r.body)
	}
	return decoded[T](s, r)
}
