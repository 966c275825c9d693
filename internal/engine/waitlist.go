package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Place is an entry of a waitlist, and how far it has come.
type Place struct {
	drop.Entry
	// Position is the entry's place in its line while it waits; 1 is next. It is 0 afterwards.
	Position int64
	// Estimate is how long the entry waits for its turn if its line moves on as it did lately. It is 0 if nobody's turn
	// came in the last 15 minutes.
	Estimate time.Duration
	// Reservation is what the buyer was offered, nil if there was no offer.
	Reservation *drop.Reservation
}

// Join puts the user at the end of the line for a size. An empty size means that the caller named none. A user who
// waits already keeps the place. See drop.Join. With a key, the place has no estimate, and a position only if the user
// did not wait before. The same holds if the store is unavailable after the user has joined.
func (e *Engine) Join(ctx context.Context, id drop.ID, user drop.UserID, size string, r Retry) (Place, error) {
	cmd := drop.Join{User: user, Size: size}
	result, err := e.do(ctx, id, r.under(id, cmd), r)
	r.tell(result.Replayed)
	if err != nil {
		return Place{}, err
	}
	p := Place{Entry: *result.Entry, Position: result.Position}
	if result.Reservation.ID != 0 {
		p.Reservation = &result.Reservation
	}
	if r.Key != "" { // a repeated call gets the same answer, however far the entry has come since
		return p, nil
	}
	if err := e.locate(ctx, &p); !errors.Is(err, ErrUnavailable) {
		return p, err
	}
	return p, nil // the user waits, which must not be denied
}

// Leave gives up a place in a line. If owner is not 0, another user's entry counts as not found. See drop.Leave.
func (e *Engine) Leave(ctx context.Context, id drop.EntryID, owner drop.UserID, r Retry) (Place, error) {
	cmd := drop.Leave{Entry: id, Owner: owner}
	result, err := e.do(ctx, id.Drop(), r.under(id.Drop(), cmd), r)
	r.tell(result.Replayed)
	switch {
	case drop.CodeOf(err) == drop.CodeDropNotFound: // the entry's number is all that the caller sent
		return Place{}, drop.Refuse(drop.CodeEntryNotFound)
	case err != nil:
		return Place{}, err
	}
	return Place{Entry: *result.Entry}, nil
}

// maxOffers is among how many of a user's newest reservations Places looks for offers.
const maxOffers = 500

// Places returns a user's entries in a drop, in the order in which the user joined. It refuses with CodeDropNotFound.
func (e *Engine) Places(ctx context.Context, id drop.ID, user drop.UserID) ([]Place, error) {
	entries, err := Ask(ctx, e, func(s store.Records) ([]drop.Entry, error) { return s.EntriesOf(ctx, id, user) })
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b drop.Entry) int { return cmp.Compare(a.ID, b.ID) })
	places := make([]Place, len(entries))
	var held []drop.Reservation
	for i, entry := range entries {
		places[i].Entry = entry
		if err := e.locate(ctx, &places[i]); err != nil {
			return nil, err
		}
		if entry.Offer == 0 {
			continue
		}
		if held == nil {
			held, err = Ask(ctx, e, func(s store.Records) ([]drop.Reservation, error) { return s.Reservations(ctx, user, maxOffers) })
			if err != nil {
				return nil, err
			}
		}
		if j := slices.IndexFunc(held, func(r drop.Reservation) bool { return r.ID == entry.Offer }); j >= 0 {
			places[i].Reservation = &held[j]
		}
	}
	return places, nil
}

// Line returns at most limit entries of a drop after that one, in the order in which they joined, without what depends
// on them. It refuses with CodeDropNotFound.
func (e *Engine) Line(ctx context.Context, id drop.ID, after drop.EntryID, limit int) ([]drop.Entry, error) {
	return Ask(ctx, e, func(s store.Records) ([]drop.Entry, error) { return s.Line(ctx, id, after, limit) })
}

// locate finds out how far an entry has come that waits.
func (e *Engine) locate(ctx context.Context, p *Place) error {
	if p.Status != drop.Waiting {
		return nil
	}
	if p.Position == 0 {
		before, err := Ask(ctx, e, func(s store.Records) (int64, error) { return s.WaitingBefore(ctx, &p.Entry) })
		if err != nil {
			return err
		}
		p.Position = before + 1
	}
	pace, err := e.pace(ctx, &p.Entry)
	if pace.turns > 0 {
		p.Estimate = time.Duration(float64(p.Position) * float64(pace.in) / float64(pace.turns))
	}
	return err
}

const (
	// paceOver is how far back an estimate looks. maxTurns is how many turns it looks at.
	paceOver, maxTurns = 15 * time.Minute, 1000
	// paceFresh is how long a pace is used without asking the store.
	paceFresh = 5 * time.Second
)

// pace is how fast a line moves: how many turns came in a time.
type pace struct {
	turns int
	in    time.Duration
	at    time.Time
}

// paces are those of a drop's lines, by index of the size.
type paces struct {
	mu    sync.Mutex
	lines map[int]pace
}

func (p *paces) get(line int) (pace, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known, ok := p.lines[line]
	return known, ok && time.Since(known.at) < paceFresh
}

func (p *paces) set(line int, to pace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lines == nil {
		p.lines = make(map[int]pace)
	}
	p.lines[line] = to
}

// pace returns how fast the line moves in which an entry waits. A crowd that asks costs one read in paceFresh.
func (e *Engine) pace(ctx context.Context, of *drop.Entry) (pace, error) {
	l, err := e.lane(ctx, of.ID.Drop())
	if err != nil {
		return pace{}, err
	}
	if known, fresh := l.paces.get(of.Line); fresh {
		return known, nil
	}
	v, err, _ := e.loads.Do(fmt.Sprint("pace ", l.id, of.Line), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.RetryFor) // others may wait for it too
		defer cancel()
		now := e.Now()
		since := max(now.Add(-paceOver), l.view.Load().Drop.StartTime)
		var turns []drop.Entry
		for _, status := range []drop.EntryStatus{drop.Offered, drop.Skipped} {
			ended, err := Ask(ctx, e, func(s store.Records) ([]drop.Entry, error) {
				return s.NewestOfLine(ctx, l.id, of.Line, status, maxTurns)
			})
			if err != nil {
				return pace{}, err
			}
			if len(ended) == maxTurns {
				since = max(since, ended[maxTurns-1].EndedAt)
			}
			turns = append(turns, ended...)
		}
		turns = slices.DeleteFunc(turns, func(t drop.Entry) bool { return t.EndedAt < since })
		found := pace{turns: len(turns), in: max(now.Sub(since), time.Second), at: time.Now()}
		l.paces.set(of.Line, found)
		return found, nil
	})
	if err != nil {
		return pace{}, err
	}
	return v.(pace), nil
}
