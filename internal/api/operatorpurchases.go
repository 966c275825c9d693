package api

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
)

type (
	allPurchasesAnswer struct {
		Purchases []shopSaleAnswer `json:"purchases" nullable:"false" doc:"Newest first"`
		Next      *string          `json:"next" doc:"Send it as before to get the next page; null: this is the last page"`
	}
	shopSaleAnswer struct {
		ID            drop.PurchaseID    `json:"id"`
		DropID        drop.ID            `json:"dropId"`
		DropName      string             `json:"dropName"`
		ReservationID drop.ReservationID `json:"reservationId"`
		UserID        drop.UserID        `json:"userId"`
		Username      string             `json:"username" doc:"Unknown if only the shop knows the buyer"`
		Email         *string            `json:"email" doc:"null: none was given"`
		Size          string             `json:"size,omitzero"`
		Price         price              `json:"price"`
		CreatedAt     instant            `json:"createdAt"`
		Returned      string             `json:"returned,omitzero" enum:"restocked,written_off" doc:"What became of the unit that the shop took back. Absent: the buyer has it"`
		ReturnedAt    instant            `json:"returnedAt,omitzero"`
		Payment       *paymentAnswer     `json:"payment,omitzero" doc:"What the buyer paid here. Absent: nothing"`
	}
)

// cursor is a place in the list of all purchases, right after the purchase that it names.
type cursor struct {
	at drop.Time
	id drop.PurchaseID
}

// first is the place before all purchases.
var first = cursor{math.MaxInt64, math.MaxInt64}

func (c cursor) String() string {
	return strconv.FormatInt(int64(c.at), 10) + "-" + strconv.FormatInt(int64(c.id), 10)
}

// behind reports whether c comes later in the list, which begins with the newest purchase.
func (c cursor) behind(other cursor) bool {
	return c.at < other.at || c.at == other.at && c.id < other.id
}

func cursorOf(s *store.Sale) cursor { return cursor{s.CreatedAt, s.ID} }

// cursor reads a place that an earlier answer returned in next. Without one, it returns first.
func (q *query) cursor(name string) cursor {
	given := q.values[name]
	if len(given) == 0 {
		return first
	}
	at, id, _ := strings.Cut(given[0], "-")
	t, err1 := strconv.ParseInt(at, 10, 53)
	n, err2 := strconv.ParseInt(id, 10, 54)
	if len(given) > 1 || err1 != nil || err2 != nil || !isDigits(at) || !isDigits(id) {
		q.refuse(name, "must be the value of next from the previous page; leave it out to begin with the newest")
	}
	return cursor{drop.Time(t), drop.PurchaseID(n)}
}

// shopSales is a query over the purchases of all drops, newest first.
type shopSales struct {
	saleQuery

	before cursor
}

// listAllPurchases streams, so it sets its own time limits: the request timeout for a page of JSON, and one for each
// page of a file.
func (a *api) listAllPurchases(w http.ResponseWriter, r *http.Request) error {
	q := queryOf(r)
	asked := shopSales{before: q.cursor("before")}
	asked.newestFirst = true
	asked.limit = q.number("limit", 1, maxPage, 0)
	asked.drop = drop.ID(q.number("drop", 1, int(drop.MaxID), 0))
	asked.match = q.search()
	asked.from, asked.to = q.between()
	asked.size = q.size()
	format := q.format(r.Header["Accept"], false)
	bom := q.word("bom", "0", "1") == "1"
	if q.err != nil {
		return q.err
	}
	w.Header().Add("Vary", "Accept")
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout.after)
	defer cancel()
	views := slices.DeleteFunc(a.engine.AllViews(), func(v *engine.View) bool { return v.Drop.Rehearsal() })
	if asked.drop != 0 {
		v, err := a.engine.View(ctx, asked.drop)
		if err != nil {
			return err
		}
		views = []*engine.View{v}
	}
	sales := a.shopReader(&asked, views)
	if format == formatCSV {
		return writeCSV(w, r, bom, sales.file(a))
	}
	asked.limit = cmp.Or(asked.limit, defaultPage)
	answer, err := sales.page(ctx)
	if err != nil {
		return err
	}
	if err := pay(ctx, a, answer.Purchases, func(s *shopSaleAnswer) (drop.ReservationID, **paymentAnswer) { return s.ReservationID, &s.Payment }); err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

// shopReader merges the purchases of several drops. It reads each drop by its own key, in pages. It skips drops whose
// view shows that their newest purchase is older than what the caller needs. All drops together keep about mergedRows
// purchases in memory.
type shopReader struct {
	ask   *shopSales
	merge merge
	last  cursor // the last purchase that it has read
}

const mergedRows = 20_000

func (a *api) shopReader(q *shopSales, views []*engine.View) *shopReader {
	s := &shopReader{ask: q, last: q.before}
	for _, v := range views {
		if stream := a.saleStream(q, v); stream != nil {
			s.merge = append(s.merge, stream)
		}
	}
	for _, stream := range s.merge {
		stream.page = min(max(mergedRows/len(s.merge), 10), streamPage)
	}
	heap.Init(&s.merge)
	return s
}

// peek returns the next purchase and its drop, or nil at the end. The query may filter it out.
func (s *shopReader) peek(ctx context.Context) (*store.Sale, *engine.View, error) {
	for len(s.merge) > 0 {
		top := s.merge[0]
		switch sale, err := top.peek(ctx); {
		case err != nil:
			return nil, nil, err
		case sale == nil || s.ask.over(sale):
			heap.Pop(&s.merge)
		case cursorOf(sale) != top.place: // now its place is known, so sort it in
			top.place = cursorOf(sale)
			heap.Fix(&s.merge, 0)
		default:
			return sale, top.view, nil
		}
	}
	return nil, nil, nil
}

// skip moves on from the purchase that peek returned.
func (s *shopReader) skip() {
	top := s.merge[0]
	s.last = top.place
	top.found = top.found[1:]
}

// page reads until it has found limit purchases, has come to the end, or has used its time.
func (s *shopReader) page(ctx context.Context) (*allPurchasesAnswer, error) {
	answer := &allPurchasesAnswer{Purchases: []shopSaleAnswer{}}
	begun := time.Now()
	for s.ask.match == nil || time.Since(begun) <= searchTime {
		sale, v, err := s.peek(ctx)
		if err != nil || sale == nil {
			return answer, err
		}
		if s.ask.wants(sale) {
			if len(answer.Purchases) == s.ask.limit { // the list goes on
				break
			}
			answer.Purchases = append(answer.Purchases, answerShopSale(v, sale))
		}
		s.skip()
	}
	answer.Next = new(s.last.String())
	return answer, nil
}

// shopSaleColumns are the columns of an export of all drops.
var shopSaleColumns = []string{"id", "dropId", "dropName", "reservationId", "userId", "username", "email", "size", "price", "createdAt", "returned", "returnedAt"}

// file has every purchase that the query asks for, or the newest limit of them.
func (s *shopReader) file(a *api) *csvFile {
	left := cmp.Or(s.ask.limit, math.MaxInt)
	return &csvFile{
		name: "purchases.csv", what: "the purchases of all drops", columns: a.withPayments(shopSaleColumns),
		next: func(ctx context.Context) (rows [][]string, err error) {
			var units []drop.ReservationID
			for len(rows) < maxPage && left > 0 {
				sale, v, err := s.peek(ctx)
				if err != nil {
					return nil, err
				}
				if sale == nil {
					break
				}
				if s.ask.wants(sale) {
					rows, units = append(rows, shopRecord(v, sale)), append(units, sale.ReservationID)
					left--
				}
				s.skip()
			}
			paid, err := a.paymentsFor(ctx, units)
			for i, unit := range units {
				rows[i] = append(rows[i], harmlessAll(paid.columns(unit))...)
			}
			return rows, err
		},
	}
}

func shopRecord(v *engine.View, s *store.Sale) []string {
	return slices.Insert(record(s), 1, strconv.FormatInt(int64(v.Drop.ID), 10), harmless(v.Drop.Name))
}

// saleStream returns a stream of a drop's purchases, or nil if none of them can match the query.
func (a *api) saleStream(q *shopSales, v *engine.View) *saleStream {
	newest, listed := v.Purchased()
	if newest == 0 {
		return nil
	}
	place := first
	if newest == listed && len(v.Recent) > 0 { // otherwise another server has sold since
		place = cursor{v.Recent[0].CreatedAt, v.Recent[0].ID}
	}
	if place.at < q.from {
		return nil
	}
	ask := saleQuery{drop: v.Drop.ID, newestFirst: true, to: q.to}
	before := cursor{place.at, place.id + 1} // leaves out purchases made after the view
	if place == first {
		before = first
	}
	if q.before.behind(before) {
		place, before = q.before, q.before
		if ask.to == 0 || ask.to > q.before.at {
			ask.to = q.before.at + 1
		}
	}
	return &saleStream{api: a, ask: ask, view: v, place: place, before: before, more: true}
}

// saleStream reads the purchases of a drop, newest first, when they are needed.
type saleStream struct {
	api    *api
	ask    saleQuery
	view   *engine.View
	place  cursor // the next purchase, or a place before it
	before cursor // only rows behind this place count
	at     drop.PurchaseID
	begun  bool
	page   int // how many purchases it reads at a time
	found  []store.Sale
	more   bool
}

// streamPage is how many purchases of one drop are read at a time, at most. Many drops may be read at once.
const streamPage = 100

// peek returns the next purchase, or nil at the end.
func (s *saleStream) peek(ctx context.Context) (*store.Sale, error) {
	for {
		for len(s.found) > 0 && !cursorOf(&s.found[0]).behind(s.before) {
			s.found = s.found[1:]
		}
		if len(s.found) > 0 {
			return &s.found[0], nil
		}
		if !s.more {
			return nil, nil //nolint:nilnil // as documented
		}
		var err error
		if !s.begun {
			if s.at, err = s.api.firstSale(ctx, &s.ask); err != nil {
				return nil, err
			}
			s.begun = true
		}
		if s.found, s.more, err = s.api.salesPage(ctx, &s.ask, s.at, s.page); err != nil {
			return nil, err
		}
		if len(s.found) > 0 {
			s.at = s.found[len(s.found)-1].ID
		}
	}
}

// merge is a heap. The stream with the newest purchase is on top.
type merge []*saleStream

func (m merge) Len() int           { return len(m) }
func (m merge) Less(i, j int) bool { return m[j].place.behind(m[i].place) }
func (m merge) Swap(i, j int)      { m[i], m[j] = m[j], m[i] }
func (m *merge) Push(s any)        { *m = append(*m, s.(*saleStream)) }
func (m *merge) Pop() any {
	old := *m
	end := len(old) - 1
	s := old[end]
	*m = old[:end]
	return s
}

func answerShopSale(v *engine.View, s *store.Sale) shopSaleAnswer {
	return shopSaleAnswer{
		ID: s.ID, DropID: v.Drop.ID, DropName: v.Drop.Name, ReservationID: s.ReservationID, UserID: s.UserID, Username: cmp.Or(s.Username, drop.UnknownUsername),
		Email: unlessZero(&s.Email), Size: s.Size, Price: price(s.Price), CreatedAt: instant(s.CreatedAt),
		Returned: returned(s.Return), ReturnedAt: instant(s.ReturnedAt),
	}
}
