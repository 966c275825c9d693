package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const tomorrows = `{"name":"Tomorrow","price":90,"sizes":[{"size":"9","stock":20},{"size":"10","stock":40}],"limit_per_user":1,"start_time":"2099-01-01T00:00:00Z"}`

type rehearsal struct {
	Pass, Payments                      bool
	Faults                              []string
	Copy, Units, Sold, Unpaid, Watchers int64
	SellOut                             int64 `json:"sell_out"`
	Reserve, Purchase, Return           struct{ Count int64 }
	Waitlist                            *struct{ Joined, Offered, Bought, Declined, Expired int64 }
	Early                               *struct{ Codes, Used, Refused, Kept, Sold, Returned int64 }
	Refused                             map[string]int64
}

// rehearsed runs the command and returns its result.
func rehearsed(t *testing.T, args ...string) (result rehearsal, stderr string) {
	t.Helper()
	cmd := exec.Command("sneakerdrop", append([]string{"rehearse", "--json"}, args...)...)
	cmd.Dir = t.TempDir()
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if len(out) == 0 {
		t.Logf("%v: %s", err, said.String())
		return result, said.String()
	}
	if err := json.Unmarshal(out, &result); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// A busy machine may be too slow for what a rehearsal asks of a shop's; anything else it must not find.
	if result.Pass == (len(result.Faults) > 0) || result.Pass != (err == nil) {
		t.Errorf("%+v: %v", result, err)
	}
	result.Faults = slices.DeleteFunc(result.Faults, tooSlow)
	return result, said.String()
}

func tooSlow(fault string) bool {
	return strings.Contains(fault, "reserves took longer than") || strings.Contains(fault, "was released only") ||
		strings.Contains(fault, "could not pay for it: reservation_expired")
}

// A rehearsal leaves nothing behind but an archived copy, and says what happened to it.
func TestRehearse_PassesOnAGoodServer(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=6s")
	made(t, s.url, tomorrows)
	_, before := get(t, s.url+"/api/drops")
	r, stderr := rehearsed(t, "--url="+s.url, "--drop=1", "--buyers=300", "--seed=7", "--max-p99=30s")
	t.Logf("%+v", r)
	if len(r.Faults) > 0 || r.Units != 60 || r.Sold == 0 || r.Unpaid == 0 || r.Return.Count != r.Unpaid || r.SellOut == 0 || r.Watchers != 30 ||
		r.Refused["out_of_stock"] == 0 || r.Refused["not_started"] == 0 {
		t.Errorf("%+v %s", r, stderr)
	}
	if _, after := get(t, s.url+"/api/drops"); after != before {
		t.Errorf("the list was %s\nand is %s", before, after)
	}
	if _, copied := get(t, fmt.Sprintf("%s/api/drops/%d", s.url, r.Copy)); !strings.Contains(copied, `"archived":true`) || !strings.Contains(copied, `"hidden":true`) {
		t.Error(copied)
	}
}

// Buyers who are too late for a drop with a waitlist wait, and some of them get what others let go.
func TestRehearse_PlaysTheWaitlist(t *testing.T) {
	s := startFor(t, t.TempDir(), "--hold=6s")
	made(t, s.url, strings.Replace(tomorrows, "{", `{"waitlist":true,"offer_for":10,`, 1))
	r, stderr := rehearsed(t, "--url="+s.url, "--drop=1", "--buyers=300", "--seed=7", "--max-p99=30s")
	w := r.Waitlist
	if len(r.Faults) > 0 || r.Unpaid == 0 || w == nil {
		t.Fatalf("%+v %s", r, stderr)
	}
	if r.Sold != 60 || w.Joined == 0 || w.Bought == 0 || w.Declined == 0 || w.Expired == 0 || w.Offered != w.Bought+w.Declined+w.Expired {
		t.Errorf("%+v, %+v", r, *w)
	}
	if _, copied := get(t, fmt.Sprintf("%s/api/drops/%d", s.url, r.Copy)); !strings.Contains(copied, `"offer_for":10,`) {
		t.Error(copied)
	}
}

// Where a drop has early access, some buyers come before the start with codes of the rehearsal. What was kept and not
// sold goes back to the others.
func TestRehearse_PlaysEarlyAccess(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=6s")
	made(t, s.url, tomorrows)
	for _, body := range []string{`{"count":12,"units":6}`, `{"codes":["FRIENDS"],"uses":5}`, `{"list":"1\n2\n3"}`} {
		if answer := post(t, s.url+"/api/drops/1/codes", body); !strings.HasPrefix(answer, "201 ") {
			t.Fatalf("%s: %s", body, answer)
		}
	}
	r, stderr := rehearsed(t, "--url="+s.url, "--drop=1", "--buyers=120", "--seed=7", "--max-p99=30s")
	e := r.Early
	if len(r.Faults) > 0 || e == nil {
		t.Fatalf("%+v %s", r, stderr)
	}
	if r.Sold == 0 || e.Codes != 12 || e.Used == 0 || e.Sold == 0 || e.Returned == 0 || e.Kept != e.Sold+e.Returned || r.Refused["code_required"] == 0 {
		t.Errorf("%+v, %+v", r, *e)
	}
}

// In a shop that takes payments a rehearsal moves no money: it asks the provider for nothing, and says so.
func TestRehearse_MovesNoMoney(t *testing.T) {
	t.Parallel()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	provider := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the provider is asked: %s %s", r.Method, r.URL)
	}))
	t.Cleanup(provider.Close)
	for name, args := range map[string][]string{
		"none":     {"--payments=none"},
		"demo":     {"--payments=demo"},
		"external": {"--payments=external", "--checkout-url=" + provider.URL + "/checkout", "--checkout-api-url=" + provider.URL + "/api"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pays := name != "none"
			env := os.Environ()
			if name == "external" {
				env = append(env, "SNEAKERDROP_CHECKOUT_SECRET="+secret)
			}
			s, err := start(t.TempDir(), env, append([]string{"--addr=127.0.0.1:0", "--hold=6s"}, args...)...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.kill)
			made(t, s.url, tomorrows)
			r, stderr := rehearsed(t, "--url="+s.url, "--drop=1", "--buyers=60", "--seed=7", "--max-p99=30s")
			if len(r.Faults) > 0 || r.Sold == 0 || r.Unpaid == 0 || r.Payments != pays {
				t.Errorf("%+v %s", r, stderr)
			}
			if _, body := get(t, s.url+"/api/payments"); pays && body != `{"payments":[],"next":null}` {
				t.Errorf("the shop has payments: %s", body)
			}
			if _, metrics := get(t, s.url+"/metrics"); strings.Contains(metrics, `sneakerdrop_payment_call_seconds_count{operation="start"`) {
				t.Error("a checkout was opened")
			}
		})
	}
}

func TestRehearse_WaitsWhileADropIsLive(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, tomorrows)
	refused := func(want string) {
		t.Helper()
		if _, stderr := rehearsed(t, "--url="+s.url, "--drop=1", "--buyers=5"); !strings.Contains(stderr, want) {
			t.Errorf("%q, want %q", stderr, want)
		}
	}
	made(t, s.url, onePair)
	refused(`no rehearsal is possible now: drop 2, "Last pair", is on sale`)
	hold(t, s.url, `{"dropId":2,"userId":1}`)
	refused(`drop 2, "Last pair", is on sale`) // the unit may come back
	mustPost(t, s.url+"/api/drops/2/pause", `{}`)
	made(t, s.url, `{"name":"Soon","price":1,"total_stock":1,"start_time":"`+time.Now().Add(9*time.Minute).UTC().Format(time.RFC3339)+`"}`)
	refused(`drop 3, "Soon", starts in `)
	patch(t, s.url+"/api/drops/3", `{"hidden":true}`)
	if _, stderr := rehearsed(t, "--url="+s.url, "--drop=9", "--buyers=5"); !strings.Contains(stderr, "--drop names drop 9") {
		t.Error(stderr)
	}
}

// Where buyers sign in a rehearsal needs the secret and an operator's token.
func TestRehearse_SignsItsBuyersIn(t *testing.T) {
	t.Parallel()
	const secret = "0123456789abcdef0123456789abcdef"
	s, operate := signInServer(t, secret, "--jwt-number-claim=shop_id", "--hold=6s")
	operate("", "/api/drops/create", tomorrows)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--url=" + s.url, "--drop=1", "--buyers=60", "--seed=7", "--jwt-secret-file=" + file, "--jwt-audience=shop", "--max-p99=30s"}
	if _, stderr := rehearsed(t, args...); !strings.Contains(stderr, "it needs an operator's token") {
		t.Error(stderr)
	}
	create := exec.Command("sneakerdrop", "token", "create", "--role=operator", "--name=rehearsal")
	create.Dir = s.cmd.Dir
	token, err := create.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, stderr := rehearsed(t, append(args, "--token="+strings.TrimSpace(string(token)))...)
	if len(r.Faults) > 0 || r.Sold == 0 {
		t.Errorf("%+v %s", r, stderr)
	}
}

// The limits of the production guide are for one address, and the proxy of the guide is trusted. So simulated buyers
// do not share one limit.
func TestRehearse_BuyersDoNotShareTheLimitOfOneAddress(t *testing.T) {
	t.Parallel()
	settings := strings.Join(documented(t, "howto/production.md", "4. Write the settings", "sh"), "\n")
	args := []string{"--hold=6s"}
	for flag, variable := range map[string]string{"--address-limits": "SNEAKERDROP_ADDRESS_LIMITS", "--trusted-proxy": "SNEAKERDROP_TRUSTED_PROXY"} {
		_, rest, found := strings.Cut(settings, variable+"=")
		value, _, _ := strings.Cut(rest, "\n")
		if !found || value == "" {
			t.Fatalf("the guide does not set %s", variable)
		}
		args = append(args, flag+"="+value)
	}
	s := startFor(t, t.TempDir(), args...)
	made(t, s.url, tomorrows)
	r, stderr := rehearsed(t, "--url="+s.url, "--drop=1", "--buyers=300", "--seed=7", "--max-p99=30s")
	if len(r.Faults) > 0 || r.Sold == 0 || r.Watchers != 30 || r.Refused["rate_limited"] != 0 {
		t.Errorf("%+v %s", r, stderr)
	}
}

// The button does what the command does, and shows it as it goes.
func TestControl_Rehearses(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=6s")
	made(t, s.url, tomorrows)
	p := visit(t, s.url+"/admin#/1", phone)
	p.goes("Rehearsal")
	p.fill("#buyers", "60")
	p.pushes("Rehearse")
	p.reads(".panel", "Reserved")
	p.checkLayout("control rehearsing phone")
	if answer := post(t, s.url+"/api/operator/rehearsals", `{"dropId":1,"buyers":5}`); !strings.HasPrefix(answer, "409 ") {
		t.Error(answer)
	}
	if err := waitFor(t, 60*time.Second, func() bool { return strings.Contains(call[string](p, "textOf", ".verdict"), "S") }); err != nil {
		t.Fatalf("%v: %s", err, call[string](p, "textOf", ".panel"))
	}
	for _, fault := range eval[[]string](p, `[...document.querySelectorAll(".verdict li")].map((e) => e.textContent)`) {
		if !tooSlow(fault) {
			t.Error(fault)
		}
	}
	p.checkLayout("control rehearsed phone")
	p.checkAccess("control rehearsed phone")
	// The copy is among the rehearsals with its result, not among the drops, and its buyers are in no figure.
	p.opens("#/rehearsals")
	p.holds(`/^Rehearsal of 1 Drop 2 (PASS|FAIL)/.test(textOf(".list tbody tr")) && / 60 60 \d+$/.test(textOf(".list tbody tr"))`)
	p.checkLayout("control rehearsals phone")
	p.checkAccess("control rehearsals phone")
	p.opens("#/service")
	p.reads(".service", "Refused reservations None since the server started.")
	p.holds(`!/Reserve \d|Purchase \d/.test(textOf(".service"))`)
	p.opens("#/drops?state=all")
	p.reads("main", "1 drop")
	p.opens("#/")
	p.reads(".today", "Sold today 0")
	p.opens("#/drops/1/rehearsal")
	p.reads(".panel", "A rehearsal makes a hidden copy")
	made(t, s.url, onePair)
	p.pushes("Rehearse")
	p.reads(".problem", `Rehearsal must wait: drop 3, "Last pair", is on sale`)
	p.quiet()
}

var errNotYet = errors.New("not yet")

// waitFor polls for longer than what should take milliseconds.
func waitFor(t *testing.T, long time.Duration, done func() bool) error {
	t.Helper()
	for end := time.Now().Add(long); time.Now().Before(end); {
		if err := poll(t.Context(), func() error {
			if !done() {
				return errNotYet
			}
			return nil
		}); err == nil {
			return nil
		}
	}
	return fmt.Errorf("not in %s", long)
}
