package limit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/limit"
)

// try makes a call that fails or not, and returns how long the caller must wait.
func try[K comparable](f *limit.Failures[K], caller K, fails bool) time.Duration {
	if wait := f.Begin(caller); wait > 0 {
		return wait
	}
	return f.End(caller, fails)
}

func TestFailures_TooManyCloseTheSpan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := limit.NewFailures[string](3, time.Minute, 0)
		for range 50 {
			if wait := try(f, "ann", false); wait != 0 {
				t.Fatalf("calls that do not fail wait %s", wait)
			}
		}
		for i := range 3 {
			if wait := try(f, "ann", true); wait != 0 {
				t.Fatalf("failure %d waits %s", i+1, wait)
			}
			time.Sleep(10 * time.Second)
		}
		if wait := try(f, "ann", false); wait != 30*time.Second { // the span began with the first failure
			t.Errorf("after three failures a good call waits %s", wait)
		}
		if wait := try(f, "bob", true); wait != 0 {
			t.Errorf("another caller waits %s", wait)
		}
		time.Sleep(30*time.Second - time.Millisecond)
		if wait := f.Begin("ann"); wait != time.Millisecond {
			t.Errorf("just before the end of the span: %s", wait)
		}
		time.Sleep(time.Millisecond)
		for i := range 3 {
			if wait := try(f, "ann", true); wait != 0 {
				t.Fatalf("failure %d in the next span waits %s", i+1, wait)
			}
		}
		if wait := f.Begin("ann"); wait != time.Minute {
			t.Errorf("after three more: %s", wait)
		}
	})
}

// Calls that run at the same time must not all fail: those that end after the last allowed failure wait as well, and
// only so many may be under way.
func TestFailures_AtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := limit.NewFailures[string](3, time.Minute, 0)
		open := 0
		for range 1000 {
			if wait := f.Begin("ann"); wait == 0 {
				open++
			} else if wait != time.Second {
				t.Fatalf("with %d calls under way: %s", open, wait)
			}
		}
		if open != 100 {
			t.Fatalf("%d calls are under way", open)
		}
		learned := 0
		for range open {
			if f.End("ann", true) == 0 {
				learned++
			}
		}
		if learned != 3 {
			t.Errorf("%d of %d calls learned that they failed", learned, open)
		}
		time.Sleep(time.Minute)
		if wait := f.Begin("ann"); wait != 0 {
			t.Errorf("when all have ended: %s", wait)
		}
	})
}

func TestFailures_MemoryIsBounded(t *testing.T) {
	f := limit.NewFailures[int](1, time.Hour, 1000)
	for i := range 100_000 {
		try(f, i, true)
	}
	if f.Begin(99_999) == 0 {
		t.Error("the newest caller was forgotten")
	}
	if wait := f.Begin(5); wait != 0 {
		t.Errorf("the oldest caller is still remembered: %s", wait)
	}
}
