package shop

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync/atomic"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/rehearse"
)

// Rehearsals are played on this very server, over its own address.
type Rehearsals struct {
	rehearse.Stage

	// URL of the server; set before the first one.
	URL   string
	buyer atomic.Pointer[func(int64) string]
}

// Sign has tokens of buyers made in that way; without it nobody has to sign in.
func (s *Rehearsals) Sign(buyer func(int64) string) { s.buyer.Store(&buyer) }

// Begin begins a rehearsal with the calls of an operator who has the token; see rehearse.Stage.
func (s *Rehearsals) Begin(ctx context.Context, token string, id drop.ID, buyers int) error {
	var buyer func(int64) string
	if b := s.buyer.Load(); b != nil {
		buyer = *b
	}
	return s.Stage.Begin(ctx, rehearse.Config{
		URL: s.URL, Token: token, Drop: id, Buyers: buyers, Buyer: buyer,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, //nolint:gosec // this process talks to itself, over loopback or its own address
	})
}
