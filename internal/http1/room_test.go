package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sneakerdrop/internal/testing/await"
)

// bounded serves h with limits, both ways, and returns the addresses.
func bounded(t *testing.T, h http.HandlerFunc, b Bounds) (s *Server, plain, secured string) {
	t.Helper()
	r := rest(h)
	r.Protocols = new(http.Protocols)
	r.Protocols.SetHTTP1(true)
	r.Protocols.SetUnencryptedHTTP2(true)
	s = New(r, func(string) bool { return true }, b)
	plain = serve(t, s)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.ServeTLS(l, certificate(t)) })
	t.Cleanup(func() {
		_ = s.Close()
		serving.Wait()
	})
	return s, plain, l.Addr().String()
}

// answered reports whether a request on a new connection is answered.
func answered(t *testing.T, w way, address string) error {
	t.Helper()
	c := dialSmall(t, w, address)
	if _, err := io.WriteString(c, request("GET", "/", "", "")); err != nil {
		return err
	}
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return err
	}
	if a.StatusCode != http.StatusOK {
		return errors.New(a.Status)
	}
	return nil
}

// Connections that occupy a server without asking for anything are closed for new ones.
func TestRoom_WhoAsksNothingMakesRoom(t *testing.T) {
	const most = 20
	long := bytes.Repeat([]byte("a"), 4<<20)
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/long" {
			_, _ = w.Write(long)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}
	for name, says := range map[string]string{
		"silent":              "",
		"half a head":         "GET / HTTP/1.1\r\nHo",
		"half a body":         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345",
		"half a body, odd":    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345",
		"idle":                request("GET", "/", "", ""),
		"idle, odd":           request("GET", "/", "X: \xe9\r\n", ""),
		"not read":            request("GET", "/long", "", ""),
		"not read, odd":       request("GET", "/long", "X: \xe9\r\n", ""),
		"HTTP/2, begun":       "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"HTTP/2, idle":        streams("/", 0),
		"HTTP/2, not read":    streams("/long", 3),
		"HTTP/2, half a body": strings.Replace(streams("/", 1), "\x01\x05\x00", "\x01\x04\x00", 1),
	} {
		for _, w := range []way{{name: "plain"}, {name: "TLS", tls: true}} {
			if w.tls && name != "silent" {
				continue // it does not even shake hands
			}
			t.Run(name+"/"+w.name, func(t *testing.T) {
				s, address, secured := bounded(t, handler, Bounds{Connections: most})
				if w.tls {
					address = secured
				}
				for range most {
					c := dialSmall(t, way{}, address)
					if _, err := io.WriteString(c, says); err != nil {
						t.Fatal(err)
					}
				}
				await.Until(t, "all are there", func() bool { return s.counts.open.Load() == most })
				time.Sleep(2 * leastQuiet) // now they are quiet; less would do, because a newcomer waits for it
				for range 3 {
					if err := answered(t, w, address); err != nil {
						t.Fatal(err)
					}
				}
				if s.counts.made.Load() < 1 || s.counts.open.Load() > most {
					t.Errorf("%d made room, %d are open", s.counts.made.Load(), s.counts.open.Load())
				}
			})
		}
	}
}

// slowly answers when it is told to.
type slowly struct{ entered, leave chan struct{} }

func newSlowly() *slowly { return &slowly{make(chan struct{}, 100), make(chan struct{})} }

func (s *slowly) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/slow" {
		s.entered <- struct{}{}
		<-s.leave
	}
	_, _ = io.WriteString(w, "done")
}

// A connection whose request is being served is never closed for another. The newcomer waits.
func TestRoom_WhoIsServedKeepsItsPlace(t *testing.T) {
	for _, more := range []string{"", "X: \xe9\r\n"} {
		h := newSlowly()
		s, address, _ := bounded(t, h.ServeHTTP, Bounds{Connections: 2})
		var busy []net.Conn
		for range 2 {
			c := dial(t, address)
			_, _ = io.WriteString(c, request("GET", "/slow", more, ""))
			<-h.entered
			busy = append(busy, c)
		}
		time.Sleep(2 * leastQuiet)
		waits := make(chan error, 1)
		go func() { waits <- answered(t, way{}, address) }()
		select {
		case err := <-waits:
			t.Fatalf("a third was answered beside two at work: %v", err)
		case <-time.After(2 * lookAgain):
		}
		close(h.leave)
		for _, c := range busy {
			if a, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || a.StatusCode != http.StatusOK {
				t.Errorf("%q: one at work: %v, %v", more, a, err)
			}
		}
		if err := <-waits; err != nil || s.counts.refused.Load() != 0 {
			t.Errorf("%q: who waited: %v", more, err)
		}
	}
}

func dialFrom(t *testing.T, from, address string) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// One address gets a limited number of places. Further connections are closed at once, and cost nothing.
func TestRoom_OneAddressTakesSoManyPlaces(t *testing.T) {
	h := newSlowly()
	defer close(h.leave)
	var mu sync.Mutex
	told := make(map[netip.Addr]int)
	proxy := netip.MustParseAddr("127.0.0.9")
	s, address, _ := bounded(t, h.ServeHTTP, Bounds{
		Connections: 100, OfAddress: 5,
		Caller: func(a netip.Addr) netip.Addr {
			if a == proxy {
				return netip.Addr{}
			}
			return a
		},
		Refused: func(a netip.Addr) {
			mu.Lock()
			defer mu.Unlock()
			told[a]++
		},
	})
	work := func(from string) {
		_, _ = io.WriteString(dialFrom(t, from, address), request("GET", "/slow", "", ""))
		<-h.entered
	}
	for range 5 {
		work("127.0.0.1")
	}
	before := runtime.NumGoroutine()
	for i := range 200 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			continue // already closed
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil || isTimeout(err) {
			t.Fatalf("number %d over the bound: %d bytes, %v", i+1, n, err)
		}
		_ = c.Close()
	}
	await.Until(t, "their goroutines are gone", func() bool { return runtime.NumGoroutine() <= before+5 })
	for i := range 20 {
		work(proxy.String())
		work(fmt.Sprintf("127.0.1.%d", i+1))
	}
	mu.Lock()
	defer mu.Unlock()
	if n := told[netip.MustParseAddr("127.0.0.1")]; n != 200 || len(told) != 1 || s.counts.refused.Load() != 200 {
		t.Errorf("refused: %v", told)
	}
}

// An address with many quiet connections makes room for its own next one. So others behind the same address as an
// attacker still get in, and no other address is affected.
func TestRoom_OneAddressMakesRoomForItself(t *testing.T) {
	s, address, _ := bounded(t, newSlowly().ServeHTTP, Bounds{Connections: 100, OfAddress: 10})
	other := dialFrom(t, "127.0.0.2", address)
	_, _ = io.WriteString(other, request("GET", "/", "", ""))
	in := bufio.NewReader(other)
	if a, err := http.ReadResponse(in, nil); err != nil {
		t.Fatal(a, err)
	} else if _, err := io.ReadAll(a.Body); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		dialFrom(t, "127.0.0.1", address)
	}
	await.Until(t, "all are there", func() bool { return s.counts.open.Load() == 11 })
	time.Sleep(2 * leastQuiet)
	for range 5 {
		if err := answered(t, way{}, address); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = io.WriteString(other, request("GET", "/", "", "")) // it has been quiet for longest
	if _, err := http.ReadResponse(in, nil); err != nil {
		t.Errorf("another address's connection: %v", err)
	}
}

// The lists of connections stay correct whoever leaves.
func TestRoom_ForgetsWhoLeaves(t *testing.T) {
	r := &room{Bounds: Bounds{Connections: 50, OfAddress: 20}, counts: new(counts), addresses: make(map[netip.Addr][]*tracked), freed: make(chan struct{}, 1)}
	var in []*tracked
	for i := range 200 {
		if i%3 == 2 && len(in) > 0 {
			at := i * 7 % len(in)
			r.leave(in[at])
			in = append(in[:at], in[at+1:]...)
		}
		next := &tracked{room: r, address: netip.AddrFrom4([4]byte{10, 0, 0, byte(i % 7)})}
		if ok, crowd := r.enter(next); ok {
			in = append(in, next)
		} else if len(crowd) == 0 {
			t.Fatal("full, and nobody is there")
		}
		n := 0
		for a, of := range r.addresses {
			n += len(of)
			for at, one := range of {
				if one.address != a || one.atAddress != at || r.open[one.at] != one {
					t.Fatalf("after %d: %v is not where it is said to be", i, a)
				}
			}
		}
		if n != len(in) || len(r.open) != n || n > 50 || r.counts.open.Load() != int64(n) {
			t.Fatalf("after %d: %d connections, %d in lists of addresses, %d in all", i, len(in), n, len(r.open))
		}
	}
	for _, one := range in {
		r.leave(one)
	}
	if len(r.open) != 0 || len(r.addresses) != 0 {
		t.Errorf("%d connections of %d addresses are left", len(r.open), len(r.addresses))
	}
}
