package drop

import (
	"cmp"
	"slices"
	"time"
)

// Command is something asked of one drop. The set is closed: the types below.
type Command interface{ command() }

// Reserve asks for one unit, held for Hold from the batch's time on.
type Reserve struct {
	User UserID
	Size string
	Hold time.Duration // whole milliseconds
}

// BuyReservation pays a reservation: its unit is sold. With an Owner it is refused like one that does not exist where
// the reservation is another user's; 0 means anybody's.
type BuyReservation struct {
	Reservation ReservationID
	Owner       UserID
}

// Cancel gives a reservation's unit back before its time. Owner is as in BuyReservation.
type Cancel struct {
	Reservation ReservationID
	Owner       UserID
}

// Restock adds units to a size, or with a negative Add takes unsold ones away.
type Restock struct {
	Add  int64
	Size string
}

// Pause stops reserving; live reservations can still be bought.
type Pause struct{}

// Resume ends a pause.
type Resume struct{}

// Expire asks for nothing: every batch first expires the holds that are due, and an Expire makes a batch happen.
type Expire struct{}

// Edit changes what is not nil.
type Edit struct {
	Name         *string
	Price        *Money
	StartTime    *Time
	ImageURL     *string
	LimitPerUser *int
	// MaxExpiredHolds: see Drop.
	MaxExpiredHolds *int
	Hidden          *bool
	Archived        *bool
}

// limits reports whether the edit may set a rule on what one user may hold.
func (c *Edit) limits() bool { return c.LimitPerUser != nil || c.MaxExpiredHolds != nil }

// Keyed is a command that its caller may repeat: once it has succeeded, the same key gives the first answer again.
type Keyed struct {
	Key     Key
	Command Command
}

func (Reserve) command()        {}
func (BuyReservation) command() {}
func (Cancel) command()         {}
func (Restock) command()        {}
func (Pause) command()          {}
func (Resume) command()         {}
func (Expire) command()         {}
func (Edit) command()           {}
func (Keyed) command()          {}

// Result is the answer to one command: Err, or what its type answers with.
type Result struct {
	Reservation Reservation `json:"reservation,omitzero"` // of Reserve and Cancel
	Purchase    Purchase    `json:"purchase,omitzero"`    // of BuyReservation
	// Drop, with Recent, is the answer to Restock, Pause, Resume and Edit: the drop right after the command.
	Drop   *Drop    `json:"drop,omitempty"`
	Recent []Recent `json:"recent,omitempty"`
	User   User     `json:"user,omitzero"` // of a call that makes a buyer
	Err    *Error   `json:"-"`
	// Replayed says that the answer is not this call's: it was kept under the same key.
	Replayed bool `json:"-"`
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
		if k, ok := c.(Keyed); ok {
			n.Keys = append(n.Keys, k.Key)
		}
		n.add(bare(c))
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

func (n *Need) add(c Command) {
	switch c := c.(type) {
	case Reserve:
		n.Users = append(n.Users, c.User)
	case BuyReservation:
		n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.Owner})
		n.Recent = true
	case Cancel:
		n.Reservations = append(n.Reservations, Wanted{ID: c.Reservation, Owner: c.Owner})
	case Edit:
		n.Limits = n.Limits || c.limits()
		n.Recent = true
	case Restock, Pause, Resume:
		n.Recent = true
	}
}
