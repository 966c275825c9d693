package histories

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/store/sqlite"
)

// quietly keeps what goes wrong on purpose out of the log.
var quietly = slog.New(slog.DiscardHandler)

// in returns a place with so many servers on one store, which goes wrong where the setting says so.
func in(servers int, open func(testing.TB) store.Store) func(*history) *place {
	return func(h *history) *place {
		s := open(h.t)
		p := &place{direct: s}
		var troubles []*troubled
		for i := range servers {
			if !h.faults {
				p.stores = append(p.stores, s)
				continue
			}
			t := newTroubled(h, s, uint64(i))
			troubles = append(troubles, t)
			p.stores = append(p.stores, t)
			p.trouble = append(p.trouble, t.run)
		}
		p.settle = func() {
			for _, t := range troubles {
				t.late.Wait()
			}
		}
		return p
	}
}

func openMemory(testing.TB) store.Store { return memory.New(now) }

func openSQLite(t testing.TB) store.Store {
	s, err := sqlite.Open(filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Log: quietly})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	return s
}

func openURL(t testing.TB, url string) *postgres.Store {
	s, err := postgres.Open(context.Background(), url, postgres.Options{Log: quietly})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, s)
	return s
}

func closing(t testing.TB, s store.Store) {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
