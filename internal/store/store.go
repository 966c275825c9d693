// Package store is the contract of what keeps drops: what the engine asks of PostgreSQL, SQLite and memory alike.
// Package internal/testing/storetest proves every promise made here on each of them.
//
// The rules are not here. A store loads what a batch needs, hands it to Decide under the drop's lock, and writes what
// Decide says, all of it or nothing.
package store

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
)

// Store keeps drops, reservations, purchases, the ledger and buyers. Its methods are safe for concurrent use. Errors
// are *Error (see there) or, where a method says so, a refusal of type *drop.Error.
type Store interface {
	Lanes
	Records
	Schema
}

// Lanes is what lanes need of a store: it changes drops, and shows what lanes show. Each engine has it tuned by hand.
type Lanes interface {
	// RunBatch loads the drop under its lock, calls b.Decide and commits what it returns. Only one batch of a drop is
	// between load and commit at a time, over all processes that share the store. Refuses with CodeDropNotFound.
	//
	// ctx bounds the whole of it and is the lane's own, never a caller's: a context that ends while COMMIT is under way
	// leaves an outcome that nobody knows (ClassUnknown).
	RunBatch(ctx context.Context, b Batch) error
	// Committed reports whether the batch took effect, after RunBatch failed with ClassUnknown. It takes the drop's
	// lock, so that an unfinished commit of that batch is decided by then: false stays false. Before it returns true
	// it commits a write of its own, so that a store with synchronous replication has replicated the batch too. after
	// is the drop's Seq that the batch was decided on. A batch without ledger entries is found only as long as it is
	// the last that changed the drop.
	Committed(ctx context.Context, id drop.ID, batch drop.BatchID, after drop.Seq) (bool, error)
	// CreateDrop stores a new drop under the next free number, with its ledger begun, and its page if the spec has one.
	// The spec is one that Normal has returned.
	//
	// With a key that was used before it makes nothing and returns the drop as the first call answered it
	// (Snapshot.Drop alone) and replayed true, or refuses with CodeIdempotencyMismatch; of calls at once under one
	// key one makes the drop and the others get its answer. The key is kept in the transaction that makes the drop,
	// in scope 0 (no drop).
	CreateDrop(ctx context.Context, spec drop.Spec, batch drop.BatchID, key drop.Key) (s Snapshot, replayed bool, err error)
	// Drop returns one drop as committed, hidden and archived ones included. Refuses with CodeDropNotFound.
	Drop(ctx context.Context, id drop.ID) (Snapshot, error)
	// Drops returns all drops, ascending by number, hidden and archived ones included.
	Drops(ctx context.Context) ([]Snapshot, error)
	// Pulse returns for each drop, ascending, what tells whether it changed and when its next hold ends: what a replica
	// asks for every second.
	Pulse(ctx context.Context) (Pulse, error)
	// Forget deletes the answers kept under keys before that moment, at most limit of them, and returns how many. A key
	// counts until it is deleted.
	Forget(ctx context.Context, before drop.Time, limit int) (int, error)
}

// Records is all that is cold. Most of it is the same for every engine: package records has it.
type Records interface {
	Buyers
	Operators
	Lists
	Pages
	Exporter
	Importer
}

// Buyers is what belongs to users rather than to a drop.
type Buyers interface {
	// EnsureUser finds the buyer by email or, without an email, by username, in the spellings of drop.Named, the
	// lowest number first, and makes one with a number from drop.FirstAllocatedUser on where there is none.
	// Concurrent calls for one buyer get one number. With an email and no username a new buyer is called by the part
	// before the @. Refuses a name or email that breaks a rule, except of a buyer who was kept before the rule. A
	// key, and replayed, are treated as by CreateDrop.
	EnsureUser(ctx context.Context, username, email string, key drop.Key) (u drop.User, replayed bool, err error)
	// EnsureSubjects returns the users that the subjects are, in their order, and makes those that are not there yet
	// with numbers from drop.FirstAllocatedUser on. Only issuer and subject say who somebody is: no user is found by
	// a name or email that a subject has too, and EnsureUser never finds one made here. Where a subject has another
	// name, email or public name than its user, the user gets them, or loses them; of subjects named more than once
	// the first counts. Numbers of subjects do not count.
	EnsureSubjects(ctx context.Context, subjects []drop.Subject) ([]drop.User, error)
	// User refuses with CodeUserNotFound.
	User(ctx context.Context, id drop.UserID) (drop.User, error)
	// NewestUsers returns the users before that one (0: of all), by descending number, at most limit.
	NewestUsers(ctx context.Context, before drop.UserID, limit int) ([]drop.User, error)
	// Reservations returns a user's reservations over all drops, newest first, at most limit. An active one whose time
	// is over at the store's clock is given as expired.
	Reservations(ctx context.Context, user drop.UserID, limit int) ([]drop.Reservation, error)
}

// Operators is who operates the shop, and the log of what they did.
type Operators interface {
	// CreateToken keeps a token, which has passed Check, and returns it with the number that it got.
	CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error)
	// Token returns the token of that hash, also one that has expired or was revoked. Refuses with CodeTokenNotFound.
	Token(ctx context.Context, hash operator.Hash) (operator.Token, error)
	// Tokens returns all tokens, ascending by number.
	Tokens(ctx context.Context) ([]operator.Token, error)
	// RevokeToken takes a token back, at the store's time, and returns it; one that was revoked stays as it is. Refuses
	// with CodeTokenNotFound.
	RevokeToken(ctx context.Context, id operator.TokenID) (operator.Token, error)

	// Record appends an action to the log, at the store's time and without an outcome, and returns its number.
	Record(ctx context.Context, a operator.Action) (operator.ActionID, error)
	// Conclude adds the outcome of an action, once: a second outcome is ClassFault. Nothing else ever changes in the
	// log.
	Conclude(ctx context.Context, id operator.ActionID, outcome string) error
	// Actions returns the newest actions before that one (0: of all), newest first, at most limit.
	Actions(ctx context.Context, before operator.ActionID, limit int) ([]operator.Action, error)
}

// Lists is what is recorded of a drop.
type Lists interface {
	// Purchases returns a drop's purchases after that one, ascending, at most limit. Refuses with CodeDropNotFound.
	Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]Sale, error)
	// NewestPurchases returns a drop's purchases before that one (0: of all), newest first, at most limit. Refuses with
	// CodeDropNotFound.
	NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]Sale, error)
	// PurchasesOf returns the purchases of those reservations that were paid for, in their order, as of one moment.
	PurchasesOf(ctx context.Context, reservations []drop.ReservationID) ([]drop.Purchase, error)
	// Ledger returns a drop's ledger entries after that one, ascending, at most limit. Refuses with CodeDropNotFound.
	Ledger(ctx context.Context, id drop.ID, after drop.Seq, limit int) ([]drop.LedgerEntry, error)
	// ReadBooks hands all that is recorded of one drop to b, as of one moment, while batches go on. Rows come as they
	// are, damaged ones too, so nothing is assumed of them. It holds a snapshot while it runs. An error of b ends it
	// and is returned as it is. Refuses with CodeDropNotFound.
	ReadBooks(ctx context.Context, id drop.ID, b Books) error
}

// Pages is what the pages of drops say.
type Pages interface {
	// DropPage returns what a drop's page says; the zero Page where nobody has written it. Refuses with
	// CodeDropNotFound.
	DropPage(ctx context.Context, id drop.ID) (drop.Page, error)
	// SetDropPage stores a page in place of the one that is there, at the store's time, and returns it. The page is one
	// that Normal has returned. Refuses with CodeDropNotFound.
	SetDropPage(ctx context.Context, id drop.ID, page drop.Page) (drop.Page, error)
}

// Schema is the store's own life.
type Schema interface {
	// Migrate brings the schema up to date and says from which version to which. Several processes may call it at
	// once. A schema newer than this program knows stays as it is, and is ErrTooNew unless its migrations say that
	// such programs can go on.
	Migrate(ctx context.Context) (from, to int, err error)
	// Ready returns nil when the store answers, takes writes, and has a schema that this program can go on with.
	Ready(ctx context.Context) error
	// Server says what keeps the data: the engine's name, and its version.
	Server(ctx context.Context) (engine, version string, err error)
	// Close releases everything, after the calls that are under way. A second Close does nothing.
	Close() error
}

// Cautious is a store whose server may be set up so that it loses what it has committed. The engines that are always
// safe are none.
type Cautious interface {
	// Cautions says why, as far as is known without asking; nil is the rule.
	Cautions() []Caution
}

// Caution is one reason why committed sales may be lost.
type Caution struct {
	What   string // one sentence for anybody, such as "fsync is off: …"
	Source string // who has set it so, and how to take that back: for operators
}

// Batch is what RunBatch does under one drop's lock. A store calls its methods in this order, never two at once.
type Batch interface {
	// Of is the drop.
	Of() drop.ID
	// Needs says what is to be loaded. It is called when the store has waited for what it can wait for, and before
	// anything is read. A store may call it again before it calls Decide again.
	Needs() drop.Need
	// Decide is called with the loaded state and the store's clock read after the lock, in whole milliseconds. It
	// changes the state to what it is to be and returns what to write, or nil: then nothing is written. A store may
	// call it again after a failure, with a state loaded anew; only the last call's outcome counts.
	Decide(s *drop.State, now drop.Time) *drop.Changes
	// Confirms is asked when Decide has returned nil: whether somebody is to be told yes because of what an earlier
	// batch has written. Then RunBatch succeeds only once that is as lasting as a commit is: with synchronous
	// replication a batch can be seen whose commit was never confirmed.
	Confirms() bool
	// Next is asked at most once, when the batch is decided and about to be committed: for the drop's next
	// batch, or nil. A store may begin that one behind the COMMIT of this one. Whoever gives it runs it next, whatever
	// becomes of this batch.
	Next() Batch
	// Begin tells a batch that Next gave that the store has begun it. Begun gives that back when the batch is run,
	// once; nil: it was not begun.
	Begin(with Begun)
	Begun() Begun
}

// Begun is what a store has begun of a batch. Only the store that began it knows more.
type Begun interface {
	// Behind is the batch that was begun.
	Behind() drop.ID
}

// Snapshot is a drop as committed at one moment.
type Snapshot struct {
	Drop drop.Drop
	// Purchased numbers the newest purchase; Recent has the newest ones, newest first.
	Purchased uint32
	Recent    []drop.Recent
	// Deadline is the earliest end of an active hold; 0: none.
	Deadline drop.Time
	// Now is the store's clock at the moment.
	Now drop.Time
}

// Pulse is the state of all drops in brief.
type Pulse struct {
	Now   drop.Time
	Drops []DropPulse
}

// DropPulse is one drop's part of a Pulse.
type DropPulse struct {
	ID       drop.ID
	Version  int64
	Deadline drop.Time // the earliest end of an active hold; 0: none
}

// Sale is a purchase with its buyer, for fulfilment.
type Sale struct {
	drop.Purchase
	Username string // drop.UnknownUsername where only the shop knows the buyer
	Email    string // empty: none
}

// Filled is a drop to be stored whole: its state, and all rows that belong to it, as drop.Spec.Create gives them. Made
// may have reservations that have ended.
type Filled struct {
	State   *drop.State
	Changes *drop.Changes
}

// Books receives what ReadBooks reads: the head, then each kind of rows in ascending order of its number.
type Books struct {
	// Head gets the drop's row and its sizes; the state has no rows loaded and no Recent.
	Head        func(*drop.State) error
	Entry       func(drop.LedgerEntry) error
	Reservation func(drop.Reservation) error
	Purchase    func(drop.Purchase) error
}
