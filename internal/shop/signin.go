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

// SignIn finds out who somebody is by the token that they sent.
type SignIn struct {
	// Tokens verifies buyers' tokens; nil: nobody has to sign in.
	Tokens *identity.Verifier
	Engine *engine.Engine
}

// Buyer returns the buyer that a token stands for, and until when it does. A token that is no good is an error of
// package identity; any other error is what kept us from finding out.
func (s *SignIn) Buyer(ctx context.Context, token string) (buyer drop.User, until time.Time, err error) {
	claims, err := s.Tokens.Verify(ctx, token)
	if err != nil {
		return drop.User{}, time.Time{}, err
	}
	buyer, err = s.Engine.Buyer(ctx, claims.Subject)
	return buyer, claims.Expires.Add(identity.Leeway), err
}

// Operator looks a token of ours up, each time: one that was revoked is worth nothing from that moment on. Of a token
// that was good once it returns what is known of it beside the error; errors are as Buyer's.
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

// The codes of a token that is no good, the same over HTTP and sockets.
const (
	CodeInvalidToken drop.Code = "invalid_token"
	CodeTokenExpired drop.Code = "token_expired"
	CodeUnavailable  drop.Code = "unavailable"
)

// TokenCode is the code of an error that says something of a token, and empty of any other. The reason is for the log
// alone.
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
