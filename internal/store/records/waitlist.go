package records

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
)

// Entries contains rows of type drop.Entry, as they are stored.
var Entries = table[drop.Entry](Table{Name: "waitlist", Key: "id", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE"},
	number("id", func(e *drop.Entry) *drop.EntryID { return &e.ID }),
	number("user_id", func(e *drop.Entry) *drop.UserID { return &e.UserID }),
	number("line", func(e *drop.Entry) *int { return &e.Line }).small(),
	text("size", func(e *drop.Entry) *string { return &e.Size }),
	number("status", func(e *drop.Entry) *drop.EntryStatus { return &e.Status }).small(),
	number("created_at", func(e *drop.Entry) *drop.Time { return &e.CreatedAt }),
	number("ended_at", func(e *drop.Entry) *drop.Time { return &e.EndedAt }).orNull(),
	number("offer", func(e *drop.Entry) *drop.ReservationID { return &e.Offer }).orNull(),
	text("why", func(e *drop.Entry) *drop.Code { return &e.Why }).orNull(),
)

// lineIndex finds the entries of a line by their status, and userIndex those of a buyer. SQLite would go through all of
// the drop's.
const lineIndex, userIndex = "waitlist_line", "waitlist_user"

// Entry implements store.Store.
func (s Store) Entry(ctx context.Context, id drop.EntryID) (e drop.Entry, found bool, err error) {
	by := Entries.Column("id")
	rows, err := s.entries(ctx, id.Drop(), Query{Table: Entries, Of: id.Drop(), Where: by, Is: by.Of(&drop.Entry{ID: id}), AnyOrder: true})
	switch {
	case drop.CodeOf(err) == drop.CodeDropNotFound:
		return e, false, nil
	case err != nil, len(rows) == 0:
		return e, false, err
	}
	return rows[0], true, nil
}

// EntriesOf implements store.Store.
func (s Store) EntriesOf(ctx context.Context, id drop.ID, user drop.UserID) ([]drop.Entry, error) {
	return s.entries(ctx, id, EntriesOf(id, user))
}

// EntriesOf asks for a user's entries in a drop.
func EntriesOf(id drop.ID, user drop.UserID) Query {
	by := Entries.Column("user_id")
	return Query{Table: Entries, Of: id, Where: by, Is: by.Of(&drop.Entry{UserID: user}), AnyOrder: true, Index: userIndex}
}

// Line implements store.Store.
func (s Store) Line(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.Entry, error) {
	return s.entries(ctx, id, Query{Table: Entries, Of: id, Page: &Page{From: int64(after), Limit: limit}})
}

// NewestOfLine implements store.Store.
func (s Store) NewestOfLine(ctx context.Context, id drop.ID, size int, status drop.EntryStatus, limit int) ([]drop.Entry, error) {
	return s.entries(ctx, id, NewestOfLine(id, size, status, limit))
}

// NewestOfLine asks for the last entries with a status that joined a line.
func NewestOfLine(id drop.ID, size int, status drop.EntryStatus, limit int) Query {
	by, also := Entries.Column("line"), Entries.Column("status")
	is := &drop.Entry{Line: size, Status: status}
	return Query{Table: Entries, Of: id, Where: by, Is: by.Of(is), Also: also, AlsoIs: also.Of(is), Page: Before(0, limit), Index: lineIndex}
}

// lineClosed asks up to which entry a drop's lines were closed. There is no answer if there is no such drop.
func lineClosed(id drop.ID) (q Query, closed *[]uint32) {
	q = Query{Table: Drops, Of: id}
	closed = list(&q, new(drop.State), func(s *drop.State) uint32 { return s.LineClosed })
	return q, closed
}

// entries reads entries of a drop as they are now.
func (s Store) entries(ctx context.Context, id drop.ID, q Query) ([]drop.Entry, error) {
	head, closed := lineClosed(id)
	rows := list(&q, new(drop.Entry), func(e *drop.Entry) drop.Entry { return *e })
	if err := s.engine.Read(ctx, fmt.Sprintf("read the waitlist of drop %d", id), head, q); err != nil {
		return nil, err
	}
	if len(*closed) == 0 {
		return nil, drop.Refuse(drop.CodeDropNotFound)
	}
	for i := range *rows {
		(*rows)[i] = (*rows)[i].As((*closed)[0])
	}
	return *rows, nil
}

// WaitingBefore implements store.Store.
func (s Store) WaitingBefore(ctx context.Context, e *drop.Entry) (n int64, err error) {
	head, closed := lineClosed(e.ID.Drop())
	if err := s.engine.Read(ctx, fmt.Sprintf("read when the lines of drop %d were closed", e.ID.Drop()), head); err != nil || len(*closed) == 0 {
		return 0, err
	}
	q := Ahead(e, (*closed)[0])
	q.Count = &n
	err = s.engine.Read(ctx, fmt.Sprintf("count who waits before entry %d", e.ID), q)
	return n, err
}

// Ahead asks for the entries that wait before another one for the same size, if the lines were closed after the entry
// with that number.
func Ahead(e *drop.Entry, closed uint32) Query {
	line, status, id := Entries.Column("line"), Entries.Column("status"), Entries.Column("id")
	waits := &drop.Entry{Line: e.Line, Status: drop.Waiting}
	return Query{
		Table: Entries, Of: e.ID.Drop(), Where: line, Is: line.Of(waits), Also: status, AlsoIs: status.Of(waits), AtLeast: id,
		Least: int64(drop.NewEntryID(e.ID.Drop(), closed)) + 1, AtMost: id, Most: int64(e.ID) - 1, AnyOrder: true, Index: lineIndex,
	}
}
