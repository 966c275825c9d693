package drop_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-31T10:00:00Z": "2026-01-31T10:00:00.000Z", "2026-01-31t10:00:00z": "2026-01-31T10:00:00.000Z",
		"2026-01-31t10:00:00.5+01:00": "2026-01-31T09:00:00.500Z", "2026-01-31T10:00:00.1239z": "2026-01-31T10:00:00.123Z",
		"2016-12-31T23:59:60Z": "2017-01-01T00:00:00.000Z", "1990-12-31T15:59:60-08:00": "1991-01-01T00:00:00.000Z", "2016-12-31t23:59:60.999z": "2017-01-01T00:00:00.999Z",
		"2024-02-29T23:59:60-00:00": "2024-03-01T00:00:00.000Z", "9999-12-31T23:59:60Z": "10000-01-01T00:00:00.000Z",
		"2026-01-31T10:00:61Z": "", "2026-01-31T10:00:60": "", "2026-01-31T24:00:60Z": "", "2026-01-31T10:60:60Z": "", "2026-02-30T10:00:60Z": "",
		"2026-01-31T10:00:00": "", "2026-01-31T10:00:00,5Z": "", "2026-01-31T10:00:00.Z": "", "2026-01-31T10:00Z": "", "2026-01-31T1:00:00Z": "",
		"2026-01-31 10:00:00Z": "", "2026-01-31_10:00:00Z": "", "2026-01-31T10:00:00 Z": "", " 2026-01-31T10:00:00Z": "", "2026-01-31T10:00:00Z\n": "",
		"2026-01-31T10:00:00+24:00": "", "2026-01-31T10:00:00+0100": "", "2026-01-31T10:00:00\u017a": "", "2026-01-31": "", "": "", "٢٠٢٦-01-31T10:00:00Z": "",
	} {
		got, ok := drop.ParseTime(text)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%q: %s, %t; want %q", text, got, ok, want)
		}
	}
}

// TestParseTime_ReadsEverySpellingOfAMoment writes one moment in all the spellings that RFC 3339 allows.
func TestParseTime_ReadsEverySpellingOfAMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drop.Time(rapid.Int64Range(0, 253402300799999).Draw(t, "milliseconds"))
		offset := rapid.IntRange(-23*60-59, 23*60+59).Draw(t, "offset in minutes")
		at := want.Time().In(time.FixedZone("", offset*60))
		if year := at.Year(); year < 0 || year > 9999 {
			t.Skip("no RFC 3339")
		}
		text := at.Format("2006-01-02T15:04:05.000Z07:00")
		if rapid.Bool().Draw(t, "lower case") {
			text = strings.ToLower(text)
		}
		if got, ok := drop.ParseTime(text); !ok || got != want {
			t.Fatalf("%s: %s, %t; want %s", text, got, ok, want)
		}
	})
}
