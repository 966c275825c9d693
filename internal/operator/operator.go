// Package operator says who operates the shop: tokens with a role and an end, and the log of what was done with them.
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

// The roles: an Operator does everything, a Viewer only looks.
const (
	Operator Role = "operator"
	Viewer   Role = "viewer"
)

// TokenID numbers tokens from 1 on. A number is never given twice.
type TokenID int64

// Token is what is kept of a token: all but the secret that its holder has.
type Token struct {
	ID        TokenID
	Name      string // who holds it, as it was called when it was made; 1 to MaxName characters, as text.Name has it
	Role      Role
	CreatedAt drop.Time
	ExpiresAt drop.Time // from then on it is worth nothing; 0: never
	RevokedAt drop.Time // 0: not revoked
}

// MaxName is how many characters a token's name may have.
const MaxName = 100

// ExpiredAt reports whether the token's time is over.
func (t *Token) ExpiredAt(now drop.Time) bool { return t.ExpiresAt != 0 && now >= t.ExpiresAt }

// Revoked reports whether the token was taken back.
func (t *Token) Revoked() bool { return t.RevokedAt != 0 }

// Allows reports whether the token's role does for what asks for role.
func (t *Token) Allows(role Role) bool { return t.Role == Operator || t.Role == role }

// Check refuses a name or role that no token may have.
func (t *Token) Check() error {
	normal, fault := text.Name(t.Name)
	switch {
	case fault != "":
		return drop.Invalid("name", string(fault))
	case normal != t.Name || utf8.RuneCountInString(normal) > MaxName:
		return drop.Invalid("name", "must have 1 to 100 characters and be in its normal form, without blanks around it")
	case t.Role != Operator && t.Role != Viewer:
		return drop.Invalid("role", "must be operator or viewer")
	}
	return nil
}

// Hash is how a store knows a token: SHA-256 of it. A token is random, so that there is nothing to guess and no salt
// needed.
type Hash [sha256.Size]byte

// prefix tells our tokens from buyers' tokens, and lets scanners of code find one that was published by mistake.
const prefix = "sdo_"

// secretBytes of randomness are in each token.
const secretBytes = 32

// Mint returns a new token.
func Mint() (token string, hash Hash) {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	token = prefix + base64.RawURLEncoding.EncodeToString(secret)
	return token, sha256.Sum256([]byte(token))
}

// Is reports whether the text has the form of an operator's token, not of a buyer's.
func Is(token string) bool { return strings.HasPrefix(token, prefix) }

// HashOf returns the hash of a token, ok false where the text can be none.
func HashOf(token string) (h Hash, ok bool) {
	secret, ours := strings.CutPrefix(token, prefix)
	if !ours || len(secret) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return Hash{}, false
	}
	return sha256.Sum256([]byte(token)), true
}

// ActionID numbers the entries of the log, ascending; there may be gaps.
type ActionID int64

// Action is one entry of the log: who did what, when and from where. It is written before the call does anything, so
// that nothing is done that is not in the log; how the call ended is added once.
type Action struct {
	ID ActionID
	At drop.Time
	// Token, Name and Role are the token's as it was then; Token 0 is the command line, whose Name is the system's
	// user.
	Token TokenID
	Name  string
	Role  Role
	// Call is the operation's name, Drop what it was about (0: no drop) and Detail what it was asked, cut at MaxDetail.
	Call   string
	Drop   drop.ID
	Detail string
	// From is the caller's address, Request the X-Request-Id of the call.
	From, Request string
	// Outcome is ok or the code of a refusal; empty: the server ended before it knew.
	Outcome string
}

// MaxDetail is how many bytes are kept of what a call was asked: all of a call that is not refused, because what
// stood behind a cut would be done unseen.
const MaxDetail = 64 << 10

// Detail makes text fit for a log: cut at MaxDetail, and without what no database keeps or what makes a line read
// otherwise than it is.
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

// misleads reports what a terminal or browser would not show but obey: control characters, other ends of lines, and
// what turns the order of the letters around.
func misleads(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Bidi_Control)
}
