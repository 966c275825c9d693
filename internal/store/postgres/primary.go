package postgres

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"
)

const (
	// hostTimeout limits an attempt to connect to one of several hosts if the URL does not set connect_timeout.
	hostTimeout = 2 * time.Second
	// After the first host has answered, the others have answerTimeout to say that they are the primary. After one
	// has said so, the others have rivalTimeout to say that they are a later one.
	answerTimeout, rivalTimeout = time.Second, 100 * time.Millisecond
	// doubtAfter is how long the primary may leave a question unanswered. Then the other hosts are asked whether it
	// is still the primary.
	doubtAfter, doubtEvery = 1500 * time.Millisecond, 500 * time.Millisecond
)

// primary finds the server that takes writes by asking all hosts at once, and uses it until it fails. A dead host
// delays nobody. If another server has taken over, the connections to the old primary are closed at once, even if the
// old one is only silent.
type primary struct {
	candidates []*pgconn.Config
	patience   time.Duration // how long the other hosts may take after the first answer
	dialer     *net.Dialer
	log        *slog.Logger
	dropped    func() // called after connections were closed
	search     singleflight.Group
	stop       chan struct{}
	watching   sync.WaitGroup
	began      time.Time

	mu    sync.Mutex
	now   *server // nil if it has to be found
	last  string  // the address of the last primary
	lines map[*line]bool
}

// server is the primary: its index in candidates, and the address that answered.
type server struct {
	candidate int
	address   string
	timeline  string
}

// NoPrimaryError says why none of several hosts is the primary.
type NoPrimaryError struct {
	Hosts []string
	Errs  []error // one for each host
}

func (e *NoPrimaryError) Error() string {
	said := make([]string, len(e.Hosts))
	for i, host := range e.Hosts {
		said[i] = host + ": " + sentence(e.Errs[i])
	}
	return "none of the hosts takes writes (" + strings.Join(said, "; ") + ")"
}

// Unwrap returns the errors of the hosts.
func (e *NoPrimaryError) Unwrap() []error { return e.Errs }

// sentence returns in a few words what is wrong with one host.
func sentence(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Message
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return e.Err.Error()
	}
	if e, ok := errors.AsType[*SettingError](err); ok {
		return e.Error()
	}
	if e, ok := errors.AsType[*ReadOnlyError](err); ok {
		return e.Error()
	}
	switch {
	case pgconn.Timeout(err), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "no answer"
	}
	return err.Error()
}

// newPrimary makes the pool's connections lead to the primary if there is more than one host. With one host it
// returns nil.
func newPrimary(cfg *pgxpool.Config, log *slog.Logger) *primary {
	if len(hostsOf(&cfg.ConnConfig.Config)) < 2 {
		return nil
	}
	p := &primary{
		patience: cfg.ConnConfig.ConnectTimeout, dialer: dialer(), log: log, stop: make(chan struct{}), began: time.Now(),
		lines: make(map[*line]bool),
	}
	if p.patience == 0 {
		p.patience, cfg.ConnConfig.ConnectTimeout = answerTimeout, hostTimeout
	}
	p.candidates = hostsOf(&cfg.ConnConfig.Config)
	cfg.BeforeConnect = p.lead
	cfg.ConnConfig.DialFunc = p.dial
	return p
}

// watch supervises the pool until close.
func (p *primary) watch(pool *pgxpool.Pool) {
	p.dropped = pool.Reset
	p.watching.Go(func() {
		tick := time.NewTicker(doubtEvery)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
			}
			if p.waited() > doubtAfter {
				_, _ = p.ask() // whoever waits for an answer keeps waiting, or their connection is closed
			}
		}
	})
}

// close ends the watch.
func (p *primary) close() {
	if p != nil {
		close(p.stop)
		p.watching.Wait()
	}
}

// hostsOf returns a configuration for each host. Entries that differ only in TLS become one.
func hostsOf(cfg *pgconn.Config) []*pgconn.Config {
	var hosts []*pgconn.Config
	for _, f := range append([]*pgconn.FallbackConfig{{Host: cfg.Host, Port: cfg.Port, TLSConfig: cfg.TLSConfig}}, cfg.Fallbacks...) {
		if n := len(hosts); n > 0 && hosts[n-1].Host == f.Host && hosts[n-1].Port == f.Port {
			hosts[n-1].Fallbacks = append(hosts[n-1].Fallbacks, f)
			continue
		}
		one := cfg.Copy()
		one.Host, one.Port, one.TLSConfig, one.Fallbacks = f.Host, f.Port, f.TLSConfig, nil
		hosts = append(hosts, one)
	}
	return hosts
}

// lead changes a configuration to connect only to the primary.
func (p *primary) lead(_ context.Context, cfg *pgx.ConnConfig) error {
	s, err := p.find()
	if err != nil {
		return err
	}
	one := p.candidates[s.candidate]
	cfg.Host, cfg.Port, cfg.TLSConfig, cfg.Fallbacks = one.Host, one.Port, one.TLSConfig, one.Fallbacks
	cfg.LookupFunc = func(context.Context, string) ([]string, error) { return []string{s.address}, nil }
	return nil
}

// find returns the primary, and searches for it if it is unknown.
func (p *primary) find() (*server, error) {
	p.mu.Lock()
	known := p.now
	p.mu.Unlock()
	if known != nil {
		return known, nil
	}
	return p.ask()
}

// doubt makes the next connection search for the primary.
func (p *primary) doubt() {
	if p == nil {
		return
	}
	p.mu.Lock()
	p.now = nil
	p.mu.Unlock()
}

// ask searches for the primary. Concurrent callers share one search.
func (p *primary) ask() (*server, error) {
	found, err, _ := p.search.Do("", func() (any, error) {
		s, err := p.askAll()
		if err != nil {
			p.doubt()
			return nil, err
		}
		p.setPrimary(s)
		return s, nil
	})
	if err != nil {
		return nil, err
	}
	return found.(*server), nil
}

type answer struct {
	server

	err error
}

// askAll asks all hosts at once. If two of them take writes, the one on the later timeline is the primary. The other
// has not noticed yet that it was replaced.
func (p *primary) askAll() (*server, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	answers := make(chan answer, len(p.candidates))
	failure := &NoPrimaryError{}
	for i, c := range p.candidates {
		failure.Hosts = append(failure.Hosts, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
		failure.Errs = append(failure.Errs, context.DeadlineExceeded)
		go func() { answers <- p.askOne(ctx, i) }()
	}
	var best *server
	timeout := time.NewTimer(2 * p.candidates[0].ConnectTimeout) // a host may have two addresses
	defer timeout.Stop()
	for i := range p.candidates {
		select {
		case a := <-answers:
			failure.Errs[a.candidate] = a.err
			if a.err == nil && (best == nil || a.timeline > best.timeline) {
				best = &a.server
			}
			switch {
			case best != nil:
				timeout.Reset(rivalTimeout)
			case i == 0:
				timeout.Reset(p.patience)
			}
			continue
		case <-timeout.C:
		}
		break
	}
	if best == nil {
		return nil, failure
	}
	return best, nil
}

// askOne connects to a host, which fails unless it is a primary, and asks for its timeline.
func (p *primary) askOne(ctx context.Context, candidate int) answer {
	a := answer{server: server{candidate: candidate}}
	conn, err := pgconn.ConnectConfig(ctx, p.candidates[candidate])
	if err != nil {
		a.err = err
		return a
	}
	defer func() { _ = conn.Conn().Close() }() // there is nothing to end cleanly
	ctx, cancel := context.WithTimeout(ctx, p.candidates[candidate].ConnectTimeout)
	defer cancel()
	results, err := conn.Exec(ctx, primaryTimeline).ReadAll()
	if err != nil {
		a.err = err
		return a
	}
	a.timeline = string(results[0].Rows[0][0])
	a.address = conn.Conn().RemoteAddr().String()
	return a
}

// setPrimary makes a server the primary, and closes connections to any other.
func (p *primary) setPrimary(s *server) {
	p.mu.Lock()
	moved := p.last != "" && p.last != s.address
	p.now, p.last = s, s.address
	var cut []*line
	for l := range p.lines {
		if l.address != s.address {
			cut = append(cut, l)
		}
	}
	p.mu.Unlock()
	if moved {
		p.log.Warn("another host is the primary now", "host", p.candidates[s.candidate].Host, "address", s.address)
	}
	for _, l := range cut {
		_ = l.Close()
	}
	if len(cut) > 0 {
		p.dropped()
	}
}

// waited returns how long the longest wait for an answer has lasted so far, over all connections.
func (p *primary) waited() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	age := time.Since(p.began)
	longest := time.Duration(0)
	for l := range p.lines {
		if since := time.Duration(l.waits.Load()); since != 0 {
			longest = max(longest, age-since)
		}
	}
	return longest
}

var errNotPrimary = errors.New("this host is no longer the primary")

// dial connects to the primary, also for cancel requests. Waiting for another server would be useless.
func (p *primary) dial(ctx context.Context, network, address string) (net.Conn, error) {
	p.mu.Lock()
	elsewhere := p.elsewhere(address)
	p.mu.Unlock()
	if elsewhere {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errNotPrimary}
	}
	conn, err := p.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l := &line{Conn: conn, primary: p, address: address}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.elsewhere(address) { // the primary has changed in the meantime
		_ = conn.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Err: errNotPrimary}
	}
	p.lines[l] = true
	return l, nil
}

// elsewhere needs p.mu.
func (p *primary) elsewhere(address string) bool { return p.now != nil && p.now.address != address }

// line is a connection to the primary. It records since when it waits for an answer: pgx reads only when it expects
// one.
type line struct {
	net.Conn

	primary *primary
	address string
	waits   atomic.Int64 // the primary's age when the wait began; 0 if the line is not waiting
}

func (l *line) Read(b []byte) (int, error) {
	l.waits.Store(int64(time.Since(l.primary.began)))
	n, err := l.Conn.Read(b)
	l.waits.Store(0)
	return n, err
}

func (l *line) Close() error {
	l.primary.mu.Lock()
	delete(l.primary.lines, l)
	l.primary.mu.Unlock()
	return l.Conn.Close()
}
