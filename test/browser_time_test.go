package test

import (
	_ "embed"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/browser/odd.js
var oddScript script

// A hold of ten minutes never shows more time than is left by the server's clock, whatever the device's clocks do.
func TestBrowser_HoldsCountByTheServersClock(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir(), "--hold=10m")
	made(t, s.url, `{"name":"Many","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`)
	for name, c := range map[string]struct {
		does         script // what happens while the page counts
		atMost, then int    // the seconds shown at once, and after the page has measured
	}{
		"slept 5 minutes":                   {`time.sleep(300_000)`, 300, 300},
		"slept twice":                       {`time.sleep(100_000), setTimeout(() => time.sleep(200_000), 50)`, 500, 300},
		"slept, and its clock was set":      {`time.sleep(300_000), time.set(3_600_000)`, 300, 300},
		"slept, and its clock was set back": {`time.sleep(300_000), setTimeout(() => time.set(-3_600_000), 30)`, 300, 300},
		"its clock was set forward":         {`time.set(400_000)`, 600, 600},
		"its clock was set back":            {`time.set(-4_000_000)`, 600, 600},
		"slept without a connection":        {`net.down = true, time.sleep(300_000)`, 300, 300},
		"slept past the end, no connection": {`net.down = true, time.sleep(900_000)`, 0, 0},
		"nothing":                           {`0`, 600, 600},
	} {
		t.Run(name, func(t *testing.T) {
			p := visit(t, s.url, desktop.with(oddScript))
			p.reads(button(1), "Reserve")
			p.reads(".live", "Live")
			p.reserves(1)
			p.introduce("Ann " + name)
			p.holds(`secondsLeft() > 590`)
			eval[chromedp.Void](p, "{ globalThis.most = 0; "+c.does+"; }")
			shown := script(`secondsLeft()`)
			// Counting text is right at once when somebody looks at the page, and otherwise at the next second.
			eval[chromedp.Void](p, `document.dispatchEvent(new Event("visibilitychange"))`)
			p.holds(shown + script(fmt.Sprintf(` <= %d`, c.atMost)))
			p.holds(shown + script(fmt.Sprintf(` <= %d && `, c.then)) + shown + script(fmt.Sprintf(` >= %d`, c.then-60)))
			if eval[bool](p, `net.down`) {
				eval[chromedp.Void](p, `net.down = false, dispatchEvent(new Event("online"))`)
				p.holds(`true`)
			}
			p.quiet()
		})
	}
}

// A device whose clock is wrong from the start shows starts and holds by the server's clock. A drop that it thought
// had started does not stay open.
func TestBrowser_WrongDeviceClockDoesNotShow(t *testing.T) {
	t.Parallel()
	for _, wrong := range []int{-86_400_000, -600_000, 600_000, 86_400_000} {
		t.Run(strconv.Itoa(wrong), func(t *testing.T) {
			s := startFor(t, t.TempDir(), "--hold=10m")
			soon := time.Now().Add(5 * time.Minute).UTC().Format(time.RFC3339)
			made(t, s.url, `{"name":"Soon","price":90,"total_stock":2,"start_time":"`+soon+`"}`)
			made(t, s.url, `{"name":"Many","price":90,"total_stock":50,"start_time":"2020-01-01T00:00:00Z"}`)
			p := visit(t, s.url, desktop.with(oddScript+script(fmt.Sprintf("time.set(%d);", wrong))))
			p.holds(`document.querySelector("#drop-1 [role=timer]")?.ariaLabel.startsWith("Starts in 04:") === true`)
			p.reads(button(1), "Starts")
			p.reserves(2)
			p.introduce("Ann")
			p.holds(`secondsLeft() > 540 && secondsLeft() <= 600`)
			p.quiet()
		})
	}
}

// The control room recovers too: its countdown is right again after the device has slept.
func TestBrowser_ControlRoomCountsByTheServersClock(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	soon := time.Now().Add(58 * time.Minute).UTC().Format(time.RFC3339)
	made(t, s.url, `{"name":"Soon","price":90,"total_stock":2,"start_time":"`+soon+`"}`)
	p := visit(t, s.url+"/admin#/drops", desktop.with(oddScript))
	p.reads(".list", "Starts in 57:")
	for _, step := range []struct{ does, want script }{
		{`time.sleep(600_000)`, "Starts in 47:"}, {`time.sleep(600_000)`, "Starts in 37:"}, {`time.set(-9_000_000)`, "Starts in 37:"}, {`time.set(1_200_000)`, "Starts in 37:"},
	} {
		eval[chromedp.Void](p, "{ "+step.does+" }")
		p.reads(".list", string(step.want))
	}
	p.quiet()
}
