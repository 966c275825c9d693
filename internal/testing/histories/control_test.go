package histories

import (
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// Without the lock on the drop's row, two servers decide on the same state, and no order explains their answers. The
// check that all other histories pass must notice this.
//
// The lock is not the only thing that keeps servers apart. Batches write the drop and its sizes in the places where
// they read them, and fail if the rows have moved. So the test disables that too, on both sides of the comparison;
// disabled alone, it does no harm.
func TestHistories_OfServersWithoutTheRowLockHaveNone(t *testing.T) {
	const tries = 40
	sum := new(sum)
	first := uint64(time.Now().UnixNano())
	byKey := []string{
		"d.ctid = n.place::tid", "n.place IS NOT NULL",
		"AND ctid = $2::text::tid", "AND $2::text IS NOT NULL",
		"s.waiting, s.pending, s.ctid::text", "s.waiting, s.pending, wanted.position::text",
		"s.ctid = n.place::tid", "s.position = n.place::integer",
	}
	s := setting{
		name: "unlocked", perClient: 20, pause: time.Millisecond, open: rewriting(append(byKey, "FOR UPDATE SKIP LOCKED", "", "FOR UPDATE", "")...), operators: true,
	}
	t.Run("with it", func(t *testing.T) {
		locked := s
		locked.open = rewriting(byKey...)
		h := newHistory(t, locked, first, sum)
		m := h.run()
		if result := h.check(m); result != porcupine.Ok {
			t.Errorf("no order explains a history like those, but with the lock: %s", result)
		}
	})
	for try := range uint64(tries) {
		illegal := false
		t.Run("try", func(t *testing.T) {
			h := newHistory(t, s, first+try, sum)
			h.expected = true
			m := h.run()
			illegal = h.check(m) == porcupine.Illegal
		})
		if illegal {
			t.Logf("seen in history %d", try+1)
			sum.log(t)
			return
		}
	}
	t.Errorf("%d histories without a lock, and an order for each of them", tries)
	sum.log(t)
}
