package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// healthCommand asks a server how it is, for images that have no shell and no curl. It takes the settings of serve
// that say where the server is, by the same names, so that in the server's own surroundings it needs no arguments.
type healthCommand struct {
	Addr    address `default:"localhost:3000" placeholder:"HOST:PORT" help:"Where the server listens (default localhost:3000); without a host it is on this machine. Also PORT and HOST."`
	TLSCert string  `name:"tls-cert" placeholder:"FILE" help:"Given: the server speaks HTTPS. The file is not read and the certificate not verified."`
	Live    bool    `help:"Ask whether the process runs, at /livez, and not whether it can sell, at /readyz (default false)."`
}

// healthTimeout is longer than the server takes to find out that its database does not answer.
const healthTimeout = 4 * time.Second

func (c *healthCommand) run(ctx context.Context, con *console) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := c.ask(ctx, con, c.url())
	// A server that nobody has to sign in to stays on this machine, whatever HOST says.
	if con.settings.platform && errors.Is(err, syscall.ECONNREFUSED) && !c.Addr.Loopback() {
		c.Addr.Host = "localhost"
		err = c.ask(ctx, con, c.url())
	}
	return err
}

func (c *healthCommand) ask(ctx context.Context, con *console, to string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, http.NoBody)
	if err != nil {
		return err
	}
	// Its own transport: no proxy of the environment stands between a server and its own machine.
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the name is an address, and nothing secret is sent
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no answer from %s: %w", to, unaddressed(err))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 4<<10))
	if err = errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("half an answer from %s: %w", to, err)
	}
	var said struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // what is no JSON says nothing more than its status
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d: %s", to, res.StatusCode, cmp.Or(said.Error, http.StatusText(res.StatusCode)))
	}
	fmt.Fprintf(con.stdout, "%s: %s\n", to, said.Status)
	return nil
}

func (c *healthCommand) url() string {
	u := url.URL{Scheme: "http", Host: here(c.Addr).String(), Path: "/readyz"}
	if c.TLSCert != "" {
		u.Scheme = "https"
	}
	if c.Live {
		u.Path = "/livez"
	}
	return u.String()
}

// here is where a server that listens at a is reached from its own machine, by number: an image need not have names.
func here(a address) address {
	ip, err := netip.ParseAddr(a.Host)
	switch {
	case a.Host == "" || a.Local() || ip == netip.IPv4Unspecified():
		a.Host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		a.Host = "::1"
	}
	return a
}

// unaddressed leaves out the addresses, which the sentence has already.
func unaddressed(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("none within %s", healthTimeout)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	return err
}
