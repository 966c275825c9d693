package drop

import (
	"cmp"
	"slices"
)

// Command is something asked of one drop. The set is closed: each command says in one place what it is called, what
// it needs loaded and what it does.
type Command interface {
	// Operation is what the command is called in metrics, and in keys.
	Operation() string
	// need adds what apply will look up.
	need(n *Need)
	// apply does the command, at the batch's time, and answers it. A refusal changes nothing.
	apply(a *application) Result
}

// Repeatable is a command that may be given under a key.
type Repeatable interface {
	Command
	// Asked is what the command asks of a drop.
	Asked(of ID) Asked
}

// Expire asks for nothing: every batch first expires the holds that are due, and an Expire makes a batch happen.
type Expire struct{}

// Operation is "expire".
func (Expire) Operation() string { return "expire" }

func (Expire) need(*Need) {}

func (Expire) apply(*application) Result { return Result{} }

// Result is the answer to one command: Err, or what its type answers with.
type Result struct {
	Reservation Reservation // of Reserve and Cancel
	Purchase    Purchase    // of MakePurchase
	// Drop, with Recent, is the answer to Restock, Pause, Resume and Edit: the drop right after the command.
	Drop   *Drop
	Recent []Recent
	User   User // of a call that makes a buyer
	Err    *Error
	// Replayed says that the answer is not this call's: it was kept under the same key.
	Replayed bool
}

// Need says what a store loads for a batch beside the drop itself and its due holds.
type Need struct {
	// Users whose reservations count towards a limit, or whose unpaid ones towards a wait.
	Users []UserID
	// Limits asks for Users even when the drop has neither rule now, because a command of the batch may set one.
	Limits bool
	// Reservations to be bought or cancelled, each with its purchase if there is one.
	Reservations []Wanted
	// Recent asks for the newest purchases with their buyers' names.
	Recent bool
	// Deadline asks for State.Deadline.
	Deadline bool
	// Keys that may have been used before.
	Keys []Key
}

// Wanted is a reservation to be loaded, if it is the owner's (0: whosever it is).
type Wanted struct {
	ID    ReservationID
	Owner UserID
}

// DistinctReservations returns Reservations ascending, each once: twins in one batch want the same one.
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

// NeedOf collects what Apply will look up for the commands.
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
