package identity

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// maxCached is how many tokens are remembered, in about 25 MB.
	maxCached = 1 << 16
	// trusted is how long a token is accepted before its signature is checked again.
	trusted = 5 * time.Minute
)

// cache remembers valid tokens by their hash, so that a buyer's second call costs no signature check. If there are
// too many, it forgets the least recently used. Only valid tokens are stored, so strangers cannot fill it.
type cache struct {
	tokens *lru.Cache[[sha256.Size]byte, cached]
}

type cached struct {
	claims Claims
	keys   *keySet // with other keys the answers differ
	until  time.Time
}

func newCache() cache {
	tokens, err := lru.New[[sha256.Size]byte, cached](maxCached)
	if err != nil {
		panic(err) // only happens for a size below 1
	}
	return cache{tokens}
}

func (c cache) get(sum [sha256.Size]byte, keys *keySet, now time.Time) (Claims, bool) {
	e, ok := c.tokens.Get(sum)
	if !ok || e.keys != keys || !now.Before(e.until) {
		return Claims{}, false
	}
	return e.claims, true
}

func (c cache) put(sum [sha256.Size]byte, keys *keySet, claims Claims, expires, now time.Time) {
	until := now.Add(trusted)
	if expires.Before(until) {
		until = expires
	}
	c.tokens.Add(sum, cached{claims: claims, keys: keys, until: until})
}
