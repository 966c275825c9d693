package drop_test

import (
	"reflect"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
)

func TestPage_IsKeptInItsNormalForm(t *testing.T) {
	given := drop.Page{
		Description: "\r\n# Fit\r\n\r\n- a  \r\n", SizeGuide: "Cafe\u0301", Rules: " ", Delivery: strings.Repeat("ü", drop.MaxPageText) + "\n",
		Images: []drop.Image{{URL: "https://a.example/1.jpg", Alt: " A  shoe "}, {URL: "/2.jpg", Alt: " "}},
	}
	want := drop.Page{
		Description: "# Fit\n\n- a", SizeGuide: "Caf\u00e9", Delivery: strings.Repeat("ü", drop.MaxPageText),
		Images: []drop.Image{{URL: "https://a.example/1.jpg", Alt: "A shoe"}, {URL: "/2.jpg"}},
	}
	got, err := given.Normal()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if given.Images[0].Alt != " A  shoe " {
		t.Error("the page that was given has changed")
	}
}

func TestPage_RefusesByFieldAndRule(t *testing.T) {
	image := func(url, alt string) drop.Page {
		return drop.Page{Images: []drop.Image{{URL: "/1.jpg"}, {URL: url, Alt: alt}}}
	}
	long := strings.Repeat("a", drop.MaxPageText+1)
	for _, test := range []struct {
		page        drop.Page
		field, rule string
	}{
		{drop.Page{Description: long}, "description", "must have at most 20000 characters"},
		{drop.Page{SizeGuide: long}, "size_guide", "must have at most 20000 characters"},
		{drop.Page{Rules: "a\x00"}, "rules", "must not contain control characters"},
		{drop.Page{Delivery: "a\u202e"}, "delivery", "must not contain invisible or direction-changing characters; delete U+202E"},
		{drop.Page{Delivery: "\xff"}, "delivery", "must be valid UTF-8"},
		{drop.Page{Images: make([]drop.Image, drop.MaxPageImages+1)}, "images", "must have at most 8 entries"},
		{image("", "a"), "images[1].url", "must not be empty"},
		{image("javascript:alert(1)", ""), "images[1].url", "must be an http or https address, or a path that starts with /"},
		{image(`/\evil.example`, ""), "images[1].url", "must not contain a backslash, which browsers read as a slash"},
		{image("https://a.example/"+strings.Repeat("a", drop.MaxImageURL), ""), "images[1].url", "must have 1 to 2048 characters"},
		{image("/2.jpg", strings.Repeat("a", drop.MaxImageAlt+1)), "images[1].alt", "must have 1 to 200 characters"},
		{image("/2.jpg", "a\nb"), "images[1].alt", "must not contain control characters"},
	} {
		_, err := test.page.Normal()
		refusal, ok := err.(*drop.Error) //nolint:errorlint // the very type that is promised
		if !ok || refusal.Code != drop.CodeInvalid || refusal.Field != test.field || refusal.Rule != test.rule {
			t.Errorf("%s: %#v, want %q", test.field, err, test.rule)
		}
	}
}

func TestImages_Format1(t *testing.T) {
	for stored, want := range golden[[]drop.Image](t, "images-1.json") {
		got, err := drop.DecodeImages(stored)
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", stored, got, err)
		}
		if again := drop.EncodeImages(want); again != stored {
			t.Errorf("written as %s, not as %s", again, stored)
		}
	}
	for _, damaged := range []string{
		"", "[]", `{"format":2,"images":[]}`, `{"images":[]}`, `{"format":1,"images":[`, `{"format":1,"images":[{"url":7}]}`,
		`{"format":1,"images":[{},{},{},{},{},{},{},{},{}]}`,
	} {
		if images, err := drop.DecodeImages(damaged); err == nil {
			t.Errorf("%q is %+v", damaged, images)
		}
	}
}

// These texts are a format too: see docs/FORMATS.md.
func TestAsked_OfDraftsAndDuplicates(t *testing.T) {
	units, name, start := int64(5), `Comet "2"`, drop.Time(1767261600000)
	spec := drop.Spec{Name: "Comet", TotalStock: &units, Hidden: true}
	if got := string(drop.AskedCreate(&spec)); !strings.HasSuffix(got, ", MaxExpiredHolds:0, Hidden:true}, Total:5}") {
		t.Errorf("a draft: %s", got)
	}
	for want, got := range map[string]drop.Asked{
		`duplicate{Drop:7}`:                          drop.AskedDuplicate(7, nil, nil),
		`duplicate{Drop:7, Name:"Comet \"2\""}`:      drop.AskedDuplicate(7, &name, nil),
		`duplicate{Drop:7, StartTime:1767261600000}`: drop.AskedDuplicate(7, nil, &start),
	} {
		if string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
