package drop

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// PassID numbers a pass. Like a ReservationID, it begins with the drop's number. Of its lower 32 bits, the upper 6 have
// the number of its access, from 1, and the rest its own, from 1.
type PassID int64

const passBits = 26

// NewPassID returns the number of the n-th pass of an access of a drop.
func NewPassID(of ID, access, n uint32) PassID {
	return PassID(NewReservationID(of, access<<passBits|n))
}

// Drop returns the drop that the pass belongs to.
func (id PassID) Drop() ID { return ReservationID(id).Drop() }

// Access returns the number of the access that the pass belongs to.
func (id PassID) Access() int { return int(ReservationID(id).number() >> passBits) }

// Number returns the pass's own number within its access.
func (id PassID) Number() int { return int(ReservationID(id).number() & (1<<passBits - 1)) }

// Pass lets who shows it in early: a code, or a buyer on a list.
type Pass struct {
	ID PassID
	// Hash is how it is found: no pass is stored in plain text.
	Hash Hash
	// Used is how often it is used.
	Used int
}

// Passes are what a buyer shows.
type Passes struct {
	// Code is the hash of the code that the buyer typed, or zero.
	Code Hash
	// Listed are the hashes by which lists may name the buyer, at most MaxPassesShown.
	Listed []Hash
}

func (p *Passes) coded() bool { return p != nil && p.Code != Hash{} }

// asked appends the code to the text of a call. Lists are left out: they are the server's.
func (p *Passes) asked(b []byte) []byte {
	if !p.coded() {
		return b
	}
	return appendText(b, ", Code:", p.Code.String())
}

// show adds the passes that a buyer shows.
func (n *Need) show(p *Passes) {
	if p.coded() {
		n.Passes = append(n.Passes, p.Code)
	}
	if p != nil {
		n.Passes = append(n.Passes, p.Listed...)
	}
}

// LoadPass adds a pass from Need.Passes.
func (s *State) LoadPass(p Pass) {
	if s.passes[p.Hash] != nil {
		return
	}
	if s.passes == nil {
		s.passes, s.passesByID = make(map[Hash]*Pass), make(map[PassID]*Pass)
	}
	s.passes[p.Hash], s.passesByID[p.ID] = &p, &p
}

// HashCode returns how a drop stores a code. Letters count without their case, and spaces and hyphens not at all.
func HashCode(of ID, code string) Hash { return hashPass('c', int64(of), []byte(tidyCode(code))) }

// HashBuyer returns by what a list names a buyer, and HashEmail by what it names an email's owner. of is the SHA-256 of
// the email in its normal form. A list stores what OnList makes of them.
func HashBuyer(user UserID) Hash { return hashPass('b', int64(user), nil) }

// HashEmail is like HashBuyer.
func HashEmail(of Hash) Hash { return hashPass('e', 0, of[:]) }

// OnList returns how the list with that number among the drop's accesses stores a buyer.
func OnList(number int, buyer Hash) Hash { return hashPass('l', int64(number), buyer[:]) }

func hashPass(kind byte, number int64, data []byte) Hash {
	b := make([]byte, 0, 64)
	b = append(b, "sneakerdrop pass "...)
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, uint64(number))
	return sha256.Sum256(append(b, data...))
}

// tidyCode returns the code in the form that is compared.
func tidyCode(code string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, strings.ToUpper(strings.TrimSpace(code)))
}

// CheckCode refuses a code that a shop must not set.
func CheckCode(field, code string) error {
	tidy := tidyCode(code)
	if len(tidy) < MinCode || len(tidy) > MaxCode {
		return Invalid(field, fmt.Sprintf("must have %d to %d letters and digits", MinCode, MaxCode))
	}
	for _, r := range tidy {
		if (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return Invalid(field, "must have only the letters A to Z, digits, spaces and hyphens")
		}
	}
	return nil
}
