// Package storetest tests every promise of package store on an engine. Each engine's own test calls Run; there is no
// list of exceptions.
//
// A test cannot set a store's clock (PostgreSQL has its own), so Decider sets the time. The tests apply their
// commands at moments in 2020, long past for any store. By the store's clock, every hold of those days is due, and
// the store loads it as due. The moment given to drop.Apply decides whether it ends.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"reflect"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
)

// Run runs the whole suite. For each test, open returns an empty, migrated store that uses the machine's clock, and
// closes it with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	for _, group := range [][]test{
		batchTests, needTests, lockTests, committedTests, damageTests, dropTests, userTests, subjectTests, operatorTests, keyTests,
		keyCallTests, bookTests, pageTests, eventTests, paymentTests, waitlistTests, drawTests, accessTests, fillTests, lifeTests,
	} {
		for _, test := range group {
			t.Run(test.name, func(t *testing.T) { test.run(newFixture(t, open(t))) })
		}
	}
	t.Run("Server_NamesTheEngine", func(t *testing.T) {
		if engine, _, err := open(t).Server(t.Context()); err != nil || engine == "" {
			t.Errorf("Server: %q, %v", engine, err)
		}
	})
	t.Run("Compare", func(t *testing.T) { Compare(t, open) })
}

type test struct {
	name string
	run  func(*fixture)
}

// patience limits every wait for something that must happen.
const patience = await.Patience

const (
	minute = drop.Time(60_000)
	// never is so long that no store's clock ends a hold of that length while these tests run.
	never = 150 * 365 * 24 * time.Hour
)

// base is the moment at which the tests' simulated time begins.
var base = drop.TimeOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))

// fixture is a test with its store.
type fixture struct {
	*testing.T
	store.Store
	ctx context.Context
}

func newFixture(t *testing.T, s store.Store) *fixture {
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	return &fixture{T: t, Store: s, ctx: ctx}
}

func newBatch() (b drop.BatchID) {
	_, _ = rand.Read(b[:]) // never fails
	return b
}

// plain is a drop without sizes that started before base.
func plain(stock int64) drop.Spec {
	return drop.Spec{Name: "Air Test 1", Price: 12_050, StartTime: base - minute, TotalStock: &stock}
}

// sized is a drop with sizes that started before base, with that many units of each.
func sized(stock int64, labels ...string) drop.Spec {
	spec := drop.Spec{Name: "Air Test 2", Price: 9_999, StartTime: base - minute}
	for _, label := range labels {
		spec.Sizes = append(spec.Sizes, drop.SizeSpec{Label: label, Stock: stock})
	}
	return spec
}

func limited(spec drop.Spec, limit int) drop.Spec {
	spec.LimitPerUser = limit
	return spec
}

func (f *fixture) create(spec drop.Spec) drop.ID {
	f.Helper()
	if err := spec.Check(); err != nil {
		f.Fatalf("the test's own spec: %v", err)
	}
	snapshot, _, err := f.CreateDrop(f.ctx, spec, newBatch(), drop.Key{})
	if err != nil {
		f.Fatalf("CreateDrop: %v", err)
	}
	return snapshot.Drop.ID
}

// decision is a batch applied at a simulated moment, with its results.
type decision struct {
	at    drop.Time
	batch drop.BatchID
	cmds  []drop.Command

	before  header
	results []drop.Result
	changes *drop.Changes
}

func at(now drop.Time, cmds ...drop.Command) *decision {
	return &decision{at: now, batch: newBatch(), cmds: cmds}
}

func (d *decision) decide(s *drop.State, _ drop.Time) *drop.Changes {
	d.before = headerOf(s)
	s.LastAt = min(s.LastAt, d.at) // a drop is created at the store's own time, years later
	d.results, d.changes = drop.Apply(s, d.at, d.batch, d.cmds)
	return d.changes
}

// header is the part of a State that comes from the drop's row.
type header struct {
	Drop                drop.Drop
	LastAt              drop.Time
	Seq                 drop.Seq
	Reserved, Purchased uint32
	Waited, LineClosed  uint32
	Batch               drop.BatchID
	Recent              []drop.Recent
	Deadline            drop.Time
}

func headerOf(s *drop.State) header {
	h := header{
		Drop: s.Drop, LastAt: s.LastAt, Seq: s.Seq, Reserved: s.Reserved, Purchased: s.Purchased, Waited: s.Waited, LineClosed: s.LineClosed, Batch: s.Batch,
		Recent: append([]drop.Recent(nil), s.Recent...), Deadline: s.Deadline,
	}
	h.Drop.Sizes, h.Drop.Accesses = append([]drop.Size(nil), s.Sizes...), drop.CloneAccesses(s.Accesses)
	return h
}

// run applies commands to a drop, with the need that they have, and returns their results.
func (f *fixture) run(id drop.ID, now drop.Time, cmds ...drop.Command) []drop.Result {
	f.Helper()
	d := at(now, cmds...)
	f.commit(id, drop.NeedOf(cmds), d)
	return d.results
}

func (f *fixture) commit(id drop.ID, need drop.Need, d *decision) {
	f.Helper()
	if err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: need, Decider: d.decide}); err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
}

// reserve makes a reservation that must succeed.
func (f *fixture) reserve(id drop.ID, now drop.Time, c drop.Reserve) drop.Reservation {
	f.Helper()
	if c.Hold == 0 {
		c.Hold = time.Minute
	}
	r := f.run(id, now, c)[0]
	if r.Err != nil {
		f.Fatalf("reserve: %v", r.Err)
	}
	return r.Reservation
}

// buy makes a purchase that must succeed.
func (f *fixture) buy(r drop.Reservation, now drop.Time) drop.Purchase {
	f.Helper()
	result := f.run(r.ID.Drop(), now, drop.MakePurchase{Reservation: r.ID})[0]
	if result.Err != nil {
		f.Fatalf("buy: %v", result.Err)
	}
	return result.Purchase
}

// snapshot reads a drop. It removes Now, so that two snapshots compare.
func (f *fixture) snapshot(id drop.ID) store.Snapshot {
	f.Helper()
	s, err := f.Drop(f.ctx, id)
	if err != nil {
		f.Fatalf("Drop(%d): %v", id, err)
	}
	return still(s)
}

// stock sums a drop's sizes.
func (f *fixture) stock(id drop.ID) drop.Stock {
	f.Helper()
	s := f.snapshot(id)
	return s.Drop.Stock()
}

func still(s store.Snapshot) store.Snapshot {
	s.Now = 0
	if len(s.Recent) == 0 {
		s.Recent = nil
	}
	return s
}

// load reads a drop as a batch sees it, and writes nothing.
func (f *fixture) load(id drop.ID, need drop.Need) header {
	f.Helper()
	var h header
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: need, Decider: func(s *drop.State, _ drop.Time) *drop.Changes {
		h = headerOf(s)
		return nil
	}})
	if err != nil {
		f.Fatalf("RunBatch: %v", err)
	}
	return h
}

// picture is everything that can be read of a drop, to prove that nothing was written.
type picture struct {
	snapshot store.Snapshot
	header   header
}

func (f *fixture) picture(id drop.ID) picture {
	f.Helper()
	return picture{f.snapshot(id), f.load(id, drop.Need{Recent: true, Deadline: true})}
}

func (f *fixture) reservations(user drop.UserID) []drop.Reservation {
	f.Helper()
	all, err := f.Reservations(f.ctx, user, 1000)
	if err != nil {
		f.Fatalf("Reservations(%d): %v", user, err)
	}
	return all
}

func equal[T any](f *fixture, what string, got, want T) {
	f.Helper()
	if !reflect.DeepEqual(got, want) {
		f.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

func refused(f *fixture, what string, err error, code drop.Code) {
	f.Helper()
	if drop.CodeOf(err) != code {
		f.Errorf("%s: error %v, want the refusal %s", what, err, code)
	}
}

func refusal(r drop.Result) drop.Code {
	if r.Err == nil {
		return ""
	}
	return r.Err.Code
}

func isFault(err error) bool {
	e, ok := errors.AsType[*store.Error](err)
	return ok && e.Class == store.ClassFault
}

// all runs f for 0 to n−1 concurrently and waits.
func all(n int, f func(i int)) {
	done := make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			f(i)
		}()
	}
	for range n {
		<-done
	}
}
