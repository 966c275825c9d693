package drop

import (
	"net/mail"
	"strings"
	"unicode/utf8"

	"sneakerdrop/internal/text"
)

// Named is a buyer as a call names one: by an email or, without one, by a name.
type Named struct {
	// Username and Email are in their normal form, which is what a new buyer gets.
	Username, Email string
	// Refusal is the rule that what the buyer is found by breaks: nobody new is made, but who was kept before there
	// was the rule is found.
	Refusal *Error
	// typed is what the buyer is found by as it was typed, which is how buyers were kept before there was a normal
	// form.
	typed   string
	byEmail bool
}

// NameBuyer reads whom a call names. It refuses what never was a name or an email.
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

// ByEmail reports whether the buyer is found by the email, whatever the name.
func (n *Named) ByEmail() bool { return n.byEmail }

// Spellings returns what the buyer is found by, emails or names: the first that somebody has says who is meant. The
// first is what was typed, the second (empty: the same, or none) its normal form. Nobody new is kept under anything
// but a normal form, so the first finds nobody but a buyer of before who typed the very same.
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

// NewUsername is what a new buyer is called: by the name or, without one, by what stands before the @.
func (n *Named) NewUsername() string {
	if n.Username != "" || n.Email == "" {
		return n.Username
	}
	if local := text.Tidy(n.Email[:strings.LastIndexByte(n.Email, '@')], MaxUsername); local != "" {
		return local
	}
	return UnknownUsername
}

// CheckUser checks a buyer's name and, unless empty, email.
func CheckUser(username, email string) error {
	n, err := NameBuyer(username, email)
	if err == nil && n.Refusal != nil {
		err = n.Refusal
	}
	return err
}

// NormalEmail is the form in which an email is kept and compared (see text.Email), or empty where the text is none.
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

// plainEmail reports an address of the kind that nearly all are, which needs no parser: words with dots, one @, words
// with dots.
func plainEmail(email string) bool {
	ats, dot := 0, true // as if a dot were before it: none may begin a part
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
