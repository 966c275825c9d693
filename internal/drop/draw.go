package drop

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Draw are the terms of a drop's draw. The zero value: the drop has none. They never change.
type Draw struct {
	// Opens and Closes bound the time in which buyers can enter.
	Opens, Closes Time
	// PayWithin is how long a winner keeps the unit, in seconds.
	PayWithin int
	// Commitment is that to the seed (docs/DRAW.md).
	Commitment Hash
	// Chain names the network of the beacon; empty: the seed alone decides. Round is the beacon's.
	Chain string
	Round int64
}

// Hash is a SHA-256.
type Hash [32]byte

// String returns 64 lowercase hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// DrawSecrets are what a server keeps of a draw from its creation on. Neither is ever in a log.
type DrawSecrets struct {
	// Seed is the seed of the draw; nil: the shop keeps it until it reveals it.
	Seed []byte
	// Key makes the salts of receipts, 32 bytes.
	Key []byte
}

// String hides the secrets.
func (DrawSecrets) String() string { return "the secrets of a draw" }

// GoString hides the secrets.
func (s DrawSecrets) GoString() string { return s.String() }

// Limits of draws.
const (
	DefaultPayWithin = 600 // seconds
	MaxEntries       = 200_000
	MaxRemoval       = 200 // characters of the reason why an entry was removed
	MaxRound         = MaxSafeInteger
	// MaxRanked is how many sizes an entry can rank, so that the record of the largest draw is not too large to verify.
	MaxRanked = 10
	// MaxTries is how often one buyer can enter one draw with other sizes than before.
	MaxTries = 5
	// MaxLinedUp is the most places in lines that one batch gives. It keeps the drops that share a database from
	// waiting for a draw.
	MaxLinedUp = 2000
)

// Chains are the networks of beacons that a draw can use.
var Chains = []string{"quicknet", "default"}

// DrawPhase is how far a draw has come. Its numbers are stored; do not renumber them.
type DrawPhase int8

// The phases of a draw.
const (
	Entering DrawPhase = 0 // buyers enter, or will
	Drawing  DrawPhase = 1 // all entries are there, and the result is not
	Drawn    DrawPhase = 2 // the winners have their offers, or wait for them
)

// DrawState is what changes of a draw.
type DrawState struct {
	Phase DrawPhase
	// Entered is the number of the newest entry.
	Entered uint32
	// Lined is the number of the newest place in a line that the draw gave. Those up to there are of its winners and
	// runners-up.
	Lined uint32
}

// HasDraw reports whether a draw decides who may buy.
func (s *Settings) HasDraw() bool { return s.Draw.Closes != 0 }

// DrawPending reports whether a draw is to decide yet.
func (d *Drop) DrawPending() bool { return d.HasDraw() && d.DrawState.Phase != Drawn }

// lining reports whether places in line are being given: nobody is offered a unit before the last one is.
func (d *Drop) lining() bool { return d.DrawState.Phase == Drawing }

// refuseDraw returns why nobody can reserve while the draw is not over, or nil.
func (d *Drop) refuseDraw(now Time) *Error {
	switch {
	case !d.DrawPending():
		return nil
	case now < d.Draw.Opens:
		return notStarted(d.Draw.Opens, now)
	case now < d.Draw.Closes:
		return Refuse(CodeDrawOpen)
	default:
		return Refuse(CodeDrawClosed)
	}
}

// RefuseEnter returns why nobody can enter the draw at the time now, or nil.
func (d *Drop) RefuseEnter(now Time) *Error {
	switch {
	case d.Archived:
		return Refuse(CodeArchived)
	case !d.HasDraw():
		return Refuse(CodeNoDraw)
	case now < d.Draw.Opens:
		return notStarted(d.Draw.Opens, now)
	case now >= d.Draw.Closes || d.DrawState.Phase != Entering:
		return Refuse(CodeDrawClosed)
	case d.Paused:
		return Refuse(CodePaused)
	}
	return nil
}

// check refuses terms that break a rule. start is when what is left goes on sale.
func (t *Draw) check(start Time) *Error {
	switch {
	case t.Opens < minStart || t.Opens > maxStart:
		return Invalid("draw.opens", "must lie in the years 1970 to 9999")
	case t.Closes <= t.Opens || t.Closes > maxStart:
		return Invalid("draw.closes", "must be after draw.opens")
	case start < t.Closes:
		return Invalid("start_time", "must not be before draw.closes")
	case t.PayWithin < minOfferFor || t.PayWithin > maxOfferFor:
		return Invalid("draw.pay_within", fmt.Sprintf("must be from %d to %d seconds", minOfferFor, maxOfferFor))
	case t.Chain == "" && t.Round != 0:
		return Invalid("draw.beacon", "must name the network of the round")
	case t.Chain != "" && !slices.Contains(Chains, t.Chain):
		return Invalid("draw.beacon", "must be one of "+strings.Join(Chains, ", "))
	case t.Chain != "" && (t.Round < 1 || t.Round > MaxRound):
		return Invalid("draw.round", fmt.Sprintf("must be from 1 to %d", int64(MaxRound)))
	}
	return nil
}

// storedDraw is the stored form of a Draw.
type storedDraw struct {
	Opens      Time   `json:"opens"`
	Closes     Time   `json:"closes"`
	PayWithin  int    `json:"pay_within"`
	Commitment string `json:"commitment"`
	Chain      string `json:"beacon,omitempty"`
	Round      int64  `json:"round,omitempty"`
}

// Encode returns the stored form; empty for no draw.
func (t *Draw) Encode() string {
	if t.Closes == 0 {
		return ""
	}
	b, err := json.Marshal(storedDraw{t.Opens, t.Closes, t.PayWithin, t.Commitment.String(), t.Chain, t.Round})
	if err != nil {
		panic(err) // cannot happen: numbers and plain text
	}
	return string(b)
}

// DecodeDraw reads what Encode wrote.
func DecodeDraw(s string) (Draw, error) {
	if s == "" {
		return Draw{}, nil
	}
	var k storedDraw
	if err := json.Unmarshal([]byte(s), &k); err != nil {
		return Draw{}, fmt.Errorf("decode the terms of a draw: %w", err)
	}
	t := Draw{Opens: k.Opens, Closes: k.Closes, PayWithin: k.PayWithin, Chain: k.Chain, Round: k.Round}
	commitment, err := hex.DecodeString(k.Commitment)
	if err != nil || len(commitment) != len(t.Commitment) {
		return Draw{}, errors.New("decode the terms of a draw: the commitment is damaged")
	}
	t.Commitment = Hash(commitment)
	return t, nil
}

// DrawEntry is one buyer's chance in a draw. Its number within the drop is that of the public record.
type DrawEntry struct {
	ID     EntryID
	UserID UserID
	// Sizes are the wanted sizes, the favorite first.
	Sizes     Ranking
	CreatedAt Time
	// WithdrawnAt is when the buyer took the entry back, 0 if that did not happen.
	WithdrawnAt Time
	// Removed is why an operator took it out, or empty.
	Removed string
	// Pass is the pass that let the buyer in early; 0: none.
	Pass PassID
}

// Number is the entry's number in the public record, from 1.
func (e *DrawEntry) Number() uint32 { return e.ID.number() }

// In reports whether the entry takes part.
func (e *DrawEntry) In() bool { return e.WithdrawnAt == 0 && e.Removed == "" }

// Ranking lists sizes by their places in Drop.Sizes, the favorite first, as "2,0".
type Ranking string

// RankingOf returns the list of those places.
func RankingOf(places []int) Ranking {
	words := make([]string, len(places))
	for i, p := range places {
		words[i] = strconv.Itoa(p)
	}
	return Ranking(strings.Join(words, ","))
}

// Places returns the places, the favorite first. What is no number is left out.
func (r Ranking) Places() []int {
	var places []int
	for word := range strings.SplitSeq(string(r), ",") {
		if p, err := strconv.Atoi(word); err == nil {
			places = append(places, p)
		}
	}
	return places
}

// LoadDrawEntry adds an entry from Need.DrawEntries, or one of a buyer from Need.Entrants.
func (s *State) LoadDrawEntry(e DrawEntry) {
	if s.drawEntries == nil {
		s.drawEntries = make(map[EntryID]*DrawEntry)
	}
	if s.drawEntries[e.ID] == nil {
		s.drawEntries[e.ID] = &e
	}
}

// entriesOf returns the entries of a buyer in the order of their numbers.
func (a *application) entriesOf(user UserID) []*DrawEntry {
	var all []*DrawEntry
	for _, e := range a.drawEntries {
		if e.UserID == user {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(x, y *DrawEntry) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

// Enter enters a buyer in the draw. Sizes are the labels of the wanted sizes, the favorite first; none in a drop
// without sizes. A buyer who is in the draw with these sizes stays there.
type Enter struct {
	User  UserID
	Sizes []string
	// With is what lets the buyer in early; nil: nothing.
	With *Passes
}

// Operation returns "enter".
func (Enter) Operation() string { return "enter" }

// Asked returns the text of the call: which buyer asks for which sizes.
func (c Enter) Asked(ID) Asked {
	b := appendNumber(nil, "enter{User:", int64(c.User))
	for _, size := range c.Sizes {
		b = appendText(b, ", Size:", size)
	}
	return Asked(append(c.With.asked(b), '}'))
}

func (c Enter) need(n *Need) {
	n.Entrants = append(n.Entrants, c.User)
	n.show(c.With)
}

func (c Enter) apply(a *application) Result {
	ranking, refusal := a.Rank(c.Sizes)
	var pass PassID
	if refusal == nil {
		pass, refusal = a.admitEntry(ranking, c)
	}
	if refusal != nil {
		return Result{Err: refusal}
	}
	mine := a.entriesOf(c.User)
	var again *DrawEntry
	for _, e := range mine {
		switch {
		case e.Removed != "":
			return Result{Err: Refuse(CodeRemoved)}
		case e.In() && e.Sizes == ranking:
			return answerDraw(e)
		case e.In():
			return Result{Err: Refuse(CodeEntered)}
		case e.Sizes == ranking:
			again = e
		}
	}
	switch {
	case again != nil:
		again.WithdrawnAt, again.Pass = 0, pass
		a.enterBy(pass)
		a.redrawn(again)
		return answerDraw(again)
	case len(mine) >= MaxTries:
		return Result{Err: &Error{Code: CodeLimitReached, Limit: MaxTries, Used: len(mine)}}
	case a.DrawState.Entered >= MaxEntries:
		return Result{Err: Refuse(CodeDrawFull)}
	}
	a.DrawState.Entered++
	e := DrawEntry{ID: NewEntryID(a.ID, a.DrawState.Entered), UserID: c.User, Sizes: ranking, CreatedAt: a.now, Pass: pass}
	a.enterBy(pass)
	a.LoadDrawEntry(e)
	made := a.drawEntries[e.ID]
	a.first(made)
	a.changes.Entered = append(a.changes.Entered, made)
	a.changed = true
	return answerDraw(made)
}

// Rank returns the places of the sizes that an entry names by their labels, or why it cannot name them.
func (d *Drop) Rank(sizes []string) (Ranking, *Error) {
	if len(sizes) > MaxRanked {
		return "", Invalid("sizes", fmt.Sprintf("must have at most %d entries", MaxRanked))
	}
	if len(sizes) == 0 {
		sizes = []string{""}
	}
	places := make([]int, 0, len(sizes))
	for _, label := range sizes {
		place, _, refusal := d.sizeNamed(label)
		switch {
		case refusal != nil:
			refusal.Field = "sizes"
			return "", refusal
		case slices.Contains(places, place):
			return "", Invalid("sizes", "must name each size at most once")
		}
		places = append(places, place)
	}
	return RankingOf(places), nil
}

// redrawn notes that a loaded entry changed.
func (a *application) redrawn(e *DrawEntry) {
	a.changed = true
	if a.first(e) {
		a.changes.Redrawn = append(a.changes.Redrawn, e)
	}
}

func answerDraw(e *DrawEntry) Result {
	to := *e
	return Result{DrawEntry: &to}
}

// Withdraw takes a buyer out of the draw.
type Withdraw struct{ User UserID }

// Operation returns "withdraw".
func (Withdraw) Operation() string { return "withdraw" }

// Asked returns the text of the call, which names the buyer.
func (c Withdraw) Asked(ID) Asked { return askedNumber(int64(c.User)) }

func (c Withdraw) need(n *Need) { n.Entrants = append(n.Entrants, c.User) }

func (c Withdraw) apply(a *application) Result {
	if !a.HasDraw() {
		return Result{Err: Refuse(CodeNoDraw)}
	}
	mine := a.entriesOf(c.User)
	if len(mine) == 0 {
		return Result{Err: Refuse(CodeEntryNotFound)}
	}
	newest := slices.MaxFunc(mine, func(x, y *DrawEntry) int {
		return cmp.Or(cmp.Compare(x.WithdrawnAt, y.WithdrawnAt), cmp.Compare(x.ID, y.ID))
	})
	for _, e := range mine {
		if e.In() || e.Removed != "" {
			newest = e
		}
	}
	switch {
	case !newest.In():
		return answerDraw(newest)
	case a.now >= a.Draw.Closes || a.DrawState.Phase != Entering:
		return Result{Err: Refuse(CodeDrawClosed)}
	}
	newest.WithdrawnAt = a.now
	if newest.Pass != 0 {
		a.use(newest.Pass, -1)
		newest.Pass = 0
	}
	a.redrawn(newest)
	return answerDraw(newest)
}

// Remove takes an entry out of the draw for a reason that everybody can read. It is an operator's command. An entry
// that is out already does not change: the public record knows no entry that is both withdrawn and removed.
type Remove struct {
	Entry  EntryID
	Reason string
}

// Operation returns "remove".
func (Remove) Operation() string { return "remove" }

// Asked returns the text of the call: which entry, and why.
func (c Remove) Asked(ID) Asked {
	b := appendNumber(nil, "remove{Entry:", int64(c.Entry))
	b = appendText(b, ", Reason:", c.Reason)
	return Asked(append(b, '}'))
}

func (c Remove) need(n *Need) { n.DrawEntries = append(n.DrawEntries, c.Entry) }

func (c Remove) apply(a *application) Result {
	e := a.drawEntries[c.Entry]
	switch {
	case !a.HasDraw():
		return Result{Err: Refuse(CodeNoDraw)}
	case e == nil:
		return Result{Err: Refuse(CodeEntryNotFound)}
	case !e.In():
		return answerDraw(e)
	case a.now >= a.Draw.Closes || a.DrawState.Phase != Entering:
		return Result{Err: Refuse(CodeDrawClosed)}
	}
	reason := strings.TrimSpace(c.Reason)
	if refusal := checkText("reason", reason, 1, MaxRemoval); refusal != nil {
		return Result{Err: refusal}
	}
	e.Removed = reason
	a.redrawn(e)
	return answerDraw(e)
}

// CloseDraw ends the time to enter, once it is over by the store's clock. After its batch no entry changes.
type CloseDraw struct{}

// Operation returns "close_draw".
func (CloseDraw) Operation() string { return "close_draw" }

func (CloseDraw) need(*Need) {}

func (CloseDraw) apply(a *application) Result {
	if a.HasDraw() && a.DrawState.Phase == Entering && a.now >= a.Draw.Closes {
		a.DrawState.Phase = Drawing
		a.changed = true
	}
	return a.answerDrop(nil)
}

// Place is a place in the line for a size that a draw gives. Size is its index in Drop.Sizes.
type Place struct {
	User UserID
	Size int
}

// LineUp gives the next places in line that follow from the draw: winners first, each for the size that it won, then
// runners-up for every size that they ranked. It does nothing unless exactly From places were given so far, so that a
// draw is done once, whoever does it and how often. It waits while the drop is archived. Last says that these are the
// last.
type LineUp struct {
	From   uint32
	Places []Place
	Last   bool
}

// Operation returns "line_up".
func (LineUp) Operation() string { return "line_up" }

func (LineUp) need(*Need) {}

func (c LineUp) apply(a *application) Result {
	if a.Archived || !a.lining() || a.DrawState.Lined != c.From || len(c.Places) > MaxLinedUp {
		return a.answerDrop(nil)
	}
	for _, p := range c.Places {
		a.Waited++
		e := a.entry(Entry{
			ID: NewEntryID(a.ID, a.Waited), UserID: p.User, Line: p.Size, Size: a.Sizes[p.Size].Label, Status: Waiting, CreatedAt: a.now,
		})
		a.changes.Joined = append(a.changes.Joined, e)
		a.first(e)
		a.inLineNow(p.Size, 1)
		if l := a.lines[p.Size]; l != nil {
			l.whole = false // the next batches offer
		}
	}
	a.DrawState.Lined += uint32(len(c.Places))
	if c.Last {
		a.DrawState.Phase = Drawn
	}
	a.changed = true
	for i := range a.Sizes {
		a.handOver(i)
	}
	return a.answerDrop(nil)
}

// drawn reports whether a place in a line comes from the draw.
func (a *application) drawn(e *Entry) bool { return e.ID.number() <= a.DrawState.Lined }

// offerFor returns how long a buyer keeps the unit that the place in line brings.
func (a *application) offerFor(e *Entry) time.Duration {
	seconds := cmp.Or(a.OfferFor, DefaultOfferFor)
	if a.drawn(e) {
		seconds = a.Draw.PayWithin
	}
	return time.Duration(seconds) * time.Second
}

// turnTaken ends the other places that a draw gave to a buyer: it brings one unit.
func (a *application) turnTaken(had *Entry) {
	if !a.drawn(had) || len(a.Sizes) == 1 {
		return
	}
	var others []*Entry
	for _, e := range a.entries {
		if e.UserID == had.UserID && e != had && a.drawn(e) && a.inLine(e) {
			others = append(others, e)
		}
	}
	slices.SortFunc(others, func(x, y *Entry) int { return cmp.Compare(x.ID, y.ID) })
	for _, e := range others {
		a.leaveLine(e, Left)
		a.handOver(e.Line)
	}
}
