package sockets_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/identity"
	"sneakerdrop/internal/live"
	"sneakerdrop/internal/testing/await"
)

// Tokens: "7" is buyer 7 for an hour, "7 for 1s" the same for a second. There are also "expired" and "away".
func identify(_ context.Context, token string) (drop.User, time.Time, error) {
	number, life, limited := strings.Cut(token, " for ")
	until := time.Now().Add(time.Hour)
	if limited {
		d, err := time.ParseDuration(life)
		if err != nil {
			return drop.User{}, until, err
		}
		until = time.Now().Add(d)
	}
	var buyer drop.User
	switch token {
	case "expired":
		return buyer, until, fmt.Errorf("%w 5s ago", identity.ErrExpired)
	case "away":
		return buyer, until, errors.New("the database is away")
	}
	if _, err := fmt.Sscan(number, &buyer.ID); err != nil {
		return buyer, until, fmt.Errorf("%w: %w", identity.ErrInvalid, err)
	}
	return buyer, until, nil
}

func newPrivateShow(t *testing.T) *show {
	return newShowWith(t, live.Config{Window: time.Millisecond, Private: true}, identify)
}

func (s *show) signIn(token string) *client {
	s.t.Helper()
	c := s.dial("", `{"token":"`+token+`"}`)
	if got := c.next(); !strings.HasPrefix(got, `40{"sid":"`) {
		s.t.Fatalf("signing in with %q was answered %s", token, got)
	}
	return c
}

// own waits for an event that only the buyer receives. Public events may come before it.
func (c *client) own() {
	c.t.Helper()
	for got := ""; !strings.HasPrefix(got, `42["reservation_update"`); {
		got = c.next()
	}
}

// sell publishes that a user bought the nth reservation of drop 7. The drop then has version n + 1.
func (s *show) sell(user drop.UserID, n uint32) {
	id := drop.NewReservationID(7, n)
	r := &drop.Reservation{ID: id, UserID: user, Size: `9"`, Status: drop.Completed, CreatedAt: 1000, ExpiresAt: 61_000, EndedAt: 2000}
	s.hub.Publish(engine.Event{
		View:      &engine.View{Drop: drop.Drop{ID: 7, Version: int64(n) + 1, Sizes: []drop.Size{{Stock: drop.Stock{Total: 9}}}}},
		Ended:     []*drop.Reservation{r},
		Purchases: []drop.Purchase{{ID: drop.NewPurchaseID(7, n), ReservationID: id, UserID: user}},
		Ledger:    []drop.LedgerEntry{{Reason: drop.Purchased}},
	})
}

func TestSignIn_TheBuyerIsToldAllOfItsOwn(t *testing.T) {
	s := newPrivateShow(t)
	s.shown(7, 1)
	ann, bob, watcher := s.signIn("1001"), s.signIn("1002"), s.connect("")
	for _, c := range []*client{ann, bob, watcher} {
		c.next() // the stock
	}
	for n := range uint32(5) {
		s.sell(1001, n+1)
	}
	var own, public int
	// A buyer who bought nothing, such as number 1, is not mentioned either.
	stranger := regexp.MustCompile(`^42\["purchase_complete",\{"dropId":7,"userId":4503599627370\d{3},"purchaseId":`)
	for own < 10 || public == 0 {
		switch got := ann.next(); {
		case strings.HasPrefix(got, `42["reservation_update",{"id":3006477107`) && strings.Contains(got, `"dropId":7,"userId":1001,"status":"completed",`+
			`"expires_at":"1970-01-01T00:01:01.000Z","createdAt":"1970-01-01T00:00:01.000Z","size":"9\""}]`):
			own++
		case strings.HasPrefix(got, `42["purchase_complete",{"dropId":7,"userId":1001,`):
			own++
		case stranger.MatchString(got):
			public++
		case strings.HasPrefix(got, `42["stock_update"`):
		default:
			t.Fatalf("she was told %s", got)
		}
	}
	for _, c := range []*client{bob, watcher} {
		for {
			got := c.next()
			if strings.Contains(got, "1001") || strings.Contains(got, "reservation_update") {
				t.Fatalf("others were told %s", got)
			}
			if strings.HasPrefix(got, `42["purchase_complete"`) && !stranger.MatchString(got) {
				t.Fatalf("others were told of a buyer: %s", got)
			}
			if stranger.MatchString(got) {
				break
			}
		}
	}
}

func TestSignIn_WithoutASettingNothingIsPrivate(t *testing.T) {
	s := newShow(t)
	s.shown(7, 1)
	c := s.dial("", `{"token":"rubbish"}`)
	if got := c.next(); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatal(got)
	}
	c.next() // the stock
	s.sell(1001, 1)
	for got := c.next(); ; got = c.next() {
		if strings.HasPrefix(got, `42["purchase_complete"`) {
			if got != fmt.Sprintf(`42["purchase_complete",{"dropId":7,"userId":1001,"purchaseId":%d}]`, drop.NewPurchaseID(7, 1)) {
				t.Error(got)
			}
			return
		}
	}
}

func TestSignIn_ATokenThatIsNoGoodIsRefused(t *testing.T) {
	s := newPrivateShow(t)
	for auth, code := range map[string]string{
		`{"token":"rubbish"}`: "invalid_token", `{"token":7}`: "invalid_token", `{"token":""}`: "invalid_token",
		`{"token":"expired"}`: "token_expired", `{"token":"away"}`: "unavailable",
	} {
		got := s.dial("", auth).next()
		if !strings.HasPrefix(got, `44{"message":"`) || !strings.Contains(got, `"data":{"code":"`+code+`"}`) {
			t.Errorf("%s: %s, want %s", auth, got, code)
		}
	}
	for _, auth := range []string{"", "{}", `{"token":null}`, `{"name":"ann"}`} {
		if got := s.dial("", auth).next(); !strings.HasPrefix(got, `40{"sid":"`) {
			t.Errorf("who does not sign in: %s: %s", auth, got)
		}
	}
}

func TestSignIn_EndsWithTheToken(t *testing.T) {
	s := newPrivateShow(t)
	short, long := s.signIn("1001 for 100ms"), s.signIn("1001")
	select {
	case <-short.closed:
	case <-time.After(await.Patience):
		t.Error("the connection outlives the token")
	}
	select {
	case <-long.closed:
		t.Error("another connection of the buyer was closed")
	default:
	}
	s.shown(7, 1)
	long.next()
	s.sell(1001, 1)
	long.own()
}

func TestSignIn_WatchingOneDropKeepsTheRoom(t *testing.T) {
	s := newPrivateShow(t)
	s.shown(7, 1)
	s.shown(8, 1)
	c := s.signIn("1001")
	c.next()
	c.next()
	c.emit(`["watch",8]`)
	c.next()
	c.emit(`1["watch"]`) // all drops again
	for got := ""; !strings.HasPrefix(got, `431[`); {
		got = c.next()
	}
	s.sell(1001, 1)
	c.own()
}
