package records

import (
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// Tables are all tables of a store, in the order in which batches lock and write them. A row's references come before
// it.
var Tables = []*Table{
	Drops, Sizes, Reservations, Users, Purchases, Ledger, Keys, Revisions, Pages, Tokens, Actions, Outcomes,
	Webhooks, Deliveries, Replays, Payments, Entries, DrawEntries, Draws, Passes,
}

// Drops contains the drops. A row is a *drop.State, which includes the sizes.
var Drops = func() *Table {
	t := table[drop.State](Table{Name: "drops", Key: "id", Drop: "id", Sequence: "drop_ids", Last: int64(drop.MaxID), Serves: true, Rights: "SELECT, INSERT, UPDATE"},
		number("id", func(s *drop.State) *drop.ID { return &s.ID }),
		text("name", func(s *drop.State) *string { return &s.Name }),
		number("price", func(s *drop.State) *drop.Money { return &s.Price }),
		number("start_time", func(s *drop.State) *drop.Time { return &s.StartTime }),
		text("image_url", func(s *drop.State) *string { return &s.ImageURL }).orNull(),
		number("limit_per_user", func(s *drop.State) *int { return &s.LimitPerUser }),
		number("max_expired_holds", func(s *drop.State) *int { return &s.MaxExpiredHolds }),
		flag("paused", func(s *drop.State) *bool { return &s.Paused }),
		flag("hidden", func(s *drop.State) *bool { return &s.Hidden }),
		flag("archived", func(s *drop.State) *bool { return &s.Archived }),
		number("version", func(s *drop.State) *int64 { return &s.Version }),
		number("created_at", func(s *drop.State) *drop.Time { return &s.CreatedAt }),
		number("last_at", func(s *drop.State) *drop.Time { return &s.LastAt }),
		number("seq", func(s *drop.State) *drop.Seq { return &s.Seq }),
		number("reserved", func(s *drop.State) *uint32 { return &s.Reserved }),
		number("purchased", func(s *drop.State) *uint32 { return &s.Purchased }),
		array("batch", UUID, func(s *drop.State) []byte { return s.Batch[:] }),
		flag("waitlist", func(s *drop.State) *bool { return &s.Waitlist }),
		number("offer_for", func(s *drop.State) *int { return &s.OfferFor }),
		number("max_waiting", func(s *drop.State) *int { return &s.MaxWaiting }),
		flag("offers_count", func(s *drop.State) *bool { return &s.OffersCount }),
		number("waited", func(s *drop.State) *uint32 { return &s.Waited }),
		number("line_closed", func(s *drop.State) *uint32 { return &s.LineClosed }),
		(&Column{
			Name: "draw", Kind: Text,
			get: func(row any) Value { return Value{Text: row.(*drop.State).Draw.Encode()} },
			set: func(row any, v Value) { row.(*drop.State).Draw = terms(v.Text) },
		}).orNull(),
		number("draw_phase", func(s *drop.State) *drop.DrawPhase { return &s.DrawState.Phase }).small(),
		number("entered", func(s *drop.State) *uint32 { return &s.DrawState.Entered }),
		number("lined", func(s *drop.State) *uint32 { return &s.DrawState.Lined }),
		(&Column{
			Name: "access", Kind: Text,
			get: func(row any) Value { return Value{Text: drop.EncodeAccesses(row.(*drop.State).Accesses)} },
			set: func(row any, v Value) { row.(*drop.State).Accesses = accesses(v.Text) },
		}).orNull(),
	)
	t.take = func(value any) (any, bool) {
		s, ok := value.(*drop.State)
		return s, ok
	}
	t.give = func(row any) any { return row }
	return t
}()

// Size is a row of Sizes.
type Size struct {
	drop.Size

	Position int
}

// Sizes contains the sizes of drops.
var Sizes = table[Size](Table{Name: "sizes", Key: "position", Drop: "drop_id", Within: true, Rights: "SELECT, INSERT, UPDATE"},
	number("position", func(s *Size) *int { return &s.Position }),
	text("label", func(s *Size) *string { return &s.Label }),
	number("total", func(s *Size) *int64 { return &s.Stock.Total }),
	number("available", func(s *Size) *int64 { return &s.Stock.Available }),
	number("held", func(s *Size) *int64 { return &s.Stock.Held }),
	number("sold", func(s *Size) *int64 { return &s.Stock.Sold }),
	number("waiting", func(s *Size) *int64 { return &s.Waiting }),
	number("pending", func(s *Size) *int64 { return &s.Pending }),
)

// Reservations contains rows of type drop.Reservation.
var Reservations = table[drop.Reservation](Table{Name: "reservations", Key: "id", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE"},
	number("id", func(r *drop.Reservation) *drop.ReservationID { return &r.ID }),
	number("user_id", func(r *drop.Reservation) *drop.UserID { return &r.UserID }),
	text("size", func(r *drop.Reservation) *string { return &r.Size }),
	number("status", func(r *drop.Reservation) *drop.Status { return &r.Status }).small(),
	number("created_at", func(r *drop.Reservation) *drop.Time { return &r.CreatedAt }),
	number("expires_at", func(r *drop.Reservation) *drop.Time { return &r.ExpiresAt }),
	number("ended_at", func(r *drop.Reservation) *drop.Time { return &r.EndedAt }).orNull(),
	number("payment", func(r *drop.Reservation) *drop.PaymentID { return &r.Payment }).orNull(),
	number("claim", func(r *drop.Reservation) *drop.ReservationID { return &r.Claim }).orNull(),
	flag("offer", func(r *drop.Reservation) *bool { return &r.Offer }).small().orNull(),
	number("pass", func(r *drop.Reservation) *drop.PassID { return &r.Pass }).orNull(),
)

// Users contains rows of type store.User.
var Users = table[store.User](Table{Name: "users", Key: "id", Sequence: "user_ids", Rises: true, Last: drop.MaxSafeInteger, Serves: true, Rights: "SELECT, INSERT, UPDATE"},
	number("id", func(u *store.User) *drop.UserID { return &u.ID }),
	text("username", func(u *store.User) *string { return &u.Username }),
	text("email", func(u *store.User) *string { return &u.Email }).orNull(),
	text("public_name", func(u *store.User) *string { return &u.PublicName }).orNull(),
	text("issuer", func(u *store.User) *string { return &u.Issuer }).orNull(),
	text("subject", func(u *store.User) *string { return &u.Subject }).orNull(),
	number("created_at", func(u *store.User) *drop.Time { return &u.CreatedAt }),
)

// Purchases contains rows of type drop.Purchase.
var Purchases = table[drop.Purchase](Table{Name: "purchases", Key: "id", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE (returned, returned_at)"},
	purchase(func(p *drop.Purchase) *drop.Purchase { return p })...,
)

// Sales reads purchases with their buyers, as store.Sale.
var Sales = table[store.Sale](*Purchases, purchase(func(s *store.Sale) *drop.Purchase { return &s.Purchase })...).
	with(Beside{Table: Users, By: "user_id", Columns: []*Column{
		text("username", func(s *store.Sale) *string { return &s.Username }).orNull(),
		text("email", func(s *store.Sale) *string { return &s.Email }).orNull(),
	}})

func purchase[T any](of func(*T) *drop.Purchase) []*Column {
	return []*Column{
		number("id", func(r *T) *drop.PurchaseID { return &of(r).ID }),
		number("reservation_id", func(r *T) *drop.ReservationID { return &of(r).ReservationID }),
		number("user_id", func(r *T) *drop.UserID { return &of(r).UserID }),
		text("size", func(r *T) *string { return &of(r).Size }),
		number("price", func(r *T) *drop.Money { return &of(r).Price }),
		number("created_at", func(r *T) *drop.Time { return &of(r).CreatedAt }),
		number("returned", func(r *T) *drop.Return { return &of(r).Return }).small().orNull(),
		number("returned_at", func(r *T) *drop.Time { return &of(r).ReturnedAt }).orNull(),
	}
}

// Ledger contains rows of type drop.LedgerEntry.
var Ledger = table[drop.LedgerEntry](Table{Name: "ledger", Key: "seq", Drop: "drop_id", Rights: "SELECT, INSERT"},
	number("seq", func(e *drop.LedgerEntry) *drop.Seq { return &e.Seq }),
	array("batch", UUID, func(e *drop.LedgerEntry) []byte { return e.Batch[:] }),
	number("at", func(e *drop.LedgerEntry) *drop.Time { return &e.At }),
	text("size", func(e *drop.LedgerEntry) *string { return &e.Size }),
	text("reason", func(e *drop.LedgerEntry) *drop.Reason { return &e.Reason }),
	number("units", func(e *drop.LedgerEntry) *int64 { return &e.Units }),
	number("available", func(e *drop.LedgerEntry) *int64 { return &e.Available }),
	number("version", func(e *drop.LedgerEntry) *int64 { return &e.Version }).orNull(),
	(&Column{
		Name: "numbers", Kind: Bytes,
		get: func(row any) Value { return Value{Bytes: []byte(row.(*drop.LedgerEntry).Numbers)} },
		set: func(row any, v Value) { row.(*drop.LedgerEntry).Numbers = drop.Numbers(v.Bytes) },
	}).orNull(),
)

// Keys contains rows of type drop.Kept in no order. Keys of calls without a drop belong to drop 0.
var Keys = table[drop.Kept](Table{Name: "idempotency_keys", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE, DELETE"},
	text("caller", func(k *drop.Kept) *string { return &k.Key.Caller }),
	text("operation", func(k *drop.Kept) *string { return &k.Key.Operation }),
	text("key", func(k *drop.Kept) *string { return &k.Key.Value }),
	array("body_hash", Bytes, func(k *drop.Kept) []byte { return k.Key.Body[:] }),
	bytesOf("answer", func(k *drop.Kept) *[]byte { return &k.Answer }),
	number("created_at", func(k *drop.Kept) *drop.Time { return &k.At }),
)

// Pages has store.Page, at most one of each drop.
var Pages = table[store.Page](Table{Name: "drop_pages", Drop: "drop_id", Rights: "SELECT, INSERT, UPDATE"},
	text("description", func(p *store.Page) *string { return &p.Description }),
	text("size_guide", func(p *store.Page) *string { return &p.SizeGuide }),
	text("rules", func(p *store.Page) *string { return &p.Rules }),
	text("delivery", func(p *store.Page) *string { return &p.Delivery }),
	text("images", func(p *store.Page) *string { return &p.Images }),
	number("updated_at", func(p *store.Page) *drop.Time { return &p.UpdatedAt }).timed(),
)

// PageRow is a page that is stored at that moment.
func PageRow(p *drop.Page, at drop.Time) *store.Page {
	return &store.Page{
		Description: p.Description, SizeGuide: p.SizeGuide, Rules: p.Rules, Delivery: p.Delivery,
		Images: drop.EncodeImages(p.Images), UpdatedAt: at,
	}
}

// Tokens contains rows of type store.Token.
var Tokens = table[store.Token](Table{Name: "tokens", Key: "id", Sequence: "tokens_id_seq", Lasting: true, Rights: "SELECT"},
	number("id", func(t *store.Token) *operator.TokenID { return &t.ID }).numbered(),
	text("name", func(t *store.Token) *string { return &t.Name }),
	text("role", func(t *store.Token) *operator.Role { return &t.Role }),
	array("hash", Bytes, func(t *store.Token) []byte { return t.Hash[:] }).unique(),
	number("created_at", func(t *store.Token) *drop.Time { return &t.CreatedAt }).timed(),
	number("expires_at", func(t *store.Token) *drop.Time { return &t.ExpiresAt }).orNull(),
	number("revoked_at", func(t *store.Token) *drop.Time { return &t.RevokedAt }).orNull(),
)

// Actions contains the operators' log, as operator.Action. An action's outcome is a row of Outcomes.
var Actions = func() *Table {
	t := table[operator.Action](
		Table{Name: "actions", Key: "id", Sequence: "actions_id_seq", Lasting: true, Serves: true, Rights: "SELECT, INSERT"},
		number("id", func(a *operator.Action) *operator.ActionID { return &a.ID }).numbered(),
		number("at", func(a *operator.Action) *drop.Time { return &a.At }).timed(),
		number("token_id", func(a *operator.Action) *operator.TokenID { return &a.Token }),
		text("name", func(a *operator.Action) *string { return &a.Name }),
		text("role", func(a *operator.Action) *operator.Role { return &a.Role }),
		text("call", func(a *operator.Action) *string { return &a.Call }),
		number("drop_id", func(a *operator.Action) *drop.ID { return &a.Drop }),
		text("detail", func(a *operator.Action) *string { return &a.Detail }),
		text("address", func(a *operator.Action) *string { return &a.From }),
		text("request", func(a *operator.Action) *string { return &a.Request }),
	)
	Outcomes.Column("action_id").References = t
	return t.with(Beside{Table: Outcomes, By: "id", Columns: []*Column{
		text("outcome", func(a *operator.Action) *string { return &a.Outcome }).orNull(),
	}})
}()

// Outcome is a row of Outcomes.
type Outcome struct {
	Action  operator.ActionID
	Outcome string
}

// Outcomes contains the outcome of each action.
var Outcomes = table[Outcome](Table{Name: "outcomes", Key: "action_id", Lasting: true, Within: true, Rights: "SELECT, INSERT"},
	number("action_id", func(o *Outcome) *operator.ActionID { return &o.Action }),
	text("outcome", func(o *Outcome) *string { return &o.Outcome }).needed(),
)

// Shop returns the tables that are emptied when a whole shop is replaced.
func Shop() []*Table {
	return slices.DeleteFunc(slices.Clone(Tables), func(t *Table) bool { return t.Lasting })
}

// Beginning returns the tables that must be empty before an import.
func Beginning(into store.Into) []*Table {
	switch into {
	case store.IntoNothing:
		return Tables
	case store.IntoNoShop:
		return []*Table{Drops, Users}
	default:
		return nil
	}
}
