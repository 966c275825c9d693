package drop

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"sneakerdrop/internal/text"
)

// Access is early access to a drop. While it is open, a buyer with one of its passes can reserve before the drop
// starts, or enter its draw before that opens. Units can be kept for it.
type Access struct {
	// Name is what operators call it, or empty.
	Name string
	// List: its passes are buyers on a list, and else codes. Emails: some of them are known by their emails.
	List, Emails bool
	// Sizes are the sizes that it is good for, by their indexes in Drop.Sizes, in ascending order; nil: all.
	Sizes []int
	// Starts and Ends bound the time in which its passes are good. Ends 0: until the drop starts.
	Starts, Ends Time
	// Uses is how often each pass can be used. A use counts while it is a hold, a sale or an entry in the draw.
	Uses int
	// PerBuyer is how many units a buyer can hold and buy with its passes; 0: any number.
	PerBuyer int
	// Units is how many units of each of its sizes were kept for it; 0: none, its buyers take what is on sale.
	Units int64
	// Kept is how many are kept now, by index of Drop.Sizes. They are among Stock.Held. nil if none are kept.
	Kept []int64
	// Passes is the number of its newest pass, and Used how often they are used in all.
	Passes uint32
	Used   int64
}

// Limits of early access.
const (
	MaxAccesses    = 50        // of one drop, also those that are over
	MaxPasses      = 200_000   // of one access
	MaxNewPasses   = 10_000    // in one call
	MaxUses        = 1_000_000 // of one pass
	MaxAccessName  = 100       // characters
	MinCode        = 6         // letters and digits
	MaxCode        = 64
	MaxPassesShown = 2 * MaxAccesses
)

// PassID numbers a pass. Like a ReservationID, it begins with the drop's number. Of its lower 32 bits, the upper 6 have
// the number of its access, from 1, and the rest its own, from 1.
type PassID int64

const passBits = 26

// NewPassID returns the number of the n-th pass of an access of a drop.
func NewPassID(of ID, access, n uint32) PassID {
	return PassID(NewReservationID(of, access<<passBits|n))
}

// Drop returns the drop that the pass belongs to.
func (id PassID) Drop() ID { return ReservationID(id).Drop() }

// Access returns the number of the access that the pass belongs to.
func (id PassID) Access() int { return int(ReservationID(id).number() >> passBits) }

// Number returns the pass's own number within its access.
func (id PassID) Number() int { return int(ReservationID(id).number() & (1<<passBits - 1)) }

// Pass lets who shows it in early: a code, or a buyer on a list.
type Pass struct {
	ID PassID
	// Hash is how it is found: no pass is stored in plain text.
	Hash Hash
	// Used is how often it is used.
	Used int
}

// Passes are what a buyer shows.
type Passes struct {
	// Code is the hash of the code that the buyer typed, or zero.
	Code Hash
	// Listed are the hashes by which lists may name the buyer, at most MaxPassesShown.
	Listed []Hash
}

func (p *Passes) coded() bool { return p != nil && p.Code != Hash{} }

// asked appends the code to the text of a call. Lists are left out: they are the server's.
func (p *Passes) asked(b []byte) []byte {
	if !p.coded() {
		return b
	}
	return appendText(b, ", Code:", p.Code.String())
}

// show adds the passes that a buyer shows.
func (n *Need) show(p *Passes) {
	if p.coded() {
		n.Passes = append(n.Passes, p.Code)
	}
	if p != nil {
		n.Passes = append(n.Passes, p.Listed...)
	}
}

// End returns when an access is over.
func (d *Drop) End(x *Access) Time { return cmp.Or(x.Ends, d.StartTime) }

// open reports whether the passes of an access are good at that time.
func (d *Drop) open(x *Access, now Time) bool { return x.Starts <= now && now < d.End(x) }

// covers reports whether an access is good for a size.
func (x *Access) covers(size int) bool { return x.Sizes == nil || slices.Contains(x.Sizes, size) }

func (x *Access) coversAll(sizes []int) bool {
	return !slices.ContainsFunc(sizes, func(size int) bool { return !x.covers(size) })
}

// keeps reports whether units are kept for an access.
func (d *Drop) keeps(x *Access) bool {
	for size := range d.Sizes {
		if x.kept(size) > 0 {
			return true
		}
	}
	return false
}

// kept returns how many units of a size are kept for an access.
func (x *Access) kept(size int) int64 {
	if size >= len(x.Kept) {
		return 0
	}
	return x.Kept[size]
}

// KeptOf returns how many units of a size are kept for early access.
func (d *Drop) KeptOf(size int) (n int64) {
	for i := range d.Accesses {
		n += d.Accesses[i].kept(size)
	}
	return n
}

// KeptUntil returns the moment at which the next units that are kept for an access go back, or 0. While a draw gives
// places in line, nothing goes back.
func (d *Drop) KeptUntil() (until Time) {
	if d.lining() {
		return 0
	}
	for i := range d.Accesses {
		if x := &d.Accesses[i]; d.keeps(x) && (until == 0 || d.End(x) < until) {
			until = d.End(x)
		}
	}
	return until
}

// LoadPass adds a pass from Need.Passes.
func (s *State) LoadPass(p Pass) {
	if s.passes[p.Hash] != nil {
		return
	}
	if s.passes == nil {
		s.passes = make(map[Hash]*Pass)
	}
	s.passes[p.Hash] = &p
}

// accessOf returns the access of a pass, or nil.
func (d *Drop) accessOf(id PassID) *Access {
	return d.Access(id.Access())
}

// Access returns the access with that number, or nil.
func (d *Drop) Access(number int) *Access {
	if number < 1 || number > len(d.Accesses) {
		return nil
	}
	return &d.Accesses[number-1]
}

// clone returns a copy that shares nothing.
func (x Access) clone() Access {
	x.Sizes, x.Kept = slices.Clone(x.Sizes), slices.Clone(x.Kept)
	return x
}

// CloneAccesses returns copies that share nothing with the accesses.
func CloneAccesses(all []Access) []Access {
	if all == nil {
		return nil
	}
	copied := make([]Access, len(all))
	for i := range all {
		copied[i] = all[i].clone()
	}
	return copied
}

// codeRequired is the refusal of a buyer who comes before the start without a pass.
func codeRequired(starts, now Time) *Error {
	return &Error{Code: CodeCodeRequired, StartsAt: starts, StartsIn: starts.Sub(now)}
}

// MayAdmit reports whether the passes of an access can let somebody in at about that time, if there is a unit.
func (d *Drop) MayAdmit(x *Access, now Time) bool {
	const about = 2000 // ms, for a clock that is not the store's
	return now < d.End(x) && now+about >= x.Starts && (x.Units > 0 || !d.public(now))
}

// serves reports whether an access has a unit of a size for who shows a pass.
func (d *Drop) serves(x *Access, size int) bool {
	if x.Units > 0 {
		return x.kept(size) > 0
	}
	return !d.drawPending() && d.Sizes[size].Stock.Available > 0
}

// anyServes reports whether a pass would bring a unit. With lists it looks at lists only.
func (d *Drop) anyServes(size int, now Time, lists bool) bool {
	for i := range d.Accesses {
		if x := &d.Accesses[i]; d.open(x, now) && x.covers(size) && d.serves(x, size) && (x.List || !lists) {
			return true
		}
	}
	return false
}

// public reports whether buyers need no pass.
func (d *Drop) public(now Time) bool { return now >= d.StartTime && !d.drawPending() }

// admit decides whether a buyer may have a unit. It returns the pass that lets the buyer in, or nil if everybody may
// have one. used is the buyer's, nil if nobody counts the buyer's units.
func (a *application) admit(size int, with *Passes, used *usage) (*Pass, *Error) {
	refusal := a.refuse(size, a.now)
	if len(a.Accesses) == 0 && !with.coded() || a.Archived || a.Paused {
		return nil, refusal
	}
	public := a.public(a.now)
	var good bool
	var limit *Error
	for p, x := range a.good(with, size) {
		good = true
		switch {
		case x.PerBuyer > 0 && used.by(x, &a.Drop, a.now) >= x.PerBuyer:
			limit = cmp.Or(limit, &Error{Code: CodeLimitReached, Limit: x.PerBuyer, Used: x.PerBuyer})
		case (x.Units > 0 || !public) && a.serves(x, size):
			return p, nil
		}
	}
	switch {
	case refusal == nil:
		return nil, nil
	case with.coded() && !good:
		return nil, Refuse(CodeCodeInvalid)
	case limit != nil:
		return nil, limit
	case !public && good && !a.drawPending():
		return nil, Refuse(CodeOutOfStock)
	case refusal.Code == CodeNotStarted && !good && a.anyServes(size, a.now, false):
		return nil, codeRequired(a.opensAt(), a.now)
	}
	return nil, refusal
}

// admitEntry decides whether a buyer may enter the draw. It returns the pass that lets the buyer in early, or 0. A
// buyer who is in the draw needs none.
func (a *application) admitEntry(ranking Ranking, c Enter) (PassID, *Error) {
	refusal := a.RefuseEnter(a.now)
	if refusal == nil || refusal.Code != CodeNotStarted || a.Paused {
		return 0, refusal
	}
	for _, e := range a.entriesOf(c.User) {
		if e.In() || e.Removed != "" {
			return 0, nil
		}
	}
	sizes := ranking.Places()
	for p := range a.good(c.With, sizes...) {
		return p.ID, nil
	}
	if c.With.coded() {
		return 0, Refuse(CodeCodeInvalid)
	}
	for i := range a.Accesses {
		if x := &a.Accesses[i]; a.open(x, a.now) && x.coversAll(sizes) {
			return 0, codeRequired(a.Draw.Opens, a.now)
		}
	}
	return 0, refusal
}

// enterBy counts an entry that a pass let in; 0: none did.
func (a *application) enterBy(pass PassID) {
	if pass != 0 {
		a.use(pass, 1)
	}
}

// good yields the passes that are good now for all those sizes, the code's first.
func (a *application) good(with *Passes, sizes ...int) func(yield func(*Pass, *Access) bool) {
	return func(yield func(*Pass, *Access) bool) {
		if with == nil {
			return
		}
		for _, hash := range append([]Hash{with.Code}, with.Listed...) {
			p := a.passes[hash]
			if p == nil {
				continue
			}
			x := a.accessOf(p.ID)
			if x == nil || !a.open(x, a.now) || p.Used >= x.Uses || !x.coversAll(sizes) {
				continue
			}
			if !yield(p, x) {
				return
			}
		}
	}
}

// by returns how many units a buyer holds and has bought with passes of an access. A nil usage has none.
func (u *usage) by(x *Access, d *Drop, now Time) (n int) {
	if u == nil {
		return 0
	}
	for _, id := range u.passes {
		if d.accessOf(id) == x {
			n++
		}
	}
	for _, r := range u.holds {
		if r.LiveAt(now) && d.accessOf(r.Pass) == x {
			n++
		}
	}
	return n
}

// drawPending reports whether a draw is to decide yet.
func (d *Drop) drawPending() bool { return d.HasDraw() && d.DrawState.Phase != Drawn }

// opensAt returns when buyers need no pass.
func (d *Drop) opensAt() Time {
	if d.drawPending() {
		return d.Draw.Opens
	}
	return d.StartTime
}

// use counts a use of a pass, or with −1 the end of one. p is the pass, nil if it is not loaded.
func (a *application) use(id PassID, more int) {
	a.changed, a.changes.Accesses = true, true
	if x := a.accessOf(id); x != nil {
		x.Used += int64(more)
	}
	for _, p := range a.passes {
		if p.ID == id {
			p.Used += more
		}
	}
	for i := range a.changes.Uses {
		if a.changes.Uses[i].Pass == id {
			a.changes.Uses[i].More += more
			return
		}
	}
	a.changes.Uses = append(a.changes.Uses, Use{Pass: id, More: more})
}

// Use is by how much the number of a pass's uses changes. More may be 0 or negative.
type Use struct {
	Pass PassID
	More int
}

// holdBy counts a hold that a pass let in. A kept unit is no longer kept.
func (a *application) holdBy(r *Reservation, p *Pass, size int) {
	r.Pass = p.ID
	a.use(p.ID, 1)
	if x := a.accessOf(p.ID); x.Units > 0 {
		a.keepForAccess(x, size, -1)
	}
}

// unhold ends the use of a pass by a hold that ended without a sale. Its unit is kept again while the access lasts.
func (a *application) unhold(r *Reservation, size int) {
	a.use(r.Pass, -1)
	if x := a.accessOf(r.Pass); x != nil && x.Units > 0 && a.now < a.End(x) {
		a.keepForAccess(x, size, 1)
	}
}

// keepForAccess keeps units for an access, or with a negative number no longer.
func (a *application) keepForAccess(x *Access, size int, more int64) {
	a.lineMoved(size)
	a.changes.Accesses = true
	for size >= len(x.Kept) {
		x.Kept = append(x.Kept, 0)
	}
	x.Kept[size] += more
	s := &a.Sizes[size].Stock
	s.Held += more
	s.Available -= more
	a.linesMoved[size].kept += more
}

// endAccesses frees what is kept for accesses that are over, for those who wait first.
func (a *application) endAccesses() {
	if a.lining() {
		return
	}
	for i := range a.Accesses {
		x := &a.Accesses[i]
		if a.now < a.End(x) {
			continue
		}
		for size := range a.Sizes {
			if n := x.kept(size); n > 0 {
				a.keepForAccess(x, size, -n)
				a.handOver(size)
			}
		}
	}
}

// AddAccess makes an access, or adds passes to one. It is an operator's command.
type AddAccess struct {
	// To is the number of the access to add passes to; 0: it is a new one.
	To int
	// Terms are those of a new one: its name, kind, sizes, times, uses and units.
	Terms Access
	// Passes are what HashCode, HashBuyer and HashEmail return, from 1 to MaxNewPasses. A code must be new to the drop.
	// A buyer who is on the list stays there.
	Passes []Hash
	// Made: the server makes the codes, so that a retry brings other ones.
	Made bool
}

// Operation returns "add_access".
func (AddAccess) Operation() string { return "add_access" }

// Asked returns the text of the call: which access, and which passes unless the server makes them.
func (c AddAccess) Asked(ID) Asked {
	b := appendNumber(nil, "access{To:", int64(c.To))
	b = appendText(b, ", Terms:", EncodeAccesses([]Access{c.Terms}))
	b = appendNumber(b, ", Passes:", int64(len(c.Passes)))
	if !c.Made {
		for i := range c.Passes {
			b = appendText(b, ", ", c.Passes[i].String())
		}
	}
	return Asked(append(b, '}'))
}

func (c AddAccess) need(n *Need) {
	n.Recent = true
	n.Limits = n.Limits || c.Terms.PerBuyer > 0
	for _, hash := range c.Passes {
		n.Passes = append(n.Passes, c.hash(hash))
	}
}

// hash returns how a pass is stored. A buyer can be on several lists, of which a new one has nobody yet.
func (c *AddAccess) hash(of Hash) Hash {
	if c.To == 0 || !c.Terms.List {
		return of
	}
	return OnList(c.To, of)
}

func (c AddAccess) apply(a *application) Result { return a.answerDrop(c.add(a)) }

func (c AddAccess) add(a *application) *Error {
	if a.Archived {
		return Refuse(CodeArchived)
	}
	if len(c.Passes) == 0 || len(c.Passes) > MaxNewPasses {
		return Invalid(c.field(), fmt.Sprintf("must have 1 to %d entries", MaxNewPasses))
	}
	number := c.To
	if number == 0 {
		number = len(a.Accesses) + 1
	}
	var fresh []Hash
	seen := make(map[Hash]bool, len(c.Passes))
	for i, hash := range c.Passes {
		if c.Terms.List {
			hash = OnList(number, hash)
		}
		switch {
		case !seen[hash] && a.passes[hash] == nil:
			seen[hash] = true
			fresh = append(fresh, hash)
		case !c.Terms.List:
			return Invalid(fmt.Sprintf("%s[%d]", c.field(), i), "must not repeat a code of the drop")
		}
	}
	if c.To == 0 {
		if refusal := c.begin(a); refusal != nil {
			return refusal
		}
	}
	x := a.Access(number)
	switch {
	case x == nil:
		return Refuse(CodeAccessNotFound)
	case x.List != c.Terms.List:
		return Invalid("access", "must be a list to add buyers, and have codes to add codes")
	case int(x.Passes)+len(fresh) > MaxPasses:
		return Invalid(c.field(), fmt.Sprintf("must leave the access at most %d entries", MaxPasses))
	case a.now >= a.End(x):
		return &Error{Code: CodeFixed, Field: "access", Rule: "is over, so make a new one"}
	}
	x.Emails = x.Emails || c.Terms.Emails
	for _, hash := range fresh {
		x.Passes++
		p := Pass{ID: NewPassID(a.ID, uint32(number), x.Passes), Hash: hash}
		a.LoadPass(p)
		a.changes.Passes = append(a.changes.Passes, p)
	}
	a.changed, a.changes.Accesses = true, true
	return nil
}

func (c *AddAccess) field() string {
	if c.Terms.List {
		return "list"
	}
	return "codes"
}

// begin makes a new access without passes, or says which rule it breaks.
func (c *AddAccess) begin(a *application) *Error {
	x := c.Terms.clone()
	x.Kept, x.Passes, x.Used = nil, 0, 0
	if x.Name != "" {
		name, refusal := normalText("name", x.Name, MaxAccessName, text.Title)
		if refusal != nil {
			return refusal
		}
		x.Name = name
	}
	x.Starts = cmp.Or(x.Starts, a.now)
	slices.Sort(x.Sizes)
	if x.Sizes = slices.Compact(x.Sizes); len(x.Sizes) == 0 {
		x.Sizes = nil
	}
	if refusal := a.checkAccess(&x); refusal != nil {
		return refusal
	}
	a.Accesses = append(a.Accesses, x)
	if x.Units == 0 {
		return nil
	}
	made := &a.Accesses[len(a.Accesses)-1]
	for size := range a.Sizes {
		if made.covers(size) {
			a.keepForAccess(made, size, made.Units)
		}
	}
	return nil
}

func (a *application) checkAccess(x *Access) *Error {
	switch {
	case len(a.Accesses) >= MaxAccesses:
		return &Error{Code: CodeLimitReached, Limit: MaxAccesses, Used: len(a.Accesses)}
	case x.Starts < minStart || x.Starts > maxStart:
		return Invalid("starts", "must lie in the years 1970 to 9999")
	case x.Ends == 0 && a.now >= a.StartTime:
		return Invalid("ends", "is required once the drop has started")
	case a.End(x) <= a.now:
		return Invalid("ends", "must be later than now")
	case a.End(x) <= x.Starts || x.Ends > maxStart:
		return Invalid("ends", "must be after starts")
	case x.Uses < 1 || x.Uses > MaxUses:
		return Invalid("uses", fmt.Sprintf("must be from 1 to %d", MaxUses))
	case x.PerBuyer < 0 || x.PerBuyer > MaxLimitPerUser:
		return Invalid("per_buyer", fmt.Sprintf("must be from 1 to %d, or 0 for any number", MaxLimitPerUser))
	case x.Units < 0 || x.Units > MaxStock:
		return Invalid("units", fmt.Sprintf("must be from 1 to %d, or 0 for none", MaxStock))
	case x.Units > 0 && a.lining():
		return &Error{Code: CodeFixed, Field: "units", Rule: "is fixed from the close of the draw until it is over"}
	}
	for _, size := range x.Sizes {
		if size < 0 || size >= len(a.Sizes) {
			return &Error{Code: CodeSizeNotFound, Field: "sizes", Rule: "must name sizes of the drop"}
		}
	}
	for size := range a.Sizes {
		if have := a.Sizes[size].Stock.Available; x.covers(size) && x.Units > have {
			return &Error{Code: CodeStockInUse, Available: have}
		}
	}
	return nil
}

// EndAccess ends an access now. What is kept for it goes back. It is an operator's command. One that is over stays so.
type EndAccess struct{ Access int }

// Operation returns "end_access".
func (EndAccess) Operation() string { return "end_access" }

// Asked returns the text of the call, which names the access.
func (c EndAccess) Asked(ID) Asked { return askedNumber(int64(c.Access)) }

func (EndAccess) need(n *Need) { n.Recent = true }

func (c EndAccess) apply(a *application) Result {
	x := a.Access(c.Access)
	if x == nil {
		return a.answerDrop(Refuse(CodeAccessNotFound))
	}
	if a.now < a.End(x) {
		x.Ends = a.now
		x.Starts = min(x.Starts, a.now)
		a.changed, a.changes.Accesses = true, true
		a.endAccesses()
	}
	return a.answerDrop(nil)
}

// storedAccess is the stored form of an Access.
type storedAccess struct {
	Name     string  `json:"name,omitempty"`
	List     bool    `json:"list,omitempty"`
	Emails   bool    `json:"emails,omitempty"`
	Sizes    []int   `json:"sizes,omitempty"`
	Starts   Time    `json:"starts"`
	Ends     Time    `json:"ends,omitempty"`
	Uses     int     `json:"uses"`
	PerBuyer int     `json:"per_buyer,omitempty"`
	Units    int64   `json:"units,omitempty"`
	Kept     []int64 `json:"kept,omitempty"`
	Passes   uint32  `json:"passes"`
	Used     int64   `json:"used,omitempty"`
}

// EncodeAccesses returns the stored form of a drop's accesses; empty for none.
func EncodeAccesses(all []Access) string {
	if len(all) == 0 {
		return ""
	}
	stored := make([]storedAccess, len(all))
	for i := range all {
		stored[i] = storedAccess(all[i])
	}
	b, err := json.Marshal(stored)
	if err != nil {
		panic(err) // cannot happen: numbers and plain text
	}
	return string(b)
}

// DamagedAccess stands for early access that cannot be read. It has been over since 1970: it lets nobody in, and takes
// no new passes.
func DamagedAccess() Access { return Access{Ends: 1, Uses: 1} }

// Damaged reports whether the access is DamagedAccess, which no command makes.
func (x *Access) Damaged() bool { return x.Starts == 0 && x.Ends == DamagedAccess().Ends }

// DecodeAccesses reads what EncodeAccesses wrote. An error means that it is damaged.
func DecodeAccesses(s string) ([]Access, error) {
	if s == "" {
		return nil, nil
	}
	var stored []storedAccess
	if err := json.Unmarshal([]byte(s), &stored); err != nil {
		return nil, fmt.Errorf("decode accesses: %w", err)
	}
	if len(stored) > MaxAccesses {
		return nil, fmt.Errorf("decode accesses: %d are too many", len(stored))
	}
	all := make([]Access, len(stored))
	for i, k := range stored {
		all[i] = Access(k)
	}
	return all, nil
}
