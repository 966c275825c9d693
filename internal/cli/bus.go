package cli

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"sneakerdrop/internal/bus"
)

// busFlags configure how several servers of one shop notify each other. Without a URL they do not.
type busFlags struct {
	NATS        natsURLs `name:"nats" placeholder:"URL" help:"Tell the other servers of this shop over NATS what is sold here, and show their sales here at once: nats://HOST:4222, or tls:// (default none: within a second). Repeat it for more servers of one cluster; in the variable, separate them by commas. Put a URL with a password in the variable."`
	NATSCreds   string   `name:"nats-creds" placeholder:"FILE" help:"The user at NATS: a file with its JWT and seed."`
	NATSCA      string   `name:"nats-ca" placeholder:"FILE" help:"The authority that signed the certificate of NATS, PEM (by default those of this machine)."`
	NATSCert    string   `name:"nats-cert" placeholder:"FILE" help:"The certificate to show to NATS, PEM."`
	NATSKey     string   `name:"nats-key" placeholder:"FILE" help:"That certificate's private key, PEM."`
	NATSSubject subject  `name:"nats-subject" default:"sneakerdrop" placeholder:"WORD" help:"The prefix of the subjects at NATS; the rest identifies the database."`
}

// natsURLs are the servers of one NATS cluster.
type natsURLs []string

func parseNATSURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
		return "", errors.New("must be a NATS URL, such as nats://localhost:4222 or tls://nats.example:4222")
	}
	return s, nil
}

// subject is the prefix of the subjects.
type subject string

var subjects = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$`)

func parseSubject(s string) (subject, error) {
	if !subjects.MatchString(s) {
		return "", fmt.Errorf("must be words of letters, digits, _ and -, separated by dots, such as sneakerdrop, not %q", s)
	}
	return subject(s), nil
}

// check refuses settings that contradict each other or have no effect.
func (c *busFlags) check(d database) error {
	for _, f := range []struct{ flag, file string }{
		{"nats-ca", c.NATSCA}, {"nats-cert", c.NATSCert}, {"nats-creds", c.NATSCreds}, {"nats-key", c.NATSKey},
	} {
		if f.file != "" && len(c.NATS) == 0 {
			return &faultError{flag: f.flag, rule: "has no effect without --nats"}
		}
	}
	switch {
	case len(c.NATS) > 0 && d.url == "":
		return &faultError{flag: "nats", rule: "is for several servers on one PostgreSQL database; an SQLite file has only one server"}
	case c.NATSCert != "" && c.NATSKey == "":
		return &faultError{flag: "nats-key", rule: "is missing, but --nats-cert is set; set both or neither"}
	case c.NATSKey != "" && c.NATSCert == "":
		return &faultError{flag: "nats-cert", rule: "is missing, but --nats-key is set; set both or neither"}
	}
	return nil
}

// bus returns the configuration of the bus, or nil if there is none.
func (c *busFlags) bus() *bus.Config {
	if len(c.NATS) == 0 {
		return nil
	}
	return &bus.Config{
		Servers: c.NATS, Subject: string(c.NATSSubject), Credentials: c.NATSCreds, CA: c.NATSCA, Cert: c.NATSCert, Key: c.NATSKey,
	}
}
