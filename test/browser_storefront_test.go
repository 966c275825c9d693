package test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// buildStorefront makes the example's program, once, beside the one that is tested.
var buildStorefront = sync.OnceValues(func() (string, error) {
	sneakerdrop, err := exec.LookPath("sneakerdrop")
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(sneakerdrop), "storefront")
	if out, err := exec.Command("go", "build", "-o", path, "../examples/storefront").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the storefront: %w\n%s", err, out)
	}
	return path, nil
})

// storefront is the example's shop, and the drops server that it sells with.
type storefront struct {
	t         *testing.T
	url       string
	dir       string // of the server, with the secret
	drops     *server
	dropsArgs []string
}

const sized = `{"name":"Night Courier","price":90,"sizes":[{"size":"9","stock":2},{"size":"9.5","stock":1}],"limit_per_user":2,"start_time":"2020-01-01T00:00:00Z"}`

// newStorefront opens a shop with the sized drop; tokens of the shop's are good for so long.
func newStorefront(t *testing.T, tokenLife string, dropsArgs ...string) *storefront {
	t.Helper()
	program, err := buildStorefront()
	if err != nil {
		t.Fatal(err)
	}
	s := &storefront{t: t, dir: t.TempDir()}
	at, err := net.Listen("tcp", "127.0.0.1:0") // the server has to know the shop's origin, and the shop the server's
	if err != nil {
		t.Fatal(err)
	}
	_ = at.Close()
	s.dropsArgs = append([]string{"--jwt-issuer=storefront", "--cors-origin=http://" + at.Addr().String()}, dropsArgs...)
	var call func(token, path, body string) string
	s.drops, call = signInServerIn(t, s.dir, "0123456789abcdef0123456789abcdef", s.dropsArgs...)
	call("", "/api/drops/create", sized)
	shop := exec.CommandContext(t.Context(), program, "-addr="+at.Addr().String(), "-drops="+s.drops.url, "-secret-file="+filepath.Join(s.dir, "secret"), "-token-life="+tokenLife)
	out, err := shop.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shop.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = shop.Process.Kill()
		_ = shop.Wait()
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	if s.url = strings.TrimSpace(strings.TrimPrefix(line, "The shop is at ")); s.url != "http://"+at.Addr().String() {
		t.Fatalf("the shop said %q", line)
	}
	return s
}

// restart starts the drops server again, at its address; args overrule those that it had.
func (s *storefront) restart(args ...string) {
	s.t.Helper()
	args = slices.Concat([]string{"--jwt-secret-file=secret", "--jwt-audience=shop", "--addr=" + strings.TrimPrefix(s.drops.url, "http://")}, s.dropsArgs, args)
	next, err := start(s.dir, os.Environ(), args...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(next.kill)
	s.drops = next
}

// consoleScript notes what a page says to the console as an error or a warning.
const consoleScript script = `for (const how of ["error", "warn"]) console[how] = (...what) => noted.errors.push(how + ": " + what.join(" "));`

func (s *storefront) visit(l look) *page {
	s.t.Helper()
	return visit(s.t, s.url, l.with(consoleScript))
}

// signsIn opens the shop as a buyer.
func (s *storefront) signsIn(name string, l look) *page {
	s.t.Helper()
	p := s.visit(l)
	p.fill("#name", name)
	p.submit("#name")
	p.reads("#signed-in", "Signed in as "+name)
	p.reads("#link", "Live")
	return p
}

// picks chooses a size and reserves it.
func (p *page) picks(size string) {
	p.t.Helper()
	p.press(`#drops input[value="` + size + `"]`)
	p.press("#drops .reserve")
}

var (
	narrow     = look{name: "narrow", width: 320, height: 640, phone: true, axe: true}
	narrowDark = look{name: "narrow-dark", width: 320, height: 640, phone: true, dark: true, axe: true}
)

func TestStorefront_FromSignInToPurchase(t *testing.T) {
	t.Parallel()
	s := newStorefront(t, "5m")
	ann, ben := s.signsIn("Ann", desktop), s.visit(narrow)
	second := ann.sameVisitor(s.url, narrowDark.with(consoleScript+`sessionStorage.setItem("name", "Ann");`)) // her other tab
	second.reads("#signed-in", "Signed in as Ann")
	second.reads("#link", "Live")

	ben.reads("#drops .stock", "3 of 3 in stock")
	ben.picks("9.5")
	ben.reads("#said", "Sign in first.")
	ben.holds(`document.activeElement.id === "name"`)
	ben.check("storefront signed out", narrow)

	ann.picks("9.5")
	ann.reads("#said", "Night Courier is reserved for you.")
	ann.reads("#holds", "Night Courier, size 9.5")
	ann.holds(`/^(1:00|0:5\d)$/.test(textOf("#holds .left"))`)
	second.reads("#holds", "Night Courier, size 9.5") // by her private stream alone
	second.check("storefront hold", narrowDark)
	ben.reads("#drops .stock", "2 of 3 in stock")
	ben.reads("#drops fieldset", "9.5 (sold out)")

	ann.press("#holds .release")
	ann.reads("#said", "You released Night Courier, size 9.5.")
	ann.holds(`!document.querySelector("#holds li")`)
	second.holds(`!document.querySelector("#holds li")`)
	ben.reads("#drops fieldset", "9.5 (1 left)")

	eval[chromedp.Void](ann, `press('#drops input[value="9"]'), press("#drops .reserve"), press("#drops .reserve")`)
	ann.reads("#holds", "Night Courier, size 9 ")
	ben.reads("#drops .stock", "2 of 3 in stock") // two clicks took one pair
	eval[chromedp.Void](ann, `document.querySelector("#holds .buy").focus(), press("#holds .buy")`)
	ann.reads("#said", "It's yours! You purchased Night Courier, size 9.")
	ann.holds(`document.activeElement.id === "yours-title"`) // the button that had the focus is gone
	second.reads("#bought", "Purchased: Night Courier, size 9")
	second.check("storefront purchased", narrowDark)

	ann.picks("9")
	ann.reads("#holds", "size 9 ")
	ann.picks("9.5")
	ann.reads("#said", "The limit is 2 per person, and you already have 2.")
	ann.navigate(s.url) // a reload
	ann.reads("#bought", "Purchased: Night Courier, size 9")
	ann.reads("#holds", "Night Courier, size 9 ")
	ann.check("storefront reloaded", desktop)
	ann.press("#sign-out")
	ann.reads("#said", "You are signed out.")
	ann.holds(`!document.querySelector("#holds li, #bought li") && document.querySelector("#yours").hidden`)
	for _, p := range []*page{ann, ben, second} {
		p.quiet()
	}
}

func TestStorefront_AHoldExpires(t *testing.T) {
	t.Parallel()
	s := newStorefront(t, "5m", "--hold=3s")
	ann := s.signsIn("Ann", narrow)
	ann.picks("9.5")
	ann.press(`#drops input[value="9"]`)
	ann.reads("#said", "Time is up: Night Courier, size 9.5 is back on sale.")
	ann.reads("#nothing", "Nothing reserved yet.")
	ann.reads("#drops .stock", "3 of 3 in stock")
	ann.holds(`document.querySelector('#drops input[value="9"]').checked`) // what was drawn anew meanwhile changed no choice
	if _, err := s.drops.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.restart("--hold=10m") // which outlasts a slow machine
	ann.reads("#link", "Live")
	ann.picks("9.5")
	ann.reads("#holds", "size 9.5")
	ann.press("#holds .buy")
	ann.reads("#bought", "Purchased: Night Courier, size 9.5")
	ann.quiet()
}

func TestStorefront_TheServerRestarts(t *testing.T) {
	t.Parallel()
	s := newStorefront(t, "5m", "--hold=5m")
	ann := s.signsIn("Ann", narrow)
	ann.picks("9")
	ann.reads("#holds", "size 9")
	ann.reads("#holds .left", "4:")
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		if _, err := s.drops.stop(signal); err != nil {
			t.Fatal(err)
		}
		ann.reads("#link", "Connection lost")
		s.restart()
		ann.reads("#link", "Live")
	}
	ann.check("storefront after a restart", narrow)
	ann.reads("#holds", "size 9")
	ann.press("#holds .buy")
	ann.reads("#bought", "Purchased: Night Courier, size 9")
	ann.quiet()
}

// The server takes a token for 30 s longer than it says: here for 3 s, so that each stream ends soon.
func TestStorefront_TokensEnd(t *testing.T) {
	t.Parallel()
	s := newStorefront(t, "-27s")
	ann := s.signsIn("Ann", desktop)
	second := ann.sameVisitor(s.url, desktop.with(consoleScript+`sessionStorage.setItem("name", "Ann");
		globalThis.states = [];
		addEventListener("DOMContentLoaded", () => new MutationObserver(() => states.push(document.getElementById("link").textContent)).observe(document.getElementById("link"), { childList: true }));`))
	second.reads("#signed-in", "Signed in as Ann")
	for round := range 2 {
		second.holds(script(fmt.Sprintf(`states.filter((s) => s === "Live").length > %d`, round+1))) // it went and came back
	}
	second.holds(`textOf("#link") === "Live"`)
	ann.picks("9")
	ann.reads("#holds", "size 9")
	second.reads("#holds", "size 9")
	second.press("#holds .buy")
	second.reads("#bought", "size 9")
	ann.reads("#bought", "size 9")
	for _, p := range []*page{ann, second} {
		p.holds(`textOf("#signed-in").includes("Ann")`)
		p.quiet()
	}
}

// When a server no longer accepts the shop's token, the page tries a new one. If the server refuses that one too, the
// page tells the buyer.
func TestStorefront_TokensAreGoodNoMore(t *testing.T) {
	t.Parallel()
	s := newStorefront(t, "5m")
	ann := s.signsIn("Ann", desktop)
	sessions := `performance.getEntriesByType("resource").filter((e) => e.name.endsWith("/session")).length`
	if n := eval[int](ann, script(sessions)); n != 1 {
		t.Errorf("%d sessions before anything ended", n)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "secret"), []byte("another secret of more than 32 bytes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.drops.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventuallyRefused(t, s)
	ann.picks("9")
	ann.reads("#said", "Your session is no longer valid. Please sign in again.")
	ann.holds(`!document.querySelector("#sign-in").hidden`)
	if n := eval[int](ann, script(sessions)); n != 2 {
		t.Errorf("%d sessions, want one more", n)
	}
	ann.reads("#link", "Live") // she may watch
	ann.quiet()
}

// eventuallyRefused waits until the drops server has read its new secret.
func eventuallyRefused(t *testing.T, s *storefront) {
	t.Helper()
	_, token, _ := strings.Cut(post(t, s.url+"/session", `{"name":"Ben"}`), `"token":"`)
	token, _, _ = strings.Cut(token, `"`)
	if err := poll(t.Context(), func() error {
		if status, answer := callAs(t.Context(), http.DefaultClient, s.drops.url, "/api/users/me", token, ""); status != http.StatusUnauthorized {
			return fmt.Errorf("%d %s", status, answer)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// The shop's backend gives nobody a session for another page, and no page more than its policy allows.
func TestStorefront_TheBackendIsStrict(t *testing.T) {
	t.Parallel()
	s := newStorefront(t, "5m")
	ask := func(path, body string, header ...string) *http.Response {
		t.Helper()
		method := http.MethodGet
		if body != "" {
			method = http.MethodPost
		}
		req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res
	}
	for _, c := range []struct {
		status     int
		path, body string
		header     []string
	}{
		{200, "/session", `{"name":" Ann "}`, nil},
		{200, "/session", `{"name":"Ann"}`, []string{"Origin", s.url, "Sec-Fetch-Site", "same-origin"}},
		{403, "/session", `{"name":"Ann"}`, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}},
		{403, "/session", `{"name":"Ann"}`, []string{"Origin", s.drops.url, "Sec-Fetch-Site", "same-site"}},
		{422, "/session", `{"name":" "}`, nil},
		{422, "/session", `{"name":"` + strings.Repeat("a", 201) + `"}`, nil},
		{422, "/session", `{"name":"Ann", "more":"` + strings.Repeat("a", 2000) + `"}`, nil},
		{422, "/session", `Ann`, nil},
		{200, "/", "", nil},
		{200, "/shop.js", "", nil},
		{200, "/sneakerdrop.js", "", nil},
		{404, "/index.html", "", nil},
		{404, "/main.go", "", nil},
		{405, "/session", "", nil},
	} {
		res := ask(c.path, c.body, c.header...)
		if res.StatusCode != c.status {
			t.Errorf("%s %.40s %v: %s, want %d", c.path, c.body, c.header, res.Status, c.status)
		}
		if h := res.Header; c.status == http.StatusOK && (h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none';")) {
			t.Errorf("%s: %v", c.path, h)
		}
	}
}
