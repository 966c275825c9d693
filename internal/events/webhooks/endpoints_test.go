package webhooks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/stores"
)

const hookURL = "https://example.com/hook"

// endpoints returns the shop's endpoints, and the receiver of their test messages.
func (s *shop) endpoints() (*webhooks.Endpoints, *fake) {
	to := &fake{got: make(map[drop.ID][]received)}
	return webhooks.NewEndpoints(s.store, s.feed, to, false), to
}

func (s *shop) endpoint(e *webhooks.Endpoints, spec webhooks.Spec) (webhooks.Endpoint, webhooks.Secret) {
	s.Helper()
	spec.URL = hookURL
	made, secret, err := e.Create(s.Context(), spec)
	if err != nil {
		s.Fatal(err)
	}
	return made, secret
}

// refuses checks that an error refuses a field, by a rule with that text.
func (s *shop) refuses(err error, field, rule string) {
	s.Helper()
	refusal, ok := err.(*drop.Error) //nolint:errorlint // what callers get
	if !ok || refusal.Code != drop.CodeInvalid || refusal.Field != field || !strings.Contains(refusal.Rule, rule) {
		s.Errorf("%v, want a refusal of %s: …%s…", err, field, rule)
	}
}

func TestEndpoints_AreMadeListedAndDeleted(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		id := s.create(5)
		s.buy(id, 1)
		last, _ := s.newestOf(id)
		await.Until(t, "a later millisecond begins", func() bool { return stores.Now() > last.At+1 })
		e, _ := s.endpoints()
		first, secret := s.endpoint(e, webhooks.Spec{
			Description: "  Cafe\u0301 ", Types: []events.Type{events.PurchaseCompleted, events.DropUpdated}, Drops: []drop.ID{id},
		})
		second, other := s.endpoint(e, webhooks.Spec{})
		if !strings.HasPrefix(string(secret), "whsec_") || secret == other || first.Description != "Café" || first.Status() != webhooks.StatusActive {
			t.Errorf("%+v", first)
		}
		if f := first.Filter(); !slices.Equal(f.Types, []events.Type{events.PurchaseCompleted, events.DropUpdated}) || !slices.Equal(f.Drops, []drop.ID{id}) {
			t.Errorf("it takes %+v", f)
		}
		c, err := events.ParseCursor(second.Start)
		if err != nil {
			t.Fatal(err)
		}
		if found, _, _, err := s.feed.Read(t.Context(), c, events.Filter{}, 100); err != nil || len(found) > 0 {
			t.Errorf("it begins with %v, %v: before it was made", found, err)
		}
		all, err := e.List(t.Context())
		if err != nil || len(all) != 2 || all[0].Webhook != first.Webhook || all[1].Webhook != second.Webhook {
			t.Fatalf("%+v, %v", all, err)
		}
		if was, err := e.Delete(t.Context(), first.ID); err != nil || was.Webhook != first.Webhook {
			t.Errorf("%+v, %v", was, err)
		}
		for name, call := range map[string]func(store.WebhookID) error{
			"get":      func(id store.WebhookID) error { _, err := e.Get(t.Context(), id); return err },
			"delete":   func(id store.WebhookID) error { _, err := e.Delete(t.Context(), id); return err },
			"rotate":   func(id store.WebhookID) error { _, _, err := e.Rotate(t.Context(), id); return err },
			"enable":   func(id store.WebhookID) error { _, err := e.Enable(t.Context(), id); return err },
			"disable":  func(id store.WebhookID) error { _, err := e.Disable(t.Context(), id); return err },
			"replay":   func(w store.WebhookID) error { _, err := e.Replay(t.Context(), w, id, 1, 0); return err },
			"test":     func(id store.WebhookID) error { _, err := e.Test(t.Context(), id); return err },
			"attempts": func(id store.WebhookID) error { _, err := e.Attempts(t.Context(), id); return err },
		} {
			for _, id := range []store.WebhookID{first.ID, 0, -1, 1 << 50} {
				if err := call(id); drop.CodeOf(err) != drop.CodeWebhookNotFound {
					t.Errorf("%s %d: %v", name, id, err)
				}
			}
		}
	})
}

func TestEndpoints_RefuseWhatTheyCannotBe(t *testing.T) {
	s := open(t, stores.Open(t, "memory"))
	id := s.create(5)
	e, _ := s.endpoints()
	many := make([]drop.ID, webhooks.MaxDrops+1)
	for _, test := range []struct {
		spec        webhooks.Spec
		field, rule string
	}{
		{webhooks.Spec{}, "url", ""},
		{webhooks.Spec{URL: "http://example.com/"}, "url", ""},
		{webhooks.Spec{URL: hookURL, Description: strings.Repeat("é", 201)}, "description", "at most 200"},
		{webhooks.Spec{URL: hookURL, Description: "a\u202eb"}, "description", "direction"},
		{webhooks.Spec{URL: hookURL, Description: "a\x00b"}, "description", "control"},
		{webhooks.Spec{URL: hookURL, Types: []events.Type{"purchase.lost"}}, "types", `"purchase.lost"`},
		{webhooks.Spec{URL: hookURL, Types: []events.Type{webhooks.TestType}}, "types", "no type"},
		{webhooks.Spec{URL: hookURL, Types: []events.Type{events.DropCreated, events.DropCreated}}, "types", "repeat"},
		{webhooks.Spec{URL: hookURL, Drops: []drop.ID{id, 9}}, "drops", "drop 9, which does not exist"},
		{webhooks.Spec{URL: hookURL, Drops: []drop.ID{id, id}}, "drops", "repeat"},
		{webhooks.Spec{URL: hookURL, Drops: []drop.ID{-1}}, "drops", "drop -1"},
		{webhooks.Spec{URL: hookURL, Drops: many}, "drops", "at most 100"},
	} {
		_, _, err := e.Create(t.Context(), test.spec)
		s.refuses(err, test.field, test.rule)
	}
	if all, err := e.List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("made %v, %v", all, err)
	}
	if made, _ := s.endpoint(e, webhooks.Spec{Description: strings.Repeat("é", 200), Types: events.Types}); made.Types == "" {
		t.Error("the types are lost")
	}
	for range webhooks.MaxEndpoints - 1 {
		s.endpoint(e, webhooks.Spec{Description: " "})
	}
	_, _, err := e.Create(t.Context(), webhooks.Spec{URL: hookURL})
	s.refuses(err, "webhooks", "at most 100")
}

func TestEndpoints_RotateKeepsOneOldSecretForADay(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		e, to := s.endpoints()
		made, first := s.endpoint(e, webhooks.Spec{})
		var before webhooks.Secret
		for range 3 {
			before = first
			rotated, second, err := e.Rotate(t.Context(), made.ID)
			left := time.Until(rotated.OldUntil.Time())
			if err != nil || second == first || rotated.Secret != string(second) || rotated.OldSecret != string(first) || left < 23*time.Hour || left > 24*time.Hour {
				t.Fatalf("%+v, %v", rotated, err)
			}
			first = second
		}
		var signed []webhooks.Secret
		to.answer = nil
		e = webhooks.NewEndpoints(st, s.feed, posts(func(m webhooks.Message) { signed = m.Secrets }), false)
		if _, err := e.Test(t.Context(), made.ID); err != nil || !slices.Equal(signed, []webhooks.Secret{first, before}) {
			t.Errorf("%d secrets sign, %v", len(signed), err)
		}
		old, err := st.Webhooks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		late := old[0]
		late.OldUntil = drop.TimeOf(time.Now()) - 1
		if done, err := st.ReplaceWebhook(t.Context(), old[0], late); !done || err != nil {
			t.Fatal(err)
		}
		if _, err := e.Test(t.Context(), made.ID); err != nil || !slices.Equal(signed, []webhooks.Secret{first}) {
			t.Errorf("a day later %d secrets sign, %v", len(signed), err)
		}
	})
}

func TestEndpoints_EnableGoesOnWhereItWas(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		id := s.create(100)
		e, to := s.endpoints()
		made, _ := s.endpoint(e, webhooks.Spec{Types: []events.Type{events.PurchaseCompleted}})
		to.set(func(string, received) webhooks.Attempt {
			return webhooks.Attempt{Outcome: webhooks.Failed, Status: 500}
		})
		stop := s.deliver(to, true)
		for i := range 5 {
			s.buy(id, i+1)
		}
		get := func() webhooks.Endpoint {
			found, err := e.Get(t.Context(), made.ID)
			if err != nil {
				t.Fatal(err)
			}
			return found
		}
		await.Until(t, "it fails", func() bool { f := get(); return f.Status() == webhooks.StatusFailing && f.Report.FailingSince() > 0 })
		stop() // the server is gone, and its retries are stored
		s.change(made.ID, func(r *webhooks.Report) { r.Retries[0].Next = drop.TimeOf(time.Now().Add(time.Hour)) })
		for range 2 {
			if off, err := e.Disable(t.Context(), made.ID); err != nil || off.Status() != webhooks.StatusDisabled || off.Disabled != "operator" || off.DisabledAt == 0 {
				t.Fatalf("%+v, %v", off, err)
			}
		}
		to.set(nil)
		s.deliver(to, true)
		for range 2 {
			if on, err := e.Enable(t.Context(), made.ID); err != nil || on.Status() != webhooks.StatusActive || on.Disabled != "" || on.DisabledAt != 0 {
				t.Fatalf("%+v, %v", on, err)
			}
		}
		await.Until(t, "everything is delivered", func() bool { return len(to.purchases(id)) == 5 })
	})
}

func TestEndpoints_ReplayTakesARangeThatIsThere(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		id, other := s.create(100), s.create(100)
		for i := range 5 {
			s.buy(id, i+1)
		}
		e, to := s.endpoints()
		made, _ := s.endpoint(e, webhooks.Spec{Drops: []drop.ID{id}})
		_, newest := s.newestOf(id)
		for _, test := range []struct {
			of          drop.ID
			first, last int64
			field, rule string
		}{
			{id, 0, 0, "from", "from 1"},
			{id, -1, 4, "from", "from 1"},
			{id, 3, 2, "to", "below from"},
			{id, 3, -2, "to", "below from"},
			{id, newest + 1, 0, "from", fmt.Sprint("at most ", newest)},
			{id, 1, newest + 1, "to", fmt.Sprint("at most ", newest)},
			{id, 1, webhooks.MaxReplay, "to", fmt.Sprint("at most ", newest)},
			{id, 1, webhooks.MaxReplay + 1, "to", "less than 100000 above from"},
			{other, 1, 0, "dropId", "takes"},
			{99, 1, 0, "dropId", "drop 99, which does not exist"},
			{-1, 1, 0, "dropId", "does not exist"},
		} {
			_, err := e.Replay(t.Context(), made.ID, test.of, test.first, test.last)
			s.refuses(err, test.field, test.rule)
		}
		if left, err := st.Replays(t.Context()); err != nil || len(left) > 0 {
			t.Fatalf("%+v, %v", left, err)
		}
		stop := s.deliver(to, true)
		s.buy(id, 9)
		await.Until(t, "the position is stored", func() bool {
			row, found, err := st.Delivery(t.Context(), made.ID)
			if err != nil || !found {
				return false
			}
			c, err := events.ParseCursor(row.Position)
			return err == nil && c.Drops[id].Event > newest
		})
		stop()
		_, newest = s.newestOf(id)
		for range webhooks.MaxReplays {
			if r, err := e.Replay(t.Context(), made.ID, id, 3, 0); err != nil || r.First != 3 || r.Last != newest || r.Drop != id || r.Webhook != made.ID {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		_, err := e.Replay(t.Context(), made.ID, id, 1, 2)
		s.refuses(err, "replays", "at most 10")
		free, _ := s.endpoint(e, webhooks.Spec{}) // takes all drops, and has a queue of its own
		if r, err := e.Replay(t.Context(), free.ID, other, 1, 1); err != nil || r.Last != 1 {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// newestOf returns a drop's newest event, and its number.
func (s *shop) newestOf(id drop.ID) (events.Event, int64) {
	s.Helper()
	page, err := s.feed.Drop(s.Context(), id, events.Position{}, events.Filter{}, 1000)
	if err != nil || page.More {
		s.Fatal(err)
	}
	last := page.Events[len(page.Events)-1]
	return last, last.Seq
}

// posts is a Poster that delivers everything to a function.
type posts func(webhooks.Message)

func (p posts) Send(_ context.Context, _ string, m webhooks.Message) webhooks.Attempt {
	p(m)
	return webhooks.Attempt{At: time.Now(), Took: 3 * time.Millisecond, Outcome: webhooks.Delivered, Status: 204, Answer: "ok"}
}

func TestEndpoints_ATestMessageIsSentAtOnceAndNoted(t *testing.T) {
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		var sent []webhooks.Message
		e := webhooks.NewEndpoints(st, s.feed, posts(func(m webhooks.Message) { sent = append(sent, m) }), false)
		made, _ := s.endpoint(e, webhooks.Spec{})
		for range 2 {
			if _, err := e.Disable(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
			r, err := e.Test(t.Context(), made.ID)
			if err != nil || r.Outcome != webhooks.Delivered || r.Event != "" || r.Type != "webhook.test" || r.Try != 1 || r.Status != 204 || r.Took != 3 || r.Answer != "ok" || r.Next != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if len(sent) != 2 || sent[0].ID == sent[1].ID || !strings.HasPrefix(sent[0].ID, "test-") || strings.Contains(sent[0].ID, ".") {
			t.Fatalf("%+v", sent)
		}
		var body struct {
			ID, Type, At, Timestamp string
			Data                    *struct{}
		}
		if err := json.Unmarshal(sent[0].Body, &body); err != nil || body.ID != sent[0].ID || body.Type != "webhook.test" || body.Timestamp != body.At || body.Data == nil {
			t.Errorf("%s: %v", sent[0].Body, err)
		}
		if _, ok := drop.ParseTime(body.At); !ok {
			t.Errorf("at %q", body.At)
		}
		if noted, err := e.Attempts(t.Context(), made.ID); err != nil || len(noted) != 2 || noted[0].At < noted[1].At {
			t.Errorf("%+v, %v", noted, err)
		}
	})
}

// A server that delivers keeps the attempts of test messages that other servers, and the command line, have noted.
func TestEndpoints_ADelivererKeepsTestMessages(t *testing.T) {
	s := open(t, stores.Open(t, "sqlite"))
	id := s.create(100)
	e := webhooks.NewEndpoints(s.store, s.feed, posts(func(webhooks.Message) {}), false)
	made, _ := s.endpoint(e, webhooks.Spec{Types: []events.Type{events.PurchaseCompleted}})
	to := &fake{got: make(map[drop.ID][]received)}
	stop := s.deliver(to, false)
	s.buy(id, 1)
	noted := func(kind string) (n int) {
		all, err := e.Attempts(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.Type == kind {
				n++
			}
		}
		return n
	}
	await.Until(t, "the delivery is noted", func() bool { return noted("purchase.completed") == 1 })
	if _, err := e.Test(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	s.buy(id, 2)
	await.Until(t, "the next delivery is noted", func() bool { return noted("purchase.completed") == 2 })
	if n := noted("webhook.test"); n != 1 {
		t.Errorf("%d test messages are noted", n)
	}
	if _, err := e.Test(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	stop()
	found, err := e.Get(t.Context(), made.ID)
	if n := noted("webhook.test"); n != 2 || found.Holder != "" || err != nil {
		t.Errorf("%d test messages are noted, holder %q, %v", n, found.Holder, err)
	}
}
