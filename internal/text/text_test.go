package text_test

import (
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"

	"sneakerdrop/internal/text"
)

const (
	control   = "must not contain control characters"
	empty     = "must not be empty"
	hidden    = "must not contain invisible or direction-changing characters; delete "
	private   = "must not contain private or unassigned characters; delete "
	loneMark  = "must not contain a combining mark without a letter before it; delete "
	manyMarks = "must not have more than 8 combining marks on one letter"
)

// spellings are texts that read the same; the first is the normal form.
var spellings = map[string][]string{
	"white space around":        {"nika", "nika ", " nika", "nika\u00a0", "\u3000nika", "\u2003nika\u2009", "nika\n", "\t nika\r\n", "nika\u2028", "\u0085nika"},
	"white space within":        {"Ann Smith", "Ann  Smith", "Ann\u00a0Smith", "Ann \u3000 Smith", "Ann\u2009\u202fSmith", "Ann\u1680Smith"},
	"composed and decomposed":   {"José", "Jose\u0301"},
	"several marks":             {"Nguyễn", "Nguye\u0302\u0303n", "Nguy\u00ea\u0303n"},
	"order of marks":            {"ậ̈", "a\u0323\u0302\u0308"}, // comparing equal texts would test nothing: see below
	"full width":                {"nika", "ｎｉｋａ", "ｎika"},
	"full-width digits":         {"9", "９"},
	"full-width size":           {"42.5", "４２．５", "42．5"},
	"half-width katakana":       {"ガギ", "ｶﾞｷﾞ", "カ\u3099キ\u3099"},
	"half-width Hangul":         {"ㄱ", "ﾡ"},
	"Hangul in parts":           {"한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"},
	"Kelvin, Ångström and Ohm":  {"KÅΩ", "\u212a\u212b\u2126"},
	"ideographs of old codes":   {"豈", "\uf900"},
	"the look of an emoji":      {"❤ Ann", "❤\ufe0f Ann", "❤\ufe0e Ann"},
	"the look of a keycap":      {"1\u20e3", "1\ufe0f\u20e3"},
	"the look of an ideograph":  {"葛城", "葛\U000e0100城", "葛\ufe00城"},
	"a relation after its look": {"↮", "↔\u0338", "↔\ufe0f\u0338"},
}

func TestName_OneFormOfAllSpellings(t *testing.T) {
	for what, same := range spellings {
		want := norm.NFC.String(same[0])
		for _, s := range same {
			if got, fault := text.Name(s); got != want || fault != "" {
				t.Errorf("%s: %+q becomes %+q %s, want %+q", what, s, got, fault, want)
			}
		}
	}
}

// Real names of people and things stay unchanged.
func TestName_LeavesTrueNamesAlone(t *testing.T) {
	for _, s := range []string{
		"a", "O'Brien", "O’Brien", "Anne-Marie", "J. R. R. Tolkien", "Ann (Berlin)", "ann@example.com", "José", "Øyvind", "Nguyễn Thị Minh", "Åsa",
		"山田 太郎", "王", "오승환", "ハンナ・ミュラー", "李·斯", "Jean‐Luc", "Łukasz", "İpek", "ıssız", "Straße", "Đặng", "ʻAlohilani", "Nuñez", "L·L",
		"محمد علي", "علی\u200cرضا", "می\u200cخواهم", "דוד בן־גוריון", "ז׳בוטינסקי", "שָׁלוֹם",
		"क्\u200dष", "श्री", "र्\u200dय", "ක්\u200dරි", "ശ്രീ", "അവന്\u200d", "தமிழ்", "বাংলা", "ไทย", "ភាសាខ្មែរ", "ཀྲུང་", "አበበ", "ქართული", "Աննա",
		"👟", "Ann 👟", "👨‍👩‍👧‍👦", "👩🏽‍🚀", "🏳‍🌈", "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "1⃣", "☕", "✊🏿", "♀",
		"9", "9.5", "9½", "42 ⅔", "EU 42", "XL", "7-8", "3E5", "09", "1.50", "W8/M6.5", "½", "²", "№ 5", "ﬁ", "Ⅳ", "℃", "\ufffd",
		"NULL", "'; --", "%", "<b>x</b>", "\\", `"`,
	} {
		if got, fault := text.Name(s); got != s || fault != "" {
			t.Errorf("%q (%+q) becomes %+q %s", s, s, got, fault)
		}
	}
}

func TestTitle_KeepsWhatNamesFold(t *testing.T) {
	for given, want := range map[string]string{
		" Air  Max™ · ’24 ": "Air Max™ · ’24", "Sun ☀️": "Sun ☀️", "ＮＩＫＥ！": "ＮＩＫＥ！", "赤\u3000青": "赤 青", "Jose\u0301": "José",
		"1️⃣ of 100": "1️⃣ of 100", "🏴󠁧󠁢󠁥󠁮󠁧󠁿": "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
	} {
		if got, fault := text.Title(given); got != want || fault != "" {
			t.Errorf("%+q becomes %+q %s, want %+q", given, got, fault, want)
		}
	}
}

func TestForms_RefuseWhatHides(t *testing.T) {
	for given, want := range map[string]string{
		"": empty, "\u0020\u00a0\u3000": empty, "\xff": "must be valid UTF-8", "a\xed\xa0\x80": "must be valid UTF-8", // a surrogate in UTF-8
		"a\nb": control, "a\x00": control, "a\u0085b": control, "a\u2028b": control, "a\u2029b": control, "a\x7f": control, "a\tb": control,
		"\u200b": hidden + "U+200B", "nika\u200b": hidden + "U+200B", "\u202e": hidden + "U+202E", "\u202enika": hidden + "U+202E", "9\u200b": hidden + "U+200B",
		"a\u2066b\u2069": hidden + "U+2066", "a\u200e": hidden + "U+200E", "a\u061cb": hidden + "U+061C", "\ufeffnika": hidden + "U+FEFF",
		"ni\u00adka": hidden + "U+00AD", "ni\u2060ka": hidden + "U+2060", "ni\u034fka": hidden + "U+034F", "\u3164": hidden + "U+3164",
		"\u115f\u1160": hidden + "U+115F", "\u2800": hidden + "U+2800", "\u180e": hidden + "U+180E", "a\ufe0f": hidden + "U+FE0F", "\ufe0f": hidden + "U+FE0F",
		"a\U000e0100": hidden + "U+E0100", "👟\ufe0f\ufe0f": hidden + "U+FE0F", "a\u180bb": hidden + "U+180B", "\ufffc": hidden + "U+FFFC",
		"ni\u200cka": hidden + "U+200C", "ni\u200dka": hidden + "U+200D", "nika\u200d": hidden + "U+200D", "\u200dnika": hidden + "U+200D",
		"👟\u200d": hidden + "U+200D", "\u200d👟": hidden + "U+200D", "\u200cمحمد": hidden + "U+200C",
		"a\U000e0041": hidden + "U+E0041", "🏴\U000e0067\U000e0062": hidden + "U+E0067", "👟\U000e0067\U000e007f": hidden + "U+E0067",
		"\U0001d173": hidden + "U+1D173", "\U0001d159": hidden + "U+1D159", "\u206a": hidden + "U+206A", "\ufff9a\ufffb": hidden + "U+FFF9",
		"\uffff": private + "U+FFFF", "\ufdd0": private + "U+FDD0", "\U0010ffff": private + "U+10FFFF", "\ue000": private + "U+E000",
		"\U000f0000": private + "U+F0000", "\u0378": private + "U+0378", "a\U00050000": private + "U+50000", "\u2065": hidden + "U+2065",
		"\u0301": loneMark + "U+0301", "\u0301nika": loneMark + "U+0301", "\u20dd": loneMark + "U+20DD",
		"x" + strings.Repeat("\u0334", 9): manyMarks, "\u0338\u0338": loneMark + "U+0338",
	} {
		for form, normal := range map[string]func(string) (string, text.Fault){"Name": text.Name, "Title": text.Title, "Email": text.Email} {
			if _, fault := normal(given); string(fault) != want {
				t.Errorf("%s(%+q): %q, want %q", form, given, fault, want)
			}
		}
	}
}

// one checks a single character, after a letter if it is a mark.
func one(r rune) string {
	if unicode.Is(unicode.M, r) {
		return "x" + string(r)
	}
	return string(r)
}

// TestNormalForms_AreStricterThanPrecis tries every character. PRECIS's free-text class accepts whatever Name
// accepts, except where this test says why not.
func TestNormalForms_AreStricterThanPrecis(t *testing.T) {
	free := precis.NewFreeform()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r == 0x40000 { // planes without any characters
			r = 0xE0000
		}
		_, fault := text.Name(one(r))
		_, err := free.String(norm.NFC.String(width.Fold.String(one(r))))
		if unicode.IsSpace(r) { // nothing is left of white space
			if fault == "" {
				t.Errorf("%U alone is a name", r)
			}
			continue
		}
		switch {
		case fault == "" && err != nil:
			// People write jamo of old Hangul, marks of its tones and repeats of kana. These dots and quotes are in
			// names without the letters that PRECIS expects beside them.
			jamo := r >= 0x1100 && r <= 0x11FF || r >= 0xA960 && r <= 0xA97C || r >= 0xD7B0 && r <= 0xD7FB || r >= 0x3131 && r <= 0x318E || r >= 0xFFA1 && r <= 0xFFDC
			if !jamo && !strings.ContainsRune("\u00b7\u0375\u05f3\u05f4\u0387\u30fb\uff65\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b", r) {
				t.Errorf("%U is a name, and PRECIS says: %v", r, err)
			}
		case fault != "" && err == nil:
			if !strings.ContainsRune("\u2800\ufffc\U00013441\U00013442\U0001d159\uff9e\uff9f", r) { // the last two are marks on the kana before them
				t.Errorf("%U is no name (%s), and PRECIS takes it", r, fault)
			}
		}
	}
}

// This property matters for people: emails that become equal differ only in white space, A to Z, or the order and
// composition of marks.
func TestEmail_JoinsNothingButASCIILetterCase(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.IsSpace(r) || unicode.SimpleFold(r) == r && norm.NFKC.IsNormalString(string(r)) {
			continue // nothing could be mistaken for it
		}
		form, fault := text.Email("mi" + string(r) + "@example.com")
		if fault != "" {
			continue
		}
		for _, other := range []rune{unicode.ToLower(r), unicode.ToUpper(r), unicode.ToTitle(r), unicode.SimpleFold(r)} {
			twin, fault := text.Email("mi" + string(other) + "@example.com")
			if fault != "" || other == r || other < 0x80 && r < 0x80 {
				continue
			}
			if form == twin {
				t.Fatalf("%U and %U are one", r, other)
			}
		}
		for what, other := range map[string]string{"width": width.Fold.String(string(r)), "NFKC": norm.NFKC.String(string(r)), "lower": strings.ToLower(string(r))} {
			if twin, _ := text.Email("mi" + other + "@example.com"); other != string(r) && r >= 0x80 && form == twin && norm.NFD.String(string(r)) != norm.NFD.String(other) {
				t.Fatalf("%U and its form by %s are one", r, what)
			}
		}
	}
	for _, people := range [][]string{
		{"mik@x", "m\u0130k@x", "mi\u212a@x", "m\u0131k@x", "ｍik@x", "mik@ｘ"},
		{"sam@x", "\u017fam@x"},
		{"strasse@x", "straße@x", "stra\u1e9ee@x"},
		{"änn@x", "Änn@x", "a\u0308nn@y"},
		{"σ@x", "ς@x", "Σ@x"},
		{"å@x", "\u212b@x", "Å@x"},
		{"a@exämple.com", "a@EXÄMPLE.com", "a@xn--exmple-cua.com"},
		{"ﬁ@x", "fi@x", "FI@y"},
		{"ǆ@x", "ǅ@x", "Ǆ@x"},
	} {
		forms := make(map[string]string)
		for _, email := range people {
			form, fault := text.Email(email)
			if was, taken := forms[form]; taken || fault != "" {
				t.Errorf("%+q and %+q are one person (%s)", was, email, fault)
			}
			forms[form] = email
		}
	}
}

func TestEmail_OneFormOfAllSpellings(t *testing.T) {
	for _, same := range [][]string{
		{"ann.smith@example.com", "Ann.Smith@Example.COM", " ann.smith@example.com\n", "\u00a0ANN.SMITH@example.com"},
		{"jos\u00e9@example.com", "jose\u0301@EXAMPLE.com"},
		{"\u212a\u1e31@x", "\u212ak\u0301@x"},
	} {
		for _, s := range same {
			if got, fault := text.Email(s); got != same[0] || fault != "" {
				t.Errorf("%+q becomes %+q %s, want %+q", s, got, fault, same[0])
			}
		}
	}
}

func TestTidy(t *testing.T) {
	for _, c := range []struct {
		given string
		most  int
		want  string
	}{
		{"Ann", 100, "Ann"},
		{" A\u200bnn\tB ", 100, "Ann B"},
		{"\u202eAnn", 100, "Ann"},
		{"a\xffb", 100, "a\ufffdb"},
		{"\u200b\u0301\u202e", 100, ""},
		{"\u0301\u0301", 100, ""},
		{"ｎｉｋａ", 100, "nika"},
		{"abcdef", 3, "abc"},
		{"ab cdef", 3, "ab"},
		{"ab👨‍👩‍👧", 6, "ab"},
		{"ab👨‍👩‍👧", 7, "ab👨‍👩‍👧"},
		{"aé", 2, "aé"},
		{"a\u20dd\u20dd", 2, ""},
		{"Nika\u200d 👟", 100, "Nika 👟"},
	} {
		if got := text.Tidy(c.given, c.most); got != c.want {
			t.Errorf("Tidy(%+q, %d) = %+q, want %+q", c.given, c.most, got, c.want)
		}
	}
	if got := text.TidyTitle(" ＡＢ\u200b ☀️", 100); got != "ＡＢ ☀️" {
		t.Errorf("TidyTitle: %+q", got)
	}
}

func TestInitial(t *testing.T) {
	for name, want := range map[string]string{
		"Smith, Ann": "S", "山田 太郎": "山", "王": "王", "Zoë": "Z", "Éva": "É", "E\u0301va": "E\u0301", "'Ann'": "A", "ann.smith@example.com": "a",
		"👨‍👩‍👧 Smith": "👨‍👩‍👧", "👩🏽‍🚀": "👩🏽‍🚀", "🇩🇪🇫🇷": "🇩🇪", "🏴󠁧󠁢󠁳󠁣󠁴󠁿x": "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "한": "한", "\u1112\u1161\u11ab글": "\u1112\u1161\u11ab", "क्षमा": "क्ष",
		"...": "", "": "", "\u202eSmith": "S", "\xffSmith": "S", "9lives": "9", "שָׁלוֹם": "שָׁ", "\u2800x": "x", "(@)": "",
	} {
		if got := text.Initial(name); got != want {
			t.Errorf("Initial(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzForms(f *testing.F) {
	for _, same := range spellings {
		for _, s := range same {
			f.Add(s)
		}
	}
	for _, s := range []string{"", "\xff", "\u200b", "a\u034f\u0301", "❤\ufe0f\u0338", "क्\u200d", "🏴\U000e0067", "\u1100\u200d\u1161", "\u212a\u0301", "ﾡ\u200dﾻ", "\u0f71\u0f80", "a\u0325\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for form, normal := range map[string]func(string) (string, text.Fault){"Name": text.Name, "Title": text.Title, "Email": text.Email} {
			got, fault := normal(s)
			if fault != "" {
				if got != "" {
					t.Fatalf("%s(%+q) = %+q and %q", form, s, got, fault)
				}
				continue
			}
			if again, fault := normal(got); again != got || fault != "" {
				t.Fatalf("%s(%+q) = %+q, and of that it is %+q %s", form, s, got, again, fault)
			}
			if got == "" || strings.TrimSpace(got) != got {
				t.Fatalf("%s(%+q) = %+q", form, s, got)
			}
		}
		tidy := text.Tidy(s, 20)
		if tidy == "" {
			return
		}
		if again, fault := text.Name(tidy); again != tidy || fault != "" || len([]rune(tidy)) > 20 {
			t.Fatalf("Tidy(%+q) = %+q, which is no name of 20: %s", s, tidy, fault)
		}
		if i := text.Initial(tidy); !strings.Contains(tidy, i) || text.Length(i) > 1 {
			t.Fatalf("Initial(%+q) = %+q", tidy, i)
		}
	})
}

func TestPlainTextCostsNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() {
		_, _ = text.Name("Ann Smith")
		_, _ = text.Title("Air Max 1 '86")
		_, _ = text.Email("ann.smith+shoes@example.com")
		_ = text.Tidy("Ann Smith", 100)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkName measures what each reserve by name pays. The control is a name that takes the slow path.
func BenchmarkName(b *testing.B) {
	for _, s := range []string{"Ann Smith", "José García", "山田　太郎"} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = text.Name(s)
			}
		})
	}
}

func TestBody_KeepsWhatMarkdownNeeds(t *testing.T) {
	for given, want := range map[string]string{
		"":                        "",
		" \r\n\t\n":               "",
		"a":                       "a",
		"# Fit\r\n\r\n- a  \r- b": "# Fit\n\n- a  \n- b",
		"\n \n    code\n\n":       "    code",
		"a\tb   c\n\n\n\nd":       "a\tb   c\n\n\n\nd",
		"12\u00a0€ | 12\u3000円":   "12\u00a0€ | 12\u3000円",
		"Cafe\u0301":              "Caf\u00e9",
		"\u2764\ufe0f 9½":         "\u2764\ufe0f 9½",
	} {
		got, fault := text.Body(given)
		if got != want || fault != "" {
			t.Errorf("%q is %q (%s), want %q", given, got, fault, want)
		}
		if again, fault := text.Body(got); again != got || fault != "" {
			t.Errorf("%q again is %q (%s)", got, again, fault)
		}
	}
	for given, want := range map[string]string{
		"a\xffb":          "must be valid UTF-8",
		"a\x00b":          "must not contain control characters",
		"a\x0bb":          "must not contain control characters",
		"a\u2028b":        "must not contain control characters",
		"a\u202eb":        "must not contain invisible or direction-changing characters; delete U+202E",
		"a\u200bb":        "must not contain invisible or direction-changing characters; delete U+200B",
		"\ue000":          "must not contain private or unassigned characters; delete U+E000",
		"a\n\u0301b":      "must not contain a combining mark without a letter before it; delete U+0301",
		"a\nb c\td\u00ad": "must not contain invisible or direction-changing characters; delete U+00AD",
	} {
		if got, fault := text.Body(given); string(fault) != want {
			t.Errorf("%q is %q (%s), want %s", given, got, fault, want)
		}
	}
}

// The time must not grow with the square of a word's length. Then this word would take longer than a test may.
func TestBody_TakesLongWordsOfJoiners(t *testing.T) {
	word := strings.Repeat("\u0915\u200c", 100_000)
	if _, fault := text.Body(word); fault != "" {
		t.Error(fault)
	}
}
