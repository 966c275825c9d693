package histories

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"sneakerdrop/internal/drop"
)

// The functions below tell porcupine nothing that the calls do not say, but they say it earlier. A search tries every
// call that could be next. Calls without an end, without an effect or with several possible ones would be ruled out
// only much later, in combination with all the others.

const never = time.Duration(math.MaxInt64)

// operations returns the calls in porcupine's form.
func (m *model) operations(calls []*call) []porcupine.Operation {
	var told []*call
	for _, c := range m.families(calls) {
		c := *c
		if m.narrow(&c, calls) {
			told = append(told, &c)
		}
	}
	var all []porcupine.Operation
	for i, c := range told {
		same := func(other *call) bool { return m.needless(c, other) }
		if !slices.ContainsFunc(told[i+1:], same) && !slices.ContainsFunc(told[:i], func(o *call) bool { return same(o) && !m.needless(o, c) }) {
			all = append(all, porcupine.Operation{ClientId: c.client, Input: c, Call: int64(c.began), Return: int64(c.ended)})
		}
	}
	return all
}

// families combines calls of unknown outcome under one key, because at most one of them took effect. If one was
// answered, that happened before the answer.
func (m *model) families(calls []*call) []*call {
	unknown := make(map[string]*call)
	var told []*call
	name := func(c *call) string { return fmt.Sprint(c.drop, c.key, c.cmd) }
	for _, c := range calls {
		first := unknown[name(c)]
		switch {
		case c.answer.nothing:
		case !c.answer.unknown || c.key == "":
			told = append(told, c)
		case first == nil:
			one := *c
			one.ended, one.family = never, true
			unknown[name(c)] = &one
		case c.began < first.began:
			first.began, first.from = c.began, c.from
		}
	}
	for _, c := range told {
		if one := unknown[name(c)]; one != nil && c.key != "" && c.answer.refused == "" {
			if one.began > c.began {
				one.began, one.from = c.began, c.from
			}
			if c.ended < one.ended {
				one.ended, one.to, one.answer = c.ended, c.to, c.answer
			}
		}
	}
	for _, one := range unknown {
		told = append(told, one)
	}
	return told
}

// narrow says more precisely when a call took effect; false means never.
func (m *model) narrow(c *call, calls []*call) bool {
	switch {
	case c.answer.unknown:
		c.ended = never
		return m.mayHaveDone(c) && m.until(c, calls)
	case m.replicas > 1 && c.kind == reading:
		c.began = m.opened
		m.between(c, calls)
	case m.mayBeStale(c):
		c.began = max(m.opened, c.began-stale)
	case c.family && c.answer.version != 0:
		m.between(c, calls)
	}
	return true
}

// mayHaveDone reports whether a call of unknown outcome may have changed anything.
func (m *model) mayHaveDone(c *call) bool {
	switch cmd := c.cmd.(type) {
	case drop.Reserve:
		_, made := m.rows.byBuyer[buyer{c.drop, cmd.User, cmd.Size}]
		return made
	case drop.MakePurchase:
		_, paid := m.rows.paid[cmd.Reservation]
		return paid
	case drop.Cancel:
		return m.rows.byID[cmd.Reservation].Status == drop.Cancelled
	case drop.ReturnPurchase:
		p := m.rows.sold[cmd.Purchase]
		return p.Return != drop.NotReturned && cmd.Restock == (p.Return == drop.BackOnSale)
	case drop.StartPayment, drop.ClaimUnit, drop.CompletePayment, drop.ReleaseClaim, drop.EndPayment:
		_, took := m.stepTook(c)
		return took
	case drop.Join, drop.Leave, drop.Enter, drop.Withdraw:
		return m.mayHaveWaited(c)
	default:
		return c.kind == command
	}
}

// until ends an effect before the first answer that shows it, or that shows something later.
func (m *model) until(c *call, calls []*call) bool {
	for _, other := range calls {
		if other.drop != c.drop || other.answer.unknown || other.answer.nothing || other.answer.refused != "" {
			continue
		}
		after := false
		switch cmd := c.cmd.(type) {
		case drop.Reserve:
			row := m.rows.byBuyer[buyer{c.drop, cmd.User, cmd.Size}]
			_, made := other.cmd.(drop.Reserve)
			after = made && other.answer.id >= int64(row.ID)
		case drop.MakePurchase:
			_, made := other.cmd.(drop.MakePurchase)
			_, completed := other.cmd.(drop.CompletePayment)
			after = (made || completed) && other.answer.id >= int64(m.rows.paid[cmd.Reservation].ID)
		case drop.Cancel, drop.ReturnPurchase:
			after = other.cmd == c.cmd
		case drop.StartPayment, drop.ClaimUnit, drop.CompletePayment, drop.ReleaseClaim, drop.EndPayment:
			after = c.shows(other)
		}
		if after {
			c.ended = min(c.ended, other.ended)
		}
	}
	return c.began <= c.ended
}

// between narrows the time of a call by the versions that other calls were told. A call that was told a lower version
// came before this one, and a call that was told a higher version came after it. Readings count only with a single
// server, where nothing is stale.
func (m *model) between(c *call, calls []*call) {
	for _, other := range calls {
		switch {
		case other.drop != c.drop || other.answer.version == 0 || other.key != "" || other.kind == reading && m.replicas > 1:
		case other.answer.version < c.answer.version:
			c.began = max(c.began, other.began)
		case other.answer.version > c.answer.version:
			c.ended = min(c.ended, other.ended)
		}
	}
}

// needless reports whether the search can leave out c, which was told something about the past. That is so if other
// was told the same, and had to be told it within the time of c. Then c fits into every order that other fits into.
func (m *model) needless(c, other *call) bool {
	switch {
	case m.replicas == 1 || c.drop != other.drop || c.kind != other.kind || c.answer.text != other.answer.text || c.answer.version != other.answer.version:
		return false
	case c.kind == reading:
	case !m.mayBeStale(c) || !m.mayBeStale(other) || c.limit == 0 && c.cmd.(drop.Reserve).Size != other.cmd.(drop.Reserve).Size:
		return false
	}
	return c.began <= other.began && c.ended >= other.ended
}
