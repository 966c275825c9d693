package engineio

import (
	"sync/atomic"
	"time"
)

// bucket is a token bucket that fills with time. Its owner's lock guards it.
type bucket struct {
	tokens float32
	at     int64 // nanoseconds, of the last take
}

// take takes one token of a bucket that gains rate a second and holds size.
func (b *bucket) take(now int64, rate, size float32) bool {
	b.tokens = min(size, b.tokens+rate*float32(now-b.at)/1e9)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// addressUse counts what one address uses of a server.
type addressUse struct {
	sessions   int
	handshakes bucket
}

// forgetAfter is how long an address without a session is remembered after its last handshake: until its bucket is
// full again.
const forgetAfter = 2 * time.Second

// useLocked returns what an address has.
func (e *Server) useLocked(address string, now int64) *addressUse {
	if now-e.sweptAt > int64(forgetAfter) {
		e.sweptAt = now
		for a, use := range e.addresses {
			if use.sessions == 0 && now-use.handshakes.at > int64(forgetAfter) {
				delete(e.addresses, a)
			}
		}
	}
	use := e.addresses[address]
	if use == nil {
		use = &addressUse{handshakes: bucket{2 * float32(e.options.HandshakesPerSecondPerAddress), now}}
		e.addresses[address] = use
	}
	return use
}

// mayShakeHandsLocked takes one handshake from an address, then one from all together: what an address is refused
// costs the others nothing.
func (e *Server) mayShakeHandsLocked(use *addressUse, now int64) bool {
	one, all := float32(e.options.HandshakesPerSecondPerAddress), float32(e.options.HandshakesPerSecond)
	return (one <= 0 || use.handshakes.take(now, one, 2*one)) && (all <= 0 || e.handshakes.take(now, all, all))
}

// inbound counts the bytes of large messages that are on their way in.
type inbound struct {
	held  atomic.Int64
	limit int64
}

const smallMessage = 4 << 10

func (i *inbound) acquire(n int64) bool {
	if i.held.Add(n) > i.limit {
		i.held.Add(-n)
		return false
	}
	return true
}

func (i *inbound) release(n int64) { i.held.Add(-n) }
