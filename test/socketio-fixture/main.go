// Socketio-fixture is a server for the Socket.IO project's official protocol test suites. It listens on port 3000,
// and answers as their documentation requires of a server under test. With --engine it serves the Engine.IO suite.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
)

func main() {
	address := flag.String("addr", "localhost:3000", "where to listen")
	engine := flag.Bool("engine", false, "serve Engine.IO at /engine.io/ and echo messages")
	flag.Parse()

	options := engineio.Options{
		PingInterval: 300 * time.Millisecond,
		PingTimeout:  200 * time.Millisecond,
		MaxPayload:   1_000_000,
	}
	mux := http.NewServeMux()
	if *engine {
		mux.Handle("/engine.io/", engineio.New(echo{}, options))
	} else {
		mux.Handle("/socket.io/", socketServer(options))
	}
	server := &http.Server{Addr: *address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func socketServer(options engineio.Options) *socketio.Server {
	server := socketio.New(socketio.Options{Options: options, ConnectTimeout: time.Second})
	for _, name := range []string{"/", "/custom"} {
		server.Of(name).OnConnect(func(s *socketio.Socket) error {
			s.On("message", func(args socketio.Args, _ socketio.Ack) {
				if err := s.Emit("message-back", anys(args)...); err != nil {
					log.Print(err)
				}
			})
			s.On("message-with-ack", func(args socketio.Args, ack socketio.Ack) {
				if err := ack(anys(args)...); err != nil {
					log.Print(err)
				}
			})
			// In a message of its own, a moment later: the suite waits for one message after another, and misses the
			// second of two that arrive together.
			auth := s.Auth()
			time.AfterFunc(10*time.Millisecond, func() {
				if err := s.Emit("auth", auth); err != nil {
					log.Print(err)
				}
			})
			return nil
		})
	}
	return server
}

func anys(args socketio.Args) []any {
	list := make([]any, len(args))
	for i, a := range args {
		list[i] = a
	}
	return list
}

type echo struct{}

func (echo) Open(*engineio.Session) {}

func (echo) Message(s *engineio.Session, data []byte, binary bool) error {
	if binary {
		s.Send(engineio.NewBinaryPacket(data))
	} else {
		s.Send(engineio.NewPacket(data))
	}
	return nil
}

func (echo) Close(*engineio.Session, engineio.Reason) {}
