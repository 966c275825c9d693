package drop

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Subject is a buyer as an identity provider names it: who signs in, and what its token tells of them.
type Subject struct {
	// Issuer and Subject together name one person, for ever.
	Issuer, Subject string
	// Number is the shop's own number of the buyer, below FirstAllocatedUser; 0: none was told.
	Number UserID
	// Username and Email are what is shown, and may change. They never say who somebody is.
	Username, Email string
}

// Key is what tells one subject from another.
func (s *Subject) Key() SubjectKey { return SubjectKey{s.Issuer, s.Subject} }

// SubjectKey is who somebody is to an identity provider.
type SubjectKey struct{ Issuer, Subject string }

// NameStyle says how much of a buyer's name everybody may see.
type NameStyle string

// The styles: the whole name, the first name with the initial of the last ("Ann S."), or none of it.
const (
	FullName    NameStyle = "full"
	InitialName NameStyle = "initial"
	NoName      NameStyle = "none"
)

// AnonymousName stands for every name where none may be seen.
const AnonymousName = "Anonymous"

// Show returns what everybody may see of a name. Of an email that stands in a name's place only what is before the @ counts.
func (s NameStyle) Show(username string) string {
	switch s {
	case FullName:
		return username
	case NoName:
		return AnonymousName
	default: // InitialName, or a style that was forgotten, which is no reason to tell more
		return initialed(username)
	}
}

func initialed(username string) string {
	name, _, _ := strings.Cut(username, "@")
	words := strings.Fields(name)
	if len(words) == 1 { // ann.smith, as accounts are called
		words = strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("._+", r) || unicode.IsSpace(r) })
	}
	switch len(words) {
	case 0:
		return AnonymousName
	case 1:
		return words[0]
	}
	initial, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return words[0] + " " + string(unicode.ToUpper(initial)) + "."
}
