package histories

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/testing/await"
)

// The totals.
const (
	histories = "histories"
	undecided = "histories undecided"
	// unknownOutcome: nobody was told whether these took effect.
	unknownOutcome = "calls of unknown outcome"
)

// checkFor limits the search for an order. Histories are made so that it takes milliseconds, but in theory there is
// no limit.
const checkFor = await.Patience

// check returns porcupine's verdict on the history.
func (h *history) check(m *model) porcupine.CheckResult {
	all := m.operations(h.calls)
	h.tally()
	for _, o := range h.offers {
		end := &call{kind: books, drop: o.id, to: m.end, began: time.Since(h.began), ended: time.Since(h.began), rows: m.rows}
		all = append(all, porcupine.Operation{Input: end, Call: int64(end.began), Return: int64(end.ended)})
	}
	h.count(histories)
	h.sum.add("drops in them, each searched alone", len(h.offers))
	h.sum.add("calls", len(h.calls))
	model := m.porcupine()
	began := time.Now()
	result := porcupine.CheckOperationsTimeout(model, all, checkFor)
	h.sum.longest(time.Since(began))
	if result != porcupine.Illegal || h.expected {
		return result
	}
	_, info := porcupine.CheckOperationsVerbose(model, all, checkFor) // once more, and what it tried
	if f, err := os.CreateTemp("", "history-*.html"); err != nil {
		h.t.Error(err)
	} else if err := porcupine.Visualize(model, info, f); err != nil {
		h.t.Error(err)
	} else {
		h.t.Logf("%s, seed %d: the history is in %s", h.name, h.seed, f.Name())
		_ = f.Close()
	}
	for _, o := range h.offers {
		h.tell(m, o, all)
	}
	return result
}

// tell logs the calls of a drop if no order explains them, because the file may be on a machine that is gone.
func (h *history) tell(m *model, o *offer, all []porcupine.Operation) {
	ofDrop := slices.DeleteFunc(slices.Clone(all), func(op porcupine.Operation) bool { return op.Input.(*call).drop != o.id })
	if porcupine.CheckOperationsTimeout(m.porcupine(), ofDrop, checkFor) != porcupine.Illegal {
		return
	}
	h.t.Logf("%s, hold %s: no order explains these calls (ms since the history began)", o.spec.Name, h.hold)
	for _, op := range ofDrop {
		c := op.Input.(*call)
		ended := "never"
		if c.ended != never {
			ended = fmt.Sprintf("%.3f", float64(c.ended)/1e6)
		}
		h.t.Logf("%.3f–%s [%s, %s] %s", float64(c.began)/1e6, ended, c.from, c.to, c)
	}
	for _, r := range m.rows.reservations[o.id] {
		h.t.Logf("kept: %+v", r)
	}
	for _, p := range m.rows.purchases[o.id] {
		h.t.Logf("kept: %+v", p)
	}
	for _, p := range m.rows.payments[o.id] {
		h.t.Logf("kept: %+v", p)
	}
	for _, e := range m.rows.entries[o.id] {
		h.t.Logf("kept: %+v", e)
	}
	for _, e := range m.rows.drawn {
		if e.ID.Drop() == o.id {
			h.t.Logf("kept: %+v", e)
		}
	}
	h.t.Logf("kept: %+v", m.rows.stock[o.id])
}

func (h *history) tally() {
	for _, c := range h.calls {
		switch {
		case c.answer.nothing:
			h.count("calls told that nothing was done")
		case c.answer.unknown:
			h.count(unknownOutcome)
			if !h.faults && !h.cuts && !h.expected {
				h.t.Errorf("without a fault, nobody knows what became of %s", c)
			}
		case c.answer.refused != "":
			h.count("calls refused: " + string(c.answer.refused))
		case c.kind == command:
			h.count("calls answered: " + strings.TrimPrefix(fmt.Sprintf("%T", c.cmd), "drop."))
		case c.kind == reading:
			h.count("calls answered: GET")
		}
	}
}

// versions checks what a drop's version promises. It distinguishes states, never goes back at one server, and grows
// with each change that an operator is told about.
func (h *history) versions() {
	for _, o := range h.offers {
		told := slices.DeleteFunc(slices.Clone(h.calls), func(c *call) bool { return c.drop != o.id || c.answer.version == 0 || c.key != "" })
		slices.SortFunc(told, func(a, b *call) int { return cmp.Compare(a.began, b.began) })
		shown := make(map[int64]*call)
		for i, c := range told {
			if c.kind == reading {
				if other := shown[c.answer.version]; other != nil && other.answer.text != c.answer.text {
					h.t.Errorf("one version, two states:\n%s\n%s", other, c)
				}
				shown[c.answer.version] = c
			}
			for _, before := range told[:i] {
				// The lane's answers are never stale, at any server.
				ordered := before.replica == c.replica || before.kind != reading && c.kind != reading
				if !ordered || before.ended >= c.began {
					continue
				}
				_, restocks := c.cmd.(drop.Restock)
				if v := before.answer.version; c.answer.version < v || restocks && c.answer.version == v {
					h.t.Errorf("a version that does not grow:\n%s\n%s", before, c)
				}
			}
		}
	}
}

// explained checks that everything in the store comes from a call.
func (h *history) explained(m *model) {
	asked := make(map[buyer]bool)
	for _, c := range h.calls {
		if cmd, ok := c.cmd.(drop.Reserve); ok && !c.answer.nothing && (c.answer.refused == "" || c.key != "") {
			asked[buyer{c.drop, cmd.User, cmd.Size}] = true
		}
	}
	late := make(map[drop.ReservationID]bool) // units that were claimed for late money
	for _, r := range m.rows.byID {
		if r.Claim != r.ID {
			late[r.Claim] = true
		}
	}
	for _, r := range m.rows.byID {
		if r.Offer { // see inLine
			continue
		}
		if who := (buyer{r.ID.Drop(), r.UserID, r.Size}); !asked[who] || m.rows.byBuyer[who].ID != r.ID && !late[r.ID] {
			h.t.Errorf("nobody was told of %+v, and nobody waits for it", r)
		}
	}
}

// ruled checks what the model cannot, because it follows the same rules: nothing is sold after its hold ended, and
// nobody exceeds the limit.
func (h *history) ruled(m *model) {
	for _, o := range h.offers {
		h.inLine(m, o)
		h.oneEntry(m, o)
		for _, p := range m.rows.purchases[o.id] {
			if r := m.rows.byID[p.ReservationID]; p.CreatedAt >= r.ExpiresAt {
				h.t.Errorf("%+v was sold after its hold had ended: %+v", p, r)
			}
		}
		for i, r := range m.rows.reservations[o.id] {
			n := 1
			for _, before := range m.rows.reservations[o.id][:i] {
				if before.UserID == r.UserID && (before.Status == drop.Completed || min(before.EndedAt, before.ExpiresAt) > r.CreatedAt) {
					n++
				}
			}
			if o.spec.LimitPerUser > 0 && n > o.spec.LimitPerUser {
				h.t.Errorf("user %d has %d units with %+v", r.UserID, n, r)
			}
		}
	}
}
