package test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/tokens"
)

// Each folder of scripts has its own databases:
//
// - cli needs none but a file.
// - engines runs once with $DATABASE on SQLite and once on PostgreSQL.
// - postgres has an empty database as $DATABASE.
// - import is like engines, and has the command origin FILE. It runs the SQL of the file in a new PostgreSQL database
//   and sets $ORIGIN to it.
// - copy is like engines, and has an empty database of the other engine as $OTHER.

func TestCLI(t *testing.T) { runScripts(t, "cli", sqliteFile) }

func TestEngines_SQLite(t *testing.T) { runScripts(t, "engines", sqliteFile) }

func TestEngines_PostgreSQL(t *testing.T) { runScripts(t, "engines", pgtest.Database) }

func TestPostgreSQL(t *testing.T) { runScripts(t, "postgres", pgtest.Database) }

func TestImport_SQLite(t *testing.T) {
	pgtest.Database(t) // skips the test if there is none, because the original's tables are in PostgreSQL
	runScripts(t, "import", sqliteFile)
}

func TestImport_PostgreSQL(t *testing.T) { runScripts(t, "import", pgtest.Database) }

func TestCopy_SQLiteToPostgreSQL(t *testing.T) {
	pgtest.Database(t) // skips the test if there is none
	runScripts(t, "copy", sqliteFile)
}

func TestCopy_PostgreSQLToSQLite(t *testing.T) { runScripts(t, "copy", pgtest.Database) }

func sqliteFile(testing.TB) string { return "sqlite:sneakerdrop.db" }

func runScripts(t *testing.T, folder string, database func(testing.TB) string) {
	t.Helper()
	database(t) // skips the test here, and not in a script, if there is no PostgreSQL
	testscript.Run(t, testscript.Params{
		Dir:      filepath.Join("testdata", folder),
		Deadline: time.Now().Add(5 * patience), // a server that should have refused to start would otherwise run forever
		Setup: func(env *testscript.Env) error {
			d := database(t)
			env.Setenv("DATABASE", d)
			if u, err := url.Parse(d); err == nil && u.Scheme == "postgres" {
				u.Path = "/nosuchdatabase"
				env.Setenv("NOSUCH", u.String())
			}
			if folder == "copy" {
				env.Setenv("OTHER", otherEngine(t, d))
			}
			running := make(map[string]*server)
			env.Values[serversKey{}] = running
			env.Defer(func() {
				for _, s := range running {
					s.kill()
				}
			})
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "sqlite" {
				return false, fmt.Errorf("unknown condition %s", name)
			}
			return folder == "cli" || strings.HasSuffix(t.Name(), "_SQLite") || strings.HasSuffix(t.Name(), "_SQLiteToPostgreSQL"), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serveCommand, "end": endCommand, "http": httpCommand, "poll": pollCommand,
			"buyer": buyerCommand, "token": tokenCommand, "keep": keepCommand, "sql": sqlCommand, "occupy": occupyCommand,
			"origin": func(ts *testscript.TestScript, neg bool, args []string) {
				if neg || len(args) != 1 {
					ts.Fatalf("usage: origin FILE")
				}
				ts.Setenv("ORIGIN", pgtest.Database(t))
				ts.Check(runSQL(ts.Getenv("ORIGIN"), ts.ReadFile(args[0])))
			},
		},
	})
}

func otherEngine(t testing.TB, database string) string {
	if strings.HasPrefix(database, "sqlite:") {
		return pgtest.Database(t)
	}
	return "sqlite:other.db"
}

type serversKey struct{}

func servers(ts *testscript.TestScript) map[string]*server {
	return ts.Value(serversKey{}).(map[string]*server)
}

// serve NAME ARG…: starts a server on a free port, waits until it is ready and sets $URL.
func serveCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: serve NAME [ARG…]")
	}
	var env []string
	for _, name := range []string{"PATH", "HOME", "DATABASE_URL", "SNEAKERDROP_HOLD", "SNEAKERDROP_CURRENCY"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	s, err := start(ts.MkAbs("."), env, append([]string{"--addr=localhost:0"}, args[1:]...)...)
	ts.Check(err)
	servers(ts)[args[0]] = s
	ts.Setenv("URL", s.url)
}

// end NAME [SIGNAL]: sends SIGTERM (or INT, KILL) and waits. The exit code must be 0, except after KILL. What the
// server wrote is then stdout and stderr.
func endCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: end NAME [INT|KILL]")
	}
	s := servers(ts)[args[0]]
	if s == nil {
		ts.Fatalf("no server %s", args[0])
	}
	sig := syscall.SIGTERM
	if len(args) > 1 {
		sig = map[string]syscall.Signal{"INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[1]]
	}
	code, err := s.stop(sig)
	ts.Check(err)
	delete(servers(ts), args[0])
	fmt.Fprint(ts.Stdout(), s.stdout.String())
	fmt.Fprint(ts.Stderr(), s.stderr.String())
	if code != 0 && sig != syscall.SIGKILL {
		ts.Fatalf("exit code %d: %s", code, s.stderr.String())
	}
}

// http METHOD PATH [BODY]: prints the status on one line and the body on the next. $TOKEN, if set, says who calls, and
// $KEY is the call's Idempotency-Key.
func httpCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: http METHOD PATH [BODY]")
	}
	answer, err := request(ts, args)
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), answer)
}

// poll PATTERN METHOD PATH: repeats a request until its answer matches.
func pollCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: poll PATTERN METHOD PATH [BODY]")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	ts.Check(poll(context.Background(), func() error {
		answer, err := request(ts, args[1:])
		if err == nil && !want.MatchString(answer) {
			err = fmt.Errorf("no match for %s in %s", want, answer)
		}
		return err
	}))
}

func request(ts *testscript.TestScript, args []string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	call := client.Call{Method: args[0], URL: ts.Getenv("URL") + args[1], Token: ts.Getenv("TOKEN"), Key: ts.Getenv("KEY")}
	if len(args) > 2 {
		call.Body = args[2]
	}
	status, body, err := call.Do(ctx, http.DefaultClient)
	return fmt.Sprintf("%d\n%s\n", status, body), err
}

// buyer NAME SECRET: sets $TOKEN to a token of that buyer, signed with the secret.
func buyerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: buyer NAME SECRET")
	}
	ts.Setenv("TOKEN", tokens.HS256(args[1], fmt.Sprintf(`{"sub":%q,"name":"%s Smith","aud":"shop","exp":%d}`, args[0], args[0], time.Now().Add(time.Hour).Unix())))
}

// token FILE: sets $TOKEN to the one that the file has.
func tokenCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: token FILE")
	}
	ts.Setenv("TOKEN", strings.TrimSpace(ts.ReadFile(args[0])))
}

// keep NAME FIELD: sets $NAME to a field of the JSON object that the last http command printed.
func keepCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME FIELD")
	}
	_, body, _ := strings.Cut(ts.ReadFile("stdout"), "\n")
	var fields map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(body), &fields))
	value, ok := fields[args[1]]
	if !ok {
		ts.Fatalf("no field %s in %s", args[1], body)
	}
	ts.Setenv(args[0], strings.Trim(string(value), `"`))
}

// sql STATEMENT: runs it in $DATABASE, bypassing the program.
func sqlCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql STATEMENT")
	}
	if file, ok := strings.CutPrefix(ts.Getenv("DATABASE"), "sqlite:"); ok {
		conn, err := sqlite.OpenConn(ts.MkAbs(file))
		ts.Check(err)
		defer conn.Close()
		ts.Check(sqlitex.ExecuteTransient(conn, args[0], nil))
		return
	}
	ts.Check(runSQL(ts.Getenv("DATABASE"), args[0]))
}

// runSQL runs statements in a PostgreSQL database.
func runSQL(database, statements string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().Exec(ctx, statements).ReadAll()
	return err
}

// occupy ADDRESS: takes a free port of the address until the script ends and sets $PORT_TAKEN to it.
func occupyCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy ADDRESS")
	}
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", net.JoinHostPort(args[0], "0"))
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv("PORT_TAKEN", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}
