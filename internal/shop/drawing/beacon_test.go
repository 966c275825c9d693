package drawing_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/shop/drawing"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/memory"
)

// published returns a round of quicknet that the network has published.
func published(t *testing.T) *draw.Beacon {
	t.Helper()
	text, err := os.ReadFile("../../draw/testdata/record-1.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := draw.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return r.Beacon
}

// beacon answers as a beacon does.
type beacon struct {
	asked  atomic.Int64
	answer atomic.Pointer[func(context.Context) (*http.Response, error)]
	want   string
}

func (b *beacon) RoundTrip(r *http.Request) (*http.Response, error) {
	b.asked.Add(1)
	if got := r.Method + " " + r.URL.String(); got != b.want {
		return nil, fmt.Errorf("asked for %s, want %s", got, b.want)
	}
	return (*b.answer.Load())(r.Context())
}

func (b *beacon) answers(f func(context.Context) (*http.Response, error)) { b.answer.Store(&f) }

func answer(status int, body io.Reader) func(context.Context) (*http.Response, error) {
	return func(context.Context) (*http.Response, error) {
		return &http.Response{StatusCode: status, Body: io.NopCloser(body)}, nil
	}
}

// endless is a body without an end. It counts what is read.
type endless struct{ n *atomic.Int64 }

func (e endless) Read(b []byte) (int, error) {
	e.n.Add(int64(len(b)))
	return copy(b, bytes.Repeat([]byte(" "), len(b))), nil
}

// stuck is a body that never comes.
type stuck struct{ ctx context.Context }

func (s stuck) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// beaconShop has a draw with the published round, whose entries closed a minute before the round came.
func beaconShop(t *testing.T, o drawing.Options) (*server, store.Store, drop.ID, *draw.Beacon) {
	t.Helper()
	round := published(t)
	due, err := round.Due()
	if err != nil {
		t.Fatal(err)
	}
	ahead := drop.Time(due).Sub(localNow()) - closesIn - time.Minute
	now := func() drop.Time { return localNow().Add(ahead) }
	s := memory.New(now)
	v := serve(t, s, o)
	spec := terms(now(), 2, 1, 1)
	spec.Draw.Chain, spec.Draw.Round = "quicknet", round.Round
	id := create(t, s, spec)
	time.Sleep(opensIn + time.Second)
	v.enter(t, id, 9, ranked)
	return v, s, id, round
}

func TestBeacon_IsAskedUntilItsRoundIsThereAndRight(t *testing.T) {
	right := published(t)
	good := fmt.Sprintf(`{"round":%d,"randomness":"%s","signature":"%x"}`, right.Round, right.Randomness, []byte(right.Signature))
	other := strings.Replace(good, `"signature":"`, `"signature":"00`, 1)
	var read atomic.Int64
	for name, bad := range map[string]func(context.Context) (*http.Response, error){
		"late":     answer(http.StatusNotFound, strings.NewReader(good)),
		"failing":  func(context.Context) (*http.Response, error) { return nil, errors.New("no route to beacon") },
		"wrong":    answer(http.StatusOK, strings.NewReader(other)),
		"no JSON":  answer(http.StatusOK, strings.NewReader("<html>")),
		"empty":    answer(http.StatusOK, strings.NewReader("{}")),
		"huge":     answer(http.StatusOK, endless{&read}),
		"too long": answer(http.StatusOK, io.MultiReader(strings.NewReader(good), strings.NewReader(strings.Repeat(" ", 17<<10)))),
		"slow": func(ctx context.Context) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(stuck{ctx})}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &beacon{want: fmt.Sprintf("GET https://beacon.example/v1/%s/public/%d", right.ChainHash, right.Round)}
				b.answers(bad)
				v, s, id, _ := beaconShop(t, drawing.Options{Client: &http.Client{Transport: b}, BeaconURL: "https://beacon.example/v1/"})
				time.Sleep(closesIn + 50*time.Second)
				if n := b.asked.Load(); n > 0 {
					t.Errorf("asked %d times before the round was due", n)
				}
				time.Sleep(10 * time.Minute)
				if d := v.drop(t, id); d.DrawState.Phase != drop.Drawing || d.DrawState.Lined != 0 {
					t.Fatalf("without its beacon: %+v", d.DrawState)
				}
				if n := b.asked.Load(); n < 8 || n > 25 {
					t.Errorf("asked %d times in ten minutes", n)
				}
				if said := v.logs.String(); strings.Contains(said, "beacon.example") || !strings.Contains(said, "ask the beacon for round 1000") {
					t.Error(said)
				}
				b.answers(answer(http.StatusOK, strings.NewReader(good)))
				time.Sleep(time.Minute + time.Second)
				r := v.check(t, s, id)
				if !strings.Contains(r.text, good[len(`{"round":1000`):len(good)-1]) {
					t.Errorf("the record has another round than %s", good)
				}
			})
		})
	}
	if n := read.Load(); n > 1<<20 {
		t.Errorf("%d bytes of endless answers were read", n)
	}
}

func TestBeacon_CanBeRevealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, s, id, round := beaconShop(t, drawing.Options{})
		time.Sleep(closesIn + 5*time.Minute)
		if n := strings.Count(v.logs.String(), "waits for the round of its beacon"); n != 1 {
			t.Errorf("it said %d times that it waits: %s", n, v.logs)
		}
		if text := string(v.text(t, id, false)); !strings.Contains(text, `"phase":"closed"`) ||
			!strings.Contains(text, `"scheme":"bls-unchained-g1-rfc9380","round":1000},"count":9,"root":"`) {
			t.Error(text)
		}
		wrong := append(draw.Hex{1}, round.Signature[1:]...)
		for _, r := range []drawing.Reveal{{Signature: wrong}, {Signature: round.Signature, Previous: draw.Hex{1}}} {
			err := v.desk.Reveal(t.Context(), id, r)
			if e, ok := errors.AsType[*drop.Error](err); !ok || e.Code != drop.CodeInvalid || e.Field != "beacon.signature" || e.Rule == "" {
				t.Errorf("a wrong signature: %v", err)
			}
		}
		if err := v.desk.Reveal(t.Context(), id, drawing.Reveal{Signature: round.Signature}); err != nil {
			t.Fatal(err)
		}
		v.check(t, s, id)
	})
}
