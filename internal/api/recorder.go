package api

import (
	"net/http"
	"time"

	"sneakerdrop/internal/drop"
)

// recorder is the http.ResponseWriter of one request, with what is to be known of it at its end.
type recorder struct {
	http.ResponseWriter
	began   time.Time
	seconds *routeSeconds
	status  int // 0: nothing was answered yet
	caller  caller
	bounded expiring // its context, if it needs no other
	maxBody int64    // of the call, in bytes
	drop    drop.ID  // what an operator's call was about; 0: not known
	made    string   // what an operator's call made or found, such as "drop 7"; empty: nothing that has a number
	// replayed says that the answer is one that was kept under the call's Idempotency-Key.
	replayed bool
	// rehearsal says that the call was about a drop that a rehearsal sells.
	rehearsal bool
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		if r.replayed && status == http.StatusOK {
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
