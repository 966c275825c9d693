package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// childVariable makes this test binary start a cluster, report it, and hang.
const childVariable = "SNEAKERDROP_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		hang()
	}
	os.Exit(Main(m))
}

func hang() {
	c, err := startCluster()
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	fmt.Println("pid", c.process.Pid)
	select {}
}

func TestCluster_EndsWithAKilledTestProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Logf("only Linux ends a killed parent's children; nothing to prove on %s", runtime.GOOS)
		return
	}
	shared.need(t)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childVariable+"=1")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscanf(line, "pid %d", &pid); err != nil {
		t.Fatalf("the child said %q", line)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	for deadline := time.Now().Add(patience); !ended(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("server %d lives on", pid)
		}
	}
	sweep()
}

// ended reports whether a process is gone or only waits for its parent to collect its status.
func ended(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestDatabase_IsEmptyAndOfItsOwn(t *testing.T) {
	urls := []string{Database(t), Database(t)}
	for _, url := range urls {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if _, err := conn.Exec(t.Context(), `CREATE TABLE mine (id int)`); err != nil {
			t.Errorf("in %s: %v", url, err)
		}
	}
}

func TestMigrated_HasTheSchemaAndNoData(t *testing.T) {
	for range 2 {
		conn, err := pgx.Connect(t.Context(), Migrated(t))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		var n int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM sneakerdrop.drops`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d drops, %v", n, err)
		}
		if _, err := conn.Exec(t.Context(), `INSERT INTO sneakerdrop.users VALUES (1, 'ann', NULL, NULL, NULL, 1)`); err != nil {
			t.Error(err)
		}
	}
}
