package drop_test

import (
	"testing"

	"sneakerdrop/internal/drop"
)

func TestNameStyle_Show(t *testing.T) {
	for _, c := range []struct {
		style      drop.NameStyle
		name, want string
	}{
		{drop.FullName, "Ann Smith", "Ann Smith"},
		{drop.NoName, "Ann Smith", "Anonymous"},
		{drop.InitialName, "Ann Smith", "Ann S."},
		{drop.InitialName, "Ann Mary de  smith ", "Ann S."},
		{drop.InitialName, "Ann", "Ann"},
		{drop.InitialName, "Zoë Ørsted", "Zoë Ø."},
		{drop.InitialName, "Άννα ωμέγα", "Άννα Ω."},
		{drop.InitialName, "ann.smith@example.com", "ann S."},
		{drop.InitialName, " ann_mary.smith", "ann S."},
		{drop.InitialName, "ann+shop@example.com", "ann S."},
		{drop.InitialName, "Anne-Marie", "Anne-Marie"},
		{drop.InitialName, "J.R. Smith", "J.R. S."},
		{drop.InitialName, "...", "Anonymous"},
		{drop.InitialName, "@example.com", "Anonymous"},
		{drop.InitialName, " ", "Anonymous"},
		{drop.InitialName, drop.UnknownUsername, "Unknown"},
		{"", "Ann Smith", "Ann S."}, // a setting that was forgotten does not tell more
	} {
		if got := c.style.Show(c.name); got != c.want {
			t.Errorf("%q of %q: %q, want %q", c.style, c.name, got, c.want)
		}
	}
}
