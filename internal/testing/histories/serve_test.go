package histories

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/storetest"
)

// run makes the history, and returns it with what the store has afterwards.
func (h *history) run() *model {
	rnd := rand.New(rand.NewPCG(h.seed, 1))
	h.place = h.open(h)
	for _, s := range h.place.stores {
		h.replicas = append(h.replicas, h.serve(s, rnd))
	}
	h.recent = len(h.replicas) == 1 && !h.faults
	h.began, h.from = time.Now(), now()
	h.createAll(time.Duration(50+rnd.IntN(150)) * time.Millisecond)
	h.fillDraw()
	m := &model{replicas: len(h.replicas), recent: h.recent, opened: time.Since(h.began)}
	ctx, cancel := context.WithCancel(context.Background())
	var trouble, clients sync.WaitGroup
	for _, f := range h.place.trouble {
		trouble.Go(func() { f(ctx) })
	}
	for i := range h.clients {
		c := &client{Rand: rand.New(rand.NewPCG(h.seed, uint64(i)+2)), h: h, number: i + 1}
		clients.Go(func() { c.run(ctx) })
	}
	clients.Wait()
	cancel()
	trouble.Wait()
	h.awaitHolds()
	h.stop()
	m.rows, m.end = h.read(), now()
	return m
}

func (h *history) serve(s store.Store, rnd *rand.Rand) *replica {
	log := slog.New(slog.DiscardHandler)
	ec := engine.Config{Hold: h.hold, MaxBatch: 1 + rnd.IntN(8), Log: log}
	ac := api.Config{Log: log}
	if h.faults {
		ec.RetryFor = time.Duration(20+rnd.IntN(200)) * time.Millisecond
		ac.RequestTimeout = 300 * time.Millisecond
		ec.MaxQueue = 2 + rnd.IntN(10)
	}
	e := engine.New(s, ec)
	if err := e.Start(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	ac.Engine = e
	handler, err := api.New(ac)
	if err != nil {
		h.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server := api.Server(handler, log)
	go func() { _ = server.Serve(l) }() // until it is shut down
	return &replica{
		engine: e, address: l.Addr().String(), url: "http://" + l.Addr().String(),
		stop: func(ctx context.Context) error { return errors.Join(server.Shutdown(ctx), e.Stop(ctx)) },
	}
}

// stop shuts the servers down as usual: they finish what they accepted.
func (h *history) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	h.http.CloseIdleConnections()
	for _, r := range h.replicas {
		if err := r.stop(ctx); err != nil {
			h.t.Error(err)
		}
	}
	if h.place.settle != nil {
		h.place.settle()
	}
	if h.expected {
		return
	}
	_, err := audit.Run(ctx, h.place.direct, func(d audit.DropReport) {
		if d.Differences > 0 && d.ID != h.full {
			h.t.Errorf("audit: %+v", d)
		}
	})
	if err != nil {
		h.t.Error(err)
	}
}

// fillDraw makes the draw of every second history almost full, as if others had entered. The rows of their entries are
// missing, which the audit of that drop would find.
func (h *history) fillDraw() {
	if h.seed%2 == 0 {
		return
	}
	h.full = h.offers[len(h.offers)-1].id
	last := h.calls[len(h.calls)-1]
	last.entered = drop.MaxEntries - fewEntries
	batch := &storetest.Batch{Drop: h.full, Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		s.DrawState.Entered, s.LastAt = last.entered, now
		s.Version++
		return &drop.Changes{}
	}}
	if err := h.place.direct.RunBatch(h.t.Context(), batch); err != nil {
		h.t.Fatal(err)
	}
	for _, r := range h.replicas {
		await.Until(h.t, "each server has seen it", func() bool {
			v, err := r.engine.Resume(h.t.Context(), h.full, engine.Retry{})
			return err == nil && v.Drop.DrawState.Entered == last.entered
		})
	}
}

func (s *sum) log(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for what, n := range s.counts {
		lines = append(lines, fmt.Sprintf("%-45s %8d", what, n))
	}
	slices.Sort(lines)
	for _, line := range lines {
		t.Log(line)
	}
	t.Logf("%-45s %8s", "longest search", s.search.Round(time.Millisecond))
}
