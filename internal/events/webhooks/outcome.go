// Package webhooks delivers events to endpoints of a shop's other systems, as Standard Webhooks 1.0 describes it.
package webhooks

// Outcome says what became of an attempt. Outcomes are stored and sent to clients; do not change them.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // the endpoint answered 2xx
	Failed    Outcome = "failed"    // it did not; the message is tried again
	Gone      Outcome = "gone"      // it answered 410, and wants no more messages
	Refused   Outcome = "refused"   // its address is not allowed; the message is tried again
)
