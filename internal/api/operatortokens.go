package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

type (
	tokensAnswer struct {
		Tokens []tokenAnswer     `json:"tokens" nullable:"false" doc:"In descending order of id"`
		Me     *operator.TokenID `json:"me" doc:"The id of the token that made this call"`
	}
	tokenAnswer struct {
		ID        operator.TokenID `json:"id"`
		Name      string           `json:"name" doc:"Who holds it; the operators' log shows this name"`
		Role      operator.Role    `json:"role" enum:"operator,viewer"`
		State     string           `json:"state" enum:"valid,expired,revoked"`
		CreatedAt instant          `json:"createdAt"`
		ExpiresAt *instant         `json:"expires_at" nullable:"true" doc:"null: it never expires"`
		RevokedAt *instant         `json:"revoked_at" nullable:"true" doc:"null: not revoked"`
	}
	newTokenAnswer struct {
		Token  tokenAnswer `json:"token"`
		Secret string      `json:"secret" doc:"Send it as Authorization: Bearer. No later call shows it"`
	}
	tokenRequest struct {
		Name      *string        `json:"name" required:"true" nullable:"false" minLength:"1" maxLength:"100" doc:"Who holds it, such as Ann's laptop. The operators' log shows this name"`
		Role      *string        `json:"role" required:"true" nullable:"false" enum:"operator,viewer" doc:"operator: may read and change everything. viewer: may only read"`
		ExpiresAt patch[instant] `json:"expires_at,omitzero" nullable:"true" doc:"When it expires, not later than your own token. null: never, if your own never expires. Left out: in 90 days, or with your own token if that is sooner"`
	}
)

const (
	usualLife   = 90 * 24 * time.Hour
	leastLife   = time.Minute
	longestLife = 3650 * 24 * time.Hour
)

func (a *api) listTokens(w http.ResponseWriter, r *http.Request) error {
	found, err := engine.Ask(r.Context(), a.engine, func(s store.Records) ([]operator.Token, error) { return s.Tokens(r.Context()) })
	if err != nil {
		return err
	}
	answer := tokensAnswer{Tokens: make([]tokenAnswer, len(found)), Me: unlessZero(&callerOf(w).token.ID)}
	for i := range found {
		answer.Tokens[len(found)-1-i] = answerToken(&found[i])
	}
	writeJSON(w, &answer)
	return nil
}

// createToken creates a token that can do no more, and lasts no longer, than the token of the caller.
func (a *api) createToken(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[tokenRequest](w, r)
	if err != nil {
		return err
	}
	mine := callerOf(w).token
	t, err := tokenOf(&in, &mine, drop.TimeOf(time.Now()))
	if err != nil {
		return err
	}
	request := fmt.Sprintf("%q %s %t %d", t.Name, t.Role, in.ExpiresAt.given, optional(in.ExpiresAt.to))
	return a.newTokens.serve(w, r, keptCall{createTokenID, retry, request, "token"}, func() (any, int64, error) {
		secret, hash := operator.Mint()
		t, err := engine.Ask(r.Context(), a.engine, func(s store.Records) (operator.Token, error) { return s.CreateToken(r.Context(), t, hash) })
		if err != nil {
			return nil, 0, refuseRights(err)
		}
		return &newTokenAnswer{answerToken(&t), secret}, int64(t.ID), nil
	})
}

// tokenOf returns the token that a call asks for, or the first rule that it breaks. mine is the caller's token.
func tokenOf(in *tokenRequest, mine *operator.Token, now drop.Time) (operator.Token, error) {
	name, err := required("name", in.Name)
	if err != nil {
		return operator.Token{}, err
	}
	if normal, fault := text.Name(name); fault == "" {
		name = normal
	}
	role, err := required("role", in.Role)
	if err != nil {
		return operator.Token{}, err
	}
	t := operator.Token{Name: name, Role: operator.Role(role)}
	if err := t.Check(); err != nil {
		return operator.Token{}, err
	}
	if !mine.Allows(t.Role) {
		return operator.Token{}, drop.Invalid("role", "must not have more rights than your own token")
	}
	life := func(d time.Duration) drop.Time { return now + drop.Time(d.Milliseconds()) }
	switch at := in.ExpiresAt.to; {
	case at != nil && (drop.Time(*at) < life(leastLife) || drop.Time(*at) > life(longestLife)):
		return operator.Token{}, drop.Invalid("expires_at", "must be from one minute to 3650 days from now")
	case at != nil:
		t.ExpiresAt = drop.Time(*at)
	case !in.ExpiresAt.given:
		t.ExpiresAt = life(usualLife)
		if mine.ExpiresAt != 0 {
			t.ExpiresAt = min(t.ExpiresAt, mine.ExpiresAt)
		}
	}
	if mine.ExpiresAt != 0 && (t.ExpiresAt == 0 || t.ExpiresAt > mine.ExpiresAt) {
		return operator.Token{}, drop.Invalid("expires_at", "must not be later than your own token expires, which is "+mine.ExpiresAt.String())
	}
	return t, nil
}

func (a *api) revokeToken(w http.ResponseWriter, r *http.Request) error {
	if _, err := readRetry(w, r); err != nil { // revoking it again changes nothing
		return err
	}
	if err := readNoBody(w, r); err != nil {
		return err
	}
	number := r.PathValue("token")
	n, _ := strconv.ParseInt(number, 10, 64) // beyond int64 it becomes the nearest end
	if !isDigits(number) {
		return drop.Invalid("token", "must be a whole number")
	}
	if n < 1 || n > drop.MaxSafeInteger {
		return drop.Refuse(drop.CodeTokenNotFound)
	}
	t, err := engine.Ask(r.Context(), a.engine, func(s store.Records) (operator.Token, error) {
		return s.RevokeToken(r.Context(), operator.TokenID(n))
	})
	if err != nil {
		return refuseRights(err)
	}
	made(w, "token", int64(t.ID))
	writeJSON(w, new(answerToken(&t)))
	return nil
}

// refuseRights explains that the server's role in the database may only read tokens.
func refuseRights(err error) error {
	if !errors.Is(err, store.ErrRights) {
		return err
	}
	return &drop.Error{Code: codeForbidden, Rule: "This server's database role may only read tokens; use sneakerdrop token create or revoke " +
		"with the role that owns the tables"}
}

func answerToken(t *operator.Token) tokenAnswer {
	answer := tokenAnswer{
		ID: t.ID, Name: t.Name, Role: t.Role, State: "valid", CreatedAt: instant(t.CreatedAt),
		ExpiresAt: (*instant)(unlessZero(&t.ExpiresAt)), RevokedAt: (*instant)(unlessZero(&t.RevokedAt)),
	}
	switch {
	case t.Revoked():
		answer.State = "revoked"
	case t.ExpiredAt(drop.TimeOf(time.Now())):
		answer.State = "expired"
	}
	return answer
}
