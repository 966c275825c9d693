package test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"sneakerdrop/internal/testing/pgtest"
)

// TestProduction_TheGuideWorks runs the commands of docs/howto/production.md in one shell, exactly as written. Paths
// of the system are folders of the test, and stubs stand for what would change the machine: sudo, apt-get, make,
// systemd and the request through the proxy. The stub of systemd starts what the units start, with their settings.
func TestProduction_TheGuideWorks(t *testing.T) {
	t.Parallel()
	tool(t, "promtool")
	guide := &production{root: pgtest.Dir(t), own: pgtest.Loopback(), database: pgtest.NewCluster(t, pgtest.Where{}).URL()}
	guide.layOut(t)
	script := guide.script(t)
	for _, must := range []string{"postgres-roles.sql", "as_owner migrate", "enable --now sneakerdrop", "sneakerdrop-backup.service", "promtool check"} {
		if !strings.Contains(script, must) {
			t.Fatalf("the guide does not say %q: this looks for the wrong thing", must)
		}
	}
	guide.installs(t, script)
	shell := pgtest.Shell(t, guide.root, script+guide.moved(afterTheGuide))
	shell.Env = guide.environment(t, shell.Env)
	var said lockedBuffer
	shell.Stdout, shell.Stderr = &said, &said
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-shell.Process.Pid, syscall.SIGKILL) })
	if err := shell.Wait(); err != nil {
		t.Fatalf("%v: %s\n%s", err, said.String(), guide.logs())
	}

	t.Cleanup(func() {
		if t.Failed() {
			t.Log(said.String() + guide.logs())
		}
	})
	shop := "http://" + guide.own + ":3000"
	if status, body := get(t, shop+"/readyz"); status != http.StatusOK {
		t.Errorf("ready: %d %s", status, body)
	}
	const spec = `{"name":"Air","price":90,"total_stock":5,"start_time":"2020-01-01T00:00:00Z"}`
	if status, body := callAs(t.Context(), http.DefaultClient, shop, "/api/drops/create", "", spec); status != http.StatusUnauthorized {
		t.Errorf("create without a token: %d %s", status, body)
	}
	operator := regexp.MustCompile(`sdo_\S+`).FindString(said.String())
	if status, body := callAs(t.Context(), http.DefaultClient, shop, "/api/drops/create", operator, spec); status != http.StatusOK {
		t.Errorf("create with the token %q: %d %s", operator, status, body)
	}
	if status, body := get(t, "http://"+guide.own+":9464/metrics"); status != http.StatusOK || !strings.Contains(body, "sneakerdrop_drops") {
		t.Errorf("metrics: %d %.200s", status, body)
	}
	if n := strings.Count(said.String(), " is good\n"); n != 2 {
		t.Errorf("%d copies were restored for a test: %s", n, said.String())
	}
	if !strings.Contains(said.String(), " is good, but nobody receives the log") || !strings.Contains(said.String(), "alert add SneakerdropUnitFailed") {
		t.Errorf("a backup without the log: %s", said.String())
	}
	if !strings.Contains(said.String(), "the old log is gone") {
		t.Errorf("the log from before the copies stays: %s", said.String())
	}
	if !strings.Contains(said.String(), `"clean": true`) {
		t.Errorf("the audit as the owner: %s", said.String())
	}
}

// afterTheGuide uses what the guide installed, as an operator does in a new shell: an audit, a second backup, and one
// while nobody receives the log.
const afterTheGuide = `
sh -eu -c "as_owner audit --json"
old=/var/backups/sneakerdrop/wal/000000010000000000000000
: >"$old"
began=$(date +%s)
until [ "$(date +%s)" -gt "$began" ]; do :; done # the name of a copy is its second
systemctl start sneakerdrop-backup.service
[ -e "$old" ] || echo "the old log is gone"
kill "$(cat /wal.pid)"
! systemctl start sneakerdrop-backup.service
`

// installs wants each program that the guide calls, and that Debian's base system lacks, among the packages. A package
// that is only recommended may listen on every address, as Prometheus's exporter does.
func (p *production) installs(t *testing.T, script string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^sudo apt-get install (.+)$`).FindString(script)
	packages := strings.Fields(line)
	if !slices.Contains(packages, "--no-install-recommends") {
		t.Errorf("%q installs what is only recommended", line)
	}
	for program, from := range map[string]string{
		"make": "make", "curl": "curl", "psql": "postgresql", "pg_receivewal": "postgresql", "promtool": "prometheus", "amtool": "prometheus-alertmanager",
	} {
		if !regexp.MustCompile(`(?m)^(sudo (-u \w+ )?)?` + program + ` `).MatchString(script) {
			t.Errorf("the guide does not call %s: this looks for the wrong thing", program)
		}
		if !slices.Contains(packages, from) {
			t.Errorf("the guide calls %s, but %q does not install %s", program, line, from)
		}
	}
	if !strings.Contains(script, "route: {receiver: operator, group_by: [alertname], group_wait: 5s}") {
		t.Error("Alertmanager's defaults delay the first alert by 30 s, and others by 5 minutes")
	}
	text, err := os.ReadFile("../docs/howto/production.md")
	if err != nil || strings.Contains(string(text), "`journalctl") {
		t.Errorf("journalctl shows other users' services only with sudo (%v)", err)
	}
}

// production is the machine that the guide is followed on.
type production struct{ root, own, database string }

// layOut makes what the guide expects: a clone with the built program, the folders of the system, and the stubs.
func (p *production) layOut(t *testing.T) {
	t.Helper()
	program, err := exec.LookPath("sneakerdrop")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	folders := []string{"bin", "stubs", "usr/local/bin", "etc/systemd/system", "etc/caddy", "etc/prometheus", "etc/default", "var/backups"}
	for _, folder := range folders {
		if err := os.MkdirAll(filepath.Join(p.root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	files := map[string]string{"bin/sneakerdrop": string(binary), "stubs/systemctl": p.moved(systemctlStub)}
	for _, name := range []string{"apt-get", "make", "curl", "amtool"} {
		files["stubs/"+name] = "#!/bin/sh\necho " + name + " \"$@\"\n"
	}
	files["stubs/sudo"] = "#!/bin/sh\n[ \"$1\" = -u ] && shift 2\nexec \"$@\"\n"
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.root, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(p.root, "deploy"), os.DirFS("../deploy")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "chown", "-R", "--reference="+p.root, p.root).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// systemctlStub starts what a unit starts, with the unit's file of settings. Of the services that the packages bring
// it knows the names alone.
const systemctlStub = `#!/bin/sh
set -eu
unit() { # unit FILE: its command, after its settings
	file=/etc/systemd/system/$1
	settings=$(sed -n 's/^EnvironmentFile=-//p' "$file")
	[ -z "$settings" ] || { set -a; . "$settings"; set +a; }
	eval "exec $(sed -n 's/^ExecStart=//p' "$file")"
}
case "$*" in
"enable --now sneakerdrop") (unit sneakerdrop.service) >/serve.log 2>&1 & ;;
"enable --now sneakerdrop-wal.service sneakerdrop-backup.timer")
	grep -q '^OnCalendar=' /etc/systemd/system/sneakerdrop-backup.timer
	(unit sneakerdrop-wal.service) >/wal.log 2>&1 &
	echo $! >/wal.pid ;;
"start sneakerdrop-backup.service")
	(unit sneakerdrop-backup.service) && exit
	next=$(sed -n 's/^OnFailure=\(.*@\)%n\(.*\)$/\1\2/p' /etc/systemd/system/sneakerdrop-backup.service)
	(unit "$next")
	exit 1 ;;
daemon-reload | "reload caddy" | "restart prometheus prometheus-alertmanager") ;;
*) echo "systemctl $*: the guide says something new" >&2; exit 1 ;;
esac
`

// moved is a text with the system's folders and addresses replaced by those of the test.
func (p *production) moved(text string) string {
	u, err := url.Parse(p.database)
	if err != nil {
		panic(err)
	}
	text = regexp.MustCompile(`(^|[ =<>"'-])/(etc|usr/local/bin|var/backups|serve\.log|wal\.log|wal\.pid)\b`).ReplaceAllString(text, "${1}"+p.root+"/${2}")
	return strings.NewReplacer("/usr/bin/", "", "timeout 30 ", "timeout 600 ", "127.0.0.1:5432", u.Host, "localhost:9464", p.own+":9464", " -o postgres ", " ").Replace(text)
}

// script is every command of the guide. Units are moved as they are installed.
func (p *production) script(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/howto/production.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	for _, heading := range regexp.MustCompile(`(?m)^## (\d\. .+)$`).FindAllStringSubmatch(string(text), -1) {
		if heading[1] == "9. Try it" {
			break
		}
		for _, block := range documented(t, "howto/production.md", heading[1], "sh") {
			script.WriteString(p.moved(block) + "\n")
		}
	}
	units, err := filepath.Glob(p.root + "/deploy/*.service")
	if err != nil || len(units) != 4 {
		t.Fatalf("%d units, %v", len(units), err)
	}
	for _, unit := range units {
		content, err := os.ReadFile(unit)
		if err == nil {
			err = os.WriteFile(unit, []byte(p.moved(string(content))), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return script.String()
}

func (p *production) environment(t *testing.T, env []string) []string {
	t.Helper()
	u, err := url.Parse(p.database)
	if err != nil {
		t.Fatal(err)
	}
	for i, kv := range env {
		if path, ok := strings.CutPrefix(kv, "PATH="); ok {
			env[i] = fmt.Sprintf("PATH=%[1]s/stubs:%[1]s/usr/local/bin:%s", p.root, path)
		}
	}
	return append(env, "PGHOST="+u.Hostname(), "PGPORT="+u.Port(), "PGUSER=postgres", "PGDATABASE=postgres",
		"SNEAKERDROP_ADDR="+p.own+":3000", "BACKUP="+p.root+"/var/backups/sneakerdrop")
}

func (p *production) logs() string {
	var all strings.Builder
	for _, name := range []string{"serve.log", "wal.log"} {
		text, err := os.ReadFile(filepath.Join(p.root, name))
		fmt.Fprintf(&all, "%s: %s %v\n", name, text, err)
	}
	return all.String()
}
