package shop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// SignIn identifies a person by their token.
type SignIn struct {
	// Tokens verifies buyers' tokens. Nil means that there is no sign-in.
	Tokens *identity.Verifier
	Engine *engine.Engine
}

// Buyer returns the buyer that a token belongs to, and when the token expires. For an invalid token it returns an
// error of package identity. Any other error is what kept the server from checking.
func (s *SignIn) Buyer(ctx context.Context, token string) (buyer drop.User, until time.Time, err error) {
	claims, err := s.Tokens.Verify(ctx, token)
	if err != nil {
		return drop.User{}, time.Time{}, err
	}
	buyer, err = s.Engine.Buyer(ctx, claims.Subject)
	return buyer, claims.Expires.Add(identity.Leeway), err
}

// Operator looks up one of our own tokens, every time, so that a revoked one is invalid at once. For a token that was
// valid once it returns what is known about it together with the error. The errors are as for Buyer.
func (s *SignIn) Operator(ctx context.Context, token string) (operator.Token, error) {
	hash, ok := operator.HashOf(token)
	if !ok {
		return operator.Token{}, fmt.Errorf("%w: not an operator's", identity.ErrInvalid)
	}
	t, err := engine.Ask(ctx, s.Engine, func(s store.Records) (operator.Token, error) { return s.Token(ctx, hash) })
	switch {
	case drop.CodeOf(err) == drop.CodeTokenNotFound:
		return operator.Token{}, fmt.Errorf("%w: nobody has it", identity.ErrInvalid)
	case err != nil:
		return operator.Token{}, err
	case t.Revoked():
		return t, fmt.Errorf("%w: revoked", identity.ErrInvalid)
	case t.ExpiredAt(drop.TimeOf(time.Now())):
		return t, identity.ErrExpired
	}
	return t, nil
}

// The codes of an invalid token, the same over HTTP and sockets.
const (
	CodeInvalidToken drop.Code = "invalid_token"
	CodeTokenExpired drop.Code = "token_expired"
	CodeUnavailable  drop.Code = "unavailable"
)

// TokenCode returns the code of an error that concerns a token, or "" for any other error. The reason is only for the
// log.
func TokenCode(err error) drop.Code {
	switch {
	case errors.Is(err, identity.ErrExpired):
		return CodeTokenExpired
	case errors.Is(err, identity.ErrInvalid):
		return CodeInvalidToken
	case errors.Is(err, identity.ErrUnavailable):
		return CodeUnavailable
	default:
		return ""
	}
}
