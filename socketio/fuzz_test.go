package socketio

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sneakerdrop/socketio/engineio"
)

// FuzzArgs: whatever stands for binary data in an argument, decoding gives what was attached or an error.
func FuzzArgs(f *testing.F) {
	for _, seed := range []string{
		`[]`, `["a",1,null]`, `[{"_placeholder":true,"num":0}]`, `[{"_placeholder":true,"num":1},{"photo":{"_placeholder":true,"num":0}}]`,
		`[{"num":0,"_placeholder":true}]`, `[[{"a":[{"_placeholder":true,"num":1,"x":2}]}]]`, `["\ud800"]`, `[{"a":1,"a":2}]`, `[1e400]`,
	} {
		f.Add([]byte(seed), byte(2))
		f.Add([]byte(seed), byte(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, attached byte) {
		files := make([][]byte, attached%4)
		for i := range files {
			files[i] = []byte{byte(i), 'f'}
		}
		args, err := splitArgs(data, files)
		if err != nil {
			return
		}
		for _, arg := range args {
			var bytesOnly []byte
			var photo struct {
				Photo []byte `json:"photo"`
				N     int
			}
			var whole any
			var object map[string]any
			var list []any
			for _, into := range []any{&bytesOnly, &photo, &whole, &object, &list} {
				_ = arg.Decode(into) // an error is as good as a value
			}
			if len(files) == 0 {
				continue
			}
			for _, got := range [][]byte{bytesOnly, photo.Photo} {
				if len(got) == 2 && got[1] == 'f' && int(got[0]) >= len(files) {
					t.Errorf("%s: got %q, which was not attached", data, got)
				}
			}
		}
	})
}

// FuzzPolling: a client's posts end in its session going on or being ended, and never in a panic.
func FuzzPolling(f *testing.F) {
	for _, seed := range []string{
		"40", "40{\"token\":\"x\"}\x1e42[\"echo\",1]", "40\x1e421[\"echo\",{\"a\":1}]", "40/nowhere,", "41", "40\x1e41", "1", "3", "6", "2", "",
		"40\x1e452-[\"echo\",{\"_placeholder\":true,\"num\":1},{\"_placeholder\":true,\"num\":0}]\x1ebAQ==\x1ebAg==", "40\x1e431[]", "bAQ==", "4\xff", "40\x1e40",
		"40\x1e451-[\"echo\",{\"num\":-1,\"_placeholder\":true}]\x1ebAQ==", "40\x1e42[\"constructor\"]\x1e42[1]\x1e42[]",
	} {
		f.Add([]byte(seed), []byte("42[\"echo\"]"))
	}
	var log bytes.Buffer
	s := New(Options{Options: engineio.Options{HandshakesPerSecond: -1, HandshakesPerSecondPerAddress: -1, MaxConnectionsPerAddress: -1, Log: slog.New(slog.NewTextHandler(&log, nil))}})
	s.Of("/").OnConnect(func(c *Socket) error {
		c.On("echo", func(args Args, ack Ack) {
			list := make([]any, len(args))
			for i := range args {
				if err := args[i].Decode(&list[i]); err != nil {
					list[i] = args[i]
				}
			}
			_ = ack(list...)
			_ = c.Emit("echo", list...)
		})
		return nil
	})
	f.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			f.Error(err)
		}
	})
	call := func(method, sid string, body []byte) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(method, "/socket.io/?EIO=4&transport=polling"+sid, bytes.NewReader(body)))
		return rec
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		_, sid, ok := strings.Cut(call(http.MethodGet, "", nil).Body.String(), `{"sid":"`)
		if !ok {
			t.Fatal("no handshake")
		}
		sid, _, _ = strings.Cut(sid, `"`)
		for _, body := range [][]byte{first, second, []byte("1")} {
			if rec := call(http.MethodPost, "&sid="+sid, body); rec.Code != http.StatusOK && rec.Code != http.StatusBadRequest && rec.Code != http.StatusRequestEntityTooLarge {
				t.Errorf("%q, %q: %d %s", first, second, rec.Code, rec.Body)
			}
		}
		if log.Len() > 0 {
			t.Errorf("%q, %q: %s", first, second, log.String())
			log.Reset()
		}
	})
}
