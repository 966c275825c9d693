package webhooks

import "time"

// Message is what an endpoint is sent.
type Message struct {
	ID, Type string
	Body     []byte
	// Secrets sign it: the current one, and the previous one for a day after a rotation.
	Secrets []Secret
}

// Attempt is what became of sending a message once.
type Attempt struct {
	At      time.Time
	Took    time.Duration
	Outcome Outcome
	Status  int // of the answer; 0: there was none
	// Answer is the beginning of the answer. Error says in one sentence why there is none, or why it does not count.
	Answer, Error string
	// RetryAfter is how long the receiver wants to have no more messages; 0: it does not say.
	RetryAfter time.Duration
}
