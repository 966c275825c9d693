package records

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Revisions contains rows of type drop.Revision.
var Revisions = table[drop.Revision](Table{Name: "revisions", Key: "version", Drop: "drop_id", Rights: "SELECT, INSERT"},
	number("version", func(r *drop.Revision) *int64 { return &r.Version }),
	number("seq", func(r *drop.Revision) *drop.Seq { return &r.Seq }),
	number("at", func(r *drop.Revision) *drop.Time { return &r.At }),
	text("settings", func(r *drop.Revision) *string { return &r.Settings }),
)

// Webhooks contains rows of type store.Webhook.
var Webhooks = table[store.Webhook](Table{Name: "webhooks", Key: "id", Sequence: "webhooks_id_seq", Lasting: true, Serves: true, Rights: "SELECT, INSERT, UPDATE, DELETE"},
	number("id", func(w *store.Webhook) *store.WebhookID { return &w.ID }).numbered(),
	text("url", func(w *store.Webhook) *string { return &w.URL }).needed(),
	text("description", func(w *store.Webhook) *string { return &w.Description }),
	text("types", func(w *store.Webhook) *string { return &w.Types }),
	text("drops", func(w *store.Webhook) *string { return &w.Drops }),
	text("secret", func(w *store.Webhook) *string { return &w.Secret }).needed(),
	text("old_secret", func(w *store.Webhook) *string { return &w.OldSecret }).orNull(),
	number("old_until", func(w *store.Webhook) *drop.Time { return &w.OldUntil }).orNull(),
	text("start", func(w *store.Webhook) *string { return &w.Start }).needed(),
	number("created_at", func(w *store.Webhook) *drop.Time { return &w.CreatedAt }).timed(),
	text("disabled", func(w *store.Webhook) *string { return &w.Disabled }).orNull(),
	number("disabled_at", func(w *store.Webhook) *drop.Time { return &w.DisabledAt }).orNull(),
)

// Deliveries contains rows of type store.Delivery, at most one of each webhook.
var Deliveries = table[store.Delivery](Table{Name: "webhook_deliveries", Key: "webhook_id", Lasting: true, Rights: "SELECT, INSERT, UPDATE, DELETE"},
	number("webhook_id", func(d *store.Delivery) *store.WebhookID { return &d.Webhook }),
	text("holder", func(d *store.Delivery) *string { return &d.Holder }).orNull(),
	number("beat", func(d *store.Delivery) *int64 { return &d.Beat }),
	text("position", func(d *store.Delivery) *string { return &d.Position }).needed(),
	text("report", func(d *store.Delivery) *string { return &d.Report }).needed(),
)

// Replays contains rows of type store.Replay.
var Replays = table[store.Replay](Table{Name: "webhook_replays", Key: "id", Sequence: "webhook_replays_id_seq", Lasting: true, Serves: true, Rights: "SELECT, INSERT, DELETE"},
	number("id", func(r *store.Replay) *store.ReplayID { return &r.ID }).numbered(),
	number("webhook_id", func(r *store.Replay) *store.WebhookID { return &r.Webhook }),
	number("drop_id", func(r *store.Replay) *drop.ID { return &r.Drop }),
	number("first", func(r *store.Replay) *int64 { return &r.First }),
	number("last", func(r *store.Replay) *int64 { return &r.Last }),
	number("created_at", func(r *store.Replay) *drop.Time { return &r.CreatedAt }).timed(),
)

// Heads implements store.Store. It crosses drops.
func (s Store) Heads(ctx context.Context) ([]store.Head, error) {
	q := Query{Table: Drops, All: true}
	heads := list(&q, new(drop.State), head)
	err := s.engine.Read(ctx, "read how far the drops are", q)
	return *heads, err
}

func head(s *drop.State) store.Head {
	return store.Head{ID: s.ID, Seq: s.Seq, Version: s.Version, LastAt: s.LastAt}
}

// Facts implements store.Store.
func (s Store) Facts(ctx context.Context, id drop.ID, after drop.Seq, version int64, limit int) (store.Facts, error) {
	of := Query{Table: Drops, Of: id}
	heads := list(&of, new(drop.State), head)
	of.Done = func() error {
		if len(*heads) == 0 {
			return drop.Refuse(drop.CodeDropNotFound)
		}
		return nil
	}
	entries := Query{Table: Ledger, Of: id, Page: &Page{From: int64(after) - 1, Limit: limit + 1}}
	found := list(&entries, new(drop.LedgerEntry), func(e *drop.LedgerEntry) drop.LedgerEntry { return *e })
	revisions := Query{Table: Revisions, Of: id, Page: &Page{From: version, Limit: limit}}
	revised := list(&revisions, new(drop.Revision), func(r *drop.Revision) drop.Revision { return *r })
	if err := s.engine.Read(ctx, fmt.Sprintf("read what happened to drop %d", id), of, entries, revisions); err != nil {
		return store.Facts{}, err
	}
	return store.Facts{Head: (*heads)[0], Entries: *found, Revisions: *revised}, nil
}

// ReservationsIn implements store.Store.
func (s Store) ReservationsIn(ctx context.Context, id drop.ID, runs []store.Run) ([]drop.Reservation, error) {
	return inRuns(ctx, s, Reservations, id, runs, func(r *drop.Reservation) drop.Reservation { return *r })
}

// SalesIn implements store.Store.
func (s Store) SalesIn(ctx context.Context, id drop.ID, runs []store.Run) ([]store.Sale, error) {
	return inRuns(ctx, s, Sales, id, runs, named)
}

// inRuns reads the rows of a drop with the numbers in the runs, each run by a range of keys.
func inRuns[R any](ctx context.Context, s Store, t *Table, id drop.ID, runs []store.Run, of func(*R) R) ([]R, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	queries := make([]Query, len(runs))
	found := make([]*[]R, len(runs))
	for i, run := range runs {
		from := int64(drop.NewReservationID(id, run.First)) - 1
		queries[i] = Query{Table: t, Of: id, Page: &Page{From: from, Limit: run.Length}}
		found[i] = list(&queries[i], new(R), of)
	}
	if err := s.engine.Read(ctx, fmt.Sprintf("read rows of drop %d", id), queries...); err != nil {
		return nil, err
	}
	var all []R
	for _, rows := range found {
		all = append(all, *rows...)
	}
	return all, nil
}

// CreateWebhook implements store.Store.
func (s Store) CreateWebhook(ctx context.Context, w store.Webhook) (store.Webhook, error) {
	err := s.engine.Add(ctx, "create a webhook", Webhooks, &w)
	return w, err
}

// Webhooks implements store.Store.
func (s Store) Webhooks(ctx context.Context) ([]store.Webhook, error) {
	return all[store.Webhook](ctx, s, "list the webhooks", Webhooks)
}

// all reads all rows of a table that belong to no drop.
func all[R any](ctx context.Context, s Store, op string, t *Table) ([]R, error) {
	q := Query{Table: t}
	rows := list(&q, new(R), func(r *R) R { return *r })
	err := s.engine.Read(ctx, op, q)
	return *rows, err
}

// ReplaceWebhook implements store.Store.
func (s Store) ReplaceWebhook(ctx context.Context, old, to store.Webhook) (done bool, err error) {
	return s.engine.Swap(ctx, fmt.Sprintf("change webhook %d", old.ID), Webhooks, &old, &to)
}

// DeleteWebhook implements store.Store.
func (s Store) DeleteWebhook(ctx context.Context, id store.WebhookID) error {
	op := fmt.Sprintf("delete webhook %d", id)
	found, err := s.engine.Delete(ctx, op, Webhooks, int64(id))
	if err == nil && !found {
		err = drop.Refuse(drop.CodeWebhookNotFound)
	}
	if err != nil {
		return err
	}
	replays, err := s.Replays(ctx)
	if err != nil {
		return err
	}
	for _, r := range replays {
		if r.Webhook == id {
			if err := s.EndReplay(ctx, r.ID); err != nil {
				return err
			}
		}
	}
	return s.EndDelivery(ctx, id)
}

// Deliveries implements store.Store.
func (s Store) Deliveries(ctx context.Context) ([]store.Delivery, error) {
	return all[store.Delivery](ctx, s, "list the deliveries", Deliveries)
}

// Delivery implements store.Store.
func (s Store) Delivery(ctx context.Context, id store.WebhookID) (d store.Delivery, found bool, err error) {
	d.Webhook = id
	found, err = s.one(ctx, fmt.Sprintf("read the delivery of webhook %d", id), Deliveries, Deliveries.Column("webhook_id"), &d)
	return d, found, err
}

// StartDelivery implements store.Store.
func (s Store) StartDelivery(ctx context.Context, d store.Delivery) error {
	return s.engine.Add(ctx, fmt.Sprintf("start the delivery of webhook %d", d.Webhook), Deliveries, &d)
}

// ReplaceDelivery implements store.Store.
func (s Store) ReplaceDelivery(ctx context.Context, old, to store.Delivery) (done bool, err error) {
	return s.engine.Swap(ctx, fmt.Sprintf("save the delivery of webhook %d", old.Webhook), Deliveries, &old, &to)
}

// EndDelivery implements store.Store.
func (s Store) EndDelivery(ctx context.Context, id store.WebhookID) error {
	_, err := s.engine.Delete(ctx, fmt.Sprintf("end the delivery of webhook %d", id), Deliveries, int64(id))
	return err
}

// AddReplay implements store.Store.
func (s Store) AddReplay(ctx context.Context, r store.Replay) (store.Replay, error) {
	err := s.engine.Add(ctx, fmt.Sprintf("add a replay of webhook %d", r.Webhook), Replays, &r)
	return r, err
}

// Replays implements store.Store.
func (s Store) Replays(ctx context.Context) ([]store.Replay, error) {
	return all[store.Replay](ctx, s, "list the replays", Replays)
}

// EndReplay implements store.Store.
func (s Store) EndReplay(ctx context.Context, id store.ReplayID) error {
	_, err := s.engine.Delete(ctx, fmt.Sprintf("end replay %d", id), Replays, int64(id))
	return err
}
