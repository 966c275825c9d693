package drop_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sneakerdrop/internal/drop"
)

func keyed(body any, c drop.Command) drop.Keyed {
	return drop.Keyed{Key: drop.NewKey("", "op", "k", drop.Asked(fmt.Sprint(body))), Command: c}
}

// replayed returns the answer that every call after the first one gets.
func replayed(first drop.Result) drop.Result {
	first.Replayed = true
	return first
}

func TestKeyed_SecondUseGetsTheFirstAnswer(t *testing.T) {
	b := newBook(plain(2))
	reserve := keyed(1, drop.Reserve{User: 1, Hold: time.Minute})
	first := b.do(opened, reserve)
	if first.Err != nil || first.Reservation.ID == 0 || first.Replayed {
		t.Fatalf("the first: %+v", first)
	}
	before := b.clone()
	if r := b.do(opened+1, reserve); !reflect.DeepEqual(r, replayed(first)) || !reflect.DeepEqual(before, b) {
		t.Errorf("the second: %+v, want %+v and no change", r, first)
	}
	for what, c := range map[string]drop.Command{"paused": drop.Pause{}, "sold out": drop.Restock{Add: -1}, "archived": drop.Edit{Archived: new(true)}} {
		b.do(opened+2, c)
		if r := b.do(opened+3, reserve); !reflect.DeepEqual(r, replayed(first)) {
			t.Errorf("%s: %+v, want %+v", what, r, first)
		}
	}
	if r := b.do(opened+2*minute, reserve); !reflect.DeepEqual(r, replayed(first)) {
		t.Errorf("after the hold's end: %+v, want %+v", r, first)
	}
}

func TestKeyed_TwinsWithinABatch(t *testing.T) {
	b := newBook(plain(5))
	reserve := keyed(1, drop.Reserve{User: 1, Hold: time.Minute})
	got, c := b.apply(opened, reserve, reserve, keyed(2, drop.Reserve{User: 1, Hold: time.Minute}), reserve)
	if got[0].Err != nil || !reflect.DeepEqual(got[1], replayed(got[0])) || !reflect.DeepEqual(got[3], replayed(got[0])) || len(c.Made) != 1 || len(c.Kept) != 1 {
		t.Errorf("got %+v, made %d, kept %d", got, len(c.Made), len(c.Kept))
	}
	if codeOf(got[2]) != drop.CodeIdempotencyMismatch {
		t.Errorf("another body: %+v", got[2])
	}
	if k := c.Kept[0]; k.Key != reserve.Key || k.At != opened {
		t.Errorf("kept %+v", k)
	}
}

func TestKeyed_RefusalsAreNotKept(t *testing.T) {
	b := newBook(plain(0))
	reserve := keyed(1, drop.Reserve{User: 1, Hold: time.Minute})
	got, c := b.apply(opened, reserve, drop.Restock{Add: 1}, reserve, reserve)
	if codeOf(got[0]) != drop.CodeOutOfStock || got[2].Err != nil || !reflect.DeepEqual(replayed(got[2]), got[3]) || len(c.Kept) != 1 {
		t.Errorf("got %+v, kept %d", got, len(c.Kept))
	}
	b = newBook(plain(0))
	if _, c := b.apply(opened, reserve); c != nil {
		t.Errorf("a refusal left %+v", c)
	}
}

// A success that changes nothing must be kept too: it is the first answer.
func TestKeyed_KeepsAnAnswerThatChangedNothing(t *testing.T) {
	b := newBook(plain(5))
	b.do(opened, drop.Pause{})
	pause := keyed(1, drop.Pause{})
	first, c := b.apply(opened+1, pause)
	if c == nil || len(c.Kept) != 1 || len(c.Ledger) != 0 {
		t.Fatalf("changes %+v", c)
	}
	b.do(opened+2, drop.Resume{})
	if r := b.do(opened+3, pause); !reflect.DeepEqual(level(r), level(replayed(first[0]))) || b.drop.Paused {
		t.Errorf("again: %+v, paused %t", r, b.drop.Paused)
	}
}

func TestKeyed_ScopesAreApart(t *testing.T) {
	var cmds []drop.Command
	for _, k := range []drop.Key{
		drop.NewKey("", "op", "k", "1"), drop.NewKey("ann", "op", "k", "1"), drop.NewKey("", "op2", "k", "1"), drop.NewKey("", "op", "k2", "1"),
	} {
		cmds = append(cmds, drop.Keyed{Key: k, Command: drop.Reserve{User: 1, Hold: time.Minute}})
	}
	b := newBook(plain(9))
	first, c := b.apply(opened, cmds...)
	if len(c.Made) != len(cmds) || len(c.Kept) != len(cmds) {
		t.Fatalf("made %d, kept %d; want %d", len(c.Made), len(c.Kept), len(cmds))
	}
	for i := range first {
		first[i] = replayed(first[i])
	}
	if again, c := b.apply(opened+1, cmds...); c != nil || !reflect.DeepEqual(again, first) {
		t.Errorf("again: %+v, want %+v", again, first)
	}
}

func TestKept_Replay(t *testing.T) {
	answer := drop.Result{User: drop.User{ID: 5, Username: "Ann"}}
	key := drop.NewKey("", "users", "k", "ann")
	kept := drop.Kept{Key: key, Answer: answer.Encode()}
	if r := kept.Replay(key); !reflect.DeepEqual(r, replayed(answer)) {
		t.Errorf("got %+v, want %+v", r, answer)
	}
	other := drop.NewKey("", "users", "k", "bob")
	if r := kept.Replay(other); codeOf(r) != drop.CodeIdempotencyMismatch || r.Replayed || r.User != (drop.User{}) {
		t.Errorf("another body: %+v", r)
	}
	for _, damaged := range []string{"", "{", "[]", `{"user":{"ID":"x"}}`, string(answer.Encode()) + "}"} {
		kept.Answer = []byte(damaged)
		if r := kept.Replay(key); codeOf(r) != drop.CodeDamaged || r.User != (drop.User{}) {
			t.Errorf("%q: %+v", damaged, r)
		}
	}
}

func TestCheckKey(t *testing.T) {
	const (
		length = "Idempotency-Key must have 1 to 255 characters"
		ascii  = "Idempotency-Key must have visible ASCII characters only"
	)
	for value, want := range map[string]string{
		"": length, "k": "", "!": "", "~": "", " ": ascii, "a b": ascii, "\x7f": ascii, "a\n": ascii, "\x00": ascii, "é": ascii, "\xff": ascii,
		strings.Repeat("k", 255): "", strings.Repeat("k", 256): length, `"8e03978e-40d5-43dd-bc93-6894a57f9324"`: "",
	} {
		if got := invalid(t, drop.CheckKey(value)); got != want {
			t.Errorf("CheckKey(%q): %q, want %q", value, got, want)
		}
	}
}

func TestNewKey(t *testing.T) {
	k := drop.NewKey("ann", "op", "k", "a")
	if k.Caller != "ann" || k.Operation != "op" || k.Value != "k" || !k.Given() || k != drop.NewKey("ann", "op", "k", "a") {
		t.Errorf("key %+v", k)
	}
	if k.Body == drop.NewKey("ann", "op", "k", "b").Body {
		t.Error("two requests have one fingerprint")
	}
	if (&drop.Key{Operation: "op"}).Given() {
		t.Error("a key without a value is given")
	}
}

func TestResult_EncodeAndDecode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := func(name string) int64 { return rapid.Int64().Draw(t, name) }
		word := func(name string) string { return rapid.String().Draw(t, name) }
		moment := func(name string) drop.Time { return drop.Time(number(name)) }
		var want drop.Result
		if rapid.Bool().Draw(t, "with a reservation") {
			want.Reservation = drop.Reservation{
				ID: drop.ReservationID(number("id")), UserID: drop.UserID(number("user")), Size: word("size"),
				Status: drop.Status(rapid.Int8().Draw(t, "status")), CreatedAt: moment("created"), ExpiresAt: moment("expires"),
			}
			if rapid.Bool().Draw(t, "ended") {
				want.Reservation.EndedAt = want.Reservation.CreatedAt.Add(time.Duration(rapid.Int32Min(0).Draw(t, "lasted")) * time.Millisecond)
			}
			if rapid.Bool().Draw(t, "with a payment") {
				want.Reservation.Payment, want.Reservation.Claim = drop.PaymentID(number("payment")), drop.ReservationID(number("claim"))
			}
		}
		if rapid.Bool().Draw(t, "with a purchase") {
			want.Purchase = drop.Purchase{
				ID: drop.PurchaseID(number("id")), ReservationID: drop.ReservationID(number("reservation")), UserID: drop.UserID(number("user")),
				Size: word("size"), Price: drop.Money(number("price")), CreatedAt: moment("created"),
				Return: drop.Return(rapid.Int8().Draw(t, "return")), ReturnedAt: moment("returned"),
			}
		}
		if rapid.Bool().Draw(t, "with a drop") {
			want.Drop = &drop.Drop{
				ID:        drop.ID(number("id")),
				Version:   number("version"),
				CreatedAt: moment("created"),
				Settings: drop.Settings{
					Name: word("name"), Price: drop.Money(number("price")), StartTime: moment("start"),
					ImageURL: word("image"), LimitPerUser: rapid.Int().Draw(t, "limit"),
					Paused: rapid.Bool().Draw(t, "paused"), Hidden: rapid.Bool().Draw(t, "hidden"),
					Archived: rapid.Bool().Draw(t, "archived"),
				},
			}
			for i := range rapid.IntRange(1, 4).Draw(t, "sizes") {
				want.Drop.Sizes = append(want.Drop.Sizes, drop.Size{
					Label: word(fmt.Sprint("label ", i)), Stock: drop.Stock{Total: number("total"), Available: number("available"), Held: number("held"), Sold: number("sold")},
				})
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "recent") {
			want.Recent = append(want.Recent, drop.Recent{ID: drop.PurchaseID(number("id")), Username: word("name"), CreatedAt: moment("created")})
		}
		if rapid.Bool().Draw(t, "with a user") {
			want.User = drop.User{ID: drop.UserID(number("id")), Username: word("name"), Email: word("email")}
		}
		got, err := drop.DecodeResult(want.Encode())
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s decodes to\n%+v (%v), want\n%+v", want.Encode(), got, err, want)
		}
	})
}

// The encoding of a reservation is short, and decoding it returns the same reservation.
func TestResult_AReservationIsKeptAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		created := drop.Time(rapid.Int64Range(0, 253_402_300_799_999).Draw(t, "created"))
		r := drop.Reservation{
			ID:     drop.NewReservationID(drop.ID(rapid.Int64Range(1, int64(drop.MaxID)).Draw(t, "drop")), rapid.Uint32Min(1).Draw(t, "n")),
			UserID: drop.UserID(rapid.Int64Range(1, drop.MaxSafeInteger).Draw(t, "user")), Size: rapid.String().Draw(t, "size"),
			Status: drop.Status(rapid.IntRange(int(drop.Active), int(drop.Cancelled)).Draw(t, "status")), CreatedAt: created,
			ExpiresAt: created + drop.Time(rapid.Int64Range(100, 86_400_000).Draw(t, "hold")),
		}
		if r.Status != drop.Active {
			r.EndedAt = created + drop.Time(rapid.Int64Range(0, 90_000_000).Draw(t, "ended"))
		}
		result := drop.Result{Reservation: r}
		kept := result.Encode()
		again, err := drop.DecodeResult(kept)
		if err != nil || again.Reservation != r || again.Drop != nil || len(kept) > 40+len(r.Size) {
			t.Fatalf("%+v is kept in %d bytes and read as %+v, %v", r, len(kept), again, err)
		}
		for n := range len(kept) - len(r.Size) { // truncated
			if _, err := drop.DecodeResult(kept[:n]); err == nil {
				t.Fatalf("%d of %d bytes are read", n, len(kept))
			}
		}
	})
}
