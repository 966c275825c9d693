package api

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

const xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// sheetRows is how many rows a sheet can hold (Excel's limit), minus its header.
const sheetRows = 1_048_576 - 1

// workbook streams purchases as an Excel workbook. The excelize package makes everything except the rows, which it
// would buffer: in temporary files, for which the container image has no folder, or in memory without a bound. The
// workbook inserts the rows while it writes the sheet, page by page like a CSV. All cells except price and time are
// text, so that Excel does not convert 7-8, 3E5, 09 or 0049123, or run a formula.
type workbook struct {
	api     *api
	ctx     context.Context //nolint:containedctx // lives as long as one request
	sales   *saleReader
	found   []store.Sale // the rows of the current page that are not written yet
	paid    salePayments // of the current page
	text    int
	time    int
	amounts [drop.MaxDecimals + 1]int // keyed by the number of decimals
	failed  error                     // the error of a sheet, which excelize does not pass on
}

func (a *api) writeWorkbook(w http.ResponseWriter, r *http.Request, sales *saleReader) error {
	b := &workbook{api: a, ctx: r.Context(), sales: sales}
	id := sales.ask.drop
	view, err := a.engine.View(r.Context(), id)
	if err != nil {
		return err
	}
	if purchases, _ := view.Purchased(); purchases > sheetRows && sales.ask.limit == 0 && !sales.ask.filters() {
		return drop.Invalid("format", fmt.Sprintf("must be csv for more than %d purchases, which a sheet cannot hold", sheetRows))
	}
	if err := b.turn(); err != nil { // before the headers, because it may refuse the call
		return err
	}
	h := w.Header()
	h.Set("Content-Type", xlsxType)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="drop-%d-purchases.xlsx"`, id))
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	file := excelize.NewFile()
	defer func() { _ = file.Close() }() // has no temporary files
	if err := b.prepare(file); err != nil {
		return fmt.Errorf("make a workbook: %w", err)
	}
	out := &patientWriter{to: w, connection: http.NewResponseController(w)}
	file.SetZipWriter(func(io.Writer) excelize.ZipWriter { return &sheetFiller{zip.NewWriter(out), b} })
	_, err = file.WriteTo(io.Discard)
	switch {
	case out.failed != nil:
		return fmt.Errorf("send purchases of drop %d: %w: %w", id, errReaderGone, out.failed)
	case b.failed != nil:
		return b.failed
	}
	return err
}

// next returns the next purchase, or nil at the end.
func (b *workbook) next() (*store.Sale, error) {
	if len(b.found) == 0 {
		if err := b.turn(); err != nil || len(b.found) == 0 {
			return nil, err
		}
	}
	s := &b.found[0]
	b.found = b.found[1:]
	return s, nil
}

// turn reads the next page.
func (b *workbook) turn() (err error) {
	if b.found, err = b.sales.next(b.ctx); err != nil {
		return err
	}
	b.paid, err = b.api.paymentsOf(b.ctx, b.found)
	return err
}

const sheetName = "Purchases"

// prepare makes the sheet with its header row, and the styles.
func (b *workbook) prepare(file *excelize.File) error {
	const asText = 49 // the format @, which is text
	var err error
	style := func(s excelize.Style) int {
		id, failed := file.NewStyle(&s)
		err = errors.Join(err, failed)
		return id
	}
	head := style(excelize.Style{Font: &excelize.Font{Bold: true}, NumFmt: asText})
	b.text = style(excelize.Style{NumFmt: asText})
	b.time = style(excelize.Style{CustomNumFmt: new(`yyyy\-mm\-dd hh:mm:ss.000" UTC"`)})
	for decimals := range b.amounts {
		format := "#,##0"
		if decimals > 0 {
			format += "." + "0000"[:decimals]
		}
		b.amounts[decimals] = style(excelize.Style{CustomNumFmt: &format})
	}
	columns := b.api.withPayments(saleColumns)
	return errors.Join(err, file.SetSheetName("Sheet1", sheetName), file.SetSheetRow(sheetName, "A1", &columns), file.SetRowStyle(sheetName, 1, 1, head),
		file.SetColWidth(sheetName, "A", string(rune('A'+len(columns)-1)), 22),
		file.SetPanes(sheetName, &excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
}

// rows writes all rows.
func (b *workbook) rows(w io.Writer) error {
	var row bytes.Buffer
	for n := 2; ; n++ {
		s, err := b.next()
		if err != nil || s == nil {
			return err
		}
		if n > sheetRows+1 {
			return errors.New("more units were sold meanwhile than a sheet can hold")
		}
		row.Reset()
		b.row(&row, n, s)
		if _, err := w.Write(row.Bytes()); err != nil {
			return err
		}
	}
}

func (b *workbook) row(row *bytes.Buffer, n int, s *store.Sale) {
	fmt.Fprintf(row, `<row r="%d">`, n)
	for i, text := range []string{
		strconv.FormatInt(int64(s.ID), 10), strconv.FormatInt(int64(s.ReservationID), 10), strconv.FormatInt(int64(s.UserID), 10), s.Username, s.Email, s.Size,
	} {
		b.cell(row, 'A'+rune(i), n, text)
	}
	b.amount(row, 'G', n, s.Price, b.api.currency.Decimals)
	fmt.Fprintf(row, `<c r="H%d" s="%d"><v>%s</v></c>`, n, b.time, serial(s.CreatedAt))
	if s.Return != drop.NotReturned {
		b.cell(row, 'I', n, s.Return.String())
		fmt.Fprintf(row, `<c r="J%d" s="%d"><v>%s</v></c>`, n, b.time, serial(s.ReturnedAt))
	}
	if p, paid := b.paid[s.ReservationID]; paid {
		b.cell(row, 'K', n, p.Shown())
		b.amount(row, 'L', n, p.Amount, p.Decimals)
		b.cell(row, 'M', n, p.Currency)
		b.amount(row, 'N', n, p.Refunded, p.Decimals)
		b.cell(row, 'O', n, p.State)
	}
	row.WriteString(`</row>`)
}

// cell writes a text, unless it is empty.
func (b *workbook) cell(row *bytes.Buffer, column rune, n int, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(row, `<c r="%c%d" s="%d" t="inlineStr"><is><t xml:space="preserve">`, column, n, b.text)
	_ = xml.EscapeText(row, cellEscape.ReplaceAll([]byte(text), []byte("_x005F$0"))) // never fails for a buffer in memory
	row.WriteString(`</t></is></c>`)
}

// amount writes an amount with at least so many decimals.
func (b *workbook) amount(row *bytes.Buffer, column rune, n int, m drop.Money, decimals int) {
	fmt.Fprintf(row, `<c r="%c%d" s="%d"><v>%s</v></c>`, column, n, b.amounts[min(max(decimals, m.Decimals()), drop.MaxDecimals)], m)
}

// cellEscape matches what spreadsheets read as an escaped character, such as _x000D_.
var cellEscape = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// serial returns a time as spreadsheets count it: in days since December 30, 1899.
func serial(t drop.Time) string {
	const epoch, day = 25_569, float64(24 * time.Hour / time.Millisecond)
	return strconv.FormatFloat(epoch+float64(t)/day, 'f', 9, 64)
}

// sheetFiller writes the files of a workbook, and inserts the rows into the sheet.
type sheetFiller struct {
	*zip.Writer

	book *workbook
}

var sheetFile = regexp.MustCompile(`^xl/worksheets/sheet\d+\.xml$`)

func (z *sheetFiller) Create(name string) (io.Writer, error) {
	if z.book.failed != nil {
		return nil, z.book.failed
	}
	w, err := z.Writer.Create(name)
	if err != nil || !sheetFile.MatchString(name) {
		return w, err
	}
	return &sheetWriter{w, z.book}, nil
}

type sheetWriter struct {
	to   io.Writer
	book *workbook
}

// dimension matches the extent of a sheet, which is unknown before its end. The element is optional.
var dimension = regexp.MustCompile(`<dimension [^>]*>(</dimension>)?`)

// Write takes a whole sheet, because excelize writes it at once.
func (s *sheetWriter) Write(sheet []byte) (int, error) {
	const end = "</sheetData>"
	before, after, found := bytes.Cut(dimension.ReplaceAll(sheet, nil), []byte(end))
	if !found {
		return s.to.Write(sheet)
	}
	if _, err := s.to.Write(before); err != nil {
		return 0, err
	}
	if s.book.failed = s.book.rows(s.to); s.book.failed != nil {
		return 0, s.book.failed
	}
	_, err := s.to.Write(append([]byte(end), after...))
	return len(sheet), err
}

// patientWriter gives the reader a new deadline for each part of a long answer, instead of the server's one for the
// whole answer.
type patientWriter struct {
	to         io.Writer
	connection *http.ResponseController
	failed     error // the reader disconnected
}

func (p *patientWriter) Write(b []byte) (n int, err error) {
	_ = p.connection.SetWriteDeadline(time.Now().Add(pageWriteTimeout))
	n, err = p.to.Write(b)
	p.failed = err
	return n, err
}
