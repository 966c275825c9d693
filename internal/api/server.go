package api

import (
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// DefaultKeepAlive is how long an idle connection stays open by default. It is longer than the idle timeouts of common
// load balancers (the longest is Envoy's, one hour). The side that sends requests must close first, or some requests
// are lost.
const DefaultKeepAlive = 61 * time.Minute

// Server returns an HTTP server with a timeout for everything that a client could delay: headers, bodies, answers and
// the time between requests. It speaks HTTP/1.1 and HTTP/2. Without TLS, HTTP/2 needs a client with prior knowledge.
// Complaints about single connections go to log at debug level.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Protocols: protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 100, // the minimum that RFC 9113 recommends
			// No body is longer than maxBody, so a client need not send more ahead.
			MaxReceiveBufferPerStream: maxBody, MaxReceiveBufferPerConnection: 4 * maxBody,
			WriteByteTimeout: 30 * time.Second,
		},
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       DefaultKeepAlive,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// GivenWhole reports whether a path's answers are short enough to be sent whole. Sockets and event streams are
// endless. Purchases are written page by page, and the record of a draw is long. A call that waits for events must see
// its client disconnect.
func GivenWhole(path string) bool {
	if path = strings.ToLower(strings.TrimSuffix(path, "/")); !strings.HasPrefix(path, dropsPath+"/") {
		return path != "/socket.io" && !strings.HasPrefix(path, "/socket.io/") && path != allPurchasesPath && path != feedPath
	}
	return !strings.HasSuffix(path, "/events") && !strings.HasSuffix(path, "/purchases") && !strings.HasSuffix(path, "/draw")
}
