package test

import (
	"context"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
)

// If asked to, a start waits for a database or role that does not exist yet, and uses it once it is there.
func TestServe_WaitsForADatabaseThatIsYetToBeMade(t *testing.T) {
	t.Parallel()
	admin := pgtest.Database(t)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	name := strings.TrimPrefix(u.Path, "/") + "_later"
	u.Path, u.User = "/"+name, url.User(name+"_role")
	run := func(sql string) {
		t.Helper()
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	addr := pgtest.Loopback() + ":3000"
	server := exec.CommandContext(t.Context(), "sneakerdrop", "serve", "--insecure", "--addr="+addr, "--wait-for-database=5m", "--database="+u.String())
	server.Dir = t.TempDir()
	var log strings.Builder
	server.Stderr = &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		run(`DROP DATABASE IF EXISTS ` + name + ` WITH (FORCE)`)
		run(`DROP ROLE IF EXISTS ` + name + `_role`)
		if t.Failed() {
			t.Log(log.String())
		}
	}()
	await := func(path string, status int, text string) {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			got, body, _ := client.Call{URL: "http://" + addr + path}.Do(t.Context(), http.DefaultClient)
			if got == status && strings.Contains(body, text) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d %s, want %d %s", path, got, body, status, text)
			}
		}
	}
	await("/readyz", http.StatusServiceUnavailable, "does not exist")
	await("/livez", http.StatusOK, "ok")
	run(`CREATE ROLE ` + name + `_role LOGIN`)
	await("/readyz", http.StatusServiceUnavailable, `database \"`+name+`\" does not exist`)
	run(`CREATE DATABASE ` + name + ` OWNER ` + name + `_role`)
	await("/readyz", http.StatusOK, "ready")
	await("/api/drops", http.StatusOK, "[]")
}
