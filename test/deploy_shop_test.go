package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/tokens"
)

// TestDeploy_TheShopOfComposeSells does on loopback what an engine does with deploy/compose.yaml, with the same
// files, settings and order. It sets up roles, migrates, and starts HAProxy in front of three replicas, which have
// the role that may only sell. One replica is stopped while buyers come.
func TestDeploy_TheShopOfComposeSells(t *testing.T) {
	haproxy, psql := tool(t, "haproxy"), tool(t, "psql")
	text, err := os.ReadFile("../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	shop := &composed{text: string(text), superuser: pgtest.Database(t)}
	said(t, shop.secrets(), psql, shop.psql(t)...)
	owner, serve := shop.as(t, "sneakerdrop_owner"), shop.as(t, "sneakerdrop_serve")
	said(t, nil, "sneakerdrop", "migrate", "--database="+owner)
	shop.havePasswords(t)

	var replicas []*server
	for range 3 {
		s, err := start(t.TempDir(), shop.settings(t, serve), "--addr=127.0.0.1:0", "--metrics-addr=127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.kill)
		replicas = append(replicas, s)
	}
	front := proxy(t, haproxy, replicas)
	operator := said(t, nil, "sneakerdrop", "token", "create", "--role=operator", "--name=test", "--log-level=error", "--database="+owner)
	operator = regexp.MustCompile(`sdo_\S+`).FindString(operator)
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	const units = 60
	status, answer := callAs(t.Context(), client, front, "/api/drops/create", operator,
		fmt.Sprintf(`{"name":"Air","price":1,"total_stock":%d,"start_time":"2020-01-01T00:00:00Z","limit_per_user":1}`, units))
	if status != http.StatusOK {
		t.Fatalf("create: %d %s", status, answer)
	}
	for buyer := range units {
		if buyer == units/2 {
			if code, err := replicas[1].stop(syscall.SIGTERM); err != nil || code != 0 {
				t.Fatalf("exit code %d, %v: %s", code, err, replicas[1].stderr.String())
			}
		}
		token := tokens.HS256(secretOfCompose, fmt.Sprintf(`{"sub":"b%d","name":"B","aud":"shop","exp":%d}`, buyer, time.Now().Add(time.Hour).Unix()))
		// A buyer without an answer tries again. With a limit of 1 that never makes a second reservation.
		if err := poll(t.Context(), func() error {
			status, answer := callAs(t.Context(), client, front, "/api/drops/reserve", token, `{"dropId":1}`)
			if status != http.StatusOK {
				return fmt.Errorf("%d %s", status, answer)
			}
			return nil
		}); err != nil {
			t.Fatalf("buyer %d: %v", buyer, err)
		}
	}
	keepToOneReplica(t, front)
	if out := said(t, nil, "sneakerdrop", "audit", "--database="+owner); !strings.Contains(out, strconv.Itoa(units)) {
		t.Errorf("the audit does not speak of %d reservations: %s", units, out)
	}
}

const secretOfCompose = "0123456789abcdef0123456789abcdef"

// composed is the compose file, and the database that stands in for its own.
type composed struct{ text, superuser string }

// psql returns the command of the service "roles", with the files and the database of this test.
func (c *composed) psql(t *testing.T) []string {
	t.Helper()
	m := regexp.MustCompile(`command: \[psql, (.*)\]`).FindStringSubmatch(c.text)
	if m == nil {
		t.Fatal("no psql in the compose file")
	}
	files := make(map[string]string)
	for _, v := range regexp.MustCompile(`- \./(\S+):(/deploy/\S+):ro`).FindAllStringSubmatch(c.text, -1) {
		files[v[2]] = "../deploy/" + v[1]
	}
	args := []string{"--dbname=" + c.superuser}
	for word := range strings.SplitSeq(m[1], ", ") {
		if option, file, ok := strings.Cut(word, "=/"); ok {
			if files["/"+file] == "" {
				t.Fatalf("%s is no volume", word)
			}
			word = option + "=" + files["/"+file]
		}
		args = append(args, word)
	}
	return args
}

func (c *composed) secrets() []string {
	return []string{"OWNER_PASSWORD=owner", "SERVE_PASSWORD=serve"}
}

func (c *composed) as(t *testing.T, role string) string {
	t.Helper()
	u, err := url.Parse(c.superuser)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, strings.TrimPrefix(role, "sneakerdrop_"))
	return u.String()
}

// havePasswords: these clusters admit everybody, so the test has to query whether a password was set.
func (c *composed) havePasswords(t *testing.T) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), c.superuser)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var n int
	const asked = `SELECT count(*) FROM pg_authid WHERE rolname IN ('sneakerdrop_owner', 'sneakerdrop_serve') AND rolpassword LIKE 'SCRAM-SHA-256$%'`
	if err := conn.QueryRow(t.Context(), asked).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d roles have a password, %v", n, err)
	}
}

// settings are those of the replicas, except for the addresses of other servers.
func (c *composed) settings(t *testing.T, database string) []string {
	t.Helper()
	_, block, _ := strings.Cut(c.text, "\nx-serve: &serve\n")
	block, _, _ = strings.Cut(block, "\n\n")
	env := os.Environ()
	for _, m := range regexp.MustCompile(`(?m)^  (SNEAKERDROP_\w+): (.*)$`).FindAllStringSubmatch(block, -1) {
		switch name, value := m[1], strings.Trim(m[2], `"`); name {
		case "SNEAKERDROP_DATABASE":
			env = append(env, name+"="+database)
		case "SNEAKERDROP_JWT_SECRET":
			env = append(env, name+"="+secretOfCompose)
		case "SNEAKERDROP_TRUSTED_PROXY":
			env = append(env, name+"=127.0.0.0/8")
		case "SNEAKERDROP_NATS": // internal/bus has its own tests
		default:
			env = append(env, name+"="+value)
		}
	}
	if !slices.Contains(env, "SNEAKERDROP_JWT_AUDIENCE=shop") {
		t.Fatal("the settings of the replicas were not found")
	}
	return env
}

// proxy starts HAProxy with deploy/haproxy.cfg, except for its own address and those of the replicas. It returns its
// address once it answers.
func proxy(t *testing.T, haproxy string, replicas []*server) string {
	t.Helper()
	text, err := os.ReadFile("../deploy/haproxy.cfg")
	if err != nil {
		t.Fatal(err)
	}
	own := pgtest.Loopback() // on which its ports are free
	moved := []string{"bind :", "bind " + own + ":"}
	for i, s := range replicas {
		moved = append(moved, fmt.Sprintf(" app%d:3000", i+1), " "+strings.TrimPrefix(s.url, "http://"), fmt.Sprintf(" db%d:5432", i+1), " 127.0.0.1:9")
	}
	config := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(config, []byte(strings.NewReplacer(moved...).Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "HAPROXY_INTERNAL="+own)
	if out := said(t, env, haproxy, "-c", "-f", config); strings.Contains(out, "WARNING") {
		t.Error(out)
	}
	c := exec.Command(haproxy, "-db", "-f", config)
	c.Env = env
	var log lockedBuffer
	c.Stdout, c.Stderr, c.SysProcAttr = &log, &log, &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	front := net.JoinHostPort(own, "3000")
	if err := poll(t.Context(), func() error {
		conn, err := net.Dial("tcp", front)
		if err != nil {
			return err
		}
		return conn.Close()
	}); err != nil {
		t.Fatal(err)
	}
	return "http://" + front
}

// keepToOneReplica opens Socket.IO sessions by long-polling. All requests of a session must reach one replica: a
// browser's by its cookie, another client's by its address.
func keepToOneReplica(t *testing.T, front string) {
	t.Helper()
	for _, keeps := range []bool{true, false} {
		var cookie string
		ask := func(method, query, body string) (string, error) {
			req, err := http.NewRequestWithContext(t.Context(), method, front+"/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
			if err != nil {
				return "", err
			}
			if keeps && cookie != "" {
				req.Header.Set("Cookie", cookie)
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return "", err
			}
			defer res.Body.Close()
			if c := res.Header.Get("Set-Cookie"); c != "" {
				cookie, _, _ = strings.Cut(c, ";")
			}
			answer, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK {
				return "", errors.Join(err, fmt.Errorf("%d %s", res.StatusCode, answer))
			}
			return string(answer), nil
		}
		opened, err := ask(http.MethodGet, "", "")
		sid := regexp.MustCompile(`"sid":"([^"]+)"`).FindStringSubmatch(opened)
		if err != nil || sid == nil {
			t.Fatalf("handshake: %s %v", opened, err)
		}
		if answer, err := ask(http.MethodPost, "&sid="+sid[1], "40"); err != nil || answer != "ok" {
			t.Errorf("connect, cookie %t: %s %v", keeps, answer, err)
		}
		if answer, err := ask(http.MethodGet, "&sid="+sid[1], ""); err != nil || !strings.HasPrefix(answer, "40{") {
			t.Errorf("poll, cookie %t: %s %v", keeps, answer, err)
		}
		if !strings.HasPrefix(cookie, "SNEAKERDROP_REPLICA=app") {
			t.Errorf("the cookie is %q", cookie)
		}
	}
}
