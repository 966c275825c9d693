package api

import (
	"net/http"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

const (
	keptAnswers    = 64 // the number of answers of each kind that are kept for retries
	keptAnswersFor = 10 * time.Minute
)

// kept keeps in memory the newest answers of calls whose effect is not in a drop, for callers who lost the first
// answer and try again. Some of the answers have a secret that is stored nowhere else. Another server does not have
// them, so a retry there takes effect a second time.
type kept struct {
	mu      sync.Mutex
	answers []*keptAnswer // oldest first
}

type keptAnswer struct {
	call, caller, key, asked string

	at   time.Time
	done chan struct{} // closed once the call has ended; then the rest is final
	body []byte        // nil: the call failed
	id   int64
}

// keptCall is a call that may be a retry.
type keptCall struct {
	id    string // of the operation
	retry engine.Retry
	asked string // identifies what is asked for; another request under the same key is refused
	makes string // of what do returns the number, for the operators' log
}

// serve answers a call with what do returns, or with the kept answer if the call is a retry. A call that arrives while
// the first one with its key is under way waits for that.
func (k *kept) serve(w http.ResponseWriter, r *http.Request, c keptCall, do func() (answer any, id int64, err error)) error {
	if c.retry.Key == "" {
		answer, id, err := do()
		if err != nil {
			return err
		}
		made(w, c.makes, id)
		writeJSON(w, answer)
		return nil
	}
	for {
		a, first, err := k.begin(&c)
		if err != nil {
			return err
		}
		if first {
			err = k.finish(a, do)
		} else {
			select {
			case <-a.done:
			case <-r.Context().Done():
				return r.Context().Err()
			}
		}
		if err != nil {
			return err
		}
		if a.body == nil { // the first call failed, so this one is a new try
			continue
		}
		*c.retry.Replayed = !first
		made(w, c.makes, a.id)
		writeBody(w, http.StatusOK, a.body)
		return nil
	}
}

// begin returns the answer under a retry's key. If there is none, first is true, and the caller must call finish.
func (k *kept) begin(c *keptCall) (a *keptAnswer, first bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range k.answers {
		if a.call != c.id || a.key != c.retry.Key || a.caller != c.retry.Caller || time.Since(a.at) > keptAnswersFor {
			continue
		}
		if a.asked != c.asked {
			return nil, false, drop.Refuse(drop.CodeIdempotencyMismatch)
		}
		return a, false, nil
	}
	if len(k.answers) >= keptAnswers {
		k.answers = k.answers[1:]
	}
	a = &keptAnswer{call: c.id, caller: c.retry.Caller, key: c.retry.Key, asked: c.asked, at: time.Now(), done: make(chan struct{})}
	k.answers = append(k.answers, a)
	return a, true, nil
}

// finish makes the call. It forgets the answer if the call fails, even in a panic.
func (k *kept) finish(a *keptAnswer, do func() (answer any, id int64, err error)) error {
	defer func() {
		if a.body == nil {
			k.forget(a)
		}
		close(a.done)
	}()
	answer, id, err := do()
	if err == nil {
		a.id, a.body = id, encode(answer)
	}
	return err
}

func (k *kept) forget(a *keptAnswer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.answers {
		if k.answers[i] == a {
			k.answers = append(k.answers[:i:i], k.answers[i+1:]...)
			return
		}
	}
}
