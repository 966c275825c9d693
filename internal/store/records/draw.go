package records

import (
	"context"
	"fmt"
	"math"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// DrawEntries contains rows of type drop.DrawEntry.
var DrawEntries = table[drop.DrawEntry](Table{Name: "draw_entries", Key: "id", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE (withdrawn_at, removed, pass)"},
	number("id", func(e *drop.DrawEntry) *drop.EntryID { return &e.ID }),
	number("user_id", func(e *drop.DrawEntry) *drop.UserID { return &e.UserID }),
	text("sizes", func(e *drop.DrawEntry) *drop.Ranking { return &e.Sizes }),
	number("created_at", func(e *drop.DrawEntry) *drop.Time { return &e.CreatedAt }),
	number("withdrawn_at", func(e *drop.DrawEntry) *drop.Time { return &e.WithdrawnAt }).orNull(),
	text("removed", func(e *drop.DrawEntry) *string { return &e.Removed }).orNull(),
	number("pass", func(e *drop.DrawEntry) *drop.PassID { return &e.Pass }).orNull(),
)

// Draws has store.Draw, at most one of each drop.
var Draws = table[store.Draw](Table{Name: "draws", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE"},
	bytesOf("seed", func(d *store.Draw) *[]byte { return &d.Secrets.Seed }).orNull(),
	bytesOf("key", func(d *store.Draw) *[]byte { return &d.Secrets.Key }),
	text("closed", func(d *store.Draw) *string { return &d.Closed }).orNull(),
	text("beacon", func(d *store.Draw) *string { return &d.Beacon }).orNull(),
	bytesOf("record", func(d *store.Draw) *[]byte { return &d.Record }).orNull(),
	number("updated_at", func(d *store.Draw) *drop.Time { return &d.UpdatedAt }).timed(),
)

// entrantIndex finds the entries of a buyer. SQLite would go through all of the drop's.
const entrantIndex = "draw_entries_user"

// terms reads the stored terms of a draw. Damaged ones become those of a draw that never opens: nobody can buy what a
// draw was to decide.
func terms(stored string) drop.Draw {
	t, err := drop.DecodeDraw(stored)
	if err != nil {
		return drop.Draw{Opens: math.MaxInt64 - 1, Closes: math.MaxInt64}
	}
	return t
}

// DrawEntries implements store.Store.
func (s Store) DrawEntries(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.DrawEntry, error) {
	return s.drawEntries(ctx, id, Query{Table: DrawEntries, Of: id, Page: &Page{From: int64(after), Limit: limit}})
}

// DrawEntriesOf implements store.Store.
func (s Store) DrawEntriesOf(ctx context.Context, id drop.ID, user drop.UserID) ([]drop.DrawEntry, error) {
	return s.drawEntries(ctx, id, DrawEntriesOf(id, user))
}

// DrawEntriesOf asks for a user's entries in a drop's draw.
func DrawEntriesOf(id drop.ID, user drop.UserID) Query {
	by := DrawEntries.Column("user_id")
	return Query{Table: DrawEntries, Of: id, Where: by, Is: by.Of(&drop.DrawEntry{UserID: user}), AnyOrder: true, Index: entrantIndex}
}

func (s Store) drawEntries(ctx context.Context, id drop.ID, q Query) ([]drop.DrawEntry, error) {
	all := list(&q, new(drop.DrawEntry), func(e *drop.DrawEntry) drop.DrawEntry { return *e })
	err := s.engine.Read(ctx, fmt.Sprintf("read the entries of the draw of drop %d", id), there(id), q)
	return *all, err
}

// Draw implements store.Store.
func (s Store) Draw(ctx context.Context, id drop.ID) (d store.Draw, found bool, err error) {
	err = s.engine.Read(ctx, fmt.Sprintf("read the draw of drop %d", id), Query{Table: Draws, Of: id, Row: &d, Each: func() error {
		found = true
		return nil
	}})
	return d, found, err
}

// ReplaceDraw implements store.Store.
func (s Store) ReplaceDraw(ctx context.Context, id drop.ID, old, to *store.Draw) (done bool, err error) {
	return s.engine.Replace(ctx, fmt.Sprintf("write the draw of drop %d", id), Draws, id, old, to)
}
