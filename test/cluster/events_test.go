//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/stores"
)

// reading reads the feed of events through the balancer, whatever is broken. It keeps which purchases it saw.
type reading struct {
	mu     sync.Mutex
	seen   map[int64]map[int64]bool // the seq of each purchase, by drop
	newest map[int64]int64
	faults []string // what came out of order
}

// readEvents reads purchases from now on until ctx ends.
func readEvents(ctx context.Context, via *http.Client, shop string) (r *reading, done *sync.WaitGroup) {
	r = &reading{seen: make(map[int64]map[int64]bool), newest: make(map[int64]int64)}
	done = new(sync.WaitGroup)
	done.Go(func() {
		for cursor := ""; ctx.Err() == nil; {
			asked := url.Values{"after": {cursor}, "type": {"purchase.completed"}, "limit": {"500"}, "wait": {"1"}}
			limited, cancel := context.WithTimeout(ctx, patience/4)
			status, body, err := client.Call{URL: shop + "/api/events?" + asked.Encode()}.Do(limited, via)
			cancel()
			var page struct {
				Events []struct{ DropID, Seq int64 }
				Next   string
			}
			if err != nil || status != http.StatusOK || json.Unmarshal([]byte(body), &page) != nil {
				select {
				case <-ctx.Done():
				case <-time.After(100 * time.Millisecond):
				}
				continue
			}
			for _, e := range page.Events {
				r.see(e.DropID, e.Seq)
			}
			cursor = page.Next
		}
	})
	return r, done
}

func (r *reading) see(drop, seq int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen[drop] == nil {
		r.seen[drop] = make(map[int64]bool)
	}
	if !r.seen[drop][seq] && seq < r.newest[drop] {
		r.faults = append(r.faults, fmt.Sprintf("event %d-%d came after %d-%d", drop, seq, drop, r.newest[drop]))
	}
	r.seen[drop][seq] = true
	r.newest[drop] = max(r.newest[drop], seq)
}

// complete waits until the reader has seen each purchase of the drops, and returns what is wrong.
func (r *reading) complete(ctx context.Context, books store.Store, shelves []*shelf) error {
	for _, s := range shelves {
		stored, err := stores.ReadBooks(ctx, books, drop.ID(s.id))
		if err != nil {
			return err
		}
		if err := poll(ctx, patience, func(context.Context) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			if have, want := len(r.seen[s.id]), len(stored.Purchases); have != want {
				return fmt.Errorf("the feed has %d purchases of drop %d, and %d are stored", have, s.id, want)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) > 0 {
		return fmt.Errorf("%d events came out of order; first: %s", len(r.faults), r.faults[0])
	}
	return nil
}
