package postgres

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Address is the location of a database, in a form for Open and in a form for people. ReadAddress makes it.
type Address struct {
	// URL is for Open and for pgx. It has everything that was given, percent-encoded, with parameters that they know.
	URL string
	// Hosts and Database are safe to show. They contain nothing secret.
	Hosts, Database string
	// Ignored lists the parameters that have no meaning here, separated by commas, such as those of another program's
	// pool.
	Ignored string

	connections int // the most connections; 0 if not given
}

// These are the rules that an address can break. Each completes "<setting> …". They quote nothing of an address
// except the names of known parameters, because any other part may belong to a password.
var (
	errAddress = errors.New("must be a PostgreSQL URL, such as postgres://user:password@localhost:5432/shop; if the user, the password or the " +
		"name contains : / ? # @ % [ ] or blanks, write them percent-encoded (@ is %40, / is %2F, ? is %3F, # is %23, % is %25)")
	errTwoWays = errors.New("can be read in more than one way because of characters in the password; write : / ? # @ % & in it percent-encoded " +
		"(@ is %40, / is %2F, ? is %3F, # is %23, % is %25, & is %26)")
	errPairs = errors.New("must be a PostgreSQL URL, or pairs name=value; put a value with blanks or quotes in single quotes, with a " +
		"backslash before each quote and backslash")
	errPort = errors.New("must have ports from 1 to 65535")
)

var (
	// The schemes of various frameworks: jdbc:postgresql://, postgresql+psycopg2://, postgis://, pgsql://, psql://.
	scheme = regexp.MustCompile(`(?i)^(?:jdbc:)?(?:postgres|postgresql|postgis|pgsql|psql)(?:\+[a-z0-9_]+)?://`)
	// A host is a name, an address, or a percent-encoded folder.
	hostList = regexp.MustCompile(`^` + hostPattern + `(?:,` + hostPattern + `)*$`)
	pairs    = regexp.MustCompile(`(?s)^(?:.*\s)?(?:host|hostaddr|dbname|service)\s*=`)
	keyName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	escape   = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

const hostPattern = `(?:\[[0-9A-Fa-f:.]+(?:%[^\]/?#@]*)?\]|(?:[^@/?#:,\[\]\s\\%]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?`

// IsAddress reports whether a text is meant to be the address of a PostgreSQL database.
func IsAddress(s string) bool {
	s = unquoted(s)
	return scheme.MatchString(s) || pairs.MatchString(s)
}

// ReadAddress reads a database's address in any of the usual forms: libpq's two, and URLs as other frameworks write
// them. It recognizes a password that is not percent-encoded if there is no doubt about it. foreign says that the
// tables are another program's; then a schema tells where to find them.
func ReadAddress(s string, foreign bool) (Address, error) {
	s = unquoted(s)
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return Address{}, errors.New("must be one line without control characters")
	}
	p := &parts{foreign: foreign, params: make(map[string]string)}
	begin := scheme.FindString(s)
	switch {
	case begin != "":
		found, err := split(s[len(begin):])
		if err != nil {
			return Address{}, err
		}
		p.parts(found)
	case pairs.MatchString(s):
		given, err := readPairs(s)
		if err != nil {
			return Address{}, err
		}
		p.given = given
	default:
		return Address{}, errAddress
	}
	if err := p.translate(); err != nil {
		return Address{}, err
	}
	return p.address()
}

// unquoted removes what a text from a file may bring along: blanks, line ends, and quotes around it.
func unquoted(s string) string {
	s = strings.Trim(s, "\ufeff \t\r\n\u00a0")
	for _, quote := range []string{`"`, `'`} {
		if len(s) > 1 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			return strings.Trim(s[1:len(s)-1], " \t\r\n")
		}
	}
	return s
}

// candidate is one way to read the part of a URL after its scheme.
type candidate struct {
	user, password     string // as written
	named, secret      bool   // whether there is a user, and whether there is a password
	hosts, name, query string
}

// split finds the user's part, which ends at an @ that is followed only by hosts, a name and parameters. If several @
// qualify, the one by the rules of URLs counts, provided that leaves no doubt.
func split(rest string) (candidate, error) {
	var found []candidate
	for at := -1; ; {
		if c, ok := cut(rest, at); ok {
			found = append(found, c)
		}
		next := strings.IndexByte(rest[at+1:], '@')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	if len(found) == 0 {
		return candidate{}, errAddress
	}
	first := found[0]
	if len(found) > 1 && (strings.ContainsAny(first.password, "/?#") || !knownParameters(first.query)) {
		return candidate{}, errTwoWays
	}
	if strings.ContainsAny(first.password, "/?#") && escape.MatchString(first.password) {
		return candidate{}, errTwoWays // it is unclear whether to decode them
	}
	return first, nil
}

// cut reads a URL whose user's part ends at the given @. With −1 it has no user's part.
func cut(rest string, at int) (c candidate, ok bool) {
	if at >= 0 {
		c.named = true
		c.user, c.password, c.secret = strings.Cut(rest[:at], ":")
		if strings.ContainsAny(c.user, "/?# \\") {
			return c, false
		}
	}
	rest, c.query, _ = strings.Cut(rest[at+1:], "?")
	c.hosts, c.name, _ = strings.Cut(rest, "/")
	if !hostList.MatchString(c.hosts) || strings.ContainsAny(c.name, "/@#") || strings.Contains(c.query, "#") {
		return c, false
	}
	for pair := range strings.SplitSeq(c.query, "&") {
		if key, _, assigned := strings.Cut(pair, "="); pair != "" && (!assigned || !keyName.MatchString(key)) {
			return c, false
		}
	}
	return c, true
}

func knownParameters(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if _, known := parameters()[plain(key)]; !known && pair != "" {
			return false
		}
	}
	return true
}

// decoded returns a part as it was meant. If no percent sign in it begins an escape, it is taken literally. If only
// some of them do, its meaning is unknown.
func decoded(s string) (string, error) {
	signs := strings.Count(s, "%")
	if escapes := len(escape.FindAllString(s, -1)); escapes == 0 || signs == 0 {
		return s, nil
	}
	d, err := url.PathUnescape(s)
	if err != nil || strings.ContainsRune(d, 0) {
		return "", errTwoWays
	}
	return d, nil
}

// pair is one parameter as it was given.
type pair struct{ name, value string }

// readPairs reads libpq's other form: name=value, with or without quotes.
func readPairs(s string) (all []pair, err error) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimLeft(s, " \t") {
		name, rest, ok := strings.Cut(s, "=")
		if name = strings.TrimSpace(name); !ok || !keyName.MatchString(name) {
			return nil, errPairs
		}
		rest = strings.TrimLeft(rest, " \t")
		quoted := strings.HasPrefix(rest, "'")
		if quoted {
			rest = rest[1:]
		}
		var value strings.Builder
		i, closed := 0, false
		for ; i < len(rest) && !closed; i++ {
			switch ch := rest[i]; {
			case ch == '\\' && i+1 < len(rest):
				i++
				value.WriteByte(rest[i])
			case quoted && ch == '\'', !quoted && (ch == ' ' || ch == '\t'):
				closed = true
			default:
				value.WriteByte(ch)
			}
		}
		if quoted && !closed {
			return nil, errPairs
		}
		all, s = append(all, pair{name, value.String()}), rest[i:]
	}
	return all, nil
}

// parts are the parts of an address while it is being read.
type parts struct {
	foreign bool
	given   []pair
	// The result: params has pgx's names, except those with a field of their own.
	user, password, hosts, name string
	params                      map[string]string
	ignored                     []string
	failed                      error
}

func (p *parts) parts(c candidate) {
	decode := func(s string) string {
		d, err := decoded(s)
		if err != nil && p.failed == nil {
			p.failed = err
		}
		return d
	}
	p.user, p.password, p.hosts, p.name = decode(c.user), decode(c.password), c.hosts, decode(c.name)
	for part := range strings.SplitSeq(c.query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		if plain(name) == "options" {
			value = strings.ReplaceAll(value, "+", " ")
		}
		p.given = append(p.given, pair{name, decode(value)})
	}
}

// address builds an address from the parts.
func (p *parts) address() (Address, error) {
	a := Address{Hosts: p.hosts, Database: p.name, Ignored: strings.Join(slices.Compact(slices.Sorted(slices.Values(p.ignored))), ", ")}
	if host := p.params["host"]; host != "" {
		a.Hosts = host
	}
	if err := checkPorts(p.hosts, p.params["port"]); err != nil {
		return Address{}, err
	}
	a.connections, _ = strconv.Atoi(p.params["pool_max_conns"]) // already checked
	query := make([]string, 0, len(p.params))
	for _, name := range slices.Sorted(maps.Keys(p.params)) {
		query = append(query, escaped(name)+"="+escaped(p.params[name]))
	}
	a.URL = "postgres://"
	if p.user != "" || p.password != "" {
		a.URL += escaped(p.user)
		if p.password != "" {
			a.URL += ":" + escaped(p.password)
		}
		a.URL += "@"
	}
	a.URL += p.hosts + "/" + escaped(p.name)
	if len(query) > 0 {
		a.URL += "?" + strings.Join(query, "&")
	}
	return a, nil
}

func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func checkPorts(hosts, list string) error {
	ports := strings.Split(list, ",")
	for host := range strings.SplitSeq(hosts, ",") {
		if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
			ports = append(ports, host[i+1:])
		}
	}
	for _, port := range ports {
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
			return errPort
		}
	}
	return nil
}

// NewAddress returns the address of a database from its parts, whatever characters they contain. host may list
// several hosts, separated by commas, or name the folder of a Unix socket.
func NewAddress(user, password, host, port, name string) (Address, error) {
	p := &parts{user: user, password: strings.TrimRight(password, "\r\n"), name: name, params: make(map[string]string)}
	if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil && ip.To4() == nil {
		p.hosts = "[" + strings.Trim(host, "[]") + "]:" + port
	} else if strings.ContainsAny(host, "/,:") || !hostList.MatchString(host) {
		p.params["host"], p.params["port"] = host, port
	} else {
		p.hosts = host + ":" + port
	}
	a, err := p.address()
	if err == nil && strings.ContainsRune(a.URL, 0) {
		err = fmt.Errorf("%w", errAddress)
	}
	return a, err
}

// withoutAddress returns what pgx found wrong with an address, without the address, which pgx quotes.
func withoutAddress(err error) error {
	e, ok := errors.AsType[*pgconn.ParseConfigError](err)
	if !ok {
		return err
	}
	if cause := errors.Unwrap(e); cause != nil {
		return cause
	}
	_, said, _ := strings.Cut(e.Error(), "`: ")
	return errors.New(said)
}
