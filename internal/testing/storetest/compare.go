package storetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

const (
	compareRounds  = 3
	compareBatches = 60
	compareUsers   = 6
)

// Compare runs the same random batches on an engine and on the memory store, and requires the same results. It
// compares answers, what was decided on, changes, and the drops as read after each batch. STORETEST_SEED repeats a
// failed run.
func Compare(t *testing.T, open func(t *testing.T) store.Store) {
	t.Helper()
	seed := rand.Uint64()
	if env := os.Getenv("STORETEST_SEED"); env != "" {
		n, err := strconv.ParseUint(env, 10, 64)
		if err != nil {
			t.Fatalf("STORETEST_SEED: %v", err)
		}
		seed = n
	}
	for round := range compareRounds {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			model := memory.New(func() drop.Time { return drop.TimeOf(time.Now()) })
			t.Cleanup(func() { _ = model.Close() })
			c := &comparison{
				fixture: newFixture(t, open(t)), model: newFixture(t, model),
				rng: rand.New(rand.NewPCG(seed, uint64(round))), now: base,
				whose: make(map[drop.ReservationID]drop.UserID),
			}
			defer func() {
				if t.Failed() {
					t.Logf("repeat with STORETEST_SEED=%d; the last batch was %s", seed, c.last)
				}
			}()
			c.run()
		})
	}
}

type comparison struct {
	*fixture
	model *fixture
	rng   *rand.Rand
	now   drop.Time
	drops []drop.Drop
	users []drop.UserID
	made  []drop.ReservationID
	whose map[drop.ReservationID]drop.UserID
	keyed []drop.Keyed
	// paying has the reservations that payments were to be begun for, in the order of the payments' numbers.
	paying []drop.ReservationID
	last   string
}

func (c *comparison) run() {
	c.populate()
	for i := range compareBatches {
		c.now += drop.Time(c.rng.Int64N(int64(minute / 4)))
		id := c.drops[c.rng.IntN(len(c.drops))].ID
		cmds := make([]drop.Command, 1+c.rng.IntN(20))
		for i := range cmds {
			cmds[i] = c.maybeKeyed(c.command(id))
		}
		c.last = fmt.Sprintf("%d, of drop %d at %s: %+v", i, id, c.now, cmds)
		c.batch(id, cmds)
		c.same("Drop", c.read(c.fixture, id), c.read(c.model, id))
		if c.Failed() {
			return
		}
	}
	c.atTheEnd()
}

// populate creates the same drops and buyers in both stores.
func (c *comparison) populate() {
	specs := []drop.Spec{
		sized(6, "9.5", "8", "10"), limited(plain(15), 1), limited(sized(9, "US 7", "US 8"), 2), plain(400), plain(2),
	}
	specs[3].StartTime = base + 4*minute
	for i := range specs[:3] {
		specs[i].Waitlist, specs[i].OfferFor, specs[i].MaxWaiting = true, 20+100*i, 8
	}
	for _, spec := range specs {
		id := c.create(spec)
		c.same("CreateDrop", id, c.model.create(spec))
		c.drops = append(c.drops, c.snapshot(id).Drop)
	}
	for i := range compareUsers / 2 {
		name := fmt.Sprintf("user %d", i)
		ours, theirs := c.ensure(name, ""), c.model.ensure(name, "")
		if ours.ID != theirs.ID {
			c.Fatalf("the stores number new buyers apart: %d and %d", ours.ID, theirs.ID)
		}
		c.users = append(c.users, ours.ID, drop.UserID(i+1))
	}
}

func (c *comparison) command(id drop.ID) drop.Command {
	switch n := c.rng.IntN(100); {
	case n < 8:
		return drop.Join{User: c.users[c.rng.IntN(len(c.users))], Size: c.label(id)}
	case n < 10:
		return drop.Leave{Entry: drop.NewEntryID(id, c.rng.Uint32N(60)), Owner: c.owner()}
	case n < 13:
		return c.access(id)
	case n < 42:
		hold := time.Duration(1+c.rng.IntN(90_000)) * time.Millisecond
		if c.rng.IntN(8) == 0 {
			hold += never
		}
		user := c.users[c.rng.IntN(len(c.users))]
		return drop.Reserve{User: user, Size: c.label(id), Hold: hold, With: c.passes(id, user)}
	case n < 54:
		return c.payment(id)
	case n < 56:
		return drop.ReturnPurchase{Purchase: drop.NewPurchaseID(id, c.rng.Uint32N(20)), Restock: c.rng.IntN(2) == 0}
	case n < 73:
		return drop.MakePurchase{Reservation: c.reservation(id), Owner: c.owner()}
	case n < 86:
		return drop.Cancel{Reservation: c.reservation(id), Owner: c.owner()}
	case n < 91:
		return drop.Restock{Add: c.rng.Int64N(9) - 4, Size: c.label(id)}
	case n < 92:
		return drop.Pause{}
	case n < 96:
		return drop.Resume{}
	case n < 98:
		return c.edit()
	default:
		return drop.Expire{}
	}
}

// access makes an access, adds to one or ends one.
func (c *comparison) access(id drop.ID) drop.Command {
	if c.rng.IntN(4) == 0 {
		return drop.EndAccess{Access: c.rng.IntN(4)}
	}
	add := drop.AddAccess{To: max(0, c.rng.IntN(5)-2), Terms: drop.Access{List: c.rng.IntN(3) == 0}}
	for range c.rng.IntN(4) {
		if add.Terms.List {
			add.Passes = append(add.Passes, drop.HashBuyer(c.users[c.rng.IntN(len(c.users))]))
		} else {
			add.Passes = append(add.Passes, codeOf(id, c.rng.IntN(12)))
		}
	}
	if add.To == 0 {
		add.Terms.Name, add.Terms.Uses, add.Terms.Units = "early", 1+c.rng.IntN(3), c.rng.Int64N(3)
		add.Terms.PerBuyer, add.Terms.Ends = c.rng.IntN(3), c.now+drop.Time(c.rng.Int64N(5*int64(minute)))
		for range c.rng.IntN(3) {
			add.Terms.Sizes = append(add.Terms.Sizes, c.rng.IntN(3))
		}
	}
	return add
}

// passes are mostly none, and otherwise a code, lists or both.
func (c *comparison) passes(id drop.ID, user drop.UserID) *drop.Passes {
	if c.rng.IntN(2) == 0 {
		return nil
	}
	with := new(drop.Passes)
	if c.rng.IntN(3) > 0 {
		with.Code = codeOf(id, c.rng.IntN(12))
	}
	for n := range c.rng.IntN(4) {
		with.Listed = append(with.Listed, drop.OnList(n+1, drop.HashBuyer(user)))
	}
	return with
}

// stored is the first number of the payments that are stored.
const stored = 1000

// payment is a step of a payment that may have been begun.
func (c *comparison) payment(id drop.ID) drop.Command {
	paid, of := drop.PaymentID(1+c.rng.IntN(2)), c.reservation(id)
	instead := drop.PaymentID(c.rng.IntN(3))
	within := time.Duration(1+c.rng.IntN(90_000)) * time.Millisecond
	if n := len(c.paying); n > 0 && c.rng.IntN(2) == 0 { // one that is stored
		i := n - 1 - c.rng.IntN(min(n, 6))
		paid, of, instead = drop.PaymentID(i+stored), c.paying[i], drop.PaymentID(i+stored)
	}
	switch c.rng.IntN(9) {
	case 0:
		return drop.StartPayment{Reservation: of, Owner: c.owner(), Payment: paid, Instead: instead, Within: within, Hold: time.Minute}
	case 1, 2:
		c.paying = append(c.paying, of)
		return drop.StartPayment{
			Reservation: of, Owner: c.owner(), Payment: drop.PaymentID(len(c.paying) - 1 + stored), Instead: instead, Within: within, Hold: time.Minute,
			Row: &drop.Payment{Provider: "demo", ReturnURL: "/", State: drop.PaymentOpen, Unsettled: true, Currency: "EUR", Decimals: 2},
		}
	case 3, 4:
		return drop.ClaimUnit{Reservation: of, User: cmp.Or(c.whose[of], 1), Payment: paid, Within: within}
	case 5, 6:
		return drop.CompletePayment{Reservation: of, Payment: paid, Number: "n"}
	case 7:
		if c.rng.IntN(2) == 0 {
			return drop.OrderRefund{Purchase: drop.NewPurchaseID(id, c.rng.Uint32N(20)), Payment: paid, Amount: drop.Money(c.rng.IntN(3))}
		}
		return drop.BookRefund{
			Purchase: drop.NewPurchaseID(id, c.rng.Uint32N(20)), Payment: paid, Was: drop.Money(c.rng.IntN(2)), Refunded: drop.Money(c.rng.IntN(3)),
		}
	default:
		if c.rng.IntN(2) == 0 {
			return drop.ReleaseClaim{Reservation: of, Payment: paid}
		}
		was, _, err := c.model.Payment(c.ctx, paid)
		if err != nil {
			c.Fatal(err)
		}
		end := drop.EndPayment{Was: was, To: was, Unit: c.reservation(id), Until: c.now + drop.Time(c.rng.Int64N(2)*int64(minute))}
		end.To.State, end.To.Unsettled = drop.PaymentFailed, c.rng.IntN(4) == 0
		return end
	}
}

// maybeKeyed puts some commands under one of a few keys, so that replays and mismatches occur. Some repeat earlier
// commands, of this drop or of another.
func (c *comparison) maybeKeyed(cmd drop.Command) drop.Command {
	switch n := c.rng.IntN(10); {
	case n < 6:
		return cmd
	case n < 8 && len(c.keyed) > 0:
		return c.keyed[len(c.keyed)-1-c.rng.IntN(min(len(c.keyed), 40))]
	}
	caller, operation := []string{"", "ann"}[c.rng.IntN(2)], fmt.Sprintf("%T", cmd)
	k := drop.Keyed{Key: drop.NewKey(caller, operation, strconv.Itoa(c.rng.IntN(4)), drop.Asked(strconv.Itoa(c.rng.Int()))), Command: cmd}
	c.keyed = append(c.keyed, k)
	return k
}

// owner is mostly empty.
func (c *comparison) owner() drop.UserID {
	return drop.UserID(max(0, c.rng.IntN(2*compareUsers)-compareUsers+1))
}

func (c *comparison) edit() drop.Edit {
	name, price, start := fmt.Sprintf("name %d", c.rng.IntN(9)), drop.Money(c.rng.IntN(3)), c.now+drop.Time(c.rng.IntN(9999))
	limit, hidden, image := c.rng.IntN(4), c.rng.IntN(2) == 0, []string{"", "/a.png", "no address"}[c.rng.IntN(3)]
	return []drop.Edit{
		{Name: &name, LimitPerUser: &limit},
		{Price: &price},
		{StartTime: &start},
		{Hidden: &hidden, ImageURL: &image},
		{LimitPerUser: &limit},
		{MaxExpiredHolds: &limit},
		{MaxExpiredHolds: &limit, OffersCount: &hidden},
		{Waitlist: &hidden},
	}[c.rng.IntN(8)]
}

// label is mostly one of the drop's sizes, otherwise a note or an unknown size.
func (c *comparison) label(id drop.ID) string {
	sizes := c.drops[id-1].Sizes
	if c.rng.IntN(12) == 0 {
		return []string{"", "a note", "9.5"}[c.rng.IntN(3)]
	}
	return sizes[c.rng.IntN(len(sizes))].Label
}

// reservation is mostly one of the drop's newer ones, otherwise one of any drop, or a number that does not exist.
func (c *comparison) reservation(id drop.ID) drop.ReservationID {
	var own []drop.ReservationID
	for _, r := range c.made {
		if r.Drop() == id {
			own = append(own, r)
		}
	}
	switch n := c.rng.IntN(20); {
	case n == 0:
		return drop.NewReservationID(id, c.rng.Uint32N(60))
	case n == 1 && len(c.made) > 0:
		return c.made[c.rng.IntN(len(c.made))]
	case n < 10: // one that this batch may create
		return drop.NewReservationID(id, uint32(len(own)+1+c.rng.IntN(3)))
	case len(own) == 0:
		return 0
	case n < 17:
		return own[len(own)-1-c.rng.IntN(min(len(own), 8))]
	default:
		return own[c.rng.IntN(len(own))]
	}
}

// outcome is everything that a batch shows of a store.
type outcome struct {
	Before, After header
	Results       []drop.Result
	Wrote         bool
	Ended, Made   []drop.Reservation
	Updated       []drop.Reservation
	Purchases     []drop.Purchase
	Returned      []*drop.Purchase
	Begun, Paid   []drop.Payment
	Passes        []drop.Pass
	Uses          []drop.Use
	Ledger        []drop.LedgerEntry
	Sizes         []int
	Kept          []drop.Kept
}

func (c *comparison) batch(id drop.ID, cmds []drop.Command) {
	need := drop.NeedOf(cmds)
	need.Deadline = c.rng.IntN(2) == 0
	need.Recent = need.Recent || c.rng.IntN(4) == 0
	name := newBatch()
	got, want := c.apply(c.fixture, id, need, name, cmds), c.apply(c.model, id, need, name, cmds)
	for i := range got.Results {
		c.same(fmt.Sprintf("result %d, of %+v", i, cmds[i]), got.Results[i], want.Results[i])
	}
	c.same("outcome", got, want)
	for _, r := range got.Made {
		c.made = append(c.made, r.ID)
		c.whose[r.ID] = r.UserID
	}
}

// sharedResults leaves out when a drop was created, because each store uses its own clock for that.
func sharedResults(results []drop.Result) []drop.Result {
	all := slices.Clone(results)
	for i, r := range all {
		if r.Drop != nil {
			d := *r.Drop
			d.CreatedAt = 0
			all[i].Drop = &d
		}
	}
	return all
}

func (c *comparison) apply(f *fixture, id drop.ID, need drop.Need, name drop.BatchID, cmds []drop.Command) outcome {
	var o outcome
	err := f.RunBatch(f.ctx, &Batch{Drop: id, Need: need, Decider: func(s *drop.State, _ drop.Time) *drop.Changes {
		s.LastAt = min(s.LastAt, c.now)
		o = outcome{Before: shared(headerOf(s))}
		results, changes := drop.Apply(s, c.now, name, cmds)
		o.Results, o.After = sharedResults(results), shared(headerOf(s))
		if changes == nil {
			return nil
		}
		o.Wrote, o.Ended, o.Made = true, values(changes.Ended), values(changes.Made)
		o.Updated, o.Returned = values(changes.Updated), changes.Returned
		o.Begun, o.Paid = values(changes.Begun), values(changes.Paid)
		o.Purchases, o.Ledger, o.Sizes = slices.Clone(changes.Purchases), slices.Clone(changes.Ledger), slices.Clone(changes.Sizes)
		o.Passes, o.Uses = slices.Clone(changes.Passes), slices.Clone(changes.Uses)
		for _, k := range changes.Kept {
			r, err := drop.DecodeResult(k.Answer)
			if err != nil {
				c.Fatalf("a kept answer: %v", err)
			}
			r = sharedResult(r)
			o.Kept = append(o.Kept, drop.Kept{Key: k.Key, Answer: r.Encode(), At: k.At})
		}
		// Holds that end at the same moment may be loaded in any order.
		slices.SortFunc(o.Ended, func(a, b drop.Reservation) int { return cmp.Compare(a.ID, b.ID) })
		return changes
	}})
	if err != nil {
		c.Fatalf("RunBatch: %v\nbatch %s", err, c.last)
	}
	return o
}

// shared leaves out what two stores cannot have in common: the moments and batches of a drop's creation.
func shared(h header) header {
	if h.Drop.Version == 1 {
		h.Batch = drop.BatchID{}
	}
	h.Drop.CreatedAt = 0
	return h
}

// sharedResult also treats no list and an empty one as the same, because a kept answer does not distinguish them.
func sharedResult(r drop.Result) drop.Result {
	if r.Drop != nil {
		d := *r.Drop
		d.CreatedAt = 0
		r.Drop = &d
	}
	if len(r.Recent) == 0 {
		r.Recent = nil
	}
	return r
}

func values[T any](list []*T) []T {
	var all []T
	for _, r := range list {
		all = append(all, *r)
	}
	return all
}

func (c *comparison) read(f *fixture, id drop.ID) store.Snapshot {
	s := f.snapshot(id)
	s.Drop.CreatedAt = 0
	return s
}

func (c *comparison) same(what string, got, want any) {
	c.Helper()
	if !reflect.DeepEqual(got, want) {
		c.Fatalf("%s:\n  got %s\nmodel %s\nbatch %s", what, asJSON(got), asJSON(want), c.last)
	}
}

// asJSON shows what pointers point to.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(b)
}

// atTheEnd compares everything that can be read.
func (c *comparison) atTheEnd() {
	c.last = "none: all batches are done"
	var lists [2][]store.Snapshot
	var pulses [2][]store.DropPulse
	for i, f := range []*fixture{c.fixture, c.model} {
		list, err := f.Drops(f.ctx)
		if err != nil {
			c.Fatalf("Drops: %v", err)
		}
		for _, s := range list {
			s.Drop.CreatedAt = 0
			lists[i] = append(lists[i], still(s))
		}
		pulse, err := f.Pulse(f.ctx)
		if err != nil {
			c.Fatalf("Pulse: %v", err)
		}
		pulses[i] = pulse.Drops
	}
	c.same("Drops", lists[0], lists[1])
	c.same("Pulse", pulses[0], pulses[1])
	for _, d := range c.drops {
		c.same("the books", c.booksOf(c.fixture, d.ID), c.booksOf(c.model, d.ID))
		var sales [2][]store.Sale
		for i, f := range []*fixture{c.fixture, c.model} {
			list, err := f.Purchases(f.ctx, d.ID, drop.NewPurchaseID(d.ID, 1), 20)
			if err != nil {
				c.Fatalf("Purchases: %v", err)
			}
			sales[i] = append(sales[i], list...)
		}
		c.same("Purchases", sales[0], sales[1])
	}
	for _, user := range c.users {
		got, want := c.reservations(user), c.model.reservations(user)
		for _, list := range [][]drop.Reservation{got, want} {
			for i := range list { // nothing is promised about the end of a hold that no batch has expired
				if list[i].Status == drop.Expired {
					list[i].EndedAt = 0
				}
			}
			// Nor about the order of reservations of two drops at the same moment.
			slices.SortFunc(list, func(a, b drop.Reservation) int {
				return cmp.Or(cmp.Compare(b.CreatedAt, a.CreatedAt), cmp.Compare(b.ID, a.ID))
			})
		}
		c.same(fmt.Sprintf("Reservations(%d)", user), got, want)
	}
}

func (c *comparison) booksOf(f *fixture, id drop.ID) any {
	b := f.books(id)
	for i := range b.entries {
		if e := &b.entries[i]; e.Reason == drop.Created {
			e.At, e.Batch = 0, drop.BatchID{}
		}
	}
	return struct {
		Head         header
		Entries      []drop.LedgerEntry
		Reservations []drop.Reservation
		Purchases    []drop.Purchase
		Waits        []drop.Entry
		DrawEntries  []drop.DrawEntry
		Passes       []drop.Pass
	}{shared(b.head), b.entries, b.reservations, b.purchases, b.waits, b.drawEntries, b.passes}
}
