package webhooks

import (
	"math/rand/v2"
	"time"
)

// GiveUpAfter is how long an event may fail before its endpoint is disabled.
const GiveUpAfter = 5 * 24 * time.Hour

// retries are the times between an attempt and the next one, those that Standard Webhooks 1.0 gives as an example.
// After the last one, attempts go on at its distance.
var retries = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// RetryAfter returns how long to wait after that many failed attempts: the schedule, up to 10 % more or less at random,
// or longer if the receiver asks for it.
func RetryAfter(failed int, asked time.Duration) time.Duration {
	wait := retries[min(max(failed, 1), len(retries))-1]
	wait += time.Duration((rand.Float64() - 0.5) / 5 * float64(wait))
	return max(wait, asked)
}
