package cli

import (
	"context"
	"crypto/tls"
	"net/http"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/bench"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/rehearse"
)

// stage is where operators rehearse on this very server, over its own address.
type stage struct {
	rehearse.Stage

	url   string // set before anything is served
	buyer func(int64) string
}

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
	audience := ""
	if len(c.JWTAudience) > 0 {
		audience = c.JWTAudience[0]
	}
	return &stage{buyer: bench.Signer(secret, audience)}, nil
}

// Begin implements api.Rehearsals.
func (s *stage) Begin(ctx context.Context, token string, id drop.ID, buyers int) error {
	return s.Stage.Begin(ctx, rehearse.Config{
		URL: s.url, Token: token, Drop: id, Buyers: buyers, Buyer: s.buyer,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // this process talks to itself, over loopback or its own address
	})
}
