package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestTimeouts_EndInTimeAndShareATimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := timeouts{after: 10 * time.Second}
		began := time.Now()
		bound := func() context.Context {
			ctx, cancel := ts.bound(context.WithValue(context.Background(), new(int), 1), time.Now(), new(expiring))
			cancel() // frees nothing that others need
			return ctx
		}
		first := bound()
		time.Sleep(200 * time.Millisecond)
		second := bound()
		time.Sleep(50 * time.Millisecond)
		third := bound()
		if first.Done() != second.Done() || second.Done() == third.Done() {
			t.Error("requests share a timer for a fortieth of the time, and no longer")
		}
		for _, at := range []struct {
			after time.Duration
			ended bool
		}{{10200 * time.Millisecond, false}, {10251 * time.Millisecond, true}} {
			time.Sleep(time.Until(began.Add(at.after)))
			synctest.Wait()
			if ended := errors.Is(second.Err(), context.DeadlineExceeded); ended != at.ended || ended != errors.Is(first.Err(), context.DeadlineExceeded) {
				t.Errorf("after %v: %v and %v", at.after, first.Err(), second.Err())
			}
			if third.Err() != nil {
				t.Errorf("after %v the third: %v", at.after, third.Err())
			}
		}
		if end, ok := first.Deadline(); !ok || end.Sub(began) != 10250*time.Millisecond {
			t.Errorf("the deadline is %v after the beginning", end.Sub(began))
		}
	})
}

func TestTimeouts_LeaveARequestItsOwnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := timeouts{after: 10 * time.Second}
		parent, end := context.WithCancel(context.Background())
		ctx, cancel := ts.bound(parent, time.Now(), new(expiring))
		defer cancel()
		end()
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("the client went away, and the request has %v", ctx.Err())
		}
		patient, cancel := ts.bound(t.Context(), time.Now(), new(expiring))
		defer cancel()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !errors.Is(patient.Err(), context.DeadlineExceeded) {
			t.Errorf("after 10 s the request has %v", patient.Err())
		}
	})
}
