package events

import (
	"context"
	"sync"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// older finds out what ledger entries are about that do not say it. Programs of before wrote such entries. While
// servers are upgraded one by one they still do.
//
// Whatever a batch moved carries the batch's time. Batches of one millisecond share what has that time in the order of
// its numbers: no hold ends before it began, so the order stays possible.
type older struct {
	mu    sync.Mutex
	known map[drop.ID]*olderDrop
}

// maxOlder is how many drops are remembered at once.
const maxOlder = 16

type olderDrop struct {
	upTo    drop.Seq // the newest entry that was read
	numbers map[drop.Seq]drop.Numbers
}

// numbers returns what an entry without numbers is about. The first call for a drop reads all that is recorded of it.
func (o *older) numbers(ctx context.Context, source Source, id drop.ID, e *drop.LedgerEntry) (drop.Numbers, error) {
	switch e.Reason {
	case drop.Created, drop.Restocked:
		return "", nil
	default:
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.known[id]
	if d == nil || d.upTo < e.Seq {
		var err error
		if d, err = readOlder(ctx, source, id); err != nil {
			return "", err
		}
		if o.known == nil || len(o.known) >= maxOlder {
			o.known = make(map[drop.ID]*olderDrop)
		}
		o.known[id] = d
	}
	return d.numbers[e.Seq], nil
}

// then is what entries and rows have in common: the time, what happened, and the size.
type then struct {
	at     drop.Time
	reason drop.Reason
	size   string
}

func readOlder(ctx context.Context, source Source, id drop.ID) (*olderDrop, error) {
	d := &olderDrop{numbers: make(map[drop.Seq]drop.Numbers)}
	var entries []drop.LedgerEntry
	named := make(map[drop.Reason]map[uint32]bool) // by entries that say what they are about
	sized := false
	rows := make(map[then][]uint32)
	put := func(at drop.Time, reason drop.Reason, size string, number uint32) {
		if !sized {
			size = "" // the buyer's note
		}
		if k := (then{at, reason, size}); !named[reason][number] {
			rows[k] = append(rows[k], number)
		}
	}
	err := source.ReadBooks(ctx, id, store.Books{
		Head: func(s *drop.State) error {
			sized = s.Sized()
			return nil
		},
		Entry: func(e drop.LedgerEntry) error {
			d.upTo = e.Seq
			if e.Version == 0 && e.Numbers == "" {
				entries = append(entries, e)
			}
			for n := range e.Numbers.All() {
				if named[e.Reason] == nil {
					named[e.Reason] = make(map[uint32]bool)
				}
				named[e.Reason][n] = true
			}
			return nil
		},
		Reservation: func(r drop.Reservation) error {
			put(r.CreatedAt, r.Began(), r.Size, uint32(r.ID))
			if r.Status == drop.Expired || r.Status == drop.Cancelled {
				put(r.EndedAt, r.Ended(), r.Size, uint32(r.ID))
			}
			return nil
		},
		Purchase: func(p drop.Purchase) error {
			put(p.CreatedAt, drop.Purchased, p.Size, uint32(p.ID))
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	for i := range entries {
		e := &entries[i]
		k := then{e.At, e.Reason, e.Size}
		n := int(min(max(e.Units, 0), int64(len(rows[k]))))
		d.numbers[e.Seq] = drop.NumbersOf(rows[k][:n]...)
		rows[k] = rows[k][n:]
	}
	return d, nil
}
