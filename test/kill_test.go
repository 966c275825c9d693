//go:build linux

package test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sneakerdrop/internal/testing/pgtest"
)

// The server is killed under load, at random and at the most sensitive moments. Everything that it answered is there
// afterwards, in consistent records, and is answered again.
func TestKill_NothingAnsweredIsLost(t *testing.T) {
	t.Parallel()
	seed := seedOf(t)
	t.Run("SQLite", func(t *testing.T) { t.Parallel(); newSQLiteKiller(t, seed).run(10) })
	t.Run("PostgreSQL", func(t *testing.T) { t.Parallel(); newPostgresKiller(t, seed).run(10) })
}

// killer ends the server of a traffic again and again.
type killer struct {
	*traffic

	rnd     *rand.Rand
	deaths  []death
	slowest time.Duration // from the start of a server until it was ready
	kills   map[string]int
	verify  func() // looks after each restart whether everything is right (default check)
}

// death is a moment at which the server is killed. reach calls kill at that moment; false means that it never came.
type death struct {
	name  string
	reach func(kill func()) bool
}

func newKiller(tr *traffic) *killer {
	k := &killer{traffic: tr, rnd: rand.New(rand.NewPCG(tr.seed, 0)), kills: make(map[string]int)}
	k.verify = k.check
	k.deaths = []death{
		{"at random", func(kill func()) bool { kill(); return true }},
		{"at an answer", k.atAnAnswer},
		{"while starting", k.whileStarting},
	}
	return k
}

func newSQLiteKiller(t *testing.T, seed uint64, args ...string) *killer {
	k := newKiller(newTraffic(t, seed, "sqlite:shop.db", "sqlite:shop.db", args...))
	log := death{"in a write to the log", func(kill func()) bool { return k.atWrite("shop.db-wal", 1+k.rnd.IntN(40), kill) }}
	k.deaths = append(k.deaths, log, log,
		death{"in a checkpoint", func(kill func()) bool { return k.atWrite("shop.db", 1+k.rnd.IntN(200), kill) }})
	return k
}

func newPostgresKiller(t *testing.T, seed uint64, args ...string) *killer {
	direct := pgtest.Database(t)
	proxy, through := pgtest.NewProxy(t, direct)
	k := newKiller(newTraffic(t, seed, through, direct, args...))
	for _, m := range []pgtest.Moment{pgtest.BeforeCommit, pgtest.AtCommit, pgtest.AfterCommit} {
		k.deaths = append(k.deaths, death{m.String(), func(kill func()) bool {
			return k.reached(func(here func()) {
				proxy.Next(m, func(*pgtest.Line) {
					time.Sleep(k.upTo(10 * time.Millisecond)) // for an answer that does not wait for its commit
					kill()
					here()
				})
			}, func() { proxy.Next(m, nil) })
		}})
	}
	return k
}

// run repeats load, death, restart and check. Every moment has its turn.
func (k *killer) run(cycles int) {
	k.t.Helper()
	began := time.Now()
	var turn []death
	for range cycles {
		if len(turn) == 0 {
			turn = slices.Clone(k.deaths)
			k.rnd.Shuffle(len(turn), func(i, j int) { turn[i], turn[j] = turn[j], turn[i] })
		}
		k.cycle(turn[0])
		turn = turn[1:]
	}
	k.t.Logf("%d kills in %s: %s; slowest start %s; %s; lost 0, sold twice 0, unresolved 0", cycles,
		time.Since(began).Round(time.Millisecond), list(k.kills), k.slowest.Round(time.Millisecond), k.report())
}

func list(counts map[string]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprint(name, " ", counts[name]))
	}
	return strings.Join(all, ", ")
}

func (k *killer) cycle(m death) {
	k.t.Helper()
	k.resume()
	time.Sleep(k.upTo(250 * time.Millisecond)) // at any time during the load
	kill := sync.OnceFunc(k.server.kill)
	if !m.reach(kill) {
		m.name = "at random"
	}
	kill()
	k.kills[m.name]++
	// With short holds, many end while no server runs.
	k.slowest = max(k.slowest, k.start([]string{"1h", "1s", "100ms"}[k.rnd.IntN(3)]))
	k.pause()
	k.verify()
	if k.rnd.IntN(3) == 0 {
		k.awaitEnds()
		k.verify()
	}
}

func (k *killer) upTo(d time.Duration) time.Duration { return time.Duration(k.rnd.Int64N(int64(d))) }

// reached sets a trap and waits until it is triggered. After 5 s it removes the trap.
func (k *killer) reached(set func(here func()), takeBack func()) bool {
	there := make(chan struct{})
	set(sync.OnceFunc(func() { close(there) }))
	select {
	case <-there:
		return true
	case <-time.After(5 * time.Second):
		takeBack()
		return false
	}
}

// atAnAnswer kills the server at the very moment at which a client has read an answer.
func (k *killer) atAnAnswer(kill func()) bool {
	return k.reached(func(here func()) {
		k.answered.Store(new(func() { kill(); k.answered.Store(nil); here() }))
	}, func() { k.answered.Store(nil) })
}

// whileStarting kills the server, and the next one before it is ready.
func (k *killer) whileStarting(kill func()) bool {
	kill()
	next := exec.Command("sneakerdrop", append([]string{"serve"}, k.args...)...)
	next.Dir = k.dir
	if err := next.Start(); err != nil {
		k.t.Error(err)
		return false
	}
	time.Sleep(k.upTo(60 * time.Millisecond))
	_ = next.Process.Kill()
	_ = next.Wait()
	return true
}

// atWrite kills the server as soon as it begins the n-th write to a file from now on, or up to 1 ms later.
func (k *killer) atWrite(name string, n int, kill func()) bool {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		k.t.Fatal(err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	defer events.Close()
	if _, err := unix.InotifyAddWatch(fd, filepath.Join(k.dir, name), unix.IN_MODIFY); err != nil {
		k.t.Fatal(err)
	}
	if err := events.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		k.t.Fatal(err)
	}
	wait := time.Duration(k.rnd.Int64N(2)) * k.upTo(time.Millisecond)
	buffer := make([]byte, 64*unix.SizeofInotifyEvent)
	for n > 0 {
		read, err := events.Read(buffer)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		if err != nil {
			k.t.Fatal(err)
		}
		n -= read / unix.SizeofInotifyEvent // a watch on a single file gives no names
	}
	for end := time.Now().Add(wait); time.Now().Before(end); {
		runtime.Gosched() // a sleep takes longer than requested
	}
	kill()
	return true
}
