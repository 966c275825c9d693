package identity

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	// maxCached tokens are remembered, in some 25 MB.
	maxCached = 1 << 16
	// trusted is how long a token is believed without another look at its signature.
	trusted = 5 * time.Minute
)

// cache remembers tokens that were found good, by their hash, so that a buyer's second call costs no signature; of
// too many those that were not used for longest are forgotten. Only good tokens come in, so a stranger cannot fill
// it.
type cache struct {
	tokens *lru.Cache[[sha256.Size]byte, cached]
}

type cached struct {
	claims Claims
	keys   *keySet // other keys, other answers
	until  time.Time
}

func newCache() cache {
	tokens, err := lru.New[[sha256.Size]byte, cached](maxCached)
	if err != nil {
		panic(err) // for a size below 1 only
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
