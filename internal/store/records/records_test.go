package records_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/records"
)

// full has a row of each kind with another value in each column.
func full() []store.Row {
	state := &drop.State{
		Drop: drop.Drop{
			ID: 7, Version: 5, CreatedAt: 6, Sizes: []drop.Size{{Label: "9", Stock: drop.Stock{Total: 1, Available: 2, Held: 3, Sold: 4}}},
			Settings: drop.Settings{
				Name: "Air", Price: 1, StartTime: 2, ImageURL: "/a.png", LimitPerUser: 3, MaxExpiredHolds: 4, Paused: true, Hidden: true, Archived: true,
			},
		},
		LastAt: 8, Seq: 9, Reserved: 10, Purchased: 11, Batch: drop.BatchID{12},
	}
	return []store.Row{
		{Value: store.User{User: drop.User{ID: 1, Username: "Ann", Email: "a@b", PublicName: "A."}, Issuer: "i", Subject: "s", CreatedAt: 2}},
		{Value: store.Token{
			Token: operator.Token{ID: 1, Name: "Ann", Role: operator.Viewer, CreatedAt: 2, ExpiresAt: 3, RevokedAt: 4}, Hash: operator.Hash{5},
		}},
		{Value: operator.Action{
			ID: 1, At: 2, Token: 3, Name: "Ann", Role: operator.Viewer, Call: "pause", Drop: 4, Detail: "{}", From: "::1", Request: "r", Outcome: "ok",
		}},
		{Drop: 7, Value: state},
		{Drop: 7, Value: drop.LedgerEntry{Seq: 1, Batch: drop.BatchID{2}, At: 3, Size: "9", Reason: drop.Reserved, Units: 4, Available: 5}},
		{Drop: 7, Value: drop.Reservation{ID: 1, UserID: 2, Size: "9", Status: drop.Expired, CreatedAt: 3, ExpiresAt: 4, EndedAt: 5}},
		{Drop: 7, Value: drop.Purchase{ID: 1, ReservationID: 2, UserID: 3, Size: "9", Price: 4, CreatedAt: 5}},
		{Drop: 7, Value: drop.Kept{Key: drop.Key{Caller: "c", Operation: "o", Value: "v", Body: [32]byte{1}}, Answer: []byte{2}, At: 3}},
	}
}

// No column can be lost, or differ, without a difference.
func TestAppend_EveryColumnCounts(t *testing.T) {
	seen := make(map[*records.Table]bool)
	for _, whole := range full() {
		form, err := records.Append(nil, whole)
		if err != nil {
			t.Fatal(err)
		}
		err = records.Parts(whole, func(table *records.Table, _ drop.ID, row any) error {
			seen[table] = true
			for _, c := range table.Columns {
				if c.Empty(row) && c.Name != "position" {
					t.Errorf("%s.%s: the test's own row has nothing in it", table.Name, c.Name)
				}
				if table.Within {
					continue
				}
				other := table.New()
				table.Assign(other, row)
				if c.Set(other, records.Value{}); !c.Empty(other) && c.Kind != records.Bytes && c.Kind != records.UUID {
					t.Errorf("%s.%s cannot be emptied", table.Name, c.Name)
				}
				for _, again := range table.Columns {
					if again != c && !again.Has(other, again.Of(row)) {
						t.Errorf("%s.%s and %s are bound to the same field", table.Name, c.Name, again.Name)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if other := whole; other.Drop == 7 {
			other.Drop = 8
			if _, state := whole.Value.(*drop.State); !state {
				moved, err := records.Append(nil, other)
				if err != nil || slices.Equal(moved, form) {
					t.Errorf("%T of another drop has the same form (%v)", whole.Value, err)
				}
			}
		}
	}
	for _, table := range records.Tables {
		if !seen[table] {
			t.Errorf("the test has no row of %s", table.Name)
		}
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
	fmt.Println(sql, len(args))
	sql, _ = d.Select(&records.Query{Table: records.Sizes, All: true, Count: new(int64)})
	fmt.Println(sql)
	sql, args = d.Add(records.Actions, &operator.Action{Call: "pause"})
	fmt.Println(sql, len(args))
	fmt.Println(d.Insert(records.Sizes))
	fmt.Println(d.Stamp(records.Tokens, records.Tokens.Column("revoked_at")))
	fmt.Println(d.Empty(records.Beginning(store.IntoNoShop)))
	// Output:
	// SELECT p.id, p.reservation_id, p.user_id, p.size, p.price, p.created_at, coalesce(u.username, ''), coalesce(u.email, '')
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
	// INSERT INTO shop.sizes (drop_id, position, label, total, available, held, sold)
	// VALUES ($1, $2, $3, $4, $5, $6, $7)
	//
	// UPDATE shop.tokens
	// SET revoked_at = coalesce(revoked_at, now())
	// WHERE id = $1
	// RETURNING id, name, role, hash, created_at, coalesce(expires_at, 0), coalesce(revoked_at, 0)
	//
	// SELECT NOT EXISTS (SELECT 1 FROM shop.drops)
	//    AND NOT EXISTS (SELECT 1 FROM shop.users)
}
