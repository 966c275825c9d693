package drop_test

import (
	"testing"

	"sneakerdrop/internal/drop"
)

// Two commands of one batch may name the same reservation. It is then loaded for its owner and must still be hidden
// from the other caller.
func TestApply_AnothersReservationIsOneThatDoesNotExist(t *testing.T) {
	b := newBook(plain(9))
	bought, cancelled := b.reserve(t, opened, 1, "").ID, b.reserve(t, opened, 1, "").ID
	none := cancelled + 1
	r, _ := b.apply(
		opened+1,
		drop.MakePurchase{Reservation: bought, Owner: 2}, drop.Cancel{Reservation: bought, Owner: 2},
		drop.MakePurchase{Reservation: none, Owner: 2},
		drop.MakePurchase{Reservation: bought, Owner: 1}, drop.MakePurchase{Reservation: bought, Owner: 2},
		drop.Cancel{Reservation: cancelled}, drop.Cancel{Reservation: cancelled, Owner: 2}, drop.Cancel{Reservation: cancelled, Owner: 1},
	)
	for i, want := range []drop.Code{
		drop.CodeReservationNotFound, drop.CodeReservationNotFound, drop.CodeReservationNotFound, "",
		drop.CodeReservationNotFound, "", drop.CodeReservationNotFound, "",
	} {
		if got := codeOf(r[i]); got != want {
			t.Errorf("command %d: %q, want %q", i, got, want)
		}
	}
}
