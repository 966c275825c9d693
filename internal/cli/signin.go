package cli

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"

	"sneakerdrop/internal/app"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/shop"
)

// signInFlags say who may do what. Without a secret, a key set or an issuer everybody may do everything.
type signInFlags struct {
	JWTSecret      string         `name:"jwt-secret" placeholder:"SECRET" help:"Buyers sign in with tokens (JWT, HS256) that this secret of 32 bytes or more has signed (default none). Others can read a command line: set the variable, or use --jwt-secret-file."`
	JWTSecretFile  string         `name:"jwt-secret-file" placeholder:"FILE" help:"The file with that secret; line ends at its end do not count."`
	JWTKeys        string         `name:"jwt-jwks-url" placeholder:"URL" help:"Buyers sign in with tokens (JWT) that a key of this JSON Web Key Set has signed; followed as keys change."`
	OIDCIssuer     string         `name:"oidc-issuer" placeholder:"URL" help:"Buyers sign in with tokens of this OpenID Connect provider, which says where its keys are."`
	JWTIssuer      string         `name:"jwt-issuer" placeholder:"NAME" help:"What tokens must have as iss (default anything; --oidc-issuer stands for it)."`
	JWTAudience    []string       `name:"jwt-audience" placeholder:"NAME" help:"What tokens must have among their aud (default anything). Repeat it, or separate by commas, for more."`
	JWTNumberClaim string         `name:"jwt-number-claim" placeholder:"CLAIM" help:"The claim with the shop's own number of the buyer, below 2^40 (default none: the server numbers buyers)."`
	BuyerNames     drop.NameStyle `name:"buyer-names" default:"auto" help:"What everybody sees of buyers' names: full, initial (Ann S. of Ann Smith where the token has given_name and family_name, else an initial and nothing more: A.), none, or auto: initial where buyers sign in, else full."`
	BuyerLimits    limits         `name:"buyer-limits" default:"off" placeholder:"RULES" help:"What one buyer who signed in may ask for, in requests a second and at once, such as read=20/40,buy=5/10 (default off)."`
}

// required reports whether calls need tokens.
func (c *signInFlags) required() bool { return c.source() != "" }

// verifier returns what reads buyers' tokens, and the secret if it has one; nil: nobody has to sign in.
func (c *signInFlags) verifier(ctx context.Context, log *slog.Logger) (v *identity.Verifier, secret []byte, err error) {
	if err := c.check(); err != nil || !c.required() {
		return nil, nil, err
	}
	if secret, err = c.secret(); err != nil {
		return nil, nil, err
	}
	v, err = identity.New(ctx, identity.Config{
		Secret: secret, JWKSURL: c.JWTKeys, OIDCIssuer: c.OIDCIssuer, Issuer: c.JWTIssuer, Audience: c.JWTAudience,
		NumberClaim: c.JWTNumberClaim,
	}, log)
	if err != nil {
		return nil, nil, &faultError{flag: c.source(), rule: "cannot be used: " + err.Error()}
	}
	return v, secret, nil
}

// source is the flag that says how tokens are checked; empty: nobody has to sign in.
func (c *signInFlags) source() string {
	switch {
	case c.JWTSecret != "":
		return "jwt-secret"
	case c.JWTSecretFile != "":
		return "jwt-secret-file"
	case c.JWTKeys != "":
		return "jwt-jwks-url"
	case c.OIDCIssuer != "":
		return "oidc-issuer"
	default:
		return ""
	}
}

// check refuses settings that contradict each other, or that count for nothing.
func (c *signInFlags) check() error {
	given := 0
	for _, source := range []string{c.JWTSecret, c.JWTSecretFile, c.JWTKeys, c.OIDCIssuer} {
		if source != "" {
			given++
		}
	}
	if given > 1 {
		return &faultError{flag: c.source(), rule: "is not the only one; give one of --jwt-secret, --jwt-secret-file, --jwt-jwks-url and --oidc-issuer"}
	}
	if given == 1 {
		return nil
	}
	for flag, set := range map[string]bool{
		"jwt-issuer": c.JWTIssuer != "", "jwt-audience": len(c.JWTAudience) > 0, "jwt-number-claim": c.JWTNumberClaim != "",
		"buyer-limits": len(c.BuyerLimits.Rules) > 0,
	} {
		if set {
			return &faultError{flag: flag, rule: "counts only where buyers sign in; add --jwt-secret-file, --jwt-jwks-url or --oidc-issuer"}
		}
	}
	return nil
}

func (c *signInFlags) secret() ([]byte, error) {
	switch {
	case c.JWTSecret != "":
		return []byte(c.JWTSecret), nil
	case c.JWTSecretFile != "":
		secret, err := os.ReadFile(c.JWTSecretFile)
		if err != nil {
			return nil, &faultError{flag: "jwt-secret-file", rule: "cannot be read: " + err.Error()}
		}
		return append([]byte{}, bytes.TrimRight(secret, "\r\n")...), nil // not nil, even if nothing is left
	default:
		return nil, nil
	}
}

// rehearsals is nil where buyers need tokens that this server cannot make.
func (c *signInFlags) rehearsals(secret []byte) *shop.Rehearsals {
	if c.required() && (secret == nil || c.JWTIssuer != "") {
		return nil
	}
	r := new(shop.Rehearsals)
	if secret != nil {
		r.Sign(c.signing(secret))
	}
	return r
}

// signing is how tokens of made-up buyers are made with a secret.
func (c *signInFlags) signing(secret []byte) func(int64) string {
	audience := ""
	if len(c.JWTAudience) > 0 {
		audience = c.JWTAudience[0]
	}
	return identity.Signer(secret, audience)
}

// signer makes buyers' tokens with the server's secret, which a file has; nil without a file: nobody signs in.
func signer(file, audience string) (func(buyer int64) string, error) {
	if file == "" {
		return nil, nil
	}
	secret, err := (&signInFlags{JWTSecretFile: file}).secret()
	if err != nil {
		return nil, err
	}
	return identity.Signer(secret, audience), nil
}

// secrets are those that buyers' tokens are checked with, where a running server can read them again.
func (c *signInFlags) secrets(v *identity.Verifier, rehearsals *shop.Rehearsals) []app.Secret {
	switch {
	case v == nil || c.JWTSecret != "": // that one is in no file
		return nil
	case c.JWTSecretFile == "":
		return []app.Secret{{What: "identity provider's keys", Read: func(ctx context.Context) (bool, error) { return v.Reload(ctx, nil) }}}
	}
	return []app.Secret{{What: "secret of buyers' tokens", Files: []string{c.JWTSecretFile}, Read: func(ctx context.Context) (bool, error) {
		text, err := c.secret()
		if err != nil {
			return false, err
		}
		changed, err := v.Reload(ctx, text)
		if changed && rehearsals != nil {
			rehearsals.Sign(c.signing(text))
		}
		return changed, err
	}}}
}

// warnOfPlainTokens: who listens on the way can use what it hears.
func (c *serveCommand) warnOfPlainTokens(log *slog.Logger) {
	if c.required() && !c.Addr.Loopback() && c.TLSCert == "" && len(c.TrustedProxy) == 0 {
		log.Warn("tokens come without encryption; give --tls-cert and --tls-key, or put a proxy with TLS in front and name it with --trusted-proxy")
	}
}

// parseNameStyle reads how names are shown; empty: as suits.
func parseNameStyle(s string) (drop.NameStyle, error) {
	switch style := drop.NameStyle(s); style {
	case drop.FullName, drop.InitialName, drop.NoName:
		return style, nil
	case "auto":
		return "", nil
	default:
		return "", fmt.Errorf("must be full, initial, none or auto, and is %q", s)
	}
}
