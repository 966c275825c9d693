package drawing_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

func localNow() drop.Time { return drop.TimeOf(time.Now()) }

var (
	theSeed = draw.Seed{1, 2, 3, 0xab, 0xcd}
	theKey  = bytes.Repeat([]byte{0x5e}, 32)
)

// opensIn and closesIn are how long after its creation a draw opens and closes.
const opensIn, closesIn = time.Second, time.Minute

// terms returns a drop with a draw that a shop with its own seed would make.
func terms(now drop.Time, units ...int64) drop.Spec {
	s := drop.Spec{
		Name: "Comet", Price: 12000, StartTime: now.Add(closesIn),
		Draw:    drop.Draw{Opens: now.Add(opensIn), Closes: now.Add(closesIn), Commitment: drop.Hash(draw.Commit(theSeed))},
		Secrets: &drop.DrawSecrets{Seed: theSeed[:], Key: theKey},
	}
	if len(units) == 1 {
		s.TotalStock = &units[0]
		return s
	}
	for i, n := range units {
		s.Sizes = append(s.Sizes, drop.SizeSpec{Label: strconv.Itoa(9 + i), Stock: n})
	}
	return s
}

// create stores a drop with exactly those secrets.
func create(t testing.TB, s store.Store, spec drop.Spec) drop.ID {
	t.Helper()
	normal, err := spec.Normal()
	if err != nil {
		t.Fatal(err)
	}
	made, _, err := s.CreateDrop(t.Context(), normal, drop.BatchID{}, drop.Key{})
	if err != nil {
		t.Fatal(err)
	}
	return made.Drop.ID
}

// server is an engine and a desk that runs.
type server struct {
	*engine.Engine
	desk *drawing.Desk
	logs *logs
	stop func()
}

// logs keeps what is logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts a server. It stops when the test ends, or before.
func serve(t testing.TB, s store.Store, o drawing.Options) *server {
	t.Helper()
	e := engine.New(s, engine.Config{Log: slog.New(slog.DiscardHandler)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := &server{Engine: e, logs: new(logs)}
	o.Logger = slog.New(slog.NewTextHandler(v.logs, nil))
	v.desk = drawing.New(e, o)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { v.desk.Run(ctx) })
	v.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		_ = e.Stop(context.Background())
		noSecrets(t, v.logs.String())
	})
	t.Cleanup(v.stop)
	return v
}

// noSecrets checks that a text has neither the seed nor the key.
func noSecrets(t testing.TB, text string) {
	t.Helper()
	seed, _ := theSeed.MarshalText()
	for _, secret := range []string{string(seed), hex.EncodeToString(theKey), fmt.Sprintf("%d", theSeed[:]), fmt.Sprintf("%d", theKey)} {
		if strings.Contains(text, secret) {
			t.Errorf("a log has a secret: %s", text)
		}
	}
}

// enter enters users from 1 on, all at once. sizes says who wants what.
func (v *server) enter(t testing.TB, id drop.ID, users int, sizes func(user int) []string) {
	t.Helper()
	for user := 1; user <= users; user++ { // one after the other, so that numbers are those of the users
		e, err := v.Enter(t.Context(), id, drop.UserID(user), sizes(user), engine.Retry{})
		if err != nil || e.Number() != uint32(user) {
			t.Fatalf("user %d entered: %+v, %v", user, e, err)
		}
	}
}

func noSize(int) []string { return nil }

// ranked lets users rank one to three of the sizes 9, 10 and 11.
func ranked(user int) []string {
	labels := []string{"9", "10", "11"}
	first := user % 3
	return slices.Concat(labels[first:], labels[:first])[:1+user/3%3]
}

// until waits until the draw is in a phase.
func (v *server) until(t testing.TB, id drop.ID, phase drop.DrawPhase) *drop.Drop {
	t.Helper()
	for range 600 {
		if d := v.drop(t, id); d.DrawState.Phase == phase {
			return d
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("the draw is not in phase %d: %+v\n%s", phase, v.drop(t, id).DrawState, v.logs)
	return nil
}

func (v *server) drop(t testing.TB, id drop.ID) *drop.Drop {
	t.Helper()
	seen, err := v.View(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return &seen.Drop
}

// text returns what is public of a draw.
func (v *server) text(t testing.TB, id drop.ID, final bool) []byte {
	t.Helper()
	p, err := v.desk.Public(t.Context(), id)
	if err != nil || p.Final != final || (p.Gzip != nil) != final || (p.JSON != nil) == final || len(p.ETag) != 34 {
		t.Fatalf("public: final %t, %d and %d bytes, ETag %s, %v", p.Final, len(p.JSON), len(p.Gzip), p.ETag, err)
	}
	from, err := p.Text()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	if final {
		z, err := gzip.NewReader(bytes.NewReader(p.Gzip))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := io.ReadAll(z); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("the compressed text is another: %v", err)
		}
	}
	return text
}

// result is what came of a draw.
type result struct {
	text string
	line []drop.Place
}

// check checks all that follows from a draw, and returns it.
func (v *server) check(t testing.TB, s store.Store, id drop.ID) result {
	t.Helper()
	d := v.until(t, id, drop.Drawn)
	text := v.text(t, id, true)
	record, err := draw.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := record.Verify(); err != nil {
		t.Fatal(err)
	}
	entries, err := s.DrawEntries(t.Context(), id, 0, drop.MaxEntries)
	if err != nil || len(entries) != record.Count {
		t.Fatalf("%d entries, the record has %d: %v", len(entries), record.Count, err)
	}
	var want []drop.Place
	for _, w := range record.Winners {
		want = append(want, drop.Place{User: entries[w.Entry-1].UserID, Size: w.Size})
	}
	winners := len(want)
	for _, n := range record.RunnersUp {
		for _, size := range record.Entries[n-1].Sizes {
			want = append(want, drop.Place{User: entries[n-1].UserID, Size: size})
		}
	}
	if int(d.DrawState.Lined) != len(want) {
		t.Fatalf("%d places in line, want %d", d.DrawState.Lined, len(want))
	}
	v.outcomes(t, entries, record)
	v.offers(t, id, want, winners)
	return result{string(text), want}
}

// outcomes checks that each buyer finds its entry by its receipt, and that the desk says the same of it.
func (v *server) outcomes(t testing.TB, entries []drop.DrawEntry, record *draw.Record) {
	t.Helper()
	for i := range entries {
		receipts, err := v.desk.Receipts(t.Context(), entries[i].ID.Drop())
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := receipts.Of(&entries[i])
		if err != nil {
			t.Fatal(err)
		}
		want, err := record.Find(receipt)
		if err != nil {
			t.Fatal(err)
		}
		if got, drawn, err := v.desk.Outcome(t.Context(), &entries[i]); err != nil || !drawn || got != want {
			t.Fatalf("entry %d: %+v, %t, %v; the record says %+v", i+1, got, drawn, err, want)
		}
	}
}

// offers checks the line, and that exactly the winners have offers.
func (v *server) offers(t testing.TB, id drop.ID, want []drop.Place, winners int) {
	t.Helper()
	var line []drop.Entry
	for range 100 { // units are offered batch by batch
		var err error
		if line, err = v.Line(t.Context(), id, 0, len(want)+10); err != nil || len(line) != len(want) {
			t.Fatalf("%d places in line, want %d: %v", len(line), len(want), err)
		}
		if !v.drop(t, id).HandsOver() {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	for i := range line {
		e := &line[i]
		if got := (drop.Place{User: e.UserID, Size: e.Line}); e.ID != drop.NewEntryID(id, uint32(i+1)) || got != want[i] {
			t.Fatalf("place %d is %+v, want %+v", i+1, e, want[i])
		}
		if (e.Status == drop.Offered) != (i < winners) {
			t.Fatalf("place %d of %d, %d winners: %+v", i+1, len(want), winners, e)
		}
	}
}

// failing is a store whose calls fail from the n-th on that the desk makes, by itself or through a lane: a server that
// dies there. With after, the n-th call takes effect, and nobody learns of it.
type failing struct {
	store.Store
	n     int64
	after bool
	calls atomic.Int64
	on    atomic.Bool
}

var errDead = errors.New("the server died")

func (f *failing) call(do func() error) error {
	if !f.on.Load() {
		return do()
	}
	switch n := f.calls.Add(1); {
	case n < f.n:
		return do()
	case n == f.n && f.after:
		if err := do(); err != nil {
			return err
		}
		return &store.Error{Op: "test", Class: store.ClassUnknown, Err: errDead}
	}
	return &store.Error{Op: "test", Class: store.ClassFault, Err: errDead}
}

func (f *failing) RunBatch(ctx context.Context, b store.Batch) error {
	return f.call(func() error { return f.Store.RunBatch(ctx, b) })
}

func (f *failing) Committed(ctx context.Context, id drop.ID, b drop.BatchID, after drop.Seq) (done bool, err error) {
	err = f.call(func() (err error) {
		done, err = f.Store.Committed(ctx, id, b, after)
		return err
	})
	return done, err
}

func (f *failing) Draw(ctx context.Context, id drop.ID) (d store.Draw, found bool, err error) {
	err = f.call(func() (err error) {
		d, found, err = f.Store.Draw(ctx, id)
		return err
	})
	return d, found, err
}

func (f *failing) DrawEntries(ctx context.Context, id drop.ID, after drop.EntryID, limit int) (all []drop.DrawEntry, err error) {
	err = f.call(func() (err error) {
		all, err = f.Store.DrawEntries(ctx, id, after, limit)
		return err
	})
	return all, err
}

func (f *failing) ReplaceDraw(ctx context.Context, id drop.ID, old, to *store.Draw) (done bool, err error) {
	err = f.call(func() (err error) {
		done, err = f.Store.ReplaceDraw(ctx, id, old, to)
		return err
	})
	return done && err == nil, err
}

func newStore() store.Store { return memory.New(localNow) }

// fill stores a drop whose draw has that many entries, and closed a second ago by the machine's clock.
func fill(t *testing.T, s store.Store, id drop.ID, entries uint32, units []int64, ranking func(user int) drop.Ranking) {
	t.Helper()
	now := localNow()
	spec := terms(now.Add(-closesIn-time.Second), units...)
	normal, err := spec.Normal()
	if err != nil {
		t.Fatal(err)
	}
	state, changes := normal.Create(id, now.Add(-closesIn), drop.BatchID{})
	state.DrawState.Entered = entries
	err = s.(store.Importer).Import(t.Context(), store.IntoNothing, func(put func(store.Row) error) error {
		rows := []any{state, store.Draw{Secrets: *spec.Secrets, UpdatedAt: now}}
		for _, e := range changes.Ledger {
			rows = append(rows, e)
		}
		if changes.Revision != nil {
			rows = append(rows, *changes.Revision)
		}
		for _, row := range rows {
			if err := put(store.Row{Drop: id, Value: row}); err != nil {
				return err
			}
		}
		for n := uint32(1); n <= entries; n++ {
			e := drop.DrawEntry{
				ID: drop.NewEntryID(id, n), UserID: drop.FirstAllocatedUser + drop.UserID(n), Sizes: ranking(int(n)), CreatedAt: now.Add(-2 * time.Second),
			}
			if err := put(store.Row{Drop: id, Value: e}); err != nil {
				return err
			}
		}
		return nil
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
}
