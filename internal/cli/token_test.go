package cli

import (
	"strings"
	"testing"
)

func TestShownDetail_SaysWhatIsMissing(t *testing.T) {
	for in, want := range map[string]string{
		`{"add":1}`:                           `{"add":1}`,
		strings.Repeat("x", 2000):             strings.Repeat("x", 2000),
		strings.Repeat("x", 2345):             strings.Repeat("x", 2000) + "… (345 bytes more: --json)",
		strings.Repeat("x", 1999) + "ü" + "y": strings.Repeat("x", 1999) + "… (3 bytes more: --json)",
	} {
		if got := shownDetail(in); got != want {
			t.Errorf("%d bytes are shown as %q", len(in), got[max(0, len(got)-40):])
		}
	}
}
