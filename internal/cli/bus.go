package cli

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"

	"sneakerdrop/internal/bus"
)

// busFlags say how several servers of one shop tell each other. Without a URL they do not.
type busFlags struct {
	NATS        natsURLs `name:"nats" placeholder:"URL" help:"Tell the other servers of this shop over NATS what is sold here, and their news to everybody who watches here: nats://HOST:4222, or tls:// (default none: news of others within a second). Repeat it for more servers of one cluster; in the variable, separate them by commas. A URL with a password belongs into the variable."`
	NATSCreds   string   `name:"nats-creds" placeholder:"FILE" help:"The user at NATS, as a file with its JWT and seed."`
	NATSCA      string   `name:"nats-ca" placeholder:"FILE" help:"The authority that has signed the certificate of NATS, PEM (default those of this machine)."`
	NATSCert    string   `name:"nats-cert" placeholder:"FILE" help:"The certificate to show to NATS, PEM."`
	NATSKey     string   `name:"nats-key" placeholder:"FILE" help:"That certificate's private key, PEM."`
	NATSSubject subject  `name:"nats-subject" default:"sneakerdrop" placeholder:"WORD" help:"What the subjects at NATS begin with; what follows tells one database from another."`
}

// natsURLs are servers of one NATS cluster.
type natsURLs []string

func parseNATSURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
		return "", errors.New("must be a URL of NATS, such as nats://localhost:4222 or tls://nats.example:4222")
	}
	return s, nil
}

// subject is what subjects begin with.
type subject string

var subjects = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_-]{1,64}){0,7}$`)

func parseSubject(s string) (subject, error) {
	if !subjects.MatchString(s) {
		return "", fmt.Errorf("must be words of letters, digits, _ and - with dots between, such as sneakerdrop, and is %q", s)
	}
	return subject(s), nil
}

// check refuses settings that contradict each other, or that count for nothing.
func (c *busFlags) check(d database) error {
	for _, f := range []struct{ flag, file string }{
		{"nats-ca", c.NATSCA}, {"nats-cert", c.NATSCert}, {"nats-creds", c.NATSCreds}, {"nats-key", c.NATSKey},
	} {
		if f.file != "" && len(c.NATS) == 0 {
			return &faultError{flag: f.flag, rule: "counts only beside --nats"}
		}
	}
	switch {
	case len(c.NATS) > 0 && d.url == "":
		return &faultError{flag: "nats", rule: "is for several servers on one PostgreSQL; an SQLite file has one server, which has nobody to tell"}
	case c.NATSCert != "" && c.NATSKey == "":
		return &faultError{flag: "nats-key", rule: "is missing beside --nats-cert; give both files or neither"}
	case c.NATSKey != "" && c.NATSCert == "":
		return &faultError{flag: "nats-cert", rule: "is missing beside --nats-key; give both files or neither"}
	}
	return nil
}

// bus is where other servers are told; nil: nowhere.
func (c *busFlags) bus() *bus.Config {
	if len(c.NATS) == 0 {
		return nil
	}
	return &bus.Config{
		Servers: c.NATS, Subject: string(c.NATSSubject), Credentials: c.NATSCreds, CA: c.NATSCA, Cert: c.NATSCert, Key: c.NATSKey,
	}
}
