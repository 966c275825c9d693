package load

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// slowAnswer is how long the slow receiver takes for each message.
const slowAnswer = 5 * time.Second

// usualTurn is how long the load runs without endpoints, then with them, and so on. A machine is not as fast at all
// times, so only neighbors are compared.
const usualTurn = 2 * time.Second

// Turns compares the load with endpoints of webhooks and without, which take turns in one run.
type Turns struct {
	// With and Without are medians of what was accepted per second.
	With    float64 `json:"with_per_second"`
	Without float64 `json:"without_per_second"`
	// Ratios has each turn with endpoints, as a part of the mean of the turns before and after it, in ascending order.
	Ratios []float64 `json:"ratios"`
}

// Ratio is the median of Ratios. It is 0 if the run was too short to compare any.
func (t *Turns) Ratio() float64 { return Median(t.Ratios) }

// turnsOf compares rates: without, with, without, and so on.
func turnsOf(rates []float64) *Turns {
	var kinds [2][]float64
	t := &Turns{Ratios: []float64{}}
	for i, rate := range rates {
		kinds[i%2] = append(kinds[i%2], rate)
		if i%2 == 1 && i+1 < len(rates) {
			t.Ratios = append(t.Ratios, rate/((rates[i-1]+rates[i+1])/2))
		}
	}
	t.Without, t.With = round(Median(kinds[0])), round(Median(kinds[1]))
	slices.Sort(t.Ratios)
	return t
}

// Median returns the median, 0 of nothing.
func Median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// takeTurns runs until ctx ends. In every second turn the server delivers all events to three endpoints. Creating and
// deleting them belongs to no turn.
func (r *run) takeTurns(ctx context.Context) (t *Turns, err error) {
	rs, err := receive(ctx, r.clients[0])
	if err != nil {
		return nil, err
	}
	lasting := context.WithoutCancel(ctx) // a call that was cut off may have taken effect
	defer func() { err = errors.Join(err, rs.remove(lasting), rs.end()) }()
	var rates []float64
	for {
		rate, whole := r.rate(ctx)
		if !whole {
			return turnsOf(rates), nil
		}
		rates = append(rates, rate)
		if len(rates)%2 == 1 {
			err = rs.create(lasting)
		} else {
			err = rs.remove(lasting)
		}
		if err != nil {
			return turnsOf(rates), err
		}
	}
}

// rate returns what is accepted per second in one turn. whole reports whether ctx lasted that long.
func (r *run) rate(ctx context.Context) (perSecond float64, whole bool) {
	began, before := time.Now(), r.accepted.Load()
	if whole = sleepUntil(ctx, began.Add(cmp.Or(r.Turn, usualTurn))); !whole {
		return 0, false
	}
	return float64(r.accepted.Load()-before) / time.Since(began).Seconds(), true
}

// receivers are for three endpoints of the server's webhooks, which get all events: one answers at once, one slowly,
// and one is dead.
type receivers struct {
	client *client
	urls   []string
	ids    []int64 // of the endpoints that are there now
	server *http.Server
	ended  chan error
}

// receive starts the receivers. The server must allow endpoints on this machine.
func receive(ctx context.Context, c *client) (*receivers, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	dead, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if err := dead.Close(); err != nil { // now nothing listens on its port
		return nil, errors.Join(err, l.Close())
	}
	answer := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it is only taken
		w.WriteHeader(http.StatusNoContent)
	}
	handler := http.NewServeMux()
	handler.HandleFunc("/good", answer)
	handler.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(slowAnswer):
		case <-r.Context().Done():
		}
		answer(w, r)
	})
	rs := &receivers{
		client: c, server: &http.Server{Handler: handler, ReadHeaderTimeout: slowAnswer}, ended: make(chan error, 1),
		urls: []string{"http://" + l.Addr().String() + "/good", "http://" + l.Addr().String() + "/slow", "http://" + dead.Addr().String() + "/"},
	}
	go func() { rs.ended <- rs.server.Serve(l) }()
	return rs, nil
}

// create creates the endpoints.
func (rs *receivers) create(ctx context.Context) error {
	for _, url := range rs.urls {
		var made struct {
			ID int64 `json:"id"`
		}
		if err := rs.client.ask(ctx, http.MethodPost, "/api/webhooks", map[string]string{"url": url}, &made); err != nil {
			return fmt.Errorf("create a webhook: %w", err)
		}
		rs.ids = append(rs.ids, made.ID)
	}
	return nil
}

// remove deletes the endpoints that are there, all at once: the server waits for the answers of messages under way.
func (rs *receivers) remove(ctx context.Context) error {
	gone := make(chan error, len(rs.ids))
	for _, id := range rs.ids {
		go func() {
			var was json.RawMessage
			err := rs.client.ask(ctx, http.MethodDelete, "/api/webhooks/"+strconv.FormatInt(id, 10), nil, &was)
			if err != nil {
				err = fmt.Errorf("delete webhook %d: %w", id, err)
			}
			gone <- err
		}()
	}
	var failed error
	for range rs.ids {
		failed = errors.Join(failed, <-gone)
	}
	rs.ids = nil
	return failed
}

// end ends the receivers.
func (rs *receivers) end() error {
	err := rs.server.Close()
	if ended := <-rs.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
