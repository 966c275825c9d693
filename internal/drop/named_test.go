package drop_test

import (
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

func TestNameBuyer_LooksForWhatWasTypedThenForItsNormalForm(t *testing.T) {
	for _, c := range []struct{ username, email, first, second string }{
		{"Ann", "", "Ann", ""},
		{"nika ", "", "nika ", "nika"},
		{"ｎｉｋａ", "", "ｎｉｋａ", "nika"},
		{"Jose\u0301", "", "Jose\u0301", "José"},
		{"nika\u200b", "", "nika\u200b", ""}, // not a new buyer, but perhaps one stored earlier
		{"Ann", "ann@example.com", "ann@example.com", ""},
		{"", "Ann@Example.COM", "ann@example.com", ""},
		{"Ann", " ann@example.com", "ann@example.com", ""},
		{"Ann", "jose\u0301@Example.com", "jose\u0301@example.com", "josé@example.com"},
		{"Ann", "M\u0130K@example.com", "m\u0130k@example.com", ""},
		{"Ann", "mi\u212a@example.com", "mi\u212a@example.com", ""},
		{"Ann", "an\u200bn@example.com", "an\u200bn@example.com", ""},
	} {
		who, err := drop.NameBuyer(c.username, c.email)
		if err != nil {
			t.Errorf("%+q %+q: %v", c.username, c.email, err)
			continue
		}
		first, second := who.Spellings()
		if first != c.first || second != c.second || who.ByEmail() != (c.email != "") {
			t.Errorf("%+q %+q is looked for as %+q, then %+q; want %+q, then %+q", c.username, c.email, first, second, c.first, c.second)
		}
	}
}

// A buyer who is found by email needs a name that follows the rules, because the email may be new. A name that breaks
// the rules may still find a buyer who was stored before there were rules.
func TestNameBuyer_RefusesWhatNobodyWasKeptUnder(t *testing.T) {
	const hidden = "must not contain invisible or direction-changing characters; delete U+200B"
	for _, c := range []struct{ username, email, want, onceNew string }{
		{"\u200b", "", "", "username " + hidden},
		{"an\u200bn", "ann@example.com", "username " + hidden, ""},
		{"Ann", "an\u200bn@example.com", "", "email " + hidden},
		{"a\x00", "", "username must not contain control characters", ""},
		{" ", "", "username must not be empty", ""},
		{"\xff", "", "username must be valid UTF-8", ""},
		{text(101), "", "username must have 1 to 100 characters", ""},
		{"Ann", "ann\u202e", "email must not contain invisible or direction-changing characters; delete U+202E", ""},
	} {
		who, err := drop.NameBuyer(c.username, c.email)
		if got := invalid(t, err); got != c.want {
			t.Errorf("%+q %+q: %q, want %q", c.username, c.email, got, c.want)
		}
		if c.onceNew != "" && (who.Refusal == nil || invalid(t, who.Refusal) != c.onceNew) {
			t.Errorf("%+q %+q, when new: %v, want %q", c.username, c.email, who.Refusal, c.onceNew)
		}
	}
}

func TestNamed_NewUsername(t *testing.T) {
	for _, c := range []struct{ username, email, want string }{
		{" Ann  Smith", "ann@example.com", "Ann Smith"}, {"", "Ann.Smith@example.com", "ann.smith"}, {"", "ｎｉｋａ@example.com", "nika"},
	} {
		who, err := drop.NameBuyer(c.username, c.email)
		if got := who.NewUsername(); got != c.want || err != nil {
			t.Errorf("%q %q is called %q, %v; want %q", c.username, c.email, got, err, c.want)
		}
	}
}

// labelled returns a drop as stored before labels had a normal form.
func labelled(labels ...string) *book {
	spec := drop.Spec{Name: "n", StartTime: opened}
	for _, label := range labels {
		spec.Sizes = append(spec.Sizes, drop.SizeSpec{Label: label, Stock: 5})
	}
	return newBook(spec)
}

func TestReserve_FindsASizeInAnySpelling(t *testing.T) {
	for _, c := range []struct {
		labels      []string
		given, want string
	}{
		{[]string{"9", "9.5"}, "９", "9"},
		{[]string{"9", "9.5"}, " 9.5\u00a0", "9.5"},
		{[]string{"EU 42"}, "EU\u3000 42", "EU 42"},
		{[]string{"9\u200b"}, "9\u200b", "9\u200b"}, // drops stored earlier
		{[]string{"9 "}, "9 ", "9 "},
		{[]string{"9 "}, "9", "9 "},
		{[]string{"9", "9 ", "９"}, "９", "９"},
		{[]string{"9", "9 "}, "9 ", "9 "},
		{[]string{"9 ", "9"}, "9", "9"},
	} {
		r := labelled(c.labels...).do(opened, drop.Reserve{User: 1, Size: c.given, Hold: time.Minute})
		if r.Err != nil || r.Reservation.Size != c.want {
			t.Errorf("%+q of %+q: %+q, %v; want %+q", c.given, c.labels, r.Reservation.Size, r.Err, c.want)
		}
	}
	for given, want := range map[string]drop.Code{
		"9\u200b": drop.CodeInvalid, "\u202e9": drop.CodeInvalid, "8": drop.CodeSizeNotFound, "": drop.CodeSizeRequired, "８": drop.CodeSizeNotFound, " ": drop.CodeInvalid,
	} {
		if r := labelled("9", "9.5").do(opened, drop.Reserve{User: 1, Size: given, Hold: time.Minute}); r.Err == nil || r.Err.Code != want {
			t.Errorf("%+q: %v, want %s", given, r.Err, want)
		}
	}
}

func TestReserve_KeepsANoteInItsNormalForm(t *testing.T) {
	b := newBook(drop.Spec{Name: "n", StartTime: opened, TotalStock: new(int64(5))})
	if r := b.do(opened, drop.Reserve{User: 1, Size: " ９½ ", Hold: time.Minute}); r.Err != nil || r.Reservation.Size != "9½" {
		t.Errorf("%+q, %v", r.Reservation.Size, r.Err)
	}
	if r := b.do(opened, drop.Reserve{User: 1, Size: "\u200b", Hold: time.Minute}); r.Err == nil || r.Err.Code != drop.CodeInvalid || r.Err.Field != "size" {
		t.Errorf("a note that hides: %v", r.Err)
	}
}

func TestSpec_NormalIsHowADropIsKept(t *testing.T) {
	given := drop.Spec{
		Name: " Air  Max\u2122 ", StartTime: opened, Sizes: []drop.SizeSpec{{Label: "９ ", Stock: 1}, {Label: "9½"}, {Label: "Jose\u0301"}},
	}
	got, err := given.Normal()
	if err != nil || got.Name != "Air Max\u2122" || got.Sizes[0].Label != "9" || got.Sizes[1].Label != "9½" || got.Sizes[2].Label != "José" {
		t.Errorf("%+v, %v", got, err)
	}
	if given.Sizes[0].Label != "９ " {
		t.Error("it has changed what was given")
	}
	for _, twins := range [][2]string{{"9", "9 "}, {"9", "９"}, {"José", "Jose\u0301"}, {"EU 42", "EU  42"}, {"❤", "❤\ufe0f"}} {
		given.Sizes = []drop.SizeSpec{{Label: twins[0]}, {Label: twins[1]}}
		if got := invalid(t, given.Check()); got != "sizes[1].size must not repeat an earlier size" {
			t.Errorf("%+q: %q", twins, got)
		}
	}
}

func TestEdit_KeepsTheNameInItsNormalForm(t *testing.T) {
	b := newBook(drop.Spec{Name: "of \u200bbefore", StartTime: opened, TotalStock: new(int64(5))})
	if r := b.do(opened, drop.Edit{Name: new("of \u200bbefore"), LimitPerUser: new(2)}); r.Err != nil || r.Drop.Name != "of \u200bbefore" {
		t.Errorf("a name of before that stays: %+v", r.Err)
	}
	if r := b.do(opened, drop.Edit{Name: new("\u202efed\u202c")}); r.Err == nil || r.Err.Field != "name" {
		t.Errorf("a name that turns around: %+v", r.Err)
	}
	if r := b.do(opened, drop.Edit{Name: new(" Air  Max ")}); r.Err != nil || r.Drop.Name != "Air Max" {
		t.Errorf("%+v, %v", r.Drop, r.Err)
	}
}

func TestNameBuyer_OfPlainTextAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { _, _ = drop.NameBuyer("Ann Smith", "ann.smith@example.com") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	d := &labelled("9", "9.5").drop
	if n := testing.AllocsPerRun(100, func() { _ = d.RefuseSize("9.5") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkNameBuyer measures what each reserve by name and email pays. The control run uses the full parser.
func BenchmarkNameBuyer(b *testing.B) {
	for what, who := range map[string][2]string{"ASCII": {"Ann Smith", "ann.smith@example.com"}, "control": {"José García", "josé@example.com"}} {
		b.Run(what, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := drop.NameBuyer(who[0], who[1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
