package test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// slowTimes records when the first cards show and when a buyer can reserve, in ms since the page was requested.
const slowTimes script = `globalThis.times = {cards: 0, usable: 0};
	const look = () => {
		times.cards ||= document.querySelector("#drop-1 .price") ? performance.now() : 0;
		times.usable ||= document.querySelector('#drop-1 .action button[aria-disabled="false"]') ? performance.now() : 0;
		if (!times.usable) requestAnimationFrame(look);
	};
	requestAnimationFrame(look);`

// conditions describe a tab's network.
func (p *page) conditions(is network.Conditions, blocked ...string) {
	p.t.Helper()
	var patterns []*network.BlockPattern
	for _, pattern := range blocked {
		patterns = append(patterns, &network.BlockPattern{URLPattern: pattern, Block: true})
	}
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.Enable, network.EnableParams{})
		_, blockErr := cdp.Call(ctx, tab, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: patterns})
		_, slowErr := cdp.Call(ctx, tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{&is}})
		return errors.Join(err, blockErr, slowErr)
	}))
}

var (
	full   = network.Conditions{DownloadThroughput: -1, UploadThroughput: -1}
	slow3G = network.Conditions{Latency: 2000, DownloadThroughput: 50_000, UploadThroughput: 50_000}
)

// requests are what the page has requested, by path. The page itself comes first.
func (p *page) requests() []string {
	p.t.Helper()
	return eval[[]string](p, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((e) => new URL(e.name).pathname)`)
}

// The first cards need one round trip and only the page. They show even if no script, style sheet or call arrives,
// and each of them leads to the page of its drop.
func TestShop_FirstCardsNeedOneRequest(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--demo")
	for _, at := range []string{"/", "/drops/1"} {
		p := visit(t, "about:blank", phone)
		p.conditions(full, s.url+"/assets/*", s.url+"/api/*", s.url+"/socket.io/*", s.url+"/health")
		p.navigate(s.url + at)
		p.reads("#drop-1", "100 of 100 left")
		p.reads("#drop-1 .price", "$149.00")
		p.reads("#trouble", "couldn't start") // and the cards stay
		p.holds(`performance.getEntriesByName("first-contentful-paint").length > 0 && getComputedStyle(document.querySelector("#drop-1")).display === "grid"`)
		p.checkLayout("first cards" + strings.ReplaceAll(at, "/", " "))
		if at == "/" {
			p.holds(`document.querySelector('#drop-1 h2 a[href="/drops/1"]') !== null && document.querySelectorAll(".card").length === 6`)
		}
	}
}

// Buying needs one more round trip: the page names everything that is needed, and none of that requests more. All of
// it is small.
func TestShop_WorksAfterTwoRoundTrips(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--demo")
	for _, at := range []string{"/", "/drops/1"} {
		p := visit(t, "about:blank", phone)
		p.conditions(full, s.url+"/socket.io/*", s.url+"/health") // without live updates and the time
		p.navigate(s.url + at)
		p.holds(`document.querySelector('#drop-1 .action button[aria-disabled="false"]') !== null`)
		_, page := get(t, s.url+at)
		var needed []string
		for _, path := range p.requests() {
			if path == at || strings.HasPrefix(path, "/socket.io/") || path == "/health" || strings.HasSuffix(path, "/icon.svg") {
				continue
			}
			needed = append(needed, path)
			if !strings.Contains(page, `="`+path+`"`) {
				t.Errorf("%s does not name %s: its scripts ask for it, one round trip later", at, path)
			}
		}
		if len(needed) != 2 {
			t.Errorf("%s needs %q, want a script and the list of drops", at, needed)
		}
		p = visit(t, s.url+at, phone)
		p.reads(".live", "Live")
		weight := call[struct{ Bytes, Requests int }](p, "loaded")
		t.Logf("%s: %d bytes in %d requests until it is live", at, weight.Bytes, weight.Requests)
		if weight.Bytes > 64_000 {
			t.Errorf("%s: %d bytes", at, weight.Bytes)
		}
		p.quiet()
	}
}

// What the server sent stays until the scripts have drops, so nobody sees an empty page in between.
func TestShop_CardsOfTheServerStayUntilThereAreOthers(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--demo")
	p := visit(t, s.url, phone.with(`
		globalThis.seen = 0;
		globalThis.gaps = 0;
		new MutationObserver(() => {
			const there = document.querySelectorAll("#app .price").length;
			if (seen > 0 && there === 0) gaps++;
			seen = Math.max(seen, there);
		}).observe(document, {childList: true, subtree: true});`))
	p.reads(".live", "Live")
	p.reads(button(1), "Reserve")
	p.holds(`seen === 6 && gaps === 0 && document.querySelectorAll("#app .card").length === 6 && document.querySelectorAll("#drop-1").length === 1`)
	p.quiet()
}

// A drop's own page tells link previews, and people without scripts, what it is about.
func TestDrops_HaveAPageEach(t *testing.T) {
	s := startFor(t, t.TempDir(), "--public-url=https://shop.example")
	id := made(t, s.url, `{"name":"Tide \"Low\" <1>","price":149,"total_stock":3,"start_time":"2020-01-01T00:00:00Z"}`)
	hidden := made(t, s.url, `{"name":"Secret","price":149,"total_stock":3,"start_time":"2020-01-01T00:00:00Z"}`)
	patch(t, fmt.Sprintf("%s/api/drops/%d", s.url, hidden), `{"hidden":true}`)
	_, page := get(t, fmt.Sprintf("%s/drops/%d", s.url, id))
	for _, want := range []string{
		`<meta property="og:title" content="Tide &#34;Low&#34; &lt;1&gt;">`, fmt.Sprintf(`<link rel="canonical" href="https://shop.example/drops/%d">`, id), "3 of 3 left",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, path := range []string{fmt.Sprintf("/drops/%d", hidden), "/drops/99", "/drops"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for accept, want := range map[string]string{"text/html": "no longer available", "application/json": `"code":"route_not_found"`} {
			req.Header.Set("Accept", accept)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			var body strings.Builder
			if err := res.Write(&body); err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusNotFound || !strings.Contains(body.String(), want) || strings.Contains(body.String(), "Secret") {
				t.Errorf("%s as %s: %d %s", path, accept, res.StatusCode, body.String())
			}
		}
	}
	if _, dates := get(t, fmt.Sprintf("%s/drops/%d.ics", s.url, id)); !strings.Contains(dates, "DTSTART:20200101T000000Z\r\n") {
		t.Error(dates)
	}
}
