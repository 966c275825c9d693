package drop

import (
	"cmp"
	"slices"
)

// Command is one thing to do to a drop. The set is closed. Each command states its name, the rows it needs and what
// it does, all in one file.
type Command interface {
	// Operation returns the command's name in metrics and in keys.
	Operation() string
	// need adds the rows that apply reads.
	need(n *Need)
	// apply runs the command at the batch's time and returns its answer. A refusal changes nothing.
	apply(a *application) Result
}

// Repeatable is a command that a caller may send with an idempotency key.
type Repeatable interface {
	Command
	// Asked returns the text of what the command asks of a drop.
	Asked(of ID) Asked
}

// Expire makes a batch run even if nobody else sends a command. Every batch first expires the holds that are due, so
// Expire itself has nothing to do.
type Expire struct{}

// Operation returns "expire".
func (Expire) Operation() string { return "expire" }

func (Expire) need(*Need) {}

func (Expire) apply(*application) Result { return Result{} }

// Result is the answer to one command: either Err, or the fields that belong to the command's type.
type Result struct {
	Reservation Reservation // for Reserve and Cancel
	Purchase    Purchase    // for MakePurchase
	Payment     *Payment    // for StartPayment, CompletePayment, BookRefund and EndPayment, if it is stored
	// Entry is the answer to Join and Leave. If a unit was offered right away, Reservation has it.
	Entry *Entry
	// Position is the place in its line of an entry that has just joined it; 1 is next. It is 0 for any other.
	Position int64
	// DrawEntry is the answer to Enter, Withdraw and Remove.
	DrawEntry *DrawEntry
	// Drop and Recent are the answer to Restock, Pause, Resume and Edit: the drop right after the command.
	Drop   *Drop
	Recent []Recent
	User   User // for a call that makes a buyer
	Err    *Error
	// Replayed reports that this is the answer to an earlier call with the same key.
	Replayed bool
}

// Need lists the rows that a store loads for a batch, in addition to the drop and its due holds.
type Need struct {
	// Users are the buyers whose reservations count toward a limit, or whose unpaid holds count toward a cooldown.
	Users []UserID
	// Waiting are the buyers whose entries in lines are needed.
	Waiting []UserID
	// Entries are the entries to give up.
	Entries []EntryID
	// Entrants are the buyers whose entries in the draw are needed, and DrawEntries the entries to remove.
	Entrants    []UserID
	DrawEntries []EntryID
	// Passes are the passes that buyers show, and those that an operator adds, by their hashes. There may be none.
	Passes []Hash
	// Limits asks for Users even if the drop has no limit and no cooldown yet, because a command in the batch may set
	// one.
	Limits bool
	// Reservations are the ones to purchase or cancel. Each is loaded together with its purchase, if it has one.
	Reservations []Wanted
	// Purchases are the ones to return.
	Purchases []PurchaseID
	// Payments are the ones to claim for or to settle. Nobody else can change one until the batch ends.
	Payments []PaymentID
	// Recent asks for the newest purchases and their buyers' names.
	Recent bool
	// Deadline asks for State.Deadline.
	Deadline bool
	// Keys are the idempotency keys that may have been used before.
	Keys []Key
}

// Wanted is a reservation to load, but only if it belongs to Owner. With Owner 0 it may belong to anyone.
type Wanted struct {
	ID    ReservationID
	Owner UserID
}

// DistinctReservations returns Reservations in ascending order without duplicates. Two commands in one batch may name
// the same one.
func (n *Need) DistinctReservations() []Wanted {
	if len(n.Reservations) < 2 {
		return n.Reservations
	}
	wanted := slices.Clone(n.Reservations)
	slices.SortFunc(wanted, func(a, b Wanted) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Owner, b.Owner))
	})
	return slices.Compact(wanted)
}

// NeedOf returns everything that Apply will read for the commands.
func NeedOf(cmds []Command) Need {
	var n Need
	for _, c := range cmds {
		c.need(&n)
	}
	return n
}

// bare returns the command without its key.
func bare(c Command) Command {
	if k, ok := c.(Keyed); ok {
		return k.Command
	}
	return c
}
