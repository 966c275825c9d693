package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/negotiate"
)

var (
	//go:embed docs.html
	docsHTML string
	//go:embed docs.css
	docsCSS string
)

// page is the OpenAPI document for people. It is made once, has no script, and loads nothing from other servers.
type page struct {
	body   *negotiate.Body
	policy string
}

type pageOperation struct {
	ID, Method, Path, Tag, Summary, Text string
	Params                               []pageField
	Body                                 []pageField
	Examples                             []pageExample
	Answer, AnswerExample                string
	Errors                               []pageError
}

type (
	pageField struct {
		Name, Type, Text string
		Required         bool
	}
	pageExample struct{ Summary, Curl string }
	pageError   struct {
		Status         int
		Code, Sentence string
	}
	pageSchema struct {
		Name, Text string
		OneOf      []string // names of other schemas, instead of fields
		Fields     []pageField
	}
	pageData struct {
		*huma.OpenAPI
		Style      template.CSS
		Operations []pageOperation
		Schemas    []pageSchema
	}
)

func newPage(document *huma.OpenAPI, routes []route) (*page, error) {
	t, err := template.New("docs").Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	data := pageData{OpenAPI: document, Style: template.CSS(docsCSS)} //nolint:gosec // our own style sheet
	for i := range routes {
		data.Operations = append(data.Operations, describeOperation(&routes[i], document.Components.Schemas))
	}
	for name, s := range document.Components.Schemas.Map() {
		one := pageSchema{Name: name, Text: s.Description, Fields: fieldsOf(s)}
		for _, variant := range s.OneOf {
			one.OneOf = append(one.OneOf, typeOf(variant))
		}
		data.Schemas = append(data.Schemas, one)
	}
	slices.SortFunc(data.Schemas, func(a, b pageSchema) int { return strings.Compare(a.Name, b.Name) })
	var body bytes.Buffer
	if err := t.Execute(&body, data); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(docsCSS))
	return &page{
		body: negotiate.NewBody("text/html; charset=utf-8", bytes.Clone(body.Bytes()), gzip.BestCompression),
		policy: "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'sha256-" +
			base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}, nil
}

func (p *page) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Security-Policy", p.policy)
	h.Set("Cache-Control", "no-cache")
	p.body.ServeHTTP(w, r)
	return nil
}

func describeOperation(rt *route, schemas huma.Registry) pageOperation {
	op := pageOperation{
		ID: rt.id, Method: rt.method, Path: rt.path, Tag: rt.tag, Summary: rt.summary, Text: rt.text,
		AnswerExample: indented(rt.answerExample),
	}
	for _, p := range rt.allParams() {
		op.Params = append(op.Params, pageField{p.Name, typeOf(p.Schema), p.Description + " (" + p.In + ")", p.Required})
	}
	if rt.body != nil {
		ref := schemas.Schema(rt.body, true, "").Ref
		op.Body = fieldsOf(schemas.SchemaFromRef(ref))
	}
	for _, e := range rt.examples {
		op.Examples = append(op.Examples, pageExample{
			e.summary, "curl -X " + rt.method + " http://localhost:3000" + rt.path + " -H 'Content-Type: application/json' -d '" + e.body + "'",
		})
	}
	if rt.answer != nil {
		op.Answer = typeOf(schemas.Schema(rt.answer, true, ""))
	}
	for _, code := range rt.allCodes() {
		p := problems[code]
		op.Errors = append(op.Errors, pageError{p.status, string(code), answerOf(exampleRefusal(code), p).Error})
	}
	slices.SortStableFunc(op.Errors, func(a, b pageError) int { return a.Status - b.Status })
	return op
}

// fieldsOf lists an object's members, the required ones first.
func fieldsOf(s *huma.Schema) []pageField {
	fields := make([]pageField, 0, len(s.Properties))
	for name, p := range s.Properties {
		fields = append(fields, pageField{name, typeOf(p), p.Description, slices.Contains(s.Required, name)})
	}
	slices.SortFunc(fields, func(a, b pageField) int {
		if a.Required != b.Required {
			if a.Required {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	return fields
}

func typeOf(s *huma.Schema) string {
	var name string
	switch {
	case s.Ref != "":
		name = strings.TrimPrefix(s.Ref, schemaPrefix)
	case len(s.OneOf) > 0:
		names := make([]string, len(s.OneOf))
		for i, one := range s.OneOf {
			names[i] = typeOf(one)
		}
		name = strings.Join(names, " or ")
	case s.Type == huma.TypeArray:
		name = "array of " + typeOf(s.Items)
	case s.Format == "date-time":
		name = s.Format
	default:
		name = s.Type
	}
	if len(s.Enum) > 0 {
		values := make([]string, len(s.Enum))
		for i, value := range s.Enum {
			values[i] = fmt.Sprint(value)
		}
		name += ": " + strings.Join(values, ", ")
	}
	if s.Minimum != nil && s.Maximum != nil {
		name += ", " + number(*s.Minimum) + " to " + number(*s.Maximum)
	}
	if s.Nullable {
		name += ", or null"
	}
	return name
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text // there is no example
	}
	return b.String()
}
