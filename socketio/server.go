package socketio

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"sneakerdrop/socketio/engineio"
)

// Options of a Server. Zero fields mean their defaults.
type Options struct {
	engineio.Options
	// Path that clients call (default /socket.io/).
	Path string
	// ConnectTimeout is how long a client may go without being connected to any namespace (default 45 s).
	ConnectTimeout time.Duration
	// MaxAttachments bounds the binary attachments of one packet (default 10). What clients have sent of packets
	// whose attachments are still to come is bounded by MaxInboundBytes, for all of them together.
	MaxAttachments int
	// MaxAuthBytes bounds what a client gives when it connects to a namespace (default 16 KiB).
	MaxAuthBytes int
}

// A Server serves Socket.IO clients, and their bundle for browsers.
type Server struct {
	options Options
	engine  *engineio.Server
	bundle  *bundle
	sockets atomic.Int64
	partial atomic.Int64 // bytes of packets whose attachments are still to come

	mu         sync.RWMutex
	namespaces map[string]*Namespace
}

// New returns a server with the namespace "/", which admits everybody.
func New(o Options) *Server {
	o.Options = o.WithDefaults()
	o.Path, o.ConnectTimeout = cmp.Or(o.Path, "/socket.io/"), cmp.Or(o.ConnectTimeout, 45*time.Second)
	o.MaxAttachments, o.MaxAuthBytes = cmp.Or(o.MaxAttachments, 10), cmp.Or(o.MaxAuthBytes, 16<<10)
	s := &Server{options: o, bundle: newBundle(), namespaces: map[string]*Namespace{}}
	s.engine = engineio.New(sessions{s}, o.Options)
	s.Of("/")
	return s
}

// Of returns the namespace of a name, which begins with a slash, and makes it if need be.
func (s *Server) Of(name string) *Namespace {
	if !strings.HasPrefix(name, "/") || strings.Contains(name, ",") {
		panic(fmt.Sprintf("socketio: no name of a namespace: %q", name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.namespaces[name]
	if n == nil {
		n = newNamespace(s, name)
		s.namespaces[name] = n
	}
	return n
}

func (s *Server) find(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name]
}

// ServeHTTP serves Options.Path, with or without its last slash, and the client bundle below it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, below := strings.CutPrefix(r.URL.Path, s.options.Path)
	switch {
	case below && name == "", r.URL.Path == strings.TrimSuffix(s.options.Path, "/"):
		s.engine.ServeHTTP(w, r)
	case below && s.bundle.has(name):
		s.bundle.serve(w, r, name)
	default:
		http.NotFound(w, r)
	}
}

// Close ends all connections so that clients come back by themselves, refuses new ones, and waits for everything to
// end.
func (s *Server) Close(ctx context.Context) error { return s.engine.Close(ctx) }

// Stats are the counters of a Server at one moment.
type Stats struct {
	engineio.Stats
	Sockets int64 // connected now, in all namespaces
}

// Stats returns the counters of now.
func (s *Server) Stats() Stats { return Stats{s.engine.Stats(), s.sockets.Load()} }
