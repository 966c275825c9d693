package webhooks

import (
	"encoding/json"
	"fmt"

	"sneakerdrop/internal/drop"
)

// Report is what the server that delivers to an endpoint says about it. It is stored as JSON in
// store.Delivery.Report; docs/FORMATS.md describes it.
type Report struct {
	Format int `json:"format"`
	// Behind is how many events wait, and Lag how long the oldest of them has waited, in milliseconds. While events
	// wait, they are counted every lagEvery, up to what lagDrops drops have, and 20,000 of each.
	Behind int64 `json:"behind,omitempty"`
	Lag    int64 `json:"lag_ms,omitempty"`
	// Succeeded is when a message was last delivered, 0: never.
	Succeeded drop.Time `json:"succeeded,omitempty"`
	// Retries are the events that could not be delivered yet, at most one of each drop.
	Retries []Retry `json:"retries,omitempty"`
	// Attempts are the newest attempts, newest first, at most MaxRecords.
	Attempts []Record `json:"attempts,omitempty"`
}

// Retry is an event that could not be delivered yet. The later events of its drop wait behind it.
type Retry struct {
	Drop  drop.ID   `json:"drop"`
	Seq   int64     `json:"seq"`
	Tries int       `json:"tries"` // failed attempts so far
	Since drop.Time `json:"since"` // of the first attempt
	Next  drop.Time `json:"next"`  // when it is tried again
}

// Record is one attempt as operators see it.
type Record struct {
	At      drop.Time `json:"at"`
	Event   string    `json:"event,omitempty"` // empty: a test message
	Type    string    `json:"type"`
	Try     int       `json:"try"` // from 1
	Outcome Outcome   `json:"outcome"`
	Status  int       `json:"status,omitempty"` // 0: there was no answer
	Took    int64     `json:"took_ms"`
	Answer  string    `json:"answer,omitempty"` // its beginning
	Error   string    `json:"error,omitempty"`
	Next    drop.Time `json:"next,omitempty"` // when it is tried again, 0: it is not
}

// MaxRecords is how many attempts a report has.
const MaxRecords = 50

const reportFormat = 1

// FailingSince returns when the oldest event that could not be delivered yet was first tried, 0 if there is none.
func (r *Report) FailingSince() (since drop.Time) {
	for _, retry := range r.Retries {
		if since == 0 || retry.Since < since {
			since = retry.Since
		}
	}
	return since
}

// NextAttempt returns when the next of the failed events is tried again, 0 if there is none.
func (r *Report) NextAttempt() (next drop.Time) {
	for _, retry := range r.Retries {
		if next == 0 || retry.Next < next {
			next = retry.Next
		}
	}
	return next
}

// String returns the JSON to store.
func (r Report) String() string {
	r.Format = reportFormat
	b, err := json.Marshal(&r)
	if err != nil {
		panic(err) // a plain struct
	}
	return string(b)
}

// ParseReport reads what String returns. An error means that the row was damaged, or written by a newer program.
func ParseReport(s string) (Report, error) {
	var r Report
	if err := json.Unmarshal([]byte(s), &r); err != nil {
		return Report{}, fmt.Errorf("decode the report of a webhook: %w", err)
	}
	if r.Format != reportFormat {
		return Report{}, fmt.Errorf("decode the report of a webhook: format %d, known %d", r.Format, reportFormat)
	}
	return r, nil
}
