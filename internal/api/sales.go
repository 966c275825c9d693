package api

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

const (
	maxSearch = 254 // in characters: as long as the longest email
	// searchPage is how many purchases a search reads at a time. Each page is a short read of its own, so no
	// snapshot stays open as long as the search.
	searchPage = 1000
	// searchTime is how long a search may take. Then it answers with what it has found and where to continue.
	searchTime = time.Second
)

// saleQuery is what a call asks for: which purchases of a drop.
type saleQuery struct {
	drop          drop.ID
	newestFirst   bool
	before, after drop.PurchaseID        // both excluded; 0: none
	limit         int                    // 0: all
	from, to      drop.Time              // from is included, to is not; 0: none
	size          string                 // empty: any
	match         func(*store.Sale) bool // nil: all
}

// filters reports whether the query may skip some of the purchases that it reads.
func (q *saleQuery) filters() bool { return q.match != nil || q.size != "" || q.from != 0 || q.to != 0 }

// over reports whether a purchase ends the search: neither it nor any later one in the order of the query can match.
// Within a drop, the times of purchases rise with their numbers.
func (q *saleQuery) over(s *store.Sale) bool {
	if q.newestFirst {
		return s.ID <= q.after || s.CreatedAt < q.from
	}
	return q.to != 0 && s.CreatedAt >= q.to
}

// wants reports whether a purchase for which over is false matches the query.
func (q *saleQuery) wants(s *store.Sale) bool {
	return (q.size == "" || s.Size == q.size) && s.CreatedAt >= q.from && (q.to == 0 || s.CreatedAt < q.to) && (q.match == nil || q.match(s))
}

// sales reads the parameters of a query for a drop's purchases. order, before and q go together.
func (q *query) sales() saleQuery {
	n := saleQuery{after: drop.PurchaseID(q.after()), limit: q.number("limit", 1, maxPage, 0)}
	n.newestFirst = q.word("order", "newest", "oldest") == "newest"
	n.before = drop.PurchaseID(q.before())
	if n.before != 0 && !n.newestFirst {
		q.refuse("before", "needs order=newest; to page through the oldest first, use after")
	}
	if len(q.values["q"]) > 0 && !n.newestFirst {
		q.refuse("q", "needs order=newest")
	}
	n.match = q.search()
	n.from, n.to = q.between()
	n.size = q.size()
	return n
}

// search reads q. It returns nil if q is empty, which matches everything.
func (q *query) search() func(*store.Sale) bool {
	if text := q.text("q", maxSearch); text != "" {
		return matcher(text)
	}
	return nil
}

// findSales reads page by page until it has found limit purchases, reaches the end, or has used up its time.
func (a *api) findSales(ctx context.Context, q *saleQuery) (*purchasesAnswer, error) {
	answer := &purchasesAnswer{Purchases: make([]saleAnswer, 0, min(q.limit, defaultPage))}
	begun := time.Now()
	at, err := a.firstSale(ctx, q)
	if err != nil {
		return nil, err
	}
	page := q.limit + 1 // one more, to see whether the list goes on
	if q.filters() {
		page = searchPage
	}
	for {
		found, more, err := a.salesPage(ctx, q, at, page)
		if err != nil {
			return nil, err
		}
		if q.newestFirst && answer.Newest == nil && len(found) > 0 {
			answer.Newest = &found[0].ID
		}
		for i := range found {
			s := &found[i]
			switch {
			case q.over(s):
				return answer, nil
			case !q.wants(s):
			case len(answer.Purchases) == q.limit: // the list goes on
				answer.Next = &answer.Purchases[q.limit-1].ID
				return answer, nil
			default:
				answer.Purchases = append(answer.Purchases, answerSale(s))
			}
		}
		if !more {
			return answer, nil
		}
		at = found[len(found)-1].ID
		if time.Since(begun) > searchTime {
			answer.Next = &at
			return answer, nil
		}
	}
}

// matcher returns a function that reports whether a purchase matches the text of a search, or nil for an empty text.
// A purchase matches by its buyer (see named) or by one number: its own, its number within the drop, or that of its
// reservation or buyer. The text 7-12 finds receipt 12 of drop 7.
func matcher(asked string) func(*store.Sale) bool {
	words := strings.FieldsFunc(asked, blank)
	if len(words) == 0 {
		return nil
	}
	buyer := named(words)
	number := func(*store.Sale) bool { return false }
	if len(words) == 1 {
		number = numberOf(newFold()(words[0]))
	}
	return func(s *store.Sale) bool { return number(s) || buyer(s.Username, s.Email) }
}

// named returns a function that reports whether a buyer's name or email contains every word. In names, letter case
// and width do not matter. Emails are compared as the store compares them. The function is not safe for concurrent
// use.
func named(words []string) func(username, email string) bool {
	type word struct{ name, email string }
	fold := newFold()
	forms := make([]word, len(words))
	for i, w := range words {
		forms[i] = word{fold(w), emailForm(w)}
	}
	return func(username, email string) bool {
		username, email = fold(username), emailForm(email)
		for _, w := range forms {
			if !strings.Contains(username, w.name) && !strings.Contains(email, w.email) {
				return false
			}
		}
		return true
	}
}

// blank reports whether r separates words. That includes invisible characters, which are easily copied along.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// numberOf returns a function that reports whether a purchase has this number: its own, its receipt's, its
// reservation's or its buyer's.
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
		return uint64(s.ID) == n || uint64(uint32(s.ID)) == n || uint64(s.ReservationID) == n || uint64(s.UserID) == n // ids are above 0; the low half is the number within the drop
	}
}

// newFold returns a function that removes differences in letter case and width. It is not safe for concurrent use.
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

// emailForm returns the form in which emails are compared, for a whole email or a part of one.
func emailForm(s string) string {
	if normal, fault := text.Email(s); fault == "" {
		return normal
	}
	return text.LowerASCII(s)
}
