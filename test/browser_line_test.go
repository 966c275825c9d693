package test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// In the chart of a drop with a waitlist, a unit that goes to the line in the commit that freed it is never on sale. It
// changes nothing about when the drop sold out. Offers count among the holds.
func TestControl_AUnitThatGoesToTheLineWasNeverOnSale(t *testing.T) {
	t.Parallel()
	s := startFor(t, t.TempDir())
	p := visit(t, s.url+"/admin", desktop)
	p.reads("main", "No drops yet")
	eval[chromedp.Void](p, `import(moduleAt("admin/books.js")).then((b) => { globalThis.books = b; globalThis.entries = [
		["00", "created", 2, 2], ["10", "reserved", 2, 0],
		["20", "reservation_expired", 1, 1], ["20", "offered", 1, 0],
		["30", "offer_expired", 1, 1], ["30", "offered", 1, 0],
		["40", "offer_declined", 1, 1], ["40", "waitlist_kept", 1, 0],
		["50", "waitlist_freed", 1, 1], ["50", "offered", 1, 0], ["51", "purchased", 2, 0],
		["55", "waitlist_kept", 0, 0], ["56", "restocked", 1, 1],
	].map(([s, reason, units, available], i) => ({ seq: i + 1, at: "2026-01-01T00:00:" + s + "Z", reason, units, size: null, available }));
	globalThis.until = (n) => b.readOn(b.emptyStory(), entries.slice(0, n)); })`)
	for expression, want := range map[script]string{
		`until(12).available`: `[2,0,0,0,0,0,0,0]`,
		`until(12).held`:      `[0,2,2,2,2,2,0,0]`,
		`[2, 4, 6, 8, 10, 12, 13].map((n) => books.sellOut(until(n), 0))`: `[0,0,0,0,0,0,null]`,
		`until(12).counts`: `{"reserved":5,"purchased":2,"expired":2,"cancelled":1}`,
		// A page of the ledger may end within a commit.
		`books.sellOut(books.readOn(until(3), entries.slice(3)), 0)`:     `null`,
		`books.sellOut(books.readOn(until(3), entries.slice(3, 12)), 0)`: `0`,
		`books.readOn(until(5), entries.slice(5, 12)).available.join()`:  `"2,0,0,0,0,0,0,0"`,
		`books.conversion(until(12)) === 2 / 5`:                          `true`,
	} {
		if got := eval[string](p, "JSON.stringify("+expression+")"); got != want {
			t.Errorf("%s is %s, want %s", expression, got, want)
		}
	}
	p.quiet()
}
