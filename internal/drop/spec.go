package drop

import (
	"cmp"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of what a shop may say. Lengths are in characters.
const (
	MaxName         = 200
	MaxImageURL     = 2048
	MaxSizes        = 100
	MaxSizeLabel    = 32
	MaxStock        = 10_000_000 // units of one drop
	MaxLimitPerUser = 1000
	// HighestMaxExpiredHolds bounds Drop.MaxExpiredHolds.
	HighestMaxExpiredHolds = 100
	MaxUsername            = 100
	MaxEmail               = 254 // RFC 5321, 4.5.3.1.3 less the two brackets
)

var (
	minStart = TimeOf(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC))
	maxStart = TimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))
)

// Spec is a drop to be created.
type Spec struct {
	Name      string
	Price     Money
	StartTime Time
	ImageURL  string
	// TotalStock may be nil when Sizes say it; when both are given they must agree.
	TotalStock   *int64
	Sizes        []SizeSpec
	LimitPerUser int
	// MaxExpiredHolds: see Drop.
	MaxExpiredHolds int
}

// SizeSpec is one size of a Spec.
type SizeSpec struct {
	Label string
	Stock int64
}

// Check returns the first rule that the spec breaks, as an *Error with CodeInvalid, or nil.
func (s *Spec) Check() error {
	if refusal := cmp.Or(
		checkName(s.Name), checkPrice(s.Price), checkStart(s.StartTime), checkImageURL(s.ImageURL),
		checkLimit(s.LimitPerUser), checkExpired(s.MaxExpiredHolds), s.checkStock(),
	); refusal != nil {
		return refusal
	}
	return nil
}

func (s *Spec) checkStock() *Error {
	if s.TotalStock == nil && len(s.Sizes) == 0 {
		return Invalid("total_stock", "is required unless sizes are given")
	}
	if s.TotalStock != nil && (*s.TotalStock < 0 || *s.TotalStock > MaxStock) {
		return Invalid("total_stock", fmt.Sprintf("must be a whole number from 0 to %d", MaxStock))
	}
	if len(s.Sizes) > MaxSizes {
		return Invalid("sizes", fmt.Sprintf("must have at most %d entries", MaxSizes))
	}
	seen := make(map[string]bool, len(s.Sizes))
	var sum int64
	for i, size := range s.Sizes {
		field := fmt.Sprintf("sizes[%d]", i)
		if refusal := checkText(field+".size", size.Label, 1, MaxSizeLabel); refusal != nil {
			return refusal
		}
		if seen[size.Label] {
			return Invalid(field+".size", "must not repeat an earlier size")
		}
		seen[size.Label] = true
		if size.Stock < 0 || size.Stock > MaxStock {
			return Invalid(field+".stock", fmt.Sprintf("must be a whole number from 0 to %d", MaxStock))
		}
		sum += size.Stock
	}
	if sum > MaxStock {
		return Invalid("sizes", fmt.Sprintf("must have at most %d units together", MaxStock))
	}
	if s.TotalStock != nil && len(s.Sizes) > 0 && sum != *s.TotalStock {
		return Invalid("total_stock", fmt.Sprintf("must equal the stock of all sizes together, %d", sum))
	}
	return nil
}

// Create returns the state of a new drop and what a store writes for it. The spec must have passed Check.
func (s *Spec) Create(id ID, now Time, batch BatchID) (*State, *Changes) {
	state := &State{
		Drop: Drop{
			ID: id, Name: s.Name, Price: s.Price, StartTime: s.StartTime, ImageURL: s.ImageURL,
			LimitPerUser: s.LimitPerUser, MaxExpiredHolds: s.MaxExpiredHolds, CreatedAt: now,
		},
		LastAt: now,
	}
	for _, size := range s.Sizes {
		state.Sizes = append(state.Sizes, Size{Label: size.Label, Stock: Stock{Total: size.Stock, Available: size.Stock}})
	}
	if len(s.Sizes) == 0 {
		state.Sizes = []Size{{Stock: Stock{Total: *s.TotalStock, Available: *s.TotalStock}}}
	}
	a := newApplication(state, now, batch)
	for i := range state.Sizes {
		a.movements[i].add(Created, state.Sizes[i].Stock.Total)
	}
	a.changed = true
	return state, a.finish()
}

func checkName(name string) *Error {
	return checkText("name", name, 1, MaxName)
}

func checkPrice(p Money) *Error {
	if !p.IsPrice() {
		return Invalid("price", fmt.Sprintf("must be from 0 to %s", MaxPrice))
	}
	return nil
}

func checkStart(t Time) *Error {
	if t < minStart || t > maxStart {
		return Invalid("start_time", "must lie in the years 1970 to 9999")
	}
	return nil
}

func checkLimit(n int) *Error {
	if n < 0 || n > MaxLimitPerUser {
		return Invalid("limit_per_user", fmt.Sprintf("must be from 1 to %d, or 0 for none", MaxLimitPerUser))
	}
	return nil
}

func checkExpired(n int) *Error {
	if n < 0 || n > HighestMaxExpiredHolds {
		return Invalid("max_expired_holds", fmt.Sprintf("must be from 1 to %d, or 0 for none", HighestMaxExpiredHolds))
	}
	return nil
}

// CheckLabel checks a size as a shop or a buyer writes it; empty is allowed.
func CheckLabel(field, label string) error {
	if refusal := checkText(field, label, 0, MaxSizeLabel); refusal != nil {
		return refusal
	}
	return nil
}

// CheckUser checks a buyer's name and, unless empty, email.
func CheckUser(username, email string) error {
	if username != "" || email == "" {
		if err := checkText("username", username, 1, MaxUsername); err != nil {
			return err
		}
	}
	if email == "" {
		return nil
	}
	if err := checkText("email", email, 3, MaxEmail); err != nil {
		return err
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
		return Invalid("email", "must be an email address such as ann@example.com")
	}
	return nil
}

// NormalEmail is the form in which emails are kept and compared: letter case does not tell buyers apart.
func NormalEmail(email string) string { return strings.ToLower(email) }

// checkText admits printable UTF-8 without control characters (PostgreSQL stores no NUL, and none of them is a name).
func checkText(field, s string, least, most int) *Error {
	if !utf8.ValidString(s) {
		return Invalid(field, "must be valid UTF-8")
	}
	if least > 0 && strings.TrimSpace(s) == "" {
		return Invalid(field, "must not be empty")
	}
	if n := utf8.RuneCountInString(s); n < least || n > most {
		return Invalid(field, fmt.Sprintf("must have %d to %d characters", least, most))
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		return Invalid(field, "must not contain control characters")
	}
	return nil
}
