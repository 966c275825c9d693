package drop

import (
	"crypto/sha256"
	"fmt"
)

// MaxKey is how many characters an idempotency key may have.
const MaxKey = 255

// Key is what a caller sent to make a call repeatable, within the scope in which it counts: one drop (none for calls
// that have no drop), one caller, one operation. The zero Key is none.
type Key struct {
	// Caller is who is calling as far as the server has proof of it; empty: anybody.
	Caller    string
	Operation string
	Value     string // 1 to MaxKey visible ASCII characters
	// Body fingerprints what was asked for, so that a key used for something else is noticed.
	Body [sha256.Size]byte
}

// NewKey returns the key of a call that asks for something.
func NewKey(caller, operation, value string, asked Asked) Key {
	return Key{Caller: caller, Operation: operation, Value: value, Body: asked.fingerprint()}
}

// Given reports whether there is a key.
func (k *Key) Given() bool { return k.Value != "" }

// scope is the key without the body: what may be used once.
func (k *Key) scope() Key { return Key{Caller: k.Caller, Operation: k.Operation, Value: k.Value} }

// Keyed is a command that its caller may repeat: once it has succeeded, the same key gives the first answer again.
type Keyed struct {
	Key     Key
	Command Command
}

// Operation is that of the command.
func (c Keyed) Operation() string { return c.Command.Operation() }

func (c Keyed) need(n *Need) {
	n.Keys = append(n.Keys, c.Key)
	c.Command.need(n)
}

// apply applies the command unless it was before. Only success is kept: a retry after a refusal is a new try.
func (c Keyed) apply(a *application) Result {
	if kept, ok := a.kept[c.Key.scope()]; ok {
		return kept.Replay(c.Key)
	}
	r := c.Command.apply(a)
	if r.Err == nil {
		kept := Kept{Key: c.Key, Answer: r.Encode(), At: a.now}
		a.LoadKept(kept)
		a.changes.Kept = append(a.changes.Kept, kept)
		a.changed = true
	}
	return r
}

// Kept is the first successful answer under a key.
type Kept struct {
	Key    Key
	Answer []byte // see Result.Encode
	At     Time
}

// CheckKey checks an idempotency key as it was sent.
func CheckKey(value string) error {
	if value == "" || len(value) > MaxKey {
		return Invalid("Idempotency-Key", fmt.Sprintf("must have 1 to %d characters", MaxKey))
	}
	for i := range len(value) {
		if value[i] <= ' ' || value[i] > '~' {
			return Invalid("Idempotency-Key", "must have visible ASCII characters only")
		}
	}
	return nil
}

// Replay answers a call under a key that was used before: with the first answer, or with a refusal where the key was
// used for something else.
func (k *Kept) Replay(again Key) Result {
	if k.Key.Body != again.Body {
		return Result{Err: Refuse(CodeIdempotencyMismatch)}
	}
	r, err := DecodeResult(k.Answer)
	if err != nil {
		return Result{Err: Refuse(CodeDamaged)}
	}
	r.Replayed = true
	return r
}

// LoadKept adds the answer kept under a key named in Need.Keys.
func (s *State) LoadKept(k Kept) {
	if s.kept == nil {
		s.kept = make(map[Key]Kept)
	}
	s.kept[k.Key.scope()] = k
}
