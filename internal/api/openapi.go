package api

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/negotiate"
)

// contractVersion is the version of the interface, not of the program. The document does not reveal the build.
const contractVersion = "1.0.0"

const schemaPrefix = "#/components/schemas/"

// jsonText is JSON that goes into the document unchanged.
type jsonText = json.RawMessage

// describe makes the OpenAPI document and the page that shows it. It returns the routes of both.
func describe(routes []route, guarded bool, currency *drop.Currency) ([]route, error) {
	documents := []route{
		{
			method: http.MethodGet, path: "/openapi.json",
			id: "openapi", access: anybody, tagged: true, tag: tagService, summary: "Read this document", text: "OpenAPI 3.1, for programs.", answerExample: `{"openapi":"3.1.0"}`,
		},
		{
			method: http.MethodGet, path: "/docs",
			id: "docs", access: anybody, tagged: true, media: "text/html", mediaExample: `"<!doctype html>…"`, tag: tagService, summary: "Read this document as a page", text: "HTML, for people. The page loads nothing from other servers.",
		},
	}
	document := newDocument()
	describeErrors(document.Components.Schemas)
	all := slices.Concat(routes, documents)
	for i := range all {
		all[i].price(currency)
		if guarded {
			all[i].guard()
		}
		document.AddOperation(all[i].operation(document.Components.Schemas))
	}
	if guarded {
		document.Components.SecuritySchemes = securitySchemes()
	}
	priced(document.Components.Schemas, currency)
	for _, s := range document.Components.Schemas.Map() {
		s.AdditionalProperties = nil // requests may have unknown members, and answers may get new ones
	}
	text, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("encode it: %w", err)
	}
	page, err := newPage(document, all)
	if err != nil {
		return nil, fmt.Errorf("make a page of it: %w", err)
	}
	whole := negotiate.NewBody(jsonType[0], text, gzip.BestCompression)
	documents[0].serve = func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "no-cache")
		whole.ServeHTTP(w, r)
		return nil
	}
	documents[1].serve = page.serve
	return documents, nil
}

func newDocument() *huma.OpenAPI {
	name := func(t reflect.Type, hint string) string {
		return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Answer")
	}
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "sneakerdrop", Version: contractVersion,
			Description: "Limited releases without overselling. Buyers reserve a unit, hold it for a minute, and purchase it or lose it.\n\n" +
				"Bodies are JSON in UTF-8, at most 64 KiB unless a call says otherwise. The server ignores unknown members. Times are RFC 3339; in " +
				"answers they are in UTC with milliseconds. Every error is {error, code}, with details for some codes. Match on code, not on error. " +
				"After a 503, wait for the seconds in Retry-After before you try again. " +
				"With an Idempotency-Key you can repeat any POST until you get an answer, and it takes effect once. " +
				"The server compresses long answers for clients that accept gzip.",
			Contact: &huma.Contact{Name: "the shop that runs this server"},
			License: &huma.License{Name: "ISC", Identifier: "ISC"},
		},
		Tags: []*huma.Tag{
			{Name: tagDrops, Description: "Drops and their stock"},
			{Name: tagBuying, Description: "Reserve, purchase, cancel"},
			{Name: tagBuyers, Description: "Buyers and their reservations"},
			{Name: tagOperating, Description: "Calls for the people who run the shop"},
			{Name: tagService, Description: "Health, metrics and this document"},
		},
		Servers:    []*huma.Server{{URL: "/"}},
		Components: &huma.Components{Schemas: huma.NewMapRegistry(schemaPrefix, name)},
	}
}

// Names of the token kinds in the document.
const (
	buyerScheme    = "buyer"
	operatorScheme = "operator"
)

func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		buyerScheme: {
			Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The buyer's token from the shop's identity provider",
		},
		operatorScheme: {
			Type: "http", Scheme: "bearer", Description: "An operator's token, as printed by sneakerdrop token create. The text of a call says if a viewer's token is enough",
		},
	}
}

// guard adds to a route the token that it needs, and the errors that callers without one get.
func (rt *route) guard() {
	switch rt.access {
	case watchers:
		rt.security = buyerScheme
		rt.codes = append(slices.Clone(rt.codes), codeInvalidToken, codeTokenExpired)
		return
	case buyers, sellers, lookers:
		rt.security = buyerScheme
	case viewers, operators:
		rt.security = operatorScheme
		if rt.access == viewers {
			rt.text += " A viewer's token is enough."
		}
	default:
		return
	}
	rt.codes = append(slices.Clone(rt.codes), codeUnauthenticated, codeInvalidToken, codeTokenExpired, codeForbidden, codeUnavailable)
}

// operationID turns a route's id into a method name for generated clients: list-drops becomes listDrops.
func operationID(id string) string {
	words := strings.Split(id, "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

func (rt *route) operation(schemas huma.Registry) *huma.Operation {
	op := &huma.Operation{
		Method: rt.method, Path: rt.path, OperationID: operationID(rt.id), Tags: []string{rt.tag},
		Summary: rt.summary, Description: rt.text, Parameters: rt.allParams(),
		Responses: map[string]*huma.Response{strconv.Itoa(cmp.Or(rt.status, http.StatusOK)): rt.success(schemas)},
	}
	op.Security = []map[string][]string{} // explicit: the call needs no token
	if rt.security != "" {
		if rt.access == watchers {
			op.Security = append(op.Security, map[string][]string{}) // a token is optional
		}
		op.Security = append(op.Security, map[string][]string{rt.security: {}})
		if rt.access == sellers || rt.access == lookers {
			op.Security = append(op.Security, map[string][]string{operatorScheme: {}})
		}
	}
	if rt.body != nil {
		content := &huma.MediaType{Schema: schemas.Schema(rt.body, true, ""), Examples: map[string]*huma.Example{}}
		for _, e := range rt.examples {
			content.Examples[e.name] = &huma.Example{Summary: e.summary, Value: jsonText(e.body)}
		}
		op.RequestBody = &huma.RequestBody{Required: !rt.bodyOptional, Content: map[string]*huma.MediaType{"application/json": content}}
	}
	if rt.tagged {
		op.Responses["304"] = &huma.Response{Description: "Nothing has changed since the ETag in If-None-Match"}
	}
	for _, code := range rt.allCodes() {
		addError(op.Responses, code)
	}
	return op
}

func (rt *route) success(schemas huma.Registry) *huma.Response {
	response := &huma.Response{Description: "Done"}
	switch {
	case rt.answer != nil:
		schema := schemas.Schema(rt.answer, true, "")
		schema.Nullable = false // an empty list is []
		response.Content = map[string]*huma.MediaType{
			"application/json": {Schema: schema, Example: jsonText(rt.answerExample)},
		}
	case rt.media == "":
		response.Content = map[string]*huma.MediaType{"application/json": {
			Schema: &huma.Schema{Type: huma.TypeObject}, Example: jsonText(rt.answerExample),
		}}
	}
	if rt.media != "" {
		if response.Content == nil {
			response.Content = map[string]*huma.MediaType{}
		}
		response.Content[rt.media] = &huma.MediaType{Schema: rt.mediaSchema(schemas), Example: jsonText(rt.mediaExample)}
	}
	if rt.workbook {
		response.Content[xlsxType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	if rt.tagged {
		response.Headers = map[string]*huma.Param{
			"ETag": {Description: "Identifies this version of the content", Schema: &huma.Schema{Type: huma.TypeString}},
		}
	}
	if rt.keyed() {
		response.Headers = map[string]*huma.Param{replayedHeader: {
			Description: "true: an earlier call with the same Idempotency-Key took effect, and this is its answer. Absent otherwise",
			Schema:      &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}},
		}}
	}
	return response
}

// mediaSchema is text or, for a stream, the data of one event, because OpenAPI 3.1 cannot describe events themselves.
func (rt *route) mediaSchema(schemas huma.Registry) *huma.Schema {
	if len(rt.events) == 0 {
		return &huma.Schema{Type: huma.TypeString}
	}
	one := &huma.Schema{Description: "The data of one event. The event's name tells which schema applies"}
	for _, e := range rt.events {
		one.OneOf = append(one.OneOf, schemas.Schema(e, true, ""))
	}
	return one
}

// allParams returns a route's own parameters, If-None-Match for tagged answers and Idempotency-Key for a POST.
func (rt *route) allParams() []*huma.Param {
	if rt.tagged {
		return append(slices.Clone(rt.params), &huma.Param{
			Name: "If-None-Match", In: "header", Description: "ETag of the version that the client has", Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
	if !rt.keyed() {
		return rt.params
	}
	least, most := 1, drop.MaxKey
	return append(slices.Clone(rt.params), &huma.Param{
		Name: keyHeader, In: "header",
		Description: "A key of visible ASCII characters that you choose, new for each call, such as a UUID. A repeated call with the same key and body " +
			"has no second effect. For 24 hours it gets the first successful answer, with Idempotent-Replayed: true, whatever has happened to the " +
			"drop since. Errors are not kept: the next call is a new try. A key applies to one drop and one operation. Concurrent calls with one key " +
			"wait for the first one and get its answer",
		Schema:  &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most, Pattern: "^[!-~]+$"},
		Example: "6f0c1b0e-3d0a-4b53-9f0a-6a2c1f9f3a11",
	})
}

// keyed reports whether a call takes an Idempotency-Key.
func (rt *route) keyed() bool { return rt.method == http.MethodPost && !rt.repeatable }

// allCodes returns a route's own error codes and those that its body, command and path can cause, or any call can.
func (rt *route) allCodes() []drop.Code {
	codes := append(slices.Clone(rt.codes), codeMethodNotAllowed)
	if rt.keyed() {
		codes = append(codes, drop.CodeIdempotencyMismatch)
	}
	if rt.body != nil {
		codes = append(codes, drop.CodeInvalid, codeBadJSON, codeTooLarge, codeMediaType, codeUnavailable, codeOutcomeUnknown)
	} else if rt.tag != tagService {
		codes = append(codes, codeUnavailable)
	}
	if rt.method != http.MethodGet {
		codes = append(codes, codeCrossOrigin)
	}
	if rt.class() != "" {
		codes = append(codes, codeRateLimited)
	}
	slices.Sort(codes)
	return slices.Compact(append(codes, codeInternal))
}

// addError documents a code under its status, with an example.
func addError(responses map[string]*huma.Response, code drop.Code) {
	p := problems[code]
	status := strconv.Itoa(p.status)
	response := responses[status]
	if response == nil {
		response = &huma.Response{
			Description: "code",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: &huma.Schema{Ref: schemaPrefix + errorSchema}, Examples: map[string]*huma.Example{},
			}},
		}
		responses[status] = response
	}
	separator := ", "
	if response.Description == "code" {
		separator = " "
	}
	if code == codeMethodNotAllowed {
		response.Headers = map[string]*huma.Param{
			"Allow": {Description: "The methods that this path supports", Schema: &huma.Schema{Type: huma.TypeString}},
		}
	}
	if c := challenge(code); c != "" {
		response.Headers = map[string]*huma.Param{
			"WWW-Authenticate": {Description: "The kind of token that the call needs", Schema: &huma.Schema{Type: huma.TypeString}},
		}
	}
	response.Description += separator + string(code)
	if p.retryAfter > 0 {
		seconds := &huma.Schema{Type: huma.TypeInteger}
		response.Headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds to wait", Schema: seconds}}
	}
	answer := encode(answerOf(exampleRefusal(code), p))
	response.Content["application/json"].Examples[string(code)] = &huma.Example{Value: jsonText(answer)}
}

func exampleRefusal(code drop.Code) *drop.Error {
	switch code {
	case drop.CodeInvalid:
		return drop.Invalid("dropId", "must be a whole number")
	case codeMediaType:
		return &drop.Error{Code: code, Field: "Content-Type", Rule: "is missing; send the body as JSON with Content-Type: application/json"}
	case drop.CodeNotStarted, drop.CodeCodeRequired:
		return &drop.Error{Code: code, StartsAt: 1769853600000, StartsIn: 90_000_000_000}
	case drop.CodeCooldown:
		return &drop.Error{Code: code, RetryAt: 1769853660000, RetryIn: 60_000_000_000}
	case codeRateLimited:
		return &drop.Error{Code: code, RetryIn: 500_000_000}
	case drop.CodeLimitReached:
		return &drop.Error{Code: code, Limit: 2, Used: 2}
	case drop.CodeSizeRequired, drop.CodeSizeNotFound:
		return &drop.Error{Code: code, Field: "size"}
	case drop.CodeFixed:
		return &drop.Error{Code: code, Field: "price", Rule: "is fixed once a unit is held or sold"}
	case codeNotNow:
		return &drop.Error{Code: code, Field: "rehearsal", Rule: "must wait: another one is running"}
	case drop.CodeWaitlist, drop.CodeWaitlistFull:
		return &drop.Error{Code: code, Waiting: 57}
	case drop.CodeStockInUse:
		return &drop.Error{Code: code, Available: 3}
	default:
		return drop.Refuse(code)
	}
}
