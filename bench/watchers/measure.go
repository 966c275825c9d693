package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// figures are what one measurement gives. Durations are in ms.
type figures struct {
	rate     float64 // reserves a second
	p50, p99 float64 // of a reserve
	cores    float64 // the server's processor time a second
	ours     float64 // this program's
	others   float64 // everything else's on the machine
	updates  float64 // stock_update events received a second, by all watchers together
	most     int     // of them one watcher got of one drop in one second, at most
	told     [2]float64
	toldLate [2]float64 // told and toldLate: from a reserve's answer, and from its sending, to the watcher: median and p99

	floods    int     // flooding connections
	cut       int     // of them were cut
	survived  float64 // the longest time that one was not, to the end of the measurement
	floodSaid float64 // messages a second, by all flooders together
}

// shop is one measurement: what it runs against a fresh server.
type shop struct {
	watchers int
	drops    int
	pace     time.Duration
	flooders int
}

// quietly measures again, up to five times, while other programs take too much CPU. The last measurement counts in
// any case.
func (o settings) quietly(ctx context.Context, m shop) (f figures, err error) {
	for range 6 {
		f, err = o.measure(ctx, m)
		if err != nil || o.quiet == 0 || f.others <= o.quiet {
			break
		}
		fmt.Fprintf(os.Stderr, "again: other programs took %.2f cores\n", f.others)
	}
	return f, err
}

func (o settings) measure(ctx context.Context, m shop) (f figures, err error) {
	s, err := start(ctx, o.binary, o.database)
	if err != nil {
		return f, err
	}
	defer s.stop()
	time0 := clock{time.Now()}
	l := &load{clock: time0, addr: s.addr, pace: m.pace}
	for i := range m.drops {
		id, err := s.create(ctx, fmt.Sprintf("Drop %d", i+1))
		if err != nil {
			return f, err
		}
		l.drops = append(l.drops, id)
	}
	c := &crowd{clock: time0, addr: s.addr}
	defer c.leave()
	if err := c.join(ctx, m.watchers); err != nil {
		return f, err
	}
	if err := l.begin(ctx, o.connections); err != nil {
		return f, err
	}
	fl := &flood{clock: time0, addr: s.addr}
	fl.begin(ctx, m.flooders, l.drops[0])
	from, to, err := o.watch(ctx, s, c, fl, &f)
	lasted, floodErr := fl.end()
	all, loadErr := l.end()
	if err := errors.Join(err, floodErr, loadErr, ctx.Err()); err != nil {
		return f, err
	}
	f.flooded(fl, lasted)
	if err := c.await(left(l.drops, all)); err != nil && m.watchers > 0 {
		return f, err
	}
	c.leave()
	return f, f.take(c, between(all, from, to), (to - from).Seconds(), m.drops == 1)
}

// watch waits until the load is steady, and then for the time of the measurement, over which it takes rates.
func (o settings) watch(ctx context.Context, s *server, c *crowd, fl *flood, f *figures) (from, to time.Duration, err error) {
	if err := wait(ctx, o.warm); err != nil {
		return 0, 0, err
	}
	from = c.now()
	before, err := spend(s)
	updates, said := c.updates.Load(), fl.said.Load()
	if err := errors.Join(err, wait(ctx, o.long)); err != nil {
		return 0, 0, err
	}
	to = c.now()
	after, err := spend(s)
	seconds := (to - from).Seconds()
	f.cores = (after.server - before.server).Seconds() / seconds
	f.ours = (after.self - before.self).Seconds() / seconds
	f.others = max(0, (after.all-before.all).Seconds()/seconds-f.cores-f.ours)
	f.updates = float64(c.updates.Load()-updates) / seconds
	f.floodSaid = float64(fl.said.Load()-said) / seconds
	return from, to, err
}

// spent is processor time since some beginning.
type spent struct{ server, self, all time.Duration }

func spend(s *server) (t spent, err error) {
	if t.server, err = s.cpu(); err != nil {
		return t, err
	}
	t.self = self()
	t.all, err = busy()
	return t, err
}

// left returns how many units each drop has left after these reserves.
func left(drops []int64, all []reserve) map[int64]int64 {
	n := make(map[int64]int64, len(drops))
	for _, id := range drops {
		n[id] = units
	}
	for _, r := range all {
		n[r.drop]--
	}
	return n
}

func (f *figures) flooded(fl *flood, lasted []time.Duration) {
	f.floods, f.cut = int(fl.opened.Load()), len(lasted)
	f.survived = ms(max(fl.uncut, slices.Max(append(lasted, 0))))
}

// take works out what the reserves and the watchers say.
func (f *figures) take(c *crowd, reserves []reserve, seconds float64, one bool) error {
	f.rate = float64(len(reserves)) / seconds
	took := make([]time.Duration, len(reserves))
	for i, r := range reserves {
		took[i] = r.answered - r.sent
	}
	f.p50, f.p99 = ms(percentile(took, 0.5)), ms(percentile(took, 0.99))
	var rose int
	f.most, rose = c.tally()
	if lost := c.lost.Load(); lost > 0 || rose > 0 {
		return fmt.Errorf("%d watchers lost their connection, %d updates went back", lost, rose)
	}
	if !one || len(c.watchers) == 0 {
		return nil
	}
	slices.SortFunc(reserves, func(a, b reserve) int { return cmp.Compare(a.number, b.number) })
	for _, d := range []struct {
		since func(reserve) time.Duration
		to    *[2]float64
	}{
		{func(r reserve) time.Duration { return r.answered }, &f.told},
		{func(r reserve) time.Duration { return r.sent }, &f.toldLate},
	} {
		delays, err := c.delays(reserves, d.since)
		if err != nil {
			return err
		}
		*d.to = [2]float64{ms(percentile(delays, 0.5)), ms(percentile(delays, 0.99))}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// self is the processor time that this program has used.
func self() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it takes a constant and a pointer: no machine refuses it
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
