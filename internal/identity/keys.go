package identity

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/go-jose/go-jose/v4"
)

var (
	secretAlgorithms = []jose.SignatureAlgorithm{jose.HS256}
	rsaAlgorithms    = []jose.SignatureAlgorithm{jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512}
	publicAlgorithms = append(slices.Clone(rsaAlgorithms), jose.ES256, jose.ES384, jose.ES512, jose.EdDSA)
)

// key verifies tokens with the algorithms that it is meant for.
type key struct {
	id         string
	algorithms []jose.SignatureAlgorithm
	material   any
}

// keySet never changes; changed keys are a new set.
type keySet struct {
	keys       []key
	algorithms []jose.SignatureAlgorithm // algorithms that a token may name at all; the next set may have keys of another kind
}

// maxTries limits the keys that are tried for a token that does not name its key.
const maxTries = 8

// open returns the payload if a key of the set signed it. rotated says that a newer set might have the key.
func (s *keySet) open(signed *jose.JSONWebSignature, header jose.Header) (payload []byte, rotated bool, err error) {
	algorithm := jose.SignatureAlgorithm(header.Algorithm)
	known, tries := false, 0
	for _, k := range s.keys {
		// A shared secret has no name, and accepts tokens that name one.
		if header.KeyID != k.id && header.KeyID != "" && !isSecret(k.material) {
			continue
		}
		known = known || header.KeyID != ""
		if !slices.Contains(k.algorithms, algorithm) {
			continue
		}
		if tries++; tries > maxTries {
			break
		}
		if payload, err := signed.Verify(k.material); err == nil {
			return payload, false, nil
		}
	}
	switch {
	case known && tries == 0:
		return nil, false, fmt.Errorf("%w: algorithm %s is not for key %s", ErrInvalid, quote(header.Algorithm), quote(header.KeyID))
	case known:
		return nil, false, fmt.Errorf("%w: signature", ErrInvalid)
	default:
		return nil, true, fmt.Errorf("%w: none of %d keys signed it, it names %s", ErrInvalid, len(s.keys), quote(header.KeyID))
	}
}

func isSecret(material any) bool {
	_, ok := material.([]byte)
	return ok
}

// shared is the key source of a secret, which changes only through Reload.
type shared struct{ set atomic.Pointer[keySet] }

func (s *shared) current(context.Context) (*keySet, error)   { return s.set.Load(), nil }
func (s *shared) newer(_ context.Context, _ *keySet) *keySet { return s.set.Load() }
func (s *shared) close()                                     {}

func secretKeys(secret []byte) *keySet {
	return &keySet{keys: []key{{algorithms: secretAlgorithms, material: slices.Clone(secret)}}, algorithms: secretAlgorithms}
}

func checkSecret(secret []byte) error {
	switch {
	case len(secret) < minSecret: // RFC 7518, 3.2: a key must be at least as long as the hash
		return fmt.Errorf("the secret has %d bytes and needs at least %d: a short one can be guessed from a single token", len(secret), minSecret)
	case bytes.Contains(secret, []byte("-----BEGIN ")):
		return errors.New("the secret is a PEM file, but a public key is not a secret; give the provider's key set instead")
	}
	return nil
}

const (
	minRSABits = 2048
	maxRSABits = 8192 // a longer one costs each call too much
)

// publicKey reads one key of a provider's set. ok is false for keys that are not for tokens, or of an unknown kind.
func publicKey(text []byte) (k key, ok bool) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(text); err != nil || jwk.Use != "" && jwk.Use != "sig" {
		return key{}, false
	}
	var can []jose.SignatureAlgorithm
	switch material := jwk.Key.(type) {
	case *rsa.PublicKey:
		if bits := material.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return key{}, false
		}
		can = rsaAlgorithms
	case *ecdsa.PublicKey:
		switch material.Curve.Params().BitSize {
		case 256:
			can = []jose.SignatureAlgorithm{jose.ES256}
		case 384:
			can = []jose.SignatureAlgorithm{jose.ES384}
		case 521:
			can = []jose.SignatureAlgorithm{jose.ES512}
		}
	case ed25519.PublicKey:
		can = []jose.SignatureAlgorithm{jose.EdDSA}
	}
	// RFC 9864 names the curve in the key's algorithm.
	if jwk.Algorithm != "" && (jwk.Algorithm != "Ed25519" || !slices.Contains(can, jose.EdDSA)) {
		can = slices.DeleteFunc(slices.Clone(can), func(a jose.SignatureAlgorithm) bool { return string(a) != jwk.Algorithm })
	}
	return key{id: jwk.KeyID, algorithms: can, material: jwk.Key}, len(can) > 0
}
