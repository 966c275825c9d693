package audit_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Drop 8 has payments and sold units that came back:
//
//	reservation 1 completed by payment 1 (purchase 1, on sale again), 2 expired, with payment 2 that claimed 7
//	3 cancelled with the claim of payment 3, 4 active and paying, 5 and 6 completed (purchase 2, written off, and 3)
//	7 completed (purchase 4), 8 active
//	ledger at 0 ms:  1 created 9 ×8           2 created 10 ×3
//	      at 10 ms:  3 reserved 9 ×5          4 reserved 10 ×1
//	      at 20 ms:  5 payment started 9 ×4
//	      at 30 ms:  claims of 1 and 3: no entry
//	      at 40 ms:  6 expired 9 ×1           7 reserved 9 ×1     8 purchased 9 ×2    9 purchased 10 ×1
//	      at 50 ms: 10 cancelled 9 ×1        11 purchased 9 ×1   12 reserved 10 ×1
//	      at 60 ms: 13 returned 9 ×1         14 written off 9 ×1     15 refunded 9 ×1
//
// Size 9 then has 7 = 5 + 1 + 1, size 10 has 3 = 1 + 1 + 1.
func eight(t *testing.T) store.Filled {
	h := newHistory(t, 8, drop.Spec{Name: "Eight", Price: 12_000, StartTime: began, Sizes: []drop.SizeSpec{{Label: "9", Stock: 8}, {Label: "10", Stock: 3}}})
	r := func(n uint32) drop.ReservationID { return drop.NewReservationID(8, n) }
	hold := func(user drop.UserID, size string, hold time.Duration) drop.Command {
		return drop.Reserve{User: user, Size: size, Hold: hold}
	}
	pay := func(n uint32) drop.Command {
		return drop.StartPayment{Reservation: r(n), Payment: drop.PaymentID(n), Within: time.Millisecond, Hold: time.Minute, Row: &drop.Payment{Unsettled: true}}
	}
	claim := func(n uint32) drop.Command {
		return drop.ClaimUnit{Reservation: r(n), User: drop.UserID(n), Payment: drop.PaymentID(n), Within: time.Minute}
	}
	h.batch(t, 10,
		hold(1, "9", time.Minute), hold(2, "9", 20*time.Millisecond), hold(3, "9", time.Minute), hold(4, "9", time.Minute), hold(5, "9", time.Minute),
		hold(6, "10", time.Minute))
	h.batch(t, 20, pay(1), pay(2), pay(3), pay(4))
	h.batch(t, 30, claim(1), claim(3))
	h.batch(t, 40, claim(2), drop.CompletePayment{Reservation: r(1), Payment: 1}, drop.MakePurchase{Reservation: r(5)}, drop.MakePurchase{Reservation: r(6)})
	h.batch(t, 50, drop.CompletePayment{Reservation: r(7), Payment: 2}, drop.ReleaseClaim{Reservation: r(3), Payment: 3}, hold(2, "10", time.Minute))
	h.batch(t, 60, drop.ReturnPurchase{Purchase: drop.NewPurchaseID(8, 1), Restock: true}, drop.ReturnPurchase{Purchase: drop.NewPurchaseID(8, 2)},
		drop.BookRefund{Purchase: drop.NewPurchaseID(8, 1), Payment: 1, Refunded: 2_050})
	return store.Filled{State: h.state, Changes: h.changes}
}

// payments are those of drop 8: 1 to 4 as above, and 5, a second one of reservation 1. Payment 1 is refunded in part.
func payments() []drop.Payment {
	r := func(n uint32) drop.ReservationID { return drop.NewReservationID(8, n) }
	of := func(n uint32, state string) drop.Payment {
		return drop.Payment{
			ID: drop.PaymentID(n), Reservation: r(n), User: drop.UserID(n), Provider: "test", State: state, Amount: 12_000, Currency: "EUR", Decimals: 2,
			CreatedAt: began + 20, ExpiresAt: began + 60_000,
		}
	}
	all := []drop.Payment{
		of(1, drop.PaymentCaptured), of(2, drop.PaymentCaptured), of(3, drop.PaymentVoided), of(4, drop.PaymentOpen), of(1, drop.PaymentRefunded),
	}
	all[0].Unit, all[0].Purchase, all[0].Refunded, all[0].Booked = r(1), drop.NewPurchaseID(8, 1), 2_050, 2_050
	all[1].Unit, all[1].Purchase = r(7), drop.NewPurchaseID(8, 4)
	all[3].Unsettled = true
	all[4].ID, all[4].Refunded = 5, 12_000
	return all
}

// paying is a store that Fill gives the payments, too.
type paying struct {
	store.Store
	rows []store.Row
}

func (s paying) Import(ctx context.Context, into store.Into, fill func(put func(store.Row) error) error, check func(store.Rows) error) error {
	with := func(put func(store.Row) error) error {
		for _, p := range payments() {
			if err := put(store.Row{Value: p}); err != nil {
				return err
			}
		}
		if err := fill(put); err != nil {
			return err
		}
		for _, r := range s.rows {
			if err := put(r); err != nil {
				return err
			}
		}
		return nil
	}
	err := s.Store.Import(ctx, store.IntoNothing, with, check) // memory has payments only then
	if errors.Is(err, store.ErrNotEmpty) {
		err = s.Store.Import(ctx, into, with, check)
	}
	return err
}

// paymentDamages are like damages, of drop 8.
var paymentDamages = []damage{
	{
		"payment that did not start", "UPDATE reservations SET payment = 9 WHERE id = {r} + 8",
		`reservation 34359738376 has payment 9, but the ledger does not say that its buyer began to pay`,
	},
	{
		"payment lost", "UPDATE reservations SET payment = NULL WHERE id = {r} + 4",
		`the ledger says that the buyer of reservation 34359738372 began to pay, but it has no payment`,
	},
	{
		"payment started by nobody", "UPDATE ledger SET units = 5, numbers = {nobody} WHERE drop_id = 8 AND seq = 5",
		`the ledger says that the buyer of reservation 34359738467 began to pay, but there is none with that number`,
	},
	{
		"payment started by too few", "UPDATE ledger SET units = 3 WHERE drop_id = 8 AND seq = 5",
		`ledger entry 5 has 3 units, but names 4 reservations or purchases`,
	},
	{
		"payment that moved units", "UPDATE ledger SET available = available - 4 WHERE drop_id = 8 AND seq = 5",
		`ledger entry 5 says that -1 units of size "9" are available after it, but the entries up to it give 3`,
	},
	{
		"claim without payment", "UPDATE reservations SET claim = id WHERE id = {r} + 8",
		`reservation 34359738376 is claimed by no payment`,
	},
	{
		"claim of another's reservation", "UPDATE reservations SET claim = {r} + 4 WHERE id = {r} + 3",
		`reservation 34359738371 (cancelled) has a claim of reservation 34359738372, which was not made for it`,
	},
	{
		"claim of an earlier reservation", "UPDATE reservations SET claim = {r} + 1 WHERE id = {r} + 2",
		`reservation 34359738370 (expired) has a claim of reservation 34359738369, which was not made for it`,
	},
	{
		"late reservation missing", "UPDATE reservations SET claim = {r} + 99 WHERE id = {r} + 2; UPDATE reservations SET payment = NULL, claim = NULL WHERE id = {r} + 7",
		`reservation 34359738467 was made for payment 2 of reservation 34359738370, but there is none with that number`,
	},
	{
		"late reservation of another user", "UPDATE reservations SET user_id = 99 WHERE id = {r} + 7",
		`reservation 34359738375 was made for payment 2 of reservation 34359738370, but says otherwise`,
	},
	{
		"late reservation of another size", "UPDATE reservations SET claim = {r} + 8 WHERE id = {r} + 2; UPDATE reservations SET payment = NULL, claim = NULL WHERE id = {r} + 7; " +
			"UPDATE reservations SET payment = 2, claim = id WHERE id = {r} + 8",
		`reservation 34359738376 was made for payment 2 of reservation 34359738370, but says otherwise`,
	},
	{
		"late reservation of another payment", "UPDATE reservations SET payment = 9 WHERE id = {r} + 7",
		`reservation 34359738375 was made for payment 2 of reservation 34359738370, but says otherwise`,
	},
	{
		"late reservation without its claim", "UPDATE reservations SET claim = NULL WHERE id = {r} + 7",
		`reservation 34359738375 was made for payment 2 of reservation 34359738370, but says otherwise`,
	},
	{
		"late reservation that nobody paid late", "UPDATE reservations SET claim = NULL WHERE id = {r} + 2",
		`reservation 34359738375 has payment 2, but the ledger does not say that its buyer began to pay`,
	},

	{
		"row of a payment lost", "DELETE FROM payments WHERE id = 2",
		`purchase 34359738372 was sold for payment 2, but there is no such payment`,
	},
	{
		"row of a payment twice", "INSERT INTO payments SELECT * FROM payments WHERE id = 1",
		`payment 1 appears twice`,
	},
	{
		"sold unit whose payment is voided", "UPDATE payments SET state = 'voided', purchase_id = NULL, unit_id = NULL WHERE id = 1",
		`payment 1 is voided, but purchase 34359738369 was sold for it`,
	},
	{
		"sold late unit whose payment is refunded", "UPDATE payments SET state = 'refunded', purchase_id = NULL, unit_id = NULL, refunded = amount WHERE id = 2",
		`payment 2 is refunded, but purchase 34359738372 was sold for it`,
	},
	{
		"other amount", "UPDATE payments SET amount = 12001 WHERE id = 2",
		`payment 2 has the amount 120.01, but purchase 34359738372 has the price 120`,
	},
	{
		"more refunded than paid", "UPDATE payments SET refunded = 12001 WHERE id = 1",
		`payment 1 has the amount 120, but 120.01 of it is refunded`,
	},
	{
		"two payments for one unit", "UPDATE payments SET state = 'captured', unit_id = {r} + 1, purchase_id = {r} + 1 WHERE id = 5",
		`payment 5 is captured for purchase 34359738369, but that was not sold for it`,
	},
	{
		"two payments that claim one unit", "UPDATE payments SET unit_id = {r} + 4 WHERE id IN (3, 4)",
		`payments 3 and 4 have both claimed reservation 34359738372`,
	},
	{
		"claim of a sold unit", "UPDATE payments SET unit_id = {r} + 1 WHERE id = 4",
		`payment 4 has claimed reservation 34359738369, which was sold for payment 1`,
	},
	{
		"payment of another purchase", "UPDATE payments SET purchase_id = {r} + 3 WHERE id = 2",
		`payment 2 is captured for purchase 34359738371 of reservation 34359738375, but purchase 34359738372 of reservation 34359738375 was sold for it`,
	},
	{
		"payment of another unit", "UPDATE payments SET unit_id = {r} + 6 WHERE id = 2",
		`payment 2 is captured for purchase 34359738372 of reservation 34359738374, but purchase 34359738372 of reservation 34359738375 was sold for it`,
	},
	{
		"payment for a purchase that was not paid", "UPDATE payments SET state = 'captured', unit_id = {r} + 6, purchase_id = {r} + 3 WHERE id = 3",
		`payment 3 is captured for purchase 34359738371, but that was not sold for it`,
	},
	{
		"payment of another user", "UPDATE payments SET user_id = 99 WHERE id = 1",
		`payment 1 is user 99's, but purchase 34359738369 is user 1's`,
	},
	{
		"captured without a purchase", "UPDATE payments SET state = 'captured' WHERE id = 3",
		`payment 3 is captured, and has purchase 0`,
	},
	{
		"purchase without captured money", "UPDATE payments SET state = 'failed' WHERE id = 1",
		`payment 1 is failed, and has purchase 34359738369`,
	},
	{
		"refund lost", "UPDATE payments SET booked = 0 WHERE id = 1",
		`the ledger says that money of purchase 34359738369 was refunded, but payment 1 does not`,
	},
	{
		"refund of nobody", "UPDATE ledger SET units = 5, numbers = {nobody} WHERE drop_id = 8 AND seq = 15",
		`the ledger says that money of purchase 34359738467 was refunded, but there is none with that number`,
	},
	{"settled while open", "UPDATE payments SET unsettled = (1 = 0) WHERE id = 4", `payment 4 is settled, but open`},
	{"unknown state of a payment", "UPDATE payments SET state = 'paid' WHERE id = 4", `payment 4 has the unknown state "paid"`},

	{
		"return at another time", "UPDATE purchases SET returned = 1, returned_at = {t} + 61 WHERE id = {r} + 4",
		`purchase 34359738372 (restocked) was returned at ` + t0 + `061Z, but the ledger has no such movement then`,
	},
	{
		"one return too many", "UPDATE purchases SET returned = 1, returned_at = {t} + 60 WHERE id = {r} + 4",
		`purchase 34359738372 (restocked) was returned at ` + t0 + `060Z, one more than the 1 of ledger entry 13`,
	},
	{
		"return of another size", "UPDATE purchases SET returned = 2, returned_at = {t} + 60 WHERE id = {r} + 3",
		`purchase 34359738371 (written_off) was written off at ` + t0 + `060Z, but the ledger has no such movement then`,
	},
	{
		"return lost", "UPDATE purchases SET returned = NULL, returned_at = NULL WHERE id = {r} + 1",
		`ledger entry 13: 1 units of size "9" were returned at ` + t0 + `060Z, but 0 purchases say so`,
	},
	{
		"write-off lost", "UPDATE purchases SET returned = NULL, returned_at = NULL WHERE id = {r} + 2",
		`ledger entry 14: 1 units of size "9" were written off at ` + t0 + `060Z, but 0 purchases say so`,
	},
	{
		"written off instead of on sale", "UPDATE purchases SET returned = 2 WHERE id = {r} + 1",
		`purchase 34359738370 (written_off) was written off at ` + t0 + `060Z, one more than the 1 of ledger entry 14`,
	},
	{"unknown return", "UPDATE purchases SET returned = 7 WHERE id = {r} + 1", `purchase 34359738369 has the unknown return 7`},
	{
		"return before the purchase", "UPDATE purchases SET returned_at = {t} + 39 WHERE id = {r} + 1",
		`purchase 34359738369 is restocked since ` + t0 + `039Z, but was made at ` + t0 + `040Z`,
	},
	{
		"no time of a return", "UPDATE purchases SET returned_at = NULL WHERE id = {r} + 1",
		`purchase 34359738369 is restocked since 1970-01-01T00:00:00.000Z, but was made at ` + t0 + `040Z`,
	},
	{
		"kept, with the time of a return", "UPDATE purchases SET returned_at = {t} + 60 WHERE id = {r} + 4",
		`purchase 34359738372 is kept since ` + t0 + `060Z, but was made at ` + t0 + `050Z`,
	},
	{
		"write-off not counted", "UPDATE sizes SET total = total + 1, sold = sold + 1 WHERE drop_id = 8 AND label = '9'",
		`the counter "sold" of size "9" is 2, but the ledger gives 1`,
	},
	{
		"write-off back on sale", "UPDATE sizes SET total = total + 1, available = available + 1 WHERE drop_id = 8 AND label = '9'",
		`the counter "available" of size "9" is 6, but the ledger gives 5`,
	},
	{
		"ledger: nothing written off", "UPDATE ledger SET units = 0 WHERE drop_id = 8 AND seq = 14",
		`ledger entry 14 has 0 units, but "written_off" moves at least 1`,
	},
	{
		"ledger: more written off than sold", "UPDATE ledger SET units = 3 WHERE drop_id = 8 AND seq = 14",
		`ledger entry 15 ends its batch with an impossible stock of size "9": available 5, held 1, sold -1`,
	},
}

func TestRun_FindsEveryDamageOfPayments(t *testing.T) { findsEach(t, 8, paymentDamages) }

// Held, paying and written-off units are counted from the rows.
func TestDrop_CountsWhatIsHeldPaidForAndWrittenOff(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		for id, want := range map[drop.ID][3]int64{3: {1, 0, 0}, 7: {1, 0, 0}, 8: {2, 1, 1}} {
			r, err := audit.Drop(t.Context(), d, id)
			if got := [3]int64{r.Held, r.Paying, r.WrittenOff}; err != nil || r.Differences != 0 || got != want {
				t.Errorf("drop %d: held, paying, written off %v, want %v; %v, %s", id, got, want, err, r.Sentences)
			}
		}
		report, err := audit.Run(t.Context(), d, nil)
		if sum := report.Sum(); err != nil || sum.Held != 14 || sum.Paying != 1 || sum.WrittenOff != 1 {
			t.Errorf("the sum is %+v, %v", sum, err)
		}
	})
}

// Captured, refunded and kept money is added up by currency, also of payments that bought nothing.
func TestDrop_AddsTheMoneyUp(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		euros := audit.Money{Currency: "EUR", Captured: 3_600_000, Refunded: 1_405_000, Kept: 2_195_000}
		for id, want := range map[drop.ID][]audit.Money{3: nil, 7: nil, 8: {euros}} {
			r, err := audit.Drop(t.Context(), d, id)
			if err != nil || !slices.Equal(r.Money, want) || (r.Payments == 5) != (id == 8) {
				t.Errorf("drop %d: %d payments, %+v, want %+v; %v", id, r.Payments, r.Money, want, err)
			}
		}
		yen := &altered{Store: d, payment: func(p drop.Payment) []drop.Payment {
			if p.ID == 2 {
				p.Currency = "JPY"
			}
			return []drop.Payment{p}
		}}
		report, err := audit.Run(t.Context(), yen, nil)
		want := []audit.Money{{Currency: "EUR", Captured: 2_400_000, Refunded: 1_405_000, Kept: 995_000}, {Currency: "JPY", Captured: 1_200_000, Kept: 1_200_000}}
		if sum := report.Sum(); err != nil || sum.Differences != 0 || !slices.Equal(sum.Money, want) || sum.Payments != 5 {
			t.Errorf("the sum is %+v, want %+v; %v", sum, want, err)
		}
	})
}

// Sums are written like amounts.
func TestAmount_IsWrittenAsADecimal(t *testing.T) {
	for a, want := range map[audit.Amount]string{0: "0", 1: "0.0001", 10_000: "1", 12_345_600: "1234.56", -5_000: "-0.5", 1 << 62: "461168601842738.7904"} {
		if b, err := a.MarshalJSON(); string(b) != want || err != nil {
			t.Errorf("%d: %s, want %s", a, b, want)
		}
	}
}

// counting counts how often the payments of a drop are read.
type counting struct {
	store.Store
	reads int
}

func (s *counting) PaymentsOfDrop(ctx context.Context, id drop.ID, each func(drop.Payment) error) error {
	s.reads++
	return s.Store.PaymentsOfDrop(ctx, id, each)
}

// An audit of a drop in which nobody began to pay reads no payments.
func TestDrop_ReadsPaymentsOnlyWhereSomebodyPaid(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		s := &counting{Store: d}
		for id, want := range map[drop.ID]int{8: 1, 7: 0} {
			s.reads = 0
			if _, err := audit.Drop(t.Context(), s, id); err != nil || s.reads != want {
				t.Errorf("drop %d: %d reads, want %d; %v", id, s.reads, want, err)
			}
		}
	})
}

// If a field that says how a unit was paid or came back differs, the audit reports a difference.
func TestDrop_EveryFieldOfAPaymentCounts(t *testing.T) {
	onEachEngine(t, func(t *testing.T, d database) {
		fill(t, d)
		check := func(kind, name string, n uint32, a *altered) {
			r, err := audit.Drop(t.Context(), a, 8)
			if err != nil || r.Differences == 0 {
				t.Errorf("%s %d %s: no difference (%v)", kind, n, name, err)
			}
		}
		for name, change := range map[string]func(*drop.Reservation){
			"no payment": func(r *drop.Reservation) { r.Payment = 0 }, "claim of the next": func(r *drop.Reservation) { r.Claim = r.ID + 1 },
		} {
			for n := uint32(1); n <= 4; n++ {
				id := drop.NewReservationID(8, n)
				a := &altered{Store: d, reservation: func(r drop.Reservation) []drop.Reservation {
					if r.ID == id {
						change(&r)
					}
					return []drop.Reservation{r}
				}}
				check("reservation", name, n, a)
			}
		}
		for name, change := range map[string]func(*drop.Payment){
			"state": func(p *drop.Payment) { p.State = drop.PaymentVoided }, "amount": func(p *drop.Payment) { p.Amount++ },
			"user": func(p *drop.Payment) { p.User++ }, "refunded": func(p *drop.Payment) { p.Refunded = p.Amount + 1 },
			"unit": func(p *drop.Payment) { p.Unit++ }, "purchase": func(p *drop.Payment) { p.Purchase-- },
			"reservation": func(p *drop.Payment) { p.Reservation = drop.NewReservationID(8, 5) },
		} {
			for n := drop.PaymentID(1); n <= 2; n++ {
				a := &altered{Store: d, payment: func(p drop.Payment) []drop.Payment {
					if p.ID == n {
						change(&p)
					}
					return []drop.Payment{p}
				}}
				check("payment", name, uint32(n), a)
			}
		}
		for name, change := range map[string]func(*drop.Purchase){
			"other return": func(p *drop.Purchase) { p.Return = (p.Return + 1) % 3 }, "other time": func(p *drop.Purchase) { p.ReturnedAt++ },
		} {
			for n := uint32(1); n <= 4; n++ {
				id := drop.NewPurchaseID(8, n)
				a := &altered{Store: d, purchase: func(p drop.Purchase) []drop.Purchase {
					if p.ID == id {
						change(&p)
					}
					return []drop.Purchase{p}
				}}
				check("purchase", name, n, a)
			}
		}
	})
}
