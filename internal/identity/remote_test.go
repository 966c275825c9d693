package identity

import (
	"cmp"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"go.uber.org/goleak"

	"sneakerdrop/internal/testing/await"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeProvider is an identity provider on loopback.
type fakeProvider struct {
	server *httptest.Server

	mu    sync.Mutex
	keys  []byte
	down  bool
	paths map[string]int // number of requests
	found string         // the discovery document
}

func newFakeProvider(t testing.TB) *fakeProvider {
	t.Helper()
	p := &fakeProvider{paths: make(map[string]int)}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	p.discovery(p.server.URL, p.url("/keys"))
	return p
}

func (p *fakeProvider) url(path string) string { return p.server.URL + path }

func (p *fakeProvider) publish(keys ...jose.JSONWebKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys, _ = json.Marshal(jose.JSONWebKeySet{Keys: keys})
}

func (p *fakeProvider) publishText(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []byte(text)
}

func (p *fakeProvider) discovery(issuer, keys string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, keys)
}

func (p *fakeProvider) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *fakeProvider) requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paths[path]
}

func (p *fakeProvider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paths[r.URL.Path]++
	switch {
	case p.down:
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/keys":
		w.Write(p.keys)
	case r.URL.Path == "/moved":
		http.Redirect(w, r, "/keys", http.StatusFound)
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		w.Write([]byte(p.found))
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// RoundTrip answers without a network, for tests in simulated time.
func (p *fakeProvider) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Result(), nil
}

// verifier makes a Verifier with the test's rhythm.
func (p *fakeProvider) verifier(t testing.TB, cfg Config, rh rhythm) *Verifier {
	t.Helper()
	return p.verifierBy(t, cfg, rh, nil)
}

func (p *fakeProvider) verifierBy(t testing.TB, cfg Config, rh rhythm, transport http.RoundTripper) *Verifier {
	t.Helper()
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	from, err := newProvider(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if transport != nil {
		from.client.Transport = transport
	}
	v := &Verifier{cfg: cfg, keys: startRemote(t.Context(), from, rh, slog.New(slog.DiscardHandler)), cache: newCache()}
	t.Cleanup(v.Close)
	return v
}

// impatient returns a rhythm in which every unknown key triggers a fetch.
func impatient() rhythm {
	r := usualRhythm()
	r.rest = 0
	return r
}

// eventually polls until the token gets the wanted answer, and calls before each time.
func eventually(t *testing.T, v *Verifier, token string, want error, before func()) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(await.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		before()
		if _, err = v.Verify(t.Context(), token); errors.Is(err, want) {
			return
		}
	}
	t.Fatalf("still %v, want %v", err, want)
}

func TestRotation_OverLoopback(t *testing.T) {
	for name, cfg := range map[string]func(p *fakeProvider) Config{
		"key set":        func(p *fakeProvider) Config { return Config{JWKSURL: p.url("/keys")} },
		"OpenID Connect": func(p *fakeProvider) Config { return Config{OIDCIssuer: p.server.URL} },
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakeProvider(t)
			first, second := private(t, jose.ES256), private(t, jose.EdDSA)
			p.publish(publicJWK(first, "1"))
			v := p.verifier(t, cfg(p), impatient())
			claims := good(body{"iss": p.server.URL})
			old, next := named(jose.ES256, first, "1").sign(t, claims), named(jose.EdDSA, second, "2").sign(t, claims)
			if c := check(t, v, old, nil); c.Issuer != p.server.URL {
				t.Errorf("the issuer is %q", c.Issuer)
			}
			check(t, v, next, ErrInvalid)

			p.publish(publicJWK(first, "1"), publicJWK(second, "2"))
			eventually(t, v, next, nil, func() {})
			check(t, v, old, nil)

			p.setDown(true)
			check(t, v, named(jose.ES256, first, "3").sign(t, claims), ErrInvalid) // asks in vain
			check(t, v, old, nil)
			check(t, v, next, nil)

			p.setDown(false)
			p.publish(publicJWK(second, "2"))
			unknown := named(jose.ES256, first, "3").sign(t, claims)
			eventually(t, v, old, ErrInvalid, func() { v.Verify(t.Context(), unknown) }) // asks, unless the provider rests
			check(t, v, next, nil)
		})
	}
}

// inBubble runs with simulated time and a provider without a network, which has one key named 1.
func inBubble(t *testing.T, k crypto.Signer, test func(t *testing.T, p *fakeProvider, v *Verifier)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{paths: make(map[string]int)}
		p.publish(publicJWK(k, "1"))
		test(t, p, p.verifierBy(t, Config{JWKSURL: "https://login.example/keys"}, usualRhythm(), p))
	})
}

func TestRotation_ANewKeyIsTakenAtOnce(t *testing.T) {
	first, second := private(t, jose.ES256), private(t, jose.ES256)
	inBubble(t, first, func(t *testing.T, p *fakeProvider, v *Verifier) {
		forever := good(body{"exp": time.Now().Add(time.Hour).Unix()})
		check(t, v, named(jose.ES256, first, "1").sign(t, forever), nil)
		time.Sleep(time.Minute)
		p.publish(publicJWK(second, "2"))
		began := time.Now()
		check(t, v, named(jose.ES256, second, "2").sign(t, forever), nil)
		check(t, v, named(jose.ES256, first, "1").sign(t, forever), ErrInvalid)
		if took := time.Since(began); took != 0 {
			t.Errorf("took %s", took)
		}
	})
}

func TestRotation_AKeyThatIsGoneIsRefusedAfterTheNextLook(t *testing.T) {
	k := private(t, jose.ES256)
	inBubble(t, k, func(t *testing.T, p *fakeProvider, v *Verifier) {
		token := named(jose.ES256, k, "1").sign(t, good(body{"exp": time.Now().Add(time.Hour).Unix()}))
		check(t, v, token, nil)
		synctest.Wait() // a fetch that has begun may still be under way
		p.publish(publicJWK(private(t, jose.ES256), "2"))
		time.Sleep(refreshEvery - time.Second)
		check(t, v, token, nil)
		time.Sleep(2 * time.Second)
		check(t, v, token, ErrInvalid)
	})
}

// Strangers who invent names of keys cause one request per restBetween. Meanwhile the provider's real key is
// accepted.
func TestRotation_AFloodOfUnknownKeysAsksSeldom(t *testing.T) {
	k := private(t, jose.ES256)
	inBubble(t, k, func(t *testing.T, p *fakeProvider, v *Verifier) {
		genuine := named(jose.ES256, k, "1").sign(t, good(body{"exp": time.Now().Add(time.Hour).Unix()}))
		check(t, v, genuine, nil)
		forged := make([]string, 5)
		for i := range forged {
			forged[i] = named(jose.ES256, k, fmt.Sprint("x", i)).sign(t, good())
		}
		began, before := time.Now(), p.requests("/keys")
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				for i := 0; time.Since(began) < time.Minute; i++ {
					if _, err := v.Verify(t.Context(), forged[i%len(forged)]); !errors.Is(err, ErrInvalid) {
						t.Errorf("%v", err)
					}
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		all.Wait()
		asked := p.requests("/keys") - before
		if most := int(time.Minute/restBetween) + 1; asked > most || asked < most/2 {
			t.Errorf("asked %d times in a minute, want about %d", asked, most)
		}
		check(t, v, genuine, nil)
	})
}

func TestProviderIsAway(t *testing.T) {
	k := private(t, jose.ES256)
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{paths: make(map[string]int), down: true}
		v := p.verifierBy(t, Config{JWKSURL: "https://login.example/keys"}, usualRhythm(), p)
		token := named(jose.ES256, k, "1").sign(t, good(body{"exp": time.Now().Add(100 * time.Hour).Unix()}))
		check(t, v, token, ErrUnavailable)
		p.publish(publicJWK(k, "1"))
		p.setDown(false)
		time.Sleep(restBetween + time.Millisecond)
		check(t, v, token, nil)

		p.setDown(true)
		time.Sleep(keepFor - time.Minute)
		check(t, v, token, nil)
		time.Sleep(refreshEvery + time.Minute)
		check(t, v, token, ErrUnavailable)
		p.setDown(false)
		time.Sleep(retryEvery)
		check(t, v, token, nil)
	})
}

// A caller that waits for a hanging provider gives up with its own request, or after maxWait.
func TestProviderHangs(t *testing.T) {
	k := private(t, jose.ES256)
	synctest.Test(t, func(t *testing.T) {
		p := &fakeProvider{paths: make(map[string]int)}
		v := p.verifierBy(t, Config{JWKSURL: "https://login.example/keys"}, usualRhythm(), hang{})
		token := named(jose.ES256, k, "1").sign(t, good())
		began := time.Now()
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrUnavailable) || time.Since(began) != maxWait {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		time.Sleep(retryEvery)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := v.Verify(ctx, token); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
}

// hang is a provider that never answers.
type hang struct{}

func (hang) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestProvider_AnswersThatAreNoKeys(t *testing.T) {
	k := private(t, jose.ES256)
	set, _ := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{publicJWK(k, "1")}})
	for name, test := range map[string]struct {
		path, keys              string // if empty, discovery gives the address of the good key
		issuer, suffix, jwksURI string // differences in the discovery document
		says                    string
	}{
		"another issuer":     {issuer: "https://evil.example", says: "speaks for"},
		"a slash more":       {suffix: "/", says: "speaks for"},
		"keys over http":     {jwksURI: "http://login.example/keys", says: "must begin with https"},
		"jwks_uri is a path": {jwksURI: "/keys", says: "must be a URL"},
		"redirect":           {path: "/moved", says: "302"},
		"not there":          {path: "/none", says: "404"},
		"no JSON":            {path: "/keys", keys: "<html>", says: "invalid character"},
		"no keys":            {path: "/keys", keys: `{"keys":[]}`, says: "none that can verify"},
		"too long":           {path: "/keys", keys: strings.TrimSuffix(string(set), "}") + `,"x":"` + strings.Repeat("x", maxAnswer) + `"}`, says: "more than"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newFakeProvider(t)
			p.publishText(cmp.Or(test.keys, string(set)))
			cfg := Config{JWKSURL: p.url(test.path)}
			if test.path == "" {
				cfg = Config{OIDCIssuer: p.server.URL}
				p.discovery(cmp.Or(test.issuer, p.server.URL)+test.suffix, cmp.Or(test.jwksURI, p.url("/keys")))
			}
			from, err := newProvider(cfg, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer from.client.CloseIdleConnections()
			if _, err := from.fetch(t.Context()); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want a word of %q", err, test.says)
			}
		})
	}
}

// A key of an unknown kind does not affect the others.
func TestProvider_UnknownKeysArePassedOver(t *testing.T) {
	p := newFakeProvider(t)
	k := private(t, jose.ES256)
	jwk, _ := publicJWK(k, "1").MarshalJSON()
	p.publishText(`{"keys":[{"kty":"OKP","crv":"X25519","x":"AAAA"},{"kty":"new"},7,{},{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"short"},` + string(jwk) + `]}`)
	v := p.verifier(t, Config{JWKSURL: p.url("/keys")}, usualRhythm())
	check(t, v, named(jose.ES256, k, "1").sign(t, good()), nil)
	if set, err := v.keys.current(t.Context()); err != nil || len(set.keys) != 1 {
		t.Errorf("%d keys, %v", len(set.keys), err)
	}
}
