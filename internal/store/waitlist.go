package store

import (
	"context"

	"sneakerdrop/internal/drop"
)

// Waitlists is what is recorded about those who wait for units. Batches write it. Entries are as they are now: one
// whose line was closed is drop.Closed.
type Waitlists interface {
	// Entry returns an entry. found reports whether there is one.
	Entry(ctx context.Context, id drop.EntryID) (e drop.Entry, found bool, err error)
	// EntriesOf returns a user's entries in a drop, in any order. It refuses with CodeDropNotFound.
	EntriesOf(ctx context.Context, id drop.ID, user drop.UserID) ([]drop.Entry, error)
	// Line returns at most limit entries of a drop after that one, in ascending order of their numbers. It refuses with
	// CodeDropNotFound.
	Line(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.Entry, error)
	// NewestOfLine returns at most limit entries with that stored status that joined the line for the size with that
	// index, the last one first. It refuses with CodeDropNotFound.
	NewestOfLine(ctx context.Context, id drop.ID, size int, status drop.EntryStatus, limit int) ([]drop.Entry, error)
	// WaitingBefore counts the entries that wait for the same size and came before e.
	WaitingBefore(ctx context.Context, e *drop.Entry) (int64, error)
}
