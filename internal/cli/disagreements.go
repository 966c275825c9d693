package cli

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/jackc/pgx/v5/pgconn"
)

// disagreements names, for each setting of the command, the sources whose value differs from the one in force. It
// quotes no value, which may contain a password.
func (s *settings) disagreements(parsed *kong.Context) (notes []string) {
	for _, f := range parsed.Flags() {
		if !configurable(f) {
			continue
		}
		counts := s.name(f.Name)
		if onCommandLine(parsed, f) {
			counts = "--" + f.Name
		}
		var others []string
		for _, l := range s.layers {
			for _, name := range s.differing(l, f) {
				if name += l.where; name != counts {
					others = append(others, name)
				}
			}
		}
		switch n := len(others); {
		case n == 1:
			notes = append(notes, fmt.Sprintf("%s and %s differ; %s is used and the other is ignored", counts, others[0], counts))
		case n > 1:
			notes = append(notes, fmt.Sprintf("%s differs from %s and %s; %s is used and the others are ignored",
				counts, strings.Join(others[:n-1], ", "), others[n-1], counts))
		}
	}
	return notes
}

func onCommandLine(parsed *kong.Context, f *kong.Flag) bool {
	return slices.ContainsFunc(parsed.Path, func(p *kong.Path) bool { return p.Flag == f && !p.Resolved })
}

// differing returns the variables of a layer that stand for a flag but have another value.
func (s *settings) differing(l layer, f *kong.Flag) (names []string) {
	is := f.Target.Interface()
	if text, ok := l.get(variable(f.Name)); ok && !reflectsAs(f, text, is) {
		names = append(names, variable(f.Name))
	}
	switch is := is.(type) {
	case address:
		if f.Name == "addr" {
			names = append(names, is.differing(l)...)
		}
	case database:
		if f.Name != "database" {
			break
		}
		if text, ok := l.get("DATABASE_URL"); ok && !reflectsAs(f, text, is) {
			names = append(names, "DATABASE_URL")
		}
		names = append(names, is.differing(l)...)
	}
	return names
}

// reflectsAs reports whether a text means that value of a flag.
func reflectsAs(f *kong.Flag, text string, is any) bool {
	means := reflect.New(f.Target.Type()).Elem()
	var err error
	if f.IsBool() {
		var b bool
		b, err = strconv.ParseBool(text)
		means.SetBool(b)
	} else {
		err = f.Mapper.Decode(&kong.DecodeContext{Value: f.Value, Scan: kong.Scan(text)}, means)
	}
	if err != nil {
		return false
	}
	switch is := is.(type) {
	case address:
		other := means.Interface().(address)
		return is.Port == other.Port && reaches(is.Host) == reaches(other.Host)
	case database:
		return is.same(means.Interface().(database))
	default:
		return reflect.DeepEqual(is, means.Interface())
	}
}

// reaches maps the names of a set of addresses to one word.
func reaches(host string) string {
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		return "every address"
	case strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback():
		return "this machine"
	default:
		return strings.ToLower(host)
	}
}

// differing returns those of PORT and HOST that have another value.
func (a address) differing(l layer) (names []string) {
	if port, ok := l.get("PORT"); ok && strings.TrimSpace(port) != strconv.Itoa(int(a.Port)) {
		names = append(names, "PORT")
	}
	if host, ok := l.host(); ok && reaches(host) != reaches(a.Host) {
		names = append(names, "HOST")
	}
	return names
}

// differing returns those of DB_HOST and the like that have another value.
func (d database) differing(l layer) (names []string) {
	var is []string
	if cfg, err := pgconn.ParseConfig(d.url); d.url != "" && err == nil {
		is = []string{hosts(cfg), strconv.Itoa(int(cfg.Port)), cfg.Database, cfg.User, cfg.Password}
	}
	for i, name := range parts {
		if v, ok := l.get(name); ok && (is == nil || v != is[i]) {
			names = append(names, name)
		}
	}
	return names
}

func hosts(cfg *pgconn.Config) string {
	all := []string{cfg.Host}
	for _, f := range cfg.Fallbacks {
		all = append(all, f.Host)
	}
	return strings.Join(slices.Compact(all), ",")
}

// same reports whether two texts lead to the same database in the same way.
func (d database) same(other database) bool {
	if d == other || d.url == "" || other.url == "" {
		return d == other
	}
	a, err := pgconn.ParseConfig(d.url)
	b, otherErr := pgconn.ParseConfig(other.url)
	return err == nil && otherErr == nil && hosts(a) == hosts(b) && a.Port == b.Port && len(a.Fallbacks) == len(b.Fallbacks) &&
		a.Database == b.Database && a.User == b.User && a.Password == b.Password &&
		(a.TLSConfig == nil) == (b.TLSConfig == nil) && reflect.DeepEqual(a.RuntimeParams, b.RuntimeParams)
}
