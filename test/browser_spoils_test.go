package test

// spoil is what happens to one try of a call on its way. The page names it in the header X-Spoil.
type spoil string

const (
	lostBefore  spoil = "lost before"  // the connection ends before the server hears of the call
	lostAfter   spoil = "lost after"   // the server does it; the connection ends before the answer
	cut         spoil = "cut"          // the server does it; the connection ends in the middle of the answer
	half        spoil = "half"         // the server does it; half of the answer arrives
	signInPage  spoil = "sign-in page" // a network answers instead of the server
	badGateway  spoil = "bad gateway"  // a proxy answers instead of the server
	gatewayLate spoil = "gateway late" // the server does it, and a proxy that has stopped waiting answers instead
	overloaded  spoil = "overloaded"   // nothing is done
	unavailable spoil = "unavailable"  // nothing is done
	unknownDone spoil = "unknown done" // the server does it, but does not know that
	unknownNot  spoil = "unknown not"  // the server does not do it, but does not know that
	inFlight    spoil = "in flight"    // nothing is done; the answer says that another try is in progress
	hang        spoil = "hang"         // nobody answers until the client gives up
	hangAfter   spoil = "hang after"   // the server does it; nobody answers until the client gives up
	late        spoil = "late"         // the answer is slow
	twice       spoil = "twice"        // a middlebox delivers the call twice at once
	killed      spoil = "killed"       // the server is killed while it does it
	killedAfter spoil = "killed after" // the server does it and is killed before its answer leaves
	stopped     spoil = "stopped"      // the server is told to stop while it does it
	parked      spoil = "parked"       // the call waits before the server until the test releases it
	parkedAfter spoil = "parked after" // the server does it; the answer waits until the test releases it
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

// done reports whether the server carries the call out.
func (f spoil) done() bool {
	switch f {
	case lostAfter, cut, half, gatewayLate, unknownDone, hangAfter, late, twice, killedAfter, parkedAfter:
		return true
	default:
		return false
	}
}
