package records

import (
	"context"
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// Engine is what an engine does with the rows of any table described here. It returns the errors that store.Store
// describes.
type Engine interface {
	// Read runs the queries one after the other on one snapshot. An error of Each or Done ends it and is returned
	// unchanged.
	Read(ctx context.Context, op string, queries ...Query) error
	// Add stores a new row and sets its number and time.
	Add(ctx context.Context, op string, t *Table, row any) error
	// Numbers takes n numbers that no row has, and returns the first. In PostgreSQL the table's sequence counts in
	// steps of n.
	Numbers(ctx context.Context, op string, t *Table, n int64) (first int64, err error)
	// Put stores the only row that a drop has in a table, in place of an existing one, and sets its time. found reports
	// whether the drop exists; otherwise nothing is stored.
	Put(ctx context.Context, op string, t *Table, of drop.ID, row any) (found bool, err error)
	// Replace does what Put does, if the row that the drop has equals old in every column or, with old nil, if the drop
	// has no row yet. Comparison and write are one step. done reports whether the row was stored.
	Replace(ctx context.Context, op string, t *Table, of drop.ID, old, row any) (done bool, err error)
	// Stamp sets a column to the store's time in the row with that number, unless it is set, and reads the row. found
	// reports whether the row exists.
	Stamp(ctx context.Context, op string, t *Table, c *Column, number int64, row any) (found bool, err error)
	// Swap stores a row in place of old, if the row with that number still equals old in every column. Comparison and
	// write are one step. It leaves the number and Timed columns as they are. done reports whether the row was stored.
	Swap(ctx context.Context, op string, t *Table, old, row any) (done bool, err error)
	// Delete deletes the row with that number, which is never assigned again. found reports whether the row existed.
	Delete(ctx context.Context, op string, t *Table, number int64) (found bool, err error)
	// Once calls f and keeps its answer under the key, in one transaction. If an answer is already kept, Once returns
	// it with Replayed set, or refuses with CodeIdempotencyMismatch. Of several concurrent calls with one key, one
	// calls f and the others get its answer.
	//
	// Without a key it keeps nothing, and each step of f may be its own transaction. Once may call f again.
	Once(ctx context.Context, op string, key drop.Key, f func(Buyers) (drop.Result, error)) (drop.Result, error)
}

// Buyers finds and adds buyers. It returns the errors that store.Store describes.
type Buyers interface {
	// FindBuyer returns the buyer with that email, or else with that name, and the lowest number. It never returns a
	// buyer who belongs to a subject. ID 0 means that there is none.
	FindBuyer(called string, byEmail bool) (drop.User, error)
	// AddBuyer stores a new buyer and sets its number. added is false if another call has just added an equal buyer.
	AddBuyer(u *drop.User) (added bool, err error)
}

// Store is the part of a store.Store that is the same for every engine.
type Store struct{ engine Engine }

// New returns the cold part of a store that runs on the engine.
func New(e Engine) Store { return Store{e} }

// one reads the row that has the given value in a column.
func (s Store) one(ctx context.Context, op string, t *Table, c *Column, row any) (found bool, err error) {
	err = s.engine.Read(ctx, op, Query{Table: t, Where: c, Is: c.Of(row), AnyOrder: true, Row: row, Each: func() error {
		found = true
		return nil
	}})
	return found, err
}

// list collects rows.
func list[T, R any](q *Query, row *R, of func(*R) T) *[]T {
	all := new([]T)
	q.Row, q.Each = row, func() error {
		*all = append(*all, of(row))
		return nil
	}
	return all
}

// User implements store.Store.
func (s Store) User(ctx context.Context, id drop.UserID) (drop.User, error) {
	u := &store.User{User: drop.User{ID: id}}
	found, err := s.one(ctx, fmt.Sprintf("read user %d", id), Users, Users.Column("id"), u)
	if err == nil && !found {
		err = drop.Refuse(drop.CodeUserNotFound)
	}
	if err != nil {
		return drop.User{}, err
	}
	return u.User, nil
}

// Users implements store.Store. Each buyer is found by a key.
func (s Store) Users(ctx context.Context, ids []drop.UserID) ([]drop.User, error) {
	var all []drop.User
	queries := make([]Query, len(ids))
	for i, id := range ids {
		u := &store.User{User: drop.User{ID: id}}
		by := Users.Column("id")
		queries[i] = Query{Table: Users, Where: by, Is: by.Of(u), AnyOrder: true, Row: u, Each: func() error {
			all = append(all, u.User)
			return nil
		}}
	}
	err := s.read(ctx, "read users", queries)
	return all, err
}

// NewestUsers implements store.Store.
func (s Store) NewestUsers(ctx context.Context, before drop.UserID, limit int) ([]drop.User, error) {
	q := Query{Table: Users, Page: Before(int64(before), limit)}
	page := list(&q, new(store.User), func(u *store.User) drop.User { return u.User })
	err := s.engine.Read(ctx, "list the users", q)
	return *page, err
}

// EnsureUser implements store.Store.
func (s Store) EnsureUser(ctx context.Context, username, email string, key drop.Key) (u drop.User, replayed bool, err error) {
	who, err := drop.NameBuyer(username, email)
	if err != nil {
		return drop.User{}, false, err
	}
	answer, err := s.engine.Once(ctx, "find or make a buyer", key, func(b Buyers) (drop.Result, error) {
		u, err := ensureBuyer(b, &who)
		return drop.Result{User: u}, err
	})
	if err == nil && answer.User.ID == 0 {
		err = drop.Refuse(drop.CodeDamaged)
	}
	if err != nil {
		return drop.User{}, false, err
	}
	return answer.User, answer.Replayed, nil
}

// ensureBuyer finds or makes a buyer. If another call makes the buyer first, it finds that one.
func ensureBuyer(b Buyers, who *drop.Named) (drop.User, error) {
	for {
		first, second := who.Spellings()
		u, err := b.FindBuyer(first, who.ByEmail())
		if err == nil && u.ID == 0 && second != "" {
			u, err = b.FindBuyer(second, who.ByEmail())
		}
		if err != nil || u.ID != 0 {
			return u, err
		}
		if who.Refusal != nil {
			return drop.User{}, who.Refusal
		}
		u = drop.User{Username: who.NewUsername(), Email: who.Email}
		if added, err := b.AddBuyer(&u); err != nil || added {
			return u, err
		}
	}
}

// CreateToken implements store.Store.
func (s Store) CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error) {
	row := &store.Token{Token: t, Hash: hash}
	row.RevokedAt = 0
	if err := s.engine.Add(ctx, "create a token", Tokens, row); err != nil {
		return operator.Token{}, err
	}
	return row.Token, nil
}

// Token implements store.Store.
func (s Store) Token(ctx context.Context, hash operator.Hash) (operator.Token, error) {
	row := &store.Token{Hash: hash}
	found, err := s.one(ctx, "find a token", Tokens, Tokens.Column("hash"), row)
	return token(row, found, err)
}

// Tokens implements store.Store.
func (s Store) Tokens(ctx context.Context) ([]operator.Token, error) {
	q := Query{Table: Tokens}
	all := list(&q, new(store.Token), func(t *store.Token) operator.Token { return t.Token })
	err := s.engine.Read(ctx, "list the tokens", q)
	return *all, err
}

// RevokeToken implements store.Store.
func (s Store) RevokeToken(ctx context.Context, id operator.TokenID) (operator.Token, error) {
	row := new(store.Token)
	found, err := s.engine.Stamp(ctx, fmt.Sprintf("revoke token %d", id), Tokens, Tokens.Column("revoked_at"), int64(id), row)
	return token(row, found, err)
}

func token(row *store.Token, found bool, err error) (operator.Token, error) {
	if err == nil && !found {
		err = drop.Refuse(drop.CodeTokenNotFound)
	}
	if err != nil {
		return operator.Token{}, err
	}
	return row.Token, nil
}

// Record implements store.Store.
func (s Store) Record(ctx context.Context, a operator.Action) (operator.ActionID, error) {
	a.Outcome = "" // see Conclude
	if err := s.engine.Add(ctx, "record an action", Actions, &a); err != nil {
		return 0, err
	}
	return a.ID, nil
}

// Conclude implements store.Store.
func (s Store) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	return s.engine.Add(ctx, fmt.Sprintf("record the outcome of action %d", id), Outcomes, &Outcome{Action: id, Outcome: outcome})
}

// Actions implements store.Store.
func (s Store) Actions(ctx context.Context, before operator.ActionID, limit int) ([]operator.Action, error) {
	q := Query{Table: Actions, Page: Before(int64(before), limit)}
	page := list(&q, new(operator.Action), func(a *operator.Action) operator.Action { return *a })
	err := s.engine.Read(ctx, "read the log of actions", q)
	return *page, err
}

// Purchases implements store.Store.
func (s Store) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	return s.sales(ctx, id, &Page{From: int64(after), Limit: limit})
}

// NewestPurchases implements store.Store.
func (s Store) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	return s.sales(ctx, id, Before(int64(before), limit))
}

func (s Store) sales(ctx context.Context, id drop.ID, page *Page) ([]store.Sale, error) {
	q := Query{Table: Sales, Of: id, Page: page}
	sales := list(&q, new(store.Sale), named)
	err := s.engine.Read(ctx, fmt.Sprintf("read the purchases of drop %d", id), there(id), q)
	return *sales, err
}

// named returns a sale with a name for its buyer, even if only the shop knows the buyer.
func named(sale *store.Sale) store.Sale {
	s := *sale
	if s.Username == "" {
		s.Username = drop.UnknownUsername
	}
	return s
}

// PurchasesOf implements store.Store. Each purchase is found by a key.
func (s Store) PurchasesOf(ctx context.Context, reservations []drop.ReservationID) ([]drop.Purchase, error) {
	var all []drop.Purchase
	queries := make([]Query, len(reservations))
	for i, id := range reservations {
		p := &drop.Purchase{ReservationID: id}
		by := Purchases.Column("reservation_id")
		queries[i] = Query{Table: Purchases, Of: id.Drop(), Where: by, Is: by.Of(p), AnyOrder: true, Row: p, Each: func() error {
			all = append(all, *p)
			return nil
		}}
	}
	err := s.read(ctx, "read the purchases of reservations", queries)
	return all, err
}

// Ledger implements store.Store.
func (s Store) Ledger(ctx context.Context, id drop.ID, after drop.Seq, limit int) ([]drop.LedgerEntry, error) {
	q := Query{Table: Ledger, Of: id, Page: &Page{From: int64(after), Limit: limit}}
	page := list(&q, new(drop.LedgerEntry), func(e *drop.LedgerEntry) drop.LedgerEntry { return *e })
	err := s.engine.Read(ctx, fmt.Sprintf("read the ledger of drop %d", id), there(id), q)
	return *page, err
}

// DropPage implements store.Store.
func (s Store) DropPage(ctx context.Context, id drop.ID) (drop.Page, error) {
	op := fmt.Sprintf("read the page of drop %d", id)
	var found bool
	row := new(store.Page)
	err := s.engine.Read(ctx, op, there(id), Query{Table: Pages, Of: id, Row: row, Each: func() error {
		found = true
		return nil
	}})
	if err != nil || !found {
		return drop.Page{}, err
	}
	return page(op, row)
}

// SetDropPage implements store.Store.
func (s Store) SetDropPage(ctx context.Context, id drop.ID, p drop.Page, replacing *drop.Page) (drop.Page, error) {
	op := fmt.Sprintf("write the page of drop %d", id)
	row := PageRow(&p, 0)
	var stored bool
	var err error
	if replacing == nil {
		stored, err = s.engine.Put(ctx, op, Pages, id, row)
	} else {
		var old any // nil: nobody has written the page yet
		if replacing.UpdatedAt != 0 {
			old = PageRow(replacing, replacing.UpdatedAt)
		}
		stored, err = s.engine.Replace(ctx, op, Pages, id, old, row)
	}
	if err == nil && !stored {
		err = s.notStored(ctx, op, id, replacing != nil)
	}
	if err != nil {
		return drop.Page{}, err
	}
	return page(op, row)
}

// notStored returns why a drop's row was not stored. Drops are never deleted, so it may look after the attempt.
func (s Store) notStored(ctx context.Context, op string, id drop.ID, conditional bool) error {
	if conditional {
		if err := s.engine.Read(ctx, op, there(id)); err != nil {
			return err
		}
		return drop.Refuse(drop.CodePageChanged)
	}
	return drop.Refuse(drop.CodeDropNotFound)
}

func page(op string, row *store.Page) (drop.Page, error) {
	images, err := drop.DecodeImages(row.Images)
	if err != nil {
		return drop.Page{}, &store.Error{Op: op, Class: store.ClassFault, Err: err}
	}
	return drop.Page{
		Description: row.Description, SizeGuide: row.SizeGuide, Rules: row.Rules, Delivery: row.Delivery,
		Images: images, UpdatedAt: row.UpdatedAt,
	}, nil
}

// there refuses with CodeDropNotFound. It distinguishes an empty page from a drop that does not exist.
func there(id drop.ID) Query {
	var n int64
	return Query{Table: Drops, Of: id, Count: &n, Done: func() error {
		if n == 0 {
			return drop.Refuse(drop.CodeDropNotFound)
		}
		return nil
	}}
}

// ReadBooks implements store.Store.
func (s Store) ReadBooks(ctx context.Context, id drop.ID, b store.Books) error {
	state, size := new(drop.State), new(Size)
	found := false
	ledger, reservations, purchases := books(Ledger, id, b.Entry), books(Reservations, id, b.Reservation), books(Purchases, id, b.Purchase)
	queries := []Query{
		{Table: Drops, Of: id, Row: state, Each: func() error {
			found = true
			return nil
		}},
		{Table: Sizes, Of: id, Row: size, Each: func() error {
			state.Sizes = append(state.Sizes, size.Size)
			return nil
		}, Done: func() error {
			if !found {
				return drop.Refuse(drop.CodeDropNotFound)
			}
			return b.Head(state)
		}},
		ledger, reservations, purchases,
	}
	if b.Draw != nil {
		queries = append(queries, books(Draws, id, b.Draw))
	}
	if b.DrawEntry != nil {
		queries = append(queries, books(DrawEntries, id, b.DrawEntry))
	}
	if b.Pass != nil {
		queries = append(queries, books(Passes, id, b.Pass))
	}
	if b.Waits != nil {
		queries = append(queries, books(Entries, id, b.Waits))
	}
	return s.engine.Read(ctx, fmt.Sprintf("read the records of drop %d", id), queries...)
}

// books passes the rows of a drop to each.
func books[T any](t *Table, id drop.ID, each func(T) error) Query {
	row := new(T)
	return Query{Table: t, Of: id, Row: row, Each: func() error { return each(*row) }}
}
