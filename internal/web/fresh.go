package web

import (
	"sync"
	"sync/atomic"
	"time"
)

// rest is how long what was made of the drops stays before it may be made again. Many people ask for a page in that
// time, and all get the same bytes.
const rest = time.Second

// fresh keeps one thing that is made of what changes all the time: at most once in each rest, however many callers ask
// for it. The zero value has nothing yet. It is safe for concurrent use.
type fresh[T any] struct {
	making  sync.Mutex
	current atomic.Pointer[kept[T]]
}

type kept[T any] struct {
	value T
	at    time.Time
}

// get returns the value that is there while it is young. An old one is made again by one caller, and the others get
// the old one meanwhile. Only the first value is waited for. The clock is the process's own: nothing is decided by it.
func (f *fresh[T]) get(build func(before *T) T) T {
	have := f.current.Load()
	switch {
	case have == nil:
		f.making.Lock()
	case time.Since(have.at) < rest || !f.making.TryLock():
		return have.value
	}
	defer f.making.Unlock()
	var before *T
	if now := f.current.Load(); now != nil {
		if now != have {
			return now.value // somebody else has just made it
		}
		before = &now.value
	}
	made := &kept[T]{value: build(before), at: time.Now()}
	f.current.Store(made)
	return made.value
}
