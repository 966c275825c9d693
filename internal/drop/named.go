package drop

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"sneakerdrop/internal/text"
)

// Named is a buyer as a call names one: by email or, without an email, by name.
type Named struct {
	// Username and Email are in their normal form. A new buyer gets them.
	Username, Email string
	// Refusal is the rule that the buyer's name or email breaks. No new buyer is made in that case, but one that was
	// stored before the rule existed can still be found.
	Refusal *Error
	// typed is the name or email as typed. Buyers were stored this way before there was a normal form.
	typed   string
	byEmail bool
}

// NameBuyer reads the buyer that a call names. It refuses a text that was never valid as a name or an email.
func NameBuyer(username, email string) (Named, error) {
	n := Named{typed: username, byEmail: email != ""}
	var refusal *Error
	if username != "" || !n.byEmail {
		n.Username, refusal = normalText("username", username, MaxUsername, text.Name)
		if refusal != nil && (n.byEmail || checkText("username", username, 1, MaxUsername) != nil) {
			return Named{}, refusal
		}
	}
	if n.byEmail {
		n.typed = text.LowerASCII(email)
		was := isEmail(n.typed)
		if n.Email, refusal = normalEmail(email); refusal != nil && !was {
			return Named{}, refusal
		}
		if !was {
			n.typed = n.Email
		}
	}
	n.Refusal = refusal
	return n, nil
}

// ByEmail reports whether the buyer is found by email; the name then does not matter.
func (n *Named) ByEmail() bool { return n.byEmail }

// Spellings returns the one or two emails or names to look for, in order. The first that somebody has identifies the
// buyer.
//
// The first is the text as typed, the second its normal form; second is empty if they are equal. New buyers are only
// stored in the normal form. So the first spelling finds only a buyer who was stored earlier under exactly that text.
func (n *Named) Spellings() (first, second string) {
	second = n.Username
	if n.byEmail {
		second = n.Email
	}
	if second == n.typed {
		second = ""
	}
	return n.typed, second
}

// NewUsername returns the name of a new buyer: the given name or, without one, the part of the email before the @.
func (n *Named) NewUsername() string {
	if n.Username != "" || n.Email == "" {
		return n.Username
	}
	if local := text.Tidy(n.Email[:strings.LastIndexByte(n.Email, '@')], MaxUsername); local != "" {
		return local
	}
	return UnknownUsername
}

// CheckUser checks a buyer's name, and the email if there is one.
func CheckUser(username, email string) error {
	n, err := NameBuyer(username, email)
	if err == nil && n.Refusal != nil {
		err = n.Refusal
	}
	return err
}

// NormalEmail returns the form in which an email is stored and compared (see text.Email), or "" if the text is not an
// email.
func NormalEmail(email string) string {
	if email == "" {
		return ""
	}
	normal, refusal := normalEmail(email)
	if refusal != nil {
		return ""
	}
	return normal
}

func normalEmail(email string) (string, *Error) {
	normal, fault := text.Email(email)
	switch n := utf8.RuneCountInString(normal); {
	case fault != "":
		return "", Invalid("email", string(fault))
	case n < 3 || n > MaxEmail:
		return "", Invalid("email", "must have 3 to 254 characters")
	case !isEmail(normal):
		return "", Invalid("email", "must be an email address such as ann@example.com")
	}
	return normal, nil
}

func isEmail(s string) bool {
	if plainEmail(s) {
		return true
	}
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && checkText("email", s, 3, MaxEmail) == nil
}

// plainEmail recognizes the usual kind of address without a parser: words joined by dots, one @, words joined by
// dots.
func plainEmail(email string) bool {
	ats, dot := 0, true // as if a dot came before it: a part may not begin with one
	for i := range len(email) {
		c := email[i]
		word := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '+' && ats == 0
		switch {
		case word:
			dot = false
		case c == '.' && !dot:
			dot = true
		case c == '@' && !dot:
			ats++
			dot = true
		default:
			return false
		}
	}
	return ats == 1 && !dot && len(email) <= MaxEmail
}
