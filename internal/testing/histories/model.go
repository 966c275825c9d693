// Package histories lets clients call real servers over HTTP, all at once and while things go wrong. It then checks
// with porcupine that some order of the calls explains their answers. In that order, each call takes effect at one
// moment between its sending and its answer, by the rules of drop.Apply.
//
// # Time
//
// A batch runs at a moment that the store's clock shows after the call was sent and before it was answered. The
// exception is a reserve that joins a batch already under way: its hold may begin up to engine.MaxBackdated earlier.
// Stores and clients read one clock here. So the model runs a command at some moment between the two, and not before
// the last batch's.
//
// The model need not try every moment. What a command does changes only where a hold ends, and the answers to a
// reserve, to a purchase and to a return say when they were made. The model takes the earliest moment that gives the
// answer: it leaves open whatever a later one does.
//
// Holds also end on their own, at any moment after their time. A reading of the drop may see that or not. A command
// never sees a hold whose time is over.
//
// # Unknown outcomes
//
// A call without an answer may take effect at any later time, or never. Every reserve has a user or a note of its
// own. So the store's final records tell whether a reserve, purchase, cancellation or return took effect, and when,
// but not who was told. For the other calls the model tries both. A call that was told "nothing was done" must have
// done nothing, and is left out.
//
// # Replicas
//
// With one server nothing is ever stale. With two, a server refuses from what it knew up to 500 ms ago, unless the
// call has a key or the limit is one. It shows a drop in the state that it last heard of. That is a state that the
// drop was in, and never an older one after a newer one (see versions).
//
// # Payments
//
// Each payment has a row, and the claim of a reservation never changes once it is there. So the rows tell whether a
// step of a payment took effect, and mostly when.
//
// # Waitlists and draws
//
// A unit that comes free goes to the first in line in the same batch, also in one that nobody asked for: one in which a
// hold ends. Offers and entries have rows that say who, what and when. Whatever the model makes must have its row, of
// that moment. Before each command the model runs the batches that the rows tell of (see caught).
//
// No answer says when a buyer withdrew from a draw, so the model keeps whether.
package histories

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// stale is how old what a server refuses from may be, where there is another one.
const stale = 500 * time.Millisecond

// model is the state machine behind one history.
type model struct {
	replicas int
	recent   bool          // readings show the newest purchases as they are
	opened   time.Duration // when all drops were there
	rows     *rows         // what the store has in the end
	end      drop.Time
}

func (m *model) porcupine() porcupine.Model {
	n := porcupine.NondeterministicModel{
		Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
			var parts [][]porcupine.Operation
			byDrop := make(map[drop.ID]int)
			for _, o := range all {
				id := o.Input.(*call).drop
				if _, ok := byDrop[id]; !ok {
					byDrop[id] = len(parts)
					parts = append(parts, nil)
				}
				parts[byDrop[id]] = append(parts[byDrop[id]], o)
			}
			return parts
		},
		Init:  func() []any { return []any{(*book)(nil)} },
		Step:  func(state, input, _ any) []any { return m.step(state.(*book), input.(*call)) },
		Equal: func(a, b any) bool { return a.(*book).same(b.(*book)) },
		Hash:  func(state any) uint64 { return state.(*book).hash() },
		DescribeOperation: func(input, _ any) string {
			return input.(*call).String()
		},
		DescribeState: func(state any) string {
			b := state.(*book)
			if b == nil {
				return "not there"
			}
			return fmt.Sprintf("%s paused=%t held=%v purchases=%d", b.lastAt, b.drop.Paused, b.drop.Sizes, len(b.purchases))
		},
	}
	return n.ToModel()
}

// mayBeStale: a refusal by the gate of a server that is not alone. It is the same for every buyer.
func (m *model) mayBeStale(c *call) bool {
	_, reserve := c.cmd.(drop.Reserve)
	byGate := slices.Contains([]drop.Code{drop.CodePaused, drop.CodeOutOfStock, drop.CodeWaitlist}, c.answer.refused)
	return m.replicas > 1 && reserve && byGate && c.key == "" && c.limit != 1
}

// earliest is when what the call brings about may have begun.
func (c *call) earliest() drop.Time {
	if _, reserve := c.cmd.(drop.Reserve); reserve && c.limit == 0 {
		return c.from.Add(-engine.MaxBackdated)
	}
	return c.from
}

// step returns the book after the call, or none if the call cannot have been answered like this.
func (m *model) step(b *book, c *call) []any {
	switch {
	case c.kind == creation && b == nil:
		return []any{newBook(c.spec, c.drop, c.from, c.entered)}
	case b == nil || c.kind == creation:
		return nil
	case c.kind == books:
		return m.ending(b, c.to, func(b *book) bool { return c.rows.are(b) })
	case c.answer.unknown:
		return m.unknown(b, c)
	case c.kind == reading:
		return m.ending(b, c.to, func(b *book) bool { return dropText(&b.drop, b.recent(), m.recent) == c.answer.text })
	}
	from := c.from
	switch {
	case m.mayBeStale(c):
		from -= drop.Time(stale.Milliseconds())
	case c.answer.refused == "":
		from = c.earliest()
	}
	for _, now := range b.moments(max(from, b.lastAt), c.to, append(m.handed(b), m.hint(c))...) {
		at := m.caught(b, now)
		if r, next := at.apply(now, at.command(c)); c.told(&r) && m.agrees(at, next) {
			return []any{next}
		}
	}
	return nil
}

// ending returns the book unchanged if it is as wanted. If not, it returns the book after the first batch that only
// ended holds and made it so.
func (m *model) ending(b *book, to drop.Time, wanted func(*book) bool) []any {
	for b != nil && !wanted(b) {
		var ended *book
		for _, now := range b.moments(b.lastAt, to, m.handed(b)...) {
			if _, next := b.apply(now, drop.Expire{}); next != b && m.agrees(b, next) {
				ended = next
				break
			}
		}
		b = ended
	}
	if b == nil {
		return nil
	}
	return []any{b}
}

// unknown returns each book that a call of unknown outcome may leave. If the store's rows show that the call took
// effect, it does so in its turn, and has no effect before or after that. It can always wait for its turn.
func (m *model) unknown(b *book, c *call) []any {
	same := []any{b}
	var at drop.Time
	switch cmd := c.cmd.(type) {
	case drop.Reserve:
		row := m.rows.byBuyer[buyer{c.drop, cmd.User, cmd.Size}]
		switch n := numberOf(row.ID); {
		case n <= len(b.reservations):
			return same
		case n > len(b.reservations)+1:
			return nil
		}
		at = row.CreatedAt
	case drop.MakePurchase:
		p := m.rows.paid[cmd.Reservation]
		switch n := int(uint32(p.ID)); {
		case n <= len(b.purchases):
			return same
		case n > len(b.purchases)+1:
			return nil
		}
		at = p.CreatedAt
	case drop.Cancel:
		n := numberOf(cmd.Reservation)
		row := m.rows.byID[cmd.Reservation]
		if n <= len(b.reservations) && b.reservations[n-1].Status == drop.Cancelled {
			return same
		}
		at = row.EndedAt
	case drop.ReturnPurchase:
		switch n := int(uint32(cmd.Purchase)); {
		case n > len(b.purchases):
			return nil
		case b.purchases[n-1].Return != drop.NotReturned:
			return same
		}
		at = m.rows.sold[cmd.Purchase].ReturnedAt
	case drop.StartPayment, drop.ClaimUnit, drop.CompletePayment, drop.ReleaseClaim, drop.EndPayment:
		switch done, early := m.stepDone(b, c); {
		case done:
			return same
		case early:
			return nil
		}
		at, _ = m.stepTook(c)
	default:
		return m.both(b, c)
	}
	if at == 0 { // no row says when
		return m.both(b, c)
	}
	if at < max(c.earliest(), b.lastAt) {
		return nil
	}
	b = m.caught(b, at)
	r, next := b.apply(at, b.command(c))
	if r.Err != nil || next == b || !m.agrees(b, next) {
		return nil
	}
	return []any{next}
}

// both goes both ways.
func (m *model) both(b *book, c *call) []any {
	for _, now := range b.moments(max(c.from, b.lastAt), m.end, m.handed(b)...) {
		at := m.caught(b, now)
		if r, next := at.apply(now, at.command(c)); r.Err == nil && next != at && m.agrees(at, next) {
			return []any{b, next}
		}
	}
	return []any{b}
}

// buyer is who reserves: once in each history.
type buyer struct {
	drop drop.ID
	user drop.UserID
	size string
}

// rows are what the store has in the end.
type rows struct {
	stock        map[drop.ID]drop.Drop
	reservations map[drop.ID][]drop.Reservation
	purchases    map[drop.ID][]drop.Purchase
	byID         map[drop.ReservationID]drop.Reservation
	byBuyer      map[buyer]drop.Reservation // the first, which was reserved
	paid         map[drop.ReservationID]drop.Purchase
	sold         map[drop.PurchaseID]drop.Purchase
	payments     map[drop.ID]map[drop.PaymentID]drop.Payment
	entries      map[drop.ID][]drop.Entry // of the waitlist, by their numbers, from 1
	drawn        map[drop.EntryID]drop.DrawEntry
}

// are reports whether the rows of that drop are the book's.
func (r *rows) are(b *book) bool {
	d := r.stock[b.drop.ID]
	same := func(x, y drop.Reservation) bool { return bare(x) == y }
	return d.Paused == b.drop.Paused && slices.Equal(d.Sizes, b.drop.Sizes) &&
		slices.EqualFunc(r.reservations[b.drop.ID], b.reservations, same) && slices.Equal(r.purchases[b.drop.ID], b.purchases) &&
		maps.Equal(r.payments[b.drop.ID], b.payments) && slices.Equal(r.entries[b.drop.ID], b.entries) && r.drawAs(b)
}

// drawAs reports whether the rows of the draw are the book's.
func (r *rows) drawAs(b *book) bool {
	n := 0
	for id, e := range r.drawn {
		if id.Drop() != b.drop.ID {
			continue
		}
		if n++; b.drawEntries[id] != timeless(e) {
			return false
		}
	}
	return n == len(b.drawEntries) && r.stock[b.drop.ID].DrawState == b.drop.DrawState
}
