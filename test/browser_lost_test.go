package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const manyPairs = `{"name":"Many","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`

// newBuyer opens the shop as somebody whose name is known and who has nothing yet.
func newBuyer(t *testing.T, url string) *page {
	t.Helper()
	p := visit(t, url, desktop.with(oddScript))
	p.reads(".live", "Live")
	p.press(".who")
	p.introduce("Ann")
	p.holds(`!document.querySelector("dialog[open]")`)
	return p
}

// losesAReserve opens the shop as a buyer who has pressed the button, and whose answers are all lost.
func losesAReserve(t *testing.T, url string) *page {
	t.Helper()
	p := newBuyer(t, url)
	eval[chromedp.Void](p, `{ net.lose = (path) => path.includes("/reserve") || path.includes("/reservations"); }`)
	p.reserves(1)
	p.reads("#drop-1 .refused", "No connection")
	return p
}

// The answers are lost for longer than the hold lasts. The next click takes a new hold. The page never shows the dead
// one as the buyer's, and never shows negative time.
func TestBrowser_ADeadHoldIsNotReplayed(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]script{
		"by the same key": `0`,
		"a minute later":  `time.sleep(61_000)`,
	} {
		t.Run(name, func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--hold=4s")
			made(t, s.url, manyPairs)
			p := newBuyer(t, s.url)
			eval[chromedp.Void](p, `{ globalThis.spoken = []; new MutationObserver(() => spoken.push(document.getElementById("said").textContent)).observe(document.getElementById("said"), {childList: true, characterData: true, subtree: true});
				net.lose = (path) => path.includes("/reserve") || path.includes("/reservations"); }`)
			p.reserves(1)
			p.reads("#drop-1 .refused", "No connection") // after all tries
			eval[chromedp.Void](p, "{ net.lose = () => false; "+after+" }")
			p.reads(left(1), "50 of 50 left") // the hold that the buyer never heard about is over
			restarted(t, s)                   // with holds that outlast a slow machine
			p.reads(".live", "Live")
			p.reads(".banner", "")
			p.reserves(1)
			p.reads(".hold", "Complete purchase")
			p.holds(`Number(textOf(".ring span")) >= 0`)
			p.reads("#drop-1 .note", "Complete your purchase below")
			p.press(".hold .primary")
			p.reads("dialog[open]", "Receipt")
			for _, said := range eval[[]string](p, `spoken`) {
				if strings.Contains(said, "-") {
					t.Errorf("it said %q", said)
				}
			}
			p.quiet()
		})
	}
}

// A hold whose answer was lost, and that was released elsewhere, is no longer the buyer's, however much of its time
// would be left.
func TestBrowser_ACancelledHoldIsNotReplayed(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := losesAReserve(t, s.url)
	mustPost(t, s.url+"/api/drops/cancel", `{"reservationId":4294967297}`)
	eval[chromedp.Void](p, `{ net.lose = () => false; }`)
	p.reserves(1)
	p.reads(".hold", "Complete purchase")
	p.reads(left(1), "49 of 50 left")
	p.press(".hold .primary")
	p.reads("dialog[open]", "Receipt")
	if all := reservations(t, s.url, 1); !strings.Contains(all, `"id":4294967298`) || strings.Count(all, `"status":"completed"`) != 1 || strings.Count(all, `"status":"cancelled"`) != 1 {
		t.Errorf("Ann has %s", all)
	}
	p.quiet()
}

// A buyer who tries to buy a pair that was released in another tab or elsewhere learns why it disappears.
func TestBrowser_SaysThatAPairWasGivenBack(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := newBuyer(t, s.url)
	p.reserves(1)
	p.reads(".hold", "Complete purchase")
	mustPost(t, s.url+"/api/drops/cancel", `{"reservationId":4294967297}`)
	p.press(".hold .primary")
	p.reads("#drop-1 .refused", "You already released this pair")
	p.reads("#said", "You already released this pair")
	p.holds(`!document.querySelector(".hold")`)
	p.reserves(1)
	p.reads("#drop-1 .note", "Complete your purchase below")
	p.quiet()
}

// The unknown outcome of one buyer's click does not affect the next buyer at the same page.
func TestBrowser_AnotherBuyersClickIsAnother(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := losesAReserve(t, s.url)
	p.press(".who")
	p.press("dialog .quiet") // this is not me
	p.holds(`!document.querySelector("dialog[open]")`)
	eval[chromedp.Void](p, `{ net.lose = () => false; }`)
	p.press(".who")
	p.introduce("Bob")
	p.holds(`!document.querySelector("dialog[open]")`)
	p.reserves(1)
	p.reads(".hold", "Complete purchase")
	p.reads(left(1), "48 of 50 left")
	if all := reservations(t, s.url, 2); strings.Count(all, `"status":"active"`) != 1 {
		t.Errorf("Bob has %s", all)
	}
	p.quiet()
}

// A hold whose answer was lost shows as soon as the server can be asked. The click is then complete, its error
// message disappears, and the next click is a new intent.
func TestBrowser_ALostAnswerIsFound(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := newBuyer(t, s.url)
	p.reserves(1)
	p.reads(".hold", "Many")
	eval[chromedp.Void](p, `{ net.keys = []; net.lose = (path) => path.includes("/reserve"); }`)
	p.reserves(1)
	p.holds(`document.querySelectorAll(".hold").length === 2`)
	p.holds(`!document.querySelector(".refused") && textOf("#drop-1 .action button") === "Reserve another"`)
	eval[chromedp.Void](p, `{ net.first = new Set(net.keys); net.lose = () => false; }`)
	p.reserves(1)
	p.holds(`document.querySelectorAll(".hold").length === 3`)
	if n := eval[int](p, `new Set(net.keys).size`); n != 2 {
		t.Errorf("%d keys were sent for two clicks", n)
	}
	p.quiet()
}

// If an operator's answer is lost, the pairs are added once, however often the button is pressed. If the form
// changes, it is a new request.
func TestBrowser_ARestockIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	p := visit(t, s.url+"/admin#/1", desktop.with(oddScript))
	p.reads(".detail .tiles", "of 50")
	p.pushes("Restock")
	p.leaves("add", "5")
	eval[chromedp.Void](p, `{ net.lose = (path) => path.endsWith("/restock"); submit("#add"); }`)
	p.reads("dialog[open]", "No connection")
	eval[chromedp.Void](p, `{ net.lose = () => false; submit("#add"); }`)
	p.holds(`!document.querySelector("dialog[open]")`)
	p.reads(".detail .tiles", "of 55")
	p.pushes("Restock")
	p.leaves("add", "5")
	eval[chromedp.Void](p, `submit("#add")`)
	p.reads(".detail .tiles", "of 60")
	p.quiet()
}

// The page waits for a slow answer as long as there are signs of life, and otherwise says what is wrong.
func TestBrowser_LongAnswersArrive(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, manyPairs)
	mustPost(t, s.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, hold(t, s.url, `{"dropId":1,"userName":"Ann"}`)))
	// Timers of ten seconds fire after three, so that the test is shorter.
	hurry := script(`{ const real = setTimeout; globalThis.setTimeout = (f, ms, ...given) => real(f, ms === 10_000 ? 3_000 : ms, ...given); }
		net.instead = (path, init) => {
			const ended = new Promise((_, end) => init?.signal?.addEventListener("abort", () => end(new DOMException("aborted", "AbortError"))));
			const drip = (parts, ms) => new Response(new ReadableStream({async start(out) { for (const part of parts) { await Promise.race([ended, new Promise((done) => setTimeout(done, ms))]).catch((e) => { out.error(e); throw e; }); out.enqueue(new TextEncoder().encode(part)); } out.close(); }}));
			if (path.includes("format=csv")) return net.stuck ? drip(["id\n", "1\n"], 1e6) : drip(["id\n", "1\n", "2\n", "3\n", "4\n"], 700);
			if (path.endsWith("/audit")) return Promise.race([ended, new Promise((done) => setTimeout(done, 7000, new Response(JSON.stringify({clean: true, reservations: 1, purchases: 1, ledger_entries: 3, differences: 0, sentences: []}))))]);
		};`)
	p := visit(t, s.url+"/admin#/1", desktop.with(oddScript+"\n"+hurry))
	p.reads(".detail .tiles", "Sold 1")
	eval[chromedp.Void](p, `globalThis.kept = [], URL.createObjectURL = (blob) => (blob.text().then((t) => kept.push(t)), "blob:none"), HTMLAnchorElement.prototype.click = function () { kept.push(this.download) }`)
	p.opens("#/drops/1/purchases")
	p.pushes("Download CSV")
	p.reads(".panel", "Downloading… 0.0 MB")
	p.holds(`kept.includes("drop-1-purchases.csv") && kept.includes("id\n1\n2\n3\n4\n")`)
	p.reads(".panel", "Download CSV")
	eval[chromedp.Void](p, `net.stuck = true`)
	p.pushes("Download CSV")
	p.reads(".panel .problem", "The shop didn't answer in time")
	eval[chromedp.Void](p, `net.stuck = false`)
	p.pushes("Download CSV")
	p.holds(`!document.querySelector(".panel .problem")`) // gone, because it is no longer true
	p.holds(`kept.filter((k) => k === "drop-1-purchases.csv").length === 2`)
	p.holds(`!document.querySelector(".panel .problem")`)

	p.goes("Audit")
	p.pushes("Audit this drop")
	p.reads(".panel", "Running for 2 seconds")
	p.reads(".verdict", "No discrepancies")
	p.pushes("Audit this drop")
	p.pushes("Stop")
	p.reads(".panel .problem", "You stopped this")
	p.quiet()
}

// For each way in which an answer can fail to arrive there is a text of its own, and none promises what nobody does.
func TestBrowser_SaysWhatBecameOfACall(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url, desktop.with(oddScript))
	p.reads("main", "Nothing on sale yet")
	for name, c := range map[string]struct{ instead, code script }{
		"no network":             {`() => Promise.reject(new TypeError("Failed to fetch"))`, "offline"},
		"a proxy's page":         {`() => new Response("<h1>Bad gateway</h1>", {status: 502})`, "unreadable"},
		"a network's sign-in":    {`() => new Response("<h1>Welcome to our café</h1>")`, "unreadable"},
		"an empty answer":        {`() => new Response("", {status: 200})`, "unreadable"},
		"cut off on its way":     {`() => new Response(new ReadableStream({start(out) { out.enqueue(new TextEncoder().encode("[{")); out.error(new TypeError("network error")); }}))`, "offline"},
		"half an answer":         {`() => new Response("[{")`, "unreadable"},
		"a refusal":              {`() => new Response('{"error":"x","code":"out_of_stock"}', {status: 409})`, "out_of_stock"},
		"a refusal without code": {`() => new Response('{"error":"x"}', {status: 500})`, "internal"},
		"silence":                {`(path, init) => new Promise((_, end) => init.signal.addEventListener("abort", () => end(new DOMException("aborted", "AbortError"))))`, "timeout"},
	} {
		got := eval[string](p, script(fmt.Sprintf(`Promise.all([import(moduleAt("shared/client.js")), import(moduleAt("shared/words.js"))]).then(async ([{ client }, words]) => {
			net.instead = (path, init) => path === "/api/x" ? (%s)(path, init) : undefined;
			try { await client.call("GET", "/api/x", {patience: 2000}); return "an answer"; } catch (r) { return r.code + (/we try again|retry/i.test(words.explain(r)) ? " promises" : "") + (words.knows(r.code) ? "" : " unknown"); }
		})`, c.instead)))
		if got != string(c.code) {
			t.Errorf("%s: %s, want %s", name, got, c.code)
		}
	}
	p.quiet()
}
