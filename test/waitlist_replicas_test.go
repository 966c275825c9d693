package test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sneakerdrop/internal/testing/pgtest"
)

// lineUp is how many people and units TestReplicas_UnitsGoToTheLine plays.
type lineUp struct{ holders, waiters, connections int }

// place is an entry as the API shows it.
type place struct {
	ID     int64  `json:"id"`
	UserID int64  `json:"userId"`
	Status string `json:"status"`
	// Offer is the reservation that the buyer was offered.
	Offer int64 `json:"reservationId"`
}

// Buyers hold all units, and others wait. Holders cancel, the shop restocks, and offers are declined and expire, at
// three replicas, of which one is killed. Each unit goes to the first in line, and nobody ever sees one on sale: not by
// events, not in a list, and not by trying to reserve it.
func TestReplicas_UnitsGoToTheLine(t *testing.T) {
	t.Parallel()
	playLine(t, lineUp{holders: 40, waiters: 300, connections: 16})
}

func playLine(t *testing.T, of lineUp) {
	t.Helper()
	hub, database := broker(t, 0), pgtest.Database(t)
	all := replicas(t, 3, "--database="+database, "--nats="+hub.ClientURL(), "--hold=1h")
	connected(t, all, "connected")
	// The line is long, so that it lasts however often offers expire on a slow machine.
	d := id(t, post(t, all[0].url+"/api/drops/create", fmt.Sprintf(
		`{"name":"Air","price":120,"total_stock":%d,"start_time":"2020-01-01T00:00:00Z","waitlist":true,"max_waiting":10000,"offer_for":10}`, of.holders)))
	l := &line{T: t, drop: d, all: all[:2], of: of} // what the third one has done stays when it dies
	l.units = make([]int64, of.holders)
	l.each(of.holders, func(i int) {
		l.units[i] = l.place(l.call(i, "reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, d, i+1))).ID
	})
	l.each(of.waiters, func(i int) {
		if e := l.place(l.call(i, "waitlist", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, d, 10_000+i))); e.Status != "waiting" {
			l.Errorf("joined as %+v", e)
		}
	})
	if t.Failed() {
		return
	}

	watching, stop := context.WithCancel(t.Context())
	var watchers []*watcher
	for _, s := range all {
		watchers = append(watchers, watch(t, s.url))
	}
	var looking sync.WaitGroup
	for _, s := range l.all {
		looking.Go(func() { l.look(watching, s) })
		looking.Go(func() { l.jump(watching, s) })
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		_, _ = send(t.Context(), http.DefaultClient, all[2].url+"/api/drops/cancel", fmt.Sprintf(`{"reservationId":%d}`, l.units[0]))
		all[2].kill()
	}()
	freed := of.holders / 2
	l.each(freed, func(i int) {
		l.call(i, "cancel", fmt.Sprintf(`{"reservationId":%d}`, l.units[i]))
		if i%4 == 0 {
			l.call(i, fmt.Sprintf("%d/restock", d), `{"add":1}`)
		}
	})
	<-killed
	offered := l.offered()
	l.each(len(offered)/2, func(i int) { // some decline; those whose offer has expired find that it has
		l.call(i, "cancel", fmt.Sprintf(`{"reservationId":%d}`, offered[i].Offer))
	})
	expired := 0
	if err := poll(t.Context(), func() error { // and the others' offers expire
		expired = len(l.offered()) - len(offered) - len(offered)/2
		if expired < len(offered)/2 {
			return fmt.Errorf("%d offers have gone on to the next in line", expired)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	stop()
	looking.Wait()
	l.judge(watchers, database, freed+(freed+3)/4)
}

// line is a drop with a waitlist at several replicas.
type line struct {
	*testing.T
	drop  int64
	all   []*server
	of    lineUp
	units []int64 // the holders' reservations

	lists, tries atomic.Int64
}

// each calls do for 0 to n − 1 from several connections.
func (l *line) each(n int, do func(i int)) {
	l.Helper()
	var next atomic.Int64
	var calling sync.WaitGroup
	for range l.of.connections {
		calling.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	calling.Wait()
}

// call returns the answer to a call that must succeed.
func (l *line) call(i int, path, body string) string {
	l.Helper()
	answer, err := send(l.Context(), http.DefaultClient, l.all[i%len(l.all)].url+"/api/drops/"+path, body)
	found, fine := strings.CutPrefix(answer, "200 ")
	if err != nil || !fine {
		l.Errorf("%s %s: %s, %v", path, body, answer, err)
	}
	return found
}

func (l *line) place(answer string) (e place) {
	l.Helper()
	if err := json.Unmarshal([]byte(answer), &e); err != nil {
		l.Errorf("%s: %v", answer, err)
	}
	return e
}

// look reads the list and the drop over and over.
func (l *line) look(ctx context.Context, s *server) {
	for ctx.Err() == nil {
		for _, path := range []string{"/api/drops", fmt.Sprintf("/api/drops/%d", l.drop)} {
			req, err := http.NewRequestWithContext(l.Context(), http.MethodGet, s.url+path, http.NoBody)
			if err != nil {
				l.Error(err)
				return
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				l.Error(err)
				return
			}
			body, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || !strings.Contains(string(body), `"available_stock":0`) {
				l.Errorf("a unit is on sale while others wait: %s, %v", body, err)
				return
			}
			l.lists.Add(1)
		}
	}
}

// jump tries to reserve over and over, without waiting in line.
func (l *line) jump(ctx context.Context, s *server) {
	for user := int64(1_000_000); ctx.Err() == nil; user++ {
		answer, err := send(l.Context(), http.DefaultClient, s.url+"/api/drops/reserve", fmt.Sprintf(`{"dropId":%d,"userId":%d}`, l.drop, user))
		if err != nil || !strings.HasPrefix(answer, "409 ") || !strings.Contains(answer, `"waitlist"`) {
			l.Errorf("who jumps the line is answered %s, %v", answer, err)
			return
		}
		l.tries.Add(1)
	}
}

// offered returns the entries that were offered a unit, in the order in which their buyers joined.
func (l *line) offered() (offered []place) {
	l.Helper()
	for _, e := range l.entries() {
		if e.Status == "offered" {
			offered = append(offered, e)
		}
	}
	return offered
}

func (l *line) entries() (all []place) {
	l.Helper()
	for after := int64(0); ; {
		_, body := get(l.T, fmt.Sprintf("%s/api/drops/%d/waitlist?limit=1000&after=%d", l.all[0].url, l.drop, after))
		var page struct {
			Entries []place `json:"entries"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			l.Fatalf("%s: %v", body, err)
		}
		if len(page.Entries) == 0 {
			return all
		}
		all = append(all, page.Entries...)
		after = all[len(all)-1].ID
	}
}

// judge checks the whole history.
func (l *line) judge(watchers []*watcher, database string, freed int) {
	l.Helper()
	entries := l.entries()
	waits := slices.IndexFunc(entries, func(e place) bool { return e.Status != "offered" })
	if waits < 0 || len(entries) != l.of.waiters {
		l.Fatalf("%d of %d entries wait for the first time at %d: the line has to outlast the test", len(entries), l.of.waiters, waits)
	}
	var last int64
	for i, e := range entries {
		switch {
		case i >= waits && e.Status != "waiting":
			l.Errorf("entry %d was %s before entry %d, which waits", e.ID, e.Status, entries[waits].ID)
		case i < waits && e.Offer == 0:
			l.Errorf("an offer without a reservation: %+v", e)
		case i < waits && e.Offer <= last:
			l.Errorf("entry %d was offered a unit before those in front of it", e.ID)
		case i < waits:
			last = e.Offer
		}
	}
	if waits < freed {
		l.Errorf("%d units came free, and %d entries were offered one", freed, waits)
	}
	told := 0
	for i, w := range watchers {
		w.mu.Lock()
		for _, h := range w.told {
			if !strings.Contains(h.data, fmt.Sprintf(`"dropId":%d,`, l.drop)) || !strings.Contains(h.data, `"available_stock":`) {
				continue
			}
			if told++; !strings.Contains(h.data, `"available_stock":0`) {
				l.Errorf("watcher %d was told of a unit on sale: %s %s", i, h.name, h.data)
			}
		}
		w.mu.Unlock()
	}
	l.Logf("%d of %d were offered a unit; %d lists, %d attempts to jump the line and %d events saw none on sale", waits, len(entries), l.lists.Load(), l.tries.Load(), told)
	if l.lists.Load() == 0 || l.tries.Load() == 0 {
		l.Error("nobody looked")
	}
	if out, err := exec.CommandContext(l.Context(), "sneakerdrop", "audit", "--database="+database).CombinedOutput(); err != nil {
		l.Errorf("the audit: %v\n%s", err, out)
	}
}
