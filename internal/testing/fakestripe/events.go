package fakestripe

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85/webhook"
)

// Event is something that happened, as Stripe tells it.
type Event struct {
	ID     string
	Type   string
	Object map[string]any // as it was at the time
}

// emit records that something happened to an object.
func (s *Stripe) emit(kind string, o object) {
	e := Event{ID: s.number("evt"), Type: kind, Object: o.render(nil)}
	s.events = append(s.events, e)
	s.pending = append(s.pending, e)
}

// Events returns all that happened, in its order.
func (s *Stripe) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// Body is the notification of an event, with the API version of an old webhook endpoint.
func (s *Stripe) Body(e Event) []byte {
	body, err := json.Marshal(map[string]any{
		"id": e.ID, "object": "event", "type": e.Type, "api_version": "2020-08-27", "created": s.now(), "livemode": false,
		"data": map[string]any{"object": e.Object},
	})
	if err != nil {
		s.t.Errorf("encode the event %s: %v", e.ID, err)
	}
	return body
}

// Sign makes the header of a notification that is sent now.
func (s *Stripe) Sign(body []byte) http.Header {
	return Sign(body, s.options.Now(), s.options.Signing...)
}

// Sign makes the header of a notification that is sent at a moment. Each of the secrets signs it.
func Sign(body []byte, at time.Time, secrets ...string) http.Header {
	parts := []string{fmt.Sprintf("t=%d", at.Unix())}
	for _, secret := range secrets {
		parts = append(parts, "v1="+hex.EncodeToString(webhook.ComputeSignature(at, body, secret)))
	}
	return http.Header{"Stripe-Signature": {strings.Join(parts, ",")}}
}

// Delivery is how notifications go out.
type Delivery struct {
	Lose   float64 // the share that is never sent, from 0 to 1
	Double float64 // the share that is sent twice, from 0 to 1
	Mix    bool    // in any order
	// Lie changes what a notification says; the state does not change. nil: they are true.
	Lie func(*Event)
}

// Deliver hands out the notifications that are due, one after the other. What take returns an error for stays due, as
// Stripe sends again what was not answered with success. It returns how many are due afterwards.
func (s *Stripe) Deliver(d Delivery, take func(http.Header, []byte) error) int {
	s.mu.Lock()
	var due []Event
	for _, e := range s.pending {
		if s.random.Float64() < d.Lose {
			continue
		}
		due = append(due, e)
		if s.random.Float64() < d.Double {
			due = append(due, e)
		}
	}
	if d.Mix {
		s.random.Shuffle(len(due), func(i, j int) { due[i], due[j] = due[j], due[i] })
	}
	s.pending = nil
	s.mu.Unlock()

	var again []Event
	for _, e := range due {
		told := e
		if d.Lie != nil {
			d.Lie(&told)
		}
		body := s.Body(told)
		if err := take(s.Sign(body), body); err != nil {
			again = append(again, e)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(again, s.pending...)
	return len(s.pending)
}

// Post is a taker for Deliver that sends each notification to a URL. It returns an error if the answer is no success.
func Post(ctx context.Context, url string) func(http.Header, []byte) error {
	return func(header http.Header, body []byte) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header = header
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode/100 != 2 {
			return fmt.Errorf("the answer to a notification is %s", response.Status)
		}
		return nil
	}
}
