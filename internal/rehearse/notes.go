package rehearse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"sneakerdrop/internal/drop"
)

// hold is a reservation that a buyer received.
type hold struct {
	id     drop.ReservationID
	buyer  int64
	ends   time.Time
	length time.Duration
}

const maxFaults = 20

// notes records what was observed. Its methods are safe for concurrent use.
type notes struct {
	mu       sync.Mutex
	phase    string
	holds    map[drop.ReservationID]hold // neither paid nor released
	given    map[drop.ReservationID]bool // all reservations received
	sold     map[drop.PurchaseID]drop.ReservationID
	returned int64
	refused  map[string]int64
	unpaying map[string]int64 // buyers with a hold who tried to pay and were refused
	unserved int64            // 5xx answers, except those that say that nothing was done
	errors   int64            // requests without an answer
	times    map[string]*hdrhistogram.Histogram
	faults   []string
	watching int64 // sockets that connected
	lost     int64 // those of them that the server ended
	line     lineNotes
	by       map[drop.ReservationID]*code // what came before the start, and which code brought it
}

func (n *notes) lock() func() {
	n.mu.Lock()
	if n.holds == nil {
		n.holds, n.given = make(map[drop.ReservationID]hold), make(map[drop.ReservationID]bool)
		n.sold, n.refused = make(map[drop.PurchaseID]drop.ReservationID), make(map[string]int64)
		n.unpaying = make(map[string]int64)
		n.times = make(map[string]*hdrhistogram.Histogram)
		n.line.entries = make(map[drop.EntryID]drop.ReservationID)
	}
	return n.mu.Unlock
}

func (n *notes) enter(phase string) {
	defer n.lock()()
	n.phase = phase
}

func (n *notes) faultf(format string, args ...any) {
	defer n.lock()()
	if len(n.faults) < maxFaults {
		n.faults = append(n.faults, fmt.Sprintf(format, args...))
	}
}

// took returns false if somebody already has the reservation.
func (n *notes) took(h hold) bool {
	defer n.lock()()
	if n.given[h.id] {
		return false
	}
	n.holds[h.id], n.given[h.id] = h, true
	return true
}

func (n *notes) gaveBack(id drop.ReservationID) {
	defer n.lock()()
	delete(n.holds, id)
	n.returned++
}

func (n *notes) bought(id drop.ReservationID, p drop.PurchaseID) {
	defer n.lock()()
	if other, again := n.sold[p]; again && other != id {
		n.faults = append(n.faults, fmt.Sprintf("purchase %d was given for reservations %d and %d", p, other, id))
	}
	delete(n.holds, id)
	n.sold[p] = id
}

func (n *notes) couldNotPay(code string) {
	defer n.lock()()
	n.unpaying[code]++
}

// unpaid returns the holds that nobody paid, in the order of their ends.
func (n *notes) unpaid() []hold {
	defer n.lock()()
	return slices.SortedFunc(maps.Values(n.holds), func(a, b hold) int { return a.ends.Compare(b.ends) })
}

// note counts an answer, and reports whether it was a success.
func (n *notes) note(a answer) bool {
	defer n.lock()()
	switch {
	case a.err != nil:
		if !errors.Is(a.err, context.Canceled) {
			n.errors++
		}
	case a.status == http.StatusOK:
		return true
	case a.status >= http.StatusInternalServerError && a.status != http.StatusServiceUnavailable:
		n.unserved++
		n.refused[a.code]++
	default:
		n.refused[a.code]++
	}
	return false
}

// time is like note, and records how long the answer took.
func (n *notes) time(path string, a answer) {
	n.note(a)
	if a.err != nil {
		return
	}
	defer n.lock()()
	h := n.times[path]
	if h == nil {
		h = hdrhistogram.New(1, int64(requestTimeout/time.Microsecond), 3)
		n.times[path] = h
	}
	_ = h.RecordValue(max(1, min(a.took, requestTimeout).Microseconds())) // within its bounds
}

func (n *notes) watched() {
	defer n.lock()()
	n.watching++
}

func (n *notes) lostWatcher() {
	defer n.lock()()
	n.lost++
}

func (n *notes) progress() Progress {
	defer n.lock()()
	p := Progress{Phase: n.phase, Reserved: int64(len(n.given)), Sold: int64(len(n.sold)), Errors: n.errors}
	for _, count := range n.refused {
		p.Refused += count
	}
	return p
}
