package drop

import (
	"net/url"
	"strconv"
	"strings"
)

// checkImageURL admits what every browser loads as an image from where it says, without running anything: an http(s)
// address, or a path of the page's own origin.
//
// Browsers read addresses by rules of their own (https://url.spec.whatwg.org), not by RFC 3986 as package url does:
// to them a backslash is a slash, so that /\evil.example is an address of another host; tabs and line ends are not
// there at all, which checkText refuses; and an image whose address has a user's name is not loaded.
func checkImageURL(raw string) *Error {
	if raw == "" {
		return nil
	}
	if err := checkText("image_url", raw, 1, MaxImageURL); err != nil {
		return err
	}
	if strings.Contains(raw, `\`) {
		return Invalid("image_url", "must not contain a backslash, which browsers read as a slash")
	}
	u, err := url.Parse(raw)
	if err == nil && u.User != nil {
		return Invalid("image_url", "must not contain a user name or a password, with which browsers load no image")
	}
	if err != nil || !isWeb(u) && !isPath(raw) {
		return Invalid("image_url", "must be an http or https address, or a path that starts with /")
	}
	return nil
}

// isWeb says whether u names a server, in letters that a server's name may have.
func isWeb(u *url.URL) bool {
	if u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.ContainsAny(u.Host, `<>^|%"{}`) {
		return false
	}
	_, err := strconv.ParseUint(u.Port(), 10, 16)
	return u.Port() == "" || err == nil
}

// isPath says whether raw is a path of the page's own origin: after two slashes comes a host.
func isPath(raw string) bool { return strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "//") }
