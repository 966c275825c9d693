package draw

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"
)

// Hash is a SHA-256. Its text is 64 lowercase hexadecimal digits.
type Hash [32]byte

// String returns the text of the hash.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It returns an error for any other text.
func (h *Hash) UnmarshalText(text []byte) error { return readHex(h[:], text) }

// Seed is 32 random bytes. It is secret until the shop reveals it, so only MarshalText shows it.
type Seed [32]byte

// String hides the seed.
func (Seed) String() string { return hidden }

// GoString hides the seed.
func (Seed) GoString() string { return hidden }

// LogValue implements slog.LogValuer and hides the seed.
func (Seed) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler: 64 lowercase hexadecimal digits.
func (s Seed) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It returns an error for any other text, without repeating it.
func (s *Seed) UnmarshalText(text []byte) error { return readHex(s[:], text) }

// Salt is 16 random bytes that hide a buyer's number in a hash. Only the buyer gets it.
type Salt [16]byte

// String hides the salt.
func (Salt) String() string { return hidden }

// GoString hides the salt.
func (Salt) GoString() string { return hidden }

// LogValue implements slog.LogValuer and hides the salt.
func (Salt) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler: 32 lowercase hexadecimal digits.
func (s Salt) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It returns an error for any other text, without repeating it.
func (s *Salt) UnmarshalText(text []byte) error { return readHex(s[:], text) }

const hidden = "[secret]"

// Hex is bytes whose text is lowercase hexadecimal digits.
type Hex []byte

// MarshalText implements encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

// UnmarshalText implements encoding.TextUnmarshaler. It returns an error for any other text.
func (h *Hex) UnmarshalText(text []byte) error {
	*h = make(Hex, len(text)/2)
	return readHex(*h, text)
}

// readHex fills to with the bytes that text spells in lowercase hexadecimal digits.
func readHex(to, text []byte) error {
	rule := fmt.Errorf("must be %d lowercase hexadecimal digits", 2*len(to))
	if len(text) != 2*len(to) {
		return rule
	}
	for i, c := range text {
		digit := c - '0'
		if c >= 'a' {
			digit = c - 'a' + 10
		}
		if c < '0' || c > '9' && c < 'a' || digit > 15 {
			return rule
		}
		to[i/2] = to[i/2]<<4 | digit
	}
	return nil
}

// Time is in milliseconds since 1970 in UTC, from 0 to the end of the year 9999. Its text is that of RFC 3339 with
// three decimals in UTC.
type Time int64

const (
	timeLayout = "2006-01-02T15:04:05.000Z"
	lastTime   = Time(253402300799999)
)

// String returns the text of the time.
func (t Time) String() string { return time.UnixMilli(int64(t)).UTC().Format(timeLayout) }

// MarshalText implements encoding.TextMarshaler. It returns an error for times out of range.
func (t Time) MarshalText() ([]byte, error) {
	if t < 0 || t > lastTime {
		return nil, fmt.Errorf("the time %d is out of range", int64(t))
	}
	return []byte(t.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns an error for any other text.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(timeLayout, string(text))
	if *t = Time(parsed.UnixMilli()); err != nil || *t < 0 || t.String() != string(text) {
		return fmt.Errorf("must be a time such as %s, from the year 1970 on", Time(1_796_061_600_000))
	}
	return nil
}
