package storetest

import (
	"errors"
	"math"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

var paymentTests = []test{
	{"Payments_HaveNumbersOfTheirOwn", paymentsNumbers},
	{"Payments_AreWrittenByBatches", paymentsInBatches},
	{"Payments_AreSettledOnce", paymentsSettledAtOnce},
	{"Payments_EndWithTheirClaims", paymentsEndWithClaims},
	{"Payments_KeepEveryField", paymentsKeepEveryField},
	{"Payments_ReplaceOnlyTheOneThatWasRead", paymentsReplaceOnlyWhatWasRead},
	{"Payments_FoundByTheirUnits", paymentsFound},
	{"Payments_UnsettledByPages", paymentsUnsettled},
	{"Payments_DueByPages", paymentsDue},
	{"Payments_OfADrop", paymentsOfDrop},
}

// payment begins a payment of a new reservation, and then makes it what p says.
func (f *fixture) payment(p drop.Payment) drop.Payment {
	f.Helper()
	id := f.create(plain(1))
	begun := f.begin(f.reserve(id, base, drop.Reserve{User: p.User}), drop.Payment{State: drop.PaymentOpen, Provider: "demo"})
	p.ID, p.CreatedAt = begun.ID, begun.CreatedAt
	if done, err := f.ReplacePayment(f.ctx, begun, p); err != nil || !done {
		f.Fatalf("ReplacePayment: %t, %v", done, err)
	}
	return p
}

// begin begins a payment of a reservation with the next number.
func (f *fixture) begin(r drop.Reservation, row drop.Payment) drop.Payment {
	f.Helper()
	first, err := f.NextPayments(f.ctx)
	if err != nil {
		f.Fatalf("NextPayments: %v", err)
	}
	made := f.run(r.ID.Drop(), base, drop.StartPayment{Reservation: r.ID, Payment: first, Instead: r.Payment, Within: time.Minute, Hold: time.Minute, Row: &row})
	if made[0].Err != nil || made[0].Payment == nil {
		f.Fatalf("StartPayment: %+v", made[0])
	}
	return *made[0].Payment
}

// Numbers are given once, in blocks that do not overlap, also where payments have some of them.
func paymentsNumbers(f *fixture) {
	seen := drop.PaymentID(0)
	for range 3 {
		first, err := f.NextPayments(f.ctx)
		if err != nil || first <= seen {
			f.Errorf("NextPayments: %d after %d, %v", first, seen, err)
		}
		seen = first + store.PaymentNumbers - 1
		if p := f.payment(fullPayment); p.ID <= seen {
			f.Errorf("a payment has the number %d, and %d was taken", p.ID, seen)
		} else {
			seen = p.ID + store.PaymentNumbers - 1
		}
	}
}

// A batch stores the payment that it begins, settles it with the sale, and books refunds of it.
func paymentsInBatches(f *fixture) {
	id := f.create(drop.Spec{Name: "d", Price: 12_050, TotalStock: new(int64(3)), StartTime: 1})
	r := f.reserve(id, base, drop.Reserve{User: 7})
	row := drop.Payment{
		Provider: "stripe", URL: "https://pay.example/1", ReturnURL: "/é'", State: drop.PaymentOpen, Unsettled: true, Currency: "KWD",
		Decimals: 3, DueAt: base + 5, Reason: "no answer", Tries: 3,
	}
	begun := f.begin(r, row)
	want := row
	want.ID, want.Reservation, want.User, want.Amount, want.ExpiresAt, want.CreatedAt = begun.ID, r.ID, 7, 12_050, r.CreatedAt.Add(time.Minute), begun.CreatedAt
	equal(f, "begun", begun, want)
	stored := func() drop.Payment {
		f.Helper()
		p, found, err := f.Payment(f.ctx, begun.ID)
		if err != nil || !found {
			f.Fatalf("Payment: %t, %v", found, err)
		}
		return p
	}
	equal(f, "stored", stored(), want)

	complete := drop.CompletePayment{Reservation: r.ID, Payment: begun.ID, Number: "cs_1", Receipt: "pi_1"}
	results := f.run(id, base, drop.ClaimUnit{Reservation: r.ID, User: 7, Payment: begun.ID, Within: time.Hour}, complete, complete)
	want.State, want.Unsettled, want.Number, want.Receipt, want.URL, want.Reason, want.Tries = drop.PaymentCaptured, false, "cs_1", "pi_1", "", "", 0
	want.Unit, want.Purchase = r.ID, drop.NewPurchaseID(id, 1)
	for _, result := range results[1:] {
		if result.Err != nil || result.Payment == nil || *result.Payment != want {
			f.Errorf("completed: %+v of %+v", result, want)
		}
	}
	equal(f, "completed", stored(), want)
	if again := f.run(id, base, complete)[0]; again.Payment == nil || *again.Payment != want {
		f.Errorf("completed again: %+v", again)
	}

	// What else wrote the payment meanwhile is kept.
	noted := want
	noted.Refunded, noted.Unsettled, noted.DueAt = 2_000, true, base+9
	if done, err := f.ReplacePayment(f.ctx, want, noted); err != nil || !done {
		f.Fatalf("ReplacePayment: %t, %v", done, err)
	}
	book := drop.BookRefund{Purchase: want.Purchase, Payment: want.ID, Was: 2_000, Refunded: 2_000}
	want.Refunded, want.Booked, want.DueAt = 2_000, 2_000, base+9
	for range 2 {
		if result := f.run(id, base, book)[0]; result.Err != nil || result.Payment == nil || *result.Payment != want {
			f.Errorf("booked: %+v of %+v", result, want)
		}
		equal(f, "booked", stored(), want)
	}
	stale := book
	stale.Was, stale.Refunded = 0, 3_000
	if result := f.run(id, base, stale)[0]; result.Payment == nil || *result.Payment != want {
		f.Errorf("a refund by who has seen another total: %+v", result)
	}
	var refunds []entry
	for _, e := range entriesOf(f.facts(id, 0, 0, 100).Entries) {
		if e.reason == drop.MoneyRefunded {
			refunds = append(refunds, e)
		}
	}
	if len(refunds) != 1 || refunds[0].numbers != "[1]" {
		f.Errorf("the ledger has the refunds %+v", refunds)
	}
	for _, c := range []drop.BookRefund{{Purchase: want.Purchase + 1, Payment: want.ID}, {Purchase: want.Purchase, Payment: want.ID + 1}} {
		if result := f.run(id, base, c)[0]; result.Err == nil || result.Err.Code != drop.CodePurchaseNotFound {
			f.Errorf("a refund of another purchase: %+v", result)
		}
	}
}

// A payment that nothing is sold for ends together with its claim, and claims nothing after that.
func paymentsEndWithClaims(f *fixture) {
	for _, c := range []struct {
		what   string
		claims drop.Time // when a unit is claimed; 0: none is
		until  drop.Time
		status drop.Status // of the claimed unit
	}{
		{what: "without a claim"},
		{what: "with the unit that was held", claims: base, status: drop.Cancelled},
		{what: "with another unit, for late money", claims: base + 10*minute, status: drop.Cancelled},
		{what: "with a unit that the buyer keeps", claims: base, until: base + 20*minute, status: drop.Active},
	} {
		id := f.create(plain(1))
		r := f.reserve(id, base, drop.Reserve{User: 7})
		was := f.begin(r, drop.Payment{Provider: "demo", State: drop.PaymentOpen, Unsettled: true})
		claim := drop.ClaimUnit{Reservation: r.ID, User: 7, Payment: was.ID, Within: time.Hour}
		end := drop.EndPayment{Was: was, To: was, Until: c.until}
		end.To.State, end.To.Unsettled, end.To.Unit, end.To.Reason = drop.PaymentVoided, false, r.ID, "é'"
		now, unit := max(c.claims, base), drop.ReservationID(0)
		if c.claims != 0 {
			claimed := f.run(id, now, claim)[0]
			if unit = claimed.Reservation.Claim; unit == 0 {
				f.Fatalf("%s: %+v", c.what, claimed)
			}
		}
		if unit != 0 && unit != r.ID { // the caller does not know of it
			if got := f.run(id, now, end)[0]; got.Err != nil || got.Payment != nil || got.Reservation.Claim != unit {
				f.Errorf("%s: %+v", c.what, got)
			}
			end.Unit = unit
		}
		stale, want := end, end.To
		stale.Was.Tries++
		want.Unit = 0
		if got := f.run(id, now, stale)[0]; got.Err != nil || got.Payment != nil || got.Reservation.ID != 0 {
			f.Errorf("%s, by who has read another payment: %+v", c.what, got)
		}
		for range 2 {
			if got := f.run(id, now, end)[0]; got.Err != nil || got.Payment == nil || *got.Payment != want {
				f.Errorf("%s: %+v; want %+v", c.what, got, want)
			}
		}
		p, _, err := f.Payment(f.ctx, was.ID)
		if err != nil {
			f.Fatal(err)
		}
		equal(f, c.what, p, want)
		for _, row := range f.books(id).reservations {
			if row.ID == unit && (row.Status != c.status || row.Status == drop.Active && (row.Claim != 0 || row.ExpiresAt != c.until)) {
				f.Errorf("%s: the unit is %+v", c.what, row)
			}
		}
		if got := f.run(id, now, claim)[0]; got.Err == nil || got.Err.Code != drop.CodePaymentFailed {
			f.Errorf("%s: a claim after that: %+v", c.what, got)
		}
	}
	if got := f.run(f.create(plain(1)), base, drop.EndPayment{Was: drop.Payment{ID: 1 << 40, Reservation: 1<<52 + 1}})[0]; got.Err == nil || got.Err.Code != drop.CodeReservationNotFound {
		f.Errorf("of no reservation: %+v", got)
	}
}

// Of a step that writes a payment and a batch that settles it, one sees what the other wrote.
func paymentsSettledAtOnce(f *fixture) {
	for range 20 {
		id := f.create(plain(1))
		r := f.reserve(id, base, drop.Reserve{User: 7})
		begun := f.begin(r, drop.Payment{Provider: "demo", State: drop.PaymentOpen, Unsettled: true})
		f.run(id, base, drop.ClaimUnit{Reservation: r.ID, User: 7, Payment: begun.ID, Within: time.Hour})
		var step sync.WaitGroup
		noted := begun
		noted.State, noted.Tries = drop.PaymentPending, 1
		var done bool
		step.Go(func() { done, _ = f.ReplacePayment(f.ctx, begun, noted) })
		f.run(id, base, drop.CompletePayment{Reservation: r.ID, Payment: begun.ID})
		step.Wait()
		p, _, err := f.Payment(f.ctx, begun.ID)
		if err != nil || p.State != drop.PaymentCaptured || p.Purchase == 0 || p.Tries != 0 {
			f.Fatalf("the step wrote: %t; the payment is %+v, %v", done, p, err)
		}
	}
}

var fullPayment = drop.Payment{
	Reservation: 1<<32 + 7, User: 3, Provider: "stripe", Number: "cs_é'", Receipt: "pi_1", URL: "https://pay.example/?a=1&b='", ReturnURL: "/drops/1",
	State: "open", Unsettled: true, Amount: 1_000_001_199_950, Currency: "KWD", Decimals: 3, Refunded: 5, Booked: 4, Unit: 1<<32 + 8,
	Purchase: 1<<32 + 9, Reason: "out of stock", Tries: 2, DueAt: base + 1, ExpiresAt: base + 2,
}

func paymentsKeepEveryField(f *fixture) {
	bare := drop.Payment{Reservation: 1<<32 + 1, User: 4, Provider: "demo", State: "captured", Currency: "EUR"}
	first, second := f.payment(fullPayment), f.payment(bare)
	if second.ID <= first.ID {
		f.Errorf("numbers %d, %d", first.ID, second.ID)
	}
	for _, want := range []drop.Payment{first, second} {
		got, found, err := f.Payment(f.ctx, want.ID)
		if err != nil || !found {
			f.Errorf("Payment: %t, %v", found, err)
		}
		equal(f, "Payment", got, want)
	}
	if _, found, err := f.Payment(f.ctx, second.ID+1); err != nil || found {
		f.Errorf("Payment of a number that none has: %t, %v", found, err)
	}
	newest, err := f.NewestPayments(f.ctx, 0, 10)
	if err != nil {
		f.Fatal(err)
	}
	equal(f, "NewestPayments", newest, []drop.Payment{second, first})
	newest, err = f.NewestPayments(f.ctx, second.ID, 1)
	if err != nil {
		f.Fatal(err)
	}
	equal(f, "NewestPayments before the second", newest, []drop.Payment{first})
}

func paymentsReplaceOnlyWhatWasRead(f *fixture) {
	was := f.payment(fullPayment)
	to := was
	to.State, to.Unsettled, to.Unit, to.Purchase, to.Reason, to.Tries = "captured", false, 0, 0, "", 0
	if done, err := f.ReplacePayment(f.ctx, was, to); err != nil || !done {
		f.Fatalf("ReplacePayment: %t, %v", done, err)
	}
	late := was
	late.State = "voided"
	if done, err := f.ReplacePayment(f.ctx, was, late); err != nil || done {
		f.Errorf("in place of what was there before: %t, %v", done, err)
	}
	got, _, err := f.Payment(f.ctx, was.ID)
	if err != nil {
		f.Fatal(err)
	}
	equal(f, "Payment", got, to)
	none := was
	none.ID++
	if done, err := f.ReplacePayment(f.ctx, none, none); err != nil || done {
		f.Errorf("in place of none: %t, %v", done, err)
	}
}

// Two of three claims take the unit that was held, and a late one takes another. A buyer who only began to pay has
// claimed none.
func paymentsFound(f *fixture) {
	id := f.create(plain(5))
	claim := func(at drop.Time, user drop.UserID) drop.Payment {
		f.Helper()
		r := f.reserve(id, base, drop.Reserve{User: user})
		p := f.begin(r, drop.Payment{Provider: "demo", State: drop.PaymentOpen, Unsettled: true})
		if at == 0 {
			return p
		}
		claimed := f.run(id, at, drop.ClaimUnit{Reservation: r.ID, User: user, Payment: p.ID, Within: time.Hour})[0]
		if claimed.Err != nil {
			f.Fatalf("ClaimUnit: %+v", claimed)
		}
		to := p
		to.Unit = claimed.Reservation.Claim
		if done, err := f.ReplacePayment(f.ctx, p, to); err != nil || !done {
			f.Fatalf("ReplacePayment: %t, %v", done, err)
		}
		return to
	}
	begun, a, late := claim(0, 1), claim(base, 2), claim(base+10*minute, 3)
	if late.Unit == late.Reservation {
		f.Fatal("the late payment claimed the reservation that has ended")
	}
	for _, c := range []struct {
		units []drop.ReservationID
		want  []drop.Payment
	}{
		{[]drop.ReservationID{late.Unit, begun.Reservation, late.Reservation, a.Unit, drop.NewReservationID(id, 99)}, []drop.Payment{late, a}},
		{[]drop.ReservationID{begun.Reservation}, nil},
		{nil, nil},
	} {
		got, err := f.PaymentsFor(f.ctx, c.units)
		if err != nil {
			f.Fatal(err)
		}
		equal(f, "PaymentsFor", got, c.want)
	}
}

// Each drop has the payments of its own reservations, from the first number to the last.
func paymentsOfDrop(f *fixture) {
	const d = drop.ID(7)
	want := make(map[drop.PaymentID]drop.Payment)
	for _, r := range []drop.ReservationID{drop.NewReservationID(d, 1), drop.NewReservationID(d, math.MaxUint32), drop.NewReservationID(d+1, 1), drop.NewReservationID(d-1, 5)} {
		p := fullPayment
		p.Reservation = r
		if p = f.payment(p); r.Drop() == d {
			want[p.ID] = p
		}
	}
	got := make(map[drop.PaymentID]drop.Payment)
	if err := f.PaymentsOfDrop(f.ctx, d, func(p drop.Payment) error {
		got[p.ID] = p
		return nil
	}); err != nil {
		f.Fatal(err)
	}
	equal(f, "PaymentsOfDrop", got, want)
	enough := errors.New("enough")
	if err := f.PaymentsOfDrop(f.ctx, d, func(drop.Payment) error { return enough }); !errors.Is(err, enough) {
		f.Errorf("an error of the receiver: %v", err)
	}
}

func paymentsDue(f *fixture) {
	var due []drop.Payment
	for i := range 6 {
		p := fullPayment
		p.Unsettled, p.DueAt = i != 2, base+drop.Time(i%4)
		if p = f.payment(p); p.Unsettled && p.DueAt <= base+1 {
			due = append(due, p)
		}
	}
	for after, want := range map[drop.PaymentID][]drop.Payment{0: due[:2], due[0].ID: due[1:3], due[1].ID: due[2:], due[3].ID: nil} {
		got, err := f.DuePayments(f.ctx, base+1, after, 2)
		if err != nil {
			f.Fatal(err)
		}
		equal(f, "DuePayments", got, want)
	}
}

func paymentsUnsettled(f *fixture) {
	var want []drop.Payment
	for i := range 5 {
		p := fullPayment
		p.Unsettled = i%2 == 0
		if p = f.payment(p); p.Unsettled {
			want = append(want, p)
		}
	}
	for after, want := range map[drop.PaymentID][]drop.Payment{0: want[:2], want[0].ID: want[1:], want[2].ID: nil} {
		got, err := f.UnsettledPayments(f.ctx, after, 2)
		if err != nil {
			f.Fatal(err)
		}
		equal(f, "UnsettledPayments", got, want)
	}
}
