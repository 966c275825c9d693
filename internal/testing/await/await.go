// Package await waits in tests, so that no outcome hangs on how busy the machine is. A wait that only guards against
// a hang lasts a minute. What is promised within some time is held to that figure by `make perf` alone: see Within.
package await

import (
	"errors"
	"testing"
	"time"
)

// Patience bounds a wait for what must come to pass: longer than a busy machine takes, shorter than forever.
const Patience = time.Minute

const pause = 2 * time.Millisecond

// Until polls until holds says so, and fails the test when it has not after Patience.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Nil(t, func() error {
		if holds() {
			return nil
		}
		return errors.New("not yet: " + what)
	})
}

// Nil polls until try returns no error, and fails the test with its last one after Patience.
func Nil(t testing.TB, try func() error) {
	t.Helper()
	for end := time.Now().Add(Patience); ; time.Sleep(pause) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %s: %v", Patience, err)
		}
	}
}
