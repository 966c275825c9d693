// Package engineio is a server of the Engine.IO protocol, revision 4, on net/http: sessions over WebSocket, over HTTP
// long-polling, and over long-polling that is upgraded to WebSocket. Package socketio stands on it; it serves as well
// on its own where plain messages are enough.
//
// A [Server] is an [http.Handler] for the one path that clients call. Everything about a session goes to its [Handler].
//
// # Ordering and concurrency
//
// Packets that one goroutine sends arrive in that order, across an upgrade too. Packets of a client are given to
// Handler.Message one at a time, in order. Handler.Close comes last, once, on a goroutine of its own. All methods may
// be called from any goroutine, and none of them waits for a client.
//
// # Sending
//
// A [Packet] is encoded once and may be sent to any number of sessions; a [Batch] is several packets that go out in
// one write. A write is first tried directly, without blocking, on the connection. Only what the kernel does not take
// is queued, and only then a goroutine writes for that session until its queue is empty. The queue is bounded in
// packets and bytes: a session that overflows it is closed ([SlowClient]), as is one that does not take a write
// within Options.WriteTimeout. A packet with a Key replaces the unsent packet with the same key, in its place.
//
// # Misuse
//
// Each misuse has one outcome. A request with an unknown transport, session or revision is refused in JSON, {"code",
// "message"}. A second poll beside an open one, a poll that the client aborts, a second POST beside an open one, an
// invalid packet, a payload that is too large and a client that talks too much each close the session. A request over
// HTTP after the upgrade is refused. A second WebSocket with the session's id completes its handshake and is closed.
// Both leave the session as it is.
package engineio
