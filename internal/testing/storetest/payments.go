package storetest

import (
	"sneakerdrop/internal/drop"
)

var paymentTests = []test{
	{"Payments_KeepEveryField", paymentsKeepEveryField},
	{"Payments_ReplaceOnlyTheOneThatWasRead", paymentsReplaceOnlyWhatWasRead},
	{"Payments_FoundByReservationAndUnit", paymentsFound},
	{"Payments_UnsettledByPages", paymentsUnsettled},
}

func (f *fixture) payment(p drop.Payment) drop.Payment {
	f.Helper()
	p, err := f.AddPayment(f.ctx, p)
	if err != nil || p.ID == 0 || p.CreatedAt == 0 {
		f.Fatalf("AddPayment: %+v, %v", p, err)
	}
	return p
}

var fullPayment = drop.Payment{
	Reservation: 1<<32 + 7, User: 3, Provider: "stripe", Number: "cs_é'", Receipt: "pi_1", URL: "https://pay.example/?a=1&b='", ReturnURL: "/drops/1",
	Email: "ann@example.com", State: "open", Unsettled: true, Amount: 1_000_001_199_950, Currency: "KWD", Decimals: 3, Refunded: 5, Unit: 1<<32 + 8,
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
	full := fullPayment
	full.ID, full.CreatedAt = first.ID, first.CreatedAt
	equal(f, "what was stored", first, full)
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

func paymentsFound(f *fixture) {
	of := func(reservation, unit drop.ReservationID) drop.Payment {
		p := fullPayment
		p.Reservation, p.Unit = reservation, unit
		return f.payment(p)
	}
	const r = drop.ReservationID(7 << 32)
	a, b, c := of(r+1, 0), of(r+2, r+2), of(r+1, r+3)
	for id, want := range map[drop.ReservationID][]drop.Payment{r + 1: {a, c}, r + 2: {b}, r + 3: nil} {
		got, err := f.PaymentsOf(f.ctx, id)
		if err != nil {
			f.Fatal(err)
		}
		equal(f, "PaymentsOf", got, want)
	}
	for _, c := range []struct {
		units []drop.ReservationID
		want  []drop.Payment
	}{
		{[]drop.ReservationID{r + 3, r + 1, r + 2}, []drop.Payment{c, b}},
		{[]drop.ReservationID{r + 1}, nil},
		{nil, nil},
	} {
		got, err := f.PaymentsFor(f.ctx, c.units)
		if err != nil {
			f.Fatal(err)
		}
		equal(f, "PaymentsFor", got, c.want)
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
