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

// healthCommand asks a server how it is, in images without a shell and curl. It has those settings of serve that say
// where the server is, with the same names. So it needs no arguments in the server's own environment.
type healthCommand struct {
	Addr    address `default:"localhost:3000" placeholder:"HOST:PORT" help:"Where the server listens (default localhost:3000); without a host, on this machine. Also PORT and HOST."`
	TLSCert string  `name:"tls-cert" placeholder:"FILE" help:"If set, the server speaks HTTPS. The file is not read, and the certificate is not verified."`
	Live    bool    `help:"Ask at /livez whether the process runs, instead of at /readyz whether it can sell (default false)."`
}

// healthTimeout is longer than the server needs to notice that its database does not answer.
const healthTimeout = 4 * time.Second

func (c *healthCommand) run(ctx context.Context, con *console) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	err := c.ask(ctx, con, c.url())
	// A server without sign-in listens on this machine only, whatever HOST says.
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
	// It has its own transport, because no proxy may come between a server and its own machine.
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
		return fmt.Errorf("incomplete answer from %s: %w", to, err)
	}
	var said struct {
		Status string `json:"status"`
		Error  string `json:"error"`
	}
	_ = json.Unmarshal(body, &said) // for a body that is not JSON, the status is all there is
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

// here returns where a server that listens at a can be reached from its own machine, as a number: an image may have
// no name resolution.
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

// unaddressed removes the addresses, which the sentence already contains.
func unaddressed(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("none within %s", healthTimeout)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err
	}
	return err
}
