package api

import (
	"net/http"
	"time"

	"sneakerdrop/internal/drop"
)

// recorder is the http.ResponseWriter of one request. It collects what the metrics and the log need at the end.
type recorder struct {
	http.ResponseWriter
	began   time.Time
	seconds *routeSeconds
	status  int // 0: no answer yet
	caller  caller
	bounded expiring // the request's context, unless it needs another one
	maxBody int64    // the limit for the call's body, in bytes
	drop    drop.ID  // the drop that an operator's call is about; 0: unknown
	made    string   // what an operator's call created or found, such as "drop 7"; empty: nothing with a number
	// replayed says that the answer was kept under the call's Idempotency-Key.
	replayed bool
	// rehearsal says that the call is about a drop of a rehearsal.
	rehearsal bool
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		if r.replayed && status < http.StatusBadRequest {
			r.Header().Set(replayedHeader, "true")
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
