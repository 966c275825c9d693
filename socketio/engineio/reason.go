package engineio

// Reason says why a session ended.
type Reason string

// The reasons of this package. Those of the client's own doing come first.
const (
	ClientClose     Reason = "client close"      // it sent a close packet
	TransportClose  Reason = "transport close"   // its connection ended
	PollAborted     Reason = "poll aborted"      // it gave up a poll
	DuplicatePoll   Reason = "duplicate poll"    // it polled twice at once
	DuplicatePost   Reason = "duplicate post"    // it posted twice at once
	ParseError      Reason = "parse error"       // it sent what the protocol does not know
	PayloadTooLarge Reason = "payload too large" // it sent more than MaxPayload
	Flood           Reason = "flood"             // it sent more than MessagesPerSecond
	PingTimeout     Reason = "ping timeout"      // it answered no ping
	NoFirstPoll     Reason = "no first poll"     // it opened a session and did not ask for anything
	SlowClient      Reason = "slow client"       // it did not read, and its queue was full
	WriteTimeout    Reason = "write timeout"     // it did not read, and a write took too long
	TransportError  Reason = "transport error"   // its connection failed
	ServerClose     Reason = "server close"      // the program closed the session
	ServerShutdown  Reason = "server shutdown"   // the server closed
	ServerBusy      Reason = "server busy"       // MaxInboundBytes was reached
	HandlerPanic    Reason = "handler panic"     // the handler panicked
)

// problem is why a request is refused: a status, and a code and message as the protocol has them.
type problem struct {
	code    int
	message string
	status  int
}

// Codes up to 5 are the protocol's, those from 6 on are ours.
var (
	unknownTransport   = &problem{0, "Transport unknown", 400}
	unknownSession     = &problem{1, "Session ID unknown", 400}
	badHandshakeMethod = &problem{2, "Bad handshake method", 400}
	badRequest         = &problem{3, "Bad request", 400}
	payloadTooLarge    = &problem{3, "Payload too large", 413}
	forbidden          = &problem{4, "Forbidden", 403}
	unsupportedVersion = &problem{5, "Unsupported protocol version", 400}
	tooManyConnections = &problem{6, "Too many connections", 503}
	tooManyOfAddress   = &problem{7, "Too many connections from this address", 429}
	tooManyHandshakes  = &problem{8, "Too many handshakes", 429}
	shuttingDown       = &problem{9, "Server is shutting down", 503}
	tooLongQuery       = &problem{11, "Query is too long", 414}
	tooBusy            = &problem{10, "Too much data in flight", 503}
)
