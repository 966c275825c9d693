package drop

import (
	"net/mail"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Every address that plainEmail accepts, the parser accepts too.
func TestPlainEmail_AdmitsNothingThatTheRuleRefuses(t *testing.T) {
	for _, plain := range []string{"ann@example.com", "ann.smith+shoes@mail.example-shop.co.uk", "a@b", "0_-@0-0.x"} {
		if !plainEmail(plain) {
			t.Errorf("%s is not plain", plain)
		}
	}
	for _, other := range []string{
		"", "@", "a@", "@b", "a", "a@b@c", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a b@c", "Ann@example.com", "a@b+c", "<a@b>", "zoë@b",
		strings.Repeat("a", MaxEmail) + "@b",
	} {
		if plainEmail(other) {
			t.Errorf("%.30s is plain", other)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		email := rapid.StringOfN(rapid.RuneFrom([]rune("ab0.-_+@ ")), 1, 20, -1).Draw(t, "email")
		if a, err := mail.ParseAddress(email); plainEmail(email) && (err != nil || a.Address != email) {
			t.Fatalf("%q is plain, and refused: %v", email, err)
		}
	})
}
