package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sneakerdrop/internal/testing/tokens"
)

const secret = "a secret that is longer than 32 bytes"

// body has the claims of a token.
type body map[string]any

// good returns valid claims; a nil in changes removes a claim.
func good(changes ...body) body {
	b := body{"sub": "ann", "exp": time.Now().Add(time.Hour).Unix()}
	for _, c := range changes {
		maps.Copy(b, c)
	}
	maps.DeleteFunc(b, func(_ string, v any) bool { return v == nil })
	return b
}

// signer signs as a provider does.
type signer struct {
	algorithm jose.SignatureAlgorithm
	key       any
	headers   map[jose.HeaderKey]any
	embed     bool // puts the public key into the header
}

func (s signer) sign(t testing.TB, claims body) string {
	t.Helper()
	return s.signed(claims)
}

func (s signer) signBytes(t testing.TB, payload []byte) string {
	t.Helper()
	return s.signed(payload)
}

func (s signer) signed(claims any) string {
	return tokens.Sign(s.algorithm, s.key, claims, &jose.SignerOptions{EmbedJWK: s.embed, ExtraHeaders: s.headers})
}

func hs256(key string) signer { return signer{algorithm: jose.HS256, key: []byte(key)} }

// private makes a key pair for the algorithm. RSA keys are slow to make, so they are shared.
func private(t testing.TB, algorithm jose.SignatureAlgorithm) crypto.Signer {
	t.Helper()
	var k crypto.Signer
	var err error
	switch algorithm {
	case jose.ES256:
		k, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.ES384:
		k, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jose.ES512:
		k, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jose.EdDSA:
		_, k, err = ed25519.GenerateKey(rand.Reader)
	default:
		return rsaKey()
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		panic(err)
	}
	return k
})

// named signs and names the key that it used.
func named(algorithm jose.SignatureAlgorithm, k crypto.Signer, id string) signer {
	return signer{algorithm: algorithm, key: jose.JSONWebKey{Key: k, KeyID: id}}
}

func publicJWK(k crypto.Signer, id string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: k.Public(), KeyID: id, Use: "sig"}
}

// raw makes a token from a header, a payload and any text as the signature.
func raw(header, payload, signature string) string {
	e := base64.RawURLEncoding
	return e.EncodeToString([]byte(header)) + "." + e.EncodeToString([]byte(payload)) + "." + signature
}

func withSecret(t testing.TB, cfg Config) *Verifier {
	t.Helper()
	cfg.Secret = []byte(secret)
	v, err := New(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

// check verifies the token twice, because the second answer may come from the cache.
func check(t testing.TB, v *Verifier, token string, want error) Claims {
	t.Helper()
	var c Claims
	for try := range 2 {
		var err error
		if c, err = v.Verify(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("try %d: %v, want %v", try+1, err, want)
		}
		if err != nil && c != (Claims{}) {
			t.Errorf("try %d: claims %+v beside the error %v", try+1, c, err)
		}
		if err != nil && strings.Contains(err.Error(), token) && len(token) > 20 {
			t.Errorf("the error carries the token: %v", err)
		}
	}
	return c
}

// claimsOf returns a payload with more after the good claims.
func claimsOf(more string) string {
	return fmt.Sprintf(`{"sub":"ann","exp":%d%s}`, time.Now().Add(time.Hour).Unix(), more)
}
