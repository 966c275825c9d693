package api

import (
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

// errorSchema is the name of what every error is: one of the variants. Each has codes of its own, so that a program
// that knows the code knows which details come with it.
const errorSchema = "Error"

// errorVariant is what errors of some codes have beside error and code. Members are those of errorAnswer.
type errorVariant struct {
	name, doc string
	codes     []drop.Code
	always    []string
	sometimes []string
}

// errorVariants has each code of problems once.
func errorVariants() []errorVariant {
	variants := []errorVariant{
		{
			name: "FieldError", doc: "One input broke a rule. The sentence names both", always: []string{"field"},
			codes: []drop.Code{drop.CodeInvalid, drop.CodeFixed, drop.CodeSizeRequired, drop.CodeSizeNotFound, codeMediaType, codeNotNow},
		},
		{
			name: "NotStartedError", doc: "The drop has not started", always: []string{"starts_at", "starts_in_ms"},
			codes: []drop.Code{drop.CodeNotStarted},
		},
		{
			name: "LimitReachedError", doc: "The buyer has as many units as one may have", always: []string{"limit", "used"},
			codes: []drop.Code{drop.CodeLimitReached},
		},
		{
			name: "CooldownError", doc: "The buyer left too many holds unpaid and has to wait", always: []string{"retry_at", "retry_in_ms"},
			codes: []drop.Code{drop.CodeCooldown},
		},
		{
			name: "RateLimitedError", doc: "The address, or the buyer, makes too many calls", always: []string{"retry_in_ms"},
			codes: []drop.Code{codeRateLimited},
		},
		{
			name: "StockInUseError", doc: "Fewer units are unsold than should be taken away", always: []string{"available"},
			codes: []drop.Code{drop.CodeStockInUse},
		},
		{
			name: "ForbiddenError", doc: "This caller may not make this call", sometimes: []string{"field"},
			codes: []drop.Code{codeForbidden},
		},
	}
	plain := maps.Clone(problems)
	for i := range variants {
		for _, code := range variants[i].codes {
			delete(plain, code)
		}
	}
	return append(variants, errorVariant{
		name: "PlainError", doc: "The code says it all", codes: slices.Sorted(maps.Keys(plain)),
	})
}

// describeErrors adds the schema of an error and those of its variants.
func describeErrors(schemas huma.Registry) {
	all := huma.SchemaFromType(schemas, reflect.TypeFor[errorAnswer]()).Properties
	union := &huma.Schema{Description: "Every error is one of these. The code says which"}
	for _, v := range errorVariants() {
		code := huma.Schema{Type: huma.TypeString, Description: all["code"].Description}
		for _, c := range v.codes {
			code.Enum = append(code.Enum, string(c))
		}
		variant := &huma.Schema{
			Type: huma.TypeObject, Description: v.doc, Required: append([]string{"error", "code"}, v.always...),
			Properties: map[string]*huma.Schema{"error": all["error"], "code": &code},
		}
		for _, name := range slices.Concat(v.always, v.sometimes) {
			variant.Properties[name] = all[name]
		}
		schemas.Map()[v.name] = variant
		union.OneOf = append(union.OneOf, &huma.Schema{Ref: schemaPrefix + v.name})
	}
	schemas.Map()[errorSchema] = union
}
