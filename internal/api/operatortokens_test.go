package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

type (
	tokenJSON struct {
		ID        int64   `json:"id"`
		Name      string  `json:"name"`
		Role      string  `json:"role"`
		State     string  `json:"state"`
		ExpiresAt *string `json:"expires_at"`
		RevokedAt *string `json:"revoked_at"`
	}
	newTokenJSON struct {
		Token  tokenJSON `json:"token"`
		Secret string    `json:"secret"`
	}
	tokensJSON struct {
		Tokens []tokenJSON `json:"tokens"`
		Me     *int64      `json:"me"`
	}
)

const tokensPath = "/api/operator/tokens"

// lasting makes the operator's token valid forever.
func lasting(g *guarded) *guarded {
	g.admin, g.adminToken = g.operatorToken(operator.Operator, 0)
	return g
}

func (g *guarded) tokens() tokensJSON {
	g.Helper()
	return mustAs[tokensJSON](g.shop, g.admin, "GET", tokensPath, "")
}

func TestTokens_AreMadeShownOnceAndRevoked(t *testing.T) {
	g := lasting(newGuarded(t))
	made := mustAs[newTokenJSON](g.shop, g.admin, "POST", tokensPath, `{"name":" Ann's phone ","role":"viewer"}`)
	if made.Token.Name != "Ann's phone" || made.Token.Role != "viewer" || made.Token.State != "valid" || !operator.Is(made.Secret) {
		t.Fatalf("%+v", made)
	}
	ends, err := time.Parse(time.RFC3339, *made.Token.ExpiresAt)
	if left := time.Until(ends); err != nil || left < 89*24*time.Hour || left > 90*24*time.Hour {
		t.Errorf("it ends in %s, %v", left, err)
	}
	mustAs[tokensJSON](g.shop, made.Secret, "GET", tokensPath, "")
	listed := g.tokens()
	if listed.Tokens[0].ID != made.Token.ID || listed.Me == nil || *listed.Me != int64(g.adminToken) {
		t.Errorf("%+v", listed)
	}
	if body := g.as(g.admin, "GET", tokensPath, "").body; strings.Contains(body, "sdo_") || strings.Contains(body, "hash") {
		t.Errorf("the list shows secrets: %s", body)
	}
	path := fmt.Sprintf("%s/%d/revoke", tokensPath, made.Token.ID)
	for range 2 {
		if revoked := mustAs[tokenJSON](g.shop, g.admin, "POST", path, ""); revoked.State != "revoked" || revoked.RevokedAt == nil {
			t.Errorf("%+v", revoked)
		}
	}
	g.refused(g.as(made.Secret, "GET", tokensPath, ""), http.StatusUnauthorized, "invalid_token")
	for _, id := range []string{"0", "99", "99999999999999999999"} {
		g.refused(g.as(g.admin, "POST", tokensPath+"/"+id+"/revoke", ""), http.StatusNotFound, "token_not_found")
	}
	g.refused(g.as(g.admin, "POST", tokensPath+"/x/revoke", ""), http.StatusUnprocessableEntity, "invalid")
	log := g.log("").Actions
	if last := log[len(log)-2]; last.Call != "create-token" || *last.Outcome != fmt.Sprintf("ok, token %d", made.Token.ID) || strings.Contains(last.Detail, "sdo_") {
		t.Errorf("the log: %+v", last)
	}
	for _, a := range log {
		if a.Call == "revoke-token" && (a.DropID != nil || !strings.HasPrefix(a.Detail, "token ")) {
			t.Errorf("the log: %+v", a)
		}
	}
}

// A token cannot create a token that can do more, or lasts longer, than itself.
func TestTokens_MakeNoneThatIsMorePowerful(t *testing.T) {
	g := lasting(newGuarded(t))
	viewer, _ := g.operatorToken(operator.Viewer, 0)
	brief, _ := g.operatorToken(operator.Operator, time.Hour)
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }
	body := func(role, expires string) string {
		if expires != "" {
			expires = `,"expires_at":` + expires
		}
		return fmt.Sprintf(`{"name":"x","role":%q%s}`, role, expires)
	}
	before := len(g.tokens().Tokens)
	for _, role := range []string{"operator", "viewer"} {
		g.refused(g.as(viewer, "POST", tokensPath, body(role, "")), http.StatusForbidden, "forbidden")
		g.refused(g.as(g.ann, "POST", tokensPath, body(role, "")), http.StatusForbidden, "forbidden")
		g.refused(g.as("", "POST", tokensPath, body(role, "")), http.StatusUnauthorized, "unauthenticated")
		for _, expires := range []string{`null`, `"` + in(2*time.Hour) + `"`} {
			if e := g.refused(g.as(brief, "POST", tokensPath, body(role, expires)), http.StatusUnprocessableEntity, "invalid"); e.Field != "expires_at" {
				t.Errorf("%s %s: %+v", role, expires, e)
			}
		}
	}
	g.refused(g.as(viewer, "POST", fmt.Sprintf("%s/%d/revoke", tokensPath, g.adminToken), ""), http.StatusForbidden, "forbidden")
	if after := len(g.tokens().Tokens); after != before {
		t.Fatalf("%d tokens were made", after-before)
	}
	own := mustAs[newTokenJSON](g.shop, brief, "POST", tokensPath, body("operator", ""))
	if ends, _ := time.Parse(time.RFC3339, *own.Token.ExpiresAt); time.Until(ends) > time.Hour {
		t.Errorf("it lasts until %s", ends)
	}
	mustAs[newTokenJSON](g.shop, brief, "POST", tokensPath, body("viewer", `"`+in(30*time.Minute)+`"`))
	if ever := mustAs[newTokenJSON](g.shop, g.admin, "POST", tokensPath, body("operator", "null")); ever.Token.ExpiresAt != nil {
		t.Errorf("it ends at %s", *ever.Token.ExpiresAt)
	}
}

func TestTokens_RefuseWhatTheyCannotBe(t *testing.T) {
	g := lasting(newGuarded(t))
	for body, field := range map[string]string{
		`{"role":"viewer"}`: "name", `{"name":"x"}`: "role", `{"name":"","role":"viewer"}`: "name", `{"name":"x","role":"admin"}`: "role",
		`{"name":"x","role":"viewer","expires_at":"2020-01-01T00:00:00Z"}`: "expires_at", `{"name":"x","role":"viewer","expires_at":"tomorrow"}`: "expires_at",
		`{"name":"x","role":"viewer","expires_at":"2200-01-01T00:00:00Z"}`: "expires_at", `{"name":"x","role":7}`: "role", `{"name":null,"role":"viewer"}`: "name",
		`{"name":"` + strings.Repeat("x", 101) + `","role":"viewer"}`: "name", `{"name":"a\u202eb","role":"viewer"}`: "name",
	} {
		if e := g.refused(g.as(g.admin, "POST", tokensPath, body), http.StatusUnprocessableEntity, "invalid"); e.Field != field {
			t.Errorf("%s: names %s (%s), want %s", body, e.Field, e.Error, field)
		}
	}
	if n := len(g.tokens().Tokens); n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// A retry after a lost answer gets the same token with its secret, and creates no second one.
func TestTokens_ARetryMakesNoSecondOne(t *testing.T) {
	g := lasting(newGuarded(t))
	post := func(key, body string) reply {
		req := g.request("POST", tokensPath, body)
		req.Header.Set("Authorization", "Bearer "+g.admin)
		req.Header.Set("Idempotency-Key", key)
		return g.do(req)
	}
	const body = `{"name":"x","role":"viewer"}`
	first, again, other := post("a", body), post("a", body), post("b", body)
	if first.status != http.StatusOK || first.body != again.body || again.header.Get("Idempotent-Replayed") != "true" || other.body == first.body {
		t.Errorf("%+v\n%+v\n%+v", first, again, other)
	}
	g.refused(post("a", `{"name":"y","role":"viewer"}`), http.StatusUnprocessableEntity, "idempotency_mismatch")
	for i := range 70 { // the server keeps a limited number of answers
		post(fmt.Sprint("k", i), body)
	}
	if late := post("a", body); late.body == first.body {
		t.Error("everything is kept")
	}
}

// readOnlyTokens is a database whose serving role may not write tokens.
type readOnlyTokens struct{ store.Store }

func (readOnlyTokens) CreateToken(context.Context, operator.Token, operator.Hash) (operator.Token, error) {
	return operator.Token{}, &store.Error{Op: "create a token", Class: store.ClassFault, Err: fmt.Errorf("%w: denied", store.ErrRights)}
}

func TestTokens_SayWhereTheDatabaseRoleMayNot(t *testing.T) {
	inner := memory.New(clockOf(new(atomic.Int64)))
	p := secretProvider(t)
	g := guard(p, newShopOn(t, inner, new(atomic.Int64), p.signIn))
	g2 := newShopOn(t, readOnlyTokens{inner}, new(atomic.Int64), p.signIn)
	if e := g2.refused(g2.as(g.admin, "POST", tokensPath, `{"name":"x","role":"viewer"}`), http.StatusForbidden, "forbidden"); !strings.Contains(e.Error, "sneakerdrop token create") {
		t.Errorf("%s", e.Error)
	}
}

func TestActions_AreFoundByWhoWhatAndWhen(t *testing.T) {
	g := lasting(newGuarded(t))
	for range 3 {
		g.as(g.admin, "POST", "/api/drops/1/pause", "")
		g.as(g.admin, "POST", "/api/drops/1/resume", "")
	}
	g.as(g.admin, "POST", "/api/drops/77/pause", "")
	viewer, id := g.operatorToken(operator.Viewer, 0)
	g.as(viewer, "GET", "/api/drops/1/ledger", "")
	first := g.log("?limit=1000").Actions
	at := mustAs[struct {
		Actions []struct {
			At string `json:"at"`
		} `json:"actions"`
	}](g.shop, g.admin, "GET", "/api/operator/log", "").Actions[len(first)-1].At
	for query, want := range map[string]int{
		"": 9, "call=pause": 4, "call=pause&drop=1": 3, "drop=77": 1, "outcome=refused": 1, "outcome=ok&call=pause": 3, "outcome=unknown": 0, "actor=operator": 8, "actor=VIEWER": 1,
		fmt.Sprintf("actor=%%23%d", id): 1, "actor=nobody": 0, "call=nothing": 0, "from=2020-01-01T00:00:00Z": 9, "to=2020-01-01T00:00:00Z": 0,
		"from=2200-01-01T00:00:00Z": 0, "to=2200-01-01T00:00:00Z&from=" + at: 9, "to=" + at: 0,
	} {
		found, pages := 0, 0
		for before := ""; ; pages++ {
			page := g.log("?limit=2&" + query + before)
			found += len(page.Actions)
			if page.Next == nil || pages > 10 {
				break
			}
			before = fmt.Sprintf("&before=%d", *page.Next)
		}
		if found != want {
			t.Errorf("%s: %d, want %d", query, found, want)
		}
	}
	for query, field := range map[string]string{"outcome=good": "outcome", "drop=0": "drop", "from=x": "from", "actor=a&actor=b": "actor", "call=%ff": "call"} {
		if e := g.refused(g.as(g.admin, "GET", "/api/operator/log?"+query, ""), http.StatusUnprocessableEntity, "invalid"); e.Field != field {
			t.Errorf("%s: names %s", query, e.Field)
		}
	}
}

func TestSettings_AreShownToViewers(t *testing.T) {
	about := func(c *api.Config) {
		c.About = api.About{Version: "1.2.3", Started: time.Now(), Settings: []api.Setting{
			{Name: "hold", Value: "60s", Source: api.FromDefault, Help: "How long."},
			{Name: "jwt-secret", Value: "set", Source: api.FromEnvironment, From: "SNEAKERDROP_JWT_SECRET", Help: "A secret.", Secret: true},
			{Name: "nats", Source: api.FromDefault, Help: "None."},
		}}
	}
	p := secretProvider(t)
	g := guard(p, newShop(t, p.signIn, about))
	viewer, _ := g.operatorToken(operator.Viewer, 0)
	body := g.as(viewer, "GET", "/api/operator/settings", "").body
	for _, want := range []string{
		`"version":"1.2.3"`, `"go":"go1.`, `"database":{"engine":"memory","version":null,"warnings":[]}`, `"bus":"none","sign_in":true`,
		`{"name":"hold","value":"60s","source":"default","from":null,"secret":false,"help":"How long."}`,
		`{"name":"jwt-secret","value":"set","source":"environment","from":"SNEAKERDROP_JWT_SECRET","secret":true,"help":"A secret."}`,
		`{"name":"nats","value":null,`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	g.refused(g.as(g.ann, "GET", "/api/operator/settings", ""), http.StatusForbidden, "forbidden")
	g.refused(g.as("", "GET", "/api/operator/settings", ""), http.StatusUnauthorized, "unauthenticated")
}
