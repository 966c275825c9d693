// Package rehearse plays the first minutes of a drop before they happen. It makes a hidden copy of the drop on a
// running server and sends it buyers over HTTP and watchers over Socket.IO. Then it reports whether everything went
// well. The buyers behave like people: they are early, double-click, lose their connection, change their minds, or
// never pay. If the drop has a waitlist, those who come too late join it. If it has early access, some come before the
// start with codes.
//
// It uses only the API, as the holder of an operator's token. Call Run once for a Config. When Run returns,
// everything it started has ended and the copy is archived, whatever happened.
package rehearse

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"sneakerdrop/internal/drop"
)

// The limits of a rehearsal.
const (
	MaxBuyers = 20_000
	// ahead is how long before the start of a real drop no rehearsal may begin.
	ahead = 10 * time.Minute
	// concurrent connections to the server; more buyers wait for one.
	connections = 500
	// there is one watcher for every watchersOf buyers, but at most maxWatchers.
	watchersOf, maxWatchers = 10, 200
)

// Config configures a rehearsal.
type Config struct {
	// URL of the server, and an operator's token if it requires one.
	URL, Token string
	// Drop is the drop to copy, for this many Buyers.
	Drop   drop.ID
	Buyers int
	// Buyer makes a buyer's token (by default nobody signs in).
	Buyer func(buyer int64) string
	// MaxP99 is the limit for the 99th percentile of reserves (default 2 s).
	MaxP99 time.Duration
	// MaxHold is the longest hold to wait for; longer ones are released (default 3 minutes).
	MaxHold time.Duration
	// Seed decides what each buyer does (default random).
	Seed uint64
	// Transport reaches the server (default a new one).
	Transport *http.Transport
	// Progress is called from time to time (default nil).
	Progress func(Progress)
}

// Progress is how far a rehearsal has come.
type Progress struct {
	Phase    string        `json:"phase"`
	Copy     drop.ID       `json:"copy"`
	Elapsed  time.Duration `json:"-"`
	Reserved int64         `json:"reserved"`
	Sold     int64         `json:"sold"`
	Refused  int64         `json:"refused"`
	Errors   int64         `json:"errors"`
}

// LiveError names the drop that prevents a rehearsal.
type LiveError struct{ Sentence string }

func (e *LiveError) Error() string { return e.Sentence }

const defaultP99, defaultMaxHold = 2 * time.Second, 3 * time.Minute

// startsIn is when the copy opens. It leaves time for buyers who are early.
const startsIn = 2 * time.Second

// Run rehearses. An error means that there is no result. Problems with the drop are in the result. It refuses with a
// *LiveError while a drop is live or about to start.
func Run(ctx context.Context, c Config) (*Result, error) {
	c.MaxP99, c.MaxHold, c.Seed = cmp.Or(c.MaxP99, defaultP99), cmp.Or(c.MaxHold, defaultMaxHold), cmp.Or(c.Seed, rand.Uint64())
	if c.Transport == nil {
		c.Transport = &http.Transport{}
	}
	c.Transport.MaxConnsPerHost, c.Transport.MaxIdleConnsPerHost = connections, connections
	defer c.Transport.CloseIdleConnections()
	client := &client{Config: &c, http: &http.Client{Transport: c.Transport}}
	original, err := check(ctx, client)
	if err != nil {
		return nil, err
	}
	p := &play{client: client, original: original, began: time.Now()}
	if err := p.copyDrop(ctx); err != nil {
		return nil, err
	}
	result, err := p.perform(ctx)
	cleanUp, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return result, errors.Join(err, p.archive(cleanUp))
}

// Check reports whether a rehearsal of the drop could begin now; see Run.
func Check(ctx context.Context, c Config) error {
	if c.Transport == nil {
		c.Transport = &http.Transport{}
	}
	defer c.Transport.CloseIdleConnections()
	_, err := check(ctx, &client{Config: &c, http: &http.Client{Transport: c.Transport}})
	return err
}

func check(ctx context.Context, c *client) (figure, error) {
	all, err := c.figures(ctx)
	if err != nil {
		return figure{}, err
	}
	var found *figure
	for i := range all.Drops {
		d := &all.Drops[i]
		if d.ID == c.Drop {
			found = d
		}
		if d.Hidden || d.Archived || d.Paused {
			continue
		}
		switch in := d.StartTime.Sub(all.At); {
		case in <= 0 && d.Available+d.Held > 0:
			return figure{}, &LiveError{fmt.Sprintf("drop %d, %q, is on sale; pause or hide it, or wait until it is sold out", d.ID, d.Name)}
		case in > 0 && in <= ahead:
			return figure{}, &LiveError{fmt.Sprintf("drop %d, %q, starts in %s; rehearse afterwards, or more than 10 minutes before", d.ID, d.Name, in.Round(time.Second))}
		}
	}
	if found == nil {
		return figure{}, drop.Refuse(drop.CodeDropNotFound)
	}
	return *found, nil
}

// play is one rehearsal under way.
type play struct {
	*client

	original figure
	copied   drop.ID
	starts   time.Time // by this machine's clock
	opens    time.Time // the same, by the server's clock
	began    time.Time
	notes    notes
	// accesses are the original's early access, which the copy has too, and codes those for it: each as often as it can
	// be used.
	accesses []access
	codes    []code
	// line is where buyers wait for units that come free.
	line waiters
}

func (p *play) copyDrop(ctx context.Context) error {
	whole, _, _ := strings.Cut(p.original.Price.String(), ".") // an old price may have more decimals than the currency has now
	body := map[string]any{
		"name": drop.RehearsalName(p.original.ID), "price": json.Number(whole),
		"limit_per_user": p.original.LimitPerUser, "max_expired_holds": p.original.MaxExpired,
	}
	if o := &p.original; o.Waitlist {
		body["waitlist"], body["offer_for"], body["max_waiting"], body["offers_count"] = true, o.OfferFor, o.MaxWaiting, o.OffersCount
	}
	if len(p.original.Sizes) > 0 {
		sizes := make([]map[string]any, len(p.original.Sizes))
		for i, s := range p.original.Sizes {
			sizes[i] = map[string]any{"size": s.Size, "stock": s.Total}
		}
		body["sizes"] = sizes
	} else {
		body["total_stock"] = p.original.Total
	}
	in := startsIn
	if p.original.Draw == nil {
		all, err := p.accessesOf(ctx, p.original.ID)
		if err != nil {
			return err
		}
		if p.accesses = slices.DeleteFunc(all, func(x access) bool { return x.State == "over" }); len(p.accesses) > 0 {
			in += membersFrom
		}
	}
	all, err := p.figures(ctx) // to learn the server's time
	if err != nil {
		return err
	}
	p.opens, p.starts = all.At.Add(in).UTC().Truncate(time.Millisecond), time.Now().Add(in)
	body["start_time"] = p.opens.Format(time.RFC3339Nano)
	var made struct{ ID drop.ID }
	if err := p.callOperator(ctx, http.MethodPost, "/api/drops/create", body, &made); err != nil {
		return fmt.Errorf("copy drop %d: %w", p.original.ID, err)
	}
	p.copied = made.ID
	err = p.callOperator(ctx, http.MethodPatch, dropPath(made.ID), map[string]any{"hidden": true}, nil)
	if err != nil {
		err = fmt.Errorf("hide the copy: %w", err)
	} else {
		err = p.copyAccess(ctx)
	}
	if err != nil {
		return errors.Join(err, p.archive(context.WithoutCancel(ctx)))
	}
	return nil
}

func (p *play) archive(ctx context.Context) error {
	err := p.callOperator(ctx, http.MethodPatch, dropPath(p.copied), map[string]any{"archived": true}, nil)
	if err != nil {
		return fmt.Errorf("archive the copy, drop %d: %w", p.copied, err)
	}
	return nil
}

// perform lets the buyers in, waits for the unpaid holds to end, and checks the records.
func (p *play) perform(ctx context.Context) (*Result, error) {
	telling, stopTelling := context.WithCancel(ctx)
	var told sync.WaitGroup
	told.Go(func() { p.tell(telling) })
	defer told.Wait()
	defer stopTelling()

	p.notes.enter("buyers are coming")
	watching, stopWatching := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	for n := range min(p.Buyers/watchersOf, maxWatchers) {
		watchers.Go(func() { p.watch(watching, address(int64(n))) })
	}
	defer watchers.Wait()
	defer stopWatching()
	stopWaiting := p.line.open(ctx)
	defer stopWaiting()
	var buyers sync.WaitGroup
	for n := range p.Buyers {
		b := newBuyer(p, int64(n))
		buyers.Go(func() { b.act(ctx) })
	}
	buyers.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	p.notes.enter("holds are expiring")
	if err := p.outlast(ctx); err != nil {
		return nil, err
	}
	if p.original.Waitlist {
		p.notes.enter("the waitlist is moving")
		if err := p.outlastLine(ctx); err != nil {
			return nil, err
		}
	}
	stopWaiting()
	p.notes.enter("checking the records")
	return p.conclude(ctx)
}

const tellEvery = 500 * time.Millisecond

func (p *play) tell(ctx context.Context) {
	if p.Progress == nil {
		return
	}
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		progress := p.notes.progress()
		progress.Copy, progress.Elapsed = p.copied, time.Since(p.began)
		p.Progress(progress)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// outlast waits a little longer than the last unpaid hold. It releases holds that last too long.
func (p *play) outlast(ctx context.Context) error {
	left := p.notes.unpaid()
	if len(left) == 0 {
		return nil
	}
	last := left[len(left)-1]
	if last.length > p.MaxHold {
		return p.release(ctx, left)
	}
	return sleep(ctx, time.Until(last.ends)+time.Second)
}

// release gives holds back for their buyers.
func (p *play) release(ctx context.Context, holds []hold) error {
	for _, h := range holds {
		if a := p.post(ctx, h.buyer, "/api/drops/cancel", reservationBody(h.id), ""); a.err != nil || a.status != http.StatusOK {
			return fmt.Errorf("release reservation %d: %s %w", h.id, a.code, a.err)
		}
	}
	return nil
}

// copyNow returns the figures of the copy.
func (p *play) copyNow(ctx context.Context) (figure, error) {
	all, err := p.figures(ctx)
	if err != nil {
		return figure{}, err
	}
	i := slices.IndexFunc(all.Drops, func(f figure) bool { return f.ID == p.copied })
	if i < 0 {
		return figure{}, fmt.Errorf("drop %d, the copy, no longer exists", p.copied)
	}
	return all.Drops[i], nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
