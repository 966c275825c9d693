package drop

import "time"

const (
	firstCooldown = 60 * time.Second
	// cooldownGrowth is the factor from one wait to the next: it outgrows any supply of accounts.
	cooldownGrowth = 4
	maxCooldown    = 24 * time.Hour
	// MaxUnpaid is how many unpaid holds of one user matter: with one more the wait is no longer.
	MaxUnpaid = HighestMaxExpiredHolds + 6
)

// Cooldown is how long a user has to wait after a hold that was not paid, the last of so many, where max are free: 60
// s after the first one that is not, four times as long after each further one, at most 24 h. Each hold that a buyer
// who never pays keeps from others so costs it far more time than it took (OWASP OAT-021, denial of inventory).
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

// cooldown refuses a user who has left too many holds unpaid for now. One given back counts like one that expired:
// else a hold could be given back just before its end, and taken again.
func (a *application) cooldown(u *usage) *Error {
	if a.MaxExpiredHolds == 0 {
		return nil
	}
	for _, r := range u.holds { // more may be due than one batch ends
		a.expireIfDue(r)
	}
	wait := Cooldown(u.unpaid, a.MaxExpiredHolds)
	until := u.ended.Add(wait)
	if wait == 0 || a.now >= until {
		return nil
	}
	return &Error{Code: CodeCooldown, RetryAt: until, RetryIn: until.Sub(a.now)}
}
