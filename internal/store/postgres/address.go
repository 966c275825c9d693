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

// Address says where a database is, how to get there, and how to name it to people. ReadAddress makes it.
type Address struct {
	// URL is for Open and for pgx: all that was said, percent-encoded, in parameters that they know.
	URL string
	// Hosts and Database name it. They hold nothing secret.
	Hosts, Database string
	// Ignored are the parameters, by comma, that mean nothing here, such as those of another program's pool.
	Ignored string

	connections int // at most; 0: not said
}

// The rules that an address can break; each completes "<setting> …". Nothing of an address stands in them but names
// of parameters that are known: any other part of it may be part of a password.
var (
	errAddress = errors.New("must be a URL of PostgreSQL, such as postgres://user:password@localhost:5432/shop; where the user, the password or the " +
		"name has : / ? # @ % [ ] or blanks in it, write these percent-encoded (@ is %40, / is %2F, ? is %3F, # is %23, % is %25)")
	errTwoWays = errors.New("can be read in more than one way, because of characters in the password; write : / ? # @ % & in it percent-encoded " +
		"(@ is %40, / is %2F, ? is %3F, # is %23, % is %25, & is %26)")
	errPairs = errors.New("must be a URL of PostgreSQL, or pairs name=value; a value with blanks or quotes in it stands in single quotes, with a " +
		"backslash before each quote and backslash")
	errPort = errors.New("must have ports from 1 to 65535")
)

var (
	// Of frameworks: jdbc:postgresql://, postgresql+psycopg2://, postgis://, pgsql://, psql://.
	scheme = regexp.MustCompile(`(?i)^(?:jdbc:)?(?:postgres|postgresql|postgis|pgsql|psql)(?:\+[a-z0-9_]+)?://`)
	// A host is a name, an address, or a folder that is percent-encoded.
	hostList = regexp.MustCompile(`^` + hostPattern + `(?:,` + hostPattern + `)*$`)
	pairs    = regexp.MustCompile(`(?s)^(?:.*\s)?(?:host|hostaddr|dbname|service)\s*=`)
	keyName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	escape   = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

const hostPattern = `(?:\[[0-9A-Fa-f:.]+(?:%[^\]/?#@]*)?\]|(?:[^@/?#:,\[\]\s\\%]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?`

// IsAddress reports whether a text means to name a PostgreSQL database.
func IsAddress(s string) bool {
	s = unquoted(s)
	return scheme.MatchString(s) || pairs.MatchString(s)
}

// ReadAddress reads a database's address in any of the forms in which people have it: libpq's two, and URLs as other
// frameworks write them. A password that is not percent-encoded is found where that can be done for sure. foreign
// says that the tables are not ours: then a schema means where to look for them.
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

// unquoted is a text without what came along with it from a file: blanks, line ends, the quotes around it.
func unquoted(s string) string {
	s = strings.Trim(s, "\ufeff \t\r\n\u00a0")
	for _, quote := range []string{`"`, `'`} {
		if len(s) > 1 && strings.HasPrefix(s, quote) && strings.HasSuffix(s, quote) {
			return strings.Trim(s[1:len(s)-1], " \t\r\n")
		}
	}
	return s
}

// candidate is one way to read a URL behind its scheme.
type candidate struct {
	user, password     string // as written
	named, secret      bool   // there is a user, there is a password
	hosts, name, query string
}

// split finds the user's part. It ends at one of the @: at the one behind which only hosts, a name and parameters
// come. Where there are several such, the one by the rules of URLs counts if that leaves no doubt.
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
		return candidate{}, errTwoWays // are they to be decoded?
	}
	return first, nil
}

// cut reads a URL whose user's part ends at that @; -1: it has none.
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

// decoded is a part as it was meant. Where no percent sign in it begins an escape, all are meant as they stand; where
// some do, nobody knows.
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

// readPairs reads libpq's other form: name=value, quoted or not.
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

// parts is an address on its way.
type parts struct {
	foreign bool
	given   []pair
	// What it comes to: params by pgx's names, without those that have a field.
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

// address puts an address together again.
func (p *parts) address() (Address, error) {
	a := Address{Hosts: p.hosts, Database: p.name, Ignored: strings.Join(slices.Compact(slices.Sorted(slices.Values(p.ignored))), ", ")}
	if host := p.params["host"]; host != "" {
		a.Hosts = host
	}
	if err := checkPorts(p.hosts, p.params["port"]); err != nil {
		return Address{}, err
	}
	a.connections, _ = strconv.Atoi(p.params["pool_max_conns"]) // which was checked
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

// NewAddress is the address of a database given in parts, whatever characters they have. The host may be several, by
// comma, or the folder of a Unix socket.
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

// withoutAddress is what pgx found wrong with an address, without the address, which it quotes.
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
