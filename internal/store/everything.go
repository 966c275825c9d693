package store

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
)

// Exporter is a store whose whole contents can be read.
type Exporter interface {
	// Export calls each for every row that the store keeps, as of one moment: first what belongs to no drop, then drop
	// after drop, ascending, its *drop.State before the rest of it. A row that no drop accounts for is an error: nothing
	// is left out in silence. It holds a snapshot while it runs. An error of each ends it and is returned as it is.
	Export(ctx context.Context, each func(Row) error) error
}

// Importer is a store that can take the whole contents of another.
type Importer interface {
	// Import stores the rows that fill hands to put, in the order of Export and under the numbers that they bear, in one
	// transaction; numbers given out later are above them. Before it commits it calls check with what Export would
	// give of the outcome; an error of fill, put or check undoes all of it, and is returned as it is. It returns
	// ErrNotEmpty, and changes nothing, where anything is there.
	Import(ctx context.Context, fill func(put func(Row) error) error, check func(Rows) error) error
}

// Rows calls each for every row, until it returns an error.
type Rows func(each func(Row) error) error

// Row is one row of a store.
type Row struct {
	// Drop is what the row belongs to; 0: no drop.
	Drop drop.ID
	// Value is, of no drop, a User, a Token, an operator.Action or the drop.Kept of a call without a drop; of a drop its
	// *drop.State (with sizes, and without what a batch loads), a drop.LedgerEntry, drop.Reservation, drop.Purchase or
	// drop.Kept.
	Value any
}

// User is a buyer as stored.
type User struct {
	drop.User
	Issuer, Subject string // who the buyer is to an identity provider; empty: nobody
	CreatedAt       drop.Time
}

// Token is an operator's token as stored.
type Token struct {
	operator.Token
	Hash operator.Hash
}
