package drop

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

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
