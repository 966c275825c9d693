package drop

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
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

// NewKey returns the key of a call. body is anything without pointers: its Go syntax (%#v, which quotes texts) tells
// two different requests apart.
func NewKey(caller, operation, value string, body any) Key {
	return Key{Caller: caller, Operation: operation, Value: value, Body: sha256.Sum256(fmt.Appendf(nil, "%#v", body))}
}

// Given reports whether there is a key.
func (k *Key) Given() bool { return k.Value != "" }

// scope is the key without the body: what may be used once.
func (k *Key) scope() Key { return Key{Caller: k.Caller, Operation: k.Operation, Value: k.Value} }

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

// Encode writes a result as it is kept under a key: a reservation alone, which is what a crowd asks for, in some 25 bytes, all
// else as JSON. The rows of keys are most of what a batch writes.
func (r *Result) Encode() []byte {
	alone := r.Drop == nil && r.Recent == nil && r.Purchase == (Purchase{}) && r.User == (User{}) && r.Err == nil
	if alone && r.Reservation.ID != 0 {
		return r.Reservation.appendTo(make([]byte, 0, 48))
	}
	b, err := json.Marshal(r) //nolint:musttag // read back by this package only, under the names of the fields
	if err != nil {
		panic(err) // plain structs, no cycles, no foreign types
	}
	return b
}

// DecodeResult reads what Encode wrote. An error means that the row was damaged.
func DecodeResult(b []byte) (Result, error) {
	var r Result
	if len(b) > 0 && b[0] == packedReservation {
		reservation, err := unpackReservation(b[1:])
		return Result{Reservation: reservation}, err
	}
	if err := json.Unmarshal(b, &r); err != nil { //nolint:musttag // as Encode wrote it
		return Result{}, fmt.Errorf("decode a kept answer: %w", err)
	}
	return r, nil
}

// packedReservation begins what appendTo writes; JSON begins with a brace.
const packedReservation = 1

// appendTo writes the reservation as variable-length integers (encoding/binary), times relative to the first, and the size.
func (r *Reservation) appendTo(b []byte) []byte {
	b = append(b, packedReservation)
	ended := int64(0) // not yet
	if r.EndedAt != 0 {
		ended = int64(r.EndedAt-r.CreatedAt) + 1
	}
	for _, n := range [...]int64{int64(r.ID), int64(r.UserID), int64(r.Status), int64(r.CreatedAt), int64(r.ExpiresAt - r.CreatedAt), ended} {
		b = binary.AppendVarint(b, n)
	}
	return append(b, r.Size...)
}

func unpackReservation(b []byte) (Reservation, error) {
	var n [6]int64
	for i := range n {
		v, size := binary.Varint(b)
		if size <= 0 {
			return Reservation{}, errors.New("decode a kept answer: it is cut off")
		}
		n[i], b = v, b[size:]
	}
	r := Reservation{
		ID: ReservationID(n[0]), UserID: UserID(n[1]), Status: Status(n[2]), CreatedAt: Time(n[3]), ExpiresAt: Time(n[3] + n[4]), Size: string(b),
	}
	if n[5] != 0 {
		r.EndedAt = Time(n[3] + n[5] - 1)
	}
	return r, nil
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

// once applies a command unless it was before. Only success is kept: a retry after a refusal is a new try.
func (a *application) once(c Keyed) Result {
	if kept, ok := a.kept[c.Key.scope()]; ok {
		return kept.Replay(c.Key)
	}
	r := a.apply(c.Command)
	if r.Err == nil {
		kept := Kept{Key: c.Key, Answer: r.Encode(), At: a.now}
		a.LoadKept(kept)
		a.changes.Kept = append(a.changes.Kept, kept)
		a.changed = true
	}
	return r
}
