package drop_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

// The program of commit 22aa7d3 wrote these golden files, when both formats still followed the names of Go types.
// Never write them anew: databases contain what they contain.

func golden[T any](t *testing.T, name string) map[string]T {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]T
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAsked_Format1(t *testing.T) {
	units, none := int64(500), int64(0)
	asked := map[string]drop.Asked{
		"reserve max":      drop.Reserve{User: drop.MaxSafeInteger, Size: "US 9.5"}.Asked(1),
		"reserve negative": drop.Reserve{User: -1}.Asked(1),
		"users email":      drop.AskedUser("Ann", ""),
		"purchase":         drop.MakePurchase{Reservation: drop.NewReservationID(3, 17), Owner: 9}.Asked(3),
		"cancel":           drop.Cancel{Reservation: drop.NewReservationID(drop.MaxID, 4294967295)}.Asked(drop.MaxID),
		"pause":            drop.Pause{}.Asked(1),
		"resume":           drop.Resume{}.Asked(drop.MaxID),
		"restock negative": drop.Restock{Add: -3}.Asked(1),
		"create total": drop.AskedCreate(&drop.Spec{
			Name: "Comet", Price: 12000, StartTime: 1767261600000, ImageURL: "/comet.png", TotalStock: &units, LimitPerUser: 2, MaxExpiredHolds: 3,
		}),
		"create total 0": drop.AskedCreate(&drop.Spec{Name: "Comet", TotalStock: &none}),
		"create sizes": drop.AskedCreate(&drop.Spec{
			Name: "Comet", Price: -1, StartTime: -5, Sizes: []drop.SizeSpec{{Label: "9", Stock: 1}, {Label: `"`, Stock: -2}},
		}),
		"create no sizes":           drop.AskedCreate(&drop.Spec{Name: "Comet", Sizes: []drop.SizeSpec{}}),
		"create one size and total": drop.AskedCreate(&drop.Spec{Name: "Comet", TotalStock: &units, Sizes: []drop.SizeSpec{{Stock: 500}}}),
	}
	for name, want := range golden[string](t, "asked-1.json") {
		got, ok := asked[name]
		if !ok { // of a text; if it is not ASCII, its name ends with its bytes in hexadecimal
			kind, text, _ := strings.Cut(name, " ")
			at := strings.LastIndexByte(text, ' ')
			word, err := hex.DecodeString(text[at+1:])
			if err != nil {
				t.Fatalf("%q is no case", name)
			}
			switch kind {
			case "reserve":
				got = drop.Reserve{User: 7, Size: string(word)}.Asked(1)
			case "users":
				got = drop.AskedUser(string(word), "ann@example.com")
			case "restock":
				got = drop.Restock{Add: 5, Size: string(word)}.Asked(1)
			case "create":
				got = drop.AskedCreate(&drop.Spec{Name: string(word), Price: 12000, StartTime: 1, ImageURL: string(word)})
			}
		}
		delete(asked, name)
		if k := drop.NewKey("", "op", "k", got); hex.EncodeToString(k.Body[:]) != want {
			t.Errorf("%s: %s has another fingerprint than it had", name, got)
		}
	}
	if len(asked) > 0 {
		t.Errorf("not in the file: %v", asked)
	}
}

// Two requests of one operation have the same text only if they ask for the same thing.
func TestAsked_TellsRequestsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.SampledFrom([]string{"", "9", "9 ", `9", Add:1`, `", Size:"`, "}", `{Label:"9", Stock:1}`, "\xff", "\ufffd"}), rapid.String())
		number := rapid.Int64Range(-1, 2)
		var pair [2]struct {
			value any
			asked drop.Asked
		}
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		for i := range pair {
			p := &pair[i]
			a, b := word.Draw(t, "a"), word.Draw(t, "b")
			m, n := number.Draw(t, "m"), number.Draw(t, "n")
			switch kind {
			case 0:
				c := drop.Reserve{User: drop.UserID(m), Size: a}
				p.value, p.asked = c, c.Asked(1)
			case 1:
				c := drop.Restock{Add: m, Size: a}
				p.value, p.asked = c, c.Asked(1)
			case 2:
				p.value, p.asked = [2]string{a, b}, drop.AskedUser(a, b)
			case 3:
				s := drop.Spec{
					Name: a, ImageURL: b, Price: drop.Money(m), StartTime: drop.Time(n), LimitPerUser: int(number.Draw(t, "limit")),
					MaxExpiredHolds: int(number.Draw(t, "expired")),
				}
				if rapid.Bool().Draw(t, "with a total") {
					s.TotalStock = new(rapid.Int64Range(0, 2).Draw(t, "total"))
				}
				for range rapid.IntRange(0, 2).Draw(t, "sizes") {
					s.Sizes = append(s.Sizes, drop.SizeSpec{Label: word.Draw(t, "label"), Stock: number.Draw(t, "stock")})
				}
				p.value, p.asked = s, drop.AskedCreate(&s)
			}
		}
		if same := reflect.DeepEqual(pair[0].value, pair[1].value); same != (pair[0].asked == pair[1].asked) {
			t.Fatalf("%+v and %+v: %s and %s", pair[0].value, pair[1].value, pair[0].asked, pair[1].asked)
		}
	})
}

// Answers in old databases are read as they were meant, and the older program can read what this one writes.
func TestKept_Format1(t *testing.T) {
	d := drop.Drop{
		ID:        3,
		Version:   77,
		CreatedAt: 1767261500000,
		Sizes: []drop.Size{
			{Label: "9", Stock: drop.Stock{Total: 10, Available: 5, Held: 3, Sold: 2}}, {Label: "山", Stock: drop.Stock{Total: 1, Available: 1}},
		},
		Settings: drop.Settings{
			Name: `Comet "9½"`, Price: 12050, StartTime: 1767261600000, ImageURL: "/a?b&c", LimitPerUser: 2,
			MaxExpiredHolds: 3, Paused: true, Hidden: true, Archived: true,
		},
	}
	made := drop.Reservation{
		ID: drop.NewReservationID(3, 17), UserID: 7, Size: "9½", Status: drop.Active, CreatedAt: 1767261600123, ExpiresAt: 1767261660123,
	}
	cancelled := made
	cancelled.Status, cancelled.EndedAt = drop.Cancelled, 1767261610000
	want := map[string]drop.Result{
		"reservation": {Reservation: made},
		"cancelled":   {Reservation: cancelled},
		"expired": {Reservation: drop.Reservation{
			ID: drop.NewReservationID(1, 1), UserID: drop.FirstAllocatedUser, Status: drop.Expired, CreatedAt: 1, ExpiresAt: 101, EndedAt: 101,
		}},
		"purchase": {Purchase: drop.Purchase{
			ID: drop.NewPurchaseID(3, 2), ReservationID: drop.NewReservationID(3, 17), UserID: 7, Size: "9½", Price: 12050, CreatedAt: 1767261620000,
		}},
		"drop":            {Drop: &d},
		"drop and recent": {Drop: &d, Recent: []drop.Recent{{ID: drop.NewPurchaseID(3, 2), Username: "Ann <3", CreatedAt: 1767261620000}}},
		"user":            {User: drop.User{ID: drop.FirstAllocatedUser, Username: "Ann Smith", Email: "ann@example.com"}},
		"nothing":         {},
	}
	kept := golden[[]byte](t, "kept-1.json")
	if len(kept) != len(want) {
		t.Errorf("%d answers in the file, want %d", len(kept), len(want))
	}
	for name, text := range kept {
		r := want[name]
		if got, err := drop.DecodeResult(text); err != nil || !reflect.DeepEqual(got, r) {
			t.Errorf("%s: %q is read as %+v, %v", name, text, got, err)
		}
		if got := r.Encode(); !bytes.Equal(got, text) {
			t.Errorf("%s is written as %q, want %q", name, got, text)
		}
	}
}
