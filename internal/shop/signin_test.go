package shop_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/store/memory"
)

// A buyer is signed in for as long as the token is accepted: until it expires, plus how much clocks may differ.
func TestSignIn_LastsAsLongAsTheToken(t *testing.T) {
	secret, log := bytes.Repeat([]byte("s"), 32), slog.New(slog.DiscardHandler)
	v, err := identity.New(t.Context(), identity.Config{Secret: secret, Audience: []string{"shop"}, NumberClaim: identity.NumberClaim}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	s := shop.SignIn{Tokens: v, Engine: engine.New(memory.New(func() drop.Time { return drop.TimeOf(time.Now()) }), engine.Config{Log: log})}
	buyer, until, err := s.Buyer(t.Context(), identity.Signer(secret, "shop")(7))
	left := time.Until(until) - time.Hour - identity.Leeway
	if err != nil || buyer.ID != 7 || left > 0 || left < -time.Minute {
		t.Errorf("%+v until %s, %v", buyer, until, err)
	}
	for token, code := range map[string]drop.Code{"x": shop.CodeInvalidToken, identity.Signer(secret, "another")(7): shop.CodeInvalidToken} {
		if buyer, _, err := s.Buyer(t.Context(), token); shop.TokenCode(err) != code || buyer != (drop.User{}) {
			t.Errorf("%s: %+v, %v", token, buyer, err)
		}
	}
	if code := shop.TokenCode(errors.Join(engine.ErrUnavailable)); code != "" || shop.TokenCode(nil) != "" {
		t.Errorf("a database that is away says %q of a token", code)
	}
}
