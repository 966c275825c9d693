// Package sockets tells the hub's updates to Socket.IO clients, those of the Node.js backend among them: on connecting each
// joins the room of all drops and gets their current state.
//
// A client that connects with ?drop=7, or that emits "watch" with 7, is told of that drop only, or of several when it
// watches more; "watch" without a drop goes back to all.
package sockets

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/live"
	"sneakerdrop/socketio"
)

// maxWatched bounds the drops that one client watches one by one; who wants more watches all.
const maxWatched = 50

// Sockets is a wire of a hub, and serves the clients.
type Sockets struct {
	server *socketio.Server
	root   *socketio.Namespace
	hub    *live.Hub
}

// New attaches a wire to the hub.
func New(h *live.Hub, o socketio.Options) *Sockets {
	server := socketio.New(o)
	s := &Sockets{server: server, root: server.Of("/"), hub: h}
	s.root.OnConnect(s.welcome)
	h.Attach(s)
	return s
}

// ServeHTTP serves /socket.io/, the client bundle included.
func (s *Sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.server.ServeHTTP(w, r) }

// Close ends all connections in such a way that clients connect again by themselves.
func (s *Sockets) Close(ctx context.Context) error { return s.server.Close(ctx) }

// Stats returns the counters of now.
func (s *Sockets) Stats() socketio.Stats { return s.server.Stats() }

// Broadcast implements live.Wire.
func (s *Sockets) Broadcast(room string, updates []live.Update) {
	if s.root.Len(room) > 0 {
		s.root.Broadcast(room, messages(updates))
	}
}

func messages(updates []live.Update) []*socketio.Message {
	out := make([]*socketio.Message, 0, len(updates))
	for _, u := range updates {
		m, err := socketio.NewMessage(u.Event, json.RawMessage(u.JSON))
		if err != nil {
			panic(err) // an event of the hub's own, with JSON of its own
		}
		m.Replace = u.Replace
		out = append(out, m)
	}
	return out
}

// welcome admits everybody: who is who does not matter to those who watch.
func (s *Sockets) welcome(socket *socketio.Socket) error {
	asked := socket.Request().Query.Get("drop")
	id, ok := parseID(asked)
	if asked != "" && !ok {
		return &socketio.ConnectError{Message: "drop must be the number of a drop, such as ?drop=7"}
	}
	s.watch(socket, id)
	socket.On("watch", func(args socketio.Args, ack socketio.Ack) {
		var id drop.ID
		if len(args) > 0 {
			text := string(args[0].JSON())
			if id, ok = parseID(text); !ok && text != "null" {
				_ = ack(map[string]string{"error": "watch takes the number of a drop, or nothing for all", "code": "invalid"})
				return
			}
		}
		if id != 0 && len(socket.Rooms()) > maxWatched {
			_ = ack(map[string]string{"error": "too many drops are watched one by one; watch all", "code": "invalid"})
			return
		}
		s.watch(socket, id)
		_ = ack(map[string]drop.ID{"watching": id})
	})
	return nil
}

// watch tells the socket the current state of one drop, or with 0 of all, and has it told what follows.
func (s *Sockets) watch(socket *socketio.Socket, id drop.ID) {
	s.hub.Join(id, func(snapshot []live.Update) {
		socket.Send(messages(snapshot)...)
		if id == 0 {
			for _, room := range socket.Rooms() {
				if room != "" {
					socket.Leave(room)
				}
			}
			socket.Join(live.RoomAll)
			return
		}
		socket.Leave(live.RoomAll)
		socket.Join(live.RoomOf(id))
	})
}

func parseID(s string) (drop.ID, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	id := drop.ID(n)
	return id, err == nil && id >= 1 && id <= drop.MaxID
}
