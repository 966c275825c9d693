package receiver

import (
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// largest is the most bytes of a body, as in receive.mjs. The server promises less than 20 kB.
const largest = 64 * 1024

// Server is a receiver in the test's own process.
type Server struct {
	URL string

	t    testing.TB
	port *port

	mu       sync.Mutex
	messages []Message
	hooks    []*standardwebhooks.Webhook
	answer   func(Message) int
	delay    time.Duration
	life     *life // the newest
	plan     *plan // of deaths; nil: none
	deaths   int
	closed   bool // the test is over: nothing restarts
	lives    sync.WaitGroup
}

// life is the time from a start to a death.
type life struct {
	server   *http.Server
	over     chan struct{} // closed at the death, with Server.mu held: nothing is taken after it
	ended    chan struct{} // closed when the port is closed and no handler runs
	handlers sync.WaitGroup
	restarts bool // the receiver restarts by itself after it; guarded by Server.mu
}

// Go starts a receiver that accepts what one of the secrets signed. It answers 204 to that, otherwise 400. It ends with
// the test.
func Go(t testing.TB, secrets ...string) *Server {
	t.Helper()
	return GoAt(t, netip.AddrFrom4([4]byte{127, 0, 0, 1}), secrets...)
}

// GoAt is Go at another address of this machine than 127.0.0.1. It must be an IPv4 address.
func GoAt(t testing.TB, address netip.Addr, secrets ...string) *Server {
	t.Helper()
	port, err := reserve(address)
	if err != nil {
		t.Fatalf("reserve a port for the receiver: %v", err)
	}
	r := &Server{URL: "http://" + port.host() + "/", t: t, port: port, answer: verdict}
	r.Secret(secrets...)
	t.Cleanup(func() {
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		r.Kill()
		r.lives.Wait()
		port.release()
	})
	r.Restart()
	return r
}

// verdict is the answer at the start.
func verdict(m Message) int {
	if m.OK {
		return http.StatusNoContent
	}
	return http.StatusBadRequest
}

// Secret makes the receiver accept only what one of these secrets signed.
func (r *Server) Secret(secrets ...string) {
	r.t.Helper()
	var hooks []*standardwebhooks.Webhook
	for _, secret := range secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			r.t.Fatalf("the secret %q: %v", secret, err)
		}
		hooks = append(hooks, hook)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hooks = hooks
}

// Answer makes the receiver answer with the status that the function returns. At 0 it takes the message, and closes
// the connection without an answer. Several goroutines call the function. nil is as at the start.
func (r *Server) Answer(answer func(Message) int) {
	if answer == nil {
		answer = verdict
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// Delay makes the receiver wait before it takes a message.
func (r *Server) Delay(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = d
}

// Messages returns all messages until now, in the order in which they were taken or refused.
func (r *Server) Messages() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

// Check fails the test if messages of a drop came out of order: see Order.
func (r *Server) Check() {
	r.t.Helper()
	if err := Order(r.Messages()); err != nil {
		r.t.Error(err)
	}
}

// Kill closes the port and all connections, as the death of a process does. What it was handling gets no answer. It
// returns when nothing of it runs. A dead receiver keeps its port, so that nobody else answers there.
func (r *Server) Kill() {
	r.mu.Lock()
	life := r.life
	if life != nil {
		life.restarts = false
		life.end()
	}
	r.mu.Unlock()
	if life != nil {
		<-life.ended
	}
}

// Restart starts a dead receiver on the same port. One that lives continues.
func (r *Server) Restart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start()
}

// start begins a life, unless there is one. The caller holds the lock.
func (r *Server) start() {
	if r.closed || r.life != nil && !r.life.dead() {
		return
	}
	listener, err := r.port.listen()
	if err != nil {
		r.t.Errorf("restart the receiver: %v", err)
		return
	}
	life := &life{over: make(chan struct{}), ended: make(chan struct{})}
	life.server = &http.Server{
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.handle(life, w, q) }),
		ErrorLog: log.New(io.Discard, "", 0),
	}
	r.life = life
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := life.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			r.t.Errorf("the receiver: %v", err)
		}
	})
	r.lives.Go(func() {
		<-life.over
		_ = life.server.Close()
		serving.Wait()
		life.handlers.Wait()
		close(life.ended)
		time.Sleep(r.outage(life))
		r.mu.Lock()
		defer r.mu.Unlock()
		if life.restarts {
			r.start()
		}
	})
}

func (l *life) dead() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

// end lets a life end. The caller holds Server.mu.
func (l *life) end() {
	if !l.dead() {
		close(l.over)
	}
}

func (r *Server) handle(l *life, w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	if l.dead() {
		r.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	l.handlers.Add(1)
	defer l.handlers.Done()
	dies := r.plan.next()
	hooks, answer, delay := r.hooks, r.answer, r.delay
	r.mu.Unlock()

	m := read(w, q, hooks)
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-l.over:
		}
	}
	m.Status = answer(m)
	if !r.take(l, m, dies) || m.Status == 0 {
		panic(http.ErrAbortHandler) // which closes the connection
	}
	w.WriteHeader(m.Status)
	if dies == told {
		_ = http.NewResponseController(w).Flush()
		r.die(l)
	}
}

// read returns what a request is, and whether one of the secrets signed it.
func read(w http.ResponseWriter, q *http.Request, hooks []*standardwebhooks.Webhook) Message {
	m := Message{ID: q.Header.Get(standardwebhooks.HeaderWebhookID)}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, largest))
	m.At, m.Body = time.Now(), body
	if err == nil && q.Method != http.MethodPost {
		err = fmt.Errorf("%s is not POST", q.Method)
	}
	if err == nil {
		err = errors.New("no secret is known")
		for _, hook := range hooks {
			if err = hook.Verify(body, q.Header); err == nil {
				break
			}
		}
	}
	if err == nil {
		err = m.readEvent(body)
	}
	if err != nil {
		m.Error = err.Error()
	}
	m.OK = err == nil
	return m
}

// take records a message, if the receiver lives. It returns whether the sender may get an answer.
func (r *Server) take(l *life, m Message, dies moment) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.dead() {
		return false
	}
	if dies == unread {
		r.planned(l)
		return false
	}
	r.messages = append(r.messages, m)
	if dies == untold {
		r.planned(l)
		return false
	}
	return true
}

func (r *Server) die(l *life) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !l.dead() {
		r.planned(l)
	}
}

// planned ends a life as the plan says. The caller holds the lock.
func (r *Server) planned(l *life) {
	r.deaths++
	r.plan.times--
	l.restarts = true
	l.end()
}

// moment is when a receiver dies.
type moment int

const (
	lives  moment = iota
	unread        // before it takes the message
	untold        // after it has taken the message, before it answers
	told          // after its answer
)

// plan is when the receiver dies. A nil plan is valid: it never does.
type plan struct {
	random *rand.Rand
	times  int // deaths to come
	every  int
	left   int // requests until the next
}

// Mortal makes the receiver die a number of times, on average at one of so many requests: before it takes a message,
// before it answers, or after. It restarts on its port within 20 ms. The seed decides which requests it dies at, and
// how.
func (r *Server) Mortal(seed uint64, times, every int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.plan = &plan{random: rand.New(rand.NewPCG(seed, seed)), times: times, every: max(every, 1)}
	r.plan.draw()
}

// Deaths is how often the receiver has died by the plan of Mortal, until now.
func (r *Server) Deaths() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.deaths
}

func (p *plan) draw() { p.left = 1 + p.random.IntN(2*p.every-1) }

// next returns whether the receiver dies at the request that comes now.
func (p *plan) next() moment {
	if p == nil || p.times == 0 {
		return lives
	}
	if p.left--; p.left > 0 {
		return lives
	}
	p.draw()
	return unread + moment(p.random.IntN(3))
}

// outage returns how long the receiver is away after a planned death.
func (r *Server) outage(l *life) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !l.restarts {
		return 0
	}
	return time.Duration(r.plan.random.IntN(20)) * time.Millisecond
}
