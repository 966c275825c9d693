package engineio

import (
	"net/http"
	"net/url"
	"strings"
)

// originList holds patterns of origins.
type originList []string

// allow says whether a page of the request's origin may connect, and tells its browser so. WebSockets know no CORS: for
// them this is the only check.
func (l originList) allow(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true // no browser, or a page of this server
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if !l.match(origin) {
		u, err := url.Parse(origin)
		return err == nil && strings.EqualFold(u.Host, r.Host)
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	return true
}

func (l originList) match(origin string) bool {
	for _, pattern := range l {
		before, after, wild := strings.Cut(pattern, "*")
		if !wild && strings.EqualFold(pattern, origin) {
			return true
		}
		if wild && len(origin) >= len(before)+len(after) &&
			strings.EqualFold(origin[:len(before)], before) && strings.EqualFold(origin[len(origin)-len(after):], after) {
			return true
		}
	}
	return false
}

func preflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Add("Vary", "Access-Control-Request-Headers")
	h.Set("Access-Control-Allow-Methods", "GET,POST")
	if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
