// Package store defines the contract of the stores that keep drops. The engine works with PostgreSQL, SQLite and
// memory through it. Package internal/testing/storetest checks every promise in this package on each of them.
//
// A store contains no rules. It loads what a batch needs, passes it to Decide under the drop's lock, and writes what
// Decide returns, all of it or nothing.
package store

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
)

// Store keeps drops, reservations, purchases, the ledger and buyers. Its methods are safe for concurrent use. They
// return a *Error or, where a method says so, a refusal of type *drop.Error.
type Store interface {
	Lanes
	Records
	Schema
}

// Lanes is the part of a store that lanes use. It changes drops and returns what views show. Each engine implements
// it by hand, for speed.
type Lanes interface {
	// RunBatch loads the drop under its lock, calls b.Decide and commits the result. Among all processes that share
	// the store, only one batch of a drop is between load and commit at a time. It refuses with CodeDropNotFound.
	//
	// ctx limits the whole call. It belongs to the lane, never to a caller: if it ends during COMMIT, the outcome is
	// unknown (ClassUnknown).
	RunBatch(ctx context.Context, b Batch) error
	// Committed reports whether the batch took effect, after RunBatch failed with ClassUnknown. after is the drop's
	// Seq that the batch was decided on.
	//
	// It takes the drop's lock, so an unfinished commit of that batch is settled by then: a false answer stays false.
	// Before it returns true it commits a write of its own. A store with synchronous replication has then replicated
	// the batch too. A batch without ledger entries is found only while it is the last one that changed the drop.
	Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error)
	// CreateDrop stores a new drop under the next free number and starts its ledger. If the spec has a page, it stores
	// that too. The spec must come from Normal.
	//
	// If the key was used before, CreateDrop makes nothing. It returns the drop as in the first answer (only
	// Snapshot.Drop) and sets replayed, or refuses with CodeIdempotencyMismatch. Of several concurrent calls with one
	// key, one makes the drop and the others get its answer. The transaction that makes the drop also stores the key,
	// in scope 0 (no drop).
	CreateDrop(ctx context.Context, spec drop.Spec, batch drop.BatchID, key drop.Key) (s Snapshot, replayed bool, err error)
	// Drop returns the committed state of one drop, which may be hidden or archived. It refuses with
	// CodeDropNotFound.
	Drop(ctx context.Context, id drop.ID) (Snapshot, error)
	// Drops returns all drops in ascending order of their numbers, including hidden and archived ones.
	Drops(ctx context.Context) ([]Snapshot, error)
	// Pulse returns for each drop, in ascending order, whether it changed and when its next hold ends. Every replica
	// calls it once a second.
	Pulse(ctx context.Context) (Pulse, error)
	// Forget deletes answers that were kept before that time, at most limit of them, and returns how many. A key
	// stays used until it is deleted.
	Forget(ctx context.Context, before drop.Time, limit int) (int, error)
}

// Records is everything off the hot path. Most of it is the same for every engine and is in package records.
type Records interface {
	Buyers
	Operators
	Lists
	Pages
	Events
	Webhooks
	Payments
	Waitlists
	Draws
	Transferable
}

// Buyers is what belongs to users rather than to a drop.
type Buyers interface {
	// EnsureUser finds a buyer by email or, without an email, by username. It tries the spellings of drop.Named and
	// takes the lowest number. If there is none, it makes a buyer with a number from drop.FirstAllocatedUser.
	// Concurrent calls for one buyer return one number.
	//
	// With an email and no username, a new buyer's name is the part before the @. EnsureUser refuses a name or email
	// that breaks a rule, except for a buyer who was stored before the rule existed. key and replayed work as in
	// CreateDrop.
	EnsureUser(ctx context.Context, username, email string, key drop.Key) (u drop.User, replayed bool, err error)
	// EnsureSubjects returns the users of the subjects, in the same order. It makes missing ones with numbers from
	// drop.FirstAllocatedUser.
	//
	// Only issuer and subject identify a person. EnsureSubjects never finds a user by name or email, and EnsureUser
	// never finds a user made here. If a subject's name, email or public name differs from its user's, the user is
	// updated, or loses it. If subjects contains a person twice, the first entry counts. The subjects' Number is
	// ignored.
	EnsureSubjects(ctx context.Context, subjects []drop.Subject) ([]drop.User, error)
	// User returns a buyer. It refuses with CodeUserNotFound.
	User(ctx context.Context, id drop.UserID) (drop.User, error)
	// Users returns those buyers that the store knows, in their order, as of one moment.
	Users(ctx context.Context, ids []drop.UserID) ([]drop.User, error)
	// NewestUsers returns the users before that one (0: of all), by descending number, at most limit.
	NewestUsers(ctx context.Context, before drop.UserID, limit int) ([]drop.User, error)
	// Reservations returns at most limit of a user's reservations in all drops, newest first. An active one past its
	// end by the store's clock is returned as expired.
	Reservations(ctx context.Context, user drop.UserID, limit int) ([]drop.Reservation, error)
}

// Operators is about the people who run the shop, and the log of what they did.
type Operators interface {
	// CreateToken stores a token that has passed Check, and returns it with its new number.
	CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error)
	// Token returns the token with that hash, even if it has expired or was revoked. It refuses with
	// CodeTokenNotFound.
	Token(ctx context.Context, hash operator.Hash) (operator.Token, error)
	// Tokens returns all tokens in ascending order of their numbers.
	Tokens(ctx context.Context) ([]operator.Token, error)
	// RevokeToken revokes a token at the store's time and returns it. A revoked token keeps its first time. It
	// refuses with CodeTokenNotFound.
	RevokeToken(ctx context.Context, id operator.TokenID) (operator.Token, error)

	// Record appends an action to the log, at the store's time and without an outcome, and returns its number.
	Record(ctx context.Context, a operator.Action) (operator.ActionID, error)
	// Conclude adds the outcome of an action, once: a second outcome is ClassFault. Nothing else in the log ever
	// changes.
	Conclude(ctx context.Context, id operator.ActionID, outcome string) error
	// Actions returns at most limit actions before that one, newest first. With before 0 it starts at the newest.
	Actions(ctx context.Context, before operator.ActionID, limit int) ([]operator.Action, error)
}

// Lists is what is recorded about a drop.
type Lists interface {
	// Purchases returns at most limit of a drop's purchases after that one, in ascending order. It refuses with
	// CodeDropNotFound.
	Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]Sale, error)
	// NewestPurchases returns at most limit of a drop's purchases before that one, newest first. With before 0 it
	// starts at the newest. It refuses with CodeDropNotFound.
	NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]Sale, error)
	// PurchasesOf returns the purchases of those reservations that were paid for, in their order, as of one moment.
	PurchasesOf(ctx context.Context, reservations []drop.ReservationID) ([]drop.Purchase, error)
	// Ledger returns at most limit of a drop's ledger entries after that one, in ascending order. It refuses with
	// CodeDropNotFound.
	Ledger(ctx context.Context, id drop.ID, after drop.Seq, limit int) ([]drop.LedgerEntry, error)
	// ReadBooks passes all records of one drop to b, as of one moment, while batches continue. The rows are passed as
	// stored, even if they are damaged, so b must not assume anything about them. ReadBooks holds a snapshot while it
	// runs. An error of b ends it and is returned unchanged. It refuses with CodeDropNotFound.
	ReadBooks(ctx context.Context, id drop.ID, b Books) error
}

// Pages is what the pages of drops say.
type Pages interface {
	// DropPage returns what a drop's page says; the zero Page where nobody has written it. Refuses with
	// CodeDropNotFound.
	DropPage(ctx context.Context, id drop.ID) (drop.Page, error)
	// SetDropPage stores a page in place of the one that is there, at the store's time, and returns it. The page is one
	// that Normal has returned. If replacing is not nil, it stores the page only in place of exactly that one, which
	// DropPage has returned, and otherwise refuses with CodePageChanged. Comparison and write are one step: of writers
	// at once that replace the same page one succeeds. Refuses with CodeDropNotFound.
	SetDropPage(ctx context.Context, id drop.ID, page drop.Page, replacing *drop.Page) (drop.Page, error)
}

// Schema is about the store as a whole.
type Schema interface {
	// Migrate brings the schema up to date and returns the versions before and after. Several processes may call it
	// at once. It leaves a schema that is newer than this program unchanged. It then returns ErrTooNew, unless the
	// schema's migrations say that this program can work with it.
	Migrate(ctx context.Context) (from, to int, err error)
	// Ready returns nil if the store answers, accepts writes, and has a schema that this program can work with.
	Ready(ctx context.Context) error
	// Server says what keeps the data: the engine's name, and its version.
	Server(ctx context.Context) (engine, version string, err error)
	// Close waits for the calls under way and releases everything. A second Close does nothing.
	Close() error
}

// Cautious is a store whose server may be configured so that it can lose committed data. Engines that are always safe
// do not implement it.
type Cautious interface {
	// Cautions returns the reasons, as far as they are known without asking the server. Normally it returns nil.
	Cautions() []Caution
}

// Caution is one reason why committed sales may be lost.
type Caution struct {
	What   string // one sentence for anybody, for example "fsync is off: …"
	Source string // where the setting comes from and how to undo it, for operators
}

// Batch is what RunBatch does under one drop's lock. A store calls its methods in this order, and never two at once.
type Batch interface {
	// Of returns the drop's number.
	Of() drop.ID
	// Needs returns what to load. A store calls it after it has waited for everything that it can wait for, and
	// before it reads anything. It may call it again before it calls Decide again.
	Needs() drop.Need
	// Decide gets the loaded state, and the store's clock as read after the lock, in whole milliseconds. It changes
	// the state and returns what to write, or nil to write nothing. After a failure, a store may call it again with a
	// newly loaded state; only the last call counts.
	Decide(s *drop.State, now drop.Time) *drop.Changes
	// Confirms is called if Decide returned nil. It reports whether a caller will get a success because of what an
	// earlier batch wrote. RunBatch then succeeds only once that write is as durable as a commit. With synchronous
	// replication, a batch can be visible although its commit was never confirmed.
	Confirms() bool
	// Next returns the drop's next batch, or nil. It is called at most once, after the batch is decided and before it
	// commits. A store may begin the next batch behind this one's COMMIT. The lane then runs that batch next, whether
	// this one succeeds or not.
	Next() Batch
	// Begin tells a batch from Next that the store has begun it. Begun returns the same value once, when the batch
	// runs, or nil if the batch was not begun.
	Begin(with Begun)
	Begun() Begun
}

// Begun is what a store has already begun for a batch. Its content is known only to that store.
type Begun interface {
	// Behind returns the drop of the batch that was begun.
	Behind() drop.ID
}

// Snapshot is the committed state of a drop at one moment.
type Snapshot struct {
	Drop drop.Drop
	// Purchased is the number of the newest purchase. Recent has the newest ones, newest first.
	Purchased uint32
	Recent    []drop.Recent
	// Deadline is the earliest end of an active hold, 0 if there is none.
	Deadline drop.Time
	// Now is the store's time at that moment.
	Now drop.Time
}

// Pulse is a summary of all drops.
type Pulse struct {
	Now   drop.Time
	Drops []DropPulse
}

// DropPulse is one drop's part of a Pulse.
type DropPulse struct {
	ID       drop.ID
	Version  int64
	Deadline drop.Time // the earliest end of an active hold, 0 if there is none
}

// Sale is a purchase and its buyer, for fulfillment.
type Sale struct {
	drop.Purchase
	Username string // drop.UnknownUsername if only the shop knows the buyer
	Email    string // empty if there is none
}

// Filled is a complete drop to store: its state and all its rows, as returned by drop.Spec.Create. Made may contain
// reservations that have ended.
type Filled struct {
	State   *drop.State
	Changes *drop.Changes
}

// Books receives what ReadBooks reads: first the head, then the rows of each kind in ascending order of their
// numbers.
type Books struct {
	// Head receives the drop's row and its sizes. The state has no other rows and no Recent.
	Head        func(*drop.State) error
	Entry       func(drop.LedgerEntry) error
	Reservation func(drop.Reservation) error
	Purchase    func(drop.Purchase) error
	// Draw receives what is kept of the draw, if the drop has one, and DrawEntry its entries. nil: they are not read.
	Draw      func(Draw) error
	DrawEntry func(drop.DrawEntry) error
	Pass      func(drop.Pass) error  // of early access. nil: they are not read
	Waits     func(drop.Entry) error // an entry of the waitlist, as stored. nil: they are not read
}
