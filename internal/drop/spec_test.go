package drop_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

// text returns n characters that take several bytes each, because lengths are in characters.
func text(n int) string { return strings.Repeat("é", n) }

// invalid returns the rule in err, or "" if there is no error.
func invalid(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *drop.Error
	if !errors.As(err, &e) || e.Code != drop.CodeInvalid {
		t.Fatalf("%v is not the refusal of a field", err)
	}
	return e.Field + " " + e.Rule
}

func TestSpec_Check(t *testing.T) {
	const (
		nameLength = "name must have 1 to 200 characters"
		nameEmpty  = "name must not be empty"
		price      = "price must be from 0 to 99999999.99"
		start      = "start_time must lie in the years 1970 to 9999"
		image      = "image_url must be an http or https address, or a path that starts with /"
		slash      = "image_url must not contain a backslash, which browsers read as a slash"
		user       = "image_url must not contain a user name or a password, with which browsers load no image"
		controls   = "image_url must not contain control characters"
		limit      = "limit_per_user must be from 1 to 1000, or 0 for none"
		total      = "total_stock must be a whole number from 0 to 10000000"
	)
	last := drop.TimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))
	many := func(n int) func(*drop.Spec) {
		return func(s *drop.Spec) {
			s.TotalStock = nil
			for i := range n {
				s.Sizes = append(s.Sizes, drop.SizeSpec{Label: string(rune('一' + i))})
			}
		}
	}
	sizes := func(total *int64, sizes ...drop.SizeSpec) func(*drop.Spec) {
		return func(s *drop.Spec) { s.TotalStock, s.Sizes = total, sizes }
	}
	for _, test := range []struct {
		name string
		set  func(*drop.Spec)
		want string
	}{
		{"as it is", func(*drop.Spec) {}, ""},
		{"no name", func(s *drop.Spec) { s.Name = "" }, nameEmpty},
		{"blank name", func(s *drop.Spec) { s.Name = " \u00a0 " }, nameEmpty},
		{"shortest name", func(s *drop.Spec) { s.Name = "é" }, ""},
		{"longest name", func(s *drop.Spec) { s.Name = text(200) }, ""},
		{"too long a name", func(s *drop.Spec) { s.Name = text(201) }, nameLength},
		{"NUL in the name", func(s *drop.Spec) { s.Name = "a\x00" }, "name must not contain control characters"},
		{"newline in the name", func(s *drop.Spec) { s.Name = "a\nb" }, "name must not contain control characters"},
		{"C1 control in the name", func(s *drop.Spec) { s.Name = "a\u0085b" }, "name must not contain control characters"},
		{"name not UTF-8", func(s *drop.Spec) { s.Name = "a\xff" }, "name must be valid UTF-8"},
		{"price 0", func(s *drop.Spec) { s.Price = 0 }, ""},
		{"price below 0", func(s *drop.Spec) { s.Price = -1 }, price},
		{"highest price", func(s *drop.Spec) { s.Price = drop.MaxPrice }, ""},
		{"a price in ten-thousandths", func(s *drop.Spec) { s.Price = drop.MoneyOf(1_199_951) }, ""},
		{"too high a price in ten-thousandths", func(s *drop.Spec) { s.Price = drop.MoneyOf(999_999_999_901) }, price},
		{"too high a price", func(s *drop.Spec) { s.Price = drop.MaxPrice + 1 }, price},
		{"first moment", func(s *drop.Spec) { s.StartTime = 0 }, ""},
		{"before it", func(s *drop.Spec) { s.StartTime = -1 }, start},
		{"last moment", func(s *drop.Spec) { s.StartTime = last }, ""},
		{"after it", func(s *drop.Spec) { s.StartTime = last + 1 }, start},
		{"no limit", func(s *drop.Spec) { s.LimitPerUser = 0 }, ""},
		{"limit below 0", func(s *drop.Spec) { s.LimitPerUser = -1 }, limit},
		{"highest limit", func(s *drop.Spec) { s.LimitPerUser = 1000 }, ""},
		{"too high a limit", func(s *drop.Spec) { s.LimitPerUser = 1001 }, limit},

		{"https image", func(s *drop.Spec) { s.ImageURL = "https://img.example/a b.png?x=1#y" }, ""},
		{"http image", func(s *drop.Spec) { s.ImageURL = "HTTP://img.example" }, ""},
		{"image by path", func(s *drop.Spec) { s.ImageURL = "/img/a.png?x" }, ""},
		{"image by relative path", func(s *drop.Spec) { s.ImageURL = "img/a.png" }, image},
		{"image at another host", func(s *drop.Spec) { s.ImageURL = "//img.example/a.png" }, image},
		{"image that runs", func(s *drop.Spec) { s.ImageURL = "javascript:alert(1)" }, image},
		{"image inline", func(s *drop.Spec) { s.ImageURL = "data:image/png;base64,AA" }, image},
		{"image without host", func(s *drop.Spec) { s.ImageURL = "https:///a.png" }, image},
		{"image opaque", func(s *drop.Spec) { s.ImageURL = "https:a.png" }, image},
		{"image that does not parse", func(s *drop.Spec) { s.ImageURL = "https://[::1" }, image},
		{"image at a server that has only a port", func(s *drop.Spec) { s.ImageURL = "http://:80/a.png" }, image},
		{"image at a port that is none", func(s *drop.Spec) { s.ImageURL = "http://img.example:65536/a.png" }, image},
		{"image at a port", func(s *drop.Spec) { s.ImageURL = "http://[::1]:65535/a.png" }, ""},
		{"image at a host that is none", func(s *drop.Spec) { s.ImageURL = "http://img^example/a.png" }, image},
		{"image at a host in escapes", func(s *drop.Spec) { s.ImageURL = "http://evil%2eexample/a.png" }, image},
		{"image at a host behind three slashes", func(s *drop.Spec) { s.ImageURL = "///img.example/a.png" }, image},
		{"image at a host behind a blank", func(s *drop.Spec) { s.ImageURL = " //img.example/a.png" }, image},
		{"image at a host behind an NBSP", func(s *drop.Spec) { s.ImageURL = "\u00a0//img.example/a.png" }, image},
		{"image by path, slashes later", func(s *drop.Spec) { s.ImageURL = "/a//b?c=//d" }, ""},
		{"image by path, a backslash in escapes", func(s *drop.Spec) { s.ImageURL = "/%5Cb.png" }, ""},
		{"image at a host behind a backslash", func(s *drop.Spec) { s.ImageURL = `/\evil.example` }, slash},
		{"image at a host behind two backslashes", func(s *drop.Spec) { s.ImageURL = `\\evil.example` }, slash},
		{"image at a host behind backslashes of an address", func(s *drop.Spec) { s.ImageURL = `http:\\evil.example` }, slash},
		{"image at another host than it seems", func(s *drop.Spec) { s.ImageURL = `https://evil.example\@img.example/a.png` }, slash},
		{"image at a host behind a tab", func(s *drop.Spec) { s.ImageURL = "/\t/evil.example" }, controls},
		{"image at a host behind a line's end", func(s *drop.Spec) { s.ImageURL = "/\n/evil.example" }, controls},
		{"image at a host behind a return", func(s *drop.Spec) { s.ImageURL = "\r//evil.example" }, controls},
		{"image with a user", func(s *drop.Spec) { s.ImageURL = "https://img.example@evil.example/a.png" }, user},
		{"image with a password", func(s *drop.Spec) { s.ImageURL = "https://u:p@img.example/a.png" }, user},
		{"image with an empty user", func(s *drop.Spec) { s.ImageURL = "https://@img.example/a.png" }, user},
		{"blank image", func(s *drop.Spec) { s.ImageURL = " " }, "image_url must not be empty"},
		{"longest image", func(s *drop.Spec) { s.ImageURL = "/" + text(2047) }, ""},
		{"too long an image", func(s *drop.Spec) { s.ImageURL = "/" + text(2048) }, "image_url must have 1 to 2048 characters"},
		{"control in the image", func(s *drop.Spec) { s.ImageURL = "/a\tb" }, controls},

		{"no stock", sizes(nil), "total_stock is required unless sizes are given"},
		{"stock 0", sizes(new(int64(0))), ""},
		{"stock below 0", sizes(new(int64(-1))), total},
		{"most stock", sizes(new(int64(10_000_000))), ""},
		{"too much stock", sizes(new(int64(10_000_001))), total},
		{"sizes without a total", sizes(nil, drop.SizeSpec{Label: "9", Stock: 2}), ""},
		{"a size of nothing", sizes(nil, drop.SizeSpec{Label: "9"}), ""},
		{"sizes with their total", sizes(new(int64(5)), drop.SizeSpec{Label: "9", Stock: 2}, drop.SizeSpec{Label: "8", Stock: 3}), ""},
		{
			"sizes with another total", sizes(new(int64(6)), drop.SizeSpec{Label: "9", Stock: 2}, drop.SizeSpec{Label: "8", Stock: 3}),
			"total_stock must equal the stock of all sizes together, 5",
		},
		{"size without a label", sizes(nil, drop.SizeSpec{Label: "9"}, drop.SizeSpec{}), "sizes[1].size must not be empty"},
		{"blank label", sizes(nil, drop.SizeSpec{Label: " "}), "sizes[0].size must not be empty"},
		{"longest label", sizes(nil, drop.SizeSpec{Label: "longest"}, drop.SizeSpec{Label: text(32)}), ""},
		{"too long a label", sizes(nil, drop.SizeSpec{Label: text(33)}), "sizes[0].size must have 1 to 32 characters"},
		{"control in a label", sizes(nil, drop.SizeSpec{Label: "a\x7f"}), "sizes[0].size must not contain control characters"},
		{
			"one size twice", sizes(nil, drop.SizeSpec{Label: "9"}, drop.SizeSpec{Label: "8"}, drop.SizeSpec{Label: "9"}),
			"sizes[2].size must not repeat an earlier size",
		},
		{"stock of a size below 0", sizes(nil, drop.SizeSpec{Label: "9", Stock: -1}), "sizes[0].stock must be a whole number from 0 to 10000000"},
		{"too much stock of a size", sizes(nil, drop.SizeSpec{Label: "9", Stock: 10_000_001}), "sizes[0].stock must be a whole number from 0 to 10000000"},
		{"most stock of sizes", sizes(nil, drop.SizeSpec{Label: "9", Stock: 9_999_999}, drop.SizeSpec{Label: "8", Stock: 1}), ""},
		{
			"too much stock of sizes", sizes(nil, drop.SizeSpec{Label: "9", Stock: 9_999_999}, drop.SizeSpec{Label: "8", Stock: 2}),
			"sizes must have at most 10000000 units together",
		},
		{"most sizes", many(100), ""},
		{"too many sizes", many(101), "sizes must have at most 100 entries"},
		{"all wrong: the first rule", func(s *drop.Spec) { *s = drop.Spec{Price: -1, StartTime: -1, LimitPerUser: -1} }, nameEmpty},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := plain(5)
			test.set(&spec)
			if got := invalid(t, spec.Check()); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestCheckUser(t *testing.T) {
	const (
		nameEmpty = "username must not be empty"
		email     = "email must be an email address such as ann@example.com"
		emailLong = "email must have 3 to 254 characters"
	)
	at := "@example.com"
	for _, test := range []struct{ username, email, want string }{
		{"Ann", "", ""},
		{"Ann", "ann@example.com", ""},
		{"", "ann@example.com", ""},
		{"", "", nameEmpty},
		{" ", "", nameEmpty},
		{" ", "ann@example.com", nameEmpty},
		{text(100), "", ""},
		{text(101), "", "username must have 1 to 100 characters"},
		{"a\nb", "", "username must not contain control characters"},
		{"a\xff", "", "username must be valid UTF-8"},
		{"Ann", "ann", email},
		{"Ann", "a@", emailLong},
		{"Ann", "@example.com", email},
		{"Ann", "ann@example.com ", ""},
		{"Ann", "Ann <ann@example.com>", email},
		{"Ann", "ann@example.com, bob@example.com", email},
		{"Ann", "a@b", ""},
		{"Ann", "än@exämple.com", ""},
		{"Ann", strings.Repeat("e", 254-len(at)) + at, ""},
		{"Ann", strings.Repeat("e", 255-len(at)) + at, emailLong},
		{"Ann", "a\x00@example.com", "email must not contain control characters"},
		{"Ann", "   ", "email must not be empty"},
	} {
		if got := invalid(t, drop.CheckUser(test.username, test.email)); got != test.want {
			t.Errorf("CheckUser(%q, %q): %q, want %q", test.username, test.email, got, test.want)
		}
	}
	if got := drop.NormalEmail(" Än.Ü@Example.COM"); got != "Än.Ü@example.com" {
		t.Errorf("NormalEmail: %q", got)
	}
	if got := drop.NormalEmail("Ann <ann@example.com>"); got != "" {
		t.Errorf("NormalEmail of none: %q", got)
	}
}

func TestCheckLabel(t *testing.T) {
	for label, want := range map[string]string{
		"": "", "9.5": "", text(32): "", text(33): "size must have 0 to 32 characters",
		"a\x00": "size must not contain control characters", "\xff": "size must be valid UTF-8",
	} {
		if got := invalid(t, drop.CheckLabel("size", label)); got != want {
			t.Errorf("CheckLabel(%q): %q, want %q", label, got, want)
		}
	}
}
