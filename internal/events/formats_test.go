package events_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
)

// formats are the stored forms in testdata/formats-1.json. A form that a version has written is read forever.
type formats struct {
	Numbers []struct {
		Hex     string   `json:"hex"`
		Numbers []uint32 `json:"numbers"`
	} `json:"numbers"`
	Settings []string `json:"settings"`
	Cursor   string   `json:"cursor"`
	Report   string   `json:"report"`
}

func TestFormats_StayTheSame(t *testing.T) {
	b, err := os.ReadFile("testdata/formats-1.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden formats
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	for _, n := range golden.Numbers {
		stored, err := hex.DecodeString(n.Hex)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(drop.Numbers(stored).All()); !slices.Equal(got, n.Numbers) {
			t.Errorf("%s is %v, want %v", n.Hex, got, n.Numbers)
		}
		if got := hex.EncodeToString([]byte(drop.NumbersOf(n.Numbers...))); got != n.Hex {
			t.Errorf("%v is stored as %s, want %s", n.Numbers, got, n.Hex)
		}
		if count, err := drop.Numbers(stored).Count(); err != nil || count != int64(len(n.Numbers)) {
			t.Errorf("%s has %d numbers, %v", n.Hex, count, err)
		}
	}
	for _, stored := range golden.Settings {
		s, changed, err := drop.DecodeSettings(stored)
		if err != nil {
			t.Fatal(err)
		}
		if got := drop.EncodeSettings(&s, changed); got != stored {
			t.Errorf("settings\n got %s\nwant %s", got, stored)
		}
	}
	cursor, err := events.ParseCursor(golden.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	if want := (events.Position{Seq: 300, Version: 260, Event: 70_000, Available: 12, Mark: 0xdeadbeef, Skip: 3}); cursor.Settled != 1_700_000_000_000 ||
		cursor.From != 9 || cursor.Last != 7 || len(cursor.Drops) != 2 || cursor.Drops[7] != want || cursor.Drops[2] != (events.Position{Seq: 1, Version: 1, Event: 1}) {
		t.Errorf("cursor %+v", cursor)
	}
	if got := cursor.String(); got != golden.Cursor {
		t.Errorf("cursor\n got %s\nwant %s", got, golden.Cursor)
	}
	report, err := webhooks.ParseReport(golden.Report)
	if err != nil {
		t.Fatal(err)
	}
	if got := report.String(); got != golden.Report {
		t.Errorf("report\n got %s\nwant %s", got, golden.Report)
	}
}

// Texts that no program wrote are refused, whatever is wrong with them.
func TestParseCursor_RefusesOthers(t *testing.T) {
	good := events.Cursor{From: 3, Drops: map[drop.ID]events.Position{1: {Seq: 5, Version: 5, Event: 9}}}.String()
	if _, err := events.ParseCursor(good); err != nil {
		t.Fatal(err)
	}
	bad := []string{"x", "AA", "====", "now", good[:len(good)-1], good + "A", " " + good}
	for i := range good {
		changed := []byte(good)
		if changed[i]++; changed[i] == '{' || changed[i] == '[' || changed[i] == ':' {
			changed[i] = 'A'
		}
		bad = append(bad, string(changed))
	}
	for _, text := range bad {
		if c, err := events.ParseCursor(text); err == nil && c.String() != text {
			t.Errorf("%q is taken for %+v", text, c)
		} else if err == nil && text != good {
			t.Errorf("%q is taken for a cursor", text)
		}
	}
}

// Each cursor has one text: bits of the last character that mean nothing must be as String leaves them.
func TestParseCursor_OneTextForEach(t *testing.T) {
	for last := range drop.ID(200) {
		good := events.Cursor{Last: last, From: last * last}.String()
		if _, err := events.ParseCursor(good); err != nil {
			t.Fatal(err)
		}
		for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
			if other := good[:len(good)-1] + string(c); other != good {
				if _, err := events.ParseCursor(other); err == nil {
					t.Errorf("%s is taken for %s", other, good)
				}
			}
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add(events.Cursor{From: 3, Drops: map[drop.ID]events.Position{1: {Seq: 5, Version: 5, Event: 9}}}.String())
	f.Add("")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := events.ParseCursor(text)
		if err != nil {
			return
		}
		again, err := events.ParseCursor(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%q: %v", text, err)
		}
	})
}

func FuzzNumbers(f *testing.F) {
	f.Add([]byte(drop.NumbersOf(1, 2, 3, 9, 4)))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := drop.Numbers(b)
		count, err := n.Count()
		if err != nil || count > 1000 {
			return
		}
		all := slices.Collect(n.All())
		if int64(len(all)) != count {
			t.Errorf("%d numbers, counted %d", len(all), count)
		}
		if again := slices.Collect(drop.NumbersOf(all...).All()); !slices.Equal(again, all) {
			t.Errorf("%v became %v", all, again)
		}
	})
}
