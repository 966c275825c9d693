package operator_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
)

func TestMint_TokensAreTheirOwn(t *testing.T) {
	seen := make(map[string]bool)
	for range 1000 {
		token, hash := operator.Mint()
		again, ok := operator.HashOf(token)
		if seen[token] || !ok || again != hash || !operator.Is(token) || !strings.HasPrefix(token, "sdo_") || len(token) != 47 {
			t.Fatalf("token %q, hash %x and %x, %t", token, hash, again, ok)
		}
		seen[token] = true
	}
}

func TestHashOf_OnlyOfWhatMayBeAToken(t *testing.T) {
	token, _ := operator.Mint()
	for _, other := range []string{"", "sdo_", token[:46], token + "x", "sdx_" + token[4:], token[4:], "eyJ.e30.x"} {
		if _, ok := operator.HashOf(other); ok {
			t.Errorf("%q passes for a token", other)
		}
	}
	if operator.Is("eyJhbGciOiJIUzI1NiJ9.e30.x") {
		t.Error("a buyer's token passes for an operator's")
	}
}

func TestToken_Life(t *testing.T) {
	token := operator.Token{ExpiresAt: 1000}
	if token.ExpiredAt(999) || !token.ExpiredAt(1000) || token.Revoked() {
		t.Error("a token ends at its time")
	}
	if token.ExpiresAt = 0; token.ExpiredAt(1 << 60) {
		t.Error("a token without an end ends")
	}
	if token.RevokedAt = 5; !token.Revoked() {
		t.Error("a revoked token is not")
	}
}

func TestToken_Allows(t *testing.T) {
	for _, c := range []struct {
		has, needs operator.Role
		want       bool
	}{
		{operator.Operator, operator.Operator, true},
		{operator.Operator, operator.Viewer, true},
		{operator.Viewer, operator.Viewer, true},
		{operator.Viewer, operator.Operator, false},
		{"", operator.Viewer, false},
	} {
		token := operator.Token{Role: c.has}
		if got := token.Allows(c.needs); got != c.want {
			t.Errorf("%q for %q: %t", c.has, c.needs, got)
		}
	}
}

func TestToken_Check(t *testing.T) {
	for _, good := range []operator.Token{
		{Name: "Ann's laptop", Role: operator.Operator}, {Name: strings.Repeat("ü", operator.MaxName), Role: operator.Viewer},
	} {
		if err := good.Check(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for field, bad := range map[string][]operator.Token{
		"name": {
			{Role: operator.Viewer},
			{Name: " ann", Role: operator.Viewer},
			{Name: "a\nb", Role: operator.Viewer},
			{Name: "a\u202eb", Role: operator.Viewer}, // reverses the rest of the line
			{Name: "\xff", Role: operator.Viewer},
			{Name: strings.Repeat("a", operator.MaxName+1), Role: operator.Viewer},
		},
		"role": {{Name: "ann"}, {Name: "ann", Role: "Operator"}},
	} {
		for _, token := range bad {
			if err := token.Check(); drop.CodeOf(err) != drop.CodeInvalid || !strings.Contains(err.Error(), field) {
				t.Errorf("%+v: %v", token, err)
			}
		}
	}
}

func TestDetail_IsBoundedAndFitForAnyDatabase(t *testing.T) {
	for in, want := range map[string]string{
		`{"add":1}`:                 `{"add":1}`,
		"a\x00b\nc":                 "a b c",
		"a\xffb":                    "a b",
		"a\u2028b\u202ec":           "a b c",
		strings.Repeat("x", 70_000): strings.Repeat("x", operator.MaxDetail),
		strings.Repeat("x", operator.MaxDetail-1) + "üüü": strings.Repeat("x", operator.MaxDetail-1) + " ",
		"": "",
	} {
		got := operator.Detail([]byte(in))
		if got != want || !utf8.ValidString(got) {
			t.Errorf("Detail(%.20q): %.20q, want %.20q", in, got, want)
		}
	}
}
