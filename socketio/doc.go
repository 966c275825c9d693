// Package socketio is a server of the Socket.IO protocol, revision 5, for unmodified clients: socket.io-client 3.x and
// 4.x in browsers, Node.js and elsewhere.
//
// A [Server] is an [http.Handler] for /socket.io/. A client connects to a [Namespace], "/" if it names none, and is a
// [Socket] there. Sockets exchange events, with acknowledgements and binary data both ways; rooms are sets of sockets
// that a program sends to. The connection below, its transports, limits and queues are package engineio's.
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
// A [Message] is encoded once; [Namespace.Broadcast] sends several in one write a socket and waits for none. What a
// socket does not take at once is queued, within bounds, and messages with the same Replace are merged there. A
// socket that stays behind is disconnected, with the reason engineio.SlowClient or engineio.WriteTimeout.
//
// # Ordering and concurrency
//
// What one goroutine sends to a socket arrives in that order. Handlers of one client run one after the other; those of
// different clients at the same time.
//
// # Not supported
//
// Revisions 4 and older of the protocol (clients 1.x and 2.x), WebTransport, connection state recovery, the msgpack
// parser, and an adapter for several processes: several servers behind one address need a balancer that keeps a client,
// while it polls, on one of them.
package socketio
