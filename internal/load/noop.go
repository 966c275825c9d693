package load

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
	"time"
)

// Noop answers the calls of the reserve scenario without doing anything. It decodes the same body and encodes the
// same fields with the standard library. Its speed is the most that a Go server could reach on the machine.
func Noop() http.Handler {
	var made atomic.Int64
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) //nolint:errchkjson // the client may have gone
	}
	mux.HandleFunc("POST /api/drops/reserve", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			DropID   *int64  `json:"dropId"`
			UserID   *int64  `json:"userId"`
			UserName *string `json:"userName"`
			Email    *string `json:"email"`
			Size     *string `json:"size"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.DropID == nil || in.UserID == nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		now := time.Now().UTC()
		answer(w, struct {
			ID        int64     `json:"id"`
			DropID    int64     `json:"dropId"`
			UserID    int64     `json:"userId"`
			Status    string    `json:"status"`
			ExpiresAt time.Time `json:"expires_at"`
			CreatedAt time.Time `json:"createdAt"`
		}{1<<32 + made.Add(1), *in.DropID, *in.UserID, "active", now.Add(time.Minute), now})
	})
	mux.HandleFunc("POST /api/drops/create", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]int64{"id": 1}) })
	return mux
}
