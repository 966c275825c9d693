package drop

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sneakerdrop/internal/text"
)

// Limits on a shop's input. Lengths are in characters.
const (
	MaxName         = 200
	MaxImageURL     = 2048
	MaxSizes        = 100
	MaxSizeLabel    = 32
	MaxStock        = 10_000_000 // units of one drop
	MaxLimitPerUser = 1000
	// HighestMaxExpiredHolds is the largest value of Settings.MaxExpiredHolds.
	HighestMaxExpiredHolds = 100
	MaxUsername            = 100
	MaxEmail               = 254 // RFC 5321, 4.5.3.1.3, without the two angle brackets
)

var (
	minStart = TimeOf(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC))
	maxStart = TimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))
)

// Spec describes a drop to create.
type Spec struct {
	Name      string
	Price     Money
	StartTime Time
	ImageURL  string
	// TotalStock may be nil if Sizes is set. If both are set, they must match.
	TotalStock   *int64
	Sizes        []SizeSpec
	LimitPerUser int
	// MaxExpiredHolds: see Settings.
	MaxExpiredHolds int
	// Waitlist, OfferFor, MaxWaiting and OffersCount: see Settings. With 0, OfferFor and MaxWaiting get their defaults.
	Waitlist    bool
	OfferFor    int
	MaxWaiting  int
	OffersCount bool
	// Draw are the terms of its draw. With 0, PayWithin gets its default. Secrets are the draw's; nil without one.
	Draw    Draw
	Secrets *DrawSecrets
	Hidden  bool
	// Page is what its page says from the start; nil: nothing yet.
	Page *Page
}

// SizeSpec is one size of a Spec.
type SizeSpec struct {
	Label string
	Stock int64
}

// Normal returns the spec with its texts in the normal form that drops are stored in. It returns an *Error with
// CodeInvalid for the first rule that the spec breaks.
func (s *Spec) Normal() (Spec, error) {
	normal := *s
	var refusal *Error
	if normal.Name, refusal = normalName(s.Name); refusal != nil {
		return Spec{}, refusal
	}
	normal.Sizes = slices.Clone(s.Sizes)
	if normal.Draw != (Draw{}) {
		normal.Draw.PayWithin = cmp.Or(s.Draw.PayWithin, DefaultPayWithin)
		if refusal := normal.Draw.check(s.StartTime); refusal != nil {
			return Spec{}, refusal
		}
	}
	if refusal := cmp.Or(
		checkPrice(s.Price), checkStart(s.StartTime), checkImageURL(s.ImageURL),
		checkLimit(s.LimitPerUser), checkExpired(s.MaxExpiredHolds), checkOfferFor(cmp.Or(s.OfferFor, DefaultOfferFor)),
		checkMaxWaiting(cmp.Or(s.MaxWaiting, DefaultMaxWaiting)), normal.normalizeStock(),
	); refusal != nil {
		return Spec{}, refusal
	}
	if s.Page != nil {
		page, err := s.Page.Normal()
		if err != nil {
			return Spec{}, err
		}
		normal.Page = &page
	}
	return normal, nil
}

// Check returns the first rule that the spec breaks, as Normal does.
func (s *Spec) Check() error {
	_, err := s.Normal()
	return err
}

func (s *Spec) normalizeStock() *Error {
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
	for i := range s.Sizes {
		size := &s.Sizes[i]
		field := fmt.Sprintf("sizes[%d]", i)
		var refusal *Error
		if size.Label, refusal = normalText(field+".size", size.Label, MaxSizeLabel, text.Name); refusal != nil {
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

// Create returns the state of a new drop and the rows that a store writes for it. The spec must come from Normal.
func (s *Spec) Create(id ID, now Time, batch BatchID) (*State, *Changes) {
	state := &State{
		Drop: Drop{
			ID:        id,
			CreatedAt: now,
			Settings: Settings{
				Name: s.Name, Price: s.Price, StartTime: s.StartTime, ImageURL: s.ImageURL, LimitPerUser: s.LimitPerUser,
				MaxExpiredHolds: s.MaxExpiredHolds, Waitlist: s.Waitlist, OfferFor: cmp.Or(s.OfferFor, DefaultOfferFor),
				MaxWaiting:  cmp.Or(s.MaxWaiting, DefaultMaxWaiting),
				OffersCount: s.OffersCount, Draw: s.Draw, Hidden: s.Hidden,
			},
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
		a.movements[i].add(Created, state.Sizes[i].Stock.Total, 0)
	}
	a.changed = true
	changes := a.finish()
	changes.Revision = NewRevision(state)
	return state, changes
}

func normalName(name string) (string, *Error) {
	return normalText("name", name, MaxName, text.Title)
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

func checkOfferFor(n int) *Error {
	if n < minOfferFor || n > maxOfferFor {
		return Invalid("offer_for", fmt.Sprintf("must be from %d to %d seconds", minOfferFor, maxOfferFor))
	}
	return nil
}

func checkMaxWaiting(n int) *Error {
	if n < 1 || n > maxMaxWaiting {
		return Invalid("max_waiting", fmt.Sprintf("must be from 1 to %d", maxMaxWaiting))
	}
	return nil
}

func checkExpired(n int) *Error {
	if n < 0 || n > HighestMaxExpiredHolds {
		return Invalid("max_expired_holds", fmt.Sprintf("must be from 1 to %d, or 0 for none", HighestMaxExpiredHolds))
	}
	return nil
}

// CheckLabel refuses a text that can never have been a size's label; it accepts an empty one. RefuseSize checks
// whether a drop has the size.
func CheckLabel(field, label string) error {
	refusal := checkText(field, label, 0, MaxSizeLabel)
	if refusal == nil {
		return nil
	}
	if _, now := normalText(field, label, MaxSizeLabel, text.Name); now != nil {
		return refusal
	}
	return nil
}

// normalText returns the normal form of a text that somebody typed, or the rule that the text breaks.
func normalText(field, s string, most int, form func(string) (string, text.Fault)) (string, *Error) {
	normal, fault := form(s)
	if fault != "" {
		return "", Invalid(field, string(fault))
	}
	if utf8.RuneCountInString(normal) > most {
		return "", Invalid(field, fmt.Sprintf("must have 1 to %d characters", most))
	}
	return normal, nil
}

// checkText accepts printable UTF-8 without control characters. PostgreSQL cannot store NUL, and no name has one of
// the others.
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
