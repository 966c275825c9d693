package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// slowToSay answers Ready when it is told to, and notes how many ask at once.
type slowToSay struct {
	store.Store
	asking, most atomic.Int32
	answer       chan struct{}
}

func (s *slowToSay) Ready(ctx context.Context) error {
	n := s.asking.Add(1)
	defer s.asking.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		continue
	}
	<-s.answer
	return s.Store.Ready(ctx)
}

// Whoever floods /readyz, which everybody may ask for, takes one connection to the database and no more.
func TestReady_AsksOnceForAll(t *testing.T) {
	slow := &slowToSay{Store: memory.New(clockOf(new(atomic.Int64))), answer: make(chan struct{})}
	s := newShopOn(t, slow, new(atomic.Int64))
	const callers = 20
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			if r := s.get("/readyz"); r.status != http.StatusOK {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
	inFlight := fmt.Sprintf("sneakerdrop_http_requests_in_flight %d\n", callers+1) // with the one that asks
	for end := time.Now().Add(30 * time.Second); !strings.Contains(s.get("/metrics").body, inFlight); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Error("the callers have not come")
			break
		}
	}
	close(slow.answer)
	all.Wait()
	if most := slow.most.Load(); most != 1 {
		t.Errorf("%d asked the store at once", most)
	}
}
