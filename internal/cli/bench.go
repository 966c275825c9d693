package cli

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"sneakerdrop/internal/api"
	"sneakerdrop/internal/audit"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/load"
)

type benchCommand struct {
	common
	URL         []string      `name:"url" placeholder:"URL" help:"A running server, http or https (by default it starts its own on --database, and stops it afterwards). Repeat it for more servers of one shop, which share the connections evenly."`
	Scenario    load.Scenario `default:"reserve" help:"What buyers do: reserve (all get a unit), spike (far more buyers than units), sold-out, list, purchase (reserve and purchase), paid or mixed (70% purchase, 30% never return). paid: reserve and pay at a provider that answers at once, only for its own server."`
	Drops       bound         `default:"1" help:"How many drops sell at once."`
	Connections bound         `default:"64" help:"Connections; in the closed loop each one always has a request under way."`
	Rate        float64       `placeholder:"N" help:"Send N requests per second, whatever the server does, and measure latency from when each was due: the open loop (by default the closed loop)."`
	Duration    wait          `default:"10s" help:"How long, from 1s to 1h."`
	Keys        bool          `help:"Send an Idempotency-Key with each reserve and purchase (default false)."`
	SignIn      bool          `help:"Let buyers sign in, with limits that none of them reaches; only for its own server (default false)."`
	Webhooks    bool          `help:"Compare turns of 2s with and without three endpoints that get all events, of which one is slow and one dead; needs 10s, only for its own server (default false)."`
	Token       string        `placeholder:"TOKEN" help:"An operator's token, if the running server requires one."`
	JWTSecret   string        `name:"jwt-secret-file" placeholder:"FILE" help:"Sign buyers' tokens with this secret, which the running server must also use."`
	JWTAudience string        `name:"jwt-audience" placeholder:"NAME" help:"The aud of these tokens."`
	Control     bool          `help:"Measure a handler that does nothing instead of the server: the most that the machine can do (scenario reserve)."`
	Serve       []string      `sep:"none" placeholder:"FLAG" help:"A flag for the server that it starts, such as --serve=--max-batch=1. Repeat it for more."`
	JSON        bool          `name:"json" help:"Print the result as one JSON object (default false)."`
}

// leastTurns is how long turns without, with and without webhooks take together, and deleting the endpoints in between.
const leastTurns = 10 * time.Second

func parseScenario(s string) (load.Scenario, error) {
	if !slices.Contains(load.Scenarios(), load.Scenario(s)) {
		return "", fmt.Errorf("must be one of %v, not %q", load.Scenarios(), s)
	}
	return load.Scenario(s), nil
}

// faultyError ends a run with answers that do not match the server's records.
type faultyError struct{ first string }

func (e *faultyError) Error() string {
	return "the server's answers do not match its records; first: " + e.first
}

func (c *benchCommand) run(ctx context.Context, con *console) error {
	if err := c.check(); err != nil {
		return err
	}
	b := load.Config{
		Scenario: c.Scenario, Drops: int(c.Drops), Connections: int(c.Connections), Rate: c.Rate,
		Duration: time.Duration(c.Duration), Token: c.Token, Keys: c.Keys, Webhooks: c.Webhooks, Progress: con.progress(),
	}
	if len(c.URL) > 0 {
		b.URL, b.Others = c.URL[0], c.URL[1:]
	}
	var err error
	if b.Buyer, err = signer(c.JWTSecret, c.JWTAudience); err != nil {
		return err
	}
	result, err := c.measure(ctx, con, b)
	if err != nil {
		return err
	}
	if err := con.print(result, c.JSON); err != nil {
		return err
	}
	if result.Audit != nil && len(result.Audit.Faults) > 0 {
		return &faultyError{result.Audit.Faults[0]}
	}
	return nil
}

func (c *benchCommand) check() error {
	switch {
	case c.Rate < 0 || c.Rate > 10_000_000:
		return &faultError{flag: "rate", rule: fmt.Sprintf("must be from 0 to 10000000 per second, not %g", c.Rate)}
	case len(c.URL) > 0 && (c.SignIn || c.Control || c.Webhooks || len(c.Serve) > 0):
		return &faultError{flag: "url", rule: "names a running server; --sign-in, --control, --webhooks and --serve are only for a server that the bench starts"}
	case len(c.URL) == 0 && (c.Token != "" || c.JWTSecret != ""):
		return &faultError{flag: "url", rule: "is missing; --token and --jwt-secret-file are for a running server, --sign-in is for one that the bench starts"}
	case len(c.URL) > 0 && c.Scenario == load.Paid:
		return &faultError{flag: "scenario", rule: "paid needs a provider that answers at once, which only a server that the bench starts has; leave --url out"}
	case c.Webhooks && c.Duration < wait(leastTurns):
		return &faultError{flag: "duration", rule: fmt.Sprintf("must be at least %s with --webhooks, so that turns can be compared", leastTurns)}
	case c.Control && (c.Scenario != load.Reserve || c.SignIn || c.Keys || c.Webhooks):
		return &faultError{flag: "control", rule: "only answers the scenario reserve, without --sign-in, --keys and --webhooks"}
	}
	return nil
}

// progress shows the progress on a terminal. Without a terminal it shows nothing.
func (con *console) progress() func(load.Progress) {
	if !con.terminal() {
		return nil
	}
	return func(p load.Progress) {
		fmt.Fprintf(con.stderr, "%3.0f s  %8.0f accepted/s  %10d accepted  %10d refused  %6d errors\n",
			p.Elapsed.Seconds(), p.PerSecond, p.Accepted, p.Refused, p.Errors)
	}
}

// terminal reports whether stderr is a terminal.
func (con *console) terminal() bool {
	f, ok := con.stderr.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// measure runs the load, on its own server if there is no other, and checks the records.
func (c *benchCommand) measure(ctx context.Context, con *console, b load.Config) (*load.Result, error) {
	if len(c.URL) > 0 {
		return measureRunning(ctx, b)
	}
	scratch, err := os.MkdirTemp("", "sneakerdrop-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }() // a temporary folder
	if c.Database.file != "" {                   // never the shop's own database
		c.Database.file = filepath.Join(scratch, "bench.db")
	}
	own, err := c.start(ctx, scratch, &b)
	if err != nil {
		return nil, err
	}
	var meter *load.Meter
	b.Began = func() { meter = load.NewMeter(own.Process.Pid, local(c.Database)) }
	result, err := load.Run(ctx, b)
	if err == nil {
		result.CPU = meter.CPU(requests(result))
		if !c.Control {
			err = result.Clean(context.WithoutCancel(ctx), b)
		}
	}
	if err = errors.Join(err, own.stop()); err != nil || c.Control {
		return result, err
	}
	ctx = context.WithoutCancel(ctx) // a run that was interrupted is checked too
	s, err := con.openBooks(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return nil, err
	}
	err = result.CheckBooks(ctx, s)
	if err == nil {
		var report audit.Report
		report, err = audit.Run(ctx, s, nil)
		for i := range report.Drops {
			result.Audit.Faults = append(result.Audit.Faults, report.Drops[i].Sentences...)
		}
	}
	return result, errors.Join(err, s.Close())
}

func measureRunning(ctx context.Context, b load.Config) (*load.Result, error) {
	var meter *load.Meter
	b.Began = func() { meter = load.NewMeter(0, false) }
	result, err := load.Run(ctx, b)
	if err != nil {
		return nil, err
	}
	result.CPU = meter.CPU(requests(result))
	ctx = context.WithoutCancel(ctx)
	return result, errors.Join(result.Check(ctx, b), result.Clean(ctx, b))
}

// requests returns the number of requests that share the processor time.
func requests(r *load.Result) int64 {
	if r.Accepted > 0 {
		return r.Accepted
	}
	return r.Refused
}

// local reports whether PostgreSQL runs on this machine.
func local(d database) bool {
	u, err := url.Parse(d.url)
	if d.url == "" || err != nil {
		return false
	}
	return api.Loopback(u.Hostname())
}

// child is a server that the bench has started.
type child struct {
	*exec.Cmd

	stderr bytes.Buffer
}

// start starts the server, or the control, as a separate process, so that its processor time can be told from the
// load's.
func (c *benchCommand) start(ctx context.Context, scratch string, b *load.Config) (*child, error) {
	database := "sqlite:" + c.Database.file
	if c.Database.url != "" {
		database = c.Database.url
	}
	args := []string{"bench-control"}
	if !c.Control {
		args = []string{"serve", "--addr=127.0.0.1:0", "--hold=24h", "--log-level=warn", "--max-connections=20000", "--max-connections-per-address=20000"}
	}
	if c.Webhooks {
		args = append(args, "--webhook-allow-private")
	}
	if c.Scenario == load.Paid {
		args = append(args, "--payments=demo", "--demo-at-once")
	}
	if c.SignIn {
		secret := []byte(rand.Text() + rand.Text())
		file := filepath.Join(scratch, "secret")
		if err := os.WriteFile(file, secret, 0o600); err != nil {
			return nil, err
		}
		const most = "read=1000000/1000000,buy=1000000/1000000,operate=1000000/1000000"
		args = append(args, "--jwt-secret-file="+file, "--jwt-audience=bench", "--jwt-number-claim="+identity.NumberClaim,
			"--address-limits="+most, "--buyer-limits="+most)
		b.Buyer = identity.Signer(secret, "bench")
		token, err := c.ownToken(ctx, database)
		if err != nil {
			return nil, err
		}
		b.Token = token
	}
	own := &child{}
	var err error
	if own.Cmd, err = self(append(args, c.Serve...), database); err != nil {
		return nil, err
	}
	own.Stderr = &own.stderr
	out, err := own.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := own.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if b.URL = strings.TrimSpace(strings.TrimPrefix(line, readyLine)); err != nil || !strings.HasPrefix(line, readyLine) {
		_ = own.stop() // its output says more than this error
		return nil, fmt.Errorf("the server did not start: %s", oneLine(own.stderr.String()))
	}
	return own, nil
}

// ownToken makes an operator's token in the server's database.
func (c *benchCommand) ownToken(ctx context.Context, database string) (string, error) {
	create, err := self([]string{"token", "create", "--role=operator", "--name=bench", "--expires=2h"}, database)
	if err != nil {
		return "", err
	}
	out, err := create.Output()
	if err != nil || ctx.Err() != nil {
		return "", errors.Join(fmt.Errorf("make an operator's token: %w", err), ctx.Err())
	}
	return strings.TrimSpace(string(out)), nil
}

// self returns a command that runs this program with other arguments. Of our settings it passes on only the database.
func self(args []string, database string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // this very program; stop ends it, gracefully
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, prefix) || strings.HasPrefix(kv, "DB_") || strings.HasPrefix(kv, "PORT=") || strings.HasPrefix(kv, "DATABASE_URL=")
	})
	cmd.Env = append(cmd.Env, "DATABASE_URL="+database) // not on the command line: it may contain a password
	cmd.Dir = os.TempDir()                              // a folder without the shop's .env
	inOwnGroup(cmd)
	return cmd, nil
}

// stop ends the server. It fails if the server had to be killed or ended with an error.
func (c *child) stop() error {
	const patience = 30 * time.Second
	if err := c.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	kill := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer kill.Stop()
	if err := c.Wait(); err != nil {
		return fmt.Errorf("the server ended with an error: %w: %s", err, oneLine(c.stderr.String()))
	}
	return nil
}

const readyLine = "sneakerdrop is ready at "

// benchControlCommand serves the handler that does nothing, on a free port of this machine.
type benchControlCommand struct{}

func (c *benchControlCommand) run(ctx context.Context, con *console) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := api.Server(load.Noop(), slog.New(slog.DiscardHandler))
	fmt.Fprintf(con.stdout, "%shttp://%s\n", readyLine, l.Addr())
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
