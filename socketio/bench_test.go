package socketio_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
	"sneakerdrop/socketio/internal/wire"
)

// Clients of a benchmark live in a process of their own, which is this test binary again, so that neither their
// memory nor their time is counted with the server's.
const crowdVariable = "SOCKETIO_CROWD" // "<url> <number>"

func TestMain(m *testing.M) {
	if crowd := os.Getenv(crowdVariable); crowd != "" {
		if err := beCrowd(crowd); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// beCrowd connects, reads whatever comes, and stays until its standard input is closed.
func beCrowd(crowd string) error {
	var url string
	var n int
	if _, err := fmt.Sscan(crowd, &url, &n); err != nil {
		return err
	}
	var wait sync.WaitGroup
	for range n {
		ws, err := wire.Dial(url, nil)
		if err != nil {
			return err
		}
		if err := ws.Send("40"); err != nil {
			return err
		}
		wait.Go(func() {
			_, _ = io.Copy(io.Discard, bufio.NewReaderSize(ws.Conn, 512))
		})
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	return nil
}

// crowd starts a server and connects n clients to it.
func crowd(b *testing.B, n int) *socketio.Server {
	b.Helper()
	server := socketio.New(socketio.Options{Options: engineio.Options{HandshakesPerSecond: -1, HandshakesPerSecondPerAddress: -1, MaxConnectionsPerAddress: -1, PingInterval: time.Hour}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	web := &http.Server{Handler: server}
	go func() { _ = web.Serve(listener) }()
	exe, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	clients := exec.CommandContext(b.Context(), exe)
	url := "http://" + listener.Addr().String() + "/socket.io/?EIO=4&transport=websocket"
	clients.Env = append(os.Environ(), crowdVariable+"="+url+" "+strconv.Itoa(n))
	clients.Stderr = os.Stderr
	in, err := clients.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := clients.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = clients.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the benchmark's own is over
		defer cancel()
		if err := server.Close(ctx); err != nil {
			b.Error(err)
		}
		_ = web.Close()
	})
	for deadline := time.Now().Add(time.Minute); server.Stats().Sockets < int64(n); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.Fatalf("%d of %d connected", server.Stats().Sockets, n)
		}
	}
	return server
}

// resident is this process's memory, in KiB.
func resident(b *testing.B) float64 {
	b.Helper()
	debug.FreeOSMemory()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("needs /proc")
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kib
}

// BenchmarkIdle says how much memory an idle WebSocket takes at 5,000.
func BenchmarkIdle(b *testing.B) {
	const clients = 5000
	before := resident(b)
	crowd(b, clients)
	for b.Loop() {
		b.ReportMetric((resident(b)-before)/clients, "KiB/conn")
	}
}

// BenchmarkBroadcast says how much of this process's time a message takes, by how many go out in one write.
func BenchmarkBroadcast(b *testing.B) {
	const clients = 5000
	server := crowd(b, clients)
	for _, size := range []int{1, 5, 20} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			begun, sent := processTime(b), 0
			for b.Loop() {
				var messages []*socketio.Message
				for i := range size {
					m, err := socketio.NewMessage("stock_update", map[string]any{
						"dropId": i, "available_stock": 12345, "reason": "reserved", "version": 123456789,
					})
					if err != nil {
						b.Fatal(err)
					}
					m.Replace = strconv.Itoa(i)
					messages = append(messages, m)
				}
				sent += size * server.Of("/").Broadcast("", messages)
			}
			b.ReportMetric(float64((processTime(b)-begun).Nanoseconds())/1e3/float64(sent), "cpu-µs/msg")
			b.ReportMetric(float64(sent)/b.Elapsed().Seconds(), "msg/s")
		})
	}
	if n := server.Stats(); n.Sockets != clients {
		b.Errorf("clients were cut: %v", n.Closed)
	}
}

func processTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
