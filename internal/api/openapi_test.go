package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// document is what the tests read of the OpenAPI document.
type document struct {
	OpenAPI string
	Info    struct{ Title, Description, Version string }
	Tags    []struct{ Name string }
	Paths   map[string]map[string]operationJSON

	Components struct {
		Schemas         map[string]json.RawMessage
		SecuritySchemes map[string]struct{ Type, Scheme string }
	}

	read map[string]*huma.Schema // those of Components.Schemas that were needed
}

type operationJSON struct {
	OperationID, Summary, Description string
	Tags                              []string
	Parameters                        []struct{ Name, In string }
	Security                          []map[string][]string
	RequestBody                       *struct {
		Content map[string]media
	}
	Responses map[string]responseJSON
}

type responseJSON struct {
	Description string
	Content     map[string]media
	Headers     map[string]struct{ Description string }
}

// done is the answer of a call that succeeds.
func (o *operationJSON) done() responseJSON {
	if r, is := o.Responses["201"]; is {
		return r
	}
	return o.Responses["200"]
}

// id is the operation's name in the log, which OperationID is made from: list-drops for listDrops.
func (o *operationJSON) id() string {
	return strings.ToLower(regexp.MustCompile(`[A-Z]`).ReplaceAllString(o.OperationID, "-$0"))
}

// body is an example of a body that works, or "" if the operation has none.
func (o *operationJSON) body() string {
	if o.RequestBody == nil {
		return ""
	}
	examples := o.RequestBody.Content["application/json"].Examples
	return string(examples[slices.Min(slices.Collect(maps.Keys(examples)))].Value)
}

type media struct {
	Schema   json.RawMessage
	Example  json.RawMessage
	Examples map[string]struct{ Value json.RawMessage }
}

func (s *shop) document() document {
	s.Helper()
	var d document
	if err := json.Unmarshal([]byte(s.get("/openapi.json").body), &d); err != nil {
		s.Fatal(err)
	}
	return d
}

// registry has the document's schemas, each read back from its text when it is first needed.
type registry struct {
	tb      testing.TB
	texts   map[string]json.RawMessage
	schemas map[string]*huma.Schema
}

func (r registry) Schema(reflect.Type, bool, string) *huma.Schema { panic("not used") }
func (r registry) SchemaFromRef(ref string) *huma.Schema {
	name := strings.TrimPrefix(ref, refPrefix)
	if text, there := r.texts[name]; there && r.schemas[name] == nil {
		r.schemas[name] = schemaOf(r.tb, text)
	}
	return r.schemas[name]
}
func (r registry) TypeFromRef(string) reflect.Type              { panic("not used") }
func (r registry) Map() map[string]*huma.Schema                 { return r.schemas }
func (r registry) RegisterTypeAlias(reflect.Type, reflect.Type) {}

const refPrefix = "#/components/schemas/"

// schemaOf reads a schema's text back into a schema that can validate.
func schemaOf(tb testing.TB, text json.RawMessage) *huma.Schema {
	tb.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	nullable := false
	var types []string
	if json.Unmarshal(raw["type"], &types) == nil && len(types) > 0 { // ["string","null"]
		nullable = slices.Contains(types, "null")
		raw["type"], _ = json.Marshal(types[0])
	}
	children := map[string]*huma.Schema{}
	var properties map[string]json.RawMessage
	if raw["properties"] != nil {
		if err := json.Unmarshal(raw["properties"], &properties); err != nil {
			tb.Fatal(err)
		}
	}
	for name, p := range properties {
		children[name] = schemaOf(tb, p)
	}
	var items *huma.Schema
	if raw["items"] != nil {
		items = schemaOf(tb, raw["items"])
	}
	var oneOf []json.RawMessage
	if raw["oneOf"] != nil {
		_ = json.Unmarshal(raw["oneOf"], &oneOf)
	}
	ref := raw["$ref"]
	for _, known := range []string{"properties", "items", "oneOf", "$ref"} {
		delete(raw, known)
	}
	plain, _ := json.Marshal(raw)
	var s huma.Schema
	if err := json.Unmarshal(plain, &s); err != nil {
		tb.Fatalf("%s: %v", plain, err)
	}
	if ref != nil {
		_ = json.Unmarshal(ref, &s.Ref)
	}
	for _, one := range oneOf {
		s.OneOf = append(s.OneOf, schemaOf(tb, one))
	}
	s.Nullable, s.Properties, s.Items = nullable, children, items
	s.AdditionalProperties = true
	s.PrecomputeMessages()
	return &s
}

func (d *document) validate(tb testing.TB, schema, value json.RawMessage) {
	tb.Helper()
	if d.read == nil {
		d.read = make(map[string]*huma.Schema)
	}
	r := registry{tb, d.Components.Schemas, d.read}
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		tb.Fatalf("%s: %v", value, err)
	}
	var result huma.ValidateResult
	huma.Validate(r, schemaOf(tb, schema), huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &result)
	for _, err := range result.Errors {
		tb.Errorf("%s does not fit its schema: %v", value, err)
	}
}

// TestOpenAPI_DescribesEveryOperation checks what linters cannot. test/client_test.go runs the linters.
func TestOpenAPI_DescribesEveryOperation(t *testing.T) {
	s := newShop(t, paying)
	d := s.document()
	if !strings.HasPrefix(d.OpenAPI, "3.1") || d.Info.Title == "" || d.Info.Description == "" || d.Info.Version == "" || len(d.Tags) == 0 {
		t.Fatalf("document %s %+v", d.OpenAPI, d.Info)
	}
	ids, tags := map[string]bool{}, map[string]bool{}
	for path, methods := range d.Paths {
		for method, op := range methods {
			name := method + " " + path
			if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || !regexp.MustCompile(`^[a-z]+([A-Z][a-z]+)*$`).MatchString(op.OperationID) || ids[op.OperationID] {
				t.Errorf("%s: %+v", name, op)
			}
			ids[op.OperationID] = true
			for _, tag := range op.Tags {
				tags[tag] = true
			}
			if (method == "post" || method == "patch" || method == "put") != (op.RequestBody != nil) || op.RequestBody != nil && len(op.RequestBody.Content["application/json"].Examples) == 0 {
				t.Errorf("%s: body and examples: %+v", name, op.RequestBody)
			}
			keyed := method == "post" && op.id() != "checkout" && op.id() != "reveal-draw"
			_, says := op.done().Headers["Idempotent-Replayed"]
			if keyed != says {
				t.Errorf("%s: Idempotent-Replayed described: %t", name, says)
			}
			hasKey := slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == "Idempotency-Key" && p.In == "header" })
			if keyed != hasKey || hasKey != strings.Contains(op.Responses["422"].Description, "idempotency_mismatch") {
				t.Errorf("%s: Idempotency-Key described: %t", name, hasKey)
			}
			for status, r := range op.Responses {
				if status >= "400" && len(r.Content["application/json"].Examples) == 0 {
					t.Errorf("%s: %s has no codes", name, status)
				}
			}
			for _, placeholder := range regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(path, -1) {
				if !slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == placeholder[1] && p.In == "path" }) {
					t.Errorf("%s: parameter %s is not described", name, placeholder[1])
				}
			}
		}
	}
	for _, tag := range d.Tags {
		if !tags[tag.Name] {
			t.Errorf("no operation is of %s", tag.Name)
		}
	}
	text := s.get("/openapi.json").body
	for _, ref := range regexp.MustCompile(`"\$ref":"`+refPrefix+`(\w+)"`).FindAllStringSubmatch(text, -1) {
		if d.Components.Schemas[ref[1]] == nil {
			t.Errorf("nothing at %s", ref[0])
		}
	}
}

// TestOpenAPI_AndTheRoutesAreTheSame tries every method on every path, described or guessed.
func TestOpenAPI_AndTheRoutesAreTheSame(t *testing.T) {
	s := newShop(t, paying)
	mustPost[dropJSON](s, "/api/drops/create", createBody)
	d := s.document()
	paths := []string{"/", "/api", "/api/users/{id}", "/api/drops/{id}/hide", "/favicon.ico", "/openapi.yaml"}
	for path := range d.Paths {
		paths = append(paths, path)
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			_, described := d.Paths[path][strings.ToLower(method)]
			asked := placed(path)
			if strings.HasSuffix(path, "/events") {
				asked += "?drop=none" // otherwise the stream would not end
			}
			r := s.do(s.request(method, asked, ""))
			if routed := r.status != http.StatusMethodNotAllowed && (r.status != http.StatusNotFound || !strings.Contains(r.body, "route_not_found")); routed != described {
				t.Errorf("%s %s: routed %t, described %t (%d)", method, path, routed, described, r.status)
			}
		}
	}
}

func TestOpenAPI_SaysWhichTokenACallNeeds(t *testing.T) {
	if d := newShop(t).document(); len(d.Components.SecuritySchemes) != 0 {
		t.Errorf("without identity: %+v", d.Components.SecuritySchemes)
	}
	d := newShop(t, secretProvider(t).signIn, paying).document()
	for path, methods := range d.Paths {
		for method, op := range methods {
			want := map[string]string{buyer: "buyer", seller: "buyer operator", looker: "buyer operator", watcher: "buyer", viewer: "operator", operating: "operator"}[rights[op.id()]]
			var has []string
			if free := slices.ContainsFunc(op.Security, func(s map[string][]string) bool { return len(s) == 0 }); free != (rights[op.id()] == watcher) {
				t.Errorf("%s %s: %+v", method, path, op.Security)
			}
			for _, s := range op.Security {
				for name := range s {
					has = append(has, name)
					if scheme := d.Components.SecuritySchemes[name]; scheme.Type != "http" || scheme.Scheme != "bearer" {
						t.Errorf("%s %s: scheme %+v", method, path, scheme)
					}
				}
			}
			if strings.Join(has, " ") != want || (op.Responses["401"].Description == "") != (want == "") || (rights[op.id()] == viewer || rights[op.id()] == looker) != strings.Contains(op.Description, "viewer's token") {
				t.Errorf("%s %s: %+v %q", method, path, op.Security, op.Description)
			}
		}
	}
}

func TestOpenAPI_ExamplesFitTheirSchemasAndWork(t *testing.T) {
	d := newShop(t).document()
	for path, methods := range d.Paths {
		for method, op := range methods {
			t.Run(op.OperationID, func(t *testing.T) {
				for status, response := range op.Responses {
					m := response.Content["application/json"]
					if m.Example != nil {
						d.validate(t, m.Schema, m.Example)
					}
					for name, e := range m.Examples {
						d.validate(t, m.Schema, e.Value)
						if !strings.Contains(response.Description, name) {
							t.Errorf("%s does not name %s: %s", status, name, response.Description)
						}
					}
				}
				if op.RequestBody == nil {
					return
				}
				body := op.RequestBody.Content["application/json"]
				for _, e := range body.Examples {
					s := newShop(t)
					if strings.Contains(op.OperationID, "Draw") {
						openDraws(s, op.id())
						d.validate(t, body.Schema, e.Value)
						r := s.do(s.request(strings.ToUpper(method), placed(path), string(e.Value)))
						s.ok(r)
						d.validate(t, op.done().Content["application/json"].Schema, json.RawMessage(r.body))
						continue
					}
					mustPost[dropJSON](s, "/api/drops/create", createBody)
					mustPost[dropJSON](s, "/api/drops/create", sizedBody)
					mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":3}`)
					sold := mustPost[reservationJSON](s, "/api/drops/reserve", `{"dropId":1,"userId":4}`)
					s.ok(s.post("/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, sold.ID)))
					s.ok(s.post("/api/webhooks", `{"url":"https://example.com/"}`))
					switch op.id() {
					case "leave-waitlist":
						s.ok(s.post("/api/drops/1/restock", `{"add":-3}`))
						s.ok(s.patch("/api/drops/1", `{"waitlist":true}`))
						s.ok(s.post("/api/drops/waitlist", `{"dropId":1,"userId":3}`))
					case "end-codes":
						s.ok(s.post("/api/drops/1/codes", `{"count":1,"ends":"9998-01-31T10:00:00Z"}`))
					case "join-waitlist":
						s.ok(s.patch("/api/drops/1", `{"waitlist":true}`))
						s.ok(s.patch("/api/drops/2", `{"waitlist":true}`))
					}
					d.validate(t, body.Schema, e.Value)
					r := s.do(s.request(strings.ToUpper(method), placed(path), string(e.Value)))
					s.ok(r)
					d.validate(t, op.done().Content["application/json"].Schema, json.RawMessage(r.body))
				}
			})
		}
	}
}

// TestOpenAPI_BoundsAreTheRules sends each documented bound, which must be accepted, and the number beyond it, which
// must not.
func TestOpenAPI_BoundsAreTheRules(t *testing.T) {
	s := newShop(t)
	d := s.document()
	for _, c := range []struct{ schema, field, path, body string }{
		{"CreateRequest", "total_stock", "/api/drops/create", `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","total_stock":%s}`},
		{"CreateRequest", "limit_per_user", "/api/drops/create", `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","total_stock":1,"limit_per_user":%s}`},
		{"CreateRequest", "price", "/api/drops/create", `{"name":"n","start_time":"2026-01-31T10:00:00Z","total_stock":1,"price":%s}`},
		{"CreateRequest", "max_expired_holds", "/api/drops/create", `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","total_stock":1,"max_expired_holds":%s}`},
		{"CreateRequest", "offer_for", "/api/drops/create", `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","total_stock":1,"offer_for":%s}`},
		{"CreateRequest", "max_waiting", "/api/drops/create", `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","total_stock":1,"max_waiting":%s}`},
		{"EditRequest", "offer_for", "/api/drops/1", `{"offer_for":%s}`},
		{"EditRequest", "max_waiting", "/api/drops/1", `{"max_waiting":%s}`},
		{"EditRequest", "max_expired_holds", "/api/drops/1", `{"max_expired_holds":%s}`},
		{"EditRequest", "limit_per_user", "/api/drops/1", `{"limit_per_user":%s}`},
		{"EditRequest", "price", "/api/drops/1", `{"price":%s}`},
		{"CodesRequest", "count", "/api/drops/1/codes", `{"ends":"9998-01-31T10:00:00Z","count":%s}`},
		{"CodesRequest", "uses", "/api/drops/1/codes", `{"ends":"9998-01-31T10:00:00Z","count":1,"uses":%s}`},
		{"CodesRequest", "per_buyer", "/api/drops/1/codes", `{"ends":"9998-01-31T10:00:00Z","count":1,"per_buyer":%s}`},
		{"SizeRequest", "stock", "/api/drops/create", `{"name":"n","price":1,"start_time":"2026-01-31T10:00:00Z","sizes":[{"size":1,"stock":%s}]}`},
	} {
		var schema struct {
			Properties map[string]struct{ Minimum, Maximum json.Number }
		}
		if err := json.Unmarshal(d.Components.Schemas[c.schema], &schema); err != nil {
			t.Fatal(err)
		}
		p := schema.Properties[c.field]
		for bound, ok := range map[string]bool{
			p.Minimum.String(): true, p.Maximum.String(): true, "-1": false, "1" + p.Maximum.String(): false,
		} {
			method := http.MethodPost
			if c.schema == "EditRequest" {
				method = http.MethodPatch
			}
			r := s.do(s.request(method, c.path, fmt.Sprintf(c.body, bound)))
			if (r.status < 300) != ok {
				t.Errorf("%s %s: %d %s", c.field, bound, r.status, r.body)
			}
		}
	}
}

func TestDocs_NeedNothingFromElsewhere(t *testing.T) {
	s := newShop(t)
	r := s.get("/docs")
	if r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Fatalf("%d %v", r.status, r.header)
	}
	if strings.Contains(r.body, "<script") || regexp.MustCompile(`(src|href)="(https?:)?//`).MatchString(r.body) {
		t.Error("the page loads something")
	}
	if strings.Contains(r.body, "ZgotmplZ") || strings.Contains(r.body, "%!") {
		t.Error("the template came out wrong")
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(r.body)
	if style == nil {
		t.Fatal("the page has no style")
	}
	sum := sha256.Sum256([]byte(style[1]))
	if csp := r.header.Get("Content-Security-Policy"); !strings.Contains(csp, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Errorf("its policy refuses its own style: %s", csp)
	}
	for path, methods := range s.document().Paths {
		for method, op := range methods {
			if !strings.Contains(r.body, path) || !strings.Contains(r.body, `id="`+op.id()+`"`) || !strings.Contains(html.UnescapeString(r.body), op.Summary) {
				t.Errorf("%s %s is not on the page", method, path)
			}
		}
	}
}
