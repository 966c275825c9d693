package api

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/negotiate"
	"sneakerdrop/internal/store"
)

// pageWriteTimeout is how long the reader of an export may take to receive one page of it.
const pageWriteTimeout = 30 * time.Second

// saleColumns are the columns of an export of one drop.
var saleColumns = []string{"id", "reservationId", "userId", "username", "email", "size", "price", "createdAt", "returned", "returnedAt"}

// The formats in which purchases are available.
const (
	formatJSON = "json"
	formatCSV  = "csv"
	formatXLSX = "xlsx"
)

// format reads ?format=, or Accept if there is none. Only a client that names a file format gets a file.
// Workbooks are only for lists that have one.
func (q *query) format(accept []string, workbook bool) string {
	words := []string{formatJSON, formatCSV}
	if workbook {
		words = append(words, formatXLSX)
	}
	if given := q.word("format", words...); given != "" {
		return given
	}
	format := formatJSON
	best, named := negotiate.Weight(accept, "application/json")
	if csv, _ := negotiate.Weight(accept, "text/csv"); csv > 0 && (!named || csv >= best) {
		format, best, named = formatCSV, csv, true
	}
	if xlsx, _ := negotiate.Weight(accept, xlsxType); workbook && xlsx > 0 && (!named || xlsx > best || xlsx == best && format == formatJSON) {
		format = formatXLSX
	}
	return format
}

// saleReader reads the purchases of an export page by page. Each page is a short read of its own, so that a slow
// client burdens neither the database nor memory.
type saleReader struct {
	api  *api
	ask  *saleQuery
	at   drop.PurchaseID // the last purchase that it has read
	left int             // how many rows may follow; negative: no limit
	end  bool
}

// exportSales answers with a file.
func (a *api) exportSales(w http.ResponseWriter, r *http.Request, q *saleQuery, format string, bom bool) error {
	reader := &saleReader{api: a, ask: q, left: cmp.Or(q.limit, -1)}
	var err error
	if reader.at, err = a.firstSale(r.Context(), q); err != nil {
		return err
	}
	if format == formatXLSX {
		return a.writeWorkbook(w, r, reader)
	}
	return a.writeSales(w, r, reader, bom)
}

// next returns the next purchases that match the query. An empty list is the end.
func (s *saleReader) next(ctx context.Context) (wanted []store.Sale, err error) {
	for !s.end && len(wanted) == 0 {
		size := maxPage
		if s.left > 0 && !s.ask.filters() {
			size = min(size, s.left)
		}
		found, more, err := s.api.salesPage(ctx, s.ask, s.at, size)
		if err != nil {
			return nil, err
		}
		s.end = !more
		for i := range found {
			sale := &found[i]
			if s.left == 0 || s.ask.over(sale) {
				s.end = true
				break
			}
			s.at = sale.ID
			if s.ask.wants(sale) {
				wanted = append(wanted, *sale)
				s.left--
			}
		}
		s.end = s.end || s.left == 0
	}
	return wanted, nil
}

// csvFile is a file that is sent while it is read.
type csvFile struct {
	name    string // of the file
	what    string // names the rows in errors
	columns []string
	next    func(context.Context) (rows [][]string, err error) // none: the file ends
}

func (a *api) writeSales(w http.ResponseWriter, r *http.Request, sales *saleReader, bom bool) error {
	return writeCSV(w, r, bom, &csvFile{
		name: fmt.Sprintf("drop-%d-purchases.csv", sales.ask.drop), what: fmt.Sprintf("purchases of drop %d", sales.ask.drop), columns: a.withPayments(saleColumns),
		next: func(ctx context.Context) ([][]string, error) {
			found, err := sales.next(ctx)
			if err != nil {
				return nil, err
			}
			paid, err := a.paymentsOf(ctx, found)
			rows := make([][]string, len(found))
			for i := range found {
				rows[i] = append(record(&found[i]), harmlessAll(paid.columns(found[i].ReservationID))...)
			}
			return rows, err
		},
	})
}

// writeCSV streams a file as CSV (RFC 4180). It sends each page as soon as the store has read it.
func writeCSV(w http.ResponseWriter, r *http.Request, bom bool, file *csvFile) error {
	rows, err := file.next(r.Context()) // before the headers: it may refuse
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", file.name))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	connection := http.NewResponseController(w)
	if bom {
		_, _ = io.WriteString(w, "\ufeff") // out.Error reports errors
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(file.columns)
	for {
		_ = connection.SetWriteDeadline(time.Now().Add(pageWriteTimeout)) // replaces the server's deadline for the whole answer
		_ = out.WriteAll(rows)                                            // flushes; out.Error reports errors
		if err := out.Error(); err != nil {
			return fmt.Errorf("send %s: %w: %w", file.what, errReaderGone, err)
		}
		if err := connection.Flush(); err != nil {
			return fmt.Errorf("send %s: %w: %w", file.what, errReaderGone, err)
		}
		if rows, err = file.next(r.Context()); err != nil || len(rows) == 0 {
			return err
		}
	}
}

func record(s *store.Sale) []string {
	return []string{
		strconv.FormatInt(int64(s.ID), 10), strconv.FormatInt(int64(s.ReservationID), 10), strconv.FormatInt(int64(s.UserID), 10),
		harmless(s.Username), harmless(s.Email), harmless(s.Size), s.Price.String(), s.CreatedAt.String(),
		returned(s.Return), timeOrEmpty(s.ReturnedAt),
	}
}

func timeOrEmpty(t drop.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// harmless keeps a spreadsheet from running a buyer's text as a formula: it puts an apostrophe before it. A formula
// stands at the beginning of a cell; before it there may be characters that do not show, such as blanks and byte
// order marks, because programs strip them. Where the decimal separator is a comma, a semicolon also begins a new
// cell, even inside quotes, and so does the end of a line.
func harmless(cell string) string {
	if !strings.ContainsFunc(cell, risky) {
		return cell
	}
	var b strings.Builder
	written := 0
	mark := func(at int) {
		b.WriteString(cell[written:at])
		b.WriteByte('\'')
		written = at
	}
	begun, first := false, true // begun: the cell has visible characters; first: it is the first cell
	for i, r := range cell {
		switch {
		case i == 0 && r != ';' && separates(r): // some programs read this as the beginning of a formula
			mark(0)
			begun = true
		case separates(r):
			begun, first = false, false
		case begun || unseen(r) || r == '"' || r == '\'' && !first:
		case signs(r) && first:
			mark(0)
			begun = true
		case signs(r):
			mark(i)
			begun = true
		default:
			begun = true
		}
	}
	b.WriteString(cell[written:])
	return b.String()
}

func risky(r rune) bool { return signs(r) || separates(r) }

// separates reports whether a cell may end here for a program that uses other separators than this export.
func separates(r rune) bool {
	switch r {
	case ';', '\t', '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	default:
		return false
	}
}

// signs reports whether a formula may begin with r. East Asian spreadsheets treat wide and small forms like the plain
// ones.
func signs(r rune) bool {
	return strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−", r)
}

// unseen reports whether r is invisible: blanks, controls, format characters such as U+FEFF and U+200B, fillers, and
// bytes that are not text.
func unseen(r rune) bool {
	return r == utf8.RuneError || r == '\u2800' || unicode.IsSpace(r) ||
		unicode.In(r, unicode.C, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
