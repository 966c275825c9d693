package identity

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Verify returns the content of the token if one of the keys signed it and it is valid for this shop now. It returns
// ErrInvalid, ErrExpired, ErrUnavailable or ctx's error.
func (v *Verifier) Verify(ctx context.Context, token string) (Claims, error) {
	if err := checkShape(token); err != nil {
		return Claims{}, err
	}
	keys, err := v.keys.current(ctx)
	if err != nil {
		return Claims{}, err
	}
	now := time.Now()
	if q := v.quick.Load(); q != nil {
		if payload, ok := q.open(token); ok { // as cheap as a look-up in the cache
			return v.cfg.read(payload, now)
		}
	}
	sum := sha256.Sum256([]byte(token))
	if c, ok := v.cache.get(sum, keys, now); ok {
		return c, nil
	}
	keys, payload, err := v.open(ctx, keys, token)
	if err != nil {
		return Claims{}, err
	}
	c, err := v.cfg.read(payload, now)
	if err != nil {
		return Claims{}, err
	}
	v.cache.put(sum, keys, c, c.Expires.Add(Leeway), now)
	return c, nil
}

// checkShape refuses texts that cannot be tokens before they are decoded.
func checkShape(token string) error {
	switch {
	case len(token) > MaxToken:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(token), MaxToken)
	case strings.Count(token, ".") != 2:
		return fmt.Errorf("%w: not three parts", ErrInvalid)
	case !ofBase64URL(token):
		return fmt.Errorf("%w: characters that are not base64url's", ErrInvalid)
	}
	return nil
}

// ofBase64URL reports whether the text has only base64url characters and dots.
func ofBase64URL(token string) bool {
	for i := range len(token) {
		c := token[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// open returns the signed payload and the set of keys that verified it.
func (v *Verifier) open(ctx context.Context, keys *keySet, token string) (*keySet, []byte, error) {
	signed, err := jose.ParseSignedCompact(token, keys.algorithms)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	header := signed.Signatures[0].Protected
	if err := checkHeader(header); err != nil {
		return nil, nil, err
	}
	payload, rotated, err := keys.open(signed, header)
	if !rotated {
		if q := v.quick.Load(); err == nil && q != nil {
			q.learn(token, header.Algorithm)
		}
		return keys, payload, err
	}
	newer := v.keys.newer(ctx, keys)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if newer == keys {
		return nil, nil, err
	}
	payload, _, err = newer.open(signed, header)
	return newer, payload, err
}

// checkHeader refuses a header that needs more than a plain signed token, or that declares something else. A provider
// signs its logout tokens and responses with the same keys.
func checkHeader(h jose.Header) error {
	for _, extension := range []jose.HeaderKey{"crit", "b64", "zip", "enc"} {
		if _, ok := h.ExtraHeaders[extension]; ok {
			return fmt.Errorf("%w: header %s", ErrInvalid, extension)
		}
	}
	typ, ok := h.ExtraHeaders[jose.HeaderType]
	if !ok {
		return nil
	}
	name, _ := typ.(string)
	switch strings.TrimPrefix(strings.ToLower(name), "application/") {
	case "jwt", "at+jwt", "id+jwt":
		return nil
	}
	return fmt.Errorf("%w: type %s", ErrInvalid, quote(name))
}

// quote shortens a stranger's text for the log.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most] + "…"
	}
	return fmt.Sprintf("%q", s)
}
