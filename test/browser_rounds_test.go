package test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

var failureRounds = []struct {
	name string
	play func(*round)
}{
	{"answers lost", answersLost},
	{"nobody to ask", nobodyToAsk},
	{"server restarted", serverRestarted},
	{"clock 5 minutes ahead", func(r *round) { clockOff(r, 5*time.Minute) }},
	{"clock 5 minutes behind", func(r *round) { clockOff(r, -5*time.Minute) }},
	{"asleep for an hour", asleep},
	{"asleep past the end", asleepPastTheEnd},
	{"two tabs", twoTabs},
	{"offline", offline},
}

var everyCall = []string{"reserve", "purchase", "cancel"}

func thenFor(call string) string { return map[string]string{"purchase": "buy", "cancel": "give"}[call] }

// once is a mishap of one call whose first tries fail.
func once(call string, faults ...spoil) *mishap {
	return &mishap{Faults: map[string][]spoil{call: faults}, then: thenFor(call)}
}

// Answers are lost in every way, but the server can be asked for the outcome.
func answersLost(r *round) {
	r.serve("--hold=10m")
	for i, f := range slices.Concat([]spoil{hang, hangAfter}, fails, succeeds) {
		r.add(once(everyCall[i%3], f))
	}
	for i, f := range fails {
		r.add(r.endless(everyCall[(i+1)%3], f, i%2 == 0))
	}
	for _, call := range everyCall { // the page has to find out by itself
		r.add(r.endless(call, pick(r, []spoil{lostAfter, cut, half, gatewayLate, unknownDone}), false))
	}
	for len(r.order) < 48 {
		r.add(r.drawn(3))
	}
	r.play(r.open(odder("")))
}

// Answers are lost for longer than the page tries, and it cannot find out what the buyer has either. A second press
// means the same as the first one. Once the server can be asked, the page is right.
func nobodyToAsk(r *round) {
	r.serve("--hold=10m")
	for i, f := range fails {
		r.add(r.endless(everyCall[i%2], f, i%4 < 2))
	}
	for _, again := range []bool{true, true, false} {
		for _, call := range everyCall {
			m := r.endless(call, pick(r, []spoil{lostAfter, cut, half, gatewayLate, unknownDone}), again)
			r.add(m)
		}
	}
	for _, m := range r.order {
		if isUnsure(m.want[0].code) {
			m.want[0].code = "" // the outcome is known, and the warning is gone
		}
	}
	p := r.open(odder(""))
	for _, what := range []func(*mishap) string{func(*mishap) string { return "reserve" }, func(m *mishap) string { return m.then }} {
		eval[chromedp.Void](p, `failures.blind = true`)
		r.act(p, what)
		r.finish(p)
		eval[chromedp.Void](p, `{ failures.blind = false; document.dispatchEvent(new Event("visibilitychange")); }`)
		r.idle()
	}
	r.verdict()
}

// The server is killed and stopped during the calls of all buyers, and comes back.
func serverRestarted(r *round) {
	r.serve("--hold=10m")
	for i, f := range []spoil{killed, killedAfter, stopped, killed, killedAfter, stopped} {
		r.add(once(everyCall[i%3], f))
	}
	for len(r.order) < 32 {
		r.add(r.drawn(2))
	}
	for _, m := range r.order {
		m.Persist, m.Delay = true, r.rnd.IntN(2500)
		m.want[0].mayShow = []string{"offline", "unreadable", "overloaded", "unavailable", "outcome_unknown", "in_flight"}
		m.want[0].bought = min(m.want[0].bought, -m.want[0].bought) // a press that seemed to have failed may have worked
	}
	r.play(r.open(odder("")))
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if len(r.s.strikes) < 2 {
		r.t.Errorf("the server only went through %v", r.s.strikes)
	}
}

// The device's clock is wrong. Countdowns and starts follow the server's clock.
func clockOff(r *round, by time.Duration) {
	r.serve("--hold=10m")
	for len(r.order) < 12 {
		r.add(r.drawn(2))
	}
	for i, f := range []spoil{lostAfter, unknownNot, gatewayLate, overloaded} {
		r.add(r.endless(everyCall[i%3], f, i%2 == 1))
	}
	p := r.open(odder(script(fmt.Sprintf("time.set(%d);", by.Milliseconds()))))
	r.act(p, func(*mishap) string { return "reserve" })
	r.idle()

	// Drops that start while the page is there: in an hour, and in a second.
	before := len(r.order)
	start := func(in time.Duration) string { return time.Now().Add(in).UTC().Format(time.RFC3339Nano) }
	r.add(&mishap{start: start(time.Hour), want: []outcome{{code: "not_started", mayShow: []string{"not_started"}}}})
	for range 3 {
		m := &mishap{start: start(1200 * time.Millisecond), Faults: map[string][]spoil{"reserve": {pick(r, fails)}}}
		r.add(m)
		m.want[0].mayShow = []string{"not_started"}
	}
	call[chromedp.Void](p, "failures.add", r.order[before:])
	r.act(p, func(m *mishap) string {
		if m.Drop > int64(before) {
			return "early"
		}
		return ""
	})
	p.holds(script(fmt.Sprintf(`document.querySelectorAll(".card .action").length === %d`, len(r.order))))
	r.idle()

	// The remaining time of each hold is right to the second, except for the delays of a busy machine.
	r.await(func(_ int, _ *mishap, seen told, there []booked) error {
		for _, b := range there {
			end, err := time.Parse(time.RFC3339, b.ExpiresAt)
			if err != nil {
				return err
			}
			shown := time.Duration(seen.Left[strconv.FormatInt(b.ID, 10)]) * time.Millisecond
			if off := shown - time.Until(end); b.Status == "active" && off.Abs() > 15*time.Second {
				return fmt.Errorf("hold %d lasts for %s more, and the page says %s", b.ID, time.Until(end), shown)
			}
		}
		return nil
	})
	r.act(p, func(m *mishap) string { return m.then })
	r.idle()
	r.verdict()
}

// The device sleeps for an hour during calls; holds last for two.
func asleep(r *round) {
	r.serve("--hold=2h")
	for _, call := range everyCall {
		r.add(once(call, parkedAfter))
		r.add(once(call, parked))
	}
	for len(r.order) < 18 {
		r.add(r.drawn(2))
	}
	p := r.open(odder(""))
	for _, what := range []func(*mishap) string{func(*mishap) string { return "reserve" }, func(m *mishap) string { return m.then }} {
		r.act(p, what)
		r.s.awaitParked(2)
		p.freeze()
		eval[chromedp.Void](p, `time.sleep(3_600_000)`)
		p.thaw()
		r.s.release()
		r.idle()
	}
	r.verdict()
}

// The device sleeps for an hour, and the holds end meanwhile. Buttons that are pressed at the moment of waking up
// find dead holds, and answers come an hour late. The test moves the server's hour into its database.
func asleepPastTheEnd(r *round) {
	r.serve("--hold=10m")
	groups := make(map[*mishap]string)
	add := func(group string, faults map[string][]spoil, want outcome) {
		groups[r.add(&mishap{Faults: faults, want: []outcome{want}})] = group
	}
	expired := outcome{reservations: []string{"expired"}}
	over, unheard := expired, expired
	over.over = 1
	unheard.code, unheard.mayShow = "answer_late", []string{"answer_late"}
	for range 3 {
		add("only held", nil, over)
		add("buy", map[string][]spoil{"purchase": r.some(2)}, over)
		add("give", map[string][]spoil{"cancel": r.some(2)}, expired)
		add("anew", map[string][]spoil{"purchase": r.some(1)}, outcome{reservations: []string{"completed", "expired"}, over: 1, bought: 1})
	}
	for range 2 {
		add("late hold", map[string][]spoil{"reserve": {parkedAfter}}, unheard)
		add("late purchase", map[string][]spoil{"purchase": {parkedAfter}}, outcome{reservations: []string{"completed"}, bought: 1})
	}
	in := func(verb string, names ...string) func(*mishap) string {
		return func(m *mishap) string {
			if slices.Contains(names, groups[m]) {
				return verb
			}
			return ""
		}
	}
	p := r.open(odder(""))
	r.act(p, in("reserve", "only held", "buy", "give", "anew", "late purchase"))
	r.idle()
	r.act(p, in("reserve", "late hold"))
	r.act(p, in("buy", "late purchase"))
	r.s.awaitParked(4)

	p.freeze()
	eval[chromedp.Void](p, `{ time.sleep(3_600_000); failures.shifted = true; }`)
	r.s.rewrite(`UPDATE reservations SET expires_at = created_at + 1 WHERE status = 1`)
	if err := r.until(func() error {
		for drop, there := range r.books() {
			if len(idsOf(there, "active")) > 0 {
				return fmt.Errorf("drop %d has %v", drop, there)
			}
		}
		return nil
	}); err != nil {
		r.t.Fatal(err)
	}
	r.act(p, in("buy", "buy"))
	r.act(p, in("give", "give"))
	p.thaw()
	r.s.release()
	r.idle()
	r.act(p, in("reserve", "anew"))
	r.idle()
	r.act(p, in("buy", "anew"))
	r.idle()
	r.verdict()
}

// One buyer has two tabs, and does the same in both, or the opposite in one, or one of them is asleep.
func twoTabs(r *round) {
	r.serve("--hold=10m")
	groups := make(map[*mishap]string)
	add := func(group string, limit int, want ...outcome) {
		m := &mishap{limit: limit, Faults: map[string][]spoil{}, other: map[string][]spoil{}, want: want}
		groups[m] = group
		calls := map[string][]string{
			"both reserve": {"reserve"}, "both buy": {"reserve", "purchase"}, "both give": {"reserve", "cancel"},
		}[group]
		for _, call := range calls {
			m.Faults[call], m.other[call] = r.some(1), r.some(1)
		}
		r.add(m)
	}
	const late, gone = "already_purchased", "reservation_cancelled"
	bought := outcome{reservations: []string{"completed"}, bought: -1, mayShow: []string{late}}
	given := outcome{reservations: []string{"cancelled"}}
	refused := outcome{reservations: []string{"cancelled"}, code: gone, mayShow: []string{gone}}
	refusedThere := outcome{reservations: []string{"cancelled"}, other: gone, mayShow: []string{gone}}
	for i := range 4 {
		add("both buy", 1, bought)
		add("both give", 1, given)
		add("race", 0, bought, refused)
		if i%2 == 0 { // the purchase reaches the server later than what was pressed after it
			r.order[len(r.order)-1].Faults["purchase"] = []spoil{lostBefore}
		}
		add("other asleep while bought", 0, bought)
		add("other asleep while given", 0, refusedThere)
	}
	for range 3 {
		add("both reserve", 0, outcome{reservations: []string{"active", "active"}})
		add("both reserve", 1, outcome{reservations: []string{"active"}})
	}
	in := func(verb string, names ...string) func(*mishap) string {
		return func(m *mishap) string {
			if slices.Contains(names, groups[m]) {
				return verb
			}
			return ""
		}
	}
	one, two := r.open(odder("")), r.open(odder(""))
	r.act(one, func(*mishap) string { return "reserve" })
	r.act(two, in("reserve", "both reserve", "both buy", "both give"))
	r.idle()

	r.act(one, in("buy", "both buy", "race"))
	r.act(two, func(m *mishap) string {
		return map[string]string{"both buy": "buy", "both give": "give", "race": "give"}[groups[m]]
	})
	r.act(one, in("give", "both give"))
	r.idle()

	two.freeze()
	r.act(one, in("buy", "other asleep while bought"))
	r.act(one, in("give", "other asleep while given"))
	r.finish(one)
	r.act(two, in("give", "other asleep while bought"))
	r.act(two, in("buy", "other asleep while given"))
	two.thaw()
	r.idle()
	r.verdict()
	for _, code := range []string{late, gone} {
		if n := eval[int](two, script(fmt.Sprintf("failures.said.filter((text) => text.includes(%q)).length", words[code]))); n < 4 {
			r.t.Errorf("the second tab said %d times %q, want 4 or more", n, words[code])
		}
	}
}

// The device loses its network during and before each step; then it is back.
func offline(r *round) {
	r.serve("--hold=10m")
	groups := make(map[*mishap]string)
	for _, call := range everyCall {
		groups[r.add(once(call, parked))] = "amid"
		groups[r.add(once(call, parkedAfter))] = "amid"
	}
	groups[r.add(once("reserve", parkedAfter))] = "amid"
	for range 8 {
		groups[r.add(&mishap{then: pick(r, []string{"buy", "give"})})] = "before"
	}
	for len(r.order) < 26 {
		groups[r.add(r.drawn(1))] = "amid"
	}
	for _, m := range r.order {
		m.Persist = true
		m.want[0].mayShow = []string{"offline", "unreadable", "overloaded", "unavailable", "outcome_unknown", "in_flight"}
		m.want[0].bought = min(m.want[0].bought, -m.want[0].bought)
	}
	p := r.open(odder(""))
	for _, step := range []struct {
		parked int
		verb   func(*mishap) string
	}{{3, func(*mishap) string { return "reserve" }}, {4, func(m *mishap) string { return m.then }}} {
		of := func(group string) func(*mishap) string {
			return func(m *mishap) string {
				if groups[m] != group {
					return ""
				}
				return step.verb(m)
			}
		}
		r.act(p, of("amid"))
		r.s.awaitParked(step.parked)
		r.offline(p, true)
		r.act(p, of("before"))
		p.reads(".banner", "Connection lost")
		if err := r.until(func() error {
			for _, seen := range eval[[]told](p, "failures.report()") {
				if says(seen.Note+strings.Join(seen.Rows, " "), "offline") {
					return nil
				}
			}
			return errors.New("nothing says that there is no connection")
		}); err != nil {
			r.t.Fatal(err)
		}
		r.offline(p, false)
		r.s.release()
		r.idle()
	}
	p.reads(".banner", "")
	r.verdict()
}
