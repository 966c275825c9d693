package api

import (
	"bytes"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/drop"
)

// The kinds of values on the wire. Each type reads and writes itself, refuses invalid input, and describes itself in
// the OpenAPI document.
type (
	// whole is a whole number, in any exact spelling. A number beyond int64 becomes the nearest int64.
	whole int64
	// instant is a time in RFC 3339 with its zone. It is written in UTC with milliseconds.
	instant drop.Time
	// label is a size: a string or a number. A number is kept in its shortest decimal spelling.
	label string
)

// patch is an optional member of a change. It tells an absent member from null.
type patch[T any] struct {
	given bool
	to    *T // nil: null or absent
}

func (p *patch[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	p.given = true
	return json.UnmarshalDecode(d, &p.to)
}

func (p *patch[T]) null() bool { return p.given && p.to == nil }

// Schema implements huma.SchemaProvider.
func (patch[T]) Schema(r huma.Registry) *huma.Schema {
	var member T
	if s, ok := any(member).(huma.SchemaProvider); ok {
		return s.Schema(r)
	}
	return r.Schema(reflect.TypeFor[T](), true, "")
}

func (w *whole) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	n, err := readNumber(d, 0, "must be a whole number")
	*w = whole(n)
	return err
}

func (t *instant) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	const rule = ruleError("must be a time with its zone, such as 2026-01-31T10:00:00Z")
	if d.PeekKind() != '"' {
		return rule
	}
	token, err := d.ReadToken()
	if err != nil {
		return err
	}
	at, ok := drop.ParseTime(token.String())
	if !ok {
		return rule
	}
	*t = instant(at)
	return nil
}

func (t instant) MarshalJSONTo(e *jsontext.Encoder) error {
	b := append(e.AvailableBuffer(), '"')
	return e.WriteValue(append(drop.Time(t).AppendFormat(b), '"'))
}

// maxLabel bounds a size that is a number, in hundredths. Beyond int64, many numbers would become the same.
const maxLabel = 1_000_000_00

func (l *label) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	switch d.PeekKind() {
	case '"':
		token, err := d.ReadToken()
		*l = label(token.String())
		return err
	case '0':
		const rule = ruleError("must be a string, or a number below a million with at most two decimals")
		n, err := readNumber(d, 2, rule)
		if err == nil && (n <= -maxLabel || n >= maxLabel) {
			return rule
		}
		*l = label(appendHundredths(nil, n))
		return err
	default:
		return ruleError("must be a string or a number")
	}
}

func readNumber(d *jsontext.Decoder, scale int, rule ruleError) (int64, error) {
	if d.PeekKind() != '0' {
		return 0, rule
	}
	literal, err := d.ReadValue()
	if err != nil {
		return 0, err
	}
	n, ok := decimal(literal, scale)
	if !ok {
		return 0, rule
	}
	return n, nil
}

// Schema implements huma.SchemaProvider.
func (whole) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeInteger, Format: "int64"}
}

// Schema implements huma.SchemaProvider.
func (instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

// Schema implements huma.SchemaProvider.
func (label) Schema(huma.Registry) *huma.Schema {
	most := drop.MaxSizeLabel
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, MaxLength: &most}, {Type: huma.TypeNumber}}}
}

// unlessZero returns v, or nil if *v is the zero value, which stands for no value in answers.
func unlessZero[T comparable](v *T) *T {
	if zero := new(T); *v == *zero {
		return nil
	}
	return v
}

// encode returns an answer as JSON. All answers can be encoded.
func encode(answer any) []byte {
	b, err := json.Marshal(answer)
	if err != nil {
		panic(fmt.Errorf("encode %T: %w", answer, err)) // recovered and logged like any other panic
	}
	return b
}

func writeJSON(w http.ResponseWriter, answer any) { writeBody(w, http.StatusOK, encode(answer)) }

// writeBody answers with JSON that is already encoded.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller may have disconnected, so nobody is left to tell
}

// joinArray writes encoded values as a JSON array.
func joinArray(parts [][]byte) []byte {
	const open, comma, end = "[", ",", "]"
	var b bytes.Buffer
	size := len(open) + len(end)
	for _, p := range parts {
		size += len(p) + len(comma)
	}
	b.Grow(size)
	b.WriteString(open)
	for i, p := range parts {
		if i > 0 {
			b.WriteString(comma)
		}
		b.Write(p)
	}
	b.WriteString(end)
	return b.Bytes()
}
