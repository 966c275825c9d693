package drop

import "sneakerdrop/internal/text"

// Subject is a buyer as an identity provider describes them: who signed in, and what the token says about them.
type Subject struct {
	// Issuer and Subject together identify one person permanently.
	Issuer, Subject string
	// Number is the shop's own number for the buyer, below FirstAllocatedUser; 0 if the token has none.
	Number UserID
	// Username and Email are for display and may change. They never identify anybody.
	Username, Email string
	// PublicName comes from the claims that tell given and family names apart: "Ann S." for Ann Smith. It is empty if
	// there are no such claims.
	PublicName string
}

// Key returns what identifies the subject.
func (s *Subject) Key() SubjectKey { return SubjectKey{s.Issuer, s.Subject} }

// SubjectKey identifies a person at an identity provider.
type SubjectKey struct{ Issuer, Subject string }

// NameStyle says how much of a buyer's name is public.
type NameStyle string

// The styles: the whole name; the public name or, without one, only an initial ("S."); or nothing.
const (
	FullName    NameStyle = "full"
	InitialName NameStyle = "initial"
	NoName      NameStyle = "none"
)

// AnonymousName replaces every name if names are not public.
const AnonymousName = "Anonymous"

// Show returns the public form of a buyer's name. A username alone does not tell which part is the family name:
// "Smith, Ann" and 山田 太郎 begin with it, and ann.smith contains both. So without a public name, Show returns only the
// first visible character.
func (s NameStyle) Show(username, publicName string) string {
	switch s {
	case FullName:
		return username
	case NoName:
		return AnonymousName
	case InitialName: // also a style that somebody forgot to set: it must not reveal more
	}
	if publicName != "" {
		return publicName
	}
	if username == UnknownUsername {
		return username
	}
	if initial := text.Initial(username); initial != "" {
		return initial + "."
	}
	return AnonymousName
}
