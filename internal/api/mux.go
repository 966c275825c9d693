package api

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"sneakerdrop/internal/drop"
)

// mux finds a request's route. A path matches in any letter case, and with or without one trailing slash. There are
// no redirects: requests that ServeMux would redirect do not reach it. The function open reports whether a request
// with that method is for a call that is open to every origin (route.open), or for no call.
func (a *api) mux(routes []route) (handler http.Handler, open func(method string, r *http.Request) bool) {
	notFound := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, drop.Refuse(codeRouteNotFound))
	})
	others := a.otherMethods(routes, notFound)
	mux := http.NewServeMux()
	mux.Handle("/", others)
	for i := range routes {
		mux.Handle(routes[i].method+" "+routes[i].path, a.serve(&routes[i]))
		if path.Dir(routes[i].path) != dropsPath || path.Base(routes[i].path) == "{id}" {
			continue
		}
		for _, method := range []string{http.MethodGet, http.MethodPatch} { // "reserve" is not a drop's id
			if method != routes[i].method {
				mux.Handle(method+" "+routes[i].path, others)
			}
		}
	}
	handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		folded := fold(r)
		if folded == nil {
			notFound.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, folded)
	})
	operating := make(map[string]bool) // patterns
	for i := range routes {
		operating[routes[i].method+" "+routes[i].path] = !routes[i].open()
	}
	return handler, func(method string, r *http.Request) bool {
		folded := fold(r)
		if folded == nil {
			return true
		}
		asked := *folded
		asked.Method = method
		_, pattern := mux.Handler(&asked)
		return !operating[pattern]
	}
}

// fold returns the request with its path in the form that routes have, or nil if no route can match it.
func fold(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	wanted := escaped
	if len(wanted) > 1 {
		wanted = strings.TrimSuffix(wanted, "/")
	}
	if !strings.HasPrefix(wanted, "/") || path.Clean(wanted) != wanted {
		return nil
	}
	if wanted = strings.ToLower(wanted); wanted == escaped {
		return r
	}
	u := *r.URL
	u.Path, _ = url.PathUnescape(wanted) // a path that was parsed has no bad escapes
	u.RawPath = wanted
	folded := *r
	folded.URL = &u
	return &folded
}

// otherMethods answers requests with a method that their path does not support. The answer lists the methods that it
// supports (RFC 9110, 9.3.7 and 15.5.6).
func (a *api) otherMethods(routes []route, notFound http.Handler) http.Handler {
	allowed := make(map[string][]string) // keyed by path
	for i := range routes {
		path := routes[i].path
		allowed[path] = append(allowed[path], routes[i].method)
		if routes[i].method == http.MethodGet {
			allowed[path] = append(allowed[path], http.MethodHead)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/", notFound)
	for known, methods := range allowed {
		slices.Sort(methods)
		allow := strings.Join(append(methods, http.MethodOptions), ", ")
		mux.HandleFunc(known, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			if r.Method == http.MethodOptions {
				w.WriteHeader(http.StatusNoContent)
				return
			}
			a.fail(w, r, drop.Refuse(codeMethodNotAllowed))
		})
	}
	return mux
}
