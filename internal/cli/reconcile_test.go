package cli_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/cli"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store/sqlite"
)

// The demo provider keeps its payments in the memory of the server. The command would find that nobody knows of them,
// so it counts those that wait and leaves them alone, also if they are due.
func TestReconcile_LeavesPaymentsOfTheDemoAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	begun := overdue(t, file)
	var out, log strings.Builder
	args := []string{"reconcile", "--payments=demo", "--database=sqlite:" + file}
	if code := cli.Run(t.Context(), args, nil, &out, &log); code != 0 || out.String() != "reconcile: 0 payments checked, 0 mended, 1 open\n" {
		t.Errorf("exit code %d: %s%s", code, out.String(), log.String())
	}
	on(t, file, func(s *sqlite.Store, _ *engine.Engine) error {
		if now, found, err := s.Payment(t.Context(), begun.ID); err != nil || !found || now != begun {
			t.Errorf("the payment was %+v\nand is %+v, %v", begun, now, err)
		}
		return nil
	})
}

// overdue makes a shop where a payment is due, whose buyer has released the pair. It returns the payment.
func overdue(t *testing.T, file string) drop.Payment {
	t.Helper()
	var begun *drop.Payment
	on(t, file, func(_ *sqlite.Store, e *engine.Engine) error {
		stock := int64(1)
		v, err := e.Create(t.Context(), drop.Spec{Name: "Air", Price: 1_200_000, TotalStock: &stock, StartTime: 1}, engine.Retry{})
		if err != nil {
			return err
		}
		r, err := e.Reserve(t.Context(), v.Drop.ID, 7, "", engine.Retry{})
		if err != nil {
			return err
		}
		_, begun, err = e.StartPayment(t.Context(), drop.StartPayment{Reservation: r.ID, Payment: 1, Within: time.Second, Row: &drop.Payment{
			Provider: "demo", Number: "N1", State: drop.PaymentOpen, Unsettled: true, Currency: "USD", Decimals: 2, DueAt: 1,
		}})
		if err != nil {
			return err
		}
		_, err = e.Cancel(t.Context(), r.ID, 0, engine.Retry{}) // in another window
		return err
	})
	return *begun
}

// on runs do on the shop's database.
func on(t *testing.T, file string, do func(*sqlite.Store, *engine.Engine) error) {
	t.Helper()
	s, err := sqlite.Open(file, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := engine.New(s, engine.Config{Hold: time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(do(s, e), e.Stop(context.WithoutCancel(t.Context())), s.Close()); err != nil {
		t.Fatal(err)
	}
}
