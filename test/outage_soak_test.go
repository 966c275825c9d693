//go:build soak && linux

package test

import (
	"fmt"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/testing/pgtest"
)

// An hour without the database, compressed into two minutes: as many calls as a few persistent people make in an
// hour. The server grows so little that it would last for days, and sells again at once.
func TestSoak_LongOutageLeavesNothingBehind(t *testing.T) {
	const length, callers = 2 * time.Minute, 256
	c := pgtest.NewCluster(t, pgtest.Where{})
	tr := newTraffic(t, seedOf(t), c.URL(), c.URL())
	for _, outage := range []struct {
		name   string
		strike func()
		heal   func()
	}{
		{"stopped", func() { must(t, c.StopFast()) }, func() { must(t, c.Start()) }},
		{"frozen", c.Freeze, c.Thaw},
	} {
		t.Run(outage.name, func(t *testing.T) {
			tr.resume()
			time.Sleep(2 * time.Second)
			tr.pause()
			before := tr.size(t)
			outage.strike()
			stop := make(chan struct{})
			var calls atomic.Int64
			var all sync.WaitGroup
			for i := range callers {
				all.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						b := tr.newBuyer(&tr.shelves[2*(n%2)], "", true)
						if answer, err := tr.send(&b.reserve); err == nil && answer[:4] == "200 " {
							b.reserve.answer = answer
						}
						calls.Add(1)
						if i%2 == 0 { // half of them like a browser's client, half as fast as they are answered
							time.Sleep(time.Second)
						}
						tr.note(b)
					}
				})
			}
			time.Sleep(length / 4)
			early := tr.size(t)
			time.Sleep(length * 3 / 4)
			late := tr.size(t)
			outage.heal()
			took := tr.recover()
			close(stop)
			all.Wait()
			for _, b := range tr.buyers {
				tr.settle(&b.reserve, true)
				if b.held.ID == 0 && b.reserve.done() {
					b.held.ID = id(t, b.reserve.answer)
				}
			}
			after := tr.size(t)
			t.Logf("%s for %s, %d calls: sold again after %s; before %s; after a quarter of it %s; at its end %s; afterwards %s",
				outage.name, length, calls.Load(), took.Round(time.Millisecond), before, early, late, after)
			if took > promised {
				t.Errorf("it took %s to recover", took)
			}
			if late.goroutines > early.goroutines+callers || after.goroutines > before.goroutines+callers {
				t.Error("goroutines grow")
			}
			// Resident memory depends on when the collector last ran. So the test compares what it found alive during
			// the outage.
			if late.nextGC > early.nextGC*3/2+16<<20 || after.resident > before.resident*5/4+32<<20 {
				t.Error("memory grows")
			}
			tr.audit()
		})
	}
}

// size is what a server uses.
type size struct {
	goroutines, resident int64
	nextGC               int64 // the heap at which the collector runs again: four times what was alive when it last ran
}

func (s size) String() string {
	return fmt.Sprintf("%d goroutines, %d MB, next collection at %d MB", s.goroutines, s.resident>>20, s.nextGC>>20)
}

func (tr *traffic) size(t *testing.T) size {
	t.Helper()
	_, text := get(t, *tr.url.Load()+"/metrics")
	read := func(name string) int64 {
		m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(text)
		if m == nil {
			t.Fatalf("no %s", name)
		}
		v, err := strconv.ParseFloat(m[1], 64)
		must(t, err)
		return int64(v)
	}
	return size{
		goroutines: read("go_goroutines"), resident: read("process_resident_memory_bytes"), nextGC: read("go_memstats_next_gc_bytes"),
	}
}
