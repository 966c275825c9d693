package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

// clientDocument is the document that the client library is generated from. It is that of a server with everything
// switched on.
const clientDocument = "../../client/openapi.json"

// TestOpenAPI_IsWhatTheClientIsMadeFrom fails if the document has changed but the client was not generated again.
// With MAKE_CLIENT=1 it writes the document.
func TestOpenAPI_IsWhatTheClientIsMadeFrom(t *testing.T) {
	var want bytes.Buffer
	if err := json.Indent(&want, []byte(newShop(t, secretProvider(t).signIn, paying).get("/openapi.json").body), "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if os.Getenv("MAKE_CLIENT") != "" {
		if err := os.WriteFile(clientDocument, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(clientDocument)
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("client/openapi.json is not what the server answers (%v): run make client", err)
	}
}

func readClientDocument(tb testing.TB) document {
	tb.Helper()
	var d document
	text, err := os.ReadFile(clientDocument)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// errorSchemas are the document's, read once. They allow no member that is not described.
var errorSchemas struct {
	once sync.Once
	registry
}

// fitsError checks an error from the server against the document's schema of errors.
func fitsError(tb testing.TB, body []byte) {
	tb.Helper()
	errorSchemas.once.Do(func() {
		errorSchemas.schemas = map[string]*huma.Schema{}
		for name, text := range readClientDocument(tb).Components.Schemas {
			s := schemaOf(tb, text)
			s.AdditionalProperties = false
			errorSchemas.schemas[name] = s
		}
	})
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		tb.Errorf("%s: %v", body, err)
		return
	}
	var result huma.ValidateResult
	huma.Validate(errorSchemas.registry, errorSchemas.schemas["Error"], huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &result)
	for _, err := range result.Errors {
		tb.Errorf("%s is no error that the document describes: %v", body, err)
	}
}

// TestOpenAPI_ErrorsAreAUnionOfVariantsByCode reads what code generators make types from: each code is in one variant
// only.
func TestOpenAPI_ErrorsAreAUnionOfVariantsByCode(t *testing.T) {
	d := newShop(t, secretProvider(t).signIn, paying).document()
	var union struct {
		OneOf []struct {
			Ref string `json:"$ref"`
		}
	}
	if err := json.Unmarshal(d.Components.Schemas["Error"], &union); err != nil || len(union.OneOf) < 2 {
		t.Fatalf("Error is %s: %v", d.Components.Schemas["Error"], err)
	}
	variantOf := map[string]string{}
	for _, one := range union.OneOf {
		name := strings.TrimPrefix(one.Ref, refPrefix)
		var variant struct {
			Required   []string
			Properties struct{ Code struct{ Enum []string } }
		}
		if err := json.Unmarshal(d.Components.Schemas[name], &variant); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(variant.Required, "error") || !slices.Contains(variant.Required, "code") || len(variant.Properties.Code.Enum) == 0 {
			t.Errorf("%s: %+v", name, variant)
		}
		for _, code := range variant.Properties.Code.Enum {
			if other := variantOf[code]; other != "" {
				t.Errorf("%s is in %s and in %s", code, other, name)
			}
			variantOf[code] = name
		}
	}
	for path, methods := range d.Paths {
		for method, op := range methods {
			for status, r := range op.Responses {
				if status >= "400" && string(r.Content["application/json"].Schema) != `{"$ref":"`+refPrefix+`Error"}` {
					t.Errorf("%s %s: %s is %s", method, path, status, r.Content["application/json"].Schema)
				}
				for code, example := range r.Content["application/json"].Examples {
					if variantOf[code] == "" {
						t.Errorf("%s is in no variant", code)
					}
					fitsError(t, example.Value)
				}
			}
		}
	}
}
