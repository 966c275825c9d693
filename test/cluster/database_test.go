//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/testing/pgtest"
)

// member is a PostgreSQL server and its Patroni.
type member struct {
	*machine

	patroni *program
}

// newMember prepares a member; patroni starts it.
func (c *cluster) newMember(t testing.TB, name string) *member {
	t.Helper()
	m := &member{machine: c.network.plug(t, name)}
	dir := c.folder(t, name, 0o700)
	text := strings.ReplaceAll(c.shipped(t, "patroni.yaml"), "db1", name)
	text = c.addressed(text)
	for from, to := range map[string]string{
		"/var/lib/postgresql/15/shop": filepath.Join(dir, "data"), "/usr/lib/postgresql/15/bin": c.postgres,
		"/var/lib/postgresql/.pgpass-patroni": filepath.Join(dir, "pgpass"), "/var/run/postgresql": dir, "name: " + m.address: "name: " + name,
		"samenet": "all", // also for addresses that are not on an interface
	} {
		text = strings.ReplaceAll(text, from, to)
	}
	file := filepath.Join(dir, "patroni.yaml")
	must(t, os.WriteFile(file, []byte(text), 0o644))
	m.patroni = c.program(m.machine, dir, "/usr/bin/python3", "/usr/bin/patroni", file)
	return m
}

func (m *member) data() string { return filepath.Join(m.patroni.dir, "data") }

// postmaster is the number of PostgreSQL's first process, 0 if there is none. Patroni has given it a session of its
// own.
func (m *member) postmaster() int {
	text, err := os.ReadFile(filepath.Join(m.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		return 0
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.Contains(string(command), m.data()) {
		return 0
	}
	return pid
}

// send sends PostgreSQL and all its sessions a signal.
func (m *member) send(s syscall.Signal) {
	if parent := m.postmaster(); parent != 0 {
		for _, pid := range pgtest.Family(parent) {
			_ = syscall.Kill(pid, s) // it may have ended by itself
		}
	}
}

// session connects to the server itself, bypassing everything else.
func (m *member) session(ctx context.Context, database string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, m.url("postgres", database)+"&connect_timeout=1")
}

func (m *member) url(user, database string) string {
	return fmt.Sprintf("postgres://%s:change-me@%s/%s?sslmode=disable", user, m.at(5432), database)
}

// leader asks Patroni which member is the leader, and which would be next; "" for none.
func (c *cluster) leader(ctx context.Context) (leader, next string) {
	for _, m := range c.members {
		var seen struct {
			Members []struct{ Name, Role, State string }
		}
		if get(ctx, "http://"+m.at(8008)+"/cluster", &seen) != nil {
			continue
		}
		for _, other := range seen.Members {
			switch {
			case other.Role == "leader" && other.State == "running":
				leader = other.Name
			case other.Role == "sync_standby":
				next = other.Name
			}
		}
		return leader, next
	}
	return "", ""
}

// roles are the members by their current roles: the primary, its synchronous standby, and the other one.
type roles struct{ primary, standby, other *member }

// roles asks Patroni and the primary. An error says that one of them is missing.
func (c *cluster) roles(ctx context.Context) (r roles, err error) {
	name, next := c.leader(ctx)
	if r.primary = c.members[name]; r.primary == nil {
		return r, errors.New("Patroni knows of no primary")
	}
	conn, err := r.primary.session(ctx, "postgres")
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT application_name, sync_state FROM pg_stat_replication WHERE state = 'streaming'`)
	if err != nil {
		return r, err
	}
	streaming, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Name, State string }])
	for _, s := range streaming {
		if s.State == "sync" && c.members[s.Name] != nil {
			r.standby = c.members[s.Name]
		} else if c.members[s.Name] != nil {
			r.other = c.members[s.Name]
		}
	}
	if err == nil && (r.standby == nil || r.other == nil || r.standby.name != next) {
		err = fmt.Errorf("%s streams to %v, and Patroni has %q in the second place", name, streaming, next)
	}
	return r, err
}

// switchover makes another member the primary, like before maintenance.
func (c *cluster) switchover(from *member) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	body := strings.NewReader(fmt.Sprintf(`{"leader":%q}`, from.name))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+from.at(8008)+"/switchover", body)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("switchover: %d %s", resp.StatusCode, said)
	}
	return err
}

// get decodes an address's answer if the status is 200; nil: the content does not matter.
func get(ctx context.Context, address string, into any) error {
	text, err := fetch(ctx, address)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// fetch returns what an address answers with 200.
func fetch(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := once.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d %.200s", address, resp.StatusCode, text)
	}
	return text, err
}

// once keeps no connection, because nobody knows whether a kept one still works.
var once = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
