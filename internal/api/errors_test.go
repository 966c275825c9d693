package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/payment"
	"sneakerdrop/internal/shop/checkout"
)

// TestErrors_EveryCodeIsInOneVariantWhichSaysWhatItHas compares the errors that are sent with their description in
// the document.
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

// A provider that is away says so, even if the caller's time is over by then.
func TestErrors_OfPaymentsHaveTheirOwnCodes(t *testing.T) {
	for want, err := range map[drop.Code]error{
		codeNoProvider:     fmt.Errorf("%w: %w", checkout.ErrProvider, context.DeadlineExceeded),
		codeNotification:   fmt.Errorf("read it: %w", payment.ErrForged),
		codeOutcomeUnknown: errors.Join(checkout.ErrProvider, engine.ErrOutcomeUnknown),
		codeUnavailable:    errors.Join(checkout.ErrProvider, engine.ErrUnavailable),
		drop.CodeInvalid:   drop.Invalid("amount", "must be above 0"),
		codeInternal:       errors.New("anything else"),
	} {
		if got := refusalOf(err, false).Code; got != want {
			t.Errorf("%v is %s, want %s", err, got, want)
		}
	}
	if got := refusalOf(fmt.Errorf("read it: %w", payment.ErrMalformed), false).Code; got != codeNotification {
		t.Errorf("a notification that cannot be read is %s", got)
	}
}

// TestErrors_TheReferenceIsTheTable compares docs/reference/errors.md with the table: each code with its status and the
// details that always come with it, and no code that the server does not have.
func TestErrors_TheReferenceIsTheTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	always := make(map[drop.Code][]string)
	for _, v := range errorVariants() {
		for _, code := range v.codes {
			always[code] = v.always
		}
	}
	documented := make(map[drop.Code]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\d+) \\| .+? \\| (.*?) ?\\| .+ \\|$").FindAllStringSubmatch(string(text), -1) {
		code := drop.Code(row[1])
		p, known := problems[code]
		if !known || documented[code] {
			t.Errorf("%s is documented and no code of the table, or twice", code)
			continue
		}
		documented[code] = true
		if row[2] != strconv.Itoa(p.status) {
			t.Errorf("%s is documented with status %s, and has %d", code, row[2], p.status)
		}
		for _, detail := range always[code] {
			if !strings.Contains(row[3], "`"+detail+"`") {
				t.Errorf("the detail %s of %s is not documented: %q", detail, code, row[3])
			}
		}
	}
	for code := range problems {
		if !documented[code] {
			t.Errorf("docs/reference/errors.md does not say what %s is", code)
		}
	}
}
