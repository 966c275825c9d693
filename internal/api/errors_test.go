package api

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"sneakerdrop/internal/drop"
)

// TestErrors_EveryCodeIsInOneVariantWhichSaysWhatItHas compares what is sent with what the document says of it.
func TestErrors_EveryCodeIsInOneVariantWhichSaysWhatItHas(t *testing.T) {
	variants := map[drop.Code][]errorVariant{}
	for _, v := range errorVariants() {
		for _, code := range v.codes {
			variants[code] = append(variants[code], v)
		}
	}
	if len(variants) != len(problems) {
		t.Errorf("%d codes are in a variant, %d in the table", len(variants), len(problems))
	}
	for code, p := range problems {
		if len(variants[code]) != 1 {
			t.Errorf("%s is in %d variants", code, len(variants[code]))
			continue
		}
		var sent map[string]any
		if err := json.Unmarshal(encode(answerOf(exampleRefusal(code), p)), &sent); err != nil {
			t.Fatal(err)
		}
		want := append([]string{"code", "error"}, variants[code][0].always...)
		if got := slices.Sorted(maps.Keys(sent)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%s has %v, %s says %v", code, got, variants[code][0].name, want)
		}
	}
}
