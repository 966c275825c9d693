package socketio_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
)

// echo answers as the protocol's own test suite wants it.
func echo(s *socketio.Socket) error {
	anys := func(args socketio.Args) []any {
		list := make([]any, len(args))
		for i, a := range args {
			list[i] = a
		}
		return list
	}
	s.On("message", func(args socketio.Args, _ socketio.Ack) { _ = s.Emit("message-back", anys(args)...) })
	s.On("message-with-ack", func(args socketio.Args, ack socketio.Ack) { _ = ack(anys(args)...) })
	return nil
}

// TestTranscripts are conversations as the real client has them, up to the ids of sockets.
func TestTranscripts(t *testing.T) {
	refuse := func(*socketio.Socket) error {
		return &socketio.ConnectError{Message: "not you", Data: map[string]int{"code": 7}}
	}
	for _, c := range []struct{ name, talk string }{
		{"event", `> 42["message",1,"2",{"3":[true]}]
			< 42["message-back",1,"2",{"3":[true]}]`},
		{"no handler", `> 42["other",1]
			> 42["message"]
			< 42["message-back"]`},
		{"ack", `> 42456["message-with-ack",1,"2",{"3":[false]}]
			< 43456[1,"2",{"3":[false]}]`},
		{"binary event", `> 452-["message",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1}]}]
			> binary:one
			> binary:two
			< 452-["message-back",{"_placeholder":true,"num":0},{"deep":[{"_placeholder":true,"num":1}]}]
			< binary:one
			< binary:two`},
		{"binary ack", `> 451-7["message-with-ack",{"_placeholder":true,"num":0}]
			> binary:one
			< 461-7[{"_placeholder":true,"num":0}]
			< binary:one`},
		{"second namespace", `> 40/echo,{"token":"x"}
			< 40/echo,{"sid":*}
			> 42/echo,["message",1]
			< 42/echo,["message-back",1]
			> 41/echo
			> 42/echo,["message","late"]
			> 42["message",2]
			< 42["message-back",2]
			> 40/echo
			< 40/echo,{"sid":*}`},
		{"unknown namespace", `> 40/nowhere
			< 44/nowhere,{"message":"Invalid namespace"}
			> 42["message",2]
			< 42["message-back",2]`},
		{"refused", `> 40/closed
			< 44/closed,{"message":"not you","data":{"code":7}}
			> 40/broken
			< 44/broken,{"message":"out of order"}`},
		{"leaves and comes back", `> 41
			> 40
			< 40{"sid":*}
			> 42["message",1]
			< 42["message-back",1]`},
		{"number as event", `> 42[7,"x"]
			> 42["message"]
			< 42["message-back"]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, socketio.Options{}, map[string]func(*socketio.Socket) error{
				"/": echo, "/echo": echo, "/closed": refuse,
				"/broken": func(*socketio.Socket) error { return errors.New("out of order") },
			})
			ws := s.connect(t)
			for line := range strings.Lines(c.talk) {
				direction, packet, _ := strings.Cut(strings.TrimSpace(line), " ")
				if direction == ">" {
					say(t, ws, packet)
					continue
				}
				before, after, wild := strings.Cut(packet, "*")
				if !wild {
					expect(t, ws, packet)
				} else if got := next(t, ws); !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
					t.Errorf("got %q, want %q", got, packet)
				}
			}
		})
	}
}

func TestInvalidPackets_CloseTheConnection(t *testing.T) {
	for _, packets := range [][]string{
		{"4abc"},
		{"42{}"},
		{`42abc["message"]`},
		{"42[]"},
		{"42[{}]"},
		{"42[null]"},
		{`42["connect"]`},
		{`42["disconnect"]`},
		{`42["message"`},
		{"40"},
		{"40[]"},
		{`44{"message":"x"}`},
		{"43[1]"},
		{`42/other,["message"]`},
		{"binary:alone"},
		{`451-["message"]`, `42["message"]`},
		{`4511-["message"]`},
		{`450-["message"]`},
		{`451-["message",{"_placeholder":true,"num":3}]`, "binary:x"},
		{"4"},
	} {
		s := start(t, socketio.Options{Options: engineio.Options{MessagesPerSecond: -1}}, nil)
		ws := s.connect(t)
		say(t, ws, packets...)
		if got, err := ws.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%q: got %q %v", packets, got, err)
		}
		await.Until(t, "it is counted", func() bool { return s.Stats().Closed[engineio.ParseError] == 1 })
	}
}
