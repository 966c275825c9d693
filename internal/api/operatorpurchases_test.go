package api_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

type allPurchasesJSON struct {
	Purchases []struct {
		ID        int64   `json:"id"`
		DropID    int64   `json:"dropId"`
		DropName  string  `json:"dropName"`
		Username  string  `json:"username"`
		Email     *string `json:"email"`
		CreatedAt string  `json:"createdAt"`
	} `json:"purchases"`
	Next *string `json:"next"`
}

func (s *shop) allPurchases(query string) []int64 {
	s.Helper()
	all := []int64{}
	for at := ""; ; {
		page := decoded[allPurchasesJSON](s, s.ok(s.get("/api/operator/purchases?"+query+at)))
		for _, p := range page.Purchases {
			all = append(all, p.ID)
			if p.DropID != p.ID>>32 || p.DropName != fmt.Sprintf("Drop %d", p.DropID) {
				s.Fatalf("a purchase of another drop: %+v", p)
			}
		}
		if page.Next == nil {
			return all
		}
		at = "&before=" + *page.Next
	}
}

// allPurchasesFile returns the ids of the purchases in a CSV.
func (s *shop) allPurchasesFile(query string) []int64 {
	s.Helper()
	r := s.ok(s.get("/api/operator/purchases?format=csv&" + query))
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if err != nil || len(rows) == 0 || strings.Join(rows[0], " ") != "id dropId dropName reservationId userId username email size price createdAt returned returnedAt" {
		s.Fatalf("%v, %.200s", err, r.body)
	}
	ids := []int64{}
	for _, row := range rows[1:] {
		id, err := strconv.ParseInt(row[0], 10, 64)
		if err != nil || row[1] != strconv.FormatInt(id>>32, 10) || row[2] != "Drop "+row[1] {
			s.Fatalf("%v, %q", err, row)
		}
		ids = append(ids, id)
	}
	return ids
}

func TestAllPurchases_AsCSV(t *testing.T) {
	s := newShop(t)
	for _, name := range []string{"Plain", "=HYPERLINK(1)"} {
		s.soldTo(fmt.Sprintf(`{"name":%q,"price":1.50,"total_stock":9,"start_time":"2026-01-31T10:00:00Z"}`, name), `"userName":"+Ann","email":"ann@example.com"`)
	}
	const path = "/api/operator/purchases?format=csv"
	file := s.ok(s.get(path))
	want := `id,dropId,dropName,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt
8589934593,2,'=HYPERLINK(1),8589934593,1099511627776,'+Ann,ann@example.com,,1.5,TIME,,
4294967297,1,Plain,4294967297,1099511627776,'+Ann,ann@example.com,,1.5,TIME,,
`
	got := regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,,\r`).ReplaceAllString(file.body, "TIME,,\r")
	if want = strings.ReplaceAll(want, "\n", "\r\n"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if h := file.header; h.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
		h.Get("Content-Disposition") != `attachment; filename="purchases.csv"` || !slices.Contains(h.Values("Vary"), "Accept") {
		t.Errorf("the headers are %v", h)
	}
	for query, rows := range map[string]int{
		"&bom=1": 2, "&limit=1": 1, "&drop=2": 1, "&q=ann": 2, "&q=2-1": 1, "&q=nobody": 0, "&from=2027-01-01T00:00:00Z": 0,
	} {
		body := s.ok(s.get(path + query)).body
		if strings.Count(body, "\r\n") != rows+1 || strings.HasPrefix(body, "\ufeff") != (query == "&bom=1") {
			t.Errorf("%s: %q", query, body)
		}
	}
	// The server of HTTP/1.1 must know that this answer is not one of those that it sends whole.
	resp, err := s.client.Get("http://" + plainly(t, s) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != file.body {
		t.Errorf("over the server's own HTTP/1.1: %q, %v", body, err)
	}
	if head := s.ok(s.do(s.request(http.MethodHead, path, ""))); head.body != "" {
		t.Errorf("HEAD: %+v", head)
	}
	for query, field := range map[string]string{
		"format=xlsx": "format", "format=csv&bom=2": "bom", "format=csv&to=x": "to", "format=csv&before=1": "before", "format=csv&limit=0": "limit",
	} {
		if e := s.refused(s.get("/api/operator/purchases?"+query), 422, "invalid"); e.Field != field {
			t.Errorf("%s: names %s", query, e.Field)
		}
	}
	s.refused(s.get(path+"&drop=9"), 404, "drop_not_found")
	for accept, csv := range map[string]bool{"text/csv": true, "*/*": false, "application/json, text/csv;q=0.5": false, xlsxMedia: false} {
		req := s.request(http.MethodGet, "/api/operator/purchases", "")
		req.Header.Set("Accept", accept)
		if r := s.ok(s.do(req)); strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") != csv {
			t.Errorf("Accept %s: %s", accept, r.header.Get("Content-Type"))
		}
	}
}

func TestAllPurchases_AsCSVForThoseWhoMaySeeThem(t *testing.T) {
	g := newGuarded(t)
	const path = "/api/operator/purchases?format=csv"
	views, _ := g.operatorToken(operator.Viewer, 0)
	g.ok(g.as(views, http.MethodGet, path, ""))
	g.ok(g.as(g.admin, http.MethodGet, path, ""))
	g.refused(g.get(path), http.StatusUnauthorized, "unauthenticated")
	g.refused(g.as(g.ann, http.MethodGet, path, ""), http.StatusForbidden, "forbidden")
	if log := g.log("").Actions; log[0].Call != "list-all-purchases" || !strings.Contains(log[0].Detail, "csv") {
		t.Errorf("the log has %+v", log[0])
	}
}

// stuckSales counts the purchases that are read, and lets nobody read more than that until the test says so.
type stuckSales struct {
	store.Store

	rows atomic.Int64
	most int64
	more chan struct{}
}

func (s *stuckSales) NewestPurchases(ctx context.Context, id drop.ID, before drop.PurchaseID, limit int) ([]store.Sale, error) {
	if s.rows.Load() > s.most {
		select {
		case <-s.more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	found, err := s.Store.NewestPurchases(ctx, id, before, limit)
	s.rows.Add(int64(len(found)))
	return found, err
}

// The first rows arrive while the store has read no more than a page or two of each drop: the file is never whole in
// memory.
func TestAllPurchases_AsCSVAreSentWhileTheyAreRead(t *testing.T) {
	const drops, each = 3, 2000
	sales := &stuckSales{Store: memory.New(clockOf(new(atomic.Int64))), most: 1500, more: make(chan struct{})}
	var filled []store.Filled
	for id := drop.ID(1); id <= drops; id++ {
		times := make([]drop.Time, each)
		for i := range times {
			times[i] = drop.Time(1_767_225_600_000) + drop.Time(i*drops) + drop.Time(id)
		}
		state, changes := soldDrop(id, times)
		filled = append(filled, store.Filled{State: state, Changes: changes})
	}
	if err := store.Fill(t.Context(), sales.Store, nil, filled, false); err != nil {
		t.Fatal(err)
	}
	s := newShopOn(t, sales, new(atomic.Int64))
	resp, err := s.client.Do(s.request(http.MethodGet, "/api/operator/purchases?format=csv", ""))
	if err != nil {
		close(sales.more)
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for n := range 1001 {
		if !lines.Scan() {
			close(sales.more)
			t.Fatalf("%d lines, then %v", n, lines.Err())
		}
	}
	if n := sales.rows.Load(); n > sales.most+drops*101 {
		t.Errorf("%d rows were read for the first 1000", n)
	}
	close(sales.more)
	n := 1001
	for lines.Scan() {
		n++
	}
	if lines.Err() != nil || n != drops*each+1 {
		t.Errorf("%d lines, then %v", n, lines.Err())
	}
}

// The purchases of all drops come newest first and each exactly once, whatever the page size, the range and the
// filters.
func TestAllPurchases_AreThoseOfEachDropNewestFirst(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 2))
	const begin = drop.Time(1_767_225_600_000)
	memory := memory.New(clockOf(new(atomic.Int64)))
	type sale struct {
		at   drop.Time
		id   int64
		size string
	}
	var all []sale
	var filled []store.Filled
	for id := drop.ID(1); id <= 12; id++ {
		var times []drop.Time
		at := begin + drop.Time(random.IntN(2000))
		for range []int{0, 1, 5, 350}[random.IntN(4)] { // more than two pages of one drop
			at += drop.Time(random.IntN(5))
			times = append(times, at)
		}
		state, changes := soldDrop(id, times)
		for _, p := range changes.Purchases {
			all = append(all, sale{p.CreatedAt, int64(p.ID), p.Size})
		}
		filled = append(filled, store.Filled{State: state, Changes: changes})
	}
	if err := store.Fill(t.Context(), memory, nil, filled, false); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b sale) int {
		if a.at != b.at {
			return int(b.at - a.at)
		}
		return int(b.id - a.id)
	})
	s := newShopOn(t, memory, new(atomic.Int64))
	for range 30 {
		var from, to drop.Time
		if random.IntN(2) == 0 {
			from = begin + drop.Time(random.IntN(3000))
		}
		if random.IntN(2) == 0 {
			to = max(from, begin) + 1 + drop.Time(random.IntN(3000))
		}
		size, id := []string{"", "9"}[random.IntN(2)], random.Int64N(13)
		want := []int64{}
		for _, s := range all {
			if s.at >= from && (to == 0 || s.at < to) && (size == "" || s.size == size) && (id == 0 || s.id>>32 == id) {
				want = append(want, s.id)
			}
		}
		query := rangeOf(from, to, size) + fmt.Sprintf("&limit=%d", 1+random.IntN(300))
		if len(want) > 200 {
			query = rangeOf(from, to, size) + "&limit=90"
		}
		if id != 0 {
			query += fmt.Sprintf("&drop=%d", id)
		}
		if got := s.allPurchases(query); !slices.Equal(got, want) {
			t.Fatalf("seed %d, %s: %d purchases, want %d", seed, query, len(got), len(want))
		}
		query = strings.ReplaceAll(query, "limit=", "was=") // a file has all of them
		if got := s.allPurchasesFile(query); !slices.Equal(got, want) {
			t.Fatalf("seed %d, %s as CSV: %d purchases, want %d", seed, query, len(got), len(want))
		}
	}
}

func TestAllPurchases_FindABuyerInEveryDrop(t *testing.T) {
	s := newShop(t)
	for _, name := range []string{"Drop 1", "Drop 2"} {
		s.soldTo(fmt.Sprintf(`{"name":%q,"price":1,"total_stock":50,"start_time":"2026-01-31T10:00:00Z"}`, name), `"userName":"Ann Smith","email":"ann@example.com"`, `"userId":77`, `"userName":"Bob"`)
	}
	for q, want := range map[string][]int64{
		"ann": {2<<32 + 1, 1<<32 + 1}, "ann smith": {2<<32 + 1, 1<<32 + 1}, "77": {2<<32 + 2, 1<<32 + 2}, "2-3": {2<<32 + 3}, "nobody": {}, "": {2<<32 + 3, 2<<32 + 2, 2<<32 + 1, 1<<32 + 3, 1<<32 + 2, 1<<32 + 1},
	} {
		got := s.allPurchases("limit=1&q=" + url.QueryEscape(q))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", q, got, want)
		}
	}
	s.soldTo(`{"name":"Rehearsal of 2","price":1,"total_stock":5,"start_time":"2026-01-31T10:00:00Z"}`, `"userId":77`)
	s.ok(s.do(s.request("PATCH", "/api/drops/3", `{"hidden":true}`)))
	if all := s.ok(s.get("/api/operator/purchases")).body; strings.Contains(all, "Rehearsal") {
		t.Errorf("with those of a rehearsal: %s", all)
	}
	if one := s.ok(s.get("/api/operator/purchases?drop=3")).body; strings.Count(one, "Rehearsal of 2") != 1 {
		t.Errorf("those of a rehearsal: %s", one)
	}
	if found := s.newest(""); len(found.Purchases) != 3 {
		t.Errorf("the second drop: %+v", found)
	}
	for query, field := range map[string]string{
		"before=": "before", "before=5": "before", "before=1-x": "before", "before=1-2&before=1-2": "before", "before=-1-2": "before", "before=01-2": "before",
		"drop=0": "drop", "drop=x": "drop", "drop=2097152": "drop", "q=a&q=b": "q", "from=now": "from", "limit=1001": "limit", "size=": "size",
	} {
		if e := s.refused(s.get("/api/operator/purchases?"+query), 422, "invalid"); e.Field != field {
			t.Errorf("%s: names %s", query, e.Field)
		}
	}
	s.refused(s.get("/api/operator/purchases?drop=9"), 404, "drop_not_found")
}

// The newest page does not read drops that sold their last pair long ago.
func TestAllPurchases_ReadOnlyDropsThatSoldSince(t *testing.T) {
	counted := &countedSales{Store: memory.New(clockOf(new(atomic.Int64)))}
	var filled []store.Filled
	for id := drop.ID(1); id <= 60; id++ {
		times := make([]drop.Time, 150)
		for i := range times {
			times[i] = drop.Time(1_767_225_600_000) + drop.Time(id)*1_000_000 + drop.Time(i)
		}
		state, changes := soldDrop(id, times)
		filled = append(filled, store.Filled{State: state, Changes: changes})
	}
	if err := store.Fill(t.Context(), counted.Store, nil, filled, false); err != nil {
		t.Fatal(err)
	}
	s := newShopOn(t, counted, new(atomic.Int64))
	counted.rows.Store(0)
	page := decoded[allPurchasesJSON](s, s.ok(s.get("/api/operator/purchases?limit=100")))
	if len(page.Purchases) != 100 || page.Purchases[0].ID != 60<<32+150 {
		t.Fatalf("%d purchases", len(page.Purchases))
	}
	if n := counted.rows.Load(); n > 400 {
		t.Errorf("%d rows were read for the newest 100", n)
	}
	counted.rows.Store(0)
	page = decoded[allPurchasesJSON](s, s.ok(s.get("/api/operator/purchases?limit=100&before="+fmt.Sprintf("%d-%d", 1_767_225_600_000+2_000_050, 2<<32+51))))
	if len(page.Purchases) != 100 || page.Purchases[0].ID != 2<<32+50 {
		t.Fatalf("from the middle of the second drop: %+v", page.Purchases[0])
	}
}

type buyersJSON struct {
	Buyers []buyerJSON `json:"buyers"`
	Next   *int64      `json:"next"`
}

type buyerJSON struct {
	ID       int64   `json:"id"`
	Username string  `json:"username"`
	Email    *string `json:"email"`
}

func TestBuyers_AreFoundByNameEmailAndNumber(t *testing.T) {
	s := newShop(t)
	const one = int64(1 << 40)
	own := strconv.FormatInt(one+5, 10) // the name, and part of two others, of the buyer with this number
	for _, name := range []string{"Ann Smith", "Bob", "ann-marie", "Zoë", "90210", own, own + " a", own + " b"} {
		s.ok(s.post("/api/users", fmt.Sprintf(`{"username":%q,"email":%q}`, name, strings.ToLower(strings.ReplaceAll(name, " ", "."))+"@example.com")))
	}
	s.soldTo(createBody, `"userId":77`)
	all := []int64{one + 7, one + 6, one + 5, one + 4, one + 3, one + 2, one + 1, one}
	for q, want := range map[string][]int64{
		"": all, "ann": {one + 2, one}, "ANN smith": {one}, "zoë": {one + 3}, "@example.com": all, "#77": {77}, "79": {}, "nobody": {},
		"77": {77, one + 7, one + 6, one + 5}, "0": {one + 7, one + 6, one + 5, one + 4}, "90210": {one + 4}, "9007199254740992": {},
		strconv.FormatInt(one+1, 10): {one + 1}, own: {one + 5, one + 7, one + 6},
	} {
		got := []int64{}
		for at := ""; ; {
			page := decoded[buyersJSON](s, s.ok(s.get("/api/operator/buyers?limit=2&q="+url.QueryEscape(q)+at)))
			for _, b := range page.Buyers {
				got = append(got, b.ID)
			}
			if page.Next == nil || len(got) > 20 {
				break
			}
			at = fmt.Sprintf("&before=%d", *page.Next)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", q, got, want)
		}
	}
	for query, field := range map[string]string{"q=%ff": "q", "before=0": "before", "limit=0": "limit", "q=a&q=b": "q"} {
		if e := s.refused(s.get("/api/operator/buyers?"+query), 422, "invalid"); e.Field != field {
			t.Errorf("%s: names %s", query, e.Field)
		}
	}
}

func TestBuyer_ShowsReservationsAndPurchasesOfAllDrops(t *testing.T) {
	s := newShop(t)
	s.ok(s.post("/api/drops/create", createBody))
	s.ok(s.post("/api/drops/create", sizedBody))
	ann := `"userName":"Ann","email":"ann@example.com"`
	held := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,`+ann+`}`)
	given := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,`+ann+`,"size":"9"}`)
	s.ok(s.post("/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, given.ID)))
	paid := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":2,`+ann+`,"size":"9.5"}`)
	s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, paid.ID)))
	body := s.ok(s.get(fmt.Sprintf("/api/operator/buyers/%d", paid.UserID))).body
	for _, want := range []string{
		`"username":"Ann","email":"ann@example.com"`, `"status":"completed"`, `"status":"cancelled"`, `"status":"active"`, `"dropName":"Court Runner","size":"9.5"`,
		`"purchase":{"id":8589934593,"price":90,`, `"dropName":"Air Zenith 1"`, `"purchase":null`, `"more":false`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not in %s", want, body)
		}
	}
	if held.UserID != paid.UserID {
		t.Errorf("two buyers: %d, %d", held.UserID, paid.UserID)
	}
	if one := s.ok(s.get(fmt.Sprintf("/api/operator/buyers/%d?limit=1", paid.UserID))).body; !strings.Contains(one, `"more":true`) || strings.Count(one, "dropName") != 1 {
		t.Errorf("one of three: %s", one)
	}
	mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":77}`)
	if unknown := s.ok(s.get("/api/operator/buyers/77")).body; !strings.Contains(unknown, `"username":"Unknown","email":null`) || strings.Count(unknown, "dropName") != 1 {
		t.Errorf("a buyer whose name was never told: %s", unknown)
	}
	for _, id := range []string{"78", "0", "9007199254740992", "99999999999999999999"} {
		s.refused(s.get("/api/operator/buyers/"+id), 404, "user_not_found")
	}
	s.refused(s.get("/api/operator/buyers/ann"), 422, "invalid")
	s.refused(s.get("/api/operator/buyers/77?limit=501"), 422, "invalid")
}

// The log names operators who look up buyers. It does not have the name or email that they looked for.
func TestBuyers_TheLogSaysWhoLooked(t *testing.T) {
	g := newGuarded(t)
	views, _ := g.operatorToken(operator.Viewer, 0)
	for _, path := range []string{"/api/operator/buyers?q=ann&limit=5", "/api/operator/purchases?q=ann%40example.com", "/api/operator/buyers/77"} {
		g.as(views, "GET", path, "")
		g.refused(g.as(g.ann, "GET", path, ""), 403, "forbidden")
		g.refused(g.as("", "GET", path, ""), 401, "unauthenticated")
	}
	got := g.log("?limit=3").Actions
	if got[0].Call != "get-buyer" || got[0].Detail != "buyer 77" || got[0].DropID != nil || *got[0].Outcome != "user_not_found" ||
		got[1].Call != "list-all-purchases" || got[1].Detail != "q=…" || got[2].Call != "list-buyers" || got[2].Detail != "q=…&limit=5" {
		t.Errorf("%+v", got)
	}
}
