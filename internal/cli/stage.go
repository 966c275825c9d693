package cli

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync/atomic"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/rehearse"
)

// stage is where operators rehearse on this very server, over its own address.
type stage struct {
	rehearse.Stage

	url   string // set before anything is served
	buyer atomic.Pointer[func(int64) string]
}

// sign has tokens of buyers made in that way.
func (s *stage) sign(buyer func(int64) string) { s.buyer.Store(&buyer) }

var _ api.Rehearsals = (*stage)(nil)

// stage returns nil where buyers need tokens that this server cannot make.
func (c *serveCommand) stage() (*stage, error) {
	if !c.required() {
		return &stage{}, nil
	}
	secret, err := c.secret()
	if err != nil || secret == nil || c.JWTIssuer != "" {
		return nil, err
	}
	s := new(stage)
	s.sign(c.signing(secret))
	return s, nil
}

// signing is how tokens of buyers are made with a secret.
func (c *signInFlags) signing(secret []byte) func(int64) string {
	audience := ""
	if len(c.JWTAudience) > 0 {
		audience = c.JWTAudience[0]
	}
	return identity.Signer(secret, audience)
}

// Begin implements api.Rehearsals.
func (s *stage) Begin(ctx context.Context, token string, id drop.ID, buyers int) error {
	var buyer func(int64) string
	if b := s.buyer.Load(); b != nil {
		buyer = *b
	}
	return s.Stage.Begin(ctx, rehearse.Config{
		URL: s.url, Token: token, Drop: id, Buyers: buyers, Buyer: buyer,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // this process talks to itself, over loopback or its own address
	})
}
