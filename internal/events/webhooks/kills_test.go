package webhooks_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/receiver"
	"sneakerdrop/internal/testing/stores"
)

// A receiver dies 100 times while a shop sells: before it takes a message, before it answers, or after. It gets each
// purchase, in the order of its drop.
func TestDeliverer_ReceiverDies100Times(t *testing.T) {
	const deaths = 100
	stores.Each(t, func(t *testing.T, st store.Store) {
		s := open(t, st)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		secret := webhooks.NewSecret()
		to := receiver.Go(t, string(secret))
		to.Mortal(seed, deaths, 3)
		ids := []drop.ID{s.create(100_000), s.create(100_000), s.create(100_000)}
		now, err := s.feed.Now(t.Context())
		if err == nil {
			_, err = s.store.CreateWebhook(t.Context(), store.Webhook{URL: to.URL, Secret: string(secret), Start: now.String()})
		}
		if err != nil {
			t.Fatal(err)
		}
		sender := webhooks.NewSender(webhooks.SenderOptions{AllowPrivate: true})
		defer sender.Close()
		d := webhooks.NewDeliverer(webhooks.DelivererOptions{
			Store: s.store, Feed: s.feed, Poster: sender, Alone: true, Log: slog.New(slog.DiscardHandler),
			Retry: func(int, time.Duration) time.Duration { return 5 * time.Millisecond },
		})
		d.Start()
		t.Cleanup(func() {
			if err := d.Stop(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
		stop := make(chan struct{})
		bought := make([]int, len(ids))
		var sellers sync.WaitGroup
		for i, id := range ids {
			sellers.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(2 * time.Millisecond):
						bought[i]++
						s.buy(id, bought[i])
					}
				}
			})
		}
		await.Until(t, "the receiver has died 100 times", func() bool { return to.Deaths() >= deaths })
		close(stop)
		sellers.Wait()
		for i, id := range ids {
			await.Until(t, "all purchases have arrived", func() bool {
				return len(receiver.First(to.Messages(), string(events.PurchaseCompleted))[int64(id)]) >= bought[i]
			})
		}
		to.Check()
		for i, id := range ids {
			if n := len(receiver.First(to.Messages(), string(events.PurchaseCompleted))[int64(id)]); n != bought[i] {
				t.Errorf("%d purchases of drop %d, want %d", n, id, bought[i])
			}
		}
	})
}
