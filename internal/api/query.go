package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

// query reads the parameters of a request's query. It keeps the first fault in err. Once err is set, do not use the
// values.
type query struct {
	values url.Values
	err    error
}

func queryOf(r *http.Request) *query {
	if r.URL.RawQuery == "" {
		return &query{}
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &query{err: drop.Invalid("query", "must be well-formed, such as ?limit=100")}
	}
	return &query{values: values}
}

func (q *query) refuse(name, rule string) {
	if q.err == nil {
		q.err = drop.Invalid(name, rule)
	}
}

// number reads a parameter that has a range and a default.
func (q *query) number(name string, least, most, otherwise int) int {
	given := q.values[name]
	if len(given) == 0 {
		return otherwise
	}
	n, err := strconv.Atoi(given[0])
	if len(given) > 1 || err != nil || !isDigits(given[0]) || n < least || n > most {
		q.refuse(name, "must be one whole number from "+strconv.Itoa(least)+" to "+strconv.Itoa(most))
	}
	return n
}

// word reads a parameter that must be one of a few words. It is empty if the parameter is absent.
func (q *query) word(name string, words ...string) string {
	given := q.values[name]
	if len(given) == 0 {
		return ""
	}
	if last := len(words) - 1; len(given) > 1 || !slices.Contains(words, given[0]) {
		q.refuse(name, "must be "+strings.Join(words[:last], ", ")+" or "+words[last])
	}
	return given[0]
}

// text reads a parameter that is text. It is empty if the parameter is absent or blank.
func (q *query) text(name string, most int) string {
	given := q.values[name]
	if len(given) == 0 {
		return ""
	}
	if len(given) > 1 || !utf8.ValidString(given[0]) || utf8.RuneCountInString(given[0]) > most {
		q.refuse(name, "must be one text of at most "+strconv.Itoa(most)+" characters")
	}
	return given[0]
}

// time reads a time with its zone. It is 0 if the parameter is absent.
func (q *query) time(name string) drop.Time {
	given := q.values[name]
	if len(given) == 0 {
		return 0
	}
	at, ok := drop.ParseTime(given[0])
	if len(given) > 1 || !ok || at <= 0 {
		q.refuse(name, "must be one time after 1970 with its zone, such as 2026-01-31T10:00:00Z; write + as %2B")
	}
	return at
}

// between reads from and to, the bounds of a time range. 0 means no bound.
func (q *query) between() (from, to drop.Time) {
	if from, to = q.time("from"), q.time("to"); to != 0 && to <= from {
		q.refuse("to", "must be later than from")
	}
	return from, to
}

// size reads the label of a size. It is empty if the parameter is absent.
func (q *query) size() string {
	if _, given := q.values["size"]; !given {
		return ""
	}
	label := q.text("size", drop.MaxSizeLabel)
	if label == "" {
		q.refuse("size", "must not be empty; leave it out to get every size")
	}
	return label
}

// after reads the id of the row after which a page begins. 0 means the beginning.
func (q *query) after() int { return q.number("after", 0, drop.MaxSafeInteger, 0) }

// before does the same for pages in descending order.
func (q *query) before() int { return q.number("before", 1, drop.MaxSafeInteger, 0) }

// limit reads the maximum number of rows in a page.
func (q *query) limit() int { return q.number("limit", 1, maxPage, defaultPage) }

// The bounds of ?limit= for pages.
const (
	defaultPage = 100
	maxPage     = 1000
)

// pageOf cuts found to limit and reports whether there are more rows. Callers read one row more than limit.
func pageOf[T any](found []T, limit int) (rows []T, more bool) {
	if len(found) > limit {
		return found[:limit], true
	}
	return found, false
}

func afterParam(of string) *huma.Param {
	p := rowParam("after", "Return rows after this "+of+"", 0)
	p.Schema.Default = 0
	return p
}

func beforeParam(description string) *huma.Param { return rowParam("before", description, 1) }

// betweenParams are the parameters of a time range. of says what happened at these times.
func betweenParams(of string) []*huma.Param {
	moment := func(name, description string) *huma.Param {
		return &huma.Param{
			Name: name, In: "query", Description: description, Example: "2026-01-31T10:00:00Z",
			Schema: &huma.Schema{Type: huma.TypeString, Format: "date-time"},
		}
	}
	return []*huma.Param{
		moment("from", "Only "+of+" at this time or later, in RFC 3339 with a zone"),
		moment("to", "Only "+of+" before this time, in RFC 3339 with a zone"),
	}
}

func sizeParam() *huma.Param {
	longest := drop.MaxSizeLabel
	return &huma.Param{
		Name: "size", In: "query", Description: "Only this size, by its label",
		Schema: &huma.Schema{Type: huma.TypeString, MinLength: new(1), MaxLength: &longest},
	}
}

// fileParams are those of a list that also comes as a file.
func fileParams(formats ...any) []*huma.Param {
	return []*huma.Param{
		{Name: "format", In: "query", Description: "Format of the answer; overrides Accept", Schema: &huma.Schema{Type: huma.TypeString, Enum: formats}},
		{
			Name: "bom", In: "query", Description: "1: a CSV begins with U+FEFF, so that Excel reads it as UTF-8",
			Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{"0", "1"}, Default: "0"},
		},
	}
}

func rowParam(name, description string, least float64) *huma.Param {
	return &huma.Param{
		Name: name, In: "query", Description: description,
		Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Maximum: new(float64(drop.MaxSafeInteger))},
	}
}

func limitParam(most int) *huma.Param {
	return &huma.Param{
		Name: "limit", In: "query", Description: "Maximum number of rows", Example: defaultPage,
		Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(most)), Default: defaultPage},
	}
}
