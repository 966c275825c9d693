// Package operator describes the people who run the shop: tokens with a role and an expiry, and the log of what was
// done with them.
package operator

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/text"
)

// Role is what a token allows.
type Role string

// The roles: an Operator may do everything, a Viewer may only read.
const (
	Operator Role = "operator"
	Viewer   Role = "viewer"
)

// TokenID numbers tokens from 1. A number is never assigned twice.
type TokenID int64

// Token is the stored part of a token: everything except the secret, which only its holder has.
type Token struct {
	ID        TokenID
	Name      string // who holds it, as named when it was made; 1 to MaxName characters in the normal form of text.Name
	Role      Role
	CreatedAt drop.Time
	ExpiresAt drop.Time // the token is invalid from then on; 0 means never
	RevokedAt drop.Time // 0 if not revoked
}

// MaxName is the most characters of a token's name.
const MaxName = 100

// ExpiredAt reports whether the token has expired.
func (t *Token) ExpiredAt(now drop.Time) bool { return t.ExpiresAt != 0 && now >= t.ExpiresAt }

// Revoked reports whether the token was revoked.
func (t *Token) Revoked() bool { return t.RevokedAt != 0 }

// Allows reports whether the token may do what requires that role.
func (t *Token) Allows(role Role) bool { return t.Role == Operator || t.Role == role }

// Check refuses an invalid name or role.
func (t *Token) Check() error {
	normal, fault := text.Name(t.Name)
	switch {
	case fault != "":
		return drop.Invalid("name", string(fault))
	case normal != t.Name || utf8.RuneCountInString(normal) > MaxName:
		return drop.Invalid("name", "must have 1 to 100 characters, in the normal form and without blanks around them")
	case t.Role != Operator && t.Role != Viewer:
		return drop.Invalid("role", "must be operator or viewer")
	}
	return nil
}

// Hash is the SHA-256 of a token, by which a store finds it. A token is random and cannot be guessed, so the hash
// needs no salt.
type Hash [sha256.Size]byte

// prefix distinguishes our tokens from buyers' tokens, and lets code scanners find one that was published by mistake.
const prefix = "sdo_"

// secretBytes is how many random bytes a token has.
const secretBytes = 32

// Mint returns a new token.
func Mint() (token string, hash Hash) {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	token = prefix + base64.RawURLEncoding.EncodeToString(secret)
	return token, sha256.Sum256([]byte(token))
}

// Is reports whether the text looks like an operator's token rather than a buyer's.
func Is(token string) bool { return strings.HasPrefix(token, prefix) }

// HashOf returns the hash of a token. ok is false if the text cannot be a token.
func HashOf(token string) (h Hash, ok bool) {
	secret, ours := strings.CutPrefix(token, prefix)
	if !ours || len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return Hash{}, false
	}
	return sha256.Sum256([]byte(token)), true
}

// ActionID numbers the entries of the log in ascending order, possibly with gaps.
type ActionID int64

// Action is one entry of the log: who did what, when and from where. It is written before the call does anything, so
// that everything that is done is in the log. The outcome is added once, afterwards.
type Action struct {
	ID ActionID
	At drop.Time
	// Token, Name and Role are those of the token at that time. Token 0 is the command line; Name is then the
	// system's user.
	Token TokenID
	Name  string
	Role  Role
	// Call is the operation's name, Drop its drop (0 if none), and Detail the request, truncated to MaxDetail.
	Call   string
	Drop   drop.ID
	Detail string
	// From is the caller's address, Request the call's X-Request-Id.
	From, Request string
	// Outcome is ok or the code of a refusal. It is empty if the server ended before it knew.
	Outcome string
}

// MaxDetail is how many bytes of a request are kept. That covers every request that is not refused; otherwise, what
// comes after the cut would be done without a record.
const MaxDetail = 64 << 10

// Detail makes a text fit for the log. It truncates it to MaxDetail and removes what no database can store, and what
// makes a line look different from what it is.
func Detail(text []byte) string {
	if len(text) > MaxDetail {
		text = text[:MaxDetail]
	}
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || misleads(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(text), " "))
}

// misleads reports characters that a terminal or browser obeys instead of showing: control characters, unusual line
// ends, and changes of the text's direction.
func misleads(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
