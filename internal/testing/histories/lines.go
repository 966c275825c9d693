package histories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"sneakerdrop/internal/drop"
)

// Waitlists and the entries of draws. An offer lasts at least 10 s, so none expires in a history: its buyer takes it or
// declines it. The draw of a history closes in its middle, and nobody draws: package drawing does that, which no lane
// depends on.

const (
	// joiners and entrants are how many buyers wait for units of one drop, and take part in its draw. No buyer from the
	// waitlist of a drop with sizes or without a limit reserves there, where buyers have numbers from 1000.
	joiners, entrants = 12, 8
	// fewEntries is how many more entries a draw takes that is made almost full.
	fewEntries = 3
)

// waitRequest returns how a call about a waitlist or a draw is sent.
func (c *call) waitRequest() (method, path string, body any) {
	const base = "/api/drops"
	switch cmd := c.cmd.(type) {
	case drop.Join:
		body := map[string]any{"dropId": c.drop, "userId": cmd.User}
		if cmd.Size != "" {
			body["size"] = cmd.Size
		}
		return http.MethodPost, base + "/waitlist", body
	case drop.Leave:
		return http.MethodPost, base + "/waitlist/leave", map[string]any{"entryId": cmd.Entry}
	case drop.Enter:
		return http.MethodPost, base + "/enter", map[string]any{"dropId": c.drop, "userId": cmd.User, "sizes": cmd.Sizes}
	default:
		return http.MethodPost, base + "/withdraw", map[string]any{"dropId": c.drop, "userId": c.cmd.(drop.Withdraw).User}
	}
}

// wait makes a call about a waitlist.
func (c *client) wait() *call {
	o := c.drop()
	for range 2 { // most calls are for drops that have one
		if !o.spec.Waitlist {
			o = c.drop()
		}
	}
	next := &call{drop: o.id, key: c.keyOf()}
	if c.IntN(4) == 0 {
		next.cmd = drop.Leave{Entry: o.drawEntry(c.Rand)}
		return next
	}
	cmd := drop.Join{User: drop.UserID(1 + c.IntN(joiners))}
	if len(o.spec.Sizes) > 0 {
		cmd.Size = o.spec.Sizes[c.IntN(len(o.spec.Sizes))].Label
	}
	next.cmd = cmd
	return next
}

// drawn makes a call about the draw.
func (c *client) drawn() *call {
	o := c.h.offers[len(c.h.offers)-1]
	next := &call{drop: o.id, key: c.keyOf()}
	user := drop.UserID(1 + c.IntN(entrants))
	switch n := c.IntN(20); {
	case n < 11:
		next.cmd = drop.Enter{User: user, Sizes: [][]string{{"8"}, {"8", "9.5"}}[c.IntN(2)]}
	case n < 16:
		next.cmd = drop.Withdraw{User: user}
	case n < 18:
		return &call{kind: reading, drop: o.id}
	default: // under a key, because a gate that does not ask the store may say up to a batch too early that the draw is closed
		next.key = fmt.Sprintf("c%d-%d", c.number, c.made)
		next.cmd = drop.Reserve{User: drop.UserID(1000*c.number + c.made), Size: "8", Hold: c.h.hold}
	}
	return next
}

// drawEntry mostly draws an entry of the waitlist that exists.
func (o *offer) drawEntry(rnd interface{ IntN(n int) int }) drop.EntryID {
	o.mu.Lock()
	defer o.mu.Unlock()
	return drop.NewEntryID(o.id, uint32(max(1, o.joined+1-rnd.IntN(5))))
}

type (
	placeJSON struct {
		ID            drop.EntryID       `json:"id"`
		DropID        drop.ID            `json:"dropId"`
		UserID        drop.UserID        `json:"userId"`
		Size          string             `json:"size"`
		Status        string             `json:"status"`
		CreatedAt     string             `json:"createdAt"`
		Reason        drop.Code          `json:"reason"`
		ReservationID drop.ReservationID `json:"reservationId"`
	}
	chanceJSON struct {
		ID        drop.EntryID `json:"id"`
		UserID    drop.UserID  `json:"userId"`
		Status    string       `json:"status"`
		CreatedAt string       `json:"createdAt"`
	}
)

func entryText(e *drop.Entry) string {
	return fmt.Sprintf("%+v", placeJSON{e.ID, e.ID.Drop(), e.UserID, e.Size, e.Status.String(), e.CreatedAt.String(), e.Why, e.Offer})
}

func drawText(e *drop.DrawEntry) string {
	j := chanceJSON{e.ID, e.UserID, "entered", e.CreatedAt.String()}
	if !e.In() {
		j.Status = "withdrawn"
	}
	return j.text()
}

// text leaves out which of a buyer's entries was withdrawn last: that depends on the milliseconds of both.
func (j chanceJSON) text() string {
	if j.Status == "withdrawn" {
		j.ID, j.CreatedAt = 0, ""
	}
	return fmt.Sprintf("%+v", j)
}

func (c *call) understandWait(a *answer, body []byte) error {
	var p struct {
		placeJSON
		Position int64    `json:"position"`
		Sizes    []string `json:"sizes"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("%s: %w", a.raw, err)
	}
	a.id, a.position, a.text = int64(p.ID), p.Position, fmt.Sprintf("%+v", p.placeJSON)
	switch cmd := c.cmd.(type) {
	case drop.Enter:
		if !slices.Equal(cmd.Sizes, p.Sizes) {
			return fmt.Errorf("%s: asked for %q", a.raw, cmd.Sizes)
		}
		a.text = chanceJSON{p.ID, p.UserID, p.Status, p.CreatedAt}.text()
	case drop.Withdraw:
		a.text = chanceJSON{p.ID, p.UserID, p.Status, p.CreatedAt}.text()
	}
	return a.tells(p.CreatedAt)
}

// both reports whether a unit is on sale while somebody waits for one. In a pause, units may come free for more than
// those who wait, and an answer does not tell how many are kept for them.
func (j *dropJSON) both() bool {
	one := func(s sizeJSON) bool { return s.Available > 0 && s.Waiting > 0 }
	return !j.Paused && (len(j.Sizes) == 0 && j.Available > 0 && j.Waiting > 0 || slices.ContainsFunc(j.Sizes, one))
}

// told reports whether the call was told that result. The position of a buyer who waited before is read after the
// batch, so only that of a new entry counts.
func (c *call) told(r *drop.Result) bool {
	return c.text(r) == c.answer.text && (r.Position == 0 || c.answer.position == 0 || r.Position == c.answer.position)
}

// mayHaveWaited reports whether a call of unknown outcome about a waitlist or a draw may have changed anything.
func (m *model) mayHaveWaited(c *call) bool {
	switch cmd := c.cmd.(type) {
	case drop.Join:
		return slices.ContainsFunc(m.rows.entries[c.drop], func(e drop.Entry) bool { return e.UserID == cmd.User && e.CreatedAt >= c.from })
	case drop.Leave:
		return slices.ContainsFunc(m.rows.entries[c.drop], func(e drop.Entry) bool { return e.ID == cmd.Entry && e.Status == drop.Left })
	default:
		return true
	}
}

// handed returns the moments that the rows tell of what comes next: a reservation, offers, an entry, or the end of a
// place in line without an offer.
func (m *model) handed(b *book) (at []drop.Time) {
	id := b.drop.ID
	for n := len(b.reservations); n < len(m.rows.reservations[id]); n++ {
		if row := m.rows.reservations[id][n]; row.Offer || n == len(b.reservations) {
			at = append(at, row.CreatedAt)
		}
	}
	if n := len(b.entries); n < len(m.rows.entries[id]) {
		at = append(at, m.rows.entries[id][n].CreatedAt)
	}
	if row, ok := m.rows.drawn[drop.NewEntryID(id, b.drop.DrawState.Entered+1)]; ok {
		at = append(at, row.CreatedAt)
	}
	for i, e := range b.entries {
		if row := m.rows.entries[id][i]; e.Status == drop.Waiting && row.EndedAt != 0 && row.Offer == 0 {
			at = append(at, row.EndedAt)
		}
	}
	return at
}

// agrees reports whether the rows tell of all that a command made and ended, and of everybody who left a line in it at
// that moment.
func (m *model) agrees(b, next *book) bool {
	id := b.drop.ID
	for _, r := range next.reservations[len(b.reservations):] {
		row := m.rows.byID[r.ID]
		if row.UserID != r.UserID || row.Size != r.Size || row.CreatedAt != r.CreatedAt || row.Offer != r.Offer {
			return false
		}
	}
	for i, r := range next.reservations { // an end is final
		if r.Status != drop.Active && (i >= len(b.reservations) || b.reservations[i].Status == drop.Active) && m.rows.byID[r.ID].Status != r.Status {
			return false
		}
	}
	for i, e := range next.entries {
		if i < len(b.entries) && b.entries[i] == e {
			continue
		}
		if i >= len(m.rows.entries[id]) {
			return false
		}
		row := m.rows.entries[id][i]
		if e.Status == drop.Waiting { // it may end later
			row.Status, row.EndedAt, row.Offer, row.Why = e.Status, e.EndedAt, e.Offer, e.Why
		}
		if row != e {
			return false
		}
	}
	for n := b.drop.DrawState.Entered + 1; n <= next.drop.DrawState.Entered; n++ {
		e := next.drawEntries[drop.NewEntryID(id, n)]
		if row := m.rows.drawn[e.ID]; row.UserID != e.UserID || row.Sizes != e.Sizes || row.CreatedAt != e.CreatedAt {
			return false
		}
	}
	return true
}

// caught returns the book after the batches until that moment that nobody asked for. In those a hold ended, and its
// unit went to a buyer who waited.
func (m *model) caught(b *book, until drop.Time) *book {
	for b.drop.Waitlist {
		next := m.handOver(b, until)
		if next == nil {
			break
		}
		b = next
	}
	return b
}

func (m *model) handOver(b *book, until drop.Time) *book {
	holds := b.active()
	if len(holds) == 0 {
		return nil
	}
	for _, now := range b.moments(max(b.lastAt, holds[0].ExpiresAt), until, m.handed(b)...) {
		_, next := b.apply(now, drop.Expire{})
		if len(next.reservations) == len(b.reservations) && slices.Equal(next.entries, b.entries) {
			continue // the unit goes to nobody, so the next command can as well end the hold
		}
		if m.agrees(b, next) {
			return next
		}
	}
	return nil
}

// inLine checks what the model cannot, because it follows the same rules. Whoever waits longest is offered a unit
// first. Nobody else gets one meanwhile, and no buyer has two places in a line.
func (h *history) inLine(m *model, o *offer) {
	entries := m.rows.entries[o.id]
	waits := func(e *drop.Entry, at drop.Time) bool { // and both before that moment and after it
		return e.CreatedAt < at && (e.EndedAt == 0 || e.EndedAt > at)
	}
	offers, late := make(map[drop.ReservationID]bool), make(map[drop.ReservationID]bool)
	for _, r := range m.rows.reservations[o.id] {
		if r.Claim != r.ID { // in a pause, late money gets a unit that is not kept for the line
			late[r.Claim] = true
		}
	}
	for i := range entries {
		e := &entries[i]
		h.count("entries of a waitlist, in the end " + e.Status.String())
		for j := range entries[:i] {
			before := &entries[j]
			switch {
			case before.Line != e.Line || before.EndedAt != 0 && before.EndedAt <= e.CreatedAt:
			case before.UserID == e.UserID:
				h.t.Errorf("one buyer has two places in a line: %+v and %+v", before, e)
			case e.Status == drop.Offered && (before.EndedAt == 0 || before.EndedAt > e.EndedAt):
				h.t.Errorf("%+v was offered a unit before %+v", e, before)
			}
		}
		if e.Status != drop.Offered {
			continue
		}
		r := m.rows.byID[e.Offer]
		if !r.Offer || r.UserID != e.UserID || r.CreatedAt != e.EndedAt || offers[r.ID] {
			h.t.Errorf("%+v was offered %+v", e, r)
		}
		offers[r.ID] = true
		h.count("offers, in the end " + r.Status.String())
	}
	for _, r := range m.rows.reservations[o.id] {
		if r.Offer != offers[r.ID] {
			h.t.Errorf("nobody waited for the offer %+v", r)
		}
		for i := range entries {
			if e := &entries[i]; !r.Offer && !late[r.ID] && (len(o.spec.Sizes) == 0 || e.Size == r.Size) && waits(e, r.CreatedAt) {
				h.t.Errorf("%+v was made while %+v waited", r, e)
			}
		}
	}
	for _, c := range h.calls {
		if c.drop == o.id && c.answer.both {
			h.t.Errorf("a unit is on sale while somebody waits for one: %s", c)
		}
	}
}

// oneEntry checks the entries of a draw: no buyer has two, none is from after the close, and there are not too many.
func (h *history) oneEntry(m *model, o *offer) {
	terms := &o.spec.Draw
	in, tries := make(map[drop.UserID]bool), make(map[drop.UserID]int)
	for _, e := range m.rows.drawn {
		if e.ID.Drop() != o.id {
			continue
		}
		if tries[e.UserID]++; in[e.UserID] && e.In() || tries[e.UserID] > drop.MaxTries {
			h.t.Errorf("user %d entered more than once: %+v", e.UserID, e)
		}
		in[e.UserID] = in[e.UserID] || e.In()
		if e.CreatedAt < terms.Opens || e.CreatedAt >= terms.Closes || e.WithdrawnAt >= terms.Closes || e.Number() > drop.MaxEntries {
			h.t.Errorf("the draw from %s to %s has %+v", terms.Opens, terms.Closes, e)
		}
		h.count(fmt.Sprintf("entries of a draw, withdrawn in the end: %t", !e.In()))
	}
	if n := len(m.rows.reservations[o.id]); terms.Closes != 0 && n > 0 {
		h.t.Errorf("%d reservations before the draw", n)
	}
}
