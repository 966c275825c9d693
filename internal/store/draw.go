package store

import (
	"context"

	"sneakerdrop/internal/drop"
)

// Draws is what is recorded about draws. Batches write the entries.
type Draws interface {
	// DrawEntries returns at most limit entries of a drop's draw after that one, in ascending order of their numbers,
	// whatever became of them. It refuses with CodeDropNotFound.
	DrawEntries(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.DrawEntry, error)
	// DrawEntriesOf returns a user's entries in a drop's draw, in any order. It refuses with CodeDropNotFound.
	DrawEntriesOf(ctx context.Context, id drop.ID, user drop.UserID) ([]drop.DrawEntry, error)
	// Draw returns what is kept of a drop's draw beside its terms. found is false if the drop has no draw.
	Draw(ctx context.Context, id drop.ID) (d Draw, found bool, err error)
	// ReplaceDraw stores what is kept of a draw in place of old, if it is still exactly old. done reports whether it
	// was. CreateDrop stores the first one, from Spec.Secrets.
	ReplaceDraw(ctx context.Context, id drop.ID, old, to *Draw) (done bool, err error)
}

// Draw is what is kept of a draw beside its terms. Each part is set once.
type Draw struct {
	// Secrets are secret: the key always, the seed until it is revealed.
	Secrets drop.DrawSecrets
	// Closed is what was published when the entries closed, as JSON; empty before.
	Closed string
	// Beacon is the beacon's round, as JSON; empty while it is not known, and without a beacon.
	Beacon string
	// Record is the public record, compressed by gzip; empty before the result is known.
	Record []byte
	// UpdatedAt is the store's time.
	UpdatedAt drop.Time
}
