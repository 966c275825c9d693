package cli

import (
	"strings"
	"testing"

	"sneakerdrop/internal/audit"
)

// The waitlist, the draw, passes, held, kept and written-off units, and payments stand in the line only if there are
// any.
func TestPrintDrop_NamesUnitsAndMoneyOnlyIfThereIsAny(t *testing.T) {
	for want, d := range map[string]audit.DropReport{
		"3 reservations, 2 purchases, 7 ledger entries: clean":                                               {},
		"3 reservations, 2 purchases, 7 ledger entries, 1 unit held: clean":                                  {Held: 1},
		"3 reservations, 2 purchases, 7 ledger entries, 1,200 units held (1 being paid for): clean":          {Held: 1200, Paying: 1},
		"3 reservations, 2 purchases, 7 ledger entries, 2 units written off: clean":                          {WrittenOff: 2},
		"3 reservations, 2 purchases, 7 ledger entries, 2 units held, 1 unit written off: 1 difference\n  x": {Held: 2, WrittenOff: 1, Differences: 1, Sentences: []string{"x"}},
		"3 reservations, 2 purchases, 7 ledger entries, 1 payment: clean":                                    {Payments: 1},
		"3 reservations, 2 purchases, 7 ledger entries, 2,000 waitlist entries (5 waiting), 1 unit held, 3 units kept for the waitlist: clean": {
			Entries: 2000, Waiting: 5, Held: 1, Kept: 3,
		},
		"3 reservations, 2 purchases, 7 ledger entries, 1 draw entry: clean":                      {DrawEntries: 1},
		"3 reservations, 2 purchases, 7 ledger entries, 200,000 draw entries, 1 unit held: clean": {DrawEntries: 200_000, Held: 1},
		"3 reservations, 2 purchases, 7 ledger entries, 1 pass to early access (1 use): clean":    {Passes: 1, Uses: 1},
		"3 reservations, 2 purchases, 7 ledger entries, 2,000 passes to early access (0 uses), 5 units kept for early access: clean": {
			Passes: 2000, KeptEarly: 5,
		},
		"3 reservations, 2 purchases, 7 ledger entries, 3 payments: 361.5 EUR captured, 20.25 refunded, 341.25 kept and 900 JPY captured, 0 refunded, 900 kept: clean": {
			Payments: 3, Money: []audit.Money{{Currency: "EUR", Captured: 3_615_000, Refunded: 202_500, Kept: 3_412_500}, {Currency: "JPY", Captured: 9_000_000, Kept: 9_000_000}},
		},
	} {
		d.ID, d.Name, d.Reservations, d.Purchases, d.LedgerEntries = 1, "One", 3, 2, 7
		var b strings.Builder
		printDrop(&b, &d)
		if got := b.String(); got != `drop 1 "One": `+want+"\n" {
			t.Errorf("got %s", got)
		}
	}
}
