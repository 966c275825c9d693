package engineio

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// shakeHands opens a session by polling, and returns its id, or "" and the answer.
func shakeHands(t *testing.T, e *Server, address string, header http.Header) (sid, answer string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?EIO=4&transport=polling", http.NoBody)
	r.RemoteAddr = address + ":4321"
	r.Header = header
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return "", fmt.Sprintf("%d %s", w.Code, w.Body)
	}
	_, sid, _ = strings.Cut(w.Body.String(), `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	return sid, w.Body.String()
}

func sessionOf(e *Server, sid string) *Session {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sessions[sid]
}

func pollOnce(t *testing.T, e *Server, sid string) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?EIO=4&transport=polling&sid="+sid, http.NoBody)
	w := httptest.NewRecorder()
	e.ServeHTTP(w, r)
	return w.Code
}

// A session that nobody asks for anything gives its place up within seconds. One that was asked for once lives by its
// pings.
func TestFirstPoll_IsDueWithinSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(silent{}, Options{MaxConnections: 2, Log: slog.New(slog.DiscardHandler)})
		began := time.Now()
		squatter, _ := shakeHands(t, e, "192.0.2.1", nil)
		watcher, _ := shakeHands(t, e, "192.0.2.1", nil)
		first, second := sessionOf(e, squatter), sessionOf(e, watcher)
		second.Send(NewPacket([]byte("hello")))
		if status := pollOnce(t, e, watcher); status != http.StatusOK {
			t.Fatalf("the first poll: %d", status)
		}
		time.Sleep(9900 * time.Millisecond)
		synctest.Wait()
		if _, answer := shakeHands(t, e, "192.0.2.2", nil); !strings.HasPrefix(answer, "503") {
			t.Errorf("both places are taken, and a third client got %s", answer)
		}
		<-first.Done()
		if took := time.Since(began); first.Reason() != NoFirstPoll || took != 10*time.Second {
			t.Errorf("%q after %v", first.Reason(), took)
		}
		synctest.Wait()
		if sid, answer := shakeHands(t, e, "192.0.2.2", nil); sid == "" {
			t.Errorf("a place is free, and a client got %s", answer)
		}
		if status := pollOnce(t, e, squatter); status != http.StatusBadRequest {
			t.Errorf("a poll of the session that ended: %d", status)
		}
		<-second.Done()
		if took := time.Since(began); second.Reason() != PingTimeout || took != 45*time.Second {
			t.Errorf("the session that polled once: %q after %v", second.Reason(), took)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, answer := shakeHands(t, e, "192.0.2.2", nil); !strings.HasPrefix(answer, "503") {
			t.Errorf("after Close: %s", answer)
		}
	})
}

// One address cannot take what all need: neither the places nor the handshakes of a second.
func TestLimits_OneAddressLeavesRoomForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(silent{}, Options{Log: slog.New(slog.DiscardHandler)})
		defer func() { _ = e.Close(t.Context()) }()
		for second := range 4 {
			opened, refused := 0, map[string]int{}
			for range 1_500 {
				if sid, answer := shakeHands(t, e, "192.0.2.1", nil); sid != "" {
					opened++
				} else {
					refused[answer[:3]]++
				}
			}
			if sid, answer := shakeHands(t, e, fmt.Sprintf("198.51.100.%d", second), nil); sid == "" {
				t.Fatalf("second %d: another address got %s", second, answer)
			}
			if first := 1_000; second == 0 && opened != first || second == 1 && opened != 0 || refused["429"] != 1_500-opened {
				t.Errorf("second %d: %d sessions, refused %v", second, opened, refused)
			}
			time.Sleep(time.Second)
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		shakeHands(t, e, "203.0.113.1", nil)
		if len(e.addresses) != 1 {
			t.Errorf("%d addresses are remembered", len(e.addresses))
		}
	})
}

// A client that comes and goes is kept to its rate, although it never has more than one session.
func TestLimits_OneAddressThatComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(silent{}, Options{Log: slog.New(slog.DiscardHandler)})
		defer func() { _ = e.Close(t.Context()) }()
		opened := 0
		for range 1_200 {
			sid, _ := shakeHands(t, e, "192.0.2.1", nil)
			if sid == "" {
				continue
			}
			opened++
			sessionOf(e, sid).End(ClientClose)
			synctest.Wait()
		}
		if opened != 1_000 {
			t.Errorf("%d handshakes at once", opened)
		}
	})
}

// What a stranger writes into a handshake is not what a session weighs.
func TestSessions_KeepNoLongHeaders(t *testing.T) {
	const sessions, most = 500, 4 << 10
	e := New(silent{}, Options{KeepHeaders: []string{"User-Agent"}, Log: slog.New(slog.DiscardHandler)})
	defer func() { _ = e.Close(t.Context()) }()
	long := strings.Repeat("x", 30<<10)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var sid string
	for range sessions {
		var answer string
		if sid, answer = shakeHands(t, e, "192.0.2.1", http.Header{
			"User-Agent": {long, "2", "3", "4", "5"}, "Cookie": {long}, "X-Anything": {long}, "Authorization": {long},
		}); sid == "" {
			t.Fatal(answer)
		}
	}
	if each := (heap() - before) / sessions; each > most {
		t.Errorf("a session weighs %d bytes", each)
	}
	r := sessionOf(e, sid).Request()
	if got := r.Header["User-Agent"]; len(got) != 4 || len(got[0]) != 1<<10 || got[3] != "4" || len(r.Header) != 1 {
		t.Errorf("kept %d headers, User-Agent %.20q", len(r.Header), got)
	}
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?EIO=4&transport=polling&drop="+long, http.NoBody))
	if w.Code != http.StatusRequestURITooLong {
		t.Errorf("a long query: %d %s", w.Code, w.Body)
	}
}
