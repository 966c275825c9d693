package cli

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// said parses a command line and returns what is logged about the settings.
func said(t *testing.T, c *commands, dotenv string, environ []string, args ...string) (con *console, log string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if dotenv != "" {
		if err := os.WriteFile(dotenvFile, []byte(dotenv), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs strings.Builder
	con = &console{stdout: &out, stderr: &errs}
	if _, _, err := con.parse(c, args, environ); err != nil {
		t.Fatalf("%s %s: %s", environ, args, con.sentence(err))
	}
	return con, errs.String()
}

// A platform says where to listen with PORT, and perhaps HOST.
func TestAddress_OfAPlatform(t *testing.T) {
	const secret = "SNEAKERDROP_JWT_SECRET=0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		environ, dotenv    string
		signedIn, nobodyIn string
	}{
		{"", "", "localhost:3000", "localhost:3000"},
		{"PORT=8080", "", ":8080", "localhost:8080"},
		{"PORT= 8080\n", "", ":8080", "localhost:8080"},
		{"", "PORT=8080", ":8080", "localhost:8080"},
		{"PORT=8080 HOST=0.0.0.0", "", "0.0.0.0:8080", "localhost:8080"},
		{"PORT=8080 HOST=::", "", "[::]:8080", "localhost:8080"},
		{"PORT=8080 HOST=[::]", "", "[::]:8080", "localhost:8080"},
		{"PORT=8080 HOST=10.1.2.3", "", "10.1.2.3:8080", "localhost:8080"},
		{"PORT=8080 HOST=web-1", "", "web-1:8080", "localhost:8080"},
		{"PORT=8080 HOST=127.0.0.1", "", "127.0.0.1:8080", "127.0.0.1:8080"},
		{"PORT=8080 HOST=localhost", "", "localhost:8080", "localhost:8080"},
		{"PORT=8080 HOST=", "", ":8080", "localhost:8080"},
		{"PORT= HOST=0.0.0.0", "", "0.0.0.0:3000", "localhost:3000"},
		{"HOST=laptop", "", "localhost:3000", "localhost:3000"}, // set by a shell, not by a platform
		{"HOST=0.0.0.0", "PORT=8080", "0.0.0.0:8080", "localhost:8080"},
		{"PORT=8080", "HOST=127.0.0.1", "127.0.0.1:8080", "127.0.0.1:8080"},
		{"PORT=8080 HOST=10.0.0.1", "PORT=1 HOST=10.0.0.2", "10.0.0.1:8080", "localhost:8080"},
		{"PORT=8080 SNEAKERDROP_ADDR=127.0.0.1:9", "", "127.0.0.1:9", "127.0.0.1:9"},
		{"PORT=8080", "SNEAKERDROP_ADDR=127.0.0.1:9", ":8080", "localhost:8080"},
	} {
		for _, with := range []string{"", secret} {
			var cs commands
			environ := []string{with}
			for word := range strings.SplitSeq(c.environ, " ") {
				if strings.Contains(word, "=") || word == "" {
					environ = append(environ, word)
				} else {
					environ[len(environ)-1] += " " + word // PORT with blanks
				}
			}
			con, _ := said(t, &cs, c.dotenv, environ, "serve")
			var log strings.Builder
			cs.Serve.keepLocal(con.settings, cs.Serve.logger(&log))
			want := c.nobodyIn
			if with != "" {
				want = c.signedIn
			}
			if got := cs.Serve.Addr.String(); got != want {
				t.Errorf("%q, .env %q, %q: listens on %s, want %s", c.environ, c.dotenv, with, got, want)
			}
			if moved := c.nobodyIn != c.signedIn && with == ""; moved != strings.Contains(log.String(), "there is no sign-in, so the server listens on this machine only") {
				t.Errorf("%q, .env %q, %q: logs %q", c.environ, c.dotenv, with, log.String())
			}
			if err := cs.Serve.checkReach(); err != nil {
				t.Errorf("%q, .env %q, %q: %v", c.environ, c.dotenv, with, err)
			}
		}
	}
	var cs commands
	con, _ := said(t, &cs, "", []string{"PORT=8080", "HOST=0.0.0.0"}, "serve", "--insecure")
	cs.Serve.keepLocal(con.settings, cs.Serve.logger(t.Output()))
	if got := cs.Serve.Addr.String(); got != "0.0.0.0:8080" {
		t.Errorf("with --insecure: %s", got)
	}
}

func TestNames_WithoutMeaningAreNamed(t *testing.T) {
	for name, meant := range map[string]string{
		"SNEAKERDROP_DATABSE": "SNEAKERDROP_DATABASE?", "SNEAKERDROP_HODL": "SNEAKERDROP_HOLD?", "SNEAKERDROP_HOLD_TIME": "SNEAKERDROP_HOLD?",
		"SNEAKERDROP_PORT": "SNEAKERDROP_ADDR or PORT?", "SNEAKERDROP_HOST": "SNEAKERDROP_ADDR or HOST?",
		"SNEAKERDROP_DATABASE_URL": "SNEAKERDROP_DATABASE or DATABASE_URL?", "SNEAKERDROP_DB_PASSWORD": "SNEAKERDROP_DATABASE or DB_PASSWORD?",
		"SNEAKERDROP_JWT_SECRT": "SNEAKERDROP_JWT_SECRET?", "SNEAKERDROP_TLSCERT": "SNEAKERDROP_TLS_CERT?", "SNEAKERDROP_LOGLEVEL": "SNEAKERDROP_LOG_LEVEL?",
		"sneakerdrop_hold": "SNEAKERDROP_HOLD?", "SNEAKERDROP_TLS-CERT": "SNEAKERDROP_TLS_CERT?", "SNEAKERDROP.HOLD": "SNEAKERDROP_HOLD?",
		"SNEAKERDROP_COMPLETELY_DIFFERENT": "--help lists them all", "SNEAKERDROP_": "", "SNEAKERDROP_TEST_MODE": "", "SNEAKERDROP_VERSION": "", "SNEAKERDROP_HELP": "",
	} {
		for _, command := range [][]string{{"serve"}, {"migrate"}, {"health"}, {"bench"}, {"token", "list"}, {"copy", "--from=sqlite:a", "--to=sqlite:b"}} {
			_, log := said(t, new(commands), "", []string{name + "=hunter2"}, command...)
			if !strings.Contains(log, "WARN") || !strings.Contains(log, name+" is not a setting and is ignored") || !strings.Contains(log, meant) || strings.Contains(log, "hunter2") {
				t.Errorf("%s, %s: %q, want %q", name, command, log, meant)
			}
			_, log = said(t, new(commands), name+"=hunter2", nil, command...)
			if !strings.Contains(log, name+" in .env is not a setting and is ignored") || strings.Contains(log, "hunter2") {
				t.Errorf("%s in .env, %s: %q", name, command, log)
			}
		}
	}
}

func TestNames_WithMeaningAreNot(t *testing.T) {
	for _, environ := range [][]string{
		{"SNEAKERDROP_HOLD=60s"},                          // of serve, but accepted by every command
		{"SNEAKERDROP_ROLE=viewer", "SNEAKERDROP_NAME=x"}, // of token create
		{"SNEAKERDROP_NOTHING="}, {"SNEAKERDROP_TEST_POSTGRES=x"}, {"SNEAKERDROPS_X=1", "SNEAKER=1", "PATH=/"},
	} {
		for _, command := range []string{"serve", "migrate", "health"} {
			if _, log := said(t, new(commands), "", environ, command); log != "" {
				t.Errorf("%s, %s: %q", environ, command, log)
			}
		}
	}
	// Kubernetes sets these for the Services sneakerdrop and sneakerdrop-metrics.
	links := []string{
		"SNEAKERDROP_PORT=tcp://10.0.0.1:3000", "SNEAKERDROP_PORT_3000_TCP=tcp://10.0.0.1:3000", "SNEAKERDROP_PORT_3000_TCP_ADDR=10.0.0.1",
		"SNEAKERDROP_PORT_3000_TCP_PORT=3000", "SNEAKERDROP_PORT_3000_TCP_PROTO=tcp", "SNEAKERDROP_SERVICE_HOST=10.0.0.1", "SNEAKERDROP_SERVICE_PORT=3000",
		"SNEAKERDROP_SERVICE_PORT_HTTP=3000", "SNEAKERDROP_METRICS_PORT=tcp://10.0.0.2:9090", "SNEAKERDROP_METRICS_SERVICE_HOST=10.0.0.2",
		"SNEAKERDROP_METRICS_SERVICE_PORT_WEB=9090", "SNEAKERDROP_METRICS_PORT_9090_UDP_ADDR=10.0.0.2",
	}
	_, log := said(t, new(commands), "", links, "serve")
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "INFO") || !strings.Contains(log, "Kubernetes has set 12 variables") {
		t.Errorf("of a Service: %q", log)
	}
}

func TestSettings_ThatDisagreeAreNamed(t *testing.T) {
	const db, same = "postgres://u:hunter2@db:5432/shop?sslmode=disable", "postgresql://u:hunter2@db/shop?sslmode=disable"
	for _, c := range []struct {
		dotenv  string
		environ []string
		args    []string
		counts  string   // the source in force; empty if nothing is logged
		others  []string // the other sources
	}{
		{environ: []string{"SNEAKERDROP_HOLD=60s"}, args: []string{"--hold=1m"}},
		{environ: []string{"SNEAKERDROP_HOLD=60s"}, args: []string{"--hold=10s"}, counts: "--hold", others: []string{"SNEAKERDROP_HOLD"}},
		{environ: []string{"SNEAKERDROP_HOLD=60s"}, dotenv: "SNEAKERDROP_HOLD=10s", counts: "SNEAKERDROP_HOLD", others: []string{"SNEAKERDROP_HOLD in .env"}},
		{environ: []string{"SNEAKERDROP_INSECURE=true"}, dotenv: "SNEAKERDROP_INSECURE=1"},
		{environ: []string{"SNEAKERDROP_INSECURE=true"}, args: []string{"--insecure=false"}, counts: "--insecure", others: []string{"SNEAKERDROP_INSECURE"}},
		{environ: []string{"SNEAKERDROP_CORS_ORIGIN=https://a.example,https://b.example"}, args: []string{"--cors-origin=https://a.example", "--cors-origin=https://b.example"}},
		{environ: []string{"SNEAKERDROP_TRUSTED_PROXY=10.0.0.0/8"}, args: []string{"--trusted-proxy=10.0.0.1"}, counts: "--trusted-proxy", others: []string{"SNEAKERDROP_TRUSTED_PROXY"}},
		{environ: []string{"PORT=3000", "SNEAKERDROP_ADDR=:3000"}},
		{environ: []string{"PORT=8080", "SNEAKERDROP_ADDR=:3000"}, counts: "SNEAKERDROP_ADDR", others: []string{"PORT"}},
		{environ: []string{"PORT=3000", "HOST=0.0.0.0"}, args: []string{"--addr=:3000"}},
		{environ: []string{"HOST=0.0.0.0"}, args: []string{"--addr=127.0.0.1:3000"}, counts: "--addr", others: []string{"HOST"}},
		{environ: []string{"HOST=laptop"}, args: []string{"--addr=127.0.0.1:3000"}},
		{environ: []string{"HOST=0.0.0.0"}, dotenv: "PORT=8080"},
		{environ: []string{"PORT=8080"}, dotenv: "PORT=3000\nSNEAKERDROP_ADDR=:9", counts: "PORT", others: []string{"SNEAKERDROP_ADDR in .env", "PORT in .env"}},
		{environ: []string{"DATABASE_URL=" + db, "SNEAKERDROP_DATABASE=" + same}},
		{environ: []string{"DATABASE_URL=" + db, "DB_HOST=db", "DB_PORT=5432", "DB_NAME=shop", "DB_USER=u", "DB_PASSWORD=hunter2"}},
		{environ: []string{"DATABASE_URL=" + db, "DB_HOST=other", "DB_PASSWORD=hunter22"}, counts: "DATABASE_URL", others: []string{"DB_HOST", "DB_PASSWORD"}},
		{environ: []string{"DATABASE_URL=" + db, "SNEAKERDROP_DATABASE=sqlite:x.db"}, counts: "SNEAKERDROP_DATABASE", others: []string{"DATABASE_URL"}},
		{environ: []string{"DATABASE_URL=" + db}, args: []string{"--database=" + strings.Replace(db, "disable", "require", 1)}, counts: "--database", others: []string{"DATABASE_URL"}},
		{environ: []string{"DB_HOST=db", "DB_PASSWORD=hunter2"}, dotenv: "DB_NAME=shop\nDB_PASSWORD=hunter22", counts: "DB_HOST", others: []string{"DB_PASSWORD in .env"}},
		{environ: []string{"DB_HOST=db"}, dotenv: "DATABASE_URL=" + db, counts: "DB_HOST", others: []string{"DATABASE_URL in .env"}},
		{dotenv: "DB_HOST=db\nSNEAKERDROP_DATABASE=sqlite:x.db", counts: "SNEAKERDROP_DATABASE in .env", others: []string{"DB_HOST in .env"}},
		{environ: []string{"SNEAKERDROP_METRICS_ADDR=localhost:1", "PORT=8080"}},
		{environ: []string{"SNEAKERDROP_JWT_SECRET=hunter2"}, args: []string{"--jwt-secret=hunter22"}, counts: "--jwt-secret", others: []string{"SNEAKERDROP_JWT_SECRET"}},
		{environ: []string{"SNEAKERDROP_HOLD=nonsense"}, args: []string{"--hold=10s"}, counts: "--hold", others: []string{"SNEAKERDROP_HOLD"}},
	} {
		_, log := said(t, new(commands), c.dotenv, c.environ, append([]string{"serve"}, c.args...)...)
		what := strings.Join(slices.Concat(c.environ, c.args, []string{c.dotenv}), " ")
		if (log == "") != (c.counts == "") || !strings.Contains(log, c.counts) || strings.Contains(log, "hunter2") || strings.Count(log, "\n") > 1 {
			t.Errorf("%s: %q, want %q", what, log, c.counts)
		}
		if c.counts != "" && !strings.Contains(log, "; "+c.counts+" is used and the other") {
			t.Errorf("%s: %q does not say that %s counts", what, log, c.counts)
		}
		for _, other := range c.others {
			if !strings.Contains(log, other) {
				t.Errorf("%s: %q does not name %s", what, log, other)
			}
		}
	}
	_, log := said(t, new(commands), "PORT=1\nSNEAKERDROP_HOLD=1s\nPORT=2\nX=1\nX=2\nSNEAKERDROP_HOLD=1s\nPORT=2", nil, "serve")
	if strings.Count(log, "\n") != 1 || !strings.Contains(log, "PORT in .env appears more than once; the last one counts") {
		t.Errorf("twice in one file: %q", log)
	}
}
