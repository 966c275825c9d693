package api

import (
	"net/http"
	"slices"

	"github.com/rs/cors"

	"sneakerdrop/internal/drop"
	"sneakerdrop/socketio/engineio"
)

// origins decides which web pages may make calls. Pages of the server's own origin always may. Pages of other origins
//
//   - may read and write everything that is public if one pattern is *, but without cookies;
//   - may make operators' calls only if a pattern other than * matches them. Otherwise any page on the web could act
//     through the browser of somebody who reaches this server, with a token or without;
//   - may send cookies only if a pattern has their full origin. Nothing here reads cookies, but a proxy in front may
//     sign people in with them. Without this rule, any page could then act as its visitors.
type origins struct {
	guard    *http.CrossOriginProtection // recognizes pages of other origins
	trusted  *http.CrossOriginProtection // allows origins that are written in full
	everyone bool                        // one pattern is *
	patterns engineio.Origins
}

func newOrigins(patterns []string) *origins {
	o := &origins{
		guard: http.NewCrossOriginProtection(), trusted: http.NewCrossOriginProtection(),
		everyone: slices.Contains(patterns, "*"), patterns: patterns,
	}
	for _, pattern := range patterns {
		_ = o.trusted.AddTrustedOrigin(pattern) // fails for patterns with *, which do not count for calls with cookies
	}
	return o
}

// check refuses writes that a browser sends for a page of another origin. open says that the call is not an
// operator's.
func (o *origins) check(r *http.Request, open bool) error {
	if r.Header["Origin"] == nil && r.Header["Sec-Fetch-Site"] == nil || o.guard.Check(r) == nil {
		return nil // not a browser, our own page, or not a write
	}
	if r.Header.Get("Cookie") != "" {
		if o.trusted.Check(r) == nil {
			return nil
		}
		return drop.Refuse(codeCrossOrigin)
	}
	if o.everyone && open || o.names(r.Header.Get("Origin")) {
		return nil
	}
	return drop.Refuse(codeCrossOrigin)
}

// names reports whether a pattern other than * matches an origin. Sockets use the same rules.
func (o *origins) names(origin string) bool {
	_, named := o.patterns.Match(origin)
	return named
}

// sharing adds the headers that let pages of other origins read an answer, and answers preflights. For requests
// without an origin it adds only Vary, which is cheap. open reports whether a call is not an operator's.
func (o *origins) sharing(open func(method string, r *http.Request) bool, next http.Handler) http.Handler {
	all := crossOrigin(cors.Options{AllowOriginFunc: func(origin string) bool { return o.names(origin) }}).Handler(next)
	few := all
	if o.everyone {
		all = crossOrigin(cors.Options{AllowedOrigins: []string{"*"}}).Handler(next)
	}
	varies := []string{"Origin"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header["Origin"] == nil && r.Method != http.MethodOptions {
			w.Header()["Vary"] = varies[:1:1]
			next.ServeHTTP(w, r)
			return
		}
		method := r.Method
		if asked := r.Header.Get("Access-Control-Request-Method"); method == http.MethodOptions && asked != "" {
			method = asked
		}
		if o.everyone && !open(method, r) {
			few.ServeHTTP(w, r)
			return
		}
		all.ServeHTTP(w, r)
	})
}

func crossOrigin(o cors.Options) *cors.Cors {
	o.AllowedMethods = []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete,
	}
	o.AllowedHeaders = []string{"*"} // allows the headers that the preflight asks for
	o.ExposedHeaders = []string{
		"ETag", "Retry-After", "Content-Disposition", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", requestIDHeader, replayedHeader,
	}
	o.MaxAge = 600
	return cors.New(o)
}
