package payment_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sneakerdrop/internal/payment"
)

// failing is a provider whose every call ends with err.
type failing struct{ err error }

func (*failing) Name() string { return "failing" }

func (f *failing) Start(context.Context, payment.Order) (payment.Checkout, error) {
	return payment.Checkout{Number: "start"}, f.err
}

func (f *failing) Find(context.Context, payment.Ref) (payment.Found, error) {
	return payment.Found{Number: "find"}, f.err
}

func (f *failing) Close(context.Context, payment.Ref) (payment.Found, error) {
	return payment.Found{Number: "close"}, f.err
}

func (f *failing) Capture(context.Context, payment.Ref) (payment.Found, error) {
	return payment.Found{Number: "capture"}, f.err
}

func (f *failing) Void(context.Context, payment.Ref) (payment.Found, error) {
	return payment.Found{Number: "void"}, f.err
}

func (f *failing) Refund(context.Context, payment.Ref, payment.Refund) (payment.Found, error) {
	return payment.Found{Number: "refund"}, f.err
}

func (f *failing) Since(context.Context, time.Time) iter.Seq2[payment.Found, error] {
	return func(yield func(payment.Found, error) bool) {
		if yield(payment.Found{Number: "since"}, nil) {
			yield(payment.Found{}, f.err)
		}
	}
}

// notified also reads notifications.
type notified struct{ failing }

func (n *notified) Read(http.Header, []byte, time.Time) (payment.Notice, error) {
	return payment.Notice{ID: "read"}, n.err
}

// calls returns how many calls were counted of each operation and outcome.
func calls(t *testing.T, m *payment.Metrics) map[string]uint64 {
	t.Helper()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(m)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counted := make(map[string]uint64)
	for _, f := range families {
		if f.GetName() != "sneakerdrop_payment_call_seconds" {
			continue
		}
		for _, metric := range f.GetMetric() {
			counted[metric.GetLabel()[0].GetValue()+" "+metric.GetLabel()[1].GetValue()] += metric.GetHistogram().GetSampleCount()
		}
	}
	return counted
}

func TestMeasure_CountsEachCallByItsOutcomeAndChangesNothing(t *testing.T) {
	for _, c := range []struct {
		err     error
		outcome string
	}{
		{nil, "ok"},
		{&payment.RefusedError{Code: "no"}, "refused"},
		{payment.ErrUnknown, "unknown"},
		{payment.ErrForged, "forged"},
		{payment.ErrMalformed, "malformed"},
		{errors.New("the connection broke"), "failed"},
	} {
		m := payment.NewMetrics()
		p := payment.Measure(&notified{failing{c.err}}, m)
		if p.Name() != "failing" {
			t.Errorf("it is called %s", p.Name())
		}
		same := func(operation, said string, err error) {
			t.Helper()
			if said != operation || !errors.Is(err, c.err) || err == nil != (c.err == nil) {
				t.Errorf("%s: %q, %v; want %v", operation, said, err, c.err)
			}
		}
		ctx := t.Context()
		made, err := p.Start(ctx, payment.Order{})
		same("start", made.Number, err)
		one := func(operation string, found payment.Found, err error) { t.Helper(); same(operation, found.Number, err) }
		found, err := p.Find(ctx, payment.Ref{})
		one("find", found, err)
		found, err = p.Close(ctx, payment.Ref{})
		one("close", found, err)
		found, err = p.Capture(ctx, payment.Ref{})
		one("capture", found, err)
		found, err = p.Void(ctx, payment.Ref{})
		one("void", found, err)
		found, err = p.Refund(ctx, payment.Ref{}, payment.Refund{})
		one("refund", found, err)
		var listed []string
		var last error
		for found, err := range p.Since(ctx, time.Time{}) {
			listed, last = append(listed, found.Number), err
		}
		same("since ", strings.Join(listed, " "), last)
		reader, ok := p.(payment.Notified)
		if !ok {
			t.Fatal("it no longer reads notifications")
		}
		notice, err := reader.Read(nil, nil, time.Time{})
		same("read", notice.ID, err)
		got := calls(t, m)
		for operation := range strings.FieldsSeq("start find close capture void refund since read") {
			if got[operation+" "+c.outcome] != 1 {
				t.Errorf("%s %s was counted %d times: %v", operation, c.outcome, got[operation+" "+c.outcome], got)
			}
		}
		if len(got) != 8 {
			t.Errorf("counted %v", got)
		}
	}
}

// Who asks whether a provider reads notifications must not be told so of one that does not.
func TestMeasure_ReadsNotificationsOnlyIfTheProviderDoes(t *testing.T) {
	if _, ok := payment.Measure(&failing{}, payment.NewMetrics()).(payment.Notified); ok {
		t.Error("it seems to read notifications")
	}
}

func TestMetrics_SayHowLongTheOldestStuckPaymentWaits(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	m := payment.NewMetrics()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(m)
	shown := func(want string) {
		t.Helper()
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range families {
			if f.GetType().String() == "GAUGE" {
				got = append(got, fmt.Sprintf("%s %g", f.GetName(), f.GetMetric()[0].GetGauge().GetValue()))
			}
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("shown is %s, want %s", text, want)
		}
	}
	var w payment.Waiting
	w.Add(now.Add(-time.Hour), false)
	w.Add(now.Add(-time.Minute), true)
	w.Add(now.Add(-2*time.Minute), true)
	w.Add(now.Add(-time.Second), true)
	m.Waits(w, now)
	shown("sneakerdrop_payments_stuck 3, sneakerdrop_payments_stuck_seconds 120, sneakerdrop_payments_unsettled 4")
	m.Waits(payment.Waiting{}, now)
	shown("sneakerdrop_payments_stuck 0, sneakerdrop_payments_stuck_seconds 0, sneakerdrop_payments_unsettled 0")
}
