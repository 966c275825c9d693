package webhooks_test

import (
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/stores"
)

// An endpoint whose row was damaged, or written by a newer program, delays no other endpoint. A server that cannot read
// the row leaves it to one that can.
func TestDeliverer_DeliversBesideADamagedRow(t *testing.T) {
	s := open(t, stores.Open(t, stores.Engines[0]))
	damaged, sound := s.webhook(store.Webhook{Description: "damaged"}), s.webhook(store.Webhook{Description: "sound"})
	err := s.store.StartDelivery(t.Context(), store.Delivery{Webhook: damaged.ID, Position: damaged.Start, Report: `{"format":99}`})
	if err != nil {
		t.Fatal(err)
	}
	receiver := &fake{got: make(map[drop.ID][]received)}
	s.deliver(receiver, true)
	id := s.create(10)
	s.buy(id, 1)
	await.Until(t, "the sound endpoint has the purchase", func() bool { return len(receiver.purchases(id)) == 1 })
	row, found, err := s.store.Delivery(t.Context(), damaged.ID)
	if err != nil || !found || row.Holder != "" || row.Beat != 0 {
		t.Errorf("the damaged row was taken: %+v, %v, %v", row, found, err)
	}
	if _, found, err = s.store.Delivery(t.Context(), sound.ID); err != nil || !found {
		t.Errorf("the sound row: %v, %v", found, err)
	}
}
