package api_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

const xlsxMedia = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

func workbookOf(t testing.TB, body string) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// soldTexts answers with purchases whose texts a spreadsheet would like to convert.
type soldTexts struct {
	store.Store

	sales []store.Sale
}

func (s soldTexts) Purchases(_ context.Context, _ drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	for len(s.sales) > 0 && s.sales[0].ID <= after {
		s.sales = s.sales[1:]
	}
	return s.sales[:min(limit, len(s.sales))], nil
}

func TestPurchases_AsWorkbookKeepTextsAsTheyAre(t *testing.T) {
	texts := []string{
		"7-8", "3E5", "09", "1.50", "0049123", "=1+1", "+1", "@SUM(A1)", "'=1", " =1", "\ufeff=1", " 9 ", "1/2", "TRUE", "1,5", "<b>&\"'</b>", "_x000D_", "a\nb", "日本 👟", "9999999999999999", "",
	}
	at := drop.TimeOf(time.Date(2026, 11, 22, 22, 47, 0, 668e6, time.UTC))
	var sales []store.Sale
	for i, text := range texts {
		id := drop.NewPurchaseID(1, uint32(i+1))
		sales = append(sales, store.Sale{
			Purchase: drop.Purchase{ID: id, ReservationID: 9007199254740991, UserID: 49123, Size: text, Price: drop.MoneyOf(1_199_950), CreatedAt: at},
			Username: text, Email: text,
		})
	}
	s := newShopOn(t, soldTexts{memory.New(func() drop.Time { return at }), sales}, new(atomic.Int64), inCurrency("KWD", 3))
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	r := s.ok(s.get("/api/drops/1/purchases?format=xlsx"))
	if r.header.Get("Content-Type") != xlsxMedia || r.header.Get("Content-Disposition") != `attachment; filename="drop-1-purchases.xlsx"` {
		t.Errorf("headers %v", r.header)
	}
	f := workbookOf(t, r.body)
	rows, err := f.GetRows("Purchases", excelize.Options{RawCellValue: true})
	if err != nil || len(rows) != len(texts)+1 || strings.Join(rows[0], ",") != "id,reservationId,userId,username,email,size,price,createdAt,returned,returnedAt" {
		t.Fatalf("%d rows, %v, %v", len(rows), rows[0], err)
	}
	for i, text := range texts {
		n := i + 2
		for column, want := range map[string]string{
			"A": fmt.Sprint(drop.NewPurchaseID(1, uint32(i+1))), "B": "9007199254740991", "C": "49123", "D": text, "E": text, "F": text,
		} {
			cell := fmt.Sprintf("%s%d", column, n)
			kind, err := f.GetCellType("Purchases", cell)
			value, failed := f.GetCellValue("Purchases", cell)
			formula, wrong := f.GetCellFormula("Purchases", cell)
			if err := errors.Join(err, failed, wrong); err != nil || value != want || formula != "" || want != "" && kind != excelize.CellTypeInlineString {
				t.Errorf("%s is %q (%v, formula %q), want %q: %v", cell, value, kind, formula, want, err)
			}
		}
		price, err := f.GetCellValue("Purchases", fmt.Sprintf("G%d", n))
		days, failed := strconv.ParseFloat(rows[i+1][7], 64)
		when := drop.Time(math.Round((days - 25_569) * 86_400_000)) // days since December 30, 1899
		shown, late := f.GetCellValue("Purchases", fmt.Sprintf("H%d", n))
		if err := errors.Join(err, failed, late); err != nil || price != "119.995" || rows[i+1][6] != "119.995" || when != at ||
			!strings.HasPrefix(shown, "2026-11-22 22:47:0") || !strings.HasSuffix(shown, " UTC") {
			t.Errorf("price %s (%s), time %s %s, %v", price, rows[i+1][6], when, shown, err)
		}
	}
	for query, want := range map[string]int{"&after=4294967299": len(texts) - 3, "&limit=3": 3, "&after=4294967399": 0} {
		rows, err := workbookOf(t, s.ok(s.get("/api/drops/1/purchases?format=xlsx"+query)).body).GetRows("Purchases")
		if err != nil || len(rows)-1 != want {
			t.Errorf("%s: %d rows, %v", query, len(rows)-1, err)
		}
	}
	if head := s.do(s.request(http.MethodHead, "/api/drops/1/purchases?format=xlsx", "")); head.status != 200 || head.body != "" || head.header.Get("Content-Type") != xlsxMedia {
		t.Errorf("HEAD: %+v", head)
	}
	s.refused(s.get("/api/drops/2/purchases?format=xlsx"), 404, "drop_not_found")
	s.refused(s.get("/api/drops/1/purchases?format=xls"), 422, "invalid")
	s.refused(s.get("/api/drops/1/purchases?format=xlsx&order=newest"), 422, "invalid")
}

func TestPurchases_WorkbookIsNegotiated(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody, `"userId":3`)
	for accept, want := range map[string]string{
		xlsxMedia: xlsxMedia, xlsxMedia + ";q=0": "application/json", "application/json, " + xlsxMedia + ";q=0.5": "application/json",
		"text/csv;q=0.5, " + xlsxMedia: xlsxMedia, "text/csv, " + xlsxMedia + ";q=0.9": "text/csv", "application/*": "application/json",
	} {
		req := s.request(http.MethodGet, "/api/drops/1/purchases", "")
		req.Header.Set("Accept", accept)
		if r := s.ok(s.do(req)); !strings.HasPrefix(r.header.Get("Content-Type"), want) {
			t.Errorf("Accept %s: %s, want %s", accept, r.header.Get("Content-Type"), want)
		}
	}
}

func TestPurchases_CSVBeginsWithAMarkWhereAsked(t *testing.T) {
	s := newShop(t)
	s.soldTo(createBody, `"userName":"Ána"`)
	for query, want := range map[string]string{"": "id,", "&bom=0": "id,", "&bom=1": "\ufeffid,"} {
		if r := s.ok(s.get("/api/drops/1/purchases?format=csv" + query)); !strings.HasPrefix(r.body, want) || !strings.Contains(r.body, ",Ána,") {
			t.Errorf("%s: %q", query, r.body)
		}
	}
	for _, query := range []string{"&bom=", "&bom=true", "&bom=1&bom=1"} {
		if e := s.refused(s.get("/api/drops/1/purchases?format=csv"+query), 422, "invalid"); e.Field != "bom" {
			t.Errorf("%s: %+v", query, e)
		}
	}
}

// A workbook is read from the store page by page while it is sent. One that breaks off does not look complete.
func TestPurchases_AsWorkbookPageByPage(t *testing.T) {
	p := &paged{}
	s := newPagedShop(t, nil, p)
	f := workbookOf(t, s.ok(s.get("/api/drops/1/purchases?format=xlsx")).body)
	rows, err := f.GetRows("Purchases")
	if err != nil || len(rows) != manySales+1 || rows[manySales][2] != strconv.Itoa(manySales) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if p.pages.Load() != 5 || p.most.Load() > 1001 {
		t.Errorf("%d pages of at most %d", p.pages.Load(), p.most.Load())
	}
	p.failAt = p.pages.Load() + 3
	resp, err := s.client.Do(s.request(http.MethodGet, "/api/drops/1/purchases?format=xlsx", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, bufio.NewReader(resp.Body)); err == nil {
		t.Error("it looks whole")
	}
	if log := s.log.String(); !strings.Contains(log, "s3cret cause") {
		t.Errorf("log: %s", log)
	}
}

// endless has as many purchases as a test wants, and stores none.
type endless struct {
	store.Store

	n int
}

func (e endless) Purchases(_ context.Context, _ drop.ID, after drop.PurchaseID, limit int) ([]store.Sale, error) {
	limit = min(limit, e.n-int(uint32(after)))
	sales := make([]store.Sale, limit)
	for i := range sales {
		id := after + drop.PurchaseID(i+1)
		sales[i] = store.Sale{Username: fmt.Sprintf("buyer %d", id), Email: fmt.Sprintf("buyer%d@example.com", id), Purchase: drop.Purchase{ID: id, Size: "9.5", Price: 11_995, CreatedAt: 1}}
	}
	return sales, nil
}

// inUse returns the bytes on the heap after a collection, and what was allocated since then.
func inUse() uint64 {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	return now.HeapAlloc
}

type memoryWatcher struct{ most, bytes uint64 }

func (m *memoryWatcher) Write(b []byte) (int, error) {
	if m.bytes>>16 != (m.bytes+uint64(len(b)))>>16 { // every 64 KiB
		m.most = max(m.most, min(inUse(), inUse(), inUse())) // what is garbage a moment later does not count
	}
	m.bytes += uint64(len(b))
	return len(b), nil
}

// 60,000 purchases need less memory than they take as a slice, and no folder for temporary files.
func TestPurchases_WorkbookTakesLittleMemory(t *testing.T) {
	t.Setenv("TMPDIR", "/nowhere")
	const n = 60_000
	s := newShopOn(t, endless{memory.New(func() drop.Time { return 1 }), n}, new(atomic.Int64))
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	before := inUse()
	resp, err := s.client.Do(s.request(http.MethodGet, "/api/drops/1/purchases?format=xlsx", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var m memoryWatcher
	var end bytes.Buffer
	if _, err := io.Copy(io.MultiWriter(&m, &tail{&end}), resp.Body); err != nil {
		t.Fatal(err)
	}
	if took := int64(m.most) - int64(before); m.bytes < 1<<19 || took > 7<<20 || !bytes.Contains(end.Bytes(), []byte("[Content_Types].xml")) {
		t.Errorf("%d bytes took %d bytes of memory; the end is %q; %s", m.bytes, took, end.String()[max(0, end.Len()-600):], s.log)
	} else {
		t.Logf("%d bytes took %d KiB of memory", m.bytes, took>>10)
	}
}

// tail keeps the end of what is written.
type tail struct{ kept *bytes.Buffer }

func (e *tail) Write(b []byte) (int, error) {
	e.kept.Write(b)
	if over := e.kept.Len() - 4096; over > 0 {
		e.kept.Next(over)
	}
	return len(b), nil
}
