package drop_test

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

var labels = []string{"9", "8.5", "US 10"}

func drawSpec(t *rapid.T) drop.Spec {
	spec := plain(rapid.Int64Range(0, 8).Draw(t, "stock"))
	if n := rapid.IntRange(0, len(labels)).Draw(t, "sizes"); n > 0 {
		spec = sized(rapid.Int64Range(0, 4).Draw(t, "stock of each size"), labels[:n]...)
	}
	spec.LimitPerUser = rapid.IntRange(0, 3).Draw(t, "limit")
	spec.MaxExpiredHolds = rapid.IntRange(0, 2).Draw(t, "unpaid holds")
	spec.Waitlist = rapid.IntRange(0, 3).Draw(t, "waitlist") != 0
	spec.OfferFor, spec.MaxWaiting = rapid.SampledFrom([]int{10, 600}).Draw(t, "offer for"), rapid.SampledFrom([]int{3, 10_000}).Draw(t, "longest line")
	spec.OffersCount = rapid.Bool().Draw(t, "offers count")
	spec.StartTime += drop.Time(rapid.SampledFrom([]int{0, 0, 0, 90_000}).Draw(t, "starts in"))
	return spec
}

// drawID draws a reservation that exists, one that is about to be made, or one that does not exist.
func drawID(t *rapid.T, b *book) drop.ReservationID {
	n := rapid.Int64Range(-1, int64(b.reserved)+4).Draw(t, "reservation")
	return drop.ReservationID(int64(b.drop.ID)<<32 + n)
}

// drawOwner mostly draws nobody in particular.
func drawOwner(t *rapid.T) drop.UserID {
	return drop.UserID(rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "owner"))
}

func drawCommand(t *rapid.T, b *book) drop.Command {
	switch rapid.SampledFrom([]string{
		"reserve", "reserve", "reserve", "reserve", "buy", "buy", "cancel", "expire", "restock", "pause", "resume", "resume", "edit",
		"checkout", "checkout", "claim", "claim", "complete", "drop claim", "return", "join", "join", "join", "leave",
		"add access", "end access",
	}).Draw(t, "command") {
	case "reserve":
		return drop.Reserve{
			User: drop.UserID(rapid.IntRange(1, 4).Draw(t, "user")), Size: drawLabel(t, b),
			Hold: time.Duration(rapid.IntRange(1, 90_000).Draw(t, "hold")) * time.Millisecond, With: drawPasses(t, b),
		}
	case "add access":
		return drawAccess(t, b)
	case "end access":
		return drop.EndAccess{Access: rapid.IntRange(0, len(b.drop.Accesses)+1).Draw(t, "access")}
	case "buy":
		return drop.MakePurchase{Reservation: drawID(t, b), Owner: drawOwner(t)}
	case "cancel":
		return drop.Cancel{Reservation: drawID(t, b), Owner: drawOwner(t)}
	case "checkout":
		return drop.StartPayment{
			Reservation: drawID(t, b), Owner: drawOwner(t), Payment: drawPayment(t), Hold: time.Minute,
			Instead: drop.PaymentID(rapid.SampledFrom([]int{0, 0, 1, 2}).Draw(t, "instead")),
			Within:  time.Duration(rapid.IntRange(1, 90_000).Draw(t, "within")) * time.Millisecond,
		}
	case "claim":
		id := drawID(t, b)
		return drop.ClaimUnit{
			Reservation: id, User: cmp.Or(b.reservations[id].UserID, 1), Payment: drawPayment(t),
			Within: time.Duration(rapid.SampledFrom([]int{1_000, 600_000}).Draw(t, "claim for")) * time.Millisecond,
		}
	case "complete":
		return drop.CompletePayment{Reservation: drawID(t, b), Payment: drawPayment(t)}
	case "drop claim":
		return drop.ReleaseClaim{Reservation: drawID(t, b), Payment: drawPayment(t)}
	case "join":
		return drop.Join{User: drop.UserID(rapid.IntRange(1, 4).Draw(t, "user")), Size: drawLabel(t, b)}
	case "leave":
		return drop.Leave{Entry: drop.NewEntryID(b.drop.ID, rapid.Uint32Range(0, b.waited+2).Draw(t, "entry")), Owner: drawOwner(t)}
	case "return":
		n := rapid.Uint32Range(0, b.purchased).Draw(t, "purchase") // not one that this batch makes: nobody knows its number
		return drop.ReturnPurchase{Purchase: drop.NewPurchaseID(b.drop.ID, n), Restock: rapid.Bool().Draw(t, "restock")}
	case "restock":
		return drop.Restock{Add: rapid.Int64Range(-4, 4).Draw(t, "add"), Size: drawLabel(t, b)}
	case "pause":
		return drop.Pause{}
	case "resume":
		return drop.Resume{}
	case "edit":
		return drawEdit(t, b)
	}
	return drop.Expire{}
}

func drawPayment(t *rapid.T) drop.PaymentID {
	return drop.PaymentID(rapid.IntRange(1, 2).Draw(t, "payment"))
}

func drawLabel(t *rapid.T, b *book) string {
	options := []string{"", "none of them"}
	for _, size := range b.drop.Sizes {
		options = append(options, size.Label, size.Label, size.Label)
	}
	return rapid.SampledFrom(options).Draw(t, "size")
}

func drawEdit(t *rapid.T, b *book) drop.Edit {
	limit := rapid.IntRange(-1, 3).Draw(t, "new limit")
	price := drop.Money(rapid.IntRange(12_049, 12_051).Draw(t, "new price"))
	start := b.drop.StartTime + drop.Time(rapid.IntRange(-1, 1).Draw(t, "start moves by"))
	flag := rapid.IntRange(0, 9).Draw(t, "flag") == 0
	return rapid.SampledFrom([]drop.Edit{
		{LimitPerUser: &limit}, {MaxExpiredHolds: &limit}, {LimitPerUser: &limit, Price: &price}, {StartTime: &start}, {Hidden: &flag}, {Archived: &flag}, {Waitlist: &flag},
	}).Draw(t, "edit")
}

// drawBatch also lets the clock step back, as happens after a failover.
func drawBatch(t *rapid.T, b *book, now drop.Time) (drop.Time, []drop.Command) {
	now += drop.Time(rapid.SampledFrom([]int{0, 1, 500, 20_000, 60_000, -700}).Draw(t, "clock moves by"))
	n := rapid.IntRange(1, 8).Draw(t, "commands")
	cmds := make([]drop.Command, n)
	for i := range cmds {
		cmds[i] = drawCommand(t, b)
		if value := rapid.SampledFrom([]string{"", "", "", "a", "b"}).Draw(t, "key"); value != "" {
			key := drop.NewKey("", "op", value, drop.Asked(strconv.Itoa(rapid.IntRange(0, 1).Draw(t, "body"))))
			cmds[i] = drop.Keyed{Key: key, Command: cmds[i]}
		}
	}
	return now, cmds
}

func TestApply_InvariantsOverRandomBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(drawSpec(t))
		b.most = rapid.SampledFrom([]int{1, 2, drop.MaxOffersPerBatch}).Draw(t, "most offers in a batch")
		now := opened
		for range rapid.IntRange(1, 25).Draw(t, "batches") {
			var cmds []drop.Command
			now, cmds = drawBatch(t, b, now)
			before := b.clone()
			results, changes := b.apply(now, cmds...)
			checkChanges(t, before, b, now, changes)
			checkRows(t, before, b, now)
			checkLines(t, before, b)
			checkLedger(t, before, b)
			checkAccess(t, before, b)
			checkResults(t, b, cmds, results)
		}
	})
}

// checkChanges checks that the drop's row changes if and only if something changed, and that its time never steps
// back.
func checkChanges(t *rapid.T, before, after *book, now drop.Time, c *drop.Changes) {
	if c == nil {
		if !reflect.DeepEqual(before, after) {
			t.Fatalf("no changes, but the drop went from\n%+v to\n%+v", before, after)
		}
		return
	}
	if after.drop.Version != before.drop.Version+1 {
		t.Fatalf("version went from %d to %d", before.drop.Version, after.drop.Version)
	}
	if want := max(now, before.lastAt); after.lastAt != want {
		t.Fatalf("the batch's time is %s at a clock of %s after %s", after.lastAt, now, before.lastAt)
	}
	last := drop.NewReservationID(before.drop.ID, before.reserved)
	for _, r := range c.Made {
		last++
		if r.ID != last {
			t.Fatalf("made reservation %d, want %d", r.ID, last)
		}
	}
	for i, p := range c.Purchases {
		if want := drop.NewPurchaseID(before.drop.ID, before.purchased+uint32(i)+1); p.ID != want {
			t.Fatalf("made purchase %d, want %d", p.ID, want)
		}
		if _, twice := before.purchases[p.ReservationID]; twice {
			t.Fatalf("reservation %d was sold twice", p.ReservationID)
		}
	}
	for _, r := range c.Ended {
		if before.reservations[r.ID].Status != drop.Active {
			t.Fatalf("ended %+v, which was %+v", r, before.reservations[r.ID])
		}
	}
	touched := make(map[string]bool)
	for _, e := range c.Ledger {
		touched[e.Size] = true
	}
	for i, size := range after.drop.Sizes {
		if moved := size != before.drop.Sizes[i]; moved && !slices.Contains(c.Sizes, i) || touched[size.Label] && !slices.Contains(c.Sizes, i) {
			t.Fatalf("size %q: moved %t, in the ledger %t, to be written %v", size.Label, moved, touched[size.Label], c.Sizes)
		}
	}
}

// checkRows checks that the counters match the rows, and that no row changes after its end.
func checkRows(t *rapid.T, before, after *book, now drop.Time) {
	counted := make(map[string]*drop.Stock)
	for i := range after.drop.Sizes {
		size := &after.drop.Sizes[i]
		if !size.Stock.Balanced() {
			t.Fatalf("size %q is not balanced: %+v", size.Label, size.Stock)
		}
		counted[size.Label] = &drop.Stock{}
	}
	stockOf := func(label string) *drop.Stock {
		if after.drop.Sized() {
			return counted[label]
		}
		return counted[""]
	}
	for _, r := range after.reservations {
		if was, ok := before.reservations[r.ID]; ok && was.Status != drop.Active {
			if was.Status == drop.Expired && was.Claim == 0 { // late money may claim another unit
				was.Payment, was.Claim = r.Payment, r.Claim
			}
			if was != r {
				t.Fatalf("a reservation changed after its end:\n%+v\n%+v", was, r)
			}
		}
		checkPayment(t, before, after, r)
		p, bought := after.purchases[r.ID]
		if bought != (r.Status == drop.Completed) || bought && (p.UserID != r.UserID || p.Size != r.Size || p.CreatedAt != r.EndedAt) {
			t.Fatalf("reservation %+v has purchase %+v", r, p)
		}
		switch r.Status {
		case drop.Active:
			stockOf(r.Size).Held++
			if r.EndedAt != 0 || r.ExpiresAt <= now {
				t.Fatalf("at %s there is %+v", now, r)
			}
		case drop.Completed, drop.Cancelled:
			if r.EndedAt >= r.ExpiresAt || r.EndedAt < r.CreatedAt {
				t.Fatalf("ended out of its time: %+v", r)
			}
		case drop.Expired:
			if r.EndedAt < r.ExpiresAt {
				t.Fatalf("expired before its time: %+v", r)
			}
		}
		if bought && p.Return == drop.NotReturned {
			stockOf(r.Size).Sold++
		}
	}
	for i, size := range after.drop.Sizes {
		if c := counted[size.Label]; c.Held+size.Pending+after.drop.KeptOf(i) != size.Stock.Held || c.Sold != size.Stock.Sold {
			t.Fatalf("size %q counts %+v; its rows say %d held, %d sold", size.Label, size.Stock, c.Held, c.Sold)
		}
	}
	if uint32(len(after.reservations)) != after.reserved || uint32(len(after.purchases)) != after.purchased {
		t.Fatalf("%d reservations numbered to %d, %d purchases to %d",
			len(after.reservations), after.reserved, len(after.purchases), after.purchased)
	}
}

// checkLines checks that units go to those who wait, the first first, and to nobody else.
func checkLines(t *rapid.T, before, after *book) {
	lining := before.drop.DrawState.Phase == drop.Drawing // the next batch offers
	for i := range after.drop.Sizes {
		size := &after.drop.Sizes[i]
		line := after.line(i)
		if size.Waiting != int64(len(line)) || size.Pending < 0 || size.Pending > size.Waiting {
			t.Fatalf("%d wait in line %d, which counts %+v", len(line), i, size)
		}
		if size.Waiting > size.Pending && size.Stock.Available > 0 {
			t.Fatalf("there are units on sale while others wait: %+v", size)
		}
		if size.Pending > 0 && !after.drop.Paused && !lining && after.most == drop.MaxOffersPerBatch {
			t.Fatalf("units that nobody is offered: %+v", size)
		}
		if was := before.line(i); before.drop.Sizes[i].Pending > 0 && !before.drop.Paused && !lining && len(line) > 0 && was[0] == line[0] {
			t.Fatalf("units are kept for %+v, and not offered", line[0])
		}
		users := make(map[drop.UserID]bool)
		for _, e := range line {
			if users[e.UserID] {
				t.Fatalf("user %d waits twice", e.UserID)
			}
			users[e.UserID] = true
		}
	}
	full := after.drop.Waiting() > int64(max(after.drop.MaxWaiting, int(before.drop.Waiting()))) && before.drop.DrawState == after.drop.DrawState
	over := after.drop.Archived && after.drop.DrawState.Phase != drop.Drawing || !after.drop.Waitlist && !after.drop.HasDraw()
	if full || over && after.drop.Waiting() > 0 {
		t.Fatalf("%d wait in %+v", after.drop.Waiting(), after.drop)
	}
	for id, e := range after.entries {
		was, ok := before.entries[id]
		if ok && was.Status != drop.Waiting && was != e {
			t.Fatalf("an entry changed after its end:\n%+v\n%+v", was, e)
		}
		r := after.reservations[e.Offer]
		if (e.Status == drop.Offered) != (e.Offer != 0) || e.Offer != 0 && (!r.Offer || r.UserID != e.UserID || r.Size != e.Size) {
			t.Fatalf("%+v was offered %+v", e, r)
		}
		if e.Status != drop.Offered && e.Status != drop.Skipped || ok && was.Status != drop.Waiting {
			continue
		}
		for _, first := range after.line(e.Line) { // it was this one's turn, so nobody before it waits
			if first.ID < e.ID {
				t.Fatalf("%+v came before %+v", e, first)
			}
		}
	}
	if uint32(len(after.entries)) != after.waited {
		t.Fatalf("%d entries numbered to %d", len(after.entries), after.waited)
	}
}

// checkPayment checks that each payment claims at most one unit, that nobody else's unit is claimed, and that a claim
// never moves to another payment.
func checkPayment(t *rapid.T, before, after *book, r drop.Reservation) {
	if was := before.reservations[r.ID]; was.Claim != 0 && (was.Claim != r.Claim || was.Payment != r.Payment) {
		t.Fatalf("a claim moved:\n%+v\n%+v", was, r)
	}
	if r.Claim == 0 {
		return
	}
	unit := after.reservations[r.Claim]
	if r.Payment == 0 || unit.ID != r.Claim || unit.UserID != r.UserID || unit.Size != r.Size || unit.Payment != r.Payment || unit.Claim != unit.ID {
		t.Fatalf("%+v has the claim of %+v", r, unit)
	}
	if r.Claim != r.ID && r.Status != drop.Expired {
		t.Fatalf("%+v has another unit", r)
	}
}

// checkLedger replays the ledger from its beginning.
func checkLedger(t *rapid.T, before, after *book) {
	replayed := make(map[string]*drop.Stock)
	for _, size := range after.drop.Sizes {
		replayed[size.Label] = &drop.Stock{}
	}
	type line struct {
		size   string
		reason drop.Reason
	}
	lines := make(map[line]bool)
	for i, e := range after.ledger {
		if e.Seq != drop.Seq(i+1) {
			t.Fatalf("the ledger has a gap: entry %d is numbered %d", i+1, e.Seq)
		}
		s := replayed[e.Size]
		if err := s.Post(e.Reason, e.Units); err != nil {
			t.Fatalf("replay: %v", err)
		}
		if e.Available < 0 || e.Available != s.Available {
			t.Fatalf("entry %+v; replayed, %d are available", e, s.Available)
		}
		if i < len(before.ledger) {
			continue
		}
		if e.At != after.lastAt || e.Batch != after.batch {
			t.Fatalf("entry %+v of batch %v at %s", e, after.batch, after.lastAt)
		}
		if key := (line{e.Size, e.Reason}); lines[key] {
			t.Fatalf("two entries of one batch for %+v", key)
		} else {
			lines[key] = true
		}
	}
	if int(after.seq) != len(after.ledger) {
		t.Fatalf("%d entries, but the drop is at %d", len(after.ledger), after.seq)
	}
	for _, size := range after.drop.Sizes {
		if *replayed[size.Label] != size.Stock {
			t.Fatalf("size %q counts %+v; the ledger says %+v", size.Label, size.Stock, *replayed[size.Label])
		}
	}
}

// checkResults checks that each answer belongs to its command and matches the rows.
func checkResults(t *rapid.T, b *book, cmds []drop.Command, results []drop.Result) {
	if len(results) != len(cmds) {
		t.Fatalf("%d results of %d commands", len(results), len(cmds))
	}
	for i, result := range results {
		if keyed, ok := cmds[i].(drop.Keyed); ok {
			checkKept(t, b, keyed.Key, result)
			continue
		}
		if result.Err != nil {
			if result.Reservation != (drop.Reservation{}) || result.Purchase != (drop.Purchase{}) {
				t.Fatalf("a refusal with an answer: %+v", result)
			}
			continue
		}
		switch c := cmds[i].(type) {
		case drop.Reserve:
			r := result.Reservation
			if r.Status != drop.Active || r.UserID != c.User || r.ExpiresAt <= b.lastAt || b.reservations[r.ID].ID != r.ID {
				t.Fatalf("%+v answered with %+v", c, r)
			}
		case drop.Join:
			if e := result.Entry; e.UserID != c.User || e.Status != drop.Waiting && e.Status != drop.Offered && e.Status != drop.Skipped {
				t.Fatalf("%+v answered with %+v", c, e)
			}
		case drop.Leave:
			if e := result.Entry; e.ID != c.Entry || c.Owner != 0 && e.UserID != c.Owner || e.Status == drop.Waiting || e.Status == drop.Offered {
				t.Fatalf("%+v answered with %+v", c, e)
			}
		case drop.MakePurchase:
			p, is := result.Purchase, b.purchases[c.Reservation]
			is.Return, is.ReturnedAt = p.Return, p.ReturnedAt // it may have been returned since
			if p.ReservationID != c.Reservation || is != p {
				t.Fatalf("%+v answered with %+v; there is %+v", c, p, is)
			}
		case drop.StartPayment:
			if r := result.Reservation; r.Payment == c.Instead && c.Instead != c.Payment || r.Claim != 0 || r.Status != drop.Active {
				t.Fatalf("%+v answered with %+v", c, r)
			}
		case drop.ClaimUnit:
			if r := result.Reservation; r.Payment != c.Payment || r.Claim == 0 || r.UserID != c.User {
				t.Fatalf("%+v answered with %+v", c, r)
			}
		case drop.CompletePayment:
			if r := b.reservations[c.Reservation]; r.Status != drop.Completed || r.Payment != c.Payment || r.Claim != r.ID {
				t.Fatalf("%+v answered with %+v for %+v", c, result.Purchase, r)
			}
		case drop.ReleaseClaim:
			if r := result.Reservation; r.Claim != r.ID || r.Payment != c.Payment || r.Status != drop.Cancelled && r.Status != drop.Expired {
				t.Fatalf("%+v answered with %+v", c, r)
			}
		case drop.ReturnPurchase:
			if p := result.Purchase; p != b.purchases[p.ReservationID] || (p.Return == drop.BackOnSale) != c.Restock {
				t.Fatalf("%+v answered with %+v", c, p)
			}
		case drop.Cancel:
			r, is := result.Reservation, b.reservations[c.Reservation]
			is.Payment, is.Claim = r.Payment, r.Claim // late money may have claimed another unit since
			if r != is || r.Status != drop.Cancelled && r.Status != drop.Expired {
				t.Fatalf("%+v answered with %+v", c, r)
			}
		}
	}
}

// checkKept checks that the answer given under a key is the one stored under it from now on.
func checkKept(t *rapid.T, b *book, key drop.Key, result drop.Result) {
	kept, ok := b.kept[scope(key)]
	mismatch := ok && kept.Key.Body != key.Body
	switch {
	case result.Err == nil && (!ok || mismatch):
		t.Fatalf("%+v answered, and %+v kept", result, kept)
	case result.Err == nil:
		if first, err := drop.DecodeResult(kept.Answer); err != nil || !reflect.DeepEqual(level(replayed(first)), level(replayed(result))) {
			t.Fatalf("%+v answered, and %+v kept (%v)", result, first, err)
		}
	case result.Err.Code == drop.CodeIdempotencyMismatch && !mismatch:
		t.Fatalf("a mismatch with %+v", kept)
	}
}

// level removes what differs between one batch and many: the drop's version, and the name of a buyer whose
// reservation is made and purchased in the same batch. Nobody knows the buyer's number at that point. A nil list and
// an empty one count as equal.
func level(r drop.Result) drop.Result {
	if r.Drop != nil {
		d := *r.Drop
		d.Version = 0
		r.Drop = &d
	}
	recent := slices.Clone(r.Recent)
	for i := range recent {
		recent[i].Username = ""
	}
	r.Recent = recent
	if len(recent) == 0 {
		r.Recent = nil
	}
	return r
}

// TestApply_BatchEqualsItsCommandsOneByOne also checks the limits, each against the limit that was in force for its
// command.
func TestApply_BatchEqualsItsCommandsOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(drawSpec(t))
		now := opened
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			var cmds []drop.Command
			now, cmds = drawBatch(t, b, now)
			single := b.clone()
			together, _ := b.apply(now, cmds...)
			for i, c := range cmds {
				made := single.reserved
				alone := single.do(now, c)
				if !reflect.DeepEqual(level(alone), level(together[i])) {
					t.Fatalf("command %d, %+v, alone %+v, in its batch %+v", i, c, alone, together[i])
				}
				// An offer was made before the command, and a kept unit was for nobody in line.
				given := alone.Reservation.Offer || alone.Reservation.Pass != 0
				if reserve, ok := c.(drop.Reserve); ok && alone.Err == nil && !alone.Replayed && !given && single.reserved > made {
					for _, size := range single.drop.Sizes {
						if size.Waiting > size.Pending && (size.Label == alone.Reservation.Size || !single.drop.Sized()) && alone.Reservation.CreatedAt == single.lastAt {
							t.Fatalf("%+v made %+v while %d wait", reserve, alone.Reservation, size.Waiting)
						}
					}
				}
				before := false // an offer that the end of a hold caused came before the command
				if keyed, ok := c.(drop.Keyed); ok {
					c = keyed.Command
				}
				switch c.(type) {
				case drop.Edit, drop.Pause:
					before = true
				}
				if single.reserved > made && !before {
					checkLimit(t, single, single.reservations[drop.NewReservationID(single.drop.ID, single.reserved)])
				}
			}
			if !reflect.DeepEqual(single.reservations, b.reservations) || !reflect.DeepEqual(single.purchases, b.purchases) || !reflect.DeepEqual(single.entries, b.entries) || !reflect.DeepEqual(single.passes, b.passes) {
				t.Fatalf("rows differ, alone\n%+v\n%+v\nin a batch\n%+v\n%+v",
					single.reservations, single.purchases, b.reservations, b.purchases)
			}
			single.drop.Version = b.drop.Version // each version counts its own batches
			if !reflect.DeepEqual(single.drop, b.drop) {
				t.Fatalf("drops differ, alone\n%+v\nin a batch\n%+v", single.drop, b.drop)
			}
		}
	})
}

// checkLimit checks that a user is within the limit right after a reservation was made.
func checkLimit(t *rapid.T, b *book, made drop.Reservation) {
	if b.drop.LimitPerUser == 0 {
		return
	}
	used := 0
	for _, r := range b.reservations {
		if r.UserID == made.UserID && (r.LiveAt(b.lastAt) || r.Status == drop.Completed) {
			used++
		}
	}
	if used > b.drop.LimitPerUser {
		t.Fatalf("user %d has %d of %d", made.UserID, used, b.drop.LimitPerUser)
	}
	paid := made.Payment != 0 // late money gets a unit of a paused drop too
	early := b.lastAt < b.drop.StartTime && made.Pass == 0
	if b.drop.Paused && !paid || b.drop.Archived || early {
		t.Fatalf("made %+v in %+v", made, b.drop)
	}
}

func TestApply_DeadlineIsTheEarliestKnownEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBook(plain(50))
		now := opened
		for range rapid.IntRange(1, 15).Draw(t, "batches") {
			var cmds []drop.Command
			now, cmds = drawBatch(t, b, now)
			need := drop.NeedOf(cmds)
			need.Deadline = true
			s := b.load(need, now)
			if _, c := drop.Apply(s, now, drop.BatchID{1}, cmds); c != nil {
				b.commit(s, c)
			}
			earliest := drop.Time(math.MaxInt64)
			for _, r := range b.reservations {
				if r.Status == drop.Active {
					earliest = min(earliest, r.ExpiresAt)
				}
			}
			if earliest < math.MaxInt64 && (s.Deadline == 0 || s.Deadline > earliest) {
				t.Fatalf("the deadline is %s, but a hold ends at %s", s.Deadline, earliest)
			}
		}
	})
}
