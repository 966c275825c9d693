//go:build linux

package test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

// promised is the time within which a server sells again once its database is back.
const promised = 5 * time.Second

// fault is something that happens to a server's database, or to the path to it.
type fault struct {
	name string
	// strike causes the fault, and returns the function that repairs it. When that returns, the database is back.
	strike func() (heal func())
	last   time.Duration
	// quiet: the store need not see an error.
	quiet bool
}

// suffer lets the traffic go through faults. After each one it checks that nothing was lost and that the server was
// back in time. Only make perf is strict about that time. One recovery may take longer, so each fault has three
// tries.
func (tr *traffic) suffer(faults ...fault) {
	tr.t.Helper()
	for _, f := range faults {
		outer := tr.t
		passed := outer.Run(f.name, func(t *testing.T) {
			tr.t = t
			defer func() { tr.t = outer }()
			for try := 1; ; try++ {
				took := tr.sufferOnce(f)
				if took <= await.Within(promised) {
					return
				}
				if try == 3 {
					t.Fatalf("three times in three it took longer than %s to recover, the last time %s", await.Within(promised), took)
				}
			}
		})
		if !passed {
			return
		}
	}
}

func (tr *traffic) sufferOnce(f fault) time.Duration {
	tr.t.Helper()
	told, buyers, errors := tr.failures(), len(tr.buyers), tr.storeErrors()
	tr.resume()
	time.Sleep(150 * time.Millisecond)
	heal := f.strike()
	time.Sleep(f.last)
	heal()
	took := tr.recover()
	tr.pause()
	tr.check()
	var seen []string
	for class, n := range tr.storeErrors() {
		if n -= errors[class]; n > 0 {
			seen = append(seen, fmt.Sprint(class, " ", n))
		}
	}
	slices.Sort(seen)
	tr.t.Logf("%s for %s: sold again %s after its end; %d buyers, %d answers lost, unknown or 503; errors of the store: %s; lost 0, "+
		"sold twice 0, unresolved 0", f.name, f.last, took.Round(time.Millisecond), len(tr.buyers)-buyers, tr.failures()-told,
		strings.Join(seen, ", "))
	if len(seen) == 0 && !f.quiet {
		tr.t.Error("the store saw no error: it was not struck")
	}
	return took
}

func (tr *traffic) failures() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	n := 0
	for what, count := range tr.tally {
		if what == unknown || what == nothingDone {
			n += count
		}
	}
	return n
}

// recover waits until a unit of each drop is sold, and returns how long that took.
func (tr *traffic) recover() time.Duration {
	tr.t.Helper()
	began := time.Now()
	for i := range tr.shelves {
		s := &tr.shelves[i]
		size := ""
		if len(s.sizes) > 0 {
			size = s.sizes[len(s.sizes)-1]
		}
		b := tr.newBuyer(s, size, true)
		tr.settle(&b.reserve, true)
		if !b.reserve.done() {
			tr.t.Fatalf("not back: %s is answered %s", b.reserve.body, b.reserve.answer)
		}
		tr.note(b)
	}
	return time.Since(began)
}

var storeErrors = regexp.MustCompile(`(?m)^sneakerdrop_store_errors_total\{class="(\w+)"\} (\d+)$`)

// storeErrors are the failures of the database that the server has met, by class.
func (tr *traffic) storeErrors() map[string]int {
	tr.t.Helper()
	_, text := get(tr.t, *tr.url.Load()+"/metrics")
	seen := make(map[string]int)
	for _, m := range storeErrors.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			tr.t.Fatal(err)
		}
		seen[m[1]] = n
	}
	return seen
}
