// Package sockets sends the hub's updates to Socket.IO clients, including unmodified clients of the Node.js backend.
// On connecting, each client joins the room of all drops and gets their current state.
//
// A client that connects with ?drop=7, or emits "watch" with 7, receives only that drop's updates, or those of
// several drops if it watches more. "watch" without a drop returns to all drops.
package sockets

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/shop"
	"sneakerdrop/socketio"
)

// maxWatched is the most drops that one client can watch individually. To see more, it must watch all.
const maxWatched = 50

// Identify returns the buyer that a token belongs to, and when the token expires, as shop.SignIn does.
type Identify func(ctx context.Context, token string) (buyer drop.User, until time.Time, err error)

// Sockets is a wire of a hub, and serves its clients.
type Sockets struct {
	server   *socketio.Server
	root     *socketio.Namespace
	hub      *live.Hub
	identify Identify
	log      *slog.Logger
}

var _ live.PrivateWire = (*Sockets)(nil)

// New attaches a wire to the hub. With identify, a client may sign in by {token} in Socket.IO's auth. Without it,
// there is no sign-in.
func New(h *live.Hub, o socketio.Options, identify Identify) *Sockets {
	server := socketio.New(o)
	s := &Sockets{server: server, root: server.Of("/"), hub: h, identify: identify, log: cmp.Or(o.Log, slog.Default())}
	s.root.OnConnect(s.welcome)
	h.Attach(s)
	return s
}

// ServeHTTP serves /socket.io/, including the client bundle.
func (s *Sockets) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.server.ServeHTTP(w, r) }

// Close ends all connections in a way that makes clients reconnect by themselves.
func (s *Sockets) Close(ctx context.Context) error { return s.server.Close(ctx) }

// Stats returns the current counters.
func (s *Sockets) Stats() socketio.Stats { return s.server.Stats() }

// Broadcast implements live.Wire.
func (s *Sockets) Broadcast(room string, updates []live.Update) {
	if s.root.Len(room) > 0 {
		s.root.Broadcast(room, messages(updates))
	}
}

// Tell implements live.PrivateWire.
func (s *Sockets) Tell(room string, updates func() []live.Update) {
	if s.root.Len(room) > 0 {
		s.root.Broadcast(room, messages(updates()))
	}
}

func messages(updates []live.Update) []*socketio.Message {
	out := make([]*socketio.Message, 0, len(updates))
	for _, u := range updates {
		m, err := socketio.NewMessage(u.Event, json.RawMessage(u.JSON))
		if err != nil {
			panic(err) // cannot happen: the hub's own event and JSON
		}
		m.Replace = u.Replace
		out = append(out, m)
	}
	return out
}

// welcome admits everybody, because anybody may watch. It only refuses an invalid token, so that the client learns
// about it.
func (s *Sockets) welcome(socket *socketio.Socket) error {
	if err := s.signIn(socket); err != nil {
		return err
	}
	wanted := socket.Request().Query.Get("drop")
	id, ok := parseID(wanted)
	if wanted != "" && !ok {
		return &socketio.ConnectError{Message: "drop must be the number of a drop, such as ?drop=7"}
	}
	s.watch(socket, id)
	// Each time a client says what to watch, it gets the current state. For all drops that is a hundred packets or
	// more in return for a few bytes, made under a lock that all others wait for.
	asked, rate := limit.Bucket{}, limit.Rate{PerSecond: 1, Burst: 2 * maxWatched}
	socket.On("watch", func(args socketio.Args, ack socketio.Ack) {
		if !asked.Take(time.Now(), rate) {
			_ = ack(map[string]string{"error": "You are changing the watched drops too often; wait a second and try again", "code": "rate_limited"})
			return
		}
		var id drop.ID
		if len(args) > 0 {
			text := string(args[0].JSON())
			if id, ok = parseID(text); !ok && text != "null" {
				_ = ack(map[string]string{"error": "watch takes the number of a drop, or nothing for all drops", "code": "invalid"})
				return
			}
		}
		if id != 0 && len(socket.Rooms()) > maxWatched {
			_ = ack(map[string]string{"error": "You are watching too many single drops; watch all drops instead", "code": "invalid"})
			return
		}
		s.watch(socket, id)
		_ = ack(map[string]drop.ID{"watching": id})
	})
	return nil
}

// identifyWithin limits the wait for an identity provider's keys and for the store.
const identifyWithin = 5 * time.Second

// signIn puts a client with a token into its buyer's room. When the token expires, the connection is closed. The
// client reconnects by itself, with a new token if it has one.
func (s *Sockets) signIn(socket *socketio.Socket) error {
	var auth struct {
		Token any `json:"token"`
	}
	if s.identify == nil || len(socket.Auth()) == 0 || json.Unmarshal(socket.Auth(), &auth) != nil || auth.Token == nil {
		return nil
	}
	token, ok := auth.Token.(string)
	if !ok {
		return refusal(identity.ErrInvalid)
	}
	ctx, cancel := context.WithTimeout(context.Background(), identifyWithin)
	defer cancel()
	buyer, until, err := s.identify(ctx, token)
	if shop.TokenCode(err) != "" {
		s.log.Debug("a socket's token was refused", "reason", err)
	}
	if err != nil {
		return refusal(err)
	}
	socket.Join(live.RoomOfUser(buyer.ID))
	end := time.AfterFunc(time.Until(until), socket.Close)
	socket.OnDisconnect(func(socketio.Reason) { end.Stop() })
	return nil
}

// refusal tells the client in connect_error what to do. data.code is the same as over HTTP.
func refusal(err error) error {
	code, sentence := shop.TokenCode(err), "We cannot check your sign-in right now; connect again in a moment"
	switch code {
	case shop.CodeTokenExpired:
		sentence = "Token has expired; sign in again"
	case shop.CodeInvalidToken:
		sentence = "Token is not valid here; sign in again, or connect without a token to watch only"
	default:
		code = shop.CodeUnavailable
	}
	return &socketio.ConnectError{Message: sentence, Data: map[string]drop.Code{"code": code}}
}

// watch sends the socket the current state of one drop, or with 0 of all, and makes it receive later updates.
func (s *Sockets) watch(socket *socketio.Socket, id drop.ID) {
	s.hub.Join(id, func(snapshot []live.Update) {
		socket.Send(messages(snapshot)...)
		if id == 0 {
			for _, room := range socket.Rooms() {
				if live.OfDrop(room) {
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
