// Package receiver has two receivers of webhooks for tests. Go is fast, fails, dies and restarts as a test asks. Node
// is a program with another implementation of Standard Webhooks. Both verify each signature, and record what came in
// the order in which it came. Their methods may be called from several goroutines.
package receiver

import (
	"encoding/json"
	"fmt"
	"time"
)

// Message is one request that a receiver got.
type Message struct {
	ID     string `json:"id"` // the header webhook-id
	Type   string `json:"type"`
	DropID int64  `json:"dropId"` // 0: of no drop, as a test message
	Seq    int64  `json:"seq"`    // 0: none
	OK     bool   `json:"ok"`     // whether one of the secrets signed it, not too long ago
	Error  string `json:"error"`  // what was wrong with it, if not OK

	// Only Go sets these.
	Status int       `json:"-"` // the answer; 0: the connection was closed without one
	At     time.Time `json:"-"` // when its body had arrived
	Body   []byte    `json:"-"`
}

// Taken is whether the receiver acted on the message: it verified it, and did not answer with a failure.
func (m Message) Taken() bool {
	return m.OK && (m.Status == 0 || m.Status/100 == 2)
}

// readEvent fills in what the body says. It returns an error if that is no event.
func (m *Message) readEvent(body []byte) error {
	var event struct {
		Type   string `json:"type"`
		DropID int64  `json:"dropId"`
		Seq    int64  `json:"seq"`
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return fmt.Errorf("read the event: %w", err)
	}
	m.Type, m.DropID, m.Seq = event.Type, event.DropID, event.Seq
	return nil
}

// First returns the messages of a type that were taken, each at its first receipt only, by drop and in the order of
// receipt. The type "" stands for all types.
func First(messages []Message, kind string) map[int64][]Message {
	first := make(map[int64][]Message)
	known := make(map[string]bool)
	for _, m := range messages {
		if m.Taken() && (kind == "" || m.Type == kind) && !known[m.ID] {
			known[m.ID] = true
			first[m.DropID] = append(first[m.DropID], m)
		}
	}
	return first
}

// Order returns an error if the messages of a drop did not come in order. Whether they were taken or only seen, what
// comes for the first time has a higher seq than all that came before. Repeats may come at any time, but they must be
// the same event. Order ignores messages that are not OK or belong to no drop.
func Order(messages []Message) error {
	var ofDrops, taken []Message
	for _, m := range messages {
		if !m.OK || m.DropID == 0 {
			continue
		}
		ofDrops = append(ofDrops, m)
		if m.Taken() {
			taken = append(taken, m)
		}
	}
	if err := rising("seen", ofDrops); err != nil {
		return err
	}
	return rising("taken", taken)
}

func rising(what string, messages []Message) error {
	known := make(map[string]Message)
	newest := make(map[int64]Message)
	for i, m := range messages {
		if before, again := known[m.ID]; again {
			if m.Type != before.Type || m.DropID != before.DropID || m.Seq != before.Seq {
				return fmt.Errorf("message %d of those %s: %s is %s of drop %d with seq %d, and was %s of drop %d with seq %d",
					i, what, m.ID, m.Type, m.DropID, m.Seq, before.Type, before.DropID, before.Seq)
			}
			continue
		}
		known[m.ID] = m
		if last := newest[m.DropID]; m.Seq <= last.Seq {
			return fmt.Errorf("message %d of those %s: %s (%s) of drop %d with seq %d came after %s (%s) with seq %d",
				i, what, m.ID, m.Type, m.DropID, m.Seq, last.ID, last.Type, last.Seq)
		}
		newest[m.DropID] = m
	}
	return nil
}
