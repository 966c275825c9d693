package engineio

import "sync/atomic"

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
