package stripe

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
)

// Secret is a key of Stripe's. It never appears in logs.
type Secret string

// String hides the secret.
func (Secret) String() string { return "…" }

// GoString hides the secret.
func (Secret) GoString() string { return "…" }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Settings are what an operator says of the shop's Stripe account.
type Settings struct {
	// Key is the account's secret key, sk_live_… or sk_test_…, or a restricted one, rk_live_… or rk_test_….
	// A restricted key needs the right to write Checkout Sessions, PaymentIntents and Refunds, and to read Charges.
	Key Secret
	// Signing has the signing secrets of the webhook endpoint, whsec_…. It has at least one. While a secret is being
	// replaced, both the old and the new one are in use.
	Signing []Secret
	// Shop tells the payments of this shop from those of others that use the same Stripe account. It has up to 40 of
	// the characters a–z, 0–9 and -, and may be empty. A shop that starts again with an empty database needs a new
	// name, because payments are numbered anew. While payments are under way, do not change it.
	Shop string
	// URL is where Stripe's API is. If it is empty, it is https://api.stripe.com. It may use http with a test key only.
	URL string
}

const (
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
)

// has reports whether s is one of the prefixes and then 3 to 250 of some characters.
func has(s Secret, characters string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if rest, ok := strings.CutPrefix(string(s), prefix); ok {
			return len(rest) >= 3 && len(rest) <= 250 && strings.Trim(rest, characters) == ""
		}
	}
	return false
}

// check returns an error if a setting cannot be right. No error repeats a key.
func (s Settings) check() error {
	switch {
	case s.Key == "":
		return errors.New("the Stripe secret key is missing: give the one that begins with sk_ or rk_")
	case strings.HasPrefix(string(s.Key), "pk_"):
		return errors.New("the Stripe secret key is a publishable key: give the one that begins with sk_ or rk_")
	case !has(s.Key, letters+digits, "sk_live_", "sk_test_", "rk_live_", "rk_test_"):
		return errors.New("the Stripe secret key is malformed: it must be sk_live_, sk_test_, rk_live_ or rk_test_ and then " +
			"only letters and digits")
	case len(s.Signing) == 0:
		return errors.New("the Stripe webhook signing secret is missing: give the one that begins with whsec_")
	case len(s.Shop) > 40 || strings.Trim(s.Shop, "abcdefghijklmnopqrstuvwxyz-"+digits) != "":
		return fmt.Errorf("the shop's name for Stripe is %q: it must have up to 40 of the characters a-z, 0-9 and -", s.Shop)
	}
	for _, secret := range s.Signing {
		if !has(secret, letters+digits+"+/=_-", "whsec_") {
			return errors.New("a Stripe webhook signing secret is malformed: it must be whsec_ and then only letters and digits")
		}
	}
	return s.checkURL()
}

func (s Settings) checkURL() error {
	if s.URL == "" {
		return nil
	}
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("the URL of Stripe's API is malformed: it must begin with https:// and a host")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("the URL of Stripe's API must have no user, no query and no fragment")
	case u.Scheme == "http" && strings.Contains(string(s.Key), "_live_"):
		return errors.New("the URL of Stripe's API must begin with https://, because http would send a live key unencrypted")
	}
	return nil
}
