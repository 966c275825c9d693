package events_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/stores"
)

// Standard Webhooks 1.0 recommends bodies below 20 kB. The longest drop that the shop accepts has one too, whichever
// characters it is written in.
func TestMessage_OfTheLongestDropIsBelow20kB(t *testing.T) {
	s := open(t, stores.Engines[0])
	for _, char := range []string{"👟", "&", "<", "\"", "\\", "\u2028"} {
		// Every label ends in a number, because labels differ.
		spec := sized(drop.MaxStock/drop.MaxSizes, labels(char)...)
		spec.Name = strings.Repeat(char, drop.MaxName)
		spec.Price, spec.MaxExpiredHolds = drop.MaxPrice, 1
		image := "https://example.com/?" + strings.Repeat("&", drop.MaxImageURL)
		spec.ImageURL = image[:drop.MaxImageURL]
		if err := spec.Check(); err != nil {
			t.Logf("%q: %v", char, err) // such characters are in no name
			continue
		}
		v, err := s.engine.Create(t.Context(), spec, engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.feed.Drop(t.Context(), v.Drop.ID, events.Position{}, events.Filter{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		body := page.Events[0].Message()
		t.Logf("%q: %d bytes", char, len(body))
		if len(body) >= 20_000 {
			t.Errorf("%q: the body has %d bytes", char, len(body))
		}
		var back struct{ Data struct{ Name string } }
		if err := json.Unmarshal(body, &back); err != nil || back.Data.Name != spec.Name {
			t.Errorf("%q: the body has the name %q, %v", char, back.Data.Name, err)
		}
	}
}

// So has the purchase of the buyer with the longest name, whose payment has a long number.
func TestMessage_OfTheLongestPurchaseIsBelow20kB(t *testing.T) {
	for _, char := range []string{"👟", "&", "\"", "\u2028"} {
		s := open(t, stores.Engines[0])
		id := s.create(sized(99, labels("&")...))
		name := "x" + strings.Repeat("&", drop.MaxUsername-1)
		u, err := s.engine.EnsureUser(t.Context(), name, strings.Repeat("x", 240)+"@shop.example", engine.Retry{})
		if err != nil {
			t.Fatal(err)
		}
		sales := events.Filter{Types: []events.Type{events.PurchaseCompleted}}
		await.Until(t, "a pair is sold", func() bool {
			r, err := s.engine.Reserve(t.Context(), id, u.ID, labels("&")[0], engine.Retry{})
			if err != nil {
				t.Fatal(err)
			}
			s.pay(r.ID, strings.Repeat(char, 500), 0)
			return len(s.all(sales, 1000)) > 0
		})
		e := s.all(sales, 1000)[0]
		body := e.Message()
		t.Logf("%q: %d bytes", char, len(body))
		var back struct {
			Data struct {
				Username string
				Payment  struct{ Number string }
			}
		}
		if err := json.Unmarshal(body, &back); err != nil || len(body) >= 20_000 || back.Data.Username != name || back.Data.Payment.Number != strings.Repeat(char, 500) {
			t.Errorf("%q: %d bytes, %v: %.500s", char, len(body), err, body)
		}
	}
}

// labels are the longest labels of as many sizes as a drop may have.
func labels(char string) []string {
	all := make([]string, drop.MaxSizes)
	for i := range all {
		all[i] = strings.Repeat(char, drop.MaxSizeLabel-2) + fmt.Sprintf("%02d", i)
	}
	return all
}
