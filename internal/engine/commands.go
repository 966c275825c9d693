package engine

import (
	"context"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Retry lets a caller repeat a call and get the first answer again. The zero Retry makes an ordinary call.
type Retry struct {
	// Caller is the caller's proven identity; empty means anybody.
	Caller string
	// Key is the idempotency key that the client sent. It has passed drop.CheckKey.
	Key string
	// If Replayed is not nil, a successful call sets it to whether the answer is that of an earlier call.
	Replayed *bool
	// Rehearsal, if not nil, is set when the call is about a drop that a rehearsal sells.
	Rehearsal *bool
}

// meets notes which drop the call is about.
func (r Retry) meets(l *lane) {
	if r.Rehearsal != nil && l.rehearses() {
		*r.Rehearsal = true
	}
}

func (r Retry) tell(replayed bool) {
	if r.Replayed != nil {
		*r.Replayed = replayed
	}
}

// key returns the key of a call. asked is the text of its request.
func (r Retry) key(operation string, asked drop.Asked) drop.Key {
	if r.Key == "" {
		return drop.Key{}
	}
	return drop.NewKey(r.Caller, operation, r.Key, asked)
}

// under wraps a command with the retry's key, if it has one.
func (r Retry) under(id drop.ID, cmd drop.Repeatable) drop.Command {
	if r.Key == "" {
		return cmd
	}
	return drop.Keyed{Key: r.key(cmd.Operation(), cmd.Asked(id)), Command: cmd}
}

// Create makes a drop. It refuses a spec that breaks a rule.
func (e *Engine) Create(ctx context.Context, spec drop.Spec, r Retry) (*View, error) {
	return e.create(ctx, spec, r.key("create", drop.AskedCreate(&spec)), r)
}

func (e *Engine) create(ctx context.Context, spec drop.Spec, key drop.Key, r Retry) (*View, error) {
	spec, err := spec.Normal()
	if err != nil {
		return nil, err
	}
	if spec.Draw.Closes != 0 {
		if err := checkRound(&spec.Draw); err != nil {
			return nil, err
		}
		keepSecrets(&spec)
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
	return viewOf(s), err // the lane's view may have moved on, and a retry with the same key gets this one
}

// Reserve holds one unit for the user. An empty size means that the caller named none.
func (e *Engine) Reserve(ctx context.Context, id drop.ID, user drop.UserID, size string, r Retry) (drop.Reservation, error) {
	return e.ReserveEarly(ctx, id, user, size, "", r)
}

// ReserveEarly is Reserve for a buyer who shows a code; empty: none.
func (e *Engine) ReserveEarly(
	ctx context.Context, id drop.ID, user drop.UserID, size, code string, r Retry,
) (drop.Reservation, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return drop.Reservation{}, err
	}
	r.meets(l)
	with, err := e.passes(ctx, &l.view.Load().Drop, user, code)
	if err != nil {
		return drop.Reservation{}, err
	}
	cmd := drop.Reserve{User: user, Size: size, Hold: e.Hold, With: with}
	if r.Key == "" {
		if refusal := l.gate(cmd); refusal != nil {
			l.metrics().refused(cmd, refusal, true)
			return drop.Reservation{}, refusal
		}
	}
	result, err := l.do(ctx, r.under(id, cmd))
	r.tell(result.Replayed)
	return result.Reservation, err
}

// Purchase completes a reservation. If owner is not 0, another user's reservation counts as not found. Purchasing a
// completed reservation returns the same purchase again.
func (e *Engine) Purchase(ctx context.Context, id drop.ReservationID, owner drop.UserID, r Retry) (drop.Purchase, error) {
	result, err := e.do(ctx, id.Drop(), r.under(id.Drop(), drop.MakePurchase{Reservation: id, Owner: owner}), r)
	r.tell(result.Replayed)
	return result.Purchase, notInDrop(err)
}

// Cancel releases the unit of a reservation. If owner is not 0, another user's reservation counts as not found.
func (e *Engine) Cancel(ctx context.Context, id drop.ReservationID, owner drop.UserID, r Retry) (drop.Reservation, error) {
	result, err := e.do(ctx, id.Drop(), r.under(id.Drop(), drop.Cancel{Reservation: id, Owner: owner}), r)
	r.tell(result.Replayed)
	return result.Reservation, notInDrop(err)
}

// Return takes the unit of a purchase back. It refuses with CodePurchaseNotFound.
func (e *Engine) Return(ctx context.Context, cmd drop.ReturnPurchase, r Retry) (drop.Purchase, error) {
	id := cmd.Purchase.Drop()
	result, err := e.do(ctx, id, r.under(id, cmd), r)
	r.tell(result.Replayed)
	if drop.CodeOf(err) == drop.CodeDropNotFound {
		err = drop.Refuse(drop.CodePurchaseNotFound)
	}
	return result.Purchase, err
}

// Restock adds or removes unsold units, and returns the drop right after that.
func (e *Engine) Restock(ctx context.Context, id drop.ID, cmd drop.Restock, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, cmd), r)
}

// Pause stops reserving in a drop, and returns the drop right after that.
func (e *Engine) Pause(ctx context.Context, id drop.ID, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, drop.Pause{}), r)
}

// Resume ends a pause, and returns the drop right after that.
func (e *Engine) Resume(ctx context.Context, id drop.ID, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, drop.Resume{}), r)
}

// Edit changes the settings in the command, all or none, and returns the drop right after that.
func (e *Engine) Edit(ctx context.Context, id drop.ID, cmd drop.Edit) (*View, error) {
	return e.change(ctx, id, cmd, Retry{})
}

func (e *Engine) change(ctx context.Context, id drop.ID, cmd drop.Command, r Retry) (*View, error) {
	result, err := e.do(ctx, id, cmd, r)
	if err != nil {
		return nil, err
	}
	r.tell(result.Replayed)
	return &View{Drop: *result.Drop, Recent: result.Recent}, nil
}

// notInDrop turns "drop not found" into "reservation not found", because the reservation's number is all that the
// caller sent.
func notInDrop(err error) error {
	if drop.CodeOf(err) == drop.CodeDropNotFound {
		return drop.Refuse(drop.CodeReservationNotFound)
	}
	return err
}
