package identity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/flatjson"
	"sneakerdrop/internal/text"
)

// maxName limits iss and sub, which are part of an index.
const maxName = 255

// claimSet is the signed payload. Names are case-sensitive, and none may appear twice.
type claimSet []flatjson.Member

// readClaims reads an object of claims. There is a fast path for flat objects, which most are.
func readClaims(payload []byte) (claimSet, error) {
	if set, ok := flatjson.Parse(string(payload), make([]flatjson.Member, 0, 8)); ok {
		return set, nil
	}
	var all map[string]jsontext.Value
	if err := json.Unmarshal(payload, &all); err != nil {
		return nil, fmt.Errorf("%w: claims: %w", ErrInvalid, err)
	}
	set := make(claimSet, 0, len(all))
	for name, value := range all {
		set = append(set, flatjson.Member{Name: name, Value: string(value)})
	}
	return set, nil
}

// value returns a claim as written, or "" if there is none.
func (s claimSet) value(claim string) string {
	for i := range s {
		if s[i].Name == claim {
			return s[i].Value
		}
	}
	return ""
}

func isText(value string) bool { return value != "" && value[0] == '"' }

func isNumber(value string) bool {
	return value != "" && (value[0] == '-' || value[0] >= '0' && value[0] <= '9')
}

// read checks the payload of a token whose signature is valid.
func (cfg *Config) read(payload []byte, now time.Time) (Claims, error) {
	set, err := readClaims(payload)
	if err != nil {
		return Claims{}, err
	}
	issuer, err := cfg.checkIssuer(set)
	if err != nil {
		return Claims{}, err
	}
	if err := cfg.checkAudience(set); err != nil {
		return Claims{}, err
	}
	c := Claims{Subject: drop.Subject{Issuer: issuer}}
	if c.Expires, err = set.checkTimes(now); err != nil {
		return Claims{}, err
	}
	if c.Subject.Subject, err = set.identifier("sub"); err != nil {
		return Claims{}, err
	}
	if c.Subject.Subject == "" {
		return Claims{}, fmt.Errorf("%w: no sub", ErrInvalid)
	}
	if cfg.NumberClaim != "" {
		if c.Number, err = set.number(cfg.NumberClaim); err != nil {
			return Claims{}, err
		}
	}
	c.Username = set.name()
	c.Email = set.email()
	c.PublicName = set.publicName()
	return c, nil
}

// checkIssuer returns the issuer, within which the subject is unique.
func (cfg *Config) checkIssuer(set claimSet) (string, error) {
	issuer, err := set.identifier("iss")
	wanted := cmp.Or(cfg.Issuer, cfg.OIDCIssuer)
	switch {
	case err != nil:
		return "", err
	case wanted != "" && issuer != wanted:
		return "", fmt.Errorf("%w: issuer %s", ErrInvalid, quote(issuer))
	case issuer != "":
		return issuer, nil
	case cfg.Secret != nil:
		return unnamedSecret, nil
	default:
		return unnamedKeys, nil
	}
}

func (cfg *Config) checkAudience(set claimSet) error {
	if len(cfg.Audience) == 0 {
		return nil
	}
	given := set.value("aud")
	audience := []string{set.text("aud")}
	if !isText(given) && json.Unmarshal([]byte(given), &audience) != nil {
		return fmt.Errorf("%w: no audience", ErrInvalid)
	}
	if !slices.ContainsFunc(audience, func(a string) bool { return a != "" && slices.Contains(cfg.Audience, a) }) {
		return fmt.Errorf("%w: audience %s", ErrInvalid, quote(strings.Join(audience, " ")))
	}
	return nil
}

// checkTimes returns when the token expires.
func (s claimSet) checkTimes(now time.Time) (time.Time, error) {
	expires, err := s.time("exp")
	if err != nil {
		return time.Time{}, err
	}
	if expires.IsZero() {
		return time.Time{}, fmt.Errorf("%w: no exp", ErrInvalid)
	}
	for _, claim := range []string{"nbf", "iat"} {
		from, err := s.time(claim)
		if err != nil {
			return time.Time{}, err
		}
		if from.After(now.Add(Leeway)) {
			return time.Time{}, fmt.Errorf("%w: %s is %s ahead", ErrInvalid, claim, from.Sub(now).Round(time.Second))
		}
	}
	if !now.Before(expires.Add(Leeway)) {
		return time.Time{}, fmt.Errorf("%w %s ago", ErrExpired, now.Sub(expires).Round(time.Second))
	}
	return expires, nil
}

// time reads seconds since 1970, which some providers give with fractions. It returns the zero time if there is none.
func (s claimSet) time(claim string) (time.Time, error) {
	value := s.value(claim)
	if value == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseFloat(value, 64)
	if !isNumber(value) || err != nil {
		return time.Time{}, fmt.Errorf("%w: %s is not a number", ErrInvalid, claim)
	}
	const year10000 = 253_402_300_800
	if seconds < 0 || seconds >= year10000 {
		return time.Time{}, fmt.Errorf("%w: %s out of range", ErrInvalid, claim)
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), nil
}

// text returns a claim that is a string, or "" for anything else.
func (s claimSet) text(claim string) string {
	value := s.value(claim)
	if !isText(value) {
		return ""
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	var text string
	if json.Unmarshal([]byte(value), &text) != nil {
		return ""
	}
	return text
}

// identifier reads iss or sub, or returns "" if there is none.
func (s claimSet) identifier(claim string) (string, error) {
	value := s.value(claim)
	if value == "" {
		return "", nil
	}
	text := s.text(claim)
	if !isText(value) || len(text) > maxName || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return "", fmt.Errorf("%w: %s must be a string of at most %d bytes", ErrInvalid, claim, maxName)
	}
	return text, nil
}

// number reads the shop's own number for the buyer, written as a number or a string.
func (s claimSet) number(claim string) (drop.UserID, error) {
	text := s.text(claim)
	if value := s.value(claim); isNumber(value) {
		text = value
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || drop.UserID(n) >= drop.FirstAllocatedUser || text[0] == '+' || text[0] == '0' {
		return 0, fmt.Errorf("%w: %s must be the shop's own number of the buyer, from 1 to 2^40 - 1", ErrInvalid, claim)
	}
	return drop.UserID(n), nil
}

// name makes a name that drop.CheckUser accepts, from the first claim with any content. Nobody can be asked to
// correct a claim, so characters that a name may not have are dropped.
func (s claimSet) name() string {
	for _, claim := range []string{"name", "preferred_username"} {
		if name := text.Tidy(s.text(claim), drop.MaxUsername); name != "" {
			return name
		}
	}
	return drop.UnknownUsername
}

// email returns the address. It returns "" if it is not an address, or if the provider says that it has not verified
// it.
func (s claimSet) email() string {
	if s.value("email_verified") == "false" || s.text("email_verified") == "false" {
		return ""
	}
	return drop.NormalEmail(s.text("email"))
}
