package drawing

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

// Reveal is what an operator makes known of a draw after its close.
type Reveal struct {
	// Seed is the seed that the shop has kept; nil: nothing about it.
	Seed *draw.Seed
	// Signature and Previous are those of the beacon's round; nil: nothing about them.
	Signature, Previous draw.Hex
}

// beaconRound is store.Draw.Beacon.
type beaconRound struct {
	Round             int64     `json:"round"`
	Randomness        draw.Hash `json:"randomness"`
	Signature         draw.Hex  `json:"signature"`
	PreviousSignature draw.Hex  `json:"previous_signature,omitzero"`
}

func encodeRound(b *draw.Beacon) (string, error) {
	text, err := json.Marshal(&beaconRound{b.Round, b.Randomness, b.Signature, b.PreviousSignature})
	if err != nil {
		return "", fmt.Errorf("encode the beacon's round: %w", err)
	}
	return string(text), nil
}

// decodeRound fills what encodeRound wrote into a round.
func decodeRound(stored string, b *draw.Beacon) error {
	var r beaconRound
	if err := json.Unmarshal([]byte(stored), &r, json.RejectUnknownMembers(true)); err != nil {
		return fmt.Errorf("read the stored round of the beacon: %w", err)
	}
	b.Randomness, b.Signature, b.PreviousSignature = r.Randomness, r.Signature, r.PreviousSignature
	return b.Verify()
}

// Reveal stores the seed, the beacon's round or both. The draw goes on at once. What is known already stays, and a
// Reveal of the same is no error. It refuses with CodeDropNotFound, CodeNoDraw, and before the close with
// CodeDrawOpen. A seed that the shop did not commit to, and a round that the network did not sign, are CodeInvalid.
func (d *Desk) Reveal(ctx context.Context, id drop.ID, r Reveal) error {
	of, kept, err := d.row(ctx, id)
	if err != nil {
		return err
	}
	if of.DrawState.Phase == drop.Entering && d.engine.Now() < of.Draw.Closes {
		return drop.Refuse(drop.CodeDrawOpen)
	}
	beacon, err := beaconOf(&of.Draw)
	if err != nil {
		return err
	}
	if refusal := r.check(&of.Draw, beacon); refusal != nil {
		return refusal
	}
	_, err = d.change(ctx, id, kept, func(k *store.Draw) (err error) {
		if r.Seed != nil && len(k.Secrets.Seed) == 0 {
			k.Secrets.Seed = r.Seed[:]
		}
		if r.Signature != nil && k.Beacon == "" {
			k.Beacon, err = encodeRound(beacon)
		}
		return err
	})
	if err != nil {
		return err
	}
	d.Logger.Info("an operator revealed what a draw waited for", "drop", int64(id), "seed", r.Seed != nil, "beacon", r.Signature != nil)
	d.wake()
	return nil
}

// check refuses what does not fit the terms. It fills the beacon's round in.
func (r *Reveal) check(t *drop.Draw, beacon *draw.Beacon) error {
	switch {
	case r.Seed == nil && r.Signature == nil:
		return drop.Invalid("seed", "must be given, or beacon")
	case r.Seed != nil && draw.Commit(*r.Seed) != draw.Hash(t.Commitment):
		return drop.Invalid("seed", "must be the one that the shop committed to")
	case r.Signature == nil:
		return nil
	case beacon == nil:
		return drop.Invalid("beacon", "must be left out, because the seed alone decides this draw")
	}
	beacon.Signature, beacon.Randomness = r.Signature, sha256.Sum256(r.Signature)
	if len(r.Previous) > 0 {
		beacon.PreviousSignature = r.Previous
	}
	if beacon.Verify() != nil {
		return drop.Invalid("beacon.signature", fmt.Sprintf("must be that of %s for round %d", t.Chain, t.Round))
	}
	return nil
}

// change stores a change of what is kept of a draw, and returns what is kept then. Another server may change it too, so
// change tries again with what is there then: edit must change only what is still empty.
func (d *Desk) change(ctx context.Context, id drop.ID, old store.Draw, edit func(*store.Draw) error) (store.Draw, error) {
	for range maxTries {
		to := old
		if err := edit(&to); err != nil {
			return old, err
		}
		done, err := engine.Ask(ctx, d.engine, func(s store.Records) (bool, error) { return s.ReplaceDraw(ctx, id, &old, &to) })
		if done || err != nil {
			return to, err
		}
		if old, err = d.kept(ctx, id); err != nil {
			return old, err
		}
	}
	return old, fmt.Errorf("what is kept of the draw of drop %d keeps changing", id)
}

// maxTries is how often a change is tried. Each part of what is kept changes once, so fewer are enough.
const maxTries = 10
