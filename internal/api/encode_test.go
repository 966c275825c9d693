package api

import (
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/live"
)

// The hand-written encoders, which are there for speed, write the same as the general encoder.
func TestReservationJSON_IsWhatTheEncoderWrites(t *testing.T) {
	for status := drop.Active; status <= drop.Cancelled; status++ {
		for _, size := range []string{"", "9.5", `9"\é`} {
			r := &drop.Reservation{
				ID: drop.NewReservationID(drop.MaxID, 1<<32-1), UserID: drop.MaxSafeInteger, Size: size, Status: status,
				CreatedAt: 1, ExpiresAt: 1769853600123,
			}
			if got, want := string(live.ReservationJSON(r)), string(encode(answerReservation(r))); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
	}
}
