package engine

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Retry is how a caller says that a call may be one that it has made before, and wants the first answer then. The zero
// Retry says nothing of the kind.
type Retry struct {
	// Caller is who calls as far as the server has proof of it; empty: anybody.
	Caller string
	// Key is the caller's name for the call; it has passed drop.CheckKey.
	Key string
	// Replayed, if not nil, is set before a call returns with no error: the answer is the one that was kept for the
	// first call.
	Replayed *bool
}

func (r Retry) tell(replayed bool) {
	if r.Replayed != nil {
		*r.Replayed = replayed
	}
}

// key returns the retry's key for an operation that asks for something.
func (r Retry) key(operation string, asked drop.Asked) drop.Key {
	if r.Key == "" {
		return drop.Key{}
	}
	return drop.NewKey(r.Caller, operation, r.Key, asked)
}

// under puts a command on a drop under the retry's key, if there is one.
func (r Retry) under(id drop.ID, cmd drop.Repeatable) drop.Command {
	if r.Key == "" {
		return cmd
	}
	return drop.Keyed{Key: r.key(cmd.Operation(), cmd.Asked(id)), Command: cmd}
}

// Create makes a drop. Refuses a spec that breaks a rule.
func (e *Engine) Create(ctx context.Context, spec drop.Spec, r Retry) (*View, error) {
	key := r.key("create", drop.AskedCreate(&spec))
	spec, err := spec.Normal()
	if err != nil {
		return nil, err
	}
	var replayed bool
	s, err := again(ctx, e, func() (s store.Snapshot, err error) {
		s, replayed, err = e.store.CreateDrop(ctx, spec, newBatchID(), key)
		return s, err
	})
	if err != nil {
		return nil, err
	}
	r.tell(replayed)
	if replayed {
		return viewOf(s), nil
	}
	_, err = e.update(s, Event{Created: true})
	return viewOf(s), err // not the lane's view, which may have moved on: a retry by key gets this one
}

// Reserve holds one unit for the user. An empty size means none was given.
func (e *Engine) Reserve(ctx context.Context, id drop.ID, user drop.UserID, size string, r Retry) (drop.Reservation, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return drop.Reservation{}, err
	}
	cmd := drop.Reserve{User: user, Size: size, Hold: e.Hold}
	if r.Key == "" {
		if refusal := l.gate(cmd); refusal != nil {
			e.Metrics.refused(cmd, refusal, true)
			return drop.Reservation{}, refusal
		}
	}
	result, err := l.do(ctx, r.under(id, cmd))
	r.tell(result.Replayed)
	return result.Reservation, err
}

// Purchase completes a reservation of the owner's (0: anybody's); another's is one that does not exist. Buying a
// completed one again gives the same purchase.
func (e *Engine) Purchase(ctx context.Context, id drop.ReservationID, owner drop.UserID, r Retry) (drop.Purchase, error) {
	result, err := e.do(ctx, id.Drop(), r.under(id.Drop(), drop.MakePurchase{Reservation: id, Owner: owner}))
	r.tell(result.Replayed)
	return result.Purchase, notInDrop(err)
}

// Cancel gives the unit of a reservation of the owner's (0: anybody's) back; another's is one that does not exist.
func (e *Engine) Cancel(ctx context.Context, id drop.ReservationID, owner drop.UserID, r Retry) (drop.Reservation, error) {
	result, err := e.do(ctx, id.Drop(), r.under(id.Drop(), drop.Cancel{Reservation: id, Owner: owner}))
	r.tell(result.Replayed)
	return result.Reservation, notInDrop(err)
}

// Restock adds units, or takes unsold ones away, and returns the drop as it was then.
func (e *Engine) Restock(ctx context.Context, id drop.ID, cmd drop.Restock, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, cmd), r)
}

// Pause stops reserving in a drop, and returns the drop as it was then.
func (e *Engine) Pause(ctx context.Context, id drop.ID, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, drop.Pause{}), r)
}

// Resume ends a pause, and returns the drop as it was then.
func (e *Engine) Resume(ctx context.Context, id drop.ID, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, drop.Resume{}), r)
}

// Edit changes what the command names, all of it or nothing, and returns the drop as it was then.
func (e *Engine) Edit(ctx context.Context, id drop.ID, cmd drop.Edit) (*View, error) {
	return e.change(ctx, id, cmd, Retry{})
}

func (e *Engine) change(ctx context.Context, id drop.ID, cmd drop.Command, r Retry) (*View, error) {
	result, err := e.do(ctx, id, cmd)
	if err != nil {
		return nil, err
	}
	r.tell(result.Replayed)
	return &View{Drop: *result.Drop, Recent: result.Recent}, nil
}

// notInDrop turns the refusal of a drop into that of the reservation: its number is the only thing the caller gave.
func notInDrop(err error) error {
	if drop.CodeOf(err) == drop.CodeDropNotFound {
		return drop.Refuse(drop.CodeReservationNotFound)
	}
	return err
}
