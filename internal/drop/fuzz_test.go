package drop_test

import (
	"reflect"
	"testing"

	"sneakerdrop/internal/drop"
)

// FuzzDecodeResult reads kept answers that may be damaged. Whatever it can decode must survive another round of
// encoding and decoding.
func FuzzDecodeResult(f *testing.F) {
	for _, r := range []drop.Result{
		{},
		{Reservation: drop.Reservation{ID: drop.NewReservationID(7, 3), UserID: 9, Size: "9½", Status: drop.Active, CreatedAt: 5, ExpiresAt: 60_005}},
		{Reservation: drop.Reservation{ID: drop.NewReservationID(7, 3), UserID: 9, Status: drop.Expired, CreatedAt: 5, ExpiresAt: 9, EndedAt: 9}},
		{Purchase: drop.Purchase{ID: drop.NewPurchaseID(7, 1), Price: 5}},
		{Drop: &drop.Drop{ID: 7, Sizes: []drop.Size{{}}, Settings: drop.Settings{Name: "Air"}}, Recent: []drop.Recent{{ID: 1, Username: "Ann"}}},
		{User: drop.User{ID: 1 << 40, Username: "Ann"}},
	} {
		f.Add(r.Encode())
	}
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{1, 2})
	f.Add([]byte(`{"Err":{"Code":"x"}}`))
	f.Fuzz(func(t *testing.T, kept []byte) {
		r, err := drop.DecodeResult(kept)
		if err != nil {
			if !reflect.DeepEqual(r, drop.Result{}) {
				t.Fatalf("%q: %+v beside %v", kept, r, err)
			}
			return
		}
		if packed := kept[0] == 1; packed && r.Reservation.Size == "" {
			if cut, err := drop.DecodeResult(kept[:len(kept)-1]); err == nil {
				t.Fatalf("%q is cut off, and read as %+v", kept[:len(kept)-1], cut)
			}
		}
		again, err := drop.DecodeResult(r.Encode())
		if err != nil {
			t.Fatalf("%q is %+v, written as %q: %v", kept, r, r.Encode(), err)
		}
		if third, err := drop.DecodeResult(again.Encode()); err != nil || !reflect.DeepEqual(third, again) {
			t.Fatalf("%q is %+v, then %+v, %v", kept, again, third, err)
		}
	})
}
