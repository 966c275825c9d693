package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

// crowd is a store with drops of 5 units each, and one turn that is taken until free is called.
type crowd struct {
	*postgres.Store

	t     *testing.T
	drops []drop.ID
	free  func()
}

func newCrowd(t *testing.T, url string, drops int) *crowd {
	t.Helper()
	s := stores.PostgresWith(t, url, 4)
	s.Turns(1, time.Hour)
	c := &crowd{Store: s, t: t, drops: make([]drop.ID, drops)}
	for i := range c.drops {
		c.drops[i] = createDrop(t, s, 5)
	}
	first, entered, out, ended := createDrop(t, s, 5), make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.RunBatch(t.Context(), &storetest.Batch{Drop: first, Decider: func(*drop.State, drop.Time) *drop.Changes {
			close(entered)
			<-out
			return nil
		}})
	}()
	<-entered
	c.free = func() {
		close(out)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return c
}

// start runs a batch of each drop while the turn is taken, and returns channels with their results, in the order of
// the batches.
func (c *crowd) start(ctx context.Context, batches ...store.Batch) (ends []chan error) {
	c.t.Helper()
	for i, b := range batches {
		end := make(chan error, 1)
		go func() { end <- c.RunBatch(ctx, b) }()
		ends = append(ends, end)
		c.await(i + 1)
	}
	return ends
}

func (c *crowd) await(waiting int) {
	c.t.Helper()
	await.Nil(c.t, func() error {
		if n := c.Waiting(); n != waiting {
			return fmt.Errorf("%d batches wait, want %d", n, waiting)
		}
		return nil
	})
}

func (c *crowd) reserves() (batches []store.Batch) {
	for _, id := range c.drops {
		batches = append(batches, reserve(id, newBatch(), nil))
	}
	return batches
}

func (c *crowd) want(available ...int64) {
	c.t.Helper()
	for i, id := range c.drops {
		wantAvailable(c.t, c, id, available[i])
	}
}

func TestGroup_BatchesThatWaitAreOneTransaction(t *testing.T) {
	u := pgtest.Migrated(t)
	c, admin := newCrowd(t, u, 40), connect(t, u)
	batches := c.reserves()
	asked := 0
	for i := range batches {
		batches[i].(*storetest.Batch).Turn = func() drop.Need { asked++; return drop.Need{} }
		batches[i].(*storetest.Batch).Follower = func() store.Batch { t.Error("a batch of a group was asked for the next one"); return nil }
	}
	ends := c.start(t.Context(), batches...)
	again := reserve(c.drops[0], newBatch(), nil) // not in the same group as the one before it
	ends = append(ends, make(chan error, 1))
	go func() { ends[40] <- c.RunBatch(t.Context(), again) }()
	c.await(41)
	c.free()
	for _, end := range ends {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	if asked != 40 {
		t.Errorf("%d of 40 batches were told that their turn has come", asked)
	}
	wantAvailable(t, c, c.drops[0], 3)
	wantAvailable(t, c, c.drops[39], 4)
	var first, second, all int
	err := admin.QueryRow(t.Context(), `SELECT count(DISTINCT xmin::text) FILTER (WHERE id BETWEEN $1 AND $2), count(DISTINCT xmin::text) FILTER (WHERE id > $2),
		count(DISTINCT xmin::text) FROM sneakerdrop.drops WHERE id BETWEEN $1 AND $3`, int64(c.drops[1]), int64(c.drops[31]), int64(c.drops[39])).Scan(&first, &second, &all)
	if err != nil || first != 1 || second != 1 || all != 2 {
		t.Errorf("%d and %d transactions, %d in all, %v; want 32 batches in one, and the rest in another", first, second, all, err)
	}
}

func TestGroup_ALockedDropHoldsUpNoOther(t *testing.T) {
	u := pgtest.Migrated(t)
	c, admin, holder := newCrowd(t, u, 4), connect(t, u), connect(t, u)
	tx := lockDrop(t, holder, c.drops[0]) // the drop of the batch that would run them all
	ends := c.start(t.Context(), c.reserves()...)
	c.free()
	for i := 1; i < 4; i++ {
		if err := <-ends[i]; err != nil {
			t.Error(err)
		}
	}
	c.want(5, 4, 4, 4)
	awaitLockWait(t, admin) // alone
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ends[0]; err != nil {
		t.Error(err)
	}
	wantAvailable(t, c, c.drops[0], 4)
}

// A frozen replica holds the locks of more drops than there are connections. All other drops sell, and all data can
// be read.
func TestGroup_ManyLockedDropsLeaveConnections(t *testing.T) {
	u := pgtest.Migrated(t)
	s := stores.PostgresWith(t, u, 4)
	s.Turns(2, 10*time.Millisecond)
	holder, other := connect(t, u), createDrop(t, s, 5)
	var locked []drop.ID
	for range 12 {
		locked = append(locked, createDrop(t, s, 5))
	}
	tx, err := holder.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `SELECT FROM sneakerdrop.drops WHERE id > $1 FOR UPDATE`, int64(other)); err != nil {
		t.Fatal(err)
	}
	ends := make(chan error, len(locked))
	for _, id := range locked {
		go func() { ends <- s.RunBatch(t.Context(), reserve(id, newBatch(), nil)) }()
	}
	for left := int64(4); left > 0; left-- {
		time.Sleep(100 * time.Millisecond) // any number of turns could have timed out by now
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		if err := s.RunBatch(ctx, reserve(other, newBatch(), nil)); err != nil {
			t.Errorf("another drop: %v", err)
		}
		if _, err := s.Drop(ctx, other); err != nil {
			t.Errorf("a read: %v", err)
		}
		cancel()
		wantAvailable(t, s, other, left)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range locked {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	for _, id := range locked {
		wantAvailable(t, s, id, 4)
	}
}

func TestGroup_AFaultIsOfItsOwnBatch(t *testing.T) {
	c := newCrowd(t, pgtest.Migrated(t), 4)
	batches := c.reserves()
	decide := batches[1].(*storetest.Batch).Decider
	batches[1].(*storetest.Batch).Decider = func(s *drop.State, now drop.Time) *drop.Changes {
		changes := decide(s, now)
		s.Sizes[0].Stock.Held++ // violates a CHECK
		return changes
	}
	nowhere := reserve(drop.MaxID, newBatch(), nil)
	ends := c.start(t.Context(), append(batches, nowhere)...)
	c.free()
	for i, end := range ends {
		switch err := <-end; {
		case i == 1:
			wantClass(t, err, store.ClassFault)
		case i == 4 && drop.CodeOf(err) != drop.CodeDropNotFound, i != 4 && err != nil:
			t.Errorf("batch %d: %v", i, err)
		}
	}
	c.want(4, 5, 4, 4)
}

func TestGroup_LostAnswerOfCommitIsUnknownToAll(t *testing.T) {
	for _, moment := range []pgtest.Moment{pgtest.BeforeCommit, pgtest.AtCommit, pgtest.AfterCommit} {
		t.Run(moment.String(), func(t *testing.T) {
			p, through := pgtest.NewProxy(t, pgtest.Migrated(t))
			c := newCrowd(t, through, 3)
			names, batches := make([]drop.BatchID, 3), make([]store.Batch, 3)
			for i, id := range c.drops {
				names[i] = newBatch()
				batches[i] = reserve(id, names[i], nil)
			}
			ends := c.start(t.Context(), batches...)
			p.Next(moment, (*pgtest.Line).Cut)
			c.free()
			found := 0
			for i, end := range ends {
				wantClass(t, <-end, store.ClassUnknown)
				here, err := c.Committed(t.Context(), c.drops[i], names[i], 1)
				if err != nil {
					t.Error(err)
				}
				left := int64(5)
				if here {
					found++
					left--
				}
				wantAvailable(t, c, c.drops[i], left)
			}
			if found != 0 && found != 3 || found != 0 && moment == pgtest.BeforeCommit || found == 0 && moment == pgtest.AfterCommit {
				t.Errorf("%d of 3 batches took effect", found)
			}
		})
	}
}

func TestGroup_WhoseContextEndsWritesNothing(t *testing.T) {
	c := newCrowd(t, pgtest.Migrated(t), 2)
	ctx, cancel := context.WithCancel(t.Context())
	batches := c.reserves()
	ends := c.start(ctx, batches[0])
	cancel()
	wantClass(t, <-ends[0], store.ClassUnavailable)
	ends = c.start(t.Context(), batches[1])
	c.free()
	if err := <-ends[0]; err != nil {
		t.Error(err)
	}
	c.want(5, 4)
}

// Batches that only confirm a state, and batches that change nothing, can be in groups too.
func TestGroup_OfBatchesThatChangeNothing(t *testing.T) {
	c := newCrowd(t, pgtest.Migrated(t), 3)
	nothing := func(*drop.State, drop.Time) *drop.Changes { return nil }
	ends := c.start(t.Context(), &storetest.Batch{Drop: c.drops[0], Decider: nothing},
		&storetest.Batch{Drop: c.drops[1], Decider: nothing, Confirm: func() bool { return true }}, c.reserves()[2])
	c.free()
	for _, end := range ends {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	c.want(5, 5, 4)
}

// As many drops as there are turns wait for locks that another replica holds. The other drops wait no longer than
// they must.
func TestTurns_LapseWhileALockIsWaitedFor(t *testing.T) {
	u := pgtest.Migrated(t)
	s, admin, holder := open(t, u), connect(t, u), connect(t, u)
	s.Turns(1, 50*time.Millisecond)
	locked, other := createDrop(t, s, 5), createDrop(t, s, 5)
	tx := lockDrop(t, holder, locked)
	waits := make(chan error, 1)
	go func() { waits <- s.RunBatch(t.Context(), reserve(locked, newBatch(), nil)) }()
	awaitLockWait(t, admin)
	if err := s.RunBatch(t.Context(), reserve(other, newBatch(), nil)); err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-waits; err != nil {
		t.Error(err)
	}
}
