package storetest

import (
	"errors"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// Engine tests how an engine handles rows of any described table, with the empty table of tokens.
func Engine(t *testing.T, e records.Engine) {
	t.Helper()
	ctx, table := t.Context(), records.Tokens
	var made []*store.Token
	add := func(name string, hash byte) {
		t.Helper()
		row := &store.Token{Token: operator.Token{Name: name, Role: operator.Viewer}, Hash: operator.Hash{hash}}
		if err := e.Add(ctx, "add", table, row); err != nil {
			t.Fatalf("Add: %v", err)
		}
		if row.CreatedAt == 0 || len(made) > 0 && row.ID <= made[len(made)-1].ID {
			t.Errorf("Add gave %+v after %d others", row, len(made))
		}
		made = append(made, row)
	}
	add("a", 1)
	add("b", 2)
	add("b", 3)
	wantRows(t, e, records.Query{}, made...)
	wantRows(t, e, records.Query{Where: table.Column("name"), Is: table.Column("name").Of(made[1])}, made[1:]...)
	wantRows(t, e, records.Query{Page: &records.Page{From: int64(made[0].ID), Limit: 1}}, made[1])
	wantRows(t, e, records.Query{Page: records.Before(int64(made[2].ID), 5)}, made[1], made[0])

	if err := e.Add(ctx, "add", table, &store.Token{Hash: operator.Hash{3}}); store.ClassOf(err) != store.ClassFault || err == nil {
		t.Errorf("Add of a hash that is there: %v", err)
	}
	for _, number := range []int64{0, -1, int64(made[2].ID) + 100} {
		if found, err := e.Delete(ctx, "delete", table, number); found || err != nil {
			t.Errorf("Delete(%d): %t, %v", number, found, err)
		}
	}
	if found, err := e.Delete(ctx, "delete", table, int64(made[2].ID)); !found || err != nil {
		t.Errorf("Delete: %t, %v", found, err)
	}
	wantRows(t, e, records.Query{}, made[:2]...)
	add("c", 3) // under a number that does not exist
	wantRows(t, e, records.Query{}, made[0], made[1], made[3])

	mine := errors.New("a reader's own")
	var n int64
	calls := 0
	err := e.Read(ctx, "read", records.Query{Table: table, Count: &n}, records.Query{Table: table, Row: table.New(), Each: func() error {
		calls++
		return mine
	}})
	if err != mine || calls != 1 || n != 3 { //nolint:errorlint // as it is: not wrapped
		t.Errorf("Read whose reader refuses a row: %v after %d calls, %d rows counted", err, calls, n)
	}
	refusal := drop.Refuse(drop.CodeTokenNotFound)
	err = e.Read(ctx, "read", records.Query{Table: table, Count: &n, Done: func() error { return refusal }})
	if err != error(refusal) { //nolint:errorlint // as it is
		t.Errorf("Read that is refused when all is read: %v", err)
	}
}

// wantRows checks the rows of a query of tokens.
func wantRows(t *testing.T, e records.Engine, q records.Query, want ...*store.Token) {
	t.Helper()
	row := new(store.Token)
	var got []store.Token
	q.Table, q.Row = records.Tokens, row
	q.Each = func() error {
		got = append(got, *row)
		return nil
	}
	if err := e.Read(t.Context(), "read", q); err != nil {
		t.Fatalf("Read: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("Read gave %d rows, want %d: %+v", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != *want[i] {
			t.Errorf("row %d:\n got %+v\nwant %+v", i, got[i], *want[i])
		}
	}
}
