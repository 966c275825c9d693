package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

const (
	maxSearch = 254 // characters: the longest email
	// searchPage is how many purchases a search reads at a time: each page is a short read of its own, so that
	// neither a lock nor a snapshot lasts as long as the search.
	searchPage = 1000
	// searchTime is after how long a search answers with what it has found, and where to go on.
	searchTime = time.Second
)

// newest is what the call for the newest purchases asks for.
type newest struct {
	before, after drop.PurchaseID // both excluded; 0: none
	limit         int
	match         func(*store.Sale) bool // nil: all
}

// newest reads order, before and q, which go together; asked is whether the newest are asked for.
func (q *query) newest() (n newest, asked bool) {
	asked = q.word("order", "newest", "oldest") == "newest"
	n.before = drop.PurchaseID(q.before())
	if n.before != 0 && !asked {
		q.refuse("before", "goes with order=newest; the oldest come in pages that begin with after")
	}
	switch text := q.values["q"]; {
	case len(text) == 0:
	case !asked:
		q.refuse("q", "goes with order=newest")
	case len(text) > 1 || !utf8.ValidString(text[0]) || utf8.RuneCountInString(text[0]) > maxSearch:
		q.refuse("q", "must be one text of at most "+strconv.Itoa(maxSearch)+" characters")
	default:
		n.match = matcher(text[0])
	}
	return n, asked
}

// listNewest answers with a page of the newest purchases first.
func (a *api) listNewest(w http.ResponseWriter, r *http.Request, id drop.ID, n newest) error {
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout.after)
	defer cancel()
	answer, err := a.findNewest(ctx, id, n)
	if err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

// findNewest reads page by page until it has found limit purchases, has come to the end, or has taken its time.
func (a *api) findNewest(ctx context.Context, id drop.ID, n newest) (*purchasesAnswer, error) {
	answer := &purchasesAnswer{Purchases: make([]saleAnswer, 0, min(n.limit, defaultPage))}
	size := n.limit + 1
	if n.match != nil {
		size = searchPage
	}
	begun := time.Now()
	for at := n.before; ; {
		page, err := engine.Ask(ctx, a.engine, func(s store.Records) ([]store.Sale, error) { return s.NewestPurchases(ctx, id, at, size) })
		if err != nil {
			return nil, err
		}
		if answer.Newest == nil && len(page) > 0 {
			answer.Newest = &page[0].ID
		}
		for i := range page {
			s := &page[i]
			switch {
			case s.ID <= n.after:
				return answer, nil
			case n.match != nil && !n.match(s):
			case len(answer.Purchases) == n.limit: // there is one more
				answer.Next = &answer.Purchases[n.limit-1].ID
				return answer, nil
			default:
				answer.Purchases = append(answer.Purchases, answerSale(s))
			}
		}
		if len(page) < size {
			return answer, nil
		}
		at = page[size-1].ID
		if time.Since(begun) > searchTime {
			answer.Next = &at
			return answer, nil
		}
	}
}

// matcher says whether a purchase is one that the text asks for. Each word has to be in the buyer's name (whatever
// its letter case and width) or email (whatever the case of its letters A to Z, composed or not, which is what emails
// are compared by); a number is also that of the purchase, in all or in its drop, of the reservation or of the buyer,
// and 7-12 is the receipt 12 of drop 7. nil: the text asks for nothing.
func matcher(asked string) func(*store.Sale) bool {
	type word struct{ name, email string }
	fold := newFold()
	var words []word
	for w := range strings.FieldsFuncSeq(asked, blank) {
		words = append(words, word{fold(w), emailForm(w)})
	}
	if len(words) == 0 {
		return nil
	}
	number := func(*store.Sale) bool { return false }
	if len(words) == 1 {
		number = numberOf(words[0].name)
	}
	return func(s *store.Sale) bool {
		if number(s) {
			return true
		}
		name, email := fold(s.Username), emailForm(s.Email)
		for _, w := range words {
			if !strings.Contains(name, w.name) && !strings.Contains(email, w.email) {
				return false
			}
		}
		return true
	}
}

// blank is what a search's text may have around words: also what is copied along and cannot be seen.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// numberOf says whether a purchase has a number: its own, its receipt's, its reservation's or its buyer's.
func numberOf(word string) func(*store.Sale) bool {
	of, receipt, both := strings.Cut(strings.TrimPrefix(word, "#"), "-")
	n, err := strconv.ParseUint(of, 10, 53)
	if err != nil {
		return func(*store.Sale) bool { return false }
	}
	if both {
		in, err := strconv.ParseUint(receipt, 10, 32)
		return func(s *store.Sale) bool {
			return err == nil && n <= uint64(drop.MaxID) && s.ID == drop.NewPurchaseID(drop.ID(n), uint32(in)) // ParseUint bounds both
		}
	}
	return func(s *store.Sale) bool {
		return uint64(s.ID) == n || uint64(uint32(s.ID)) == n || uint64(s.ReservationID) == n || uint64(s.UserID) == n // ids are above 0, the number in a drop is the low half
	}
}

// newFold returns a function that makes texts alike that differ in letter case or width only. It is not for
// concurrent use.
func newFold() func(string) string {
	caser := cases.Fold()
	return func(s string) string {
		for i := range len(s) {
			if s[i] >= utf8.RuneSelf {
				return caser.String(norm.NFKC.String(s))
			}
		}
		return text.LowerASCII(s)
	}
}

// emailForm is the form in which emails are compared, of a whole one or a part.
func emailForm(s string) string {
	if normal, fault := text.Email(s); fault == "" {
		return normal
	}
	return text.LowerASCII(s)
}
