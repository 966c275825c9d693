package identity

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/text"
)

func TestVerify_PublicNames(t *testing.T) {
	long := strings.Repeat("ä", 300)
	for _, test := range []struct {
		given, family any
		want          string
	}{
		{"Ann", "Smith", "Ann S."},
		{"太郎", "山田", "太郎 山."},
		{"Anne-Marie", "O'Brien", "Anne-Marie O."},
		{"Anna Maria", "'t Hooft", "Anna Maria t."},
		{"Zoë", "E\u0301va", "Zoë É."},
		{"Ravi", "शर्मा", "Ravi श."},
		{"Ann", "👨‍👩‍👧 Smith", "Ann 👨‍👩‍👧."},
		{"Roberta", "Robert", "Roberta R."}, // contains no word of it
		{" Ann\n\u200b", "\u202eSmith", "Ann S."},
		{"Ａnn", "Ｓmith", "Ann S."},
		{long, "Smith", strings.Repeat("ä", drop.MaxUsername-3) + " S."},
		{"Ann", long, "Ann ä."},
		{strings.Repeat("👨‍👩‍👧", 50), "Smith", strings.Repeat("👨‍👩‍👧", 19) + " S."},

		// The given name alone, if there is one.
		{"Ann", nil, "Ann"},
		{"Anne-Marie", " \u200b", "Anne-Marie"},
		{"Ann", 7, "Ann"},
		{"Ann", "-", "Ann"},
		{"Ann Smith", nil, ""},
		{"Smith, Ann", "", ""},
		{"ann.smith", nil, ""},
		{"ann_smith", ".", ""},
		{"山田太郎", nil, ""},

		// No given name.
		{nil, nil, ""},
		{nil, "Smith", ""},
		{"", "Smith", ""},
		{" \u200b", "Smith", ""},
		{"-", "Smith", ""},
		{7, "Smith", ""},
		{[]string{"Ann"}, "Smith", ""},
		{map[string]string{"en": "Ann"}, "Smith", ""},

		// A given name that contains the family name.
		{"Ann Smith", "Smith", ""},
		{"Smith, Ann", "Smith", ""},
		{"Smith", "Smith", ""},
		{"ANN SMITH", "smith", ""},
		{"Ann\u00a0Smith", "Smith", ""},
		{"Ann Ｓmith", "Smith", ""},
		{"Ann Smi\u200bth", "Smith", ""},
		{"ann.smith", "Smith", ""},
		{"ann_smith", "Smith", ""},
		{"Ann (Smith)", "Smith", ""},
		{"Ann Smith-Jones", "Jones", ""},
		{"Ann Smith", "Smith-Jones", ""},
		{"Ana García López", "García López", ""},
		{"Ana Garcia", "García", ""},
		{"Ana Garci\u0301a", "García", ""},
		{"Jörg Strauß", "STRAUSS", ""},
		{"Ann O’Brien", "O'Brien", ""},
		{"山田 太郎", "山田", ""},
		{"山田太郎", "山田", ""},
		{"王小明", "王", ""},
		{"김민준", "김", ""},
		{"สมชายใจดี", "ใจดี", ""},

		// An email.
		{"ann.smith@example.com", "Brown", ""},
		{"ann＠example.com", nil, ""},
		{"Ann", "ann.smith@example.com", ""},
	} {
		claims := body{"name": "Ann Smith"}
		if test.given != nil {
			claims["given_name"] = test.given
		}
		if test.family != nil {
			claims["family_name"] = test.family
		}
		c := check(t, withSecret(t, Config{}), hs256(secret).sign(t, good(claims)), nil)
		if c.PublicName != test.want || c.Username != "Ann Smith" {
			t.Errorf("%+q and %+q: %+q of %q, want %+q", test.given, test.family, c.PublicName, c.Username, test.want)
		}
	}
}

// namesOf returns the claims of a token with these names.
func namesOf(t *testing.T, given, family string) claimSet {
	t.Helper()
	payload, err := json.Marshal(body{"given_name": given, "family_name": family})
	if err != nil {
		t.Fatal(err)
	}
	set, err := readClaims(payload)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// FuzzPublicName: whatever the claims are, the public name is a valid name and does not contain the family name.
func FuzzPublicName(f *testing.F) {
	for _, seed := range [][2]string{
		{"Ann", "Smith"},
		{"Ann Smith", "Smith"},
		{"Smith, Ann", "Smith"},
		{"太郎", "山田"},
		{"山田太郎", "山田"},
		{"Ann", ""},
		{"", "Smith"},
		{"Ann", "ن\u200cا"},
		{"ann@example.com", "Smith"},
		{"Ann", "👨‍👩‍👧"},
		{"\u202eAnn", "\u0301"},
		{"\xff", "\xff"},
		{strings.Repeat("e\u0301\u0302", 80), strings.Repeat("👩‍", 80) + "👩"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, given, family string) {
		name := namesOf(t, given, family).publicName()
		if name == "" {
			return
		}
		if plain, fault := text.Name(name); fault != "" || plain != name || utf8.RuneCountInString(name) > drop.MaxUsername || text.Initial(name) == "" {
			t.Errorf("%+q and %+q: %+q, which is no name: %s", given, family, name, fault)
		}
		tidy := text.Tidy(family, drop.MaxUsername)
		shown := strings.Fields(name)
		if text.Initial(tidy) != "" {
			shown = shown[:len(shown)-1] // the initial
		}
		if strings.Contains(name, "@") || slices.ContainsFunc(shown, func(word string) bool { return tidy != "" && strings.EqualFold(word, tidy) }) {
			t.Errorf("%+q and %+q: %+q", given, family, name)
		}
	})
}
