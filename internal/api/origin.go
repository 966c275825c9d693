package api

import (
	"net/http"
	"slices"

	"github.com/rs/cors"

	"sneakerdrop/internal/drop"
	"sneakerdrop/socketio/engineio"
)

// origins says which web pages may call. A page of the server's own origin always may. Pages of other origins
//
//   - may read and write what everybody may where one pattern is *, without cookies,
//   - may make operators' calls only if a pattern other than * matches them: a token or the lack of one is no reason to
//     let any page on the web act through the browser of somebody who reaches this server,
//   - may send cookies only if their origin is named in full. Nothing here reads a cookie; but a proxy in front that
//     signs people in may, and then any page could send its visitors'.
type origins struct {
	guard    *http.CrossOriginProtection // knows a page of another origin
	trusted  *http.CrossOriginProtection // admits those that are named in full
	everyone bool                        // a pattern is *
	patterns engineio.Origins
}

func newOrigins(patterns []string) *origins {
	o := &origins{
		guard: http.NewCrossOriginProtection(), trusted: http.NewCrossOriginProtection(),
		everyone: slices.Contains(patterns, "*"), patterns: patterns,
	}
	for _, pattern := range patterns {
		_ = o.trusted.AddTrustedOrigin(pattern) // a pattern with * is none, and for calls without cookies
	}
	return o
}

// check refuses a write that a page of another origin makes a browser send. open says that the call is not an
// operator's.
func (o *origins) check(r *http.Request, open bool) error {
	if r.Header["Origin"] == nil && r.Header["Sec-Fetch-Site"] == nil || o.guard.Check(r) == nil {
		return nil // no browser, a page of our own, or no write
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

// names reports whether a pattern other than * matches an origin, by the rules that sockets have.
func (o *origins) names(origin string) bool {
	_, named := o.patterns.Match(origin)
	return named
}

// sharing adds what lets browsers show an answer to pages of other origins, and answers preflights. What comes from
// no page at all is spared that work, except for saying that it would have made a difference. open finds out whether
// a call is not an operator's.
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
	o.AllowedHeaders = []string{"*"} // reflects those that are asked for
	o.ExposedHeaders = []string{
		"ETag", "Retry-After", "Content-Disposition", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", requestIDHeader, replayedHeader,
	}
	o.MaxAge = 600
	return cors.New(o)
}
