package drop

import "sneakerdrop/internal/text"

// Subject is a buyer as an identity provider names it: who signs in, and what its token tells of them.
type Subject struct {
	// Issuer and Subject together name one person, for ever.
	Issuer, Subject string
	// Number is the shop's own number of the buyer, below FirstAllocatedUser; 0: none was told.
	Number UserID
	// Username and Email are what is shown, and may change. They never say who somebody is.
	Username, Email string
	// PublicName is made of the claims that say which part of a name is the family's: "Ann S." of Ann Smith; empty:
	// there are none.
	PublicName string
}

// Key is what tells one subject from another.
func (s *Subject) Key() SubjectKey { return SubjectKey{s.Issuer, s.Subject} }

// SubjectKey is who somebody is to an identity provider.
type SubjectKey struct{ Issuer, Subject string }

// NameStyle says how much of a buyer's name everybody may see.
type NameStyle string

// The styles: the whole name; the public name or, without one, an initial and nothing more ("S."); or none of it.
const (
	FullName    NameStyle = "full"
	InitialName NameStyle = "initial"
	NoName      NameStyle = "none"
)

// AnonymousName stands for every name where none may be seen.
const AnonymousName = "Anonymous"

// Show returns what everybody may see of a buyer's name. A username alone does not say which part of it is the
// family's: Smith, Ann and 山田 太郎 begin with it, and ann.smith has both. So without a public name it is the first
// character that people see, and nothing behind it.
func (s NameStyle) Show(username, publicName string) string {
	switch s {
	case FullName:
		return username
	case NoName:
		return AnonymousName
	case InitialName: // and a style that was forgotten, which is no reason to tell more
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
