package test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"sneakerdrop/internal/testing/client"
)

var (
	curlLine = regexp.MustCompile(`^\$ curl -s localhost:3000(\S+)(?: --json '([^']*)')?$`)
	moment   = regexp.MustCompile(`"(20\d\d-\d\d-\d\dT[0-9:.]+Z)"`)
	cardPage = regexp.MustCompile(`http://[^/"]+/demo-payment/\w+`)
)

// TestREADME_FirstSessionIsTrue sends the README's requests to a new demo server, and pays at the page with test cards.
// The answers are those of the README, except for the times of this session and the address of that page.
func TestREADME_FirstSessionIsTrue(t *testing.T) {
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startFor(t, t.TempDir(), "--demo")
	var ran int
	for block := range strings.SplitSeq(string(text), "```console\n") {
		block, _, isConsole := strings.Cut(block, "\n```")
		if !isConsole || !strings.HasPrefix(block, "$ ") {
			continue
		}
		lines := strings.Split(block, "\n")
		for i := 0; i+1 < len(lines); i += 2 {
			call := curlLine.FindStringSubmatch(lines[i])
			if call == nil {
				t.Fatalf("not a call that this test can make: %s", lines[i])
			}
			said := answer(t, s.url+call[1], call[2])
			if got, want := timeless(said), timeless(lines[i+1]); got != want {
				t.Errorf("%s\n got %s\nwant %s", lines[i], got, want)
			}
			payAt(t, said)
			ran++
		}
	}
	if ran < 4 {
		t.Errorf("only %d calls found in the README", ran)
	}
}

// payAt pays at the page with test cards that an answer leads to, if it leads to one.
func payAt(t *testing.T, answer string) {
	t.Helper()
	if page := cardPage.FindString(answer); page != "" {
		if res := press(t, page, "", url.Values{"do": {"pay"}, "card": {"4242 4242 4242 4242"}}); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%s does not take the card: %s", page, res.Status)
		}
	}
}

// timeless hides the times, except those that a request set.
func timeless(answer string) string {
	answer = cardPage.ReplaceAllString(answer, "http://localhost:3000/demo-payment/…")
	return moment.ReplaceAllStringFunc(answer, func(m string) string {
		if strings.HasPrefix(m, `"2026-01-01T`) {
			return m
		}
		return `"…"`
	})
}

func answer(t *testing.T, url, body string) string {
	t.Helper()
	if body != "" {
		_, b, _ := strings.Cut(post(t, url, body), " ")
		return b
	}
	_, b := get(t, url)
	return b
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	status, body, err := client.Call{URL: url}.Do(t.Context(), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	return status, body
}

// TestServe_LocalhostIsBothFamilies: clients differ in which address of localhost they try.
func TestServe_LocalhostIsBothFamilies(t *testing.T) {
	s, err := start(t.TempDir(), os.Environ(), "--addr=localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	hosts := []string{"127.0.0.1"}
	var lc net.ListenConfig
	if l, err := lc.Listen(t.Context(), "tcp", "[::1]:0"); err == nil {
		_ = l.Close()
		hosts = append(hosts, "[::1]")
	}
	for _, host := range hosts {
		if status, body := get(t, fmt.Sprintf("http://%s:%s/health", host, port)); status != http.StatusOK {
			t.Errorf("%s: %d %s", host, status, body)
		}
	}
}

// TestTutorial_ItsCallsWork sends the tutorial's calls to a new demo server. Where the tutorial waits for a hold to
// expire, this releases it.
func TestTutorial_ItsCallsWork(t *testing.T) {
	text, err := os.ReadFile("../docs/TUTORIAL.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startFor(t, t.TempDir(), "--demo", "--hold=1h")
	want := []string{
		`200 {"id":7,`, `200 {"id":30064771073,`, `409 {"error":"Out of stock"`, `200 {"url":"http://127.0.0.1:`,
		`200 {"message":"Purchase successful"`,
	}
	calls := regexp.MustCompile(`(?m)^curl -s localhost:3000(\S+) --json '([^']*)'$`).FindAllStringSubmatch(string(text), -1)
	if len(calls) != len(want) {
		t.Fatalf("%d calls, want %d", len(calls), len(want))
	}
	for i, call := range calls {
		if i == 3 {
			mustPost(t, s.url+"/api/drops/cancel", `{"reservationId":30064771073}`)
			mustPost(t, s.url+calls[i-1][1], calls[i-1][2]) // Ann, once more
		}
		got := post(t, s.url+call[1], call[2])
		if !strings.HasPrefix(got, want[i]) {
			t.Errorf("%s %s\n got %s\nwant %s…", call[1], call[2], got, want[i])
		}
		payAt(t, got)
	}
}
