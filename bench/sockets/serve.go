package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"sneakerdrop/socketio"
	"sneakerdrop/socketio/engineio"
)

// serve is node/server.js on package socketio: it prints "listening PORT", then does what each line on stdin says and
// answers with one line of JSON.
func serve() error {
	sockets := socketio.New(socketio.Options{Options: engineio.Options{HandshakesPerSecond: -1, HandshakesPerSecondPerAddress: -1, MaxConnectionsPerAddress: -1}})
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	web := &http.Server{Handler: sockets, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = web.Serve(listener) }()
	defer func() { _ = web.Close() }()

	fmt.Fprintf(os.Stdout, "listening %d\n", listener.Addr().(*net.TCPAddr).Port)
	b := &broadcaster{to: sockets.Of("/")}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		answer, err := b.obey(lines.Text())
		if err != nil {
			return fmt.Errorf("%s: %w", lines.Text(), err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
			return err
		}
	}
	return nil
}

type broadcaster struct {
	to      *socketio.Namespace
	version int64
}

func (b *broadcaster) obey(line string) (answer any, err error) {
	switch command, rest, _ := strings.Cut(line, " "); command {
	case "broadcast":
		var count, drops int
		var ms float64
		if _, err := fmt.Sscan(rest, &count, &ms, &drops); err != nil {
			return nil, err
		}
		return nil, b.broadcast(count, time.Duration(ms*float64(time.Millisecond)), drops)
	case "collect":
		debug.FreeOSMemory()
		return nil, nil
	case "connections":
		return b.to.Len(""), nil
	}
	return nil, errors.New("no such command")
}

// broadcast sends one update of each drop, count times, one every period. After a delay it catches up by at most 16
// at a time, as the other server does.
func (b *broadcaster) broadcast(count int, period time.Duration, drops int) error {
	start := time.Now()
	for sent := 0; sent < count; {
		time.Sleep(time.Until(start.Add(time.Duration(sent) * period)))
		for due := min(count, int(time.Since(start)/period)+1, sent+16); sent < due; sent++ {
			messages := make([]*socketio.Message, drops)
			for i := range messages {
				var err error
				if messages[i], err = b.update(i + 1); err != nil {
					return err
				}
			}
			b.to.Broadcast("", messages)
		}
	}
	return nil
}

type update struct {
	DropID    int    `json:"dropId"`
	Available int64  `json:"available_stock"`
	Reason    string `json:"reason"`
	Version   int64  `json:"version"`
	At        int64  `json:"at"` // µs of the machine's monotonic clock
}

func (b *broadcaster) update(dropID int) (*socketio.Message, error) {
	b.version++
	return socketio.NewMessage("stock_update", update{dropID, b.version % 1000, "reserved", b.version, monotonic()})
}
