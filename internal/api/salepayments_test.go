package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment/demo"
	"sneakerdrop/internal/shop/checkout"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/stores"
)

// takingMoney lets a shop take payments.
func takingMoney(c *api.Config) {
	c.Checkout = checkout.New(checkout.Settings{}, c.Engine, demo.New(demo.Options{}), slog.New(slog.DiscardHandler), stores.Now)
}

// sellPaid sells a unit of drop 1 for money, as a checkout does, and refunds some of it.
func (s *shop) sellPaid(user drop.UserID, id drop.PaymentID, receipt string, refunded drop.Money) {
	s.Helper()
	ctx := s.Context()
	r, err := s.engine.Reserve(ctx, 1, user, "", engine.Retry{})
	if err == nil {
		_, _, err = s.engine.StartPayment(ctx, drop.StartPayment{Reservation: r.ID, Payment: id, Within: time.Minute, Row: &drop.Payment{
			Provider: "demo", State: drop.PaymentOpen, Unsettled: true, Currency: "USD", Decimals: 2,
		}})
	}
	if err == nil {
		r, err = s.engine.ClaimUnit(ctx, drop.ClaimUnit{Reservation: r.ID, User: user, Payment: id, Within: time.Minute})
	}
	var paid *drop.Payment
	if err == nil {
		_, paid, err = s.engine.CompletePayment(ctx, drop.CompletePayment{Reservation: r.Claim, Payment: id, Number: "n-1", Receipt: receipt})
	}
	if err == nil && refunded != 0 {
		_, err = s.engine.BookRefund(ctx, drop.BookRefund{Purchase: paid.Purchase, Payment: id, Refunded: refunded})
	}
	if err != nil {
		s.Fatal(err)
	}
}

// Each list of purchases says what was paid for each, and what of that was refunded.
func TestPurchases_HaveTheirPayments(t *testing.T) {
	for _, name := range stores.Engines {
		t.Run(name, func(t *testing.T) {
			s := newShopOn(t, stores.Open(t, name), new(atomic.Int64), takingMoney)
			mustPost[dropJSON](s, "/api/drops/create", createBody)
			s.sellPaid(7, 5, "=R-1", 2_050)
			s.sellPaid(8, 6, "", 0)
			r, err := s.engine.Reserve(t.Context(), 1, 9, "", engine.Retry{})
			if err == nil {
				_, err = s.engine.Purchase(t.Context(), r.ID, 0, engine.Retry{})
			}
			if err != nil {
				t.Fatal(err)
			}
			type row struct {
				UserID  int64 `json:"userId"`
				Payment *struct {
					ID       int64   `json:"id"`
					Status   string  `json:"status"`
					Currency string  `json:"currency"`
					Amount   float64 `json:"amount"`
					Refunded float64 `json:"refunded"`
					Number   string  `json:"number"`
				} `json:"payment"`
			}
			check := func(what string, rows []row) {
				t.Helper()
				got := make(map[int64]string)
				for _, r := range rows {
					text, _ := json.Marshal(r.Payment)
					got[r.UserID] = string(text)
				}
				want := map[int64]string{
					7: `{"id":5,"status":"captured","currency":"USD","amount":119.99,"refunded":20.5,"number":"=R-1"}`,
					8: `{"id":6,"status":"captured","currency":"USD","amount":119.99,"refunded":0,"number":"n-1"}`,
					9: "null",
				}
				for user := range want {
					if len(rows) != 3 || got[user] != want[user] {
						t.Errorf("%s, user %d: %s, want %s", what, user, got[user], want[user])
					}
				}
			}
			var buyers []row
			for _, path := range []string{"/api/drops/1/purchases", "/api/drops/1/purchases?order=newest&limit=3", "/api/operator/purchases"} {
				check(path, decoded[struct {
					Purchases []row `json:"purchases"`
				}](t, s.ok(s.get(path))).Purchases)
			}
			for user := int64(7); user <= 9; user++ {
				history := decoded[struct {
					Reservations []struct {
						Purchase row `json:"purchase"`
					} `json:"reservations"`
				}](t, s.ok(s.get(fmt.Sprintf("/api/operator/buyers/%d", user))))
				history.Reservations[0].Purchase.UserID = user
				buyers = append(buyers, history.Reservations[0].Purchase)
			}
			check("a buyer's history", buyers)

			columns := "paymentNumber,paymentAmount,paymentCurrency,paymentRefunded,paymentStatus"
			for _, path := range []string{"/api/drops/1/purchases?format=csv", "/api/operator/purchases?format=csv"} {
				lines := strings.Split(s.ok(s.get(path)).body, "\r\n")
				if strings.HasPrefix(path, "/api/operator") {
					lines[1], lines[3] = lines[3], lines[1] // the newest comes first
				}
				for i, end := range []string{",returnedAt," + columns, ",'=R-1,119.99,USD,20.5,captured", ",n-1,119.99,USD,0,captured", ",,,,,,"} {
					if !strings.HasSuffix(lines[i], end) {
						t.Errorf("%s: line %d is %s, want %s at the end", path, i, lines[i], end)
					}
				}
			}
			rows, err := workbookOf(t, s.ok(s.get("/api/drops/1/purchases?format=xlsx")).body).GetRows("Purchases")
			if err != nil || len(rows) != 4 {
				t.Fatalf("%q, %v", rows, err)
			}
			for i, want := range []string{columns, "=R-1,119.99,USD,20.50,captured", "n-1,119.99,USD,0.00,captured"} {
				if got := strings.Join(rows[i][10:], ","); got != want {
					t.Errorf("row %d of the workbook: %s, want %s", i, got, want)
				}
			}
			if len(rows[3]) > 10 {
				t.Errorf("row 3 of the workbook: %s", rows[3])
			}
		})
	}
}

// A server that takes no payments writes no columns of them.
func TestPurchases_HaveNoColumnsOfPaymentsWithoutThem(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for path, want := range map[string]string{
		"/api/drops/1/purchases?format=csv":  "id,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt\r\n",
		"/api/operator/purchases?format=csv": "id,dropId,dropName,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt\r\n",
	} {
		if body := s.ok(s.get(path)).body; body != want {
			t.Errorf("%s: %q", path, body)
		}
	}
}

// countedPayments has payments for all units, and counts the reads.
type countedPayments struct {
	store.Store
	sales []store.Sale
	reads []int
}

func (s *countedPayments) Purchases(_ context.Context, _ drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	first := int(uint32(after))
	return s.sales[first:min(first+limit, len(s.sales))], nil
}

func (s *countedPayments) PaymentsFor(_ context.Context, units []drop.ReservationID) (all []drop.Payment, err error) {
	s.reads = append(s.reads, len(units))
	for _, unit := range units {
		all = append(all, drop.Payment{ID: drop.PaymentID(unit), Unit: unit, State: drop.PaymentCaptured, Currency: "USD"})
	}
	return all, nil
}

// Payments are read once for each page of purchases.
func TestPurchases_ReadTheirPaymentsOnceForEachPage(t *testing.T) {
	st := &countedPayments{Store: memory.New(stores.Now)}
	for n := uint32(1); n <= 2_500; n++ {
		st.sales = append(st.sales, store.Sale{Purchase: drop.Purchase{ID: drop.NewPurchaseID(1, n), ReservationID: drop.NewReservationID(1, n), UserID: 1}})
	}
	s := newShopOn(t, st, new(atomic.Int64), takingMoney)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	for query, want := range map[string][]int{
		"?limit=1000": {1000}, "?limit=1": {1}, "?format=csv": {1000, 1000, 500}, "?format=xlsx": {1000, 1000, 500}, "?format=csv&limit=10": {10},
	} {
		st.reads = nil
		body := s.ok(s.get("/api/drops/1/purchases" + query)).body
		if fmt.Sprint(st.reads) != fmt.Sprint(want) {
			t.Errorf("%s: pages of %d payments were read, want %d", query, st.reads, want)
		}
		if strings.Contains(query, "csv") && strings.Count(body, ",captured\r\n") != strings.Count(body, "\r\n")-1 {
			t.Errorf("%s: %.300s", query, body)
		}
	}
}
