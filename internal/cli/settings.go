package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"sneakerdrop/internal/store/postgres"
)

const (
	prefix     = "SNEAKERDROP_"
	dotenvFile = ".env"
	inDotenv   = " in .env" // follows the name of a variable that comes from there
)

// layer is one source of variables. An empty value counts as none, as in the original and in compose files.
type layer struct {
	where  string // completes "<variable> …"; empty for the environment
	values map[string]string
	pairs  []pair // everything in a file, in order
}

func (l layer) get(name string) (string, bool) {
	v := l.values[name]
	return v, v != ""
}

// settings resolves flags that the command line does not set. It implements kong.Resolver.
type settings struct {
	layers []layer           // the first has precedence
	source map[string]string // flag → the variable that its value came from
	// platform says that the address to listen on comes from PORT and HOST; hostSource names the HOST variable.
	platform   bool
	hostSource string
	notes      []string // oddities in the settings that do not stop the start
}

func readSettings(environ []string) (*settings, error) {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	s := &settings{layers: []layer{{values: env}}, source: make(map[string]string)}
	file, err := readDotenv(dotenvFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read settings: %w", err)
	}
	for _, fault := range file.faults {
		s.notes = append(s.notes, ".env, "+fault)
	}
	s.layers = append(s.layers, layer{where: inDotenv, values: file.values(), pairs: file.pairs})
	return s, nil
}

// Validate implements kong.Resolver.
func (s *settings) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if !configurable(flag) {
		return nil, nil
	}
	for i, l := range s.layers {
		if v, ok := l.get(variable(flag.Name)); ok {
			s.source[flag.Name] = variable(flag.Name) + l.where
			return s.checked(flag, v)
		}
		v, err := s.original(flag.Name, i)
		if v != "" || err != nil {
			return v, err
		}
	}
	return nil, nil
}

// checked refuses what kong would refuse without naming the variable.
func (s *settings) checked(flag *kong.Flag, v string) (any, error) {
	if flag.IsBool() {
		b, err := strconv.ParseBool(v)
		if err != nil {
			return nil, &faultError{flag: flag.Name, rule: fmt.Sprintf("must be true or false, not %q", v)}
		}
		return b, nil
	}
	return v, nil
}

// originals are the variables of the Node.js backend that this server replaces, and of the platforms it ran on, each
// with its flag.
var originals = map[string]string{
	"PORT": "addr", "HOST": "addr",
	"DATABASE_URL": "database", "DB_HOST": "database", "DB_PORT": "database", "DB_NAME": "database", "DB_USER": "database", "DB_PASSWORD": "database",
}

// original takes a setting from the variables of the Node.js backend.
func (s *settings) original(flag string, i int) (string, error) {
	l := s.layers[i]
	switch flag {
	case "addr":
		return s.originalAddress(i)
	case "database":
		if u, ok := l.get("DATABASE_URL"); ok {
			s.source[flag] = "DATABASE_URL" + l.where
			return u, nil
		}
		return s.originalParts(i)
	default:
		return "", nil
	}
}

// originalAddress combines PORT and HOST. If this layer has only one of them, the other may be in a later layer.
// Without HOST it means every address of this machine; serveCommand.keepLocal decides whether that is allowed.
func (s *settings) originalAddress(i int) (string, error) {
	_, hasPort := s.layers[i].get("PORT")
	if _, hasHost := s.layers[i].host(); !hasPort && !hasHost {
		return "", nil
	}
	host, port, source := "", defaultPort, ""
	for _, l := range s.layers[i:] {
		if v, ok := l.host(); ok && s.hostSource == "" {
			host, s.hostSource = v, "HOST"+l.where
		}
		if v, ok := l.get("PORT"); ok && source == "" {
			port, source = strings.TrimSpace(v), "PORT"+l.where
		}
	}
	s.platform, s.source["addr"] = true, cmp.Or(source, s.hostSource)
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", &faultError{flag: "addr", rule: fmt.Sprintf("must be a port from 0 to 65535, not %q", port)}
	}
	return net.JoinHostPort(host, port), nil
}

const defaultPort = "3000"

// host returns HOST of a layer. Without a PORT beside it, HOST must be an address: some shells set it to the
// machine's name.
func (l layer) host() (host string, ok bool) {
	host, ok = l.get("HOST")
	host = strings.Trim(strings.TrimSpace(host), "[]")
	_, hasPort := l.get("PORT")
	_, err := netip.ParseAddr(host)
	return host, ok && host != "" && (hasPort || err == nil || strings.EqualFold(host, "localhost"))
}

// parts are the original's variables for the parts of a database's address.
var parts = []string{"DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"}

// originalParts combines DB_HOST and the like. Any of them in this layer means PostgreSQL; the others may be in a
// later layer.
func (s *settings) originalParts(i int) (string, error) {
	values := []string{"localhost", "5432", "sneaker_drop", "postgres", ""}
	given := ""
	for k, name := range parts {
		if v, ok := s.layers[i].get(name); ok && given == "" {
			given = name + s.layers[i].where
			values[k] = v
		}
		for _, l := range s.layers[i:] {
			if v, ok := l.get(name); ok {
				values[k] = v
				break
			}
		}
		if name != "DB_PASSWORD" {
			values[k] = strings.TrimSpace(values[k])
		}
	}
	if given == "" {
		return "", nil
	}
	s.source["database"] = given
	host, port, name, user, password := values[0], values[1], values[2], values[3], values[4]
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		s.source["database"] = "DB_PORT"
		return "", &faultError{flag: "database", rule: fmt.Sprintf("must be a port from 0 to 65535, not %q", port)}
	}
	a, err := postgres.NewAddress(user, password, host, port, name)
	if err != nil {
		return "", &faultError{flag: "database", rule: err.Error()}
	}
	return a.URL, nil
}

// name returns where a setting's value came from.
func (s *settings) name(flag string) string {
	if s != nil && s.source[flag] != "" {
		return s.source[flag]
	}
	return "--" + flag
}

func configurable(f *kong.Flag) bool { return f.Name != "help" && f.Name != "version" }

func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// describe returns a flag's line of help with its variable.
func describe(v *kong.Value) string {
	if v.Flag == nil || !configurable(v.Flag) {
		return v.OrigHelp
	}
	return fmt.Sprintf("%s [%s]", v.OrigHelp, variable(v.Name))
}
