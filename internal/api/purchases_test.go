package api_test

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/pipes"
	"sneakerdrop/internal/testing/stores"
)

type (
	salesJSON struct {
		Purchases []struct {
			ID        int64   `json:"id"`
			UserID    int64   `json:"userId"`
			Username  string  `json:"username"`
			Email     *string `json:"email"`
			Size      string  `json:"size"`
			CreatedAt string  `json:"createdAt"`
		} `json:"purchases"`
		Next *int64 `json:"next"`
	}
	ledgerJSON struct {
		Entries []struct {
			Seq       int64   `json:"seq"`
			At        string  `json:"at"`
			Reason    string  `json:"reason"`
			Size      *string `json:"size"`
			Units     int64   `json:"units"`
			Available int64   `json:"available"`
		} `json:"entries"`
		Next *int64 `json:"next"`
	}
)

// soldTo creates a drop from that body and sells one unit to each buyer.
func (s *shop) soldTo(body string, buyers ...string) {
	s.Helper()
	d := mustPost[dropJSON](s, "/api/drops/create", body)
	for _, b := range buyers {
		r := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,%s}`, d.ID, b))
		s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, r.ID)))
	}
}

func TestPurchases_ForFulfilment(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody)
	s.soldTo(sizedBody, `"userId":3,"size":"9"`, `"userName":"Ann","email":"Ann@Example.com","size":9.5`, `"userName":"Bob","size":9.5`)
	s.answers(s.get("/api/drops/1/purchases"), `{"purchases":[],"next":null}`)
	const (
		p1 = `{"id":8589934593,"reservationId":8589934593,"userId":3,"username":"Unknown","email":null,"size":"9","price":90,"createdAt":T}`
		p2 = `{"id":8589934594,"reservationId":8589934594,"userId":1099511627776,"username":"Ann","email":"ann@example.com","size":"9.5","price":90,"createdAt":T}`
		p3 = `{"id":8589934595,"reservationId":8589934595,"userId":1099511627777,"username":"Bob","email":null,"size":"9.5","price":90,"createdAt":T}`
	)
	for query, want := range map[string]string{
		"":                             `[` + p1 + `,` + p2 + `,` + p3 + `],"next":null}`,
		"?limit=3":                     `[` + p1 + `,` + p2 + `,` + p3 + `],"next":null}`,
		"?limit=2":                     `[` + p1 + `,` + p2 + `],"next":8589934594}`,
		"?limit=2&after=8589934594":    `[` + p3 + `],"next":null}`,
		"?after=8589934595":            `[],"next":null}`,
		"?after=9007199254740991":      `[],"next":null}`,
		"?after=0&limit=1":             `[` + p1 + `],"next":8589934593}`,
		"?after=4294967297&limit=1000": `[` + p1 + `,` + p2 + `,` + p3 + `],"next":null}`,
		"?format=json&limit=1":         `[` + p1 + `],"next":8589934593}`,
	} {
		s.answers(s.get("/api/drops/2/purchases"+query), `{"purchases":`+want)
	}
	for _, path := range []string{"/api/drops/3/purchases", "/api/drops/0/purchases", "/api/drops/3/purchases?format=csv", "/api/drops/3/ledger", "/api/drops/2097152/ledger"} {
		s.refused(s.get(path), 404, "drop_not_found")
	}
}

func TestPurchases_AsCSV(t *testing.T) {
	s := newShop(t)
	s.soldTo(`{"name":"n","price":119.90,"total_stock":50,"start_time":"2026-01-31T10:00:00Z"}`,
		`"userId":3`,
		`"userName":"=cmd|' /C calc'!A0","email":"=a@example.com"`,
		`"userName":"+1","email":"+a@example.com"`,
		`"userName":"-1+1","email":"-a@example.com","size":"-9"`,
		`"userName":"@SUM(A1:A9)","size":"=9"`,
		`"userName":"Ann \"Shoe\" Ó Néill, Jr","email":"o'n@example.com"`,
		`"userName":"a;b=c","size":" 9"`,
		`"userName":"'=1"`,
		`"userName":"Ann; \"=HYPERLINK(1)","size":"＝1"`)
	r := s.ok(s.get("/api/drops/1/purchases?format=csv"))
	want := []string{
		`id,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt`,
		`4294967297,4294967297,3,Unknown,,,119.9,T,,`,
		`4294967298,4294967298,1099511627776,'=cmd|' /C calc'!A0,'=a@example.com,,119.9,T,,`,
		`4294967299,4294967299,1099511627777,'+1,'+a@example.com,,119.9,T,,`,
		`4294967300,4294967300,1099511627778,'-1+1,'-a@example.com,'-9,119.9,T,,`,
		`4294967301,4294967301,1099511627779,'@SUM(A1:A9),,'=9,119.9,T,,`,
		`4294967302,4294967302,1099511627780,"Ann ""Shoe"" Ó Néill, Jr",o'n@example.com,,119.9,T,,`,
		`4294967303,4294967303,1099511627781,a;b=c,,9,119.9,T,,`,
		`4294967304,4294967304,1099511627782,'=1,,,119.9,T,,`,
		`4294967305,4294967305,1099511627783,"Ann; ""'=HYPERLINK(1)",,'=1,119.9,T,,`,
		``,
	}
	lines := strings.Split(r.body, "\r\n")
	for i := range lines {
		line, kept := strings.CutSuffix(lines[i], ",,")
		if at := strings.LastIndexByte(line, ','); kept {
			if _, err := time.Parse("2006-01-02T15:04:05.000Z", line[at+1:]); err != nil {
				t.Error(err)
			}
			lines[i] = line[:at] + ",T,,"
		}
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if r.header.Get("Content-Type") != "text/csv; charset=utf-8; header=present" ||
		r.header.Get("Content-Disposition") != `attachment; filename="drop-1-purchases.csv"` || !strings.Contains(strings.Join(r.header["Vary"], ","), "Accept") {
		t.Errorf("headers %v", r.header)
	}
	for query, rows := range map[string]int{"&after=4294967302": 3, "&limit=3": 3, "&limit=1000": 9, "&after=4294967305": 0} {
		if n := strings.Count(s.ok(s.get("/api/drops/1/purchases?format=csv"+query)).body, "\r\n") - 1; n != rows {
			t.Errorf("%s: %d rows, want %d", query, n, rows)
		}
	}
	if head := s.do(s.request(http.MethodHead, "/api/drops/1/purchases?format=csv", "")); head.status != 200 || head.body != "" ||
		head.header.Get("Content-Type") != r.header.Get("Content-Type") {
		t.Errorf("HEAD: %+v", head)
	}
}

// broadSales answers with purchases that the API would not accept: an import may have stored them.
type broadSales struct{ store.Store }

func (broadSales) Purchases(context.Context, drop.ID, drop.PurchaseID, int) ([]store.Sale, error) {
	return []store.Sale{{Username: "\t=1", Email: "\r=1", Purchase: drop.Purchase{Size: "\n=1"}}, {Username: "a\nb\"=", Email: "a\n=1"}}, nil
}

func TestPurchases_AsCSVWithControlCharacters(t *testing.T) {
	s := newShopOn(t, broadSales{memory.New(func() drop.Time { return 1769853600000 })}, new(atomic.Int64))
	rows, err := csv.NewReader(strings.NewReader(s.ok(s.get("/api/drops/1/purchases?format=csv")).body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 || rows[1][3] != "'\t=1" || !strings.HasPrefix(rows[1][4], "'") || !strings.HasPrefix(rows[1][5], "'\n") || rows[2][3] != "a\nb\"=" || rows[2][4] != "a\n'=1" {
		t.Errorf("got %q", rows)
	}
}

func TestPurchases_FormatIsNegotiated(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody, `"userId":3`)
	for _, c := range []struct {
		query, accept string
		csv           bool
	}{
		{"", "", false},
		{"", "*/*", false},
		{"", "application/json", false},
		{"", "text/csv", true},
		{"", "TEXT/CSV; header=present", true},
		{"", "text/csv;q=0", false},
		{"", "text/html, text/csv;q=0.5, */*;q=0.1", true},
		{"", "application/json, text/csv;q=0.5", false},
		{"", "application/json;q=0.1, text/csv", true},
		{"", "text/*", false},
		{"", "text/csv;q=x", false},
		{"?format=csv", "application/json", true},
		{"?format=json", "text/csv", false},
	} {
		req := s.request(http.MethodGet, "/api/drops/1/purchases"+c.query, "")
		if c.accept != "" {
			req.Header.Set("Accept", c.accept)
		}
		if r := s.ok(s.do(req)); strings.HasPrefix(r.header.Get("Content-Type"), "text/csv") != c.csv {
			t.Errorf("%s Accept %s: %s", c.query, c.accept, r.header.Get("Content-Type"))
		}
	}
}

// paged counts the requested pages and makes each take a moment. It can fail at one page and hang at another.
type paged struct {
	store.Store
	pages   atomic.Int32
	most    atomic.Int32
	pause   time.Duration
	failAt  int32
	stuckAt int32
}

func (p *paged) Purchases(ctx context.Context, id drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	n := p.pages.Add(1)
	p.most.Store(max(p.most.Load(), int32(limit)))
	if n == p.stuckAt {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	select {
	case <-time.After(p.pause):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if n == p.failAt {
		return nil, &store.Error{Op: "read", Class: store.ClassFault, Err: errors.New("s3cret cause")}
	}
	return p.Store.Purchases(ctx, id, after, limit)
}

const manySales = 5000

func newPagedShop(t *testing.T, at *pipes.Listener, p *paged) *shop {
	t.Helper()
	p.Store = memory.New(stores.Now)
	s := newShopAt(t, at, p, new(atomic.Int64))
	ctx, units := context.Background(), int64(manySales)
	if _, err := s.engine.Create(ctx, drop.Spec{Name: "n", Price: 1, TotalStock: &units}, engine.Retry{}); err != nil {
		t.Fatal(err)
	}
	for i := range manySales {
		r, err := s.engine.Reserve(ctx, 1, drop.UserID(i+1), "", engine.Retry{})
		if err == nil {
			_, err = s.engine.Purchase(ctx, r.ID, 0, engine.Retry{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// TestPurchases_AsCSVOutliveTheTimeoutsOfOneRequest: neither the request timeout (10 s) nor the server's WriteTimeout
// (30 s) limits the whole export. In simulated time.
func TestPurchases_AsCSVOutliveTheTimeoutsOfOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &paged{pause: 8 * time.Second}
		s := newPagedShop(t, pipes.Listen(), p)
		began := time.Now()
		r := s.ok(s.get("/api/drops/1/purchases?format=csv"))
		if took := time.Since(began); took != 5*p.pause {
			t.Errorf("it took %s", took)
		}
		rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
		if err != nil || len(rows) != manySales+1 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, row := range rows[1:] {
			if row[2] != strconv.Itoa(i+1) {
				t.Fatalf("row %d: %v", i, row)
			}
		}
		if p.pages.Load() != 5 || p.most.Load() > 1001 {
			t.Errorf("%d pages of at most %d", p.pages.Load(), p.most.Load())
		}
		s.ok(s.do(s.request(http.MethodHead, "/api/drops/1/purchases?format=csv", "")))
		if p.pages.Load() != 6 {
			t.Errorf("HEAD read %d pages", p.pages.Load()-5)
		}
	})
}

func TestPurchases_AsCSVCutShortDoNotLookWhole(t *testing.T) {
	p := &paged{failAt: 3}
	s := newPagedShop(t, nil, p)
	resp, err := s.client.Do(s.request(http.MethodGet, "/api/drops/1/purchases?format=csv", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	n := 0
	for lines.Scan() {
		n++
	}
	if lines.Err() == nil || n > manySales || strings.Contains(lines.Text(), "s3cret") {
		t.Errorf("%d lines, then %v", n, lines.Err())
	}
	if log := s.log.String(); !strings.Contains(log, "s3cret cause") || !strings.Contains(log, `"outcome":"internal"`) {
		t.Errorf("log: %s", log)
	}
}

// TestPurchases_AsCSVEndWhenTheReaderGoesAway: the reader has received the first page while the store reads the
// second.
func TestPurchases_AsCSVEndWhenTheReaderGoesAway(t *testing.T) {
	p := &paged{stuckAt: 2}
	s := newPagedShop(t, nil, p)
	ctx, cancel := context.WithTimeout(context.Background(), await.Patience)
	defer cancel()
	resp, err := s.client.Do(s.request(http.MethodGet, "/api/drops/1/purchases?format=csv", "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for n := range 1001 {
		if !lines.Scan() {
			t.Fatalf("%d lines, then %v", n, lines.Err())
		}
	}
	cancel()
	await.Until(t, "the export has ended", func() bool { return strings.Contains(s.log.String(), `"call":"list-purchases"`) })
	if log := s.log.String(); p.pages.Load() != 2 || strings.Contains(log, "ERROR") || strings.Contains(log, "WARN") {
		t.Errorf("%d pages, log %s", p.pages.Load(), log)
	}
}

func TestLedger_PagesToTheEndAreGapFree(t *testing.T) {
	s := newShop(t)
	mustPost[dropJSON](s, "/api/drops/create", `{"name":"n","price":1,"total_stock":40,"start_time":"2026-01-31T10:00:00Z"}`)
	s.soldTo(sizedBody, `"userId":3,"size":"9"`)
	for i := range 12 {
		r := mustPost[reservationJSON](s, "/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, i+1))
		call := []string{"purchase", "cancel"}[i%2]
		s.ok(s.post("/api/drops/"+call, fmt.Sprintf(`{"reservationId":%d}`, r.ID)))
	}
	s.ok(s.post("/api/drops/1/restock", `{"add":5}`))
	s.ok(s.post("/api/drops/1/restock", `{"add":-2}`))
	const total = 1 + 12*2 + 2
	for _, limit := range []int{1, 7, 26, 27, 28, 1000} {
		var after, seq, units, pages int64
		for next := new(int64); next != nil; pages++ {
			page := decoded[ledgerJSON](t, s.ok(s.get(fmt.Sprintf("/api/drops/1/ledger?after=%d&limit=%d", after, limit))))
			for _, e := range page.Entries {
				if seq++; e.Seq != seq || e.Size != nil {
					t.Fatalf("limit %d: entry %+v at %d", limit, e, seq)
				}
				switch e.Reason {
				case "created", "restocked", "reservation_cancelled":
					units += e.Units
				case "reserved":
					units -= e.Units
				}
				if e.Available != units {
					t.Fatalf("limit %d: %+v, replayed %d", limit, e, units)
				}
			}
			if next = page.Next; next != nil {
				after = *next
			}
		}
		if seq != total || pages != int64((total+limit-1)/limit) {
			t.Errorf("limit %d: %d entries on %d pages", limit, seq, pages)
		}
	}
	got := decoded[ledgerJSON](t, s.get("/api/drops/2/ledger"))
	if len(got.Entries) != 4 || *got.Entries[0].Size != "9" || *got.Entries[1].Size != "9.5" || got.Entries[3].Reason != "purchased" || got.Next != nil {
		t.Errorf("got %+v", got)
	}
	if got := decoded[ledgerJSON](t, s.get("/api/drops/1/ledger?after=9007199254740991")); got.Entries == nil || len(got.Entries) != 0 || got.Next != nil {
		t.Errorf("beyond the end: %+v", got)
	}
}
