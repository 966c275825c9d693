// Package await waits in tests, so that no result depends on how busy the machine is. A wait that only guards against
// a hang lasts a minute. Only `make perf` holds the server to the times that it promises: see Within.
package await

import (
	"errors"
	"testing"
	"time"
)

// Patience limits a wait for something that must happen. It is longer than a busy machine takes.
const Patience = time.Minute

const pause = 2 * time.Millisecond

// Until polls until holds returns true. It fails the test if that does not happen within Patience.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	Nil(t, func() error {
		if holds() {
			return nil
		}
		return errors.New("not yet: " + what)
	})
}

// Nil polls until try returns no error. After Patience it fails the test with the last error.
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
