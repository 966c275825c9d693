package api

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

func TestHarmless(t *testing.T) {
	for _, c := range []struct{ cell, want string }{
		{"", ""},
		{"Ann Lee", "Ann Lee"},
		{"ann+shoes@example.com", "ann+shoes@example.com"},
		{"7-8", "7-8"},
		{" 9", " 9"},
		{"=1+1", "'=1+1"},
		{" =1", "' =1"},
		{"\u00a0=1", "'\u00a0=1"},
		{"\ufeff=1", "'\ufeff=1"},
		{"\ufeff\u00a0 \u200b\u202e@SUM(A1)", "'\ufeff\u00a0 \u200b\u202e@SUM(A1)"},
		{"\u3000＋1", "'\u3000＋1"},
		{"\x00\x1f-1", "'\x00\x1f-1"},
		{"\u3164\u2800\u034f\ufe0f=1", "'\u3164\u2800\u034f\ufe0f=1"},
		{"\xff=1", "'\xff=1"},
		{"\"=1", "'\"=1"},
		{"'=1", "'=1"},
		{"﹦1", "'﹦1"},
		{"−5", "'−5"},
		{"\thello", "'\thello"},
		{"\rhello", "'\rhello"},
		{"a;=1", "a;'=1"},
		{"a;\u00a0=1", "a;\u00a0'=1"},
		{"a;b=1", "a;b=1"},
		{"a\u2028\ufeff=1", "a\u2028\ufeff'=1"},
		{"=1;=2", "'=1;'=2"},
		{"+49 123;+49 456;x", "'+49 123;'+49 456;x"},
	} {
		if got := harmless(c.cell); got != c.want {
			t.Errorf("harmless(%q) is %q, want %q", c.cell, got, c.want)
		}
	}
}

// After invisible characters are removed and compatible ones folded, no cell begins with a formula.
func TestHarmless_NoCellBeginsWithAFormula(t *testing.T) {
	letters := []rune("=+-@＝＋－＠﹦⁺₋;\t\r\n \u00a0\ufeff\u200b\u2060\u00ad\u202e\u2007\u3000\u1680\u061c\ue000\x00\x7f\u0085\u2029\"'a9é本")
	rapid.Check(t, func(t *rapid.T) {
		cell := string(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 8).Draw(t, "cell"))
		var file bytes.Buffer
		out := csv.NewWriter(&file)
		_ = out.Write(record(&store.Sale{Username: cell, Email: cell, Purchase: drop.Purchase{Size: cell}}))
		out.Flush()
		in := csv.NewReader(bytes.NewReader(bytes.ReplaceAll(file.Bytes(), []byte("\r"), []byte("\v")))) // spreadsheets would drop them
		row, err := in.Read()
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range row[3:6] {
			stripped := strings.TrimLeftFunc(norm.NFKC.String(got), func(r rune) bool { return r == '"' || !unicode.IsGraphic(r) || unicode.IsSpace(r) })
			if stripped != "" && strings.ContainsRune("=+-@−", []rune(stripped)[0]) {
				t.Fatalf("%q became %q", cell, got)
			}
		}
		harmed := harmless(cell)
		if harmless(harmed) != harmed && !strings.ContainsAny(cell, ";\t\r\n\u0085\u2029") {
			t.Fatalf("%q became %q and then %q", cell, harmed, harmless(harmed))
		}
		if strings.ReplaceAll(harmed, "'", "") != strings.ReplaceAll(cell, "'", "") {
			t.Fatalf("%q became %q: more than apostrophes", cell, harmed)
		}
	})
}
