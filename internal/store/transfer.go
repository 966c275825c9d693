package store

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/text"
)

// Transferable is a store whose entire content can go to another store.
type Transferable interface {
	Exporter
	Importer
}

// Exporter is a store whose entire content can be read.
type Exporter interface {
	// Export calls each for every row in the store, as of one moment. First come the rows that belong to no drop,
	// then drop after drop in ascending order. A drop's *drop.State comes before its other rows. A row whose drop
	// does not exist is an error: Export never leaves rows out silently. It holds a snapshot while it runs. An error
	// of each ends it and is returned unchanged.
	Export(ctx context.Context, each func(Row) error) error
}

// Importer is a store that can take over the entire content of another store.
type Importer interface {
	// Import stores the rows that fill passes to put, in one transaction and with their own numbers. Numbers assigned
	// later are higher. A drop's *drop.State must come before its other rows.
	//
	// If check is not nil, Import calls it before the commit with what Export would return. An error of fill, put or
	// check undoes everything; those of fill and check are returned unchanged. If the store contains more than into
	// allows, Import changes nothing and returns ErrNotEmpty.
	Import(ctx context.Context, into Into, fill func(put func(Row) error) error, check func(Rows) error) error
}

// Into says what a store may contain before an import.
type Into int8

const (
	// IntoNothing: nothing at all.
	IntoNothing Into = iota
	// IntoNoShop: no drop and no user. Tokens and the operators' log stay.
	IntoNoShop
	// IntoAnyShop: anything. Import first deletes everything except tokens and the operators' log.
	IntoAnyShop
)

// Filler is a store that can be filled.
type Filler interface {
	Pulse(ctx context.Context) (Pulse, error)
	Importer
}

// Fill stores users and drops with their own numbers into a store without drops and users; see Import. With replace
// it first deletes everything except tokens and the operators' log. The users' creation time is the store's time.
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
	for _, e := range d.Changes.Joined {
		if err := row(*e); err != nil {
			return err
		}
	}
	for _, p := range d.Changes.Passes {
		if err := row(p); err != nil {
			return err
		}
	}
	if v := d.Changes.Revision; v != nil {
		if err := row(*v); err != nil {
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

// Rows calls each for every row until each returns an error.
type Rows func(each func(Row) error) error

// Row is one row of a store.
type Row struct {
	// Drop is the drop that the row belongs to, 0 if none.
	Drop drop.ID
	// Value depends on Drop. Without a drop it is a User, a Token, an operator.Action, a Webhook, a Delivery, a Replay,
	// or the drop.Kept of a call without a drop. With a drop it is its *drop.State (with sizes, but without the rows
	// that a batch loads), or a drop.LedgerEntry, drop.Reservation, drop.Purchase, drop.Kept, drop.Revision,
	// drop.Entry, drop.DrawEntry, drop.Pass, Draw or Page.
	Value any
}

// User is a buyer as stored.
type User struct {
	drop.User
	Issuer, Subject string // identifies the buyer at an identity provider; empty if the buyer has none
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
