package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sneakerdrop/internal/testing/tokens"
)

// loginShop is a shop in which buyers sign in, with the shop's own sign-in page. That page signs Ann in and sends her
// back, with or without the state that it got.
type loginShop struct {
	*server
	secret     string
	keepsState bool
	states     []string // the one that the sign-in page got
}

func newLoginShop(t *testing.T) *loginShop {
	t.Helper()
	shop := &loginShop{secret: "0123456789abcdef0123456789abcdef", keepsState: true}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state := r.URL.Query().Get("state")
		shop.states = append(shop.states, state)
		back := shop.url + "/#token=" + shop.token("ann", time.Hour)
		if shop.keepsState {
			back += "&state=" + url.QueryEscape(state)
		}
		http.Redirect(w, r, back, http.StatusFound)
	}))
	t.Cleanup(page.Close)
	shop.server, _ = signInServer(t, shop.secret, "--sign-in-url="+page.URL+"/in?shop=1")
	return shop
}

// token is one of the shop's own. The names are the subjects with a capital letter, and a family name.
func (s *loginShop) token(subject string, life time.Duration) string {
	name := map[string]string{"ann": "Ann Smith", "bob": "Bob Jones"}[subject]
	return tokens.HS256(s.secret, fmt.Sprintf(`{"sub":%q,"name":%q,"email":"%s@example.com","aud":"shop","exp":%d,"jti":"%d"}`,
		subject, name, subject, time.Now().Add(life).Unix(), time.Now().UnixNano()))
}

// signsIn signs in by the page's own link.
func (s *loginShop) signsIn(p *page) {
	p.t.Helper()
	p.navigate(s.url)
	p.reads(".who", "Sign in")
	p.press(".who")
	p.reads("dialog[open]", "Sign in to reserve")
	p.press("dialog[open] a.primary")
}

const (
	storedToken script = `sessionStorage.getItem("sneakerdrop.token") ?? ""`
	noDialog    script = `!document.querySelector("dialog[open]")`
)

// A buyer who signs in by the page's own link comes back signed in, without a question, and the address no longer has
// the token.
func TestLogin_StartedHereNeedsNoQuestion(t *testing.T) {
	t.Parallel()
	s := newLoginShop(t)
	p := visit(t, s.url, phone)
	s.signsIn(p)
	p.reads(".who", "Ann Smith")
	p.holds(noDialog)
	p.holds(script(fmt.Sprintf(`location.href === %q && sessionStorage.getItem("sneakerdrop.sign-in") === null`, s.url+"/")))
	if len(s.states) != 1 || len(s.states[0]) < 32 {
		t.Fatalf("the sign-in page was given the states %q", s.states)
	}
	// A state works for one token only.
	p.navigate(s.url + "/#token=" + s.token("bob", time.Hour) + "&state=" + s.states[0])
	p.reads("dialog[open]", "Continue as Bob Jones?")
	p.quiet()

	other := visit(t, s.url, desktop)
	s.signsIn(other)
	other.reads(".who", "Ann Smith")
	if s.states[1] == s.states[0] {
		t.Errorf("two browsers were given one state, %s", s.states[0])
	}
}

// A sign-in page that does not know states still works: the page asks the buyer once.
func TestLogin_WithoutAStateTheBuyerIsAsked(t *testing.T) {
	t.Parallel()
	s := newLoginShop(t)
	s.keepsState = false
	p := visit(t, s.url, phone)
	s.signsIn(p)
	p.reads("dialog[open]", "Sign in as Ann Smith?")
	p.reads("dialog[open]", "ann@example.com")
	p.holds(`location.hash === ""`)
	p.checkLayout("sign-in question")
	p.checkAccess("sign-in question")
	if stored := eval[string](p, storedToken); stored != "" {
		t.Fatalf("the token is taken before the answer: %s", stored)
	}
	p.pushes("Continue as Ann Smith")
	p.reads(".who", "Ann Smith")
	p.holds(noDialog)
	p.do(chromedp.Reload())
	p.reads(".who", "Ann Smith")
	p.holds(noDialog)
	p.quiet()
}

// No link turns a buyer into somebody else, or signs a buyer out, without asking.
func TestLogin_NoLinkReplacesABuyer(t *testing.T) {
	t.Parallel()
	s := newLoginShop(t)
	p := visit(t, s.url, desktop)
	s.signsIn(p)
	p.reads(".who", "Ann Smith")
	mine := eval[string](p, storedToken)
	bob := s.token("bob", time.Hour)
	stranger := visit(t, s.url, phone) // has started to sign in, and so has a state that nobody else has
	stranger.reads(".who", "Sign in")
	stranger.press(".who")
	stranger.reads("dialog[open]", "Sign in to reserve")
	foreign := eval[string](stranger, `sessionStorage.getItem("sneakerdrop.sign-in")`)
	for what, fragment := range map[string]string{
		"no state":                  "token=" + bob,
		"an empty state":            "token=" + bob + "&state=",
		"a used state":              "token=" + bob + "&state=" + s.states[0],
		"another browser's state":   "token=" + bob + "&state=" + foreign,
		"the state as a word":       "state=null&token=" + bob,
		"undefined":                 "state=undefined&token=" + bob,
		"two tokens":                "token=" + bob + "&token=" + mine,
		"a fragment with more":      "/drops&token=" + bob + "&x=1",
		"the same in a later click": "x&token=" + bob,
	} {
		t.Run(what, func(t *testing.T) {
			p := &page{t, p.ctx}
			if what == "the same in a later click" { // the page is open
				eval[chromedp.Void](p, script(fmt.Sprintf(`location.hash = %q`, fragment)))
			} else {
				p.navigate("about:blank")
				p.navigate(s.url + "/#" + fragment)
			}
			p.reads("dialog[open]", "Continue as Bob Jones?")
			p.reads("dialog[open]", "You're signed in as Ann Smith. This link signs you in as Bob Jones (bob@example.com).")
			p.holds(`location.hash === "" && textOf(":focus") === "Stay signed in as Ann Smith"`)
			p.do(chromedp.KeyEvent("\x1b"))
			p.holds(noDialog)
			p.reads(".who", "Ann Smith")
			if now := eval[string](p, storedToken); now != mine {
				t.Errorf("the page has another token now")
			}
		})
	}
	p.navigate("about:blank")
	p.navigate(s.url + "/#token=" + bob)
	p.pushes("Continue as Bob Jones")
	p.reads(".who", "Bob Jones")
	if now := eval[string](p, storedToken); now != bob {
		t.Error("who continues has another token")
	}
	p.quiet()
}

// An invalid token, or the one that the buyer already has, changes nothing and asks nothing.
func TestLogin_UselessTokensChangeNothing(t *testing.T) {
	t.Parallel()
	s := newLoginShop(t)
	p := visit(t, s.url, desktop)
	s.signsIn(p)
	p.reads(".who", "Ann Smith")
	mine := eval[string](p, storedToken)
	for what, sent := range map[string]string{
		"empty": "", "blanks": "%20%20", "a line end": "a%0D%0AX:1", "not ASCII": "%C3%BC", "endless": fmt.Sprintf("%020000d", 1), "the same": mine,
	} {
		p.navigate("about:blank")
		p.navigate(s.url + "/#token=" + sent)
		p.reads(".who", "Ann Smith")
		p.holds(`location.hash === ""`)
		p.holds(noDialog)
		if now := eval[string](p, storedToken); now != mine {
			t.Errorf("%s: the page has another token now", what)
		}
	}
	for what, sent := range map[string]string{"rubbish": "rubbish", "ended": s.token("bob", -time.Hour)} {
		p.navigate("about:blank")
		p.navigate(s.url + "/#token=" + sent)
		p.reads("dialog[open]", "This sign-in link doesn't work")
		p.reads("dialog[open]", "You're still signed in as Ann Smith.")
		p.pushes("Stay signed in as Ann Smith")
		p.holds(noDialog)
		if now := eval[string](p, storedToken); now != mine {
			t.Errorf("%s: the page has another token now", what)
		}
	}
	renewed := s.token("ann", 2*time.Hour) // of the same buyer
	p.navigate("about:blank")
	p.navigate(s.url + "/#token=" + renewed)
	p.holds(script(fmt.Sprintf("(%s) === %q", storedToken, renewed)))
	p.reads(".who", "Ann Smith")
	p.holds(noDialog)
	p.quiet()
}
