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
		{drop.InitialName, "Ann Smith", "A."},
		{drop.InitialName, "Smith, Ann", "S."},
		{drop.InitialName, "Ann", "A."},
		{drop.InitialName, "山田 太郎", "山."},
		{drop.InitialName, "山田太郎", "山."},
		{drop.InitialName, "Nguyễn Thị Minh", "N."},
		{drop.InitialName, "Zoë Ørsted", "Z."},
		{drop.InitialName, "E\u0301va Ørsted", "E\u0301."},
		{drop.InitialName, "👨‍👩‍👧 Smith", "👨‍👩‍👧."},
		{drop.InitialName, "🇩🇪🇫🇷", "🇩🇪."},
		{drop.InitialName, "\u1112\u1161\u11ab글", "\u1112\u1161\u11ab."},
		{drop.InitialName, "शर्मा", "श."},
		{drop.InitialName, "ann.smith@example.com", "a."},
		{drop.InitialName, " ann_mary.smith", "a."},
		{drop.InitialName, "Anne-Marie", "A."},
		{drop.InitialName, "J.R. Smith", "J."},
		{drop.InitialName, "(Smith)", "S."},
		{drop.InitialName, "\u202eSmith", "S."}, // stored before names were checked
		{drop.InitialName, "...", "Anonymous"},
		{drop.InitialName, "@", "Anonymous"},
		{drop.InitialName, " ", "Anonymous"},
		{drop.InitialName, drop.UnknownUsername, "Unknown"},
		{drop.NoName, drop.UnknownUsername, "Anonymous"},
		{"", "Ann Smith", "A."}, // a forgotten setting must not reveal more
	} {
		if got := c.style.Show(c.name, ""); got != c.want {
			t.Errorf("%q of %q: %q, want %q", c.style, c.name, got, c.want)
		}
	}
}

func TestNameStyle_ShowsThePublicName(t *testing.T) {
	for _, c := range []struct {
		style             drop.NameStyle
		name, tells, want string
	}{
		{drop.FullName, "Ann Smith", "Ann S.", "Ann Smith"},
		{drop.InitialName, "Ann Smith", "Ann S.", "Ann S."},
		{drop.InitialName, "山田 太郎", "太郎 山.", "太郎 山."},
		{drop.InitialName, "...", "Ann", "Ann"},
		{drop.InitialName, drop.UnknownUsername, "Ann S.", "Ann S."},
		{drop.NoName, "Ann Smith", "Ann S.", "Anonymous"},
		{"", "Ann Smith", "Ann S.", "Ann S."},
	} {
		if got := c.style.Show(c.name, c.tells); got != c.want {
			t.Errorf("%q of %q and %q: %q, want %q", c.style, c.name, c.tells, got, c.want)
		}
	}
}
