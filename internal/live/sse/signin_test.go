package sse_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/live/sse"
	"sneakerdrop/internal/testing/await"
)

func private() *live.Hub { return live.New(live.Config{Window: time.Millisecond, Private: true}) }

// sell publishes that a user bought the nth reservation of drop 7. The drop then has version n + 1.
func sell(h *live.Hub, user drop.UserID, n uint32) {
	id := drop.NewReservationID(7, n)
	h.Publish(engine.Event{
		View:      &engine.View{Drop: drop.Drop{ID: 7, Version: int64(n) + 1, Sizes: []drop.Size{{Stock: drop.Stock{Total: 9}}}}},
		Ended:     []*drop.Reservation{{ID: id, UserID: user, Status: drop.Completed}},
		Purchases: []drop.Purchase{{ID: drop.NewPurchaseID(7, n), ReservationID: id, UserID: user}},
		Ledger:    []drop.LedgerEntry{{Reason: drop.Purchased}},
	})
}

// own reports whether an event is one that sell sends only to the buyer.
func own(event string, user drop.UserID, n uint32) bool {
	return strings.HasPrefix(event, fmt.Sprintf("event: reservation_update\ndata: {\"id\":%d,\"dropId\":7,\"userId\":%d,\"status\":\"completed\",", drop.NewReservationID(7, n), user)) ||
		event == fmt.Sprintf("event: purchase_complete\ndata: {\"dropId\":7,\"userId\":%d,\"purchaseId\":%d}\n", user, drop.NewPurchaseID(7, n))
}

func TestSignIn_TheBuyerIsToldAllOfItsOwn(t *testing.T) {
	h, _, server := serveHub(t, private(), 0)
	publish(h, 7, 1)
	publish(h, 8, 1)
	shown(t, h, 7, 1)
	shown(t, h, 8, 1)
	elsewhere := lines(t, server.URL+"?drop=8&buyer=1001") // a page for another drop
	ann, bob, watcher := lines(t, server.URL+"?buyer=1001"), lines(t, server.URL+"?buyer=1002"), lines(t, server.URL)
	const sales = 50
	for n := range uint32(sales) {
		sell(h, 1001, n+1)
	}
	for name, next := range map[string]func() string{"everything": ann, "another drop": elsewhere} {
		for n := uint32(1); n <= sales; n++ {
			for told := 0; told < 2; {
				switch got := next(); {
				case own(got, 1001, n):
					told++
				case strings.HasPrefix(got, "event: stock_update\n"), strings.Contains(got, `"userId":4503599627370`) && name == "everything":
				default:
					t.Fatalf("who watches %s was told %q, want what became of reservation %d", name, got, n)
				}
			}
		}
	}
	for name, next := range map[string]func() string{"another buyer": bob, "a watcher": watcher} {
		for got := ""; !strings.HasPrefix(got, "event: purchase_complete\n"); {
			got = next()
			if got == "end" || strings.Contains(got, "1001") || strings.Contains(got, "reservation_update") {
				t.Fatalf("%s was told %q", name, got)
			}
		}
	}
}

// held is a response that accepts nothing until go.
type held struct {
	http.ResponseWriter

	goOn <-chan struct{}
}

func (w held) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w held) Write(p []byte) (int, error) {
	<-w.goOn
	return w.ResponseWriter.Write(p)
}

// Updates in a slow client's queue are combined, except those for its buyer alone.
func TestSignIn_NothingReplacesWhatIsPrivate(t *testing.T) {
	h := private()
	s := sse.New(h, 0, 0)
	goOn := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = s.Serve(held{w, goOn}, r, 7, 1001) }))
	t.Cleanup(func() {
		s.Close()
		server.Close()
		h.Close()
	})
	publish(h, 7, 1)
	shown(t, h, 7, 1)
	opened := make(chan func() string)
	go func() { opened <- lines(t, server.URL) }()
	await.Until(t, "it is connected", func() bool { return s.Count() == 1 && inRoom(s, 1001) })
	const sales = 20
	for n := range uint32(sales) {
		sell(h, 1001, n+1)
		shown(t, h, 7, int64(n)+2)
	}
	close(goOn)
	next, told, stock := <-opened, 0, 0
	for told < 2*sales {
		switch got := next(); {
		case own(got, 1001, uint32(told/2+1)):
			told++
		case strings.HasPrefix(got, "event: stock_update\n"):
			stock++
		case !strings.HasPrefix(got, "event: purchase_complete\n"):
			t.Fatalf("after %d of its own: %q", told, got)
		}
	}
	if stock > 2 { // the first one, and one that replaced all others in the queue
		t.Errorf("%d states of the stock waited", stock)
	}
}

// inRoom reports whether anybody receives the buyer's private updates.
func inRoom(s *sse.Streams, buyer drop.UserID) (asked bool) {
	s.Tell(live.RoomOfUser(buyer), func() []live.Update {
		asked = true
		return nil
	})
	return asked
}

// A stream ends with its request's context, which ends with the token. Private updates are not made if nobody
// receives them.
func TestSignIn_EndsWithTheRequest(t *testing.T) {
	h := private()
	s := sse.New(h, 0, 0)
	ends := make(chan context.CancelFunc, 2)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		ends <- cancel
		_ = s.Serve(w, r.WithContext(ctx), 0, 1001)
	}))
	t.Cleanup(func() {
		s.Close()
		server.Close()
		h.Close()
	})
	publish(h, 7, 1)
	shown(t, h, 7, 1)
	if inRoom(s, 1001) {
		t.Error("somebody is in the room before any came")
	}
	short := lines(t, server.URL)
	long := lines(t, server.URL)
	want(t, short(), stock(7, 1, ""))
	want(t, long(), stock(7, 1, ""))
	(<-ends)()
	want(t, short(), "end")
	sell(h, 1001, 1)
	for got := ""; !own(got, 1001, 1); {
		if got = long(); got == "end" {
			t.Fatal("another stream of the buyer has ended")
		}
	}
	(<-ends)()
	await.Until(t, "the second one has left", func() bool { return s.Count() == 0 })
	if inRoom(s, 1001) {
		t.Error("the room of a buyer who left is still there")
	}
}
