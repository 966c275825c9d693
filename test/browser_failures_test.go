package test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/browser/failures.js
var failuresScript script

// A buyer reserves, buys and releases while something goes wrong on the way, in more than 200 ways. Each ends with
// one effect at the server, a page that agrees with it, and the right words.
func TestBrowser_200ScriptedFailures(t *testing.T) {
	t.Parallel()
	startChromium(t)
	seed := seedOf(t)
	var ran, cases atomic.Int64
	var all sync.WaitGroup // at the same time, because they mostly wait
	for i, one := range failureRounds {
		all.Go(func() {
			t.Run(one.name, func(t *testing.T) {
				r := &round{t: t, rnd: rand.New(rand.NewPCG(seed, uint64(i))), cases: make(map[int64]*mishap)}
				one.play(r)
				ran.Add(1)
				cases.Add(int64(len(r.cases)))
				t.Logf("%d scripted failures", len(r.cases))
			})
		})
	}
	all.Wait()
	t.Logf("%d scripted failures in all", cases.Load())
	if ran.Load() == int64(len(failureRounds)) && cases.Load() < 200 {
		t.Errorf("only %d failures are scripted, want 200", cases.Load())
	}
}

// mishap is one scripted failure: what a buyer does in a drop of its own, and what happens to the calls.
type mishap struct {
	Drop    int64              `json:"drop"`
	Name    string             `json:"name"`
	Delay   int                `json:"delay"`   // ms until a button is pressed
	Faults  map[string][]spoil `json:"faults"`  // reserve, purchase, cancel → what happens to the first try, the second, …
	Forever string             `json:"forever"` // the call whose last fault repeats until the page gives up
	Again   bool               `json:"again"`   // the button is pressed once more after that, and everything works
	Persist bool               `json:"persist"` // the buttons are pressed until they work, because outages hit anybody

	then  string             // what the buyer does with the hold: buy, give, or nothing
	other map[string][]spoil // faults of the second tab
	want  []outcome          // how it may end
	limit int                // of the drop
	start string             // of the drop
}

// outcome is how a mishap ends.
type outcome struct {
	reservations []string // their statuses, sorted
	over         int      // holds in the tray of which it says that their time is up
	code         string   // among the texts that stay
	other        string   // among those that stay in the second tab
	mayShow      []string // codes of the texts that may have been shown in between
	bought       int      // how often the page says so; -1: at most once
}

func (o outcome) count(status string) (n int) {
	for _, s := range o.reservations {
		if s == status {
			n++
		}
	}
	return n
}

// callOf is the call that a verb makes.
var callOf = map[string]string{"reserve": "reserve", "early": "reserve", "buy": "purchase", "give": "cancel"}

// failing returns how a call ends if its last fault repeats: whether the server did it at one of the tries, and the
// codes of the texts for that. A try that is definitely refused says nothing about the earlier ones.
func (m *mishap) failing(call string) (did bool, codes []string) {
	faults := m.Faults[call]
	last := faults[len(faults)-1].code()
	for _, f := range faults {
		did = did || f.done()
		if isUnsure(f.code()) && !isUnsure(last) {
			codes = []string{f.code(), "outcome_unknown"}
		}
	}
	if len(codes) == 0 {
		codes = []string{last}
	}
	return did, codes
}

func isUnsure(code string) bool { return code != "overloaded" && code != "unavailable" }

// expect calculates how a mishap ends if the page can ask the server for its holds after the tries.
func (m *mishap) expect() outcome {
	var o outcome
	gaveUp := func(call string) (did, undone bool) {
		if m.Forever != call {
			return true, false
		}
		did, codes := m.failing(call)
		o.mayShow = append(o.mayShow, codes...)
		if !did && !m.Again {
			o.code = codes[0]
		}
		return did || m.Again, !did && !m.Again
	}
	if _, undone := gaveUp("reserve"); undone {
		return o
	}
	o.reservations = []string{"active"}
	if m.then == "" {
		return o
	}
	if _, undone := gaveUp(callOf[m.then]); undone {
		return o
	}
	o.reservations = []string{map[string]string{"buy": "completed", "give": "cancelled"}[m.then]}
	if m.then == "buy" {
		o.bought = 1
		if m.Forever == "purchase" {
			o.bought = -1 // the page may have found out by asking for its holds
		}
	}
	return o
}

// round is a server behind a spoiler, the mishaps there, and the tabs of one buyer.
type round struct {
	t     *testing.T
	rnd   *rand.Rand
	s     *spoiler
	order []*mishap
	cases map[int64]*mishap
	tabs  []*page
}

func (r *round) serve(args ...string) {
	r.s = newSpoiler(r.t, args...)
}

// add makes the drop of a mishap.
func (r *round) add(m *mishap) *mishap {
	r.t.Helper()
	m.Name = fmt.Sprintf("Case %d", len(r.order)+1)
	if m.start == "" {
		m.start = past
	}
	m.Drop = made(r.t, r.s.behind(), fmt.Sprintf(`{"name":%q,"price":90,"total_stock":5,"start_time":%q,"limit_per_user":%d}`, m.Name, m.start, m.limit))
	if m.want == nil {
		m.want = []outcome{m.expect()}
	}
	r.order = append(r.order, m)
	r.cases[m.Drop] = m
	return m
}

// fails are faults after which a call is tried again, and succeeds lets the call pass.
var (
	fails = []spoil{
		lostBefore, lostAfter, cut, half, signInPage, badGateway, gatewayLate, overloaded, unavailable, unknownDone, unknownNot, inFlight,
	}
	succeeds = []spoil{late, twice}
	thens    = []string{"", "buy", "buy", "give"}
)

func pick[T any](r *round, from []T) T { return from[r.rnd.IntN(len(from))] }

// some have one for so many faults of a call.
func (r *round) some(most int) []spoil {
	var faults []spoil
	for range 1 + r.rnd.IntN(most) {
		faults = append(faults, pick(r, fails))
	}
	if r.rnd.IntN(4) == 0 {
		faults = append(faults, pick(r, succeeds))
	}
	return faults
}

// drawn is a random mishap: faults of one call or of two.
func (r *round) drawn(most int) *mishap {
	m := &mishap{then: pick(r, thens), Faults: map[string][]spoil{}, Delay: r.rnd.IntN(400)}
	second := m.then != "" && r.rnd.IntN(3) > 0
	if !second || r.rnd.IntN(2) == 0 {
		m.Faults["reserve"] = r.some(most)
	}
	if second {
		m.Faults[callOf[m.then]] = r.some(most)
	}
	return m
}

// endless is a mishap whose last fault repeats until the page gives up.
func (r *round) endless(call string, last spoil, again bool) *mishap {
	m := &mishap{Forever: call, Again: again, Faults: map[string][]spoil{call: {last}}, Delay: r.rnd.IntN(400)}
	if r.rnd.IntN(2) == 0 {
		m.Faults[call] = []spoil{pick(r, fails), last}
	}
	m.then = map[string]string{"reserve": pick(r, thens), "purchase": "buy", "cancel": "give"}[call]
	return m
}

// open opens the shop as Ann, who has nothing yet, or another tab of hers.
func (r *round) open(l look) *page {
	r.t.Helper()
	var p *page
	if len(r.tabs) == 0 {
		p = visit(r.t, r.s.url, l)
		p.reads(".live", "Live")
		p.press(".who")
		p.introduce("Ann")
	} else {
		p = r.tabs[0].sameVisitor(r.s.url, l)
		p.reads(".live", "Live")
	}
	p.holds(`!document.querySelector("dialog[open]")`)
	p.holds(script(fmt.Sprintf(`document.querySelectorAll(".card .action").length === %d`, len(r.order))))
	listed := make([]mishap, len(r.order))
	for i, m := range r.order {
		listed[i] = *m
		if len(r.tabs) > 0 { // the second one
			listed[i].Faults = m.other
		}
	}
	call[chromedp.Void](p, "failures.begin", listed)
	r.tabs = append(r.tabs, p)
	return p
}

// odder is a desktop whose page has the scripts, and one more.
func odder(more script) look { return desktop.with(oddScript + "\n" + failuresScript + "\n" + more) }

// act lets the buyer press buttons in a tab, all at once; what says which button in which drop.
func (r *round) act(p *page, what func(*mishap) string) {
	r.t.Helper()
	verbs := make(map[int64]string)
	for _, m := range r.order {
		if verb := what(m); verb != "" {
			verbs[m.Drop] = verb
		}
	}
	call[chromedp.Void](p, "failures.act", verbs)
}

// until is poll for checks that take the page some work.
func (r *round) until(check func() error) error {
	return poll(r.t.Context(), func() error {
		err := check()
		if err != nil {
			time.Sleep(100 * time.Millisecond)
		}
		return err
	})
}

// finish waits until the buyer has done everything in a tab, as long as the amount left keeps shrinking.
func (r *round) finish(p *page) {
	r.t.Helper()
	for before := len(r.order) + 1; ; {
		var busy []string
		err := r.until(func() error {
			if busy = eval[[]string](p, "failures.busy()"); len(busy) > 0 {
				return fmt.Errorf("still at work: %q", busy)
			}
			return nil
		})
		if err == nil {
			return
		}
		if len(busy) >= before {
			r.t.Fatal(err)
		}
		before = len(busy)
	}
}

// idle waits until everything is done, and the tabs agree with the server on what Ann has.
func (r *round) idle() {
	r.t.Helper()
	for _, p := range r.tabs {
		r.finish(p)
	}
	r.await(func(_ int, m *mishap, seen told, there []booked) error {
		for status, has := range map[string][]int64{"active": seen.Holds, "completed": seen.Bought} {
			if want := idsOf(there, status); !slices.Equal(want, sorted(has)) {
				return fmt.Errorf("%s: the page has %v, the server %v %s", m.Name, has, want, status)
			}
		}
		return nil
	})
}

// await waits until the check of each case is satisfied in each tab.
func (r *round) await(check func(tab int, m *mishap, seen told, there []booked) error) {
	r.t.Helper()
	if err := r.until(func() error {
		var faults []error
		for i, p := range r.tabs {
			reports := eval[[]told](p, "failures.report()")
			books := r.books()
			for _, seen := range reports {
				if err := check(i, r.cases[seen.Drop], seen, books[seen.Drop]); err != nil {
					faults = append(faults, fmt.Errorf("tab %d: %w; script %v; the page says %+v", i+1, err, r.cases[seen.Drop].Faults, seen))
				}
			}
		}
		return errors.Join(faults...)
	}); err != nil {
		r.t.Error(err)
	}
}

// play lets Ann reserve everywhere, and then do what the mishaps say with the holds.
func (r *round) play(p *page) {
	r.t.Helper()
	r.act(p, func(*mishap) string { return "reserve" })
	r.idle()
	r.act(p, func(m *mishap) string { return m.then })
	r.idle()
	r.verdict()
}

// freeze stops everything that runs in a tab, and thaw lets it continue. A tab that believes to have the focus does
// not freeze.
func (p *page) freeze() { p.t.Helper(); p.lifecycle(cdppage.SetWebLifecycleStateStateFrozen) }
func (p *page) thaw()   { p.t.Helper(); p.lifecycle(cdppage.SetWebLifecycleStateStateActive) }

func (p *page) lifecycle(state cdppage.SetWebLifecycleStateState) {
	p.t.Helper()
	active := state == cdppage.SetWebLifecycleStateStateActive
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		focus := func(on bool) error {
			_, err := cdp.Call(ctx, tab, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: on})
			return err
		}
		if !active {
			if err := focus(false); err != nil {
				return err
			}
		}
		if _, err := cdp.Call(ctx, tab, cdppage.SetWebLifecycleState, cdppage.SetWebLifecycleStateParams{State: state}); err != nil || !active {
			return err
		}
		return focus(true)
	}))
	if !active { // it comes a moment later
		p.holds(`failures.frozen`)
	}
}

// offline disconnects a tab's device from the network, or connects it again.
func (r *round) offline(p *page, is bool) {
	r.t.Helper()
	if is {
		r.s.cut()
	} else {
		r.s.mend()
	}
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: is, DownloadThroughput: -1, UploadThroughput: -1})
		return err
	}))
}
