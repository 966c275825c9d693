package client

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Purchases reads the feed of events from its beginning, at a shop that goes away from time to time. It keeps which
// purchases it has seen. Create one with ReadPurchases.
type Purchases struct {
	stop    context.CancelFunc
	reading sync.WaitGroup

	mu     sync.Mutex
	seen   map[int64]map[int64]bool // the seq of each purchase, by drop
	newest map[int64]int64
	faults []string // what came out of order
}

// answerWithin is how long an answer may take. The server waits a second for an event.
const answerWithin = 15 * time.Second

// ReadPurchases begins to read. shop returns the server's URL, which may change. The reader ends with End.
func ReadPurchases(ctx context.Context, via *http.Client, shop func() string) *Purchases {
	ctx, stop := context.WithCancel(ctx)
	p := &Purchases{stop: stop, seen: make(map[int64]map[int64]bool), newest: make(map[int64]int64)}
	p.reading.Go(func() {
		for cursor := ""; ctx.Err() == nil; {
			next, err := p.page(ctx, via, shop(), cursor)
			if err == nil {
				cursor = next
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	return p
}

// End ends the reader.
func (p *Purchases) End() {
	p.stop()
	p.reading.Wait()
}

func (p *Purchases) page(ctx context.Context, via *http.Client, shop, cursor string) (next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	asked := url.Values{"after": {cursor}, "type": {"purchase.completed"}, "limit": {"500"}, "wait": {"1"}}
	status, body, err := Call{URL: shop + "/api/events?" + asked.Encode()}.Do(ctx, via)
	if err != nil {
		return "", err
	}
	var page struct {
		Events []struct {
			DropID int64 `json:"dropId"`
			Seq    int64 `json:"seq"`
		} `json:"events"`
		Next string `json:"next"`
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("the feed is answered %d %s", status, body)
	}
	if err := json.Unmarshal([]byte(body), &page); err != nil {
		return "", err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range page.Events {
		p.see(e.DropID, e.Seq)
	}
	return page.Next, nil
}

func (p *Purchases) see(drop, seq int64) {
	if p.seen[drop] == nil {
		p.seen[drop] = make(map[int64]bool)
	}
	if !p.seen[drop][seq] && seq < p.newest[drop] {
		p.faults = append(p.faults, fmt.Sprintf("event %d-%d came after %d-%d", drop, seq, drop, p.newest[drop]))
	}
	p.seen[drop][seq] = true
	p.newest[drop] = max(p.newest[drop], seq)
}

// Are returns nil if the reader has seen exactly so many purchases of each of these drops, each drop's in order.
func (p *Purchases) Are(want map[int64]int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.faults) > 0 {
		return fmt.Errorf("%d events came out of order; first: %s", len(p.faults), p.faults[0])
	}
	got := make(map[int64]int)
	for drop := range want {
		got[drop] = len(p.seen[drop])
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("the feed has so many purchases, by drop: %v; stored are %v", got, want)
	}
	return nil
}
