package api

import (
	"maps"
	"reflect"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"sneakerdrop/internal/drop"
)

// errorSchema is the name of the schema of all errors, a union of the variants. Each code belongs to one variant, so
// the code tells a program which details to expect.
const errorSchema = "Error"

// errorVariant lists the members of errorAnswer that errors of some codes have in addition to error and code.
type errorVariant struct {
	name, doc string
	codes     []drop.Code
	always    []string
	sometimes []string
}

// errorVariants returns all variants. Each code in problems is in exactly one of them.
func errorVariants() []errorVariant {
	variants := []errorVariant{
		{
			name: "FieldError", doc: "An input broke a rule. The sentence names both", always: []string{"field"},
			codes: []drop.Code{drop.CodeInvalid, drop.CodeFixed, drop.CodeSizeRequired, drop.CodeSizeNotFound, codeMediaType, codeNotNow},
		},
		{
			name: "NotStartedError", doc: "The drop has not started, or its draw is not open", always: []string{"starts_at", "starts_in_ms"},
			codes: []drop.Code{drop.CodeNotStarted, drop.CodeCodeRequired},
		},
		{
			name: "LimitReachedError", doc: "The buyer has reached the limit of units per buyer", always: []string{"limit", "used"},
			codes: []drop.Code{drop.CodeLimitReached},
		},
		{
			name: "CooldownError", doc: "The buyer left too many reservations unpaid and must wait", always: []string{"retry_at", "retry_in_ms"},
			codes: []drop.Code{drop.CodeCooldown},
		},
		{
			name: "RateLimitedError", doc: "The address or the buyer sends too many requests", always: []string{"retry_in_ms"},
			codes: []drop.Code{codeRateLimited},
		},
		{
			name: "StockInUseError", doc: "Fewer units are unsold than the call would remove", always: []string{"available"},
			codes: []drop.Code{drop.CodeStockInUse},
		},
		{
			name: "WaitingError", doc: "Others wait for a unit", always: []string{"waiting"},
			codes: []drop.Code{drop.CodeWaitlist, drop.CodeWaitlistFull},
		},
		{
			name: "ForbiddenError", doc: "The caller does not have permission to make this call", sometimes: []string{"field"},
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
		name: "PlainError", doc: "Errors without details", codes: slices.Sorted(maps.Keys(plain)),
	})
}

// describeErrors adds the schema of all errors and those of the variants.
func describeErrors(schemas huma.Registry) {
	all := huma.SchemaFromType(schemas, reflect.TypeFor[errorAnswer]()).Properties
	union := &huma.Schema{Description: "Every error is one of these. The code tells which"}
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
