package test

// spoil is what happens to one try of a call on its way. The page names it in the header X-Spoil.
type spoil string

const (
	lostBefore  spoil = "lost before"  // the connection ends before the server hears of the call
	lostAfter   spoil = "lost after"   // the server does it; the connection ends before the answer
	cut         spoil = "cut"          // the server does it; the connection ends in the middle of the answer
	half        spoil = "half"         // the server does it; what comes is half of the answer
	signInPage  spoil = "sign-in page" // a network answers in the server's place
	badGateway  spoil = "bad gateway"  // a proxy answers in the server's place
	gatewayLate spoil = "gateway late" // the server does it, and a proxy that no longer waited answers in its place
	overloaded  spoil = "overloaded"   // nothing is done
	unavailable spoil = "unavailable"  // nothing is done
	unknownDone spoil = "unknown done" // the server does it, and does not know
	unknownNot  spoil = "unknown not"  // the server does not do it, and does not know
	inFlight    spoil = "in flight"    // nothing is done; another try is said to be under way
	hang        spoil = "hang"         // nobody answers until the client gives up
	hangAfter   spoil = "hang after"   // the server does it; nobody answers until the client gives up
	late        spoil = "late"         // the answer takes a while
	twice       spoil = "twice"        // a middlebox delivers the call two times at once
	killed      spoil = "killed"       // the server is killed while it does it
	killedAfter spoil = "killed after" // the server does it and is killed before its answer leaves
	stopped     spoil = "stopped"      // the server is told to stop while it does it
	parked      spoil = "parked"       // the call waits before the server until the test lets it go on
	parkedAfter spoil = "parked after" // the server does it; the answer waits until the test lets it go on
)

// code returns the error code whose words the page shows when a call fails this way at each try.
func (f spoil) code() string {
	switch f {
	case half, signInPage, badGateway, gatewayLate:
		return "unreadable"
	case overloaded:
		return "overloaded"
	case unavailable:
		return "unavailable"
	case unknownDone, unknownNot:
		return "outcome_unknown"
	case inFlight:
		return "in_flight"
	case hang, hangAfter:
		return "timeout"
	default:
		return "offline"
	}
}

// done reports whether the server does what it is asked for.
func (f spoil) done() bool {
	switch f {
	case lostAfter, cut, half, gatewayLate, unknownDone, hangAfter, late, twice, killedAfter, parkedAfter:
		return true
	default:
		return false
	}
}
