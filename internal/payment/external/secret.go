package external

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/payment"
)

// Secret is what the server and the shop sign with, in the form of Standard Webhooks. It never appears in logs.
type Secret string

const (
	secretPrefix                   = "whsec_"
	minSecretBytes, maxSecretBytes = 24, 64
	// tolerance is how far the time of a signed message may be from ours, as Standard Webhooks 1.0 recommends.
	tolerance = 5 * time.Minute
)

// String hides the secret.
func (Secret) String() string { return secretPrefix + "…" }

// GoString hides the secret.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// keys sign and verify. There are one or two.
type keys []*standardwebhooks.Webhook

func newKeys(secrets []Secret) (keys, error) {
	if len(secrets) < 1 || len(secrets) > 2 {
		return nil, fmt.Errorf("give one secret, or two while you change it, but not %d", len(secrets))
	}
	all := make(keys, len(secrets))
	for i, secret := range secrets {
		text, marked := strings.CutPrefix(string(secret), secretPrefix)
		key, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || !marked || len(key) < minSecretBytes || len(key) > maxSecretBytes {
			return nil, fmt.Errorf("secret %d must be %s and the base64 of %d to %d random bytes", i+1, secretPrefix, minSecretBytes, maxSecretBytes)
		}
		if all[i], err = standardwebhooks.NewWebhookRaw(key); err != nil {
			return nil, fmt.Errorf("secret %d cannot be used", i+1)
		}
	}
	return all, nil
}

// sign returns a signature by each key.
func (k keys) sign(id string, at time.Time, text []byte) (string, error) {
	signatures := make([]string, len(k))
	for i, key := range k {
		var err error
		if signatures[i], err = key.Sign(id, at, text); err != nil {
			return "", fmt.Errorf("sign with secret %d: %w", i+1, err)
		}
	}
	return strings.Join(signatures, " "), nil
}

// verify reports whether one of the keys has signed a text, whenever that was.
func (k keys) verify(header http.Header, text []byte) bool {
	for _, key := range k {
		if key.VerifyIgnoringTimestamp(text, header) == nil {
			return true
		}
	}
	return false
}

// check returns payment.ErrForged unless one of the keys signed a message within the tolerance.
func (k keys) check(header http.Header, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(header.Get(standardwebhooks.HeaderWebhookTimestamp), 10, 64)
	if err != nil || !k.verify(header, body) || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return payment.ErrForged
	}
	return nil
}

// address reads an address of the settings. Its errors do not repeat it, because it may hold a password.
func address(what, raw string) (*url.URL, error) {
	if raw == "" {
		return nil, fmt.Errorf("the %s is missing", what)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, fmt.Errorf("the %s must be an address such as https://shop.example/checkout", what)
	case u.User != nil:
		return nil, fmt.Errorf("the %s must not have a user name or a password", what)
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return nil, fmt.Errorf("the %s must not have a fragment (#…)", what)
	case u.Scheme != "https" && (u.Scheme != "http" || !isLocal(u.Hostname())):
		return nil, fmt.Errorf("the %s must begin with https://; http:// is only for a checkout on this machine", what)
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return nil, fmt.Errorf("the %s has a query that cannot be read", what)
	}
	return u, nil
}

// isLocal reports whether a host is this machine.
func isLocal(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
