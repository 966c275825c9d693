package rehearse

import (
	"context"
	"crypto/tls"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/lxzan/gws"
)

// watcher only watches: it is a Socket.IO client over WebSocket that answers pings.
type watcher struct {
	gws.BuiltinEventHandler

	once   sync.Once
	closed chan struct{}
	left   atomic.Bool
	notes  *notes
}

// watch watches until ctx ends, as a client who claims to come from an address.
func (p *play) watch(ctx context.Context, from string) {
	w := &watcher{closed: make(chan struct{}), notes: &p.notes}
	security := &tls.Config{MinVersion: tls.VersionTLS12}
	if p.Transport.TLSClientConfig != nil {
		security = p.Transport.TLSClientConfig.Clone()
	}
	to := "ws" + strings.TrimPrefix(strings.TrimSuffix(p.URL, "/"), "http") + "/socket.io/?EIO=4&transport=websocket"
	socket, response, err := gws.NewClient(w, &gws.ClientOption{
		Addr: to, HandshakeTimeout: requestTimeout, TlsConfig: security, RequestHeader: http.Header{forwardedFor: {from}},
	})
	if response != nil {
		defer response.Body.Close() //nolint:errcheck // there is nothing in it
	}
	if err != nil {
		if ctx.Err() == nil {
			p.notes.faultf("a watcher could not connect: %v", err)
		}
		return
	}
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		socket.ReadLoop()
	}()
	select {
	case <-ctx.Done():
	case <-w.closed:
	}
	w.left.Store(true)
	_ = socket.NetConn().Close() // a watcher disconnects without a goodbye
	<-reading
}

// OnMessage implements gws.Event.
func (w *watcher) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close() //nolint:errcheck // gives a buffer back
	text := message.Bytes()
	var reply string
	switch {
	case len(text) > 0 && text[0] == '0': // Engine.IO open
		reply = "40"
	case len(text) > 0 && text[0] == '2': // ping
		reply = "3"
	case len(text) > 1 && text[0] == '4' && text[1] == '0': // Socket.IO connect
		w.once.Do(w.notes.watched)
	}
	if reply != "" {
		_ = socket.WriteString(reply) // OnClose learns of a connection that ends
	}
}

// OnClose implements gws.Event.
func (w *watcher) OnClose(*gws.Conn, error) {
	if !w.left.Load() {
		w.notes.lostWatcher()
	}
	close(w.closed)
}
