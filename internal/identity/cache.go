package identity

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// maxCached tokens are remembered in each of two generations, some 25 MB in all.
	maxCached = 1 << 15
	// trusted is how long a token is believed without another look at its signature.
	trusted = 5 * time.Minute
)

// cache remembers tokens that were found good, by their hash, so that a buyer's second call costs no signature. Only
// good tokens come in, so a stranger cannot fill it. It has two generations: what is in use moves to the young one, and
// when that is full the old one goes.
type cache struct {
	mu         sync.Mutex
	young, old map[[sha256.Size]byte]cached
}

type cached struct {
	claims Claims
	keys   *keySet // other keys, other answers
	until  time.Time
}

func (c *cache) get(sum [sha256.Size]byte, keys *keySet, now time.Time) (Claims, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.young[sum]
	if !ok {
		if e, ok = c.old[sum]; !ok {
			return Claims{}, false
		}
		c.add(sum, e)
	}
	if e.keys != keys || !now.Before(e.until) {
		return Claims{}, false
	}
	return e.claims, true
}

func (c *cache) put(sum [sha256.Size]byte, keys *keySet, claims Claims, expires, now time.Time) {
	until := now.Add(trusted)
	if expires.Before(until) {
		until = expires
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(sum, cached{claims: claims, keys: keys, until: until})
}

func (c *cache) add(sum [sha256.Size]byte, e cached) {
	if c.young == nil || len(c.young) >= maxCached {
		c.old, c.young = c.young, make(map[[sha256.Size]byte]cached)
	}
	c.young[sum] = e
}
