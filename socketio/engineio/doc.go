// Package engineio is a server of the Engine.IO protocol, revision 4, on net/http. Sessions run over WebSocket, over
// HTTP long-polling, or over long-polling that is upgraded to WebSocket. Package socketio is built on it. It also
// serves on its own where plain messages are enough.
//
// A [Server] is an [http.Handler] for the one path that clients call. It tells a session's [Handler] everything that
// happens to the session.
//
// # Ordering and concurrency
//
// Packets that one goroutine sends arrive in that order, across an upgrade too. Handler.Message gets a client's
// packets one at a time, in order. Handler.Close comes last, once, on a goroutine of its own. Any goroutine may call
// any method, and no method waits for a client.
//
// # Sending
//
// A [Packet] is encoded once and may be sent to any number of sessions. A [Batch] is several packets that go out in
// one write. A write is first tried directly on the connection, without blocking. What the kernel does not take is
// queued, and a goroutine writes for that session until its queue is empty. The queue is bounded in packets and
// bytes. A session that overflows it is closed ([SlowClient]), and so is one that does not take a write within
// Options.WriteTimeout. A packet with a Key replaces the unsent packet with the same key, in its place.
//
// # Misuse
//
// Each misuse has one outcome. The server refuses a request with an unknown transport, session or revision in JSON,
// {"code", "message"}.
//
// Each of these closes the session: a second poll beside an open one, a poll that the client aborts, and a second
// POST beside an open one. An invalid packet, a payload that is too large, and a client that talks too much do the
// same.
//
// After the upgrade, a request over HTTP is refused. A second WebSocket with the session's id completes its handshake
// and is closed. Neither changes the session.
package engineio
