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
	// knownBuyers is how many buyers are remembered, in about 15 MB of memory. Others are looked up in the store.
	knownBuyers = 1 << 16
	// maxSightings limits the buyers that wait to be found. sightingBatch is how many are looked up together.
	maxSightings  = 20_000
	sightingBatch = 500
)

// buyers finds the user that belongs to each subject. Like a lane, it collects what arrives during one store call and
// sends it as the next. A crowd that signs in for the first time thus takes a few statements rather than one each.
type buyers struct {
	known *lru.Cache[drop.SubjectKey, drop.User]

	mu     sync.Mutex
	queue  []*sighting
	busy   bool // its goroutine is running
	closed bool
}

// sighting is one subject that waits for the store.
type sighting struct {
	subject drop.Subject
	user    drop.User
	err     error
	done    chan struct{}
}

func newBuyers() *buyers {
	known, err := lru.New[drop.SubjectKey, drop.User](knownBuyers)
	if err != nil {
		panic(err) // only happens for a size below 1
	}
	return &buyers{known: known}
}

// Buyer returns the user that belongs to a subject, and makes it the first time. If the shop has given the buyer a
// number, Buyer returns that number and stores nothing. It returns ErrOverloaded if too many buyers are waiting.
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
	case <-ctx.Done(): // the look-up continues without its caller
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

// dequeue removes the next batch from the queue, or ends the goroutine if the queue is empty.
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
