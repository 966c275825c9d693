package api_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/operator"
)

// Who may make a call.
const (
	anybody   = "anybody"
	watcher   = "anybody without a token, or a buyer"
	buyer     = "buyer"
	seller    = "buyer or operator"
	looker    = "buyer, viewer or operator"
	viewer    = "viewer or operator"
	operating = "operator"
)

// rights says for every operation who may call it in a shop with identity and payments. The test fails for an operation
// that is missing here.
var rights = map[string]string{
	"get-drop-page": anybody, "set-drop-page": operating, "duplicate-drop": operating,
	"list-drops": anybody, "get-drop": anybody, "events": watcher,
	"reserve": buyer, "purchase": seller, "cancel": buyer, "checkout": buyer, "get-payment": buyer, "me": buyer,
	"join-waitlist": buyer, "leave-waitlist": buyer, "show-waitlist": looker, "list-reservations": buyer,
	"enter-draw": buyer, "withdraw-from-draw": buyer, "list-draw-entries": looker, "show-draw": anybody, "remove-draw-entry": operating, "reveal-draw": operating,
	"create-drop": operating, "edit-drop": operating, "restock": operating, "return-purchase": operating, "refund-purchase": operating, "pause": operating, "resume": operating,
	"list-codes": viewer, "add-codes": operating, "end-codes": operating,
	"ensure-user":    operating,
	"list-purchases": viewer, "list-ledger": viewer, "list-actions": viewer, "metrics": viewer, "figures": viewer, "sales": viewer, "audit": operating, "list-payments": viewer,
	"rehearse": operating, "rehearsal": viewer,
	"list-all-purchases": viewer, "list-buyers": viewer, "get-buyer": viewer, "settings": viewer,
	"list-events": viewer, "list-webhooks": viewer, "list-attempts": viewer, "create-webhook": operating, "delete-webhook": operating,
	"rotate-webhook": operating, "test-webhook": operating, "replay-webhook": operating, "enable-webhook": operating, "disable-webhook": operating,
	"list-tokens": viewer, "create-token": operating, "revoke-token": operating,
	"health": anybody, "livez": anybody, "readyz": anybody, "openapi": anybody, "docs": anybody,
}

// placed fills the numbers into a path. No token has number 999, so a test cannot revoke the one that it uses.
func placed(path string) string {
	path = strings.Replace(path, "/purchases/{id}", "/purchases/4294967297", 1)
	return strings.NewReplacer("{id}", "1", "{token}", "999").Replace(path)
}

// bearer is one kind of token, and the refusal that it gets wherever a token is needed; "" means that the token is
// valid.
type bearer struct {
	token   string
	refusal string
	good    []string // what its bearer counts as
}

func bearers(s *shop, p *provider) map[string]bearer {
	operates, _ := s.operatorToken(operator.Operator, time.Hour)
	views, _ := s.operatorToken(operator.Viewer, 0)
	late, _ := s.operatorToken(operator.Operator, -time.Second)
	gone, id := s.operatorToken(operator.Operator, time.Hour)
	if _, err := s.store.RevokeToken(s.Context(), id); err != nil {
		s.Fatal(err)
	}
	never, _ := operator.Mint()
	ann := p.token("ann", nil)
	return map[string]bearer{
		"no token":                      {"", "unauthenticated", nil},
		"buyer":                         {ann, "", []string{buyer, seller, looker, watcher}},
		"other buyer":                   {p.token("bob", nil), "", []string{buyer, seller, looker, watcher}},
		"viewer":                        {views, "", []string{viewer, looker}},
		"operator":                      {operates, "", []string{viewer, seller, looker, operating}},
		"expired operator":              {late, "token_expired", nil},
		"revoked operator":              {gone, "invalid_token", nil},
		"operator never made":           {never, "invalid_token", nil},
		"operator's hash":               {"sdo_" + strings.Repeat("a", 64), "invalid_token", nil},
		"expired":                       {p.token("ann", claims{"exp": time.Now().Add(-time.Hour).Unix()}), "token_expired", nil},
		"not yet":                       {p.token("ann", claims{"nbf": time.Now().Add(time.Hour).Unix()}), "invalid_token", nil},
		"wrong audience":                {p.token("ann", claims{"aud": "another shop"}), "invalid_token", nil},
		"wrong issuer":                  {p.token("ann", claims{"iss": "https://evil.example"}), "invalid_token", nil},
		"nobody":                        {p.token("", nil), "invalid_token", nil},
		"alg none":                      {p.unsigned("ann"), "invalid_token", nil},
		"key confusion":                 {p.confused("ann"), "invalid_token", nil},
		"signature of another":          {ann[:strings.LastIndexByte(ann, '.')] + ann[len(ann)-43:], "invalid_token", nil},
		"no token at all in the header": {"rubbish", "invalid_token", nil},
	}
}

// TestAccess_Matrix calls every operation with every kind of token. Callers without the right are refused, and
// nothing happens.
func TestAccess_Matrix(t *testing.T) {
	for name, provide := range map[string]func(testing.TB) *provider{"secret": secretProvider, "key set": keyProvider} {
		t.Run(name, func(t *testing.T) {
			p := provide(t)
			s := newShop(t, p.signIn, paying)
			all := bearers(s, p)
			for range 2 {
				mustAs[dropJSON](s, all["operator"].token, "POST", "/api/drops/create", createBody)
			}
			cells := 0
			for path, methods := range s.document().Paths {
				for method, op := range methods {
					right, known := rights[op.id()]
					if !known {
						t.Errorf("nothing says who may call %s: add it to rights", op.id())
						continue
					}
					for _, kind := range slices.Sorted(maps.Keys(all)) {
						cells++
						checkCell(t, s, cell{kind, all[kind], right, strings.ToUpper(method), path, op.body()})
					}
				}
			}
			t.Logf("%d cells", cells)
		})
	}
}

// TestAccess_TheGuideHasEveryCall compares the table in docs/howto/sign-in.md with rights: every call is in the row
// of the token that it needs, and in no other.
func TestAccess_TheGuideHasEveryCall(t *testing.T) {
	guide, err := os.ReadFile("../../docs/howto/sign-in.md")
	if err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{
		"none": anybody, "none or a buyer's": watcher, "a buyer's": buyer, "a buyer's or an operator's": seller, "a buyer's, a viewer's or an operator's": looker, "a viewer's or an operator's": viewer, "an operator's": operating,
	}
	documented := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| ([a-z', ]+) \\| (`[A-Z]+ /.*) \\|$").FindAllStringSubmatch(string(guide), -1) {
		right, known := tokens[row[1]]
		if !known {
			t.Errorf("nobody knows the token %q", row[1])
		}
		for _, call := range regexp.MustCompile("`([A-Z]+ /[^`]*)`").FindAllStringSubmatch(row[2], -1) {
			if documented[call[1]] != "" {
				t.Errorf("%s stands in two rows", call[1])
			}
			documented[call[1]] = right
		}
	}
	s := newShop(t, secretProvider(t).signIn, paying)
	for path, methods := range s.document().Paths {
		for method, op := range methods {
			call := strings.ToUpper(method) + " " + path
			if documented[call] != rights[op.id()] {
				t.Errorf("%s is for %q; the guide says %q", call, rights[op.id()], documented[call])
			}
			delete(documented, call)
		}
	}
	for call := range documented {
		t.Errorf("the guide has %s, which is no call", call)
	}
}

type cell struct {
	kind         string
	bearer       bearer
	right        string
	method, path string
	body         string
}

func checkCell(t *testing.T, s *shop, c cell) {
	t.Helper()
	path := placed(c.path)
	if strings.HasSuffix(path, "/events") {
		path += "?drop=none" // otherwise the stream would not end
	}
	before := s.state()
	r := s.as(c.bearer.token, c.method, path, c.body)
	if c.right == watcher && operator.Is(c.bearer.token) {
		c.bearer.refusal = "invalid_token" // as at a socket, which does not look up operators' tokens
	}
	where := fmt.Sprintf("%s %s as %s", c.method, path, c.kind)
	admitted := r.status != http.StatusUnauthorized && r.status != http.StatusForbidden
	switch {
	case c.right == anybody || c.right == watcher && c.bearer.token == "" || slices.Contains(c.bearer.good, c.right):
		if !admitted {
			t.Errorf("%s: %d %s", where, r.status, r.body)
		}
		return
	case c.bearer.refusal != "":
		s.refused(r, http.StatusUnauthorized, c.bearer.refusal)
		if challenge := r.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, `Bearer realm="sneakerdrop"`) {
			t.Errorf("%s: WWW-Authenticate: %s", where, challenge)
		}
	default:
		s.refused(r, http.StatusForbidden, "forbidden")
	}
	if after := s.state(); after != before {
		t.Errorf("%s was refused and changed\n%s to\n%s", where, before, after)
	}
}

// state returns everything that a call could have changed.
func (s *shop) state() string {
	s.Helper()
	all, err := s.store.Drops(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	var b strings.Builder
	for _, d := range all {
		fmt.Fprintf(&b, "%d v%d %+v; ", d.Drop.ID, d.Drop.Version, d.Drop.Sizes)
	}
	log, err := s.store.Actions(s.Context(), 0, 1)
	if err != nil {
		s.Fatal(err)
	}
	return fmt.Sprintf("%s %+v", b.String(), log)
}

func TestAccess_TheHeaderIsReadStrictly(t *testing.T) {
	p := secretProvider(t)
	s := newShop(t, p.signIn)
	good := p.token("ann", nil)
	for header, code := range map[string]string{
		"Bearer " + good: "", "bearer " + good: "", "BEARER  " + good + " ": "",
		good: "invalid_token", "Basic YW5uOmFubg==": "invalid_token", "Bearer": "invalid_token", "Bearer " + good + " " + good: "invalid_token",
		"Bearer " + strings.Repeat("a.", 20_000): "", // too long for the server's limit on headers
	} {
		req := s.request("GET", "/api/users/me", "")
		req.Header.Set("Authorization", header)
		r := s.do(req)
		if code != "" {
			s.refused(r, http.StatusUnauthorized, code)
		} else if r.status != http.StatusOK && len(header) < 1000 {
			t.Errorf("%.30s: %d %s", header, r.status, r.body)
		}
	}
	twice := s.request("GET", "/api/users/me", "")
	twice.Header["Authorization"] = []string{"Bearer " + good, "Bearer " + good}
	s.refused(s.do(twice), http.StatusUnauthorized, "invalid_token")
}

func TestAccess_WithoutIdentityTokensCountForNothing(t *testing.T) {
	s := newShop(t)
	s.as("rubbish", "POST", "/api/drops/create", createBody)
	if r := s.as("rubbish", "POST", "/api/drops/reserve", `{"dropId":1,"userId":3}`); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	for _, path := range []string{"/api/users/me", "/api/operator/log"} {
		s.refused(s.get(path), http.StatusNotFound, "route_not_found")
	}
}

func TestAccess_ARevokedTokenIsWorthNothingAtOnce(t *testing.T) {
	s := newShop(t, secretProvider(t).signIn)
	token, id := s.operatorToken(operator.Operator, time.Hour)
	mustAs[dropJSON](s, token, "POST", "/api/drops/create", createBody)
	if _, err := s.store.RevokeToken(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	s.refused(s.as(token, "POST", "/api/drops/1/pause", ""), http.StatusUnauthorized, "invalid_token")
}

// The log names the holder of a token that was revoked, has expired or lacks the right. It ignores made-up tokens.
func TestAccess_RefusedOperatorsAreInTheLog(t *testing.T) {
	s := newShop(t, secretProvider(t).signIn)
	gone, goneID := s.operatorToken(operator.Operator, time.Hour)
	if _, err := s.store.RevokeToken(t.Context(), goneID); err != nil {
		t.Fatal(err)
	}
	late, lateID := s.operatorToken(operator.Operator, -time.Second)
	views, viewsID := s.operatorToken(operator.Viewer, time.Hour)
	never, _ := operator.Mint()
	for _, token := range []string{gone, late, views, never} {
		s.as(token, "POST", "/api/drops/1/pause", "")
	}
	log := s.log.String()
	for _, want := range []string{
		fmt.Sprintf(`"code":"invalid_token","revoked":true,"token":%d,`, goneID), fmt.Sprintf(`"code":"token_expired","revoked":false,"token":%d,`, lateID),
		fmt.Sprintf(`"code":"forbidden","revoked":false,"token":%d,`, viewsID),
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log does not have %s:\n%s", want, log)
		}
	}
	if n := strings.Count(log, "an operator's token was refused"); n != 3 || strings.Contains(log, "sdo_") {
		t.Errorf("%d refusals in the log:\n%s", n, log)
	}
}
