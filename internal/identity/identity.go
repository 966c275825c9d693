// Package identity identifies a buyer by a bearer token (a JSON Web Token, RFC 7519) that the shop's identity
// provider signed.
//
// The keys are either a shared secret or the provider's public keys. Public keys are fetched from the provider's key
// set (RFC 7517) and follow its rotation. The key, never the token, decides which algorithms it may verify. Keys
// inside a token (jwk, jku, x5c, x5u) are ignored.
//
// A Verifier is safe for concurrent use. It fetches keys in the background until Close.
package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"sneakerdrop/internal/drop"
)

// The errors of Verify. Each contains a reason for the log that the caller must not see.
var (
	// ErrInvalid: the token is not valid for this shop.
	ErrInvalid = errors.New("token invalid")
	// ErrExpired: the token was valid once. Its buyer has to sign in again.
	ErrExpired = errors.New("token expired")
	// ErrUnavailable: the provider's keys could not be fetched, so the token cannot be checked.
	ErrUnavailable = errors.New("keys unavailable")
)

// Config says whose tokens are accepted. Exactly one of Secret, JWKSURL and OIDCIssuer must be set.
type Config struct {
	// Secret verifies HS256. It needs at least 32 bytes.
	Secret []byte
	// JWKSURL is the address of the provider's key set: https, or http on this machine.
	JWKSURL string
	// OIDCIssuer is a provider with OpenID Connect discovery, which gives the address of its key set. Tokens must
	// have it as iss.
	OIDCIssuer string

	Issuer   string   // required iss; empty accepts any (defaults to OIDCIssuer)
	Audience []string // aud must contain one of these; empty accepts any

	NumberClaim string // the claim with the shop's own number for the buyer, which every token must then have; empty if there is none
}

// MaxToken is the longest accepted token, in bytes.
const MaxToken = 8 << 10

const (
	// Leeway is how much the provider's clock and ours may differ.
	Leeway    = 30 * time.Second
	minSecret = 32
	// unnamedSecret and unnamedKeys replace the issuer of tokens that have none.
	unnamedSecret, unnamedKeys = "hs256", "jwks"
)

// Claims is the content of a valid token.
type Claims struct {
	drop.Subject

	Expires time.Time
}

// Verifier checks tokens.
type Verifier struct {
	cfg   Config
	keys  keySource
	cache cache
	quick atomic.Pointer[quick] // nil without a secret
}

// keySource supplies the keys: a secret, or a provider.
type keySource interface {
	// current returns the known keys. It only waits if none are known yet.
	current(ctx context.Context) (*keySet, error)
	// newer returns keys after asking the provider, for a token that the keys in old do not verify. It returns old if
	// there is nothing newer, or if the provider was asked a moment ago.
	newer(ctx context.Context, old *keySet) *keySet
	close()
}

// New returns a Verifier. The provider need not be up: until its keys arrive, Verify returns ErrUnavailable. Fetching
// ends with ctx or Close.
func New(ctx context.Context, cfg Config, log *slog.Logger) (*Verifier, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	v := &Verifier{cfg: cfg, cache: newCache()}
	if cfg.Secret != nil {
		keys := new(shared)
		keys.set.Store(secretKeys(cfg.Secret))
		v.keys = keys
		v.quick.Store(newQuick(cfg.Secret))
		return v, nil
	}
	r, err := newRemote(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	v.keys = r
	if len(cfg.Audience) == 0 {
		log.Warn("tokens for any audience are accepted, including those that the provider issues for other programs")
	}
	return v, nil
}

// Close stops fetching keys, and waits until it has stopped.
func (v *Verifier) Close() { v.keys.close() }

func (cfg *Config) check() error {
	given := 0
	for _, has := range []bool{cfg.Secret != nil, cfg.JWKSURL != "", cfg.OIDCIssuer != ""} {
		if has {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("identity needs exactly one of a secret, a key set's URL and an OpenID Connect issuer")
	case cfg.OIDCIssuer != "" && cfg.Issuer != "" && cfg.Issuer != cfg.OIDCIssuer:
		return fmt.Errorf("the issuer is %q but the OpenID Connect issuer is %q; give only one of them", cfg.Issuer, cfg.OIDCIssuer)
	case cfg.Secret != nil:
		return checkSecret(cfg.Secret)
	default:
		return nil
	}
}
