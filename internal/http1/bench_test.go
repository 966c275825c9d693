package http1

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkServe measures what a plain request costs client and server together over loopback: one at a time, 16
// pipelined, and long answers that are written at once. The control is net/http alone.
func BenchmarkServe(b *testing.B) {
	small, long := bytes.Repeat([]byte("a"), 300), bytes.Repeat([]byte("b"), 200<<10)
	handler := func(w http.ResponseWriter, r *http.Request) {
		text := small
		if r.URL.Path == "/long" {
			text = long
		}
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(text))}
		_, _ = w.Write(text)
	}
	ours, bare := New(rest(handler), func(string) bool { return true }, Bounds{}), rest(handler)
	for _, server := range []struct {
		name  string
		serve func(net.Listener) error
		close func() error
	}{{"http1", ours.Serve, ours.Close}, {"nethttp", bare.Serve, bare.Close}} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		go func() { _ = server.serve(l) }()
		for _, load := range []struct {
			name, path string
			pipelined  int
		}{{"single", "/", 1}, {"pipelined", "/", 16}, {"long", "/long", 1}} {
			b.Run(server.name+"/"+load.name, func(b *testing.B) { ask(b, l.Addr().String(), load.path, load.pipelined) })
		}
		_ = server.close()
	}
}

func ask(b *testing.B, address, path string, pipelined int) {
	b.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	asked := []byte(strings.Repeat(request("POST", path, "Content-Type: application/json\r\nUser-Agent: bench\r\n", `{"dropId":1,"userId":2}`), pipelined))
	in := bufio.NewReaderSize(c, 256<<10)
	b.ReportAllocs()
	for n := 0; n < b.N; n += pipelined {
		if _, err := c.Write(asked); err != nil {
			b.Fatal(err)
		}
		for range pipelined {
			length := 0
			for {
				line, err := in.ReadSlice('\n')
				if err != nil {
					b.Fatal(err)
				}
				if value, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
					length, _ = strconv.Atoi(strings.TrimSpace(value))
				}
				if len(line) == 2 {
					break
				}
			}
			if _, err := in.Discard(length); err != nil {
				b.Fatal(err)
			}
		}
	}
}
