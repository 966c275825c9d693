//go:build perf

package test

import "testing"

// On a slow mobile connection (2 s round trips, 400 kbit/s), the first cards show within 5 s, and buyers can reserve
// within 7 s. The best of three tries counts, because the promise is about what the pages need.
func TestShop_OnSlow3G(t *testing.T) {
	s := startFor(t, t.TempDir(), "--demo")
	for _, at := range []string{"/", "/drops/1"} {
		var paint, cards, usable float64
		for try := range 3 {
			p := visit(t, "about:blank", phone.with(slowTimes))
			p.conditions(slow3G)
			p.navigate(s.url + at)
			p.holds(`times.usable > 0`)
			got := eval[struct{ Cards, Usable, Paint float64 }](p, `({...times, paint: performance.getEntriesByName("first-contentful-paint")[0].startTime})`)
			p.reads(".live", "Live")
			t.Logf("%s: first paint after %.0f ms, first cards %.0f ms, usable %.0f ms, live %.0f ms", at, got.Paint, got.Cards, got.Usable, eval[float64](p, `performance.now()`))
			if try == 0 {
				paint, cards, usable = got.Paint, got.Cards, got.Usable
			}
			paint, cards, usable = min(paint, got.Paint), min(cards, got.Cards), min(usable, got.Usable)
		}
		if cards > 5000 || paint > 5000 || usable > 7000 {
			t.Errorf("%s: at best, first paint after %.0f ms, first cards %.0f ms, usable %.0f ms", at, paint, cards, usable)
		}
	}
}
