package engine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// batch is a set of commands that the store commits together. It holds the commands, the list of what is not loaded
// for them, and the result of the last attempt. A batch that follows another may have no commands.
type batch struct {
	lane  *lane
	calls []*call
	cmds  []drop.Command
	alone bool   // no batch may follow it directly
	next  *batch // follows this batch, whether it succeeds or not
	omitted
	needs drop.Need
	begun store.Begun
	fixed bool // takes no more calls, because it has begun or was tried
	began time.Time
	// unless is the version that a failed attempt would have committed. The attempt had no effect unless the drop has
	// moved on from there; 0 means that there is none. unclear says that the drop has moved on.
	unless  int64
	unclear bool
	decided
}

// decided is the result of the last attempt at a batch.
type decided struct {
	id      drop.BatchID
	late    int      // index of the first call that was admitted by admission.go
	after   drop.Seq // of the state that the attempt was decided on
	version int64    // of the same state
	// before is the batch that had last changed the drop. confirms says that this batch makes a small write: see
	// confirm.go.
	before   drop.BatchID
	confirms bool
	results  []drop.Result
	changes  *drop.Changes
	view     *View
	// asked is the local time at or before which the store read its clock for the attempt. now is the batch's time by
	// the store's clock.
	asked time.Time
	now   drop.Time
	// deadline is the earliest end of a hold that the attempt saw. If needs.Deadline is set, no hold ends earlier.
	deadline drop.Time
}

func newBatch(l *lane, calls []*call) *batch {
	b := &batch{lane: l, calls: calls, began: time.Now(), cmds: make([]drop.Command, len(calls))}
	b.lookUp = l.repeats > 0
	for i, c := range calls {
		b.cmds[i] = c.cmd
	}
	b.needs = b.need()
	return b
}

// need returns what the commands need, without what is left out (see omitted).
func (b *batch) need() drop.Need {
	l, need := b.lane, drop.NeedOf(b.cmds)
	// A timer may fire before the store's clock reaches its moment, if that clock was set in the meantime. Its batch
	// looks the deadline up even so, because otherwise no timer would be left.
	need.Deadline = l.unsure || l.overdue() || slices.Contains(b.cmds, drop.Command(drop.Expire{}))
	b.leaveOut(&need, !l.view.Load().Drop.Limited())
	return need
}

// Of implements store.Batch.
func (b *batch) Of() drop.ID { return b.lane.id }

// Begin implements store.Batch.
func (b *batch) Begin(with store.Begun) { b.begun = with }

// Begun implements store.Batch.
func (b *batch) Begun() store.Begun { return b.begun }

// Confirms implements store.Batch.
func (b *batch) Confirms() bool { return b.confirms }

// Needs implements store.Batch. It takes in the calls that arrived while the batch waited for its turn in the store.
func (b *batch) Needs() drop.Need {
	if b.fixed {
		return b.needs
	}
	b.asked = time.Now()
	grown := false
	if !b.alone {
		more := b.lane.dequeueMore(b.lane.engine.MaxBatch - len(b.calls))
		grown = len(more) > 0
		b.calls = append(b.calls, more...)
		for _, c := range more {
			b.cmds = append(b.cmds, c.cmd)
		}
	}
	if grown || b.missed {
		b.needs = b.need()
	}
	return b.needs
}

// Next implements store.Batch.
func (b *batch) Next() store.Batch {
	if b.alone || b.next != nil { // an earlier attempt has already returned it
		return nil
	}
	calls, ok := b.lane.dequeueNext(b.manyPlain())
	if !ok {
		return nil
	}
	b.next = newBatch(b.lane, calls)
	b.next.fixed = true
	return b.next
}

// abandonNext fails the batch that was to follow, just as abandonQueue fails the waiting calls.
func (b *batch) abandonNext() {
	if b.next == nil || b.next.begun != nil {
		return
	}
	fail(b.next.calls)
	b.next = nil
}

// Decide implements store.Batch.
func (b *batch) Decide(s *drop.State, now drop.Time) *drop.Changes {
	b.lane.engine.offset.sample(now)
	b.confirms, b.changes = false, nil
	b.unclear = b.unless != 0 && b.unless != s.Version
	if b.unclear {
		return nil
	}
	if b.misses(b.needsUsers(s), false) {
		return nil
	}
	b.lane.rivals.found(s.Version)
	b.after, b.version, b.unless = s.Seq, s.Version, 0
	b.now, b.before = max(now, s.LastAt), s.Batch
	b.admit(s)
	b.results, b.changes = drop.Apply(s, now, b.id, b.cmds)
	b.dismiss()
	if b.misses(false, b.needsKeys(b.cmds, b.changes)) {
		return nil
	}
	b.view = viewAfter(s, b.needs.Recent, b.lane.view.Load())
	b.deadline = s.Deadline
	b.confirms = b.changes == nil && b.before != b.lane.lasting && b.saysYes()
	return b.changes
}

// wakes returns when the lane must run another batch. If this one has offered units to a line that keeps more, that is
// at once. A batch that could offer none leaves it to the sweep, so that a lane never spins.
func (b *batch) wakes() drop.Time {
	if b.changes != nil && b.view.Drop.HandsOver() {
		return atOnce
	}
	return earlier(b.deadline, b.view.Drop.KeptUntil())
}

// earlier returns the earlier of two moments of which 0 stands for none.
func earlier(a, b drop.Time) drop.Time {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

var errHidden = errors.New("other batches committed in between")

// commit tries the batch until it has taken effect exactly once, is refused, or the store has failed for RetryFor.
func (b *batch) commit(ctx context.Context) error {
	err := b.try(ctx)
	if err != nil && b.unless != 0 {
		err = fmt.Errorf("%w: the look-up could not tell whether it took effect: %w", ErrOutcomeUnknown, err)
	} else if err != nil && b.confirms && drop.CodeOf(err) == "" {
		err = fmt.Errorf("%w: it is stored, but the store did not confirm it: %w", ErrOutcomeUnknown, err)
	}
	return err
}

func (b *batch) try(ctx context.Context) error {
	e := b.lane.engine
	r := e.newRetry()
	for {
		b.id = newBatchID()
		if b.missed {
			b.needs = b.need()
		}
		err := b.attempt(ctx)
		switch {
		case store.ClassOf(err) == store.ClassUnknown && b.confirms: // the batch wrote nothing that matters, so there is nothing to look up
			err = &store.Error{Op: "confirm", Class: store.ClassRolledBack, Err: err}
		case err != nil && store.ClassOf(err) == store.ClassUnknown:
			var committed bool
			if committed, err = b.resolve(ctx, err); committed {
				return nil
			}
			b.doubt()
		}
		switch {
		case err == nil && b.unclear:
			return errHidden
		case err == nil && b.missed, b.usedKey(err) && b.misses(false, true):
			continue
		}
		if err == nil || !r.helps(err) {
			return err
		}
		if !r.wait(ctx) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
}

// doubt records that the last attempt may have taken effect although the look-up did not find it. An attempt that
// moved no units leaves its id only on the drop, and the next batch of another replica overwrites it.
func (b *batch) doubt() {
	if b.changes != nil && len(b.changes.Ledger) == 0 {
		b.unless = b.version
	}
}

// faulted reports that the store can never take this batch, and that nothing was written.
func (b *batch) faulted(err error) bool {
	return store.ClassOf(err) == store.ClassFault && drop.CodeOf(err) == "" && !errors.Is(err, ErrOutcomeUnknown)
}

func (b *batch) attempt(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	if b.asked = time.Now(); b.begun != nil {
		b.asked = b.began // the store has read its clock since then, behind the COMMIT of the batch before
	}
	err := b.lane.engine.store.RunBatch(ctx, b)
	b.begun, b.fixed = nil, true // the next attempt starts over with the same commands
	if err != nil && drop.CodeOf(err) == "" && !b.usedKey(err) {
		b.lane.engine.Metrics.storeError(err)
	}
	return err
}

// resolve finds out whether a commit took effect after its answer was lost. If it did not, resolve returns an error
// after which the batch can be tried again.
func (b *batch) resolve(ctx context.Context, cause error) (bool, error) {
	e := b.lane.engine
	r := e.newRetry()
	e.Log.Warn("the outcome of a commit is unknown; looking it up", "drop", b.lane.id, "err", cause)
	for {
		committed, err := e.store.Committed(ctx, b.lane.id, b.id, b.after)
		if err == nil && committed {
			return true, nil
		}
		if err == nil {
			return false, &store.Error{Op: "commit", Class: store.ClassRolledBack, Err: cause}
		}
		if !r.wait(ctx) {
			return false, fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
		}
	}
}

func newBatchID() (id drop.BatchID) {
	_, _ = rand.Read(id[:]) // crypto/rand.Read never returns an error
	return id
}
