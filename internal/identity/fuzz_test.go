package identity

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// FuzzPublicKey reads keys from a provider's set. An accepted key is a public key of a kind and size that can verify
// tokens.
func FuzzPublicKey(f *testing.F) {
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA} {
		k := publicJWK(private(f, algorithm), "k")
		text, err := k.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []string{
		`{}`, `null`, `{"kty":"oct","k":"AAAA"}`, `{"kty":"RSA","n":"AQAB","e":"AQAB"}`, `{"kty":"RSA","n":"","e":""}`, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`,
		`{"kty":"OKP","crv":"Ed25519","x":"AA"}`, `{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}`, `{"kty":"RSA","use":"enc"}`, `{"kty":"RSA","x5c":["AAAA"],"x5u":"::"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		k, ok := publicKey(text)
		if !ok {
			return
		}
		if len(k.algorithms) == 0 {
			t.Errorf("%s is a key for nothing", text)
		}
		switch material := k.material.(type) {
		case *rsa.PublicKey:
			if n := material.N.BitLen(); n < minRSABits || n > maxRSABits {
				t.Errorf("%s has %d bits", text, n)
			}
		case *ecdsa.PublicKey:
			if _, err := material.ECDH(); err != nil {
				t.Errorf("%s is no point of its curve: %v", text, err)
			}
		case ed25519.PublicKey:
			if len(material) != ed25519.PublicKeySize {
				t.Errorf("%s has %d bytes", text, len(material))
			}
		default:
			t.Errorf("%s is a %T", text, material)
		}
	})
}
