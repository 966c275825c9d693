package api

import (
	"cmp"
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

// pageWriteTimeout is how long a reader of a CSV export may take for one page of it.
const pageWriteTimeout = 30 * time.Second

// sales is what an export asks for.
type sales struct {
	drop  drop.ID
	after drop.PurchaseID
	limit int  // 0: all
	bom   bool // a CSV begins with U+FEFF
}

// saleColumns are the columns of every export.
var saleColumns = []string{"id", "reservationId", "userId", "username", "email", "size", "price", "createdAt"}

// The formats of a drop's purchases.
const (
	formatJSON = "json"
	formatCSV  = "csv"
	formatXLSX = "xlsx"
)

// format reads ?format=, or else Accept: files are for who names them.
func (q *query) format(accept []string) string {
	if given := q.word("format", formatJSON, formatCSV, formatXLSX); given != "" {
		return given
	}
	format := formatJSON
	best, named := negotiate.Weight(accept, "application/json")
	if csv, _ := negotiate.Weight(accept, "text/csv"); csv > 0 && (!named || csv >= best) {
		format, best, named = formatCSV, csv, true
	}
	if xlsx, _ := negotiate.Weight(accept, xlsxType); xlsx > 0 && (!named || xlsx > best || xlsx == best && format == formatJSON) {
		format = formatXLSX
	}
	return format
}

// writeSales streams purchases as CSV (RFC 4180): each page is a short read of its own, sent before the next is asked
// for, so that neither the database nor memory notices how slow the reader is.
func (a *api) writeSales(w http.ResponseWriter, r *http.Request, s sales) error {
	page := cmp.Or(s.limit, maxPage)
	found, more, err := a.salesPage(r.Context(), s.drop, s.after, page) // before the headers: it may refuse
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="drop-%d-purchases.csv"`, s.drop))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	connection := http.NewResponseController(w)
	if s.bom {
		_, _ = io.WriteString(w, "\ufeff") // out.Error tells
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(saleColumns)
	for {
		_ = connection.SetWriteDeadline(time.Now().Add(pageWriteTimeout)) // in place of the server's, for the whole answer
		for i := range found {
			_ = out.Write(record(&found[i])) // the error stays for out.Error
		}
		out.Flush()
		if err := out.Error(); err != nil {
			return fmt.Errorf("send purchases of drop %d: %w: %w", s.drop, errReaderGone, err)
		}
		if err := connection.Flush(); err != nil {
			return fmt.Errorf("send purchases of drop %d: %w: %w", s.drop, errReaderGone, err)
		}
		if !more || s.limit > 0 {
			return nil
		}
		if found, more, err = a.salesPage(r.Context(), s.drop, found[len(found)-1].ID, page); err != nil {
			return err
		}
	}
}

func record(s *store.Sale) []string {
	return []string{
		strconv.FormatInt(int64(s.ID), 10), strconv.FormatInt(int64(s.ReservationID), 10), strconv.FormatInt(int64(s.UserID), 10),
		harmless(s.Username), harmless(s.Email), harmless(s.Size), s.Price.String(), s.CreatedAt.String(),
	}
}

// harmless keeps a spreadsheet from taking a buyer's text for a formula: an apostrophe before it makes it text. A
// formula begins a cell, behind nothing that shows; programs strip blanks, byte order marks and the like before they
// look. Where decimals have a comma a semicolon begins a cell too, whatever quotes there are, and so does a line's
// end.
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
	begun, first := false, true // something that shows has come in this cell; it is the first one
	for i, r := range cell {
		switch {
		case i == 0 && r != ';' && separates(r): // some programs take this for the beginning of a formula
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

// separates says whether a cell may end here for a program that has other separators than ours.
func separates(r rune) bool {
	switch r {
	case ';', '\t', '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	default:
		return false
	}
}

// signs says whether a formula may begin with r: East Asian spreadsheets read the wide and small letters as the narrow.
func signs(r rune) bool {
	return strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−", r)
}

// unseen says whether r shows nothing: blanks, controls, format characters such as U+FEFF and U+200B, fillers, and
// bytes that are no text.
func unseen(r rune) bool {
	return r == utf8.RuneError || r == '\u2800' || unicode.IsSpace(r) ||
		unicode.In(r, unicode.C, unicode.Z, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}
