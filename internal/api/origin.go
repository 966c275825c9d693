package api

import (
	"net/http"

	"sneakerdrop/internal/drop"
)

// crossOriginGuard keeps other web pages from acting through a browser with what it has kept for this host. Nothing here reads
// a cookie; but whoever stands in front, a proxy that signs people in, may, and then any page could send its visitors'.
// Only calls that carry a cookie are looked at, so that clients of other origins go on working as before.
func crossOriginGuard(origins []string) func(*http.Request) error {
	guard := http.NewCrossOriginProtection()
	for _, origin := range origins {
		// Patterns, such as *, are for reading; who may act with cookies is named in full.
		_ = guard.AddTrustedOrigin(origin)
	}
	return func(r *http.Request) error {
		if r.Header.Get("Cookie") == "" {
			return nil
		}
		if guard.Check(r) != nil {
			return drop.Refuse(codeCrossOrigin)
		}
		return nil
	}
}
