package api

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"sneakerdrop/internal/drop"
)

const (
	returnURLField = "return_url"
	maxReturnURL   = 2000 // in bytes
)

// returnURL reads where a payment provider sends the buyer's browser in the end, and completes a path of this server.
//
// It allows pages of this server, and of origins that the operator has named. A pattern for every origin names none,
// because a shop must not send its buyers to a stranger's page. A server on this machine allows all pages of this
// machine.
func (a *api) returnURL(r *http.Request, given *string) (string, error) {
	text, err := required(returnURLField, given)
	if err != nil {
		return "", err
	}
	if text == "" || len(text) > maxReturnURL {
		return "", drop.Invalid(returnURLField, "must have 1 to "+strconv.Itoa(maxReturnURL)+" bytes")
	}
	if strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }) {
		return "", drop.Invalid(returnURLField, `must have only visible ASCII characters, without \; write others as percent-encoded UTF-8`)
	}
	text = here(r, text)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", drop.Invalid(returnURLField, "must be the path of a page, such as /drops/7, or begin with http:// or https:// and a host")
	}
	if !strings.EqualFold(u.Host, r.Host) && !a.origins.names(u.Scheme+"://"+u.Host) && (!Loopback(u.Hostname()) || !Loopback(nameOf(r.Host))) {
		return "", drop.Invalid(returnURLField, "must be a page of this server, or of an origin that the shop names with --cors-origin")
	}
	if len(text) > maxReturnURL {
		return "", drop.Invalid(returnURLField, "must have at most "+strconv.Itoa(maxReturnURL)+" bytes with this server's address before it")
	}
	return text, nil
}

// here completes a path of this server. It does not change any other address.
func here(r *http.Request, address string) string {
	if !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return address
	}
	return schemeOf(r) + "://" + r.Host + address
}

// schemeOf returns the scheme under which the browser reached this server. Browsers say it in Origin, and proxies in
// X-Forwarded-Proto. It need not be proven: it only leads back to this host.
func schemeOf(r *http.Request) string {
	if scheme, host, _ := strings.Cut(r.Header.Get("Origin"), "://"); strings.EqualFold(host, r.Host) && (scheme == "http" || scheme == "https") {
		return scheme
	}
	first, _, _ := strings.Cut(r.Header.Get("X-Forwarded-Proto"), ",")
	if r.TLS != nil || strings.EqualFold(strings.TrimSpace(first), "https") {
		return "https"
	}
	return "http"
}

// nameOf returns a host without its port.
func nameOf(host string) string { return (&url.URL{Host: host}).Hostname() }
