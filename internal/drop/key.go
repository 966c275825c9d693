package drop

import (
	"crypto/sha256"
	"fmt"
)

// MaxKey is the most characters that an idempotency key may have.
const MaxKey = 255

// Key is the idempotency key that a caller sent with a call. Its scope is one drop (or none, for calls without a
// drop), one caller and one operation. The zero Key means that the caller sent none.
type Key struct {
	// Caller is the caller's proven identity; empty means anybody.
	Caller    string
	Operation string
	Value     string // 1 to MaxKey visible ASCII characters
	// Body is the fingerprint of the request, which reveals that a key is used again for something else.
	Body [sha256.Size]byte
}

// NewKey returns the key of a call. asked is the text of its request.
func NewKey(caller, operation, value string, asked Asked) Key {
	return Key{Caller: caller, Operation: operation, Value: value, Body: asked.fingerprint()}
}

// Given reports whether the caller sent a key.
func (k *Key) Given() bool { return k.Value != "" }

// scope returns the key without the body: the part that must be unique.
func (k *Key) scope() Key { return Key{Caller: k.Caller, Operation: k.Operation, Value: k.Value} }

// Keyed is a command with an idempotency key. Once it has succeeded, the same key returns the first answer again.
type Keyed struct {
	Key     Key
	Command Command
}

// Operation returns the operation of the command inside.
func (c Keyed) Operation() string { return c.Command.Operation() }

func (c Keyed) need(n *Need) {
	n.Keys = append(n.Keys, c.Key)
	c.Command.need(n)
}

// apply runs the command unless it has already succeeded under this key. Only a success is kept, so a retry after a
// refusal is a new try.
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
	Answer []byte // as written by Result.Encode
	At     Time
}

// CheckKey checks an idempotency key as the client sent it.
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

// Replay answers a call whose key was used before. It returns the first answer, or a refusal if the key was used for
// a different request.
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

// LoadKept adds the answer that is stored under a key in Need.Keys.
func (s *State) LoadKept(k Kept) {
	if s.kept == nil {
		s.kept = make(map[Key]Kept)
	}
	s.kept[k.Key.scope()] = k
}
