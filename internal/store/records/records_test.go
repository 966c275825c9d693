package records_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// full returns a row with a different value in each column.
func full(t *records.Table) any {
	row := t.New()
	for i, c := range t.Columns {
		v := records.Value{Number: int64(i + 2), Text: fmt.Sprint("text ", i), Bytes: bytes.Repeat([]byte{byte(i + 1)}, 32)}
		if c.Kind == records.UUID {
			v.Bytes = v.Bytes[:16]
		}
		c.Set(row, v)
	}
	return row
}

// Each column is bound to its own field, which can be set, read and emptied.
func TestTables_ColumnsAreBoundToFieldsOfTheirOwn(t *testing.T) {
	for _, table := range append(records.Tables, records.Sales) {
		whole := full(table)
		for _, c := range table.Columns {
			if c.Empty(whole) {
				t.Errorf("%s.%s cannot be set", table.Name, c.Name)
			}
			other := table.New()
			table.Assign(other, whole)
			c.Set(other, records.Value{})
			for _, again := range table.Columns {
				if same := again.Has(other, again.Of(whole)); same == (again == c) {
					t.Errorf("%s.%s is emptied: %s is the same: %t", table.Name, c.Name, again.Name, same)
				}
			}
		}
	}
}

// If any column of a copy is lost or differs, its encoding differs.
func TestAppend_EveryColumnCounts(t *testing.T) {
	form := func(r store.Row) string {
		b, err := records.Append(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, table := range records.Tables {
		whole := full(table)
		one := form(table.Row(7, whole))
		if of := form(table.Row(8, whole)); table.Drop == "drop_id" && of == one {
			t.Errorf("a row of %s has the same form in another drop", table.Name)
		}
		for _, c := range table.Columns {
			other := table.New()
			table.Assign(other, whole)
			c.Set(other, records.Value{})
			if form(table.Row(7, other)) == one {
				t.Errorf("%s.%s does not count", table.Name, c.Name)
			}
		}
	}
	log := operator.Action{ID: 1}
	done := log
	done.Outcome = "ok"
	state, sized := new(drop.State), &drop.State{Drop: drop.Drop{Sizes: []drop.Size{{Label: "9"}}}}
	if form(store.Row{Value: log}) == form(store.Row{Value: done}) || form(store.Row{Value: state}) == form(store.Row{Value: sized}) {
		t.Error("an outcome, or a size, does not count")
	}
}

func TestParts_RefusesWhatNoTableHas(t *testing.T) {
	err := records.Parts(store.Row{Value: 5}, func(*records.Table, drop.ID, any) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "a row of type int cannot be stored") {
		t.Errorf("a number: %v", err)
	}
}

func ExampleDialect() {
	d := records.Dialect{Schema: "shop.", Parameter: "$", Now: "now()"}
	sql, args := d.Select(&records.Query{Table: records.Sales, Of: 7, Page: records.Before(0, 10)})
	fmt.Println(strings.NewReplacer(", coalesce", ",\ncoalesce", "\nFROM", "\n\nFROM").Replace(sql), len(args))
	sql, _ = d.Select(&records.Query{Table: records.Sizes, All: true, Count: new(int64)})
	fmt.Println(sql)
	sql, args = d.Add(records.Actions, &operator.Action{Call: "pause"})
	fmt.Println(sql, len(args))
	fmt.Println(d.Insert(records.Sizes))
	fmt.Println(d.Stamp(records.Tokens, records.Tokens.Column("revoked_at")))
	fmt.Println(d.Empty(records.Beginning(store.IntoNoShop)))
	// Output:
	// SELECT p.id, p.reservation_id, p.user_id, p.size, p.price, p.created_at,
	// coalesce(p.returned, 0),
	// coalesce(p.returned_at, 0),
	// coalesce(u.username, ''),
	// coalesce(u.email, '')
	//
	// FROM shop.purchases p
	// LEFT JOIN shop.users u ON u.id = p.user_id
	// WHERE p.drop_id = $1 AND p.id < $2
	// ORDER BY p.id DESC
	// LIMIT $3 3
	//
	// SELECT count(*)
	// FROM shop.sizes
	//
	// INSERT INTO shop.actions (at, token_id, name, role, call, drop_id, detail, address, request)
	// VALUES (now(), $1, $2, $3, $4, $5, $6, $7, $8)
	// RETURNING id, at 8
	//
	// INSERT INTO shop.sizes (drop_id, position, label, total, available, held, sold, waiting, pending)
	// VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
	//
	// UPDATE shop.tokens
	// SET revoked_at = coalesce(revoked_at, now())
	// WHERE id = $1
	// RETURNING id, name, role, hash, created_at, coalesce(expires_at, 0), coalesce(revoked_at, 0)
	//
	// SELECT NOT EXISTS (SELECT 1 FROM shop.drops)
	//    AND NOT EXISTS (SELECT 1 FROM shop.users)
}
