package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/shop"
)

// access says who may make a call. A shop without identity lets everybody make every call.
type access int8

const (
	_ access = iota // not set; New then returns an error
	anybody
	watchers // everybody; if a token is sent, it must be a buyer's
	buyers
	sellers // buyers, and operators
	lookers // buyers, viewers and operators
	viewers // and also operators
	operators
)

// role is the role that an operator's token needs for the call.
func (a access) role() operator.Role {
	if a == viewers || a == lookers {
		return operator.Viewer
	}
	return operator.Operator
}

// open reports whether pages of any origin may make the call when every origin is allowed (--cors-origin *). It is
// true for the calls that buyers and watchers need, and for create, which the original's clients call.
func (rt *route) open() bool {
	return rt.access == anybody || rt.access == watchers || rt.access == buyers || rt.access == sellers ||
		rt.access == lookers || rt.id == createDropID
}

// caller is the proven identity behind a call: a buyer, the holder of an operator's token, or neither.
type caller struct {
	buyer drop.User
	until time.Time // when the buyer's token expires
	token operator.Token
}

// callerOf returns who makes the call that w answers.
func callerOf(w http.ResponseWriter) *caller { return &w.(*recorder).caller }

// name keeps apart callers who use the same idempotency key.
func (c *caller) name() string {
	switch {
	case c.buyer.ID != 0:
		return "user:" + strconv.FormatInt(int64(c.buyer.ID), 10)
	case c.token.ID != 0:
		return "token:" + strconv.FormatInt(int64(c.token.ID), 10)
	default:
		return ""
	}
}

// authorize identifies the caller and refuses callers who may not use the route.
func (a *api) authorize(r *http.Request, needs access) (caller, error) {
	if a.identity == nil || needs == anybody || needs == watchers && len(r.Header["Authorization"]) == 0 {
		return caller{}, nil
	}
	token, err := bearer(r)
	if err != nil {
		return caller{}, err
	}
	if operator.Is(token) && needs != watchers { // not valid for watchers: as over sockets, operators have no private events
		t, err := a.signIn.Operator(r.Context(), token)
		if err == nil && (needs == buyers || !t.Allows(needs.role())) {
			err = drop.Refuse(codeForbidden)
		}
		if err = refuseToken(err); err != nil {
			if t.ID != 0 {
				a.logRefusal(r, &t, drop.CodeOf(err))
			}
			return caller{}, err
		}
		return caller{token: t}, nil
	}
	var c caller
	if needs == buyers || needs == sellers || needs == lookers || needs == watchers {
		c.buyer, c.until, err = a.signIn.Buyer(r.Context(), token)
	} else if _, err = a.identity.Verify(r.Context(), token); err == nil { // does not create a user
		err = drop.Refuse(codeForbidden)
	}
	if shop.TokenCode(err) != "" {
		a.log.LogAttrs(r.Context(), slog.LevelDebug, "a buyer's token was refused", slog.Any("reason", err), slog.String("from", r.RemoteAddr))
	}
	return c, refuseToken(err)
}

// bearer reads the request's token (RFC 6750, 2.1).
func bearer(r *http.Request) (string, error) {
	given := r.Header["Authorization"]
	if len(given) == 0 {
		return "", drop.Refuse(codeUnauthenticated)
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	if token = strings.Trim(token, " "); len(given) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", drop.Refuse(codeInvalidToken)
	}
	return token, nil
}

// logRefusal logs callers whose token is, or was, genuine but does not allow the call. It ignores made-up tokens,
// because otherwise strangers could fill the disk.
func (a *api) logRefusal(r *http.Request, t *operator.Token, code drop.Code) {
	a.log.LogAttrs(r.Context(), slog.LevelWarn, "an operator's token was refused", slog.String("code", string(code)),
		slog.Bool("revoked", t.Revoked()), slog.Int64("token", int64(t.ID)), slog.String("name", t.Name),
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.String("from", r.RemoteAddr))
}

// refuseToken turns a fault in a token into a refusal. Only the log gets the reason.
func refuseToken(err error) error {
	if code := shop.TokenCode(err); code != "" {
		return fmt.Errorf("%w: %s", drop.Refuse(code), err) //nolint:errorlint // the cause must not decide the code
	}
	return err
}

// challenge is the WWW-Authenticate header, which tells programs what kind of token they need (RFC 6750, 3).
func challenge(code drop.Code) string {
	switch code {
	case codeUnauthenticated:
		return `Bearer realm="sneakerdrop"`
	case codeInvalidToken:
		return `Bearer realm="sneakerdrop", error="invalid_token"`
	case codeTokenExpired:
		return `Bearer realm="sneakerdrop", error="invalid_token", error_description="expired"`
	default:
		return ""
	}
}
