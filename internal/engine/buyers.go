package engine

import (
	"context"
	"fmt"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

const (
	// knownBuyers are remembered, in some 15 MB; others are looked up.
	knownBuyers = 1 << 16
	// maxSightings bounds the buyers that wait to be found; sightingBatch are found at once.
	maxSightings  = 20_000
	sightingBatch = 500
)

// buyers finds the users that subjects are. Like a lane it asks the store for all that came while it asked before: a
// crowd that signs in for the first time is a few statements, not one each.
type buyers struct {
	known *lru.Cache[drop.SubjectKey, drop.User]

	mu     sync.Mutex
	queue  []*sighting
	busy   bool // the goroutine runs
	closed bool
}

// sighting is one subject on its way through the store.
type sighting struct {
	subject drop.Subject
	user    drop.User
	err     error
	done    chan struct{}
}

func newBuyers() *buyers {
	known, err := lru.New[drop.SubjectKey, drop.User](knownBuyers)
	if err != nil {
		panic(err) // for a size below 1 only
	}
	return &buyers{known: known}
}

// Buyer returns the user that a subject is, and makes it at first sight. One whom the shop has given a number is that
// number, and nothing is stored of it. Refuses with ErrOverloaded where too many wait to be found.
func (e *Engine) Buyer(ctx context.Context, s drop.Subject) (drop.User, error) {
	if s.Number != 0 {
		return drop.User{ID: s.Number, Username: s.Username, Email: s.Email, PublicName: s.PublicName}, nil
	}
	if u, ok := e.buyers.known.Get(s.Key()); ok && u.Username == s.Username && u.Email == s.Email && u.PublicName == s.PublicName {
		return u, nil
	}
	wanted := &sighting{subject: s, done: make(chan struct{})}
	if err := e.enqueueSighting(wanted); err != nil {
		return drop.User{}, err
	}
	select {
	case <-wanted.done:
		return wanted.user, wanted.err
	case <-ctx.Done(): // it goes on without its caller
		return drop.User{}, fmt.Errorf("wait for a user: %w", ctx.Err())
	}
}

func (e *Engine) enqueueSighting(s *sighting) error {
	b := e.buyers
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return ErrStopping
	case len(b.queue) >= maxSightings:
		return ErrOverloaded
	}
	b.queue = append(b.queue, s)
	if !b.busy {
		b.busy = true
		e.running.Add(1)
		go e.findBuyers()
	}
	return nil
}

// dequeue removes the next ones from the queue, or ends the goroutine's life when there are none.
func (b *buyers) dequeue() []*sighting {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.queue), sightingBatch)
	if n == 0 {
		b.queue, b.busy = nil, false
		return nil
	}
	next := b.queue[:n:n]
	b.queue = b.queue[n:]
	return next
}

func (b *buyers) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

func (e *Engine) findBuyers() {
	defer e.running.Done()
	for {
		next := e.buyers.dequeue()
		if next == nil {
			return
		}
		subjects := make([]drop.Subject, len(next))
		for i, s := range next {
			subjects[i] = s.subject
		}
		ctx, cancel := context.WithTimeout(context.Background(), e.RetryFor+batchTimeout)
		users, err := Ask(ctx, e, func(s store.Records) ([]drop.User, error) { return s.EnsureSubjects(ctx, subjects) })
		cancel()
		for i, s := range next {
			if s.err = err; err == nil {
				s.user = users[i]
				e.buyers.known.Add(s.subject.Key(), s.user)
			}
			close(s.done)
		}
	}
}
