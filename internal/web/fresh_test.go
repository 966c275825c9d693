package web

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestFresh_IsMadeOncePerSecondForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fresh[int64]
		var built atomic.Int64
		hold := make(chan struct{}, 1)
		build := func(before *int64) int64 {
			if before != nil {
				<-hold
			}
			return built.Add(1)
		}
		crowd := func(want int64) {
			t.Helper()
			var all sync.WaitGroup
			for range 1000 {
				all.Go(func() {
					if got := f.get(build); got != want {
						t.Errorf("got %d, want %d", got, want)
					}
				})
			}
			all.Wait()
		}
		crowd(1)
		time.Sleep(rest - time.Millisecond)
		crowd(1)
		time.Sleep(time.Millisecond)
		var maker sync.WaitGroup
		maker.Go(func() {
			if got := f.get(build); got != 2 {
				t.Errorf("the caller who makes it again got %d", got)
			}
		})
		synctest.Wait()
		crowd(1) // nobody waits for the second one
		hold <- struct{}{}
		maker.Wait()
		crowd(2)
		if n := built.Load(); n != 2 {
			t.Errorf("made %d times", n)
		}
	})
}

func TestFresh_IsToldWhatThereWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fresh[string]
		add := func(before *string) string {
			if before == nil {
				return "a"
			}
			return *before + "a"
		}
		for _, want := range []string{"a", "aa", "aaa"} {
			if got := f.get(add); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			time.Sleep(rest)
		}
	})
}
