package store

import (
	"context"

	"sneakerdrop/internal/drop"
)

// Events is what events are made of. The feed and the deliverer of webhooks read it.
type Events interface {
	// Heads returns how far each drop is, in ascending order of their numbers.
	Heads(ctx context.Context) ([]Head, error)
	// Facts returns what is recorded about a drop after a ledger entry and after a version, as of one moment. It
	// returns at most limit ledger entries, and at most limit revisions. The entry at after, if there is one, comes
	// first. It refuses with CodeDropNotFound.
	Facts(ctx context.Context, id drop.ID, after drop.Seq, version int64, limit int) (Facts, error)
	// ReservationsIn returns the reservations of a drop with the numbers in the runs, in their order. It leaves out
	// what does not exist.
	ReservationsIn(ctx context.Context, id drop.ID, runs []Run) ([]drop.Reservation, error)
	// SalesIn returns the purchases of a drop with the numbers in the runs, and their buyers, like ReservationsIn.
	SalesIn(ctx context.Context, id drop.ID, runs []Run) ([]Sale, error)
}

// Run is a run of consecutive numbers of a drop's reservations or purchases.
type Run struct {
	First  uint32
	Length int
}

// Head is how far a drop is.
type Head struct {
	ID      drop.ID
	Seq     drop.Seq
	Version int64
	LastAt  drop.Time
}

// Facts are what a store records about a drop, in the order in which it happened.
type Facts struct {
	Head      Head
	Entries   []drop.LedgerEntry
	Revisions []drop.Revision
}

// Webhooks is about the endpoints that events are delivered to.
type Webhooks interface {
	Endpoints
	Deliveries
	Replays
}

// Endpoints is what operators set.
type Endpoints interface {
	// CreateWebhook stores a webhook at the store's time, and returns it with its new number.
	CreateWebhook(ctx context.Context, w Webhook) (Webhook, error)
	// Webhooks returns all webhooks in ascending order of their numbers.
	Webhooks(ctx context.Context) ([]Webhook, error)
	// ReplaceWebhook stores a webhook in place of old, if it is still exactly old. done reports whether it was.
	ReplaceWebhook(ctx context.Context, old, to Webhook) (done bool, err error)
	// DeleteWebhook deletes a webhook with its delivery and its replays. Its number is never used again. Refuses with
	// CodeWebhookNotFound.
	DeleteWebhook(ctx context.Context, id WebhookID) error
}

// Deliveries is how far deliveries are.
type Deliveries interface {
	// Deliveries returns how far deliveries are, in ascending order of the webhooks' numbers.
	Deliveries(ctx context.Context) ([]Delivery, error)
	// Delivery returns one of them. found reports whether there is one.
	Delivery(ctx context.Context, id WebhookID) (d Delivery, found bool, err error)
	// StartDelivery stores the first one of a webhook. It is ClassFault if there is one already.
	StartDelivery(ctx context.Context, d Delivery) error
	// ReplaceDelivery works like ReplaceWebhook.
	ReplaceDelivery(ctx context.Context, old, to Delivery) (done bool, err error)
	// EndDelivery deletes the delivery of a webhook, if there is one.
	EndDelivery(ctx context.Context, id WebhookID) error
}

// Replays is what is to be sent again.
type Replays interface {
	// AddReplay stores a replay at the store's time, and returns it with its new number.
	AddReplay(ctx context.Context, r Replay) (Replay, error)
	// Replays returns all replays in ascending order of their numbers.
	Replays(ctx context.Context) ([]Replay, error)
	// EndReplay deletes a replay, if it is there.
	EndReplay(ctx context.Context, id ReplayID) error
}

// WebhookID numbers a webhook, from 1.
type WebhookID int64

// Webhook is an endpoint of one of the shop's other systems.
type Webhook struct {
	ID          WebhookID
	URL         string
	Description string
	Types       string // types of events, separated by commas; empty: all
	Drops       string // numbers of drops, separated by commas; empty: all
	Secret      string
	OldSecret   string // empty: there is none
	OldUntil    drop.Time
	Start       string // the cursor that deliveries begin at
	CreatedAt   drop.Time
	Disabled    string // why nothing is delivered; empty: it is not disabled
	DisabledAt  drop.Time
}

// Delivery is how far deliveries to a webhook are, and which server makes them.
type Delivery struct {
	Webhook  WebhookID
	Holder   string // empty: none
	Beat     int64  // grows with each update of the holder
	Position string // the cursor behind the last event that was delivered
	Report   string // retries and last attempts
}

// ReplayID numbers a replay, from 1.
type ReplayID int64

// Replay asks that events of a drop are sent to a webhook again.
type Replay struct {
	ID          ReplayID
	Webhook     WebhookID
	Drop        drop.ID
	First, Last int64 // the seq of the events
	CreatedAt   drop.Time
}
