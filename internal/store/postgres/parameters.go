package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// parameter handles one parameter of an address. Its error completes "<setting> has the parameter <name>, …".
type parameter func(p *parts, name, value string) error

// plain returns a parameter's name without differences of spelling: connect_timeout and connectTimeout are the same.
func plain(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(name))
}

// serverSetting matches the names of the server's settings.
var serverSetting = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$`)

// translate turns parameters of libpq, pgx and other frameworks into those that pgx knows. The rest are settings of
// the server, which checks them itself.
func (p *parts) translate() error {
	if p.failed != nil {
		return p.failed
	}
	known := parameters()
	secret := false
	for _, g := range p.given {
		secret = secret || plain(g.name) == "password" || plain(g.name) == "sslpassword"
	}
	for _, g := range p.given {
		take, ok := known[plain(g.name)]
		switch {
		case ok:
			if err := take(p, g.name, g.value); err != nil {
				return fmt.Errorf("has the parameter %s, %w", g.name, err)
			}
		case secret: // its name may be what follows an & or a blank in the password
			return errors.New("has an unknown parameter, and a password among the parameters; write & in the password percent-encoded " +
				"(%26) or, in pairs name=value, put the password in single quotes")
		case !serverSetting.MatchString(g.name):
			return fmt.Errorf("has the parameter %s, which has no meaning here; leave it out", g.name)
		default:
			p.params[g.name] = g.value
		}
	}
	return p.combine()
}

// combine applies parameters whose meaning depends on others.
func (p *parts) combine() error {
	ssl, mode := p.params["ssl"], p.params["sslmode"]
	delete(p.params, "ssl")
	if ssl != "" && mode != "" && (ssl == "disable") != (mode == "disable") {
		return errors.New("has the parameters ssl and sslmode, which contradict each other; leave ssl out")
	}
	if ssl != "" && mode == "" {
		p.params["sslmode"] = ssl
	}
	if p.params["sslmode"] == noVerify {
		p.params["sslmode"] = "require"
		delete(p.params, "sslrootcert") // which would be used for verification
	}
	if p.params["sslcert"] != "" && p.params["sslkey"] == "" && p.params["sslcertmode"] != "disable" {
		return errors.New("has the parameter sslcert but no sslkey; they are this program's own certificate and key. The authority that signs the " +
			"server's certificate is sslrootcert")
	}
	if name := p.params["fallback_application_name"]; name != "" {
		delete(p.params, "fallback_application_name")
		if p.params["application_name"] == "" {
			p.params["application_name"] = name
		}
	}
	if address := p.params["hostaddr"]; address != "" {
		if strings.HasPrefix(p.params["sslmode"], "verify") || p.params["sslrootcert"] == "system" {
			return errors.New("has the parameter hostaddr, with which the server's name cannot be verified; leave it out and let the host's name be resolved")
		}
		delete(p.params, "hostaddr")
		p.params["host"] = address
		if i := strings.LastIndexByte(p.hosts, ':'); i > strings.LastIndexByte(p.hosts, ']') && p.params["port"] == "" && !strings.Contains(p.hosts, ",") {
			p.params["port"] = p.hosts[i+1:]
		}
		p.hosts = ""
	}
	return nil
}

// noVerify is node-postgres's sslmode that encrypts but trusts any server.
const noVerify = "no-verify"

var errMode = errors.New("which must be disable, allow, prefer, require, verify-ca, verify-full or no-verify")

// mode reads an sslmode in any spelling.
func mode(value string) (string, error) {
	switch strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(value)) {
	case "disable", "disabled":
		return "disable", nil
	case "allow":
		return "allow", nil
	case "prefer", "preferred":
		return "prefer", nil
	case "require", "required":
		return "require", nil
	case "verifyca":
		return "verify-ca", nil
	case "verifyfull", "verifyidentity":
		return "verify-full", nil
	case "noverify":
		return noVerify, nil
	}
	return "", errMode
}

// truth reads a yes or no in any spelling.
func truth(value string) (yes, ok bool) {
	switch strings.ToLower(value) {
	case "1", "true", "on", "yes", "t", "y", "enable", "enabled":
		return true, true
	case "0", "false", "off", "no", "f", "n", "disable", "disabled", "":
		return false, true
	}
	return false, false
}

// as passes a parameter on under pgx's name.
func as(to string) parameter {
	return func(p *parts, _, value string) error {
		p.params[to] = value
		return nil
	}
}

// ignored accepts parameters that do not concern this program, or that ask for what it does anyway.
func ignored(p *parts, name, _ string) error {
	p.ignored = append(p.ignored, name)
	return nil
}

// only ignores a parameter that has one of these values, and refuses any other value.
func only(remedy string, values ...string) parameter {
	return func(p *parts, name, value string) error {
		if among(values, value) {
			return ignored(p, name, value)
		}
		return errors.New(remedy)
	}
}

func among(values []string, value string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, value) })
}

func refusedParameter(remedy string) parameter { return only(remedy) }

// unless turns prepared statements off if the value is one of these.
func unless(values ...string) parameter {
	return func(p *parts, name, value string) error {
		if !among(values, value) {
			return ignored(p, name, value)
		}
		p.params["default_query_exec_mode"] = cmp.Or(p.params["default_query_exec_mode"], "exec")
		return nil
	}
}

// connections limits the size of the pool.
func connections(p *parts, _, value string) error {
	if n, err := strconv.Atoi(value); err != nil || n < 1 {
		return errors.New("which must be a number of connections, at least 1")
	}
	p.params["pool_max_conns"] = value
	return nil
}

// timeout reads a connect_timeout given in units of 1/per seconds.
func timeout(per int) parameter {
	return func(p *parts, _, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return errors.New("which must be a whole number")
		}
		p.params["connect_timeout"] = strconv.Itoa((n + per - 1) / per)
		return nil
	}
}

func sslMode(p *parts, _, value string) (err error) {
	p.params["sslmode"], err = mode(value)
	return err
}

// ssl is true or false, as in libpq and others, or what others use in place of sslmode.
func ssl(p *parts, _, value string) (err error) {
	yes, ok := truth(value)
	switch {
	case ok && yes:
		p.params["ssl"] = "require"
	case ok:
		p.params["ssl"] = "disable"
	default:
		p.params["ssl"], err = mode(value)
	}
	if err != nil {
		return errors.New("which must be true or false; use sslmode and sslrootcert for more")
	}
	return nil
}

// flag refuses a parameter that is switched on.
func flag(remedy string) parameter {
	return func(p *parts, name, value string) error {
		if yes, ok := truth(value); ok && !yes {
			return ignored(p, name, value)
		}
		return errors.New(remedy)
	}
}

func target(p *parts, _, value string) error {
	switch strings.ToLower(value) {
	case "any", "preferprimary":
		p.params["target_session_attrs"] = "any"
	case "primary", "master":
		p.params["target_session_attrs"] = "primary"
	case "secondary", "slave":
		p.params["target_session_attrs"] = "standby"
	case "prefersecondary", "preferslave":
		p.params["target_session_attrs"] = "prefer-standby"
	default:
		return errors.New("which must be any, primary, secondary or preferSecondary")
	}
	return nil
}

// schema is where another program's tables are. This program's tables have a schema of their own.
func schema(p *parts, name, value string) error {
	if p.foreign {
		p.params["search_path"] = value
		return nil
	}
	for one := range strings.SplitSeq(value, ",") {
		switch strings.Trim(one, ` "'`) {
		case "public", "sneakerdrop", "$user", "pg_catalog", "":
		default:
			return errors.New("but this program's tables are always in the schema sneakerdrop; leave it out, and give another shop its own database")
		}
	}
	return ignored(p, name, value)
}

func accept(p *parts, _, value string) error {
	switch strings.ToLower(value) {
	case "strict":
		p.params["ssl"] = "verify-full"
	case "accept_invalid_certs":
		p.params["ssl"] = noVerify
	default:
		return errors.New("which must be strict or accept_invalid_certs; prefer sslmode")
	}
	return nil
}
