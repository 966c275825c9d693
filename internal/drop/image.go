package drop

import (
	"net/url"
	"strconv"
	"strings"
)

// checkImageURL accepts only addresses that every browser loads as an image from the place they name, without running
// code. That is an http or https address, or a path on the page's own origin.
//
// Browsers parse addresses by their own rules (https://url.spec.whatwg.org), not by RFC 3986 as package url does.
// They read a backslash as a slash, so /\evil.example is an address on another host. They ignore tabs and line ends,
// which checkText refuses. They do not load an image whose address contains a user's name.
func checkImageURL(raw string) *Error {
	if raw == "" {
		return nil
	}
	return checkImage("image_url", raw)
}

// checkImage is checkImageURL of an address that must be there.
func checkImage(field, raw string) *Error {
	if err := checkText(field, raw, 1, MaxImageURL); err != nil {
		return err
	}
	if strings.Contains(raw, `\`) {
		return Invalid(field, "must not contain a backslash, which browsers read as a slash")
	}
	u, err := url.Parse(raw)
	if err == nil && u.User != nil {
		return Invalid(field, "must not contain a user name or a password, with which browsers load no image")
	}
	if err != nil || !isWeb(u) && !isPath(raw) {
		return Invalid(field, "must be an http or https address, or a path that starts with /")
	}
	return nil
}

// isWeb reports whether u names a server, using only characters that a server's name may have.
func isWeb(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(u.Host, `<>^|%"{}`) {
		return false
	}
	_, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil
}

// isPath reports whether raw is a path on the page's own origin. After two slashes browsers expect a host.
func isPath(raw string) bool { return strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") }
