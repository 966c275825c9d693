package shop

import (
	"context"
	"crypto/tls"
	"net/http"
	"sync/atomic"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/rehearse"
)

// Rehearsals run on this very server, through its own address.
type Rehearsals struct {
	rehearse.Stage

	// the URL of the server; set it before the first rehearsal
	URL   string
	buyer atomic.Pointer[func(int64) string]
}

// Sign sets the function that makes buyers' tokens. Without it there is no sign-in.
func (s *Rehearsals) Sign(buyer func(int64) string) { s.buyer.Store(&buyer) }

// Begin starts a rehearsal with the calls of an operator who has the token; see rehearse.Stage.
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
