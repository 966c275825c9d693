package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"sneakerdrop/socketio"
	"sneakerdrop/socketio/internal/wire"
)

// A server that admits clients with a token, answers an event, and sends news to a room.
func Example() {
	server := socketio.New(socketio.Options{})
	server.Of("/").OnConnect(func(s *socketio.Socket) error {
		if string(s.Auth()) != `{"token":"secret"}` {
			return &socketio.ConnectError{Message: "unknown token", Data: map[string]bool{"retry": false}}
		}
		s.Join("news")
		s.On("add", func(args socketio.Args, ack socketio.Ack) {
			var a, b int
			if len(args) == 2 && errors.Join(args[0].Decode(&a), args[1].Decode(&b)) == nil {
				_ = ack(a + b)
			}
		})
		return nil
	})
	listener := httptest.NewServer(server)
	defer listener.Close()
	defer func() { _ = server.Close(context.Background()) }()

	// A browser would say: io({auth: {token: "secret"}}), socket.emitWithAck("add", 1, 2).
	client, err := wire.Dial(listener.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	_, _ = client.Next() // the handshake
	_ = client.Send(`40{"token":"secret"}`)
	_, _ = client.Next() // connected
	_ = client.Send(`421["add",1,2]`)
	fmt.Println(client.Next())

	news, err := socketio.NewMessage("headline", "shoes")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("sent to", server.Of("/").Broadcast("news", []*socketio.Message{news}))
	fmt.Println(client.Next())
	// Output:
	// 431[3] <nil>
	// sent to 1
	// 42["headline","shoes"] <nil>
}

// A message with Replace takes the place of an older one that a slow client has not yet got.
func ExampleMessage_replace() {
	server := socketio.New(socketio.Options{})
	for stock := range 3 {
		m, err := socketio.NewMessage("stock", map[string]int{"available": 2 - stock})
		if err != nil {
			fmt.Println(err)
			return
		}
		m.Replace = "stock:7"
		fmt.Println(server.Of("/").Broadcast("", []*socketio.Message{m}))
	}
	// Output:
	// 0
	// 0
	// 0
}
