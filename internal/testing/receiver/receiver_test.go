package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/testing/await"
	"sneakerdrop/internal/testing/receiver"
)

const (
	secret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	rotated = "whsec_cm90YXRlZCBhbmQgMzIgYnl0ZXMgbG9uZyBpdCBpcw=="
	strange = "whsec_bm9ib2R5IGtub3dzIHRoaXMgc2VjcmV0IGJ5IG5vdw=="
)

// either is what both receivers have.
type either interface {
	Secret(secrets ...string)
	Messages() []receiver.Message
}

// each runs a test with both receivers.
func each(t *testing.T, test func(t *testing.T, url string, r either)) {
	t.Run("Go", func(t *testing.T) {
		r := receiver.Go(t, secret)
		test(t, r.URL, r)
	})
	t.Run("Node.js", func(t *testing.T) {
		r := receiver.Node(t, secret)
		test(t, r.URL, r)
	})
}

// sent is a message as the Go library signs it.
type sent struct {
	id, body string
	at       time.Time
	secrets  []string // each of which signs it
}

func purchase(drop, seq int) sent {
	return sent{
		id:      fmt.Sprintf("%d-%d", drop, seq),
		body:    fmt.Sprintf(`{"id":"%[1]d-%[2]d","type":"purchase.completed","dropId":%[1]d,"seq":%[2]d,"data":{"name":"Ærø 👟"}}`, drop, seq),
		at:      time.Now(),
		secrets: []string{secret},
	}
}

func (s sent) request(t *testing.T, url string) *http.Request {
	t.Helper()
	var signatures []string
	for _, secret := range s.secrets {
		hook, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		signature, err := hook.Sign(s.id, s.at, []byte(s.body))
		if err != nil {
			t.Fatal(err)
		}
		signatures = append(signatures, signature)
	}
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(s.body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Webhook-Id", s.id)
	q.Header.Set("Webhook-Timestamp", strconv.FormatInt(s.at.Unix(), 10))
	q.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	return q
}

// send returns the status of the answer. It does not send anything again by itself.
func send(q *http.Request) (int, error) {
	q.GetBody = nil
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

func mustSend(t *testing.T, q *http.Request) int {
	t.Helper()
	status, err := send(q)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

func TestReceivers_TakeOnlyWhatASecretSigned(t *testing.T) {
	each(t, func(t *testing.T, url string, r either) {
		plain := purchase(7, 1)
		for i, c := range []struct {
			name   string
			spoil  func(s *sent)
			later  func(q *http.Request)
			reason string // a part of the error; "": the message is OK
		}{
			{name: "the right secret"},
			{name: "the right secret first", spoil: func(s *sent) { s.secrets = []string{secret, strange} }},
			{name: "the right secret second", spoil: func(s *sent) { s.secrets = []string{strange, secret} }},
			{name: "a minute old", spoil: func(s *sent) { s.at = s.at.Add(-time.Minute) }},
			{name: "a wrong secret", spoil: func(s *sent) { s.secrets = []string{strange} }, reason: "matching signature"},
			{name: "two wrong secrets", spoil: func(s *sent) { s.secrets = []string{strange, rotated} }, reason: "matching signature"},
			{name: "too old", spoil: func(s *sent) { s.at = s.at.Add(-10 * time.Minute) }, reason: "too old"},
			{name: "too new", spoil: func(s *sent) { s.at = s.at.Add(10 * time.Minute) }, reason: "too new"},
			{name: "another id", later: func(q *http.Request) { q.Header.Set("Webhook-Id", "7-2") }, reason: "matching signature"},
			{name: "another body", later: func(q *http.Request) {
				q.Body = io.NopCloser(strings.NewReader(strings.Replace(plain.body, `"seq":1`, `"seq":2`, 1)))
			}, reason: "matching signature"},
			{name: "no signature", later: func(q *http.Request) { q.Header.Del("Webhook-Signature") }, reason: "equired headers"},
			{name: "no id", later: func(q *http.Request) { q.Header.Del("Webhook-Id") }, reason: "equired headers"},
			{name: "not JSON", spoil: func(s *sent) { s.body = "a pair" }, reason: " "},
			{name: "too long", spoil: func(s *sent) { s.body = `"` + strings.Repeat("x", 65*1024) + `"` }, reason: " "},
			{name: "another method", later: func(q *http.Request) { q.Method = http.MethodPut }, reason: "PUT is not POST"},
		} {
			s := plain
			if c.spoil != nil {
				c.spoil(&s)
			}
			q := s.request(t, url)
			if c.later != nil {
				c.later(q)
			}
			status := mustSend(t, q)
			await.Until(t, c.name+" is recorded", func() bool { return len(r.Messages()) == i+1 })
			m := r.Messages()[i]
			if c.reason == "" {
				if status != http.StatusNoContent || !m.OK || !m.Taken() || m.Error != "" {
					t.Errorf("%s: %d, %+v", c.name, status, m)
				}
				if m.ID != "7-1" || m.Type != "purchase.completed" || m.DropID != 7 || m.Seq != 1 {
					t.Errorf("%s: %+v is not what was sent", c.name, m)
				}
				continue
			}
			if status != http.StatusBadRequest || m.OK || m.Taken() || !strings.Contains(m.Error, c.reason) {
				t.Errorf("%s: %d, %+v, want an error with %q", c.name, status, m, c.reason)
			}
		}
	})
}

// In the 24 hours after a rotation both secrets sign: a receiver with either of them accepts the message.
func TestReceivers_AcceptEitherSecretOfARotation(t *testing.T) {
	each(t, func(t *testing.T, url string, r either) {
		both, onlyOld, onlyNew := purchase(1, 1), purchase(1, 2), purchase(1, 3)
		both.secrets = []string{rotated, secret}
		onlyNew.secrets = []string{rotated}
		for _, c := range []struct {
			knows []string
			want  [3]int
		}{
			{[]string{secret}, [3]int{204, 204, 400}},
			{[]string{secret, rotated}, [3]int{204, 204, 204}},
			{[]string{rotated}, [3]int{204, 400, 204}},
			{[]string{strange}, [3]int{400, 400, 400}},
		} {
			r.Secret(c.knows...)
			for i, s := range []sent{both, onlyOld, onlyNew} {
				if got := mustSend(t, s.request(t, url)); got != c.want[i] {
					t.Errorf("a receiver that knows %d secrets answers %d to message %s, want %d", len(c.knows), got, s.id, c.want[i])
				}
			}
		}
	})
}

func TestNode_AnswersAsItIsTold(t *testing.T) {
	r := receiver.Node(t, secret)
	for _, status := range []int{503, 200, 410, 301} {
		r.Status(status)
		via := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		answer, err := via.Do(purchase(1, 1).request(t, r.URL))
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != status {
			t.Errorf("it answers %d, want %d", answer.StatusCode, status)
		}
	}
	r.Status(0)
	if got := mustSend(t, purchase(1, 1).request(t, r.URL)); got != http.StatusNoContent {
		t.Errorf("it answers %d, want 204", got)
	}
	r.Delay(time.Hour)
	short, cancel := context.WithCancel(t.Context())
	go func() { // what is recorded is not answered yet
		await.Until(t, "the message is recorded", func() bool { return len(r.Messages()) == 6 })
		cancel()
	}()
	if status, err := send(purchase(1, 2).request(t, r.URL).WithContext(short)); !errors.Is(err, context.Canceled) {
		t.Errorf("a receiver that waits an hour answers %d, %v", status, err)
	}
}

func TestGo_AnswersAsAFunctionSays(t *testing.T) {
	r := receiver.Go(t, secret)
	r.Answer(func(m receiver.Message) int {
		return map[int64]int{1: 503, 2: 0, 3: 202}[m.Seq]
	})
	if got := mustSend(t, purchase(1, 1).request(t, r.URL)); got != http.StatusServiceUnavailable {
		t.Errorf("it answers %d, want 503", got)
	}
	if got, err := send(purchase(1, 2).request(t, r.URL)); err == nil {
		t.Errorf("it answers %d, want none", got)
	}
	if got := mustSend(t, purchase(1, 3).request(t, r.URL)); got != http.StatusAccepted {
		t.Errorf("it answers %d, want 202", got)
	}
	var taken []bool
	for _, m := range r.Messages() {
		taken = append(taken, m.Taken())
	}
	if want := []bool{false, true, true}; !slices.Equal(taken, want) {
		t.Errorf("taken are %v, want %v", taken, want)
	}
	r.Answer(nil)
	if got := mustSend(t, purchase(1, 4).request(t, r.URL)); got != http.StatusNoContent {
		t.Errorf("it answers %d, want 204", got)
	}
}

// What a dead receiver was handling is neither recorded nor answered, and its port belongs to nobody else.
func TestGo_DiesAndRestartsOnItsPort(t *testing.T) {
	r := receiver.Go(t, secret)
	entered, killed, failed := make(chan struct{}), make(chan struct{}), make(chan error)
	var finished atomic.Bool
	r.Answer(func(receiver.Message) int {
		close(entered)
		<-killed
		finished.Store(true)
		return http.StatusNoContent
	})
	q := purchase(1, 1).request(t, r.URL)
	go func() {
		_, err := send(q)
		failed <- err
	}()
	<-entered
	var dying sync.WaitGroup
	dying.Go(func() {
		r.Kill()
		if !finished.Load() {
			t.Error("Kill returned before the handler")
		}
	})
	if err := <-failed; err == nil {
		t.Error("a dead receiver answers")
	}
	close(killed)
	dying.Wait()
	if got := r.Messages(); len(got) != 0 {
		t.Errorf("a dead receiver records %v", got)
	}
	if _, err := send(purchase(1, 1).request(t, r.URL)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the port of a dead receiver: %v, want connection refused", err)
	}
	address := strings.TrimSuffix(strings.TrimPrefix(r.URL, "http://"), "/")
	if l, err := net.Listen("tcp4", address); err == nil {
		l.Close()
		t.Error("somebody else may have the port of a dead receiver")
	}
	r.Answer(nil)
	r.Restart()
	r.Restart() // which changes nothing
	if got := mustSend(t, purchase(1, 1).request(t, r.URL)); got != http.StatusNoContent {
		t.Errorf("after the restart it answers %d, want 204", got)
	}
	r.Kill()
	r.Kill()
}

// A sender that repeats each message until it is answered gets all of them across, in order, through 60 deaths.
func TestGo_DiesAtRandomRequests(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := receiver.Go(t, secret)
	r.Mortal(seed, 60, 3)
	seq := 0
	next := func() {
		seq++
		await.Until(t, fmt.Sprintf("message %d is answered", seq), func() bool {
			status, err := send(purchase(1, seq).request(t, r.URL))
			return err == nil && status == http.StatusNoContent
		})
	}
	for r.Deaths() < 60 {
		next()
	}
	next() // and it stays alive after its last death
	messages := r.Messages()
	if got := len(receiver.First(messages, "purchase.completed")[1]); got != seq {
		t.Errorf("seed %d: %d of %d messages were taken", seed, got, seq)
	}
	if len(messages) == seq {
		t.Errorf("seed %d: no message came again", seed)
	}
	r.Check()
	if got := r.Deaths(); got != 60 {
		t.Errorf("seed %d: %d deaths, want 60", seed, got)
	}
}

// It dies before it takes a message, before it answers, and after.
func TestGo_DiesAtThreeMoments(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := receiver.Go(t, secret)
	r.Mortal(seed, 60, 1)
	var unread, untold, told int
	for seq := 1; r.Deaths() < 60; seq++ {
		deaths, had := r.Deaths(), len(r.Messages())
		_, err := send(purchase(1, seq).request(t, r.URL))
		if err == nil {
			await.Until(t, "it dies after its answer", func() bool { return r.Deaths() > deaths })
		}
		took := len(r.Messages()) > had
		switch {
		case r.Deaths() == deaths: // it was away
			time.Sleep(time.Millisecond)
		case err == nil && took:
			told++
		case err != nil && took:
			untold++
		case err != nil:
			unread++
		default:
			t.Errorf("seed %d: message %d was answered and not taken", seed, seq)
		}
	}
	if unread+untold+told != 60 || min(unread, untold, told) == 0 {
		t.Errorf("seed %d: it died %d times before it took a message, %d before it answered, %d after", seed, unread, untold, told)
	}
}

func TestOrder_FindsWhatComesTooLate(t *testing.T) {
	m := func(id string, seq int64, status int) receiver.Message {
		return receiver.Message{ID: id, Type: "purchase.completed", DropID: 7, Seq: seq, OK: true, Status: status}
	}
	other := m("8-1", 1, 204)
	other.DropID = 8
	unsigned := m("7-9", 9, 400)
	unsigned.OK = false
	another := m("7-1", 1, 204)
	another.Type = "hold.created"
	for _, c := range []struct {
		name     string
		messages []receiver.Message
		want     string // a part of the error; "": none
	}{
		{"rising", []receiver.Message{m("7-1", 1, 204), m("7-2", 2, 204), m("7-5", 5, 204)}, ""},
		{"repeats", []receiver.Message{m("7-1", 1, 204), m("7-2", 2, 204), m("7-1", 1, 204), m("7-2", 2, 204), m("7-3", 3, 204)}, ""},
		{"another drop", []receiver.Message{m("7-2", 2, 204), other, m("7-3", 3, 204)}, ""},
		{"unsigned", []receiver.Message{unsigned, m("7-1", 1, 204)}, ""},
		{"refused first", []receiver.Message{m("7-1", 1, 503), m("7-1", 1, 204), m("7-2", 2, 204)}, ""},
		{"without an answer", []receiver.Message{m("7-1", 1, 0), m("7-1", 1, 204), m("7-2", 2, 204)}, ""},
		{"no drop", []receiver.Message{m("7-2", 2, 204), {ID: "test", OK: true, Status: 204}, m("7-3", 3, 204)}, ""},
		{"falling", []receiver.Message{m("7-2", 2, 204), m("7-1", 1, 204)}, "seq 1 came after 7-2"},
		{"overtaken", []receiver.Message{m("7-1", 1, 503), m("7-2", 2, 204), m("7-1", 1, 204)}, "taken: 7-1"},
		{"seen too early", []receiver.Message{m("7-2", 2, 503), m("7-1", 1, 204), m("7-2", 2, 204)}, "seen: 7-1"},
		{"one seq twice", []receiver.Message{m("7-1", 1, 204), m("7-1b", 1, 204)}, "seq 1 came after 7-1"},
		{"one id twice", []receiver.Message{m("7-1", 1, 204), another}, "and was purchase.completed"},
	} {
		err := receiver.Order(c.messages)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
