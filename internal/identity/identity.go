// Package identity tells who a buyer is from the bearer token (a JSON Web Token, RFC 7519) that the shop's identity
// provider signed.
//
// The keys are one shared secret, or the provider's public keys, which are fetched from its key set (RFC 7517) and
// followed as they rotate. Which algorithms a key may verify is decided by the key, never by the token. What a token
// carries of its own keys (jwk, jku, x5c, x5u) is not looked at.
//
// A Verifier is safe for concurrent use. It fetches keys in the background, until Close.
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

// What Verify's errors are. Each carries a reason for the log, which is not for the caller to see.
var (
	// ErrInvalid: the token is not one of this shop's.
	ErrInvalid = errors.New("token invalid")
	// ErrExpired: the token was good once; its buyer has to sign in again.
	ErrExpired = errors.New("token expired")
	// ErrUnavailable: the provider's keys could not be had, so nothing is known of the token.
	ErrUnavailable = errors.New("keys unavailable")
)

// Config says whose tokens are good. Exactly one of Secret, JWKSURL and OIDCIssuer is given.
type Config struct {
	// Secret verifies HS256, and has at least 32 bytes.
	Secret []byte
	// JWKSURL is where the provider's key set is. https, or http on this machine.
	JWKSURL string
	// OIDCIssuer is a provider with OpenID Connect discovery, which says where its key set is; tokens must name it as
	// iss.
	OIDCIssuer string

	Issuer   string   // what iss must be; empty: anything (OIDCIssuer stands for it)
	Audience []string // aud must have one of these; empty: anything

	NumberClaim string // the claim with the shop's own number of the buyer, which each token must then have; empty: none
}

// MaxToken is the longest token that is looked at, in bytes.
const MaxToken = 8 << 10

const (
	// Leeway is how far the provider's clock and ours may differ.
	Leeway    = 30 * time.Second
	minSecret = 32
	// unnamedSecret and unnamedKeys stand for the issuer of tokens that name none.
	unnamedSecret, unnamedKeys = "hs256", "jwks"
)

// Claims are what a good token says.
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

// keySource is where keys come from: the secret, or a provider.
type keySource interface {
	// current returns the keys as they are known. It does not wait, unless none are known yet.
	current(ctx context.Context) (*keySet, error)
	// newer returns keys after a look at the provider, for a token that those of old do not verify; it returns old
	// where there is nothing newer, or where the provider was asked a moment ago.
	newer(ctx context.Context, old *keySet) *keySet
	close()
}

// New returns a Verifier. The provider need not be up: until its keys are there, Verify returns ErrUnavailable. ctx,
// and Close, end the fetching.
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
		log.Warn("tokens for any audience are taken: those that the provider gives to other programs too")
	}
	return v, nil
}

// Close ends the fetching of keys and waits for it.
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
		return errors.New("identity needs one of a secret, a key set's URL and an OpenID Connect issuer")
	case cfg.OIDCIssuer != "" && cfg.Issuer != "" && cfg.Issuer != cfg.OIDCIssuer:
		return fmt.Errorf("the issuer is %q, and the OpenID Connect issuer is %q; give one of them", cfg.Issuer, cfg.OIDCIssuer)
	case cfg.Secret != nil:
		return checkSecret(cfg.Secret)
	default:
		return nil
	}
}
