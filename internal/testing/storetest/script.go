package storetest

import (
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Batch is a store.Batch made of values and functions; only Drop and Decider are required.
type Batch struct {
	Drop     drop.ID
	Need     drop.Need
	Turn     func() drop.Need // instead of Need
	Decider  func(s *drop.State, now drop.Time) *drop.Changes
	Confirm  func() bool
	Follower func() store.Batch

	begun store.Begun
}

// Of implements store.Batch.
func (b *Batch) Of() drop.ID { return b.Drop }

// Needs implements store.Batch.
func (b *Batch) Needs() drop.Need {
	if b.Turn != nil {
		return b.Turn()
	}
	return b.Need
}

// Decide implements store.Batch.
func (b *Batch) Decide(s *drop.State, now drop.Time) *drop.Changes { return b.Decider(s, now) }

// Confirms implements store.Batch.
func (b *Batch) Confirms() bool { return b.Confirm != nil && b.Confirm() }

// Next implements store.Batch.
func (b *Batch) Next() store.Batch {
	if b.Follower == nil {
		return nil
	}
	return b.Follower()
}

// Begin implements store.Batch.
func (b *Batch) Begin(with store.Begun) { b.begun = with }

// Begun implements store.Batch. Running it again begins it anew.
func (b *Batch) Begun() store.Begun {
	with := b.begun
	b.begun = nil
	return with
}

// IsBegun reports whether the store has begun the batch, and has not run it since.
func (b *Batch) IsBegun() bool { return b.begun != nil }

// Over is a batch with functions instead of some of its methods.
type Over struct {
	store.Batch

	Need     func() drop.Need
	Decider  func(s *drop.State, now drop.Time) *drop.Changes
	Follower func() store.Batch
	Anew     bool // what was begun of it is not told
}

// Needs implements store.Batch.
func (b *Over) Needs() drop.Need {
	if b.Need != nil {
		return b.Need()
	}
	return b.Batch.Needs()
}

// Decide implements store.Batch.
func (b *Over) Decide(s *drop.State, now drop.Time) *drop.Changes {
	if b.Decider != nil {
		return b.Decider(s, now)
	}
	return b.Batch.Decide(s, now)
}

// Next implements store.Batch.
func (b *Over) Next() store.Batch {
	if b.Follower != nil {
		return b.Follower()
	}
	return b.Batch.Next()
}

// Begun implements store.Batch.
func (b *Over) Begun() store.Begun {
	if b.Anew {
		return nil
	}
	return b.Batch.Begun()
}

// None is a Follower without a batch.
func None() store.Batch { return nil }

// Begun is what a test begins of a batch.
type Begun drop.ID

// Behind implements store.Begun.
func (b Begun) Behind() drop.ID { return drop.ID(b) }
