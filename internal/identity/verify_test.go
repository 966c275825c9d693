package identity

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"sneakerdrop/internal/drop"
)

func TestVerify_TellsWhoTheBuyerIs(t *testing.T) {
	v := withSecret(t, Config{Issuer: "https://login.example", Audience: []string{"shop", "shop-app"}, NumberClaim: "shop_id"})
	expires := time.Now().Add(time.Hour).Truncate(time.Second)
	c := check(t, v, hs256(secret).sign(t, good(body{
		"iss": "https://login.example", "aud": []string{"x", "shop-app"}, "shop_id": 7, "name": " Ann\nSmith ", "email": "Ann@Example.com",
		"exp": expires.Unix(),
	})), nil)
	want := Claims{
		Subject: drop.Subject{Issuer: "https://login.example", Subject: "ann", Number: 7, Username: "Ann Smith", Email: "ann@example.com"},
		Expires: expires,
	}
	if !c.Expires.Equal(want.Expires) || c.Subject != want.Subject {
		t.Errorf("%+v, want %+v", c, want)
	}
}

func TestVerify_NamesAndEmails(t *testing.T) {
	for _, test := range []struct {
		name            string
		claims          body
		username, email string
	}{
		{"none", nil, drop.UnknownUsername, ""},
		{"the second name", body{"name": " ", "preferred_username": "ann7"}, "ann7", ""},
		{"no text", body{"name": 7, "email": []string{"a@b.example"}}, drop.UnknownUsername, ""},
		{"long", body{"name": strings.Repeat("ä", 300)}, strings.Repeat("ä", drop.MaxUsername), ""},
		{"nobody looked", body{"email": "ann@example.com", "email_verified": false}, drop.UnknownUsername, ""},
		{"somebody looked", body{"email": "ann@example.com", "email_verified": true}, drop.UnknownUsername, "ann@example.com"},
		{"no email", body{"email": "Ann <ann@example.com>"}, drop.UnknownUsername, ""},
		{"a NUL", body{"name": "a\x00b"}, "a b", ""},
	} {
		c := check(t, withSecret(t, Config{}), hs256(secret).sign(t, good(test.claims)), nil)
		if c.Username != test.username || c.Email != test.email || c.Issuer != "hs256" {
			t.Errorf("%s: %+v", test.name, c)
		}
		if err := drop.CheckUser(c.Username, c.Email); err != nil {
			t.Errorf("%s: the store would refuse: %v", test.name, err)
		}
	}
}

func TestVerify_ClaimsThatDoNotHold(t *testing.T) {
	v := withSecret(t, Config{Issuer: "https://login.example", Audience: []string{"shop"}, NumberClaim: "n"})
	base := body{"iss": "https://login.example", "aud": "shop", "n": 1}
	check(t, v, hs256(secret).sign(t, good(base)), nil)
	ahead, past := time.Now().Add(2*time.Minute).Unix(), time.Now().Add(-2*time.Minute).Unix()
	for name, test := range map[string]struct {
		change body
		want   error
	}{
		"no exp": {body{"exp": nil}, ErrInvalid}, "exp as text": {body{"exp": "9999999999"}, ErrInvalid},
		"exp null": {body{"exp": []any{}}, ErrInvalid}, "exp too far": {body{"exp": 1e300}, ErrInvalid},
		"exp below 0": {body{"exp": -1}, ErrInvalid}, "exp 0": {body{"exp": 0}, ErrExpired},
		"expired": {body{"exp": past}, ErrExpired}, "not yet": {body{"nbf": ahead}, ErrInvalid},
		"nbf as text": {body{"nbf": "1"}, ErrInvalid}, "made tomorrow": {body{"iat": ahead}, ErrInvalid},
		"no issuer": {body{"iss": nil}, ErrInvalid}, "another issuer": {body{"iss": "https://login.example/"}, ErrInvalid},
		"issuers":     {body{"iss": []string{"https://login.example"}}, ErrInvalid},
		"no audience": {body{"aud": nil}, ErrInvalid}, "another audience": {body{"aud": "Shop"}, ErrInvalid},
		"other audiences": {body{"aud": []string{"a", "b"}}, ErrInvalid}, "no audiences": {body{"aud": []string{}}, ErrInvalid},
		"audience 7": {body{"aud": 7}, ErrInvalid}, "mixed audiences": {body{"aud": []any{"shop", 7}}, ErrInvalid},
		"no subject": {body{"sub": nil}, ErrInvalid}, "empty subject": {body{"sub": ""}, ErrInvalid},
		"subject 7": {body{"sub": 7}, ErrInvalid}, "long subject": {body{"sub": strings.Repeat("s", 256)}, ErrInvalid},
		"NUL in the subject": {body{"sub": "a\x00"}, ErrInvalid},
		"no number":          {body{"n": nil}, ErrInvalid}, "number 0": {body{"n": 0}, ErrInvalid}, "number -1": {body{"n": -1}, ErrInvalid},
		"number 1.5": {body{"n": 1.5}, ErrInvalid}, "number 2^40": {body{"n": 1 << 40}, ErrInvalid}, "number 01": {body{"n": "01"}, ErrInvalid},
		"number +1": {body{"n": "+1"}, ErrInvalid}, "true": {body{"n": true}, ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) { check(t, v, hs256(secret).sign(t, good(base, test.change)), test.want) })
	}
	if c := check(t, v, hs256(secret).sign(t, good(base, body{"n": "42"})), nil); c.Number != 42 {
		t.Errorf("a number as text is %d", c.Number)
	}
}

func TestVerify_PayloadsThatAreNoClaims(t *testing.T) {
	v := withSecret(t, Config{})
	for name, payload := range map[string]string{
		"empty": "", "no JSON": "x", "null": "null", "array": "[]", "text": `"ann"`, "more": claimsOf("") + "{}",
		"twice":     claimsOf(`,"sub":"bob"`),
		"case":      strings.Replace(claimsOf(""), "exp", "EXP", 1),
		"not UTF-8": claimsOf(`,"name":"` + "\xff" + `"`),
		"deep":      claimsOf(`,"x":` + strings.Repeat("[", 5000)),
	} {
		t.Run(name, func(t *testing.T) { check(t, v, hs256(secret).signBytes(t, []byte(payload)), ErrInvalid) })
	}
}

// Anything that is not one of our tokens is refused, and so are tricks with the header.
func TestVerify_ForgedTokens(t *testing.T) {
	v := withSecret(t, Config{})
	claims := claimsOf("")
	token := hs256(secret).sign(t, good())
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	with := func(name jose.HeaderKey, value any) string {
		return signer{algorithm: jose.HS256, key: []byte(secret), headers: map[jose.HeaderKey]any{name: value}}.sign(t, good())
	}
	for name, forged := range map[string]string{
		"empty": "", "dots": "..", "text": "token", "bearer": "Bearer " + token, "a part less": header + "." + payload,
		"a part more": token + ".x", "cut short": token[:len(token)-2], "no signature": header + "." + payload + ".",
		"white space": token + "\n", "within": header + " ." + payload + "." + signature, "not ASCII": token + "é", "NUL": token + "\x00",
		"padded": token + "=", "huge": token + strings.Repeat("A", MaxToken), "invalid UTF-8": "\xff.\xff.\xff",
		"none": raw(`{"alg":"none"}`, claims, ""), "None": raw(`{"alg":"None"}`, claims, ""), "none, signed": raw(`{"alg":"none"}`, claims, signature),
		"no algorithm": raw(`{}`, claims, signature), "algorithm 7": raw(`{"alg":7}`, claims, signature),
		"algorithms": raw(`{"alg":["HS256"]}`, claims, signature), "lower case": raw(`{"alg":"hs256"}`, claims, signature),
		"header null": raw(`null`, claims, signature), "header array": raw(`[]`, claims, signature), "header broken": raw(`{"alg":"HS256"`, claims, signature),
		"algorithm twice": raw(`{"alg":"HS256","alg":"none"}`, claims, ""),
		"another secret":  hs256(secret+"!").sign(t, good()),
		"another payload": header + "." + strings.Split(raw("{}", claims, ""), ".")[1] + "x." + signature,
		"HS512":           signer{algorithm: jose.HS512, key: []byte(strings.Repeat(secret, 2))}.sign(t, good()),
		"encrypted":       raw(`{"alg":"dir","enc":"A256GCM"}`, claims, signature),
		"crit":            with("crit", []string{"exp"}), "crit b64": with("crit", []string{"b64"}), "b64": with("b64", true),
		"logout token": with("typ", "logout+jwt"), "DPoP proof": with("typ", "dpop+jwt"), "type 7": with("typ", 7),
		"its own secret": raw(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`, claims, signature),
	} {
		t.Run(name, func(t *testing.T) { check(t, v, forged, ErrInvalid) })
	}
	// n bytes of payload become 4/3 of that, plus about 100 bytes of header and signature.
	check(t, v, hs256(secret).sign(t, good(body{"x": strings.Repeat("x", MaxToken*3/4-200)})), nil)
	check(t, v, hs256(secret).sign(t, good(body{"x": strings.Repeat("x", MaxToken*3/4)})), ErrInvalid)
	for _, typ := range []string{"JWT", "jwt", "at+jwt", "application/at+jwt"} {
		check(t, v, with("typ", typ), nil)
	}
	check(t, v, with("kid", "whatever"), nil) // a secret has no name
}

// A token may contain keys and addresses of keys; they are ignored.
func TestVerify_KeysInTheTokenAreIgnored(t *testing.T) {
	p := newFakeProvider(t)
	ours, theirs := private(t, jose.ES256), private(t, jose.ES256)
	p.publish(publicJWK(ours, "k1"))
	v := p.verifier(t, Config{JWKSURL: p.url("/keys")}, usualRhythm())

	check(t, v, named(jose.ES256, theirs, "k1").sign(t, good()), ErrInvalid)
	check(t, v, signer{algorithm: jose.ES256, key: jose.JSONWebKey{Key: theirs, KeyID: "k1"}, embed: true}.sign(t, good()), ErrInvalid)
	asked := p.requests("/theirs")
	for _, name := range []jose.HeaderKey{"jku", "x5u"} {
		s := named(jose.ES256, theirs, "k1")
		s.headers = map[jose.HeaderKey]any{name: p.url("/theirs")}
		check(t, v, s.sign(t, good()), ErrInvalid)
		s = named(jose.ES256, ours, "k1")
		s.headers = map[jose.HeaderKey]any{name: p.url("/theirs")}
		check(t, v, s.sign(t, good()), nil)
	}
	if p.requests("/theirs") != asked {
		t.Error("a token made the server fetch a key")
	}
}

// A public key must never work as a shared secret, and no key verifies algorithms of another kind.
func TestVerify_KeyConfusion(t *testing.T) {
	p := newFakeProvider(t)
	rsaK, ecK := private(t, jose.RS256), private(t, jose.ES256)
	restricted := publicJWK(rsaK, "only-ps")
	restricted.Algorithm = "PS256"
	forEncryption := publicJWK(rsaK, "enc")
	forEncryption.Use = "enc"
	p.publish(publicJWK(rsaK, "rsa"), publicJWK(ecK, "ec"), restricted, forEncryption,
		jose.JSONWebKey{Key: []byte(secret), KeyID: "oct"}, jose.JSONWebKey{Key: ecK, KeyID: "private"})
	v := p.verifier(t, Config{JWKSURL: p.url("/keys")}, usualRhythm())

	der, err := x509.MarshalPKIXPublicKey(rsaK.Public())
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	jwk, _ := publicJWK(rsaK, "rsa").MarshalJSON()
	for name, key := range map[string][]byte{"PEM": text, "DER": der, "JWK": jwk} {
		for _, id := range []string{"rsa", ""} {
			s := signer{algorithm: jose.HS256, key: jose.JSONWebKey{Key: key, KeyID: id}}
			t.Run(name+" as a secret "+id, func(t *testing.T) { check(t, v, s.sign(t, good()), ErrInvalid) })
		}
	}
	for name, test := range map[string]struct {
		s    signer
		want error
	}{
		"RS256": {named(jose.RS256, rsaK, "rsa"), nil}, "PS256": {named(jose.PS256, rsaK, "rsa"), nil}, "ES256": {named(jose.ES256, ecK, "ec"), nil},
		"PS256 by the key for it": {named(jose.PS256, rsaK, "only-ps"), nil}, "RS256 by the key for PS256": {named(jose.RS256, rsaK, "only-ps"), ErrInvalid},
		"key for encryption": {named(jose.RS256, rsaK, "enc"), ErrInvalid}, "published secret": {signer{algorithm: jose.HS256, key: jose.JSONWebKey{Key: []byte(secret), KeyID: "oct"}}, ErrInvalid},
		"published private key": {named(jose.ES256, ecK, "private"), ErrInvalid}, "another key's name": {named(jose.RS256, rsaK, "ec"), ErrInvalid},
		"no name": {named(jose.ES256, ecK, ""), nil}, "unknown name": {named(jose.RS256, rsaK, "rsa2"), ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) { check(t, v, test.s.sign(t, good()), test.want) })
	}
}

func TestVerify_EveryAlgorithm(t *testing.T) {
	for _, algorithm := range publicAlgorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			p := newFakeProvider(t)
			k := private(t, algorithm)
			p.publish(publicJWK(k, "k"))
			v := p.verifier(t, Config{JWKSURL: p.url("/keys")}, usualRhythm())
			if c := check(t, v, named(algorithm, k, "k").sign(t, good()), nil); c.Issuer != "jwks" {
				t.Errorf("the issuer is %q", c.Issuer)
			}
			token := named(algorithm, k, "k").sign(t, good())
			broken := []byte(token)
			broken[strings.LastIndexByte(token, '.')+5] ^= 1
			check(t, v, string(broken), ErrInvalid)
		})
	}
	check(t, withSecret(t, Config{}), hs256(secret).sign(t, good()), nil)
}

// A cached token is dropped when it expires, whatever the time zone.
func TestVerify_ATokenEndsAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := withSecret(t, Config{})
		token := hs256(secret).sign(t, good(body{"exp": time.Now().Add(time.Minute).Unix(), "nbf": time.Now().Add(30 * time.Second).Unix()}))
		check(t, v, token, nil)
		time.Sleep(90*time.Second - time.Nanosecond)
		check(t, v, token, nil)
		time.Sleep(time.Nanosecond)
		check(t, v, token, ErrExpired)
	})
}

func TestCache_IsBounded(t *testing.T) {
	c := newCache()
	keys, now := &keySet{}, time.Now()
	for i := range 3 * maxCached {
		c.put([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, keys, Claims{}, now.Add(time.Hour), now)
	}
	if n := c.tokens.Len(); n > maxCached {
		t.Errorf("%d tokens are remembered", n)
	}
	last := 3*maxCached - 1
	sum := [32]byte{byte(last), byte(last >> 8), byte(last >> 16)}
	if _, ok := c.get(sum, keys, now); !ok {
		t.Error("the newest is forgotten")
	}
	if _, ok := c.get([32]byte{}, keys, now); ok {
		t.Error("the oldest is remembered")
	}
	if _, ok := c.get(sum, &keySet{}, now); ok {
		t.Error("remembered for other keys")
	}
	if _, ok := c.get(sum, keys, now.Add(trusted)); ok {
		t.Error("believed for too long")
	}
}

func TestNew_RefusesWhatCannotBeSafe(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		says string
	}{
		"nothing":              {Config{}, "needs exactly one of"},
		"two":                  {Config{Secret: []byte(secret), JWKSURL: "https://a.example/"}, "needs exactly one of"},
		"empty secret":         {Config{Secret: []byte{}}, "0 bytes"},
		"short secret":         {Config{Secret: []byte("0123456789012345678901234567890")}, "31 bytes"},
		"a public key":         {Config{Secret: []byte("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkq")}, "not a secret"},
		"http":                 {Config{JWKSURL: "http://login.example/keys"}, "https://"},
		"http issuer":          {Config{OIDCIssuer: "http://login.example"}, "https://"},
		"loopback in the name": {Config{JWKSURL: "http://localhost.example/keys"}, "https://"},
		"loopback as a user":   {Config{JWKSURL: "http://localhost@login.example/keys"}, "must be a URL"},
		"a file":               {Config{JWKSURL: "file:///etc/keys"}, "must be a URL"},
		"no URL":               {Config{JWKSURL: "login.example/keys"}, "must be a URL"},
		"two issuers":          {Config{OIDCIssuer: "https://a.example", Issuer: "https://b.example"}, "give only one"},
	} {
		_, err := New(t.Context(), test.cfg, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want a word of %q", name, err, test.says)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error carries the secret", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	v := withSecret(f, Config{})
	// The same in each of the fuzzer's processes, which start at different seconds.
	genuine := hs256(secret).sign(f, good(body{"exp": 9999999999}))
	f.Add(genuine)
	f.Add(raw(`{"alg":"none"}`, `{"sub":"ann","exp":9999999999}`, ""))
	f.Add(raw(`{"alg":"HS256","crit":["b64"],"b64":false}`, `{"sub":"ann"}`, "AAAA"))
	f.Add(raw(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"},"x5c":["AAAA"]}`, `{"exp":1e999}`, "AAAA"))
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := v.Verify(context.Background(), token)
		if err == nil && (token != genuine && !sameSignature(token, genuine) || c.Subject.Subject != "ann") {
			t.Errorf("%q is good: %+v", token, c)
		}
		if err != nil && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrExpired) {
			t.Errorf("%q: %v", token, err)
		}
	})
}

// A token with a known header is checked as strictly as the first one.
func TestQuick_OpensWhatWasSignedAndNothingElse(t *testing.T) {
	v := withSecret(t, Config{})
	first := hs256(secret).sign(t, good())
	if _, err := v.Verify(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"bob", "zoë", strings.Repeat("x", 200)} {
		token := hs256(secret).sign(t, good(body{"sub": sub}))
		if _, ok := v.quick.Load().open(token); !ok {
			t.Errorf("the token of %.5s is not opened quickly: this tests nothing", sub)
		}
		if c, err := v.Verify(t.Context(), token); err != nil || c.Subject.Subject != sub {
			t.Errorf("%.5s: %+v, %v", sub, c, err)
		}
	}
	token := hs256(secret).sign(t, good(body{"sub": "eve"}))
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	other := hs256("another secret of more than 32 bytes").sign(t, good(body{"sub": "eve"}))
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	forged := []string{
		other, header + "." + payload + ".", header + ".." + signature, "." + payload + "." + signature, none + "." + payload + ".",
		none + "." + payload + "." + signature, header + "." + payload + "." + signature + "=", header + "." + payload + "." + signature[:42],
		header + "." + payload + "." + strings.Repeat("A", 43), token + "." + signature,
	}
	for i := range token {
		if changed := token[:i] + string(token[i]^1) + token[i+1:]; !sameSignature(changed, token) {
			forged = append(forged, changed)
		}
	}
	for _, token := range forged {
		if c, err := v.Verify(t.Context(), token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s passes: %+v, %v", token, c, err)
		}
	}
}

// sameSignature ignores the spare bits of base64's last letter, which change the text but not the bytes.
func sameSignature(a, b string) bool {
	return len(a) == len(b) && a[:len(a)-1] == b[:len(b)-1]
}

func BenchmarkVerify(b *testing.B) {
	p := newFakeProvider(b)
	k := private(b, jose.RS256)
	p.publish(publicJWK(k, "k"))
	bySecret, byKey := withSecret(b, Config{}), p.verifier(b, Config{JWKSURL: p.url("/keys")}, usualRhythm())
	for _, bench := range []struct {
		name   string
		v      *Verifier
		token  string
		forget bool
	}{
		{"HS256", bySecret, hs256(secret).sign(b, good()), false},
		{"RS256, remembered", byKey, named(jose.RS256, k, "k").sign(b, good()), false},
		{"RS256", byKey, named(jose.RS256, k, "k").sign(b, good()), true},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if bench.forget {
					bench.v.cache.tokens.Purge()
				}
				if _, err := bench.v.Verify(b.Context(), bench.token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
