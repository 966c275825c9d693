package test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// livesIn has the page's device in a time zone, from its next load on.
func (p *page) livesIn(zone, url string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: zone})
		return err
	}))
	p.navigate("about:blank")
	p.navigate(url)
	p.holds(script(fmt.Sprintf(`Intl.DateTimeFormat().resolvedOptions().timeZone === new Intl.DateTimeFormat("en", { timeZone: %q }).resolvedOptions().timeZone`, zone)))
}

// planned fills the form of a new drop, except for the start.
func (p *page) planned(name string) {
	p.t.Helper()
	p.pushes("New drop")
	p.leaves("name", name)
	p.leaves("price", "90")
	p.leaves("total", "5")
}

// startOf waits for the drop to start at an instant.
func startOf(t *testing.T, url string, drop int, want string) {
	t.Helper()
	if err := poll(t.Context(), func() error {
		if _, body := get(t, fmt.Sprintf("%s/api/drops/%d", url, drop)); !strings.Contains(body, `"start_time":"`+want+`"`) {
			return fmt.Errorf("drop %d is %s, want it to start %s", drop, body, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// In the night of a clock change the form refuses a time that does not exist, and asks which is meant of one that
// comes twice. It always says what a time is in UTC before it is saved.
func TestControl_StartsInTheNightOfAClockChange(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	for i, c := range []struct {
		zone, gap, before, after, afterUTC string
		twice, first, second               string
	}{
		{
			"Europe/Berlin", "2025-03-30T02:30:00", "2025-03-30 01:59:59", "2025-03-30 03:00", "2025-03-30 01:00:00 UTC",
			"2025-10-26T02:30:00", "UTC+2, 2025-10-26 00:30:00 UTC", "UTC+1, 2025-10-26 01:30:00 UTC",
		},
		{ // half an hour
			"Australia/Lord_Howe", "2025-10-05T02:15", "2025-10-05 01:59:59", "2025-10-05 02:30", "2025-10-04 15:30:00 UTC",
			"2025-04-06T01:45:10", "UTC+11, 2025-04-05 14:45:10 UTC", "UTC+10:30, 2025-04-05 15:15:10 UTC",
		},
		{ // at midnight
			"Africa/Cairo", "2025-04-25T00:00:00", "2025-04-24 23:59:59", "2025-04-25 01:00", "2025-04-24 22:00:00 UTC",
			"2025-10-30T23:59:59", "UTC+3, 2025-10-30 20:59:59 UTC", "UTC+2, 2025-10-30 21:59:59 UTC",
		},
		{
			"America/Havana", "2025-03-09T00:59:59", "2025-03-08 23:59:59", "2025-03-09 01:00", "2025-03-09 05:00:00 UTC",
			"2025-11-02T00:30", "UTC-4, 2025-11-02 04:30:00 UTC", "UTC-5, 2025-11-02 05:30:00 UTC",
		},
		{ // a day that was left out, and an hour that came twice long ago
			"Pacific/Apia", "2011-12-30T12:00:00", "2011-12-29 23:59:59", "2011-12-31 00:00", "2011-12-30 10:00:00 UTC",
			"2012-04-01T03:00:00", "UTC+14, 2012-03-31 13:00:00 UTC", "UTC+13, 2012-03-31 14:00:00 UTC",
		},
	} {
		p.livesIn(c.zone, s.url+"/admin")
		p.planned(c.zone)
		p.leaves("start_time", c.gap)
		p.reads("#start_time-problem", "This time does not exist in "+c.zone+": clocks go from "+c.before+" (")
		p.reads("#start_time-problem", "straight to "+c.after+" (")
		p.submit("#start_time")
		p.holds(`document.activeElement.id === "start_time" && !!document.querySelector("dialog[open]")`)
		p.holds(script(fmt.Sprintf(`textOf("#start-nearest") === %q`, "Use "+c.before+" Use "+c.after)))
		p.pushes("Use " + c.after)
		p.reads("#start_time-problem", "")
		p.reads("#start_time-means", c.afterUTC)

		p.leaves("start_time", c.twice)
		p.reads("#start_time-problem", "comes twice in "+c.zone)
		p.reads("#start-choices", "First: "+c.first)
		p.reads("#start-choices", "Second: "+c.second)
		p.holds(`!document.querySelector("#start-choices :checked")`)
		p.submit("#start_time")
		p.holds(`document.activeElement.id === "start_time" && !!document.querySelector("dialog[open]")`)
		if i == 0 {
			p.check("control twice", desktopDark)
		}
		p.press("#start-choices label:last-of-type input")
		offset, instant, _ := strings.Cut(c.second, ", ")
		p.reads("#start_time-means", fmt.Sprintf("Your time zone: %s (%s). In UTC: %s", c.zone, offset, instant))
		p.submit("#start_time")
		p.reads("h1", c.zone)
		startOf(t, s.url, i+1, strings.Replace(strings.TrimSuffix(instant, " UTC"), " ", "T", 1)+".000Z")
		p.reads(".facts", c.zone+" ("+offset+")")
	}
	p.quiet()
}

// Who edits a drop that starts in the hour that comes twice sees which of the two it is, and moves it by choosing the
// other.
func TestControl_EditsAStartThatComesTwice(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	made(t, s.url, `{"name":"Night","price":90,"total_stock":5,"start_time":"2030-10-27T01:30:00Z"}`)
	p := visit(t, s.url+"/admin", phone)
	p.livesIn("Europe/Berlin", s.url+"/admin#/1")
	p.reads(".facts", "Europe/Berlin (UTC+1)")
	p.pushes("Edit")
	p.reads("#start_time-means", "Europe/Berlin (UTC+1). In UTC: 2030-10-27 01:30:00 UTC")
	p.holds(`document.querySelector("#start-choices :checked").value === "3600000"`)
	p.leaves("name", "Night shift")
	p.pushes("Save")
	p.reads("h1", "Night shift")
	startOf(t, s.url, 1, "2030-10-27T01:30:00.000Z")
	p.pushes("Edit")
	p.press("#start-choices label:first-of-type input")
	p.reads("#start_time-means", "Europe/Berlin (UTC+2). In UTC: 2030-10-27 00:30:00 UTC")
	p.pushes("Save")
	p.reads("dialog:modal:last-of-type", "The start moves from 2030-10-27 01:30:00 UTC to 2030-10-27 00:30:00 UTC.")
	p.pushes("Change drop")
	startOf(t, s.url, 1, "2030-10-27T00:30:00.000Z")
	p.reads(".facts", "Europe/Berlin (UTC+2)")
	p.pushes("Edit")
	p.leaves("start_time", "2030-10-27T02:45:00") // the choice was for another time
	p.holds(`!document.querySelector("#start-choices :checked")`)
	p.leaves("start_time", "2030-03-31T02:45:00")
	p.reads("#start_time-problem", "does not exist in Europe/Berlin")
	p.checkLayout("control start gap phone")
	p.checkAccess("control start gap phone")
	p.pushes("Use 2030-03-31 01:59:59")
	p.pushes("Save")
	p.pushes("Change drop")
	startOf(t, s.url, 1, "2030-03-31T00:59:59.000Z")
	p.quiet()
	p.navigate("about:blank")
	p.navigate(s.url + "/admin#/drops")
	p.reads("main", "Your time zone: Europe/Berlin (UTC+1)") // the list says where that is, too
}

// zonesModule loads the page's module about zones.
func zonesModule(t *testing.T) *page {
	t.Helper()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	p.reads("main", "No drops yet")
	return p
}

const loadZones script = `import(moduleAt("admin/zones.js")).then((z) => void (globalThis.zones = z))`

// What a local time means is what the browser's own clock shows: every quarter of an hour around each clock change of
// some years.
func TestZones_AgreeWithTheClock(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	for _, zone := range []string{
		"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Africa/Casablanca", "Antarctica/Troll",
		"Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Europe/Dublin", "UTC",
	} {
		p.livesIn(zone, s.url+"/admin")
		p.reads("main", "No drops yet")
		eval[chromedp.Void](p, loadZones)
		eval[chromedp.Void](p, `void (globalThis.compare = (year) => {
			const faults = [], quarter = 900_000, day = 96;
			const pad = (n) => String(n).padStart(2, "0");
			const shown = (d) => d.getFullYear() + "-" + pad(d.getMonth() + 1) + "-" + pad(d.getDate()) + "T" + pad(d.getHours()) + ":" + pad(d.getMinutes()) + ":" + pad(d.getSeconds());
			const from = Date.UTC(year, 0, 1), to = Date.UTC(year + 1, 0, 2);
			for (let at = from; at < to; at += day * quarter) {
				const [today, tomorrow] = [new Date(at), new Date(at + day * quarter)];
				if (today.getTimezoneOffset() === tomorrow.getTimezoneOffset() && at !== from) continue;
				const all = new Map(); // local time → instants
				for (let t = at - 2 * day * quarter; t <= at + 3 * day * quarter; t += quarter) all.set(shown(new Date(t)), [...(all.get(shown(new Date(t))) ?? []), t]);
				const first = zones.parse(shown(new Date(at)));
				for (let wall = first - day * quarter / 4; wall < first + 1.5 * day * quarter; wall += quarter) {
					const text = new Date(wall).toISOString().slice(0, 19);
					const got = zones.instantsOf(wall), want = all.get(text) ?? [];
					if (JSON.stringify(got) !== JSON.stringify(want)) faults.push(text + ": " + got + ", want " + want);
					if (want.length > 0) continue;
					const { before, after } = zones.gapAround(wall);
					if (after - before !== 1000 || !(shown(new Date(before)) < text && text < shown(new Date(after)))) faults.push(text + " lies between " + before + " and " + after);
				}
			}
			return faults.slice(0, 5);
		})`)
		for _, year := range []int{2011, 2024, 2026} {
			for _, fault := range call[[]string](p, "compare", year) {
				t.Errorf("%s: %s", zone, fault)
			}
		}
	}
	p.quiet()
}

// In every zone that the browser knows, the clock changes of a year leave out what they leave out and repeat what
// they repeat.
func TestZones_OfTheWholeWorld(t *testing.T) {
	t.Parallel()
	p := zonesModule(t)
	eval[chromedp.Void](p, loadZones)
	all := eval[int](p, `Intl.supportedValuesOf("timeZone").length`)
	gaps, twice := 0, 0
	const chunk = 20
	for from := 0; from < all; from += chunk {
		found := eval[struct {
			Faults      []string
			Gaps, Twice int
		}](p, script(fmt.Sprintf(`(() => {
			const found = { faults: [], gaps: 0, twice: 0 }, hour = 3_600_000;
			const fault = (zone, ...what) => found.faults.push(zone + ": " + what.join(" "));
			for (const zone of Intl.supportedValuesOf("timeZone").slice(%d, %d)) {
				let before = zones.offsetAt(Date.UTC(2026, 0, 1), zone);
				for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 12 * hour) {
					const after = zones.offsetAt(at + 12 * hour, zone);
					if (after === before) continue;
					let [low, high] = [at, at + 12 * hour]; // the change is at high
					while (high - low > 1) {
						const middle = Math.floor((low + high) / 2);
						if (zones.offsetAt(middle, zone) === before) low = middle;
						else high = middle;
					}
					const by = after - before, wall = high + Math.min(before, after); // where the hour begins that is left out or repeated
					for (const part of [0, 1000, Math.abs(by) / 2, Math.abs(by) - 1000]) {
						const text = new Date(wall + part).toISOString().slice(0, 19), read = zones.read(text, "", zone);
						if (by > 0) {
							found.gaps++;
							if (read.kind !== "gap" || read.before !== high - 1000 || read.after !== high) fault(zone, text, JSON.stringify(read), "changes at", high);
						} else {
							found.twice++;
							const second = zones.read(text, String(after), zone);
							if (read.kind !== "twice" || read.instant !== undefined || read.choices.length !== 2 || read.choices[1].instant - read.choices[0].instant !== -by
								|| read.choices.some((c) => zones.localText(c.instant, zone) !== text) || second.instant !== read.choices[1].instant) fault(zone, text, JSON.stringify(read));
						}
					}
					for (const outside of [-1000, Math.abs(by)]) {
						const text = new Date(wall + outside).toISOString().slice(0, 19), read = zones.read(text, "", zone);
						if (read.kind !== "one" || zones.localText(read.instant, zone) !== text) fault(zone, text, "beside the change:", JSON.stringify(read));
					}
					before = after;
				}
			}
			return found;
		})()`, from, from+chunk)))
		for _, fault := range found.Faults {
			t.Error(fault)
		}
		gaps, twice = gaps+found.Gaps, twice+found.Twice
	}
	t.Logf("%d zones, %d times that do not exist, %d that come twice", all, gaps, twice)
	if all < 300 || gaps < 400 || twice < 400 {
		t.Errorf("looked at %d zones with %d gaps and %d repeats: too few", all, gaps, twice)
	}
	for expression, want := range map[script]string{
		`zones.offsetName(0)`: `"UTC+0"`, `zones.offsetName(-12600000)`: `"UTC-3:30"`, `zones.offsetName(20700000)`: `"UTC+5:45"`, `zones.offsetName(-17762000)`: `"UTC-4:56:02"`,
		`zones.parse("2026-02-29T00:00")`: `null`, `zones.parse("2026-01-01 24:00")`: `null`, `zones.parse("")`: `null`, `zones.parse("2026-13-01T00:00")`: `null`,
		`zones.utcText(zones.midnight(Date.UTC(2026, 0, 1, 12), "Asia/Kolkata"))`:    `"2025-12-31 18:30:00 UTC"`,
		`zones.utcText(zones.midnight(Date.UTC(2025, 3, 25, 12), "Africa/Cairo"))`:   `"2025-04-24 22:00:00 UTC"`, // the day begins at 01:00
		`zones.utcText(zones.midnight(Date.UTC(2025, 9, 31, 12), "Africa/Cairo"))`:   `"2025-10-30 22:00:00 UTC"`,
		`zones.utcText(zones.midnight(Date.UTC(2025, 10, 2, 12), "America/Havana"))`: `"2025-11-02 04:00:00 UTC"`, // comes twice: the first
		`zones.utcText(zones.midnight(Date.UTC(2026, 0, 1), "UTC"))`:                 `"2026-01-01 00:00:00 UTC"`,
		`zones.utcText(zones.midnight(Date.UTC(2026, 0, 1) - 1, "UTC"))`:             `"2025-12-31 00:00:00 UTC"`,
		`zones.parse("2026-01-01")`: `null`, `zones.parse("2026-01-01T10:00Z")`: `null`, `zones.parse("2026-01-01T10:00:07.250")`: `1767261607000`,
		`zones.zoneName(0, "Asia/Kolkata")`: `"Asia/Kolkata (UTC+5:30)"`, `zones.utcText(zones.read("1883-11-18T12:02", "", "America/New_York").choices[0].instant)`: `"1883-11-18 16:58:02 UTC"`,
	} {
		if got := eval[string](p, "String(JSON.stringify("+expression+"))"); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
	p.quiet()
}
