package pgtest

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Moment is a point in a transaction that passes through a Proxy.
type Moment int

// The moments, in order.
const (
	// InTransaction: the server has answered within a transaction and waits for more. The proxy has not passed that
	// on.
	InTransaction Moment = iota
	// BeforeCommit: the proxy has passed on everything before the COMMIT, but not the COMMIT.
	BeforeCommit
	// AtCommit: the proxy has just passed on the COMMIT, and there is no answer yet.
	AtCommit
	// AfterCommit: the server has answered COMMIT, and the proxy has not passed the answer on.
	AfterCommit
)

func (m Moment) String() string {
	return [...]string{"in a transaction", "before COMMIT", "at COMMIT", "after COMMIT"}[m]
}

// Proxy stands between a store and PostgreSQL, on TCP without TLS. It understands the protocol, so it recognizes a
// COMMIT.
type Proxy struct {
	listener net.Listener
	server   string
	wg       sync.WaitGroup

	mu     sync.Mutex
	traps  [AfterCommit + 1]func(*Line) // for the next transaction that gets there
	lines  map[*Line]bool
	closed bool
}

// NewProxy returns the proxy and the URL that leads through it. It ends with the test.
func NewProxy(t testing.TB, to string) (*Proxy, string) {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: l, server: u.Host, lines: make(map[*Line]bool)}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.closed = true
		for line := range p.lines {
			line.Cut()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

// Next calls f once, when the next transaction gets to that moment. Its line waits until f returns. Nil cancels an
// earlier f.
func (p *Proxy) Next(m Moment, f func(*Line)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.traps[m] = f
}

func (p *Proxy) reach(m Moment, l *Line) {
	p.mu.Lock()
	f := p.traps[m]
	p.traps[m] = nil
	p.mu.Unlock()
	if f != nil {
		f(l)
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &Line{proxy: p, client: client, server: server, commits: make(map[string]bool)}
		p.mu.Lock()
		p.lines[l] = true
		if p.closed {
			l.Cut()
		}
		p.mu.Unlock()
		var both sync.WaitGroup
		both.Go(func() { defer l.Cut(); _ = l.ask() })
		both.Go(func() { defer l.Cut(); _ = l.answer() })
		p.wg.Go(func() {
			both.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.lines, l)
		})
	}
}

// Line is one connection through a Proxy.
type Line struct {
	proxy          *Proxy
	client, server net.Conn
	mu             sync.Mutex
	pid            uint32

	commits map[string]bool // prepared statements that are COMMIT
	bound   bool            // COMMIT is bound, to be executed next
}

// Cut closes the line to both sides.
func (l *Line) Cut() {
	_ = l.client.Close()
	_ = l.server.Close()
}

// PID is the number of the server's process for this line, for pg_terminate_backend.
func (l *Line) PID() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pid
}

// ask passes on the client's messages.
func (l *Line) ask() error {
	from, to := bufio.NewReader(l.client), bufio.NewWriter(l.server)
	if err := startUp(from, to); err != nil {
		return err
	}
	for {
		m, err := read(from)
		if err != nil {
			return err
		}
		if l.begins(m) {
			if err := to.Flush(); err != nil {
				return err
			}
			l.proxy.reach(BeforeCommit, l)
		}
		_, _ = to.Write(m) // Flush has its error
		ends := l.bound && (m[0] == 'E' || m[0] == 'Q')
		if ends || from.Buffered() == 0 {
			if err := to.Flush(); err != nil {
				return err
			}
		}
		if ends {
			l.bound = false
			l.proxy.reach(AtCommit, l)
		}
	}
}

// begins reports whether the message is the first of a COMMIT.
func (l *Line) begins(m []byte) bool {
	switch m[0] {
	case 'P':
		var parse pgproto3.Parse
		if parse.Decode(m[5:]) == nil {
			l.commits[parse.Name] = isCommit(parse.Query)
		}
	case 'B':
		var bind pgproto3.Bind
		l.bound = bind.Decode(m[5:]) == nil && l.commits[bind.PreparedStatement]
		return l.bound
	case 'Q':
		var query pgproto3.Query
		l.bound = query.Decode(m[5:]) == nil && isCommit(query.String)
		return l.bound
	}
	return false
}

func isCommit(sql string) bool { return strings.EqualFold(strings.Trim(sql, " \n\t;"), "commit") }

// answer passes on the server's messages.
func (l *Line) answer() error {
	from, to := bufio.NewReader(l.server), bufio.NewWriter(l.client)
	for {
		m, err := read(from)
		if err != nil {
			return err
		}
		switch m[0] {
		case 'K':
			var key pgproto3.BackendKeyData
			if key.Decode(m[5:]) == nil {
				l.mu.Lock()
				l.pid = key.ProcessID
				l.mu.Unlock()
			}
		case 'C':
			if string(m[5:]) == "COMMIT\x00" {
				l.proxy.reach(AfterCommit, l)
			}
		case 'Z':
			if m[5] == 'T' {
				l.proxy.reach(InTransaction, l)
			}
		}
		_, _ = to.Write(m)
		if from.Buffered() == 0 {
			if err := to.Flush(); err != nil {
				return err
			}
		}
	}
}

// startUp passes on the one message that has no type. It asks for a session, or for the cancellation of another
// session's statement.
func startUp(from io.Reader, to *bufio.Writer) error {
	var length [4]byte
	if _, err := io.ReadFull(from, length[:]); err != nil {
		return err
	}
	_, _ = to.Write(length[:])
	if _, err := io.CopyN(to, from, int64(binary.BigEndian.Uint32(length[:]))-4); err != nil {
		return err
	}
	return to.Flush()
}

// read returns the next message: its type, its length, its content.
func read(from *bufio.Reader) ([]byte, error) {
	head, err := from.Peek(5)
	if err != nil {
		return nil, err
	}
	m := make([]byte, 1+int(binary.BigEndian.Uint32(head[1:])))
	_, err = io.ReadFull(from, m)
	return m, err
}
