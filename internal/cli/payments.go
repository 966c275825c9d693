package cli

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"sneakerdrop/internal/app"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/payment/external"
	"sneakerdrop/internal/payment/stripe"
	"sneakerdrop/internal/shop/checkout"
)

// paymentFlags configure who takes buyers' money.
type paymentFlags struct {
	Payments   payments `placeholder:"PROVIDER" help:"Who takes buyers' money: none (a purchase takes no money), stripe, external (the shop's own checkout), or demo (no money moves) (default none; with --demo on this machine, demo)."`
	AtOnce     bool     `name:"demo-at-once" help:"With --payments demo: authorise each payment at once, without a page, to measure how fast the server is (default false)."`
	StripeKey  secret   `name:"stripe-key" placeholder:"SECRET" help:"The secret key of the Stripe account, sk_… or rk_… (default none). Only as a variable: others can read a command line."`
	StripeFile string   `name:"stripe-key-file" placeholder:"FILE" help:"The file with that key."`
	StripeHook secret   `name:"stripe-webhook-secret" placeholder:"SECRET" help:"The signing secret of the webhook at Stripe, whsec_… (default none), or several, separated by commas. Only as a variable."`
	HookFile   string   `name:"stripe-webhook-secret-file" placeholder:"FILE" help:"The file with that secret, or with several, one in each line."`
	StripeShop string   `name:"stripe-shop" placeholder:"NAME" help:"A name that tells this shop's payments from those of other shops with the same Stripe account: up to 40 of a-z, 0-9 and - (default none)."`
	StripeURL  string   `name:"stripe-url" placeholder:"URL" help:"Where Stripe's API is (default https://api.stripe.com). For tests; http only with a test key."`

	CheckoutURL  string `name:"checkout-url" placeholder:"URL" help:"With --payments external: where buyers pay (default none). docs/howto/own-checkout.md describes it."`
	CheckoutAPI  string `name:"checkout-api-url" placeholder:"URL" help:"Where the server asks that checkout what became of a payment (default none)."`
	CheckoutKey  secret `name:"checkout-secret" placeholder:"SECRET" help:"The secret that both sign with, whsec_… (default none), or two, separated by a comma. Only as a variable."`
	CheckoutFile string `name:"checkout-secret-file" placeholder:"FILE" help:"The file with that secret, or with two, one in each line."`
}

// payments says who takes buyers' money. Empty means that nobody has chosen.
type payments string

const (
	payNothing  payments = "none"
	payStripe   payments = "stripe"
	payExternal payments = "external"
	payDemo     payments = "demo"
)

func parsePayments(s string) (payments, error) {
	switch p := payments(s); p {
	case payNothing, payStripe, payExternal, payDemo:
		return p, nil
	default:
		return "", fmt.Errorf("must be none, stripe, external or demo, not %q", s)
	}
}

// secret is one secret or several, separated by commas or blanks. Logs never show it.
type secret string

// String hides the secret.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "…"
}

// all returns the secrets.
func (s secret) all() []string {
	return strings.FieldsFunc(string(s), func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// How long a provider keeps authorised money, less a margin. So long a claimed unit waits for its money.
const (
	// Stripe keeps an online card payment for 7 days: "Place a hold on a payment method",
	// https://docs.stripe.com/payments/place-a-hold-on-a-payment-method, read in November 2026.
	stripeKeeps = 6 * 24 * time.Hour
	// docs/howto/own-checkout.md asks shops for 3 days. Few payment companies keep money for less.
	externalKeeps = 2 * 24 * time.Hour
	// The demo provider keeps it as long as the server runs.
	demoKeeps = time.Hour
)

// payments returns how buyers pay, or nil if nobody takes their money.
func (c *paymentFlags) payments(con *console, in drop.Currency) (*app.Payments, error) {
	if err := c.check(con); err != nil {
		return nil, err
	}
	p := &app.Payments{Settings: checkout.Settings{Currency: in}}
	var err error
	switch c.Payments {
	case payStripe:
		p.ClaimFor = stripeKeeps
		p.Provider, err = c.stripe()
	case payExternal:
		p.ClaimFor = externalKeeps
		p.Provider, err = c.external(in)
	case payDemo:
		p.ClaimFor, p.AtOnce = demoKeeps, c.AtOnce
	default:
		return nil, nil //nolint:nilnil // as documented
	}
	if fault, ok := errors.AsType[*faultError](err); ok {
		return nil, fault
	}
	if err != nil {
		return nil, &faultError{flag: "payments", rule: fmt.Sprintf("is %s, which cannot be used: %v", c.Payments, err)}
	}
	return p, nil
}

// ofProvider lists the settings of each provider that has some.
func (c *paymentFlags) ofProvider() map[payments]map[string]bool {
	return map[payments]map[string]bool{
		payStripe: {
			"stripe-key": c.StripeKey != "", "stripe-key-file": c.StripeFile != "", "stripe-webhook-secret": c.StripeHook != "",
			"stripe-webhook-secret-file": c.HookFile != "", "stripe-shop": c.StripeShop != "", "stripe-url": c.StripeURL != "",
		},
		payExternal: {
			"checkout-url": c.CheckoutURL != "", "checkout-api-url": c.CheckoutAPI != "", "checkout-secret": c.CheckoutKey != "",
			"checkout-secret-file": c.CheckoutFile != "",
		},
	}
}

// check refuses secrets on the command line, and settings that have no effect.
func (c *paymentFlags) check(con *console) error {
	given := con.onCommandLine()
	for _, flag := range []string{"stripe-key", "stripe-webhook-secret", "checkout-secret"} {
		if given[flag] {
			return &faultError{flag: flag, rule: fmt.Sprintf("must not be on the command line, which others can read; use %s or --%s-file", variable(flag), flag)}
		}
	}
	for provider, settings := range c.ofProvider() {
		for _, flag := range slices.Sorted(maps.Keys(settings)) {
			if settings[flag] && c.Payments != provider {
				return &faultError{flag: flag, rule: fmt.Sprintf("has no effect without --payments %s", provider)}
			}
		}
	}
	return nil
}

// secretOf returns the secrets of a flag: those of the variable, or of the file. There is at least one.
func secretOf(flag string, is secret, file string) ([]string, error) {
	switch {
	case is != "" && file != "":
		return nil, &faultError{flag: flag, rule: fmt.Sprintf("is set together with --%s-file; set only one of them", flag)}
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &faultError{flag: flag + "-file", rule: "cannot be read: " + err.Error()}
		}
		found := secret(text).all()
		if len(found) == 0 {
			return nil, &faultError{flag: flag + "-file", rule: fmt.Sprintf("names %s, which has no secret in it", file)}
		}
		return found, nil
	case len(is.all()) == 0:
		return nil, &faultError{flag: flag + "-file", rule: fmt.Sprintf("is missing, and so is %s; --payments needs one of them", variable(flag))}
	default:
		return is.all(), nil
	}
}

func (c *paymentFlags) stripe() (*stripe.Provider, error) {
	key, err := secretOf("stripe-key", c.StripeKey, c.StripeFile)
	if err != nil {
		return nil, err
	}
	if len(key) > 1 {
		return nil, errors.New("there are several Stripe secret keys: give one")
	}
	signing, err := secretOf("stripe-webhook-secret", c.StripeHook, c.HookFile)
	if err != nil {
		return nil, err
	}
	s := stripe.Settings{Key: stripe.Secret(key[0]), Shop: c.StripeShop, URL: c.StripeURL}
	for _, secret := range signing {
		s.Signing = append(s.Signing, stripe.Secret(secret))
	}
	return stripe.New(s)
}

func (c *paymentFlags) external(in drop.Currency) (*external.Provider, error) {
	switch {
	case c.CheckoutURL == "":
		return nil, &faultError{flag: "checkout-url", rule: "is missing; --payments external sends buyers there"}
	case c.CheckoutAPI == "":
		return nil, &faultError{flag: "checkout-api-url", rule: "is missing; with --payments external the server asks there what became of a payment"}
	}
	secrets, err := secretOf("checkout-secret", c.CheckoutKey, c.CheckoutFile)
	if err != nil {
		return nil, err
	}
	s := external.Settings{Checkout: c.CheckoutURL, API: c.CheckoutAPI, Currency: in}
	for _, secret := range secrets {
		s.Secrets = append(s.Secrets, external.Secret(secret))
	}
	return external.New(s)
}
