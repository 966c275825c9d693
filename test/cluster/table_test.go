//go:build linux

package cluster

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

// table holds the results of all faults.
type table struct {
	seed  uint64
	began time.Time

	mu    sync.Mutex
	order []string
	rows  map[string][]*outcome // by kind
}

func (tb *table) add(o *outcome) {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	if tb.rows == nil {
		tb.rows = make(map[string][]*outcome)
	}
	if tb.rows[o.name] == nil {
		tb.order = append(tb.order, o.name)
	}
	tb.rows[o.name] = append(tb.rows[o.name], o)
}

// String has a row for each kind, and one for all. Times are in milliseconds, median and worst.
func (tb *table) String() string {
	tb.mu.Lock()
	defer tb.mu.Unlock()
	var b strings.Builder
	out := tabwriter.NewWriter(&b, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| Fault\t| Count\t| Acknowledged\t| Lost\t| Sold twice\t| No sale for\t| Another primary after\t| No write by the databases for\t| Then the shop sold after\t|")
	fmt.Fprintln(out, "| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t| ---\t|")
	var all []*outcome
	names := slices.Clone(tb.order)
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintln(out, row(name, tb.rows[name]))
		all = append(all, tb.rows[name]...)
	}
	fmt.Fprintln(out, row("all", all))
	_ = out.Flush() // to memory
	var asked, different, calls, unknown, undecided int
	for _, o := range all {
		asked, different = asked+o.asked, different+o.other
		calls, unknown = calls+o.history.Calls, unknown+o.history.Unknown
		if o.history.Undecided {
			undecided++
		}
	}
	fmt.Fprintf(&b, "SEED=%d, %s; times in ms, median and worst; %d answers asked for again under their keys, %d different; histories of %d calls, "+
		"%d of unknown outcome, %d of %d histories undecided\n", tb.seed, time.Since(tb.began).Round(time.Second), asked, different, calls, unknown,
		undecided, len(all))
	return b.String()
}

func row(name string, outcomes []*outcome) string {
	var acknowledged, lost, twice int
	var pauses, elected, writable, shop []time.Duration
	for _, o := range outcomes {
		acknowledged += o.acknowledged
		lost += o.lost
		twice += o.twice + o.denied
		pauses = append(pauses, o.pause)
		if o.elected > 0 {
			elected = append(elected, o.elected)
		}
		if o.writable > 0 {
			writable, shop = append(writable, o.writable), append(shop, o.shop)
		}
	}
	return fmt.Sprintf("| %s\t| %d\t| %d\t| %d\t| %d\t| %s\t| %s\t| %s\t| %s\t|", name, len(outcomes), acknowledged, lost, twice, times(pauses),
		times(elected), times(writable), times(shop))
}

// times returns the median and the worst.
func times(all []time.Duration) string {
	if len(all) == 0 {
		return "–"
	}
	slices.Sort(all)
	return fmt.Sprintf("%d, %d", all[len(all)/2].Milliseconds(), all[len(all)-1].Milliseconds())
}

func TestTable_HasMedianAndWorst(t *testing.T) {
	var tb table
	for i := range 3 {
		o := &outcome{step: step{kind: kind{name: "killed"}}, pause: time.Duration(i+1) * time.Second}
		o.acknowledged, o.lost = 10, i
		tb.add(o)
	}
	if text := tb.String(); !strings.Contains(strings.Join(strings.Fields(text), " "), "| killed | 3 | 30 | 3 | 0 | 2000, 3000 | – | – | – |") {
		t.Errorf("the table is\n%s", text)
	}
}
