package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/joho/godotenv"
)

const (
	prefix     = "SNEAKERDROP_"
	dotenvFile = ".env"
)

// layer is one source of variables. An empty value is no value, as in the original and in compose files.
type layer struct {
	where  string // completes "<variable> …": empty for the environment
	values map[string]string
}

func (l layer) get(name string) (string, bool) {
	v := l.values[name]
	return v, v != ""
}

// settings resolves flags that the command line does not give. It implements kong.Resolver.
type settings struct {
	layers []layer           // the first has precedence
	source map[string]string // flag → the variable that it was taken from
}

func readSettings(environ []string) (*settings, error) {
	env := make(map[string]string, len(environ))
	for _, kv := range environ {
		if name, value, ok := strings.Cut(kv, "="); ok {
			env[name] = value
		}
	}
	s := &settings{layers: []layer{{values: env}}, source: make(map[string]string)}
	file, err := godotenv.Read(dotenvFile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		if _, ok := errors.AsType[*fs.PathError](err); ok {
			return s, fmt.Errorf("read settings: %w", err)
		}
		// The cause quotes the file, and so maybe a password.
		return s, errors.New("the file .env must have lines of the form NAME=value, and one of its lines has not")
	}
	s.layers = append(s.layers, layer{where: " in .env", values: file})
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
			return nil, &faultError{flag: flag.Name, rule: fmt.Sprintf("must be true or false, and is %q", v)}
		}
		return b, nil
	}
	return v, nil
}

// original takes a setting from the variables of the Node.js backend that this server replaces.
func (s *settings) original(flag string, i int) (string, error) {
	l := s.layers[i]
	switch flag {
	case "addr":
		port, ok := l.get("PORT")
		if !ok {
			return "", nil
		}
		s.source[flag] = "PORT" + l.where
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return "", &faultError{flag: flag, rule: fmt.Sprintf("must be a port from 0 to 65535, and is %q", port)}
		}
		return "localhost:" + port, nil
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

// originalParts joins DB_HOST and its like. One of them in this layer means PostgreSQL; the others may be in a later one.
func (s *settings) originalParts(i int) (string, error) {
	names := []string{"DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"}
	values := []string{"localhost", "5432", "sneaker_drop", "postgres", ""}
	given := ""
	for k, name := range names {
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
	}
	if given == "" {
		return "", nil
	}
	s.source["database"] = given
	host, port, name, user, password := values[0], values[1], values[2], values[3], values[4]
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		s.source["database"] = "DB_PORT"
		return "", &faultError{flag: "database", rule: fmt.Sprintf("must be a port from 0 to 65535, and is %q", port)}
	}
	u := url.URL{Scheme: "postgres", User: url.User(user), Host: net.JoinHostPort(host, port), Path: "/" + name}
	if password != "" {
		u.User = url.UserPassword(user, password)
	}
	if strings.HasPrefix(host, "/") || strings.Contains(host, ",") { // the folder of a Unix socket; several hosts, all with that port
		u.Host, u.RawQuery = "", url.Values{"host": {host}, "port": {port}}.Encode()
	}
	return u.String(), nil
}

// name says where a setting was taken from.
func (s *settings) name(flag string) string {
	if s != nil && s.source[flag] != "" {
		return s.source[flag]
	}
	return "--" + flag
}

// notOurs are variables with our prefix that are no settings: what our tests read, and what Kubernetes puts into every
// container near a Service that is called sneakerdrop.
var notOurs = regexp.MustCompile(`^SNEAKERDROP_(TEST_.*|SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_\d+_(TCP|UDP|SCTP).*)$`)

// checkNames refuses a misspelt variable: a DATABASE that is not taken would put the drops into another database.
func (s *settings) checkNames(app *kong.Application) error {
	known := make(map[string]bool)
	for _, command := range app.Leaves(false) {
		for _, f := range command.Flags {
			known[variable(f.Name)] = configurable(f)
		}
	}
	for _, l := range s.layers {
		for _, name := range slices.Sorted(maps.Keys(l.values)) {
			_, set := l.get(name)
			if set && strings.HasPrefix(name, prefix) && !known[name] && !notOurs.MatchString(name) {
				return fmt.Errorf("%s%s is no setting; correct its name or unset it (sneakerdrop serve --help lists all)", name, l.where)
			}
		}
	}
	return nil
}

func configurable(f *kong.Flag) bool { return f.Name != "help" && f.Name != "version" }

func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// describe is a flag's line of help with the variable that stands for it.
func describe(v *kong.Value) string {
	if v.Flag == nil || !configurable(v.Flag) {
		return v.OrigHelp
	}
	return fmt.Sprintf("%s [%s]", v.OrigHelp, variable(v.Name))
}
