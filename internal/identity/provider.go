package identity

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	fetchTimeout = 5 * time.Second
	maxAnswer    = 512 << 10 // bytes of a key set or of a provider's description
	maxKeys      = 100
)

// provider fetches the keys of an identity provider.
type provider struct {
	client  *http.Client
	jwksURL string // empty if discovery gives it
	issuer  string
	log     *slog.Logger
}

func newProvider(cfg Config, log *slog.Logger) (*provider, error) {
	p := &provider{jwksURL: cfg.JWKSURL, issuer: cfg.OIDCIssuer, log: log}
	for _, given := range []string{p.jwksURL, p.issuer} {
		if given == "" {
			continue
		}
		if err := checkURL(given); err != nil {
			return nil, err
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	p.client = &http.Client{
		Transport: transport,
		Timeout:   fetchTimeout,
		// The address of the keys is a matter of trust, so redirects are not followed.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return p, nil
}

// checkURL accepts https, and http on this machine. Whoever can change the keys in transit can sign in as anybody.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fmt.Errorf("%s must be a URL such as https://login.example.com/keys", quote(text))
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("%s must begin with https:// (http:// only on this machine's own addresses)", quote(text))
	}
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && a.Unmap().IsLoopback()
}

// fetch asks the provider for its keys.
func (p *provider) fetch(ctx context.Context) (*keySet, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	where := p.jwksURL
	if where == "" {
		var err error
		if where, err = p.discover(ctx); err != nil {
			return nil, err
		}
	}
	var answer struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := p.get(ctx, where, &answer); err != nil {
		return nil, err
	}
	set := p.read(answer.Keys)
	if len(set.keys) == 0 {
		return nil, fmt.Errorf("%s has %d keys and none that can verify a token", where, len(answer.Keys))
	}
	return set, nil
}

// discover asks an OpenID Connect provider where its keys are (OpenID Connect Discovery 1.0, 4).
func (p *provider) discover(ctx context.Context) (string, error) {
	where := strings.TrimSuffix(p.issuer, "/") + "/.well-known/openid-configuration"
	var answer struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := p.get(ctx, where, &answer); err != nil {
		return "", err
	}
	if answer.Issuer != p.issuer {
		return "", fmt.Errorf("%s speaks for the issuer %s and not for %s", where, quote(answer.Issuer), quote(p.issuer))
	}
	if err := checkURL(answer.JWKSURI); err != nil {
		return "", fmt.Errorf("jwks_uri of %s: %w", where, err)
	}
	// A provider elsewhere has no business with the addresses of this machine.
	if u, err := url.Parse(answer.JWKSURI); err == nil && u.Scheme == "http" && strings.HasPrefix(p.issuer, "https:") {
		return "", fmt.Errorf("jwks_uri of %s is not https", where)
	}
	return answer.JWKSURI, nil
}

func (p *provider) get(ctx context.Context, where string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json, application/jwk-set+json")
	resp, err := p.client.Do(req)
	if err != nil {
		return err // it names the URL
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", where, resp.Status)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", where, err)
	}
	if len(body) > maxAnswer {
		return fmt.Errorf("%s answers with more than %d bytes", where, maxAnswer)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("read %s: %w", where, err)
	}
	return nil
}

// read makes a set of the keys that can verify tokens, and passes over the others.
func (p *provider) read(texts []json.RawMessage) *keySet {
	set := &keySet{algorithms: publicAlgorithms}
	if len(texts) > maxKeys {
		p.log.Warn("the provider has too many keys; the last ones are ignored", "keys", len(texts), "most", maxKeys)
		texts = texts[:maxKeys]
	}
	for _, text := range texts {
		if k, ok := publicKey(text); ok {
			set.keys = append(set.keys, k)
		}
	}
	return set
}

// same reports whether two sets verify the same tokens.
func (s *keySet) same(other *keySet) bool {
	return slices.EqualFunc(s.keys, other.keys, func(a, b key) bool {
		equal, ok := a.material.(interface{ Equal(x crypto.PublicKey) bool })
		return a.id == b.id && slices.Equal(a.algorithms, b.algorithms) && ok && equal.Equal(b.material)
	})
}
