//go:build soak && linux

package test

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// There is no synchronous standby for longer than a batch may take. If the server gives up waiting for a commit, it
// tells nobody the outcome until a standby has it, neither at the first try nor later.
func TestSoak_NoStandbyForLong(t *testing.T) {
	const length = 75 * time.Second
	s := newStandbys(t, seedOf(t))
	tr := s.tr
	tr.recover()
	must(t, s.standby.StopFast())
	end := time.Now().Add(length)
	var mu sync.Mutex
	codes := make(map[string]int)
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				b := tr.newBuyer(&tr.shelves[2*(i%2)], "", true)
				for tries := 0; tries < 3 && time.Now().Before(end); tries++ { // under one key
					answer, err := tr.send(&b.reserve)
					code := strings.TrimPrefix(answer, "503 ")
					if err != nil || code == answer {
						t.Errorf("without a standby: %s, %v", answer, err)
						return
					}
					if at := strings.Index(code, `"code":"`); at >= 0 {
						code, _, _ = strings.Cut(code[at+len(`"code":"`):], `"`)
					}
					mu.Lock()
					codes[code]++
					mu.Unlock()
					b.reserve.unknown++
				}
				tr.mu.Lock()
				tr.buyers = append(tr.buyers, b)
				tr.mu.Unlock()
			}
		})
	}
	all.Wait()
	must(t, s.standby.Start())
	took := tr.recover()
	for _, b := range tr.buyers {
		if b.reserve.answer == "" {
			tr.settle(&b.reserve, true)
			if b.reserve.done() {
				b.held.ID = id(t, b.reserve.answer)
			}
		}
	}
	t.Logf("%s without a standby: %v; sold again %s after it was back", length, codes, took.Round(time.Millisecond))
	if codes["outcome_unknown"] == 0 || len(codes) > 2 || len(codes) == 2 && codes["unavailable"] == 0 {
		t.Errorf("the codes were %v, want outcome_unknown, and unavailable at most", codes)
	}
	if took > promised {
		t.Errorf("it took %s to sell again", took)
	}
	tr.audit()
}
