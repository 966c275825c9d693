package events

import (
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// shelf is some drops without an engine.
type shelf struct {
	drops      []*drop.Drop
	generation uint64
	looks      int
}

func (s *shelf) Generation() uint64 { return s.generation }
func (s *shelf) Queued() int        { return 0 }
func (s *shelf) All() iter.Seq[*drop.Drop] {
	s.looks++
	return slices.Values(s.drops)
}

// put adds a drop, and what is known of it: nothing, an older version, or the newest.
func (s *shelf) put(f *Feed, version, known int64, at drop.Time) {
	d := &drop.Drop{ID: drop.ID(len(s.drops) + 1), Version: version}
	s.drops = append(s.drops, d)
	if known > 0 {
		f.heads[d.ID] = store.Head{ID: d.ID, Version: known, LastAt: at}
	}
}

// Pending finds the same drops whether or not it may leave out those that nothing has happened to of late.
func TestPending_LeavesNothingOut(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 0))
		days := func() drop.Time {
			return drop.TimeOf(time.Now().Add(-time.Duration(r.Int64N(int64(10 * 24 * time.Hour)))))
		}
		shared, found := 0, 0
		for range 2000 {
			s := &shelf{}
			f := New(nil, s, "EUR", slog.New(slog.DiscardHandler))
			f.read = true
			for range r.IntN(8) {
				version := r.Int64N(3) + 1
				s.put(f, version, r.Int64N(version+1), days())
			}
			for range 3 { // cursors of one generation
				c := Cursor{Settled: days(), From: drop.MaxID + 1}.Clone()
				if r.IntN(4) == 0 {
					c.From = drop.ID(r.IntN(9))
				}
				for _, d := range s.drops {
					if r.IntN(3) == 0 {
						c.Drops[d.ID] = Position{Version: r.Int64N(d.Version + 1), Skip: r.Int64N(2)}
					}
				}
				var want []drop.ID
				for _, d := range s.drops {
					if f.pends(&c, d) {
						want = append(want, d.ID)
					}
				}
				got, err := f.Pending(t.Context(), c, Filter{})
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%v, %v, want %v of %+v with %+v behind %+v", got, err, want, s.drops, f.heads, c)
				}
				found += len(got)
				if f.active.has(&c) {
					shared++
				}
			}
		}
		if shared < 500 || found < 500 {
			t.Errorf("%d cursors needed no look at all drops, and %d drops were found: the test shows too little", shared, found)
		}
	})
}

// Many readers of one generation look at all drops once.
func TestPending_OneLookForAllReaders(t *testing.T) {
	s := &shelf{}
	f := New(nil, s, "EUR", slog.New(slog.DiscardHandler))
	f.read = true
	long := drop.TimeOf(time.Now().Add(-100 * 24 * time.Hour))
	for range 1000 {
		s.put(f, 1, 1, long)
	}
	c := Cursor{Settled: drop.TimeOf(time.Now().Add(-settleAfter)), From: drop.MaxID + 1}
	pending := func() []drop.ID {
		t.Helper()
		got, err := f.Pending(t.Context(), c, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 50 {
		if got := pending(); len(got) > 0 {
			t.Fatal(got)
		}
	}
	if s.looks != 1 {
		t.Errorf("%d looks at all drops, want 1", s.looks)
	}
	s.drops[7] = &drop.Drop{ID: 8, Version: 2}
	s.generation++
	for range 50 {
		if got := pending(); !slices.Equal(got, []drop.ID{8}) {
			t.Fatal(got)
		}
	}
	if s.looks != 2 {
		t.Errorf("%d looks at all drops after a change, want 2", s.looks)
	}
}

func BenchmarkPending(b *testing.B) {
	s := &shelf{}
	f := New(nil, s, "EUR", slog.New(slog.DiscardHandler))
	f.read = true
	for range 10_000 {
		s.put(f, 1, 1, 1)
	}
	c := Cursor{Settled: drop.TimeOf(time.Now()), From: drop.MaxID + 1}.Clone()
	for b.Loop() {
		if p, err := f.Pending(b.Context(), c, Filter{}); err != nil || len(p) > 0 {
			b.Fatal(len(p), err)
		}
	}
}
