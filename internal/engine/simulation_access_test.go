package engine_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// early is the early access of one drop, in the seeds that have it.
type early struct {
	opens    time.Duration // until buyers need no pass
	waitlist bool
	accesses []access
}

// access is one that an operator makes.
type access struct {
	terms        drop.Access
	made         time.Duration // until the operator makes it
	ended        time.Duration // until the operator ends it; 0: never
	starts, ends time.Duration // 0: as in terms
	codes        []string
	listed       []drop.UserID
}

// newEarly plans accesses that end before, at or after the time at which buyers need no pass.
func newEarly(seed uint64, drawn bool) early {
	rnd := rand.New(rand.NewPCG(seed, 200))
	e := early{opens: 12*time.Second + rand0(rnd, 14*time.Second), waitlist: rnd.IntN(2) == 0}
	if drawn {
		e.opens = 6*time.Second + rand0(rnd, 6*time.Second)
	}
	for i := range 2 + rnd.IntN(4) {
		x := access{made: rand0(rnd, e.opens*2/3)}
		x.terms = drop.Access{
			Name: fmt.Sprint("early ", i), List: rnd.IntN(3) == 0, Uses: 1 + rnd.IntN(2), PerBuyer: rnd.IntN(3), Units: int64(rnd.IntN(3)),
			Sizes: [][]int{nil, nil, {0}, {1}}[rnd.IntN(4)],
		}
		x.ends = []time.Duration{0, e.opens - rand0(rnd, 4*time.Second), e.opens, e.opens + rand0(rnd, 25*time.Second)}[rnd.IntN(4)]
		if rnd.IntN(2) == 0 {
			x.starts = x.made + rand0(rnd, 4*time.Second)
		}
		if rnd.IntN(3) == 0 {
			x.ended = x.made + rand0(rnd, 25*time.Second)
		}
		for n := range 3 {
			if x.codes = append(x.codes, fmt.Sprintf("EARLY-%d-%d", i, n)); x.terms.List {
				x.codes = nil
			}
		}
		for k := drop.UserID(1); k <= 6 && x.terms.List; k++ { // of each client's buyers some, and of those in the draw
			x.listed = append(x.listed, earlyBuyer(int(k), rnd.IntN(earlyBuyers)), k)
		}
		e.accesses = append(e.accesses, x)
	}
	return e
}

const earlyBuyers = 2

// earlyBuyer is one of the buyers of a client who may be on a list.
func earlyBuyer(client, n int) drop.UserID { return drop.UserID(100*client + n) }

// earlySpec is a fifth drop, in the seeds with early access that have no draw.
func earlySpec(p *plan, now drop.Time) drop.Spec {
	return drop.Spec{
		Name: "early", Sizes: []drop.SizeSpec{{Label: "8", Stock: 4}, {Label: "9", Stock: 3}}, StartTime: now.Add(p.early.opens),
		Waitlist: p.early.waitlist, OfferFor: 10,
	}
}

// hasEarly reports whether this is the drop with early access.
func (s *simulation) hasEarly(id drop.ID) bool {
	return len(s.plan.early.accesses) > 0 && id == s.drops[4]
}

// keptRows are the rows of the drop with early access as batches committed them.
type keptRows struct {
	passes       map[drop.PassID]drop.Hash
	reservations map[drop.ReservationID]drop.Reservation
	drawEntries  map[drop.EntryID]drop.DrawEntry
	// version is the drop's after the newest batch, which undo takes back.
	version int64
	undo    []func()
}

// seen takes back the newest batch if the drop has not this version. The store refused it then, because the answer to a
// retry was kept already.
func (k *keptRows) seen(version int64) {
	for _, undo := range slices.Backward(k.undo) {
		if k.version != version {
			undo()
		}
	}
	k.undo = k.undo[:0]
}

// put stores a row of the newest batch.
func put[K comparable, V any](k *keptRows, in map[K]V, key K, row V) {
	was, had := in[key]
	in[key] = row
	k.undo = append(k.undo, func() {
		if in[key] = was; !had {
			delete(in, key)
		}
	})
}

// operator makes the accesses, and ends some of them.
func (s *simulation) operator() {
	c := &client{sim: s, name: "operator", rnd: rand.New(rand.NewPCG(s.plan.seed, 201))}
	type act struct {
		at time.Duration
		do func() *deed
	}
	var acts []act
	for i := range s.plan.early.accesses {
		x := &s.plan.early.accesses[i]
		made := s.addAccess(x)
		acts = append(acts, act{x.made, func() *deed { return made }})
		if x.ended != 0 {
			acts = append(acts, act{x.ended, func() *deed { return s.endAccess(made) }})
		}
	}
	slices.SortFunc(acts, func(a, b act) int { return cmp.Compare(a.at, b.at) })
	for _, a := range acts {
		if pause := a.at - time.Since(s.began); pause > 0 {
			time.Sleep(pause)
		}
		if d := a.do(); d != nil {
			c.settle(d)
		}
	}
}

// keyed records a deed of an operator with a key.
func (s *simulation) keyed(d *deed) *deed {
	d.key = d.what
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deeds = append(s.deeds, d)
	return d
}

func (s *simulation) addAccess(x *access) *deed {
	id := s.drops[4]
	cmd := drop.AddAccess{Terms: x.terms}
	if x.starts != 0 {
		cmd.Terms.Starts = drop.TimeOf(s.began.Add(x.starts))
	}
	if x.ends != 0 {
		cmd.Terms.Ends = drop.TimeOf(s.began.Add(x.ends))
	}
	for _, code := range x.codes {
		cmd.Passes = append(cmd.Passes, drop.HashCode(id, code))
	}
	for _, user := range x.listed {
		cmd.Passes = append(cmd.Passes, drop.HashBuyer(user))
	}
	return s.keyed(&deed{
		what: "the operator makes " + x.terms.Name, drop: id, adds: x,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.AddAccess(ctx, id, cmd, r)
		},
	})
}

// endAccess ends an access that the operator knows to exist, or returns nil.
func (s *simulation) endAccess(made *deed) *deed {
	snapshot, err := s.store.Drop(s.t.Context(), made.drop)
	if err != nil {
		s.t.Error(err)
	}
	i := slices.IndexFunc(snapshot.Drop.Accesses, func(x drop.Access) bool { return x.Name == made.adds.terms.Name })
	if i < 0 || made.answer == "" {
		return nil
	}
	return s.keyed(&deed{
		what: "the operator ends " + made.adds.terms.Name, drop: made.drop,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.EndAccess(ctx, made.drop, i+1, r)
		},
	})
}

// early is what clients do about the drop with early access.
func (c *client) early() {
	switch n := c.rnd.IntN(10); {
	case n < 7:
		c.send(c.come())
	case n < 9:
		c.end(c.rnd.IntN(3) > 0)
	default:
		c.look()
	}
}

// code is what a buyer types: mostly a code of some access, which may be used up, over or not made yet.
func (c *client) code() string {
	if n := c.rnd.IntN(8); n < 2 {
		return []string{"", "WRONG-CODE"}[n]
	}
	codes := c.sim.plan.early.accesses[c.rnd.IntN(len(c.sim.plan.early.accesses))].codes
	if len(codes) == 0 {
		return ""
	}
	return codes[c.rnd.IntN(len(codes))]
}

// come reserves in the drop with early access, or shows its codes in another drop.
func (c *client) come() *deed {
	who := pair{earlyBuyer(c.number, c.rnd.IntN(earlyBuyers)), []string{"8", "9"}[c.rnd.IntN(2)]}
	id := c.sim.drops[4]
	if c.rnd.IntN(12) == 0 {
		id = c.sim.drops[0]
	}
	if id == c.sim.drops[0] || slices.ContainsFunc(c.own, func(d *deed) bool { return d.drop == id && d.reserved == who }) {
		who.user = drop.UserID(1000*c.number + c.calls)
	}
	d := c.add(reserveEarly(id, who, c.code()))
	c.own = append(c.own, d)
	return d
}

func reserveEarly(id drop.ID, who pair, code string) *deed {
	return &deed{
		what: fmt.Sprintf("reserves in %d as %d, size %q, with code %q", id, who.user, who.size, code), drop: id, reserved: who, shows: code,
		call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
			return e.ReserveEarly(ctx, id, who.user, who.size, code, r)
		},
	}
}

// commitsEarly checks a state of the drop with early access that a batch commits, against rows that other batches have
// committed. It needs s.mu.
func (s *simulation) commitsEarly(before *drop.Drop, state *drop.State, c *drop.Changes) {
	s.kept.seen(before.Version)
	s.kept.version = state.Version
	for _, p := range c.Passes {
		put(&s.kept, s.kept.passes, p.ID, p.Hash)
	}
	pending := state.HasDraw() && before.DrawState.Phase != drop.Drawn
	for _, r := range c.Made {
		switch {
		case r.Pass != 0:
			s.checkPass(before, state, r)
		case !r.Offer && (r.CreatedAt < state.StartTime || pending):
			s.t.Errorf("made without a pass: %+v in %+v", r, state.Drop)
		}
	}
	for _, r := range slices.Concat(c.Made, c.Ended, c.Updated) {
		put(&s.kept, s.kept.reservations, r.ID, *r)
	}
	for _, e := range slices.Concat(c.Entered, c.Redrawn) {
		if put(&s.kept, s.kept.drawEntries, e.ID, *e); e.WithdrawnAt == 0 && e.Pass == 0 && state.LastAt < state.Draw.Opens {
			s.t.Errorf("entered without a pass: %+v in %+v", e, state.Drop)
		}
	}
	s.checkUses(&state.Drop)
	s.checkStock(before, state)
}

// checkPass checks that a new hold had a pass that was good.
func (s *simulation) checkPass(before *drop.Drop, state *drop.State, r *drop.Reservation) {
	x := before.Access(r.Pass.Access())
	if x == nil { // it is of this batch
		x = state.Access(r.Pass.Access())
	}
	size := slices.IndexFunc(state.Sizes, func(z drop.Size) bool { return z.Label == r.Size })
	_, known := s.kept.passes[r.Pass]
	if !known || r.CreatedAt < x.Starts || r.CreatedAt >= before.End(x) || x.Sizes != nil && !slices.Contains(x.Sizes, size) {
		s.t.Errorf("made with a pass that was not good: %+v in %+v", r, before)
	}
	s.counts["holds by early access"]++
	if x.Units > 0 {
		s.counts["holds of units kept for early access"]++
	}
}

// owner is a buyer with units of an access.
type owner struct {
	user   drop.UserID
	access int
}

// uses counts how often each pass is used, and by whom.
func (k *keptRows) uses() (of map[drop.PassID]int, by map[owner]int) {
	of, by = make(map[drop.PassID]int), make(map[owner]int)
	for _, r := range k.reservations {
		if r.Pass != 0 && !r.Status.Unpaid() {
			of[r.Pass]++
			by[owner{r.UserID, r.Pass.Access()}]++
		}
	}
	for _, e := range k.drawEntries {
		if e.Pass != 0 && e.WithdrawnAt == 0 {
			of[e.Pass]++
		}
	}
	return of, by
}

// checkUses checks that no pass is used too often, and no buyer has too much.
func (s *simulation) checkUses(d *drop.Drop) {
	of, by := s.kept.uses()
	used := make([]int64, len(d.Accesses)+1)
	for pass, n := range of {
		if used[pass.Access()] += int64(n); n > d.Access(pass.Access()).Uses {
			s.t.Errorf("pass %d is used %d times: %+v", pass.Number(), n, d.Access(pass.Access()))
		}
	}
	for i, x := range d.Accesses {
		if x.Used != used[i+1] {
			s.t.Errorf("%+v is used %d times", x, used[i+1])
		}
	}
	for who, n := range by {
		if x := d.Access(who.access); x.PerBuyer > 0 && n > x.PerBuyer {
			s.t.Errorf("user %d has %d units by %+v", who.user, n, x)
		}
	}
}

// checkStock checks that what is held is reserved, or kept, and that accesses keep the units that their own buyers do
// not have, until they end.
func (s *simulation) checkStock(before *drop.Drop, state *drop.State) {
	lining := before.DrawState.Phase == drop.Drawing || state.DrawState.Phase == drop.Drawing
	for size, z := range state.Sizes {
		live := int64(0)
		taken := make([]int64, len(state.Accesses)+1)
		for _, r := range s.kept.reservations {
			if r.Size != z.Label || r.Status.Unpaid() {
				continue
			}
			if r.Status == drop.Active {
				live++
			}
			if r.Pass != 0 {
				taken[r.Pass.Access()]++
			}
		}
		if z.Stock.Held != live+z.Pending+state.KeptOf(size) || z.Stock.Available < 0 {
			s.t.Errorf("size %s: %d are reserved: %+v", z.Label, live, state.Drop)
		}
		for i := range state.Accesses {
			x := &state.Accesses[i]
			var kept, want int64
			if size < len(x.Kept) {
				kept = x.Kept[size]
			}
			if x.Units > 0 && (x.Sizes == nil || slices.Contains(x.Sizes, size)) {
				want = x.Units - taken[i+1]
			}
			over := state.LastAt >= state.End(x)
			if !over && kept != want || over && kept != 0 && (!lining || kept > want) {
				s.t.Errorf("size %s: kept %d, want %d, over %t: %+v in %+v", z.Label, kept, want, over, x, state.Drop)
			}
		}
	}
}

// recoverEarly checks after the faults that accesses end by themselves, and that a code is good exactly until it is
// used up.
func (s *simulation) recoverEarly() {
	id := s.drops[4]
	time.Sleep(5 * time.Second)
	s.nothingKept("long after the end")
	e, ctx := s.replicas[0].reach()
	if _, err := e.Edit(ctx, id, drop.Edit{Archived: new(false)}); err != nil {
		s.t.Error(err)
	}
	if _, err := e.Resume(ctx, id, engine.Retry{}); err != nil {
		s.t.Error(err)
	}
	more := s.keyed(&deed{what: "the operator restocks at last", drop: id, units: 4, call: func(ctx context.Context, e *engine.Engine, r engine.Retry) (any, error) {
		return e.Restock(ctx, id, drop.Restock{Add: 4, Size: "9"}, r)
	}})
	more.ask(s, s.replicas[0])
	snapshot, err := s.store.Drop(ctx, id)
	if err != nil {
		s.t.Error(err)
	}
	x := &access{
		terms: drop.Access{Name: "last", Sizes: []int{1}, Uses: 1, PerBuyer: 1, Units: snapshot.Drop.Sizes[1].Stock.Available},
		codes: []string{"LAST-1", "LAST-2", "LAST-3"},
	}
	x.ends = time.Since(s.began) + time.Duration(s.ahead.Load()) + 20*time.Second
	made := s.addAccess(x)
	made.ask(s, s.replicas[0])
	user := drop.UserID(100_000)
	try := func(replica int, code string, want drop.Code) *deed {
		user++
		d := reserveEarly(id, pair{user, "9"}, code)
		s.mu.Lock()
		s.deeds = append(s.deeds, d)
		s.mu.Unlock()
		if d.ask(s, s.replicas[replica]); d.code != want || (d.answer == "") != (want != "") {
			s.t.Errorf("%s was answered with %q %q, want %q, after %s", d, d.answer, d.code, want, made.answer)
		}
		return d
	}
	try(1, "", drop.CodeOutOfStock)
	try(0, "LAST-4", drop.CodeCodeInvalid)
	first := try(0, "last 1", "")
	try(1, "LAST-1", drop.CodeCodeInvalid)
	if _, err := e.Cancel(ctx, first.reservation.ID, 0, engine.Retry{}); err != nil {
		s.t.Error(err)
	}
	try(1, "LAST-1", "")
	sold := try(1, "LAST-2", "")
	if _, err := e.Purchase(ctx, sold.reservation.ID, 0, engine.Retry{}); err != nil {
		s.t.Error(err)
	}
	try(0, "LAST-2", drop.CodeCodeInvalid)
	if _, err := e.ReserveEarly(ctx, id, sold.reserved.user, "9", "LAST-3", engine.Retry{}); drop.CodeOf(err) != drop.CodeLimitReached {
		s.t.Errorf("a second unit for one buyer: %v", err)
	}
	time.Sleep(20*time.Second + 50*time.Millisecond)
	s.nothingKept("just after the end")
	try(0, "", "")
}

// nothingKept checks that no unit is kept for early access.
func (s *simulation) nothingKept(when string) {
	snapshot, err := s.store.Drop(s.t.Context(), s.drops[4])
	if err != nil {
		s.t.Error(err)
	}
	if d := &snapshot.Drop; d.KeptOf(0)+d.KeptOf(1) > 0 {
		s.t.Errorf("units are kept %s: %+v", when, d)
	}
}

// fromKept reports whether a unit was kept for the buyer.
func (b *books) fromKept(r drop.Reservation) bool {
	if r.Pass == 0 {
		return false
	}
	return b.accesses[r.Pass.Access()-1].Units > 0
}

// checkEarly checks that the accesses and their passes are those that the operator made, and that each pass counts
// its uses. Each buyer who came early has shown the pass.
func (b *books) checkEarly() {
	if len(b.plan.early.accesses) == 0 {
		return
	}
	id := b.drops[4]
	b.kept.seen(b.version)
	of, _ := b.kept.uses()
	for _, p := range b.passes {
		if p.Used != of[p.ID] || p.Hash != b.kept.passes[p.ID] {
			b.t.Errorf("%+v is used %d times", p, of[p.ID])
		}
	}
	if len(b.passes) != len(b.kept.passes) {
		b.t.Errorf("%d passes, want %d", len(b.passes), len(b.kept.passes))
	}
	named := make(map[string]bool)
	for _, x := range b.accesses {
		if named[x.Name] {
			b.t.Errorf("made twice: %+v", x)
		}
		named[x.Name] = true
		b.count("accesses")
	}
	for _, d := range b.deeds {
		if d.adds != nil && named[d.adds.terms.Name] != (d.answer != "") {
			b.t.Errorf("%s was answered with %q, there are %v", d, d.answer, named)
		}
	}
	for _, r := range b.reservations {
		if r.ID.Drop() == id && r.Pass != 0 && !b.shown(r) {
			b.t.Errorf("nobody showed the pass of %+v", r)
		}
	}
}

// shown reports whether a buyer showed the pass of a reservation, or is on its list.
func (b *books) shown(r drop.Reservation) bool {
	hash := b.kept.passes[r.Pass]
	if hash == drop.OnList(r.Pass.Access(), drop.HashBuyer(r.UserID)) {
		return true
	}
	return slices.ContainsFunc(b.deeds, func(d *deed) bool {
		return d.drop == r.ID.Drop() && d.reserved == pair{r.UserID, r.Size} && drop.HashCode(d.drop, d.shows) == hash
	})
}
