// Command zishang does the same as bench/sockets/node/server.js, with a Go server for Socket.IO 5:
// github.com/zishang520/socket.io. It prints "listening PORT". Then it does what each line on standard input says,
// and answers with one line of JSON.
//
// It is a module of its own, so that the program does not depend on what only this comparison needs.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
	"golang.org/x/sys/unix"
)

func main() {
	io := socket.NewServer(nil, nil)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	web := &http.Server{Handler: io.ServeHandler(nil), ReadHeaderTimeout: 10 * time.Second}
	go func() { log.Fatal(web.Serve(listener)) }()
	fmt.Fprintf(os.Stdout, "listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	out := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var answer any
		switch command, rest, _ := strings.Cut(lines.Text(), " "); command {
		case "broadcast":
			var count, drops int
			var ms float64
			if _, err := fmt.Sscan(rest, &count, &ms, &drops); err != nil {
				log.Fatal(err)
			}
			broadcast(io, count, time.Duration(ms*float64(time.Millisecond)), drops)
		case "collect":
			debug.FreeOSMemory()
		case "connections":
			answer = io.Engine().ClientsCount()
		default:
			log.Fatalf("no such command: %s", command)
		}
		if err := out.Encode(answer); err != nil {
			log.Fatal(err)
		}
	}
}

// update has its fields in the order in which the clients read them.
type update struct {
	DropID    int    `json:"dropId"`
	Available int64  `json:"available_stock"`
	Reason    string `json:"reason"`
	Version   int64  `json:"version"`
	At        int64  `json:"at"` // µs on the machine's monotonic clock
}

var version int64

// broadcast sends one update of each drop, count times, with one period between rounds. After a delay it catches up
// by at most 16 rounds at a time, as the other servers do.
func broadcast(io *socket.Server, count int, period time.Duration, drops int) {
	start := time.Now()
	for sent := 0; sent < count; {
		time.Sleep(time.Until(start.Add(time.Duration(sent) * period)))
		for due := min(count, int(time.Since(start)/period)+1, sent+16); sent < due; sent++ {
			for d := range drops {
				version++
				io.Emit("stock_update", update{d + 1, version % 1000, "reserved", version, monotonic()})
			}
		}
	}
}

func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		log.Fatal(err)
	}
	return t.Nano() / 1000
}
