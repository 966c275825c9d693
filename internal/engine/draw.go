package engine

import (
	"context"
	"crypto/rand"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// keepSecrets makes the key of a new draw and, unless the shop commits to a seed of its own, the seed.
func keepSecrets(spec *drop.Spec) {
	spec.Secrets = &drop.DrawSecrets{Key: make([]byte, 32)}
	_, _ = rand.Read(spec.Secrets.Key) // never fails
	if spec.Draw.Commitment != (drop.Hash{}) {
		return
	}
	var seed draw.Seed
	_, _ = rand.Read(seed[:])
	spec.Secrets.Seed = seed[:]
	spec.Draw.Commitment = drop.Hash(draw.Commit(seed))
}

// checkRound refuses a round of the beacon that is known before the draw closes.
func checkRound(t *drop.Draw) error {
	if t.Chain == "" {
		return nil
	}
	round, err := draw.RoundOf(t.Chain, t.Round)
	if err != nil {
		return err
	}
	due, err := round.Due()
	if err == nil && due <= draw.Time(t.Closes) {
		err = drop.Invalid("draw.round", "must come after draw.closes, and the network publishes it before")
	}
	return err
}

// Enter enters the user in the draw of a drop. sizes are the labels of the wanted sizes, the favorite first. See
// drop.Enter.
func (e *Engine) Enter(ctx context.Context, id drop.ID, user drop.UserID, sizes []string, r Retry) (drop.DrawEntry, error) {
	return e.EnterEarly(ctx, id, user, sizes, "", r)
}

// EnterEarly is Enter for a buyer who shows a code; empty: none.
func (e *Engine) EnterEarly(
	ctx context.Context, id drop.ID, user drop.UserID, sizes []string, code string, r Retry,
) (drop.DrawEntry, error) {
	l, err := e.lane(ctx, id)
	if err != nil {
		return drop.DrawEntry{}, err
	}
	with, err := e.passes(ctx, &l.view.Load().Drop, user, code)
	if err != nil {
		return drop.DrawEntry{}, err
	}
	return e.drawEntry(ctx, id, drop.Enter{User: user, Sizes: sizes, With: with}, r)
}

// Withdraw takes the user out of the draw of a drop. See drop.Withdraw.
func (e *Engine) Withdraw(ctx context.Context, id drop.ID, user drop.UserID, r Retry) (drop.DrawEntry, error) {
	return e.drawEntry(ctx, id, drop.Withdraw{User: user}, r)
}

// RemoveEntry takes an entry out of the draw for a reason that everybody can read. See drop.Remove.
func (e *Engine) RemoveEntry(ctx context.Context, id drop.EntryID, reason string, r Retry) (drop.DrawEntry, error) {
	return e.drawEntry(ctx, id.Drop(), drop.Remove{Entry: id, Reason: reason}, r)
}

func (e *Engine) drawEntry(ctx context.Context, id drop.ID, cmd drop.Repeatable, r Retry) (drop.DrawEntry, error) {
	result, err := e.do(ctx, id, r.under(id, cmd), r)
	r.tell(result.Replayed)
	if err != nil {
		return drop.DrawEntry{}, err
	}
	return *result.DrawEntry, nil
}

// DrawEntries returns at most limit entries of a drop's draw after that one, in the order of their numbers. It refuses
// with CodeDropNotFound.
func (e *Engine) DrawEntries(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.DrawEntry, error) {
	return Ask(ctx, e, func(s store.Records) ([]drop.DrawEntry, error) { return s.DrawEntries(ctx, id, after, limit) })
}

// DrawEntriesOf returns a user's entries in a drop's draw, in any order. It refuses with CodeDropNotFound.
func (e *Engine) DrawEntriesOf(ctx context.Context, id drop.ID, user drop.UserID) ([]drop.DrawEntry, error) {
	return Ask(ctx, e, func(s store.Records) ([]drop.DrawEntry, error) { return s.DrawEntriesOf(ctx, id, user) })
}

// CloseDraw ends the time to enter a drop's draw, once it is over, and returns the drop. See drop.CloseDraw.
func (e *Engine) CloseDraw(ctx context.Context, id drop.ID) (drop.Drop, error) {
	return e.drawStep(ctx, id, drop.CloseDraw{})
}

// LineUp gives the next places in line that follow from a draw, and returns the drop. See drop.LineUp.
func (e *Engine) LineUp(ctx context.Context, id drop.ID, cmd drop.LineUp) (drop.Drop, error) {
	return e.drawStep(ctx, id, cmd)
}

func (e *Engine) drawStep(ctx context.Context, id drop.ID, cmd drop.Command) (drop.Drop, error) {
	result, err := e.do(ctx, id, cmd, Retry{})
	if err != nil {
		return drop.Drop{}, err
	}
	return *result.Drop, nil
}
