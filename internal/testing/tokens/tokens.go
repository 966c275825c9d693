// Package tokens signs JSON Web Tokens for tests, as an identity provider does.
package tokens

import (
	"encoding/json"

	"github.com/go-jose/go-jose/v4"
)

// Sign returns a token of the claims: bytes unchanged, anything else as JSON. It panics if it cannot sign them, so
// that goroutines can use it too; options may be nil.
func Sign(algorithm jose.SignatureAlgorithm, key, claims any, options *jose.SignerOptions) string {
	payload, ok := claims.([]byte)
	if !ok {
		payload = must(json.Marshal(claims))
	}
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, options))
	return must(must(signer.Sign(payload)).CompactSerialize())
}

// HS256 returns a token of the claims, which are JSON, signed with a secret.
func HS256(secret, claims string) string {
	return Sign(jose.HS256, []byte(secret), []byte(claims), nil)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
