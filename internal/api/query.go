package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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

// word reads a parameter that is one of a few words; empty: it is not given.
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

// after reads the number of the row that a page begins behind; 0: none.
func (q *query) after() int { return q.number("after", 0, drop.MaxSafeInteger, 0) }

// before is likewise of pages that go backwards.
func (q *query) before() int { return q.number("before", 1, drop.MaxSafeInteger, 0) }

// limit reads how many rows a page has at most.
func (q *query) limit() int { return q.number("limit", 1, maxPage, defaultPage) }

// The bounds of ?limit= on pages.
const (
	defaultPage = 100
	maxPage     = 1000
)

// pageOf cuts what was read, one row more than limit where there are so many, and says whether there are more.
func pageOf[T any](found []T, limit int) (rows []T, more bool) {
	if len(found) > limit {
		return found[:limit], true
	}
	return found, false
}

func afterParam(of string) *huma.Param {
	p := rowParam("after", "The "+of+" that the page begins after", 0)
	p.Schema.Default = 0
	return p
}

func beforeParam(description string) *huma.Param { return rowParam("before", description, 1) }

func rowParam(name, description string, least float64) *huma.Param {
	return &huma.Param{
		Name: name, In: "query", Description: description,
		Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Maximum: new(float64(drop.MaxSafeInteger))},
	}
}

func limitParam(usual, most int) *huma.Param {
	return &huma.Param{
		Name: "limit", In: "query", Description: "How many at most", Example: usual,
		Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0), Maximum: new(float64(most)), Default: usual},
	}
}
