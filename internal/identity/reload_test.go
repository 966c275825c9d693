package identity

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestReload_ANewSecretCountsAtOnceAndAFaultyOneNever(t *testing.T) {
	v := withSecret(t, Config{})
	const other = "another secret of more than 32 bytes"
	old, later := hs256(secret).sign(t, good()), hs256(other).sign(t, good())
	for range 2 { // the second time it is cached
		check(t, v, old, nil)
		check(t, v, later, ErrInvalid)
	}
	for _, faulty := range []string{"", "short", "-----BEGIN PUBLIC KEY-----" + strings.Repeat("x", 40)} {
		if changed, err := v.Reload(t.Context(), []byte(faulty)); err == nil || changed {
			t.Errorf("%q is taken", faulty)
		}
		check(t, v, old, nil)
	}
	if changed, err := v.Reload(t.Context(), []byte(secret)); err != nil || changed {
		t.Errorf("the same: %t, %v", changed, err)
	}
	if changed, err := v.Reload(t.Context(), []byte(other)); err != nil || !changed {
		t.Fatalf("another: %t, %v", changed, err)
	}
	for range 2 {
		check(t, v, old, ErrInvalid)
		check(t, v, later, nil)
	}
}

// The provider is asked at once, even during a rest. If it is down, the known keys stay.
func TestReload_AsksTheProvider(t *testing.T) {
	first := private(t, jose.ES256)
	inBubble(t, first, func(t *testing.T, p *fakeProvider, v *Verifier) {
		token := named(jose.ES256, first, "first").sign(t, good())
		p.publish(publicJWK(first, "first"))
		if changed, err := v.Reload(t.Context(), nil); err != nil {
			t.Fatal(changed, err)
		}
		check(t, v, token, nil)
		p.setDown(true)
		if changed, err := v.Reload(t.Context(), nil); err == nil || changed {
			t.Errorf("away: %t", changed)
		}
		check(t, v, token, nil)
		p.setDown(false)
		second := private(t, jose.ES256)
		p.publish(publicJWK(second, "second"))
		if changed, err := v.Reload(context.Background(), nil); err != nil || !changed {
			t.Errorf("%t, %v", changed, err)
		}
		check(t, v, token, ErrInvalid)
		check(t, v, named(jose.ES256, second, "second").sign(t, good()), nil)
	})
}

// late is a provider whose first answer is on its way while the later ones arrive.
type late struct {
	*fakeProvider
	first chan struct{} // takes the one place of the first request
	hold  chan struct{} // the first answer arrives when it is closed
}

func (l late) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := l.fakeProvider.RoundTrip(r)
	select {
	case l.first <- struct{}{}:
		<-l.hold
	default:
	}
	return answer, err
}

// An answer that was asked for earlier and arrives later must not bring withdrawn keys back.
func TestReload_IgnoresAnOlderAnswer(t *testing.T) {
	first, second := private(t, jose.ES256), private(t, jose.ES256)
	synctest.Test(t, func(t *testing.T) {
		p := late{
			fakeProvider: &fakeProvider{paths: make(map[string]int)},
			first:        make(chan struct{}, 1),
			hold:         make(chan struct{}),
		}
		p.publish(publicJWK(first, "first"))
		v := p.verifierBy(t, Config{JWKSURL: "https://login.example/keys"}, usualRhythm(), p)
		synctest.Wait() // the first answer has been written, and is held back
		p.publish(publicJWK(second, "second"))
		if changed, err := v.Reload(t.Context(), nil); err != nil || !changed {
			t.Fatal(changed, err)
		}
		close(p.hold)
		synctest.Wait()
		forever := good(body{"exp": time.Now().Add(time.Hour).Unix()})
		check(t, v, named(jose.ES256, first, "first").sign(t, forever), ErrInvalid)
		check(t, v, named(jose.ES256, second, "second").sign(t, forever), nil)
		p.publish(publicJWK(first, "first")) // a later fetch counts again
		time.Sleep(refreshEvery)
		synctest.Wait()
		check(t, v, named(jose.ES256, first, "first").sign(t, forever), nil)
	})
}
