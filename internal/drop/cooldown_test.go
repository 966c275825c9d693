package drop_test

import (
	"testing"
	"time"

	"sneakerdrop/internal/drop"
)

func TestCooldown_GrowsFourfoldUpToADay(t *testing.T) {
	for _, test := range []struct {
		unpaid, most int
		want         time.Duration
	}{
		{0, 0, 0},
		{1000, 0, 0},
		{0, 1, 0},
		{1, 1, time.Minute},
		{2, 1, 4 * time.Minute},
		{3, 1, 16 * time.Minute},
		{2, 3, 0},
		{3, 3, time.Minute},
		{6, 1, 1024 * time.Minute},
		{7, 1, 24 * time.Hour},
		{1 << 30, 1, 24 * time.Hour},
		{drop.MaxUnpaid, drop.HighestMaxExpiredHolds, 24 * time.Hour},
		{drop.MaxUnpaid - 1, drop.HighestMaxExpiredHolds, 1024 * time.Minute},
	} {
		if got := drop.Cooldown(test.unpaid, test.most); got != test.want {
			t.Errorf("%d unpaid of %d: %s, want %s", test.unpaid, test.most, got, test.want)
		}
	}
}

func patient(spec drop.Spec, most int) drop.Spec {
	spec.MaxExpiredHolds = most
	return spec
}

func TestReserve_WaitsAfterUnpaidHolds(t *testing.T) {
	for _, test := range []struct {
		name  string
		leave func(t *testing.T, b *book) drop.Time // leaves one hold of user 1 unpaid, and returns when it ended
	}{
		{"expired", func(t *testing.T, b *book) drop.Time {
			end := b.reserve(t, opened, 1, "").ExpiresAt + 7
			b.do(end, drop.Expire{})
			return end
		}},
		{"expired on the way", func(t *testing.T, b *book) drop.Time { return b.reserve(t, opened, 1, "").ExpiresAt }},
		{"given back just before its end", func(t *testing.T, b *book) drop.Time {
			r := b.reserve(t, opened, 1, "")
			b.do(r.ExpiresAt-1, drop.Cancel{Reservation: r.ID})
			return r.ExpiresAt - 1
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBook(patient(plain(9), 1))
			ended := test.leave(t, b)
			reserve := drop.Reserve{User: 1, Hold: time.Minute}
			r := b.do(ended, reserve)
			if e := r.Err; e == nil || e.Code != drop.CodeCooldown || e.RetryAt != ended+minute || e.RetryIn != time.Minute {
				t.Fatalf("at once: %+v", r)
			}
			if r := b.do(ended, drop.Reserve{User: 2, Hold: time.Minute}); r.Err != nil {
				t.Errorf("another user: %v", r.Err)
			}
			if got := codeOf(b.do(ended+minute-1, reserve)); got != drop.CodeCooldown {
				t.Errorf("a millisecond early: %q", got)
			}
			b.buy(t, ended+minute, b.reserve(t, ended+minute, 1, "").ID) // the wait ends on the exact millisecond
			if r := b.do(ended+minute, reserve); r.Err != nil {
				t.Errorf("a purchase adds no wait: %v", r.Err)
			}
			b.do(ended+2*minute, drop.Expire{})
			if e := b.do(ended+2*minute, reserve).Err; e == nil || e.RetryIn != 4*time.Minute {
				t.Errorf("after the second: %+v", e)
			}
		})
	}
}

func TestReserve_UnpaidHoldsOfOneBatchCount(t *testing.T) {
	b := newBook(patient(plain(9), 2))
	reserve := drop.Reserve{User: 1, Hold: time.Minute}
	next := drop.NewReservationID(b.drop.ID, 1)
	r, _ := b.apply(opened, reserve, drop.Cancel{Reservation: next}, reserve, drop.Cancel{Reservation: next + 1}, reserve)
	if got := codeOf(r[4]); got != drop.CodeCooldown {
		t.Errorf("the third: %q, want %s", got, drop.CodeCooldown)
	}
}

// More holds are due than one batch expires. A user's own holds count even so.
func TestReserve_DueHoldBeyondTheBatchCounts(t *testing.T) {
	b := newBook(patient(plain(drop.MaxExpirePerBatch+10), 1))
	for user := range drop.UserID(drop.MaxExpirePerBatch + 1) {
		b.reserve(t, opened, user+1, "")
	}
	last := drop.UserID(drop.MaxExpirePerBatch + 1)
	if got := codeOf(b.do(opened+minute, drop.Reserve{User: last, Hold: time.Minute})); got != drop.CodeCooldown {
		t.Errorf("%q, want %s", got, drop.CodeCooldown)
	}
}

func TestReserve_LiveHoldUnderALimitOfOneNeedsNoWait(t *testing.T) {
	b := newBook(patient(limited(plain(9), 1), 1))
	b.do(opened, drop.Cancel{Reservation: b.reserve(t, opened, 1, "").ID})
	held := b.reserve(t, opened+minute, 1, "")
	if r := b.do(opened+minute+1, drop.Reserve{User: 1, Hold: time.Minute}); r.Err != nil || r.Reservation.ID != held.ID {
		t.Errorf("%+v, want reservation %d again", r, held.ID)
	}
}
