package rehearse

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
)

const (
	// one of so many buyers comes early with a code, as long as there are codes.
	membersOf = 5
	// so many others try a code that somebody else has. They are few: a server soon refuses to look at the codes of an
	// address that has sent ten wrong ones.
	intruders = 2
	// members come from so long before the start until so long before it.
	membersFrom, membersUntil = 2500 * time.Millisecond, 700 * time.Millisecond
	// keptFor is how long units stay kept after the copy has started, if the drop keeps them after its start.
	keptFor = 2 * time.Second
	// maxCodes is how many codes one call makes.
	maxCodes = drop.MaxNewPasses
)

// EarlyAccess is what became of early access, counted from the records.
type EarlyAccess struct {
	Codes   int64 `json:"codes"`   // that the rehearsal made
	Used    int64 `json:"used"`    // how often they brought a unit that was sold
	Refused int64 `json:"refused"` // answers that a code is not good
	// Kept counts the units that were kept. Of those, Sold were sold, and Returned went back.
	Kept     int64 `json:"kept"`
	Sold     int64 `json:"sold"`
	Returned int64 `json:"returned"`
}

// access is early access as an operator sees it.
type access struct {
	Access       int
	Sizes        []string
	Ends         time.Time
	Uses         int
	PerBuyer     int `json:"per_buyer"`
	Units, Kept  int64
	Passes, Used int64
	State        string
}

// code is one that a buyer may show, for one of these sizes; none: all.
type code struct {
	text  string
	sizes []string
	uses  int
}

func (p *play) accessesOf(ctx context.Context, id drop.ID) ([]access, error) {
	var got struct{ Accesses []access }
	err := p.callOperator(ctx, http.MethodGet, dropPath(id)+"/codes", nil, &got)
	return got.Accesses, err
}

// copyAccess gives the copy early access with the terms of the original's, and with codes of its own. Lists of buyers
// become codes, too.
func (p *play) copyAccess(ctx context.Context) error {
	for i := range p.accesses {
		x := &p.accesses[i]
		members := (p.Buyers + membersOf - 1) / membersOf / len(p.accesses)
		count := min(max((members+x.Uses-1)/x.Uses, 1), int(x.Passes), maxCodes)
		body := map[string]any{"count": count, "uses": x.Uses, "per_buyer": x.PerBuyer, "units": x.Units}
		if len(x.Sizes) > 0 {
			body["sizes"] = x.Sizes
		}
		if x.Ends.After(p.original.StartTime) {
			body["ends"] = p.opens.Add(keptFor).Format(time.RFC3339Nano)
		}
		var made struct{ Codes []string }
		if err := p.callOperator(ctx, http.MethodPost, dropPath(p.copied)+"/codes", body, &made); err != nil {
			return fmt.Errorf("copy early access %d of drop %d: %w", x.Access, p.original.ID, err)
		}
		for _, text := range made.Codes {
			p.codes = append(p.codes, slices.Repeat([]code{{text, x.Sizes, x.Uses}}, min(x.Uses, members))...)
		}
	}
	return nil
}

// shows returns the code that a buyer shows, or nil.
func (p *play) shows(number int64) *code {
	n := number / membersOf
	switch {
	case number%membersOf == 0 && n < int64(len(p.codes)):
		return &p.codes[n]
	case number%membersOf == 1 && n < intruders && len(p.codes) > 0:
		return &p.codes[0]
	}
	return nil
}

// comeEarly presses the button with a code until it brings a unit, or is refused, or the drop is about to start.
func (b *buyer) comeEarly(ctx context.Context, with *code) (got reservation) {
	if sleep(ctx, time.Until(b.starts)-membersUntil-b.within(membersFrom-membersUntil)) != nil {
		return got
	}
	body := b.wants(with)
	for try := 1; ; try++ {
		a := b.click(ctx, "/api/drops/reserve", body, b.key(fmt.Sprint("early-", try)))
		switch {
		case ctx.Err() != nil || a.err != nil:
			return got
		case a.status == http.StatusOK:
			if json.Unmarshal(a.body, &got) != nil || got.ID == 0 {
				b.notes.faultf("an answer to a reserve with a code is not a reservation: %s", a.body)
			}
			if got.CreatedAt.Before(b.opens) {
				b.notes.tookBy(with, got.ID)
			}
			return got
		case !a.mayPass() || sleep(ctx, asksAgain) != nil || time.Until(b.starts) < membersUntil:
			return got
		}
	}
}

// tookBy notes which code brought a reservation.
func (n *notes) tookBy(with *code, id drop.ReservationID) {
	defer n.lock()()
	if n.by == nil {
		n.by = make(map[drop.ReservationID]*code)
	}
	n.by[id] = with
}

// judgeEarly counts what became of early access, and reports what is wrong. The drop has so many sizes, 0: none.
func (r *Result) judgeEarly(n *notes, all []access, purchases map[drop.PurchaseID]drop.ReservationID, sizes int) {
	e := &EarlyAccess{Refused: n.refused[string(drop.CodeCodeInvalid)]}
	r.Early = e
	for i := range all {
		x := &all[i]
		e.Codes += x.Passes
		e.Used += x.Used
		if x.Units > 0 {
			kept := x.Units * int64(cmp.Or(len(x.Sizes), max(sizes, 1)))
			e.Kept += kept
			e.Sold += x.Used
			e.Returned += kept - x.Used
		}
		if x.Used > x.Passes*int64(x.Uses) {
			r.addf("early access %d has %d codes for %d uses each, and was used %d times", x.Access, x.Passes, x.Uses, x.Used)
		}
		if x.Kept != 0 {
			r.addf("%d units are still kept for early access %d, which is over", x.Kept, x.Access)
		}
	}
	if e.Returned < 0 {
		r.addf("%d units were kept for early access, and %d were sold to it", e.Kept, e.Sold)
	}
	sold, used := int64(0), make(map[string]int)
	limits := make(map[string]int)
	for _, reservation := range purchases {
		if with := n.by[reservation]; with != nil {
			sold++
			used[with.text]++
			limits[with.text] = with.uses
		}
	}
	for _, text := range slices.Sorted(maps.Keys(used)) {
		if used[text] > limits[text] {
			r.addf("a code for %d uses brought %d units", limits[text], used[text])
		}
	}
	if sold > e.Used {
		r.addf("codes brought %d units that were sold, and the records count %d uses", sold, e.Used)
	}
}
