package api_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/xuri/excelize/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// soldAt is a store with one drop that sold a unit at each of these times (in ms), alternately in sizes 9 and 10.
func soldAt(t testing.TB, times ...drop.Time) *memory.Store {
	t.Helper()
	s := memory.New(clockOf(new(atomic.Int64)))
	state, changes := soldDrop(1, times)
	if err := store.Fill(context.Background(), s, nil, []store.Filled{{State: state, Changes: changes}}, false); err != nil {
		t.Fatal(err)
	}
	return s
}

// soldDrop is a drop that sold a unit at each of these times, to the buyer of that number.
func soldDrop(id drop.ID, times []drop.Time) (*drop.State, *drop.Changes) {
	n := int64(len(times))
	spec := drop.Spec{Name: fmt.Sprintf("Drop %d", id), Price: 10000, StartTime: 1000, Sizes: []drop.SizeSpec{{Label: "9", Stock: n + 1}, {Label: "10", Stock: n + 1}}}
	state, changes := spec.Create(id, 1000, drop.BatchID{1})
	for i, at := range times {
		size := &state.Sizes[i%2]
		size.Stock.Available--
		size.Stock.Sold++
		number := uint32(i + 1)
		r := &drop.Reservation{
			ID: drop.NewReservationID(id, number), UserID: drop.UserID(number), Size: size.Label, Status: drop.Completed,
			CreatedAt: at, ExpiresAt: at + 1, EndedAt: at,
		}
		changes.Made = append(changes.Made, r)
		changes.Purchases = append(changes.Purchases, drop.Purchase{
			ID: drop.NewPurchaseID(id, number), ReservationID: r.ID, UserID: r.UserID, Size: r.Size, Price: 10000, CreatedAt: at,
		})
		state.LastAt = at
	}
	state.Reserved, state.Purchased = uint32(len(times)), uint32(len(times))
	return state, changes
}

// wanted returns the numbers of the purchases between two times (0: no bound) in a size.
func wanted(times []drop.Time, from, to drop.Time, size string) (numbers []int64) {
	for i, at := range times {
		if at >= from && (to == 0 || at < to) && (size == "" || size == []string{"9", "10"}[i%2]) {
			numbers = append(numbers, int64(i+1))
		}
	}
	return numbers
}

func rangeOf(from, to drop.Time, size string) string {
	v := url.Values{}
	if from != 0 {
		v.Set("from", from.String())
	}
	if to != 0 {
		v.Set("to", to.String())
	}
	if size != "" {
		v.Set("size", size)
	}
	return v.Encode()
}

// A range of times and a size find the same purchases in every order, in pages and in files.
func TestPurchases_OfATimeRangeAndSize(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))
	const begin = drop.Time(1_767_225_600_000)
	times := []drop.Time{begin}
	for range 2500 { // more than two pages of a file; some have the same time
		times = append(times, times[len(times)-1]+drop.Time(random.IntN(4)))
	}
	end := times[len(times)-1]
	s := newShopOn(t, soldAt(t, times...), new(atomic.Int64))
	moment := func() drop.Time {
		return []drop.Time{0, begin - 5, begin, end, end + 1, end + 5, begin + drop.Time(random.Int64N(int64(end-begin)))}[random.IntN(7)]
	}
	for range 40 {
		from, to, size := moment(), moment(), []string{"", "9", "10", "11"}[random.IntN(4)]
		if to != 0 && to <= from {
			from, to = to, from
		}
		if from == to {
			from = 0
		}
		query, want := rangeOf(from, to, size), wanted(times, from, to, size)
		what := fmt.Sprintf("seed %d, %s", seed, query)
		if got := numbersInPages(s, query, "after"); !slices.Equal(got, want) {
			t.Fatalf("%s: the oldest first: %d purchases, want %d", what, len(got), len(want))
		}
		got := numbersInPages(s, "order=newest&"+query, "before")
		slices.Reverse(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: the newest first: %d purchases, want %d", what, len(got), len(want))
		}
		lines := strings.Split(strings.TrimSpace(s.ok(s.get("/api/drops/1/purchases?format=csv&"+query)).body), "\r\n")[1:]
		if len(lines) != len(want) {
			t.Fatalf("%s: a CSV of %d purchases, want %d", what, len(lines), len(want))
		}
		for i, line := range lines {
			if id, _, _ := strings.Cut(line, ","); id != strconv.FormatInt(1<<32+want[i], 10) {
				t.Fatalf("%s: line %d of the CSV is %s, want purchase %d", what, i, line, want[i])
			}
		}
	}
	from, to := times[1200], times[1300]
	book, err := excelize.OpenReader(bytes.NewReader([]byte(s.ok(s.get("/api/drops/1/purchases?format=xlsx&" + rangeOf(from, to, "9"))).body)))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := book.GetRows("Purchases")
	if want := wanted(times, from, to, "9"); err != nil || len(rows) != len(want)+1 || rows[1][0] != strconv.FormatInt(1<<32+want[0], 10) {
		t.Errorf("a workbook of %d rows, want %d: %v", len(rows), len(want)+1, err)
	}
	if limited := s.ok(s.get("/api/drops/1/purchases?format=csv&limit=3&" + rangeOf(from, 0, "10"))).body; strings.Count(limited, "\r\n") != 4 {
		t.Errorf("a CSV of three purchases at most: %q", limited)
	}
}

// numbersInPages reads everything that a query finds, in small pages.
func numbersInPages(s *shop, query, next string) []int64 {
	s.Helper()
	all := []int64{}
	for at := ""; ; {
		page := decoded[newestJSON](s, s.ok(s.get("/api/drops/1/purchases?limit=700&"+query+at)))
		all = append(all, page.numbers()...)
		if page.Next == nil {
			return slices.Clip(all)
		}
		at = fmt.Sprintf("&%s=%d", next, *page.Next)
	}
}

// countedSales counts the rows of purchases that are read.
type countedSales struct {
	store.Store
	rows atomic.Int64
}

func (s *countedSales) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	found, err := s.Store.Purchases(ctx, id, after, limit)
	s.rows.Add(int64(len(found)))
	return found, err
}

func (s *countedSales) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	found, err := s.Store.NewestPurchases(ctx, id, before, limit)
	s.rows.Add(int64(len(found)))
	return found, err
}

// A few reads of single rows are enough to find a range of times, however many purchases a drop has.
func TestPurchases_OfATimeRangeReadFewRows(t *testing.T) {
	times := make([]drop.Time, 20_000)
	for i := range times {
		times[i] = drop.Time(1_767_225_600_000 + i)
	}
	counted := &countedSales{Store: soldAt(t, times...)}
	s := newShopOn(t, counted, new(atomic.Int64))
	for _, order := range []string{"", "&order=newest"} {
		counted.rows.Store(0)
		s.ok(s.get("/api/drops/1/purchases?limit=10&" + rangeOf(times[9000], times[9005], "") + order))
		if n := counted.rows.Load(); n > 2000 { // two reads for each doubling, and a page
			t.Errorf("%s: %d rows of 20,000 were read for 5", order, n)
		}
	}
}

func TestPurchases_RefuseATimeRangeTheyCannotRead(t *testing.T) {
	s := newShopOn(t, soldAt(t, 1_767_225_600_000), new(atomic.Int64))
	for query, field := range map[string]string{
		"from=2026-01-31": "from", "from=2026-01-31T10:00:00": "from", "to=": "to", "from=now": "from", "to=1769850000000": "to",
		"from=2026-01-31T10:00:00Z&from=2026-01-31T10:00:00Z": "from", "from=2026-01-31T10:00:00Z&to=2026-01-31T10:00:00Z": "to",
		"from=2026-01-31T10:00:00Z&to=2026-01-31T10:30:00%2B01:00": "to", "to=2026-01-31T10:00:00+01:00": "to", "from=1969-01-01T00:00:00Z": "from",
		"size=": "size", "size=9&size=10": "size", "size=" + strings.Repeat("x", 33): "size", "size=%ff": "size",
	} {
		for _, format := range []string{"", "&format=csv", "&format=xlsx", "&order=newest"} {
			if e := s.refused(s.get("/api/drops/1/purchases?"+query+format), 422, "invalid"); e.Field != field {
				t.Errorf("%s: names %s (%s), want %s", query, e.Field, e.Error, field)
			}
		}
	}
	s.refused(s.get("/api/drops/9/purchases?from=2026-01-31T10:00:00Z&format=csv"), 404, "drop_not_found")
	s.refused(s.get("/api/drops/9/purchases?to=2026-01-31T10:00:00Z&order=newest"), 404, "drop_not_found")
}
