package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"sneakerdrop/internal/testing/client"
	"sneakerdrop/internal/testing/pgtest"
)

// documented returns the commands that a document has under a heading, block by block.
func documented(t *testing.T, document, heading, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../docs/" + document)
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/%s has no heading %q", document, heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var block []string
	inside, indent := false, ""
	for line := range strings.Lines(section) {
		line = strings.TrimSuffix(line, "\n")
		opening, marks := strings.CutSuffix(line, "```"+language)
		switch {
		case !inside && marks && strings.TrimSpace(opening) == "":
			inside, indent, block = true, opening, nil
		case inside && strings.TrimSpace(line) == "```":
			inside, blocks = false, append(blocks, strings.Join(block, "\n"))
		case inside:
			block = append(block, strings.TrimPrefix(line, indent))
		}
	}
	if len(blocks) == 0 {
		t.Fatalf("docs/%s has no block of %s below %q", document, language, heading)
	}
	return blocks
}

func runAll(t *testing.T, cmd *exec.Cmd, env ...string) {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Args, err, out)
	}
}

// market is a few buyers who buy one pair after another.
type market struct {
	url    string
	stop   context.CancelFunc
	buyers sync.WaitGroup
	user   atomic.Int64

	mu   sync.Mutex
	sold []int64 // the acknowledged purchases
}

const marketBuyers = 4

func openMarket(t *testing.T, url string) *market {
	t.Helper()
	mustPost(t, url+"/api/drops/create", `{"name":"Air","price":1,"total_stock":1000000,"start_time":"2020-01-01T00:00:00Z"}`)
	ctx, stop := context.WithCancel(context.Background())
	m := &market{url: url, stop: stop}
	for range marketBuyers {
		m.buyers.Go(func() {
			for ctx.Err() == nil {
				m.buy(ctx)
			}
		})
	}
	t.Cleanup(m.close)
	return m
}

func (m *market) close() {
	m.stop()
	m.buyers.Wait()
}

func (m *market) buy(ctx context.Context) {
	held, err := trade(ctx, m.url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":1,"userId":%d}`, m.user.Add(1)))
	if err != nil {
		return
	}
	bought, err := trade(ctx, m.url+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID))
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sold = append(m.sold, bought.Purchase.ID)
}

type sale struct {
	ID       int64
	Purchase struct{ ID int64 }
}

func trade(ctx context.Context, address, body string) (s sale, err error) {
	answer, err := client.Call{URL: address, Body: body}.Text(ctx, http.DefaultClient)
	text, sold := strings.CutPrefix(answer, "200 ")
	if err == nil && !sold {
		err = errors.New(answer)
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal([]byte(text), &s)
}

func (m *market) acknowledged() []int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sold)
}

// more waits until that many more are sold.
func (m *market) more(t *testing.T, n int) {
	t.Helper()
	want := len(m.acknowledged()) + n
	if err := poll(t.Context(), func() error {
		if got := len(m.acknowledged()); got < want {
			return fmt.Errorf("%d sold, want %d", got, want)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// wantSold checks that a restored shop has the purchases, and continues to buy.
func wantSold(t *testing.T, shop string, want []int64) {
	t.Helper()
	there := make(map[int64]bool)
	for after := int64(0); ; {
		status, body := get(t, fmt.Sprintf("%s/api/drops/1/purchases?limit=1000&after=%d", shop, after))
		var page struct {
			Purchases []struct{ ID int64 }
			Next      *int64
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		for _, p := range page.Purchases {
			there[p.ID] = true
		}
		if page.Next == nil {
			break
		}
		after = *page.Next
	}
	lost := 0
	for _, id := range want {
		if !there[id] {
			lost++
		}
	}
	t.Logf("%d purchases are there, of %d that have to be", len(there), len(want))
	if lost > 0 || len(want) == 0 {
		t.Errorf("%d of %d acknowledged purchases are lost", lost, len(want))
	}
	held, err := trade(t.Context(), shop+"/api/drops/reserve", `{"dropId":1,"userId":7}`)
	if err == nil {
		_, err = trade(t.Context(), shop+"/api/drops/purchase", fmt.Sprintf(`{"reservationId":%d}`, held.ID))
	}
	if err != nil {
		t.Errorf("the restored shop does not sell: %v", err)
	}
}

func TestBackup_SQLite(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sqlite3"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("no sqlite3; make deps installs it")
	}
	dir := t.TempDir()
	s := startFor(t, dir, "--hold=1h")
	m := openMarket(t, s.url)
	m.more(t, 50)
	before := m.acknowledged()
	shell := func(heading string) {
		t.Helper()
		for _, block := range documented(t, "howto/backup.md", heading, "sh") {
			cmd := exec.Command("sh", "-eu", "-c", block)
			cmd.Dir = dir
			runAll(t, cmd)
		}
	}
	shell("SQLite: back up")
	m.more(t, 50) // the shop continues to sell
	m.close()
	if _, err := s.stop(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	shell("SQLite: restore")
	if _, err := os.Stat(filepath.Join(dir, "broken", "sneakerdrop.db")); err != nil {
		t.Error(err)
	}
	wantSold(t, startFor(t, dir).url, before)
}

func TestBackup_PostgreSQL(t *testing.T) {
	t.Parallel()
	shop := pgtest.Database(t)
	backup, restored := pgtest.Dir(t), pgtest.Dir(t)
	env := []string{"SHOP=" + shop, "BACKUP=" + backup, "DATA=" + filepath.Join(restored, "data")}
	blocks := documented(t, "howto/backup.md", "PostgreSQL: back up", "sh")
	if len(blocks) != 3 {
		t.Fatalf("%d blocks", len(blocks))
	}
	s := startFor(t, t.TempDir(), "--hold=1h", "--database="+shop)
	m := openMarket(t, s.url)
	runAll(t, pgtest.Shell(t, backup, blocks[0]), env...)
	t.Cleanup(func() { dropSlot(t, shop) })
	stopReceiving := service(t, pgtest.Shell(t, backup, blocks[1]), env...)
	m.more(t, 50)
	runAll(t, pgtest.Shell(t, backup, blocks[2]), env...)
	m.more(t, 50) // the shop continues to sell
	m.close()
	if _, err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	// The machine is lost as soon as the log of the last sale is received.
	if err := poll(t.Context(), func() error { return received(shop) }); err != nil {
		t.Fatal(err)
	}
	stopReceiving()

	for _, block := range documented(t, "howto/backup.md", "PostgreSQL: restore", "sh") {
		runAll(t, pgtest.Shell(t, restored, block), env...)
	}
	u, err := url.Parse(shop)
	if err != nil {
		t.Fatal(err)
	}
	again := pgtest.Serve(t, restored, strings.TrimPrefix(u.Path, "/"))
	if err := poll(t.Context(), func() error {
		return ask(again, `SELECT NOT pg_is_in_recovery()`, "the log is being replayed")
	}); err != nil {
		t.Fatal(err)
	}
	runAll(t, exec.Command("sneakerdrop", "audit", "--database="+again))
	wantSold(t, startFor(t, t.TempDir(), "--database="+again).url, m.acknowledged())
}

// service runs a command until stop, or the end of the test.
func service(t *testing.T, cmd *exec.Cmd, env ...string) (stop func()) {
	t.Helper()
	cmd.Env = append(cmd.Env, env...)
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // see pgtest.Shell
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		<-done
	})
	t.Cleanup(stop)
	return stop
}

// ask checks that a query returns true.
func ask(database, query, otherwise string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var yes bool
	if err := conn.QueryRow(ctx, query).Scan(&yes); err != nil {
		return err
	}
	if !yes {
		return fmt.Errorf("%s", otherwise)
	}
	return nil
}

func received(database string) error {
	return ask(database, `SELECT coalesce(bool_and(restart_lsn >= pg_current_wal_flush_lsn()), false) FROM pg_replication_slots WHERE slot_name = 'sneakerdrop'`,
		"not all of the log is received")
}

// dropSlot drops the replication slot, which would make the tests' cluster keep its log forever.
func dropSlot(t *testing.T, database string) {
	t.Helper()
	if err := poll(context.WithoutCancel(t.Context()), func() error {
		return ask(database, `SELECT count(pg_drop_replication_slot(slot_name)) >= 0 FROM pg_replication_slots WHERE slot_name = 'sneakerdrop'`, "")
	}); err != nil {
		t.Error(err)
	}
}

// TestRepair_CountersFromRows runs the documented repair of a drop whose counters were changed by hand.
func TestRepair_CountersFromRows(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { repair(t, "sqlite:"+filepath.Join(t.TempDir(), "shop.db")) })
	t.Run("PostgreSQL", func(t *testing.T) { repair(t, pgtest.Database(t)) })
}

func repair(t *testing.T, database string) {
	blocks := documented(t, "howto/backup.md", "When an audit finds discrepancies", "sql")
	if len(blocks) != 1 {
		t.Fatalf("%d blocks", len(blocks))
	}
	s := startFor(t, t.TempDir(), "--hold=1h", "--database="+database)
	for _, stock := range []string{`"total_stock":9`, `"sizes":[{"size":"9","stock":4},{"size":"10","stock":4}]`} {
		mustPost(t, s.url+"/api/drops/create", `{"name":"Air","price":1,"start_time":"2020-01-01T00:00:00Z",`+stock+`}`)
	}
	for _, body := range []string{
		`{"dropId":1,"userId":1}`, `{"dropId":1,"userId":2,"size":"a note"}`, `{"dropId":1,"userId":3}`, `{"dropId":2,"userId":1,"size":"9"}`, `{"dropId":2,"userId":2,"size":"10"}`,
	} {
		mustPost(t, s.url+"/api/drops/reserve", body)
	}
	mustPost(t, s.url+"/api/drops/purchase", `{"reservationId":4294967298}`)
	mustPost(t, s.url+"/api/drops/cancel", `{"reservationId":4294967299}`)
	if _, err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	audit := func() error {
		out, err := exec.Command("sneakerdrop", "audit", "--database="+database).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	if err := audit(); err != nil {
		t.Fatal(err)
	}
	execute(t, database, `UPDATE sizes SET held = held + 1, available = available - 1`)
	if audit() == nil {
		t.Fatal("the audit does not see the damage")
	}
	for _, drop := range []string{"1", "2"} {
		execute(t, database, strings.Replace(blocks[0], "drop_id = 7", "drop_id = "+drop, 1))
	}
	if err := audit(); err != nil {
		t.Error(err)
	}
}

// execute runs SQL in a database that no server uses, bypassing the program.
func execute(t *testing.T, database, statement string) {
	t.Helper()
	file, ok := strings.CutPrefix(database, "sqlite:")
	if !ok {
		if err := runSQL(database, "SET search_path = sneakerdrop; "+statement); err != nil {
			t.Fatal(err)
		}
		return
	}
	conn, err := sqlite.OpenConn(file)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := sqlitex.ExecuteScript(conn, statement, nil); err != nil {
		t.Fatal(err)
	}
}
