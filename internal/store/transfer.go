package store

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/text"
)

// Exporter is a store whose whole contents can be read.
type Exporter interface {
	// Export calls each for every row that the store keeps, as of one moment: first what belongs to no drop, then
	// drop after drop, ascending, its *drop.State before the rest of it. A row that no drop accounts for is an error:
	// nothing is left out in silence. It holds a snapshot while it runs. An error of each ends it and is returned as
	// it is.
	Export(ctx context.Context, each func(Row) error) error
}

// Importer is a store that can take the whole contents of another, or a shop.
type Importer interface {
	// Import stores the rows that fill hands to put, under the numbers that they bear, in one transaction; numbers
	// given out later are above them. A drop's *drop.State comes before the rest of it. Before it commits it calls
	// check, unless that is nil, with what Export would give of the outcome. An error of fill, put or check undoes
	// all of it; that of fill or check is returned as it is. It returns ErrNotEmpty, and changes nothing, where more
	// is there than into allows.
	Import(ctx context.Context, into Into, fill func(put func(Row) error) error, check func(Rows) error) error
}

// Into says what an import may find.
type Into int8

const (
	// IntoNothing: nothing at all.
	IntoNothing Into = iota
	// IntoNoShop: no drop and no user. Tokens and the log stay.
	IntoNoShop
	// IntoAnyShop: anything; all but tokens and the log is deleted first.
	IntoAnyShop
)

// Filler is a store that can be filled.
type Filler interface {
	Pulse(ctx context.Context) (Pulse, error)
	Importer
}

// Fill stores users and drops under the numbers that they bear into a store without a drop or user; see Import. With
// replace it deletes everything first, except tokens and the log. Users are made at the store's time.
func Fill(ctx context.Context, s Filler, users []drop.User, drops []Filled, replace bool) error {
	into := IntoNoShop
	if replace {
		into = IntoAnyShop
	}
	pulse, err := s.Pulse(ctx)
	if err != nil {
		return err
	}
	return s.Import(ctx, into, func(put func(Row) error) error {
		for _, u := range users {
			u.Email = text.LowerASCII(u.Email)
			if err := put(Row{Value: User{User: u, CreatedAt: pulse.Now}}); err != nil {
				return fmt.Errorf("user %d: %w", u.ID, err)
			}
		}
		for _, d := range drops {
			if err := d.put(put); err != nil {
				return fmt.Errorf("drop %d: %w", d.State.ID, err)
			}
		}
		return nil
	}, nil)
}

func (d *Filled) put(put func(Row) error) error {
	row := func(value any) error { return put(Row{Drop: d.State.ID, Value: value}) }
	if err := row(d.State); err != nil {
		return err
	}
	for _, r := range d.Changes.Made {
		if err := row(*r); err != nil {
			return err
		}
	}
	for _, p := range d.Changes.Purchases {
		if err := row(p); err != nil {
			return err
		}
	}
	for _, e := range d.Changes.Ledger {
		if err := row(e); err != nil {
			return err
		}
	}
	for _, k := range d.Changes.Kept {
		if err := row(k); err != nil {
			return err
		}
	}
	return nil
}

// Rows calls each for every row, until it returns an error.
type Rows func(each func(Row) error) error

// Row is one row of a store.
type Row struct {
	// Drop is what the row belongs to; 0: no drop.
	Drop drop.ID
	// Value is, of no drop, a User, a Token, an operator.Action or the drop.Kept of a call without a drop; of a drop
	// its *drop.State (with sizes, and without what a batch loads), a drop.LedgerEntry, drop.Reservation,
	// drop.Purchase, drop.Kept or Page.
	Value any
}

// User is a buyer as stored.
type User struct {
	drop.User
	Issuer, Subject string // who the buyer is to an identity provider; empty: nobody
	CreatedAt       drop.Time
}

// Page is a drop's page as stored.
type Page struct {
	Description, SizeGuide, Rules, Delivery string
	Images                                  string // as drop.EncodeImages has them
	UpdatedAt                               drop.Time
}

// Token is an operator's token as stored.
type Token struct {
	operator.Token
	Hash operator.Hash
}
