// Package cli is the command line of sneakerdrop. It parses the commands and their settings, and passes them to
// package app.
//
// The value of a setting comes from its flag, else from the environment, else from the file .env in the working
// directory, else from its default. A wrong setting or a problem outside (a port in use, a database out of reach)
// ends the command with exit code 1. It prints one sentence on stderr that names the setting or the problem.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// Version is printed by --version.
const Version = "0.1.0"

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Bring the schema up to date, then serve the API until SIGTERM or SIGINT."`
	Seed    seedCommand    `cmd:"" help:"Fill an empty database with sample data: 5 users and 6 drops."`
	Import  importCommand  `cmd:"" help:"Import drops, users, reservations and purchases from the tables of the original Node.js backend."`
	Copy    copyCommand    `cmd:"" help:"Copy everything from one database to an empty one, for example from SQLite to PostgreSQL when the shop grows."`
	Migrate migrateCommand `cmd:"" help:"Bring the schema up to date and print the versions before and after."`
	Audit   auditCommand   `cmd:"" help:"Check that ledger, counters, reservations and purchases of each drop match, even while a server runs; exit code 1 if they do not."`

	Reconcile reconcileCommand `cmd:"" help:"Compare payments with the payment provider's and mend what differs, even while a server runs; exit code 1 if something needs a person."`

	Token tokenCommands `cmd:"" help:"Make, list and revoke operators' tokens, which are needed if buyers sign in."`
	Log   logCommand    `cmd:"" help:"Show what operators did: who, what, when and from where."`

	Events  eventsCommand   `cmd:"" help:"Print what happened to drops, one JSON object per line, for the shop's other systems."`
	Webhook webhookCommands `cmd:"" help:"Make, list and change webhooks, which send events to the shop's other systems."`

	Verify verifyCommand `cmd:"" help:"Run a draw again from its public record, without a server; exit code 1 and the reason if the record is wrong."`

	Health healthCommand `cmd:"" help:"Ask the server on this machine whether it can sell; exit code 1 if it cannot. For health checks in images without a shell."`

	Bench benchCommand `cmd:"" help:"Put load on a server, by default its own, and report the throughput, the latency, and whether its answers match its records."`

	Rehearse rehearseCommand `cmd:"" help:"Play a drop's first minutes with a hidden copy on a running server, and print PASS or FAIL."`

	BenchControl benchControlCommand `cmd:"" hidden:""`

	Version kong.VersionFlag `help:"Print the version."`
}

// common has the settings of nearly every command.
type common struct {
	Database database `default:"sqlite:sneakerdrop.db" placeholder:"URL" help:"Where drops are kept: sqlite:FILE or postgres://USER:PASSWORD@HOST:PORT/NAME (default sqlite:sneakerdrop.db). Also DATABASE_URL, or DB_HOST, DB_PORT, DB_NAME, DB_USER and DB_PASSWORD."`
	waiting
	logging
}

// waiting configures how long a command waits for its database.
type waiting struct {
	WaitForDatabase patience `default:"5s" placeholder:"TIME" help:"How long to wait for a PostgreSQL database that is not up yet, from 0s to 24h (default 5s). With any other value, the command also waits for a database or role that does not exist yet, and serve answers /livez and /readyz meanwhile."`
}

// waits reports whether the operator has asked to wait. Then the command waits for everything that may still appear.
func (w waiting) waits() bool { return time.Duration(w.WaitForDatabase) != reachWithin }

// logging has the settings of every command.
type logging struct {
	LogLevel  slog.Level `default:"info" help:"The lowest severity to log: debug, info, warn or error."`
	LogFormat logFormat  `default:"text" help:"The format of log lines on stderr: text or json."`
}

// runner is a command with its settings.
type runner interface {
	run(ctx context.Context, con *console) error
}

// console is where a command writes, and how it names its settings.
type console struct {
	stdout, stderr io.Writer
	settings       *settings
	command        runner // the selected command
	parsed         *kong.Context
	// waits, if not nil, is called repeatedly with the reason why the command waits for its database.
	waits   func(why string)
	hangups <-chan os.Signal // SIGHUP, for serve; it ends other commands
	// refusal receives the sentence that an error ends the command with, once it is known that logs are for machines.
	refusal *slog.Logger
}

// print writes a result as text for people, or as JSON.
func (con *console) print(result io.WriterTo, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(con.stdout).Encode(result)
	}
	_, err := result.WriteTo(con.stdout)
	return err
}

func (c *logging) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// Run executes one command and returns the exit code of the process. environ has the format of os.Environ. The
// command stops gracefully when ctx ends.
func Run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	var c commands
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // first, because a SIGHUP while serve starts must not end it
	defer signal.Stop(hangups)
	con := &console{stdout: stdout, stderr: stderr, hangups: hangups}
	command, done, err := con.parse(&c, args, environ)
	if command != "serve" {
		endBy(hangups)
	}
	if err == nil && !done {
		err = con.command.run(ctx, con)
	}
	switch {
	case err == nil:
		return 0
	case con.refusal != nil:
		con.refusal.Error("ended with an error", "error", con.sentence(err))
	default:
		fmt.Fprintln(stderr, "sneakerdrop: "+con.sentence(err))
	}
	return 1
}

// endBy restores a signal's usual effect, even for one that has already arrived.
func endBy(signals chan os.Signal) {
	signal.Stop(signals)
	select {
	case <-signals:
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(syscall.SIGHUP)
		}
	default:
	}
}

// exit is what kong gets instead of os.Exit for --help and --version.
type exit struct{}

// parse reads the command line into c. done means that --help or --version was answered.
func (con *console) parse(c *commands, args, environ []string) (command string, done bool, err error) {
	con.settings, err = readSettings(environ)
	if err != nil {
		return "", false, err
	}
	parser, err := kong.New(c, append(kinds(),
		kong.Name("sneakerdrop"),
		kong.Description("A server for limited sneaker releases. You can also set every flag by the environment variable shown beside it, or in a file .env."),
		kong.Writers(con.stdout, con.stderr),
		kong.Exit(func(int) { panic(exit{}) }),
		kong.Vars{"version": "sneakerdrop " + Version},
		kong.Resolvers(con.settings),
		kong.ValueFormatter(describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)...)
	if err != nil {
		return "", false, fmt.Errorf("declare the command line: %w", err)
	}
	defer func() {
		if r := recover(); r == (exit{}) {
			done, err = true, nil
		} else if r != nil {
			panic(r)
		}
	}()
	parsed, err := parser.Parse(args)
	if err != nil {
		return "", false, err
	}
	var ok bool
	if con.command, ok = reflect.TypeAssert[runner](parsed.Selected().Target.Addr()); !ok {
		return "", false, fmt.Errorf("command %s does nothing", parsed.Command())
	}
	con.parsed = parsed
	con.tell(parsed)
	return parsed.Command(), false, nil
}

// sentence describes an error in one line. It names a wrong setting by its source.
func (con *console) sentence(err error) string {
	if f, ok := errors.AsType[*faultError](err); ok {
		return con.settings.name(f.flag) + " " + f.rule
	}
	if p, ok := errors.AsType[*kong.ParseError](err); ok {
		return misread(p)
	}
	return oneLine(err.Error())
}

// misread says what kong could not read, and which help has what it could.
func misread(p *kong.ParseError) string {
	what, command := oneLine(p.Error()), []string{"sneakerdrop"}
	if p.Context != nil {
		for _, part := range p.Context.Path {
			if part.Command != nil {
				command = append(command, part.Command.Name)
			}
		}
		if name, unknown := strings.CutPrefix(what, "unexpected argument "); unknown && !slices.ContainsFunc(p.Context.Path, selects) {
			what = "there is no command " + name
		}
	}
	if strings.HasPrefix(what, "expected one of ") {
		what = "the command is missing"
	}
	if flag, _, ends := strings.Cut(what, ": expected "); ends && strings.HasSuffix(what, `but got "EOL" (<EOL>)`) {
		what = flag + " needs a value"
	}
	return what + "; see " + strings.Join(command, " ") + " --help"
}

// selects reports whether a part of the command line is a command without commands below it.
func selects(part *kong.Path) bool { return part.Command != nil && len(part.Command.Children) == 0 }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
