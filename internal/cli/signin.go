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

// signInFlags configure who may do what. Without a secret, a key set or an issuer, everybody may do everything.
type signInFlags struct {
	JWTSecret      string         `name:"jwt-secret" placeholder:"SECRET" help:"Buyers sign in with tokens (JWT, HS256) signed with this secret of at least 32 bytes (default none). Others can read a command line, so use the variable or --jwt-secret-file."`
	JWTSecretFile  string         `name:"jwt-secret-file" placeholder:"FILE" help:"The file with that secret, without the line ends at its end."`
	JWTKeys        string         `name:"jwt-jwks-url" placeholder:"URL" help:"Buyers sign in with tokens (JWT) signed by a key in this JSON Web Key Set, which is fetched again as keys change."`
	OIDCIssuer     string         `name:"oidc-issuer" placeholder:"URL" help:"Buyers sign in with tokens of this OpenID Connect provider, whose discovery document gives its keys."`
	JWTIssuer      string         `name:"jwt-issuer" placeholder:"NAME" help:"The required iss of tokens (default any; with --oidc-issuer, that one)."`
	JWTAudience    []string       `name:"jwt-audience" placeholder:"NAME" help:"The required aud of tokens (default any). Repeat it, or separate by commas, to accept several."`
	JWTNumberClaim string         `name:"jwt-number-claim" placeholder:"CLAIM" help:"The claim with the shop's own number for the buyer, below 2^40 (default none: the server numbers buyers)."`
	BuyerNames     drop.NameStyle `name:"buyer-names" default:"auto" help:"How much of buyers' names is public: full, initial, none, or auto (initial if buyers sign in, else full). With initial, Ann Smith is shown as Ann S. if the token has given_name and family_name, else as A."`
	BuyerLimits    limits         `name:"buyer-limits" default:"off" placeholder:"RULES" help:"Rate limits for one signed-in buyer, in requests per second and at once, such as read=20/40,buy=5/10 (default off)."`
}

// required reports whether calls need tokens.
func (c *signInFlags) required() bool { return c.source() != "" }

// verifier returns what checks buyers' tokens, and the secret if there is one. It returns nil if there is no sign-in.
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

// source returns the flag that says how tokens are checked, or "" if there is no sign-in.
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

// check refuses settings that contradict each other or have no effect.
func (c *signInFlags) check() error {
	given := 0
	for _, source := range []string{c.JWTSecret, c.JWTSecretFile, c.JWTKeys, c.OIDCIssuer} {
		if source != "" {
			given++
		}
	}
	if given > 1 {
		return &faultError{flag: c.source(), rule: "is set together with another one; set only one of --jwt-secret, --jwt-secret-file, --jwt-jwks-url and --oidc-issuer"}
	}
	if given == 1 {
		return nil
	}
	for flag, set := range map[string]bool{
		"jwt-issuer": c.JWTIssuer != "", "jwt-audience": len(c.JWTAudience) > 0, "jwt-number-claim": c.JWTNumberClaim != "",
		"buyer-limits": len(c.BuyerLimits.Rules) > 0,
	} {
		if set {
			return &faultError{flag: flag, rule: "has no effect unless buyers sign in; add --jwt-secret-file, --jwt-jwks-url or --oidc-issuer"}
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
		return append([]byte{}, bytes.TrimRight(secret, "\r\n")...), nil // not nil, even if it is empty
	default:
		return nil, nil
	}
}

// rehearsals returns nil if buyers need tokens that this server cannot make.
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

// signing returns how to make tokens of simulated buyers with a secret.
func (c *signInFlags) signing(secret []byte) func(int64) string {
	audience := ""
	if len(c.JWTAudience) > 0 {
		audience = c.JWTAudience[0]
	}
	return identity.Signer(secret, audience)
}

// signer makes buyers' tokens with the server's secret, which is in a file. Without a file it returns nil: there is
// no sign-in.
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

// secrets returns the keys for buyers' tokens that a running server can read again.
func (c *signInFlags) secrets(v *identity.Verifier, rehearsals *shop.Rehearsals) []app.Secret {
	switch {
	case v == nil || c.JWTSecret != "": // a secret that is not in a file
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

// warnOfPlainTokens warns that anybody who can read the traffic can use the tokens in it.
func (c *serveCommand) warnOfPlainTokens(log *slog.Logger) {
	if c.required() && !c.Addr.Loopback() && c.TLSCert == "" && len(c.TrustedProxy) == 0 {
		log.Warn("tokens come without encryption; set --tls-cert and --tls-key, or put a proxy with TLS in front and name it with --trusted-proxy")
	}
}

// parseNameStyle reads how names are shown. An empty style means auto.
func parseNameStyle(s string) (drop.NameStyle, error) {
	switch style := drop.NameStyle(s); style {
	case drop.FullName, drop.InitialName, drop.NoName:
		return style, nil
	case "auto":
		return "", nil
	default:
		return "", fmt.Errorf("must be full, initial, none or auto, not %q", s)
	}
}
