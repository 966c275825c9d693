//go:build linux

package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// probe writes to the databases themselves all the time, to show which part of a pause is theirs and not
// sneakerdrop's.
type probe struct {
	mu     sync.Mutex
	writes []write
}

// write is an acknowledged commit, so it is on two machines.
type write struct {
	at      time.Time
	primary time.Time // when its session found that the server is the primary
}

// startProbe starts a probe that runs until ctx ends.
func (c *cluster) startProbe(ctx context.Context) *probe {
	p := &probe{}
	for _, m := range c.members {
		go func() {
			for ctx.Err() == nil {
				_ = p.write(ctx, m) // most of them are standbys, and one may be gone
				time.Sleep(20 * time.Millisecond)
			}
		}()
	}
	return p
}

// write writes until an error occurs.
func (p *probe) write(ctx context.Context, m *member) error {
	config, err := pgx.ParseConfig(m.url("postgres", "postgres") + "&connect_timeout=1")
	if err != nil {
		return err
	}
	noticed := false // a write on one machine only does not count
	config.OnNotice = func(*pgconn.PgConn, *pgconn.Notice) { noticed = true }
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var standby bool
	if err := conn.QueryRow(ctx, `SELECT pg_is_in_recovery()`).Scan(&standby); err != nil {
		return err
	}
	if standby {
		return errors.New("is no primary")
	}
	for primary := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err = conn.Exec(ctx, `INSERT INTO public.probe VALUES (1)`); err != nil || noticed {
			return err
		}
		p.mu.Lock()
		p.writes = append(p.writes, write{time.Now(), primary})
		p.mu.Unlock()
	}
}

// pause returns the longest time without a write since a moment: when it began, and the write that ended it.
func (p *probe) pause(from time.Time) (began time.Time, ended write) {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.writes, func(a, b write) int { return a.at.Compare(b.at) })
	last := from
	for _, w := range p.writes {
		if w.at.Before(from) {
			continue
		}
		if w.at.Sub(last) > ended.at.Sub(began) || ended.at.IsZero() {
			began, ended = last, w
		}
		last = w.at
	}
	return began, ended
}
