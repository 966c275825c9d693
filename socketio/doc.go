// Package socketio is a server of the Socket.IO protocol, revision 5, for unmodified clients: socket.io-client 3.x
// and 4.x in browsers, Node.js and elsewhere.
//
// A [Server] is an [http.Handler] for /socket.io/. A client connects to a [Namespace], "/" if it names none, and is a
// [Socket] there. Sockets exchange events, with acknowledgements and binary data both ways. A room is a set of
// sockets that a program sends to. Package engineio provides the connection below, with its transports, limits and
// queues.
//
//	server := socketio.New(socketio.Options{})
//	server.Of("/").OnConnect(func(s *socketio.Socket) error {
//		s.Join("news")
//		s.On("say", func(args socketio.Args, ack socketio.Ack) { … })
//		return nil
//	})
//	http.Handle("/socket.io/", server)
//
// # Sending to many
//
// A [Message] is encoded once. [Namespace.Broadcast] sends several in one write to each socket, and waits for none.
// What a socket does not take at once is queued, within bounds. In the queue, a newer message replaces one with the
// same Replace. A socket that stays behind is disconnected, with the reason engineio.SlowClient or
// engineio.WriteTimeout.
//
// # Ordering and concurrency
//
// What one goroutine sends to a socket arrives in that order. Handlers of one client run one after the other; those
// of different clients run at the same time.
//
// # Not supported
//
// The package does not support revisions 4 and older of the protocol (clients 1.x and 2.x), WebTransport, connection
// state recovery, or the msgpack parser. It has no adapter for several processes: a room belongs to one server. A
// balancer in front of several servers must keep a client that polls on one of them.
package socketio
