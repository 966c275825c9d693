package drop

import "time"

const (
	firstCooldown = 60 * time.Second
	// cooldownGrowth is the factor from one wait to the next. At 4, waits soon grow faster than anyone can make new
	// accounts.
	cooldownGrowth = 4
	maxCooldown    = 24 * time.Hour
	// MaxUnpaid is the most unpaid holds of one user that matter. Further ones do not make the wait longer.
	MaxUnpaid = HighestMaxExpiredHolds + 6
)

// Cooldown returns how long a user waits after the last of their unpaid holds, if most of them are free. The first
// one above the limit costs 60 s. Each further one costs four times as much, up to 24 h. A buyer who never pays thus
// waits far longer than the holds kept units from others (OWASP OAT-021, denial of inventory).
func Cooldown(unpaid, most int) time.Duration {
	if most == 0 || unpaid < most {
		return 0
	}
	wait := firstCooldown
	for range unpaid - most {
		if wait *= cooldownGrowth; wait >= maxCooldown {
			return maxCooldown
		}
	}
	return wait
}

// cooldown refuses a user who has recently left too many holds unpaid. A cancelled hold counts like an expired one.
// Otherwise a buyer could cancel each hold just before its end and reserve again.
func (a *application) cooldown(u *usage) *Error {
	if a.MaxExpiredHolds == 0 {
		return nil
	}
	for _, r := range u.holds { // one batch may not expire all the holds that are due
		a.expireIfDue(r)
	}
	wait := Cooldown(u.unpaid, a.MaxExpiredHolds)
	until := u.ended.Add(wait)
	if wait == 0 || a.now >= until {
		return nil
	}
	return &Error{Code: CodeCooldown, RetryAt: until, RetryIn: until.Sub(a.now)}
}
